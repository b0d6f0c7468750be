//! ResourceQuotas (`pkg/registry/core/resourcequota/strategy.go`, `ValidateResourceQuota` in
//! `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus, ScopeSelector};

use super::persistent_volume::default_resource_list;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::quantity::Quantity;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::resources::{
    is_standard_quota_resource_name, validate_resource_quantity_value, validate_resource_quota_resource_name,
};
use crate::api::validation::{FIELD_IMMUTABLE, invalid_printed};

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "VolumeAttributesClass",
    "CrossNamespacePodAffinity",
];
/// Scopes that an object is in or not, whatever the values.
const SCOPES_WITHOUT_VALUES: [&str; 5] =
    ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const COMPUTE_RESOURCES: [&str; 6] =
    ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

impl Strategy for ResourceQuota {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_resource_list(spec.hard.as_mut());
        spec.hard.take_if(|l| l.is_empty());
        spec.scopes.take_if(|l| l.is_empty());
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(ResourceQuotaStatus::default());
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        errors.extend(validate_spec(self.spec.as_ref(), &Path::root("spec")));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        let spec = Path::root("spec");
        errors.extend(validate_spec(self.spec.as_ref(), &spec));
        let scopes = |quota: &Self| quota.spec.as_ref().and_then(|s| s.scopes.clone());
        let set = |quota: &Self| scopes(quota).into_iter().flatten().collect::<BTreeSet<_>>();
        if set(self) != set(old) {
            errors.push(spec.child("scopes").invalid(scopes(self), FIELD_IMMUTABLE));
        }
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        if old.is_some() {
            return Vec::new();
        }
        let hard = self.spec.as_ref().and_then(|s| s.hard.as_ref());
        let amount = |name: &str| hard.and_then(|h| h.get(name)).map(Quantity::of);
        let mut warnings = Vec::new();
        for name in ["cpu", "memory", "storage", "ephemeral-storage"] {
            let mut request_name = format!("requests.{name}");
            let mut request = amount(&request_name);
            if request.is_none() && matches!(name, "cpu" | "memory") {
                request = amount(name);
                name.clone_into(&mut request_name);
            }
            let limit_name = format!("limits.{name}");
            if let (Some(request), Some(limit)) = (request, amount(&limit_name))
                && request > limit
            {
                warnings.push(format!(
                    "ResourceQuota {request_name} ({request}) should be less than {limit_name} ({limit})"
                ));
            }
        }
        warnings
    }
}

/// `ValidateResourceQuotaSpec`.
fn validate_spec(spec: Option<&ResourceQuotaSpec>, path: &Path<'_>) -> ErrorList {
    let Some(spec) = spec else { return Vec::new() };
    let mut errors = Vec::new();
    let hard = path.child("hard");
    for (name, quantity) in spec.hard.iter().flatten() {
        errors.extend(validate_resource_quota_resource_name(name, &hard.key(name)));
        errors.extend(validate_resource_quantity_value(name, quantity, &hard.key(name)));
    }
    errors.extend(validate_scopes(spec, &path.child("scopes")));
    if let Some(selector) = &spec.scope_selector {
        errors.extend(validate_scope_selector(spec, selector, &path.child("scopeSelector")));
    }
    errors
}

/// The limited resources of objects that are never in a scope (`IsResourceQuotaScopeValidForResource`).
fn unsuitable_resources(spec: &ResourceQuotaSpec, scope: &str) -> usize {
    let suits = |resource: &str| match scope {
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => {
            resource == "pods" || COMPUTE_RESOURCES.contains(&resource)
        }
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    };
    let names = spec.hard.iter().flatten().map(|(name, _)| name.as_str());
    names.filter(|name| is_standard_quota_resource_name(name) && !suits(name)).count()
}

fn are_conflicting(scopes: &BTreeSet<&str>) -> usize {
    [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]]
        .iter()
        .filter(|pair| pair.iter().all(|scope| scopes.contains(scope)))
        .count()
}

/// `validateResourceQuotaScopes`.
fn validate_scopes(spec: &ResourceQuotaSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    for scope in scopes {
        if !SCOPES.contains(&scope.as_str()) {
            errors.push(path.invalid(scopes.to_vec(), "unsupported scope"));
        }
        let unsuitable = unsuitable_resources(spec, scope);
        errors.extend((0..unsuitable).map(|_| path.invalid(scopes.to_vec(), "unsupported scope applied to resource")));
    }
    let set: BTreeSet<&str> = scopes.iter().map(String::as_str).collect();
    errors.extend((0..are_conflicting(&set)).map(|_| path.invalid(scopes.to_vec(), "conflicting scopes")));
    errors
}

