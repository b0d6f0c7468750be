//! Events, as `kubectl get events` lists them.
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::object::{Object, ObjectKey};

/// `Normal` or `Warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Whether it went away with its namespace.
    pub is_gone: bool,
}

/// What is before the message of an event that stands for several.
const COMBINED: &str = "(combined from similar events): ";

impl Event {
    fn count_again(&mut self, now: Timestamp) {
        self.count += 1;
        self.last_timestamp = now;
    }

    /// The message without the words that it stands for others, too.
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
    /// By the hash of who says why about what.
    similar: HashMap<u64, Similar>,
}

/// Events of one component about one object that differ only by their message (`aggregateRecord`).
#[derive(Clone, Debug)]
struct Similar {
    /// The hashes of the first few messages.
    messages: Vec<u64>,
    last_timestamp: Timestamp,
    /// The event that stands for those beyond the first few.
    combined: Option<usize>,
}

/// From so many different messages on, events are combined (`defaultAggregateMaxEvents`)…
const MAX_SIMILAR: usize = 10;
/// …unless so much time has passed since the last of them (`defaultAggregateIntervalInSeconds`).
const AGGREGATE_INTERVAL: SignedDuration = SignedDuration::from_secs(600);
/// The scheduler's events are of the newer API, which combines none.
const SCHEDULER: &str = "default-scheduler";

fn hash_of(what: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
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

    /// Records an event, or counts it when the same was said of the same object before. Of many that differ only by
    /// their message the later ones become one, which tells the last message (`EventAggregate`).
    pub fn record(
        &mut self,
        now: Timestamp,
        source: &'static str,
        object: &Object,
        event_type: EventType,
        reason: &str,
        message: &str,
    ) {
        if source != SCHEDULER {
            let key = hash_of((object.kind(), object.uid(), source, event_type, reason));
            let fresh = || Similar { messages: Vec::new(), last_timestamp: now, combined: None };
            let similar = self.similar.entry(key).or_insert_with(fresh);
            if now.duration_since(similar.last_timestamp) > AGGREGATE_INTERVAL {
                similar.messages.clear();
            }
            similar.last_timestamp = now;
            let said = hash_of(message);
            if !similar.messages.contains(&said) {
                if similar.messages.len() + 1 >= MAX_SIMILAR {
                    let message = format!("{COMBINED}{message}");
                    match similar.combined.and_then(|at| self.events.get_mut(at)) {
                        Some(event) => {
                            event.message = message;
                            event.count_again(now);
                        }
                        None => {
                            similar.combined = Some(self.events.len());
                            self.push(now, source, object, event_type, reason, message);
                        }
                    }
                    return;
                }
                similar.messages.push(said);
            }
        }
        let slots = self.index.entry(hash_of((object.kind(), object.uid(), source, reason, message))).or_default();
        let is_same = |e: &Event| {
            let about = e.involved_object.kind == object.kind() && e.uid == object.uid();
            about && e.source == source && e.reason == reason && e.message == message
        };
        let same = slots.iter().copied().find(|i| self.events.get(*i).is_some_and(is_same));
        if let Some(event) = same.and_then(|i| self.events.get_mut(i)) {
            event.count_again(now);
            return;
        }
        slots.push(self.events.len());
        self.push(now, source, object, event_type, reason, message.to_owned());
    }

    fn push(
        &mut self,
        now: Timestamp,
        source: &'static str,
        object: &Object,
        event_type: EventType,
        reason: &str,
        message: String,
    ) {
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
            is_gone: false,
        });
    }

    /// Events are objects of the namespace of what they are about, and go away with it.
    pub fn forget_namespace(&mut self, namespace: &str) {
        for event in self.events.iter_mut().filter(|e| e.involved_object.namespace == namespace) {
            event.is_gone = true;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_tenth_message_of_a_kind_is_combined_with_those_after_it() {
        let mut log = EventLog::default();
        let object = Object::Pod(Arc::default());
        for i in 1..=12 {
            log.record(Timestamp::UNIX_EPOCH, "c", &object, EventType::Normal, "Created", &format!("number {i}"));
        }
        log.record(Timestamp::UNIX_EPOCH, "c", &object, EventType::Normal, "Created", "number 1");
        let messages: Vec<_> = log.iter().map(|e| (e.message.as_str(), e.count)).collect();
        assert_eq!(messages.len(), 10);
        assert_eq!(messages.first().unwrap(), &("number 1", 2));
        assert_eq!(messages.last().unwrap(), &("(combined from similar events): number 12", 3));
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(601);
        log.record(later, "c", &object, EventType::Normal, "Created", "number 13");
        assert_eq!(log.iter().last().unwrap().message, "number 13");
    }
}
