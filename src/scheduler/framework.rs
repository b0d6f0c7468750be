//! What plugins see and say (`pkg/scheduler/framework`).
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;

use super::cache::Cache;
use super::node_info::{NodeInfo, PodInfo};
use super::{inter_pod_affinity, pod_topology_spread, volume_binding, volume_restrictions, volume_zone};
use crate::api::Store;

/// How final a rejection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Taking pods off the node may help.
    Unschedulable,
    /// Nothing that preemption can do helps.
    UnschedulableAndUnresolvable,
    /// The plugin failed; the pod is tried again later.
    Error,
}

/// A plugin says no.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// How final.
    pub code: Code,
    /// Why, in the plugin's words.
    pub reasons: Vec<String>,
}

impl Rejection {
    /// `Unschedulable`.
    pub fn unschedulable(reason: impl Into<String>) -> Self {
        Rejection { code: Code::Unschedulable, reasons: vec![reason.into()] }
    }
    /// `UnschedulableAndUnresolvable`.
    pub fn unresolvable(reason: impl Into<String>) -> Self {
        Rejection { code: Code::UnschedulableAndUnresolvable, reasons: vec![reason.into()] }
    }
    /// `Error`.
    pub fn error(reason: impl Into<String>) -> Self {
        Rejection { code: Code::Error, reasons: vec![reason.into()] }
    }
    /// All reasons in one line.
    pub fn message(&self) -> String {
        self.reasons.join(", ")
    }
}

/// What a plugin's PreFilter decided.
#[derive(Clone, Debug, PartialEq)]
pub enum PreFilter {
    /// The plugin's Filter has nothing to look at.
    Skip,
    /// Every node is to be looked at.
    All,
    /// Only these nodes can do.
    Nodes(BTreeSet<String>),
}

/// What plugins computed in PreFilter for one attempt to schedule one pod.
#[derive(Clone, Debug, Default)]
pub struct CycleState {
    /// Plugins whose Filter is skipped.
    pub skipped: BTreeSet<&'static str>,
    /// Of VolumeRestrictions.
    pub volume_restrictions: volume_restrictions::State,
    /// Of VolumeBinding.
    pub volume_binding: volume_binding::State,
    /// Of VolumeZone.
    pub volume_zone: Vec<volume_zone::Topology>,
    /// Of PodTopologySpread.
    pub topology_spread: pod_topology_spread::State,
    /// Of InterPodAffinity.
    pub inter_pod_affinity: inter_pod_affinity::State,
}

/// What is around while one pod is scheduled.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// The pod.
    pub pod: &'a PodInfo,
    /// All objects.
    pub store: &'a Store,
    /// The nodes.
    pub cache: &'a Cache,
}

/// One scheduling plugin. The names and the order are Kubernetes' (`getDefaultPlugins`).
pub trait Plugin: Sync {
    /// The plugin's name.
    fn name(&self) -> &'static str;

    /// Looks at the pod before any node.
    fn pre_filter(&self, _cycle: Cycle<'_>, _state: &mut CycleState) -> Result<PreFilter, Rejection> {
        Ok(PreFilter::All)
    }

    /// Whether a node can take the pod.
    fn filter(&self, _cycle: Cycle<'_>, _state: &CycleState, _node: &NodeInfo) -> Result<(), Rejection> {
        Ok(())
    }

    /// Preemption imagines `other` away from a node (`count` -1) or back on it (1).
    fn adjust(&self, _cycle: Cycle<'_>, _state: &mut CycleState, _other: &Pod, _node: &NodeInfo, _count: i64) {}

    /// Whether a change can help a pod that this plugin rejected (`EventsToRegister` and its queueing hints).
    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, store: &Store) -> bool;
}

/// Something happened that may make pods schedulable.
#[derive(Clone, Debug)]
pub enum ClusterEvent<'a> {
    /// A node was added, changed in a way that matters, or removed.
    Node {
        /// Before.
        old: Option<&'a Arc<Node>>,
        /// After.
        new: Option<&'a Arc<Node>>,
    },
    /// A pod came to a node.
    AssignedPodAdd(&'a Arc<Pod>),
    /// A pod on a node, or nominated to one, is gone or over.
    AssignedPodDelete(&'a Arc<Pod>),
    /// Labels or tolerations of a pod changed, or its scheduling gates are gone.
    PodUpdate {
        /// Before.
        old: &'a Arc<Pod>,
        /// After.
        new: &'a Arc<Pod>,
    },
    /// A claim was added or changed.
    Claim {
        /// Before.
        old: Option<&'a Arc<PersistentVolumeClaim>>,
        /// After.
        new: &'a Arc<PersistentVolumeClaim>,
    },
    /// A volume was added or changed.
    Volume {
        /// Before.
        old: Option<&'a Arc<PersistentVolume>>,
        /// After.
        new: &'a Arc<PersistentVolume>,
    },
    /// A storage class was added or changed.
    StorageClass {
        /// Before.
        old: Option<&'a Arc<StorageClass>>,
        /// After.
        new: &'a Arc<StorageClass>,
    },
}

impl ClusterEvent<'_> {
    /// A node was added, or its labels changed: the events most plugins that look at nodes register.
    pub fn node_added_or_labelled(&self) -> bool {
        match self {
            ClusterEvent::Node { old: None, new: Some(_) } => true,
            ClusterEvent::Node { old: Some(old), new: Some(new) } => old.metadata.labels != new.metadata.labels,
            _ => false,
        }
    }

    /// A node was added.
    pub fn node_added(&self) -> bool {
        matches!(self, ClusterEvent::Node { old: None, new: Some(_) })
    }
}

/// Why no node took the pod (`framework.Diagnosis`, `FitError`).
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// What was wrong before any node was looked at.
    pub pre_filter: Option<Rejection>,
    /// Each node's rejection; nodes that are not listed were ruled out by `absent`.
    pub nodes: BTreeMap<String, Rejection>,
    /// What counts for nodes that are not listed.
    pub absent: Option<Rejection>,
    /// The plugins that said no.
    pub plugins: BTreeSet<&'static str>,
    /// What preemption had to say.
    pub post_filter: String,
}

impl Diagnosis {
    /// `0/2 nodes are available: …` (`FitError.Error`).
    pub fn message(&self, node_count: usize) -> String {
        let mut message = format!("0/{node_count} nodes are available:");
        match &self.pre_filter {
            Some(rejection) => message.push_str(&format!(" {}.", rejection.message())),
            None => {
                let histogram = histogram(&self.nodes, self.absent.as_ref(), node_count);
                if !histogram.is_empty() {
                    message.push_str(&format!(" {histogram}."));
                }
            }
        }
        if !self.post_filter.is_empty() {
            message.push_str(&format!(" {}", self.post_filter));
        }
        message
    }
}

/// Reasons counted over nodes and sorted as text.
pub fn histogram(nodes: &BTreeMap<String, Rejection>, absent: Option<&Rejection>, node_count: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in nodes.values().flat_map(|r| &r.reasons) {
        *counts.entry(reason).or_default() += 1;
    }
    let missing = node_count.saturating_sub(nodes.len());
    if missing > 0 {
        for reason in absent.into_iter().flat_map(|r| &r.reasons) {
            *counts.entry(reason).or_default() += missing;
        }
    }
    let mut lines: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    lines.join(", ")
}
