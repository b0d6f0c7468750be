//! What is known of a set's pods between two syncs.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::jiff::Timestamp;

use super::ordinals;
use super::pod_control::REVISION_LABEL;
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::{available_at, is_pod_ready, nonzero, phase};

/// What decides whether everything that is known about a set must be looked at anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Version {
    uid: String,
    generation: i64,
    terminating: bool,
}

impl Version {
    pub(super) fn of(set: &StatefulSet) -> Self {
        Version {
            uid: set.uid().to_owned(),
            generation: set.metadata.generation.unwrap_or(0),
            terminating: set.is_terminating(),
        }
    }
}

/// The two revisions of a set and their templates, as long as nothing they depend on changes.
#[derive(Clone, Debug)]
pub(super) struct Revisions {
    /// Set generation, `status.currentRevision`, number of changes to ControllerRevisions.
    pub(super) valid_for: (i64, Option<String>, u64),
    pub(super) current: Arc<ControllerRevision>,
    pub(super) update: Arc<ControllerRevision>,
    pub(super) current_template: PodTemplateSpec,
    pub(super) update_template: PodTemplateSpec,
    pub(super) collision_count: i32,
}

/// A set's pods by ordinal, and which of them need attention.
#[derive(Clone, Debug, Default)]
pub(super) struct SetState {
    pub(super) version: Version,
    pub(super) revisions: Option<Revisions>,
    /// Pods something happened to since the last sync, by name.
    touched_pods: BTreeSet<String>,
    /// All pods of the set.
    pub(super) members: BTreeMap<i64, Arc<Pod>>,
    /// Ordinals that the next sync must look at.
    pub(super) fresh: BTreeSet<i64>,
    /// Ordinals without a pod that is available and stays: they hold up an ordered set.
    pub(super) blocking: BTreeSet<i64>,
    /// Pods that are ready but not long enough, with the time at which they will be.
    waiting: BTreeSet<(Timestamp, i64)>,
    /// Members whose revision is not the update revision.
    pub(super) outdated: BTreeSet<i64>,
    /// Claims were made whose pods are to be made next.
    pub(super) claims_made: bool,
    replicas: i32,
    ready: i32,
    by_revision: BTreeMap<String, i32>,
}

/// The revision a pod was made from.
pub(super) fn revision_of(pod: &Pod) -> &str {
    pod.label(REVISION_LABEL).unwrap_or_default()
}

fn is_running_and_ready(pod: &Pod) -> bool {
    phase(pod) == "Running" && is_pod_ready(pod)
}

impl SetState {
    /// Something happened to a pod.
    pub(super) fn touch_pod(&mut self, name: &str) {
        self.touched_pods.insert(name.to_owned());
    }

    /// Something happened to a claim of an ordinal.
    pub(super) fn touch(&mut self, ordinal: i64) {
        self.fresh.insert(ordinal);
    }

    pub(super) fn take_touched_pods(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched_pods)
    }

    /// Forgets all pods, and that nothing is to be done for any ordinal.
    pub(super) fn reset(&mut self, spec: &StatefulSetSpec) {
        let touched_pods = self.take_touched_pods();
        *self = SetState { version: self.version.clone(), touched_pods, ..Default::default() };
        self.fresh.extend(ordinals(spec));
        self.blocking.extend(ordinals(spec));
    }

    /// The pod of an ordinal is now this one, or there is none.
    pub(super) fn set_member(&mut self, ordinal: i64, pod: Option<Arc<Pod>>, min_ready_seconds: i32, update: &str) {
        if let Some(old) = self.members.remove(&ordinal) {
            self.count(&old, -1);
            if let Some(at) = available_at(&old, min_ready_seconds) {
                self.waiting.remove(&(at, ordinal));
            }
            self.outdated.remove(&ordinal);
        }
        self.fresh.insert(ordinal);
        self.blocking.insert(ordinal);
        let Some(pod) = pod else { return };
        self.count(&pod, 1);
        if is_running_and_ready(&pod)
            && min_ready_seconds > 0
            && let Some(at) = available_at(&pod, min_ready_seconds)
        {
            self.waiting.insert((at, ordinal));
        }
        if revision_of(&pod) != update {
            self.outdated.insert(ordinal);
        }
        self.members.insert(ordinal, pod);
    }

    fn count(&mut self, pod: &Pod, by: i32) {
        if phase(pod).is_empty() {
            return;
        }
        self.replicas += by;
        self.ready += if is_running_and_ready(pod) { by } else { 0 };
        if !pod.is_terminating() {
            let revision = revision_of(pod).to_owned();
            *self.by_revision.entry(revision).or_insert(0) += by;
        }
    }

    /// Time has passed: pods that have been ready long enough need a look.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        while let Some((at, ordinal)) = self.waiting.first().copied().filter(|(at, _)| *at <= now) {
            self.waiting.remove(&(at, ordinal));
            self.fresh.insert(ordinal);
        }
    }

    /// When the next pod that is ready will have been so for long enough.
    pub(super) fn next_available(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// The update revision is another one.
    pub(super) fn recount_outdated(&mut self, update: &str) {
        self.outdated = self.members.iter().filter(|(_, p)| revision_of(p) != update).map(|(o, _)| *o).collect();
    }

    /// Whether a member is running, ready and has been for long enough.
    pub(super) fn is_available(&self, ordinal: i64, min_ready_seconds: i32, now: Timestamp) -> bool {
        let pod = self.members.get(&ordinal);
        pod.is_some_and(|p| available_at(p, min_ready_seconds).is_some_and(|at| at <= now))
    }

    /// The counts as they were when the sync began (`updateStatus`).
    pub(super) fn status(&self, current: &str, update: &str) -> StatefulSetStatus {
        let of = |revision: &str| self.by_revision.get(revision).copied().unwrap_or(0);
        let waiting = i32::try_from(self.waiting.len()).unwrap_or(i32::MAX);
        StatefulSetStatus {
            replicas: self.replicas,
            ready_replicas: nonzero(self.ready),
            available_replicas: Some(self.ready - waiting),
            current_replicas: nonzero(of(current)),
            updated_replicas: nonzero(of(update)),
            current_revision: Some(current.to_owned()),
            update_revision: Some(update.to_owned()),
            ..Default::default()
        }
    }

    /// Whether some pod was made from a revision.
    pub(super) fn uses(&self, revision: &str) -> bool {
        self.members.values().any(|p| revision_of(p) == revision)
    }
}
