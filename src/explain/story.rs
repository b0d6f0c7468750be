//! What happened, in the order of virtual time: who did what, and why.
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::api::event::{Event, EventType};
use crate::api::object::{ApiObject as _, Kind, Object, ObjectKey};
use crate::api::store::Change;
use crate::cluster::Cluster;
use crate::cluster::journal::{Deed, Entry};
use crate::grade::reasons::{NotChosen, Reason};
use crate::storage::{self, ClaimNeeds, Rule, Verdict};
use crate::timeline::apply::LAST_APPLIED;
use crate::timeline::record::is_furniture;

/// One line of the story.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Seconds of virtual time since the answer was applied.
    pub seconds: i64,
    /// Who: a component, as its events name it.
    pub actor: &'static str,
    /// What.
    pub what: What,
    /// The objects it was done to, all of one kind.
    pub objects: Vec<ObjectKey>,
    /// Why, and why not otherwise.
    pub reasons: Vec<Reason>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Made by a client.
    Created,
    /// Changed by a client.
    Configured,
    /// Made by a controller for another object.
    CreatedFor(ObjectKey),
    /// A claim that names no class was given the default one.
    DefaultClass(String),
    /// A claim was bound to a volume that was looked for.
    Bound {
        /// The volume.
        volume: String,
        /// What the claim asked for.
        needs: Needs,
        /// Whether it is the only one that fits, or the best of several.
        only: bool,
    },
    /// A claim was bound to the volume it names, or that is reserved for it.
    BoundNamed {
        /// The volume.
        volume: String,
    },
    /// A claim was bound to a volume that was made for it.
    BoundMade {
        /// The volume.
        volume: String,
        /// Its class.
        class: String,
    },
    /// A volume or another object came into a phase.
    Phase(String),
    /// Pods were assigned to nodes.
    Scheduled(Vec<String>),
    /// Pods run and are ready.
    Started,
    /// Pods have ended: `Succeeded` or `Failed`.
    Ended(String),
    /// A controller wants another number of pods.
    Scaled {
        /// Before.
        from: i64,
        /// After.
        to: i64,
    },
    /// All pods of a workload are ready.
    Ready(i64),
    /// A Service leads to these pods.
    Addresses(Vec<String>),
    /// Marked for deletion.
    Deleting,
    /// Gone.
    Gone,
    /// An event.
    Said {
        /// Whether it is a warning.
        warning: bool,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// What a claim asks of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The size.
    pub size: String,
    /// The access modes.
    pub modes: Vec<String>,
    /// The class; empty for none.
    pub class: String,
    /// What the selector asks, as on the command line.
    pub labels: Vec<String>,
}

/// The most reasons told for one line.
const MAX_REASONS: usize = 6;

/// The story of a cluster that kept a journal.
pub fn story(cluster: &Cluster, start: &Cluster) -> Vec<Line> {
    let entries = cluster.journal().map(|journal| journal.entries()).unwrap_or_default();
    let events: Vec<&Event> = cluster.api().events().iter().collect();
    let zero = entries.iter().find(|entry| entry.actor == "kubectl").or(entries.first()).map(|entry| entry.time);
    let volumes = start.api().store().list::<PersistentVolume>();
    let mut teller = Teller {
        zero: zero.unwrap_or(cluster.api().now()),
        cluster,
        volumes: volumes.map(|volume| (volume.name().to_owned(), volume.clone())).collect(),
        owners: BTreeMap::new(),
        lines: Vec::new(),
    };
    for entry in entries {
        match &entry.deed {
            Deed::Changed(change) => teller.changed(entry, change),
            Deed::Said(number) => {
                if let Some(event) = events.get(*number) {
                    teller.said(entry, event);
                }
            }
        }
    }
    teller.finish()
}

struct Teller<'a> {
    zero: Timestamp,
    cluster: &'a Cluster,
    /// The volumes as they are at the moment that is told.
    volumes: BTreeMap<String, Arc<PersistentVolume>>,
    /// Which object each was made for; also of those that are gone.
    owners: BTreeMap<ObjectKey, ObjectKey>,
    lines: Vec<Line>,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

