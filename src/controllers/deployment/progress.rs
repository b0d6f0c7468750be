//! Conditions and the progress deadline (`pkg/controller/deployment/progress.go`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DeploymentCondition, DeploymentStatus, ReplicaSet};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Rollout;
use super::util::{
    condition, from_replica_set, has_progress_deadline, is_complete, is_progressing, new_condition, remove_condition,
    set_condition, spec_of,
};
use crate::api::object::ApiObject;
use crate::api::status::Status;

impl Rollout<'_> {
    /// `syncRolloutStatus`.
    pub(super) fn sync_rollout_status(
        &mut self,
        all: &[Arc<ReplicaSet>],
        new: Option<&Arc<ReplicaSet>>,
    ) -> Result<(), Status> {
        let mut status = self.calculate_status(all, new);
        if has_progress_deadline(self.d) {
            self.set_progressing(&mut status, new);
        } else {
            remove_condition(&mut status, "Progressing");
        }
        match replica_failure(all, new) {
            Some(failure) => set_condition(&mut status, failure),
            None => remove_condition(&mut status, "ReplicaFailure"),
        }
        if self.d.status.as_ref() == Some(&status) {
            self.requeue_stuck(&status);
            return Ok(());
        }
        self.replace_status(status)
    }

    fn set_progressing(&self, status: &mut DeploymentStatus, new: Option<&Arc<ReplicaSet>>) {
        let current = self.d.status.as_ref().and_then(|s| condition(s, "Progressing")).cloned();
        let reason = current.as_ref().and_then(|c| c.reason.as_deref());
        if status.replicas == status.updated_replicas && reason == Some("NewReplicaSetAvailable") {
            return;
        }
        let subject = match new {
            Some(set) => format!("ReplicaSet \"{}\"", set.name()),
            None => format!("Deployment \"{}\"", self.d.name()),
        };
        let now = self.api.time();
        if is_complete(self.d, status) {
            let message = format!("{subject} has successfully progressed.");
            set_condition(status, new_condition(now, "Progressing", "True", "NewReplicaSetAvailable", &message));
        } else if is_progressing(self.d, status) {
            let message = format!("{subject} is progressing.");
            let mut condition = new_condition(now, "Progressing", "True", "ReplicaSetUpdated", &message);
            if let Some(current) = current {
                if current.status == "True" {
                    condition.last_transition_time = current.last_transition_time;
                }
                remove_condition(status, "Progressing");
            }
            set_condition(status, condition);
        } else if self.timed_out(status) {
            let message = format!("{subject} has timed out progressing.");
            set_condition(status, new_condition(now, "Progressing", "False", "ProgressDeadlineExceeded", &message));
        }
    }

    /// When the progress deadline is over.
    fn deadline(&self, condition: &DeploymentCondition) -> Timestamp {
        let seconds = spec_of(self.d).progress_deadline_seconds.unwrap_or(0);
        let from = condition.last_update_time.as_ref().map_or(Timestamp::UNIX_EPOCH, |t| t.0);
        from + SignedDuration::from_secs(i64::from(seconds))
    }

    /// `DeploymentTimedOut`.
    fn timed_out(&self, status: &DeploymentStatus) -> bool {
        condition(status, "Progressing").is_some_and(|c| match c.reason.as_deref() {
            Some("NewReplicaSetAvailable") => false,
            Some("ProgressDeadlineExceeded") => true,
            _ => self.deadline(c) < self.api.now(),
        })
    }

    /// Nothing moves: look again when the deadline is over (`requeueStuckDeployment`).
    fn requeue_stuck(&mut self, status: &DeploymentStatus) {
        let Some(current) = condition(status, "Progressing").filter(|_| has_progress_deadline(self.d)) else { return };
        if is_complete(self.d, status) || current.reason.as_deref() == Some("ProgressDeadlineExceeded") {
            return;
        }
        let due = self.deadline(current) + SignedDuration::from_secs(1);
        if due > self.api.now() {
            self.requeue_at = Some(due);
        }
    }
}

/// `getReplicaFailures`: the new ReplicaSet's failure, or else any other's.
fn replica_failure(all: &[Arc<ReplicaSet>], new: Option<&Arc<ReplicaSet>>) -> Option<DeploymentCondition> {
    let failure = |set: &Arc<ReplicaSet>| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|c| c.type_ == "ReplicaFailure").map(from_replica_set)
    };
    new.and_then(failure).or_else(|| all.iter().find_map(failure))
}
