//! Events, as `kubectl get events` lists them.
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use k8s_openapi::jiff::Timestamp;

use super::object::{Object, ObjectKey};

/// `Normal` or `Warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum EventType {
    Normal,
    Warning,
}

impl EventType {
    /// The type as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// Something a component said about an object. Equal events are counted, not repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Normal or Warning.
    pub event_type: EventType,
    /// A CamelCase reason, e.g. `FailedBinding`.
    pub reason: String,
    /// The object it is about.
    pub involved_object: ObjectKey,
    /// That object's uid.
    pub uid: String,
    /// What happened, in the component's words.
    pub message: String,
    /// Who said it, e.g. `persistentvolume-controller`.
    pub source: &'static str,
    /// How often.
    pub count: u32,
    /// When first.
    pub first_timestamp: Timestamp,
    /// When last.
    pub last_timestamp: Timestamp,
}

/// All events, in the order in which each was first seen.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: Vec<Event>,
    /// Where the events are that have the same hash of what they say about what.
    index: HashMap<u64, Vec<usize>>,
}

impl EventLog {
    /// All events.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// The events about an object, by its name (objects of the same name that lived one after another share them).
    pub fn about<'a>(&'a self, key: &'a ObjectKey) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |e| e.involved_object == *key)
    }

    /// Records an event, or counts it when the same was said of the same object before.
    pub fn record(
        &mut self,
        now: Timestamp,
        source: &'static str,
        object: &Object,
        event_type: EventType,
        reason: &str,
        message: &str,
    ) {
        let mut hasher = DefaultHasher::new();
        (object.kind(), object.uid(), source, reason, message).hash(&mut hasher);
        let slots = self.index.entry(hasher.finish()).or_default();
        let is_same = |e: &Event| {
            let about = e.involved_object.kind == object.kind() && e.uid == object.uid();
            about && e.source == source && e.reason == reason && e.message == message
        };
        let same = slots.iter().copied().find(|i| self.events.get(*i).is_some_and(is_same));
        if let Some(event) = same.and_then(|i| self.events.get_mut(i)) {
            event.count += 1;
            event.last_timestamp = now;
            return;
        }
        slots.push(self.events.len());
        self.events.push(Event {
            event_type,
            reason: reason.to_owned(),
            involved_object: object.key(),
            uid: object.uid().to_owned(),
            message: message.to_owned(),
            source,
            count: 1,
            first_timestamp: now,
            last_timestamp: now,
        });
    }
}
