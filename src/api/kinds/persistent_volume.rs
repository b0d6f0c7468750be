//! PersistentVolumes (`pkg/registry/core/persistentvolume/strategy.go`, `pkg/apis/core/v1/defaults.go`,
//! `ValidatePersistentVolume` in `pkg/apis/core/validation`, `pkg/volume/validation`, `pkg/api/persistentvolume`).
mod source;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    NodeSelectorRequirement, PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus, VolumeNodeAffinity,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use serde_json::Value;

use crate::api::field::{ErrorList, FieldError, Path};
use crate::api::internal;
use crate::api::object::ApiObject;
use crate::api::quantity::{Quantity, scale};
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::node_selector::validate_node_selector;
use crate::api::validation::object_meta::validate_object_meta;
use crate::api::validation::resources::validate_positive_quantity;
use crate::api::validation::{FIELD_IMMUTABLE, invalid_each, invalid_printed};
use crate::storage::{STORAGE, volume_spec};

/// The access modes, as `supported values` lists them.
const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const RECLAIM_POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];
const MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

impl Strategy for PersistentVolume {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_text(&mut spec.persistent_volume_reclaim_policy, "Retain");
        spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
        // not pointers in Go: the empty text is the absent one
        drop_empty(&mut spec.storage_class_name);
        default_resource_list(spec.capacity.as_mut());
        source::set_defaults(spec);
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(PersistentVolumeStatus { phase: Some("Pending".to_owned()), ..Default::default() });
    }

    fn allocate(&mut self, old: Option<&Self>, _store: &Store) -> Result<(), Status> {
        if old.is_none()
            && let Some(status) = self.status.as_mut()
        {
            status.last_phase_transition_time.clone_from(&self.metadata.creation_timestamp);
        }
        Ok(())
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
        let (Some(new), Some(old)) = (self.status.as_mut(), old.status.as_ref()) else { return };
        if new.phase == old.phase && new.last_phase_transition_time.is_none() {
            new.last_phase_transition_time.clone_from(&old.last_phase_transition_time);
        }
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_volume(self, false);
        errors.extend(validate_mount_option_annotation(self));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        // values that were let in before may stay
        let lenient = volume_spec(old).node_affinity.as_ref().is_some_and(has_invalid_label_value);
        let mut errors = validate_volume(self, lenient);
        errors.extend(validate_mount_option_annotation(self));
        errors.extend(validate_changes(self, old));
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        warnings(self)
    }
}

