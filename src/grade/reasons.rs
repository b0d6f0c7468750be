//! Why an object is as it is: what the cluster's own components say about it, the nearest cause first.
mod pods;

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use serde_json::Value;

use crate::api::ApiObject as _;
use crate::api::event::EventType;
use crate::api::object::{Kind, Object, ObjectKey};
use crate::cluster::Cluster;
use crate::controllers::persistent_volume_binder::{ClaimState, Explanation, explain};
use crate::dns::WhyNot;
use crate::kubelet;
pub(super) use pods::of_pods;
pub use pods::with_pods;

use crate::storage::{self, ClaimNeeds, PassedOver, Rule, Verdict};

/// One reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A volume was not for a claim.
    PassedOver {
        /// The claim.
        claim: ObjectKey,
        /// The volume.
        volume: String,
        /// Why.
        why: PassedOver,
    },
    /// What a claim that is not bound waits for.
    Claim {
        /// The claim.
        claim: ObjectKey,
        /// What it waits for.
        state: ClaimState,
    },
    /// A claim is bound to another volume than was expected.
    NotChosen {
        /// The volume that was expected.
        volume: String,
        /// The volume it is bound to.
        chosen: String,
        /// Why.
        why: NotChosen,
    },
    /// A condition in the object's status is not true.
    Condition {
        /// The object.
        object: ObjectKey,
        /// The condition's type.
        condition: String,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
    },
    /// A StatefulSet waits for one of its pods.
    Replicas {
        /// The set.
        set: ObjectKey,
        /// Pods that are ready.
        ready: i32,
        /// Pods that are wanted.
        wanted: i32,
        /// The first pod that is not ready, if the set makes its pods one after another.
        waits_for: Option<String>,
    },
    /// Why a pod does not run, in the cluster's words.
    Pod {
        /// The pod.
        pod: ObjectKey,
        /// Why.
        message: String,
    },
    /// Why several pods of a workload do not run, in the cluster's words.
    Pods {
        /// The pods.
        pods: Vec<ObjectKey>,
        /// Why; where it names a pod or what belongs to it, the first one's.
        message: String,
    },
    /// Why a name does not lead where it is to.
    Name(WhyNot),
    /// Something that was recorded about the object.
    Event {
        /// The object.
        object: ObjectKey,
        /// Whether it is a warning.
        warning: bool,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// Why the volume controller took one volume and not another.
#[derive(Clone, Debug, PartialEq)]
pub enum NotChosen {
    /// The other does not fit.
    PassedOver(PassedOver),
    /// The other is larger.
    Larger {
        /// The other's size.
        has: String,
        /// The size of the one it took.
        chosen_has: String,
    },
    /// The other offers more access modes.
    MoreModes,
    /// The volume was made for the claim, which then had no need of another.
    MadeForIt,
    /// Nothing: it could have taken the other as well.
    Equal,
}

/// Says how many pods of a StatefulSet are ready and, when it makes them in order, which one the others wait for.
fn stateful_set(cluster: &Cluster, key: &ObjectKey, set: &StatefulSet, reasons: &mut Vec<Reason>) {
    let Some(spec) = &set.spec else { return };
    let wanted = spec.replicas.unwrap_or(1);
    let ready = set.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0);
    if ready >= wanted {
        return;
    }
    let is_ready = |name: &str| {
        let pod = cluster.api().store().get::<Pod>(&key.namespace, name);
        let conditions = pod.and_then(|p| p.status.as_ref()).and_then(|s| s.conditions.as_deref()).unwrap_or_default();
        conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
    };
    let start = spec.ordinals.as_ref().and_then(|o| o.start).unwrap_or(0);
    let in_order = spec.pod_management_policy.as_deref() != Some("Parallel");
    let mut names = (start..start.saturating_add(wanted)).map(|ordinal| format!("{}-{ordinal}", key.name));
    let waits_for = names.find(|name| !is_ready(name)).filter(|_| in_order);
    reasons.push(Reason::Replicas { set: key.clone(), ready, wanted, waits_for });
}

/// The most reasons that are given for one object.
const MAX: usize = 12;

/// The reasons why an object is not as one would wish; none when nothing speaks against it.
pub fn of(cluster: &Cluster, key: &ObjectKey) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let object = cluster.api().store().object(key.kind, &key.namespace, &key.name);
    if let Some(object) = object {
        if key.kind == Kind::PersistentVolumeClaim {
            claim(cluster, key, &mut reasons);
        }
        if key.kind == Kind::Pod {
            pod(cluster, key, &mut reasons);
        }
        if let Object::StatefulSet(set) = object {
            stateful_set(cluster, key, set, &mut reasons);
        }
        if key.kind != Kind::Pod
            && let Some(value) = cluster.api().store().value(key.kind, &key.namespace, &key.name)
        {
            conditions(key, value, &mut reasons);
        }
    }
    events(cluster, key, &mut reasons);
    reasons.truncate(MAX);
    reasons
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Why a claim is not bound: what is the matter with each volume.
fn claim(cluster: &Cluster, key: &ObjectKey, reasons: &mut Vec<Reason>) {
    let store = cluster.api().store();
    let Some(claim) = store.get::<PersistentVolumeClaim>(&key.namespace, &key.name) else { return };
    let Some(Explanation { state, mut volumes }) = explain(store, cluster.environment(), claim) else { return };
    reasons.push(Reason::Claim { claim: key.clone(), state });
    // what belongs to others is of least interest
    volumes.sort_by_key(|(_, why)| matches!(why, PassedOver::BoundTo { .. } | PassedOver::Released { .. }));
    reasons.extend(volumes.into_iter().map(|(volume, why)| Reason::PassedOver { claim: key.clone(), volume, why }));
}

