//! PersistentVolumeClaims (`pkg/registry/core/persistentvolumeclaim/strategy.go`, `pkg/apis/core/v1/defaults.go`,
//! `ValidatePersistentVolumeClaim` in `pkg/apis/core/validation`, `pkg/api/persistentvolumeclaim`), also as the templates
//! in StatefulSets and ephemeral volumes.
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, PersistentVolumeClaimTemplate,
    TypedLocalObjectReference, TypedObjectReference,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use serde_json::json;

use super::persistent_volume::{default_resource_list, drop_empty, validate_access_modes, validate_volume_mode};
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::object::ApiObject;
use crate::api::quantity::Quantity;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::label_selector::{has_invalid_label_value, validate_label_selector, validate_labels};
use crate::api::validation::names::{is_dns1123_subdomain, name_is_dns_label, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_annotations, validate_object_meta, validate_object_meta_update};
use crate::api::validation::resources::{validate_positive_quantity, validate_resource_quantity_value};
use crate::api::validation::{FIELD_IMMUTABLE, invalid_each};
use crate::storage::{BETA_STORAGE_CLASS, STORAGE, claim_phase, claim_request, claim_spec};

/// What is let through in a changed claim because it was let in before.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaimValidationOptions {
    /// Label values in selectors that would be refused today.
    pub allow_invalid_label_values: bool,
    /// API groups of data sources that would be refused today.
    pub allow_invalid_api_group: bool,
}

impl Strategy for PersistentVolumeClaim {
    fn set_defaults(&mut self) {
        set_spec_defaults(self.spec.get_or_insert_default());
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(PersistentVolumeClaimStatus { phase: Some("Pending".to_owned()), ..Default::default() });
        prepare_data_sources(self.spec.get_or_insert_default(), None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        prepare_data_sources(self.spec.get_or_insert_default(), old.spec.as_ref());
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        validate_claim(self, ClaimValidationOptions::default())
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let before = claim_spec(old);
        let options = ClaimValidationOptions {
            allow_invalid_label_values: has_invalid_label_value(before.selector.as_ref()),
            allow_invalid_api_group: before.data_source.as_ref().is_some_and(|d| d.api_group.is_some())
                || before.data_source_ref.as_ref().is_some_and(|d| d.api_group.is_some()),
        };
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate_claim(self, options));
        errors.extend(validate_changes(self, old));
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.annotation(BETA_STORAGE_CLASS).is_some() {
            let message = r#"deprecated since v1.8; use "storageClassName" attribute instead"#;
            warnings.push(format!("metadata.annotations[{BETA_STORAGE_CLASS}]: {message}"));
        }
        warnings.extend(warnings_for_spec(claim_spec(self), &Path::root("spec")));
        warnings
    }
}

/// Defaults of a claim's spec, also in a template (`SetDefaults_PersistentVolumeClaimSpec`, `SetDefaults_ResourceList`).
pub fn set_spec_defaults(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
    drop_empty(&mut spec.volume_name);
    let resources = spec.resources.get_or_insert_default();
    default_resource_list(resources.limits.as_mut());
    default_resource_list(resources.requests.as_mut());
}

/// Makes `dataSource` and `dataSourceRef` say the same, and drops what cannot be a data source
/// (`DropDisabledFields`, `EnforceDataSourceBackwardsCompatibility`, `NormalizeDataSources`).
fn prepare_data_sources(spec: &mut PersistentVolumeClaimSpec, old: Option<&PersistentVolumeClaimSpec>) {
    let other_namespace = |r: &TypedObjectReference| r.namespace.as_deref().is_some_and(|n| !n.is_empty());
    if spec.data_source_ref.as_ref().is_some_and(other_namespace) && old.is_none_or(|o| o.data_source_ref.is_none()) {
        spec.data_source_ref = None;
    }
    let had_source = old.is_some_and(|o| o.data_source.is_some() || o.data_source_ref.is_some());
    if !had_source && spec.data_source_ref.is_none() && !spec.data_source.as_ref().is_some_and(is_claim_or_snapshot) {
        spec.data_source = None;
    }
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(source), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                namespace: None,
            });
        }
        (None, Some(source)) if !other_namespace(source) => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
            });
        }
        _ => {}
    }
}

