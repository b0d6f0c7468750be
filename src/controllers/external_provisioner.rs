//! The sidecars of storage drivers that are installed in the cluster: they make, grow and delete volumes
//! (`sig-storage-lib-external-provisioner`, `external-resizer`). Not a part of kube-controller-manager.
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    CSIPersistentVolumeSource, HostPathVolumeSource, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, VolumeNodeAffinity,
};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use crate::api::event::EventType;
use crate::api::object::ObjectKey;
use crate::api::server::DeleteOptions;
use crate::api::{ApiObject, Change, Kind, Store};
use crate::environment::Environment;
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{
    self, BETA_STORAGE_PROVISIONER, EXTERNAL_PROVISIONER_FINALIZER, HOST_PATH_PROVISIONER, MIGRATED_TO, PROVISIONED_BY,
    SELECTED_NODE, STORAGE, STORAGE_PROVISIONER, claim_phase, claim_request, claim_spec, volume_capacity, volume_name,
    volume_phase, volume_spec,
};

const PROVISIONER: &str = "external-provisioner";
const RESIZER: &str = "external-resizer";
/// The one provisioner that is not a CSI driver but common in practice: directories on the node.
const LOCAL_PATH: &str = "rancher.io/local-path";

type ClaimKey = (String, String);

/// All external provisioners and resizers of the cluster.
#[derive(Clone, Default)]
pub struct ExternalProvisioner {
    claims: WorkQueue<ClaimKey>,
    volumes: WorkQueue<String>,
}

impl Reconciler for ExternalProvisioner {
    fn name(&self) -> &'static str {
        PROVISIONER
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(claim))) = change.of::<PersistentVolumeClaim>() {
            let grows = claim_phase(claim) == "Bound";
            if grows || (volume_name(claim).is_empty() && provisioner_of(claim).is_some()) {
                self.claims.add((claim.namespace().to_owned(), claim.name().to_owned()));
            }
        } else if let Some((_, Some(volume))) = change.of::<PersistentVolume>()
            && volume_phase(volume) == "Released"
            && volume.annotation(PROVISIONED_BY).is_some()
        {
            self.volumes.add(volume.name().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        if let Some(name) = self.volumes.pop(now) {
            delete_volume(context, &name);
        } else if let Some((namespace, name)) = self.claims.pop(now) {
            let Some(claim) = context.api.get::<PersistentVolumeClaim>(&namespace, &name).cloned() else { return true };
            if volume_name(&claim).is_empty() {
                provision(context, &claim);
            } else {
                expand(context, &claim);
            }
        } else {
            return false;
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }
}

/// Whether a driver works in this cluster. The in-tree plugin is none of ours.
fn is_installed(environment: &Environment, driver: &str) -> bool {
    driver != HOST_PATH_PROVISIONER && storage::is_driver_installed(environment, driver)
}

fn provisioner_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.annotation(STORAGE_PROVISIONER).or(claim.annotation(BETA_STORAGE_PROVISIONER))
}

/// Makes a volume for a claim that is for an installed driver, once a node is chosen if the class waits for one.
fn provision(context: &mut Context<'_>, claim: &Arc<PersistentVolumeClaim>) {
    let Some(driver) = provisioner_of(claim).filter(|d| is_installed(context.environment, d)) else { return };
    let name = format!("pvc-{}", claim.uid());
    let Some(class) = context.api.get::<StorageClass>("", storage::claim_class(claim)).cloned() else { return };
    let node = claim.annotation(SELECTED_NODE);
    let waits = class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer") && node.is_none();
    if waits || context.api.get::<PersistentVolume>("", &name).is_some() {
        return;
    }
    let key = format!("{}/{}", claim.namespace(), claim.name());
    let message = format!("External provisioner is provisioning volume for claim \"{key}\"");
    context.api.event(PROVISIONER, claim, EventType::Normal, "Provisioning", message);
    let result = new_volume(context.api.store(), claim, &class, driver, &name)
        .and_then(|volume| context.api.create(volume).map_err(|why| why.to_string()));
    match result {
        Ok(_) => {
            let message = format!("Successfully provisioned volume {name}");
            context.api.event(PROVISIONER, claim, EventType::Normal, "ProvisioningSucceeded", message);
        }
        Err(why) => {
            let message = format!("failed to provision volume with StorageClass \"{}\": {why}", class.name());
            context.api.event(PROVISIONER, claim, EventType::Warning, "ProvisioningFailed", message);
        }
    }
}

