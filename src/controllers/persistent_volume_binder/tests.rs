#![allow(clippy::unwrap_used, clippy::panic)]
//! Rules of binding and reclaiming, each played on a cluster.
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::{Value, json};

use super::*;
use crate::api::object::ObjectKey;
use crate::api::server::DeleteOptions;
use crate::api::strategy::Strategy;
use crate::cluster::Cluster;
use crate::environment::Environment;

/// A cluster and short ways to use it.
struct Lab(Cluster);

fn merged(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { panic!("objects") };
    for (key, value) in more {
        let old = base.remove(&key).unwrap_or_default();
        let new = if old.is_object() && value.is_object() { merged(old, value) } else { value };
        if !new.is_null() {
            base.insert(key, new);
        }
    }
    Value::Object(base)
}

impl Lab {
    fn new() -> Self {
        Self::with_provisioners(&[])
    }

    fn with_provisioners(names: &[&str]) -> Self {
        let provisioners = names.iter().map(|n| (*n).to_owned()).collect();
        Lab(Cluster::new(Environment { provisioners, ..Environment::default() }))
    }

    fn create<T: Strategy>(&mut self, value: Value) {
        self.0.api_mut().create::<T>(serde_json::from_value(value).unwrap()).unwrap();
        self.0.run();
    }

    /// A volume of 1Gi for one writer, without class, on `/tmp/data`; `more` is merged in.
    fn volume(&mut self, name: &str, more: Value) {
        let base = json!({"metadata": {"name": name}, "spec": {"capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/data"}}});
        self.create::<PersistentVolume>(merged(base, more));
    }

    /// A claim of 1Gi for one writer, without class; `more` is merged in.
    fn claim(&mut self, name: &str, more: Value) {
        let base = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"storageClassName": "",
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
        self.create::<PersistentVolumeClaim>(merged(base, more));
    }

    fn class(&mut self, name: &str, more: Value) {
        self.create::<StorageClass>(merged(json!({"metadata": {"name": name}, "provisioner": "example.com/x"}), more));
    }

    fn settle(&mut self) -> &mut Self {
        assert_eq!(self.0.settle(), crate::cluster::Settled::Yes);
        self
    }

    fn delete(&mut self, kind: Kind, name: &str) {
        let namespace = if kind.namespaced() { "default" } else { "" };
        let key = ObjectKey::new(kind, namespace, name);
        self.0.api_mut().delete(&key, &DeleteOptions::default()).unwrap();
        self.settle();
    }

    fn edit_volume(&mut self, name: &str, edit: impl FnOnce(&mut PersistentVolume)) {
        let mut volume = (*self.pv(name)).clone();
        edit(&mut volume);
        self.0.api_mut().update(volume).unwrap();
        self.settle();
    }

    fn pv(&self, name: &str) -> Volume {
        self.0.api().get::<PersistentVolume>("", name).unwrap().clone()
    }

    fn pvc(&self, name: &str) -> Claim {
        self.0.api().get::<PersistentVolumeClaim>("default", name).unwrap().clone()
    }

    /// Phase and volume of a claim.
    fn bound(&self, claim: &str) -> (String, String) {
        let claim = self.pvc(claim);
        (crate::storage::claim_phase(&claim).to_owned(), volume_name(&claim).to_owned())
    }

    fn phase(&self, volume: &str) -> String {
        crate::storage::volume_phase(&self.pv(volume)).to_owned()
    }

    fn says(&self, reason: &str, message: &str) -> bool {
        self.0.api().events().iter().any(|e| e.reason == reason && e.message == message)
    }
}

fn to(volume: &str) -> (String, String) {
    ("Bound".to_owned(), volume.to_owned())
}

fn pending() -> (String, String) {
    ("Pending".to_owned(), String::new())
}

#[test]
fn fewest_modes_win_over_smallest_size() {
    let mut lab = Lab::new();
    lab.volume("wide", json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]}}));
    lab.volume("narrow", json!({"spec": {"capacity": {"storage": "20Gi"}}}));
    lab.claim("data", json!({}));
    assert_eq!(lab.settle().bound("data"), to("narrow"));
}

