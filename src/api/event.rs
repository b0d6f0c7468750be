//! Events, as `kubectl get events` lists them.
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::object::{Object, ObjectKey};

/// So many different messages of one reason about one object, and further ones are combined
/// (`client-go/tools/record` `EventAggregator`).
const MOST_SIMILAR: usize = 10;
const SIMILAR_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The one component here that uses the newer kind of recorder, which does not combine.
const NOT_COMBINED: &str = "default-scheduler";
const COMBINED: &str = "(combined from similar events): ";

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

impl Event {
    /// The message as the component gave it, if need be the last of those that are combined.
    pub fn said(&self) -> &str {
        self.message.strip_prefix(COMBINED).unwrap_or(&self.message)
    }
}

/// All events, in the order in which each was first seen.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: Vec<Event>,
    /// Where the events are that have the same hash of what they say about what.
    index: HashMap<u64, Vec<usize>>,
    /// By a hash of who says what kind of thing about what.
    similar: HashMap<u64, Similar>,
}

/// What one component said of one object for one reason.
#[derive(Clone, Copy, Debug)]
struct Similar {
    /// How many different messages stand for themselves.
    single: usize,
    last: Timestamp,
    /// The event that stands for all further ones.
    combined: Option<usize>,
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
        let mut hasher = DefaultHasher::new();
        (object.kind(), object.uid(), source, reason, event_type == EventType::Warning).hash(&mut hasher);
        let fresh = Similar { single: 0, last: now, combined: None };
        let similar = self.similar.entry(hasher.finish()).or_insert(fresh);
        if now.duration_since(similar.last) > SIMILAR_FOR {
            similar.single = 0;
        }
        similar.last = now;
        let mut message = message.to_owned();
        if similar.single + 1 < MOST_SIMILAR || source == NOT_COMBINED {
            similar.single += 1;
            slots.push(self.events.len());
        } else {
            message.insert_str(0, COMBINED);
            if let Some(event) = similar.combined.and_then(|i| self.events.get_mut(i)) {
                event.count += 1;
                event.last_timestamp = now;
                event.message = message;
                return;
            }
            similar.combined = Some(self.events.len());
        }
        self.events.push(Event {
            event_type,
            reason: reason.to_owned(),
            involved_object: object.key(),
            uid: object.uid().to_owned(),
            message,
            source,
            count: 1,
            first_timestamp: now,
            last_timestamp: now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Pod;

    #[test]
    fn the_tenth_similar_message_and_all_further_ones_are_combined() {
        let object = Object::Pod(std::sync::Arc::new(Pod::default()));
        let mut log = EventLog::default();
        let mut say = |source, n: i64| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(n);
            log.record(now, source, &object, EventType::Warning, "FailedCreate", &format!("no {n}"));
        };
        (0..12).for_each(|n| say("replicaset-controller", n));
        say("replicaset-controller", 3);
        (0..12).for_each(|n| say(NOT_COMBINED, n));
        let of = |source: &str| log.iter().filter(|e| e.source == source).collect::<Vec<_>>();
        let combined = of("replicaset-controller");
        assert_eq!(combined.len(), 10);
        let last = combined.last().map(|e| (e.message.as_str(), e.count, e.said()));
        assert_eq!(last, Some(("(combined from similar events): no 11", 3, "no 11")));
        assert_eq!(of(NOT_COMBINED).len(), 12);
    }
}
