//! RuntimeClass (`plugin/pkg/admission/runtimeclass`).
use super::{Operation, Request};
use crate::api::field::go_quote;
use crate::api::object::Object;
use crate::api::status::Status;

/// Refuses pods that name a runtime class: there are none here.
pub fn admit(request: &Request<'_>) -> Result<(), Status> {
    let Object::Pod(pod) = &request.object else { return Ok(()) };
    if request.operation != Operation::Create {
        return Ok(());
    }
    match pod.spec.as_ref().and_then(|s| s.runtime_class_name.as_deref()) {
        None => Ok(()),
        Some(name) => Err(request.forbidden(format!("pod rejected: RuntimeClass {} not found", go_quote(name)))),
    }
}