#[test]
fn duplicate_access_modes_count_once() {
    let mut lab = Lab::new();
    lab.volume("two", json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"]}}));
    lab.volume("thrice", json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadWriteOnce", "ReadWriteOnce"]}}));
    lab.claim("data", json!({}));
    assert_eq!(lab.settle().bound("data"), to("thrice"));
    assert_eq!(lab.pvc("data").status.as_ref().unwrap().access_modes.as_ref().unwrap().len(), 3);
}

#[test]
fn a_narrower_fit_beats_the_volume_reserved_for_the_claim() {
    let mut lab = Lab::new();
    lab.volume(
        "reserved",
        json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "claimRef": {"namespace": "default", "name": "data"}}}),
    );
    lab.volume("narrow", json!({}));
    lab.claim("data", json!({}));
    assert_eq!(lab.settle().bound("data"), to("narrow"));
    assert_eq!(lab.phase("reserved"), "Available");
}

#[test]
fn ties_go_to_the_lowest_name_and_the_oldest_claim() {
    let mut lab = Lab::new();
    lab.claim("zebra", json!({}));
    lab.claim("ant", json!({}));
    lab.settle();
    lab.volume("pv-b", json!({}));
    lab.volume("pv-a", json!({}));
    lab.settle();
    assert_eq!((lab.bound("zebra"), lab.bound("ant")), (to("pv-a"), to("pv-b")));
}

#[test]
fn nothing_but_size_class_labels_and_modes_is_compared() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({"spec": {"persistentVolumeReclaimPolicy": "Recycle", "mountOptions": ["ro"]}}));
    let limits = json!({"spec": {"resources": {"requests": {"storage": "1Gi"}, "limits": {"storage": "5Mi"}}}});
    lab.claim("data", limits);
    assert_eq!(lab.settle().bound("data"), to("pv"));
}

#[test]
fn a_volume_edited_later_still_binds() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({"spec": {"capacity": {"storage": "512Mi"}}}));
    lab.claim("data", json!({}));
    assert_eq!(lab.settle().bound("data"), pending());
    lab.edit_volume("pv", |pv| {
        let size = k8s_openapi::apimachinery::pkg::api::resource::Quantity("2Gi".to_owned());
        pv.spec.as_mut().unwrap().capacity = Some([("storage".to_owned(), size)].into());
    });
    assert_eq!(lab.bound("data"), to("pv"));
}

#[test]
fn a_volume_named_from_both_sides_binds_without_any_check() {
    let mut lab = Lab::new();
    let reference = json!({"namespace": "default", "name": "data"});
    lab.volume("pv", json!({"spec": {"capacity": {"storage": "1Mi"}, "claimRef": reference, "volumeMode": "Block"}}));
    lab.claim("data", json!({"spec": {"volumeName": "pv", "storageClassName": "other"}}));
    assert_eq!(lab.settle().bound("data"), to("pv"));
    let (pv, pvc) = (lab.pv("pv"), lab.pvc("data"));
    assert_eq!(pv.annotation(crate::storage::BOUND_BY_CONTROLLER), None);
    assert_eq!(pvc.annotation(crate::storage::BOUND_BY_CONTROLLER), None);
    assert_eq!(pvc.annotation(crate::storage::BIND_COMPLETED), Some("yes"));
}

#[test]
fn a_claim_that_names_a_volume_is_not_delayed_and_never_gets_a_default_class() {
    let mut lab = Lab::new();
    lab.class("lazy", json!({"volumeBindingMode": "WaitForFirstConsumer"}));
    lab.volume("pv", json!({"spec": {"storageClassName": "lazy"}}));
    lab.claim("data", json!({"spec": {"volumeName": "pv", "storageClassName": "lazy"}}));
    lab.claim("lone", json!({"spec": {"volumeName": "nowhere", "storageClassName": null}}));
    assert_eq!(lab.settle().bound("data"), to("pv"));
    lab.class("std", json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}));
    assert_eq!(lab.settle().bound("lone"), ("Pending".to_owned(), "nowhere".to_owned()));
    assert_eq!(lab.pvc("lone").spec.as_ref().unwrap().storage_class_name, None);
}

