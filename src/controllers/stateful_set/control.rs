//! One sync of a StatefulSet (`pkg/controller/statefulset/stateful_set_control.go`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;

use super::claims::{claim_name, templates};
use super::members::{Revisions, SetState, Version};
use super::pod_control::{Failure, PodControl, ordinal_of};
use super::{StatefulSetController, in_range, ordinals, start_ordinal};
use crate::api::object::ApiObject;
use crate::api::{ApiServer, label_selector};
use crate::controllers::controller_utils::{Key, is_pod_ready, nonzero, phase};
use crate::controllers::{controller_history, controller_ref_manager};

/// Batches of an unordered set are never larger than this (`MaxBatchSize`).
const MAX_BATCH_SIZE: i64 = 500;

impl StatefulSetController {
    /// `sync`.
    pub(super) fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Failure> {
        let Some(set) = api.get::<StatefulSet>(&key.0, &key.1).cloned() else { return Ok(()) };
        let Some(spec) = set.spec.as_ref() else { return Ok(()) };
        controller_history::adopt_orphans(api, &*set, &spec.selector).map_err(|s| s.message)?;
        let mut state = self.sets.remove(key).unwrap_or_default();
        let result = self.sync_state(api, &set, spec, &mut state);
        if let Some(next) = state.next_available() {
            self.queue.add_at(key.clone(), next);
        }
        if std::mem::take(&mut state.claims_made) {
            // the request for the pod comes after the one for its claims, and others are quicker than a request
            self.queue.add(key.clone());
        }
        self.sets.insert(key.clone(), state);
        result
    }

    fn sync_state(
        &mut self,
        api: &mut ApiServer,
        set: &Arc<StatefulSet>,
        spec: &StatefulSetSpec,
        state: &mut SetState,
    ) -> Result<(), Failure> {
        let changed = state.version != Version::of(set);
        if changed {
            state.version = Version::of(set);
            state.reset(spec);
        }
        let revisions = match self.current_revisions(state, set) {
            Some(revisions) => revisions,
            None => {
                let revisions = find_revisions(api, set, spec)?;
                state.recount_outdated(revisions.update.name());
                revisions
            }
        };
        self.claim_pods(api, set, spec, state, changed, revisions.update.name())?;
        state.pass_time(api.now());

        let mut sync = Sync { state, revisions: &revisions, now: api.now(), control: PodControl { api, set, spec } };
        let (mut status, result) = sync.update_stateful_set();
        self.remember_claims(set, spec);
        complete_rolling_update(spec, &mut status);
        if is_inconsistent(set, &status) {
            let changed = StatefulSet { status: Some(status.clone()), ..StatefulSet::clone(set) };
            api.update_status(changed).map_err(|s| s.message)?;
        }
        truncate_history(api, set, spec, state, &revisions)?;
        state.revisions = Some(Revisions {
            valid_for: (set.metadata.generation.unwrap_or(0), status.current_revision, self.revision_changes),
            ..revisions
        });
        result
    }

    /// The revisions found by the last sync if they still hold.
    fn current_revisions(&self, state: &SetState, set: &StatefulSet) -> Option<Revisions> {
        let current = set.status.as_ref().and_then(|s| s.current_revision.clone());
        let valid_for = (set.metadata.generation.unwrap_or(0), current, self.revision_changes);
        state.revisions.as_ref().filter(|r| r.valid_for == valid_for).cloned()
    }

    /// Adopts and releases pods; takes note of those that changed (`getPodsForStatefulSet`).
    fn claim_pods(
        &self,
        api: &mut ApiServer,
        set: &Arc<StatefulSet>,
        spec: &StatefulSetSpec,
        state: &mut SetState,
        all: bool,
        update: &str,
    ) -> Result<(), Failure> {
        let touched = state.take_touched_pods();
        let candidates: Vec<Arc<Pod>> = if all {
            self.pods.owned_by(set.uid()).chain(self.pods.orphans_in(set.namespace())).cloned().collect()
        } else {
            touched.iter().filter_map(|name| api.get::<Pod>(set.namespace(), name).cloned()).collect()
        };
        let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
        if !all {
            for ordinal in touched.iter().filter_map(|name| ordinal_of(set.name(), name)) {
                state.set_member(ordinal, None, min_ready_seconds, update);
            }
        }
        let names: Vec<String> = candidates.iter().map(|p| p.name().to_owned()).collect();
        let claimed = controller_ref_manager::claim(api, &**set, candidates, |pod: &Pod| {
            ordinal_of(set.name(), pod.name()).is_some()
                && label_selector::matches(Some(&spec.selector), pod.metadata.labels.as_ref())
        });
        let claimed = claimed.map_err(|status| {
            names.iter().for_each(|name| state.touch_pod(name));
            status.message
        })?;
        for pod in claimed {
            if let Some(ordinal) = ordinal_of(set.name(), pod.name()) {
                state.set_member(ordinal, Some(pod), min_ready_seconds, update);
            }
        }
        Ok(())
    }

