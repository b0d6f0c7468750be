//! How long to wait after a failure (`pkg/controller/job/backoff_utils.go`).
use std::sync::Arc;

use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::server::seconds_after;
use crate::controllers::controller_utils::phase;

const DEFAULT_BACKOFF: SignedDuration = SignedDuration::from_secs(10);
const MAX_BACKOFF: SignedDuration = SignedDuration::from_mins(10);

/// The failures since the last success.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    last_failure: Option<Timestamp>,
}

impl Backoff {
    /// Takes note of pods that ended (`newBackoffRecord`).
    pub(super) fn record(&mut self, succeeded: &[Arc<Pod>], failed: &[Arc<Pod>]) {
        let mut failures: Vec<Timestamp> = failed.iter().map(|p| finished_at(p)).collect();
        failures.sort();
        if let Some(last_success) = succeeded.iter().map(|p| finished_at(p)).max() {
            *self = Backoff::default();
            failures.retain(|at| *at > last_success);
        }
        self.failures += u32::try_from(failures.len()).unwrap_or(u32::MAX);
        self.last_failure = failures.last().copied().or(self.last_failure);
    }

    /// When the next pod may be made.
    pub(super) fn over_at(&self) -> Option<Timestamp> {
        over_at(self.failures, self.last_failure)
    }
}

/// When the wait after so many failures is over: 10 s, doubling, at most ten minutes.
pub(super) fn over_at(failures: u32, last_failure: Option<Timestamp>) -> Option<Timestamp> {
    let last_failure = last_failure.filter(|_| failures > 0)?;
    let backoff = DEFAULT_BACKOFF * 2_i32.pow((failures - 1).min(10));
    Some(last_failure + backoff.min(MAX_BACKOFF))
}

/// `getFinishedTime`.
pub(super) fn finished_at(pod: &Pod) -> Timestamp {
    let status = pod.status.as_ref();
    let containers = status.and_then(|s| s.container_statuses.as_deref()).unwrap_or_default();
    let ends: Option<Vec<Timestamp>> =
        containers.iter().map(|c| c.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(|t| t.0)).collect();
    let of_containers = ends.and_then(|ends| ends.into_iter().max());
    let conditions = status.and_then(|s| s.conditions.as_ref());
    let unready = conditions.into_iter().flatten().find(|c| c.type_ == "Ready" && c.status == "False");
    let unready = unready.and_then(|c| c.last_transition_time.as_ref()).map(|t| t.0);
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
    let deleted = pod.metadata.deletion_timestamp.as_ref().map(|t| seconds_after(t.0, -grace));
    let created = pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    of_containers.or(unready).or(deleted).or(created).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether containers that are restarted in place were restarted too often (`pastBackoffLimitOnFailure`).
pub(super) fn past_limit_on_failure(spec: &JobSpec, limit: i32, pods: &[Arc<Pod>]) -> bool {
    if spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref()) != Some("OnFailure") {
        return false;
    }
    let living = pods.iter().filter(|p| matches!(phase(p), "Running" | "Pending")).filter_map(|p| p.status.as_ref());
    let restarts: i32 = living
        .flat_map(|s| s.init_container_statuses.iter().flatten().chain(s.container_statuses.iter().flatten()))
        .map(|c| c.restart_count)
        .sum();
    if limit == 0 { restarts > 0 } else { restarts >= limit }
}
