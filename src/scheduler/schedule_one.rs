//! Finding a node for one pod (`pkg/scheduler/schedule_one.go`).
use std::collections::BTreeSet;

use super::framework::{Code, Cycle, CycleState, Diagnosis, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, PodInfo, nominated_node, priority, spec_of};
use super::{
    default_preemption, inter_pod_affinity, node_affinity, node_resources_fit, pod_topology_spread, taint_toleration,
};

/// All plugins with a Filter, in the order in which they are asked.
pub const PLUGINS: [&dyn Plugin; 12] = [
    &super::node_unschedulable::NodeUnschedulable,
    &super::node_name::NodeName,
    &taint_toleration::TaintToleration,
    &node_affinity::NodeAffinity,
    &super::node_ports::NodePorts,
    &node_resources_fit::NodeResourcesFit,
    &super::volume_restrictions::VolumeRestrictions,
    &super::node_volume_limits::NodeVolumeLimits,
    &super::volume_binding::VolumeBinding,
    &super::volume_zone::VolumeZone,
    &pod_topology_spread::PodTopologySpread,
    &inter_pod_affinity::InterPodAffinity,
];

/// Pods that were promised room on a node, after others were preempted for them.
pub type Nominated<'a> = &'a dyn Fn(&str) -> Vec<PodInfo>;

/// Why a pod got no node.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `Unschedulable` or `SchedulerError`.
    pub reason: &'static str,
    /// What the event and the condition say.
    pub message: String,
    /// The plugins that rejected the pod; empty after an error.
    pub plugins: BTreeSet<&'static str>,
    /// Whether that was before any node was looked at.
    pub by_pre_filter: bool,
    /// The node to nominate, `""` to withdraw a nomination, `None` to leave it as it is.
    pub nominate: Option<String>,
    /// The pods to take off that node.
    pub preempt: Option<Box<default_preemption::Candidate>>,
}

impl Failure {
    /// Something went wrong.
    pub fn error(message: impl Into<String>) -> Box<Self> {
        Box::new(Failure {
            reason: "SchedulerError",
            message: message.into(),
            plugins: BTreeSet::new(),
            by_pre_filter: false,
            nominate: Some(String::new()),
            preempt: None,
        })
    }
}

/// Finds a node for a pod (`schedulingAlgorithm`); also returns what the plugins computed.
pub fn schedule(cycle: Cycle<'_>, nominated: Nominated<'_>) -> Result<(String, CycleState), Box<Failure>> {
    let node_count = cycle.cache.node_count();
    if node_count == 0 {
        let message = "no nodes available to schedule pods";
        return Err(Box::new(Failure { reason: "Unschedulable", ..*Failure::error(message) }));
    }
    let mut state = CycleState::default();
    let mut diagnosis = Diagnosis::default();
    let only = match pre_filter(cycle, &mut state, &mut diagnosis) {
        Ok(only) => only,
        Err((plugin, rejection)) if rejection.code == Code::Error => {
            return Err(Failure::error(format!("running PreFilter plugin \"{plugin}\": {}", rejection.message())));
        }
        Err((plugin, rejection)) => {
            diagnosis.pre_filter = Some(rejection);
            // DynamicResources is asked next but its own PreFilter did not run, so preemption is never tried
            diagnosis.post_filter = "not found".to_owned();
            return Err(Box::new(Failure {
                reason: "Unschedulable",
                message: diagnosis.message(node_count),
                plugins: BTreeSet::from([plugin]),
                by_pre_filter: true,
                nominate: None,
                preempt: None,
            }));
        }
    };
    let node = match nominated_first(cycle, &state, nominated) {
        Some(node) => Some(node),
        None => {
            let feasible = feasible_nodes(cycle, &state, only.as_ref(), nominated, &mut diagnosis)?;
            best(cycle, &feasible).map(|n| n.name().to_owned())
        }
    };
    match node {
        Some(node) => Ok((node, state)),
        None => Err(try_preemption(cycle, &state, diagnosis, nominated)),
    }
}

