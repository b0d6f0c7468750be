//! One sync of a Service (`k8s.io/endpointslice/reconciler.go`).
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::endpoint::{endpoint_ports, has_address, pod_to_endpoint};
use super::hints::Distribution;
use super::{EndpointSliceController, HEADLESS, MANAGED_BY, MANAGER, Placed, SERVICE_NAME, ServiceState, TRIGGER_TIME};
use crate::api::ApiServer;
use crate::api::kinds::service::{cluster_ip, is_headless, type_of};
use crate::api::label_selector::{self, Labels};
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::controllers::controller_utils::{Key, controller_reference, node_name};

/// Endpoints to be added, with their pods' names, by the ports they share.
type Additions = BTreeMap<String, (Vec<EndpointPort>, Vec<(String, Endpoint)>)>;

/// How many endpoints a slice holds at most (`--max-endpoints-per-slice`).
const MAX_ENDPOINTS: usize = 100;

impl EndpointSliceController {
    /// `syncService`.
    pub(super) fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Status> {
        let Some(service) = api.get::<Service>(&key.0, &key.1).cloned() else { return Ok(()) };
        let Some(spec) = service.spec.as_ref() else { return Ok(()) };
        let Some(selector) = spec.selector.as_ref().filter(|s| !s.is_empty()) else { return Ok(()) };
        if type_of(spec) == "ExternalName" {
            return Ok(());
        }
        let mut state = self.services.remove(key).unwrap_or_default();
        let same_service = state.service.as_ref().is_some_and(|known| {
            known.uid() == service.uid()
                && known.spec == service.spec
                && known.metadata.labels == service.metadata.labels
        });
        if !same_service || state.disturbed {
            state.begin_anew(api, &service, selector);
        }
        let result = Sync { api, service: &service, selector, state: &mut state }.run(!same_service);
        if result.is_err() {
            state.disturbed = true;
        }
        state.service = Some(service);
        self.services.insert(key.clone(), state);
        result
    }
}

impl ServiceState {
    /// Takes the slices as they are stored and looks at all pods.
    fn begin_anew(&mut self, api: &ApiServer, service: &Service, selector: &Labels) {
        self.disturbed = false;
        self.placed.clear();
        let of_service = |slice: &&Arc<EndpointSlice>| {
            slice.label(SERVICE_NAME) == Some(service.name())
                && slice.label(MANAGED_BY) == Some(MANAGER)
                && !slice.is_terminating()
                && slice.controller().is_some_and(|c| c.uid == service.uid())
        };
        let slices = api.store().list_in::<EndpointSlice>(service.namespace()).filter(of_service);
        self.slices = slices.map(|s| (s.name().to_owned(), s.clone())).collect();
        for (name, slice) in &self.slices {
            let ports = slice.ports.clone().unwrap_or_default();
            for endpoint in slice.endpoints.iter().flatten() {
                let pod = endpoint.target_ref.as_ref().and_then(|t| t.name.clone()).unwrap_or_default();
                self.touched.insert(pod.clone());
                let placed =
                    Placed { ports_key: key_of_ports(&ports), endpoint: endpoint.clone(), slice: name.clone() };
                self.placed.insert(pod, placed);
            }
        }
        let pods = api.store().list_in::<Pod>(service.namespace());
        let selected = pods.filter(|p| label_selector::matches_map(Some(selector), p.metadata.labels.as_ref()));
        self.touched.extend(selected.map(|p| p.name().to_owned()));
    }

    /// The time to write into changed slices: the earliest readiness change that was not seen before, for a new Service
    /// its creation (`ComputeEndpointLastChangeTriggerTime`).
    fn trigger_time(&mut self, service: &Service, pods: &BTreeMap<String, Option<Arc<Pod>>>) -> Option<Timestamp> {
        let mut earliest: Option<Timestamp> = None;
        for (name, pod) in pods {
            let conditions = pod.as_ref().and_then(|p| p.status.as_ref()).and_then(|s| s.conditions.as_ref());
            let ready = conditions.into_iter().flatten().find(|c| c.type_ == "Ready");
            match ready.and_then(|c| c.last_transition_time.as_ref()).map(|t| t.0) {
                None => {
                    self.pod_trigger_times.remove(name);
                }
                Some(time) => {
                    let before = self.pod_trigger_times.insert(name.clone(), time);
                    if before.is_none_or(|b| time > b) {
                        earliest = Some(earliest.map_or(time, |e| e.min(time)));
                    }
                }
            }
        }
        let created = service.metadata.creation_timestamp.as_ref().map(|t| t.0);
        match &self.service {
            Some(known) if known.uid() == service.uid() => earliest,
            Some(_) => earliest.into_iter().chain(created).min(),
            None => created,
        }
    }
}

