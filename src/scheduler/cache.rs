//! What the scheduler knows about nodes and the pods on them (`pkg/scheduler/backend/cache`).
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, Pod};

use super::node_info::{NodeInfo, PodInfo, PodKey, claim_names, key_of, node_name};
use crate::api::ApiObject;
use crate::storage;

/// Nodes with their pods, kept current by events.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    nodes: BTreeMap<String, NodeInfo>,
    /// On which node each pod is, so that it can be taken off again.
    placed: HashMap<PodKey, String>,
    /// How many placed pods use a claim.
    claims: HashMap<PodKey, usize>,
    /// Volumes that are not bound, by class: the candidates for claims that wait for their first consumer.
    volumes: HashMap<String, BTreeSet<String>>,
    /// Pods whose node is not known (yet).
    homeless: BTreeMap<String, BTreeMap<PodKey, PodInfo>>,
}

impl Cache {
    /// All nodes by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.values()
    }
    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }
    /// The node of a name.
    pub fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.nodes.get(name)
    }
    /// How many placed pods use a claim.
    pub fn pods_using_claim(&self, namespace: &str, claim: &str) -> usize {
        self.claims.get(&(namespace.to_owned(), claim.to_owned())).copied().unwrap_or(0)
    }

    /// The volumes of a class that are not bound, by name.
    pub fn unbound_volumes<'a>(&'a self, class: &str) -> impl Iterator<Item = &'a String> + use<'a> {
        self.volumes.get(class).into_iter().flatten()
    }

    /// A volume appeared, changed or is gone.
    pub fn set_volume(&mut self, old: Option<&Arc<PersistentVolume>>, new: Option<&Arc<PersistentVolume>>) {
        if let Some(old) = old
            && let Some(names) = self.volumes.get_mut(storage::volume_class(old))
        {
            names.remove(old.name());
        }
        if let Some(new) = new.filter(|v| storage::volume_phase(v) != "Bound") {
            self.volumes.entry(storage::volume_class(new).to_owned()).or_default().insert(new.name().to_owned());
        }
    }

    /// A node appeared or changed.
    pub fn set_node(&mut self, node: Arc<Node>) {
        match self.nodes.get_mut(node.name()) {
            Some(info) => info.set_node(node),
            None => {
                let name = node.name().to_owned();
                let mut info = NodeInfo::new(node);
                for (_, pod) in self.homeless.remove(&name).unwrap_or_default() {
                    info.add(pod);
                }
                self.nodes.insert(name, info);
            }
        }
    }

    /// A node is gone; its pods are remembered.
    pub fn remove_node(&mut self, name: &str) {
        if let Some(info) = self.nodes.remove(name) {
            let pods = info.pods().map(|p| (key_of(&p.pod), p.clone())).collect();
            self.homeless.insert(name.to_owned(), pods);
        }
    }

    /// A pod is on a node, or assumed to be on one.
    pub fn place(&mut self, pod: Arc<Pod>) {
        let key = key_of(&pod);
        self.remove(&key);
        let node = node_name(&pod).to_owned();
        for (claim, _) in claim_names(&pod) {
            *self.claims.entry((key.0.clone(), claim)).or_default() += 1;
        }
        self.placed.insert(key.clone(), node.clone());
        let info = PodInfo::new(pod);
        match self.nodes.get_mut(&node) {
            Some(place) => place.add(info),
            None => {
                self.homeless.entry(node).or_default().insert(key, info);
            }
        }
    }

    /// A pod is gone, over, or not assumed to be anywhere any more.
    pub fn remove(&mut self, key: &PodKey) {
        let Some(node) = self.placed.remove(key) else { return };
        let info = match self.nodes.get_mut(&node) {
            Some(place) => place.remove(key),
            None => self.homeless.get_mut(&node).and_then(|pods| pods.remove(key)),
        };
        let Some(info) = info else { return };
        for (claim, _) in claim_names(&info.pod) {
            let claim = (key.0.clone(), claim);
            if let Some(count) = self.claims.get_mut(&claim) {
                *count -= 1;
                if *count == 0 {
                    self.claims.remove(&claim);
                }
            }
        }
    }
}
