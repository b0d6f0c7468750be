//! Environment variables and references to fields of the pod (`ValidateEnv`, `ValidateEnvFrom` of
//! `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, FileKeySelector, ObjectFieldSelector, PodSpec, ResourceFieldSelector,
};

use super::volumes::validate_path_no_backsteps;
use super::{text, visit_containers};
use crate::api::field::{ErrorList, Path};
use crate::api::quantity::Quantity;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{
    is_config_map_key, is_relaxed_env_var_name, name_is_dns_subdomain, validate_dns1123_label, validate_qualified_name,
};

/// What `fieldRef` of a volume can refer to, sorted.
pub(super) const VOLUME_FIELD_PATHS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// What `fieldRef` of an environment variable can refer to, sorted.
const ENV_FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What `resourceFieldRef` can refer to besides huge pages, sorted.
const RESOURCE_FIELDS: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn validate_env(vars: &[EnvVar], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, var) in vars.iter().enumerate() {
        let path = path.index(i);
        if var.name.is_empty() {
            errors.push(path.child("name").required(""));
        } else {
            errors.extend(invalid_each(&path.child("name"), &var.name, is_relaxed_env_var_name(&var.name)));
        }
        errors.extend(validate_value_from(var, &path.child("valueFrom")));
    }
    errors
}

fn validate_value_from(var: &EnvVar, path: &Path<'_>) -> ErrorList {
    let Some(source) = &var.value_from else { return Vec::new() };
    let mut errors = Vec::new();
    let mut count = 0;
    if let Some(field) = &source.field_ref {
        count += 1;
        errors.extend(validate_object_field_selector(field, &ENV_FIELD_PATHS, &path.child("fieldRef")));
    }
    if let Some(resource) = &source.resource_field_ref {
        count += 1;
        errors.extend(validate_resource_field_selector(resource, false, &path.child("resourceFieldRef")));
    }
    if let Some(selector) = &source.config_map_key_ref {
        count += 1;
        errors.extend(validate_key_selector(&selector.name, &selector.key, &path.child("configMapKeyRef")));
    }
    if let Some(selector) = &source.secret_key_ref {
        count += 1;
        errors.extend(validate_key_selector(&selector.name, &selector.key, &path.child("secretKeyRef")));
    }
    if let Some(selector) = &source.file_key_ref {
        count += 1;
        errors.extend(validate_file_key_selector(selector, &path.child("fileKeyRef")));
    }
    if count == 0 {
        let why =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        errors.push(path.invalid("", why));
    } else if !text(&var.value).is_empty() {
        errors.push(path.invalid("", "may not be specified when `value` is not empty"));
    } else if count > 1 {
        errors.push(path.invalid("", "may not have more than one field specified at a time"));
    }
    errors
}

fn validate_key_selector(name: &str, key: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = invalid_each(&path.child("name"), name, name_is_dns_subdomain(name, false));
    if key.is_empty() {
        errors.push(path.child("key").required(""));
    } else {
        errors.extend(invalid_each(&path.child("key"), key, is_config_map_key(key)));
    }
    errors
}

fn validate_file_key_selector(selector: &FileKeySelector, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match selector.key.as_str() {
        "" => errors.push(path.child("key").required("")),
        key => errors.extend(invalid_each(&path.child("key"), key, is_relaxed_env_var_name(key))),
    }
    match selector.volume_name.as_str() {
        "" => errors.push(path.child("volumeName").required("")),
        volume => errors.extend(validate_dns1123_label(volume, &path.child("volumeName"))),
    }
    match selector.path.as_str() {
        "" => errors.push(path.child("path").required("")),
        file => errors.extend(validate_path_no_backsteps(file, &path.child("path"))),
    }
    errors
}

/// A `fieldRef`; `allowed` is sorted, as it is shown.
pub(super) fn validate_object_field_selector(
    selector: &ObjectFieldSelector,
    allowed: &[&str],
    path: &Path<'_>,
) -> ErrorList {
    let version = text(&selector.api_version);
    let field = selector.field_path.as_str();
    if version.is_empty() {
        return vec![path.child("apiVersion").required("")];
    }
    if field.is_empty() {
        return vec![path.child("fieldPath").required("")];
    }
    let converted = match convert_field_label(version, field) {
        Ok(converted) => converted,
        Err(why) => {
            return vec![path.child("fieldPath").invalid(field, format!("error converting fieldPath: {why}"))];
        }
    };
    match split_subscript(converted) {
        Some(("metadata.annotations", key)) => validate_qualified_name(&key.to_lowercase(), path),
        Some(("metadata.labels", key)) => validate_qualified_name(key, path),
        Some((field, _)) => vec![path.invalid(field, "does not support subscript")],
        None if allowed.contains(&converted) => Vec::new(),
        None => vec![path.child("fieldPath").not_supported(converted, allowed)],
    }
}

