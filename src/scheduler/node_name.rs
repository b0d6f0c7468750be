//! NodeName: a pod that names its node goes nowhere else.
use k8s_openapi::api::core::v1::Pod;

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, Rejection};
use super::node_info::{NodeInfo, node_name};
use crate::api::Store;

/// The plugin.
pub struct NodeName;

/// The plugin's words.
pub const REASON: &str = "node(s) didn't match the requested node name";

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        let wanted = node_name(&cycle.pod.pod);
        if wanted.is_empty() || wanted == node.name() { Ok(()) } else { Err(Rejection::unresolvable(REASON)) }
    }

    fn may_help(&self, _pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        event.node_added()
    }
}
