//! Defaults of pod specs (`SetDefaults_PodSpec`, `SetDefaults_Container`, `SetDefaults_Volume`… and the generated
//! `SetObjectDefaults_*` of `pkg/apis/core/v1`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, DownwardAPIVolumeFile, EmptyDirVolumeSource, EnvVar, EphemeralContainer, HTTPGetAction,
    Lifecycle, ObjectFieldSelector, Pod, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::image_name::image_tag;
use crate::api::kinds::persistent_volume_claim;
use crate::api::pod_resources::{
    aggregate_container_limits, aggregate_container_requests, is_pod_level_resource, to_resource_list,
};
use crate::api::quantity::{Quantity, scale};
use crate::api::validation::resources::{is_huge_page_resource_name, is_overcommit_allowed};

/// The defaults of a pod: those of its spec and a few that templates do not get.
pub fn set_pod_defaults(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        requests_from_limits(container);
    }
    set_pod_level_limits(spec);
    set_pod_level_requests(spec);
    spec.enable_service_links.get_or_insert(true);
    if spec.host_network == Some(true) {
        let init_containers = spec.init_containers.iter_mut().flatten();
        let containers = spec.containers.iter_mut().chain(init_containers);
        for port in containers.flat_map(|c| c.ports.iter_mut().flatten()) {
            if port.host_port.unwrap_or(0) == 0 {
                port.host_port = Some(port.container_port);
            }
        }
    }
    set_pod_spec_defaults(spec);
    // on conversion, and only for pods
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        spec.termination_grace_period_seconds = Some(1);
    }
}

/// The defaults of a workload's template.
pub fn set_pod_template_defaults(template: &mut PodTemplateSpec) {
    template.metadata.get_or_insert_default();
    set_pod_spec_defaults(template.spec.get_or_insert_default());
}

/// The defaults that pods and templates have in common.
pub fn set_pod_spec_defaults(spec: &mut PodSpec) {
    set(&mut spec.dns_policy, "ClusterFirst");
    set(&mut spec.restart_policy, "Always");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    set(&mut spec.scheduler_name, "default-scheduler");
    // the old name is an alias of the new one
    if spec.service_account_name.as_deref().unwrap_or_default().is_empty() {
        spec.service_account_name = spec.service_account.take().filter(|name| !name.is_empty());
    }
    spec.service_account.clone_from(&spec.service_account_name);
    for volume in spec.volumes.iter_mut().flatten() {
        set_volume_defaults(volume);
    }
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        set_container_defaults(container);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        set_ephemeral_container_defaults(container);
    }
    round_up(spec.overhead.as_mut());
    if let Some(resources) = &mut spec.resources {
        set_resource_defaults(resources);
    }
}

