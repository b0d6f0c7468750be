//! ResourceQuotas (`pkg/registry/core/resourcequota/strategy.go`, `ValidateResourceQuota` of
//! `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec, ScopeSelector, ScopedResourceSelectorRequirement};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::pod_resources::amounts;
use crate::api::quantity::{Quantity, scale};
use crate::api::strategy::Strategy;
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
const COMPUTE: [&str; 6] = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

impl Strategy for ResourceQuota {
    fn set_defaults(&mut self) {
        for value in self.spec.iter_mut().flat_map(|s| s.hard.iter_mut().flatten()).map(|(_, value)| value) {
            let mut quantity = Quantity::of(value);
            if !quantity.round_up(scale::MILLI) {
                *value = ApiQuantity(quantity.to_string());
            }
        }
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
    }

    fn prepare_for_update(&mut self, old: &Self) {
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        errors.extend(self.spec.iter().flat_map(validate_spec));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(self.spec.iter().flat_map(validate_spec));
        let scopes = |quota: &Self| quota.spec.as_ref().and_then(|s| s.scopes.clone()).unwrap_or_default();
        let (new, old) = (scopes(self), scopes(old));
        if new.iter().collect::<BTreeSet<_>>() != old.iter().collect::<BTreeSet<_>>() {
            errors.push(Path::root("spec").child("scopes").invalid(shown(&new), FIELD_IMMUTABLE));
        }
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        if old.is_some() {
            return Vec::new();
        }
        let hard = amounts(self.spec.as_ref().and_then(|s| s.hard.as_ref()));
        let mut warnings = Vec::new();
        for name in ["cpu", "memory", "storage", "ephemeral-storage"] {
            let mut request = (format!("requests.{name}"), hard.get(&format!("requests.{name}")));
            if request.1.is_none() && matches!(name, "cpu" | "memory") {
                request = (name.to_owned(), hard.get(name));
            }
            let limit_name = format!("limits.{name}");
            if let ((name, Some(request)), Some(limit)) = (request, hard.get(&limit_name))
                && request > limit
            {
                let what = format!("ResourceQuota {name} ({request})");
                warnings.push(format!("{what} should be less than {limit_name} ({limit})"));
            }
        }
        warnings
    }
}

/// A list as Go prints it, absent when empty.
fn shown(list: &[String]) -> serde_json::Value {
    if list.is_empty() { serde_json::Value::Null } else { list.to_vec().into() }
}

fn validate_spec(spec: &ResourceQuotaSpec) -> ErrorList {
    let path = Path::root("spec");
    let hard_path = path.child("hard");
    let mut errors = Vec::new();
    for (name, quantity) in spec.hard.iter().flatten() {
        let path = hard_path.key(name);
        errors.extend(validate_resource_quota_resource_name(name, &path));
        errors.extend(validate_resource_quantity_value(name, quantity, &path));
    }
    errors.extend(validate_scopes(spec, &path.child("scopes")));
    if let Some(selector) = &spec.scope_selector {
        let path = path.child("scopeSelector");
        errors.extend(validate_scope_selector(spec, selector, &path.child("matchExpressions")));
    }
    errors
}

/// `IsResourceQuotaScopeValidForResource`.
fn suits(scope: &str, resource: &str) -> bool {
    match scope {
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => {
            resource == "pods" || COMPUTE.contains(&resource)
        }
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

/// How many of the limited resources do not go with a scope.
fn unsuited<'a>(spec: &'a ResourceQuotaSpec, scope: &'a str) -> impl Iterator<Item = &'a String> {
    let names = spec.hard.iter().flatten().map(|(name, _)| name);
    names.filter(move |name| is_standard_quota_resource_name(name) && !suits(scope, name))
}

fn conflicts(scopes: &[&str]) -> usize {
    let has = |scope: &str| scopes.contains(&scope);
    usize::from(has("BestEffort") && has("NotBestEffort")) + usize::from(has("Terminating") && has("NotTerminating"))
}

fn validate_scopes(spec: &ResourceQuotaSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let fail = |why: &str| path.invalid(shown(scopes), why);
    for scope in scopes {
        if !SCOPES.contains(&scope.as_str()) {
            errors.push(fail("unsupported scope"));
        }
        errors.extend(unsuited(spec, scope).map(|_| fail("unsupported scope applied to resource")));
    }
    let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
    errors.extend((0..conflicts(&names)).map(|_| fail("conflicting scopes")));
    errors
}

fn validate_scope_selector(spec: &ResourceQuotaSpec, selector: &ScopeSelector, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let expressions = selector.match_expressions.as_deref().unwrap_or_default();
    for requirement in expressions {
        let scope = requirement.scope_name.as_str();
        if !SCOPES.contains(&scope) {
            errors.push(path.child("scopeName").invalid(scope, "unsupported scope"));
        }
        for _ in unsuited(spec, scope) {
            let printed = internal::to_json("ScopeSelector", selector);
            errors.push(invalid_printed(path, &printed, "unsupported scope applied to resource"));
        }
        errors.extend(validate_requirement(requirement, path));
    }
    let names: Vec<&str> = expressions.iter().map(|r| r.scope_name.as_str()).collect();
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    errors.extend((0..conflicts(&names)).map(|_| path.invalid(shown(scopes), "conflicting scopes")));
    errors
}

fn validate_requirement(requirement: &ScopedResourceSelectorRequirement, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let (scope, operator) = (requirement.scope_name.as_str(), requirement.operator.as_str());
    let values = requirement.values.as_deref().unwrap_or_default();
    let only_exists =
        ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"].contains(&scope);
    if only_exists && operator != "Exists" {
        let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, \
            ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        errors.push(path.child("operator").invalid(operator, why));
    }
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
        other => errors.push(path.child("operator").invalid(other, "not a valid selector operator")),
    }
    errors
}