    /// Takes note of which ordinal a claim is for, so that its changes are looked at.
    fn remember_claims(&mut self, set: &StatefulSet, spec: &StatefulSetSpec) {
        let Some(range) = Some(ordinals(spec)).filter(|_| !templates(spec).is_empty()) else { return };
        let key = (set.namespace().to_owned(), set.name().to_owned());
        let known = templates(spec).first().is_some_and(|template| {
            let known = |ordinal| self.claims.contains_key(&(key.0.clone(), claim_name(set, template, ordinal)));
            range.is_empty() || known(range.start) && known(range.end - 1)
        });
        if known {
            return;
        }
        for ordinal in range {
            for template in templates(spec) {
                let claim = (key.0.clone(), claim_name(set, template, ordinal));
                self.claims.insert(claim, (key.clone(), ordinal));
            }
        }
    }
}

/// `getStatefulSetRevisions`.
fn find_revisions(api: &mut ApiServer, set: &StatefulSet, spec: &StatefulSetSpec) -> Result<Revisions, Failure> {
    let revisions = controller_history::list(api, set, &spec.selector);
    let status = set.status.as_ref();
    let mut collision_count = status.and_then(|s| s.collision_count).unwrap_or(0);
    let number = revisions.last().map_or(1, |r| r.revision + 1);
    let labels = spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref());
    let data = controller_history::template_patch(&spec.template);
    let wanted = controller_history::new_revision(set, labels, data, number, collision_count);
    let equal = revisions.iter().rev().find(|r| r.data == wanted.data);
    let update: Arc<ControllerRevision> = match (equal, revisions.last()) {
        (Some(equal), Some(last)) if equal.data == last.data => last.clone(),
        (Some(equal), _) => controller_history::renumber(api, equal, number).map_err(|s| s.message)?,
        (None, _) => controller_history::create(api, set, &wanted, &mut collision_count).map_err(|s| s.message)?,
    };
    let current_name = status.and_then(|s| s.current_revision.as_deref()).unwrap_or_default();
    let current = revisions.iter().find(|r| r.name() == current_name).cloned().unwrap_or_else(|| update.clone());
    let template = |revision: &ControllerRevision| {
        controller_history::template_of(revision).ok_or_else(|| format!("revision {} has no template", revision.name()))
    };
    Ok(Revisions {
        valid_for: Default::default(),
        current_template: template(&current)?,
        update_template: template(&update)?,
        current,
        update,
        collision_count,
    })
}

/// When all pods have the update revision, it becomes the current one (`completeRollingUpdate`).
fn complete_rolling_update(spec: &StatefulSetSpec, status: &mut StatefulSetStatus) {
    let replicas = spec.replicas.unwrap_or(1);
    let rolling = spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("RollingUpdate");
    if rolling
        && status.updated_replicas.unwrap_or(0) == replicas
        && status.ready_replicas.unwrap_or(0) == replicas
        && status.replicas == replicas
    {
        status.current_replicas = status.updated_replicas;
        status.current_revision.clone_from(&status.update_revision);
    }
}

/// Whether a status is worth writing (`inconsistentStatus`).
fn is_inconsistent(set: &StatefulSet, new: &StatefulSetStatus) -> bool {
    let Some(old) = set.status.as_ref() else { return true };
    new.observed_generation > old.observed_generation
        || new.replicas != old.replicas
        || new.current_replicas != old.current_replicas
        || new.ready_replicas != old.ready_replicas
        || new.updated_replicas != old.updated_replicas
        || new.available_replicas != old.available_replicas
        || new.current_revision != old.current_revision
        || new.update_revision != old.update_revision
}

fn truncate_history(
    api: &mut ApiServer,
    set: &StatefulSet,
    spec: &StatefulSetSpec,
    state: &SetState,
    revisions: &Revisions,
) -> Result<(), Failure> {
    let limit = spec.revision_history_limit.unwrap_or(10);
    let all = controller_history::list(api, set, &spec.selector);
    if i32::try_from(all.len()).unwrap_or(i32::MAX) <= limit {
        return Ok(());
    }
    let live = |name: &str| name == revisions.current.name() || name == revisions.update.name() || state.uses(name);
    controller_history::truncate(api, &all, live, limit).map_err(|s| s.message)
}

