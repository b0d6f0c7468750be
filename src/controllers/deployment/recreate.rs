//! The strategy Recreate (`pkg/controller/deployment/recreate.go`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;

use super::Rollout;
use super::sync::all_sets;
use super::util::{actual, is_complete, size, wanted};
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::controllers::controller_utils::is_pod_terminal;

impl Rollout<'_> {
    /// Stops all old pods, and only when the last one is gone makes new ones.
    pub(super) fn rollout_recreate(
        &mut self,
        sets: &[Arc<ReplicaSet>],
        pods: &BTreeMap<String, Vec<Arc<Pod>>>,
    ) -> Result<(), Status> {
        let (mut new, mut old) = self.replica_sets_and_revision(sets, false)?;
        let mut scaled_down = false;
        for set in old.iter_mut().filter(|s| size(s) > 0) {
            let (scaled, updated) = self.scale_replica_set(set, 0, false)?;
            *set = updated;
            scaled_down |= scaled;
        }
        if scaled_down || old_pods_running(new.as_ref(), &old, pods) {
            return self.sync_rollout_status(&all_sets(new.as_ref(), &old), new.as_ref());
        }
        if new.is_none() {
            (new, old) = self.replica_sets_and_revision(sets, true)?;
        }
        if let Some(new) = &new {
            self.scale_replica_set(new, wanted(self.d), false)?;
        }
        if is_complete(self.d, &self.d.status.clone().unwrap_or_default()) {
            self.cleanup(&old)?;
        }
        self.sync_rollout_status(&all_sets(new.as_ref(), &old), new.as_ref())
    }
}

/// `oldPodsRunning`.
fn old_pods_running(
    new: Option<&Arc<ReplicaSet>>,
    old: &[Arc<ReplicaSet>],
    pods: &BTreeMap<String, Vec<Arc<Pod>>>,
) -> bool {
    let others = pods.iter().filter(|(uid, _)| new.is_none_or(|n| n.uid() != *uid));
    old.iter().any(|s| actual(s) > 0) || others.flat_map(|(_, pods)| pods).any(|p| !is_pod_terminal(p))
}