fn is_claim_or_snapshot(source: &TypedLocalObjectReference) -> bool {
    let group = source.api_group.as_deref().unwrap_or_default();
    (source.kind == "PersistentVolumeClaim" && group.is_empty())
        || (source.kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io")
}

/// `ValidatePersistentVolumeClaim`.
fn validate_claim(claim: &PersistentVolumeClaim, options: ClaimValidationOptions) -> ErrorList {
    let mut errors = validate_object_meta(&claim.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    errors.extend(validate_spec(claim_spec(claim), &Path::root("spec"), options));
    errors
}

/// A claim in a pod's ephemeral volume (`ValidatePersistentVolumeClaimTemplate`).
pub fn validate_template(template: &PersistentVolumeClaimTemplate, path: &Path<'_>) -> ErrorList {
    let metadata = template.metadata.clone().unwrap_or_default();
    let meta_path = path.child("metadata");
    let mut errors = validate_annotations(metadata.annotations.as_ref(), &meta_path.child("annotations"));
    errors.extend(validate_labels(metadata.labels.as_ref(), &meta_path.child("labels")));
    let printed = serde_json::to_value(&metadata).unwrap_or_default();
    for field in printed.as_object().into_iter().flat_map(|m| m.keys()) {
        if field != "annotations" && field != "labels" {
            errors.push(meta_path.child(field).forbidden("cannot be set"));
        }
    }
    errors.extend(validate_spec(&template.spec, &path.child("spec"), ClaimValidationOptions::default()));
    errors
}

/// A claim's spec, also in a template (`ValidatePersistentVolumeClaimSpec`).
pub fn validate_spec(spec: &PersistentVolumeClaimSpec, path: &Path<'_>, options: ClaimValidationOptions) -> ErrorList {
    let mut errors = Vec::new();
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        errors.push(path.child("accessModes").required("at least 1 access mode is required"));
    }
    let lenient = options.allow_invalid_label_values;
    errors.extend(validate_label_selector(spec.selector.as_ref(), lenient, &path.child("selector")));
    errors.extend(validate_access_modes(modes, path));

    let resources = path.child("resources");
    let size_path = resources.key(STORAGE);
    let size = spec.resources.as_ref().and_then(|r| r.requests.as_ref()).and_then(|r| r.get(STORAGE));
    match size.map(|size| (size, validate_positive_quantity(size, &size_path))) {
        None => errors.push(size_path.required("")),
        Some((_, wrong)) if !wrong.is_empty() => errors.extend(wrong),
        Some((size, _)) => errors.extend(validate_resource_quantity_value(STORAGE, size, &size_path)),
    }
    let class_name = |field: &str, class: &Option<String>| -> ErrorList {
        let class = class.as_deref().unwrap_or_default();
        if class.is_empty() {
            return Vec::new();
        }
        invalid_each(&path.child(field), class, name_is_dns_subdomain(class, false))
    };
    errors.extend(class_name("storageClassName", &spec.storage_class_name));
    errors.extend(validate_volume_mode(spec.volume_mode.as_deref(), path));
    if let Some(source) = &spec.data_source {
        let reference = (source.name.as_str(), source.kind.as_str(), source.api_group.as_deref());
        errors.extend(validate_data_source(reference, &path.child("dataSource"), options));
    }
    if let Some(source) = &spec.data_source_ref {
        let source_path = path.child("dataSourceRef");
        let reference = (source.name.as_str(), source.kind.as_str(), source.api_group.as_deref());
        errors.extend(validate_data_source(reference, &source_path, options));
        if let Some(namespace) = source.namespace.as_deref().filter(|n| !n.is_empty()) {
            let wrong = name_is_dns_label(namespace, false);
            errors.extend(invalid_each(&source_path.child("namespace"), namespace, wrong));
        }
    }
    if let (Some(source), Some(reference)) = (&spec.data_source, &spec.data_source_ref) {
        let elsewhere = reference.namespace.as_deref().is_some_and(|n| !n.is_empty());
        let equal =
            source.api_group == reference.api_group && source.kind == reference.kind && source.name == reference.name;
        // the value Go prints here is a path without exported fields
        if elsewhere {
            errors.push(path.invalid(json!({}), "may not be specified when dataSourceRef.namespace is specified"));
        } else if !equal {
            errors.push(path.invalid(json!({}), "must match dataSourceRef"));
        }
    }
    errors.extend(class_name("volumeAttributesClassName", &spec.volume_attributes_class_name));
    errors
}

/// `dataSource` and `dataSourceRef` by name, kind and group (`validateDataSource`, `validateDataSourceRef`).
fn validate_data_source(
    (name, kind, group): (&str, &str, Option<&str>),
    path: &Path<'_>,
    options: ClaimValidationOptions,
) -> ErrorList {
    let group = group.unwrap_or_default();
    let mut errors = Vec::new();
    for (field, value) in [("name", name), ("kind", kind)] {
        if value.is_empty() {
            errors.push(path.child(field).required(""));
        }
    }
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        errors.push(path.invalid(kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    }
    if !group.is_empty() && !options.allow_invalid_api_group {
        errors.extend(invalid_each(&path.child("apiGroup"), group, is_dns1123_subdomain(group)));
    }
    errors
}

/// What may not change (`ValidatePersistentVolumeClaimUpdate`).
fn validate_changes(claim: &PersistentVolumeClaim, old: &PersistentVolumeClaim) -> ErrorList {
    let mut errors = Vec::new();
    let (new_spec, old_spec) = (claim_spec(claim), claim_spec(old));
    // the differences that are allowed are taken out of these copies
    let (mut new_masked, mut old_masked) = (new_spec.clone(), old_spec.clone());
    if old_spec.volume_name.as_deref().unwrap_or_default().is_empty() {
        old_masked.volume_name.clone_from(&new_masked.volume_name);
    }
    let (annotation, old_annotation) = (claim.annotation(BETA_STORAGE_CLASS), old.annotation(BETA_STORAGE_CLASS));
    let (class, old_class) = (new_spec.storage_class_name.as_deref(), old_spec.storage_class_name.as_deref());
    let from_annotation = old_annotation.is_some()
        && old_class.is_none()
        && class == old_annotation
        && (annotation.is_none() || annotation == old_annotation);
    if from_annotation {
        new_masked.storage_class_name = None;
    } else {
        let (new, old) = (annotation.unwrap_or_default(), old_annotation.unwrap_or_default());
        if new != old {
            let metadata = Path::root("metadata");
            let annotations = metadata.child("annotations");
            errors.push(annotations.child(BETA_STORAGE_CLASS).invalid(new, FIELD_IMMUTABLE));
        }
        if class.is_some() && old_class.is_none() && (old_annotation.is_none() || class == old_annotation) {
            new_masked.storage_class_name.clone_from(&old_masked.storage_class_name);
        }
    }
    if claim_phase(claim) == "Bound" {
        if let Some(requests) = new_masked.resources.as_mut().and_then(|r| r.requests.as_mut()) {
            let before = old_spec.resources.as_ref().and_then(|r| r.requests.as_ref()).and_then(|r| r.get(STORAGE));
            requests.insert(STORAGE.to_owned(), before.cloned().unwrap_or_else(|| ApiQuantity("0".to_owned())));
        }
        new_masked.volume_attributes_class_name.clone_from(&old_masked.volume_attributes_class_name);
    }
    let spec = Path::root("spec");
    if !internal::semantic_equal("PersistentVolumeClaimSpec", &old_masked, &new_masked) {
        let diff = internal::diff("PersistentVolumeClaimSpec", &old_masked, &new_masked);
        errors.push(spec.forbidden(format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
             claims\n{diff}"
        )));
    }
    let size = claim_request(claim);
    let capacity = old.status.as_ref().and_then(|s| s.capacity.as_ref()).and_then(|c| c.get(STORAGE));
    if size < claim_request(old) && size <= capacity.map(Quantity::of).unwrap_or_default() {
        let (resources, requests) = ("resources", "requests");
        let path = spec.child(resources);
        let path = path.child(requests);
        errors.push(path.child(STORAGE).forbidden("field can not be less than status.capacity"));
    }
    if new_spec.volume_mode != old_spec.volume_mode {
        errors.push(Path::root("volumeMode").invalid(new_spec.volume_mode.clone(), FIELD_IMMUTABLE));
    }
    let attributes = new_spec.volume_attributes_class_name.as_deref();
    let current = old.status.as_ref().and_then(|s| s.current_volume_attributes_class_name.as_ref());
    if attributes != old_spec.volume_attributes_class_name.as_deref() && current.is_some() {
        let what = match attributes {
            None => "nil",
            Some("") => "empty string",
            Some(_) => return errors,
        };
        let why = format!("update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil");
        errors.push(spec.child("volumeAttributesClassName").forbidden(why));
    }
    errors
}

/// Warnings about a claim's spec, also in a template (`GetWarningsForPersistentVolumeClaimSpec`).
pub fn warnings_for_spec(spec: &PersistentVolumeClaimSpec, path: &Path<'_>) -> Vec<String> {
    let Some(resources) = &spec.resources else { return Vec::new() };
    let mut warnings = Vec::new();
    for (field, list) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        let size = list.as_ref().and_then(|l| l.get(STORAGE)).map(Quantity::of).unwrap_or_default();
        if size.milli_value() % 1000 != 0 {
            let resources = path.child("resources");
            let list = resources.child(field);
            let path = list.key(STORAGE);
            warnings.push(format!("{path}: fractional byte value \"{size}\" is invalid, must be an integer"));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use k8s_openapi::api::core::v1::Namespace;
    use k8s_openapi::api::storage::v1::StorageClass;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::ApiServer;

    fn claim(more: Value) -> PersistentVolumeClaim {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        let mut object = json!({"metadata": {"name": "data", "namespace": "default"}, "spec": spec});
        for (key, value) in more.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    fn server() -> ApiServer {
        let mut api = ApiServer::default();
        let namespace = json!({"metadata": {"name": "default"}});
        api.create::<Namespace>(serde_json::from_value(namespace).unwrap()).unwrap();
        api
    }

    /// What the API server says to a change; `phase` is the claim's phase before it.
    fn change_refused(old: Value, phase: &str, new: Value) -> Option<String> {
        let mut api = server();
        let class = json!({"metadata": {"name": "grows"}, "provisioner": "x.io/y", "allowVolumeExpansion": true});
        api.create::<StorageClass>(serde_json::from_value(class).unwrap()).unwrap();
        let mut stored = (*api.create(claim(old)).unwrap().object).clone();
        let capacity = (phase == "Bound").then(|| [(STORAGE.to_owned(), ApiQuantity("1Gi".to_owned()))].into());
        stored.status =
            Some(PersistentVolumeClaimStatus { phase: Some(phase.to_owned()), capacity, ..Default::default() });
        api.update_status(stored).unwrap();
        api.update(claim(new)).err().map(|status| status.message)
    }

    fn size(size: &str) -> Value {
        json!({"storageClassName": "grows", "resources": {"requests": {"storage": size}}})
    }

    #[test]
    fn bound_claims_grow_if_their_class_allows_it() {
        assert_eq!(change_refused(size("1Gi"), "Bound", size("2Gi")), None);
        let other = |size: &str| json!({"storageClassName": "no", "resources": {"requests": {"storage": size}}});
        let message = "persistentvolumeclaims \"data\" is forbidden: only dynamically provisioned pvc can be resized and \
                       the storageclass that provisions the pvc must support resize";
        assert_eq!(change_refused(other("1Gi"), "Bound", other("2Gi")).as_deref(), Some(message));
    }

    #[test]
    fn bound_claims_shrink_only_to_above_their_capacity() {
        assert_eq!(change_refused(size("3Gi"), "Bound", size("2Gi")), None);
        let message = change_refused(size("3Gi"), "Bound", size("1Gi")).unwrap();
        assert!(message.ends_with("storage: Forbidden: field can not be less than status.capacity"), "{message}");
    }

    #[test]
    fn respelling_an_equal_size_is_no_change() {
        assert_eq!(change_refused(size("1Gi"), "Pending", size("1024Mi")), None);
    }

    #[test]
    fn an_unset_class_and_an_empty_volume_name_may_be_set_once() {
        let with = |key: &str, value: &str| json!({ key: value });
        assert_eq!(change_refused(json!({}), "Pending", with("storageClassName", "x")), None);
        assert_eq!(change_refused(json!({}), "Bound", with("storageClassName", "x")), None);
        assert_eq!(change_refused(json!({}), "Pending", with("volumeName", "pv")), None);
        for (key, value) in [("storageClassName", "y"), ("volumeName", "other")] {
            let message = change_refused(with(key, "x"), "Bound", with(key, value)).unwrap();
            assert!(message.contains("spec is immutable after creation except"), "{message}");
        }
        let mode = change_refused(json!({}), "Pending", with("volumeMode", "Block")).unwrap();
        assert!(mode.ends_with("volumeMode: Invalid value: \"Block\": field is immutable]"), "{mode}");
    }

    #[test]
    fn data_sources_are_copied_to_each_other_or_dropped() {
        let stored = |spec: Value| (*server().create(claim(spec)).unwrap().object).clone().spec.unwrap();
        let source = json!({"kind": "PersistentVolumeClaim", "name": "old"});
        let copied = stored(json!({"dataSource": source}));
        assert_eq!(copied.data_source_ref.unwrap().name, "old");
        let copied = stored(json!({"dataSourceRef": {"apiGroup": "x.io", "kind": "Any", "name": "thing"}}));
        assert_eq!(copied.data_source.unwrap().kind, "Any");
        assert_eq!(stored(json!({"dataSource": {"kind": "Pod", "name": "p"}})).data_source, None);
        let elsewhere = json!({"kind": "PersistentVolumeClaim", "name": "old", "namespace": "other"});
        assert_eq!(stored(json!({"dataSourceRef": elsewhere})).data_source_ref, None);
    }

    #[test]
    fn fractions_of_bytes_are_stored_with_a_warning() {
        let accepted = server().create(claim(json!({"resources": {"requests": {"storage": "0.1Gi"}}}))).unwrap();
        let message = "spec.resources.requests[storage]: fractional byte value \"107374182400m\" is invalid, must be an \
                       integer";
        assert_eq!(accepted.warnings, [message]);
    }

    #[test]
    fn limits_and_other_resources_are_not_looked_at() {
        let resources = json!({"requests": {"storage": "1Gi", "cpu": "1"}, "limits": {"storage": "1Mi"}});
        assert!(server().create(claim(json!({"resources": resources, "volumeName": "Not_A_Name"}))).is_ok());
    }
}