#[test]
fn a_reserved_volume_binds_a_claim_whose_class_waits_for_a_consumer() {
    let mut lab = Lab::new();
    lab.class("lazy", json!({"volumeBindingMode": "WaitForFirstConsumer"}));
    lab.volume(
        "pv",
        json!({"spec": {"storageClassName": "lazy", "claimRef": {"namespace": "default", "name": "data"}}}),
    );
    lab.claim("data", json!({"spec": {"storageClassName": "lazy"}}));
    assert_eq!(lab.settle().bound("data"), to("pv"));
}

#[test]
fn a_claim_ref_without_namespace_matches_nobody() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({"spec": {"claimRef": {"name": "data"}}}));
    lab.claim("data", json!({}));
    assert_eq!(lab.settle().bound("data"), pending());
    assert_eq!(lab.phase("pv"), "Available");
}

#[test]
fn a_claim_made_bound_by_hand_is_lost_until_its_volume_comes() {
    let mut lab = Lab::new();
    lab.claim(
        "data",
        json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "pv", "resources": {"requests": {"storage": "9Gi"}}}}),
    );
    assert_eq!(lab.settle().bound("data").0, "Lost");
    assert!(lab.says("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"));
    lab.volume("pv", json!({"spec": {"storageClassName": "other"}}));
    assert_eq!(lab.settle().bound("data"), to("pv"), "neither size nor class counts");
}

#[test]
fn removing_the_uid_of_a_bound_volume_loses_the_claim_and_removing_the_rest_heals_it() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.edit_volume("pv", |pv| pv.spec.as_mut().unwrap().claim_ref.as_mut().unwrap().uid = None);
    assert_eq!((lab.bound("data").0.as_str(), lab.phase("pv").as_str()), ("Lost", "Available"));
    let message = "Two claims are bound to the same volume, this one is bound incorrectly";
    assert!(lab.says("ClaimMisbound", message));
    lab.edit_volume("pv", |pv| pv.spec.as_mut().unwrap().claim_ref = None);
    assert_eq!((lab.bound("data"), lab.phase("pv").as_str()), (to("pv"), "Bound"));
}

#[test]
fn clearing_the_claim_ref_of_a_prebound_volume_binds_it_again_by_the_controller() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({"spec": {"claimRef": {"namespace": "default", "name": "data"}}}));
    lab.claim("data", json!({}));
    lab.settle();
    assert_eq!(lab.pv("pv").annotation(crate::storage::BOUND_BY_CONTROLLER), None);
    lab.edit_volume("pv", |pv| pv.spec.as_mut().unwrap().claim_ref = None);
    assert_eq!(lab.pv("pv").annotation(crate::storage::BOUND_BY_CONTROLLER), Some("yes"));
    assert_eq!(lab.phase("pv"), "Bound");
}

#[test]
fn the_size_in_a_claims_status_does_not_follow_the_volume_but_access_modes_do() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.edit_volume("pv", |pv| {
        let spec = pv.spec.as_mut().unwrap();
        let size = k8s_openapi::apimachinery::pkg::api::resource::Quantity("7Gi".to_owned());
        spec.capacity = Some([("storage".to_owned(), size)].into());
        spec.access_modes = Some(vec!["ReadWriteOnce".to_owned(), "ReadOnlyMany".to_owned()]);
    });
    let status = lab.pvc("data").status.clone().unwrap();
    assert_eq!(status.capacity.unwrap()["storage"].0, "1Gi");
    assert_eq!(status.access_modes.unwrap(), ["ReadWriteOnce", "ReadOnlyMany"]);
}

