//! NamespaceLifecycle (`staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle`).
use k8s_openapi::api::core::v1::Namespace;

use super::{Operation, Request};
use crate::api::kinds::namespace::phase;
use crate::api::object::{ApiObject, Kind, Object};
use crate::api::status::Status;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Refuses to create anything in a namespace that does not exist or is going away.
pub fn admit(request: &Request<'_>) -> Result<(), Status> {
    let object = &request.object;
    if !object.kind().namespaced() || request.operation != Operation::Create {
        return Ok(());
    }
    let name = object.namespace();
    let Some(namespace) = request.store.get::<Namespace>("", name) else {
        return Err(Status::not_found(Kind::Namespace, name));
    };
    if phase(namespace) == "Terminating" {
        let why = format!("unable to create new content in namespace {name} because it is being terminated");
        return Err(Status::forbidden(object.kind(), object.name(), why));
    }
    Ok(())
}

/// The namespaces that must not be deleted.
pub fn delete(object: &Object) -> Result<(), Status> {
    match object {
        Object::Namespace(namespace) if IMMORTAL.contains(&namespace.name()) => {
            Err(Status::forbidden(Kind::Namespace, namespace.name(), "this namespace may not be deleted"))
        }
        _ => Ok(()),
    }
}
