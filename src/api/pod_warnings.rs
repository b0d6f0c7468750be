//! Warnings about pods and pod templates (`pkg/api/pod/warnings.go`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    AppArmorProfile, Container, ContainerPort, NodeSelectorTerm, Pod, PodAffinityTerm, PodSpec, PodTemplateSpec,
    Volume, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::field::{Path, go_quote};
use super::kinds::persistent_volume_claim;
use super::object::ApiObject;
use super::quantity::Quantity;
use super::validation::ip::warnings_for_ip;
use super::validation::names::{is_dns1123_label, is_label_value};
use super::validation::pod_spec::{text, validate_app_armor_profile, visit_containers};

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const USE_SECCOMP_PROFILE: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
const USE_APP_ARMOR_PROFILE: &str = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
const MATCHES_NO_POD: &str = "a null labelSelector results in matching no pod";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Warnings about a new pod.
pub fn warnings_for_pod(pod: &Pod) -> Vec<String> {
    let mut warnings = Vec::new();
    let empty = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&empty);
    let (metadata_path, spec_path) = (Path::root("metadata"), Path::root("spec"));
    warnings.extend(app_armor_annotations(&pod.metadata, spec, &metadata_path));
    let messages = is_dns1123_label(pod.name());
    if !messages.is_empty() {
        let why =
            "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
        warnings.push(format!("metadata.name: {why}: [{}]", messages.join(" ")));
    }
    warnings.extend(warnings_for_spec(spec, &pod.metadata, &spec_path, &metadata_path, false));
    warnings
}

/// Warnings about the template of a workload at a path such as `spec.template`.
pub fn warnings_for_pod_template(template: &PodTemplateSpec, path: &Path<'_>) -> Vec<String> {
    let (empty, no_metadata) = (PodSpec::default(), ObjectMeta::default());
    let spec = template.spec.as_ref().unwrap_or(&empty);
    let metadata = template.metadata.as_ref().unwrap_or(&no_metadata);
    warnings_for_spec(spec, metadata, &path.child("spec"), &path.child("metadata"), true)
}

/// The message about a node label that has been replaced (`GetNodeLabelDeprecatedMessage`).
pub fn deprecated_node_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os" => "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"
        }
        "beta.kubernetes.io/instance-type" => {
            "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"
        }
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => "deprecated since v1.22; use Taints and Tolerations instead",
        "node-role.kubernetes.io/master" => "use \"node-role.kubernetes.io/control-plane\" instead",
        _ => return None,
    })
}

/// Replaced labels in a node selector's term, and in preferred terms values that no label can have
/// (`GetWarningsForNodeSelectorTerm`).
pub fn warnings_for_node_selector_term(term: &NodeSelectorTerm, check_values: bool, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let list = path.child("matchExpressions");
    for (i, expression) in term.match_expressions.iter().flatten().enumerate() {
        let path = list.index(i);
        if let Some(message) = deprecated_node_label(&expression.key) {
            warnings.push(format!("{}: {} is {message}", path.child("key"), expression.key));
        }
        let values = path.child("values");
        for (j, value) in expression.values.iter().flatten().enumerate().filter(|_| check_values) {
            let messages = is_label_value(value).into_iter();
            warnings.extend(messages.map(|message| format!("{}: {value} is invalid, {message}", values.index(j))));
        }
    }
    warnings
}

