#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::{compare, differences};

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec})
}

fn claim(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec})
}

fn paths(expected: &Value, actual: &Value) -> Vec<String> {
    let found = compare(expected, actual).differences;
    assert_eq!(differences(expected, actual).differences, found);
    found.into_iter().map(|d| d.path).collect()
}

fn assert_equal(expected: &Value, actual: &Value) {
    assert_eq!(paths(expected, actual), Vec::<String>::new());
}

#[test]
fn quantities_are_equal_by_value_and_shown_as_they_are() {
    let asked = claim(json!({"resources": {"requests": {"storage": "1024Mi"}}}));
    let has = claim(json!({"resources": {"requests": {"storage": "1Gi"}}}));
    let comparison = compare(&asked, &has);
    assert!(comparison.is_equal());
    assert_eq!(comparison.expected, comparison.actual);
    let less = claim(json!({"resources": {"requests": {"storage": "1G"}}}));
    assert_eq!(paths(&asked, &less), ["spec.resources.requests.storage"]);
}

#[test]
fn access_modes_are_a_set() {
    let two = |a, b| claim(json!({"accessModes": [a, b]}));
    assert_equal(&two("ReadWriteOnce", "ReadOnlyMany"), &two("ReadOnlyMany", "ReadWriteOnce"));
    let one = claim(json!({"accessModes": ["ReadWriteOnce"]}));
    assert_eq!(paths(&one, &two("ReadWriteOnce", "ReadOnlyMany")), ["spec.accessModes"]);
    assert_eq!(paths(&two("ReadWriteOnce", "ReadOnlyMany"), &one), ["spec.accessModes"]);
}

#[test]
fn commands_have_an_order() {
    let command = |list: [&str; 2]| pod(json!({"containers": [{"name": "a", "command": list}]}));
    assert_equal(&command(["sh", "-c"]), &command(["sh", "-c"]));
    assert_eq!(paths(&command(["sh", "-c"]), &command(["-c", "sh"])), ["spec.containers[a].command"]);
}

#[test]
fn containers_are_found_by_name_and_others_do_not_matter() {
    let asked = pod(json!({"containers": [{"name": "b", "image": "nginx"}]}));
    let has = pod(json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "nginx", "stdin": true}]}));
    assert_equal(&asked, &has);
    let other = pod(json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "httpd"}]}));
    assert_eq!(paths(&asked, &other), ["spec.containers[b].image"]);
    let missing = pod(json!({"containers": [{"name": "a", "image": "x"}, {"name": "c", "image": "nginx"}]}));
    assert_eq!(paths(&asked, &missing), ["spec.containers[b]"]);
}

#[test]
fn init_containers_have_an_order() {
    let names = |list: [&str; 2]| pod(json!({"initContainers": list.map(|name| json!({"name": name}))}));
    assert_equal(&names(["a", "b"]), &names(["a", "b"]));
    assert_eq!(paths(&names(["a", "b"]), &names(["b", "a"])), ["spec.initContainers"]);
}

#[test]
fn an_item_without_a_key_may_be_any_item() {
    let asked = pod(json!({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}));
    let has = pod(json!({"volumes": [
        {"name": "tmp", "emptyDir": {}}, {"name": "x", "persistentVolumeClaim": {"claimName": "data"}}]}));
    assert_equal(&asked, &has);
}

#[test]
fn items_are_paired_so_that_all_can_be_equal() {
    // the first expected item fits both, the second only the first actual one
    let asked = pod(json!({"tolerations": [{"operator": "Exists"}, {"key": "a", "operator": "Exists"}]}));
    let has = pod(json!({"tolerations": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}]}));
    assert_equal(&asked, &has);
}

#[test]
fn null_and_unset_mean_absent_and_any_means_present() {
    let has = claim(json!({"volumeName": "pv1"}));
    assert_eq!(paths(&claim(json!({"volumeName": null})), &has), ["spec.volumeName"]);
    assert_eq!(paths(&claim(json!({"volumeName": "<unset>"})), &has), ["spec.volumeName"]);
    assert_equal(&claim(json!({"volumeName": "<any>", "selector": null})), &has);
    assert_eq!(paths(&claim(json!({"selector": "<any>"})), &has), ["spec.selector"]);
    assert_equal(&claim(json!({"selector": {"matchLabels": null}})), &has);
}

#[test]
fn what_go_would_not_write_is_absent() {
    let mount = |mount: Value| pod(json!({"containers": [{"name": "a", "volumeMounts": [mount]}]}));
    assert_equal(&mount(json!({"mountPath": "/d", "readOnly": false})), &mount(json!({"mountPath": "/d"})));
    assert_equal(
        &mount(json!({"mountPath": "/d", "readOnly": null})),
        &mount(json!({"mountPath": "/d", "readOnly": false})),
    );
}

