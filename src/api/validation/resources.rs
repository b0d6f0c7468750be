//! Resource names, amounts and requirements (`pkg/apis/core/helper`, `validateResourceRequirements` of
//! `pkg/apis/core/validation`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ResourceClaim, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::names::{is_qualified_name, validate_dns1123_label};
use super::{IS_NEGATIVE, IS_NOT_INTEGER, IS_NOT_POSITIVE, invalid_each};
use crate::api::field::{ErrorList, Path};
use crate::api::quantity::Quantity;

/// Amounts by resource name.
pub type ResourceList = BTreeMap<String, ApiQuantity>;

const HUGE_PAGES_PREFIX: &str = "hugepages-";

const STANDARD_CONTAINER_RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

const INTEGER_RESOURCES: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

const STANDARD_QUOTA_RESOURCES: [&str; 10] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];

/// `hugepages-2Mi` and the like.
pub fn is_huge_page_resource_name(name: &str) -> bool {
    name.starts_with(HUGE_PAGES_PREFIX)
}

/// A resource a container can ask for by a name without a domain.
pub fn is_standard_container_resource_name(name: &str) -> bool {
    STANDARD_CONTAINER_RESOURCES.contains(&name) || is_huge_page_resource_name(name)
}

fn is_quota_huge_page_resource_name(name: &str) -> bool {
    is_huge_page_resource_name(name) || name.starts_with("requests.hugepages-")
}

/// A resource a quota can limit by a name without a domain.
pub fn is_standard_quota_resource_name(name: &str) -> bool {
    STANDARD_QUOTA_RESOURCES.contains(&name)
        || INTEGER_RESOURCES.contains(&name)
        || is_quota_huge_page_resource_name(name)
}

/// A resource that needs no domain.
pub fn is_standard_resource_name(name: &str) -> bool {
    is_standard_quota_resource_name(name) || name == "storage"
}

