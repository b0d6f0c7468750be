#![allow(clippy::unwrap_used)]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::rbac::v1::Role;
use serde_json::json;

use super::*;

const APPS: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];

fn root(kind: &str) -> &'static StructType {
    let api_version = match kind {
        "StorageClass" => "storage.k8s.io/v1",
        "CronJob" => "batch/v1",
        "Role" => "rbac.authorization.k8s.io/v1",
        kind if APPS.contains(&kind) => "apps/v1",
        _ => "v1",
    };
    schema::kind(api_version, kind).unwrap()
}

fn refusal(kind: &str, value: Value) -> String {
    check(&value, root(kind)).unwrap_err().to_string()
}

fn accepted(kind: &str, value: Value) {
    assert_eq!(check(&value, root(kind)), Ok(()), "{value}");
}

#[test]
fn recorded_refusals_are_reproduced() {
    let container = |extra: Value| {
        let mut container = json!({"name": "c", "image": "nginx"});
        container.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"spec": {"containers": [container]}})
    };
    let cases = [
        (
            "ConfigMap",
            json!({"data": "x"}),
            "json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string",
        ),
        (
            "ConfigMap",
            json!({"data": {"a": {"b": "c"}}}),
            "json: cannot unmarshal object into Go struct field ConfigMap.data of type string",
        ),
        (
            "CronJob",
            json!({"spec": {"jobTemplate": {"template": {"spec": {}}}}}),
            r#"strict decoding error: unknown field "spec.jobTemplate.template""#,
        ),
        (
            "Deployment",
            json!({"spec": {"serviceName": "x", "podManagementPolicy": "Parallel"}}),
            r#"strict decoding error: unknown field "spec.podManagementPolicy", unknown field "spec.serviceName""#,
        ),
        (
            "Deployment",
            json!({"spec": {"replica": 1, "strategyType": "x", "template": {
                "metadata": {"label": {}},
                "spec": {"containers": [{"name": "c", "port": [], "imagePullpolicy": "x"}]},
            }}}),
            "strict decoding error: unknown field \"spec.replica\", unknown field \"spec.strategyType\", \
             unknown field \"spec.template.metadata.label\", unknown field \
             \"spec.template.spec.containers[0].imagePullpolicy\", unknown field \
             \"spec.template.spec.containers[0].port\"",
        ),
        (
            "PersistentVolumeClaim",
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
            r#"strict decoding error: unknown field "accessModes", unknown field "resources""#,
        ),
        (
            "Pod",
            json!({"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}}}),
            "json: cannot unmarshal array into Go struct field \
             NodeAffinity.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution of type \
             v1.NodeSelector",
        ),
        (
            "Pod",
            container(json!({"securityContext": {"fsGroup": 1}})),
            r#"strict decoding error: unknown field "spec.containers[0].securityContext.fsGroup""#,
        ),
        (
            "Pod",
            json!({"spec": {"volumes": [{"secret": {"name": "s"}}, {"configMap": {"configMapName": "c"}}]}}),
            "strict decoding error: unknown field \"spec.volumes[0].secret.name\", unknown field \
             \"spec.volumes[1].configMap.configMapName\"",
        ),
        ("Pod", json!({"metadata": {"label": {}}}), r#"strict decoding error: unknown field "metadata.label""#),
        (
            "PersistentVolume",
            json!({"spec": {"accessModes": "ReadWriteOnce"}}),
            "json: cannot unmarshal string into Go struct field PersistentVolumeSpec.spec.accessModes of type \
             []v1.PersistentVolumeAccessMode",
        ),
        (
            "PersistentVolumeClaim",
            json!({"spec": {"resources": {"requests": {"storage": "1gi"}}}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            "StorageClass",
            json!({"parameters": {"a": 1}}),
            "json: cannot unmarshal number into Go struct field StorageClass.parameters of type string",
        ),
        (
            "StorageClass",
            json!({"volumeBindingmode": "x", "allowVolumeExpand": true, "provisioner": "p"}),
            r#"strict decoding error: unknown field "allowVolumeExpand", unknown field "volumeBindingmode""#,
        ),
        (
            "StatefulSet",
            json!({"spec": {"volumeClaimTemplates": [{"accessModes": [], "resources": {}, "metadata": {}}]}}),
            "strict decoding error: unknown field \"spec.volumeClaimTemplates[0].accessModes\", unknown field \
             \"spec.volumeClaimTemplates[0].resources\"",
        ),
        (
            "Service",
            json!({"spec": {"ports": [{"port": "http"}]}}),
            "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
        ),
        (
            "Service",
            json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}}),
            "json: cannot unmarshal object into Go struct field ServiceSpec.spec.selector of type string",
        ),
    ];
    for (kind, value, expected) in cases {
        assert_eq!(refusal(kind, value), expected);
    }
}

#[test]
fn the_bad_request_names_kind_and_version_without_group() {
    let error = check(&json!({"spec": {"serviceName": "x"}}), root("Deployment")).unwrap_err();
    assert_eq!(
        error.bad_request("apps/v1", "Deployment"),
        "Deployment in version \"v1\" cannot be handled as a Deployment: \
         strict decoding error: unknown field \"spec.serviceName\""
    );
}

#[test]
fn embedded_structs_are_part_of_gos_path() {
    assert_eq!(
        refusal("Pod", json!({"spec": {"volumes": [{"name": "v", "hostPath": "/data"}]}})),
        "json: cannot unmarshal string into Go struct field Volume.spec.volumes.VolumeSource.hostPath \
         of type v1.HostPathVolumeSource"
    );
    assert_eq!(
        refusal("PersistentVolume", json!({"spec": {"nfs": []}})),
        "json: cannot unmarshal array into Go struct field PersistentVolumeSpec.spec.PersistentVolumeSource.nfs \
         of type v1.NFSVolumeSource"
    );
    assert_eq!(
        refusal("PersistentVolume", json!({"spec": {"hostPath": {"path": 5}}})),
        "json: cannot unmarshal number into Go struct field \
         HostPathVolumeSource.spec.PersistentVolumeSource.hostPath.path of type string"
    );
}

#[test]
fn numbers_that_do_not_fit_are_quoted_as_kubectl_sends_them() {
    let replicas = |value: Value| refusal("Deployment", json!({"spec": {"replicas": value}}));
    let expected = |number: &str| {
        format!("json: cannot unmarshal {number} into Go struct field DeploymentSpec.spec.replicas of type int32")
    };
    assert_eq!(replicas(json!(3_000_000_000u64)), expected("number 3000000000"));
    assert_eq!(replicas(json!(1.5)), expected("number 1.5"));
    assert_eq!(replicas(json!(u64::MAX)), expected("number 18446744073709552000"));
    assert_eq!(replicas(json!("3")), expected("string"));
    assert_eq!(replicas(json!(true)), expected("bool"));
    accepted("Deployment", json!({"spec": {"replicas": 2.0}}));
    accepted("Deployment", json!({"spec": {"replicas": null}}));
}

#[test]
fn int_or_string_takes_both_and_complains_as_its_own_type() {
    let port = |value: Value| json!({"spec": {"ports": [{"port": 80, "targetPort": value}]}});
    for value in [json!(80), json!("http"), json!(""), json!(80.0), Value::Null] {
        accepted("Service", port(value));
    }
    let field = "Go struct field ServicePort.spec.ports.targetPort of type int32";
    assert_eq!(refusal("Service", port(json!(true))), format!("json: cannot unmarshal bool into {field}"));
    assert_eq!(refusal("Service", port(json!(1.5))), format!("json: cannot unmarshal number 1.5 into {field}"));
    assert_eq!(refusal("Service", port(json!({}))), format!("json: cannot unmarshal object into {field}"));
}

#[test]
fn quantities_complain_without_a_field_but_keep_their_path() {
    let claim = |value: Value| json!({"spec": {"resources": {"requests": {"storage": value}}}});
    for value in [json!("1Gi "), json!(5), json!(1.5), json!("10e2"), Value::Null] {
        accepted("PersistentVolumeClaim", claim(value));
    }
    assert_eq!(refusal("PersistentVolumeClaim", claim(json!("5K"))), "unable to parse quantity's suffix");
    for value in [json!(true), json!({"a": 1}), json!(["1Gi"]), json!(""), json!("1Gi\n")] {
        let error = check(&claim(value), root("PersistentVolumeClaim")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        );
        assert_eq!(path_text(error.path()), "spec.resources.requests.storage");
    }
}

#[test]
fn secrets_hold_base64() {
    accepted("Secret", json!({"data": {"a": "aGVsbG8=", "b": "", "c": "aGVs\nbG8=\n", "d": [1, 255]}}));
    assert_eq!(refusal("Secret", json!({"data": {"a": "p@ss"}})), "illegal base64 data at input byte 1");
    assert_eq!(
        refusal("Secret", json!({"data": {"a": 1}})),
        "json: cannot unmarshal number into Go struct field Secret.data of type []uint8"
    );
    assert_eq!(
        refusal("Secret", json!({"data": {"a": [256]}})),
        "json: cannot unmarshal number 256 into Go struct field Secret.data of type uint8"
    );
}

#[test]
fn only_the_first_type_error_counts_and_it_hides_unknown_fields() {
    let value = json!({"spec": {"accessMode": [], "accessModes": "x", "volumeName": 5}});
    assert_eq!(
        refusal("PersistentVolumeClaim", value),
        "json: cannot unmarshal string into Go struct field PersistentVolumeClaimSpec.spec.accessModes \
         of type []v1.PersistentVolumeAccessMode"
    );
}

#[test]
fn a_type_with_its_own_reader_stops_the_decoder_and_goes_first() {
    let value = json!({"spec": {"accessModes": "x", "resources": {"requests": {"storage": "5K"}}}});
    assert_eq!(refusal("PersistentVolumeClaim", value), "unable to parse quantity's suffix");
}

#[test]
fn names_match_case_and_all_and_nothing_unknown_is_entered() {
    assert_eq!(
        refusal("Pod", json!({"Spec": {"x": 1}, "spec": {"nodename": "n"}})),
        r#"strict decoding error: unknown field "Spec", unknown field "spec.nodename""#
    );
}

#[test]
fn a_hundred_unknown_fields_are_listed_at_most() {
    let many: serde_json::Map<_, _> = (0..200).map(|i| (format!("x{i:03}"), json!(1))).collect();
    let DecodeError::Strict(fields) = check(&Value::Object(many), root("ConfigMap")).unwrap_err() else {
        unreachable!("a strict error")
    };
    assert_eq!(fields.len(), 100);
    assert_eq!(path_text(&fields[99].path), "x099");
}

#[test]
fn errors_lead_to_the_place() {
    let value = json!({"spec": {"containers": [{"name": "a"}, {"name": "b", "ports": [{"containerPort": "http"}]}]}});
    let error = check(&value, root("Pod")).unwrap_err();
    assert_eq!(path_text(error.path()), "spec.containers[1].ports[0].containerPort");
    assert_eq!(
        error.to_string(),
        "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort \
         of type int32"
    );
    let error = check(&json!({"spec": {"containers": ["a"]}}), root("Pod")).unwrap_err();
    assert_eq!(path_text(error.path()), "spec.containers[0]");
    assert_eq!(
        error.to_string(),
        "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container"
    );
}

#[test]
fn a_root_that_is_no_object_is_a_go_value() {
    assert_eq!(refusal("Pod", json!([])), "json: cannot unmarshal array into Go value of type v1.Pod");
}

#[test]
fn kubectl_decodes_metadata_itself() {
    let text = |value: Value| check_metadata(&value).unwrap_err().to_string();
    assert_eq!(
        text(json!({"metadata": {"name": 123}})),
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string"
    );
    assert_eq!(
        text(json!({"metadata": {"creationTimestamp": "yesterday"}})),
        r#"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#
    );
    assert_eq!(
        text(json!({"metadata": {"creationTimestamp": 5}})),
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"
    );
    assert_eq!(
        text(json!({"metadata": {"labels": {"a": true}}})),
        "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"
    );
    assert_eq!(
        text(json!({"metadata": "x"})),
        "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"
    );
    let value = json!({"kind": "Pod", "metadata": {"label": 1, "labels": {"a": null}}, "spec": 7});
    assert_eq!(check_metadata(&value), Ok(()));
}

#[test]
fn normalising_drops_what_go_drops_and_adds_what_go_adds() {
    let value = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "", "labels": {}, "creationTimestamp": null},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": "", "selector": {"matchLabels": {}},
            "resources": {"requests": {"storage": "2048Mi"}, "limits": {}}, "volumeMode": null, "nonsense": 1,
        },
    });
    assert_eq!(
        normalise(value, root("PersistentVolumeClaim")),
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "", "selector": {},
                "resources": {"requests": {"storage": "2Gi"}},
            },
            "status": {},
        })
    );
}

