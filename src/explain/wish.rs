//! What is not as its author would wish.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PersistentVolume, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::Value;

use crate::api::object::{ApiObject as _, Kind, Object, ObjectKey};
use crate::api::store::Store;
use crate::cluster::Cluster;
use crate::storage;
use crate::timeline::kubectl::Output;
use crate::timeline::record::visible_objects;

/// Something that is not as one would wish.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A file that cannot be read to its end.
    Unreadable {
        /// Its name.
        file: String,
    },
    /// A document that was refused.
    Refused {
        /// Its kind as it is written.
        kind: String,
        /// Its namespace as it is written.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// An object that waits, or does not work.
    Object(ObjectKey),
}

/// Everything that is not as one would wish, what is refused first. Pods that belong to something are told by it.
pub fn troubles(cluster: &Cluster, output: &Output) -> Vec<Subject> {
    let mut subjects = BTreeSet::new();
    for problem in output.problems.iter().filter(|problem| !problem.warning) {
        if let Some(error) = &problem.unreadable {
            subjects.insert(Subject::Unreadable { file: error.source.name.clone() });
        }
        if let Some(document) = &problem.document {
            let text = |pointer: &str| {
                let value = document.value.pointer(pointer);
                value.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let (kind, namespace, name) = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
            subjects.insert(Subject::Refused { kind, namespace, name });
        }
    }
    let store = cluster.api().store();
    for object in visible_objects(store).filter(|object| !is_as_wished(object) || !is_used(store, object)) {
        subjects.insert(Subject::Object(top_owner(store, object)));
    }
    subjects.into_iter().collect()
}

/// The object that owns an object, and what owns that.
pub fn top_owner(store: &Store, object: &Object) -> ObjectKey {
    let mut object = object;
    // nobody owns himself, but a manifest can say so
    for _ in 0..4 {
        let owner = object.metadata().owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
        let Some(owner) = owner else { break };
        let kind = Kind::ALL.iter().find(|kind| kind.name() == owner.kind);
        match kind.and_then(|kind| store.object(*kind, object.namespace(), &owner.name)) {
            Some(found) => object = found,
            None => break,
        }
    }
    object.key()
}

/// Whether an object is what its author hoped for: bound, running, complete.
pub fn is_as_wished(object: &Object) -> bool {
    let value = object.to_value();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    if object.metadata().deletion_timestamp.is_some() {
        return false;
    }
    match object.kind() {
        Kind::PersistentVolume => text("/status/phase") != "Failed",
        Kind::PersistentVolumeClaim => text("/status/phase") == "Bound",
        Kind::Pod => match text("/status/phase") {
            "Succeeded" => true,
            "Running" => value.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|c| c.get("type") == Some(&"Ready".into()) && c.get("status") == Some(&"True".into()))
            }),
            _ => false,
        },
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet => {
            number("/status/readyReplicas") >= number("/spec/replicas")
        }
        Kind::DaemonSet => number("/status/numberReady") >= number("/status/desiredNumberScheduled"),
        Kind::Job => number("/status/failed") == 0,
        _ => true,
    }
}

/// Whether a Service leads anywhere, and a volume is not left over from a claim that is gone.
fn is_used(store: &Store, object: &Object) -> bool {
    match object {
        Object::Service(service) => leads_somewhere(store, service),
        Object::PersistentVolume(volume) => storage::volume_phase(volume) != "Released" || is_leftover_wanted(volume),
        _ => true,
    }
}

/// A volume that is about to be deleted or emptied waits for nothing.
fn is_leftover_wanted(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    policy != Some("Retain")
}

fn leads_somewhere(store: &Store, service: &Service) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    if selector.is_none_or(|selector| selector.is_empty()) {
        return true;
    }
    let own =
        |slice: &&std::sync::Arc<EndpointSlice>| slice.label("kubernetes.io/service-name") == Some(service.name());
    store.list_in::<EndpointSlice>(service.namespace()).filter(own).any(|slice| {
        let ports = slice.ports.as_ref().is_some_and(|ports| !ports.is_empty());
        let headless = service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None");
        (ports || headless)
            && slice.endpoints.iter().flatten().any(|e| e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true))
    })
}

/// Why something waits that no component says anything about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A Service's selector matches pods, or none, and none of them is ready.
    NoReadyPods {
        /// The selector, as on the command line.
        selector: String,
        /// How many pods it matches.
        pods: usize,
    },
    /// A volume still belongs to a claim that is gone.
    Leftover {
        /// The claim: `namespace/name`.
        claim: String,
    },
}

/// What can be said of an object that waits.
pub fn remark(store: &Store, key: &ObjectKey) -> Option<Remark> {
    match store.object(key.kind, &key.namespace, &key.name)? {
        Object::Service(service) => {
            let selector = service.spec.as_ref()?.selector.as_ref()?;
            let matches = |pod: &&std::sync::Arc<Pod>| {
                selector.iter().all(|(label, value)| pod.label(label) == Some(value.as_str()))
            };
            let pods = store.list_in::<Pod>(&key.namespace).filter(matches).count();
            let selector: Vec<String> = selector.iter().map(|(label, value)| format!("{label}={value}")).collect();
            Some(Remark::NoReadyPods { selector: selector.join(","), pods })
        }
        Object::PersistentVolume(volume) => {
            let (namespace, name, _) = storage::claim_ref(volume)?;
            Some(Remark::Leftover { claim: format!("{namespace}/{name}") })
        }
        _ => None,
    }
}
