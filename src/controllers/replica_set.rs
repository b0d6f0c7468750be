//! Keeps as many pods as a ReplicaSet asks for (`pkg/controller/replicaset`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetSpec, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;

use super::controller_ref_manager;
use super::controller_utils::{
    Key, MOST_REPLICAS, PodIndex, RetryQueue, available_at, compare_for_deletion, create_pod, delete_pod,
    is_controlled_by, is_namespace_terminating, is_pod_active, is_pod_available, is_pod_ready, is_pod_terminating,
    key_of, node_name, nonzero, pod_from_template,
};
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

const SOURCE: &str = "replicaset-controller";
/// How many pods one sync creates or deletes at most (`BurstReplicas`).
const BURST_REPLICAS: usize = 500;

/// The ReplicaSet controller.
#[derive(Clone, Default)]
pub struct ReplicaSetController {
    queue: RetryQueue<Key>,
    pods: PodIndex,
}

impl Reconciler for ReplicaSetController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<ReplicaSet>() {
            if let Some(set) = new.or(old) {
                self.queue.add(key_of(&**set));
            }
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.pods.observe(change);
            self.observe_pod(old, new, store);
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

    fn boxed_clone(&self) -> Box<dyn Reconciler> {
        Box::new(self.clone())
    }
}

impl ReplicaSetController {
    /// Queues the sets that a pod belongs or belonged to or, if it has no controller, those that could adopt it.
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        for owner in [old, new].into_iter().flatten().filter_map(|p| p.controller().map(|c| (p.namespace(), c))) {
            let (namespace, reference) = owner;
            if reference.kind == "ReplicaSet" {
                self.queue.add((namespace.to_owned(), reference.name.clone()));
            }
        }
        let Some(pod) = new.filter(|p| p.controller().is_none() && !p.is_terminating()) else { return };
        let same = |old: &Arc<Pod>| old.controller().is_none() && old.metadata.labels == pod.metadata.labels;
        if old.is_some_and(same) {
            return;
        }
        for set in store.list_in::<ReplicaSet>(pod.namespace()) {
            if set.spec.as_ref().is_some_and(|s| selects(s, pod)) {
                self.queue.add(key_of(&**set));
            }
        }
    }

    /// `syncReplicaSet`.
    fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Status> {
        let Some(set) = api.get::<ReplicaSet>(&key.0, &key.1).cloned() else { return Ok(()) };
        let Some(spec) = set.spec.as_ref() else { return Ok(()) };
        let all: Vec<Arc<Pod>> =
            self.pods.owned_by(set.uid()).chain(self.pods.orphans_in(set.namespace())).cloned().collect();
        let terminating =
            all.iter().filter(|p| is_pod_terminating(p) && is_controlled_by(&***p, set.uid()) && selects(spec, p));
        let terminating = i32::try_from(terminating.count()).unwrap_or(i32::MAX);
        let active = all.into_iter().filter(|p| is_pod_active(p)).collect();
        let active = controller_ref_manager::claim(api, &*set, active, |pod| selects(spec, pod))?;

        let managed = if set.is_terminating() { Ok(()) } else { self.manage_replicas(api, &set, spec, &active) };
        let status = calculate_status(api, &set, spec, &active, terminating, managed.as_ref().err());
        let changed = set.status.as_ref() != Some(&status);
        if changed {
            api.update_status(ReplicaSet { status: Some(status.clone()), ..ReplicaSet::clone(&set) })?;
        }
        managed?;
        let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
        if min_ready_seconds > 0 && status.ready_replicas != status.available_replicas {
            let now = api.now();
            let checks = active.iter().filter_map(|p| available_at(p, min_ready_seconds)).filter(|at| *at > now);
            if let Some(next) = checks.min() {
                self.queue.add_at(key.clone(), next);
            }
        }
        Ok(())
    }

    /// `manageReplicas`.
    fn manage_replicas(
        &self,
        api: &mut ApiServer,
        set: &Arc<ReplicaSet>,
        spec: &ReplicaSetSpec,
        active: &[Arc<Pod>],
    ) -> Result<(), Status> {
        let wanted = usize::try_from(spec.replicas.unwrap_or(0).min(MOST_REPLICAS)).unwrap_or(0);
        if active.len() < wanted {
            let template = spec.template.as_ref().cloned().unwrap_or_default();
            return slow_start_batch((wanted - active.len()).min(BURST_REPLICAS), || {
                match create_pod(api, SOURCE, set, pod_from_template(&template, &**set)) {
                    Err(status) if !is_namespace_terminating(&status) => Err(status),
                    _ => Ok(()),
                }
            });
        }
        let surplus = (active.len() - wanted).min(BURST_REPLICAS);
        let mut failure = None;
        for pod in self.pods_to_delete(api, set, active, surplus) {
            if let Err(status) = delete_pod(api, SOURCE, set, &pod) {
                failure = failure.or(Some(status));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// `getPodsToDelete`: pods on nodes with many pods of the same Deployment go before others.
    fn pods_to_delete(&self, api: &ApiServer, set: &ReplicaSet, active: &[Arc<Pod>], count: usize) -> Vec<Arc<Pod>> {
        if count == 0 || count >= active.len() {
            return active.iter().take(count).cloned().collect();
        }
        let mut on_node = BTreeMap::<&str, usize>::new();
        if let Some(controller) = set.controller() {
            let siblings = api.store().list_in::<ReplicaSet>(set.namespace());
            for sibling in siblings.filter(|s| is_controlled_by(&***s, &controller.uid)) {
                for pod in self.pods.owned_by(sibling.uid()).filter(|p| is_pod_active(p)) {
                    *on_node.entry(node_name(pod)).or_default() += 1;
                }
            }
        }
        let mut ranked: Vec<(&Arc<Pod>, usize)> =
            active.iter().map(|p| (p, on_node.get(node_name(p)).copied().unwrap_or(0))).collect();
        let now = api.now();
        ranked.sort_by(|a, b| compare_for_deletion((a.0, a.1), (b.0, b.1), now));
        ranked.into_iter().take(count).map(|(pod, _)| pod.clone()).collect()
    }
}

fn selects(spec: &ReplicaSetSpec, pod: &Pod) -> bool {
    label_selector::matches(Some(&spec.selector), pod.metadata.labels.as_ref())
}

/// Does something several times in batches of 1, 2, 4…, and stops after a batch in which it failed; the first failure.
pub(super) fn slow_start_batch(count: usize, mut work: impl FnMut() -> Result<(), Status>) -> Result<(), Status> {
    let (mut remaining, mut batch) = (count, 1);
    while remaining > 0 {
        let mut failure = None;
        for _ in 0..batch {
            if let Err(status) = work() {
                failure = failure.or(Some(status));
            }
        }
        if let Some(status) = failure {
            return Err(status);
        }
        remaining -= batch;
        batch = (2 * batch).min(remaining);
    }
    Ok(())
}

/// `calculateStatus`.
fn calculate_status(
    api: &ApiServer,
    set: &ReplicaSet,
    spec: &ReplicaSetSpec,
    active: &[Arc<Pod>],
    terminating: i32,
    failure: Option<&Status>,
) -> ReplicaSetStatus {
    let now = api.now();
    let template_labels = spec.template.as_ref().and_then(|t| t.metadata.as_ref()).and_then(|m| m.labels.as_ref());
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    let (mut fully_labeled, mut ready, mut available) = (0, 0, 0);
    for pod in active {
        fully_labeled += i32::from(label_selector::matches_map(template_labels, pod.metadata.labels.as_ref()));
        ready += i32::from(is_pod_ready(pod));
        available += i32::from(is_pod_available(pod, min_ready_seconds, now));
    }
    let replicas = i32::try_from(active.len()).unwrap_or(i32::MAX);
    let mut conditions = set.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    match failure {
        None => conditions.retain(|c| c.type_ != "ReplicaFailure"),
        Some(status) if conditions.iter().all(|c| c.type_ != "ReplicaFailure") => {
            let wanted = spec.replicas.unwrap_or(0);
            conditions.push(ReplicaSetCondition {
                type_: "ReplicaFailure".to_owned(),
                status: "True".to_owned(),
                last_transition_time: Some(api.time()),
                reason: Some(if replicas < wanted { "FailedCreate" } else { "FailedDelete" }.to_owned()),
                message: Some(status.message.clone()),
            });
        }
        Some(_) => {}
    }
    ReplicaSetStatus {
        replicas,
        fully_labeled_replicas: nonzero(fully_labeled),
        ready_replicas: nonzero(ready),
        available_replicas: nonzero(available),
        terminating_replicas: Some(terminating),
        observed_generation: set.metadata.generation,
        conditions: Some(conditions).filter(|c| !c.is_empty()),
    }
}