/// `validateScopedResourceSelectorRequirement`.
fn validate_scope_selector(spec: &ResourceQuotaSpec, selector: &ScopeSelector, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let path = path.child("matchExpressions");
    let mut set = BTreeSet::new();
    for requirement in selector.match_expressions.iter().flatten() {
        let (scope, operator) = (requirement.scope_name.as_str(), requirement.operator.as_str());
        if !SCOPES.contains(&scope) {
            errors.push(path.child("scopeName").invalid(scope, "unsupported scope"));
        }
        let printed = internal::to_json("ScopeSelector", selector);
        let unsuitable = unsuitable_resources(spec, scope);
        let why = "unsupported scope applied to resource";
        errors.extend((0..unsuitable).map(|_| invalid_printed(&path, &printed, why)));
        if SCOPES_WITHOUT_VALUES.contains(&scope) && operator != "Exists" {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
                ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(path.child("operator").invalid(operator, why));
        }
        let values = requirement.values.as_deref().unwrap_or_default();
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.push(path.child("values").required(why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.push(path.child("values").invalid(values.to_vec(), why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => errors.push(path.child("operator").invalid(operator, "not a valid selector operator")),
        }
        set.insert(scope);
    }
    let conflicts = are_conflicting(&set);
    errors.extend((0..conflicts).map(|_| path.invalid(spec.scopes.clone(), "conflicting scopes")));
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn quota(spec: serde_json::Value) -> ResourceQuota {
        let json = serde_json::json!({"metadata": {"name": "q", "namespace": "default"}, "spec": spec});
        let mut quota: ResourceQuota = serde_json::from_value(json).unwrap();
        quota.set_defaults();
        quota
    }

    fn texts(errors: ErrorList) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_known_resources_are_limited_and_counts_are_whole() {
        let quota = quota(serde_json::json!({"hard": {"storage": "1Gi", "pods": "0.5", "ram": "1"}}));
        let expected = [
            "spec.hard[pods]: Invalid value: \"500m\": must be an integer",
            "spec.hard[ram]: Invalid value: \"ram\": must be a standard resource type or fully qualified",
            "spec.hard[ram]: Invalid value: \"ram\": must be a standard resource for quota",
            "spec.hard[storage]: Invalid value: \"storage\": must be a standard resource for quota",
        ];
        assert_eq!(texts(quota.validate()), expected);
    }

    #[test]
    fn a_scope_suits_its_resources_and_the_other_scopes() {
        let quota = quota(serde_json::json!({"hard": {"services": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}));
        let value = "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]";
        let unsuitable = format!("{value}: unsupported scope applied to resource");
        assert_eq!(texts(quota.validate()), [unsuitable.clone(), unsuitable, format!("{value}: conflicting scopes")]);
    }

    #[test]
    fn a_scope_selector_has_values_where_they_mean_something() {
        let expressions = serde_json::json!([{"scopeName": "PriorityClass", "operator": "In"},
            {"scopeName": "BestEffort", "operator": "Exists", "values": ["x"]}]);
        let quota = quota(serde_json::json!({"scopeSelector": {"matchExpressions": expressions}}));
        let path = "spec.scopeSelector.matchExpressions.values";
        let expected = [
            format!(
                "{path}: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            ),
            format!(
                "{path}: Invalid value: [\"x\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for \
                 scope selector"
            ),
        ];
        assert_eq!(texts(quota.validate()), expected);
    }

    #[test]
    fn scopes_do_not_change() {
        let (new, old) = (quota(serde_json::json!({})), quota(serde_json::json!({"scopes": ["BestEffort"]})));
        assert_eq!(texts(new.validate_update(&old)), ["spec.scopes: Invalid value: null: field is immutable"]);
    }

    #[test]
    fn requests_above_limits_are_warned_of_on_creation() {
        let quota = quota(serde_json::json!({"hard": {"cpu": "4", "limits.cpu": "2"}}));
        assert_eq!(quota.warnings(None), ["ResourceQuota cpu (4) should be less than limits.cpu (2)"]);
        assert!(quota.warnings(Some(&quota)).is_empty());
    }
}
