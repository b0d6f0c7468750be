//! PersistentVolumeClaimResize (`plugin/pkg/admission/storage/persistentvolume/resize`).
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::StorageClass;

use super::Request;
use crate::api::object::{ApiObject, Kind, Object};
use crate::api::status::Status;
use crate::api::store::Store;
use crate::storage::{claim_class, claim_phase, claim_request};

/// Refuses to let a claim grow unless it is bound and its class allows that.
pub fn validate(request: &Request<'_>) -> Result<(), Status> {
    let (Object::PersistentVolumeClaim(claim), Some(Object::PersistentVolumeClaim(old))) =
        (&request.object, &request.old)
    else {
        return Ok(());
    };
    if claim_request(claim) <= claim_request(old) {
        return Ok(());
    }
    let refuse = |why: &str| Err(Status::forbidden(Kind::PersistentVolumeClaim, claim.name(), why));
    if claim_phase(old) != "Bound" {
        return refuse("Only bound persistent volume claims can be expanded");
    }
    if !allows_resize(request.store, claim, old) {
        return refuse(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support \
             resize",
        );
    }
    Ok(())
}

fn allows_resize(store: &Store, claim: &PersistentVolumeClaim, old: &PersistentVolumeClaim) -> bool {
    let class = claim_class(claim);
    !class.is_empty()
        && class == claim_class(old)
        && store.get::<StorageClass>("", class).is_some_and(|c| c.allow_volume_expansion == Some(true))
}
