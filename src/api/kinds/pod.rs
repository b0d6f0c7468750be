//! Pods (`pkg/registry/core/pod/strategy.go`, `pkg/apis/core/v1/defaults.go`, `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::Pod;

use crate::api::strategy::Strategy;

impl Strategy for Pod {
    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }
}

/// How many seconds a deleted pod is given: none when no kubelet has it or when it is over
/// (`podStrategy.CheckGracefulDelete`).
pub fn graceful_deletion_seconds(pod: &Pod, requested: Option<i64>) -> i64 {
    let spec = pod.spec.as_ref();
    let scheduled = spec.and_then(|s| s.node_name.as_deref()).is_some_and(|n| !n.is_empty());
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
    if !scheduled || phase == "Failed" || phase == "Succeeded" {
        return 0;
    }
    let period = requested.or_else(|| spec.and_then(|s| s.termination_grace_period_seconds)).unwrap_or(30);
    if period < 0 { 1 } else { period }
}