/// The volume a driver makes.
fn new_volume(
    store: &Store,
    claim: &Arc<PersistentVolumeClaim>,
    class: &StorageClass,
    driver: &str,
    name: &str,
) -> Result<PersistentVolume, String> {
    let spec = claim_spec(claim);
    let mut annotations = BTreeMap::from([(PROVISIONED_BY.to_owned(), driver.to_owned())]);
    let mut volume = PersistentVolumeSpec {
        access_modes: spec.access_modes.clone(),
        capacity: Some([(STORAGE.to_owned(), ApiQuantity::from(claim_request(claim)))].into()),
        claim_ref: Some(storage::reference_to(claim)),
        mount_options: class.mount_options.clone(),
        persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
        storage_class_name: Some(storage::claim_class(claim).to_owned()),
        volume_attributes_class_name: spec.volume_attributes_class_name.clone().filter(|c| !c.is_empty()),
        volume_mode: spec.volume_mode.clone(),
        ..Default::default()
    };
    let mut finalizers = None;
    if driver == LOCAL_PATH {
        let node = claim.annotation(SELECTED_NODE).ok_or("configuration error, no node was specified")?;
        if storage::claim_volume_mode(claim) == "Block" {
            return Err("block volume is not supported".to_owned());
        }
        let path = format!("/opt/local-path-provisioner/{name}_{}_{}", claim.namespace(), claim.name());
        volume.host_path = Some(HostPathVolumeSource { path, type_: Some("DirectoryOrCreate".to_owned()) });
        volume.node_affinity = Some(affinity_to(store, node));
    } else {
        for key in ["name", "namespace"] {
            annotations.insert(format!("volume.kubernetes.io/provisioner-deletion-secret-{key}"), String::new());
        }
        finalizers = Some(vec![EXTERNAL_PROVISIONER_FINALIZER.to_owned()]);
        volume.csi = Some(CSIPersistentVolumeSource {
            driver: driver.to_owned(),
            volume_handle: name.to_owned(),
            fs_type: class.parameters.as_ref().and_then(|p| p.get("csi.storage.k8s.io/fstype")).cloned(),
            ..Default::default()
        });
    }
    Ok(PersistentVolume {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            annotations: Some(annotations),
            finalizers,
            ..Default::default()
        },
        spec: Some(volume),
        status: None,
    })
}

/// A volume that is on one node only.
fn affinity_to(store: &Store, node: &str) -> VolumeNodeAffinity {
    let key = "kubernetes.io/hostname";
    let hostname = store.get::<Node>("", node).and_then(|n| n.label(key)).unwrap_or(node);
    let requirement = NodeSelectorRequirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![hostname.to_owned()]),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
    VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: vec![term] }) }
}

/// Deletes a released volume of an installed driver if its policy is Delete.
fn delete_volume(context: &mut Context<'_>, name: &str) {
    let Some(volume) = context.api.get::<PersistentVolume>("", name).cloned() else { return };
    let driver = volume.annotation(MIGRATED_TO).or(volume.annotation(PROVISIONED_BY)).unwrap_or_default();
    let delete = volume_spec(&volume).persistent_volume_reclaim_policy.as_deref() == Some("Delete");
    if !delete || volume_phase(&volume) != "Released" || !is_installed(context.environment, driver) {
        return;
    }
    if volume.has_finalizer(EXTERNAL_PROVISIONER_FINALIZER) {
        let mut changed = (*volume).clone();
        changed.remove_finalizer(EXTERNAL_PROVISIONER_FINALIZER);
        if context.api.update(changed).is_err() {
            return;
        }
    }
    if !volume.is_terminating() {
        // gone already is fine, too
        let _ = context.api.delete(&ObjectKey::new(Kind::PersistentVolume, "", name), &DeleteOptions::default());
    }
}

/// Grows the volume of a bound claim that asks for more, if a CSI driver that is installed made it.
fn expand(context: &mut Context<'_>, claim: &Arc<PersistentVolumeClaim>) {
    let request = claim_request(claim);
    let Some(volume) = context.api.get::<PersistentVolume>("", volume_name(claim)).cloned() else { return };
    let driver = volume_spec(&volume).csi.as_ref().map(|csi| csi.driver.as_str());
    let ours = driver.is_some_and(|driver| is_installed(context.environment, driver));
    if claim_phase(claim) != "Bound" || !ours || volume_capacity(&volume) >= request {
        return;
    }
    let message = format!("External resizer is resizing volume {}", volume.name());
    context.api.event(RESIZER, claim, EventType::Normal, "Resizing", message);
    let mut grown = (*volume).clone();
    let size = ApiQuantity::from(request);
    grown.spec.get_or_insert_default().capacity.get_or_insert_default().insert(STORAGE.to_owned(), size.clone());
    if context.api.update(grown).is_err() {
        return;
    }
    let mut changed = (**claim).clone();
    let status = changed.status.get_or_insert_default();
    status.capacity.get_or_insert_default().insert(STORAGE.to_owned(), size.clone());
    status.allocated_resources.get_or_insert_default().insert(STORAGE.to_owned(), size);
    if context.api.update_status(changed).is_ok() {
        context.api.event(RESIZER, claim, EventType::Normal, "VolumeResizeSuccessful", "Resize volume succeeded");
    }
}