#[test]
fn normalising_writes_values_in_canonical_form() {
    let pod = json!({"spec": {"containers": [{
        "name": "c", "ports": [{"containerPort": 80.0, "hostPort": 0}], "tty": false,
        "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x": null}},
        "securityContext": {"privileged": false},
    }], "volumes": [{"emptyDir": {}}], "terminationGracePeriodSeconds": 0},
        "status": {"conditions": [{"lastTransitionTime": "2024-01-01T01:00:00.5+01:00"}]}});
    assert_eq!(
        normalise(pod, root("Pod")),
        json!({"metadata": {}, "spec": {"containers": [{
            "name": "c", "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi", "x": "0"}},
            "securityContext": {"privileged": false},
        }], "volumes": [{"name": "", "emptyDir": {}}], "terminationGracePeriodSeconds": 0},
            "status": {"conditions": [{
                "type": "", "status": "", "lastProbeTime": null, "lastTransitionTime": "2024-01-01T00:00:00Z",
            }]}})
    );
    let secret = json!({"data": {"a": "aGVs\nbG8=", "b": [104, 105], "c": null}});
    assert_eq!(
        normalise(secret, root("Secret")),
        json!({"metadata": {}, "data": {"a": "aGVsbG8=", "b": "aGk=", "c": ""}})
    );
}

