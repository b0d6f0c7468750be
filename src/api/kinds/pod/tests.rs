//! Pods as the API server creates and changes them.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::*;
use crate::api::ApiObject;

fn pod(spec: Value) -> Pod {
    let metadata = json!({"name": "p", "namespace": "n", "labels": {"app": "x"}});
    let mut pod: Pod = serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap();
    pod.set_defaults();
    pod
}

fn update(old: &Pod, change: impl FnOnce(&mut PodSpec)) -> Vec<String> {
    let mut new = old.clone();
    change(new.spec.as_mut().unwrap());
    new.validate_update(old).iter().map(ToString::to_string).collect()
}

fn simple() -> Pod {
    pod(json!({"containers": [{"name": "c", "image": "i"}], "activeDeadlineSeconds": 10}))
}

#[test]
fn a_new_pod_is_pending_with_its_class_of_service() {
    let limits = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let mut pod = pod(json!({"containers": [{"name": "c", "image": "i", "resources": limits}]}));
    pod.prepare_for_create();
    let status = pod.status.unwrap();
    assert_eq!((status.phase.as_deref(), status.qos_class.as_deref()), (Some("Pending"), Some("Guaranteed")));
    assert_eq!((pod.metadata.generation, status.conditions), (Some(1), None));
}

#[test]
fn a_gated_pod_says_so() {
    let mut pod = pod(json!({"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": "g"}]}));
    pod.prepare_for_create();
    let condition = pod.status.unwrap().conditions.unwrap().remove(0);
    assert_eq!((condition.type_.as_str(), condition.reason.as_deref()), ("PodScheduled", Some("SchedulingGated")));
}

#[test]
fn label_keys_become_expressions() {
    let term = json!({"topologyKey": "zone", "labelSelector": {}, "matchLabelKeys": ["app", "none"]});
    let affinity = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    let mut pod = pod(json!({"containers": [{"name": "c", "image": "i"}], "affinity": affinity}));
    pod.prepare_for_create();
    let affinity = pod.spec.unwrap().affinity.unwrap().pod_affinity.unwrap();
    let term = affinity.required_during_scheduling_ignored_during_execution.unwrap().remove(0);
    let found = serde_json::to_value(term.label_selector.unwrap().match_expressions).unwrap();
    assert_eq!(found, json!([{"key": "app", "operator": "In", "values": ["x"]}]));
}

#[test]
fn images_deadlines_and_tolerations_can_change() {
    let found = update(&simple(), |spec| {
        spec.containers[0].image = Some("j".to_owned());
        spec.active_deadline_seconds = Some(5);
        spec.tolerations = serde_json::from_value(json!([{"operator": "Exists"}])).unwrap();
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn deadlines_only_shrink() {
    let found = update(&simple(), |spec| spec.active_deadline_seconds = Some(11));
    let expected = "spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value";
    assert_eq!(found, [expected]);
    let found = update(&simple(), |spec| spec.active_deadline_seconds = None);
    let why = "must not update from a positive integer to nil value";
    assert_eq!(found[0], format!("spec.activeDeadlineSeconds: Invalid value: null: {why}"));
}

#[test]
fn anything_else_is_refused_with_its_difference() {
    let found = update(&simple(), |spec| spec.containers[0].working_dir = Some("/x".to_owned()));
    assert_eq!(found.len(), 1);
    let start = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                 `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                 existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                 previously negative)\n@@ ";
    assert!(found[0].starts_with(start), "{}", found[0]);
    assert!(found[0].contains("-   \"WorkingDir\": \"\",\n+   \"WorkingDir\": \"/x\",\n"), "{}", found[0]);
}

#[test]
fn containers_come_and_go_with_their_pod() {
    let found = update(&simple(), |spec| spec.containers.push(spec.containers[0].clone()));
    assert!(found.contains(&"spec.containers: Forbidden: pod updates may not add or remove containers".to_owned()));
}

#[test]
fn gated_pods_can_be_confined_to_fewer_nodes() {
    let spec = json!({"containers": [{"name": "c", "image": "i"}], "schedulingGates": [{"name": "g"}],
        "nodeSelector": {"a": "1"}});
    let old = pod(spec);
    let select = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let found = update(&old, |spec| spec.node_selector = Some([select("a", "1"), select("b", "2")].into()));
    assert!(found.is_empty(), "{found:?}");
    let found = update(&old, |spec| spec.node_selector = Some([select("a", "2")].into()));
    let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    assert_eq!(found, [format!("spec.nodeSelector: Invalid value: {{\"a\":\"2\"}}: {why}")]);
}

#[test]
fn only_a_changed_spec_is_a_new_generation() {
    let mut old = simple();
    old.metadata.generation = Some(3);
    let mut new = old.clone();
    new.set_annotation("a", "b");
    new.prepare_for_update(&old);
    assert_eq!(new.metadata.generation, Some(3));
    new.spec.as_mut().unwrap().containers[0].image = Some("j".to_owned());
    new.prepare_for_update(&old);
    assert_eq!(new.metadata.generation, Some(4));
}