/// Sets a text that is empty.
fn set(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

/// Sets a number that is zero.
fn set_number(field: &mut Option<i32>, value: i32) {
    if field.unwrap_or(0) == 0 {
        *field = Some(value);
    }
}

/// Amounts finer than a thousandth are rounded up (`SetDefaults_ResourceList`).
fn round_up(list: Option<&mut BTreeMap<String, ApiQuantity>>) {
    for value in list.into_iter().flat_map(BTreeMap::values_mut) {
        let mut quantity = Quantity::of(value);
        if !quantity.round_up(scale::MILLI) {
            *value = ApiQuantity(quantity.to_string());
        }
    }
}

fn set_resource_defaults(resources: &mut ResourceRequirements) {
    round_up(resources.limits.as_mut());
    round_up(resources.requests.as_mut());
}

fn requests_from_limits(container: &mut Container) {
    let Some(resources) = &mut container.resources else { return };
    let Some(limits) = resources.limits.as_ref().filter(|l| !l.is_empty()) else { return };
    let requests = resources.requests.get_or_insert_default();
    for (name, limit) in limits {
        if !requests.contains_key(name) {
            requests.insert(name.clone(), limit.clone());
        }
    }
}

/// `defaultHugePagePodLimits`.
fn set_pod_level_limits(spec: &mut PodSpec) {
    let Some(resources) = &spec.resources else { return };
    let is_set = |list: &Option<BTreeMap<_, _>>| list.as_ref().is_some_and(|l| !l.is_empty());
    if !is_set(&resources.limits) && !is_set(&resources.requests) {
        return;
    }
    let mut sums = aggregate_container_limits(spec);
    let requested = |name: &str| resources.requests.as_ref().is_some_and(|r| r.contains_key(name));
    sums.retain(|name, _| is_huge_page_resource_name(name) && !requested(name));
    if let Some(resources) = spec.resources.as_mut().filter(|_| !sums.is_empty()) {
        let limits = resources.limits.get_or_insert_default();
        for (name, limit) in to_resource_list(&sums) {
            limits.entry(name).or_insert(limit);
        }
    }
}

/// What the containers request, or else the pod's limits (`defaultPodRequests`).
fn set_pod_level_requests(spec: &mut PodSpec) {
    if spec.resources.as_ref().and_then(|r| r.limits.as_ref()).is_none_or(BTreeMap::is_empty) {
        return;
    }
    let mut sums = aggregate_container_requests(spec);
    sums.retain(|name, _| is_pod_level_resource(name) && is_overcommit_allowed(name));
    let Some(resources) = &mut spec.resources else { return };
    let mut requests = resources.requests.take().unwrap_or_default();
    for (name, sum) in to_resource_list(&sums) {
        requests.entry(name).or_insert(sum);
    }
    for (name, limit) in resources.limits.iter().flatten().filter(|(name, _)| is_pod_level_resource(name)) {
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
    resources.requests = (!requests.is_empty()).then_some(requests);
}

fn set_field_selector_defaults(selector: &mut ObjectFieldSelector) {
    set(&mut selector.api_version, "v1");
}

fn set_downward_api_defaults(items: Option<&mut Vec<DownwardAPIVolumeFile>>) {
    for field in items.into_iter().flatten().filter_map(|item| item.field_ref.as_mut()) {
        set_field_selector_defaults(field);
    }
}

/// `SetDefaults_Volume` and the defaults of the sources; a volume without source becomes an emptyDir.
fn set_volume_defaults(volume: &mut Volume) {
    const DEFAULT_MODE: i32 = 0o644;
    let empty = Volume { name: volume.name.clone(), ..Default::default() };
    if *volume == empty {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(image) = &mut volume.image {
        let tag = image_tag(image.reference.as_deref().unwrap_or_default());
        set(&mut image.pull_policy, pull_policy(tag));
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.iscsi {
        set(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut volume.rbd {
        set(&mut source.pool, "rbd");
        set(&mut source.user, "admin");
        set(&mut source.keyring, "/etc/ceph/keyring");
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(DEFAULT_MODE);
        set_downward_api_defaults(source.items.as_mut());
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.azure_disk {
        source.caching_mode.get_or_insert_with(|| "ReadWrite".to_owned());
        source.fs_type.get_or_insert_with(|| "ext4".to_owned());
        source.read_only.get_or_insert(false);
        source.kind.get_or_insert_with(|| "Shared".to_owned());
    }
    if let Some(source) = &mut volume.projected {
        source.default_mode.get_or_insert(DEFAULT_MODE);
        for projection in source.sources.iter_mut().flatten() {
            if let Some(downward) = &mut projection.downward_api {
                set_downward_api_defaults(downward.items.as_mut());
            }
            if let Some(token) = &mut projection.service_account_token {
                token.expiration_seconds.get_or_insert(3600);
            }
        }
    }
    if let Some(source) = &mut volume.scale_io {
        set(&mut source.storage_mode, "ThinProvisioned");
        set(&mut source.fs_type, "xfs");
    }
    if let Some(template) = volume.ephemeral.as_mut().and_then(|e| e.volume_claim_template.as_mut()) {
        persistent_volume_claim::set_spec_defaults(&mut template.spec);
    }
}

/// `Always` for `latest`, also when that is only implied.
fn pull_policy(tag: Option<&str>) -> &'static str {
    if tag == Some("latest") { "Always" } else { "IfNotPresent" }
}

/// The fields that containers of all kinds have.
struct Common<'a> {
    image: Option<&'a str>,
    image_pull_policy: &'a mut Option<String>,
    termination_message_path: &'a mut Option<String>,
    termination_message_policy: &'a mut Option<String>,
    ports: Option<&'a mut Vec<ContainerPort>>,
    env: Option<&'a mut Vec<EnvVar>>,
    resources: &'a mut Option<ResourceRequirements>,
    probes: [Option<&'a mut Probe>; 3],
    lifecycle: Option<&'a mut Lifecycle>,
}

/// [`Common`] of a container of either type.
macro_rules! common {
    ($container:ident) => {
        Common {
            image: $container.image.as_deref(),
            image_pull_policy: &mut $container.image_pull_policy,
            termination_message_path: &mut $container.termination_message_path,
            termination_message_policy: &mut $container.termination_message_policy,
            ports: $container.ports.as_mut(),
            env: $container.env.as_mut(),
            resources: &mut $container.resources,
            probes: [
                $container.liveness_probe.as_mut(),
                $container.readiness_probe.as_mut(),
                $container.startup_probe.as_mut(),
            ],
            lifecycle: $container.lifecycle.as_mut(),
        }
    };
}

fn set_container_defaults(container: &mut Container) {
    set_common_defaults(common!(container));
}

fn set_ephemeral_container_defaults(container: &mut EphemeralContainer) {
    set_common_defaults(common!(container));
}

fn set_common_defaults(container: Common<'_>) {
    set(container.image_pull_policy, pull_policy(image_tag(container.image.unwrap_or_default())));
    set(container.termination_message_path, "/dev/termination-log");
    set(container.termination_message_policy, "File");
    for port in container.ports.into_iter().flatten() {
        set(&mut port.protocol, "TCP");
    }
    for source in container.env.into_iter().flatten().filter_map(|var| var.value_from.as_mut()) {
        if let Some(field) = &mut source.field_ref {
            set_field_selector_defaults(field);
        }
        if let Some(file) = &mut source.file_key_ref {
            file.optional.get_or_insert(false);
        }
    }
    set_resource_defaults(container.resources.get_or_insert_default());
    for probe in container.probes.into_iter().flatten() {
        set_number(&mut probe.timeout_seconds, 1);
        set_number(&mut probe.period_seconds, 10);
        set_number(&mut probe.success_threshold, 1);
        set_number(&mut probe.failure_threshold, 3);
        if let Some(action) = &mut probe.http_get {
            set_http_get_defaults(action);
        }
        if let Some(action) = &mut probe.grpc {
            action.service.get_or_insert_default();
        }
    }
    if let Some(lifecycle) = container.lifecycle {
        let hooks = [lifecycle.post_start.as_mut(), lifecycle.pre_stop.as_mut()];
        for action in hooks.into_iter().flatten().filter_map(|hook| hook.http_get.as_mut()) {
            set_http_get_defaults(action);
        }
    }
}

fn set_http_get_defaults(action: &mut HTTPGetAction) {
    set(&mut action.path, "/");
    set(&mut action.scheme, "HTTP");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(spec: serde_json::Value) -> PodSpec {
        let spec = serde_json::from_value(spec).unwrap_or_default();
        let mut pod = Pod { spec: Some(spec), ..Default::default() };
        set_pod_defaults(&mut pod);
        pod.spec.unwrap_or_default()
    }

    #[test]
    fn limits_become_requests_in_pods_only() {
        let spec = json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]});
        let requests = pod(spec.clone()).containers.into_iter().filter_map(|c| c.resources?.requests).count();
        assert_eq!(requests, 1);
        let mut template = PodTemplateSpec { spec: serde_json::from_value(spec).ok(), ..Default::default() };
        set_pod_template_defaults(&mut template);
        let containers = template.spec.unwrap_or_default().containers;
        assert_eq!(containers.len(), 1);
        assert!(containers.into_iter().all(|c| c.resources.is_some_and(|r| r.requests.is_none())));
    }

    #[test]
    fn a_negative_grace_period_becomes_one_in_pods_only() {
        let spec = json!({"containers": [], "terminationGracePeriodSeconds": -5});
        assert_eq!(pod(spec.clone()).termination_grace_period_seconds, Some(1));
        let mut template: PodSpec = serde_json::from_value(spec).unwrap_or_default();
        set_pod_spec_defaults(&mut template);
        assert_eq!(template.termination_grace_period_seconds, Some(-5));
    }

    #[test]
    fn a_volume_without_source_is_an_empty_dir() {
        let spec = pod(json!({"containers": [], "volumes": [{"name": "a"}, {"name": "b", "secret": {}}]}));
        let kinds: Vec<_> = spec.volumes.iter().flatten().map(|v| v.empty_dir.is_some()).collect();
        assert_eq!(kinds, [true, false]);
    }

    #[test]
    fn pod_level_limits_become_pod_level_requests() {
        let spec = pod(json!({"containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}));
        let requests = spec.resources.and_then(|r| r.requests).unwrap_or_default();
        let requests: Vec<_> = requests.into_iter().map(|(name, q)| format!("{name}={}", q.0)).collect();
        assert_eq!(requests, ["cpu=100m", "memory=1Gi"]);
    }
}
