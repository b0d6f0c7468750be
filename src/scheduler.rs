//! kube-scheduler: which node a pod goes to, and why to none.
pub mod cache;
pub mod default_preemption;
pub mod framework;
pub mod inter_pod_affinity;
pub mod node_affinity;
pub mod node_info;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod pod_topology_spread;
pub mod queue;
pub mod resource;
pub mod schedule_one;
pub mod taint_toleration;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod, PodCondition};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::pod_condition::set_condition;
use crate::api::{ApiObject, ApiServer, Change, Kind, Store};
use crate::reconcile::{Context, Reconciler};
use cache::Cache;
use framework::{ClusterEvent, Cycle};
use node_info::{PodInfo, PodKey, is_terminal, key_of, node_name, nominated_node, priority, spec_of};
use queue::{SchedulingQueue, Waiting};
use schedule_one::{Failure, PLUGINS, schedule};
use volume_binding::PodVolumes;

/// The scheduler's name in events and in `schedulerName`.
pub const NAME: &str = "default-scheduler";

/// How long the scheduler waits for volumes to be bound (`bindTimeoutSeconds`).
const BIND_TIMEOUT: SignedDuration = SignedDuration::from_secs(600);

/// The scheduler as reconcilers.
pub fn all() -> Vec<Box<dyn Reconciler>> {
    vec![Box::new(Scheduler::default())]
}

/// A pod with a node, waiting until its volumes are bound.
#[derive(Clone, Debug)]
struct Binding {
    pod: Arc<Pod>,
    node: String,
    volumes: PodVolumes,
    deadline: Timestamp,
}

/// kube-scheduler with its default profile.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    cache: Cache,
    queue: SchedulingQueue,
    /// Pods that were promised room on a node.
    nominated: BTreeMap<PodKey, (String, PodInfo)>,
    bindings: BTreeMap<PodKey, Binding>,
    /// Bindings whose volumes changed.
    to_check: BTreeSet<PodKey>,
    bindings_by_claim: BTreeMap<PodKey, BTreeSet<PodKey>>,
    bindings_by_volume: BTreeMap<String, BTreeSet<PodKey>>,
}

impl Reconciler for Scheduler {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        match change.kind() {
            Kind::Pod => {
                if let Some((old, new)) = change.of::<Pod>() {
                    self.observe_pod(old, new, store);
                }
            }
            Kind::Node => {
                if let Some((old, new)) = change.of::<Node>() {
                    self.observe_node(old, new, store);
                }
            }
            Kind::PersistentVolumeClaim => {
                if let Some((old, new)) = change.of::<PersistentVolumeClaim>() {
                    self.observe_claim(old, new, store);
                }
            }
            Kind::PersistentVolume => {
                if let Some((old, new)) = change.of::<PersistentVolume>() {
                    self.observe_volume(old, new, store);
                }
            }
            Kind::StorageClass => {
                if let Some((old, Some(new))) = change.of::<StorageClass>() {
                    let event = ClusterEvent::StorageClass { old, new };
                    self.requeue(&["VolumeBinding", "VolumeZone"], &event, store);
                }
            }
            _ => {}
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let api = &mut *context.api;
        let now = api.now();
        let mut worked = false;
        let late = self.bindings.iter().filter(|(_, b)| b.deadline <= now).map(|(k, _)| k.clone());
        self.to_check.extend(late.collect::<Vec<_>>());
        while let Some(key) = self.to_check.pop_first() {
            worked |= self.check_binding(api, &key);
        }
        for key in self.queue.due(now) {
            if let Some(pod) = api.get::<Pod>(&key.0, &key.1) {
                self.queue.activate(pod);
            }
        }
        // all of them before anybody else acts: the scheduler decides in memory, faster than others reach the API
        while let Some(key) = self.queue.pop() {
            worked = true;
            self.schedule_one(api, &key);
        }
        worked
    }