fn warnings_for_spec(
    spec: &PodSpec,
    metadata: &ObjectMeta,
    path: &Path<'_>,
    metadata_path: &Path<'_>,
    is_template: bool,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let none = BTreeMap::new();
    let annotations = metadata.annotations.as_ref().unwrap_or(&none);
    let annotations_path = metadata_path.child("annotations");
    node_labels(spec, path, &mut warnings);
    for (key, message) in [
        (
            "scheduler.alpha.kubernetes.io/critical-pod",
            "non-functional in v1.16+; use the \"priorityClassName\" field instead",
        ),
        ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
        ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ] {
        if annotations.contains_key(key) {
            warnings.push(format!("{}: {message}", annotations_path.key(key)));
        }
    }
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    removed_volume_plugins(volumes, &path.child("volumes"), &mut warnings);
    warnings.extend(overlapping_paths(volumes));
    duplicates(spec, path, &mut warnings);
    for name in ["memory", "ephemeral-storage"] {
        if let Some(quantity) = spec.overhead.as_ref().and_then(|o| o.get(name)) {
            warnings.extend(fractional_bytes(&Quantity::of(quantity), &path.child("overhead").key(name)));
        }
    }
    let context = spec.security_context.as_ref();
    if context.is_none_or(|c| c.seccomp_profile.is_none()) && annotations.contains_key(SECCOMP_POD) {
        warnings.push(format!("{}: {USE_SECCOMP_PROFILE}", annotations_path.key(SECCOMP_POD)));
    }
    let pod_app_armor = context.and_then(|c| c.app_armor_profile.as_ref());
    visit_containers(spec, path, |container, path| {
        let context = container.security_context.as_ref();
        let key = format!("{SECCOMP_CONTAINER}{}", container.name);
        if context.is_none_or(|c| c.seccomp_profile.is_none()) && annotations.contains_key(&key) {
            warnings.push(format!("{}: {USE_SECCOMP_PROFILE}", annotations_path.key(&key)));
        }
        let key = format!("{APP_ARMOR}{}", container.name);
        if is_template
            && context.is_none_or(|c| c.app_armor_profile.is_none())
            && let Some(annotation) = annotations.get(&key)
            && (pod_app_armor.is_none() || pod_app_armor != app_armor_field(annotation).as_ref())
        {
            warnings.push(format!("{}: {USE_APP_ARMOR_PROFILE}", annotations_path.key(&key)));
        }
        container_resources(container, path, &mut warnings);
        duplicate_env(container, path, &mut warnings);
    });
    ports(spec, path, &mut warnings);
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        let path = path.child("terminationGracePeriodSeconds");
        warnings.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    affinity_selectors(spec, path, &mut warnings);
    let dns = path.child("dnsConfig");
    let dns = dns.child("nameservers");
    let nameservers = spec.dns_config.iter().flat_map(|c| c.nameservers.iter().flatten());
    for (i, address) in nameservers.enumerate() {
        warnings.extend(warnings_for_ip(address, &dns.index(i)));
    }
    let aliases = path.child("hostAliases");
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        warnings.extend(warnings_for_ip(&alias.ip, &aliases.index(i).child("ip")));
    }
    warnings
}

fn node_labels(spec: &PodSpec, path: &Path<'_>, warnings: &mut Vec<String>) {
    let selector = path.child("nodeSelector");
    for (key, message) in spec.node_selector.iter().flatten().filter_map(|(k, _)| Some((k, deprecated_node_label(k)?)))
    {
        warnings.push(format!("{}: {message}", selector.key(key)));
    }
    if let Some(affinity) = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref()) {
        let path = path.child("affinity");
        let path = path.child("nodeAffinity");
        let required = path.child(REQUIRED);
        let required = required.child("nodeSelectorTerms");
        let selector = affinity.required_during_scheduling_ignored_during_execution.iter();
        for (i, term) in selector.flat_map(|s| &s.node_selector_terms).enumerate() {
            warnings.extend(warnings_for_node_selector_term(term, false, &required.index(i)));
        }
        let preferred = path.child(PREFERRED);
        let terms = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        for (i, term) in terms.enumerate() {
            let path = preferred.index(i);
            warnings.extend(warnings_for_node_selector_term(&term.preference, true, &path.child("preference")));
        }
    }
    let spread = path.child("topologySpreadConstraints");
    for (i, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let path = spread.index(i);
        if let Some(message) = deprecated_node_label(&constraint.topology_key) {
            warnings.push(format!("{}: {} is {message}", path.child("topologyKey"), constraint.topology_key));
        }
        if constraint.label_selector.is_none() {
            warnings.push(format!("{}: {MATCHES_NO_POD}", path.child("labelSelector")));
        }
    }
}

