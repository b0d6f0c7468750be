//! Resources of the pod as a whole and its resource claims (`validatePodResources`, `validatePodResourceClaims` of
//! `pkg/apis/core/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodResourceClaim, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::PodValidationOptions;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::pod_resources::{aggregate_container_limits, aggregate_container_requests};
use crate::api::quantity::Quantity;
use crate::api::validation::invalid_printed;
use crate::api::validation::names::{validate_dns1123_label, validate_dns1123_subdomain};
use crate::api::validation::resources::{
    is_huge_page_resource_name, validate_container_resource_requirements, validate_pod_resource_requirements,
};

/// `spec.resources`.
pub(super) fn validate_pod_resources(
    spec: &PodSpec,
    claims: &BTreeSet<String>,
    options: &PodValidationOptions,
    path: &Path<'_>,
) -> ErrorList {
    let Some(resources) = &spec.resources else { return Vec::new() };
    let path = path.child("resources");
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return vec![path.forbidden("may not be set for a windows pod")];
    }
    let mut errors = Vec::new();
    if resources.claims.is_some() {
        errors.push(path.child("claims").forbidden("claims may not be set for Resources at pod-level"));
    }
    let huge_pages = options.allow_indivisible_huge_pages_values;
    errors.extend(validate_pod_resource_requirements(resources, claims, huge_pages, &path));
    errors.extend(validate_consistency(spec, resources, &path));
    errors
}

/// What the containers ask for together must fit into what the pod asks for (`validatePodResourceConsistency`).
fn validate_consistency(spec: &PodSpec, resources: &ResourceRequirements, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let requests_path = path.child("requests");
    for (name, sum) in aggregate_container_requests(spec) {
        let Some(own) = resources.requests.as_ref().and_then(|r| r.get(&name)) else { continue };
        let own = Quantity::of(own);
        if sum > own {
            let why = format!("must be greater than or equal to aggregate container requests of {sum}");
            errors.push(requests_path.key(&name).invalid(own.to_string(), why));
        }
    }
    let limits_path = path.child("limits");
    for (name, sum) in aggregate_container_limits(spec) {
        let Some(own) = resources.limits.as_ref().and_then(|l| l.get(&name)) else { continue };
        let own = Quantity::of(own);
        if is_huge_page_resource_name(&name) && sum > own {
            let why = format!("must be greater than or equal to aggregate container limits of {sum}");
            errors.push(limits_path.key(&name).invalid(own.to_string(), why));
        }
    }
    let containers = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.iter().flat_map(|r| r.limits.iter().flatten());
        for (name, limit) in limits {
            let Some(own) = resources.limits.as_ref().and_then(|l| l.get(name)) else { continue };
            let (limit, own) = (Quantity::of(limit), Quantity::of(own));
            if limit > own {
                let why = format!("must be less than or equal to pod limits of {own}");
                let path = containers.index(i);
                errors.push(path.key(name).child("limits").invalid(limit.to_string(), why));
            }
        }
    }
    errors
}

/// `spec.overhead`.
pub(super) fn validate_overhead(spec: &PodSpec, options: &PodValidationOptions, path: &Path<'_>) -> ErrorList {
    if spec.overhead.is_none() {
        return Vec::new();
    }
    let requirements = ResourceRequirements { limits: spec.overhead.clone(), ..Default::default() };
    let huge_pages = options.allow_indivisible_huge_pages_values;
    validate_container_resource_requirements(&requirements, &BTreeSet::new(), huge_pages, path)
}

/// `spec.resourceClaims`.
pub(super) fn validate_resource_claims(spec: &PodSpec, pod: Option<&ObjectMeta>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let mirror = pod
        .and_then(|meta| meta.annotations.as_ref())
        .is_some_and(|annotations| annotations.contains_key("kubernetes.io/config.mirror"));
    let mut names = BTreeSet::new();
    for (i, claim) in spec.resource_claims.iter().flatten().enumerate() {
        if mirror {
            errors.push(Path::root("").forbidden("static pods do not support resource claims"));
        } else {
            errors.extend(validate_resource_claim(claim, &mut names, &path.index(i)));
        }
    }
    errors
}

fn validate_resource_claim(claim: &PodResourceClaim, names: &mut BTreeSet<String>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let name_path = path.child("name");
    if claim.name.is_empty() {
        errors.push(name_path.required(""));
    } else if !names.insert(claim.name.clone()) {
        errors.push(name_path.duplicate(claim.name.as_str()));
    } else {
        errors.extend(validate_dns1123_label(&claim.name, &name_path));
    }
    let why = match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
        (Some(_), Some(_)) => "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
        (None, None) => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
        _ => "",
    };
    if !why.is_empty() {
        errors.push(invalid_printed(path, &internal::to_json("PodResourceClaim", claim), why));
    }
    if let Some(name) = claim.resource_claim_name.as_deref() {
        errors.extend(validate_dns1123_subdomain(name, &path.child("resourceClaimName")));
    }
    if let Some(name) = claim.resource_claim_template_name.as_deref() {
        errors.extend(validate_dns1123_subdomain(name, &path.child("resourceClaimTemplateName")));
    }
    errors
}