    fn next_timer(&self) -> Option<Timestamp> {
        let deadline = self.bindings.values().map(|b| b.deadline).min();
        self.queue.next_timer().into_iter().chain(deadline).min()
    }
}

/// Events: what `pkg/scheduler/eventhandlers.go` does with them.
impl Scheduler {
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        // the scheduler does not watch pods that are over: becoming so is like being deleted
        let (old, new) = (old.filter(|p| !is_terminal(p)), new.filter(|p| !is_terminal(p)));
        match (old, new) {
            (None, Some(new)) if !node_name(new).is_empty() => self.pod_assigned(new, store),
            (None, Some(new)) => self.pod_unassigned(new),
            (Some(old), Some(new)) if !node_name(old).is_empty() => {
                self.cache.place(new.clone());
                if old.metadata.labels != new.metadata.labels {
                    let event = ClusterEvent::PodUpdate { old, new };
                    self.requeue(&["PodTopologySpread", "InterPodAffinity"], &event, store);
                }
            }
            (Some(old), Some(new)) if !node_name(new).is_empty() => {
                self.forget_pod(old);
                self.pod_assigned(new, store);
            }
            (Some(old), Some(new)) => self.waiting_pod_changed(old, new, store),
            (Some(old), None) => {
                let key = key_of(old);
                let was_placed = !node_name(old).is_empty() || self.bindings.contains_key(&key);
                let was_nominated = !nominated_node(old).is_empty();
                self.forget_pod(old);
                self.cache.remove(&key);
                if was_placed || was_nominated {
                    self.pod_left(old, store);
                }
            }
            (None, None) => {}
        }
    }

    fn pod_assigned(&mut self, pod: &Arc<Pod>, store: &Store) {
        self.cache.place(pod.clone());
        let event = ClusterEvent::AssignedPodAdd(pod);
        self.requeue(&["PodTopologySpread", "InterPodAffinity"], &event, store);
    }

    fn pod_left(&mut self, pod: &Arc<Pod>, store: &Store) {
        let event = ClusterEvent::AssignedPodDelete(pod);
        let plugins = [
            "NodePorts",
            "NodeResourcesFit",
            "VolumeRestrictions",
            "NodeVolumeLimits",
            "PodTopologySpread",
            "InterPodAffinity",
        ];
        self.requeue(&plugins, &event, store);
    }

    fn pod_unassigned(&mut self, pod: &Arc<Pod>) {
        let responsible = spec_of(pod).scheduler_name.as_deref().unwrap_or(NAME) == NAME;
        let gated = spec_of(pod).scheduling_gates.as_ref().is_some_and(|g| !g.is_empty());
        if responsible && !gated {
            self.queue.activate(pod);
        }
    }

    fn waiting_pod_changed(&mut self, old: &Arc<Pod>, new: &Arc<Pod>, store: &Store) {
        let key = key_of(new);
        if self.bindings.contains_key(&key) {
            if new.is_terminating() && !old.is_terminating() {
                self.forget_pod(old);
                self.cache.remove(&key);
                self.pod_left(old, store);
            }
            return;
        }
        if nominated_node(new).is_empty() {
            self.nominated.remove(&key);
        }
        if !self.queue.contains(&key) {
            self.pod_unassigned(new);
        } else if let Some(waiting) = self.queue.waiting(&key) {
            let event = ClusterEvent::PodUpdate { old, new };
            let changed = old.metadata.labels != new.metadata.labels || spec_of(old) != spec_of(new);
            let plugins = waiting.plugins.clone();
            if changed && PLUGINS.iter().any(|p| plugins.contains(p.name()) && p.may_help(new, &event, store)) {
                self.queue.activate(new);
            }
        }
    }

    fn forget_pod(&mut self, pod: &Pod) {
        let key = key_of(pod);
        self.queue.delete(pod);
        self.nominated.remove(&key);
        self.remove_binding(&key);
    }

    fn observe_node(&mut self, old: Option<&Arc<Node>>, new: Option<&Arc<Node>>, store: &Store) {
        match new {
            Some(new) => self.cache.set_node(new.clone()),
            None => self.cache.remove_node(old.map_or("", |n| n.name())),
        }
        let matters = match (old, new) {
            (Some(old), Some(new)) => {
                let allocatable = |n: &Node| n.status.as_ref().and_then(|s| s.allocatable.clone());
                old.metadata.labels != new.metadata.labels
                    || old.spec != new.spec
                    || allocatable(old) != allocatable(new)
            }
            _ => true,
        };
        if matters {
            let names: Vec<&'static str> = PLUGINS.iter().map(|p| p.name()).collect();
            self.requeue(&names, &ClusterEvent::Node { old, new }, store);
        }
    }

    fn observe_claim(
        &mut self,
        old: Option<&Arc<PersistentVolumeClaim>>,
        new: Option<&Arc<PersistentVolumeClaim>>,
        store: &Store,
    ) {
        let Some(claim) = new.or(old) else { return };
        let key = (claim.namespace().to_owned(), claim.name().to_owned());
        self.to_check.extend(self.bindings_by_claim.get(&key).into_iter().flatten().cloned());
        let users = self.queue.users_of(claim.namespace(), claim.name());
        for user in &users {
            self.queue.note_claim_change(user);
        }
        // nobody sees the last moment of a claim that loses its last finalizer: watchers get the deletion only
        if let Some(new) = new.filter(|c| !(c.is_terminating() && c.metadata.finalizers.is_none())) {
            let event = ClusterEvent::Claim { old, new };
            self.requeue_if_helped(users, &event, store);
        }
    }

    fn observe_volume(
        &mut self,
        old: Option<&Arc<PersistentVolume>>,
        new: Option<&Arc<PersistentVolume>>,
        store: &Store,
    ) {
        self.cache.set_volume(old, new);
        let Some(volume) = new.or(old) else { return };
        self.to_check.extend(self.bindings_by_volume.get(volume.name()).into_iter().flatten().cloned());
        let Some(new) = new.filter(|v| !(v.is_terminating() && v.metadata.finalizers.is_none())) else { return };
        let event = ClusterEvent::Volume { old, new };
        // a pod that was rejected because of its claims is rejected again unless one of them changed
        let pods = self.queue.rejected_by("VolumeBinding");
        let changed = |key: &&PodKey| self.queue.waiting(key).is_some_and(|w| !w.by_pre_filter || w.claims_changed);
        let pods: Vec<PodKey> = pods.filter(changed).cloned().collect();
        self.requeue_if_helped(pods, &event, store);
        self.requeue(&["VolumeZone"], &event, store);
    }

    /// Moves pods to the active queue that one of these plugins rejected and that the event may help.
    fn requeue(&mut self, plugins: &[&'static str], event: &ClusterEvent<'_>, store: &Store) {
        let pods: BTreeSet<PodKey> = plugins.iter().flat_map(|p| self.queue.rejected_by(p)).cloned().collect();
        self.requeue_if_helped(pods, event, store);
    }

    fn requeue_if_helped(&mut self, pods: impl IntoIterator<Item = PodKey>, event: &ClusterEvent<'_>, store: &Store) {
        for key in pods {
            let (Some(waiting), Some(pod)) = (self.queue.waiting(&key), store.get::<Pod>(&key.0, &key.1)) else {
                continue;
            };
            let concerned = PLUGINS.iter().filter(|p| waiting.plugins.contains(p.name()));
            if concerned.into_iter().any(|p| p.may_help(pod, event, store)) {
                self.queue.activate(pod);
            }
        }
    }
}

