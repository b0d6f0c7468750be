use std::collections::{BTreeMap, BTreeSet, VecDeque};

use k8s_openapi::jiff::Timestamp;

/// A queue of keys in order of arrival, each at most once, some not before a given time
/// (`client-go/util/workqueue`).
///
/// ```
/// use ckad_grade::reconcile::WorkQueue;
/// use k8s_openapi::jiff::{SignedDuration, Timestamp};
/// let start = Timestamp::UNIX_EPOCH;
/// let mut queue = WorkQueue::default();
/// queue.add("a");
/// queue.add("a");
/// queue.add_at("b", start + SignedDuration::from_secs(10));
/// assert_eq!(queue.pop(start), Some("a"));
/// assert_eq!(queue.pop(start), None);
/// assert_eq!(queue.next_timer(), Some(start + SignedDuration::from_secs(10)));
/// assert_eq!(queue.pop(start + SignedDuration::from_secs(10)), Some("b"));
/// ```
#[derive(Clone, Debug)]
pub struct WorkQueue<K> {
    ready: VecDeque<K>,
    queued: BTreeSet<K>,
    delayed: BTreeMap<Timestamp, BTreeSet<K>>,
}

impl<K> Default for WorkQueue<K> {
    fn default() -> Self {
        WorkQueue { ready: VecDeque::new(), queued: BTreeSet::new(), delayed: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// Queues a key unless it is queued already.
    pub fn add(&mut self, key: K) {
        if self.queued.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    /// Queues a key for a later time (`AddAfter`). It can be queued for several times at once.
    pub fn add_at(&mut self, key: K, due: Timestamp) {
        self.delayed.entry(due).or_default().insert(key);
    }

    /// The next key that is due.
    pub fn pop(&mut self, now: Timestamp) -> Option<K> {
        while let Some(entry) = self.delayed.first_entry() {
            if *entry.key() > now {
                break;
            }
            for key in entry.remove() {
                self.add(key);
            }
        }
        let key = self.ready.pop_front()?;
        self.queued.remove(&key);
        Some(key)
    }

    /// When the earliest delayed key becomes due.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.delayed.keys().next().copied()
    }

    /// Whether nothing is due now (delayed keys do not count).
    pub fn is_idle(&self) -> bool {
        self.ready.is_empty()
    }
}
