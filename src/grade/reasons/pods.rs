//! Why a workload is not ready: what holds its pods back, and why it has fewer than it wants.
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;

use super::{MAX, Reason, claims_of, events, said_of};
use crate::api::ApiObject as _;
use crate::api::object::{Kind, Object, ObjectKey};
use crate::cluster::Cluster;

/// The most groups of pods that are told.
const GROUPS: usize = 4;

/// As [`of`](super::of); for an object that makes pods, with the reasons of those that do not run, told once for all of which
/// they are the same.
pub fn with_pods(cluster: &Cluster, key: &ObjectKey) -> Vec<Reason> {
    let mut reasons = super::of(cluster, key);
    let makes_pods = matches!(
        key.kind,
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob
    );
    if !makes_pods {
        return reasons;
    }
    let owned = owned(cluster, key);
    let mut pods: Vec<&Pod> = Vec::new();
    for object in &owned {
        match object {
            Object::Pod(pod) => pods.push(pod),
            // only what it makes pods with says why it cannot
            Object::ReplicaSet(set) if has_all(set) => {}
            other => {
                let mut said = Vec::new();
                events(cluster, &other.key(), &mut said);
                add_new(&mut reasons, said.into_iter().filter(|r| matches!(r, Reason::Event { warning: true, .. })));
            }
        }
    }
    add_new(&mut reasons, of_pods(cluster, &pods));
    reasons.truncate(MAX);
    reasons
}

/// Why pods do not run, told once for all of which it is the same.
pub(in crate::grade) fn of_pods(cluster: &Cluster, pods: &[&Pod]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut groups: Vec<(String, Vec<&Pod>, Vec<String>)> = Vec::new();
    for pod in pods {
        let said = said_of(cluster, pod);
        // the same but for the pod's own name
        let text = said.join("\n").replace(pod.uid(), "").replace(pod.name(), "");
        match groups.iter_mut().find(|(other, ..)| *other == text) {
            _ if said.is_empty() => {}
            Some((_, pods, _)) => pods.push(pod),
            None => groups.push((text, vec![pod], said)),
        }
    }
    for (_, pods, said) in groups.into_iter().take(GROUPS) {
        let keys: Vec<ObjectKey> =
            pods.iter().map(|pod| ObjectKey::new(Kind::Pod, pod.namespace(), pod.name())).collect();
        let mut found: Vec<Reason> = said
            .into_iter()
            .map(|message| match keys.as_slice() {
                [pod] => Reason::Pod { pod: pod.clone(), message },
                _ => Reason::Pods { pods: keys.clone(), message },
            })
            .collect();
        if let Some(pod) = pods.first() {
            claims_of(cluster, pod, &mut found);
        }
        add_new(&mut reasons, found);
    }
    reasons
}

/// Whether a ReplicaSet has the pods it wants, so that what was said before is out of date.
fn has_all(set: &ReplicaSet) -> bool {
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    set.status.as_ref().is_some_and(|status| status.replicas >= wanted)
}

/// Adds reasons that are not told yet.
fn add_new(reasons: &mut Vec<Reason>, more: impl IntoIterator<Item = Reason>) {
    for reason in more {
        let told = |other: &Reason| match (other, &reason) {
            (Reason::Condition { message, .. } | Reason::Event { message, .. }, Reason::Event { message: new, .. }) => {
                // each attempt is refused under another generated name
                message.contains(new.split_once(" is forbidden: ").map_or(new.as_str(), |(_, why)| why))
            }
            (other, reason) => other == reason,
        };
        if !reasons.iter().any(told) {
            reasons.push(reason);
        }
    }
}

/// Everything an object owns, and what that owns, as far as it makes pods or is one; by kind and name.
fn owned<'a>(cluster: &'a Cluster, key: &ObjectKey) -> Vec<&'a Object> {
    let store = cluster.api().store();
    let Some(root) = store.object(key.kind, &key.namespace, &key.name) else { return Vec::new() };
    let mut uids = vec![root.metadata().uid.clone().unwrap_or_default()];
    let mut found: Vec<&Object> = Vec::new();
    for kind in [Kind::ReplicaSet, Kind::Job, Kind::Pod] {
        for object in store.objects_of(kind).filter(|object| object.namespace() == key.namespace) {
            let owners = object.metadata().owner_references.iter().flatten();
            if owners.filter(|owner| owner.controller == Some(true)).any(|owner| uids.contains(&owner.uid)) {
                uids.push(object.metadata().uid.clone().unwrap_or_default());
                found.push(object);
            }
        }
    }
    found
}
