//! Adoption and release of dependents (`pkg/controller/controller_ref_manager.go`).
use std::sync::Arc;

use super::controller_utils::controller_reference;
use crate::api::ApiServer;
use crate::api::object::ApiObject;
use crate::api::status::{Reason, Status};
use crate::api::strategy::Strategy;

/// From candidates those that belong to a controller: adopts orphans that match, releases dependents that no longer do
/// (`ClaimObject`). Gives back the dependents, as they were before an adoption, and the first failure.
pub(super) fn claim<O: ApiObject, T: Strategy>(
    api: &mut ApiServer,
    controller: &O,
    candidates: Vec<Arc<T>>,
    matches: impl Fn(&T) -> bool,
) -> Result<Vec<Arc<T>>, Status> {
    let mut claimed = Vec::with_capacity(candidates.len());
    let mut failure = None;
    for candidate in candidates {
        match claim_one(api, controller, &candidate, &matches) {
            Ok(true) => claimed.push(candidate),
            Ok(false) => {}
            Err(status) => failure = failure.or(Some(status)),
        }
    }
    failure.map_or(Ok(claimed), Err)
}

fn claim_one<O: ApiObject, T: Strategy>(
    api: &mut ApiServer,
    controller: &O,
    object: &Arc<T>,
    matches: &impl Fn(&T) -> bool,
) -> Result<bool, Status> {
    match object.controller() {
        Some(owner) if owner.uid != controller.uid() => Ok(false),
        Some(_) if matches(object) => Ok(true),
        Some(_) if controller.is_terminating() => Ok(false),
        Some(_) => release(api, controller, object).map(|()| false),
        None if controller.is_terminating() || object.is_terminating() || !matches(object) => Ok(false),
        // the candidate may be older than the store, the controller too
        None if api.get::<O>(controller.namespace(), controller.name()).is_none_or(|c| c.uid() != controller.uid()) => {
            Ok(false)
        }
        None => adopt(api, controller, object),
    }
}

fn adopt<O: ApiObject, T: Strategy>(api: &mut ApiServer, controller: &O, object: &Arc<T>) -> Result<bool, Status> {
    let Some(current) = api.get::<T>(object.namespace(), object.name()) else { return Ok(false) };
    if current.uid() != object.uid() {
        return Ok(false);
    }
    let mut changed = T::clone(current);
    changed.metadata_mut().owner_references.get_or_insert_default().push(controller_reference(controller));
    match api.update(changed) {
        Ok(_) => Ok(true),
        Err(status) if status.reason == Reason::NotFound => Ok(false),
        Err(status) => Err(status),
    }
}

fn release<O: ApiObject, T: Strategy>(api: &mut ApiServer, controller: &O, object: &Arc<T>) -> Result<(), Status> {
    let Some(current) = api.get::<T>(object.namespace(), object.name()) else { return Ok(()) };
    if current.uid() != object.uid() {
        return Ok(());
    }
    let mut changed = T::clone(current);
    let metadata = changed.metadata_mut();
    metadata.owner_references.iter_mut().for_each(|owners| owners.retain(|o| o.uid != controller.uid()));
    metadata.owner_references.take_if(|owners| owners.is_empty());
    match api.update(changed) {
        Err(status) if !matches!(status.reason, Reason::NotFound | Reason::Invalid) => Err(status),
        _ => Ok(()),
    }
}
