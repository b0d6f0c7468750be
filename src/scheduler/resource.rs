//! What pods ask for and nodes have, as the scheduler counts it (`pkg/scheduler/framework/types.go` `Resource`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node};

use crate::api::pod_resources::{Amounts, amounts};

/// An init container that keeps running: a sidecar (`podutil.IsRestartableInitContainer`).
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
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
    pub fn of(list: &Amounts) -> Self {
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
        Self::of(&amounts(node.status.as_ref().and_then(|s| s.allocatable.as_ref())))
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
