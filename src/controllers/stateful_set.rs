//! Keeps the pods of a StatefulSet in their order, each with its claims (`pkg/controller/statefulset`).
//!
//! A real sync looks at every replica. Here each set's state says which ordinals something happened to since the last
//! sync, and only those are looked at, so that the work is proportional to what changes.
mod claims;
mod control;
mod members;
mod pod_control;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::{Key, MOST_REPLICAS, PodIndex, RetryQueue, key_of};
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::{Change, Store};
use crate::reconcile::{Context, Reconciler};
use members::SetState;

const SOURCE: &str = "statefulset-controller";

/// The StatefulSet controller.
#[derive(Clone, Default)]
pub struct StatefulSetController {
    queue: RetryQueue<Key>,
    pods: PodIndex,
    sets: BTreeMap<Key, SetState>,
    /// Which ordinal of which set a claim belongs to.
    claims: BTreeMap<Key, (Key, i64)>,
    /// Counts changes of ControllerRevisions.
    revision_changes: u64,
}

/// The first ordinal (`getStartOrdinal`).
fn start_ordinal(spec: &StatefulSetSpec) -> i64 {
    spec.ordinals.as_ref().and_then(|o| o.start).map_or(0, i64::from)
}

/// The ordinals a set should have, at most as many as are believed.
fn ordinals(spec: &StatefulSetSpec) -> std::ops::Range<i64> {
    let start = start_ordinal(spec);
    start..start + i64::from(spec.replicas.unwrap_or(1).clamp(0, MOST_REPLICAS))
}

/// `podInOrdinalRange`.
fn in_range(spec: &StatefulSetSpec, ordinal: i64) -> bool {
    ordinals(spec).contains(&ordinal)
}

impl Reconciler for StatefulSetController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<StatefulSet>() {
            self.observe_set(old, new);
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.pods.observe(change);
            self.observe_pod(old, new, store);
        } else if let Some((old, new)) = change.of::<PersistentVolumeClaim>() {
            self.observe_claim(old, new);
        } else if change.of::<ControllerRevision>().is_some() {
            self.revision_changes += 1;
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

impl StatefulSetController {
    fn observe_set(&mut self, old: Option<&Arc<StatefulSet>>, new: Option<&Arc<StatefulSet>>) {
        let Some(set) = new.or(old) else { return };
        let key = key_of(&**set);
        if new.is_none() {
            self.sets.remove(&key);
            self.claims.retain(|_, (owner, _)| *owner != key);
        }
        self.queue.add(key);
    }

    /// Queues the set that a pod belongs or belonged to or, if it has no controller, those that could adopt it.
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        for pod in [old, new].into_iter().flatten() {
            if let Some(owner) = pod.controller().filter(|c| c.kind == "StatefulSet") {
                let key = (pod.namespace().to_owned(), owner.name.clone());
                self.sets.entry(key.clone()).or_default().touch_pod(pod.name());
                self.queue.add(key);
            }
        }
        let Some(pod) = new.filter(|p| p.controller().is_none()) else { return };
        let same = |old: &Arc<Pod>| old.controller().is_none() && old.metadata.labels == pod.metadata.labels;
        if old.is_some_and(same) {
            return;
        }
        for set in store.list_in::<StatefulSet>(pod.namespace()) {
            let selector = set.spec.as_ref().map(|s| &s.selector);
            if label_selector::matches(selector, pod.metadata.labels.as_ref()) {
                let key = key_of(&**set);
                self.sets.entry(key.clone()).or_default().touch_pod(pod.name());
                self.queue.add(key);
            }
        }
    }

    /// The controller does not watch claims: a change is seen at the next sync, which something else must cause.
    fn observe_claim(&mut self, old: Option<&Arc<PersistentVolumeClaim>>, new: Option<&Arc<PersistentVolumeClaim>>) {
        if let (Some(old), Some(new)) = (old, new)
            && old.metadata.owner_references == new.metadata.owner_references
            && old.is_terminating() == new.is_terminating()
        {
            return;
        }
        let Some(claim) = new.or(old) else { return };
        if let Some((set, ordinal)) = self.claims.get(&key_of(&**claim))
            && let Some(state) = self.sets.get_mut(set)
        {
            state.touch(*ordinal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_cannot_ask_for_more_pods_than_any_cluster_holds() {
        let spec = StatefulSetSpec { replicas: Some(i32::MAX), ..Default::default() };
        assert_eq!(ordinals(&spec), 0..i64::from(MOST_REPLICAS));
    }
}