fn removed_volume_plugins(volumes: &[Volume], path: &Path<'_>, warnings: &mut Vec<String>) {
    for (i, volume) in volumes.iter().enumerate() {
        let path = path.index(i);
        let mut warn = |used: bool, field: &str, message: &str| {
            if used {
                warnings.push(format!("{}: {message}", path.child(field)));
            }
        };
        let until_1_16 = "deprecated in v1.11, non-functional in v1.16+";
        let until_1_25 = "deprecated in v1.22, non-functional in v1.25+";
        let until_1_31 = "deprecated in v1.28, non-functional in v1.31+";
        warn(volume.photon_persistent_disk.is_some(), "photonPersistentDisk", until_1_16);
        warn(volume.git_repo.is_some(), "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+");
        warn(volume.scale_io.is_some(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
        warn(volume.flocker.is_some(), "flocker", until_1_25);
        warn(volume.storageos.is_some(), "storageOS", until_1_25);
        warn(volume.quobyte.is_some(), "quobyte", until_1_25);
        warn(volume.glusterfs.is_some(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+");
        if let Some(template) = volume.ephemeral.as_ref().and_then(|e| e.volume_claim_template.as_ref()) {
            let path = path.child("ephemeral");
            let path = path.child("volumeClaimTemplate");
            warnings.extend(persistent_volume_claim::warnings_for_spec(&template.spec, &path.child("spec")));
        }
        let mut warn = |used: bool, field: &str| {
            if used {
                warnings.push(format!("{}: {until_1_31}", path.child(field)));
            }
        };
        warn(volume.cephfs.is_some(), "cephfs");
        warn(volume.rbd.is_some(), "rbd");
    }
}

/// A path in a volume and what puts it there.
#[derive(Clone, PartialEq)]
struct VirtualPath {
    path: String,
    source: String,
}

impl std::fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&go_quote(&self.path))?;
        if self.source.is_empty() { Ok(()) } else { write!(f, " ({})", self.source) }
    }
}

/// Paths that were taken before, or that lie inside or above one that was (`checkForOverlap`).
#[derive(Default)]
struct VirtualPaths {
    taken: Vec<VirtualPath>,
}

impl VirtualPaths {
    /// Takes a path; the descriptions of its collisions.
    fn take(&mut self, path: &str, source: &str) -> Vec<String> {
        let new = VirtualPath { path: path.trim_end_matches('/').to_owned(), source: source.to_owned() };
        let inside = |a: &str, b: &str| format!("{a}/").starts_with(&format!("{b}/"));
        let collides = |other: &&VirtualPath| {
            !new.path.is_empty()
                && !other.path.is_empty()
                && (inside(&other.path, &new.path) || inside(&new.path, &other.path))
        };
        let found = self.taken.iter().filter(collides).map(|other| format!("{new} with {other}")).collect();
        self.taken.push(new);
        found
    }
}

fn overlapping_paths(volumes: &[Volume]) -> Vec<String> {
    let mut warnings = Vec::new();
    for volume in volumes {
        let name = go_quote(&volume.name);
        let mut single = |description: String, paths: Vec<&String>| {
            let mut taken = VirtualPaths::default();
            for collision in paths.into_iter().flat_map(|path| taken.take(path, "")) {
                warnings.push(format!("volume {name} ({description}): overlapping paths: {collision}"));
            }
        };
        if let Some(source) = &volume.config_map {
            let paths = source.items.iter().flatten().map(|item| &item.path).collect();
            single(format!("ConfigMap {}", go_quote(&source.name)), paths);
        }
        if let Some(source) = &volume.secret {
            let paths = source.items.iter().flatten().map(|item| &item.path).collect();
            single(format!("Secret {}", go_quote(text(&source.secret_name))), paths);
        }
        if let Some(source) = &volume.downward_api {
            let paths = source.items.iter().flatten().map(|item| &item.path).collect();
            single("DownwardAPI".to_owned(), paths);
        }
        let mut taken = VirtualPaths::default();
        for source in volume.projected.iter().flat_map(|p| p.sources.iter().flatten()) {
            if *source == Default::default() {
                warnings.push(format!("volume {name} (Projected) has no sources provided"));
                continue;
            }
            for (path, description) in projected_paths(source) {
                for collision in taken.take(path, &description) {
                    warnings.push(format!("volume {name} (Projected): overlapping paths: {collision}"));
                }
            }
        }
    }
    warnings
}

/// The paths that one source of a projected volume fills: only the first kind of source that it has.
fn projected_paths(source: &k8s_openapi::api::core::v1::VolumeProjection) -> Vec<(&str, String)> {
    if let Some((items, s)) = source.config_map.as_ref().and_then(|s| Some((s.items.as_ref()?, s))) {
        let description = format!("ConfigMap {}", go_quote(&s.name));
        return items.iter().map(|item| (item.path.as_str(), description.clone())).collect();
    }
    if let Some((items, s)) = source.secret.as_ref().and_then(|s| Some((s.items.as_ref()?, s))) {
        let description = format!("Secret {}", go_quote(&s.name));
        return items.iter().map(|item| (item.path.as_str(), description.clone())).collect();
    }
    if let Some(items) = source.downward_api.as_ref().and_then(|s| s.items.as_ref()) {
        return items.iter().map(|item| (item.path.as_str(), "DownwardAPI".to_owned())).collect();
    }
    if let Some(token) = &source.service_account_token {
        return vec![(token.path.as_str(), "ServiceAccountToken".to_owned())];
    }
    if let Some(bundle) = &source.cluster_trust_bundle {
        let name = bundle.name.as_deref().unwrap_or(text(&bundle.signer_name));
        return vec![(bundle.path.as_str(), format!("ClusterTrustBundle {}", go_quote(name)))];
    }
    if let Some(certificate) = &source.pod_certificate {
        let paths = [
            (text(&certificate.certificate_chain_path), "PodCertificate chain"),
            (text(&certificate.key_path), "PodCertificate key"),
            (text(&certificate.credential_bundle_path), "PodCertificate credential bundle"),
        ];
        let paths = paths.into_iter().filter(|(path, _)| !path.is_empty());
        return paths.map(|(path, description)| (path, description.to_owned())).collect();
    }
    Vec::new()
}

/// The same address or secret twice.
fn duplicates(spec: &PodSpec, path: &Path<'_>, warnings: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let aliases = path.child("hostAliases");
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !seen.insert(&alias.ip) {
            warnings.push(format!("{}: duplicate ip {}", aliases.index(i).child("ip"), go_quote(&alias.ip)));
        }
    }
    let mut seen = BTreeSet::new();
    let secrets = path.child("imagePullSecrets");
    for (i, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if !seen.insert(&secret.name) {
            warnings.push(format!("{}: duplicate name {}", secrets.index(i).child("name"), go_quote(&secret.name)));
        }
    }
    for (i, _) in spec.image_pull_secrets.iter().flatten().enumerate().filter(|(_, s)| s.name.is_empty()) {
        warnings.push(format!("{}: invalid empty name \"\"", secrets.index(i).child("name")));
    }
}

