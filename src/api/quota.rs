//! What objects count against resource quotas (`pkg/quota/v1/evaluator/core`, `k8s.io/apiserver/pkg/quota/v1`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Affinity, Container, PersistentVolumeClaim, Pod, PodAffinityTerm, PodSpec, ResourceQuota,
    ScopedResourceSelectorRequirement, Service, WeightedPodAffinityTerm,
};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::object::{Kind, Object};
use super::pod_resources::{Amounts, add, amounts, is_pod_level_resource, pod_limits, pod_requests, qos_class};
use super::quantity::Quantity;
use super::store::Store;
use super::validation::pod_spec::text;
use super::validation::resources::{is_huge_page_resource_name, is_native_resource};
use crate::storage::claim_class;

const POD_RESOURCES: [&str; 11] = [
    "count/pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
];
const SERVICE_RESOURCES: [&str; 4] = ["count/services", "services", "services.nodeports", "services.loadbalancers"];
const CLAIM_RESOURCES: [&str; 2] = ["persistentvolumeclaims", "requests.storage"];
const STORAGE_CLASS_SUFFIX: &str = ".storageclass.storage.k8s.io/";
/// Resources of which every container must say how much it needs once a quota limits them.
const REQUIRED_OF_CONTAINERS: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// Whether a quota's resource is about objects of a kind (`MatchingResources`).
pub fn concerns(kind: Kind, resource: &str) -> bool {
    match kind {
        Kind::Pod => {
            let device_class = "requests.deviceclass.resource.kubernetes.io/";
            let extended = resource.starts_with("requests.")
                && (!is_native_resource(resource) || resource.starts_with(device_class));
            POD_RESOURCES.contains(&resource)
                || is_huge_page_resource_name(resource)
                || resource.starts_with("requests.hugepages-")
                || extended
        }
        Kind::Service => SERVICE_RESOURCES.contains(&resource),
        Kind::PersistentVolumeClaim => {
            let of_class =
                |name: &&str| resource.strip_suffix(*name).is_some_and(|class| class.ends_with(STORAGE_CLASS_SUFFIX));
            resource == "count/persistentvolumeclaims"
                || CLAIM_RESOURCES.contains(&resource)
                || CLAIM_RESOURCES.iter().any(of_class)
        }
        _ => Some(resource) == count_alias(kind) || resource == count_name(kind),
    }
}

/// `count/deployments.apps`, as object counts are called in quotas.
fn count_name(kind: Kind) -> String {
    format!("count/{}", kind.qualified_resource())
}

/// The short name that object counts of some kinds have.
fn count_alias(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::ConfigMap => Some("configmaps"),
        Kind::ResourceQuota => Some("resourcequotas"),
        Kind::Secret => Some("secrets"),
        _ => None,
    }
}

/// What an object uses (`Usage`).
pub fn usage(object: &Object, now: Option<Timestamp>) -> Amounts {
    let one = || Quantity::from_units(1);
    match object {
        Object::Pod(pod) => pod_usage(pod, now),
        Object::Service(service) => service_usage(service),
        Object::PersistentVolumeClaim(claim) => claim_usage(claim),
        other => {
            let mut usage = Amounts::from([(count_name(other.kind()), one())]);
            usage.extend(count_alias(other.kind()).map(|name| (name.to_owned(), one())));
            usage
        }
    }
}

/// Pods that are over, or that should long be gone, use nothing but their place in the count (`PodUsageFunc`).
fn pod_usage(pod: &Pod, now: Option<Timestamp>) -> Amounts {
    let mut usage = Amounts::from([("count/pods".to_owned(), Quantity::from_units(1))]);
    if counts_against_quota(pod, now) {
        let empty = PodSpec::default();
        let spec = pod.spec.as_ref().unwrap_or(&empty);
        usage.extend(compute_usage(&pod_requests(spec), &pod_limits(spec)));
    }
    usage
}

/// `QuotaV1Pod`.
pub fn counts_against_quota(pod: &Pod, now: Option<Timestamp>) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
    if matches!(phase, "Failed" | "Succeeded") {
        return false;
    }
    let grace = pod.metadata.deletion_grace_period_seconds.map(SignedDuration::from_secs);
    match (&pod.metadata.deletion_timestamp, grace, now) {
        (Some(deleted), Some(grace), Some(now)) => now <= deleted.0 + grace,
        _ => true,
    }
}

/// `podComputeUsageHelper`.
fn compute_usage(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut usage = Amounts::from([("pods".to_owned(), Quantity::from_units(1))]);
    for name in ["cpu", "memory", "ephemeral-storage"] {
        if let Some(request) = requests.get(name) {
            usage.insert(name.to_owned(), request.clone());
            usage.insert(format!("requests.{name}"), request.clone());
        }
        if let Some(limit) = limits.get(name) {
            usage.insert(format!("limits.{name}"), limit.clone());
        }
    }
    for (name, request) in requests {
        if is_huge_page_resource_name(name) {
            usage.insert(name.clone(), request.clone());
        }
        if is_huge_page_resource_name(name) || !is_native_resource(name) {
            usage.insert(format!("requests.{name}"), request.clone());
        }
    }
    usage
}

