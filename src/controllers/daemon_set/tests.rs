#![allow(clippy::unwrap_used)]
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetStatus};
use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api::dynamic::FieldValidation;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::cluster::Cluster;
use crate::environment::Environment;

/// A cluster of two nodes with a DaemonSet `d`.
fn cluster(spec: Value) -> Cluster {
    let mut cluster = Cluster::new(Environment::default());
    let mut object = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"app": "d"}}, "template": {"metadata": {"labels": {"app": "d"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "nginx:1"}]}}}});
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    cluster.api_mut().create_value(Kind::DaemonSet, "default", &object, FieldValidation::Strict).unwrap();
    cluster.settle();
    cluster
}

fn set(cluster: &Cluster) -> DaemonSet {
    DaemonSet::clone(cluster.api().get::<DaemonSet>("default", "d").unwrap())
}

fn status(cluster: &Cluster) -> DaemonSetStatus {
    set(cluster).status.unwrap()
}

fn pods(cluster: &Cluster) -> Vec<Pod> {
    cluster.api().store().list_in::<Pod>("default").map(|p| Pod::clone(p)).collect()
}

/// Node and image of every pod, by node.
fn images(cluster: &Cluster) -> Vec<(String, String)> {
    let of = |pod: &Pod| {
        let spec = pod.spec.clone().unwrap();
        (spec.node_name.unwrap_or_default(), spec.containers[0].image.clone().unwrap())
    };
    let mut images: Vec<_> = pods(cluster).iter().map(of).collect();
    images.sort();
    images
}

fn on(node: &str, image: &str) -> (String, String) {
    (node.to_owned(), image.to_owned())
}

fn set_image(cluster: &mut Cluster, image: &str) {
    let mut set = set(cluster);
    set.spec.as_mut().unwrap().template.spec.as_mut().unwrap().containers[0].image = Some(image.to_owned());
    cluster.api_mut().update(set).unwrap();
}

fn taint(cluster: &mut Cluster, effect: &str) {
    let mut node = Node::clone(cluster.api().get::<Node>("", "node02").unwrap());
    let taint = Taint { key: "k".to_owned(), effect: effect.to_owned(), ..Default::default() };
    node.spec.get_or_insert_default().taints = Some(vec![taint]);
    cluster.api_mut().update(node).unwrap();
    cluster.settle();
}

#[test]
fn every_node_has_a_pod_that_is_tied_to_it() {
    let cluster = cluster(json!({}));
    assert_eq!(images(&cluster), [on("node01", "nginx:1"), on("node02", "nginx:1")]);
    let spec = pods(&cluster).into_iter().next().unwrap().spec.unwrap();
    let affinity = serde_json::to_value(spec.affinity).unwrap();
    let term = &affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0];
    let node = spec.node_name.unwrap();
    assert_eq!(term["matchFields"][0], json!({"key": "metadata.name", "operator": "In", "values": [node]}));
    let tolerations = spec.tolerations.unwrap();
    assert!(tolerations.iter().any(|t| t.key.as_deref() == Some("node.kubernetes.io/unschedulable")));
    let status = status(&cluster);
    assert_eq!((status.desired_number_scheduled, status.number_ready), (2, 2));
    assert_eq!((status.number_available, status.number_unavailable), (Some(2), None));
    assert_eq!(cluster.api().store().list_in::<ControllerRevision>("default").count(), 1);
}

#[test]
fn a_node_selector_limits_the_nodes() {
    let mut template = json!({"metadata": {"labels": {"app": "d"}}, "spec": {
        "nodeSelector": {"kubernetes.io/hostname": "node02"}, "containers": [{"name": "c", "image": "nginx:1"}]}});
    let cluster_of_two = cluster(json!({"template": template}));
    assert_eq!(images(&cluster_of_two), [on("node02", "nginx:1")]);
    template["spec"]["nodeSelector"] = json!({"disk": "none"});
    assert_eq!(status(&cluster(json!({"template": template}))).desired_number_scheduled, 0);
}

#[test]
fn a_taint_keeps_new_pods_away_and_no_execute_removes_those_that_are_there() {
    let mut cluster = cluster(json!({}));
    taint(&mut cluster, "NoSchedule");
    assert_eq!((pods(&cluster).len(), status(&cluster).number_misscheduled), (2, 1));
    assert_eq!(status(&cluster).desired_number_scheduled, 1);
    taint(&mut cluster, "NoExecute");
    assert_eq!(images(&cluster), [on("node01", "nginx:1")]);
}