impl Teller<'_> {
    fn tell(&mut self, entry: &Entry, actor: &'static str, what: What, object: ObjectKey, reasons: Vec<Reason>) {
        let seconds = entry.time.duration_since(self.zero).as_secs().max(0);
        self.lines.push(Line { seconds, actor, what, objects: vec![object], reasons });
    }

    fn changed(&mut self, entry: &Entry, change: &Change) {
        let object = change.object();
        if let Some(owner) = owner(self.cluster, object) {
            self.owners.insert(object.key(), owner);
        }
        let hidden = [Kind::Node, Kind::ControllerRevision, Kind::ResourceQuota];
        if !is_furniture(object) && !hidden.contains(&object.kind()) {
            if object.kind() == Kind::EndpointSlice {
                self.addresses(entry, object);
            } else {
                match (&change.old, &change.new) {
                    (None, Some(new)) => self.created(entry, new),
                    (Some(_), None) => self.tell(entry, entry.actor, What::Gone, object.key(), Vec::new()),
                    (Some(old), Some(new)) => self.updated(entry, old, new),
                    (None, None) => {}
                }
            }
        }
        if let Object::PersistentVolume(volume) = object {
            match change.is_deletion() {
                true => drop(self.volumes.remove(volume.name())),
                false => drop(self.volumes.insert(volume.name().to_owned(), volume.clone())),
            }
        }
    }

    fn created(&mut self, entry: &Entry, object: &Object) {
        let key = object.key();
        if entry.actor == "kubectl" {
            self.tell(entry, entry.actor, What::Created, key.clone(), Vec::new());
        } else {
            let what = match owner(self.cluster, object) {
                Some(owner) => What::CreatedFor(owner),
                None => What::Created,
            };
            self.tell(entry, entry.actor, what, key.clone(), Vec::new());
        }
        if let Object::PersistentVolumeClaim(claim) = object {
            let value = object.to_value();
            let applied = claim.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
            let asked = applied.as_ref().and_then(|value| value.pointer("/spec/storageClassName"));
            let given = text(&value, "/spec/storageClassName");
            if applied.is_some() && asked.is_none() && !given.is_empty() {
                self.tell(entry, "kube-apiserver", What::DefaultClass(given.to_owned()), key, Vec::new());
            }
        }
    }

    fn updated(&mut self, entry: &Entry, old: &Object, new: &Object) {
        let key = new.key();
        if old.metadata().deletion_timestamp.is_none() && new.metadata().deletion_timestamp.is_some() {
            return self.tell(entry, entry.actor, What::Deleting, key, Vec::new());
        }
        let (before, after) = (old.to_value(), new.to_value());
        if entry.actor == "kubectl" && before.get("spec") != after.get("spec") {
            self.tell(entry, entry.actor, What::Configured, key.clone(), Vec::new());
        }
        let phase = (text(&before, "/status/phase"), text(&after, "/status/phase"));
        match (old, new) {
            (Object::PersistentVolumeClaim(old), Object::PersistentVolumeClaim(new)) if phase.0 != phase.1 => {
                let (what, reasons) = match phase.1 {
                    "Bound" => self.bound(old, new),
                    other => (What::Phase(other.to_owned()), Vec::new()),
                };
                self.tell(entry, entry.actor, what, key, reasons);
            }
            (Object::PersistentVolume(_), _) if phase.0 != phase.1 => {
                let noise = phase.1 == "Bound" || (phase.1 == "Available" && matches!(phase.0, "" | "Pending"));
                if !noise {
                    self.tell(entry, entry.actor, What::Phase(phase.1.to_owned()), key, Vec::new());
                }
            }
            (Object::Pod(_), _) => self.pod(entry, key, &before, &after),
            (Object::ReplicaSet(_), _) | (Object::Deployment(_), _) | (Object::StatefulSet(_), _) => {
                let wanted = (number(&before, "/spec/replicas"), number(&after, "/spec/replicas"));
                if entry.actor != "kubectl" && wanted.0 != wanted.1 {
                    let what = What::Scaled { from: wanted.0, to: wanted.1 };
                    self.tell(entry, entry.actor, what, key.clone(), Vec::new());
                }
                let ready = (number(&before, "/status/readyReplicas"), number(&after, "/status/readyReplicas"));
                let is_part = matches!(new, Object::ReplicaSet(_)) && owner(self.cluster, new).is_some();
                if ready.0 != ready.1 && ready.1 == wanted.1 && ready.1 > 0 && !is_part {
                    self.tell(entry, entry.actor, What::Ready(ready.1), key, Vec::new());
                }
            }
            (Object::DaemonSet(_), _) => {
                let ready = (number(&before, "/status/numberReady"), number(&after, "/status/numberReady"));
                if ready.0 != ready.1 && ready.1 == number(&after, "/status/desiredNumberScheduled") {
                    self.tell(entry, entry.actor, What::Ready(ready.1), key, Vec::new());
                }
            }
            (Object::Job(_), _) => {
                let conditions = |value: &Value| {
                    let all = value.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
                    let ended =
                        |c: &&Value| matches!(text(c, "/type"), "Complete" | "Failed") && text(c, "/status") == "True";
                    all.filter(ended).map(|c| text(c, "/type").to_owned()).next()
                };
                let ended = conditions(&after);
                if let Some(ended) = ended.filter(|_| conditions(&before).is_none()) {
                    self.tell(entry, entry.actor, What::Phase(ended), key, Vec::new());
                }
            }
            _ => {}
        }
    }

    fn pod(&mut self, entry: &Entry, key: ObjectKey, before: &Value, after: &Value) {
        let node = (text(before, "/spec/nodeName"), text(after, "/spec/nodeName"));
        if node.0.is_empty() && !node.1.is_empty() {
            self.tell(entry, entry.actor, What::Scheduled(vec![node.1.to_owned()]), key, Vec::new());
            return;
        }
        let phase = (text(before, "/status/phase"), text(after, "/status/phase"));
        if phase.0 != phase.1 && matches!(phase.1, "Succeeded" | "Failed") {
            self.tell(entry, entry.actor, What::Ended(phase.1.to_owned()), key, Vec::new());
        } else if !is_ready(before) && is_ready(after) {
            self.tell(entry, entry.actor, What::Started, key, Vec::new());
        }
    }

    /// Why a claim got this volume and no other.
    fn bound(&self, old: &PersistentVolumeClaim, new: &PersistentVolumeClaim) -> (What, Vec<Reason>) {
        let name = storage::volume_name(new).to_owned();
        let chosen = self.volumes.get(&name);
        let made = chosen.is_some_and(|volume| volume.annotation("pv.kubernetes.io/provisioned-by").is_some());
        if made {
            let class = storage::claim_class(new).to_owned();
            return (What::BoundMade { volume: name, class }, Vec::new());
        }
        let by_controller = new.annotation(storage::BOUND_BY_CONTROLLER).is_some();
        let reserved = chosen.is_some_and(|volume| volume.annotation(storage::BOUND_BY_CONTROLLER).is_none());
        if !by_controller || reserved {
            return (What::BoundNamed { volume: name }, Vec::new());
        }
        let mut asked = old.clone();
        if let Some(spec) = asked.spec.as_mut() {
            spec.volume_name = None;
        }
        let needs = ClaimNeeds::of(&asked);
        let mut only = true;
        let mut reasons = Vec::new();
        let modes =
            |volume: &PersistentVolume| storage::volume_spec(volume).access_modes.as_deref().unwrap_or_default().len();
        for volume in self.volumes.values().filter(|volume| volume.name() != name) {
            let other = volume.name().to_owned();
            let claim = ObjectKey::new(Kind::PersistentVolumeClaim, new.namespace(), new.name());
            match needs.consider(volume, None, false) {
                Verdict::PassedOver(rule) => {
                    reasons.push(Reason::PassedOver { claim, volume: other, why: needs.explain(rule, volume) });
                }
                _ if !storage::check_access_modes(&asked, volume) => {
                    let why = needs.explain(Rule::AccessModes, volume);
                    reasons.push(Reason::PassedOver { claim, volume: other, why });
                }
                _ => {
                    only = false;
                    let Some(chosen) = chosen else { continue };
                    let (has, chosen_has) = (storage::volume_capacity(volume), storage::volume_capacity(chosen));
                    let why = if modes(volume) > modes(chosen) {
                        NotChosen::MoreModes
                    } else if has > chosen_has {
                        NotChosen::Larger { has: has.to_string(), chosen_has: chosen_has.to_string() }
                    } else {
                        NotChosen::Equal
                    };
                    reasons.insert(0, Reason::NotChosen { volume: other, chosen: name.clone(), why });
                }
            }
        }
        reasons.truncate(MAX_REASONS);
        let spec = storage::claim_spec(&asked);
        let selector = spec.selector.as_ref();
        let pairs = selector.and_then(|s| s.match_labels.as_ref()).into_iter().flatten();
        let mut labels: Vec<String> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
        let expressions = selector.and_then(|s| s.match_expressions.as_ref()).into_iter().flatten();
        labels.extend(expressions.map(|e| {
            let values = e.values.as_deref().unwrap_or_default().join(",");
            format!("{} {} {values}", e.key, e.operator).trim_end().to_owned()
        }));
        let needs = Needs {
            size: needs.request.to_string(),
            modes: spec.access_modes.clone().unwrap_or_default(),
            class: needs.class.to_owned(),
            labels,
        };
        (What::Bound { volume: name, needs, only }, reasons)
    }

    fn addresses(&mut self, entry: &Entry, object: &Object) {
        let Object::EndpointSlice(slice) = object else { return };
        let Some(service) = slice.label("kubernetes.io/service-name") else { return };
        let ready = slice
            .endpoints
            .iter()
            .flatten()
            .filter(|endpoint| endpoint.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true));
        let mut pods: Vec<String> =
            ready.filter_map(|e| e.target_ref.as_ref().and_then(|target| target.name.clone())).collect();
        pods.sort();
        let key = ObjectKey::new(Kind::Service, slice.namespace(), service);
        self.tell(entry, entry.actor, What::Addresses(pods), key, Vec::new());
    }

    fn said(&mut self, entry: &Entry, event: &Event) {
        const TELLING: &[&str] =
            &["FailedBinding", "WaitForFirstConsumer", "ExternalProvisioning", "WaitForPodScheduled"];
        const NOISE: &[&str] = &["BackOff"];
        let warning = event.event_type == EventType::Warning;
        if (!warning && !TELLING.contains(&event.reason.as_str())) || NOISE.contains(&event.reason.as_str()) {
            return;
        }
        let (reason, message) = (event.reason.clone(), event.message.clone());
        self.tell(
            entry,
            event.source,
            What::Said { warning, reason, message },
            event.involved_object.clone(),
            Vec::new(),
        );
    }

    /// Puts together what belongs together.
    fn finish(self) -> Vec<Line> {
        let family = |key: &ObjectKey| self.owners.get(key).cloned().unwrap_or_else(|| key.clone());
        let mut lines: Vec<(ObjectKey, Line)> = Vec::new();
        for line in self.lines {
            let Some(own) = line.objects.first().map(&family) else { continue };
            let same =
                lines.iter_mut().rev().take_while(|(_, other)| other.seconds == line.seconds).find(|(of, other)| {
                    let kind = other.objects.first().map(|key| key.kind) == line.objects.first().map(|key| key.kind);
                    other.actor == line.actor
                        && kind
                        && (*of == own || is_said(&line.what))
                        && goes_with(&other.what, &line.what)
                });
            match same {
                Some((_, other)) => join(other, line),
                None => lines.push((own, line)),
            }
        }
        let mut lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        // addresses nobody has yet are not worth a line
        lines.retain(|line| !matches!(&line.what, What::Addresses(pods) if pods.is_empty()));
        lines
    }
}

