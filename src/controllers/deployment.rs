//! Rolls a Deployment's template out through ReplicaSets (`pkg/controller/deployment`).
mod progress;
mod recreate;
mod rolling;
mod sync;
mod util;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;

use super::controller_ref_manager;
use super::controller_utils::{Key, PodIndex, RetryQueue, key_of};
use crate::api::event::EventType;
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};
pub(super) use util::scaled;
use util::{paused, spec_of};

const SOURCE: &str = "deployment-controller";

/// The Deployment controller.
#[derive(Clone, Default)]
pub struct DeploymentController {
    queue: RetryQueue<Key>,
    pods: PodIndex,
}

impl Reconciler for DeploymentController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<Deployment>() {
            if let Some(deployment) = new.or(old) {
                self.queue.add(key_of(&**deployment));
            }
        } else if let Some((old, new)) = change.of::<ReplicaSet>() {
            self.observe_replica_set(old, new, store);
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.pods.observe(change);
            if let (Some(old), None) = (old, new) {
                self.observe_deleted_pod(old, store);
            }
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

impl DeploymentController {
    fn observe_replica_set(&mut self, old: Option<&Arc<ReplicaSet>>, new: Option<&Arc<ReplicaSet>>, store: &Store) {
        for set in [old, new].into_iter().flatten() {
            if let Some(owner) = set.controller().filter(|c| c.kind == "Deployment") {
                self.queue.add((set.namespace().to_owned(), owner.name.clone()));
            }
        }
        let Some(set) = new.filter(|s| s.controller().is_none()) else { return };
        let same = |old: &Arc<ReplicaSet>| old.controller().is_none() && old.metadata.labels == set.metadata.labels;
        if old.is_some_and(same) {
            return;
        }
        for deployment in store.list_in::<Deployment>(set.namespace()) {
            if deployment
                .spec
                .as_ref()
                .is_some_and(|s| label_selector::matches(Some(&s.selector), set.metadata.labels.as_ref()))
            {
                self.queue.add(key_of(&**deployment));
            }
        }
    }

    /// A Recreate Deployment waits for its last old pod (`deletePod`).
    fn observe_deleted_pod(&mut self, pod: &Pod, store: &Store) {
        let Some(owner) = pod.controller().filter(|c| c.kind == "ReplicaSet") else { return };
        let Some(set) = store.get::<ReplicaSet>(pod.namespace(), &owner.name) else { return };
        let Some(owner) = set.controller().filter(|c| c.kind == "Deployment") else { return };
        let Some(deployment) = store.get::<Deployment>(pod.namespace(), &owner.name) else { return };
        if spec_of(deployment).strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("Recreate") {
            self.queue.add(key_of(&**deployment));
        }
    }

    /// `syncDeployment`.
    fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Status> {
        let Some(stored) = api.get::<Deployment>(&key.0, &key.1).cloned() else { return Ok(()) };
        let mut d = Deployment::clone(&stored);
        if label_selector::is_empty(&spec_of(&d).selector) {
            let message = "This deployment is selecting all pods. A non-empty selector is required.";
            api.event(SOURCE, &stored, EventType::Warning, "SelectingAll", message);
            let status = d.status.get_or_insert_default();
            if status.observed_generation < d.metadata.generation {
                status.observed_generation = d.metadata.generation;
                api.update_status(d)?;
            }
            return Ok(());
        }
        let sets = self.replica_sets(api, &d)?;
        let pods: BTreeMap<String, Vec<Arc<Pod>>> =
            sets.iter().map(|s| (s.uid().to_owned(), self.pods.owned_by(s.uid()).cloned().collect())).collect();
        let mut rollout = Rollout { api, d: &mut d, requeue_at: None };
        if rollout.d.is_terminating() {
            rollout.sync_status_only(&sets)?;
        } else {
            rollout.check_paused_conditions()?;
            if paused(rollout.d) || rollout.is_scaling_event(&sets)? {
                rollout.sync(&sets)?;
            } else if util::is_rolling_update(rollout.d) {
                rollout.rollout_rolling(&sets)?;
            } else {
                rollout.rollout_recreate(&sets, &pods)?;
            }
        }
        if let Some(due) = rollout.requeue_at {
            self.queue.add_at(key.clone(), due);
        }
        Ok(())
    }

    /// The Deployment's ReplicaSets after adoption and release (`getReplicaSetsForDeployment`), oldest first.
    fn replica_sets(&self, api: &mut ApiServer, d: &Deployment) -> Result<Vec<Arc<ReplicaSet>>, Status> {
        let candidates = api.store().list_in::<ReplicaSet>(d.namespace()).cloned().collect();
        let selector = &spec_of(d).selector;
        let mut sets = controller_ref_manager::claim(api, d, candidates, |set: &ReplicaSet| {
            label_selector::matches(Some(selector), set.metadata.labels.as_ref())
        })?;
        sets.sort_by(|a, b| util::by_creation(a, b));
        Ok(sets)
    }
}

/// One sync of one Deployment: `d` carries changes of its status and annotations from step to step.
struct Rollout<'a> {
    api: &'a mut ApiServer,
    d: &'a mut Deployment,
    requeue_at: Option<Timestamp>,
}
