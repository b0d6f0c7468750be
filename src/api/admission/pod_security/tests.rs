//! PodSecurity as namespaces and pods meet it.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use serde_json::{Value, json};

use crate::api::ApiServer;
use crate::api::strategy::Strategy;

/// The warnings of an accepted object, or the message it is refused with.
fn create<T: Strategy>(api: &mut ApiServer, object: Value) -> Result<Vec<String>, String> {
    let object: T = serde_json::from_value(object).unwrap();
    api.create(object).map(|accepted| accepted.warnings).map_err(|status| status.message)
}

fn server(labels: Value) -> ApiServer {
    let mut api = ApiServer::default();
    create::<Namespace>(&mut api, json!({"metadata": {"name": "n", "labels": labels}})).unwrap();
    create::<ServiceAccount>(&mut api, json!({"metadata": {"name": "default", "namespace": "n"}})).unwrap();
    api
}

fn pod(name: &str, spec: Value) -> Value {
    let mut full = json!({"containers": [{"name": "c", "image": "i"}]});
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({"metadata": {"name": name, "namespace": "n"}, "spec": full})
}

#[test]
fn the_restricted_level_names_every_missing_setting() {
    let mut api = server(json!({"pod-security.kubernetes.io/enforce": "restricted"}));
    let expected = "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false \
                    (container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities \
                    (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or \
                    container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must \
                    set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";
    assert_eq!(create::<Pod>(&mut api, pod("p", json!({}))).unwrap_err(), expected);
    let good = json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "i", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        }}],
    });
    assert_eq!(create::<Pod>(&mut api, pod("p", good)).unwrap(), Vec::<String>::new());
}

#[test]
fn the_baseline_level_lists_its_checks_by_name() {
    let mut api = server(json!({"pod-security.kubernetes.io/enforce": "baseline"}));
    let spec = json!({
        "hostNetwork": true,
        "volumes": [{"name": "h", "hostPath": {"path": "/"}}],
        "containers": [
            {"name": "a", "image": "i", "ports": [{"containerPort": 9000}, {"containerPort": 80}],
             "securityContext": {"privileged": true, "capabilities": {"add": ["SYS_TIME", "CHOWN", "NET_ADMIN"]}}},
            {"name": "b", "image": "i", "securityContext": {"privileged": true}},
        ],
    });
    let expected = "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities (container \
                    \"a\" must not include \"NET_ADMIN\", \"SYS_TIME\" in securityContext.capabilities.add), host namespaces \
                    (hostNetwork=true), hostPath volumes (volume \"h\"), hostPort (container \"a\" uses hostPorts 80, 9000), \
                    privileged (containers \"a\", \"b\" must not set securityContext.privileged=true)";
    assert_eq!(create::<Pod>(&mut api, pod("p", spec)).unwrap_err(), expected);
    assert_eq!(create::<Pod>(&mut api, pod("p", json!({}))).unwrap(), Vec::<String>::new());
}

#[test]
fn an_older_version_lacks_newer_checks() {
    let labels = json!({
        "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "v1.18",
    });
    let spec = json!({"securityContext": {"runAsNonRoot": true}});
    let error = create::<Pod>(&mut server(labels), pod("p", spec)).unwrap_err();
    let expected = "pods \"p\" is forbidden: violates PodSecurity \"restricted:v1.18\": allowPrivilegeEscalation != false \
                    (container \"c\" must set securityContext.allowPrivilegeEscalation=false)";
    assert_eq!(error, expected);
}

#[test]
fn a_workload_is_warned_about_even_where_only_enforcing_is_asked_for() {
    let mut api = server(json!({"pod-security.kubernetes.io/enforce": "baseline"}));
    let deployment = json!({"metadata": {"name": "d", "namespace": "n"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
            "hostPID": true, "containers": [{"name": "c", "image": "i"}],
        }},
    }});
    let expected = ["would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"];
    assert_eq!(create::<Deployment>(&mut api, deployment).unwrap(), expected);
}

#[test]
fn labels_that_cannot_be_read_are_invalid() {
    let labels = json!({
        "pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/warn-version": "1.30",
    });
    let object = json!({"metadata": {"name": "n", "labels": labels}});
    let expected = "Namespace \"n\" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \
                    \"strict\": must be one of privileged, baseline, restricted, \
                    metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"1.30\": must be \"latest\" \
                    or \"v1.x\"]";
    assert_eq!(create::<Namespace>(&mut ApiServer::default(), object).unwrap_err(), expected);
}

#[test]
fn a_stricter_label_is_tried_on_the_pods_that_are_there() {
    let mut api = server(json!({}));
    for name in ["b", "a"] {
        create::<Pod>(&mut api, pod(name, json!({"hostIPC": true}))).unwrap();
    }
    create::<Pod>(&mut api, pod("c", json!({}))).unwrap();
    let mut namespace = Namespace::clone(api.get::<Namespace>("", "n").unwrap());
    let labels = namespace.metadata.labels.get_or_insert_default();
    labels.insert("pod-security.kubernetes.io/enforce".to_owned(), "baseline".to_owned());
    let expected = [
        "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"baseline:latest\"",
        "a (and 1 other pod): host namespaces",
    ];
    assert_eq!(api.update(namespace).unwrap().warnings, expected);
}
