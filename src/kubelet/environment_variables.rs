//! A container's environment and what else must be resolved before it can be created
//! (`pkg/kubelet/kubelet_pods.go` `makeEnvironmentVariables`, `makeMounts`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    ConfigMap, Container, EnvVarSource, ObjectFieldSelector, Pod, PodSpec, Secret, Service,
};

use crate::api::object::{Kind, ObjectKey};
use crate::api::{ApiObject, Store};
use crate::scheduler::node_info::{node_name, spec_of};

/// Why a container cannot be created (`CreateContainerConfigError`).
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    /// In the kubelet's words.
    pub message: String,
    /// The object that has to change first, if it is one.
    pub waits_for: Option<ObjectKey>,
}

/// What a container sees of its pod's addresses.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    /// The pod's.
    pub pod: &'a str,
    /// The node's.
    pub host: &'a str,
}

/// The environment of a container.
pub fn variables(
    store: &Store,
    pod: &Pod,
    container: &Container,
    addresses: Addresses<'_>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let namespace = pod.namespace();
    let mut result = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &source.config_map_ref {
            if let Some(map) = config_map(store, namespace, &reference.name, reference.optional)? {
                let pairs = map.data.iter().flatten();
                result.extend(pairs.map(|(k, v)| (format!("{prefix}{k}"), v.clone())));
            }
        } else if let Some(reference) = &source.secret_ref
            && let Some(secret) = secret(store, namespace, &reference.name, reference.optional)?
        {
            let pairs = secret.data.iter().flatten();
            result.extend(pairs.map(|(k, v)| (format!("{prefix}{k}"), String::from_utf8_lossy(&v.0).into_owned())));
        }
    }
    let services = service_variables(store, pod);
    for variable in container.env.iter().flatten() {
        let value = match (variable.value.as_deref().unwrap_or_default(), &variable.value_from) {
            ("", Some(source)) => match value_from(store, pod, container, source, addresses)? {
                Some(value) => value,
                None => continue,
            },
            (text, _) => {
                let lookup = |name: &str| result.get(name).or_else(|| services.get(name)).cloned();
                expand(text, |name| lookup(name).unwrap_or_else(|| format!("$({name})")))
            }
        };
        result.insert(variable.name.clone(), value);
    }
    for (name, value) in services {
        result.entry(name).or_insert(value);
    }
    Ok(result)
}

/// What else a container needs before it can be created: its `subPathExpr`s, and not to run as root if that is ruled
/// out.
pub fn check_rest(pod: &Pod, container: &Container, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let error = |message: String| Err(ConfigError { message, waits_for: None });
    for mount in container.volume_mounts.iter().flatten() {
        let Some(expression) = mount.sub_path_expr.as_deref().filter(|e| !e.is_empty()) else { continue };
        let expanded = match expand_sub_path(expression, variables) {
            Ok(path) => path,
            Err(missing) => return error(format!("missing value for {}", missing.join(", "))),
        };
        if expanded.starts_with('/') {
            return error(format!("error SubPath `{expanded}` must not be an absolute path"));
        }
        if expanded.split('/').any(|part| part == "..") {
            return error(format!("unable to provision SubPath `{expanded}`: must not contain '..'"));
        }
    }
    let own = container.security_context.as_ref();
    let pods = spec_of(pod).security_context.as_ref();
    let non_root = own.and_then(|c| c.run_as_non_root).or(pods.and_then(|c| c.run_as_non_root)) == Some(true);
    let user = own.and_then(|c| c.run_as_user).or(pods.and_then(|c| c.run_as_user));
    let whom = format!("(pod: \"{}\", container: {})", pod_text(pod), container.name);
    match user {
        Some(0) if non_root => error(format!("container's runAsUser breaks non-root policy {whom}")),
        // images are taken to run as root unless the pod says otherwise
        None if non_root => error(format!("container has runAsNonRoot and image will run as root {whom}")),
        _ => Ok(()),
    }
}

