//! A timed set of tasks.
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::store::Store;
use crate::api::identity::{GOLDEN_GAMMA, scramble};
use crate::grade::PASS_PERCENT;
use crate::scenario::{Domain, Level, Scenario};

const STATE: &str = "exam.json";
const HISTORY: &str = "exams.jsonl";

/// An exam that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exam {
    /// Which set it is: the same seed gives the same tasks.
    pub seed: u64,
    /// When it began.
    pub started: Timestamp,
    /// How long it lasts.
    pub minutes: u32,
    /// Where its files are.
    pub folder: PathBuf,
    /// The tasks, in order.
    pub questions: Vec<Question>,
}

/// One task of an exam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The scenario.
    pub scenario: String,
    /// Its folder within the exam's.
    pub folder: String,
    /// Whether the learner wants to come back to it.
    pub flagged: bool,
}

impl Exam {
    /// The exam that is under way, if there is one.
    ///
    /// # Errors
    /// When its file is damaged.
    pub fn load(store: &Store) -> io::Result<Option<Exam>> {
        store.read(STATE)
    }

    /// Keeps the exam.
    ///
    /// # Errors
    /// When the user's data folder cannot be written.
    pub fn save(&self, store: &Store) -> io::Result<()> {
        store.replace(STATE, self)
    }

    /// Ends the exam and keeps its result.
    ///
    /// # Errors
    /// When the user's data folder cannot be written.
    pub fn finish(&self, store: &Store, result: &ExamResult) -> io::Result<()> {
        store.append(HISTORY, result)?;
        store.remove(STATE)
    }

    /// When time is up.
    pub fn end(&self) -> Timestamp {
        self.started + SignedDuration::from_mins(i64::from(self.minutes))
    }
}

/// What came of an exam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExamResult {
    /// Which set it was.
    pub seed: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Where its files are.
    #[serde(default)]
    pub folder: PathBuf,
    /// One result for each task.
    pub questions: Vec<QuestionResult>,
}

/// What came of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionResult {
    /// The scenario.
    pub scenario: String,
    /// Its folder within the exam's.
    #[serde(default)]
    pub folder: String,
    /// Its domain.
    pub domain: Domain,
    /// The points earned.
    pub points: u32,
    /// The points that could be earned.
    pub possible: u32,
    /// Whether the answer was changed after the end; it counts for nothing then.
    pub late: bool,
    /// Whether there is an answer at all.
    pub answered: bool,
}

impl QuestionResult {
    /// The points that count.
    pub fn earned(&self) -> u32 {
        if self.late { 0 } else { self.points }
    }
}

impl ExamResult {
    /// The result of the exam that was finished last, if there is one.
    ///
    /// # Errors
    /// When the user's data folder cannot be read.
    pub fn last(store: &Store) -> io::Result<Option<ExamResult>> {
        Ok(store.lines(HISTORY)?.pop())
    }

    /// The percentage of all points, rounded down.
    pub fn percent(&self) -> u32 {
        percent(&self.questions)
    }

    /// Whether it suffices.
    pub fn is_pass(&self) -> bool {
        self.percent() >= PASS_PERCENT
    }

    /// The percentage of each domain that was asked about.
    pub fn by_domain(&self) -> BTreeMap<Domain, u32> {
        let mut domains: BTreeMap<Domain, Vec<&QuestionResult>> = BTreeMap::new();
        for question in &self.questions {
            domains.entry(question.domain).or_default().push(question);
        }
        domains.into_iter().map(|(domain, questions)| (domain, percent(questions))).collect()
    }
}

fn percent<'a>(questions: impl IntoIterator<Item = &'a QuestionResult>) -> u32 {
    let (points, possible) = questions
        .into_iter()
        .fold((0, 0), |(points, possible), question| (points + question.earned(), possible + question.possible));
    (points * 100).checked_div(possible).unwrap_or(0)
}

