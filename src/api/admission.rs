//! Admission plugins, in the API server's order (`pkg/kubeapiserver/options/plugins.go`). One file per plugin.
pub mod default_storage_class;
pub mod default_toleration_seconds;
pub mod limit_ranger;
pub mod namespace_lifecycle;
pub mod persistent_volume_claim_resize;
pub mod pod_security;
pub mod pod_topology_labels;
pub mod priority;
pub mod resource_quota;
pub mod runtime_class;
pub mod service_account;
pub mod storage_object_in_use_protection;
#[cfg(test)]
mod tests;

use super::identity::Identities;
use super::object::Object;
use super::status::Status;
use super::store::Store;

/// What the client wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Create,
    Update,
}

/// An object on its way to the store, as admission plugins see it.
pub struct Request<'a> {
    /// Everything stored so far.
    pub store: &'a Store,
    /// For generated names.
    pub identities: &'a mut Identities,
    /// Create or update.
    pub operation: Operation,
    /// The object, which mutating plugins may change.
    pub object: Object,
    /// The object as it is stored, for an update.
    pub old: Option<Object>,
    /// Warnings for the client.
    pub warnings: &'a mut Vec<String>,
}

impl Request<'_> {
    /// The refusal of this request (`admission.NewForbidden`).
    pub fn forbidden(&self, why: impl std::fmt::Display) -> Status {
        let metadata = self.object.metadata();
        let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let name = given(&metadata.name).or_else(|| given(&metadata.generate_name));
        Status::forbidden(self.object.kind(), name.as_deref().unwrap_or("Unknown"), why)
    }
}

/// Runs the mutating plugins, before the object is validated.
pub fn mutate(request: &mut Request<'_>) -> Result<(), Status> {
    namespace_lifecycle::admit(request)?;
    limit_ranger::admit(request);
    service_account::admit(request)?;
    priority::admit(request)?;
    default_toleration_seconds::admit(request);
    default_storage_class::admit(request);
    storage_object_in_use_protection::admit(request);
    runtime_class::admit(request)?;
    pod_topology_labels::admit(request);
    Ok(())
}

/// Runs the validating plugins, after the object was found valid; objects that change when the request succeeds: the
/// quotas it is charged to.
pub fn validate(request: &mut Request<'_>) -> Result<Vec<Object>, Status> {
    limit_ranger::validate(request)?;
    service_account::validate(request)?;
    pod_security::validate(request)?;
    priority::validate(request)?;
    persistent_volume_claim_resize::validate(request)?;
    resource_quota::validate(request)
}

/// Plugins that look at deletions.
pub fn delete(_store: &Store, object: &Object) -> Result<(), Status> {
    namespace_lifecycle::delete(object)
}

/// How many seconds an object lives on after it was deleted: pods take their grace period, everything else none.
pub fn graceful_deletion_seconds(object: &Object, requested: Option<i64>) -> i64 {
    match object {
        Object::Pod(pod) => super::kinds::pod::graceful_deletion_seconds(pod, requested),
        _ => 0,
    }
}
