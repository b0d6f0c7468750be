//! Labels and label selectors (`k8s.io/apimachinery/pkg/apis/meta/v1/validation`).
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::invalid_each;
use super::names::{is_label_value, is_qualified_name};
use crate::api::field::{ErrorList, Path};

/// A label's key (`ValidateLabelName`).
pub fn validate_label_name(name: &str, path: &Path<'_>) -> ErrorList {
    invalid_each(path, name, is_qualified_name(name))
}

/// Keys and values of labels (`ValidateLabels`).
pub fn validate_labels(labels: Option<&BTreeMap<String, String>>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (key, value) in labels.into_iter().flatten() {
        errors.extend(validate_label_name(key, path));
        errors.extend(invalid_each(path, value, is_label_value(value)));
    }
    errors
}

/// A label selector, if there is one (`ValidateLabelSelector`). Invalid values in expressions are let through on
/// updates of objects that have some already.
pub fn validate_label_selector(
    selector: Option<&LabelSelector>,
    allow_invalid_values: bool,
    path: &Path<'_>,
) -> ErrorList {
    let Some(selector) = selector else { return Vec::new() };
    let mut errors = validate_labels(selector.match_labels.as_ref(), &path.child("matchLabels"));
    let list = path.child("matchExpressions");
    for (i, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        errors.extend(validate_label_selector_requirement(requirement, allow_invalid_values, &list.index(i)));
    }
    errors
}

/// One expression of a label selector (`ValidateLabelSelectorRequirement`).
pub fn validate_label_selector_requirement(
    requirement: &LabelSelectorRequirement,
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
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
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

/// Whether an expression of a selector has a value that is no label value
/// (`LabelSelectorHasInvalidLabelValue`).
pub fn has_invalid_label_value(selector: Option<&LabelSelector>) -> bool {
    let expressions = selector.into_iter().flat_map(|s| s.match_expressions.iter().flatten());
    expressions.flat_map(|e| e.values.iter().flatten()).any(|v| !is_label_value(v).is_empty())
}
