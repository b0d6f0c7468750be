//! PodDisruptionBudgets (`pkg/registry/policy/poddisruptionbudget/strategy.go`, `pkg/apis/policy/validation`).
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};

use super::apps::{validate_at_most_100_percent, validate_int_or_percent};
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::invalid_printed;
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::name_is_path_segment;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

impl Strategy for PodDisruptionBudget {
    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let errors = self.spec.as_ref().map(|s| validate_spec(s, false, &Path::root("spec"))).unwrap_or_default();
        if errors.is_empty() {
            // only what `rest.BeforeCreate` checks of every kind
            return validate_object_meta(&self.metadata, true, name_is_path_segment, &Path::root("metadata"));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        let selector = old.spec.as_ref().and_then(|s| s.selector.as_ref());
        let lenient = !validate_label_selector(selector, false, &Path::root("")).is_empty();
        if let Some(spec) = &self.spec {
            errors.extend(validate_spec(spec, lenient, &Path::root("spec")));
        }
        errors
    }
}

/// `ValidatePodDisruptionBudgetSpec`.
fn validate_spec(spec: &PodDisruptionBudgetSpec, allow_invalid_label_values: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        let value = internal::to_json("PodDisruptionBudgetSpec", spec);
        errors.push(invalid_printed(path, &value, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (field, value) in [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)] {
        let path = path.child(field);
        errors.extend(validate_int_or_percent(value.as_ref(), &path));
        errors.extend(validate_at_most_100_percent(value.as_ref(), &path));
    }
    let selector_path = path.child("selector");
    errors.extend(validate_label_selector(spec.selector.as_ref(), allow_invalid_label_values, &selector_path));
    const POLICIES: [&str; 2] = ["AlwaysAllow", "IfHealthyBudget"];
    if let Some(policy) = spec.unhealthy_pod_eviction_policy.as_deref().filter(|p| !POLICIES.contains(p)) {
        errors.push(path.child("unhealthyPodEvictionPolicy").not_supported(policy, &POLICIES));
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn errors(spec: Value) -> Vec<String> {
        let budget: PodDisruptionBudget =
            serde_json::from_value(json!({"metadata": {"name": "b", "namespace": "default"}, "spec": spec})).unwrap();
        budget.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_one_of_the_two_bounds_is_allowed() {
        let value = r#"{"MinAvailable":1,"Selector":null,"MaxUnavailable":"50%","UnhealthyPodEvictionPolicy":null}"#;
        let why = "minAvailable and maxUnavailable cannot be both set";
        assert_eq!(
            errors(json!({"minAvailable": 1, "maxUnavailable": "50%"})),
            [format!("spec: Invalid value: {value}: {why}")]
        );
    }

    #[test]
    fn a_bound_is_a_number_or_a_percentage_up_to_100() {
        let wrong = errors(json!({"minAvailable": "101%"}));
        assert_eq!(wrong, ["spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%"]);
        let wrong = errors(json!({"maxUnavailable": -1}));
        assert_eq!(wrong, ["spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"]);
        assert_eq!(errors(json!({"maxUnavailable": "half"})).len(), 1);
    }
}
