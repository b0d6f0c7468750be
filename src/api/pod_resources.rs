//! What a pod asks for in all (`k8s.io/component-helpers/resource`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::quantity::Quantity;
use super::validation::resources::is_huge_page_resource_name;

/// Amounts by resource name, ready to be compared and added.
pub type Amounts = BTreeMap<String, Quantity>;

/// The amounts in an object.
pub fn amounts(list: Option<&BTreeMap<String, ApiQuantity>>) -> Amounts {
    list.into_iter().flatten().map(|(name, quantity)| (name.clone(), Quantity::of(quantity))).collect()
}

/// Amounts as objects hold them.
pub fn to_resource_list(amounts: &Amounts) -> BTreeMap<String, ApiQuantity> {
    amounts.iter().map(|(name, quantity)| (name.clone(), ApiQuantity(quantity.to_string()))).collect()
}

/// Adds amounts to amounts.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, quantity) in more {
        match sum.get_mut(name) {
            Some(value) => value.add(quantity),
            None => {
                sum.insert(name.clone(), quantity.clone());
            }
        }
    }
}

/// Raises amounts to those of another list where they are lower.
pub fn max(list: &mut Amounts, other: &Amounts) {
    for (name, quantity) in other {
        if list.get(name).is_none_or(|value| quantity > value) {
            list.insert(name.clone(), quantity.clone());
        }
    }
}

/// Whether a pod's own `resources` can hold this resource (`IsSupportedPodLevelResource`).
pub fn is_pod_level_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_page_resource_name(name)
}

/// All containers' requests: the sum over containers and sidecars, or what the init containers need at their time.
pub fn aggregate_container_requests(spec: &PodSpec) -> Amounts {
    aggregate(spec, |resources| amounts(resources.requests.as_ref()))
}

/// All containers' limits, in the same way.
pub fn aggregate_container_limits(spec: &PodSpec) -> Amounts {
    aggregate(spec, |resources| amounts(resources.limits.as_ref()))
}

fn aggregate(spec: &PodSpec, list: impl Fn(&ResourceRequirements) -> Amounts) -> Amounts {
    let of = |container: &Container| container.resources.as_ref().map(&list).unwrap_or_default();
    let mut sum = Amounts::new();
    for container in &spec.containers {
        add(&mut sum, &of(container));
    }
    let mut sidecars = Amounts::new();
    let mut init = Amounts::new();
    for container in spec.init_containers.iter().flatten() {
        let mut own = of(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            max(&mut init, &sidecars);
        } else {
            add(&mut own, &sidecars);
            max(&mut init, &own);
        }
    }
    max(&mut sum, &init);
    sum
}

/// What a pod requests, overhead included (`PodRequests`).
pub fn pod_requests(spec: &PodSpec) -> Amounts {
    let mut requests = aggregate_container_requests(spec);
    let own = amounts(spec.resources.as_ref().and_then(|r| r.requests.as_ref()));
    requests.extend(own.into_iter().filter(|(name, _)| is_pod_level_resource(name)));
    add(&mut requests, &amounts(spec.overhead.as_ref()));
    requests
}

/// What a pod is limited to, overhead included where there is a limit (`PodLimits`).
pub fn pod_limits(spec: &PodSpec) -> Amounts {
    let mut limits = aggregate_container_limits(spec);
    let own = amounts(spec.resources.as_ref().and_then(|r| r.limits.as_ref()));
    limits.extend(own.into_iter().filter(|(name, _)| is_pod_level_resource(name)));
    for (name, quantity) in amounts(spec.overhead.as_ref()) {
        if let Some(limit) = limits.get_mut(&name).filter(|limit| !limit.is_zero()) {
            limit.add(&quantity);
        }
    }
    limits
}

/// A pod's class of service: `BestEffort`, `Burstable` or `Guaranteed` (`ComputePodQOS` of
/// `pkg/apis/core/helper/qos`).
pub fn qos_class(spec: &PodSpec) -> &'static str {
    let compute = |list: Option<&BTreeMap<String, ApiQuantity>>| {
        let mut list = amounts(list);
        list.retain(|name, quantity| matches!(name.as_str(), "cpu" | "memory") && quantity.signum() > 0);
        list
    };
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut guaranteed = true;
    if let Some(resources) = &spec.resources {
        requests = compute(resources.requests.as_ref());
        limits = compute(resources.limits.as_ref());
        guaranteed = resources.limits.as_ref().is_none_or(BTreeMap::is_empty) || limits.len() == 2;
    } else {
        for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
            let resources = container.resources.as_ref();
            add(&mut requests, &compute(resources.and_then(|r| r.requests.as_ref())));
            let own = compute(resources.and_then(|r| r.limits.as_ref()));
            guaranteed &= own.len() == 2;
            add(&mut limits, &own);
        }
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if guaranteed && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(json: serde_json::Value) -> String {
        let spec: PodSpec = serde_json::from_value(json).unwrap_or_default();
        pod_requests(&spec).get("cpu").map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn init_containers_count_by_their_maximum_and_sidecars_add_up() {
        let container =
            |name: &str, cpu: &str| serde_json::json!({"name": name, "resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = container("side", "200m");
        sidecar["restartPolicy"] = "Always".into();
        let spec = serde_json::json!({
            "containers": [container("a", "300m"), container("b", "300m")],
            "initContainers": [sidecar, container("init", "700m")],
        });
        assert_eq!(cpu(spec), "900m");
        let spec = serde_json::json!({
            "containers": [container("a", "300m")],
            "initContainers": [container("init", "700m")],
        });
        assert_eq!(cpu(spec), "700m");
    }
}
