//! What a failed pod means for its Job (`pkg/controller/job/pod_failure_policy.go`).
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::is_pod_failed;
use crate::api::object::ApiObject;

/// The rule that a failed pod matches, with its index.
fn matching_rule<'a>(spec: &'a JobSpec, pod: &Pod) -> Option<(usize, &'a PodFailurePolicyRule, String)> {
    let rules = &spec.pod_failure_policy.as_ref()?.rules;
    let status = pod.status.as_ref()?;
    rules.iter().enumerate().find_map(|(index, rule)| {
        let (namespace, name) = (pod.namespace(), pod.name());
        let what = if let Some(requirement) = &rule.on_exit_codes {
            let containers = status.container_statuses.iter().flatten();
            let mut all = containers.chain(status.init_container_statuses.iter().flatten());
            let (container, code) = all.find_map(|c| Some((c, matching_exit_code(c, requirement)?)))?;
            format!("Container {} for pod {namespace}/{name} failed with exit code {code}", container.name)
        } else {
            let mut conditions = status.conditions.iter().flatten();
            let condition = conditions.find(|condition| {
                let mut patterns = rule.on_pod_conditions.iter().flatten();
                patterns.any(|p| p.type_ == condition.type_ && p.status.as_deref() == Some(&*condition.status))
            })?;
            format!("Pod {namespace}/{name} has condition {}", condition.type_)
        };
        let message = format!("{what} matching {} rule at index {index}", rule.action);
        Some((index, rule, message))
    })
}

fn matching_exit_code(
    container: &ContainerStatus,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<i32> {
    let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
    let named = requirement.container_name.as_ref().is_none_or(|n| *n == container.name);
    let listed = requirement.values.contains(&code);
    let matches = match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    };
    (named && code != 0 && matches).then_some(code)
}

/// Whether a failed pod counts towards the backoff limit: not if the policy says to ignore it.
pub(super) fn is_counted(spec: &JobSpec, pod: &Pod) -> bool {
    matching_rule(spec, pod).is_none_or(|(_, rule, _)| rule.action != "Ignore")
}

/// Whether a failed pod fails its index for good.
pub(super) fn fails_index(spec: &JobSpec, pod: &Pod) -> bool {
    matching_rule(spec, pod).is_some_and(|(_, rule, _)| rule.action == "FailIndex")
}

/// Why the Job fails at once, if a pod says so (`getFailJobMessage`).
pub(super) fn failure_message(spec: &JobSpec, pods: &[Arc<Pod>]) -> Option<String> {
    let failed = pods.iter().filter(|p| is_pod_failed(p, spec));
    failed.filter_map(|p| matching_rule(spec, p)).find(|(_, rule, _)| rule.action == "FailJob").map(|(_, _, m)| m)
}