/// What stopped a sync.
enum Stop {
    /// Something must happen first.
    Wait,
    /// Something failed and is tried again.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

/// One pass over the replicas of a set.
struct Sync<'a> {
    state: &'a mut SetState,
    revisions: &'a Revisions,
    now: Timestamp,
    control: PodControl<'a>,
}

impl Sync<'_> {
    fn min_ready_seconds(&self) -> i32 {
        self.control.spec.min_ready_seconds.unwrap_or(0)
    }

    /// Whether pods come and go one after the other.
    fn is_monotonic(&self) -> bool {
        self.control.spec.pod_management_policy.as_deref() != Some("Parallel")
    }

    /// `updateStatefulSet`.
    fn update_stateful_set(&mut self) -> (StatefulSetStatus, Result<(), Failure>) {
        let mut status = self.state.status(self.revisions.current.name(), self.revisions.update.name());
        status.observed_generation = self.control.set.metadata.generation;
        status.collision_count = Some(self.revisions.collision_count);
        if self.control.set.is_terminating() {
            return (status, Ok(()));
        }
        match self.process(&mut status) {
            Err(Stop::Failed(failure)) => (status, Err(failure)),
            Ok(()) | Err(Stop::Wait) => (status, Ok(())),
        }
    }

    fn process(&mut self, status: &mut StatefulSetStatus) -> Result<(), Stop> {
        if self.is_monotonic() {
            self.process_replicas_in_order()?
        } else {
            self.process_replicas_at_once()?
        }
        self.fix_claims_of_condemned()?;
        self.process_condemned()?;
        let strategy = self.control.spec.update_strategy.as_ref();
        if strategy.and_then(|s| s.type_.as_deref()) == Some("OnDelete") {
            return Ok(());
        }
        let partition = strategy.and_then(|s| s.rolling_update.as_ref()).and_then(|r| r.partition).unwrap_or(0);
        self.delete_one_outdated(i64::from(partition), status)
    }

    fn process_replicas_in_order(&mut self) -> Result<(), Stop> {
        let range = ordinals(self.control.spec);
        loop {
            let fresh = self.state.fresh.range(range.clone()).next().copied();
            let blocking = self.state.blocking.range(range.clone()).next().copied();
            match (fresh, blocking) {
                (Some(fresh), _) if blocking.is_none_or(|b| fresh <= b) => self.process_replica(fresh, true)?,
                (_, Some(_)) => return Err(Stop::Wait),
                _ => return Ok(()),
            }
        }
    }

    /// In batches of 1, 2, 4…; a failure stops after its batch (`slowStartBatch`), and so do claims whose pods are to be
    /// made next.
    fn process_replicas_at_once(&mut self) -> Result<(), Stop> {
        let range = ordinals(self.control.spec);
        let fresh: Vec<i64> = self.state.fresh.range(range.clone()).copied().collect();
        let mut failure: Option<Failure> = None;
        let mut last_batch = None;
        for ordinal in fresh {
            let batch = batch_of(ordinal - range.start);
            if last_batch.is_some_and(|last| last != batch) {
                break;
            }
            if let Err(Stop::Failed(why)) = self.process_replica(ordinal, false) {
                failure = failure.or(Some(why));
            }
            last_batch = last_batch.or(Some(batch).filter(|_| failure.is_some() || self.state.claims_made));
        }
        failure.map_or(Ok(()), |why| Err(Stop::Failed(why)))
    }

    /// `processReplica`.
    fn process_replica(&mut self, ordinal: i64, monotonic: bool) -> Result<(), Stop> {
        let Some(pod) = self.state.members.get(&ordinal).cloned() else { return self.create_replica(ordinal) };
        if matches!(phase(&pod), "Failed" | "Succeeded") {
            if !pod.is_terminating() {
                self.control.delete(&pod)?;
            }
            self.state.fresh.remove(&ordinal);
            return Err(Stop::Wait);
        }
        if phase(&pod) == "Pending" {
            self.control.create_missing_claims(&pod, ordinal)?;
        }
        let healthy = phase(&pod) == "Running"
            && is_pod_ready(&pod)
            && !pod.is_terminating()
            && self.state.is_available(ordinal, self.min_ready_seconds(), self.now);
        if !healthy && monotonic {
            self.state.fresh.remove(&ordinal);
            return Err(Stop::Wait);
        }
        if !self.control.is_consistent(&pod, ordinal) {
            self.control.update(&pod, ordinal)?;
        }
        self.state.fresh.remove(&ordinal);
        if healthy {
            self.state.blocking.remove(&ordinal);
        }
        Ok(())
    }

    fn create_replica(&mut self, ordinal: i64) -> Result<(), Stop> {
        let pod = self.new_versioned_pod(ordinal);
        if self.control.is_claim_stale(&pod, ordinal) {
            return Err(Stop::Wait);
        }
        if self.control.create_claims_of(&pod, ordinal)? {
            self.state.claims_made = true;
            return Err(Stop::Wait);
        }
        self.control.create(pod, ordinal)?;
        // until the pod is seen there is nothing more to do
        self.state.fresh.remove(&ordinal);
        Err(Stop::Wait)
    }

    /// Below the partition pods keep the current revision (`newVersionedStatefulSetPod`).
    fn new_versioned_pod(&self, ordinal: i64) -> Pod {
        let spec = self.control.spec;
        let strategy = spec.update_strategy.as_ref();
        let kept = match strategy.and_then(|s| s.rolling_update.as_ref()) {
            Some(rolling_update) => rolling_update.partition.unwrap_or(0),
            None if strategy.and_then(|s| s.type_.as_deref()) == Some("RollingUpdate") => {
                self.control.set.status.as_ref().and_then(|s| s.current_replicas).unwrap_or(0)
            }
            None => 0,
        };
        let (template, revision) = if ordinal < start_ordinal(spec) + i64::from(kept) {
            (&self.revisions.current_template, &self.revisions.current)
        } else {
            (&self.revisions.update_template, &self.revisions.update)
        };
        self.control.new_pod(template, revision.name(), ordinal)
    }

    fn fix_claims_of_condemned(&mut self) -> Result<(), Stop> {
        let spec = self.control.spec;
        let fresh: Vec<i64> = self.state.fresh.iter().rev().copied().filter(|o| !in_range(spec, *o)).collect();
        for ordinal in fresh {
            if let Some(pod) = self.state.members.get(&ordinal)
                && !self.control.claims_match_retention(pod, ordinal)
            {
                self.control.update_claim_owners(pod, ordinal)?;
            }
            self.state.fresh.remove(&ordinal);
        }
        Ok(())
    }

    /// `processCondemned`: an ordered set gives up its highest ordinal, and waits until that is gone.
    fn process_condemned(&mut self) -> Result<(), Stop> {
        let range = ordinals(self.control.spec);
        let above = self.state.members.range(range.end..).rev();
        let below = self.state.members.range(..range.start.min(range.end)).rev();
        let condemned = above.chain(below).map(|(o, p)| (*o, p.clone()));
        if !self.is_monotonic() {
            for (_, pod) in condemned.collect::<Vec<_>>() {
                if !pod.is_terminating() {
                    self.control.delete(&pod)?;
                }
            }
            return Ok(());
        }
        let mut condemned = condemned;
        let Some((ordinal, pod)) = condemned.next() else { return Ok(()) };
        if pod.is_terminating() {
            return Err(Stop::Wait);
        }
        let healthy = |state: &SetState, ordinal: i64, pod: &Pod| {
            phase(pod) == "Running" && state.is_available(ordinal, self.min_ready_seconds(), self.now)
        };
        if !healthy(self.state, ordinal, &pod) {
            // an unhealthy pod goes only if it is the lowest that is unhealthy
            let lower_unhealthy = condemned.any(|(o, p)| p.is_terminating() || !healthy(self.state, o, &p));
            if lower_unhealthy {
                return Err(Stop::Wait);
            }
        }
        self.control.delete(&pod)?;
        Err(Stop::Wait)
    }

    /// Deletes the highest outdated pod unless one above it is not available (the end of `updateStatefulSet`).
    fn delete_one_outdated(&mut self, partition: i64, status: &mut StatefulSetStatus) -> Result<(), Stop> {
        let range = ordinals(self.control.spec);
        let range = range.start.saturating_add(partition).min(range.end)..range.end;
        let Some(outdated) = self.state.outdated.range(range.clone()).next_back().copied() else { return Ok(()) };
        let blocking = self.state.blocking.range(range).next_back().copied();
        if blocking.is_some_and(|b| b > outdated) {
            return Err(Stop::Wait);
        }
        if let Some(pod) = self.state.members.get(&outdated).filter(|p| !p.is_terminating()).cloned() {
            self.control.delete(&pod)?;
            status.current_replicas = nonzero(status.current_replicas.unwrap_or(0) - 1);
        }
        Ok(())
    }
}

/// Which batch of 1, 2, 4… an index falls into.
fn batch_of(index: i64) -> i64 {
    let (mut batch, mut size, mut end) = (0, 1, 1);
    while index >= end {
        size = (size * 2).min(MAX_BATCH_SIZE);
        end += size;
        batch += 1;
    }
    batch
}
