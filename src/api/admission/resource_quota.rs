//! ResourceQuota (`k8s.io/apiserver/pkg/admission/plugin/resourcequota`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::ResourceQuota;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::pod_resources::{Amounts, add, amounts, to_resource_list};
use crate::api::quantity::Quantity;
use crate::api::quota;
use crate::api::status::Status;

/// Checks an object against the quotas of its namespace; the quotas with their new usage, to be stored if the object is.
///
/// A quota counts as soon as its controller has computed its status.
pub fn validate(request: &Request<'_>) -> Result<Vec<Object>, Status> {
    let mut charged = Vec::new();
    if !request.object.kind().namespaced() || !handles(request) {
        return Ok(charged);
    }
    for quota in request.store.list_in::<ResourceQuota>(request.object.namespace()) {
        charged.extend(check(request, quota)?);
    }
    Ok(charged)
}

/// Whether the request can change what is used (`Handles`).
fn handles(request: &Request<'_>) -> bool {
    if request.operation == Operation::Create {
        return true;
    }
    match (&request.object, &request.old) {
        (Object::Pod(new), Some(Object::Pod(old))) => {
            let terminating =
                |pod: &k8s_openapi::api::core::v1::Pod| pod.spec.as_ref().is_some_and(quota::is_terminating);
            terminating(new) != terminating(old)
        }
        (Object::Service(_) | Object::PersistentVolumeClaim(_), _) => true,
        _ => false,
    }
}

/// The quota with what the request adds to it, if it adds something (`CheckRequest`).
fn check(request: &Request<'_>, resource_quota: &Arc<ResourceQuota>) -> Result<Option<Object>, Status> {
    let object = &request.object;
    let status = resource_quota.status.as_ref();
    let hard = amounts(status.and_then(|s| s.hard.as_ref()));
    let used = amounts(status.and_then(|s| s.used.as_ref()));
    let restricted: Vec<&str> = hard.keys().map(String::as_str).filter(|n| quota::concerns(object.kind(), n)).collect();
    if restricted.is_empty() || !quota::matches_scopes(resource_quota, object) {
        return Ok(None);
    }
    let name = resource_quota.name();
    quota::missing_resources(&restricted, object)
        .map_err(|why| request.forbidden(format!("failed quota: {name}: {why}")))?;
    if restricted.iter().any(|resource| !used.contains_key(*resource)) {
        let list = restricted.join(",");
        return Err(request.forbidden(format!("status unknown for quota: {name}, resources: {list}")));
    }
    let mut delta = quota::usage(object, None);
    let negative: Vec<&str> = delta.iter().filter(|(_, q)| q.signum() < 0).map(|(name, _)| name.as_str()).collect();
    if !negative.is_empty() {
        let list = negative.join(",");
        return Err(request.forbidden(format!("quota usage is negative for resource(s): {list}")));
    }
    if let Some(old) = request.old.as_ref().filter(|old| quota::matches_scopes(resource_quota, old)) {
        for (name, before) in quota::usage(old, None) {
            if let Some(now) = delta.get_mut(&name) {
                now.sub(&before);
                if now.signum() < 0 {
                    *now = Quantity::default();
                }
            }
        }
    }
    delta.retain(|name, quantity| !quantity.is_zero() && hard.contains_key(name));
    if delta.is_empty() {
        return Ok(None);
    }
    let mut new_used = used.clone();
    add(&mut new_used, &delta);
    let exceeded: Vec<&String> = delta
        .keys()
        .filter(|name| matches!((new_used.get(*name), hard.get(*name)), (Some(u), Some(h)) if u > h))
        .collect();
    if !exceeded.is_empty() {
        let print = |list: &Amounts| {
            let of = |name: &&String| list.get(*name).map(|quantity| format!("{name}={quantity}"));
            exceeded.iter().filter_map(of).collect::<Vec<_>>().join(",")
        };
        let (requested, used, limited) = (print(&delta), print(&used), print(&hard));
        let why = format!("exceeded quota: {name}, requested: {requested}, used: {used}, limited: {limited}");
        return Err(request.forbidden(why));
    }
    let mut changed = ResourceQuota::clone(resource_quota);
    changed.status.get_or_insert_default().used = Some(to_resource_list(&new_used));
    Ok(Some(Object::ResourceQuota(Arc::new(changed))))
}
