//! Node selectors and topology selectors (`ValidateNodeSelector`, `ValidateTopologySelectorTerm` of
//! `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PreferredSchedulingTerm, TopologySelectorTerm,
};

use super::invalid_each;
use super::label_selector::validate_label_name;
use super::names::{is_label_value, name_is_dns_subdomain};
use crate::api::field::{ErrorList, Path};

/// A required node selector.
pub fn validate_node_selector(selector: &NodeSelector, allow_invalid_values: bool, path: &Path<'_>) -> ErrorList {
    let terms = path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        return vec![terms.required("must have at least one node selector term")];
    }
    let each = selector.node_selector_terms.iter().enumerate();
    each.flat_map(|(i, term)| validate_node_selector_term(term, allow_invalid_values, &terms.index(i))).collect()
}

/// One term of a node selector.
pub fn validate_node_selector_term(term: &NodeSelectorTerm, allow_invalid_values: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let expressions = path.child("matchExpressions");
    for (i, requirement) in term.match_expressions.iter().flatten().enumerate() {
        errors.extend(validate_requirement(requirement, allow_invalid_values, &expressions.index(i)));
    }
    let fields = path.child("matchFields");
    for (i, requirement) in term.match_fields.iter().flatten().enumerate() {
        errors.extend(validate_field_requirement(requirement, &fields.index(i)));
    }
    errors
}

fn validate_requirement(
    requirement: &NodeSelectorRequirement,
    allow_invalid_values: bool,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let values = requirement.values.as_deref().unwrap_or_default();
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors.push(values_path.required("must be specified when `operator` is 'In' or 'NotIn'"));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.push(values_path.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        }
        "Gt" | "Lt" if values.len() != 1 => {
            errors.push(values_path.required("must be specified single value when `operator` is 'Lt' or 'Gt'"));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.push(path.child("operator").invalid(other, "not a valid selector operator")),
    }
    errors.extend(validate_label_name(&requirement.key, &path.child("key")));
    if !allow_invalid_values {
        for (i, value) in values.iter().enumerate() {
            errors.extend(invalid_each(&values_path.index(i), value, is_label_value(value)));
        }
    }
    errors
}

fn validate_field_requirement(requirement: &NodeSelectorRequirement, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let values = requirement.values.as_deref().unwrap_or_default();
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => {
            let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.push(values_path.required(why));
        }
        other => errors.push(path.child("operator").invalid(other, "not a valid selector operator")),
    }
    if requirement.key != "metadata.name" {
        errors.push(path.child("key").invalid(requirement.key.as_str(), "not a valid field selector key"));
        return errors;
    }
    for (i, value) in values.iter().enumerate() {
        errors.extend(invalid_each(&values_path.index(i), value, name_is_dns_subdomain(value, false)));
    }
    errors
}

/// Preferred node selector terms with their weights (`ValidatePreferredSchedulingTerms`).
pub fn validate_preferred_scheduling_terms(terms: &[PreferredSchedulingTerm], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, term) in terms.iter().enumerate() {
        let path = path.index(i);
        if !(1..=100).contains(&term.weight) {
            errors.push(path.child("weight").invalid(term.weight, "must be in the range 1-100"));
        }
        errors.extend(validate_node_selector_term(&term.preference, true, &path.child("preference")));
    }
    errors
}

/// One term of a StorageClass's `allowedTopologies`; also the term as a map from key to values, for comparison.
pub fn validate_topology_selector_term(
    term: &TopologySelectorTerm,
    path: &Path<'_>,
) -> (BTreeMap<String, BTreeSet<String>>, ErrorList) {
    let mut errors = Vec::new();
    let mut map = BTreeMap::new();
    let expressions = path.child("matchLabelExpressions");
    for (i, requirement) in term.match_label_expressions.iter().flatten().enumerate() {
        let path = expressions.index(i);
        let values_path = path.child("values");
        if requirement.values.is_empty() {
            errors.push(values_path.required(""));
        }
        let mut values = BTreeSet::new();
        for (j, value) in requirement.values.iter().enumerate() {
            if !values.insert(value.clone()) {
                errors.push(values_path.index(j).duplicate(value.as_str()));
            }
        }
        errors.extend(validate_label_name(&requirement.key, &path.child("key")));
        if map.insert(requirement.key.clone(), values).is_some() {
            errors.push(path.child("key").duplicate(requirement.key.as_str()));
        }
    }
    (map, errors)
}
