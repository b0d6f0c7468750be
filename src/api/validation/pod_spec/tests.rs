//! Rules of pod specs, many of them as a real API server was seen to word them.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use serde_json::{Value, json};

use super::*;
use crate::api::defaults::pod_spec::{set_pod_defaults, set_pod_template_defaults};

/// The errors of a pod with this spec, after defaulting.
fn errors(spec: Value) -> Vec<String> {
    let metadata = ObjectMeta { name: Some("p".to_owned()), ..Default::default() };
    let spec: PodSpec = serde_json::from_value(spec).unwrap();
    let mut pod = k8s_openapi::api::core::v1::Pod { metadata, spec: Some(spec), status: None };
    set_pod_defaults(&mut pod);
    let (path, options) = (Path::root("spec"), PodValidationOptions::for_pod());
    let errors = validate_pod_spec(&pod.spec.unwrap(), Some(&pod.metadata), &path, &options);
    errors.iter().map(ToString::to_string).collect()
}

/// A spec of one valid container with more fields.
fn with(more: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "i"}]});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

/// A spec of one container with more fields.
fn container(more: Value) -> Value {
    let mut container = json!({"name": "c", "image": "i"});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"containers": [container]})
}

#[test]
fn a_pod_needs_containers() {
    assert_eq!(errors(json!({"containers": []})), ["spec.containers: Required value"]);
}

#[test]
fn an_invalid_volume_does_not_exist_for_mounts() {
    let mut spec = container(json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}));
    spec["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": ""}}]);
    let expected = [
        "spec.volumes[0].persistentVolumeClaim.claimName: Required value",
        "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
    ];
    assert_eq!(errors(spec), expected);
}

#[test]
fn a_duplicate_volume_name_leaves_the_first_volume_valid() {
    let mut spec = container(json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}));
    spec["volumes"] = json!([{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]);
    assert_eq!(errors(spec), ["spec.volumes[1].name: Duplicate value: \"v\""]);
}

#[test]
fn a_volume_has_one_source() {
    let spec = with(json!({"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}, "nfs":
        {"server": "", "path": "x"}}]}));
    let why = "Forbidden: may not specify more than 1 volume type";
    assert_eq!(errors(spec), [format!("spec.volumes[0].hostPath: {why}"), format!("spec.volumes[0].nfs: {why}")]);
}

#[test]
fn backsteps_in_a_sub_path_are_reported_without_the_mounts_index() {
    let mut spec = container(json!({"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "../x"}]}));
    spec["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    let expected = "spec.containers[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'";
    assert_eq!(errors(spec), [expected]);
}

#[test]
fn a_variable_has_a_value_or_one_source() {
    let reference = json!({"configMapKeyRef": {"name": "m", "key": "k"}});
    let both = json!({"configMapKeyRef": {"name": "m", "key": "k"}, "secretKeyRef": {"name": "m", "key": "k"}});
    let env = |var: Value| errors(container(json!({"env": [var]})));
    let start = "spec.containers[0].env[0].valueFrom: Invalid value: \"\"";
    let why = "may not be specified when `value` is not empty";
    assert_eq!(env(json!({"name": "A", "value": "x", "valueFrom": reference})), [format!("{start}: {why}")]);
    let why = "may not have more than one field specified at a time";
    assert_eq!(env(json!({"name": "A", "valueFrom": both})), [format!("{start}: {why}")]);
    let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    assert_eq!(env(json!({"name": "A", "valueFrom": {}})), [format!("{start}: {why}")]);
    assert!(env(json!({"name": "1 odd-name", "value": "x"})).is_empty());
}

#[test]
fn a_probe_does_one_thing() {
    let probe = json!({"exec": {"command": ["x"]}, "httpGet": {"port": 80}});
    let expected = "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type";
    assert_eq!(errors(container(json!({"livenessProbe": probe}))), [expected]);
    let expected = "spec.containers[0].readinessProbe: Required value: must specify a handler type";
    assert_eq!(errors(container(json!({"readinessProbe": {}}))), [expected]);
}

#[test]
fn only_sidecars_have_probes_among_init_containers() {
    let probe = json!({"exec": {"command": ["x"]}});
    let init = |policy: Value| {
        let mut init = json!({"name": "i", "image": "i", "livenessProbe": probe});
        init.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        errors(with(json!({"initContainers": [init]})))
    };
    let expected = "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without \
                    restartPolicy=Always";
    assert_eq!(init(json!({})), [expected]);
    assert!(init(json!({"restartPolicy": "Always"})).is_empty());
}

#[test]
fn host_ports_conflict_across_containers() {
    let ports = json!([{"containerPort": 80, "hostPort": 8080}]);
    let spec = json!({"containers": [{"name": "a", "image": "i", "ports": ports},
        {"name": "b", "image": "i", "ports": ports}]});
    assert_eq!(errors(spec), ["spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//8080\""]);
}

#[test]
fn the_nodes_network_takes_container_ports_as_they_are_in_pods_and_unset_in_templates() {
    let spec = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "i",
        "ports": [{"containerPort": 80, "hostPort": 81}]}]});
    let expected = "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when \
                    `hostNetwork` is true";
    assert_eq!(errors(spec), [expected]);
    let spec = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "i",
        "ports": [{"containerPort": 80}]}]});
    let mut template = PodTemplateSpec { metadata: None, spec: serde_json::from_value(spec).unwrap() };
    set_pod_template_defaults(&mut template);
    assert!(validate_pod_template_spec(&template, &Path::root("t"), &PodValidationOptions::default()).is_empty());
}