/// `metadata.labels['app']` as `metadata.labels` and `app` (`SplitMaybeSubscriptedPath`).
fn split_subscript(field: &str) -> Option<(&str, &str)> {
    let (field, key) = field.strip_suffix("']")?.split_once("['")?;
    (!field.is_empty()).then_some((field, key))
}

/// `ConvertDownwardAPIFieldLabel`.
fn convert_field_label<'a>(version: &str, field: &'a str) -> Result<&'a str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    if let Some((base, _)) = split_subscript(field) {
        return match base {
            "metadata.annotations" | "metadata.labels" => Ok(field),
            _ => Err(format!("field label does not support subscript: {field}")),
        };
    }
    match field {
        "metadata.annotations"
        | "metadata.labels"
        | "metadata.name"
        | "metadata.namespace"
        | "metadata.uid"
        | "spec.nodeName"
        | "spec.restartPolicy"
        | "spec.serviceAccountName"
        | "spec.schedulerName"
        | "status.phase"
        | "status.hostIP"
        | "status.hostIPs"
        | "status.podIP"
        | "status.podIPs" => Ok(field),
        "spec.host" => Ok("spec.nodeName"),
        _ => Err(format!("field label not supported: {field}")),
    }
}

/// A `resourceFieldRef`; in a volume it must name the container.
pub(super) fn validate_resource_field_selector(
    selector: &ResourceFieldSelector,
    in_volume: bool,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let resource = selector.resource.as_str();
    let huge_pages = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if in_volume && text(&selector.container_name).is_empty() {
        errors.push(path.child("containerName").required(""));
    } else if resource.is_empty() {
        errors.push(path.child("resource").required(""));
    } else if !RESOURCE_FIELDS.contains(&resource) && !huge_pages {
        errors.push(path.child("resource").not_supported(resource, &RESOURCE_FIELDS));
    }
    let divisor = selector.divisor.as_ref().map(Quantity::of).unwrap_or_default();
    if divisor.is_zero() {
        return errors;
    }
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let of_sizes = "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with \
        the";
    let divisor = divisor.to_string();
    let why = match resource {
        "limits.cpu" | "requests.cpu" if !matches!(divisor.as_str(), "1m" | "1") => {
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned()
        }
        "limits.memory" | "requests.memory" if !sizes.contains(&divisor.as_str()) => {
            format!("{of_sizes} memory resource")
        }
        "limits.ephemeral-storage" | "requests.ephemeral-storage" if !sizes.contains(&divisor.as_str()) => {
            format!("{of_sizes} local ephemeral storage resource")
        }
        _ if huge_pages && !sizes.contains(&divisor.as_str()) => format!("{of_sizes} hugepages resource"),
        _ => return errors,
    };
    errors.push(path.child("divisor").invalid(resource, why));
    errors
}

pub(super) fn validate_env_from(sources: &[EnvFromSource], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let own = path.index(i);
        let prefix = text(&source.prefix);
        if !prefix.is_empty() {
            errors.extend(invalid_each(&own.child("prefix"), prefix, is_relaxed_env_var_name(prefix)));
        }
        let references = [
            ("configMapRef", source.config_map_ref.as_ref().map(|r| r.name.as_str())),
            ("secretRef", source.secret_ref.as_ref().map(|r| r.name.as_str())),
        ];
        let mut count = 0;
        for (field, name) in references {
            let Some(name) = name else { continue };
            count += 1;
            let own = own.child(field);
            if name.is_empty() {
                errors.push(own.child("name").required(""));
            } else {
                errors.extend(invalid_each(&own.child("name"), name, name_is_dns_subdomain(name, true)));
            }
        }
        // reported at the list, as Kubernetes does
        if count == 0 {
            errors.push(path.invalid("", "must specify one of: `configMapRef` or `secretRef`"));
        } else if count > 1 {
            errors.push(path.invalid("", "may not have more than one field specified at a time"));
        }
    }
    errors
}

/// Volumes that `fileKeyRef` reads from must be emptyDirs (`validateFileKeyRefVolumes`).
pub(super) fn validate_file_key_ref_volumes(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    visit_containers(spec, path, |container, path| {
        let env_path = path.child("env");
        for (i, var) in container.env.iter().flatten().enumerate() {
            let Some(reference) = var.value_from.as_ref().and_then(|v| v.file_key_ref.as_ref()) else { continue };
            let name = reference.volume_name.as_str();
            let path = env_path.index(i);
            let path = path.child("valueFrom");
            let path = path.child("fileKeyRef");
            let path = path.child("volumeName");
            match spec.volumes.iter().flatten().rfind(|v| v.name == name) {
                None => errors.push(path.not_found(name)),
                Some(volume) if volume.empty_dir.is_none() => {
                    errors.push(path.invalid(name, "referenced volume must be of type emptyDir"));
                }
                Some(_) => {}
            }
        }
    });
    errors
}
