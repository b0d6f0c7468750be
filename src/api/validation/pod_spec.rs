//! Pod specs, in pods and in templates (`ValidatePodSpec` of `pkg/apis/core/validation`), with the feature gates of
//! Kubernetes 1.36 at their defaults.
mod affinity;
mod annotations;
mod containers;
mod env;
mod network;
mod options;
mod probes;
mod projected;
mod resources;
mod scheduling;
mod security_context;
mod template;
#[cfg(test)]
mod tests;
mod volumes;

pub use annotations::deletion_cost;
pub use options::PodValidationOptions;
pub use scheduling::{validate_taint_effect, validate_tolerations};
pub use template::{validate_pod_template_spec, validate_pod_template_spec_update};
pub use volumes::{
    validate_azure_disk, validate_csi_driver_name, validate_fc, validate_flocker, validate_host_path,
    validate_local_descending_path, validate_local_non_reserved_path, validate_nfs, validate_path_no_backsteps,
    validate_quobyte,
};

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use self::containers::Surroundings;
use super::invalid_each;
use super::label_selector::validate_labels;
use super::names::{
    inclusive_range_error, name_is_dns_subdomain, validate_dns1123_label, validate_dns1123_subdomain,
    validate_qualified_name,
};
use crate::api::field::{ErrorList, Path};

/// An optional text, which the API does not tell from an empty one.
pub(crate) fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// Calls `visit` with every container and its path: init containers, containers, ephemeral containers
/// (`VisitContainersWithPath`).
pub(crate) fn visit_containers(spec: &PodSpec, path: &Path<'_>, mut visit: impl FnMut(&Container, &Path<'_>)) {
    let list = path.child("initContainers");
    for (i, container) in spec.init_containers.iter().flatten().enumerate() {
        visit(container, &list.index(i));
    }
    let list = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        visit(container, &list.index(i));
    }
    let list = path.child("ephemeralContainers");
    for (i, container) in spec.ephemeral_containers.iter().flatten().enumerate() {
        visit(&as_container(container), &list.index(i));
    }
}

/// An ephemeral container as the container it mostly is.
pub(crate) fn as_container(ephemeral: &EphemeralContainer) -> Container {
    let ephemeral = ephemeral.clone();
    Container {
        args: ephemeral.args,
        command: ephemeral.command,
        env: ephemeral.env,
        env_from: ephemeral.env_from,
        image: ephemeral.image,
        image_pull_policy: ephemeral.image_pull_policy,
        lifecycle: ephemeral.lifecycle,
        liveness_probe: ephemeral.liveness_probe,
        name: ephemeral.name,
        ports: ephemeral.ports,
        readiness_probe: ephemeral.readiness_probe,
        resize_policy: ephemeral.resize_policy,
        resources: ephemeral.resources,
        restart_policy: ephemeral.restart_policy,
        restart_policy_rules: ephemeral.restart_policy_rules,
        security_context: ephemeral.security_context,
        startup_probe: ephemeral.startup_probe,
        stdin: ephemeral.stdin,
        stdin_once: ephemeral.stdin_once,
        termination_message_path: ephemeral.termination_message_path,
        termination_message_policy: ephemeral.termination_message_policy,
        tty: ephemeral.tty,
        volume_devices: ephemeral.volume_devices,
        volume_mounts: ephemeral.volume_mounts,
        working_dir: ephemeral.working_dir,
    }
}

