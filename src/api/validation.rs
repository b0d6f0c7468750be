//! Validation rules that several kinds share, in Kubernetes' words (`k8s.io/apimachinery/pkg/{api,util}/validation`,
//! `pkg/apis/core/validation`).
//!
//! Every rule takes the [`Path`] of what it looks at and returns all errors it finds, in
//! Kubernetes' order. Rules over maps, whose order Go leaves to chance, go by ascending key.
pub mod cron;
pub mod duration;
pub mod ip;
pub mod label_selector;
pub mod names;
pub mod node_selector;
pub mod object_meta;
pub mod pod_spec;
pub mod ports;
pub mod rbac;
pub mod resources;
pub mod time_zone;

use super::field::{ErrorList, ErrorType, FieldError, Path};

/// `field is immutable`, the detail of errors about fields that must not change.
pub const FIELD_IMMUTABLE: &str = "field is immutable";
/// The detail of errors about negative numbers.
pub const IS_NEGATIVE: &str = "must be greater than or equal to 0";
/// The detail of errors about numbers that must be above zero.
pub const IS_NOT_POSITIVE: &str = "must be greater than zero";
/// The detail of errors about fractions of what only comes in wholes.
pub const IS_NOT_INTEGER: &str = "must be an integer";

/// One `Invalid value` error for each message about a text.
pub fn invalid_each(path: &Path<'_>, value: &str, messages: Vec<String>) -> ErrorList {
    messages.into_iter().map(|message| path.invalid(value, message)).collect()
}

/// An `Invalid value` error whose value is printed as given: for structures, which Go prints in the order of their fields.
pub fn invalid_printed(path: &Path<'_>, value: &str, detail: &str) -> FieldError {
    let field = path.to_string();
    FieldError { error_type: ErrorType::Invalid, field, bad_value: None, detail: format!("{value}: {detail}") }
}

/// An `Invalid value` error that does not print the value (`field.OmitValueType`).
pub fn invalid_omitted(path: &Path<'_>, detail: &str) -> FieldError {
    let field = path.to_string();
    FieldError { error_type: ErrorType::Invalid, field, bad_value: None, detail: detail.to_owned() }
}

/// Refuses numbers below zero (`ValidateNonnegativeField`).
pub fn validate_nonnegative(value: i64, path: &Path<'_>) -> ErrorList {
    if value < 0 { vec![path.invalid(value, IS_NEGATIVE)] } else { Vec::new() }
}

/// Refuses numbers that are not above zero (`ValidatePositiveField`).
pub fn validate_positive(value: i64, path: &Path<'_>) -> ErrorList {
    if value <= 0 { vec![path.invalid(value, IS_NOT_POSITIVE)] } else { Vec::new() }
}

/// Refuses a value that differs from the old one (`ValidateImmutableField`).
pub fn validate_immutable<T: PartialEq + serde::Serialize>(new: &T, old: &T, path: &Path<'_>) -> ErrorList {
    if new == old {
        return Vec::new();
    }
    vec![path.invalid(serde_json::to_value(new).unwrap_or_default(), FIELD_IMMUTABLE)]
}

/// The strings of a list as `supported values` shows a Go set: sorted.
pub fn sorted<'a>(values: &[&'a str]) -> Vec<&'a str> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}
