//! PodTopologyLabels (`plugin/pkg/admission/podtopologylabels`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::store::Store;

const TOPOLOGY_LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// The labels that pods get from the node they are on: its zone and its region. Also for the binding of a pod.
pub fn labels_of_node(store: &Store, node: &str) -> BTreeMap<String, String> {
    let Some(node) = store.get::<Node>("", node) else { return BTreeMap::new() };
    let label = |key: &&str| Some(((*key).to_owned(), node.label(key)?.to_owned()));
    TOPOLOGY_LABELS.iter().filter_map(label).collect()
}

/// Labels a pod that is created on a node.
pub fn admit(request: &mut Request<'_>) {
    let store = request.store;
    let Object::Pod(pod) = &mut request.object else { return };
    if request.operation != Operation::Create {
        return;
    }
    let node = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or_default();
    let labels = labels_of_node(store, node);
    if !labels.is_empty() {
        Arc::make_mut(pod).metadata.labels.get_or_insert_default().extend(labels);
    }
}
