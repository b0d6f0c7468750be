#![allow(clippy::unwrap_used)]

use super::*;

fn field(api_version: &str, kind_name: &str, path: &str) -> &'static Field {
    let path: Vec<Segment> =
        path.split('.').map(|part| part.parse::<usize>().map_or_else(|_| part.into(), Segment::from)).collect();
    at(kind(api_version, kind_name).unwrap(), &path).and_then(|found| found.field).unwrap()
}

#[test]
fn every_kind_of_the_course_is_known() {
    let kinds = [
        ("v1", "PersistentVolume PersistentVolumeClaim Pod Service ConfigMap Secret Namespace Node ServiceAccount"),
        ("v1", "ResourceQuota LimitRange Event ReplicationController PodTemplate Endpoints"),
        ("apps/v1", "StatefulSet Deployment ReplicaSet DaemonSet ControllerRevision"),
        ("batch/v1", "Job CronJob"),
        ("storage.k8s.io/v1", "StorageClass VolumeAttributesClass"),
        ("rbac.authorization.k8s.io/v1", "Role RoleBinding ClusterRole ClusterRoleBinding"),
        ("networking.k8s.io/v1", "Ingress NetworkPolicy"),
        ("autoscaling/v1", "HorizontalPodAutoscaler"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
        ("scheduling.k8s.io/v1", "PriorityClass"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
    ];
    for (api_version, names) in kinds {
        for name in names.split(' ') {
            let found = kind(api_version, name).unwrap_or_else(|| unreachable!("{api_version} {name}"));
            assert!(found.field("metadata").is_some() && found.field("kind").is_some(), "{name}");
        }
    }
    assert!(kind("v1", "pod").is_none());
    assert!(kind("apps/v1", "Pod").is_none());
}

#[test]
fn every_type_resolves_and_no_field_is_declared_twice() {
    // Raw JSON occurs only where the Go source says so.
    let mut raw = Vec::new();
    for owner in &TABLE.structs {
        assert!(!owner.fields.is_empty() || owner.go_name.ends_with("Source"), "{}", owner.go_name);
        for field in owner.fields() {
            if matches!(field.ty.shape, Shape::Raw) {
                raw.push(format!("{}.{}", owner.go_name, field.json_name));
            }
        }
        assert!(owner.fields.windows(2).all(|pair| pair[0].json_name < pair[1].json_name), "{}", owner.go_name);
    }
    raw.sort();
    assert_eq!(raw, ["ControllerRevision.data", "ManagedFieldsEntry.fieldsV1"]);
}

#[test]
fn go_types_read_as_in_go_errors() {
    let go = |api_version, kind, path| field(api_version, kind, path).ty.go_type();
    assert_eq!(go("v1", "PersistentVolume", "spec.accessModes"), "[]v1.PersistentVolumeAccessMode");
    assert_eq!(go("v1", "PersistentVolume", "spec.capacity"), "v1.ResourceList");
    assert_eq!(go("v1", "PersistentVolume", "spec.hostPath"), "v1.HostPathVolumeSource");
    assert_eq!(go("v1", "ConfigMap", "data"), "map[string]string");
    assert_eq!(go("v1", "Secret", "data"), "map[string][]uint8");
    assert_eq!(go("v1", "Pod", "metadata.uid"), "types.UID");
    assert_eq!(go("v1", "PersistentVolumeClaim", "spec.selector"), "v1.LabelSelector");
    assert_eq!(
        go("v1", "PersistentVolumeClaim", "status.allocatedResourceStatuses"),
        "map[v1.ResourceName]v1.ClaimResourceStatus"
    );
    assert_eq!(go("autoscaling/v2", "HorizontalPodAutoscaler", "spec.metrics"), "[]v2.MetricSpec");
    assert_eq!(go("apps/v1", "Deployment", "spec.replicas"), "int32");
    assert!(field("apps/v1", "Deployment", "spec.replicas").ty.pointer);
}

#[test]
fn embedded_structs_are_promoted_and_remembered() {
    assert_eq!(field("v1", "Pod", "spec.volumes.0.hostPath").embedded_in, ["VolumeSource"]);
    assert_eq!(field("v1", "PersistentVolume", "spec.nfs").embedded_in, ["PersistentVolumeSource"]);
    assert_eq!(field("v1", "Pod", "kind").embedded_in, ["TypeMeta"]);
    let probe = field("v1", "Pod", "spec.containers.0.livenessProbe.httpGet");
    assert_eq!(probe.embedded_in, ["ProbeHandler"]);
    let ephemeral = field("v1", "Pod", "spec.ephemeralContainers.0.image");
    assert_eq!(ephemeral.embedded_in, ["EphemeralContainerCommon"]);
    assert!(field("v1", "Pod", "metadata.name").embedded_in.is_empty());
}

#[test]
fn tags_and_markers_are_kept() {
    let containers = field("v1", "Pod", "spec.containers");
    assert!(containers.patch_strategy.merge && !containers.patch_strategy.retain_keys && !containers.omit_empty);
    assert_eq!(containers.patch_merge_key, Some("name"));
    assert_eq!(containers.list_type, Some(ListType::Map(&["name"])));

    let volumes = field("v1", "Pod", "spec.volumes");
    assert!(volumes.patch_strategy.merge && volumes.patch_strategy.retain_keys);

    let ports = field("v1", "Service", "spec.ports");
    assert_eq!(ports.patch_merge_key, Some("port"));
    assert_eq!(ports.list_type, Some(ListType::Map(&["port", "protocol"])));

    let strategy = field("apps/v1", "Deployment", "spec.strategy");
    assert!(!strategy.patch_strategy.merge && strategy.patch_strategy.retain_keys);

    assert_eq!(field("v1", "Pod", "metadata.finalizers").list_type, Some(ListType::Set));
    assert!(field("v1", "Pod", "metadata.finalizers").patch_strategy.merge);
    assert_eq!(field("v1", "Pod", "spec.containers.0.command").list_type, Some(ListType::Atomic));
    assert!(field("v1", "Pod", "spec.nodeSelector").atomic);
    assert!(structure("meta/v1", "LabelSelector").unwrap().atomic);
    assert!(!structure("core/v1", "PodSpec").unwrap().atomic);
    assert!(field("v1", "Pod", "metadata.creationTimestamp").omit_zero);
    assert!(field("v1", "PersistentVolumeClaim", "spec.volumeName").omit_empty);
    assert!(field("v1", "PersistentVolumeClaim", "spec.storageClassName").ty.pointer);
}

#[test]
fn paths_lead_through_lists_and_maps() {
    let claim = kind("v1", "PersistentVolumeClaim").unwrap();
    let path = ["spec", "resources", "requests", "storage"].map(Segment::from);
    let found = at(claim, &path).unwrap();
    assert!(matches!(found.ty.shape, Shape::Quantity) && found.field.is_none());
    assert!(at(claim, &["spec".into(), 0.into()]).is_none());
    assert!(at(claim, &["spec".into(), "volumeName".into(), "x".into()]).is_none());
    assert!(at(claim, &["spec".into(), "volumename".into()]).is_none());
    assert!(at(claim, &[]).is_none());
}

#[test]
fn parsing_is_quick() {
    let text = include_str!("types.txt");
    let start = std::time::Instant::now();
    let table = parse::table(text);
    // Half a millisecond in a release build; this only guards against something quadratic.
    assert!(start.elapsed().as_millis() < 100, "{:?}", start.elapsed());
    assert!(table.structs.len() > 200);
}
