//! TaintToleration: taints keep pods away that do not tolerate them.
use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, Rejection};
use super::node_info::{NodeInfo, spec_of};
use crate::api::Store;

/// The plugin.
pub struct TaintToleration;

/// Whether one of a pod's tolerations tolerates a taint.
pub fn tolerates(pod: &Pod, taint: &Taint) -> bool {
    spec_of(pod).tolerations.iter().flatten().any(|t| tolerates_taint(t, taint))
}

/// `Toleration.ToleratesTaint`.
pub fn tolerates_taint(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |field: &Option<String>| field.as_deref().unwrap_or_default().to_owned();
    let (key, effect, value) = (text(&toleration.key), text(&toleration.effect), text(&toleration.value));
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => value == taint.value.as_deref().unwrap_or_default(),
        "Exists" => true,
        _ => false,
    }
}

/// The first taint with one of these effects that a pod does not tolerate (`FindMatchingUntoleratedTaint`).
pub fn untolerated<'a>(pod: &Pod, node: &'a Node, effects: &[&str]) -> Option<&'a Taint> {
    let taints = node.spec.as_ref().and_then(|s| s.taints.as_ref());
    taints.into_iter().flatten().find(|t| effects.contains(&t.effect.as_str()) && !tolerates(pod, t))
}

const KEEPING_AWAY: [&str; 2] = ["NoSchedule", "NoExecute"];

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn filter(&self, cycle: Cycle<'_>, _state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        match untolerated(&cycle.pod.pod, &node.node, &KEEPING_AWAY) {
            Some(_) => Err(Rejection::unresolvable("node(s) had untolerated taint(s)")),
            None => Ok(()),
        }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::Node { old, new: Some(new) } => {
                untolerated(pod, new, &KEEPING_AWAY).is_none()
                    && old.is_none_or(|o| untolerated(pod, o, &KEEPING_AWAY).is_some())
            }
            ClusterEvent::PodUpdate { old, new } => {
                new.metadata.uid == pod.metadata.uid && spec_of(old).tolerations != spec_of(new).tolerations
            }
            _ => false,
        }
    }
}

/// How many `PreferNoSchedule` taints of a node a pod does not tolerate: fewer is better.
pub fn score(pod: &Pod, node: &NodeInfo) -> i64 {
    let taints = node.node.spec.as_ref().and_then(|s| s.taints.as_ref());
    let disliked = taints.into_iter().flatten().filter(|t| t.effect == "PreferNoSchedule" && !tolerates(pod, t));
    i64::try_from(disliked.count()).unwrap_or(i64::MAX)
}
