//! DefaultStorageClass (`plugin/pkg/admission/storage/storageclass/setdefault`).
use std::sync::Arc;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::storage::{claim_has_class, default_class};

/// Gives new claims that do not say which class they want the default class, if there is one.
pub fn admit(request: &mut Request<'_>) {
    let Object::PersistentVolumeClaim(claim) = &mut request.object else { return };
    if request.operation != Operation::Create || claim_has_class(claim) {
        return;
    }
    if let Some(class) = default_class(request.store) {
        Arc::make_mut(claim).spec.get_or_insert_default().storage_class_name = Some(class.name().to_owned());
    }
}
