//! `syncClaim`: a claim is brought together with a volume, or it is said why not.
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;

use super::{Claim, ClaimKey, PersistentVolumeBinder, Synced, Volume};
use crate::api::event::EventType;
use crate::api::quantity::Quantity;
use crate::api::{ApiObject, Status};
use crate::reconcile::Context;
use crate::storage::{
    self, BIND_COMPLETED, BOUND_BY_CONTROLLER, ClaimNeeds, MIGRATED_TO, STORAGE, claim_phase, claim_ref, volume_name,
    volume_phase, volume_spec,
};

/// On a volume whose size was changed before the claim knew (`util.AnnPreResizeCapacity`).
const PRE_RESIZE_CAPACITY: &str = "volume.alpha.kubernetes.io/pre-resize-capacity";

impl PersistentVolumeBinder {
    pub(super) fn sync_claim_by_key(&mut self, context: &mut Context<'_>, (namespace, name): &ClaimKey) -> Synced {
        let Some(claim) = context.api.get::<PersistentVolumeClaim>(namespace, name).cloned() else { return Ok(()) };
        let claim = self.update_claim_migration_annotations(context, claim)?;
        if claim.annotation(BIND_COMPLETED).is_none() {
            self.sync_unbound_claim(context, &claim)
        } else {
            self.sync_bound_claim(context, &claim)
        }
    }

    /// A claim whose binding is not complete (`syncUnboundClaim`).
    fn sync_unbound_claim(&mut self, context: &mut Context<'_>, claim: &Claim) -> Synced {
        let named = volume_name(claim);
        if named.is_empty() {
            return self.sync_claim_without_volume(context, claim);
        }
        let Some(volume) = context.api.get::<PersistentVolume>("", named).cloned() else {
            return self.update_claim_status(context, claim, "Pending", None).map(drop);
        };
        if claim_ref(&volume).is_none() {
            if let Err(why) = ClaimNeeds::of(claim).check_named_volume(&volume) {
                let message = format!("Cannot bind to requested volume \"{named}\": {why}");
                Self::claim_event(context, claim, EventType::Warning, "VolumeMismatch", message);
                return self.update_claim_status(context, claim, "Pending", None).map(drop);
            }
            return self.bind(context, &volume, claim);
        }
        if storage::is_volume_bound_to_claim(&volume, claim) {
            return self.bind(context, &volume, claim);
        }
        let message = format!("volume \"{named}\" already bound to a different claim.");
        Self::claim_event(context, claim, EventType::Warning, "FailedBinding", message);
        if claim.annotation(BOUND_BY_CONTROLLER).is_none() {
            self.update_claim_status(context, claim, "Pending", None)?;
        }
        Ok(())
    }

    /// A claim that takes any volume.
    fn sync_claim_without_volume(&mut self, context: &mut Context<'_>, claim: &Claim) -> Synced {
        let delay_binding = storage::is_delay_binding_mode(claim, context.api.store());
        if let Some(volume) = self.index.find_best_match(context.api.store(), claim, delay_binding) {
            return self.bind(context, &volume, claim);
        }
        if self.assign_default_storage_class(context, claim)? {
            return Ok(());
        }
        if delay_binding && !storage::is_delay_binding_provisioning(claim) {
            self.emit_event_for_unbound_delay_binding_claim(context, claim);
        } else if !storage::claim_class(claim).is_empty() {
            self.provision_claim(context, claim);
            return Ok(());
        } else {
            let message = "no persistent volumes available for this claim and no storage class is set";
            Self::claim_event(context, claim, EventType::Normal, "FailedBinding", message);
        }
        self.update_claim_status(context, claim, "Pending", None).map(drop)
    }

    /// A claim whose binding was complete once (`syncBoundClaim`).
    fn sync_bound_claim(&mut self, context: &mut Context<'_>, claim: &Claim) -> Synced {
        let named = volume_name(claim);
        let lost = |what: &str| format!("Bound claim has lost {what}. Data on the volume is lost!");
        if named.is_empty() {
            return self.lose(context, claim, "ClaimLost", &lost("reference to PersistentVolume"));
        }
        let Some(volume) = context.api.get::<PersistentVolume>("", named).cloned() else {
            return self.lose(context, claim, "ClaimLost", &lost("its PersistentVolume"));
        };
        match claim_ref(&volume) {
            Some((_, _, uid)) if uid != claim.uid() => {
                let message = "Two claims are bound to the same volume, this one is bound incorrectly";
                self.lose(context, claim, "ClaimMisbound", message)
            }
            _ => self.bind(context, &volume, claim),
        }
    }

