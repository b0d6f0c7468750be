//! Makes EndpointSlices of the Endpoints of Services without a selector (`pkg/controller/endpointslicemirroring`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointSubset, Endpoints, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::{Key, RetryQueue, controller_reference, is_namespace_terminating, key_of};
use super::endpoint_slice::endpoint::hash;
use super::endpoint_slice::{MANAGED_BY, SERVICE_NAME, TRIGGER_TIME};
use super::endpoints::repack_subsets;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::api::validation::ip::parse_ip_sloppy;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

/// Who manages the slices.
const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
/// Annotations that are not copied.
const NOT_MIRRORED: [&str; 2] = [TRIGGER_TIME, "kubectl.kubernetes.io/last-applied-configuration"];
/// At most so many addresses of a subset (`--mirroring-max-endpoints-per-subset`).
const MAX_ENDPOINTS: usize = 1000;

/// The EndpointSlice mirroring controller.
#[derive(Clone, Default)]
pub struct EndpointSliceMirroringController {
    queue: RetryQueue<Key>,
}

fn has_selector(service: &Service) -> bool {
    service.spec.as_ref().and_then(|s| s.selector.as_ref()).is_some_and(|s| !s.is_empty())
}

/// `shouldMirror`.
fn should_mirror(endpoints: &Endpoints) -> bool {
    endpoints.label("endpointslice.kubernetes.io/skip-mirror") != Some("true")
        && endpoints.annotation("control-plane.alpha.kubernetes.io/leader").is_none()
}

