//! NodeAffinity: nodeSelector and node affinity.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, NodeSelector, Pod};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, spec_of};
use crate::api::{ApiObject, Store, label_selector, node_selector};

/// The plugin.
pub struct NodeAffinity;

/// The plugin's words.
pub const REASON: &str = "node(s) didn't match Pod's node affinity/selector";

fn required(pod: &Pod) -> Option<&NodeSelector> {
    let affinity = spec_of(pod).affinity.as_ref()?.node_affinity.as_ref()?;
    affinity.required_during_scheduling_ignored_during_execution.as_ref()
}

/// Whether a node is one a pod may be on (`GetRequiredNodeAffinity(pod).Match`).
pub fn matches(pod: &Pod, node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    label_selector::matches_map(spec_of(pod).node_selector.as_ref(), labels)
        && required(pod).is_none_or(|selector| node_selector::matches(selector, Some(node.name()), labels))
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, _state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        let Some(selector) = required(pod) else {
            return Ok(if spec_of(pod).node_selector.is_some() { PreFilter::All } else { PreFilter::Skip });
        };
        // terms that all name nodes by metadata.name restrict the search to these
        let mut nodes = BTreeSet::new();
        for term in &selector.node_selector_terms {
            let mut named: Option<BTreeSet<String>> = None;
            for field in term.match_fields.iter().flatten() {
                if field.key == "metadata.name" && field.operator == "In" {
                    let values: BTreeSet<String> = field.values.iter().flatten().cloned().collect();
                    named = Some(named.map_or(values.clone(), |n| n.intersection(&values).cloned().collect()));
                }
            }
            match named {
                Some(named) => nodes.extend(named),
                None => return Ok(PreFilter::All),
            }
        }
        if selector.node_selector_terms.is_empty() {
            Ok(PreFilter::All)
        } else if nodes.is_empty() {
            Err(Rejection::unresolvable("pod affinity terms conflict"))
        } else {
            Ok(PreFilter::Nodes(nodes))
        }
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        if matches(&cycle.pod.pod, &node.node) { Ok(()) } else { Err(Rejection::unresolvable(REASON)) }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::Node { old, new: Some(new) } => {
                event.node_added_or_labelled() && matches(pod, new) && old.is_none_or(|o| !matches(pod, o))
            }
            _ => false,
        }
    }
}

/// The weights of the preferred terms a node satisfies.
pub fn score(pod: &Pod, node: &NodeInfo) -> i64 {
    let affinity = spec_of(pod).affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let terms = affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    terms
        .into_iter()
        .flatten()
        .filter(|t| node_selector::matches_term(&t.preference, Some(node.name()), node.labels()))
        .map(|t| i64::from(t.weight))
        .sum()
}
