//! Containers of all three lists (`validateContainers`, `validateInitContainers`, `validateEphemeralContainers` of
//! `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerResizePolicy, ContainerRestartRule, EphemeralContainer, PodSpec, VolumeDevice,
    VolumeMount,
};

use super::env::{validate_env, validate_env_from};
use super::probes::{Lifetime, validate_lifecycle, validate_probes};
use super::security_context::validate_security_context;
use super::volumes::{ValidVolumes, validate_local_descending_path, validate_path_no_backsteps};
use super::{PodValidationOptions, as_container, text};
use crate::api::field::{ErrorList, Path};
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_valid_port_name, validate_dns1123_label};
use crate::api::validation::ports::validate_port_num;
use crate::api::validation::resources::validate_container_resource_requirements;

/// What the containers of a pod are checked against.
pub(super) struct Surroundings<'a> {
    pub(super) spec: &'a PodSpec,
    pub(super) volumes: ValidVolumes<'a>,
    pub(super) claims: BTreeSet<String>,
    pub(super) options: &'a PodValidationOptions,
}

impl Surroundings<'_> {
    fn lifetime(&self) -> Lifetime<'_> {
        Lifetime { grace_period: self.spec.termination_grace_period_seconds, os: self.spec.os.as_ref() }
    }
    fn host_users(&self) -> bool {
        self.spec.host_users != Some(false)
    }
}

/// `spec.containers`.
pub(super) fn validate_containers(around: &Surroundings<'_>, path: &Path<'_>) -> ErrorList {
    let containers = &around.spec.containers;
    if containers.is_empty() {
        return vec![path.required("")];
    }
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_common(container, around, &path));
        if !names.insert(container.name.as_str()) {
            errors.push(path.child("name").duplicate(container.name.as_str()));
        }
        if let Some(lifecycle) = &container.lifecycle {
            errors.extend(validate_lifecycle(lifecycle, &around.lifetime(), &path.child("lifecycle")));
        }
        errors.extend(validate_probes(container, &path));
        errors.extend(validate_restart_policy(container, &path));
    }
    errors.extend(check_host_port_conflicts(containers, path));
    errors
}

/// `spec.initContainers`, sidecars (`restartPolicy: Always`) included.
pub(super) fn validate_init_containers(around: &Surroundings<'_>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut names: BTreeSet<&str> = around.spec.containers.iter().map(|c| c.name.as_str()).collect();
    for (i, container) in around.spec.init_containers.iter().flatten().enumerate() {
        let own = path.index(i);
        errors.extend(validate_common(container, around, &own));
        match (&container.restart_policy, &container.restart_policy_rules) {
            // the rules themselves are not looked at then
            (None, Some(rules)) if !rules.is_empty() => {
                let why = "must specify restartPolicy when restart rules are used";
                errors.push(own.child("restartPolicy").required(why));
            }
            _ => errors.extend(validate_restart_policy(container, &own)),
        }
        if names.contains(container.name.as_str()) {
            errors.push(own.child("name").duplicate(container.name.as_str()));
        } else if !container.name.is_empty() {
            names.insert(&container.name);
        }
        // Kubernetes reports these as if each were the first of the list
        errors.extend(check_host_port_conflicts(std::slice::from_ref(container), path));
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        if sidecar {
            if let Some(lifecycle) = &container.lifecycle {
                errors.extend(validate_lifecycle(lifecycle, &around.lifetime(), &own.child("lifecycle")));
            }
            errors.extend(validate_probes(container, &own));
        } else {
            let set = [
                ("lifecycle", container.lifecycle.is_some()),
                ("livenessProbe", container.liveness_probe.is_some()),
                ("readinessProbe", container.readiness_probe.is_some()),
                ("startupProbe", container.startup_probe.is_some()),
            ];
            let why = "may not be set for init containers without restartPolicy=Always";
            errors.extend(set.iter().filter(|(_, set)| *set).map(|(f, _)| own.child(f).forbidden(why)));
        }
        if !sidecar && !around.options.allow_existing_restart_container_for_non_sidecar {
            let list = own.child("resizePolicy");
            for (j, policy) in container.resize_policy.iter().flatten().enumerate() {
                if policy.restart_policy == "RestartContainer" {
                    let why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
                    let path = list.index(j);
                    errors.push(path.child("restartPolicy").invalid(policy.restart_policy.as_str(), why));
                }
            }
        }
    }
    errors
}