/// Why a claim that looked for a volume got another one than was expected.
pub(super) fn not_chosen(cluster: &Cluster, key: &ObjectKey, expected: &str) -> Option<Reason> {
    let store = cluster.api().store();
    let claim = store.get::<PersistentVolumeClaim>(&key.namespace, &key.name)?;
    let chosen = store.get::<PersistentVolume>("", storage::volume_name(claim))?;
    let other = store.get::<PersistentVolume>("", expected)?;
    if storage::claim_phase(claim) != "Bound" || claim.annotation(storage::BOUND_BY_CONTROLLER).is_none() {
        return None;
    }
    let modes = |volume: &PersistentVolume| {
        let spec = storage::volume_spec(volume);
        spec.access_modes.iter().flatten().collect::<BTreeSet<_>>().len()
    };
    let needs = ClaimNeeds::of(claim);
    let (size, chosen_size) = (storage::volume_capacity(other), storage::volume_capacity(chosen));
    let why = match needs.consider(other, None, false) {
        Verdict::PassedOver(rule) => NotChosen::PassedOver(needs.explain(rule, other)),
        _ if !storage::check_access_modes(claim, other) => {
            NotChosen::PassedOver(needs.explain(Rule::AccessModes, other))
        }
        _ if chosen.annotation(storage::PROVISIONED_BY).is_some() => NotChosen::MadeForIt,
        _ if modes(other) > modes(chosen) => NotChosen::MoreModes,
        _ if size > chosen_size => NotChosen::Larger { has: size.to_string(), chosen_has: chosen_size.to_string() },
        _ => NotChosen::Equal,
    };
    Some(Reason::NotChosen { volume: other.name().to_owned(), chosen: chosen.name().to_owned(), why })
}

/// Why a pod does not run, and why the claims are not bound that it waits for.
fn pod(cluster: &Cluster, key: &ObjectKey, reasons: &mut Vec<Reason>) {
    let store = cluster.api().store();
    let Some(pod) = store.get::<Pod>(&key.namespace, &key.name) else { return };
    let said = said_of(cluster, pod);
    if said.is_empty() {
        return;
    }
    reasons.extend(said.into_iter().map(|message| Reason::Pod { pod: key.clone(), message }));
    claims_of(cluster, pod, reasons);
}

/// Why a pod does not run, in the cluster's words.
fn said_of(cluster: &Cluster, pod: &Pod) -> Vec<String> {
    let store = cluster.api().store();
    let mut said = kubelet::explain::explain(store, cluster.api().events(), pod);
    if kubelet::explain::is_creating(pod) {
        // first, as nothing else says it
        said.splice(0..0, kubelet::volume_manager::without_driver(store, cluster.environment(), pod));
    }
    said
}

/// Why the claims are not bound that a pod uses.
fn claims_of(cluster: &Cluster, pod: &Pod, reasons: &mut Vec<Reason>) {
    let store = cluster.api().store();
    for name in storage::claim_names(pod) {
        let claim_key = ObjectKey::new(Kind::PersistentVolumeClaim, pod.namespace(), &name);
        if store.get::<PersistentVolumeClaim>(pod.namespace(), &name).is_some() {
            claim(cluster, &claim_key, reasons);
        }
    }
}

/// Conditions whose being false is bad news.
const GOOD: &[&str] = &["PodScheduled", "Available", "Progressing"];
/// Conditions whose being true is bad news.
const BAD: &[&str] = &["ReplicaFailure", "Failed"];

fn conditions(key: &ObjectKey, value: &Value, reasons: &mut Vec<Reason>) {
    for condition in value.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten() {
        let (condition_type, status) = (text(condition, "/type"), text(condition, "/status"));
        let bad = (GOOD.contains(&condition_type) && status == "False")
            || (BAD.contains(&condition_type) && status == "True");
        let (reason, message) = (text(condition, "/reason").to_owned(), text(condition, "/message").to_owned());
        if bad && !message.is_empty() {
            reasons.push(Reason::Condition {
                object: key.clone(),
                condition: condition_type.to_owned(),
                reason,
                message,
            });
        }
    }
}

/// Warnings, and the normal events that say what something waits for; one for each reason, the last.
fn events(cluster: &Cluster, key: &ObjectKey, reasons: &mut Vec<Reason>) {
    const WAITING: &[&str] = &["FailedBinding", "WaitForFirstConsumer", "ExternalProvisioning", "WaitForPodScheduled"];
    let mut last: Vec<&crate::api::event::Event> = Vec::new();
    // once a pod runs, what it waited for does not matter
    let runs = key.kind == Kind::Pod && reasons.is_empty();
    if runs {
        return;
    }
    for event in cluster.api().events().about(key) {
        // no answer can do anything about there being no metrics
        if key.kind == Kind::HorizontalPodAutoscaler && event.reason.contains("Metric") {
            continue;
        }
        let warning = event.event_type == EventType::Warning;
        if warning || WAITING.contains(&event.reason.as_str()) {
            last.retain(|other| other.reason != event.reason);
            last.push(event);
        }
    }
    if key.kind == Kind::PersistentVolumeClaim {
        // what was said before the last event is out of date
        last.sort_by_key(|event| event.last_timestamp);
        last.drain(..last.len().saturating_sub(1));
    }
    for event in last {
        let said = |reason: &Reason| match reason {
            Reason::Condition { message, .. } | Reason::Pod { message, .. } => message.contains(event.said()),
            _ => false,
        };
        if !reasons.iter().any(said) {
            reasons.push(Reason::Event {
                object: key.clone(),
                warning: event.event_type == EventType::Warning,
                reason: event.reason.clone(),
                message: event.said().to_owned(),
            });
        }
    }
}