/// A `subPathExpr` with its variables filled in, or the names of those without a value
/// (`ExpandContainerVolumeMounts`).
pub fn expand_sub_path(expression: &str, variables: &BTreeMap<String, String>) -> Result<String, Vec<String>> {
    let mut missing = BTreeSet::new();
    let expanded = expand(expression, |name| {
        let value = variables.get(name).cloned().unwrap_or_default();
        if value.is_empty() {
            missing.insert(name.to_owned());
        }
        value
    });
    if missing.is_empty() { Ok(expanded) } else { Err(missing.into_iter().collect()) }
}

/// A pod as kubelets name it in messages (`format.Pod`).
pub fn pod_text(pod: &Pod) -> String {
    format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid())
}

/// Replaces `$(NAME)`; `$$` stands for a dollar (`third_party/forked/golang/expansion`).
fn expand(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            out.push_str(&value(name));
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

fn not_found(kind: Kind, namespace: &str, name: &str) -> ConfigError {
    ConfigError {
        message: format!("{} \"{name}\" not found", kind.name().to_lowercase()),
        waits_for: Some(ObjectKey::new(kind, namespace, name)),
    }
}

fn config_map<'s>(
    store: &'s Store,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<Option<&'s ConfigMap>, ConfigError> {
    match store.get::<ConfigMap>(namespace, name) {
        Some(map) => Ok(Some(map)),
        None if optional == Some(true) => Ok(None),
        None => Err(not_found(Kind::ConfigMap, namespace, name)),
    }
}

fn secret<'s>(
    store: &'s Store,
    namespace: &str,
    name: &str,
    optional: Option<bool>,
) -> Result<Option<&'s Secret>, ConfigError> {
    match store.get::<Secret>(namespace, name) {
        Some(secret) => Ok(Some(secret)),
        None if optional == Some(true) => Ok(None),
        None => Err(not_found(Kind::Secret, namespace, name)),
    }
}

/// The value of a `valueFrom`; `None` when it is optional and absent.
fn value_from(
    store: &Store,
    pod: &Pod,
    container: &Container,
    source: &EnvVarSource,
    addresses: Addresses<'_>,
) -> Result<Option<String>, ConfigError> {
    let namespace = pod.namespace();
    let no_key = |kind: Kind, name: &str, key: &str| ConfigError {
        message: format!("couldn't find key {key} in {} {namespace}/{name}", kind.name()),
        waits_for: Some(ObjectKey::new(kind, namespace, name)),
    };
    if let Some(reference) = &source.config_map_key_ref {
        let Some(map) = config_map(store, namespace, &reference.name, reference.optional)? else { return Ok(None) };
        return match map.data.as_ref().and_then(|d| d.get(&reference.key)) {
            Some(value) => Ok(Some(value.clone())),
            None if reference.optional == Some(true) => Ok(None),
            None => Err(no_key(Kind::ConfigMap, &reference.name, &reference.key)),
        };
    }
    if let Some(reference) = &source.secret_key_ref {
        let Some(secret) = secret(store, namespace, &reference.name, reference.optional)? else { return Ok(None) };
        return match secret.data.as_ref().and_then(|d| d.get(&reference.key)) {
            Some(value) => Ok(Some(String::from_utf8_lossy(&value.0).into_owned())),
            None if reference.optional == Some(true) => Ok(None),
            None => Err(no_key(Kind::Secret, &reference.name, &reference.key)),
        };
    }
    if let Some(field) = &source.field_ref {
        return Ok(Some(field_value(pod, field, addresses)));
    }
    if let Some(reference) = &source.file_key_ref {
        // files come from an init container; what it writes is not known
        let written = spec_of(pod).init_containers.iter().flatten().filter(|init| init.name != container.name);
        let mut mounts = written.flat_map(|init| init.volume_mounts.iter().flatten());
        return if mounts.any(|mount| mount.name == reference.volume_name) {
            Ok(Some("1".to_owned()))
        } else {
            Err(ConfigError { message: "couldn't parse env file".to_owned(), waits_for: None })
        };
    }
    // amounts of resources have some value; nothing here depends on which
    let Some(reference) = &source.resource_field_ref else { return Ok(None) };
    match missing_container(pod, reference.container_name.as_deref().filter(|name| !name.is_empty())) {
        Some(message) => Err(ConfigError { message, waits_for: None }),
        None => Ok(Some("1".to_owned())),
    }
}