/// Runs PreFilter; the names of the nodes to look at, or `None` for all.
fn pre_filter(
    cycle: Cycle<'_>,
    state: &mut CycleState,
    diagnosis: &mut Diagnosis,
) -> Result<Option<BTreeSet<String>>, (&'static str, Rejection)> {
    let mut only: Option<BTreeSet<String>> = None;
    for plugin in PLUGINS {
        match plugin.pre_filter(cycle, state).map_err(|r| (plugin.name(), r))? {
            PreFilter::Skip => {
                state.skipped.insert(plugin.name());
            }
            PreFilter::All => {}
            PreFilter::Nodes(nodes) => {
                diagnosis.plugins.insert(plugin.name());
                only = Some(only.map_or(nodes.clone(), |o| o.intersection(&nodes).cloned().collect()));
            }
        }
    }
    if only.is_some() {
        let names: Vec<&str> = diagnosis.plugins.iter().copied().collect();
        let reason = format!("node(s) didn't satisfy plugin(s) [{}]", names.join(" "));
        diagnosis.absent = Some(Rejection::unresolvable(reason));
    }
    Ok(only)
}

/// The node an earlier preemption made room on, if the pod fits there.
fn nominated_first(cycle: Cycle<'_>, state: &CycleState, nominated: Nominated<'_>) -> Option<String> {
    let node = cycle.cache.node(nominated_node(&cycle.pod.pod))?;
    filter_with_nominated(cycle, state, node, nominated).ok().map(|()| node.name().to_owned())
}

fn feasible_nodes<'a>(
    cycle: Cycle<'a>,
    state: &CycleState,
    only: Option<&BTreeSet<String>>,
    nominated: Nominated<'_>,
    diagnosis: &mut Diagnosis,
) -> Result<Vec<&'a NodeInfo>, Box<Failure>> {
    let mut feasible = Vec::new();
    for node in cycle.cache.nodes().filter(|n| only.is_none_or(|o| o.contains(n.name()))) {
        match filter_with_nominated(cycle, state, node, nominated) {
            Ok(()) => feasible.push(node),
            Err((plugin, rejection)) if rejection.code == Code::Error => {
                return Err(Failure::error(format!("running \"{plugin}\" filter plugin: {}", rejection.message())));
            }
            Err((plugin, rejection)) => {
                diagnosis.plugins.insert(plugin);
                diagnosis.nodes.insert(node.name().to_owned(), rejection);
            }
        }
    }
    Ok(feasible)
}

/// Asks the plugins about a node, first with the pods of equal or higher priority that were promised room there
/// (`RunFilterPluginsWithNominatedPods`).
pub fn filter_with_nominated(
    cycle: Cycle<'_>,
    state: &CycleState,
    node: &NodeInfo,
    nominated: Nominated<'_>,
) -> Result<(), (&'static str, Rejection)> {
    let pod = &cycle.pod.pod;
    let mut others = nominated(node.name());
    others.retain(|o| priority(&o.pod) >= priority(pod) && o.pod.metadata.uid != pod.metadata.uid);
    if !others.is_empty() {
        let mut imagined = (state.clone(), node.clone());
        for other in others {
            adjust(cycle, &mut imagined.0, &other.pod, &imagined.1, 1);
            imagined.1.add(other);
        }
        filter(cycle, &imagined.0, &imagined.1)?;
    }
    filter(cycle, state, node)
}

/// The first plugin that rejects a node.
fn filter(cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), (&'static str, Rejection)> {
    for plugin in PLUGINS.iter().filter(|p| !state.skipped.contains(p.name())) {
        plugin.filter(cycle, state, node).map_err(|r| (plugin.name(), r))?;
    }
    Ok(())
}

