//! PodSecurity (`plugin/pkg/admission/security/podsecurity`, `k8s.io/pod-security-admission`): what a namespace's labels
//! `pod-security.kubernetes.io/…` allow its pods. Without labels everything is allowed.
mod baseline;
mod policy;
mod restricted;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Namespace, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Operation, Request};
use crate::api::object::{ApiObject, Kind, Object};
use crate::api::status::Status;
use policy::{Level, LevelVersion, Policy};

/// What a check found, with what exactly is forbidden (`CheckResult`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Violation {
    reason: String,
    detail: String,
}

fn violation(reason: &str, detail: String) -> Option<Violation> {
    Some(Violation { reason: reason.to_owned(), detail })
}

/// All containers of a pod, in the order in which checks look at them (`visitContainers`).
fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// `container "a"`, `containers "a", "b"`.
fn named(what: &str, names: &[&str]) -> String {
    format!("{} {}", plural(what, names.len()), quoted(names))
}

fn plural(what: &str, count: usize) -> String {
    if count == 1 { what.to_owned() } else { format!("{what}s") }
}

fn quoted<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    items.join(", ")
}

/// A pod and containers that set something they must not: `pod and container "a"`.
fn setters(pod: bool, containers: &[&str]) -> Option<String> {
    let mut all: Vec<String> = pod.then(|| "pod".to_owned()).into_iter().collect();
    if !containers.is_empty() {
        all.push(named("container", containers));
    }
    (!all.is_empty()).then(|| all.join(" and "))
}

/// What a level forbids of a pod, check by check (`EvaluatePod`).
fn evaluate(level: LevelVersion, metadata: &ObjectMeta, spec: &PodSpec) -> Vec<Violation> {
    let restricted = match level.level {
        Level::Privileged => return Vec::new(),
        Level::Baseline => false,
        Level::Restricted => true,
    };
    let mut found = baseline::check(level.minor, restricted, metadata, spec);
    if restricted {
        found.extend(restricted::check(level.minor, spec));
    }
    found
}

/// `host ports (…), privileged (…)`.
fn in_detail(violations: &[Violation]) -> String {
    let each = violations.iter().map(|v| match v.detail.as_str() {
        "" => v.reason.clone(),
        detail => format!("{} ({detail})", v.reason),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Refuses pods and namespaces; the warnings of what is let in.
pub fn validate(request: &Request<'_>) -> Result<Vec<String>, Status> {
    match &request.object {
        Object::Namespace(namespace) => validate_namespace(request, namespace),
        Object::Pod(pod) => validate_pod(request, pod),
        other => Ok(template(other).map_or_else(Vec::new, |(metadata, spec)| {
            let policy = of_namespace(request, other.namespace());
            warnings(&policy, metadata, spec)
        })),
    }
}

fn of_namespace(request: &Request<'_>, name: &str) -> Policy {
    let namespace = request.store.get::<Namespace>("", name);
    Policy::of(namespace.and_then(|n| n.metadata.labels.as_ref())).0
}

fn warnings(policy: &Policy, metadata: &ObjectMeta, spec: &PodSpec) -> Vec<String> {
    let found = evaluate(policy.warn, metadata, spec);
    if found.is_empty() {
        return Vec::new();
    }
    vec![format!("would violate PodSecurity \"{}\": {}", policy.warn, in_detail(&found))]
}

fn validate_pod(request: &Request<'_>, pod: &Pod) -> Result<Vec<String>, Status> {
    if let Some(Object::Pod(old)) = &request.old
        && !is_significant(pod, old)
    {
        return Ok(Vec::new());
    }
    let policy = of_namespace(request, pod.namespace());
    let spec = pod.spec.clone().unwrap_or_default();
    let found = evaluate(policy.enforce, &pod.metadata, &spec);
    if !found.is_empty() {
        return Err(request.forbidden(format!("violates PodSecurity \"{}\": {}", policy.enforce, in_detail(&found))));
    }
    Ok(warnings(&policy, &pod.metadata, &spec))
}

/// Whether an update of a pod has to be looked at: only images matter (`isSignificantPodUpdate`).
fn is_significant(pod: &Pod, old: &Pod) -> bool {
    let images = |pod: &Pod| {
        let spec = pod.spec.clone().unwrap_or_default();
        let of = |all: &[Container]| all.iter().map(|c| c.image.clone()).collect::<Vec<_>>();
        (of(&spec.containers), of(spec.init_containers.as_deref().unwrap_or_default()))
    };
    images(pod) != images(old)
}

fn validate_namespace(request: &Request<'_>, namespace: &Namespace) -> Result<Vec<String>, Status> {
    let (policy, errors) = Policy::of(namespace.metadata.labels.as_ref());
    let old = match &request.old {
        Some(Object::Namespace(old)) if request.operation == Operation::Update => old,
        _ if errors.is_empty() => return Ok(Vec::new()),
        _ => return Err(Status::invalid(Kind::Namespace, namespace.name(), errors)),
    };
    let (before, old_errors) = Policy::of(old.metadata.labels.as_ref());
    if !errors.is_empty() && errors != old_errors {
        return Err(Status::invalid(Kind::Namespace, namespace.name(), errors));
    }
    let (enforce, before) = (policy.enforce, before.enforce);
    let relaxed = enforce.version() == before.version() && enforce.level <= before.level;
    if enforce == before || enforce.level == Level::Privileged || relaxed {
        return Ok(Vec::new());
    }
    Ok(existing_pods(request, namespace.name(), enforce))
}

/// What is said of the pods that are there when a namespace's level rises (`EvaluatePodsInNamespace`).
fn existing_pods(request: &Request<'_>, namespace: &str, enforce: LevelVersion) -> Vec<String> {
    let mut pods_of: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for pod in request.store.list_in::<Pod>(namespace) {
        let spec = pod.spec.clone().unwrap_or_default();
        let found = evaluate(enforce, &pod.metadata, &spec);
        if !found.is_empty() {
            let reasons: Vec<&str> = found.iter().map(|v| v.reason.as_str()).collect();
            pods_of.entry(reasons.join(", ")).or_default().insert(pod.name());
        }
    }
    if pods_of.is_empty() {
        return Vec::new();
    }
    let mut each: Vec<String> = pods_of
        .iter()
        .map(|(reasons, pods)| {
            let first = pods.first().copied().unwrap_or_default();
            match pods.len() {
                1 => format!("{first}: {reasons}"),
                2 => format!("{first} (and 1 other pod): {reasons}"),
                more => format!("{first} (and {} other pods): {reasons}", more - 1),
            }
        })
        .collect();
    each.sort();
    let headline =
        format!("existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{enforce}\"");
    std::iter::once(headline).chain(each).collect()
}

/// The pod that a controller's object makes (`PodSpecExtractor`).
fn template(object: &Object) -> Option<(&ObjectMeta, &PodSpec)> {
    static NOTHING: std::sync::LazyLock<ObjectMeta> = std::sync::LazyLock::new(Default::default);
    let template = match object {
        Object::Deployment(d) => &d.spec.as_ref()?.template,
        Object::ReplicaSet(r) => r.spec.as_ref()?.template.as_ref()?,
        Object::StatefulSet(s) => &s.spec.as_ref()?.template,
        Object::DaemonSet(d) => &d.spec.as_ref()?.template,
        Object::Job(j) => &j.spec.as_ref()?.template,
        Object::CronJob(c) => &c.spec.job_template.spec.as_ref()?.template,
        _ => return None,
    };
    Some((template.metadata.as_ref().unwrap_or(&NOTHING), template.spec.as_ref()?))
}

#[cfg(test)]
mod tests;