fn service_usage(service: &Service) -> Amounts {
    let spec = service.spec.as_ref();
    let ports = spec.and_then(|s| s.ports.as_deref()).unwrap_or_default();
    let count = |n: usize| Quantity::from_units(i64::try_from(n).unwrap_or(i64::MAX));
    let (node_ports, balancers) = match spec.and_then(|s| s.type_.as_deref()) {
        Some("NodePort") => (ports.len(), 0),
        Some("LoadBalancer") if spec.and_then(|s| s.allocate_load_balancer_node_ports) == Some(false) => {
            (ports.iter().filter(|p| p.node_port.unwrap_or(0) != 0).count(), 1)
        }
        Some("LoadBalancer") => (ports.len(), 1),
        _ => (0, 0),
    };
    let counts = [1, 1, node_ports, balancers];
    SERVICE_RESOURCES.iter().zip(counts).map(|(name, n)| ((*name).to_owned(), count(n))).collect()
}

fn claim_usage(claim: &PersistentVolumeClaim) -> Amounts {
    let one = || Quantity::from_units(1);
    let class = claim_class(claim);
    let mut usage = Amounts::from([
        ("persistentvolumeclaims".to_owned(), one()),
        ("count/persistentvolumeclaims".to_owned(), one()),
    ]);
    let by_class = |name: &str| format!("{class}{STORAGE_CLASS_SUFFIX}{name}");
    if !class.is_empty() {
        usage.insert(by_class("persistentvolumeclaims"), one());
    }
    let whole = |quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity| {
        let mut quantity = Quantity::of(quantity);
        quantity.round_up(0);
        quantity
    };
    let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()).and_then(|r| r.requests.as_ref());
    if let Some(mut storage) = requests.and_then(|r| r.get("storage")).map(whole) {
        let allocated = claim.status.as_ref().and_then(|s| s.allocated_resources.as_ref());
        if let Some(allocated) = allocated.and_then(|a| a.get("storage")).map(whole) {
            storage = storage.max(allocated);
        }
        if !class.is_empty() {
            usage.insert(by_class("requests.storage"), storage.clone());
        }
        usage.insert("requests.storage".to_owned(), storage);
    }
    usage
}

