//! What may change in a pod that exists (`ValidatePodUpdate` of `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{
    Affinity, Container, NodeAffinity, NodeSelectorTerm, Pod, PodSchedulingGate, PodSpec, Toleration,
};
use serde_json::Value;

use super::validate_metadata_and_spec;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::validation::invalid_printed;
use crate::api::validation::names::inclusive_range_error;
use crate::api::validation::object_meta::validate_object_meta_update;
use crate::api::validation::pod_spec::{
    PodValidationOptions, text, validate_annotation_updates, validate_annotations_for_spec, validate_tolerations,
};

const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be \
    set to 1 if it was previously negative)";

/// A pod's spec as the internal type holds it, with the host's namespaces in the security context.
fn internal_spec(spec: &PodSpec) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    let moved = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];
    let moved: Vec<(&str, Value)> = moved.iter().map(|key| (*key, value[*key].take())).collect();
    if value["securityContext"].is_null() {
        value["securityContext"] = Value::Object(serde_json::Map::new());
    }
    for (key, field) in moved {
        value["securityContext"][key] = field;
    }
    value
}

/// Whether two specs mean the same (`apiequality.Semantic.DeepEqual`).
pub(super) fn same_spec(new: Option<&PodSpec>, old: Option<&PodSpec>) -> bool {
    if new == old {
        return true;
    }
    let empty = PodSpec::default();
    let (new, old) = (internal_spec(new.unwrap_or(&empty)), internal_spec(old.unwrap_or(&empty)));
    internal::semantic_equal("PodSpec", &new, &old)
}

/// Every rule that a changed pod breaks.
pub(super) fn validate_pod_update(new: &Pod, old: &Pod) -> ErrorList {
    let empty = PodSpec::default();
    let (new_spec, old_spec) = (new.spec.as_ref().unwrap_or(&empty), old.spec.as_ref().unwrap_or(&empty));
    let options = PodValidationOptions::for_pod_update(old_spec, old.metadata.annotations.as_ref());
    let (metadata_path, path) = (Path::root("metadata"), Path::root("spec"));
    let annotations_path = metadata_path.child("annotations");
    let mut errors = validate_object_meta_update(&new.metadata, &old.metadata, &metadata_path);
    errors.extend(validate_metadata_and_spec(new, &options));
    errors.extend(validate_annotation_updates(&new.metadata, &old.metadata, &annotations_path));
    let annotations = new.metadata.annotations.as_ref();
    errors.extend(validate_annotations_for_spec(annotations, new_spec, &annotations_path, &options));

    fn init(spec: &PodSpec) -> &[Container] {
        spec.init_containers.as_deref().unwrap_or_default()
    }
    let lists = [
        ("containers", new_spec.containers.as_slice(), old_spec.containers.as_slice()),
        ("initContainers", init(new_spec), init(old_spec)),
    ];
    for (field, new, old) in lists {
        let path = path.child(field);
        if new.len() != old.len() {
            errors.push(path.forbidden("pod updates may not add or remove containers"));
            return errors;
        }
        errors.extend(validate_images(new, &path));
    }
    if let Some(stop) = validate_active_deadline(new_spec, old_spec, &path, &mut errors) {
        errors.push(stop);
        return errors;
    }
    let comparisons = options.allow_toleration_comparisons;
    errors.extend(validate_added_tolerations(new_spec, old_spec, comparisons, &path.child("tolerations")));
    errors.extend(validate_deleted_gates(new_spec, old_spec, &path.child("schedulingGates")));
    if same_spec(Some(new_spec), Some(old_spec)) {
        return errors;
    }
    let mut munged = with_updatable_fields_of(new_spec, old_spec);
    if old_spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        errors.extend(restore_gated_fields(&mut munged, old_spec, &path));
    }
    if !same_spec(Some(&munged), Some(old_spec)) {
        let difference = internal::diff("PodSpec", &internal_spec(old_spec), &internal_spec(&munged));
        errors.push(path.forbidden(format!("pod updates may not change fields other than {UPDATABLE}\n{difference}")));
    }
    errors
}

/// `ValidateContainerUpdates`.
fn validate_images(containers: &[Container], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        let path = path.child("image");
        let image = text(&container.image);
        if image.is_empty() {
            errors.push(path.required(""));
        }
        if image.trim() != image {
            errors.push(path.invalid(image, "must not have leading or trailing whitespace"));
        }
    }
    errors
}

/// A deadline can be set and shortened. An error that is returned ends validation.
fn validate_active_deadline(
    new: &PodSpec,
    old: &PodSpec,
    path: &Path<'_>,
    errors: &mut ErrorList,
) -> Option<crate::api::field::FieldError> {
    let path = path.child("activeDeadlineSeconds");
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            Some(path.invalid(new, inclusive_range_error(0, i64::from(i32::MAX))))
        }
        (Some(new), Some(old)) if old < new => Some(path.invalid(new, "must be less than or equal to previous value")),
        (None, Some(_)) => {
            errors.push(path.invalid(Value::Null, "must not update from a positive integer to nil value"));
            None
        }
        _ => None,
    }
}

