//! What the workload controllers have in common (`pkg/controller/controller_utils.go`, `pkg/api/v1/pod`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::api::{ApiServer, Change};
use crate::reconcile::WorkQueue;

/// A namespace and a name.
pub(super) type Key = (String, String);

/// For how many pods one owner is believed when it asks for more of them than any cluster holds.
pub(super) const MOST_REPLICAS: i32 = 5_000;

/// The key of an object.
pub(super) fn key_of<T: ApiObject>(object: &T) -> Key {
    (object.namespace().to_owned(), object.name().to_owned())
}

/// A number as the API stores it where zero is left out.
pub(super) fn nonzero(number: i32) -> Option<i32> {
    Some(number).filter(|n| *n != 0)
}

/// A reference to an object as the controller of another (`metav1.NewControllerRef`).
pub(super) fn controller_reference<T: ApiObject>(owner: &T) -> OwnerReference {
    OwnerReference {
        api_version: T::ID.api_version().to_owned(),
        kind: T::ID.name().to_owned(),
        name: owner.name().to_owned(),
        uid: owner.uid().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Whether an object's controller is this one (`metav1.IsControlledBy`).
pub(super) fn is_controlled_by<T: ApiObject>(object: &T, uid: &str) -> bool {
    object.controller().is_some_and(|c| c.uid == uid)
}

/// The phase, empty before a pod is stored.
pub(super) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// Since when a pod is ready (`podutil.GetPodReadyCondition`).
pub(super) fn ready_since(pod: &Pod) -> Option<Timestamp> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions.iter().find(|c| c.type_ == "Ready")?;
    let since = ready.last_transition_time.as_ref().map_or(Timestamp::UNIX_EPOCH, |t| t.0);
    (ready.status == "True").then_some(since)
}

/// `podutil.IsPodReady`.
pub(super) fn is_pod_ready(pod: &Pod) -> bool {
    ready_since(pod).is_some()
}

/// When a pod that is ready counts as available.
pub(super) fn available_at(pod: &Pod, min_ready_seconds: i32) -> Option<Timestamp> {
    ready_since(pod).map(|since| since + SignedDuration::from_secs(i64::from(min_ready_seconds.max(0))))
}

/// `podutil.IsPodAvailable`.
pub(super) fn is_pod_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> bool {
    available_at(pod, min_ready_seconds).is_some_and(|at| at <= now)
}

/// Whether a pod is over.
pub(super) fn is_pod_terminal(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// `controller.IsPodActive`.
pub(super) fn is_pod_active(pod: &Pod) -> bool {
    !is_pod_terminal(pod) && !pod.is_terminating()
}

/// `controller.IsPodTerminating`.
pub(super) fn is_pod_terminating(pod: &Pod) -> bool {
    !is_pod_terminal(pod) && pod.is_terminating()
}

/// The node a pod is bound to, empty before that.
pub(super) fn node_name(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or_default()
}

/// A pod as a controller creates it (`controller.GetPodFromTemplate`).
pub(super) fn pod_from_template<T: ApiObject>(template: &PodTemplateSpec, owner: &T) -> Pod {
    let metadata = template.metadata.clone().unwrap_or_default();
    let prefix = format!("{}-", owner.name());
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(prefix),
            namespace: Some(owner.namespace().to_owned()),
            labels: metadata.labels,
            annotations: metadata.annotations,
            finalizers: metadata.finalizers,
            owner_references: Some(vec![controller_reference(owner)]),
            ..Default::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// Creates a pod of a controller and says so in an event (`RealPodControl.createPods`).
pub(super) fn create_pod<T: ApiObject>(
    api: &mut ApiServer,
    source: &'static str,
    owner: &Arc<T>,
    pod: Pod,
) -> Result<Arc<Pod>, Status> {
    match api.create(pod) {
        Ok(accepted) => {
            let message = format!("Created pod: {}", accepted.object.name());
            api.event(source, owner, EventType::Normal, "SuccessfulCreate", message);
            Ok(accepted.object)
        }
        Err(status) => {
            if !is_namespace_terminating(&status) {
                api.event(source, owner, EventType::Warning, "FailedCreate", format!("Error creating: {status}"));
            }
            Err(status)
        }
    }
}

/// Deletes a pod of a controller and says so in an event (`RealPodControl.DeletePod`). Success when it is gone already.
pub(super) fn delete_pod<T: ApiObject>(
    api: &mut ApiServer,
    source: &'static str,
    owner: &Arc<T>,
    pod: &Pod,
) -> Result<(), Status> {
    let key = ObjectKey::new(Kind::Pod, pod.namespace(), pod.name());
    match api.delete(&key, &DeleteOptions::default()) {
        Ok(_) => {
            let message = format!("Deleted pod: {}", pod.name());
            api.event(source, owner, EventType::Normal, "SuccessfulDelete", message);
            Ok(())
        }
        Err(status) if status.reason == Reason::NotFound => Ok(()),
        Err(status) => {
            api.event(source, owner, EventType::Warning, "FailedDelete", format!("Error deleting: {status}"));
            Err(status)
        }
    }
}

/// Whether a creation failed only because its namespace is going away (`v1.NamespaceTerminatingCause`).
pub(super) fn is_namespace_terminating(status: &Status) -> bool {
    status.reason == Reason::Forbidden && status.message.ends_with("because it is being terminated")
}

/// In which order a ReplicaSet gives up its pods: the first goes first (`controller.ActivePodsWithRanks`).
/// `rank` is the number of related pods on the same node.
pub(super) fn compare_for_deletion(a: (&Pod, usize), b: (&Pod, usize), now: Timestamp) -> std::cmp::Ordering {
    let ((a, rank_a), (b, rank_b)) = (a, b);
    let unbound = |pod: &Pod| !node_name(pod).is_empty();
    let phase_order = |pod: &Pod| match phase(pod) {
        "Unknown" => 1,
        "Running" => 2,
        _ => 0,
    };
    let deletion_cost =
        |pod: &Pod| pod.annotation("controller.kubernetes.io/pod-deletion-cost").and_then(|v| v.parse::<i32>().ok());
    let age = |at: Option<Timestamp>| at.map(|at| logarithm(now.duration_since(at)));
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    let restarts = |pod: &Pod| {
        let statuses = pod.status.as_ref().and_then(|s| s.container_statuses.as_ref());
        statuses.into_iter().flatten().map(|c| c.restart_count).max().unwrap_or(0)
    };
    unbound(a)
        .cmp(&unbound(b))
        .then_with(|| phase_order(a).cmp(&phase_order(b)))
        .then_with(|| is_pod_ready(a).cmp(&is_pod_ready(b)))
        .then_with(|| deletion_cost(a).unwrap_or(0).cmp(&deletion_cost(b).unwrap_or(0)))
        .then_with(|| rank_b.cmp(&rank_a))
        .then_with(|| age(ready_since(a)).cmp(&age(ready_since(b))))
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| age(created(a)).cmp(&age(created(b))))
        .then_with(|| a.uid().cmp(b.uid()))
}

/// The order of magnitude of an age, so that pods of about the same age are equal (`logarithmicRankDiff`).
fn logarithm(age: SignedDuration) -> i64 {
    u128::try_from(age.as_nanos()).ok().and_then(u128::checked_ilog2).map_or(-1, i64::from)
}

/// Pods by the uid of their controller, and pods without one by namespace (`controller.AddPodControllerIndexer`):
/// as current as the change log was read.
#[derive(Clone, Debug, Default)]
pub(super) struct PodIndex {
    owned: BTreeMap<String, BTreeMap<String, Arc<Pod>>>,
    orphans: BTreeMap<String, BTreeMap<String, Arc<Pod>>>,
}

impl PodIndex {
    /// Follows a change.
    pub(super) fn observe(&mut self, change: &Change) {
        let Some((old, new)) = change.of::<Pod>() else { return };
        if let (Some(old), Some(new)) = (old, new)
            && old.controller().map(|c| &c.uid) == new.controller().map(|c| &c.uid)
        {
            let (map, owner) = self.slot(new);
            if let Some(slot) = map.get_mut(owner).and_then(|pods| pods.get_mut(new.name())) {
                *slot = new.clone();
                return;
            }
        }
        if let Some(old) = old {
            let (map, owner) = self.slot(old);
            if let Some(pods) = map.get_mut(owner) {
                pods.remove(old.name());
                if pods.is_empty() {
                    map.remove(owner);
                }
            }
        }
        if let Some(new) = new {
            let (map, owner) = self.slot(new);
            map.entry(owner.to_owned()).or_default().insert(new.name().to_owned(), new.clone());
        }
    }

    fn slot<'a>(&mut self, pod: &'a Pod) -> (&mut BTreeMap<String, BTreeMap<String, Arc<Pod>>>, &'a str) {
        match pod.controller() {
            Some(controller) => (&mut self.owned, controller.uid.as_str()),
            None => (&mut self.orphans, pod.namespace()),
        }
    }

    /// The pods of a controller, by name.
    pub(super) fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Arc<Pod>> {
        self.owned.get(uid).into_iter().flat_map(BTreeMap::values)
    }

    /// The pods of a namespace that have no controller, by name.
    pub(super) fn orphans_in(&self, namespace: &str) -> impl Iterator<Item = &Arc<Pod>> {
        self.orphans.get(namespace).into_iter().flat_map(BTreeMap::values)
    }
}

/// A work queue that knows how often work on a key failed (`workqueue.TypedRateLimitingInterface`).
#[derive(Clone, Debug)]
pub(super) struct RetryQueue<K> {
    queue: WorkQueue<K>,
    failures: BTreeMap<K, u32>,
}

/// The first delay of `workqueue.DefaultTypedControllerRateLimiter`; it doubles with every failure.
const BASE_DELAY: SignedDuration = SignedDuration::from_millis(5);
/// A real controller goes on doubling up to 1000 s. It is stopped early here so that what fails is tried again in every
/// settling of the cluster, however many came before.
const MAX_DELAY: SignedDuration = SignedDuration::from_secs(20);

impl<K> Default for RetryQueue<K> {
    fn default() -> Self {
        RetryQueue { queue: WorkQueue::default(), failures: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> RetryQueue<K> {
    /// Queues a key.
    pub(super) fn add(&mut self, key: K) {
        self.queue.add(key);
    }
    /// Queues a key for later.
    pub(super) fn add_at(&mut self, key: K, due: Timestamp) {
        self.queue.add_at(key, due);
    }
    /// The next key that is due.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<K> {
        self.queue.pop(now)
    }
    /// When the earliest delayed key becomes due.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
    /// Work on a key failed: it is queued again after a while (`AddRateLimited`).
    pub(super) fn retry(&mut self, key: K, now: Timestamp) {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let delay = BASE_DELAY * 2_i32.pow((*failures).min(20));
        *failures += 1;
        self.queue.add_at(key, now + delay.min(MAX_DELAY));
    }
    /// Work on a key succeeded (`Forget`).
    pub(super) fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }
}