/// Without a domain, or in one of Kubernetes' own.
pub fn is_native_resource(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// With a domain that is not Kubernetes': devices and the like.
pub fn is_extended_resource_name(name: &str) -> bool {
    !is_native_resource(name)
        && !name.starts_with("requests.")
        && is_qualified_name(&format!("requests.{name}")).is_empty()
}

/// Whether limits may exceed requests.
pub fn is_overcommit_allowed(name: &str) -> bool {
    is_native_resource(name) && !is_huge_page_resource_name(name)
}

/// Whether the resource only comes in wholes.
pub fn is_integer_resource_name(name: &str) -> bool {
    INTEGER_RESOURCES.contains(&name) || is_extended_resource_name(name)
}

/// `validateResourceName`.
pub fn validate_resource_name(name: &str, path: &Path<'_>) -> ErrorList {
    let errors = invalid_each(path, name, is_qualified_name(name));
    if errors.is_empty() && !name.contains('/') && !is_standard_resource_name(name) {
        return vec![path.invalid(name, "must be a standard resource type or fully qualified")];
    }
    errors
}

/// `validateContainerResourceName`: an unknown name breaks two rules.
pub fn validate_container_resource_name(name: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_resource_name(name, path);
    if !name.contains('/') {
        if !is_standard_container_resource_name(name) {
            errors.push(path.invalid(name, "must be a standard resource for containers"));
        }
    } else if !is_native_resource(name) && !is_extended_resource_name(name) {
        errors.push(path.invalid(name, "doesn't follow extended resource name standard"));
    }
    errors
}

/// `validatePodResourceName`: what `spec.resources` of a pod can hold.
pub fn validate_pod_resource_name(name: &str, path: &Path<'_>) -> ErrorList {
    let errors = validate_resource_name(name, path);
    if errors.is_empty() && !matches!(name, "cpu" | "memory") && !is_huge_page_resource_name(name) {
        return vec![path.not_supported(name, &["cpu", HUGE_PAGES_PREFIX, "memory"])];
    }
    errors
}

/// `ValidateResourceQuotaResourceName`.
pub fn validate_resource_quota_resource_name(name: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_resource_name(name, path);
    if !name.contains('/') && !is_standard_quota_resource_name(name) {
        errors.push(path.invalid(name, "must be a standard resource for quota"));
    }
    errors
}

/// `ValidateNonnegativeQuantity`.
pub fn validate_nonnegative_quantity(quantity: &ApiQuantity, path: &Path<'_>) -> ErrorList {
    let quantity = Quantity::of(quantity);
    if quantity.signum() < 0 { vec![path.invalid(quantity.to_string(), IS_NEGATIVE)] } else { Vec::new() }
}

/// `ValidatePositiveQuantityValue`.
pub fn validate_positive_quantity(quantity: &ApiQuantity, path: &Path<'_>) -> ErrorList {
    let quantity = Quantity::of(quantity);
    if quantity.signum() <= 0 { vec![path.invalid(quantity.to_string(), IS_NOT_POSITIVE)] } else { Vec::new() }
}

/// An amount that suits its resource (`ValidateResourceQuantityValue`).
pub fn validate_resource_quantity_value(name: &str, quantity: &ApiQuantity, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_nonnegative_quantity(quantity, path);
    if is_integer_resource_name(name) {
        let quantity = Quantity::of(quantity);
        if quantity.milli_value() % 1000 != 0 {
            errors.push(path.invalid(quantity.to_string(), IS_NOT_INTEGER));
        }
    }
    errors
}

/// A container's resources (`ValidateContainerResourceRequirements`); `claims` are the names in `spec.resourceClaims`.
/// Amounts of huge pages that are no whole pages are let through when the old object has some.
pub fn validate_container_resource_requirements(
    requirements: &ResourceRequirements,
    claims: &BTreeSet<String>,
    allow_indivisible_huge_pages: bool,
    path: &Path<'_>,
) -> ErrorList {
    validate_requirements(requirements, validate_container_resource_name, claims, allow_indivisible_huge_pages, path)
}

/// A pod's own resources (`validatePodResourceRequirements`).
pub fn validate_pod_resource_requirements(
    requirements: &ResourceRequirements,
    claims: &BTreeSet<String>,
    allow_indivisible_huge_pages: bool,
    path: &Path<'_>,
) -> ErrorList {
    validate_requirements(requirements, validate_pod_resource_name, claims, allow_indivisible_huge_pages, path)
}

fn validate_requirements(
    requirements: &ResourceRequirements,
    name_rule: fn(&str, &Path<'_>) -> ErrorList,
    claims: &BTreeSet<String>,
    allow_indivisible_huge_pages: bool,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = Vec::new();
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let mut compute = false;
    let mut huge_pages = false;
    let mut one = |name: &str, quantity: &ApiQuantity, path: &Path<'_>, errors: &mut ErrorList| {
        errors.extend(name_rule(name, path));
        errors.extend(validate_resource_quantity_value(name, quantity, path));
        huge_pages |= is_huge_page_resource_name(name);
        compute |= matches!(name, "cpu" | "memory");
    };
    for (name, quantity) in requirements.limits.iter().flatten() {
        let path = limits_path.key(name);
        one(name, quantity, &path, &mut errors);
        if !allow_indivisible_huge_pages {
            errors.extend(validate_huge_page_value(name, quantity, &path));
        }
    }
    for (name, quantity) in requirements.requests.iter().flatten() {
        let path = requests_path.key(name);
        one(name, quantity, &path, &mut errors);
        let request = Quantity::of(quantity);
        if let Some(limit) = requirements.limits.as_ref().and_then(|l| l.get(name)) {
            let limit = Quantity::of(limit);
            let order = request.cmp(&limit);
            if order.is_ne() && !is_overcommit_allowed(name) {
                let why = format!("must be equal to {name} limit of {limit}");
                errors.push(requests_path.invalid(request.to_string(), why));
            } else if order.is_gt() {
                let why = format!("must be less than or equal to {name} limit of {limit}");
                errors.push(requests_path.invalid(request.to_string(), why));
            }
        } else if !is_overcommit_allowed(name) {
            errors.push(limits_path.required("Limit must be set for non overcommitable resources"));
        }
        if !allow_indivisible_huge_pages {
            errors.extend(validate_huge_page_value(name, quantity, &path));
        }
    }
    if huge_pages && !compute {
        errors.push(path.forbidden("HugePages require cpu or memory"));
    }
    let names = requirements.claims.as_deref().unwrap_or_default();
    errors.extend(validate_resource_claim_names(names, claims, &path.child("claims")));
    errors
}

/// Huge pages come in whole pages (`IsHugePageResourceValueDivisible`).
pub(super) fn validate_huge_page_value(name: &str, quantity: &ApiQuantity, path: &Path<'_>) -> ErrorList {
    let Some(page_size) = name.strip_prefix(HUGE_PAGES_PREFIX) else { return Vec::new() };
    let quantity = Quantity::of(quantity);
    let divisible = page_size.parse::<Quantity>().is_ok_and(|page| {
        page.signum() > 0 && page.milli_value() % 1000 == 0 && page.value() > 0 && quantity.value() % page.value() == 0
    });
    if divisible {
        return Vec::new();
    }
    let text = quantity.to_string();
    let why = format!("{text} is not positive integer multiple of {name}");
    vec![path.invalid(text, why)]
}

/// `validateResourceClaimNames`: each entry names one of the pod's claims, none twice.
fn validate_resource_claim_names(list: &[ResourceClaim], known: &BTreeSet<String>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (i, claim) in list.iter().enumerate() {
        let path = path.index(i);
        let name = claim.name.as_str();
        let request = claim.request.as_deref().unwrap_or_default();
        if name.is_empty() {
            errors.push(path.required(""));
            continue;
        }
        if names.contains(name) {
            errors.push(path.duplicate(name));
        } else {
            let mut key = name.to_owned();
            if !request.is_empty() {
                errors.extend(validate_dns1123_label(request, &path.child("request")));
                key = format!("{name}/{request}");
            }
            if names.contains(&key) {
                errors.push(path.duplicate(key.as_str()));
            } else if request.is_empty() {
                let overlaps = names.iter().filter(|n| n.split_once('/').is_some_and(|(head, _)| head == name));
                errors.extend(overlaps.map(|_| path.duplicate(name)));
            }
            names.insert(key);
        }
        if !known.contains(name) {
            let mut error = path.not_found(name);
            let list: Vec<&str> = known.iter().map(String::as_str).collect();
            error.detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            error.detail +=
                &if list.is_empty() { " which is empty".to_owned() } else { format!(": {}", list.join(", ")) };
            errors.push(error);
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirements(json: serde_json::Value) -> Vec<String> {
        let requirements: ResourceRequirements = serde_json::from_value(json).unwrap_or_default();
        let path = Path::root("resources");
        let errors = validate_container_resource_requirements(&requirements, &BTreeSet::new(), false, &path);
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_resource_breaks_two_rules() {
        let errors = requirements(serde_json::json!({"limits": {"ram": "1Gi"}}));
        let expected = [
            "resources.limits[ram]: Invalid value: \"ram\": must be a standard resource type or fully qualified",
            "resources.limits[ram]: Invalid value: \"ram\": must be a standard resource for containers",
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_request_must_not_exceed_its_limit() {
        let errors = requirements(serde_json::json!({"limits": {"cpu": "500m"}, "requests": {"cpu": "1"}}));
        let expected = "resources.requests: Invalid value: \"1\": must be less than or equal to cpu limit of 500m";
        assert_eq!(errors, [expected]);
    }

    #[test]
    fn extended_resources_come_in_wholes_with_equal_limits() {
        let errors = requirements(serde_json::json!({"requests": {"example.com/gpu": "0.5"}}));
        let expected = [
            "resources.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer",
            "resources.limits: Required value: Limit must be set for non overcommitable resources",
        ];
        assert_eq!(errors, expected);
    }
}
