//! PodTopologySpread: pods that match a selector are spread over zones, nodes or other domains.
use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Node, Pod, Service, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, node_name, nominated_node, spec_of};
use super::{node_affinity, taint_toleration};
use crate::api::label_selector::{self, Labels};
use crate::api::{ApiObject, Store};

/// The plugin.
pub struct PodTopologySpread;

const MISMATCH: &str = "node(s) didn't match pod topology spread constraints";
const HOSTNAME: &str = "kubernetes.io/hostname";

/// One constraint with what it selects.
#[derive(Clone, Debug)]
struct Constraint {
    max_skew: i64,
    key: String,
    selector: Option<LabelSelector>,
    /// Labels from `matchLabelKeys`.
    also: Labels,
    min_domains: usize,
    honor_affinity: bool,
    honor_taints: bool,
}

impl Constraint {
    fn new(constraint: &TopologySpreadConstraint, pod: &Pod) -> Self {
        let labels = pod.metadata.labels.as_ref();
        let keys = constraint.match_label_keys.iter().flatten();
        Constraint {
            max_skew: i64::from(constraint.max_skew),
            key: constraint.topology_key.clone(),
            selector: constraint.label_selector.clone(),
            also: keys.filter_map(|k| Some((k.clone(), labels?.get(k)?.clone()))).collect(),
            min_domains: usize::try_from(constraint.min_domains.unwrap_or(1)).unwrap_or(1),
            honor_affinity: constraint.node_affinity_policy.as_deref() != Some("Ignore"),
            honor_taints: constraint.node_taints_policy.as_deref() == Some("Honor"),
        }
    }

    fn selects(&self, labels: Option<&Labels>) -> bool {
        label_selector::matches(self.selector.as_ref(), labels) && label_selector::matches_map(Some(&self.also), labels)
    }

    /// `matchNodeInclusionPolicies`.
    fn counts_node(&self, pod: &Pod, node: &Node) -> bool {
        (!self.honor_affinity || node_affinity::matches(pod, node))
            && (!self.honor_taints || taint_toleration::untolerated(pod, node, &["NoSchedule", "NoExecute"]).is_none())
    }

    fn count_on(&self, node: &NodeInfo, namespace: &str) -> i64 {
        let empty = self.also.is_empty() && self.selector.as_ref().is_none_or(label_selector::is_empty);
        if empty && self.selector.is_some() {
            return 0;
        }
        let pods = node.pods_in(namespace).filter(|p| !p.pod.is_terminating());
        i64::try_from(pods.filter(|p| self.selects(p.pod.metadata.labels.as_ref())).count()).unwrap_or(i64::MAX)
    }
}

/// What PreFilter counted.
#[derive(Clone, Debug, Default)]
pub struct State {
    constraints: Vec<Constraint>,
    /// Per constraint: how many selected pods each domain has.
    counts: Vec<BTreeMap<String, i64>>,
}

fn constraints(pod: &Pod, action: &str) -> Vec<Constraint> {
    let all = spec_of(pod).topology_spread_constraints.iter().flatten();
    all.filter(|c| c.when_unsatisfiable == action).map(|c| Constraint::new(c, pod)).collect()
}

fn has_all_keys(labels: Option<&Labels>, constraints: &[Constraint]) -> bool {
    constraints.iter().all(|c| labels.is_some_and(|l| l.contains_key(&c.key)))
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        let constraints = constraints(pod, "DoNotSchedule");
        if constraints.is_empty() {
            return Ok(PreFilter::Skip);
        }
        let mut counts = vec![BTreeMap::new(); constraints.len()];
        for node in cycle.cache.nodes().filter(|n| has_all_keys(n.labels(), &constraints)) {
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                if let Some(value) = node.label(&constraint.key)
                    && constraint.counts_node(pod, &node.node)
                {
                    *counts.entry(value.to_owned()).or_default() += constraint.count_on(node, pod.namespace());
                }
            }
        }
        state.topology_spread = State { constraints, counts };
        Ok(PreFilter::All)
    }

    fn filter(&self, cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        let own = &state.topology_spread;
        for (constraint, counts) in own.constraints.iter().zip(&own.counts) {
            let Some(value) = node.label(&constraint.key) else {
                return Err(Rejection::unresolvable(format!("{MISMATCH} (missing required label)")));
            };
            let least = if counts.len() < constraint.min_domains { Some(0) } else { counts.values().min().copied() };
            let least = least.unwrap_or(i64::from(i32::MAX));
            let itself = i64::from(constraint.selects(cycle.pod.pod.metadata.labels.as_ref()));
            if counts.get(value).copied().unwrap_or(0) + itself - least > constraint.max_skew {
                return Err(Rejection::unschedulable(MISMATCH));
            }
        }
        Ok(())
    }

    fn adjust(&self, cycle: Cycle<'_>, state: &mut CycleState, other: &Pod, node: &NodeInfo, count: i64) {
        let pod = &cycle.pod.pod;
        let own = &mut state.topology_spread;
        if other.namespace() != pod.namespace() || !has_all_keys(node.labels(), &own.constraints) {
            return;
        }
        for (constraint, counts) in own.constraints.iter().zip(&mut own.counts) {
            if let Some(value) = node.label(&constraint.key)
                && constraint.selects(other.metadata.labels.as_ref())
                && constraint.counts_node(pod, &node.node)
            {
                *counts.entry(value.to_owned()).or_default() += count;
            }
        }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        let constraints = constraints(pod, "DoNotSchedule");
        let involved = |other: &Pod| {
            other.metadata.uid == pod.metadata.uid
                || ((!node_name(other).is_empty() || !nominated_node(other).is_empty())
                    && other.namespace() == pod.namespace())
        };
        let selected = |other: &Pod| constraints.iter().any(|c| c.selects(other.metadata.labels.as_ref()));
        match event {
            ClusterEvent::AssignedPodAdd(other) | ClusterEvent::AssignedPodDelete(other) => {
                involved(other) && selected(other)
            }
            ClusterEvent::PodUpdate { old, new } => {
                let labels = |p: &Pod| p.metadata.labels.clone();
                involved(new)
                    && constraints.iter().any(|c| c.selects(labels(old).as_ref()) != c.selects(labels(new).as_ref()))
                    || (new.metadata.uid == pod.metadata.uid
                        && spec_of(old).tolerations != spec_of(new).tolerations
                        && constraints.iter().any(|c| c.honor_taints))
            }
            ClusterEvent::Node { old, new } => {
                let matching = |n: &Node| has_all_keys(n.metadata.labels.as_ref(), &constraints);
                match (old, new) {
                    (Some(old), Some(new)) => {
                        let value =
                            |n: &Node, key: &String| n.metadata.labels.as_ref().and_then(|l| l.get(key)).cloned();
                        matching(old) != matching(new)
                            || (matching(new)
                                && (constraints.iter().any(|c| value(old, &c.key) != value(new, &c.key))
                                    || old.spec.as_ref().and_then(|s| s.taints.as_ref())
                                        != new.spec.as_ref().and_then(|s| s.taints.as_ref())))
                    }
                    (Some(node), None) | (None, Some(node)) => matching(node),
                    (None, None) => false,
                }
            }
            _ => false,
        }
    }
}