#[test]
fn a_deleted_pod_comes_back() {
    let mut cluster = cluster(json!({}));
    let first = pods(&cluster)[0].name().to_owned();
    cluster.api_mut().delete(&ObjectKey::new(Kind::Pod, "default", &first), &DeleteOptions::default()).unwrap();
    cluster.settle();
    assert_eq!(images(&cluster).len(), 2);
    assert!(pods(&cluster).iter().all(|p| p.name() != first));
}

#[test]
fn an_update_rolls_through_the_nodes() {
    let mut cluster = cluster(json!({}));
    set_image(&mut cluster, "nginx:2");
    cluster.settle();
    assert_eq!(images(&cluster), [on("node01", "nginx:2"), on("node02", "nginx:2")]);
    assert_eq!(status(&cluster).updated_number_scheduled, Some(2));
    let revisions: Vec<i64> =
        cluster.api().store().list_in::<ControllerRevision>("default").map(|r| r.revision).collect();
    assert_eq!(revisions.len(), 2);
    let hash = |pod: &Pod| pod.label("controller-revision-hash").map(str::to_owned);
    assert_eq!(hash(&pods(&cluster)[0]), hash(&pods(&cluster)[1]));
}

#[test]
fn a_broken_update_stops_at_the_first_node() {
    let mut cluster = cluster(json!({}));
    let mut set = set(&cluster);
    let spec = set.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
    // this never starts
    spec.containers[0].env_from = serde_json::from_value(json!([{"configMapRef": {"name": "missing"}}])).unwrap();
    spec.containers[0].image = Some("nginx:2".to_owned());
    cluster.api_mut().update(set).unwrap();
    cluster.settle();
    let new = images(&cluster).into_iter().filter(|(_, image)| image == "nginx:2").count();
    assert_eq!((new, status(&cluster).number_unavailable), (1, Some(1)));
}

#[test]
fn with_surge_the_old_pod_goes_when_the_new_one_is_available() {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    let mut cluster = cluster(json!({"updateStrategy": strategy, "minReadySeconds": 30}));
    cluster.advance(SignedDuration::from_secs(60));
    assert_eq!(status(&cluster).number_available, Some(2));
    set_image(&mut cluster, "nginx:2");
    cluster.advance(SignedDuration::from_secs(10));
    assert_eq!(pods(&cluster).len(), 3);
    cluster.advance(SignedDuration::from_secs(120));
    assert_eq!(images(&cluster), [on("node01", "nginx:2"), on("node02", "nginx:2")]);
}

#[test]
fn on_delete_waits_for_pods_to_be_deleted() {
    let mut cluster = cluster(json!({"updateStrategy": {"type": "OnDelete"}}));
    set_image(&mut cluster, "nginx:2");
    cluster.settle();
    assert_eq!(images(&cluster), [on("node01", "nginx:1"), on("node02", "nginx:1")]);
    let on_first = pods(&cluster).into_iter().find(|p| p.spec.as_ref().unwrap().node_name.as_deref() == Some("node01"));
    let name = on_first.unwrap().name().to_owned();
    cluster.api_mut().delete(&ObjectKey::new(Kind::Pod, "default", &name), &DeleteOptions::default()).unwrap();
    cluster.settle();
    assert_eq!(images(&cluster), [on("node01", "nginx:2"), on("node02", "nginx:1")]);
}

#[test]
fn several_nodes_may_be_updated_at_once() {
    let mut cluster = cluster(json!({"minReadySeconds": 50}));
    cluster.advance(SignedDuration::from_secs(60));
    let mut changed = set(&cluster);
    let rolling_update = changed.spec.as_mut().unwrap().update_strategy.as_mut().unwrap().rolling_update.as_mut();
    rolling_update.unwrap().max_unavailable = Some(IntOrString::String("100%".to_owned()));
    cluster.api_mut().update(changed).unwrap();
    set_image(&mut cluster, "nginx:2");
    cluster.advance(SignedDuration::from_secs(10));
    assert_eq!(images(&cluster), [on("node01", "nginx:2"), on("node02", "nginx:2")]);
    assert_eq!(status(&cluster).number_available, None);
}