fn validate_added_tolerations(new: &PodSpec, old: &PodSpec, comparisons: bool, path: &Path<'_>) -> ErrorList {
    let new = new.tolerations.as_deref().unwrap_or_default();
    let same = |a: &Toleration, b: &Toleration| {
        Toleration { toleration_seconds: None, ..a.clone() } == Toleration { toleration_seconds: None, ..b.clone() }
    };
    for old in old.tolerations.iter().flatten() {
        if !new.iter().any(|new| same(new, old)) {
            return vec![path.forbidden("existing toleration can not be modified except its tolerationSeconds")];
        }
    }
    validate_tolerations(new, comparisons, path)
}

fn validate_deleted_gates(new: &PodSpec, old: &PodSpec, path: &Path<'_>) -> ErrorList {
    let known = |gate: &PodSchedulingGate| old.scheduling_gates.iter().flatten().any(|old| old.name == gate.name);
    let added = new.scheduling_gates.iter().flatten().enumerate().filter(|(_, gate)| !known(gate));
    let error = |(i, gate): (usize, &PodSchedulingGate)| {
        let why = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
        path.index(i).child("name").forbidden(why)
    };
    added.map(error).collect()
}

/// The new spec with the old values of all fields that may change.
fn with_updatable_fields_of(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let mut munged = new.clone();
    for (container, old) in munged.containers.iter_mut().zip(&old.containers) {
        container.image.clone_from(&old.image);
    }
    let init_containers = munged.init_containers.iter_mut().flatten();
    for (container, old) in init_containers.zip(old.init_containers.iter().flatten()) {
        container.image.clone_from(&old.image);
    }
    munged.active_deadline_seconds = old.active_deadline_seconds;
    munged.scheduling_gates.clone_from(&old.scheduling_gates);
    munged.tolerations.clone_from(&old.tolerations);
    let negative = old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0);
    if negative && munged.termination_grace_period_seconds == Some(1) {
        munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    munged
}

/// Pods with scheduling gates may be confined to fewer nodes; what is wrong with that, and the old values put back.
fn restore_gated_fields(munged: &mut PodSpec, old: &PodSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if munged.node_selector != old.node_selector {
        let kept = |(key, value)| munged.node_selector.as_ref().and_then(|s| s.get(key)) == Some(value);
        if !old.node_selector.iter().flatten().all(kept) {
            let shown = serde_json::to_value(munged.node_selector.clone().unwrap_or_default()).unwrap_or_default();
            let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            errors.push(path.child("nodeSelector").invalid(shown, why));
        }
        munged.node_selector.clone_from(&old.node_selector);
    }
    let node_affinity = |spec: &PodSpec| spec.affinity.as_ref().and_then(|a| a.node_affinity.clone());
    let (new_affinity, old_affinity) = (node_affinity(munged), node_affinity(old));
    if new_affinity != old_affinity {
        let path = path.child("affinity");
        errors.extend(validate_node_affinity_mutation(
            new_affinity.as_ref(),
            old_affinity.as_ref(),
            &path.child("nodeAffinity"),
        ));
        match &mut munged.affinity {
            None => {
                munged.affinity = old_affinity.map(|node| Affinity { node_affinity: Some(node), ..Default::default() })
            }
            Some(new) if old.affinity.is_none() && new.pod_affinity.is_none() && new.pod_anti_affinity.is_none() => {
                munged.affinity = None;
            }
            Some(new) => new.node_affinity = old_affinity,
        }
    }
    errors
}

/// `validateNodeAffinityMutation`: required terms can only get more requirements.
fn validate_node_affinity_mutation(
    new: Option<&NodeAffinity>,
    old: Option<&NodeAffinity>,
    path: &Path<'_>,
) -> ErrorList {
    let required = |affinity: Option<&NodeAffinity>| {
        affinity
            .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref())
            .map(|s| s.node_selector_terms.clone())
    };
    let Some(old_terms) = required(old) else { return Vec::new() };
    let new_terms = required(new);
    let path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
    let path = path.child("nodeSelectorTerms");
    let count = new_terms.as_ref().map_or(0, Vec::len);
    if !old_terms.is_empty() && old_terms.len() != count {
        let printed = internal::to_json("[]NodeSelectorTerm", &new_terms);
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        return vec![invalid_printed(&path, &printed, why)];
    }
    let mut errors = Vec::new();
    for (i, (new, old)) in new_terms.iter().flatten().zip(&old_terms).enumerate() {
        if !has_only_additions(new, old) {
            let printed = internal::to_json("NodeSelectorTerm", new);
            let why = "only additions are allowed (no mutations or deletions)";
            errors.push(invalid_printed(&path.index(i), &printed, why));
        }
    }
    errors
}

fn has_only_additions(new: &NodeSelectorTerm, old: &NodeSelectorTerm) -> bool {
    let pairs = [(&new.match_expressions, &old.match_expressions), (&new.match_fields, &old.match_fields)];
    let list = |list: &Option<Vec<_>>| list.clone().unwrap_or_default();
    let old_is_empty = pairs.iter().all(|(_, old)| list(old).is_empty());
    if old_is_empty {
        // an empty term matches nothing, so it must stay empty
        return pairs.iter().all(|(new, _)| list(new).is_empty());
    }
    pairs.iter().all(|(new, old)| list(new).starts_with(&list(old)))
}