    fn lose(&mut self, context: &mut Context<'_>, claim: &Claim, reason: &str, message: &str) -> Synced {
        if claim_phase(claim) == "Lost" {
            return Ok(());
        }
        let claim = self.update_claim_status(context, claim, "Lost", None)?;
        Self::claim_event(context, &claim, EventType::Warning, reason, message);
        Ok(())
    }

    /// Says that a claim waits for a pod, or for its pods to be scheduled.
    fn emit_event_for_unbound_delay_binding_claim(&self, context: &mut Context<'_>, claim: &Claim) {
        let pods = self.find_non_scheduled_pods(context, claim);
        let (reason, message) = match pods.as_slice() {
            [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_owned()),
            [pod] => ("WaitForPodScheduled", format!("waiting for pod {pod} to be scheduled")),
            pods => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", pods.join(","))),
        };
        Self::claim_event(context, claim, EventType::Normal, reason, message);
    }

    /// The pods that use a claim and have no node yet (`findNonScheduledPodsByPVC`).
    fn find_non_scheduled_pods(&self, context: &Context<'_>, claim: &Claim) -> Vec<String> {
        let names = self.pods.of_claim(claim.namespace(), claim.name());
        let pods = names.filter_map(|name| context.api.get::<Pod>(claim.namespace(), name));
        let waiting = pods.filter(|pod| {
            let node = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or_default();
            node.is_empty() && !storage::is_pod_terminated(pod)
        });
        waiting.map(|pod| pod.name().to_owned()).collect()
    }

    /// Gives a claim that never said which class it wants the default class of today (`assignDefaultStorageClass`).
    fn assign_default_storage_class(&mut self, context: &mut Context<'_>, claim: &Claim) -> Result<bool, Status> {
        if storage::claim_has_class(claim) {
            return Ok(false);
        }
        let Some(class) = storage::default_class(context.api.store()) else { return Ok(false) };
        let mut changed = (**claim).clone();
        changed.spec.get_or_insert_default().storage_class_name = Some(class.name().to_owned());
        context.api.update(changed)?;
        Ok(true)
    }

    /// Ties a volume and a claim to each other, volume first (`bind`).
    fn bind(&mut self, context: &mut Context<'_>, volume: &Volume, claim: &Claim) -> Synced {
        let volume = match storage::bind_volume_to_claim(volume, claim) {
            Some(bound) => context.api.update(bound)?.object,
            None => volume.clone(),
        };
        let volume = self.update_volume_phase(context, &volume, "Bound", "")?;
        let claim = self.bind_claim_to_volume(context, claim, &volume)?;
        self.update_claim_status(context, &claim, "Bound", Some(&volume))?;
        Ok(())
    }

    /// The claim's half of [`bind`](Self::bind) (`bindClaimToVolume`).
    fn bind_claim_to_volume(
        &mut self,
        context: &mut Context<'_>,
        claim: &Claim,
        volume: &Volume,
    ) -> Result<Claim, Status> {
        let should_bind = volume_name(claim) != volume.name();
        if !should_bind && claim.annotation(BIND_COMPLETED).is_some() {
            return Ok(claim.clone());
        }
        let mut bound = (**claim).clone();
        if should_bind {
            bound.spec.get_or_insert_default().volume_name = Some(volume.name().to_owned());
            if bound.annotation(BOUND_BY_CONTROLLER).is_none() {
                bound.set_annotation(BOUND_BY_CONTROLLER, "yes");
            }
        }
        if bound.annotation(BIND_COMPLETED).is_none() {
            bound.set_annotation(BIND_COMPLETED, "yes");
        }
        Ok(context.api.update(bound)?.object)
    }

