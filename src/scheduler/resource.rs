//! What pods ask for and nodes have (`staging/src/k8s.io/component-helpers/resource/helpers.go`,
//! `pkg/scheduler/framework/types.go` `Resource`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use crate::api::quantity::Quantity;

/// A list of resources by name.
pub type ResourceList = BTreeMap<String, Quantity>;

/// An init container that keeps running: a sidecar (`podutil.IsRestartableInitContainer`).
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// What a pod asks for in all: containers and sidecars together, or the most any init container needs while it runs,
/// whichever is more; pod-level requests replace that, overhead comes on top (`PodRequests`).
pub fn pod_requests(pod: &Pod) -> ResourceList {
    let Some(spec) = &pod.spec else { return ResourceList::new() };
    let mut total = aggregate(spec, |c| c.resources.as_ref()?.requests.as_ref());
    replace_by_pod_level(&mut total, spec.resources.as_ref().and_then(|r| r.requests.as_ref()));
    if let Some(overhead) = &spec.overhead {
        add(&mut total, overhead);
    }
    total
}

/// The limits of a pod in all (`PodLimits`).
pub fn pod_limits(pod: &Pod) -> ResourceList {
    let Some(spec) = &pod.spec else { return ResourceList::new() };
    let mut total = aggregate(spec, |c| c.resources.as_ref()?.limits.as_ref());
    replace_by_pod_level(&mut total, spec.resources.as_ref().and_then(|r| r.limits.as_ref()));
    for (name, overhead) in spec.overhead.iter().flatten() {
        if let Some(limit) = total.get_mut(name).filter(|l| !l.is_zero()) {
            limit.add(&Quantity::of(overhead));
        }
    }
    total
}

/// A resource list as the API writes it.
pub fn to_api(list: ResourceList) -> BTreeMap<String, ApiQuantity> {
    list.into_iter().map(|(name, amount)| (name, ApiQuantity(amount.to_string()))).collect()
}

fn aggregate<'a>(
    spec: &'a PodSpec,
    list: impl Fn(&'a Container) -> Option<&'a BTreeMap<String, ApiQuantity>>,
) -> ResourceList {
    let mut total = ResourceList::new();
    for container in &spec.containers {
        add(&mut total, list(container).unwrap_or(&BTreeMap::new()));
    }
    let mut sidecars = ResourceList::new();
    let mut init = ResourceList::new();
    for container in spec.init_containers.iter().flatten() {
        let own = list(container);
        let mut while_running = sidecars.clone();
        add(&mut while_running, own.unwrap_or(&BTreeMap::new()));
        if is_sidecar(container) {
            add(&mut total, own.unwrap_or(&BTreeMap::new()));
            sidecars.clone_from(&while_running);
        }
        raise_to(&mut init, &while_running);
    }
    raise_to(&mut total, &init);
    total
}

fn replace_by_pod_level(total: &mut ResourceList, level: Option<&BTreeMap<String, ApiQuantity>>) {
    for (name, amount) in level.into_iter().flatten() {
        if name == "cpu" || name == "memory" || name.starts_with("hugepages-") {
            total.insert(name.clone(), Quantity::of(amount));
        }
    }
}

fn add(total: &mut ResourceList, list: &BTreeMap<String, ApiQuantity>) {
    for (name, amount) in list {
        let amount = Quantity::of(amount);
        match total.get_mut(name) {
            Some(sum) => sum.add(&amount),
            None => {
                total.insert(name.clone(), amount);
            }
        }
    }
}

fn raise_to(total: &mut ResourceList, other: &ResourceList) {
    for (name, amount) in other {
        match total.get_mut(name) {
            Some(present) if *present >= *amount => {}
            _ => {
                total.insert(name.clone(), amount.clone());
            }
        }
    }
}

/// Resources as the scheduler counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a cpu.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// How many pods a node takes.
    pub pods: i64,
    /// Everything else: huge pages, extended resources.
    pub scalar: BTreeMap<String, i64>,
}

impl Resources {
    /// Counts a resource list.
    pub fn of(list: &ResourceList) -> Self {
        let mut resources = Resources::default();
        for (name, amount) in list {
            match name.as_str() {
                "cpu" => resources.milli_cpu = amount.milli_value(),
                "memory" => resources.memory = amount.value(),
                "ephemeral-storage" => resources.ephemeral_storage = amount.value(),
                "pods" => resources.pods = amount.value(),
                _ => {
                    resources.scalar.insert(name.clone(), amount.value());
                }
            }
        }
        resources
    }

    /// What a node offers to pods.
    pub fn allocatable(node: &Node) -> Self {
        let list = node.status.as_ref().and_then(|s| s.allocatable.as_ref());
        Self::of(&list.into_iter().flatten().map(|(n, q)| (n.clone(), Quantity::of(q))).collect())
    }

    /// Adds (`sign` 1) or takes away (`sign` -1).
    pub fn change(&mut self, other: &Resources, sign: i64) {
        let step = |have: &mut i64, by: i64| *have = have.saturating_add(by.saturating_mul(sign));
        step(&mut self.milli_cpu, other.milli_cpu);
        step(&mut self.memory, other.memory);
        step(&mut self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalar {
            step(self.scalar.entry(name.clone()).or_default(), *amount);
        }
    }

    /// The amount of a resource by name.
    pub fn get(&self, name: &str) -> i64 {
        match name {
            "cpu" => self.milli_cpu,
            "memory" => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            "pods" => self.pods,
            _ => self.scalar.get(name).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pod(spec: &str) -> Pod {
        serde_yaml::from_str(&format!("metadata: {{name: p}}\nspec: {spec}")).unwrap()
    }

    #[test]
    fn init_containers_count_as_maximum_and_sidecars_as_sum() {
        let pod = pod("{initContainers: [{name: side, restartPolicy: Always, resources: {requests: {cpu: 100m}}}, \
             {name: init, resources: {requests: {cpu: 900m}}}], \
             containers: [{name: a, resources: {requests: {cpu: 300m}}}, {name: b, resources: {requests: {cpu: 300m}}}]}");
        assert_eq!(pod_requests(&pod).get("cpu").unwrap().to_string(), "1");
        assert_eq!(Resources::of(&pod_requests(&pod)).milli_cpu, 1000);
    }

    #[test]
    fn overhead_comes_on_top() {
        let pod = pod("{overhead: {memory: 1Mi}, containers: [{name: a, resources: {requests: {memory: 1Mi}}}]}");
        assert_eq!(pod_requests(&pod).get("memory").unwrap().to_string(), "2Mi");
    }
}