/// `spec.ephemeralContainers`.
pub(super) fn validate_ephemeral_containers(around: &Surroundings<'_>, path: &Path<'_>) -> ErrorList {
    let spec = around.spec;
    let mut errors = Vec::new();
    let others = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let others: BTreeSet<&str> = others.map(|c| c.name.as_str()).collect();
    let mut all = others.clone();
    for (i, ephemeral) in spec.ephemeral_containers.iter().flatten().enumerate() {
        let path = path.index(i);
        let container = as_container(ephemeral);
        errors.extend(validate_common(&container, around, &path));
        errors.extend(validate_container_only_for_pod(&container, &path));
        if !all.insert(&ephemeral.name) {
            errors.push(path.child("name").duplicate(ephemeral.name.as_str()));
        }
        let target = text(&ephemeral.target_container_name);
        if !target.is_empty() && !others.contains(target) {
            errors.push(path.child("targetContainerName").not_found(target));
        }
        let why = "cannot be set for an Ephemeral Container";
        errors.extend(disallowed_fields(ephemeral).into_iter().map(|f| path.child(f).forbidden(why)));
        let mounts = path.child("volumeMounts");
        for (j, mount) in ephemeral.volume_mounts.iter().flatten().enumerate() {
            for (field, value) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
                if !text(value).is_empty() {
                    errors.push(mounts.index(j).child(field).forbidden(why));
                }
            }
        }
    }
    errors
}

/// Fields of an ephemeral container that are set but not allowed, in the order of the Go type.
fn disallowed_fields(container: &EphemeralContainer) -> Vec<&'static str> {
    let resources = container.resources.as_ref();
    let set = [
        ("ports", container.ports.is_some()),
        ("resources", resources.is_some_and(|r| r.limits.is_some() || r.requests.is_some() || r.claims.is_some())),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ];
    set.into_iter().filter(|(_, set)| *set).map(|(field, _)| field).collect()
}

/// What only pods are checked for, not templates (`validateContainerOnlyForPod`).
pub(super) fn validate_container_only_for_pod(container: &Container, path: &Path<'_>) -> ErrorList {
    let image = text(&container.image);
    if image.trim() == image {
        return Vec::new();
    }
    vec![path.child("image").invalid(image, "must not have leading or trailing whitespace")]
}

/// `validateContainerCommon`.
fn validate_common(container: &Container, around: &Surroundings<'_>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if container.name.is_empty() {
        errors.push(path.child("name").required(""));
    } else {
        errors.extend(validate_dns1123_label(&container.name, &path.child("name")));
    }
    if text(&container.image).is_empty() {
        errors.push(path.child("image").required(""));
    }
    let policy_path = path.child("terminationMessagePolicy");
    match text(&container.termination_message_policy) {
        "File" | "FallbackToLogsOnError" => {}
        "" => errors.push(policy_path.required("")),
        other => errors.push(policy_path.not_supported(other, &["File", "FallbackToLogsOnError"])),
    }
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let ports = container.ports.as_deref().unwrap_or_default();
    errors.extend(validate_ports(ports, &path.child("ports")));
    errors.extend(validate_env(container.env.as_deref().unwrap_or_default(), &path.child("env")));
    errors.extend(validate_env_from(container.env_from.as_deref().unwrap_or_default(), &path.child("envFrom")));
    errors.extend(validate_mounts(container, mounts, devices, &around.volumes, &path.child("volumeMounts")));
    errors.extend(validate_devices(devices, mounts, &around.volumes, &path.child("volumeDevices")));
    errors.extend(validate_pull_policy(text(&container.image_pull_policy), &path.child("imagePullPolicy")));
    if let Some(resources) = &container.resources {
        let path = path.child("resources");
        errors.extend(validate_container_resource_requirements(
            resources,
            &around.claims,
            around.options.allow_indivisible_huge_pages_values,
            &path,
        ));
    }
    let resize = container.resize_policy.as_deref().unwrap_or_default();
    errors.extend(validate_resize_policy(resize, text(&around.spec.restart_policy), &path.child("resizePolicy")));
    if let Some(context) = &container.security_context {
        errors.extend(validate_security_context(context, around.host_users(), &path.child("securityContext")));
    }
    errors
}

