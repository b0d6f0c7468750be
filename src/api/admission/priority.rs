//! Priority (`plugin/pkg/admission/priority`).
use std::sync::Arc;

use k8s_openapi::api::scheduling::v1::PriorityClass;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::validation::pod_spec::text;

/// Turns the name of a pod's priority class into its priority.
pub fn admit(request: &mut Request<'_>) -> Result<(), Status> {
    let Object::Pod(pod) = &request.object else { return Ok(()) };
    if let Some(Object::Pod(old)) = &request.old {
        let (mut pod, old) = (pod.clone(), old.spec.as_ref());
        let spec = Arc::make_mut(&mut pod).spec.get_or_insert_default();
        spec.priority = spec.priority.or(old.and_then(|s| s.priority));
        spec.preemption_policy =
            spec.preemption_policy.take().or_else(|| old.and_then(|s| s.preemption_policy.clone()));
        request.object = Object::Pod(pod);
        return Ok(());
    }
    if request.operation != Operation::Create {
        return Ok(());
    }
    let name = pod.spec.as_ref().map(|s| text(&s.priority_class_name).to_owned()).unwrap_or_default();
    let class = if name.is_empty() {
        default_class(request.store)
    } else {
        let missing = || request.forbidden(format!("no PriorityClass with name {name} was found"));
        Some(request.store.get::<PriorityClass>("", &name).ok_or_else(missing)?)
    };
    let (name, priority, policy) = match class {
        Some(class) => (Some(class.name().to_owned()), class.value.unwrap_or(0), class.preemption_policy.clone()),
        None => (None, 0, Some("PreemptLowerPriority".to_owned())),
    };
    let spec = pod.spec.clone().unwrap_or_default();
    if let Some(given) = spec.priority.filter(|given| *given != priority) {
        return Err(request.forbidden(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
        )));
    }
    if let (Some(given), Some(policy)) = (&spec.preemption_policy, &policy)
        && given != policy
    {
        return Err(request.forbidden(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        )));
    }
    let Object::Pod(pod) = &mut request.object else { return Ok(()) };
    let spec = Arc::make_mut(pod).spec.get_or_insert_default();
    spec.priority_class_name = name;
    spec.priority = Some(priority);
    spec.preemption_policy = policy.or(spec.preemption_policy.take());
    Ok(())
}

/// Refuses a second default class.
pub fn validate(request: &Request<'_>) -> Result<(), Status> {
    let Object::PriorityClass(class) = &request.object else { return Ok(()) };
    if class.global_default != Some(true) {
        return Ok(());
    }
    match default_class(request.store) {
        Some(other) if request.operation == Operation::Create || other.name() != class.name() => {
            let name = other.name();
            let why = format!("PriorityClass {name} is already marked as default. Only one default can exist");
            Err(request.forbidden(why))
        }
        _ => Ok(()),
    }
}

/// The default class with the lowest value.
fn default_class(store: &Store) -> Option<&Arc<PriorityClass>> {
    store
        .list::<PriorityClass>()
        .filter(|class| class.global_default == Some(true))
        .min_by_key(|class| class.value.unwrap_or(0))
}
