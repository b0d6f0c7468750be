//! InterPodAffinity: pods that want to be, or not to be, near other pods.
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Pod, PodAffinityTerm, WeightedPodAffinityTerm};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, node_name, nominated_node, spec_of};
use crate::api::label_selector::{self, Labels};
use crate::api::{ApiObject, Store};

/// The plugin.
pub struct InterPodAffinity;

type Counts = BTreeMap<(String, String), i64>;

/// What PreFilter counted, by topology key and value.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Pods whose anti-affinity the pod would offend.
    existing_anti: Counts,
    /// Pods that satisfy all affinity terms.
    affinity: Counts,
    /// Pods that an anti-affinity term selects.
    anti: Counts,
}

fn affinity_terms(pod: &Pod) -> &[PodAffinityTerm] {
    let affinity = spec_of(pod).affinity.as_ref().and_then(|a| a.pod_affinity.as_ref());
    affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_deref()).unwrap_or_default()
}

fn anti_affinity_terms(pod: &Pod) -> &[PodAffinityTerm] {
    let affinity = spec_of(pod).affinity.as_ref().and_then(|a| a.pod_anti_affinity.as_ref());
    affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_deref()).unwrap_or_default()
}

/// Whether a pod has required anti-affinity.
pub fn has_required_anti_affinity(pod: &Pod) -> bool {
    !anti_affinity_terms(pod).is_empty()
}

/// Whether a term of `owner` selects `pod`: its namespace and its labels (`AffinityTerm.Matches`). The API server has
/// worked matchLabelKeys and mismatchLabelKeys into the selector.
fn selects(term: &PodAffinityTerm, owner: &Pod, pod: &Pod, store: &Store) -> bool {
    let namespaces = term.namespaces.as_deref().unwrap_or_default();
    let by_label = term.namespace_selector.as_ref().is_some_and(|selector| {
        let namespace = store.get::<Namespace>("", pod.namespace());
        label_selector::matches(Some(selector), namespace.and_then(|n| n.metadata.labels.as_ref()))
    });
    let here = if namespaces.is_empty() && term.namespace_selector.is_none() {
        owner.namespace() == pod.namespace()
    } else {
        namespaces.iter().any(|n| n == pod.namespace())
    };
    (here || by_label) && label_selector::matches(term.label_selector.as_ref(), pod.metadata.labels.as_ref())
}

fn selects_all(terms: &[PodAffinityTerm], owner: &Pod, pod: &Pod, store: &Store) -> bool {
    !terms.is_empty() && terms.iter().all(|t| selects(t, owner, pod, store))
}

fn count(counts: &mut Counts, key: &str, labels: Option<&Labels>, by: i64) {
    if let Some(value) = labels.and_then(|l| l.get(key)) {
        let pair = (key.to_owned(), value.clone());
        let sum = counts.entry(pair.clone()).or_default();
        *sum += by;
        if *sum == 0 {
            counts.remove(&pair);
        }
    }
}

fn count_pod(cycle: Cycle<'_>, state: &mut State, other: &Pod, node: &NodeInfo, by: i64) {
    let pod = &cycle.pod.pod;
    for term in anti_affinity_terms(other) {
        if selects(term, other, pod, cycle.store) {
            count(&mut state.existing_anti, &term.topology_key, node.labels(), by);
        }
    }
    if selects_all(affinity_terms(pod), pod, other, cycle.store) {
        for term in affinity_terms(pod) {
            count(&mut state.affinity, &term.topology_key, node.labels(), by);
        }
    }
    for term in anti_affinity_terms(pod) {
        if selects(term, pod, other, cycle.store) {
            count(&mut state.anti, &term.topology_key, node.labels(), by);
        }
    }
}

