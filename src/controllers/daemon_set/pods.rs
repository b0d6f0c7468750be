//! Pods of a DaemonSet and the nodes they are for (`pkg/controller/daemon/util`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};

use super::update::Revision;
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::{node_name, pod_from_template};
use crate::scheduler::{node_affinity, taint_toleration};

/// The label with the generation of the template, from before there were revisions.
const TEMPLATE_GENERATION: &str = "pod-template-generation";

/// The node a pod is on or meant for (`GetTargetNodeName`).
pub(super) fn target_node(pod: &Pod) -> Option<String> {
    let bound = node_name(pod);
    if !bound.is_empty() {
        return Some(bound.to_owned());
    }
    let affinity = pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()?;
    let terms = &affinity.required_during_scheduling_ignored_during_execution.as_ref()?.node_selector_terms;
    let fields = terms.iter().flat_map(|t| t.match_fields.iter().flatten());
    let names = fields.filter(|f| f.key == "metadata.name" && f.operator == "In");
    names.filter_map(|f| f.values.as_ref()?.first()).next().cloned()
}

/// A pod as the set's template makes it, wherever it goes.
pub(super) fn daemon_pod(spec: &DaemonSetSpec) -> Pod {
    let mut pod_spec = spec.template.spec.clone().unwrap_or_default();
    add_tolerations(&mut pod_spec);
    Pod { spec: Some(pod_spec), ..Default::default() }
}

/// Whether a pod should be on a node, and whether one that is there may stay (`NodeShouldRunDaemonPod`).
pub(super) fn should_run(pod: &Pod, node: &Node) -> (bool, bool) {
    let bound = node_name(pod);
    if !bound.is_empty() && bound != node.name() || !node_affinity::matches(pod, node) {
        return (false, false);
    }
    match taint_toleration::untolerated(pod, node, &["NoSchedule", "NoExecute"]) {
        None => (true, true),
        Some(_) => (false, taint_toleration::untolerated(pod, node, &["NoExecute"]).is_none()),
    }
}

/// A pod for one node: the scheduler binds it there.
pub(super) fn new_pod(set: &Arc<DaemonSet>, spec: &DaemonSetSpec, revision: &Revision, node: &str) -> Pod {
    let mut pod = pod_from_template(&spec.template, &**set);
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(super::update::HASH_LABEL.to_owned(), revision.hash.clone());
    if let Some(generation) = &revision.template_generation {
        labels.insert(TEMPLATE_GENERATION.to_owned(), generation.clone());
    }
    let pod_spec = pod.spec.get_or_insert_default();
    add_tolerations(pod_spec);
    let name = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = pod_spec.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let term = NodeSelectorTerm { match_fields: Some(vec![name]), match_expressions: None };
    affinity.required_during_scheduling_ignored_during_execution =
        Some(NodeSelector { node_selector_terms: vec![term] });
    pod
}

/// Daemons stay where others must leave (`AddOrUpdateDaemonPodTolerations`).
fn add_tolerations(spec: &mut PodSpec) {
    let mut tolerated = vec![
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];
    if spec.host_network == Some(true) {
        tolerated.push(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    }
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in tolerated {
        let new = Toleration {
            key: Some(key.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Default::default()
        };
        let same = |t: &&mut Toleration| {
            t.key == new.key && t.effect == new.effect && t.operator == new.operator && t.value == new.value
        };
        match tolerations.iter_mut().find(same) {
            Some(toleration) => *toleration = new,
            None => tolerations.push(new),
        }
    }
}
