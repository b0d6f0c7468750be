//! Lists the addresses behind every Service (`pkg/controller/endpointslice`, `k8s.io/endpointslice`).
//!
//! A real sync compares all pods of a Service with all its slices. Here each Service's state says which pods something
//! happened to since the last sync; only when the Service or a slice was changed are all looked at.
pub(super) mod endpoint;
mod hints;
mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::{Key, RetryQueue, is_pod_ready, key_of};
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::{Change, Store};
use crate::reconcile::{Context, Reconciler};

const SOURCE: &str = "endpoint-slice-controller";
/// Who manages a slice, and the label that says so.
const MANAGER: &str = "endpointslice-controller.k8s.io";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// The label with a slice's Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const HEADLESS: &str = "service.kubernetes.io/headless";
/// When what a slice tells had changed.
pub(super) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The EndpointSlice controller.
#[derive(Clone, Default)]
pub struct EndpointSliceController {
    queue: RetryQueue<Key>,
    services: BTreeMap<Key, ServiceState>,
}

/// A pod's place among the endpoints of a Service.
#[derive(Clone, Debug)]
struct Placed {
    /// The ports as text: endpoints with the same ports share slices.
    ports_key: String,
    endpoint: Endpoint,
    /// The slice it is in.
    slice: String,
}

/// What is known of a Service between two syncs.
#[derive(Clone, Debug, Default)]
struct ServiceState {
    /// The Service at the last sync; another one means that everything is looked at.
    service: Option<Arc<Service>>,
    /// A slice was changed by somebody else.
    disturbed: bool,
    /// Pods something happened to since the last sync, by name.
    touched: BTreeSet<String>,
    placed: BTreeMap<String, Placed>,
    /// The slices as this controller wrote them.
    slices: BTreeMap<String, Arc<EndpointSlice>>,
    /// When the pods' readiness last changed, as of the last sync (`TriggerTimeTracker`).
    pod_trigger_times: BTreeMap<String, Timestamp>,
}

impl Reconciler for EndpointSliceController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<Service>() {
            let Some(service) = new.or(old) else { return };
            let key = key_of(&**service);
            if new.is_none() {
                self.services.remove(&key);
            }
            self.queue.add(key);
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.observe_pod(old, new, store);
        } else if let Some((old, new)) = change.of::<EndpointSlice>() {
            self.observe_slice(old, new);
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(key) = self.queue.pop(context.api.now()) else { return false };
        match self.sync(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, context.api.now()),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

impl EndpointSliceController {
    /// Queues the Services that select a pod when something changed that endpoints tell
    /// (`GetPodUpdateProjectionKey`, `GetServicesToUpdate`).
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        let Some(pod) = new.or(old) else { return };
        let (changed, relabelled) = match (old, new) {
            (Some(old), Some(new)) => (endpoint_changed(old, new), old.metadata.labels != new.metadata.labels),
            _ => (true, false),
        };
        for service in store.list_in::<Service>(pod.namespace()) {
            let selector = service.spec.as_ref().and_then(|s| s.selector.as_ref()).filter(|s| !s.is_empty());
            let Some(selector) = selector else { continue };
            let selects = |pod: &Pod| label_selector::matches_map(Some(selector), pod.metadata.labels.as_ref());
            let (before, after) = (old.is_some_and(|p| selects(p)), new.is_some_and(|p| selects(p)));
            if !before && !after {
                continue;
            }
            let key = key_of(&**service);
            self.services.entry(key.clone()).or_default().touched.insert(pod.name().to_owned());
            if changed || relabelled && before != after {
                self.queue.add(key);
            }
        }
    }

    fn observe_slice(&mut self, old: Option<&Arc<EndpointSlice>>, new: Option<&Arc<EndpointSlice>>) {
        for slice in [old, new].into_iter().flatten().filter(|s| s.label(MANAGED_BY) == Some(MANAGER)) {
            let Some(service) = slice.label(SERVICE_NAME) else { continue };
            let key = (slice.namespace().to_owned(), service.to_owned());
            let Some(state) = self.services.get_mut(&key) else { continue };
            let expected = state.slices.get(slice.name());
            let as_written = match new {
                // an older write of ours may still be in the log
                Some(new) => {
                    expected.is_some_and(|e| Arc::ptr_eq(e, new) || new.metadata.generation < e.metadata.generation)
                }
                None => expected.is_none(),
            };
            if !as_written {
                state.disturbed = true;
                self.queue.add(key);
            }
        }
    }
}

/// Whether a change of a pod can change its endpoints (`podEndpointsChanged`).
pub(super) fn endpoint_changed(old: &Pod, new: &Pod) -> bool {
    let ips = |pod: &Pod| pod.status.as_ref().and_then(|s| s.pod_ips.clone()).unwrap_or_default();
    let identity = |pod: &Pod| pod.spec.as_ref().map(|s| (s.hostname.clone(), s.subdomain.clone()));
    old.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        || is_pod_ready(old) != is_pod_ready(new)
        || ips(old) != ips(new)
        || identity(old) != identity(new)
        || super::controller_utils::is_pod_terminal(old) != super::controller_utils::is_pod_terminal(new)
}
