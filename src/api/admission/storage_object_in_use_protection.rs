//! StorageObjectInUseProtection (`plugin/pkg/admission/storage/storageobjectinuseprotection`).
use std::sync::Arc;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::storage::{PV_PROTECTION, PVC_PROTECTION, VAC_PROTECTION};

/// Puts the finalizers on new volumes and claims that keep them while they are in use.
pub fn admit(request: &mut Request<'_>) {
    if request.operation != Operation::Create {
        return;
    }
    match &mut request.object {
        Object::PersistentVolume(volume) => {
            Arc::make_mut(volume).add_finalizer(PV_PROTECTION);
        }
        Object::PersistentVolumeClaim(claim) => {
            Arc::make_mut(claim).add_finalizer(PVC_PROTECTION);
        }
        Object::VolumeAttributesClass(class) => {
            Arc::make_mut(class).add_finalizer(VAC_PROTECTION);
        }
        _ => {}
    }
}
