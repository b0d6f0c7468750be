//! Tolerations, topology spread constraints and scheduling gates (`ValidateTolerations`,
//! `validateTopologySpreadConstraints`, `validateSchedulingGates` of `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodSchedulingGate, Toleration, TopologySpreadConstraint};

use super::affinity::validate_match_label_keys;
use super::{PodValidationOptions, text};
use crate::api::field::{ErrorList, Path};
use crate::api::validation::label_selector::{validate_label_name, validate_label_selector};
use crate::api::validation::names::{is_label_value, validate_qualified_name};
use crate::api::validation::validate_positive;

/// `spec.tolerations`; also for tolerations elsewhere.
pub fn validate_tolerations(tolerations: &[Toleration], allow_comparisons: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, toleration) in tolerations.iter().enumerate() {
        let path = path.index(i);
        let operator_path = path.child("operator");
        let (key, value) = (text(&toleration.key), text(&toleration.value));
        let (operator, effect) = (text(&toleration.operator), text(&toleration.effect));
        if !key.is_empty() {
            errors.extend(validate_label_name(key, &path.child("key")));
        }
        if key.is_empty() && operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(operator_path.invalid(operator, why));
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(path.child("effect").invalid(effect, why));
        }
        match operator {
            "Equal" | "" => {
                let messages = is_label_value(value);
                if !messages.is_empty() {
                    errors.push(operator_path.invalid(value, messages.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                errors.push(operator_path.invalid(value, "value must be empty when `operator` is 'Exists'"));
            }
            "Exists" => {}
            "Lt" | "Gt" if allow_comparisons => {
                if value.parse::<i64>().is_err() {
                    errors.push(path.child("value").invalid(value, "must be a valid decimal integer"));
                }
            }
            "Lt" | "Gt" => errors.push(operator_path.not_supported(operator, &["Equal", "Exists", "Lt", "Gt"])),
            other => errors.push(operator_path.not_supported(other, &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            errors.extend(validate_taint_effect(effect, &path.child("effect")));
        }
    }
    errors
}

/// `validateTaintEffect`, for an effect that is set.
pub fn validate_taint_effect(effect: &str, path: &Path<'_>) -> ErrorList {
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if effects.contains(&effect) { Vec::new() } else { vec![path.not_supported(effect, &effects)] }
}

pub(super) fn validate_topology_spread(
    constraints: &[TopologySpreadConstraint],
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    let mut errors = Vec::new();
    for (i, constraint) in constraints.iter().enumerate() {
        let path = path.index(i);
        let (key, action) = (constraint.topology_key.as_str(), constraint.when_unsatisfiable.as_str());
        errors.extend(validate_positive(i64::from(constraint.max_skew), &path.child("maxSkew")));
        if key.is_empty() {
            errors.push(path.child("topologyKey").required("can not be empty"));
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action) {
            errors.push(path.child("whenUnsatisfiable").not_supported(action, &actions));
        }
        let rest = constraints.iter().skip(i + 1);
        if rest.into_iter().any(|other| other.topology_key == key && other.when_unsatisfiable == action) {
            let pair = format!("{{{key}, {action}}}");
            errors.push(path.child("{topologyKey, whenUnsatisfiable}").duplicate(pair));
        }
        if let Some(domains) = constraint.min_domains {
            let path = path.child("minDomains");
            errors.extend(validate_positive(i64::from(domains), &path));
            if action != "DoNotSchedule" {
                let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                errors.push(path.invalid(domains, why));
            }
        }
        let policies = [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ];
        for (field, policy) in policies {
            if let Some(policy) = policy.as_deref().filter(|p| !matches!(*p, "Honor" | "Ignore")) {
                errors.push(path.child(field).not_supported(policy, &["Honor", "Ignore"]));
            }
        }
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        if !options.old_violates_match_label_keys_validation {
            errors.extend(validate_match_label_keys(keys, &[], constraint.label_selector.as_ref(), &path));
        }
        if !options.allow_invalid_topology_spread_selector {
            let selector = constraint.label_selector.as_ref();
            errors.extend(validate_label_selector(selector, false, &path.child("labelSelector")));
        }
    }
    errors
}

pub(super) fn validate_scheduling_gates(gates: &[PodSchedulingGate], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (i, gate) in gates.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_qualified_name(&gate.name, &path));
        if !seen.insert(gate.name.as_str()) {
            errors.push(path.duplicate(gate.name.as_str()));
        }
    }
    errors
}
