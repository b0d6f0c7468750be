//! `spec.affinity` (`validateAffinity` of `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Affinity, NodeAffinity, PodAffinityTerm, WeightedPodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::PodValidationOptions;
use crate::api::field::{ErrorList, Path};
use crate::api::validation::invalid_each;
use crate::api::validation::label_selector::{validate_label_name, validate_label_selector};
use crate::api::validation::names::name_is_dns_label;
use crate::api::validation::node_selector::{validate_node_selector, validate_preferred_scheduling_terms};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub(super) fn validate_affinity(affinity: &Affinity, path: &Path<'_>, options: &PodValidationOptions) -> ErrorList {
    let mut errors = Vec::new();
    let allow_invalid = options.allow_invalid_label_value_in_selector;
    if let Some(node) = &affinity.node_affinity {
        let allow_invalid = options.allow_invalid_label_value_in_required_node_affinity;
        errors.extend(validate_node_affinity(node, allow_invalid, &path.child("nodeAffinity")));
    }
    if let Some(pod) = &affinity.pod_affinity {
        let required = pod.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pod.preferred_during_scheduling_ignored_during_execution.as_deref();
        errors.extend(validate_pod_terms(required, preferred, allow_invalid, &path.child("podAffinity")));
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let required = pod.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pod.preferred_during_scheduling_ignored_during_execution.as_deref();
        errors.extend(validate_pod_terms(required, preferred, allow_invalid, &path.child("podAntiAffinity")));
    }
    errors
}

fn validate_node_affinity(affinity: &NodeAffinity, allow_invalid: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        errors.extend(validate_node_selector(required, allow_invalid, &path.child(REQUIRED)));
    }
    if let Some(preferred) = &affinity.preferred_during_scheduling_ignored_during_execution {
        errors.extend(validate_preferred_scheduling_terms(preferred, &path.child(PREFERRED)));
    }
    errors
}

fn validate_pod_terms(
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    allow_invalid: bool,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let list = path.child(REQUIRED);
    for (i, term) in required.unwrap_or_default().iter().enumerate() {
        errors.extend(validate_pod_affinity_term(term, allow_invalid, &list.index(i)));
    }
    let list = path.child(PREFERRED);
    for (i, term) in preferred.unwrap_or_default().iter().enumerate() {
        let path = list.index(i);
        if !(1..=100).contains(&term.weight) {
            errors.push(path.child("weight").invalid(term.weight, "must be in the range 1-100"));
        }
        let path = path.child("podAffinityTerm");
        errors.extend(validate_pod_affinity_term(&term.pod_affinity_term, allow_invalid, &path));
    }
    errors
}

fn validate_pod_affinity_term(term: &PodAffinityTerm, allow_invalid: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_term_selectors(term, allow_invalid, path);
    for name in term.namespaces.iter().flatten() {
        errors.extend(invalid_each(&path.child("namespace"), name, name_is_dns_label(name, false)));
    }
    errors.extend(validate_match_label_keys(
        term.match_label_keys.as_deref().unwrap_or_default(),
        term.mismatch_label_keys.as_deref().unwrap_or_default(),
        term.label_selector.as_ref(),
        path,
    ));
    let key_path = path.child("topologyKey");
    if term.topology_key.is_empty() {
        errors.push(key_path.required("can not be empty"));
    }
    errors.extend(validate_label_name(&term.topology_key, &key_path));
    errors
}

/// `ValidatePodAffinityTermSelector`.
pub(super) fn validate_term_selectors(term: &PodAffinityTerm, allow_invalid: bool, path: &Path<'_>) -> ErrorList {
    let labels = term.label_selector.as_ref();
    let mut errors = validate_label_selector(labels, allow_invalid, &path.child("labelSelector"));
    let namespaces = term.namespace_selector.as_ref();
    errors.extend(validate_label_selector(namespaces, allow_invalid, &path.child("namespaceSelector")));
    errors
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys`.
pub(super) fn validate_match_label_keys(
    keys: &[String],
    mismatch_keys: &[String],
    selector: Option<&LabelSelector>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    for (list, field) in [(keys, "matchLabelKeys"), (mismatch_keys, "mismatchLabelKeys")] {
        let path = path.child(field);
        if !list.is_empty() && selector.is_none() {
            errors.push(path.forbidden("must not be specified when labelSelector is not set"));
        } else {
            errors.extend(list.iter().enumerate().flat_map(|(i, key)| validate_label_name(key, &path.index(i))));
        }
    }
    if let Some(selector) = selector {
        // by now the selector holds an expression for each matchLabelKey, so only a second one was there before
        let mut seen: BTreeSet<&str> = selector.match_labels.iter().flatten().map(|(key, _)| key.as_str()).collect();
        for expression in selector.match_expressions.iter().flatten() {
            let key = expression.key.as_str();
            if let Some(i) = keys.iter().rposition(|k| k == key)
                && seen.contains(key)
            {
                errors.push(path.index(i).invalid(key, "exists in both matchLabelKeys and labelSelector"));
            }
            seen.insert(key);
        }
    }
    let key_path = path.child("matchLabelKeys");
    for (i, key) in keys.iter().enumerate().filter(|(_, key)| mismatch_keys.contains(key)) {
        let why = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.push(key_path.index(i).invalid(key.as_str(), why));
    }
    errors
}
