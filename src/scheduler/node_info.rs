//! A node with the pods on it (`pkg/scheduler/framework/types.go` `NodeInfo`).
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec};

use super::resource::Resources;
use crate::api::ApiObject;
use crate::api::label_selector::Labels;
use crate::api::pod_resources::{amounts, pod_requests};
use crate::api::quantity::Quantity;

/// Namespace and name of a pod.
pub type PodKey = (String, String);

/// The key of a pod.
pub fn key_of(pod: &Pod) -> PodKey {
    (pod.namespace().to_owned(), pod.name().to_owned())
}

/// The spec of a pod.
pub fn spec_of(pod: &Pod) -> &PodSpec {
    static EMPTY: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(Default::default);
    pod.spec.as_ref().unwrap_or(&EMPTY)
}

/// The node a pod is bound to, empty if none.
pub fn node_name(pod: &Pod) -> &str {
    spec_of(pod).node_name.as_deref().unwrap_or_default()
}

/// The phase of a pod, empty if none.
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// Whether a pod is over.
pub fn is_terminal(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// The priority of a pod.
pub fn priority(pod: &Pod) -> i32 {
    spec_of(pod).priority.unwrap_or_default()
}

/// The node that was nominated for a pod, empty if none.
pub fn nominated_node(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.nominated_node_name.as_deref()).unwrap_or_default()
}

/// The names of the claims a pod's volumes use, with whether each is a generic ephemeral one, in order.
pub fn claim_names(pod: &Pod) -> impl Iterator<Item = (String, bool)> {
    spec_of(pod).volumes.iter().flatten().filter_map(|volume| {
        if let Some(source) = &volume.persistent_volume_claim {
            Some((source.claim_name.clone(), false))
        } else {
            volume.ephemeral.as_ref().map(|_| (format!("{}-{}", pod.name(), volume.name), true))
        }
    })
}

/// A port a pod takes on its node: address, protocol, port.
pub type HostPort = (String, String, i32);

/// The host ports a pod takes (`GetHostPorts`).
pub fn host_ports(pod: &Pod) -> Vec<HostPort> {
    let spec = spec_of(pod);
    let sidecars = spec.init_containers.iter().flatten().filter(|c| super::resource::is_sidecar(c));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
    ports
        .filter(|p| p.host_port.unwrap_or(0) > 0)
        .map(|p| {
            let ip = p.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            let protocol = p.protocol.as_deref().filter(|x| !x.is_empty()).unwrap_or("TCP");
            (ip.to_owned(), protocol.to_owned(), p.host_port.unwrap_or(0))
        })
        .collect()
}

/// A pod with what is computed once.
#[derive(Clone, Debug)]
pub struct PodInfo {
    /// The pod.
    pub pod: Arc<Pod>,
    /// What it asks for.
    pub requests: Resources,
    /// Cpu and memory with defaults for containers that ask for none; only scores look at these.
    pub non_zero: (i64, i64),
}

impl PodInfo {
    /// Computes what a pod asks for.
    pub fn new(pod: Arc<Pod>) -> Self {
        let requests = Resources::of(&pod_requests(spec_of(&pod)));
        // GetNonzeroRequests: 100m and 200Mi per container without a request
        let (mut cpu, mut memory) = (0, 0);
        for container in &spec_of(&pod).containers {
            let requested = amounts(container.resources.as_ref().and_then(|r| r.requests.as_ref()));
            cpu += requested.get("cpu").map_or(100, Quantity::milli_value);
            memory += requested.get("memory").map_or(200 * 1024 * 1024, Quantity::value);
        }
        let non_zero = (cpu.max(requests.milli_cpu), memory.max(requests.memory));
        PodInfo { pod, requests, non_zero }
    }
}

/// A node and the pods that are on it or assumed to be.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// The node.
    pub node: Arc<Node>,
    /// What it offers.
    pub allocatable: Resources,
    /// What its pods ask for.
    pub requested: Resources,
    /// The same with defaults, for scores.
    pub non_zero: (i64, i64),
    pods: BTreeMap<PodKey, PodInfo>,
    /// Pods with required anti-affinity.
    with_anti_affinity: BTreeSet<PodKey>,
    ports: BTreeMap<HostPort, usize>,
}

impl NodeInfo {
    /// A node without pods.
    pub fn new(node: Arc<Node>) -> Self {
        NodeInfo {
            allocatable: Resources::allocatable(&node),
            node,
            requested: Resources::default(),
            non_zero: (0, 0),
            pods: BTreeMap::new(),
            with_anti_affinity: BTreeSet::new(),
            ports: BTreeMap::new(),
        }
    }

    /// Replaces the node object.
    pub fn set_node(&mut self, node: Arc<Node>) {
        self.allocatable = Resources::allocatable(&node);
        self.node = node;
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        self.node.name()
    }

    /// The node's labels.
    pub fn labels(&self) -> Option<&Labels> {
        self.node.metadata.labels.as_ref()
    }

    /// The value of one label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels()?.get(key).map(String::as_str)
    }

    /// The pods on the node by namespace and name.
    pub fn pods(&self) -> impl Iterator<Item = &PodInfo> {
        self.pods.values()
    }

    /// The pods of one namespace on the node.
    pub fn pods_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a PodInfo> {
        let start = (namespace.to_owned(), String::new());
        self.pods.range(start..).take_while(move |(k, _)| k.0 == namespace).map(|(_, info)| info)
    }

    /// How many pods are on the node.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Whether a host port is free; `0.0.0.0` stands for all addresses (`HostPortInfo.CheckConflict`).
    pub fn port_in_use(&self, port: &HostPort) -> bool {
        let any = "0.0.0.0";
        self.ports.keys().any(|(ip, protocol, number)| {
            (protocol, number) == (&port.1, &port.2) && (ip == &port.0 || ip == any || port.0 == any)
        })
    }

    /// The pods on the node that have required anti-affinity.
    pub fn pods_with_anti_affinity(&self) -> impl Iterator<Item = &PodInfo> {
        self.with_anti_affinity.iter().filter_map(|key| self.pods.get(key))
    }

    /// Puts a pod on the node, in place of one of the same name.
    pub fn add(&mut self, info: PodInfo) {
        let key = key_of(&info.pod);
        self.remove(&key);
        self.requested.change(&info.requests, 1);
        self.non_zero.0 += info.non_zero.0;
        self.non_zero.1 += info.non_zero.1;
        for port in host_ports(&info.pod) {
            *self.ports.entry(port).or_default() += 1;
        }
        if super::inter_pod_affinity::has_required_anti_affinity(&info.pod) {
            self.with_anti_affinity.insert(key.clone());
        }
        self.pods.insert(key, info);
    }

    /// Takes a pod off the node.
    pub fn remove(&mut self, key: &PodKey) -> Option<PodInfo> {
        let info = self.pods.remove(key)?;
        self.requested.change(&info.requests, -1);
        self.non_zero.0 -= info.non_zero.0;
        self.non_zero.1 -= info.non_zero.1;
        for port in host_ports(&info.pod) {
            if let Some(count) = self.ports.get_mut(&port) {
                *count -= 1;
                if *count == 0 {
                    self.ports.remove(&port);
                }
            }
        }
        self.with_anti_affinity.remove(key);
        Some(info)
    }
}
