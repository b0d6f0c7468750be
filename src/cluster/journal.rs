//! What happened in a cluster, and who did it. Nobody writes one unless it is asked for.
use k8s_openapi::jiff::Timestamp;

use crate::api::ApiServer;
use crate::api::store::Change;

/// The changes of a cluster's objects and its events, in the order in which they happened.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    entries: Vec<Entry>,
    revision: usize,
    events: usize,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, in virtual time.
    pub time: Timestamp,
    /// The component that did it, as in events; `kubectl` for a client.
    pub actor: &'static str,
    /// What it did.
    pub deed: Deed,
}

/// What a component did.
#[derive(Clone, Debug)]
pub enum Deed {
    /// It changed an object.
    Changed(Change),
    /// It recorded an event: its number in the log of events.
    Said(usize),
}

impl Journal {
    /// A journal that begins now.
    pub(super) fn new(api: &ApiServer) -> Journal {
        Journal { entries: Vec::new(), revision: api.store().revision(), events: api.events().iter().count() }
    }

    /// Notes what has happened since the last time.
    pub(super) fn note(&mut self, actor: &'static str, api: &ApiServer) {
        let revision = api.store().revision();
        for number in self.revision..revision {
            if let Some(change) = api.store().change(number) {
                self.entries.push(Entry { time: api.now(), actor, deed: Deed::Changed(change.clone()) });
            }
        }
        self.revision = revision;
        let events = api.events().iter().count();
        self.entries.extend((self.events..events).map(|n| Entry { time: api.now(), actor, deed: Deed::Said(n) }));
        self.events = events;
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
