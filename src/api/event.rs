//! Events, as `kubectl get events` lists them.
use super::object::{Kind, Object, ObjectKey};
use k8s_openapi::jiff::Timestamp;

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
    index: std::collections::HashMap<(Kind, String, String, String), Vec<usize>>,
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
        let uid = object.uid().to_owned();
        let slots = self.index.entry((object.kind(), uid, reason.to_owned(), message.to_owned())).or_default();
        let same = slots.iter().copied().find(|i| self.events.get(*i).is_some_and(|e| e.source == source));
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
