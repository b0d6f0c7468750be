//! Keeps VolumeAttributesClasses while claims or volumes name them (`pkg/controller/volume/vacprotection`).
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::VolumeAttributesClass;
use k8s_openapi::jiff::Timestamp;

use crate::api::{ApiObject, Change, Kind, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{VAC_PROTECTION, claim_attributes_class, volume_attributes_class};

/// The VAC protection controller.
#[derive(Clone, Default)]
pub struct VacProtectionController {
    queue: WorkQueue<String>,
}

impl Reconciler for VacProtectionController {
    fn name(&self) -> &'static str {
        "vac-protection-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let mut add = |class: &str| {
            if !class.is_empty() {
                self.queue.add(class.to_owned());
            }
        };
        match change.kind() {
            Kind::VolumeAttributesClass => add(change.object().name()),
            Kind::PersistentVolume => {
                if let Some((Some(old), _)) = change.of::<PersistentVolume>() {
                    add(volume_attributes_class(old));
                }
            }
            Kind::PersistentVolumeClaim => {
                if let Some((Some(old), _)) = change.of::<PersistentVolumeClaim>() {
                    classes_of(old).for_each(add);
                }
            }
            _ => {}
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(name) = self.queue.pop(context.api.now()) else { return false };
        let Some(class) = context.api.get::<VolumeAttributesClass>("", &name).cloned() else { return true };
        let protected = class.has_finalizer(VAC_PROTECTION);
        let mut changed = (*class).clone();
        if class.is_terminating() && protected && !is_used(context.api.store(), &name) {
            changed.remove_finalizer(VAC_PROTECTION);
        } else if !class.is_terminating() && !protected {
            changed.add_finalizer(VAC_PROTECTION);
        } else {
            return true;
        }
        // a class that cannot be changed (any more) needs no protection
        let _ = context.api.update(changed);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// The classes a claim wants, has, or is on its way to.
fn classes_of(claim: &PersistentVolumeClaim) -> impl Iterator<Item = &str> {
    let status = claim.status.as_ref();
    let current = status.and_then(|s| s.current_volume_attributes_class_name.as_deref());
    let target = status.and_then(|s| s.modify_volume_status.as_ref());
    let target = target.and_then(|m| m.target_volume_attributes_class_name.as_deref());
    [Some(claim_attributes_class(claim)), current, target].into_iter().flatten()
}

fn is_used(store: &Store, class: &str) -> bool {
    store.list::<PersistentVolumeClaim>().any(|claim| classes_of(claim).any(|c| c == class))
        || store.list::<PersistentVolume>().any(|volume| volume_attributes_class(volume) == class)
}