#[test]
fn normalising_twice_changes_nothing_more() {
    let service = json!({"spec": {"ports": [{"port": 80}], "selector": {"a": null}}});
    let once = normalise(service, root("Service"));
    assert_eq!(
        once,
        json!({
            "metadata": {}, "status": {"loadBalancer": {}},
            "spec": {"ports": [{"port": 80}], "selector": {"a": ""}},
        })
    );
    assert_eq!(normalise(once.clone(), root("Service")), once);
    assert_eq!(normalise(json!({"rules": []}), root("Role")), json!({"metadata": {}, "rules": null}));
}

#[test]
fn the_emptiest_objects_decode_into_typed_ones() {
    let empty = json!({});
    assert!(decode::<Pod>(&empty, root("Pod")).unwrap().spec.unwrap().containers.is_empty());
    assert!(decode::<Deployment>(&empty, root("Deployment")).unwrap().spec.unwrap().selector.match_labels.is_none());
    assert!(decode::<Service>(&empty, root("Service")).unwrap().spec.unwrap().ports.is_none());
    assert!(decode::<Role>(&empty, root("Role")).unwrap().rules.is_none());
    assert!(decode::<Event>(&empty, root("Event")).unwrap().event_time.is_none());
    assert!(decode::<Secret>(&empty, root("Secret")).unwrap().data.is_none());
}