/// Scheduling and binding.
impl Scheduler {
    fn schedule_one(&mut self, api: &mut ApiServer, key: &PodKey) {
        let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned() else { return };
        if !node_name(&pod).is_empty() || is_terminal(&pod) || self.bindings.contains_key(key) {
            return;
        }
        if pod.is_terminating() {
            let message = format!("skip schedule deleting pod: {}/{}", key.0, key.1);
            api.event(NAME, &pod, EventType::Warning, "FailedScheduling", message);
            return;
        }
        let info = PodInfo::new(pod.clone());
        let cycle = Cycle { pod: &info, store: api.store(), cache: &self.cache };
        let promised = |node: &str| -> Vec<PodInfo> {
            self.nominated.values().filter(|(n, _)| n == node).map(|(_, p)| p.clone()).collect()
        };
        let found = schedule(cycle, &promised).and_then(|(node, state)| {
            let node = self.cache.node(&node).ok_or_else(|| Failure::error(format!("node \"{node}\" not found")))?;
            let volumes = volume_binding::find_pod_volumes(cycle, &state.volume_binding, node);
            let volumes = volumes.map_err(|rejection| Failure::error(rejection.message()))?;
            Ok((node.name().to_owned(), volumes))
        });
        match found {
            Ok((node, volumes)) => self.bind_volumes(api, pod, node, volumes),
            Err(failure) => self.fail(api, &pod, *failure),
        }
    }

