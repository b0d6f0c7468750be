//! `metadata` (`k8s.io/apimachinery/pkg/api/validation/objectmeta.go`, `pkg/apis/core/validation` `ValidateObjectMeta`).
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use std::collections::BTreeMap;

use super::label_selector::validate_labels;
use super::names::{NameRule, is_qualified_name, name_is_dns_label};
use super::{FIELD_IMMUTABLE, invalid_each, invalid_printed, validate_nonnegative};
use crate::api::field::{ErrorList, Path, go_quote};

/// The most bytes all annotations together may have.
const TOTAL_ANNOTATION_SIZE_LIMIT: usize = 256 * 1024;
/// Finalizers that need no domain in front.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// The metadata of a new object of the core, apps, batch… groups (`ValidateObjectMeta` of `pkg/apis/core/validation`).
/// Names have been generated before.
pub fn validate_object_meta(meta: &ObjectMeta, namespaced: bool, name_rule: NameRule, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let generate_name = meta.generate_name.as_deref().unwrap_or_default();
    if !generate_name.is_empty() {
        errors.extend(invalid_each(&path.child("generateName"), generate_name, name_rule(generate_name, true)));
    }
    let name = meta.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        errors.push(path.child("name").required("name or generateName is required"));
    } else {
        errors.extend(invalid_each(&path.child("name"), name, name_rule(name, false)));
    }
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let namespace_path = path.child("namespace");
    match (namespaced, namespace.is_empty()) {
        (true, true) => errors.push(namespace_path.required("")),
        (true, false) => errors.extend(invalid_each(&namespace_path, namespace, name_is_dns_label(namespace, false))),
        (false, false) => errors.push(namespace_path.forbidden("not allowed on this type")),
        (false, true) => {}
    }
    errors.extend(validate_nonnegative(meta.generation.unwrap_or(0), &path.child("generation")));
    errors.extend(validate_labels(meta.labels.as_ref(), &path.child("labels")));
    errors.extend(validate_annotations(meta.annotations.as_ref(), &path.child("annotations")));
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    errors.extend(validate_owner_references(owners, &path.child("ownerReferences")));
    let finalizers = meta.finalizers.as_deref().unwrap_or_default();
    errors.extend(validate_finalizers(finalizers, &path.child("finalizers")));
    errors.extend(validate_kube_finalizers(finalizers, path));
    errors
}

/// The metadata of a changed object (`ValidateObjectMetaUpdate` of `pkg/apis/core/validation`).
pub fn validate_object_meta_update(new: &ObjectMeta, old: &ObjectMeta, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let finalizers = new.finalizers.as_deref().unwrap_or_default();
    if old.deletion_timestamp.is_some() {
        let known = old.finalizers.as_deref().unwrap_or_default();
        let mut extra: Vec<&String> = finalizers.iter().filter(|f| !known.contains(f)).collect();
        extra.sort();
        extra.dedup();
        if !extra.is_empty() {
            let list = extra.iter().map(|f| go_quote(f)).collect::<Vec<_>>().join(", ");
            let why = "no new finalizers can be added if the object is being deleted, found new finalizers";
            errors.push(path.child("finalizers").forbidden(format!("{why} []string{{{list}}}")));
        }
    }
    if new.generation < old.generation {
        errors.push(path.child("generation").invalid(new.generation.unwrap_or(0), "must not be decremented"));
    }
    let texts =
        [("name", &new.name, &old.name), ("namespace", &new.namespace, &old.namespace), ("uid", &new.uid, &old.uid)];
    for (field, new, old) in texts {
        let (new, old) = (new.as_deref().unwrap_or_default(), old.as_deref().unwrap_or_default());
        if new != old {
            errors.push(path.child(field).invalid(new, FIELD_IMMUTABLE));
        }
    }
    errors.extend(super::validate_immutable(
        &new.creation_timestamp,
        &old.creation_timestamp,
        &path.child("creationTimestamp"),
    ));
    errors.extend(super::validate_immutable(
        &new.deletion_timestamp,
        &old.deletion_timestamp,
        &path.child("deletionTimestamp"),
    ));
    errors.extend(super::validate_immutable(
        &new.deletion_grace_period_seconds,
        &old.deletion_grace_period_seconds,
        &path.child("deletionGracePeriodSeconds"),
    ));
    errors.extend(validate_labels(new.labels.as_ref(), &path.child("labels")));
    errors.extend(validate_annotations(new.annotations.as_ref(), &path.child("annotations")));
    let owners = new.owner_references.as_deref().unwrap_or_default();
    errors.extend(validate_owner_references(owners, &path.child("ownerReferences")));
    errors.extend(validate_kube_finalizers(finalizers, path));
    errors
}