#[test]
fn a_pointer_tells_empty_from_absent() {
    // "" asks for no class, absent asks for the default one
    let empty = claim(json!({"storageClassName": ""}));
    assert_eq!(paths(&empty, &claim(json!({}))), ["spec.storageClassName"]);
    let token = |value: bool| pod(json!({"automountServiceAccountToken": value}));
    assert_eq!(paths(&token(false), &pod(json!({}))), ["spec.automountServiceAccountToken"]);
    let volume = pod(json!({"volumes": [{"name": "v", "emptyDir": {}}]}));
    assert_equal(&volume, &pod(json!({"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]})));
    assert_eq!(paths(&volume, &pod(json!({"volumes": [{"name": "v"}]}))), ["spec.volumes[v].emptyDir"]);
}

#[test]
fn false_is_the_same_as_none_where_kubernetes_takes_it_so() {
    let container = |container: Value| pod(json!({"containers": [container]}));
    let optional = |reference: Value| container(json!({"name": "a", "envFrom": [{"configMapRef": reference}]}));
    let (no, unset) = (optional(json!({"name": "m", "optional": false})), optional(json!({"name": "m"})));
    assert_equal(&no, &unset);
    assert_equal(&optional(json!({"name": "m", "optional": null})), &no);
    assert_equal(&optional(json!({"name": "m", "optional": "<any>"})), &no);
    let yes = optional(json!({"name": "m", "optional": true}));
    assert!(!compare(&no, &yes).is_equal() && !compare(&yes, &no).is_equal() && !compare(&yes, &unset).is_equal());
    assert_equal(&pod(json!({"shareProcessNamespace": false})), &pod(json!({})));

    // unset is true, or what the pod or the ServiceAccount says
    for field in ["automountServiceAccountToken", "enableServiceLinks", "hostUsers"] {
        assert_eq!(paths(&pod(json!({field: false})), &pod(json!({}))), [format!("spec.{field}")]);
        assert_eq!(paths(&pod(json!({field: null})), &pod(json!({field: false}))), [format!("spec.{field}")]);
    }
    let security = |context: Value| container(json!({"name": "a", "securityContext": context}));
    let unset = security(json!({"privileged": true}));
    for field in ["allowPrivilegeEscalation", "runAsNonRoot"] {
        assert_eq!(paths(&security(json!({field: false})), &unset).len(), 1, "{field}");
    }
    assert_equal(&security(json!({"readOnlyRootFilesystem": false})), &unset);
    let of_the_pod = |context: Value| pod(json!({"securityContext": context}));
    assert_equal(&of_the_pod(json!({"runAsNonRoot": false})), &of_the_pod(json!({"runAsUser": 1})));
}

#[test]
fn label_keys_with_dots_are_bracketed() {
    let labels =
        |value: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"app.io/name": value}}});
    assert_eq!(paths(&labels("a"), &labels("b")), ["metadata.labels[app.io/name]"]);
}

#[test]
fn the_views_show_only_what_was_asked() {
    let asked = claim(json!({"volumeName": "pv1"}));
    let has = claim(json!({"volumeName": "pv2", "volumeMode": "Filesystem"}));
    let comparison = compare(&asked, &has);
    assert_eq!(comparison.actual.unwrap(), claim(json!({"volumeName": "pv2"})));
}

#[test]
fn none_means_unset_or_empty() {
    let asked = claim(json!({"storageClassName": "<none>"}));
    assert_equal(&asked, &claim(json!({})));
    assert_equal(&asked, &claim(json!({"storageClassName": ""})));
    assert_eq!(paths(&asked, &claim(json!({"storageClassName": "fast"}))), ["spec.storageClassName"]);
}

#[test]
fn bounds_are_for_quantities_and_numbers() {
    let asked = |text: &str| claim(json!({"resources": {"requests": {"storage": text}}}));
    let has = claim(json!({"resources": {"requests": {"storage": "6Gi"}}}));
    assert_equal(&asked(">= 5Gi"), &has);
    assert_equal(&asked(">= 6144Mi"), &has);
    assert_eq!(paths(&asked("<= 5Gi"), &has).len(), 1);
}

#[test]
fn a_slash_at_the_end_of_a_path_means_nothing() {
    let volume = |path: &str| pod(json!({"volumes": [{"name": "v", "hostPath": {"path": path}}]}));
    assert_equal(&volume("/data"), &volume("/data/"));
    assert_eq!(paths(&volume("/data"), &volume("/data2")), ["spec.volumes[v].hostPath.path"]);
}
