#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::{create_three_way_merge_patch, strategic_merge};
use crate::api::schema;

fn pod(spec: Value) -> Value {
    json!({ "spec": spec })
}

fn merge(original: Value, patch: Value) -> Value {
    strategic_merge(original, patch, schema::kind("v1", "Pod").unwrap()).unwrap()
}

fn three_way(original: Value, modified: Value, current: Value) -> Value {
    create_three_way_merge_patch(&original, &modified, &current, schema::kind("v1", "Pod").unwrap()).unwrap()
}

#[test]
fn containers_are_merged_by_name() {
    let live = pod(json!({ "containers": [{ "name": "a", "image": "x" }, { "name": "b", "image": "y" }] }));
    let patched = merge(live, pod(json!({ "containers": [{ "name": "b", "image": "z" }, { "name": "c" }] })));
    let expected = json!([{ "name": "a", "image": "x" }, { "name": "b", "image": "z" }, { "name": "c" }]);
    assert_eq!(patched["spec"]["containers"], expected);
}

#[test]
fn a_list_without_a_merge_key_is_replaced() {
    let live = pod(json!({ "tolerations": [{ "key": "a" }] }));
    assert_eq!(
        merge(live, pod(json!({ "tolerations": [{ "key": "b" }] })))["spec"]["tolerations"],
        json!([{ "key": "b" }])
    );
}

#[test]
fn null_deletes_and_a_delete_directive_removes_an_item() {
    let live = pod(json!({ "nodeName": "n", "containers": [{ "name": "a" }, { "name": "b" }] }));
    let patch = pod(json!({ "nodeName": null, "containers": [{ "name": "a", "$patch": "delete" }] }));
    assert_eq!(merge(live, patch), pod(json!({ "containers": [{ "name": "b" }] })));
}

#[test]
fn retained_keys_drop_the_other_volume_source() {
    let live = pod(json!({ "volumes": [{ "name": "d", "emptyDir": {} }] }));
    let patch =
        pod(json!({ "volumes": [{ "name": "d", "hostPath": { "path": "/x" }, "$retainKeys": ["hostPath", "name"] }] }));
    assert_eq!(merge(live, patch)["spec"]["volumes"], json!([{ "name": "d", "hostPath": { "path": "/x" } }]));
}

#[test]
fn items_come_in_the_order_the_patch_prescribes() {
    let live = pod(json!({ "containers": [{ "name": "a" }, { "name": "b" }, { "name": "c" }] }));
    let patch = pod(json!({ "$setElementOrder/containers": [{ "name": "c" }, { "name": "a" }] }));
    let names: Vec<_> =
        merge(live, patch)["spec"]["containers"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["b", "c", "a"], "b stays in front of c, as on the server");
}

#[test]
fn what_only_the_server_set_is_left_alone() {
    let manifest = pod(json!({ "containers": [{ "name": "a", "image": "x" }] }));
    let live = pod(json!({ "nodeName": "n", "containers": [{ "name": "a", "image": "x", "resources": {} }] }));
    assert_eq!(three_way(manifest.clone(), manifest, live), json!({}));
}

#[test]
fn what_left_the_manifest_is_deleted() {
    let before = pod(json!({ "nodeSelector": { "a": "1" }, "containers": [{ "name": "a" }, { "name": "b" }] }));
    let after = pod(json!({ "containers": [{ "name": "a" }] }));
    let patch = three_way(before.clone(), after, before.clone());
    let expected = pod(json!({
        "nodeSelector": null,
        "$setElementOrder/containers": [{ "name": "a" }],
        "containers": [{ "$patch": "delete", "name": "b" }],
    }));
    assert_eq!(patch, expected);
    assert_eq!(merge(before, patch), pod(json!({ "containers": [{ "name": "a" }] })));
}

#[test]
fn changing_a_volume_source_retains_only_the_new_one() {
    let before = pod(json!({ "volumes": [{ "name": "d", "emptyDir": {} }] }));
    let after = pod(json!({ "volumes": [{ "name": "d", "persistentVolumeClaim": { "claimName": "c" } }] }));
    let patch = three_way(before.clone(), after.clone(), before.clone());
    assert_eq!(merge(before, patch), after);
}

#[test]
fn finalizers_are_a_set() {
    let live = json!({ "metadata": { "finalizers": ["a", "b"] } });
    let patch = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"] } });
    assert_eq!(merge(live, patch)["metadata"]["finalizers"], json!(["b", "c"]));
}
