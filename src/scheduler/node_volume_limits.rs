//! NodeVolumeLimits: how many CSI volumes a node can attach. Nodes here have no CSINode objects and so no limits; what
//! remains of the plugin is that it wants a pod's claims to exist.
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, claim_names};
use crate::api::{ApiObject, Store};

/// The plugin.
pub struct NodeVolumeLimits;

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, _state: &mut CycleState) -> Result<PreFilter, Rejection> {
        Ok(if claim_names(&cycle.pod.pod).next().is_some() { PreFilter::All } else { PreFilter::Skip })
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, _node: &NodeInfo) -> Result<(), Rejection> {
        let pod = &cycle.pod.pod;
        let missing = claim_names(pod)
            .find(|(name, _)| cycle.store.get::<PersistentVolumeClaim>(pod.namespace(), name).is_none());
        match missing {
            Some((name, _)) => Err(Rejection::unresolvable(format!("persistentvolumeclaim \"{name}\" not found"))),
            None => Ok(()),
        }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::AssignedPodDelete(gone) => claim_names(gone).next().is_some(),
            ClusterEvent::Claim { old: None, new } => {
                new.namespace() == pod.namespace() && claim_names(pod).any(|(c, _)| c == new.name())
            }
            _ => false,
        }
    }
}
