//! What a learner has tried and solved.
use std::collections::BTreeMap;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::store::Store;

const FILE: &str = "progress.jsonl";

/// Between reading a task and solving it lies no longer pause than this, or the time says nothing.
const LONGEST: SignedDuration = SignedDuration::from_hours(3);

/// Who has just read the key has not yet solved the task alone; and the same answer graded twice is solved once.
const FRESH: SignedDuration = SignedDuration::from_hours(12);

/// How many days after the last success a task is worth repeating: after the first, the second… success in a row.
const REPEAT_AFTER_DAYS: [i64; 4] = [2, 7, 21, 60];

/// How many days after it was solved with the key at hand a task is to be solved alone.
const REPEAT_WITHOUT_KEY_AFTER_DAYS: i64 = 1;

/// Something a learner did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// Read a task.
    Shown {
        /// When.
        at: Timestamp,
        /// The scenario.
        scenario: String,
    },
    /// Looked at the key.
    KeyShown {
        /// When.
        at: Timestamp,
        /// The scenario.
        scenario: String,
    },
    /// Had an answer graded.
    Tried {
        /// When.
        at: Timestamp,
        /// The scenario.
        scenario: String,
        /// The points earned.
        points: u32,
        /// The points that could be earned.
        possible: u32,
    },
}

impl Event {
    /// The scenario it is about.
    pub fn scenario(&self) -> &str {
        match self {
            Event::Shown { scenario, .. } | Event::KeyShown { scenario, .. } | Event::Tried { scenario, .. } => {
                scenario
            }
        }
    }
}

/// Notes that a task is being read.
///
/// # Errors
/// When the user's data folder cannot be written.
pub fn note_shown(store: &Store, scenario: &str) -> io::Result<()> {
    store.append(FILE, &Event::Shown { at: now(), scenario: scenario.to_owned() })
}

/// Notes that the key is being read.
///
/// # Errors
/// When the user's data folder cannot be written.
pub fn note_key_shown(store: &Store, scenario: &str) -> io::Result<()> {
    store.append(FILE, &Event::KeyShown { at: now(), scenario: scenario.to_owned() })
}

/// Notes what came of an answer.
///
/// # Errors
/// When the user's data folder cannot be written.
pub fn note_tried(store: &Store, scenario: &str, points: u32, possible: u32) -> io::Result<()> {
    store.append(FILE, &Event::Tried { at: now(), scenario: scenario.to_owned(), points, possible })
}

/// The time of day, in whole seconds.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or_default()
}

/// Everything a learner did, in the order it happened.
///
/// # Errors
/// When the user's data folder cannot be read.
pub fn events(store: &Store) -> io::Result<Vec<Event>> {
    store.lines(FILE)
}

/// What is known about one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// How many answers were graded.
    pub tries: usize,
    /// The best result, in percent.
    pub best_percent: u32,
    /// When full marks were reached first.
    pub solved: Option<Timestamp>,
    /// When full marks were reached last.
    pub solved_last: Option<Timestamp>,
    /// How many times the task was solved without the key at hand.
    pub solved_times: usize,
    /// Whether the key had just been read when the task was solved last.
    pub with_key: bool,
    /// The shortest time from reading the task to full marks, in seconds.
    pub best_seconds: Option<i64>,
    #[serde(skip)]
    shown: Option<Timestamp>,
    #[serde(skip)]
    key: Option<Timestamp>,
}

/// What to do with a scenario next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Nothing for now.
    Rest,
    /// It was solved a while ago.
    Repeat,
    /// It was tried without full marks.
    Finish,
    /// It was never tried.
    Begin,
}

