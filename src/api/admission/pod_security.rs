//! PodSecurity (`plugin/pkg/admission/security/podsecurity`, `k8s.io/pod-security-admission/admission`), with the
//! defaults of an API server that was given no configuration: everything privileged, nothing exempt.
pub mod baseline;
pub mod checks;
pub mod policy;
pub mod restricted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Namespace, Pod, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Object};
use crate::api::status::Status;
use checks::{evaluate, forbidden_detail, forbidden_reason};
use policy::{Level, LevelVersion, policy_to_evaluate};

/// More pods of a namespace than this are not looked at when its enforced level changes.
const MAX_PODS_TO_CHECK: usize = 3000;

/// Refuses pods that violate the policy their namespace enforces, warns about pods and workloads that violate the one
/// it warns of, and checks the labels of namespaces.
pub fn validate(request: &mut Request<'_>) -> Result<(), Status> {
    match &request.object {
        Object::Namespace(namespace) => {
            let warnings = validate_namespace(request, namespace)?;
            request.warnings.extend(warnings);
            Ok(())
        }
        Object::Pod(pod) => {
            if let Some(Object::Pod(old)) = &request.old
                && !is_significant_update(pod, old)
            {
                return Ok(());
            }
            let (metadata, spec) = (pod.metadata.clone(), pod.spec.clone().unwrap_or_default());
            evaluate_pod(request, &metadata, &spec, true)
        }
        object => {
            let Some(template) = template_of(object).cloned() else { return Ok(()) };
            let metadata = template.metadata.unwrap_or_default();
            evaluate_pod(request, &metadata, &template.spec.unwrap_or_default(), false)
        }
    }
}

/// The pod template of a workload (`ExtractPodSpec`).
fn template_of(object: &Object) -> Option<&PodTemplateSpec> {
    match object {
        Object::ReplicaSet(o) => o.spec.as_ref()?.template.as_ref(),
        Object::Deployment(o) => Some(&o.spec.as_ref()?.template),
        Object::DaemonSet(o) => Some(&o.spec.as_ref()?.template),
        Object::StatefulSet(o) => Some(&o.spec.as_ref()?.template),
        Object::Job(o) => Some(&o.spec.as_ref()?.template),
        Object::CronJob(o) => Some(&o.spec.job_template.spec.as_ref()?.template),
        _ => None,
    }
}

/// `EvaluatePod`; a workload's own request is never refused.
fn evaluate_pod(request: &mut Request<'_>, metadata: &ObjectMeta, spec: &PodSpec, enforce: bool) -> Result<(), Status> {
    let namespace = request.store.get::<Namespace>("", request.object.namespace());
    let Some(labels) = namespace.and_then(|n| n.metadata.labels.as_ref()) else { return Ok(()) };
    let (policy, _) = policy_to_evaluate(labels);
    if enforce {
        let findings = evaluate(policy.enforce, metadata, spec);
        if !findings.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, forbidden_detail(&findings));
            let name = request.object.metadata().name.clone().unwrap_or_default();
            return Err(Status::forbidden(request.object.kind(), &name, why));
        }
    }
    let findings = evaluate(policy.warn, metadata, spec);
    if !findings.is_empty() {
        let warning = format!("would violate PodSecurity \"{}\": {}", policy.warn, forbidden_detail(&findings));
        request.warnings.push(warning);
    }
    Ok(())
}

/// `ValidateNamespace`: labels must be readable, and a stricter level is tried on the pods that are there.
fn validate_namespace(request: &Request<'_>, namespace: &Namespace) -> Result<Vec<String>, Status> {
    let none = BTreeMap::new();
    let (policy, errors) = policy_to_evaluate(namespace.metadata.labels.as_ref().unwrap_or(&none));
    let invalid = |errors| Err(Status::invalid(request.object.kind(), namespace.name(), errors));
    let (Operation::Update, Some(Object::Namespace(old))) = (request.operation, &request.old) else {
        return if errors.is_empty() { Ok(Vec::new()) } else { invalid(errors) };
    };
    let (old_policy, old_errors) = policy_to_evaluate(old.metadata.labels.as_ref().unwrap_or(&none));
    if !errors.is_empty() && errors != old_errors {
        return invalid(errors);
    }
    let (new, old) = (policy.enforce, old_policy.enforce);
    let relaxed = new.version == old.version && new.level <= old.level;
    if new == old || new.level == Level::Privileged || relaxed {
        return Ok(Vec::new());
    }
    Ok(evaluate_pods_in_namespace(request, namespace.name(), new))
}

/// `EvaluatePodsInNamespace`: one line for each set of reasons, with the first pod's name.
fn evaluate_pods_in_namespace(request: &Request<'_>, namespace: &str, enforce: LevelVersion) -> Vec<String> {
    let pods = prioritized(request.store.list_in::<Pod>(namespace).map(AsRef::as_ref));
    let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for pod in pods.iter().take(MAX_PODS_TO_CHECK) {
        let empty = PodSpec::default();
        let findings = evaluate(enforce, &pod.metadata, pod.spec.as_ref().unwrap_or(&empty));
        if !findings.is_empty() {
            found.entry(forbidden_reason(&findings)).or_default().insert(pod.name());
        }
    }
    let mut warnings = Vec::new();
    if pods.len() > MAX_PODS_TO_CHECK {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {MAX_PODS_TO_CHECK} of {} existing pods",
            pods.len()
        ));
    }
    if !found.is_empty() {
        let line = format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{enforce}\""
        );
        warnings.push(line);
    }
    let mut lines: Vec<String> = found
        .iter()
        .map(|(reason, pods)| {
            let first = pods.first().copied().unwrap_or_default();
            match pods.len() {
                1 => format!("{first}: {reason}"),
                2 => format!("{first} (and 1 other pod): {reason}"),
                count => format!("{first} (and {} other pods): {reason}", count - 1),
            }
        })
        .collect();
    lines.sort();
    warnings.extend(lines);
    warnings
}

/// Pods of a controller that was seen already come last (`prioritizePods`).
fn prioritized<'a>(pods: impl Iterator<Item = &'a Pod>) -> Vec<&'a Pod> {
    let mut seen = BTreeSet::new();
    let (mut first, later): (Vec<&Pod>, Vec<&Pod>) =
        pods.partition(|pod| pod.controller().is_none_or(|owner| seen.insert(owner.uid.clone())));
    first.extend(later);
    first
}

/// Only other containers or images matter (`isSignificantPodUpdate`).
fn is_significant_update(pod: &Pod, old: &Pod) -> bool {
    let empty = PodSpec::default();
    let (new, old) = (pod.spec.as_ref().unwrap_or(&empty), old.spec.as_ref().unwrap_or(&empty));
    let images = |containers: &[Container]| containers.iter().map(|c| c.image.clone()).collect::<Vec<_>>();
    let init = |spec: &PodSpec| images(spec.init_containers.as_deref().unwrap_or_default());
    images(&new.containers) != images(&old.containers) || init(new) != init(old)
}