impl Reconciler for EndpointSliceMirroringController {
    fn name(&self) -> &'static str {
        "endpoint-slice-mirroring-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((old, new)) = change.of::<Service>() {
            let lacks = |service: Option<&Arc<Service>>| service.map(|s| !has_selector(s));
            let (before, after) = (lacks(old), lacks(new));
            if before != after && (before == Some(true) || after == Some(true)) {
                self.queue.add(new.or(old).map(|s| key_of(&**s)).unwrap_or_default());
            }
        } else if let Some((old, new)) = change.of::<Endpoints>() {
            self.queue.add(new.or(old).map(|e| key_of(&**e)).unwrap_or_default());
        } else if let Some((old, new)) = change.of::<EndpointSlice>() {
            for slice in [old, new].into_iter().flatten().filter(|s| s.label(MANAGED_BY) == Some(MANAGER)) {
                if let Some(service) = slice.label(SERVICE_NAME) {
                    self.queue.add((slice.namespace().to_owned(), service.to_owned()));
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(key) = self.queue.pop(context.api.now()) else { return false };
        match sync(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, context.api.now()),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// Slices are made for each address type and set of ports.
type Group = (&'static str, String);

fn group_of(address_type: &'static str, ports: &[EndpointPort]) -> Group {
    (address_type, serde_json::to_string(ports).unwrap_or_default())
}

/// `syncEndpoints`.
fn sync(api: &mut ApiServer, key: &Key) -> Result<(), Status> {
    let of_service =
        |s: &&Arc<EndpointSlice>| s.label(SERVICE_NAME) == Some(&key.1) && s.label(MANAGED_BY) == Some(MANAGER);
    let existing: Vec<_> = api.store().list_in::<EndpointSlice>(&key.0).filter(of_service).cloned().collect();
    let endpoints = api.get::<Endpoints>(&key.0, &key.1).filter(|e| should_mirror(e)).cloned();
    let selects = api.get::<Service>(&key.0, &key.1).is_none_or(|service| has_selector(service));
    match endpoints.filter(|_| !selects) {
        Some(endpoints) => reconcile(api, &endpoints, existing),
        None => existing.iter().try_for_each(|slice| delete(api, slice)),
    }
}

fn delete(api: &mut ApiServer, slice: &EndpointSlice) -> Result<(), Status> {
    let key = ObjectKey::new(Kind::EndpointSlice, slice.namespace(), slice.name());
    match api.delete(&key, &DeleteOptions::default()) {
        Err(status) if status.reason != Reason::NotFound => Err(status),
        _ => Ok(()),
    }
}

/// One slice for each address type and set of ports; a slice that is left over is used for one that is missing
/// (`reconciler.reconcile`, `recycleSlices`).
fn reconcile(api: &mut ApiServer, endpoints: &Arc<Endpoints>, existing: Vec<Arc<EndpointSlice>>) -> Result<(), Status> {
    let mut left: Vec<(Group, Arc<EndpointSlice>)> = Vec::new();
    for slice in existing {
        let address_type = if slice.address_type == "IPv6" { "IPv6" } else { "IPv4" };
        left.push((group_of(address_type, slice.ports.as_deref().unwrap_or_default()), slice));
    }
    let mut create = Vec::new();
    for (group, (ports, mirrored)) in desired(endpoints) {
        let mut slice = new_slice(endpoints, group.0, ports, mirrored);
        match left.iter().position(|(other, _)| *other == group) {
            Some(at) => {
                let (_, old) = left.remove(at);
                // what is sent has a name, so it has no generateName any more
                slice.metadata.name.clone_from(&old.metadata.name);
                slice.metadata.generate_name = None;
                update(api, &old, slice)?;
            }
            None => create.push(slice),
        }
    }
    for slice in create {
        match left.iter().position(|(group, _)| group.0 == slice.address_type) {
            Some(at) => {
                let (_, old) = left.remove(at);
                let metadata = ObjectMeta { name: old.metadata.name.clone(), ..slice.metadata };
                update(api, &old, EndpointSlice { metadata, ..slice })?;
            }
            None if endpoints.is_terminating() => {}
            None => match api.create(slice) {
                Err(status) if !is_namespace_terminating(&status) => return Err(status),
                _ => {}
            },
        }
    }
    left.iter().try_for_each(|(_, slice)| delete(api, slice))
}

/// Writes a slice unless it tells the same already.
fn update(api: &mut ApiServer, old: &EndpointSlice, new: EndpointSlice) -> Result<(), Status> {
    let same = old.endpoints == new.endpoints
        && old.ports == new.ports
        && old.metadata.labels == new.metadata.labels
        && old.metadata.annotations == new.metadata.annotations
        && old.metadata.owner_references == new.metadata.owner_references;
    if same {
        return Ok(());
    }
    api.update(new).map(|_| ())
}

/// What the slices should tell (`desiredCalc`).
fn desired(endpoints: &Endpoints) -> BTreeMap<Group, (Vec<EndpointPort>, Vec<Endpoint>)> {
    let mut desired: BTreeMap<Group, (Vec<EndpointPort>, Vec<Endpoint>)> = BTreeMap::new();
    for subset in repack_subsets(endpoints.subsets.clone().unwrap_or_default()) {
        let ports = ports_of(&subset);
        let ready = subset.addresses.into_iter().flatten().map(|address| (address, true));
        let not_ready = subset.not_ready_addresses.into_iter().flatten().map(|address| (address, false));
        for (address, ready) in ready.chain(not_ready).take(MAX_ENDPOINTS) {
            let Some((address_type, endpoint)) = endpoint_of(address, ready) else { continue };
            let (_, all) = desired.entry(group_of(address_type, &ports)).or_insert_with(|| (ports.clone(), Vec::new()));
            all.push(endpoint);
        }
    }
    desired
}

/// `epPortsToEpsPorts`.
fn ports_of(subset: &EndpointSubset) -> Vec<EndpointPort> {
    let mut ports: Vec<EndpointPort> = subset
        .ports
        .iter()
        .flatten()
        .map(|port| EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(port.port),
            protocol: port.protocol.clone(),
            app_protocol: port.app_protocol.clone(),
        })
        .collect();
    ports.sort_by_key(hash);
    ports
}

/// `addressToEndpoint`.
fn endpoint_of(address: EndpointAddress, ready: bool) -> Option<(&'static str, Endpoint)> {
    let ip = parse_ip_sloppy(&address.ip)?;
    let endpoint = Endpoint {
        addresses: vec![ip.to_string()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..Default::default() }),
        hostname: address.hostname.filter(|h| !h.is_empty()),
        node_name: address.node_name,
        target_ref: address.target_ref,
        ..Default::default()
    };
    Some((if ip.is_ipv4() { "IPv4" } else { "IPv6" }, endpoint))
}

/// `newEndpointSlice`.
fn new_slice(
    endpoints: &Endpoints,
    address_type: &str,
    ports: Vec<EndpointPort>,
    mirrored: Vec<Endpoint>,
) -> EndpointSlice {
    let mut labels = endpoints.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), endpoints.name().to_owned());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    let mut annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| !NOT_MIRRORED.contains(&key.as_str()));
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", endpoints.name())),
            namespace: endpoints.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: Some(annotations).filter(|a| !a.is_empty()),
            owner_references: Some(vec![controller_reference(endpoints)]),
            ..Default::default()
        },
        address_type: address_type.to_owned(),
        endpoints: Some(mirrored),
        ports: Some(ports).filter(|p| !p.is_empty()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::api::server::Propagation;
    use crate::controllers::testing::World;
    use serde_json::json;

    fn slices(world: &World) -> Vec<(String, Vec<i32>)> {
        let describe = |s: &Arc<EndpointSlice>| {
            let ports = s.ports.iter().flatten().filter_map(|p| p.port).collect();
            (s.label(MANAGED_BY).unwrap_or_default().to_owned(), ports)
        };
        world.api.store().list_in::<EndpointSlice>("default").map(describe).collect()
    }

    #[test]
    fn hand_made_endpoints_are_mirrored_only_for_a_service_without_selector() {
        let mut world = World::new();
        world.create::<Endpoints>(json!({"metadata": {"name": "db", "labels": {"a": "b"}}, "subsets": [
            {"addresses": [{"ip": "10.1.0.1"}], "notReadyAddresses": [{"ip": "10.1.0.2"}], "ports": [{"port": 3306}]}]}));
        world.settle();
        assert_eq!(slices(&world), []);
        world.create::<Service>(json!({"metadata": {"name": "db"}, "spec": {"ports": [{"port": 3306}]}}));
        world.settle();
        assert_eq!(slices(&world), [(MANAGER.to_owned(), vec![3306])]);
        let slice = world.api.store().list_in::<EndpointSlice>("default").next().unwrap().clone();
        assert_eq!(slice.label("a"), Some("b"));
        assert_eq!(slice.controller().unwrap().kind, "Endpoints");
        let ready: Vec<_> = slice.endpoints.iter().flatten().map(|e| e.conditions.clone().unwrap().ready).collect();
        assert_eq!(ready, [Some(true), Some(false)]);
        world.delete(Kind::Service, "db", Propagation::Background);
        world.settle();
        assert_eq!(slices(&world), []);
        assert!(world.names::<Endpoints>().is_empty());
    }

    #[test]
    fn a_service_that_loses_its_selector_keeps_its_slice_and_gets_a_mirrored_one() {
        let mut world = World::new();
        world.create::<crate::api::object::types::Pod>(json!({"metadata": {"name": "a", "labels": {"app": "db"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}));
        world.create::<Service>(json!({"metadata": {"name": "db"},
            "spec": {"selector": {"app": "db"}, "ports": [{"port": 1}]}}));
        world.settle();
        assert_eq!(slices(&world).len(), 1);
        world.edit::<Service>("db", |s| s.spec.as_mut().unwrap().selector = None);
        world.settle();
        let mut managers: Vec<_> = slices(&world).into_iter().map(|(manager, _)| manager).collect();
        managers.sort();
        assert_eq!(managers, ["endpointslice-controller.k8s.io", MANAGER]);
    }

    #[test]
    fn ports_are_in_the_order_of_their_hashes() {
        let port = |name: &str, number| EndpointPort {
            name: Some(name.to_owned()),
            port: Some(number),
            protocol: Some("TCP".to_owned()),
            app_protocol: None,
        };
        let text = "(v1.EndpointPort){Name:(*string)http Protocol:(*v1.Protocol)TCP Port:(*int32)80 AppProtocol:(*string)<nil>}";
        let (offset, prime) = (0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, (1_u128 << 88) + 0x13b);
        let fnv_1a = text.bytes().fold(offset, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(prime));
        assert_eq!(hash(&port("http", 80)), fnv_1a);
    }
}