/// Annotation keys, whose case does not matter, and the size of all annotations together (`ValidateAnnotations`).
pub fn validate_annotations(annotations: Option<&BTreeMap<String, String>>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        errors.extend(invalid_each(path, key, is_qualified_name(&key.to_lowercase())));
        size += key.len() + value.len();
    }
    if size > TOTAL_ANNOTATION_SIZE_LIMIT {
        errors.push(path.too_long(TOTAL_ANNOTATION_SIZE_LIMIT));
    }
    errors
}

fn validate_owner_references(owners: &[OwnerReference], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut first_controller: Option<String> = None;
    for owner in owners {
        let version = match owner.api_version.split('/').collect::<Vec<_>>().as_slice() {
            [version] | [_, version] => *version,
            _ => "",
        };
        if version.is_empty() {
            errors.push(path.child("apiVersion").invalid(owner.api_version.as_str(), "version must not be empty"));
        }
        for (field, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
            if value.is_empty() {
                errors.push(path.child(field).invalid("", "must not be empty"));
            }
        }
        if owner.api_version == "v1" && owner.kind == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(invalid_printed(path, &print_owner(owner), why));
        }
        if owner.controller == Some(true) {
            let current = format!("{}/{}", owner.kind, owner.name);
            match &first_controller {
                Some(first) => {
                    let list = owners.iter().map(print_owner).collect::<Vec<_>>().join(",");
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} \
                         and {current}"
                    );
                    errors.push(invalid_printed(path, &format!("[{list}]"), &why));
                }
                None => first_controller = Some(current),
            }
        }
    }
    errors
}

/// An owner reference as Go's JSON encoder prints it: fields in the order of the Go type.
fn print_owner(owner: &OwnerReference) -> String {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let mut out = format!(
        "{{\"apiVersion\":{},\"kind\":{},\"name\":{},\"uid\":{}",
        text(&owner.api_version),
        text(&owner.kind),
        text(&owner.name),
        text(&owner.uid)
    );
    for (field, value) in [("controller", owner.controller), ("blockOwnerDeletion", owner.block_owner_deletion)] {
        if let Some(value) = value {
            out.push_str(&format!(",\"{field}\":{value}"));
        }
    }
    out.push('}');
    out
}

/// The finalizers of any object (`ValidateFinalizers`).
fn validate_finalizers(finalizers: &[String], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for finalizer in finalizers {
        errors.extend(invalid_each(path, finalizer, is_qualified_name(finalizer)));
    }
    let has = |name: &str| finalizers.iter().any(|f| f == name);
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(path.invalid(finalizers.to_vec(), why));
    }
    errors
}

/// A finalizer without a domain must be one that Kubernetes knows (`validateKubeFinalizerName`).
pub fn validate_kube_finalizer_name(finalizer: &str, path: &Path<'_>) -> ErrorList {
    if finalizer.contains('/') || STANDARD_FINALIZERS.contains(&finalizer) {
        return Vec::new();
    }
    vec![path.invalid(finalizer, "name is neither a standard finalizer name nor is it fully qualified")]
}

fn validate_kube_finalizers(finalizers: &[String], path: &Path<'_>) -> ErrorList {
    let path = path.child("finalizers");
    let each = finalizers.iter().enumerate();
    each.flat_map(|(i, finalizer)| validate_kube_finalizer_name(finalizer, &path.index(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validation::names::name_is_dns_subdomain;

    fn texts(errors: ErrorList) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    fn meta() -> ObjectMeta {
        ObjectMeta { name: Some("x".to_owned()), namespace: Some("default".to_owned()), ..Default::default() }
    }

    #[test]
    fn an_owner_needs_kind_name_and_uid() {
        let owner = OwnerReference { api_version: "v1".to_owned(), kind: "Pod".to_owned(), ..Default::default() };
        let meta = ObjectMeta { owner_references: Some(vec![owner]), ..meta() };
        let errors = texts(validate_object_meta(&meta, true, name_is_dns_subdomain, &Path::root("metadata")));
        let expected = [
            "metadata.ownerReferences.name: Invalid value: \"\": must not be empty",
            "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty",
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_finalizer_without_a_domain_must_be_a_standard_one() {
        let meta = ObjectMeta { finalizers: Some(vec!["orphan".to_owned(), "mine".to_owned()]), ..meta() };
        let errors = texts(validate_object_meta(&meta, true, name_is_dns_subdomain, &Path::root("metadata")));
        let why = "name is neither a standard finalizer name nor is it fully qualified";
        assert_eq!(errors, [format!("metadata.finalizers[1]: Invalid value: \"mine\": {why}")]);
    }

    #[test]
    fn an_object_without_a_name_is_told_of_generate_name() {
        let meta = ObjectMeta { name: None, ..meta() };
        let errors = texts(validate_object_meta(&meta, true, name_is_dns_subdomain, &Path::root("metadata")));
        assert_eq!(errors, ["metadata.name: Required value: name or generateName is required"]);
    }
}