/// A pod's spec; `pod` is the metadata of the pod it belongs to, absent for templates.
pub fn validate_pod_spec(
    spec: &PodSpec,
    pod: Option<&ObjectMeta>,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    if spec.termination_grace_period_seconds.is_none() {
        errors.push(path.child("terminationGracePeriodSeconds").required(""));
    }
    let list = spec.volumes.as_deref().unwrap_or_default();
    let (volumes, volume_errors) = volumes::validate_volumes(list, pod, &path.child("volumes"), options);
    errors.extend(volume_errors);
    let claims = spec.resource_claims.iter().flatten().map(|c| c.name.clone()).filter(|n| !n.is_empty());
    let claims: BTreeSet<String> = claims.collect();
    errors.extend(resources::validate_resource_claims(spec, pod, &path.child("resourceClaims")));
    let around = Surroundings { spec, volumes, claims, options };
    errors.extend(containers::validate_containers(&around, &path.child("containers")));
    errors.extend(containers::validate_init_containers(&around, &path.child("initContainers")));
    errors.extend(containers::validate_ephemeral_containers(&around, &path.child("ephemeralContainers")));
    errors.extend(resources::validate_pod_resources(spec, &around.claims, options, path));
    errors.extend(network::validate_host_network_ports(spec, path, options));
    errors.extend(validate_restart_policy(spec, &path.child("restartPolicy")));
    errors.extend(network::validate_dns_policy(spec, &path.child("dnsPolicy")));
    errors.extend(validate_labels(spec.node_selector.as_ref(), &path.child("nodeSelector")));
    errors.extend(security_context::validate_pod_security_context(spec, &path.child("securityContext"), options));
    if let Some(affinity) = &spec.affinity {
        errors.extend(affinity::validate_affinity(affinity, &path.child("affinity"), options));
    }
    errors.extend(network::validate_dns_config(spec, &path.child("dnsConfig")));
    let gates = path.child("readinessGates");
    for (i, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        errors.extend(validate_qualified_name(&gate.condition_type, &gates.index(i).child("conditionType")));
    }
    let gates = spec.scheduling_gates.as_deref().unwrap_or_default();
    errors.extend(scheduling::validate_scheduling_gates(gates, &path.child("schedulingGates")));
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    errors.extend(scheduling::validate_topology_spread(constraints, &path.child("topologySpreadConstraints"), options));
    errors.extend(security_context::validate_windows_host_process(spec, path));
    errors.extend(security_context::validate_host_users(spec, path, options));
    errors.extend(network::validate_hostname_override(spec, path));
    for (field, name) in [("serviceAccountName", &spec.service_account_name), ("nodeName", &spec.node_name)] {
        errors.extend(validate_name(text(name), &path.child(field)));
    }
    if let Some(seconds) = spec.active_deadline_seconds.filter(|s| !(1..=i64::from(i32::MAX)).contains(s)) {
        let why = inclusive_range_error(1, i64::from(i32::MAX));
        errors.push(path.child("activeDeadlineSeconds").invalid(seconds, why));
    }
    for (field, name) in [("hostname", text(&spec.hostname)), ("subdomain", text(&spec.subdomain))] {
        if !name.is_empty() {
            errors.extend(validate_dns1123_label(name, &path.child(field)));
        }
    }
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    let comparisons = options.allow_toleration_comparisons;
    errors.extend(validate_tolerations(tolerations, comparisons, &path.child("tolerations")));
    let aliases = spec.host_aliases.as_deref().unwrap_or_default();
    errors.extend(network::validate_host_aliases(aliases, &path.child("hostAliases")));
    errors.extend(validate_name(text(&spec.priority_class_name), &path.child("priorityClassName")));
    if let Some(name) = spec.runtime_class_name.as_deref() {
        errors.extend(validate_dns1123_subdomain(name, &path.child("runtimeClassName")));
    }
    if let Some(policy) = spec.preemption_policy.as_deref() {
        errors.extend(validate_preemption_policy(policy, &path.child("preemptionPolicy")));
    }
    errors.extend(resources::validate_overhead(spec, options, &path.child("overhead")));
    errors.extend(security_context::validate_os(spec, path));
    if let Some(group) = &spec.scheduling_group {
        let path = path.child("schedulingGroup");
        let path = path.child("podGroupName");
        match group.pod_group_name.as_deref() {
            None => errors.push(path.invalid(serde_json::Value::Null, "must specify one of: `podGroupName`")),
            Some(name) => errors.extend(validate_dns1123_subdomain(name, &path)),
        }
    }
    errors.extend(env::validate_file_key_ref_volumes(spec, path));
    errors
}

/// The name of another object, if there is one.
fn validate_name(name: &str, path: &Path<'_>) -> ErrorList {
    if name.is_empty() { Vec::new() } else { invalid_each(path, name, name_is_dns_subdomain(name, false)) }
}

fn validate_restart_policy(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    match text(&spec.restart_policy) {
        "Always" | "OnFailure" | "Never" => Vec::new(),
        "" => vec![path.required("")],
        other => vec![path.not_supported(other, &["Always", "OnFailure", "Never"])],
    }
}

/// `ValidatePreemptionPolicy`; also for priority classes.
pub fn validate_preemption_policy(policy: &str, path: &Path<'_>) -> ErrorList {
    match policy {
        "PreemptLowerPriority" | "Never" => Vec::new(),
        "" => vec![path.required("")],
        other => vec![path.not_supported(other, &["PreemptLowerPriority", "Never"])],
    }
}

/// What only pods are checked for besides their spec: the end of `validatePodMetadataAndSpec`.
pub(crate) fn validate_only_for_pods(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if text(&spec.service_account_name).is_empty() {
        let list = path.child("volumes");
        for (i, volume) in spec.volumes.iter().flatten().enumerate() {
            let path = list.index(i);
            let path = path.child("projected");
            let sources_path = path.child("sources");
            let sources = volume.projected.iter().flat_map(|p| p.sources.iter().flatten());
            for (j, _) in sources.enumerate().filter(|(_, source)| source.service_account_token.is_some()) {
                let path = sources_path.index(j);
                let why = "must not be specified when serviceAccountName is not set";
                errors.push(path.child("serviceAccountToken").forbidden(why));
            }
        }
    }
    let list = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        errors.extend(containers::validate_container_only_for_pod(container, &list.index(i)));
    }
    let list = path.child("initContainers");
    for (i, container) in spec.init_containers.iter().flatten().enumerate() {
        errors.extend(containers::validate_container_only_for_pod(container, &list.index(i)));
    }
    errors
}

/// Annotations of a pod or template that mean something for its spec.
pub(crate) fn validate_annotations_for_spec(
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    annotations.map(|a| annotations::validate_pod_annotations(a, spec, path, options)).unwrap_or_default()
}

/// Annotations that may not change on a pod that exists.
pub(crate) fn validate_annotation_updates(new: &ObjectMeta, old: &ObjectMeta, path: &Path<'_>) -> ErrorList {
    let none = BTreeMap::new();
    let (new, old) = (new.annotations.as_ref().unwrap_or(&none), old.annotations.as_ref().unwrap_or(&none));
    annotations::validate_pod_annotation_updates(new, old, path)
}

/// Annotations that must agree with fields, on new objects.
pub(crate) fn validate_annotations_match_fields(
    annotations: Option<&BTreeMap<String, String>>,
    spec: &PodSpec,
    path: &Path<'_>,
) -> ErrorList {
    annotations.map(|a| security_context::validate_annotations_match_fields(a, spec, path)).unwrap_or_default()
}

pub(crate) use security_context::validate_app_armor_profile;