/// Sets a text that is empty or absent.
fn default_text(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

/// Drops a text that Go would not tell from an absent one.
pub(super) fn drop_empty(field: &mut Option<String>) {
    if field.as_deref() == Some("") {
        *field = None;
    }
}

/// Rounds up to thousandths and stores the canonical text (`SetDefaults_ResourceList`).
pub(super) fn default_resource_list(list: Option<&mut BTreeMap<String, ApiQuantity>>) {
    for quantity in list.into_iter().flat_map(BTreeMap::values_mut) {
        let Ok(mut amount) = Quantity::try_from(&*quantity) else { continue };
        amount.round_up(scale::MILLI);
        *quantity = amount.into();
    }
}

/// `ValidatePersistentVolume`.
fn validate_volume(volume: &PersistentVolume, allow_invalid_label_values: bool) -> ErrorList {
    let mut errors = validate_object_meta(&volume.metadata, false, name_is_dns_subdomain, &Path::root("metadata"));
    errors.extend(validate_spec(volume_spec(volume), volume.name(), allow_invalid_label_values, &Path::root("spec")));
    errors
}

/// `ValidatePersistentVolumeSpec`.
fn validate_spec(spec: &PersistentVolumeSpec, name: &str, lenient: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        errors.push(path.child("accessModes").required(""));
    }
    errors.extend(validate_access_modes(modes, path));
    errors.extend(validate_capacity(spec.capacity.as_ref(), &path.child("capacity")));
    let policy = spec.persistent_volume_reclaim_policy.as_deref().unwrap_or_default();
    if !policy.is_empty() && !RECLAIM_POLICIES.contains(&policy) {
        errors.push(path.child("persistentVolumeReclaimPolicy").not_supported(policy, &RECLAIM_POLICIES));
    }
    if let Some(affinity) = &spec.node_affinity {
        let path = path.child("nodeAffinity");
        let required = path.child("required");
        match &affinity.required {
            Some(selector) => errors.extend(validate_node_selector(selector, lenient, &required)),
            None => errors.push(required.required("must specify required node constraints")),
        }
    }
    errors.extend(source::validate(spec, name, path));
    let root = spec.host_path.as_ref().is_some_and(|h| is_root(&h.path));
    if root && policy == "Recycle" {
        let policy = path.child("persistentVolumeReclaimPolicy");
        errors.push(policy.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
    if let Some(class) = spec.storage_class_name.as_deref().filter(|c| !c.is_empty()) {
        errors.extend(invalid_each(&path.child("storageClassName"), class, name_is_dns_subdomain(class, false)));
    }
    errors.extend(validate_volume_mode(spec.volume_mode.as_deref(), path));
    if let Some(class) = spec.volume_attributes_class_name.as_deref() {
        let class_path = path.child("volumeAttributesClassName");
        if class.is_empty() {
            errors.push(class_path.required("an empty string is disallowed"));
        } else {
            errors.extend(invalid_each(&class_path, class, name_is_dns_subdomain(class, false)));
        }
        if spec.csi.is_none() {
            errors.push(path.child("csi").required("has to be specified when using volumeAttributesClassName"));
        }
    }
    errors
}

/// Access modes of a volume or a claim: known ones, ReadWriteOncePod by itself.
pub(super) fn validate_access_modes(modes: &[String], path: &Path<'_>) -> ErrorList {
    let path = path.child("accessModes");
    let known = |mode: &&String| ACCESS_MODES.contains(&mode.as_str());
    let mut errors: ErrorList =
        modes.iter().filter(|m| !known(m)).map(|m| path.not_supported(m.as_str(), &ACCESS_MODES)).collect();
    let (pod, others): (Vec<&String>, Vec<&String>) =
        modes.iter().filter(known).partition(|m| m.as_str() == "ReadWriteOncePod");
    if !pod.is_empty() && !others.is_empty() {
        errors.push(path.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
    errors
}

/// `Block` or `Filesystem`, if given.
pub(super) fn validate_volume_mode(mode: Option<&str>, path: &Path<'_>) -> Option<FieldError> {
    let mode = mode.filter(|m| !VOLUME_MODES.contains(m))?;
    Some(path.child("volumeMode").not_supported(mode, &VOLUME_MODES))
}

/// A capacity is of `storage` and nothing else, and above zero.
fn validate_capacity(capacity: Option<&BTreeMap<String, ApiQuantity>>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let count = capacity.map_or(0, BTreeMap::len);
    if count == 0 {
        errors.push(path.required(""));
    }
    if count > 1 || !capacity.is_some_and(|c| c.contains_key(STORAGE)) {
        let printed = serde_json::to_value(capacity).unwrap_or(Value::Null);
        errors.push(path.not_supported(printed, &[STORAGE]));
    }
    for (resource, quantity) in capacity.into_iter().flatten() {
        let path = path.key(resource);
        let bytes = Quantity::of(quantity).value();
        if bytes < 0 {
            errors.push(path.invalid(bytes, "must be a valid resource quantity"));
        }
        errors.extend(validate_positive_quantity(quantity, &path));
    }
    errors
}

/// Whether a path is `/` once cleaned as Go's `path.Clean` does.
fn is_root(path: &str) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    let mut depth = 0_usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    depth == 0
}

/// Mount options as an annotation are only for network volumes (`pkg/volume/validation` `checkMountOption`).
fn validate_mount_option_annotation(volume: &PersistentVolume) -> Option<FieldError> {
    let spec = volume_spec(volume);
    let supported = spec.gce_persistent_disk.is_some()
        || spec.aws_elastic_block_store.is_some()
        || spec.glusterfs.is_some()
        || spec.nfs.is_some()
        || spec.rbd.is_some()
        || spec.quobyte.is_some()
        || spec.iscsi.is_some()
        || spec.cinder.is_some()
        || spec.cephfs.is_some()
        || spec.azure_file.is_some()
        || spec.vsphere_volume.is_some()
        || spec.azure_disk.is_some()
        || spec.photon_persistent_disk.is_some();
    if supported {
        return None;
    }
    volume.annotation(MOUNT_OPTIONS)?;
    let metadata = Path::root("metadata");
    let annotations = metadata.child("annotations");
    Some(annotations.child(MOUNT_OPTIONS).forbidden("may not specify mount options for this volume type"))
}

/// What may not change (`ValidatePersistentVolumeUpdate`).
fn validate_changes(volume: &PersistentVolume, old: &PersistentVolume) -> ErrorList {
    let mut errors = Vec::new();
    let (mut new_spec, old_spec) = (volume_spec(volume).clone(), volume_spec(old));
    // a secret for expansion may be added later
    if let (Some(new), Some(old)) = (new_spec.csi.as_mut(), old_spec.csi.as_ref())
        && old.controller_expand_secret_ref.is_none()
    {
        new.controller_expand_secret_ref = None;
    }
    if !internal::semantic_equal("PersistentVolumeSource", old_spec, &new_spec) {
        let diff = internal::diff("PersistentVolumeSource", old_spec, &new_spec);
        let why = format!("spec.persistentvolumesource is immutable after creation\n{diff}");
        let spec = Path::root("spec");
        errors.push(spec.child("persistentvolumesource").forbidden(why));
    }
    if new_spec.volume_mode != old_spec.volume_mode {
        errors.push(Path::root("volumeMode").invalid(new_spec.volume_mode.clone(), FIELD_IMMUTABLE));
    }
    if let Some(old) = &old_spec.node_affinity
        && !same_node_affinity(new_spec.node_affinity.as_ref(), old)
    {
        let printed = match &new_spec.node_affinity {
            Some(new) => internal::to_json("VolumeNodeAffinity", new),
            None => "null".to_owned(),
        };
        let why = format!("{FIELD_IMMUTABLE}, except for updating from beta label to GA");
        errors.push(invalid_printed(&Path::root("nodeAffinity"), &printed, &why));
    }
    if old_spec.volume_attributes_class_name.is_some() && new_spec.volume_attributes_class_name.is_none() {
        let spec = Path::root("spec");
        let class = spec.child("volumeAttributesClassName");
        errors.push(class.forbidden("update from non-nil value to nil is forbidden"));
    }
    errors
}

/// Whether two node affinities are the same, but for beta label keys that became their GA successors.
fn same_node_affinity(new: Option<&VolumeNodeAffinity>, old: &VolumeNodeAffinity) -> bool {
    let Some(new) = new else { return false };
    let mut old = old.clone();
    let requirements = |affinity: &VolumeNodeAffinity| -> Vec<NodeSelectorRequirement> {
        let terms = affinity.required.iter().flat_map(|s| &s.node_selector_terms);
        terms.flat_map(|t| t.match_expressions.iter().chain(&t.match_fields).flatten()).cloned().collect()
    };
    let new_requirements = requirements(new);
    let terms = old.required.iter_mut().flat_map(|s| &mut s.node_selector_terms);
    let old_requirements = terms.flat_map(|t| t.match_expressions.iter_mut().chain(&mut t.match_fields).flatten());
    for (old, new) in old_requirements.zip(&new_requirements) {
        if ga_label(&old.key) == Some(new.key.as_str()) {
            old.key.clone_from(&new.key);
        }
    }
    internal::semantic_equal("VolumeNodeAffinity", new, &old)
}

fn ga_label(beta: &str) -> Option<&'static str> {
    Some(match beta {
        "failure-domain.beta.kubernetes.io/zone" => "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region" => "topology.kubernetes.io/region",
        "beta.kubernetes.io/os" => "kubernetes.io/os",
        "beta.kubernetes.io/arch" => "kubernetes.io/arch",
        "beta.kubernetes.io/instance-type" => "node.kubernetes.io/instance-type",
        _ => return None,
    })
}

/// Whether a stored affinity holds label values that would be refused today.
fn has_invalid_label_value(affinity: &VolumeNodeAffinity) -> bool {
    let terms = affinity.required.iter().flat_map(|s| &s.node_selector_terms);
    let mut expressions = terms.flat_map(|t| t.match_expressions.iter().flatten());
    expressions.any(|e| e.values.iter().flatten().any(|v| !crate::api::validation::names::is_label_value(v).is_empty()))
}

/// `pkg/api/persistentvolume` `GetWarningsForPersistentVolume`.
fn warnings(volume: &PersistentVolume) -> Vec<String> {
    let spec = volume_spec(volume);
    let mut warnings = Vec::new();
    let deprecated = [
        (crate::storage::BETA_STORAGE_CLASS, r#"deprecated since v1.8; use "storageClassName" attribute instead"#),
        (MOUNT_OPTIONS, r#"deprecated since v1.31; use "mountOptions" attribute instead"#),
    ];
    for (key, message) in deprecated {
        if volume.annotation(key).is_some() {
            warnings.push(format!("metadata.annotations[{key}]: {message}"));
        }
    }
    if spec.persistent_volume_reclaim_policy.as_deref() == Some("Recycle") {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    let terms = spec.node_affinity.iter().filter_map(|a| a.required.as_ref()).flat_map(|s| &s.node_selector_terms);
    for (i, term) in terms.enumerate() {
        for (j, expression) in term.match_expressions.iter().flatten().enumerate() {
            if let Some(message) = deprecated_node_label(&expression.key) {
                let path = format!("spec.nodeAffinity.required.nodeSelectorTerms[{i}].matchExpressions[{j}].key");
                warnings.push(format!("{path}: {} is {message}", expression.key));
            }
        }
    }
    let sources = [
        (spec.cephfs.is_some(), "cephfs: deprecated in v1.28, non-functional in v1.31+"),
        (spec.photon_persistent_disk.is_some(), "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+"),
        (spec.scale_io.is_some(), "scaleIO: deprecated in v1.16, non-functional in v1.22+"),
        (spec.storageos.is_some(), "storageOS: deprecated in v1.22, non-functional in v1.25+"),
        (spec.glusterfs.is_some(), "glusterfs: deprecated in v1.25, non-functional in v1.26+"),
        (spec.rbd.is_some(), "rbd: deprecated in v1.28, non-functional in v1.31+"),
    ];
    warnings.extend(sources.iter().filter(|(used, _)| *used).map(|(_, message)| format!("spec.{message}")));
    warnings
}

/// Why a node label is not to be used any more (`pkg/api/node` `GetNodeLabelDeprecatedMessage`).
pub(super) fn deprecated_node_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#,
        "beta.kubernetes.io/os" => r#"deprecated since v1.14; use "kubernetes.io/os" instead"#,
        "failure-domain.beta.kubernetes.io/region" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#
        }
        "beta.kubernetes.io/instance-type" => {
            r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#
        }
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => "deprecated since v1.22; use Taints and Tolerations instead",
        "node-role.kubernetes.io/master" => r#"use "node-role.kubernetes.io/control-plane" instead"#,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
