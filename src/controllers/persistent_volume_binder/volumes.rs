//! `syncVolume`: a volume's phase follows from its claim; without one it is reclaimed.
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use super::claims::{migrated_to, set_or_remove_annotation};
use super::{PersistentVolumeBinder, Synced, Volume};
use crate::api::event::EventType;
use crate::api::{ApiObject, Status};
use crate::reconcile::Context;
use crate::storage::{
    BOUND_BY_CONTROLLER, EXTERNAL_PROVISIONER_FINALIZER, IN_TREE_FINALIZER, MIGRATED_TO, PROVISIONED_BY,
    check_volume_mode, claim_ref, is_migrated, volume_name, volume_phase, volume_spec,
};

impl PersistentVolumeBinder {
    pub(super) fn sync_volume_by_name(&mut self, context: &mut Context<'_>, name: &str) -> Synced {
        let Some(volume) = context.api.get::<PersistentVolume>("", name).cloned() else { return Ok(()) };
        let volume = self.update_volume_migration_annotations_and_finalizers(context, volume)?;
        let Some((namespace, claim_name, uid)) = claim_ref(&volume) else {
            return self.update_volume_phase(context, &volume, "Available", "").map(drop);
        };
        if uid.is_empty() {
            // reserved by the user
            return self.update_volume_phase(context, &volume, "Available", "").map(drop);
        }
        let claim = context.api.get::<PersistentVolumeClaim>(namespace, claim_name);
        let Some(claim) = claim.filter(|c| c.uid() == uid).cloned() else {
            return self.release(context, &volume);
        };
        let named = volume_name(&claim);
        if named.is_empty() {
            if !check_volume_mode(&claim, &volume) {
                let message = format!(
                    "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{claim_name}\" due to incompatible \
                     volumeMode."
                );
                Self::volume_event(context, &volume, EventType::Warning, "VolumeMismatch", &message);
                let message = format!(
                    "Cannot bind PersistentVolume \"{name}\" to requested PersistentVolumeClaim due to incompatible \
                     volumeMode."
                );
                Self::claim_event(context, &claim, EventType::Warning, "VolumeMismatch", message);
                return Ok(());
            }
            // half of the binding is there; the claim's sync does the rest
            self.claims.add((namespace.to_owned(), claim_name.to_owned()));
            return Ok(());
        }
        if named == name {
            return self.update_volume_phase(context, &volume, "Bound", "").map(drop);
        }
        // the claim has another volume: this one was provisioned or reserved for nothing
        let policy = volume_spec(&volume).persistent_volume_reclaim_policy.as_deref();
        if volume.annotation(PROVISIONED_BY).is_some() && policy == Some("Delete") {
            self.release(context, &volume)
        } else {
            self.unbind_volume(context, &volume)
        }
    }

    /// A volume whose claim is gone becomes Released, and its reclaim policy is looked at, every time.
    fn release(&mut self, context: &mut Context<'_>, volume: &Volume) -> Synced {
        let volume = match volume_phase(volume) {
            "Released" | "Failed" => volume.clone(),
            _ => self.update_volume_phase(context, volume, "Released", "")?,
        };
        self.reclaim_volume(context, &volume)
    }

    /// Takes back the claimRef: all of it if the controller made it, only the uid if the user did (`unbindVolume`).
    pub(super) fn unbind_volume(&mut self, context: &mut Context<'_>, volume: &Volume) -> Synced {
        let mut changed = (**volume).clone();
        let spec = changed.spec.get_or_insert_default();
        if volume.annotation(BOUND_BY_CONTROLLER).is_some() {
            spec.claim_ref = None;
            set_or_remove_annotation(&mut changed, BOUND_BY_CONTROLLER, None);
        } else if let Some(reference) = spec.claim_ref.as_mut() {
            reference.uid = None;
        }
        let volume = context.api.update(changed)?.object;
        self.update_volume_phase(context, &volume, "Available", "").map(drop)
    }

    /// Keeps the annotation `migrated-to` and the finalizers of a provisioned volume right
    /// (`updateVolumeMigrationAnnotationsAndFinalizers`, `modifyDeletionFinalizers`).
    fn update_volume_migration_annotations_and_finalizers(
        &mut self,
        context: &mut Context<'_>,
        volume: Volume,
    ) -> Result<Volume, Status> {
        let Some(provisioner) = volume.annotation(PROVISIONED_BY) else { return Ok(volume) };
        let mut changed = (*volume).clone();
        if let Some(wanted) = migrated_to(Some(provisioner), volume.annotation(MIGRATED_TO)) {
            set_or_remove_annotation(&mut changed, MIGRATED_TO, wanted);
        }
        if is_migrated(provisioner) {
            changed.remove_finalizer(IN_TREE_FINALIZER);
        } else if provisioner.starts_with("kubernetes.io/") {
            match volume_spec(&volume).persistent_volume_reclaim_policy.as_deref() {
                // nothing can be added to an object that is being deleted
                Some("Delete") if !volume.is_terminating() => {
                    changed.add_finalizer(IN_TREE_FINALIZER);
                }
                Some("Retain" | "Recycle") => {
                    changed.remove_finalizer(IN_TREE_FINALIZER);
                }
                _ => {}
            }
            changed.remove_finalizer(EXTERNAL_PROVISIONER_FINALIZER);
        }
        if changed == *volume {
            return Ok(volume);
        }
        Ok(context.api.update(changed)?.object)
    }
}