    /// Reserves volumes for a pod that has a node, and binds it once they are bound.
    fn bind_volumes(&mut self, api: &mut ApiServer, pod: Arc<Pod>, node: String, volumes: PodVolumes) {
        let key = key_of(&pod);
        self.nominated.remove(&key);
        if volumes.is_empty() {
            return self.bind(api, &pod, &node);
        }
        let mut assumed = Pod::clone(&pod);
        assumed.spec.get_or_insert_default().node_name = Some(node.clone());
        self.cache.place(Arc::new(assumed));
        // tells others, e.g. an autoscaler, that the pod is about to be bound
        set_nomination(api, &pod, &node);
        if let Err(status) = volume_binding::bind_api_update(api, &node, &volumes) {
            self.cache.remove(&key);
            return self.fail(
                api,
                &pod,
                *Failure::error(format!("running PreBind plugin \"VolumeBinding\": {status}")),
            );
        }
        for (volume, claim) in &volumes.matched {
            self.bindings_by_volume.entry(volume.name().to_owned()).or_default().insert(key.clone());
            let claim = (claim.namespace().to_owned(), claim.name().to_owned());
            self.bindings_by_claim.entry(claim).or_default().insert(key.clone());
        }
        for claim in &volumes.provision {
            let claim = (claim.namespace().to_owned(), claim.name().to_owned());
            self.bindings_by_claim.entry(claim).or_default().insert(key.clone());
        }
        let deadline = api.now() + BIND_TIMEOUT;
        self.bindings.insert(key.clone(), Binding { pod, node, volumes, deadline });
        self.to_check.insert(key);
    }

    fn remove_binding(&mut self, key: &PodKey) -> Option<Binding> {
        let binding = self.bindings.remove(key)?;
        self.to_check.remove(key);
        let claims = binding.volumes.matched.iter().map(|(_, c)| c).chain(&binding.volumes.provision);
        for claim in claims {
            let claim = (claim.namespace().to_owned(), claim.name().to_owned());
            if let Some(pods) = self.bindings_by_claim.get_mut(&claim) {
                pods.remove(key);
            }
        }
        for (volume, _) in &binding.volumes.matched {
            if let Some(pods) = self.bindings_by_volume.get_mut(volume.name()) {
                pods.remove(key);
            }
        }
        Some(binding)
    }

    fn check_binding(&mut self, api: &mut ApiServer, key: &PodKey) -> bool {
        let Some(binding) = self.bindings.get(key) else { return false };
        let bound = match self.cache.node(&binding.node) {
            None => Err(format!("failed to get node \"{0}\": node \"{0}\" not found", binding.node)),
            Some(node) => volume_binding::check_bindings(api.store(), node, &binding.volumes),
        };
        let bound = match bound {
            Ok(false) if binding.deadline <= api.now() => Err("context deadline exceeded".to_owned()),
            other => other,
        };
        if bound == Ok(false) {
            return false;
        }
        let Some(binding) = self.remove_binding(key) else { return false };
        match bound {
            Ok(_) => self.bind(api, &binding.pod, &binding.node),
            Err(why) => {
                self.cache.remove(key);
                self.pod_left(&binding.pod, api.store());
                let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
                self.fail(api, &binding.pod, *Failure::error(message));
            }
        }
        true
    }