fn key_of_ports(ports: &[EndpointPort]) -> String {
    serde_json::to_string(ports).unwrap_or_default()
}

/// Whether two endpoints are the same one, perhaps with other conditions (`hashEndpoint`).
fn same_identity(a: &Endpoint, b: &Endpoint) -> bool {
    let name = |e: &Endpoint| e.target_ref.as_ref().and_then(|t| t.name.clone());
    a.addresses == b.addresses && a.hostname == b.hostname && name(a) == name(b)
}

struct Sync<'a> {
    api: &'a mut ApiServer,
    service: &'a Arc<Service>,
    selector: &'a Labels,
    state: &'a mut ServiceState,
}

/// What a sync wants to write.
#[derive(Default)]
struct Plan {
    create: Vec<EndpointSlice>,
    update: BTreeMap<String, EndpointSlice>,
    delete: BTreeSet<String>,
}

impl Sync<'_> {
    fn run(&mut self, service_changed: bool) -> Result<(), Status> {
        let touched = std::mem::take(&mut self.state.touched);
        let pods: BTreeMap<String, Option<Arc<Pod>>> = touched
            .into_iter()
            .map(|name| {
                let pod = self.api.get::<Pod>(self.service.namespace(), &name).cloned();
                let selected =
                    |p: &Arc<Pod>| label_selector::matches_map(Some(self.selector), p.metadata.labels.as_ref());
                (name, pod.filter(selected))
            })
            .collect();
        let trigger_time = self.state.trigger_time(self.service, &pods);
        let mut plan = Plan::default();
        let mut adds: Additions = BTreeMap::new();
        for (name, pod) in &pods {
            self.place(name, pod.as_ref(), &mut plan, &mut adds);
        }
        if service_changed {
            self.relabel(&mut plan);
        }
        for (ports_key, (ports, endpoints)) in adds {
            self.add(&ports_key, &ports, endpoints, &mut plan);
        }
        self.delete_empty(&mut plan);
        self.set_hints(&mut plan);
        self.finalize(plan, trigger_time)
    }

    /// What a pod's endpoint should be now, if it has one, and its ports.
    fn desired(&self, pod: &Pod) -> Option<(Vec<EndpointPort>, Endpoint)> {
        if !has_address(pod) {
            return None;
        }
        let node = self.api.get::<Node>("", node_name(pod));
        let publish = self.service.spec.as_ref().is_some_and(|s| s.publish_not_ready_addresses == Some(true));
        if node.is_none() && !publish {
            return None;
        }
        let endpoint = pod_to_endpoint(pod, node.map(Arc::as_ref), self.service);
        (!endpoint.addresses.is_empty()).then(|| (endpoint_ports(self.service, pod), endpoint))
    }

    /// Updates a pod's endpoint where it is, takes it out, or notes that it is to be added.
    fn place(&mut self, name: &str, pod: Option<&Arc<Pod>>, plan: &mut Plan, adds: &mut Additions) {
        let desired = pod.and_then(|p| self.desired(p)).map(|(ports, e)| (key_of_ports(&ports), ports, e));
        if let Some(placed) = self.state.placed.get(name).cloned() {
            if let Some((key, _, endpoint)) = &desired
                && *key == placed.ports_key
                && same_identity(endpoint, &placed.endpoint)
            {
                let endpoint = &Endpoint { hints: placed.endpoint.hints.clone(), ..endpoint.clone() };
                if *endpoint != placed.endpoint {
                    let slice = self.edit(&placed.slice, plan);
                    for slot in slice.endpoints.iter_mut().flatten().filter(|e| same_identity(e, endpoint)) {
                        slot.clone_from(endpoint);
                    }
                    self.state.placed.insert(name.to_owned(), Placed { endpoint: endpoint.clone(), ..placed });
                }
                return;
            }
            let slice = self.edit(&placed.slice, plan);
            slice.endpoints.iter_mut().for_each(|all| all.retain(|e| !same_identity(e, &placed.endpoint)));
            self.state.placed.remove(name);
        }
        if let Some((key, ports, endpoint)) = desired {
            let (_, list) = adds.entry(key).or_insert_with(|| (ports, Vec::new()));
            list.push((name.to_owned(), endpoint));
        }
    }

    /// A slice to be changed.
    fn edit<'p>(&self, name: &str, plan: &'p mut Plan) -> &'p mut EndpointSlice {
        plan.update.entry(name.to_owned()).or_insert_with(|| {
            let stored = self.state.slices.get(name).map(|s| EndpointSlice::clone(s)).unwrap_or_default();
            let labels = self.labels();
            EndpointSlice { metadata: ObjectMeta { labels: Some(labels), ..stored.metadata.clone() }, ..stored }
        })
    }

    /// The Service's labels and those every slice has (`setEndpointSliceLabels`).
    fn labels(&self) -> Labels {
        let mut labels = self.service.metadata.labels.clone().unwrap_or_default();
        labels.remove(HEADLESS);
        if let Some(spec) = self.service.spec.as_ref()
            && (is_headless(spec) || cluster_ip(spec).is_empty())
        {
            labels.insert(HEADLESS.to_owned(), String::new());
        }
        labels.insert(SERVICE_NAME.to_owned(), self.service.name().to_owned());
        labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
        labels
    }

    /// Slices that do not carry the Service's own labels.
    fn relabel(&self, plan: &mut Plan) {
        let own = |labels: Option<&Labels>| {
            let reserved = [SERVICE_NAME, MANAGED_BY, HEADLESS];
            let mut labels = labels.cloned().unwrap_or_default();
            labels.retain(|key, _| !reserved.contains(&key.as_str()));
            labels
        };
        let wanted = own(self.service.metadata.labels.as_ref());
        for (name, slice) in &self.state.slices {
            if own(slice.metadata.labels.as_ref()) != wanted {
                self.edit(name, plan);
            }
        }
    }

    /// Adds endpoints of the same ports: to slices that change anyway, fullest first; then to the one slice they fill
    /// best; then to new slices (`reconcileByPortMapping`).
    fn add(&mut self, ports_key: &str, ports: &[EndpointPort], endpoints: Vec<(String, Endpoint)>, plan: &mut Plan) {
        let mut endpoints = endpoints.into_iter().peekable();
        let has_ports = |slice: &EndpointSlice| key_of_ports(slice.ports.as_deref().unwrap_or_default()) == ports_key;
        let mut changing: Vec<(usize, String)> = plan
            .update
            .iter()
            .filter(|(_, s)| has_ports(s) && count(s) > 0)
            .map(|(name, s)| (count(s), name.clone()))
            .collect();
        changing.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, name) in changing {
            self.fill(&name, ports_key, &mut endpoints, plan);
        }
        while endpoints.peek().is_some() {
            let left = endpoints.len();
            let unchanged = self.state.slices.iter().filter(|(n, s)| !plan.update.contains_key(*n) && has_ports(s));
            let best = unchanged
                .filter(|(_, s)| left < MAX_ENDPOINTS && left + count(s) <= MAX_ENDPOINTS)
                .max_by_key(|(n, s)| (count(s), std::cmp::Reverse((*n).clone())))
                .map(|(n, _)| n.clone());
            match best {
                Some(name) => self.fill(&name, ports_key, &mut endpoints, plan),
                None => {
                    let mut slice = self.new_slice(ports);
                    slice.endpoints = Some(endpoints.by_ref().take(MAX_ENDPOINTS).map(|(_, e)| e).collect());
                    plan.create.push(slice);
                }
            }
        }
    }

    /// Adds endpoints to a slice as long as it has room.
    fn fill(
        &mut self,
        name: &str,
        ports_key: &str,
        endpoints: &mut impl Iterator<Item = (String, Endpoint)>,
        plan: &mut Plan,
    ) {
        let room = MAX_ENDPOINTS.saturating_sub(count(self.edit(name, plan)));
        for (pod, endpoint) in endpoints.take(room) {
            self.edit(name, plan).endpoints.get_or_insert_default().push(endpoint.clone());
            let placed = Placed { ports_key: ports_key.to_owned(), endpoint, slice: name.to_owned() };
            self.state.placed.insert(pod, placed);
        }
    }

    fn new_slice(&self, ports: &[EndpointPort]) -> EndpointSlice {
        EndpointSlice {
            metadata: ObjectMeta {
                generate_name: Some(format!("{}-", self.service.name())),
                namespace: self.service.metadata.namespace.clone(),
                labels: Some(self.labels()),
                owner_references: Some(vec![controller_reference(&**self.service)]),
                ..Default::default()
            },
            address_type: "IPv4".to_owned(),
            endpoints: None,
            ports: Some(ports.to_vec()).filter(|p| !p.is_empty()),
        }
    }

    /// Hints for the slices that are written, and for those that have wrong ones (`trafficdist.ReconcileHints`).
    fn set_hints(&self, plan: &mut Plan) {
        let distribution = Distribution::of(self.service);
        let unchanged = self.state.slices.iter().filter(|(name, _)| !plan.delete.contains(*name));
        let outdated: Vec<&String> =
            unchanged.filter(|(_, slice)| distribution.is_outdated(slice)).map(|(name, _)| name).collect();
        for name in outdated {
            self.edit(name, plan);
        }
        plan.create.iter_mut().chain(plan.update.values_mut()).for_each(|slice| distribution.update(slice));
    }

    /// Slices that have no endpoints any more go, except that one empty slice without ports stays when there would be
    /// none.
    fn delete_empty(&mut self, plan: &mut Plan) {
        for (name, slice) in &self.state.slices {
            if count(plan.update.get(name).unwrap_or(slice)) == 0 {
                plan.update.remove(name);
                plan.delete.insert(name.clone());
            }
        }
        if plan.create.is_empty() && plan.delete.len() == self.state.slices.len() {
            let is_placeholder = |slice: &EndpointSlice| {
                count(slice) == 0
                    && slice.ports.as_ref().is_none_or(Vec::is_empty)
                    && slice.metadata.labels.as_ref() == Some(&self.labels())
            };
            match plan.delete.iter().next().and_then(|n| self.state.slices.get(n)) {
                Some(only) if plan.delete.len() == 1 && is_placeholder(only) => plan.delete.clear(),
                _ => plan.create.push(self.new_slice(&[])),
            }
        }
    }

    /// Writes the plan. A slice to be created takes the place of one to be deleted (`finalize`).
    fn finalize(&mut self, mut plan: Plan, trigger_time: Option<Timestamp>) -> Result<(), Status> {
        while let (Some(name), false) = (plan.delete.first().cloned(), plan.create.is_empty()) {
            let Some(mut slice) = plan.create.pop() else { break };
            plan.delete.remove(&name);
            slice.metadata.name = Some(name.clone());
            plan.update.insert(name, slice);
        }
        let trigger_time = trigger_time.map(|t| t.to_string());
        let stamp = |slice: &mut EndpointSlice| match &trigger_time {
            Some(time) => {
                slice.set_annotation(TRIGGER_TIME, time);
            }
            None => slice.metadata.annotations.iter_mut().for_each(|a| {
                a.remove(TRIGGER_TIME);
            }),
        };
        if !self.service.is_terminating() {
            for mut slice in plan.create {
                stamp(&mut slice);
                let written = self.api.create(slice)?.object;
                self.written(written);
            }
        }
        for (_, mut slice) in plan.update {
            stamp(&mut slice);
            let written = self.api.update(slice)?.object;
            self.written(written);
        }
        for name in plan.delete {
            self.state.slices.remove(&name);
            let key = ObjectKey::new(Kind::EndpointSlice, self.service.namespace(), &name);
            match self.api.delete(&key, &DeleteOptions::default()) {
                Err(status) if status.reason != Reason::NotFound => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes note of what is in a slice now.
    fn written(&mut self, slice: Arc<EndpointSlice>) {
        let ports = slice.ports.clone().unwrap_or_default();
        let name = slice.name().to_owned();
        let unknown = |e: &&Endpoint| {
            let pod = e.target_ref.as_ref().and_then(|t| t.name.as_deref()).unwrap_or_default();
            self.state.placed.get(pod).is_none_or(|p| p.slice != name)
        };
        let new: Vec<Endpoint> = slice.endpoints.iter().flatten().filter(unknown).cloned().collect();
        for endpoint in new {
            let pod = endpoint.target_ref.as_ref().and_then(|t| t.name.clone()).unwrap_or_default();
            let placed = Placed { ports_key: key_of_ports(&ports), endpoint, slice: name.clone() };
            self.state.placed.insert(pod, placed);
        }
        self.state.slices.insert(name, slice);
    }
}

fn count(slice: &EndpointSlice) -> usize {
    slice.endpoints.as_ref().map_or(0, Vec::len)
}
