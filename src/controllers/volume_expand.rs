//! Grows volumes of claims that ask for more (`pkg/controller/volume/expand`): no in-tree plugin can, so it only says who
//! must.
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::jiff::Timestamp;

use crate::api::event::EventType;
use crate::api::quantity::Quantity;
use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{STORAGE, claim_phase, claim_ref, claim_request, csi_name_of, volume_name, volume_spec};

/// On a claim: who grows its volume (`volumetypes.VolumeResizerKey`).
pub const STORAGE_RESIZER: &str = "volume.kubernetes.io/storage-resizer";
const SOURCE: &str = "volume_expand";

/// The volume expand controller.
#[derive(Clone, Default)]
pub struct VolumeExpandController {
    queue: WorkQueue<(String, String)>,
}

impl Reconciler for VolumeExpandController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let Some((old, Some(claim))) = change.of::<PersistentVolumeClaim>() else { return };
        let grew = old.is_none_or(|old| {
            claim_request(claim) > claim_request(old) || status_capacity(claim) > status_capacity(old)
        });
        if grew && claim_phase(claim) == "Bound" {
            self.queue.add((claim.namespace().to_owned(), claim.name().to_owned()));
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some((namespace, name)) = self.queue.pop(context.api.now()) else { return false };
        let Some(claim) = context.api.get::<PersistentVolumeClaim>(&namespace, &name).cloned() else { return true };
        let Some(volume) = context.api.get::<PersistentVolume>("", volume_name(&claim)).cloned() else { return true };
        let bound = claim_ref(&volume).is_some_and(|(ns, _, uid)| ns == namespace && uid == claim.uid());
        if !bound || claim_request(&claim) <= status_capacity(&claim) {
            return true;
        }
        let Some(plugin) = migrated_plugin(&volume) else {
            let message = "waiting for an external controller to expand this PVC";
            context.api.event(SOURCE, &claim, EventType::Normal, "ExternalExpanding", message);
            return true;
        };
        let message = format!("CSI migration enabled for {plugin}; waiting for external resizer to expand the pvc");
        context.api.event(SOURCE, &claim, EventType::Normal, "ExternalExpanding", message);
        let mut changed = (*claim).clone();
        if let Some(driver) = csi_name_of(plugin)
            && changed.set_annotation(STORAGE_RESIZER, driver)
        {
            // refused only if the claim is gone
            let _ = context.api.update_status(changed);
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// The size a claim's status shows.
fn status_capacity(claim: &PersistentVolumeClaim) -> Quantity {
    let capacity = claim.status.as_ref().and_then(|s| s.capacity.as_ref());
    capacity.and_then(|c| c.get(STORAGE)).map(Quantity::of).unwrap_or_default()
}

/// The in-tree plugin of a volume's source, if a CSI driver took over from it (`GetInTreePluginNameFromSpec`).
fn migrated_plugin(volume: &PersistentVolume) -> Option<&'static str> {
    let spec = volume_spec(volume);
    [
        (spec.aws_elastic_block_store.is_some(), "kubernetes.io/aws-ebs"),
        (spec.gce_persistent_disk.is_some(), "kubernetes.io/gce-pd"),
        (spec.cinder.is_some(), "kubernetes.io/cinder"),
        (spec.azure_disk.is_some(), "kubernetes.io/azure-disk"),
        (spec.azure_file.is_some(), "kubernetes.io/azure-file"),
        (spec.vsphere_volume.is_some(), "kubernetes.io/vsphere-volume"),
        (spec.portworx_volume.is_some(), "kubernetes.io/portworx-volume"),
    ]
    .into_iter()
    .find_map(|(is, plugin)| is.then_some(plugin))
}
