//! NodeResourcesFit: a node must have left what a pod asks for.
use k8s_openapi::api::core::v1::{Node, Pod};
use std::sync::Arc;

use super::framework::{ClusterEvent, Code, Cycle, CycleState, Plugin, Rejection};
use super::node_info::{NodeInfo, PodInfo, node_name, nominated_node};
use super::resource::Resources;
use crate::api::Store;

/// The plugin.
pub struct NodeResourcesFit;

/// A resource a node has too little of.
#[derive(Clone, Debug, PartialEq)]
pub struct Insufficient {
    /// The resource.
    pub name: String,
    /// How much the pod asks for.
    pub requested: i64,
    /// How much other pods on the node ask for.
    pub used: i64,
    /// How much the node has.
    pub capacity: i64,
}

impl Insufficient {
    fn reason(&self) -> String {
        if self.name == "pods" { "Too many pods".to_owned() } else { format!("Insufficient {}", self.name) }
    }
}

/// The resources a node has too little of for a pod (`fitsRequest`); cpu counts in thousandths.
pub fn insufficient(request: &Resources, node: &NodeInfo) -> Vec<Insufficient> {
    let mut missing = Vec::new();
    let used = i64::try_from(node.pod_count()).unwrap_or(i64::MAX);
    if used + 1 > node.allocatable.pods {
        missing.push(Insufficient { name: "pods".to_owned(), requested: 1, used, capacity: node.allocatable.pods });
    }
    let names = ["cpu", "memory", "ephemeral-storage"].into_iter().chain(request.scalar.keys().map(String::as_str));
    for name in names {
        let (requested, used, capacity) = (request.get(name), node.requested.get(name), node.allocatable.get(name));
        if requested > 0 && requested > capacity - used {
            missing.push(Insufficient { name: name.to_owned(), requested, used, capacity });
        }
    }
    missing
}

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        let missing = insufficient(&cycle.pod.requests, node);
        if missing.is_empty() {
            return Ok(());
        }
        let hopeless = missing.iter().any(|m| m.name != "pods" && m.requested > m.capacity);
        let code = if hopeless { Code::UnschedulableAndUnresolvable } else { Code::Unschedulable };
        Err(Rejection { code, reasons: missing.iter().map(Insufficient::reason).collect() })
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::AssignedPodDelete(gone) => !node_name(gone).is_empty() || !nominated_node(gone).is_empty(),
            ClusterEvent::Node { old, new: Some(new) } => node_may_fit(pod, *old, new),
            _ => false,
        }
    }
}

fn node_may_fit(pod: &Pod, old: Option<&Arc<Node>>, new: &Arc<Node>) -> bool {
    let request = PodInfo::new(Arc::new(pod.clone())).requests;
    let empty = NodeInfo::new(new.clone());
    if !insufficient(&request, &empty).is_empty() {
        return false;
    }
    let Some(old) = old else { return true };
    let before = Resources::allocatable(old);
    let grew = |name: &str| empty.allocatable.get(name) > before.get(name);
    grew("pods")
        || ["cpu", "memory", "ephemeral-storage"]
            .into_iter()
            .chain(request.scalar.keys().map(String::as_str))
            .any(|name| request.get(name) > 0 && grew(name))
}

/// LeastAllocated over cpu and memory, 0..=100.
pub fn score(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let parts = [
        (node.non_zero.0 + pod.non_zero.0, node.allocatable.milli_cpu),
        (node.non_zero.1 + pod.non_zero.1, node.allocatable.memory),
    ];
    let counted: Vec<i64> = parts
        .iter()
        .filter(|(_, capacity)| *capacity > 0)
        .map(|(requested, capacity)| if requested > capacity { 0 } else { (capacity - requested) * 100 / capacity })
        .collect();
    if counted.is_empty() { 0 } else { counted.iter().sum::<i64>() / i64::try_from(counted.len()).unwrap_or(1) }
}

/// NodeResourcesBalancedAllocation: how evenly cpu and memory would be used, 0..=100.
pub fn balanced_score(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let fraction = |requested: i64, capacity: i64| {
        if capacity == 0 { 1.0 } else { (requested as f64 / capacity as f64).min(1.0) }
    };
    let cpu = fraction(node.requested.milli_cpu + pod.requests.milli_cpu, node.allocatable.milli_cpu);
    let memory = fraction(node.requested.memory + pod.requests.memory, node.allocatable.memory);
    ((1.0 - (cpu - memory).abs() / 2.0) * 100.0) as i64
}
