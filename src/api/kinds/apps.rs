//! Rules that the kinds with a pod template share (`pkg/apis/apps/validation`).
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::pod::drop_disabled_fields;
use crate::api::field::{ErrorList, ErrorType, FieldError, Path, go_quote};
use crate::api::label_selector::{self, Labels};
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::{is_dns1123_label, is_valid_percent};
use crate::api::validation::pod_spec::{
    PodValidationOptions, validate_pod_template_spec, validate_pod_template_spec_update,
};
use crate::api::validation::validate_nonnegative;

/// `ValidatePodTemplateSpec`; an old template excuses what was wrong with it already.
pub(super) fn validate_template(
    template: &PodTemplateSpec,
    old: Option<&PodTemplateSpec>,
    path: &Path<'_>,
) -> ErrorList {
    match old {
        None => validate_pod_template_spec(template, path, &PodValidationOptions::default()),
        Some(old) => validate_pod_template_spec_update(template, old, path),
    }
}

/// `DropDisabledTemplateFields`.
pub(super) fn drop_disabled_template_fields(template: &mut PodTemplateSpec, old: Option<&PodTemplateSpec>) {
    if let Some(spec) = template.spec.as_mut() {
        drop_disabled_fields(spec, old.and_then(|o| o.spec.as_ref()));
    }
}

/// A selector that was not given at all; an empty one has an empty `matchLabels` (see [`decode`](crate::api::decode)).
pub(super) fn is_missing(selector: &LabelSelector) -> bool {
    selector.match_labels.is_none() && selector.match_expressions.is_none()
}

/// An empty selector as messages print it.
pub(super) fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

/// A value as messages print it.
pub(super) fn printed(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// An `Unsupported value` error about a structure, which is printed as given.
pub(super) fn not_supported_printed(path: &Path<'_>, value: &str, supported: &[&str]) -> FieldError {
    let list = supported.iter().map(|v| go_quote(v)).collect::<Vec<_>>().join(", ");
    let (field, detail) = (path.to_string(), format!("{value}: supported values: {list}"));
    FieldError { error_type: ErrorType::NotSupported, field, bad_value: None, detail }
}

pub(super) fn template_labels(template: &PodTemplateSpec) -> Option<&Labels> {
    template.metadata.as_ref().and_then(|m| m.labels.as_ref())
}

/// A required selector: not missing, not empty, valid.
pub(super) fn validate_selector(selector: &LabelSelector, kind: &str, path: &Path<'_>) -> ErrorList {
    if is_missing(selector) {
        return vec![path.required("")];
    }
    let mut errors = validate_label_selector(Some(selector), false, path);
    if label_selector::is_empty(selector) {
        errors.push(path.invalid(empty_object(), format!("empty selector is invalid for {kind}")));
    }
    errors
}

/// Whether a selector can be made a matcher of (`LabelSelectorAsSelector`).
pub(super) fn is_usable(selector: &LabelSelector) -> bool {
    validate_label_selector(Some(selector), false, &Path::root("selector")).is_empty()
}

/// That the selector selects what the template makes. An empty selector is refused elsewhere.
pub(super) fn validate_selector_matches(
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path<'_>,
) -> ErrorList {
    let labels = template_labels(template);
    let empty = label_selector::is_empty(selector) && !is_missing(selector);
    if empty || !is_missing(selector) && label_selector::matches(Some(selector), labels) {
        return Vec::new();
    }
    let metadata = path.child("metadata");
    vec![metadata.child("labels").invalid(printed(&labels), "`selector` does not match template `labels`")]
}

/// Pods that are kept running are always restarted and have no deadline.
pub(super) fn validate_always_running(template: &PodTemplateSpec, kind: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let spec_path = path.child("spec");
    let spec = template.spec.as_ref();
    let policy = spec.and_then(|s| s.restart_policy.as_deref()).unwrap_or_default();
    if policy != "Always" {
        errors.push(spec_path.child("restartPolicy").not_supported(policy, &["Always"]));
    }
    if spec.and_then(|s| s.active_deadline_seconds).is_some() {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(spec_path.child("activeDeadlineSeconds").forbidden(detail));
    }
    errors
}

/// `ValidatePodTemplateSpecForReplicaSet`.
pub(super) fn validate_template_for_replica_set(
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    old: Option<&PodTemplateSpec>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = validate_selector_matches(selector, template, path);
    errors.extend(validate_template(template, old, path));
    errors.extend(validate_always_running(template, "ReplicaSet", path));
    errors
}

/// `ValidatePositiveIntOrPercent`.
pub(super) fn validate_int_or_percent(value: Option<&IntOrString>, path: &Path<'_>) -> ErrorList {
    match value {
        None => Vec::new(),
        Some(IntOrString::Int(number)) => validate_nonnegative(i64::from(*number), path),
        Some(IntOrString::String(text)) => {
            is_valid_percent(text).into_iter().map(|m| path.invalid(text.as_str(), m)).collect()
        }
    }
}

/// The percentage of a valid percentage.
fn percent(value: &IntOrString) -> Option<i64> {
    match value {
        IntOrString::String(text) if is_valid_percent(text).is_empty() => text.strip_suffix('%')?.parse().ok(),
        _ => None,
    }
}

/// The number or percentage itself (`getIntOrPercentValue`).
pub(super) fn int_or_percent_value(value: Option<&IntOrString>) -> i64 {
    match value {
        None => 0,
        Some(IntOrString::Int(number)) => i64::from(*number),
        Some(text) => percent(text).unwrap_or_else(|| match text {
            IntOrString::String(text) => text.parse().unwrap_or(0),
            IntOrString::Int(number) => i64::from(*number),
        }),
    }
}

/// `IsNotMoreThan100Percent`.
pub(super) fn validate_at_most_100_percent(value: Option<&IntOrString>, path: &Path<'_>) -> ErrorList {
    match value {
        Some(text) if percent(text).is_some_and(|p| p > 100) => {
            vec![path.invalid(printed(text), "must not be greater than 100%")]
        }
        _ => Vec::new(),
    }
}

/// A warning about names that pods of a workload cannot take over.
pub(super) fn name_warning(name: &str) -> Option<String> {
    let messages = is_dns1123_label(name);
    (!messages.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; \
             a DNS label is recommended: [{}]",
            messages.join(" ")
        )
    })
}