/// What each container must say, for the resources a quota limits (`Constraints`).
pub fn missing_resources(required: &[&str], object: &Object) -> Result<(), String> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let Some(spec) = &pod.spec else { return Ok(()) };
    let own = spec.resources.iter().flat_map(|r| [&r.requests, &r.limits]).flatten();
    if own.into_iter().flatten().any(|(name, _)| is_pod_level_resource(name)) {
        return Ok(());
    }
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    for container in containers {
        let said = container_usage(container);
        for name in required.iter().filter(|n| REQUIRED_OF_CONTAINERS.contains(n) && !said.contains_key(**n)) {
            missing.entry(name).or_default().insert(&container.name);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(",");
    let parts: Vec<String> = missing.iter().map(|(name, list_)| format!("{name} for: {}", list(list_))).collect();
    Err(format!("must specify {}", parts.join("; ")))
}

fn container_usage(container: &Container) -> Amounts {
    let resources = container.resources.as_ref();
    let requests = amounts(resources.and_then(|r| r.requests.as_ref()));
    compute_usage(&requests, &amounts(resources.and_then(|r| r.limits.as_ref())))
}

/// Whether an object is in all of a quota's scopes.
pub fn matches_scopes(quota: &ResourceQuota, object: &Object) -> bool {
    let spec = quota.spec.as_ref();
    let exists = |scope: &String| ScopedResourceSelectorRequirement {
        scope_name: scope.clone(),
        operator: "Exists".to_owned(),
        values: None,
    };
    let scopes = spec.and_then(|s| s.scopes.as_ref()).into_iter().flatten().map(exists);
    let selector = spec.and_then(|s| s.scope_selector.as_ref());
    let expressions = selector.and_then(|s| s.match_expressions.as_ref()).into_iter().flatten().cloned();
    scopes.chain(expressions).all(|requirement| matches_scope(&requirement, object))
}

fn matches_scope(requirement: &ScopedResourceSelectorRequirement, object: &Object) -> bool {
    match object {
        Object::Pod(pod) => {
            let empty = PodSpec::default();
            let spec = pod.spec.as_ref().unwrap_or(&empty);
            match requirement.scope_name.as_str() {
                "Terminating" => is_terminating(spec),
                "NotTerminating" => !is_terminating(spec),
                "BestEffort" => qos_class(spec) == "BestEffort",
                "NotBestEffort" => qos_class(spec) != "BestEffort",
                "PriorityClass" => {
                    let class = Some(text(&spec.priority_class_name)).filter(|name| !name.is_empty());
                    selects(requirement, class)
                }
                "CrossNamespacePodAffinity" => spec.affinity.as_ref().is_some_and(crosses_namespaces),
                _ => false,
            }
        }
        Object::PersistentVolumeClaim(claim) if requirement.scope_name == "VolumeAttributesClass" => {
            let names = attributes_classes(claim);
            if names.is_empty() {
                selects(requirement, None)
            } else {
                names.into_iter().any(|name| selects(requirement, Some(name)))
            }
        }
        _ => false,
    }
}

/// Whether a name, which may be absent, satisfies a requirement.
fn selects(requirement: &ScopedResourceSelectorRequirement, name: Option<&str>) -> bool {
    let listed = |name: &str| requirement.values.iter().flatten().any(|v| v == name);
    match requirement.operator.as_str() {
        "In" => name.is_some_and(listed),
        "NotIn" => !name.is_some_and(listed),
        "Exists" => name.is_some(),
        "DoesNotExist" => name.is_none(),
        _ => false,
    }
}

/// Whether a pod has a deadline.
pub fn is_terminating(spec: &PodSpec) -> bool {
    spec.active_deadline_seconds.is_some_and(|seconds| seconds >= 0)
}

fn attributes_classes(claim: &PersistentVolumeClaim) -> BTreeSet<&str> {
    let status = claim.status.as_ref();
    let names = [
        claim.spec.as_ref().and_then(|s| s.volume_attributes_class_name.as_deref()),
        status.and_then(|s| s.current_volume_attributes_class_name.as_deref()),
        status
            .and_then(|s| s.modify_volume_status.as_ref())
            .and_then(|m| m.target_volume_attributes_class_name.as_deref()),
    ];
    names.into_iter().flatten().filter(|name| !name.is_empty()).collect()
}

fn crosses_namespaces(affinity: &Affinity) -> bool {
    let term = |term: &PodAffinityTerm| {
        term.namespaces.as_ref().is_some_and(|n| !n.is_empty()) || term.namespace_selector.is_some()
    };
    let any = |required: Option<&Vec<PodAffinityTerm>>, preferred: Option<&Vec<WeightedPodAffinityTerm>>| {
        required.into_iter().flatten().any(term)
            || preferred.into_iter().flatten().any(|weighted| term(&weighted.pod_affinity_term))
    };
    let pod = affinity.pod_affinity.as_ref().is_some_and(|a| {
        any(
            a.required_during_scheduling_ignored_during_execution.as_ref(),
            a.preferred_during_scheduling_ignored_during_execution.as_ref(),
        )
    });
    pod || affinity.pod_anti_affinity.as_ref().is_some_and(|a| {
        any(
            a.required_during_scheduling_ignored_during_execution.as_ref(),
            a.preferred_during_scheduling_ignored_during_execution.as_ref(),
        )
    })
}

/// What all objects of a quota's namespace use of what the quota limits (`CalculateUsage`).
pub fn calculate_usage(store: &Store, quota: &ResourceQuota, now: Timestamp) -> Amounts {
    let namespace = quota.metadata.namespace.as_deref().unwrap_or_default();
    let hard = quota.spec.as_ref().and_then(|s| s.hard.as_ref());
    let mut used = Amounts::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.namespaced()) {
        let names: Vec<&String> = hard.into_iter().flatten().map(|(n, _)| n).filter(|n| concerns(kind, n)).collect();
        if names.is_empty() {
            continue;
        }
        for name in &names {
            used.entry((*name).clone()).or_default();
        }
        let objects = store.objects_of_in(kind, namespace);
        for object in objects.filter(|object| matches_scopes(quota, object)) {
            let mut own = usage(object, Some(now));
            own.retain(|name, _| names.contains(&name));
            add(&mut used, &own);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn claims_count_by_class_too() {
        let claim = json!({"metadata": {"name": "x"}, "spec": {"storageClassName": "gold",
            "resources": {"requests": {"storage": "1Gi"}}}});
        let claim: PersistentVolumeClaim = serde_json::from_value(claim).unwrap_or_default();
        let used = usage(&Object::PersistentVolumeClaim(Arc::new(claim)), None);
        let text = |name: &str| used.get(name).map(ToString::to_string).unwrap_or_default();
        assert_eq!(text("gold.storageclass.storage.k8s.io/requests.storage"), "1Gi");
        assert_eq!(text("requests.storage"), "1Gi");
        assert!(concerns(Kind::PersistentVolumeClaim, "gold.storageclass.storage.k8s.io/persistentvolumeclaims"));
        assert!(!concerns(Kind::PersistentVolumeClaim, "goldrequests.storage"));
    }

    #[test]
    fn every_container_must_say_what_a_quota_limits() {
        let pod = json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}]}});
        let pod: Pod = serde_json::from_value(pod).unwrap_or_default();
        let error = missing_resources(&["limits.memory", "pods", "requests.cpu"], &Object::Pod(Arc::new(pod)));
        assert_eq!(error, Err("must specify limits.memory for: a,b; requests.cpu for: a,b".to_owned()));
    }
}