fn fractional_bytes(quantity: &Quantity, path: &Path<'_>) -> Option<String> {
    let fractional = quantity.milli_value() % 1000 != 0;
    let text =
        || format!("{path}: fractional byte value {} is invalid, must be an integer", go_quote(&quantity.to_string()));
    fractional.then(text)
}

fn container_resources(container: &Container, path: &Path<'_>, warnings: &mut Vec<String>) {
    let Some(resources) = &container.resources else { return };
    let path = path.child("resources");
    for name in ["memory", "ephemeral-storage"] {
        for (field, list) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            if let Some(quantity) = list.as_ref().and_then(|l| l.get(name)) {
                warnings.extend(fractional_bytes(&Quantity::of(quantity), &path.child(field).key(name)));
            }
        }
    }
}

/// A variable that is defined again without reference to its former value.
fn duplicate_env(container: &Container, path: &Path<'_>, warnings: &mut Vec<String>) {
    let list = path.child("env");
    let mut seen = BTreeSet::new();
    for (i, var) in container.env.iter().flatten().enumerate() {
        if seen.insert(&var.name) {
            continue;
        }
        let reference = format!("$({})", var.name);
        let value = text(&var.value);
        if var.value_from.is_some() || value == reference || !value.contains(&reference) {
            let name = go_quote(&var.name);
            let why = format!("hides previous definition of {name}, which may be dropped when using apply");
            warnings.push(format!("{}: {why}", list.index(i)));
        }
    }
}

fn ports(spec: &PodSpec, path: &Path<'_>, warnings: &mut Vec<String>) {
    let mut by_number: BTreeMap<String, Vec<(String, ContainerPort)>> = BTreeMap::new();
    visit_containers(spec, path, |container, path| {
        let list = path.child("ports");
        for (i, port) in container.ports.iter().flatten().enumerate() {
            let own = list.index(i).to_string();
            let (host_ip, host_port) = (text(&port.host_ip), port.host_port.unwrap_or(0));
            let protocol = text(&port.protocol);
            if !host_ip.is_empty() && host_port == 0 {
                let (name, number) = (text(&port.name), port.container_port);
                let printed =
                    format!("{{Name:{name} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{host_ip}}}");
                warnings.push(format!("{own}: hostIP set without hostPort: {printed}"));
            }
            let others = by_number.entry(format!("{}/{protocol}", port.container_port)).or_default();
            for (other_path, other) in others.iter() {
                let (other_ip, other_port) = (text(&other.host_ip), other.host_port.unwrap_or(0));
                let what = if host_ip == other_ip && host_port == other_port {
                    "duplicate"
                } else if host_port == 0 || other_port == 0 {
                    "overlapping"
                } else if host_port == other_port && host_ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                warnings.push(format!("{own}: {what} port definition with {other_path}"));
            }
            others.push((own, port.clone()));
        }
    });
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    visit_containers(spec, path, |container, path| {
        let list = path.child("ports");
        for (i, port) in container.ports.iter().flatten().enumerate() {
            let name = text(&port.name);
            let own = list.index(i).to_string();
            if name.is_empty() {
                continue;
            }
            match by_name.get(name) {
                Some(other) => warnings.push(format!(
                    "{own}: duplicate port name {} with {other}, services and probes that select ports by name will \
                     use {other}",
                    go_quote(name)
                )),
                None => {
                    by_name.insert(name.to_owned(), own);
                }
            }
        }
    });
}

