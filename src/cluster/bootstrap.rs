//! What is in a cluster before anybody uses it.
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Node, NodeCondition, NodeSpec, NodeStatus, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::ApiServer;
use crate::api::kinds::priority_class::system_priority_classes;
use crate::environment::{Environment, NodeConfig};

/// Creates the initial namespaces, Kubernetes' own priority classes and the nodes.
pub(super) fn create_initial_objects(api: &mut ApiServer, environment: &Environment) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..Default::default() };
        let created = api.create(Namespace { metadata, ..Default::default() });
        debug_assert!(created.is_ok(), "{created:?}");
    }
    for class in system_priority_classes() {
        let created = api.create(class);
        debug_assert!(created.is_ok(), "{created:?}");
    }
    for config in &environment.nodes {
        // a node whose configuration is not valid is not part of the cluster; the loader of timelines reports it
        let _ = api.create(node(api, config));
    }
}

fn node(api: &ApiServer, config: &NodeConfig) -> Node {
    let mut labels: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", config.name.as_str()),
        ("kubernetes.io/os", "linux"),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .collect();
    labels.extend(config.labels.clone());
    let mut resources: BTreeMap<String, Quantity> = [("cpu", "4"), ("memory", "8Gi"), ("pods", "110")]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), Quantity(v.to_owned())))
        .collect();
    resources.extend(config.allocatable.iter().map(|(k, v)| (k.clone(), Quantity(v.clone()))));
    let ready = NodeCondition {
        type_: "Ready".to_owned(),
        status: "True".to_owned(),
        reason: Some("KubeletReady".to_owned()),
        message: Some("kubelet is posting ready status".to_owned()),
        last_heartbeat_time: Some(api.time()),
        last_transition_time: Some(api.time()),
    };
    let mut taints: Vec<Taint> = config.taints.iter().filter_map(|t| parse_taint(t)).collect();
    if config.unschedulable {
        // the node lifecycle controller turns spec.unschedulable into this taint
        taints.push(Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Default::default()
        });
    }
    Node {
        metadata: ObjectMeta { name: Some(config.name.clone()), labels: Some(labels), ..Default::default() },
        spec: Some(NodeSpec {
            unschedulable: config.unschedulable.then_some(true),
            taints: (!taints.is_empty()).then_some(taints),
            ..Default::default()
        }),
        status: Some(NodeStatus {
            capacity: Some(resources.clone()),
            allocatable: Some(resources),
            conditions: Some(vec![ready]),
            ..Default::default()
        }),
    }
}

/// `key=value:Effect` or `key:Effect`.
fn parse_taint(text: &str) -> Option<Taint> {
    let (key_value, effect) = text.rsplit_once(':')?;
    let (key, value) = match key_value.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (key_value, None),
    };
    Some(Taint { key: key.to_owned(), value, effect: effect.to_owned(), ..Default::default() })
}
