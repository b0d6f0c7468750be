#![allow(clippy::unwrap_used)]
//! Rules about volumes that no recording shows.
use serde_json::{Value, json};

use super::*;
use crate::api::ApiServer;

fn volume(spec: Value) -> PersistentVolume {
    let mut all = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({"metadata": {"name": "pv"}, "spec": all})).unwrap()
}

/// What the API server says to a new volume, one line for each cause.
fn refused(spec: Value) -> Vec<String> {
    let Err(status) = ApiServer::default().create(volume(spec)) else { return Vec::new() };
    status.causes.iter().map(ToString::to_string).collect()
}

/// What the API server says to a change.
fn change_refused(old: Value, new: Value) -> Vec<String> {
    let mut api = ApiServer::default();
    api.create(volume(old)).unwrap();
    let Err(status) = api.update(volume(new)) else { return Vec::new() };
    status.causes.iter().map(ToString::to_string).collect()
}

fn host_path(path: &str) -> Value {
    json!({"hostPath": {"path": path}})
}

#[test]
fn defaults_are_filled_in() {
    let mut api = ApiServer::default();
    let spec = json!({"hostPath": {"path": "/x"}, "storageClassName": "", "capacity": {"storage": "2048Mi"}});
    let stored = api.create(volume(spec)).unwrap().object;
    let spec = stored.spec.clone().unwrap();
    assert_eq!(spec.capacity.unwrap()["storage"].0, "2Gi");
    assert_eq!(spec.persistent_volume_reclaim_policy.as_deref(), Some("Retain"));
    assert_eq!(spec.volume_mode.as_deref(), Some("Filesystem"));
    assert_eq!(spec.storage_class_name, None);
    assert_eq!(spec.host_path.unwrap().type_.as_deref(), Some(""));
    assert_eq!(stored.metadata.finalizers.clone().unwrap(), ["kubernetes.io/pv-protection"]);
    assert_eq!(stored.status.clone().unwrap().phase.as_deref(), Some("Pending"));
}

#[test]
fn a_volume_has_exactly_one_source_and_their_order_is_fixed() {
    assert_eq!(refused(json!({})), ["spec: Required value: must specify a volume type"]);
    let both = json!({"nfs": {"server": "", "path": "x"}, "hostPath": {"path": "/x"}});
    assert_eq!(refused(both), ["spec.nfs: Forbidden: may not specify more than 1 volume type"]);
}

#[test]
fn local_volumes_need_node_affinity() {
    let causes = refused(json!({"local": {"path": "/mnt/../x"}}));
    let expected = [
        "spec.local.path: Invalid value: \"/mnt/../x\": must not contain '..'",
        "spec.nodeAffinity: Required value: Local volume requires node affinity",
    ];
    assert_eq!(causes, expected);
}

#[test]
fn sources_are_validated_in_kubernetes_words() {
    let disk = json!({"gcePersistentDisk": {"pdName": "", "partition": 300}});
    let expected = [
        "spec.persistentDisk.pdName: Required value",
        "spec.persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive",
    ];
    assert_eq!(refused(disk), expected);
    let kind = json!({"hostPath": {"path": "/x", "type": "Folder"}});
    let types =
        r#""", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket""#;
    assert_eq!(
        refused(kind),
        [format!("spec.hostPath.type: Unsupported value: \"Folder\": supported values: {types}")]
    );
    let iqn = |iqn: &str| refused(json!({"iscsi": {"targetPortal": "10.0.0.1", "iqn": iqn, "lun": 0}}));
    assert!(iqn("iqn.2001-04.com.example:storage.disk1").is_empty() && iqn("eui.0123456789abcdef").is_empty());
    assert_eq!(iqn("iqn.2001-4.com:x"), ["spec.iscsi.iqn: Invalid value: \"iqn.2001-4.com:x\": must be valid format"]);
    let csi = refused(json!({"csi": {"driver": "Driver_x", "volumeHandle": ""}}));
    assert_eq!(csi.len(), 2, "{csi:?}");
    assert_eq!(csi.last().unwrap(), "spec.csi.volumeHandle: Required value");
}

#[test]
fn a_root_directory_is_not_recycled() {
    let spec = |path: &str| json!({"hostPath": {"path": path}, "persistentVolumeReclaimPolicy": "Recycle"});
    let why = "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'";
    assert_eq!(refused(spec("//./")), [why]);
    assert!(refused(spec("/x")).is_empty());
}

#[test]
fn read_write_once_pod_stands_alone() {
    let spec = json!({"hostPath": {"path": "/x"}, "accessModes": ["ReadWriteOncePod", "ReadWriteMany"]});
    assert_eq!(refused(spec), ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"]);
}

#[test]
fn the_source_is_immutable_and_the_difference_is_shown() {
    let causes = change_refused(host_path("/a"), host_path("/b"));
    let expected = r#"spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation
@@ -2,7 +2,7 @@
  "GCEPersistentDisk": null,
  "AWSElasticBlockStore": null,
  "HostPath": {
-  "Path": "/a",
+  "Path": "/b",
   "Type": ""
  },
  "Glusterfs": null,
"#;
    assert_eq!(causes, [expected]);
}

#[test]
fn most_of_a_volume_may_change() {
    let new = json!({"hostPath": {"path": "/a"}, "capacity": {"storage": "5Gi"}, "accessModes": ["ReadOnlyMany"],
        "storageClassName": "x", "persistentVolumeReclaimPolicy": "Delete", "mountOptions": ["ro"],
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}});
    assert!(change_refused(host_path("/a"), new).is_empty());
    let mut block = host_path("/a");
    block["volumeMode"] = json!("Block");
    assert_eq!(change_refused(host_path("/a"), block), ["volumeMode: Invalid value: \"Block\": field is immutable"]);
}

#[test]
fn beta_node_labels_may_become_general_ones() {
    let affinity = |key: &str| {
        let term = json!({"matchExpressions": [{"key": key, "operator": "In", "values": ["a"]}]});
        json!({"hostPath": {"path": "/a"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}})
    };
    let beta = "failure-domain.beta.kubernetes.io/zone";
    assert!(change_refused(affinity(beta), affinity("topology.kubernetes.io/zone")).is_empty());
    assert_eq!(change_refused(affinity("topology.kubernetes.io/zone"), affinity(beta)).len(), 1);
}