fn validate_ports(ports: &[ContainerPort], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = text(&port.name);
        if !name.is_empty() {
            let messages = is_valid_port_name(name);
            if !messages.is_empty() {
                errors.extend(invalid_each(&path.child("name"), name, messages));
            } else if !names.insert(name) {
                errors.push(path.child("name").duplicate(name));
            }
        }
        if port.container_port == 0 {
            errors.push(path.child("containerPort").required(""));
        } else {
            errors.extend(validate_port_num(port.container_port, &path.child("containerPort")));
        }
        if let Some(host_port) = port.host_port.filter(|p| *p != 0) {
            errors.extend(validate_port_num(host_port, &path.child("hostPort")));
        }
        match text(&port.protocol) {
            "TCP" | "UDP" | "SCTP" => {}
            "" => errors.push(path.child("protocol").required("")),
            other => errors.push(path.child("protocol").not_supported(other, &["SCTP", "TCP", "UDP"])),
        }
    }
    errors
}

fn validate_mounts(
    container: &Container,
    mounts: &[VolumeMount],
    devices: &[VolumeDevice],
    volumes: &ValidVolumes<'_>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let mut points = BTreeSet::new();
    // by name: the last one of a name counts
    let devices: BTreeMap<&str, &str> = devices.iter().map(|d| (d.name.as_str(), d.device_path.as_str())).collect();
    for (i, mount) in mounts.iter().enumerate() {
        let own = path.index(i);
        let (name, point) = (mount.name.as_str(), mount.mount_path.as_str());
        let (name_path, point_path) = (own.child("name"), own.child("mountPath"));
        if name.is_empty() {
            errors.push(name_path.required(""));
        }
        if !volumes.contains_key(name) {
            errors.push(name_path.not_found(name));
        }
        if point.is_empty() {
            errors.push(point_path.required(""));
        }
        if !points.insert(point) {
            errors.push(point_path.invalid(point, "must be unique"));
        }
        if devices.contains_key(name) {
            errors.push(name_path.invalid(name, "must not already exist in volumeDevices"));
        }
        if devices.values().any(|device| *device == point) {
            errors.push(point_path.invalid(point, "must not already exist as a path in volumeDevices"));
        }
        // the following are reported without the mount's index, as Kubernetes does
        let (sub_path, expression) = (text(&mount.sub_path), text(&mount.sub_path_expr));
        if !sub_path.is_empty() {
            errors.extend(validate_local_descending_path(sub_path, &path.child("subPath")));
        }
        if !expression.is_empty() {
            if !sub_path.is_empty() {
                let why = "subPathExpr and subPath are mutually exclusive";
                errors.push(own.child("subPathExpr").invalid(expression, why));
            }
            errors.extend(validate_local_descending_path(expression, &path.child("subPathExpr")));
        }
        errors.extend(validate_mount_propagation(mount, container, &path.child("mountPropagation")));
        errors.extend(validate_recursive_read_only(mount, &path.child("recursiveReadOnly")));
    }
    errors
}

fn validate_mount_propagation(mount: &VolumeMount, container: &Container, path: &Path<'_>) -> ErrorList {
    let Some(mode) = mount.mount_propagation.as_deref() else { return Vec::new() };
    let mut errors = Vec::new();
    let supported = ["Bidirectional", "HostToContainer", "None"];
    if !supported.contains(&mode) {
        errors.push(path.not_supported(mode, &supported));
    }
    let privileged = container.security_context.as_ref().and_then(|c| c.privileged) == Some(true);
    if mode == "Bidirectional" && !privileged {
        errors.push(path.forbidden("Bidirectional mount propagation is available only to privileged containers"));
    }
    errors
}

fn validate_recursive_read_only(mount: &VolumeMount, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.push(path.forbidden("may only be specified when readOnly is true"));
            }
            if mount.mount_propagation.as_deref().is_some_and(|mode| mode != "None") {
                let why = "may only be specified when mountPropagation is None or not specified";
                errors.push(path.forbidden(why));
            }
        }
        Some(other) => errors.push(path.not_supported(other, &["Disabled", "Enabled", "IfPossible"])),
    }
    errors
}