#[test]
fn typed_objects_hold_the_canonical_values() {
    let value = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"resources": {"requests": {"storage": "0.5Gi"}}, "volumeName": ""}});
    let claim: PersistentVolumeClaim = decode(&value, root("PersistentVolumeClaim")).unwrap();
    let spec = claim.spec.unwrap();
    assert_eq!(spec.resources.unwrap().requests.unwrap()["storage"].0, "512Mi");
    assert_eq!(spec.volume_name, None);
    assert_eq!(claim.status, Some(Default::default()));
}

#[test]
fn no_value_of_the_wrong_type_gets_past_the_checks_into_serde() {
    // Every field of every struct of these kinds, given each sort of value: what passes must decode.
    let samples = [
        json!(true),
        json!(1),
        json!(-1.5),
        json!(1e30),
        json!("x"),
        json!("2024-01-01T00:00:00Z"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": null}),
        Value::Null,
    ];
    fn fields(ty: &'static StructType, path: &mut Vec<Segment>, out: &mut Vec<Vec<Segment>>) {
        for field in ty.fields() {
            let depth = path.len();
            path.push(Segment::from(field.json_name));
            out.push(path.clone());
            let mut inner = &field.ty;
            while let schema::Shape::List(element) | schema::Shape::Map(element) = &inner.shape {
                let map = matches!(inner.shape, schema::Shape::Map(_));
                path.push(if map { Segment::from("k") } else { Segment::from(0) });
                inner = element;
            }
            if let schema::Shape::Struct(inner) = &inner.shape {
                fields(inner.get(), path, out);
            }
            path.truncate(depth);
        }
    }
    fn at(path: &[Segment], value: &Value) -> Value {
        path.iter().rev().fold(value.clone(), |inner, segment| match segment {
            Segment::Key(key) => json!({ key: inner }),
            Segment::Index(_) => json!([inner]),
        })
    }
    let mut paths = Vec::new();
    fields(root("PersistentVolumeClaim"), &mut Vec::new(), &mut paths);
    assert!(paths.len() > 60);
    for path in &paths {
        // k8s-openapi insists on its own values there, and so do we before decoding.
        if matches!(path.as_slice(), [Segment::Key(key)] if key == "kind" || key == "apiVersion") {
            continue;
        }
        for sample in &samples {
            let value = at(path, sample);
            if check(&value, root("PersistentVolumeClaim")).is_ok() {
                let typed = decode::<PersistentVolumeClaim>(&value, root("PersistentVolumeClaim"));
                assert!(typed.is_ok(), "{value}: {typed:?}");
            }
        }
    }
    let mut paths = Vec::new();
    fields(root("Pod"), &mut Vec::new(), &mut paths);
    assert!(paths.len() > 1000);
    for path in paths.iter().filter(|path| path.len() > 1) {
        for sample in &samples {
            let value = at(path, sample);
            if check(&value, root("Pod")).is_ok() {
                let typed = decode::<Pod>(&value, root("Pod"));
                assert!(typed.is_ok(), "{value}: {typed:?}");
            }
        }
    }
}

#[test]
fn an_empty_selector_of_a_workload_is_told_from_a_missing_one() {
    use k8s_openapi::api::apps::v1::ReplicaSet;
    let root = schema::kind("apps/v1", "ReplicaSet").unwrap();
    let labels = |spec: Value| {
        let value = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": spec});
        decode::<ReplicaSet>(&value, root).unwrap().spec.unwrap_or_default().selector.match_labels
    };
    for empty in [json!({}), json!({"matchLabels": {}}), json!({"matchExpressions": []})] {
        assert_eq!(labels(json!({ "selector": empty })), Some(Default::default()));
    }
    assert_eq!(labels(json!({})), None);
    assert_eq!(labels(json!({"selector": null})), None);
}