#[test]
fn the_newest_default_class_wins_and_the_beta_key_counts_but_only_with_true() {
    let default = |key: &str, value: &str| json!({"metadata": {"annotations": {key: value}}});
    let mut lab = Lab::new();
    lab.class("a-old", default("storageclass.kubernetes.io/is-default-class", "true"));
    lab.0.advance(SignedDuration::from_secs(5));
    lab.class("b-new", default("storageclass.beta.kubernetes.io/is-default-class", "true"));
    lab.0.advance(SignedDuration::from_secs(5));
    lab.class("c-newer", default("storageclass.kubernetes.io/is-default-class", "True"));
    lab.claim("data", json!({"spec": {"storageClassName": null}}));
    assert_eq!(lab.pvc("data").spec.as_ref().unwrap().storage_class_name.as_deref(), Some("b-new"));
}

#[test]
fn a_default_class_comes_retroactively_only_if_no_classless_volume_fits() {
    let mut lab = Lab::new();
    lab.claim("unset", json!({"spec": {"storageClassName": null}}));
    lab.claim("empty", json!({}));
    lab.settle();
    lab.class("std", json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}));
    lab.settle();
    let class = |lab: &Lab, name: &str| lab.pvc(name).spec.as_ref().unwrap().storage_class_name.clone();
    assert_eq!(class(&lab, "unset").as_deref(), Some("std"));
    assert_eq!(class(&lab, "empty").as_deref(), Some(""));
    let annotation = lab.pvc("unset").annotation("volume.kubernetes.io/storage-provisioner").map(str::to_owned);
    assert_eq!(annotation.as_deref(), Some("example.com/x"));
}

#[test]
fn the_reclaim_policy_is_looked_at_whenever_the_volume_changes() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.phase("pv"), "Released");
    let policy = |pv: &mut PersistentVolume| {
        pv.spec.as_mut().unwrap().persistent_volume_reclaim_policy = Some("Delete".to_owned());
    };
    lab.edit_volume("pv", policy);
    assert!(lab.0.api().get::<PersistentVolume>("", "pv").is_none());
}

