//! Port numbers and names (`ValidatePortNumOrName` of `pkg/apis/core/validation`).
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::invalid_each;
use super::names::{is_valid_port_name, is_valid_port_num};
use crate::api::field::{ErrorList, Path};

/// A port by number or by name.
pub fn validate_port_num_or_name(port: &IntOrString, path: &Path<'_>) -> ErrorList {
    match port {
        IntOrString::Int(number) => validate_port_num(*number, path),
        IntOrString::String(name) => invalid_each(path, name, is_valid_port_name(name)),
    }
}

/// A port by number.
pub fn validate_port_num(number: i32, path: &Path<'_>) -> ErrorList {
    is_valid_port_num(number).into_iter().map(|message| path.invalid(number, message)).collect()
}