#[test]
fn tolerations_without_a_key_exist() {
    let spec = with(json!({"tolerations": [{"effect": "NoSchedule", "tolerationSeconds": 5}]}));
    let expected = [
        "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \
         \"match all values and all keys\"",
        "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when \
         `tolerationSeconds` is set",
    ];
    assert_eq!(errors(spec), expected);
}

#[test]
fn spread_constraints_are_told_apart_by_key_and_action() {
    let constraint = json!({"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {}});
    let spec = with(json!({"topologySpreadConstraints": [constraint, constraint]}));
    let expected = [
        "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \
         \"{zone, DoNotSchedule}\"",
        "spec.topologySpreadConstraints[1].maxSkew: Invalid value: 0: must be greater than zero",
    ];
    assert_eq!(errors(spec), expected);
}

#[test]
fn structures_are_printed_as_gos_internal_types() {
    let context = json!({"allowPrivilegeEscalation": false, "privileged": true});
    let found = errors(container(json!({"securityContext": context})));
    let expected = "spec.containers[0].securityContext: Invalid value: {\"Capabilities\":null,\"Privileged\":true,\
        \"SELinuxOptions\":null,\"WindowsOptions\":null,\"RunAsUser\":null,\"RunAsGroup\":null,\"RunAsNonRoot\":null,\
        \"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,\"ProcMount\":null,\"SeccompProfile\":null,\
        \"AppArmorProfile\":null}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
    assert_eq!(found, [expected]);
}

#[test]
fn projected_paths_conflict_and_each_source_is_of_one_type() {
    let items = json!([{"key": "k", "path": "same"}]);
    let spec = with(json!({"volumes": [{"name": "v", "projected": {"sources": [
        {"secret": {"name": "s", "items": items}, "configMap": {"name": "m", "items": items}}]}}]}));
    let expected = [
        "spec.volumes[0].projected: Invalid value: \"m\": conflicting duplicate paths",
        "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source",
    ];
    assert_eq!(errors(spec), expected);
}

#[test]
fn templates_carry_their_path_and_keep_negative_grace_periods() {
    let spec = json!({"terminationGracePeriodSeconds": -1, "containers": [{"name": "C", "image": " i"}]});
    let mut template = PodTemplateSpec { metadata: None, spec: serde_json::from_value(spec).unwrap() };
    set_pod_template_defaults(&mut template);
    let root = Path::root("spec");
    let path = root.child("template");
    let errors = validate_pod_template_spec(&template, &path, &PodValidationOptions::default());
    // blanks around an image are only refused in pods
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].field, "spec.template.spec.containers[0].name");
}

#[test]
fn deletion_costs_are_plain_numbers() {
    let cost = |text: &str| {
        let key = "controller.kubernetes.io/pod-deletion-cost".to_owned();
        deletion_cost(Some(&[(key, text.to_owned())].into()))
    };
    assert_eq!((cost("0"), cost("-7"), cost("12")), (Some(0), Some(-7), Some(12)));
    assert_eq!((cost("+1"), cost("007"), cost(""), cost("9999999999")), (None, None, None, None));
}
