//! Rolling updates (`pkg/controller/deployment/rolling.go`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ReplicaSet;

use super::Rollout;
use super::sync::all_sets;
use super::util::{available, by_creation, is_complete, max_unavailable, new_replicas, size, total_size, wanted};
use crate::api::status::Status;

impl Rollout<'_> {
    /// Scales the new ReplicaSet up as far as the surge allows, or else the old ones down as far as enough pods stay
    /// available.
    pub(super) fn rollout_rolling(&mut self, sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (Some(new), old) = self.replica_sets_and_revision(sets, true)? else { return Ok(()) };
        let all = all_sets(Some(&new), &old);
        if self.reconcile_new(&all, &new)? || self.reconcile_old(&all, &old, &new)? {
            return self.sync_rollout_status(&all, Some(&new));
        }
        if is_complete(self.d, &self.d.status.clone().unwrap_or_default()) {
            self.cleanup(&old)?;
        }
        self.sync_rollout_status(&all, Some(&new))
    }

    fn reconcile_new(&mut self, all: &[Arc<ReplicaSet>], new: &Arc<ReplicaSet>) -> Result<bool, Status> {
        let target = match size(new).cmp(&wanted(self.d)) {
            std::cmp::Ordering::Equal => return Ok(false),
            std::cmp::Ordering::Greater => wanted(self.d),
            std::cmp::Ordering::Less => new_replicas(self.d, all, size(new)),
        };
        Ok(self.scale_replica_set(new, target, false)?.0)
    }

    fn reconcile_old(
        &mut self,
        all: &[Arc<ReplicaSet>],
        old: &[Arc<ReplicaSet>],
        new: &Arc<ReplicaSet>,
    ) -> Result<bool, Status> {
        let mut old: Vec<Arc<ReplicaSet>> = old.iter().filter(|s| size(s) > 0).cloned().collect();
        if old.is_empty() {
            return Ok(false);
        }
        let min_available = wanted(self.d) - max_unavailable(self.d);
        let new_unavailable = size(new) - available(new);
        let max_scaled_down = total_size(all).saturating_sub(min_available).saturating_sub(new_unavailable);
        if max_scaled_down <= 0 {
            return Ok(false);
        }
        old.sort_by(|a, b| by_creation(a, b));
        // what fails here is tried again at the next sync
        let Ok(unhealthy) = self.cleanup_unhealthy(&mut old, max_scaled_down) else { return Ok(false) };
        let Ok(healthy) = self.scale_down_old(&old, new) else { return Ok(false) };
        Ok(unhealthy + healthy > 0)
    }

    /// Pods that are not available are removed first: they do not count (`cleanupUnhealthyReplicas`).
    fn cleanup_unhealthy(&mut self, old: &mut [Arc<ReplicaSet>], max: i32) -> Result<i32, Status> {
        let mut removed = 0;
        for set in old.iter_mut() {
            if removed >= max {
                break;
            }
            if size(set) == 0 || size(set) == available(set) {
                continue;
            }
            let count = (max - removed).min(size(set) - available(set));
            let target = size(set) - count;
            *set = self.scale_replica_set(set, target, false)?.1;
            removed = removed.saturating_add(count);
        }
        Ok(removed)
    }

    /// `scaleDownOldReplicaSetsForRollingUpdate`.
    fn scale_down_old(&mut self, old: &[Arc<ReplicaSet>], new: &Arc<ReplicaSet>) -> Result<i32, Status> {
        let min_available = wanted(self.d) - max_unavailable(self.d);
        let surplus = all_sets(Some(new), old).iter().map(|s| available(s)).sum::<i32>() - min_available;
        let mut removed = 0;
        for set in old {
            if removed >= surplus {
                break;
            }
            if size(set) == 0 {
                continue;
            }
            let count = size(set).min(surplus - removed);
            self.scale_replica_set(set, size(set) - count, false)?;
            removed = removed.saturating_add(count);
        }
        Ok(removed)
    }
}
