//! NodePorts: a host port is taken once per node, address and protocol.
use k8s_openapi::api::core::v1::Pod;

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{HostPort, NodeInfo, host_ports};
use crate::api::Store;

/// The plugin.
pub struct NodePorts;

/// The plugin's words.
pub const REASON: &str = "node(s) didn't have free ports for the requested pod ports";

/// Whether a node has a pod's host ports free.
pub fn fits(pod: &Pod, node: &NodeInfo) -> bool {
    !host_ports(pod).iter().any(|port| node.port_in_use(port))
}

fn overlap(a: &HostPort, b: &HostPort) -> bool {
    (&a.1, a.2) == (&b.1, b.2) && (a.0 == b.0 || a.0 == "0.0.0.0" || b.0 == "0.0.0.0")
}

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, _state: &mut CycleState) -> Result<PreFilter, Rejection> {
        Ok(if host_ports(&cycle.pod.pod).is_empty() { PreFilter::Skip } else { PreFilter::All })
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        if fits(&cycle.pod.pod, node) { Ok(()) } else { Err(Rejection::unschedulable(REASON)) }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::AssignedPodDelete(gone) => {
                let freed = host_ports(gone);
                host_ports(pod).iter().any(|port| freed.iter().any(|f| overlap(port, f)))
            }
            _ => event.node_added(),
        }
    }
}