    fn bind(&mut self, api: &mut ApiServer, pod: &Arc<Pod>, node: &str) {
        match api.bind(pod, node) {
            Ok(bound) => {
                self.queue.delete(&bound);
                self.cache.place(bound);
                let message = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
                api.event(NAME, pod, EventType::Normal, "Scheduled", message);
            }
            Err(status) => {
                self.cache.remove(&key_of(pod));
                self.fail(api, pod, *Failure::error(format!("binding rejected: {status}")));
            }
        }
    }

    /// `handleSchedulingFailure`.
    fn fail(&mut self, api: &mut ApiServer, pod: &Arc<Pod>, failure: Failure) {
        let Some(pod) = api.get::<Pod>(pod.namespace(), pod.name()).filter(|p| p.uid() == pod.uid()).cloned() else {
            return;
        };
        if !node_name(&pod).is_empty() {
            return;
        }
        let now = api.now();
        if failure.plugins.is_empty() {
            self.queue.back_off(&pod, now);
        } else {
            let waiting =
                Waiting { plugins: failure.plugins, by_pre_filter: failure.by_pre_filter, claims_changed: false };
            self.queue.add_unschedulable(&pod, waiting, now);
        }
        let key = key_of(&pod);
        match failure.nominate.as_deref() {
            Some("") => {
                self.nominated.remove(&key);
            }
            Some(node) => {
                self.nominated.insert(key, (node.to_owned(), PodInfo::new(pod.clone())));
            }
            None => {}
        }
        api.event(NAME, &pod, EventType::Warning, "FailedScheduling", truncate(&failure.message));
        let mut changed = Pod::clone(&pod);
        let generation = changed.metadata.generation;
        let status = changed.status.get_or_insert_default();
        if let Some(node) = failure.nominate {
            status.nominated_node_name = Some(node).filter(|n| !n.is_empty());
        }
        let condition = PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some(failure.reason.to_owned()),
            message: Some(failure.message),
            observed_generation: generation,
            last_transition_time: Some(api.time()),
            ..Default::default()
        };
        set_condition(status.conditions.get_or_insert_default(), condition);
        // the pod exists, so the update can only fail if somebody deletes it meanwhile; then nothing is lost
        let _ = api.update_status(changed);
        if let Some(candidate) = failure.preempt {
            let lower: Vec<PodKey> = self
                .nominated
                .iter()
                .filter(|(_, (node, other))| *node == candidate.node && priority(&other.pod) < priority(&pod))
                .map(|(key, _)| key.clone())
                .collect();
            for key in lower {
                self.nominated.remove(&key);
                if let Some(other) = api.get::<Pod>(&key.0, &key.1).cloned() {
                    set_nomination(api, &other, "");
                    self.queue.activate(&other);
                }
            }
            default_preemption::evict(api, &candidate, &pod);
        }
    }
}

fn set_nomination(api: &mut ApiServer, pod: &Pod, node: &str) {
    let Some(current) = api.get::<Pod>(pod.namespace(), pod.name()) else { return };
    let mut changed = Pod::clone(current);
    changed.status.get_or_insert_default().nominated_node_name = Some(node.to_owned()).filter(|n| !n.is_empty());
    // as above: a pod that is gone needs no nomination
    let _ = api.update_status(changed);
}

/// Events have at most 1024 bytes.
fn truncate(message: &str) -> String {
    const MAX: usize = 1024;
    if message.len() <= MAX {
        return message.to_owned();
    }
    let mut end = MAX - 4;
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} ...", &message[..end])
}
