//! Pods that wait for a node (`pkg/scheduler/backend/queue`): those to try now, those that back off after an error, and
//! those that wait until something changes that concerns the plugin that rejected them.
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::node_info::{PodKey, claim_names, key_of, priority};
use crate::api::ApiObject;

/// After this long an unschedulable pod is tried again anyway (`podMaxInUnschedulablePodsDuration`).
const MAX_UNSCHEDULABLE: SignedDuration = SignedDuration::from_secs(300);

type Rank = (Reverse<i32>, u64);

/// Where a pod is.
#[derive(Clone, Debug)]
enum Place {
    Active(Rank),
    BackOff(Timestamp),
    Unschedulable { flush: Timestamp },
}

/// Why a pod is not tried now.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The plugins that rejected it.
    pub plugins: BTreeSet<&'static str>,
    /// Whether it was rejected before any node was looked at.
    pub by_pre_filter: bool,
    /// Whether a claim of the pod changed since.
    pub claims_changed: bool,
}

/// The queue. Order: priority, then arrival or the last attempt.
#[derive(Clone, Debug, Default)]
pub struct SchedulingQueue {
    places: HashMap<PodKey, Place>,
    active: BTreeMap<Rank, PodKey>,
    arrivals: u64,
    /// When each pod joined the queue or was tried last, as a number (`QueuedPodInfo.Timestamp`).
    joined: HashMap<PodKey, u64>,
    timers: BTreeMap<Timestamp, BTreeSet<PodKey>>,
    waiting: BTreeMap<PodKey, Waiting>,
    by_plugin: BTreeMap<&'static str, BTreeSet<PodKey>>,
    by_claim: HashMap<PodKey, BTreeSet<PodKey>>,
    attempts: HashMap<PodKey, u32>,
}

impl SchedulingQueue {
    /// Puts a pod among those to try now.
    pub fn activate(&mut self, pod: &Pod) {
        let key = key_of(pod);
        if matches!(self.places.get(&key), Some(Place::Active(_))) {
            return;
        }
        self.leave(&key);
        let joined = match self.joined.get(&key) {
            Some(joined) => *joined,
            None => self.join(&key),
        };
        let rank = (Reverse(priority(pod)), joined);
        self.active.insert(rank, key.clone());
        self.index_claims(pod, &key);
        self.places.insert(key, Place::Active(rank));
    }

    /// The next pod to try.
    pub fn pop(&mut self) -> Option<PodKey> {
        let (_, key) = self.active.pop_first()?;
        self.places.remove(&key);
        *self.attempts.entry(key.clone()).or_default() += 1;
        Some(key)
    }

    /// The pod failed to be scheduled because plugins rejected it.
    pub fn add_unschedulable(&mut self, pod: &Pod, waiting: Waiting, now: Timestamp) {
        let key = key_of(pod);
        self.leave(&key);
        for plugin in &waiting.plugins {
            self.by_plugin.entry(plugin).or_default().insert(key.clone());
        }
        self.join(&key);
        let flush = now + MAX_UNSCHEDULABLE;
        self.timers.entry(flush).or_default().insert(key.clone());
        self.index_claims(pod, &key);
        self.waiting.insert(key.clone(), waiting);
        self.places.insert(key, Place::Unschedulable { flush });
    }

    /// The pod failed to be scheduled because of an error: 1 s, 2 s, 4 s, 8 s, then every 10 s.
    pub fn back_off(&mut self, pod: &Pod, now: Timestamp) {
        let key = key_of(pod);
        self.leave(&key);
        self.join(&key);
        let attempts = self.attempts.get(&key).copied().unwrap_or(1).clamp(1, 5);
        let seconds = (1_i64 << (attempts - 1)).min(10);
        let due = now + SignedDuration::from_secs(seconds);
        self.timers.entry(due).or_default().insert(key.clone());
        self.places.insert(key, Place::BackOff(due));
    }

    /// Forgets a pod that is bound or gone.
    pub fn delete(&mut self, pod: &Pod) {
        let key = key_of(pod);
        self.leave(&key);
        self.attempts.remove(&key);
        self.joined.remove(&key);
        for (claim, _) in claim_names(pod) {
            let claim = (pod.namespace().to_owned(), claim);
            if let Some(pods) = self.by_claim.get_mut(&claim) {
                pods.remove(&key);
                if pods.is_empty() {
                    self.by_claim.remove(&claim);
                }
            }
        }
    }

    /// Whether the queue knows a pod.
    pub fn contains(&self, key: &PodKey) -> bool {
        self.places.contains_key(key)
    }

    /// Why a pod waits, if it does.
    pub fn waiting(&self, key: &PodKey) -> Option<&Waiting> {
        self.waiting.get(key)
    }

    /// The pods that wait because of a plugin.
    pub fn rejected_by(&self, plugin: &'static str) -> impl Iterator<Item = &PodKey> {
        self.by_plugin.get(plugin).into_iter().flatten()
    }

    /// The pods in the queue that use a claim.
    pub fn users_of(&self, namespace: &str, claim: &str) -> Vec<PodKey> {
        let pods = self.by_claim.get(&(namespace.to_owned(), claim.to_owned()));
        pods.into_iter().flatten().cloned().collect()
    }

    /// Remembers that claims of a waiting pod changed.
    pub fn note_claim_change(&mut self, key: &PodKey) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.claims_changed = true;
        }
    }

    /// The pods whose time has come.
    pub fn due(&mut self, now: Timestamp) -> Vec<PodKey> {
        let mut due = Vec::new();
        while let Some(entry) = self.timers.first_entry() {
            if *entry.key() > now {
                break;
            }
            due.extend(entry.remove());
        }
        due
    }

    /// When the next pod's time comes.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.keys().next().copied()
    }

    /// Whether nothing is to be tried now.
    pub fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    fn join(&mut self, key: &PodKey) -> u64 {
        self.arrivals += 1;
        self.joined.insert(key.clone(), self.arrivals);
        self.arrivals
    }

    fn index_claims(&mut self, pod: &Pod, key: &PodKey) {
        for (claim, _) in claim_names(pod) {
            self.by_claim.entry((key.0.clone(), claim)).or_default().insert(key.clone());
        }
    }

    fn leave(&mut self, key: &PodKey) {
        let timer = match self.places.remove(key) {
            None => return,
            Some(Place::Active(rank)) => {
                self.active.remove(&rank);
                None
            }
            Some(Place::BackOff(due)) => Some(due),
            Some(Place::Unschedulable { flush }) => Some(flush),
        };
        if let Some(due) = timer
            && let Some(pods) = self.timers.get_mut(&due)
        {
            pods.remove(key);
            if pods.is_empty() {
                self.timers.remove(&due);
            }
        }
        if let Some(waiting) = self.waiting.remove(key) {
            for plugin in waiting.plugins {
                if let Some(pods) = self.by_plugin.get_mut(plugin) {
                    pods.remove(key);
                }
            }
        }
    }
}