/// The selector of the services and the controller of a pod (`helper.DefaultSelector`), by which pods without
/// constraints of their own are spread a little over nodes and zones.
fn default_selector(pod: &Pod, store: &Store) -> Option<LabelSelector> {
    let labels = pod.metadata.labels.as_ref();
    let mut selector = LabelSelector::default();
    for service in store.list_in::<Service>(pod.namespace()) {
        let wanted = service.spec.as_ref().and_then(|s| s.selector.as_ref()).filter(|s| !s.is_empty());
        if let Some(wanted) = wanted.filter(|w| label_selector::matches_map(Some(w), labels)) {
            selector.match_labels.get_or_insert_default().extend(wanted.clone());
        }
    }
    let owner = pod.controller();
    let owned = owner.and_then(|o| match o.kind.as_str() {
        "ReplicaSet" => Some(store.get::<ReplicaSet>(pod.namespace(), &o.name)?.spec.as_ref()?.selector.clone()),
        "StatefulSet" => Some(store.get::<StatefulSet>(pod.namespace(), &o.name)?.spec.as_ref()?.selector.clone()),
        _ => None,
    });
    if let Some(owned) = owned {
        selector.match_labels.get_or_insert_default().extend(owned.match_labels.unwrap_or_default());
        selector.match_expressions = owned.match_expressions;
    }
    (!label_selector::is_empty(&selector)).then_some(selector)
}

/// How crowded each node's domains are for the `ScheduleAnyway` constraints; fewer is better. `None` where the pod has
/// no such constraints (`scoring.go`).
pub fn scores(cycle: Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let pod = &cycle.pod.pod;
    let own = constraints(pod, "ScheduleAnyway");
    let defaulted = spec_of(pod).topology_spread_constraints.as_ref().is_none_or(Vec::is_empty);
    let constraints = if defaulted {
        let selector = default_selector(pod, cycle.store)?;
        let spread = |key: &str, max_skew| Constraint {
            max_skew,
            key: key.to_owned(),
            selector: Some(selector.clone()),
            also: Labels::new(),
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
        };
        vec![spread(HOSTNAME, 3), spread("topology.kubernetes.io/zone", 5)]
    } else {
        own
    };
    if constraints.is_empty() {
        return None;
    }
    let mut totals = vec![0.0; nodes.len()];
    for constraint in &constraints {
        let mut domains: BTreeMap<&str, i64> =
            nodes.iter().filter_map(|n| n.label(&constraint.key)).map(|v| (v, 0)).collect();
        for node in cycle.cache.nodes() {
            if let Some(count) = node.label(&constraint.key).and_then(|v| domains.get_mut(v))
                && constraint.counts_node(pod, &node.node)
            {
                *count += constraint.count_on(node, pod.namespace());
            }
        }
        let weight = (domains.len() as f64 + 2.0).ln();
        for (total, node) in totals.iter_mut().zip(nodes) {
            if let Some(count) = node.label(&constraint.key).and_then(|v| domains.get(v)) {
                *total += *count as f64 * weight + (constraint.max_skew - 1) as f64;
            }
        }
    }
    Some(totals.into_iter().map(|t: f64| t.round() as i64).collect())
}
