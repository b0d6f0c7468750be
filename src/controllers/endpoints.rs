//! Keeps the Endpoints of a Service with a selector, the older form of its EndpointSlices (`pkg/controller/endpoint`).
//!
//! Nothing but the mirroring of Endpoints without a selector reads them, so they are written when everything else has
//! come to rest, and without the time of the last change.
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{Key, RetryQueue, is_namespace_terminating, key_of};
use super::endpoint_slice::endpoint::{find_port, has_address, pod_to_endpoint};
use super::endpoint_slice::{HEADLESS, endpoint_changed};
use crate::api::kinds::endpoints::MANAGED_BY;
use crate::api::kinds::service::{cluster_ip, is_headless, type_of};
use crate::api::label_selector;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

/// How long a change waits for others.
const BATCH: SignedDuration = SignedDuration::from_millis(1);

/// The endpoints controller.
#[derive(Clone, Default)]
pub struct EndpointsController {
    queue: RetryQueue<Key>,
    now: Option<Timestamp>,
    changed: Vec<Key>,
}

impl Reconciler for EndpointsController {
    fn name(&self) -> &'static str {
        "endpoint-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<Service>() {
            self.changed.extend(new.or(old).map(|service| key_of(&**service)));
        } else if let Some((Some(old), None)) = change.of::<Endpoints>() {
            self.changed.push(key_of(&**old));
        } else if let Some((old, new)) = change.of::<Pod>() {
            let Some(pod) = new.or(old) else { return };
            if let (Some(old), Some(new)) = (old, new)
                && old.metadata.labels == new.metadata.labels
                && !endpoint_changed(old, new)
            {
                return;
            }
            for service in store.list_in::<Service>(pod.namespace()) {
                let selector = service.spec.as_ref().and_then(|s| s.selector.as_ref()).filter(|s| !s.is_empty());
                let selects = |pod: &Pod| label_selector::matches_map(selector, pod.metadata.labels.as_ref());
                if selector.is_some() && [old, new].into_iter().flatten().any(|pod| selects(pod)) {
                    self.changed.push(key_of(&**service));
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        self.now = Some(now);
        for key in std::mem::take(&mut self.changed) {
            self.queue.add_at(key, now + BATCH);
        }
        let Some(key) = self.queue.pop(now) else { return false };
        match sync(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, now),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// `syncService`.
fn sync(api: &mut ApiServer, key: &Key) -> Result<(), Status> {
    let Some(service) = api.get::<Service>(&key.0, &key.1).cloned() else {
        let key = ObjectKey::new(Kind::Endpoints, &key.0, &key.1);
        return match api.delete(&key, &DeleteOptions::default()) {
            Err(status) if status.reason != Reason::NotFound => Err(status),
            _ => Ok(()),
        };
    };
    let Some(spec) = service.spec.as_ref().filter(|s| type_of(s) != "ExternalName") else { return Ok(()) };
    let Some(selector) = spec.selector.as_ref().filter(|s| !s.is_empty()) else { return Ok(()) };
    let pods = api.store().list_in::<Pod>(&key.0);
    let pods = pods.filter(|p| label_selector::matches_map(Some(selector), p.metadata.labels.as_ref()));
    let subsets = pods.flat_map(|pod| subsets_of(&service, pod)).collect();
    let subsets = Some(repack_subsets(subsets)).filter(|s| !s.is_empty());

    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(spec) || cluster_ip(spec).is_empty() {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
    let current = api.get::<Endpoints>(&key.0, &key.1).cloned();
    let written = match current {
        Some(current) => {
            let metadata = ObjectMeta { labels: Some(labels), ..current.metadata.clone() };
            api.update(Endpoints { metadata, subsets })
        }
        None => {
            let metadata = ObjectMeta {
                name: Some(key.1.clone()),
                namespace: Some(key.0.clone()),
                labels: Some(labels),
                ..Default::default()
            };
            api.create(Endpoints { metadata, subsets })
        }
    };
    match written {
        Err(status) if !is_namespace_terminating(&status) => Err(status),
        _ => Ok(()),
    }
}

/// One subset for each port of a Service that a pod has (`podToEndpointAddressForService`, `addEndpointSubset`).
fn subsets_of(service: &Service, pod: &Pod) -> Vec<EndpointSubset> {
    if !has_address(pod) {
        return Vec::new();
    }
    let endpoint = pod_to_endpoint(pod, None, service);
    let Some(ip) = endpoint.addresses.first().cloned() else { return Vec::new() };
    let conditions = endpoint.conditions.unwrap_or_default();
    let publish = service.spec.as_ref().is_some_and(|s| s.publish_not_ready_addresses == Some(true));
    if conditions.terminating == Some(true) && !publish {
        return Vec::new();
    }
    let address = EndpointAddress {
        ip,
        hostname: endpoint.hostname,
        node_name: endpoint.node_name,
        target_ref: endpoint.target_ref,
    };
    let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
    let ready = publish || conditions.serving == Some(true);
    let subset = |port: Option<EndpointPort>| {
        let (addresses, not_ready) =
            if ready { (Some(vec![address.clone()]), None) } else { (None, Some(vec![address.clone()])) };
        EndpointSubset { addresses, not_ready_addresses: not_ready, ports: port.map(|p| vec![p]) }
    };
    if ports.is_empty() && service.spec.as_ref().is_some_and(is_headless) {
        return vec![subset(None)];
    }
    let found = ports.iter().filter_map(|port| {
        Some(EndpointPort {
            name: port.name.clone(),
            port: find_port(pod, port)?,
            protocol: port.protocol.clone(),
            app_protocol: port.app_protocol.clone(),
        })
    });
    found.map(|port| subset(Some(port))).collect()
}

/// An address of a subset as text, by which addresses are told apart and sorted (`addressKey`, `LessEndpointAddress`).
type AddressKey = (String, String);

/// Addresses that offer the same ports in one subset, each once; one that is listed as ready and as not ready is not
/// (`RepackSubsets`).
pub(super) fn repack_subsets(subsets: Vec<EndpointSubset>) -> Vec<EndpointSubset> {
    let mut addresses: BTreeMap<AddressKey, EndpointAddress> = BTreeMap::new();
    let mut by_port: BTreeMap<String, (Option<EndpointPort>, BTreeMap<AddressKey, bool>)> = BTreeMap::new();
    for subset in subsets {
        let ports: Vec<Option<EndpointPort>> = match subset.ports {
            Some(ports) if !ports.is_empty() => ports.into_iter().map(Some).collect(),
            _ => vec![None],
        };
        for (all, ready) in [(subset.addresses, true), (subset.not_ready_addresses, false)] {
            for address in all.into_iter().flatten() {
                let uid = address.target_ref.as_ref().and_then(|t| t.uid.clone()).unwrap_or_default();
                let key = (address.ip.clone(), uid);
                for port in &ports {
                    let text = serde_json::to_string(port).unwrap_or_default();
                    let (_, offered) = by_port.entry(text).or_insert_with(|| (port.clone(), BTreeMap::new()));
                    *offered.entry(key.clone()).or_insert(true) &= ready;
                }
                addresses.entry(key).or_insert(address);
            }
        }
    }
    let mut by_addresses: BTreeMap<Vec<(AddressKey, bool)>, Vec<EndpointPort>> = BTreeMap::new();
    for (port, offered) in by_port.into_values() {
        by_addresses.entry(offered.into_iter().collect()).or_default().extend(port);
    }
    let of = |keys: &[(AddressKey, bool)], wanted: bool| {
        let found =
            keys.iter().filter(|(_, ready)| *ready == wanted).filter_map(|(key, _)| addresses.get(key).cloned());
        Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty())
    };
    let subset = |(keys, ports): (Vec<(AddressKey, bool)>, Vec<EndpointPort>)| EndpointSubset {
        addresses: of(&keys, true),
        not_ready_addresses: of(&keys, false),
        ports: Some(ports).filter(|p| !p.is_empty()),
    };
    by_addresses.into_iter().map(subset).collect()
}