    /// Sets a claim's phase and what its status says of its volume (`updateClaimStatus`). The size is taken over only
    /// together with a new phase.
    pub(super) fn update_claim_status(
        &mut self,
        context: &mut Context<'_>,
        claim: &Claim,
        phase: &str,
        volume: Option<&Volume>,
    ) -> Result<Claim, Status> {
        let mut changed = (**claim).clone();
        let old_phase = claim_phase(claim);
        let status = changed.status.get_or_insert_default();
        status.phase = Some(phase.to_owned());
        match volume {
            None => {
                status.access_modes = None;
                status.capacity = None;
                status.current_volume_attributes_class_name = None;
            }
            Some(volume) => {
                let spec = volume_spec(volume);
                status.access_modes.clone_from(&spec.access_modes);
                if old_phase != phase {
                    let size = spec.capacity.as_ref().and_then(|c| c.get(STORAGE)).ok_or_else(|| {
                        Status::internal(format!(
                            "PersistentVolume \"{}\" is without a storage capacity",
                            volume.name()
                        ))
                    })?;
                    let known = status.capacity.as_ref().and_then(|c| c.get(STORAGE));
                    if let Some(before) = volume.annotation(PRE_RESIZE_CAPACITY) {
                        let before = before.parse::<Quantity>().map_or_else(|_| size.clone(), ApiQuantity::from);
                        status.capacity.get_or_insert_default().insert(STORAGE.to_owned(), before);
                    } else if known.map(Quantity::of) != Some(Quantity::of(size)) {
                        status.capacity.clone_from(&spec.capacity);
                    }
                }
                if old_phase == "Pending" && phase == "Bound" {
                    let class = &spec.volume_attributes_class_name;
                    status.current_volume_attributes_class_name.clone_from(class);
                }
            }
        }
        if changed.status == claim.status {
            return Ok(claim.clone());
        }
        Ok(context.api.update_status(changed)?.object)
    }

    /// Sets a volume's phase and message (`updateVolumePhase`).
    pub(super) fn update_volume_phase(
        &mut self,
        context: &mut Context<'_>,
        volume: &Volume,
        phase: &str,
        message: &str,
    ) -> Result<Volume, Status> {
        if volume_phase(volume) == phase {
            return Ok(volume.clone());
        }
        let mut changed = (**volume).clone();
        let status = changed.status.get_or_insert_default();
        status.phase = Some(phase.to_owned());
        status.message = Some(message.to_owned()).filter(|m| !m.is_empty());
        status.last_phase_transition_time = Some(context.api.time());
        Ok(context.api.update_status(changed)?.object)
    }

    /// Notes on a claim which CSI driver took over from the plugin that is to provision for it.
    fn update_claim_migration_annotations(&mut self, context: &mut Context<'_>, claim: Claim) -> Result<Claim, Status> {
        let provisioner =
            claim.annotation(storage::STORAGE_PROVISIONER).or(claim.annotation(storage::BETA_STORAGE_PROVISIONER));
        let Some(wanted) = migrated_to(provisioner, claim.annotation(MIGRATED_TO)) else { return Ok(claim) };
        let mut changed = (*claim).clone();
        set_or_remove_annotation(&mut changed, MIGRATED_TO, wanted);
        Ok(context.api.update(changed)?.object)
    }
}

/// The value the annotation `migrated-to` must change to, given the provisioner's name and the value it has
/// (`updateMigrationAnnotations`).
pub(super) fn migrated_to(provisioner: Option<&str>, current: Option<&str>) -> Option<Option<&'static str>> {
    let wanted = storage::csi_name_of(provisioner?);
    let differs = match wanted {
        Some(driver) => current != Some(driver),
        None => current.is_some_and(|c| !c.is_empty()),
    };
    differs.then_some(wanted)
}

/// Sets an annotation, or removes it.
pub(super) fn set_or_remove_annotation<T: ApiObject>(object: &mut T, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        object.set_annotation(key, value);
    } else if let Some(annotations) = object.metadata_mut().annotations.as_mut() {
        annotations.remove(key);
        if annotations.is_empty() {
            object.metadata_mut().annotations = None;
        }
    }
}