/// Chooses tasks for so many minutes, so that every domain gets its share of the time. Tasks for warming up are left out
/// as long as there are others.
pub fn choose(scenarios: &[Scenario], minutes: u32, seed: u64) -> Vec<&Scenario> {
    let mut random = Random(seed);
    let mut left: Vec<&Scenario> = scenarios.iter().filter(|scenario| scenario.level != Level::WarmUp).collect();
    if left.is_empty() {
        left = scenarios.iter().collect();
    }
    let mut chosen: Vec<&Scenario> = Vec::new();
    let mut spent: BTreeMap<Domain, u32> = BTreeMap::new();
    let mut total = 0;
    while total < minutes && !left.is_empty() {
        // the domain that lacks most of its share, among those that have tasks left
        let lacks = |domain: &Domain| {
            let share = i64::from(domain.weight()) * i64::from(total.max(1));
            share - 100 * i64::from(spent.get(domain).copied().unwrap_or(0)) + i64::from(domain.weight())
        };
        let has_some = |domain: &Domain| left.iter().any(|scenario| scenario.domain() == *domain);
        let Some(domain) = Domain::ALL.into_iter().filter(has_some).max_by_key(lacks) else { break };
        let of_domain: Vec<usize> =
            (0..left.len()).filter(|i| left.get(*i).is_some_and(|s| s.domain() == domain)).collect();
        let Some(index) = of_domain.get(random.below(of_domain.len())) else { break };
        let scenario = left.remove(*index);
        total += scenario.minutes.max(1);
        *spent.entry(domain).or_default() += scenario.minutes.max(1);
        chosen.push(scenario);
    }
    // in no order of domains
    for i in (1..chosen.len()).rev() {
        chosen.swap(i, random.below(i + 1));
    }
    chosen
}

/// Numbers that depend on the seed alone (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        usize::try_from(scramble(self.0) % limit.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scenario::Library;

    fn scenarios() -> Vec<Scenario> {
        Library::embedded().entries().map(|entry| entry.load().unwrap()).collect()
    }

    fn ids(chosen: &[&Scenario]) -> Vec<String> {
        chosen.iter().map(|scenario| scenario.id.clone()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_tasks_and_each_only_once() {
        let scenarios = scenarios();
        let once = ids(&choose(&scenarios, 60, 7));
        assert_eq!(once, ids(&choose(&scenarios, 60, 7)));
        assert!((1..20).any(|seed| ids(&choose(&scenarios, 60, seed)) != once));
        let mut unique = once.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), once.len());
    }

    #[test]
    fn every_domain_has_tasks_for_its_share_of_a_whole_exam() {
        let scenarios = scenarios();
        for domain in Domain::ALL {
            let of_domain = scenarios.iter().filter(|s| s.level != Level::WarmUp && s.domain() == domain);
            let minutes: u32 = of_domain.map(|scenario| scenario.minutes).sum();
            assert!(minutes >= 120 * domain.weight() / 100, "{domain:?}: {minutes} minutes");
        }
    }

    #[test]
    fn there_are_tasks_for_the_whole_time_and_not_much_more() {
        let scenarios = scenarios();
        let minutes: u32 = choose(&scenarios, 60, 3).iter().map(|scenario| scenario.minutes).sum();
        assert!((60..80).contains(&minutes), "{minutes}");
        let all: u32 = scenarios.iter().filter(|s| s.level != Level::WarmUp).map(|s| s.minutes).sum();
        let everything: u32 = choose(&scenarios, 1_000_000, 3).iter().map(|scenario| scenario.minutes).sum();
        assert_eq!(everything, all);
    }

    #[test]
    fn what_is_late_earns_nothing() {
        let question = |domain, points, late| QuestionResult {
            scenario: "a".to_owned(),
            folder: String::new(),
            domain,
            points,
            possible: 10,
            late,
            answered: true,
        };
        let result = ExamResult {
            seed: 1,
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            folder: PathBuf::new(),
            questions: vec![
                question(Domain::Design, 10, false),
                question(Domain::Design, 4, false),
                question(Domain::Networking, 10, true),
            ],
        };
        assert_eq!(result.percent(), 46);
        assert!(!result.is_pass());
        let domains = result.by_domain();
        assert_eq!((domains[&Domain::Design], domains[&Domain::Networking]), (70, 0));
    }
}
