//! ClusterRoles (`pkg/registry/rbac/clusterrole/strategy.go`, `pkg/apis/rbac/validation`).
use k8s_openapi::api::rbac::v1::ClusterRole;
use serde_json::Value;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::name_is_path_segment;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::rbac::validate_rules;

impl Strategy for ClusterRole {
    fn validate(&self) -> ErrorList {
        validate_cluster_role(self, false)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let old_selectors = old.aggregation_rule.iter().flat_map(|rule| rule.cluster_role_selectors.iter().flatten());
        let lenient =
            old_selectors.into_iter().any(|s| !validate_label_selector(Some(s), false, &Path::root("")).is_empty());
        let mut errors = validate_cluster_role(self, lenient);
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        errors
    }
}

/// `ValidateClusterRole`.
fn validate_cluster_role(role: &ClusterRole, allow_invalid_label_values: bool) -> ErrorList {
    let mut errors = validate_object_meta(&role.metadata, false, name_is_path_segment, &Path::root("metadata"));
    errors.extend(validate_rules(role.rules.as_ref(), false, &Path::root("rules")));
    let Some(rule) = &role.aggregation_rule else { return errors };
    let root = Path::root("aggregationRule");
    let path = root.child("clusterRoleSelectors");
    let selectors = rule.cluster_role_selectors.as_deref().unwrap_or_default();
    if selectors.is_empty() {
        errors.push(path.required("at least one clusterRoleSelector required if aggregationRule is non-nil"));
    }
    for (i, selector) in selectors.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_label_selector(Some(selector), allow_invalid_label_values, &path));
        if !validate_label_selector(Some(selector), false, &path).is_empty() {
            // the value printed is the matcher that could not be made
            errors.push(path.invalid(Value::Null, "invalid label selector."));
        }
    }
    errors
}