fn found(counts: &Counts, node: &NodeInfo, key: &str) -> bool {
    node.label(key).is_some_and(|v| counts.get(&(key.to_owned(), v.to_owned())).is_some_and(|c| *c > 0))
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        let own_terms = !affinity_terms(pod).is_empty() || !anti_affinity_terms(pod).is_empty();
        let mut own = State::default();
        for node in cycle.cache.nodes() {
            if own_terms {
                node.pods().for_each(|p| count_pod(cycle, &mut own, &p.pod, node, 1));
            } else {
                node.pods_with_anti_affinity().for_each(|p| count_pod(cycle, &mut own, &p.pod, node, 1));
            }
        }
        let skip = own.existing_anti.is_empty() && !own_terms;
        state.inter_pod_affinity = own;
        Ok(if skip { PreFilter::Skip } else { PreFilter::All })
    }

    fn filter(&self, cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        let pod = &cycle.pod.pod;
        let own = &state.inter_pod_affinity;
        let terms = affinity_terms(pod);
        if terms.iter().any(|t| node.label(&t.topology_key).is_none()) {
            return Err(Rejection::unresolvable("node(s) didn't match pod affinity rules"));
        }
        // the first pod of a group that wants to be together may go anywhere
        let first = || own.affinity.is_empty() && selects_all(terms, pod, pod, cycle.store);
        if !terms.iter().all(|t| found(&own.affinity, node, &t.topology_key)) && !first() {
            return Err(Rejection::unresolvable("node(s) didn't match pod affinity rules"));
        }
        if anti_affinity_terms(pod).iter().any(|t| found(&own.anti, node, &t.topology_key)) {
            return Err(Rejection::unschedulable("node(s) didn't match pod anti-affinity rules"));
        }
        if own.existing_anti.iter().any(|((key, value), n)| *n > 0 && node.label(key) == Some(value)) {
            return Err(Rejection::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"));
        }
        Ok(())
    }

    fn adjust(&self, cycle: Cycle<'_>, state: &mut CycleState, other: &Pod, node: &NodeInfo, by: i64) {
        count_pod(cycle, &mut state.inter_pod_affinity, other, node, by);
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, store: &Store) -> bool {
        let placed = |p: &Pod| !node_name(p).is_empty() || !nominated_node(p).is_empty();
        let wanted = |p: &Pod| selects_all(affinity_terms(pod), pod, p, store);
        let unwanted = |p: &Pod| {
            anti_affinity_terms(pod).iter().any(|t| selects(t, pod, p, store))
                || anti_affinity_terms(p).iter().any(|t| selects(t, p, pod, store))
        };
        match event {
            ClusterEvent::AssignedPodAdd(other) => wanted(other),
            ClusterEvent::AssignedPodDelete(other) => placed(other) && unwanted(other),
            ClusterEvent::PodUpdate { old, new } if old.metadata.labels != new.metadata.labels => {
                new.metadata.uid == pod.metadata.uid
                    || (placed(new) && ((!wanted(old) && wanted(new)) || (unwanted(old) && !unwanted(new))))
            }
            ClusterEvent::Node { .. } => event.node_added_or_labelled(),
            _ => false,
        }
    }
}

fn preferred(pod: &Pod) -> impl Iterator<Item = (&WeightedPodAffinityTerm, i64)> {
    let affinity = spec_of(pod).affinity.as_ref();
    let toward = affinity.and_then(|a| a.pod_affinity.as_ref());
    let away = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
    let toward = toward.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let away = away.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    toward.into_iter().flatten().map(|t| (t, 1)).chain(away.into_iter().flatten().map(|t| (t, -1)))
}

/// How much each node's neighbourhood is liked; `None` where the pod prefers nothing. Preferences of the pods that are
/// there already, and their required affinity, are left out: they only break ties.
pub fn scores(cycle: Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let pod = &cycle.pod.pod;
    preferred(pod).next()?;
    let mut liked = Counts::new();
    for node in cycle.cache.nodes() {
        for other in node.pods() {
            for (term, sign) in preferred(pod) {
                if selects(&term.pod_affinity_term, pod, &other.pod, cycle.store) {
                    let weight = sign * i64::from(term.weight);
                    count(&mut liked, &term.pod_affinity_term.topology_key, node.labels(), weight);
                }
            }
        }
    }
    let of = |node: &&NodeInfo| liked.iter().filter(|((k, v), _)| node.label(k) == Some(v)).map(|(_, n)| n).sum();
    Some(nodes.iter().map(of).collect())
}