fn is_said(what: &What) -> bool {
    matches!(what, What::Said { .. })
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    conditions.into_iter().any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True")
}

/// Whether two deeds can be told in one line.
fn goes_with(one: &What, other: &What) -> bool {
    match (one, other) {
        (What::Scheduled(_), What::Scheduled(_)) | (What::Addresses(_), What::Addresses(_)) => true,
        (What::CreatedFor(one), What::CreatedFor(other)) => one == other,
        (What::Created, _) | (What::Bound { .. }, _) => false,
        _ => one == other,
    }
}

fn join(line: &mut Line, other: Line) {
    match (&mut line.what, other.what) {
        (What::Scheduled(nodes), What::Scheduled(more)) => {
            for node in more {
                super::pool::push(nodes, node);
            }
        }
        (What::Addresses(pods), What::Addresses(now)) => *pods = now,
        _ => {}
    }
    for object in other.objects {
        super::pool::push(&mut line.objects, object);
    }
}

/// The object another was made for.
fn owner(cluster: &Cluster, object: &Object) -> Option<ObjectKey> {
    if let Object::PersistentVolume(volume) = object {
        let (namespace, name, _) = storage::claim_ref(volume)?;
        return Some(ObjectKey::new(Kind::PersistentVolumeClaim, namespace, name));
    }
    let owners = object.metadata().owner_references.iter().flatten();
    let owner = owners.into_iter().find(|owner| owner.controller == Some(true));
    if let Some(owner) = owner {
        let kind = Kind::ALL.iter().find(|kind| kind.name() == owner.kind)?;
        return Some(ObjectKey::new(*kind, object.namespace(), &owner.name));
    }
    // claims of a StatefulSet's template belong to the set by their name alone
    let Object::PersistentVolumeClaim(claim) = object else { return None };
    let sets = cluster.api().store().objects_of_in(Kind::StatefulSet, claim.namespace());
    let mut own = sets.filter(|set| claim.name().contains(&format!("-{}-", set.name())));
    own.next().map(Object::key)
}
