//! Annotations that mean something for pods (`ValidatePodSpecificAnnotations` of `pkg/apis/core/validation`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodSpec, Toleration};

use super::scheduling::validate_tolerations;
use super::volumes::validate_local_descending_path;
use super::{PodValidationOptions, text, visit_containers};
use crate::api::field::{ErrorList, Path, go_quote};

const MIRROR_POD: &str = "kubernetes.io/config.mirror";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const POD_DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The number in a pod's deletion cost annotation, 0 if there is no annotation, `None` if it holds something else
/// (`GetDeletionCostFromPodAnnotations`).
pub fn deletion_cost(annotations: Option<&BTreeMap<String, String>>) -> Option<i32> {
    let Some(value) = annotations.and_then(|a| a.get(POD_DELETION_COST)) else { return Some(0) };
    let valid_first = match value.as_bytes() {
        [b'-', ..] | [b'0'] => true,
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    value.parse().ok().filter(|_| valid_first)
}

pub(super) fn validate_pod_annotations(
    annotations: &BTreeMap<String, String>,
    spec: &PodSpec,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    if let Some(value) = annotations.get(MIRROR_POD)
        && text(&spec.node_name).is_empty()
    {
        let why = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(path.key(MIRROR_POD).invalid(value.as_str(), why));
    }
    if let Some(value) = annotations.get(TOLERATIONS).filter(|v| !v.is_empty()) {
        match serde_json::from_str::<Vec<Toleration>>(value) {
            Ok(list) => errors.extend(validate_tolerations(
                &list,
                options.allow_toleration_comparisons,
                &path.child(TOLERATIONS),
            )),
            Err(why) => errors.push(path.invalid(TOLERATIONS, why.to_string())),
        }
    }
    if !options.allow_invalid_pod_deletion_cost && deletion_cost(Some(annotations)).is_none() {
        let value = annotations.get(POD_DELETION_COST).map_or("", String::as_str);
        errors.push(path.key(POD_DELETION_COST).invalid(value, "must be a 32bit integer"));
    }
    let seccomp = |profile: &str, path: &Path<'_>| match profile.strip_prefix("localhost/") {
        Some(file) => validate_local_descending_path(file, path),
        None if matches!(profile, "runtime/default" | "docker/default" | "unconfined") => Vec::new(),
        None => vec![path.invalid(profile, "must be a valid seccomp profile")],
    };
    if let Some(profile) = annotations.get(SECCOMP_POD) {
        errors.extend(seccomp(profile, &path.child(SECCOMP_POD)));
    }
    for (key, profile) in annotations.iter().filter(|(key, _)| key.starts_with(SECCOMP_CONTAINER)) {
        errors.extend(seccomp(profile, &path.child(key)));
    }
    for (key, profile) in annotations {
        let Some(name) = key.strip_prefix(APP_ARMOR) else { continue };
        let path = path.key(key);
        let mut known = false;
        visit_containers(spec, &path, |container, _| known |= container.name == name);
        if !known {
            errors.push(path.invalid(name, "container not found"));
        }
        let valid = matches!(profile.as_str(), "" | "runtime/default" | "unconfined");
        if !valid && !profile.starts_with("localhost/") {
            let why = format!("invalid AppArmor profile name: {}", go_quote(profile));
            errors.push(path.invalid(profile.as_str(), why));
        }
    }
    errors
}

/// Annotations that may not be changed once the pod exists (`ValidatePodSpecificAnnotationUpdates`).
pub(super) fn validate_pod_annotation_updates(
    new: &BTreeMap<String, String>,
    old: &BTreeMap<String, String>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    for (key, _) in old.iter().filter(|(key, value)| new.get(*key) != Some(value)) {
        if key.starts_with(APP_ARMOR) {
            errors.push(path.key(key).forbidden("may not remove or update AppArmor annotations"));
        }
        if key == MIRROR_POD {
            errors.push(path.key(key).forbidden("may not remove or update mirror pod annotation"));
        }
    }
    for (key, _) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        if key.starts_with(APP_ARMOR) {
            errors.push(path.key(key).forbidden("may not add AppArmor annotations"));
        }
        if key == MIRROR_POD {
            errors.push(path.key(key).forbidden("may not add mirror pod annotation"));
        }
    }
    errors
}