/// What is said when the container whose resources are asked for is not there (`findContainerInPod`).
pub fn missing_container(pod: &Pod, name: Option<&str>) -> Option<String> {
    let spec = spec_of(pod);
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let name = name?;
    (!containers.any(|c| c.name == name)).then(|| format!("container {name} not found"))
}

/// The value of a downward API field (`podFieldSelectorRuntimeValue`).
fn field_value(pod: &Pod, field: &ObjectFieldSelector, addresses: Addresses<'_>) -> String {
    let path = field.field_path.as_str();
    let of = |map: Option<&BTreeMap<String, String>>, key: &str| map.and_then(|m| m.get(key)).cloned();
    let keyed = |prefix: &str| path.strip_prefix(prefix).and_then(|r| r.strip_suffix("']"));
    if let Some(key) = keyed("metadata.labels['") {
        return of(pod.metadata.labels.as_ref(), key).unwrap_or_default();
    }
    if let Some(key) = keyed("metadata.annotations['") {
        return of(pod.metadata.annotations.as_ref(), key).unwrap_or_default();
    }
    match path {
        "metadata.name" => pod.name().to_owned(),
        "metadata.namespace" => pod.namespace().to_owned(),
        "metadata.uid" => pod.uid().to_owned(),
        "spec.nodeName" => node_name(pod).to_owned(),
        "spec.serviceAccountName" => spec_of(pod).service_account_name.clone().unwrap_or_default(),
        "status.podIP" | "status.podIPs" => addresses.pod.to_owned(),
        "status.hostIP" | "status.hostIPs" => addresses.host.to_owned(),
        _ => String::new(),
    }
}

/// The variables every pod gets for the API server's Service, and for the Services of its namespace unless it does not
/// want service links (`getServiceEnvVarMap`).
fn service_variables(store: &Store, pod: &Pod) -> BTreeMap<String, String> {
    let mut result = BTreeMap::from([
        ("KUBERNETES_SERVICE_HOST".to_owned(), "10.96.0.1".to_owned()),
        ("KUBERNETES_SERVICE_PORT".to_owned(), "443".to_owned()),
    ]);
    if spec_of(pod).enable_service_links == Some(false) || !needs_variables(spec_of(pod)) {
        return result;
    }
    for service in store.list_in::<Service>(pod.namespace()) {
        let Some(spec) = &service.spec else { continue };
        let Some(ip) = spec.cluster_ip.as_deref().filter(|ip| !ip.is_empty() && *ip != "None") else { continue };
        let prefix = service.name().to_uppercase().replace('-', "_");
        result.insert(format!("{prefix}_SERVICE_HOST"), ip.to_owned());
        if let Some(port) = spec.ports.iter().flatten().next() {
            result.insert(format!("{prefix}_SERVICE_PORT"), port.port.to_string());
        }
    }
    result
}

/// Whether anything in a pod refers to variables: only then is it worth looking at Services.
fn needs_variables(spec: &PodSpec) -> bool {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.into_iter().any(|c| {
        c.volume_mounts.iter().flatten().any(|m| m.sub_path_expr.is_some())
            || c.env.iter().flatten().any(|e| e.value.as_deref().is_some_and(|v| v.contains("$(")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_and_dollars_can_be_escaped() {
        let value = |name: &str| if name == "A" { "1".to_owned() } else { format!("$({name})") };
        assert_eq!(expand("x$(A)$(B)$$(A)$C$", value), "x1$(B)$(A)$C$");
    }

    #[test]
    fn a_sub_path_wants_every_variable() {
        let variables = BTreeMap::from([("POD".to_owned(), "web-0".to_owned()), ("EMPTY".to_owned(), String::new())]);
        assert_eq!(expand_sub_path("logs/$(POD)", &variables), Ok("logs/web-0".to_owned()));
        let missing = expand_sub_path("$(NO)/$(EMPTY)", &variables);
        assert_eq!(missing, Err(vec!["EMPTY".to_owned(), "NO".to_owned()]));
    }
}