impl Standing {
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Shown { at, .. } => self.shown = Some(*at),
            Event::KeyShown { at, .. } => self.key = Some(*at),
            Event::Tried { at, points, possible, .. } => {
                self.tries += 1;
                self.best_percent = self.best_percent.max((points * 100).checked_div(*possible).unwrap_or(0));
                if points < possible || *possible == 0 {
                    return;
                }
                self.solved.get_or_insert(*at);
                let is_fresh = |time: &Timestamp| at.duration_since(*time) < FRESH;
                if !self.solved_last.as_ref().is_some_and(is_fresh) {
                    self.with_key = self.key.as_ref().is_some_and(is_fresh);
                    self.solved_times += usize::from(!self.with_key);
                }
                self.solved_last = Some(*at);
                let took = self.shown.take().map(|shown| at.duration_since(shown)).filter(|took| *took <= LONGEST);
                if let Some(took) = took.filter(|_| !self.with_key) {
                    let seconds = took.as_secs().max(0);
                    self.best_seconds = Some(self.best_seconds.map_or(seconds, |best| best.min(seconds)));
                }
            }
        }
    }

    /// What to do next, at a time.
    pub fn next(&self, now: Timestamp) -> Next {
        let Some(last) = self.solved_last else {
            return if self.tries > 0 { Next::Finish } else { Next::Begin };
        };
        let pause = match self.with_key {
            true => Some(&REPEAT_WITHOUT_KEY_AFTER_DAYS),
            false => REPEAT_AFTER_DAYS.get(self.solved_times.saturating_sub(1)).or(REPEAT_AFTER_DAYS.last()),
        };
        let due = pause.is_some_and(|days| now.duration_since(last) >= SignedDuration::from_hours(days * 24));
        if due { Next::Repeat } else { Next::Rest }
    }
}

/// Where a learner stands with each scenario that was touched.
pub fn standings(events: &[Event]) -> BTreeMap<String, Standing> {
    let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
    for event in events {
        standings.entry(event.scenario().to_owned()).or_default().learn(event);
    }
    standings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minutes * 60).unwrap()
    }

    fn tried(minutes: i64, points: u32) -> Event {
        Event::Tried { at: at(minutes), scenario: "a".to_owned(), points, possible: 10 }
    }

    fn standing(events: &[Event]) -> Standing {
        standings(events).remove("a").unwrap()
    }

    #[test]
    fn the_best_time_is_from_reading_to_full_marks() {
        let shown = |minutes| Event::Shown { at: at(minutes), scenario: "a".to_owned() };
        let events = [shown(0), tried(3, 5), tried(7, 10), tried(8, 10), shown(1000), tried(1004, 10)];
        let standing = standing(&events);
        assert_eq!((standing.tries, standing.best_percent, standing.best_seconds), (4, 100, Some(240)));
        assert_eq!(standing.solved_times, 2);
    }

    #[test]
    fn a_pause_of_days_is_no_time() {
        let shown = Event::Shown { at: at(0), scenario: "a".to_owned() };
        assert_eq!(standing(&[shown, tried(3 * 24 * 60, 10)]).best_seconds, None);
    }

    #[test]
    fn a_task_solved_with_the_key_at_hand_is_to_be_solved_alone_the_next_day() {
        let day = 24 * 60;
        let key = Event::KeyShown { at: at(0), scenario: "a".to_owned() };
        let helped = standing(&[key.clone(), tried(5, 10)]);
        assert_eq!((helped.solved_times, helped.with_key, helped.next(at(day + 6))), (0, true, Next::Repeat));
        let alone = standing(&[key.clone(), tried(5, 10), tried(day, 10)]);
        assert_eq!((alone.solved_times, alone.with_key, alone.next(at(2 * day))), (1, false, Next::Rest));
        // who reads the key afterwards has solved it alone
        let after = standing(&[tried(-5, 10), key, tried(5, 10)]);
        assert_eq!((after.solved_times, after.with_key), (1, false));
    }

    #[test]
    fn what_was_solved_comes_back_after_longer_and_longer_pauses() {
        let day = 24 * 60;
        let once = standing(&[tried(0, 10)]);
        assert_eq!((once.next(at(day)), once.next(at(3 * day))), (Next::Rest, Next::Repeat));
        let twice = standing(&[tried(0, 10), tried(3 * day, 10)]);
        assert_eq!((twice.next(at(8 * day)), twice.next(at(11 * day))), (Next::Rest, Next::Repeat));
        assert_eq!(standing(&[tried(0, 9)]).next(at(0)), Next::Finish);
    }
}
