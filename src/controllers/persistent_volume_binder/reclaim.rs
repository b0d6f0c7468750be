//! What becomes of a released volume: kept, deleted or recycled (`reclaimVolume`).
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use super::{PersistentVolumeBinder, Synced, Volume, plugins};
use crate::api::event::EventType;
use crate::api::object::ObjectKey;
use crate::api::server::DeleteOptions;
use crate::api::{ApiObject, Kind, Status};
use crate::reconcile::Context;
use crate::storage::{
    IN_TREE_FINALIZER, MIGRATED_TO, PROVISIONED_BY, claim_ref, volume_name, volume_phase, volume_spec,
};

impl PersistentVolumeBinder {
    /// Does what the reclaim policy says.
    pub(super) fn reclaim_volume(&mut self, context: &mut Context<'_>, volume: &Volume) -> Synced {
        if volume.annotation(MIGRATED_TO).is_some_and(|driver| !driver.is_empty()) {
            return Ok(()); // the CSI driver does it
        }
        match volume_spec(volume).persistent_volume_reclaim_policy.as_deref() {
            Some("Retain") => Ok(()),
            Some("Recycle") => {
                self.recycle_volume(context, volume);
                Ok(())
            }
            Some("Delete") => {
                let operation = format!("delete-{}[{}]", volume.name(), volume.uid());
                let now = context.api.now();
                if self.may_run(&operation, now) {
                    let result = self.delete_volume_operation(context, volume);
                    self.finish(operation, result.is_ok(), now);
                }
                Ok(())
            }
            _ => self.fail_volume(
                context,
                volume,
                "VolumeUnknownReclaimPolicy",
                "Volume has unrecognized PersistentVolumeReclaimPolicy",
            ),
        }
    }

    /// Sets the phase Failed, with an event, unless it is set already (`updateVolumePhaseWithEvent`).
    pub(super) fn fail_volume(
        &mut self,
        context: &mut Context<'_>,
        volume: &Volume,
        reason: &str,
        message: &str,
    ) -> Synced {
        if volume_phase(volume) == "Failed" {
            return Ok(());
        }
        let volume = self.update_volume_phase(context, volume, "Failed", message)?;
        Self::volume_event(context, &volume, EventType::Warning, reason, message);
        Ok(())
    }

    /// Deletes what the volume stands for, then the volume (`deleteVolumeOperation`).
    fn delete_volume_operation(&mut self, context: &mut Context<'_>, volume: &Volume) -> Synced {
        match find_deleter(volume) {
            Ok(Deleter::HostPath) => {}
            Ok(Deleter::External) => return Ok(()),
            Err(why) => return self.fail_volume(context, volume, "VolumeFailedDelete", &why),
        }
        if !is_volume_released(context, volume) {
            return Ok(());
        }
        if let Err(why) = plugins::delete_host_path(volume) {
            self.fail_volume(context, volume, "VolumeFailedDelete", &why)?;
            return Err(Status::internal(why));
        }
        if volume.has_finalizer(IN_TREE_FINALIZER) {
            let mut changed = (**volume).clone();
            changed.remove_finalizer(IN_TREE_FINALIZER);
            context.api.update(changed)?;
        }
        if !volume.is_terminating() {
            let key = ObjectKey::new(Kind::PersistentVolume, "", volume.name());
            // a volume that somebody else deleted meanwhile is fine, too
            let _ = context.api.delete(&key, &DeleteOptions::default());
        }
        Ok(())
    }
}

enum Deleter {
    HostPath,
    External,
}

/// Who deletes what a volume stands for: whoever provisioned it, else the plugin of its source (`findDeletablePlugin`).
fn find_deleter(volume: &PersistentVolume) -> Result<Deleter, String> {
    if let Some(provisioner) = volume.annotation(PROVISIONED_BY).filter(|p| !p.is_empty()) {
        return match plugins::find_deleter_by_name(provisioner) {
            Ok(()) => Ok(Deleter::HostPath),
            Err(_) if !provisioner.starts_with("kubernetes.io/") => Ok(Deleter::External),
            Err(why) => Err(why),
        };
    }
    if volume.annotation(MIGRATED_TO).is_some() || volume_spec(volume).csi.is_some() {
        return Ok(Deleter::External);
    }
    match plugins::find_deleter_by_source(volume) {
        Ok(()) => Ok(Deleter::HostPath),
        Err(why) => Err(format!("error getting deleter volume plugin for volume \"{}\": {why}", volume.name())),
    }
}

/// Whether a volume has been bound and its claim is gone or has another volume (`isVolumeReleased`).
pub(super) fn is_volume_released(context: &Context<'_>, volume: &PersistentVolume) -> bool {
    let Some((namespace, name, uid)) = claim_ref(volume) else { return false };
    if uid.is_empty() {
        return false;
    }
    match context.api.get::<PersistentVolumeClaim>(namespace, name) {
        Some(claim) if claim.uid() == uid => {
            let named = volume_name(claim);
            !named.is_empty() && named != volume.name()
        }
        _ => true,
    }
}