fn affinity_selectors(spec: &PodSpec, path: &Path<'_>, warnings: &mut Vec<String>) {
    let Some(affinity) = &spec.affinity else { return };
    let path = path.child("affinity");
    let mut terms =
        |field: &str, required: Option<&[PodAffinityTerm]>, preferred: Option<&[WeightedPodAffinityTerm]>| {
            let path = path.child(field);
            let list = path.child(REQUIRED);
            for (i, _) in required.unwrap_or_default().iter().enumerate().filter(|(_, t)| t.label_selector.is_none()) {
                warnings.push(format!("{}: {MATCHES_NO_POD}", list.index(i).child("labelSelector")));
            }
            let list = path.child(PREFERRED);
            for (i, term) in preferred.unwrap_or_default().iter().enumerate() {
                if term.pod_affinity_term.label_selector.is_none() {
                    let path = list.index(i);
                    let path = path.child("podAffinityTerm");
                    warnings.push(format!("{}: {MATCHES_NO_POD}", path.child("labelSelector")));
                }
            }
        };
    if let Some(pod) = &affinity.pod_affinity {
        let required = pod.required_during_scheduling_ignored_during_execution.as_deref();
        terms("podAffinity", required, pod.preferred_during_scheduling_ignored_during_execution.as_deref());
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let required = pod.required_during_scheduling_ignored_during_execution.as_deref();
        terms("podAntiAffinity", required, pod.preferred_during_scheduling_ignored_during_execution.as_deref());
    }
}

/// The field that an AppArmor annotation stands for (`ApparmorFieldForAnnotation`).
pub(super) fn app_armor_field(annotation: &str) -> Option<AppArmorProfile> {
    let profile = |type_: &str, file: Option<&str>| AppArmorProfile {
        type_: type_.to_owned(),
        localhost_profile: file.map(str::to_owned),
    };
    match annotation {
        "unconfined" => Some(profile("Unconfined", None)),
        "runtime/default" => Some(profile("RuntimeDefault", None)),
        _ => annotation.strip_prefix("localhost/").filter(|f| !f.is_empty()).map(|f| profile("Localhost", Some(f))),
    }
    .filter(|profile| validate_app_armor_profile(Some(profile), &Path::root("")).is_empty())
}

/// Warnings that preparing a new pod gives, after which the annotation's value is in the field
/// (`applyAppArmorVersionSkew`).
fn app_armor_annotations(metadata: &ObjectMeta, spec: &PodSpec, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return warnings;
    }
    let path = path.child("annotations");
    let pod = spec.security_context.as_ref().and_then(|c| c.app_armor_profile.as_ref());
    visit_containers(spec, &path, |container, _| {
        let key = format!("{APP_ARMOR}{}", container.name);
        let Some(annotation) = metadata.annotations.as_ref().and_then(|a| a.get(&key)) else { return };
        let own = container.security_context.as_ref().and_then(|c| c.app_armor_profile.as_ref());
        let field = app_armor_field(annotation);
        if own == field.as_ref() && (field.is_none() || field.as_ref() != pod) {
            warnings.push(format!("{}: {USE_APP_ARMOR_PROFILE}", path.key(&key)));
        }
    });
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(spec: serde_json::Value) -> Vec<String> {
        let metadata = ObjectMeta { name: Some("x".to_owned()), ..Default::default() };
        warnings_for_pod(&Pod { metadata, spec: serde_json::from_value(spec).ok(), ..Default::default() })
    }

    #[test]
    fn a_variable_may_be_defined_again_from_its_former_value() {
        let env = |second: &str| {
            serde_json::json!({"containers": [{"name": "a", "env": [{"name": "X", "value": "1"},
                {"name": "X", "value": second}]}]})
        };
        assert!(warnings(env("$(X)2")).is_empty());
        let expected =
            "spec.containers[0].env[1]: hides previous definition of \"X\", which may be dropped when using apply";
        assert_eq!(warnings(env("2")), [expected]);
    }

    #[test]
    fn ports_of_all_containers_are_compared() {
        let spec = serde_json::json!({"containers": [
            {"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "web"}]},
            {"name": "b", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "web"}]}]});
        let expected = [
            "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
            "spec.containers[1].ports[0]: duplicate port name \"web\" with spec.containers[0].ports[0], services and \
             probes that select ports by name will use spec.containers[0].ports[0]",
        ];
        assert_eq!(warnings(spec), expected);
    }
}