fn validate_devices(
    devices: &[VolumeDevice],
    mounts: &[VolumeMount],
    volumes: &ValidVolumes<'_>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mounts: BTreeMap<&str, &str> = mounts.iter().map(|m| (m.name.as_str(), m.mount_path.as_str())).collect();
    for (i, device) in devices.iter().enumerate() {
        let own = path.index(i);
        let (name, target) = (device.name.as_str(), device.device_path.as_str());
        let (name_path, target_path) = (own.child("name"), own.child("devicePath"));
        if name.is_empty() {
            errors.push(name_path.required(""));
        }
        if names.contains(name) {
            errors.push(name_path.invalid(name, "must be unique"));
        }
        match volumes.get(name) {
            None => errors.push(name_path.not_found(name)),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(name_path.invalid(name, why));
            }
            Some(_) => {}
        }
        if target.is_empty() {
            errors.push(target_path.required(""));
        }
        if paths.contains(target) {
            errors.push(target_path.invalid(target, "must be unique"));
        }
        if !target.is_empty() && !validate_path_no_backsteps(target, path).is_empty() {
            errors.push(target_path.invalid(target, "can not contain backsteps ('..')"));
        } else {
            paths.insert(target);
        }
        if mounts.contains_key(name) {
            errors.push(name_path.invalid(name, "must not already exist in volumeMounts"));
        }
        if mounts.values().any(|mount| *mount == target) {
            errors.push(target_path.invalid(target, "must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
    errors
}

/// `validatePullPolicy`; also for image volumes.
pub(super) fn validate_pull_policy(policy: &str, path: &Path<'_>) -> ErrorList {
    match policy {
        "Always" | "IfNotPresent" | "Never" => Vec::new(),
        "" => vec![path.required("")],
        other => vec![path.not_supported(other, &["Always", "IfNotPresent", "Never"])],
    }
}

fn validate_resize_policy(policies: &[ContainerResizePolicy], pod_restart_policy: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut resources = BTreeSet::new();
    for (i, policy) in policies.iter().enumerate() {
        let (resource, restart) = (policy.resource_name.as_str(), policy.restart_policy.as_str());
        if !resources.insert(resource) {
            errors.push(path.index(i).duplicate(resource));
        }
        match resource {
            "cpu" | "memory" => {}
            "" => errors.push(path.required("")),
            other => errors.push(path.not_supported(other, &["cpu", "memory"])),
        }
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.push(path.required("")),
            other => errors.push(path.not_supported(other, &["NotRequired", "RestartContainer"])),
        }
        if pod_restart_policy == "Never" && restart != "NotRequired" {
            errors.push(path.invalid(restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
        }
    }
    errors
}

/// A container's own restart policy and rules (`validateContainerRestartPolicy`, which with 1.36's feature gates is also
/// what init containers are checked by).
fn validate_restart_policy(container: &Container, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    let policy_path = path.child("restartPolicy");
    match container.restart_policy.as_deref() {
        None if rules.is_empty() => return errors,
        None => errors.push(policy_path.required("must specify restartPolicy when restart rules are used")),
        Some("Always" | "Never" | "OnFailure") => {}
        Some(other) => errors.push(policy_path.not_supported(other, &["Always", "Never", "OnFailure"])),
    }
    let list = path.child("restartPolicyRules");
    if rules.len() > 20 {
        errors.push(list.too_many(rules.len(), 20));
    }
    for (i, rule) in rules.iter().enumerate() {
        errors.extend(validate_restart_rule(rule, &list.index(i)));
    }
    errors
}

fn validate_restart_rule(rule: &ContainerRestartRule, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let actions = ["Restart", "RestartAllContainers"];
    if !actions.contains(&rule.action.as_str()) {
        errors.push(path.child("action").not_supported(rule.action.as_str(), &actions));
    }
    let codes_path = path.child("exitCodes");
    let Some(codes) = &rule.exit_codes else {
        errors.push(codes_path.required("must be specified"));
        return errors;
    };
    if !matches!(codes.operator.as_str(), "In" | "NotIn") {
        errors.push(codes_path.child("operator").not_supported(codes.operator.as_str(), &["In", "NotIn"]));
    }
    let count = codes.values.as_ref().map_or(0, Vec::len);
    if count > 255 {
        errors.push(codes_path.child("values").too_many(count, 255));
    }
    errors
}

/// No two containers may ask for the same port of the node (`checkHostPortConflicts`).
fn check_host_port_conflicts(containers: &[Container], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        let ports = path.child("ports");
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let Some(number) = port.host_port.filter(|p| *p != 0) else { continue };
            let key = format!("{}/{}/{number}", text(&port.protocol), text(&port.host_ip));
            if !taken.insert(key.clone()) {
                errors.push(ports.index(j).child("hostPort").duplicate(key));
            }
        }
    }
    errors
}