/// Tells the plugins that a pod is imagined on a node (1) or off it (-1).
pub fn adjust(
    cycle: Cycle<'_>,
    state: &mut CycleState,
    other: &k8s_openapi::api::core::v1::Pod,
    node: &NodeInfo,
    count: i64,
) {
    for plugin in PLUGINS {
        if !state.skipped.contains(plugin.name()) {
            plugin.adjust(cycle, state, other, node, count);
        }
    }
}

fn try_preemption(
    cycle: Cycle<'_>,
    state: &CycleState,
    mut diagnosis: Diagnosis,
    nominated: Nominated<'_>,
) -> Box<Failure> {
    let outcome = default_preemption::preempt(cycle, state, &diagnosis, nominated);
    let (nominate, preempt) = match outcome {
        default_preemption::Outcome::Candidate(candidate) => (Some(candidate.node.clone()), Some(Box::new(candidate))),
        default_preemption::Outcome::NotEligible(why) => {
            diagnosis.post_filter = format!("no new claims to deallocate, preemption: {why}");
            (None, None)
        }
        default_preemption::Outcome::NoCandidate(why) => {
            diagnosis.post_filter = format!("no new claims to deallocate, preemption: {why}");
            (Some(String::new()), None)
        }
    };
    Box::new(Failure {
        reason: "Unschedulable",
        message: diagnosis.message(cycle.cache.node_count()),
        plugins: diagnosis.plugins,
        by_pre_filter: false,
        nominate,
        preempt,
    })
}

/// Scales scores to 0..=100, the highest to 100 (`DefaultNormalizeScore`).
fn normalize(scores: &mut [i64], reverse: bool) {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let scaled = if max == 0 { 0 } else { *score * 100 / max };
        *score = if reverse { 100 - scaled } else { scaled };
    }
}

/// The best of the nodes that can take the pod; of equal ones the last by name, where Kubernetes picks at random and the
/// recorded clusters took that one two times in three (`prioritizeNodes`; image locality is left out: images weigh
/// nothing here).
fn best<'a>(cycle: Cycle<'_>, nodes: &[&'a NodeInfo]) -> Option<&'a NodeInfo> {
    if nodes.len() < 2 {
        return nodes.first().copied();
    }
    let pod = cycle.pod;
    let mut totals = vec![0_i64; nodes.len()];
    let mut add = |weight: i64, scores: &[i64]| {
        for (total, score) in totals.iter_mut().zip(scores) {
            *total += weight * score;
        }
    };
    let mut taints: Vec<i64> = nodes.iter().map(|n| taint_toleration::score(&pod.pod, n)).collect();
    normalize(&mut taints, true);
    add(3, &taints);
    if spec_of(&pod.pod).affinity.is_some() {
        let mut affinity: Vec<i64> = nodes.iter().map(|n| node_affinity::score(&pod.pod, n)).collect();
        normalize(&mut affinity, false);
        add(2, &affinity);
    }
    add(1, &nodes.iter().map(|n| node_resources_fit::score(pod, n)).collect::<Vec<_>>());
    add(1, &nodes.iter().map(|n| node_resources_fit::balanced_score(pod, n)).collect::<Vec<_>>());
    if let Some(crowds) = pod_topology_spread::scores(cycle, nodes) {
        let (min, max) = (crowds.iter().min().copied().unwrap_or(0), crowds.iter().max().copied().unwrap_or(0));
        let scaled = |s: &i64| if max == 0 { 100 } else { 100 * (max + min - s) / max };
        add(2, &crowds.iter().map(scaled).collect::<Vec<_>>());
    }
    if let Some(liked) = inter_pod_affinity::scores(cycle, nodes) {
        let (min, max) = (liked.iter().min().copied().unwrap_or(0), liked.iter().max().copied().unwrap_or(0));
        let scaled = |s: &i64| if max == min { 0 } else { 100 * (s - min) / (max - min) };
        add(2, &liked.iter().map(scaled).collect::<Vec<_>>());
    }
    let best = totals.iter().copied().max()?;
    nodes.iter().zip(&totals).rev().find(|(_, t)| **t == best).map(|(n, _)| *n)
}
