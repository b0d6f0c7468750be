//! Keeps volumes while they are bound (`pkg/controller/volume/pvprotection`).
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::jiff::Timestamp;

use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{PV_PROTECTION, volume_phase};

/// The PV protection controller.
#[derive(Clone, Default)]
pub struct PvProtectionController {
    queue: WorkQueue<String>,
}

impl Reconciler for PvProtectionController {
    fn name(&self) -> &'static str {
        "pv-protection-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(volume))) = change.of::<PersistentVolume>()
            && volume.is_terminating() == volume.has_finalizer(PV_PROTECTION)
        {
            self.queue.add(volume.name().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(name) = self.queue.pop(context.api.now()) else { return false };
        let Some(volume) = context.api.get::<PersistentVolume>("", &name).cloned() else { return true };
        let protected = volume.has_finalizer(PV_PROTECTION);
        let mut changed = (*volume).clone();
        if volume.is_terminating() && protected && volume_phase(&volume) != "Bound" {
            changed.remove_finalizer(PV_PROTECTION);
        } else if !volume.is_terminating() && !protected {
            changed.add_finalizer(PV_PROTECTION);
        } else {
            return true;
        }
        // a volume that cannot be changed (any more) needs no protection
        let _ = context.api.update(changed);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}
