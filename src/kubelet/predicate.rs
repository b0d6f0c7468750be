//! What a kubelet checks before it takes a pod (`pkg/kubelet/lifecycle/predicate.go`): the pod may have come past the
//! scheduler.
use k8s_openapi::api::core::v1::Pod;

use super::sysctls;
use crate::scheduler::node_info::{NodeInfo, PodInfo, node_name, spec_of};
use crate::scheduler::{
    node_affinity, node_name as node_name_plugin, node_ports, node_resources_fit, taint_toleration,
};

/// A pod that a kubelet will not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// `status.reason` and the event's reason.
    pub reason: String,
    /// What the event says.
    pub message: String,
}

/// Whether a node with the pods that run on it takes one more.
pub fn admit(info: &PodInfo, node: &NodeInfo) -> Result<(), Refusal> {
    let pod = &info.pod;
    for sysctl in spec_of(pod).security_context.iter().flat_map(|c| c.sysctls.iter().flatten()) {
        sysctls::check(&sysctl.name, spec_of(pod))
            .or_else(|why| refuse("SysctlForbidden", &format!("forbidden sysctl: {why}")))?;
    }
    if let Some(wanted) = pod.metadata.labels.as_ref().and_then(|l| l.get("kubernetes.io/os"))
        && wanted != "linux"
    {
        return refuse(
            "PodOSSelectorNodeLabelDoesNotMatch",
            "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
        );
    }
    if spec_of(pod).os.as_ref().is_some_and(|os| os.name != "linux") {
        return refuse("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
    }
    let mut request = info.requests.clone();
    // extended resources the node does not know are somebody else's business
    request.scalar.retain(|name, _| !is_extended(name) || node.allocatable.scalar.contains_key(name));
    if let Some(missing) = node_resources_fit::insufficient(&request, node).into_iter().next() {
        let message = format!(
            "Node didn't have enough resource: {}, requested: {}, used: {}, capacity: {}",
            missing.name, missing.requested, missing.used, missing.capacity
        );
        return Err(Refusal { reason: format!("OutOf{}", missing.name), message });
    }
    let failed = |name: &str, why: &str| {
        Err(Refusal { reason: name.to_owned(), message: format!("Predicate {name} failed: {why}") })
    };
    if !node_affinity::matches(pod, &node.node) {
        return failed("NodeAffinity", node_affinity::REASON);
    }
    if node_name(pod) != node.name() {
        return failed("NodeName", node_name_plugin::REASON);
    }
    if !node_ports::fits(pod, node) {
        return failed("NodePorts", node_ports::REASON);
    }
    if taint_toleration::untolerated(pod, &node.node, &["NoExecute"]).is_some() {
        return failed("TaintToleration", "node(s) had taints that the pod didn't tolerate");
    }
    Ok(())
}

fn refuse(reason: &str, message: &str) -> Result<(), Refusal> {
    Err(Refusal { reason: reason.to_owned(), message: message.to_owned() })
}

/// `IsExtendedResourceName`: neither native nor a quota of requests.
fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// Whether a pod is one that its node must have (`IsCriticalPod`): it is taken though resources are short.
pub fn is_critical(pod: &Pod) -> bool {
    crate::scheduler::node_info::priority(pod) >= 2_000_000_000
}
