//! NodeUnschedulable: cordoned nodes take only pods that tolerate that.
use k8s_openapi::api::core::v1::{Node, Pod, Taint};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, Rejection};
use super::node_info::NodeInfo;
use super::taint_toleration::tolerates;
use crate::api::Store;

/// The plugin.
pub struct NodeUnschedulable;

/// Whether a node is cordoned.
fn unschedulable(node: &Node) -> bool {
    node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true)
}

fn tolerated(pod: &Pod) -> bool {
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Default::default()
    };
    tolerates(pod, &taint)
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        if unschedulable(&node.node) && !tolerated(&cycle.pod.pod) {
            return Err(Rejection::unresolvable("node(s) were unschedulable"));
        }
        Ok(())
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::Node { old, new: Some(new) } => {
                !unschedulable(new) && old.is_none_or(|o| unschedulable(o) || o.spec != new.spec)
            }
            ClusterEvent::PodUpdate { old, new } => {
                new.metadata.uid == pod.metadata.uid && !tolerated(old) && tolerated(new)
            }
            _ => false,
        }
    }
}
