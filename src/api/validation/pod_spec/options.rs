//! What may stay invalid because it was so before (`GetValidationOptionsFromPodSpecAndMeta` of `pkg/api/pod/util.go`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};

use super::affinity::{validate_match_label_keys, validate_term_selectors};
use super::annotations::deletion_cost;
use super::security_context::validate_host_sysctl;
use super::visit_containers;
use super::volumes::validate_local_non_reserved_path;
use crate::api::field::Path;
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::is_label_value;
use crate::api::validation::resources::{is_huge_page_resource_name, validate_huge_page_value};

/// How a pod spec is validated. The default is what new templates are held to.
#[derive(Clone, Debug, Default)]
pub struct PodValidationOptions {
    /// The spec is that of a pod, not of a template.
    pub resource_is_pod: bool,
    /// The deletion cost annotation may hold anything.
    pub allow_invalid_pod_deletion_cost: bool,
    /// Selectors of pod affinity may hold values that no label can have.
    pub allow_invalid_label_value_in_selector: bool,
    /// The same for required node affinity.
    pub allow_invalid_label_value_in_required_node_affinity: bool,
    /// Huge pages need not come in whole pages.
    pub allow_indivisible_huge_pages_values: bool,
    /// Selectors of topology spread constraints may be invalid.
    pub allow_invalid_topology_spread_selector: bool,
    /// `matchLabelKeys` of topology spread constraints may be invalid.
    pub old_violates_match_label_keys_validation: bool,
    /// Paths of projected tokens may lead anywhere.
    pub allow_non_local_projected_token_path: bool,
    /// Sysctls of namespaces that the pod shares with the node are let through.
    pub allow_namespaced_sysctls_for_host_namespaces: bool,
    /// Init containers may be restarted to be resized.
    pub allow_existing_restart_container_for_non_sidecar: bool,
    /// Block devices are let through in user namespaces.
    pub allow_user_namespaces_with_volume_devices: bool,
    /// User namespaces are let through with the node's network.
    pub allow_user_namespaces_host_network: bool,
    /// Tolerations may compare numbers.
    pub allow_toleration_comparisons: bool,
    /// `seLinuxChangePolicy` may be other than `Recursive`.
    pub allow_any_se_linux_change_policy: bool,
}

impl PodValidationOptions {
    /// For a new pod.
    pub fn for_pod() -> Self {
        PodValidationOptions { resource_is_pod: true, ..Default::default() }
    }

    /// For a changed pod.
    pub fn for_pod_update(old: &PodSpec, annotations: Option<&BTreeMap<String, String>>) -> Self {
        PodValidationOptions { resource_is_pod: true, ..Self::for_update(old, annotations) }
    }

    /// For a changed template.
    pub fn for_template_update(old: &PodTemplateSpec) -> Self {
        let annotations = old.metadata.as_ref().and_then(|m| m.annotations.as_ref());
        old.spec.as_ref().map(|spec| Self::for_update(spec, annotations)).unwrap_or_default()
    }

    fn for_update(old: &PodSpec, annotations: Option<&BTreeMap<String, String>>) -> Self {
        let path = &Path::root("spec");
        let context = old.security_context.as_ref();
        let affinity = old.affinity.as_ref();
        let pod_terms = |required: Option<&Vec<_>>, preferred: Option<&Vec<_>>| {
            let preferred = preferred.into_iter().flatten();
            let preferred =
                preferred.map(|t: &k8s_openapi::api::core::v1::WeightedPodAffinityTerm| &t.pod_affinity_term);
            required.into_iter().flatten().chain(preferred).any(|t| !validate_term_selectors(t, false, path).is_empty())
        };
        let pod_affinity = affinity.and_then(|a| a.pod_affinity.as_ref());
        let anti_affinity = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
        let required_nodes = affinity
            .and_then(|a| a.node_affinity.as_ref())
            .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        let node_values = required_nodes
            .into_iter()
            .flat_map(|s| &s.node_selector_terms)
            .flat_map(|t| t.match_expressions.iter().flatten())
            .flat_map(|e| e.values.iter().flatten());
        let spread = || old.topology_spread_constraints.iter().flatten();
        let tokens = old.volumes.iter().flatten().filter_map(|v| v.projected.as_ref());
        let mut tokens =
            tokens.flat_map(|p| p.sources.iter().flatten()).filter_map(|s| s.service_account_token.as_ref());
        let sysctls = context.into_iter().flat_map(|c| c.sysctls.iter().flatten());
        let (mut odd_huge_pages, mut devices) = (false, false);
        visit_containers(old, path, |container, path| {
            let resources = container.resources.as_ref();
            let lists = resources.into_iter().flat_map(|r| [r.limits.as_ref(), r.requests.as_ref()]).flatten();
            let odd = |(name, quantity): (&String, &_)| {
                is_huge_page_resource_name(name) && !validate_huge_page_value(name, quantity, path).is_empty()
            };
            odd_huge_pages |= lists.flatten().any(odd);
            devices |= container.volume_devices.as_ref().is_some_and(|d| !d.is_empty());
        });
        let plain_init = old.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() != Some("Always"));
        PodValidationOptions {
            resource_is_pod: false,
            allow_invalid_pod_deletion_cost: deletion_cost(annotations).is_none(),
            allow_invalid_label_value_in_selector: pod_terms(
                pod_affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref()),
                pod_affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
            ) || pod_terms(
                anti_affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref()),
                anti_affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()),
            ),
            allow_invalid_label_value_in_required_node_affinity: node_values
                .into_iter()
                .any(|v| !is_label_value(v).is_empty()),
            allow_indivisible_huge_pages_values: odd_huge_pages,
            allow_invalid_topology_spread_selector: spread()
                .any(|c| !validate_label_selector(c.label_selector.as_ref(), false, path).is_empty()),
            old_violates_match_label_keys_validation: spread().any(|c| {
                let keys = c.match_label_keys.as_deref().unwrap_or_default();
                !validate_match_label_keys(keys, &[], c.label_selector.as_ref(), path).is_empty()
            }),
            allow_non_local_projected_token_path: tokens
                .any(|token| !validate_local_non_reserved_path(&token.path, path).is_empty()),
            allow_namespaced_sysctls_for_host_namespaces: sysctls
                .into_iter()
                .any(|s| validate_host_sysctl(old, &s.name, path).is_some()),
            allow_existing_restart_container_for_non_sidecar: plain_init
                .flat_map(|c| c.resize_policy.iter().flatten())
                .any(|p| p.restart_policy == "RestartContainer"),
            allow_user_namespaces_with_volume_devices: old.host_users == Some(false) && devices,
            allow_user_namespaces_host_network: old.host_users == Some(false) && old.host_network == Some(true),
            allow_toleration_comparisons: old
                .tolerations
                .iter()
                .flatten()
                .any(|t| matches!(t.operator.as_deref(), Some("Lt" | "Gt"))),
            allow_any_se_linux_change_policy: context.is_some_and(|c| c.se_linux_change_policy.is_some()),
        }
    }
}