#[test]
fn a_failed_volume_stays_failed_until_its_claim_ref_is_removed() {
    let mut lab = Lab::new();
    let nfs = json!({"server": "nfs.example", "path": "/srv"});
    lab.volume("pv", json!({"spec": {"hostPath": null, "nfs": nfs, "persistentVolumeReclaimPolicy": "Delete"}}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.phase("pv"), "Failed");
    let message = "error getting deleter volume plugin for volume \"pv\": no deletable volume plugin matched";
    assert!(lab.says("VolumeFailedDelete", message));
    assert_eq!(lab.pv("pv").status.as_ref().unwrap().message.as_deref(), Some(message));
    lab.edit_volume("pv", |pv| pv.spec.as_mut().unwrap().persistent_volume_reclaim_policy = Some("Retain".into()));
    assert_eq!(lab.phase("pv"), "Failed");
    lab.edit_volume("pv", |pv| pv.spec.as_mut().unwrap().claim_ref = None);
    assert_eq!(
        (lab.phase("pv").as_str(), lab.pv("pv").status.as_ref().unwrap().message.as_deref()),
        ("Available", None)
    );
}

#[test]
fn volumes_of_external_drivers_stay_released() {
    let mut lab = Lab::new();
    let csi = json!({"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"});
    lab.volume("pv", json!({"spec": {"hostPath": null, "csi": csi, "persistentVolumeReclaimPolicy": "Delete"}}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.phase("pv"), "Released");
}

#[test]
fn only_host_path_and_nfs_can_be_recycled() {
    let mut lab = Lab::new();
    let csi = json!({"driver": "x.example.com", "volumeHandle": "1"});
    lab.volume("pv", json!({"spec": {"hostPath": null, "csi": csi, "persistentVolumeReclaimPolicy": "Recycle"}}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.phase("pv"), "Failed");
    assert!(lab.says("VolumeFailedRecycle", "No recycler plugin found for the volume!"));
}

#[test]
fn a_volume_stays_released_while_its_recycler_pod_runs_and_fails_with_it() {
    let mut lab = Lab(Cluster::new(Environment { exits: Vec::new(), ..Environment::default() }));
    lab.volume("pv", json!({"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    let pod = lab.0.api().get::<Pod>("default", "recycler-for-pv").unwrap();
    assert_eq!(pod.spec.as_ref().unwrap().active_deadline_seconds, Some(60));
    assert_eq!(lab.phase("pv"), "Released");
    lab.0.advance(k8s_openapi::jiff::SignedDuration::from_mins(2));
    assert_eq!(lab.phase("pv"), "Failed");
}

#[test]
fn recycling_makes_a_volume_available_once_its_pod_is_done() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.phase("pv"), "Available");
    assert_eq!(lab.pv("pv").annotation(crate::storage::BOUND_BY_CONTROLLER), None);
    assert!(lab.says("VolumeRecycled", "Volume recycled"));
}

#[test]
fn a_bound_volume_that_is_being_deleted_goes_with_its_claim_even_under_retain() {
    let mut lab = Lab::new();
    lab.volume("pv", json!({}));
    lab.claim("data", json!({}));
    lab.settle();
    lab.delete(Kind::PersistentVolume, "pv");
    assert_eq!(lab.phase("pv"), "Bound");
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert!(lab.0.api().get::<PersistentVolume>("", "pv").is_none());
}

#[test]
fn finalizers_of_provisioned_volumes_follow_the_policy() {
    let mut lab = Lab::with_provisioners(&["kubernetes.io/host-path"]);
    lab.class("fast", json!({"provisioner": "kubernetes.io/host-path"}));
    lab.class("kept", json!({"provisioner": "kubernetes.io/host-path", "reclaimPolicy": "Retain"}));
    lab.claim("a", json!({"spec": {"storageClassName": "fast"}}));
    lab.claim("b", json!({"spec": {"storageClassName": "kept"}}));
    lab.settle();
    let finalizers = |lab: &Lab, claim: &str| lab.pv(&lab.bound(claim).1).metadata.finalizers.clone().unwrap();
    assert_eq!(finalizers(&lab, "a"), ["kubernetes.io/pv-controller", "kubernetes.io/pv-protection"]);
    assert_eq!(finalizers(&lab, "b"), ["kubernetes.io/pv-protection"]);
    let volume = lab.bound("a").1;
    lab.delete(Kind::PersistentVolumeClaim, "a");
    assert!(lab.0.api().get::<PersistentVolume>("", &volume).is_none());
}

#[test]
fn unknown_in_tree_names_fail_and_absent_ones_are_waited_for() {
    let mut lab = Lab::new();
    for (name, provisioner) in [("odd", "kubernetes.io/glusterfs"), ("nfs", "kubernetes.io/nfs")] {
        lab.class(name, json!({"provisioner": provisioner}));
        lab.claim(name, json!({"spec": {"storageClassName": name}}));
    }
    lab.class("host", json!({"provisioner": "kubernetes.io/host-path"}));
    lab.claim("host", json!({"spec": {"storageClassName": "host"}}));
    lab.settle();
    assert!(lab.says("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/glusterfs"));
    assert!(lab.says("ProvisioningFailed", "no provisionable volume plugin matched"));
    let disabled =
        "Failed to create provisioner: provisioning in volume plugin \"kubernetes.io/host-path\" is disabled";
    assert!(lab.says("ProvisioningFailed", disabled));
    assert_eq!(lab.pvc("odd").metadata.annotations, None);
}

#[test]
fn the_host_path_provisioner_refuses_mount_options() {
    let mut lab = Lab::with_provisioners(&["kubernetes.io/host-path"]);
    lab.class("fast", json!({"provisioner": "kubernetes.io/host-path", "mountOptions": ["ro", "soft"]}));
    lab.claim("data", json!({"spec": {"storageClassName": "fast"}}));
    lab.settle();
    let message =
        "Mount options are not supported by the provisioner but StorageClass \"fast\" has mount options [ro soft]";
    assert!(lab.says("ProvisioningFailed", message));
}

#[test]
fn a_selected_node_set_by_hand_provisions_without_a_pod() {
    let mut lab = Lab::with_provisioners(&["kubernetes.io/host-path"]);
    lab.class("lazy", json!({"provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}));
    lab.claim("data", json!({"spec": {"storageClassName": "lazy"}}));
    assert_eq!(lab.settle().bound("data"), pending());
    let mut claim = (*lab.pvc("data")).clone();
    claim.set_annotation("volume.kubernetes.io/selected-node", "node01");
    lab.0.api_mut().update(claim).unwrap();
    assert_eq!(lab.settle().bound("data").0, "Bound");
}

#[test]
fn an_installed_driver_makes_grows_and_deletes_volumes() {
    let mut lab = Lab::with_provisioners(&["ebs.csi.aws.com"]);
    lab.class("gp3", json!({"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": true}));
    lab.claim("data", json!({"spec": {"storageClassName": "gp3"}}));
    let (phase, volume) = lab.settle().bound("data");
    assert_eq!((phase.as_str(), lab.phase(&volume).as_str()), ("Bound", "Bound"));
    let mut claim = (*lab.pvc("data")).clone();
    let requests = claim.spec.as_mut().unwrap().resources.as_mut().unwrap().requests.as_mut().unwrap();
    requests.get_mut("storage").unwrap().0 = "3Gi".to_owned();
    lab.0.api_mut().update(claim).unwrap();
    lab.settle();
    assert_eq!(lab.pvc("data").status.as_ref().unwrap().capacity.as_ref().unwrap()["storage"].0, "3Gi");
    lab.delete(Kind::PersistentVolumeClaim, "data");
    assert!(lab.0.api().get::<PersistentVolume>("", &volume).is_none());
}

#[test]
fn explanations_name_what_is_wrong_with_each_volume() {
    let mut lab = Lab::new();
    lab.volume("small", json!({"spec": {"capacity": {"storage": "1Mi"}}}));
    lab.volume("other-class", json!({"spec": {"storageClassName": "x"}}));
    lab.volume("modes", json!({"spec": {"accessModes": ["ReadOnlyMany"]}}));
    lab.volume("taken", json!({"spec": {"claimRef": {"namespace": "a", "name": "b"}}}));
    lab.claim("data", json!({}));
    lab.settle();
    let explanation = explain(lab.0.api().store(), lab.0.environment(), &lab.pvc("data")).unwrap();
    assert_eq!(explanation.state, ClaimState::NoVolume);
    let texts: Vec<String> = explanation.volumes.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    let expected = [
        "modes: it does not offer ReadWriteOnce (it offers ReadOnlyMany)",
        "other-class: it has class \"x\", the claim asks for no class",
        "small: it has 1Mi, the claim asks for 1Gi",
        "taken: its claimRef reserves it for claim a/b",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn thousands_of_claims_and_volumes_settle_in_time() {
    let mut lab = Lab::new();
    let count = 2000;
    for i in 0..count {
        lab.claim(&format!("claim-{i}"), json!({}));
    }
    for i in 0..count {
        lab.volume(&format!("pv-{i}"), json!({}));
    }
    lab.settle();
    assert!((0..count).all(|i| lab.bound(&format!("claim-{i}")).0 == "Bound"));
}

#[test]
fn the_claims_of_a_set_are_seen_before_their_pods() {
    let mut lab = Lab::with_provisioners(&["kubernetes.io/host-path"]);
    lab.class("lazy", json!({"provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}));
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "storageClassName": "lazy", "resources": {"requests": {"storage": "1Gi"}}}});
    let template =
        json!({"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    lab.create::<StatefulSet>(json!({"metadata": {"name": "db", "namespace": "default"}, "spec": {"replicas": 3,
        "podManagementPolicy": "Parallel", "selector": {"matchLabels": {"app": "db"}}, "template": template,
        "volumeClaimTemplates": [claim]}}));
    lab.settle();
    let events = lab.0.api().events().iter().filter(|e| e.reason.starts_with("WaitFor"));
    let waits: Vec<_> = events.map(|e| (e.involved_object.name.as_str(), e.reason.as_str())).collect();
    assert_eq!(waits, ["data-db-0", "data-db-1", "data-db-2"].map(|name| (name, "WaitForFirstConsumer")));
    assert_eq!(lab.bound("data-db-2").0, "Bound");
}
