//! A played timeline as JSON, in the form of the recordings (`tests/conformance/README.md`).
use serde_json::{Value, json};

use super::{PlayedStep, Timeline, play};
use crate::api::kinds::endpoints::is_managed;
use crate::api::{Kind, Object, Store};
use crate::cluster::Cluster;

/// Plays a timeline and tells what happened: per step what kubectl printed and all objects, and the events.
pub fn to_json(timeline: &Timeline) -> Value {
    let (steps, cluster) = play(timeline);
    played_to_json(&steps, &cluster)
}

/// As [`to_json`], of a timeline that was played.
pub fn played_to_json(steps: &[PlayedStep], cluster: &Cluster) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!({
                "exitCode": step.output.exit_code,
                "stdout": step.output.stdout,
                "stderr": step.output.stderr,
                "objects": visible_objects(&step.store).map(Object::to_value).collect::<Vec<_>>(),
            })
        })
        .collect();
    let events: Vec<Value> = cluster
        .api()
        .events()
        .iter()
        .filter(|event| !event.is_gone)
        .map(|event| {
            json!({
                "type": event.event_type.as_str(),
                "reason": event.reason,
                "kind": event.involved_object.kind.name(),
                "namespace": event.involved_object.namespace,
                "name": event.involved_object.name,
                "message": event.message,
            })
        })
        .collect();
    json!({ "steps": steps, "events": events })
}

/// The objects a user made or caused: without what every cluster and every namespace has from the start.
pub fn visible_objects(store: &Store) -> impl Iterator<Item = &Object> {
    store.objects().filter(|object| !is_furniture(object))
}

/// Whether an object is in every cluster or namespace from the start, or tells nothing that others do not.
pub fn is_furniture(object: &Object) -> bool {
    let system = |namespace: &str| namespace.starts_with("kube-");
    match object.kind() {
        Kind::Node => true,
        Kind::Namespace => object.name() == "default" || system(object.name()),
        Kind::ServiceAccount if object.name() == "default" => true,
        Kind::ConfigMap if object.name() == "kube-root-ca.crt" => true,
        Kind::Service if object.name() == "kubernetes" && object.namespace() == "default" => true,
        Kind::Endpoints => object.get().is_some_and(|endpoints| is_managed(endpoints)),
        Kind::PriorityClass if object.name().starts_with("system-") => true,
        _ => system(object.namespace()),
    }
}
