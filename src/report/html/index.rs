//! What has to be known of all entries before the page begins.
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io;

use super::each_student;
use crate::batch::result::{Entry, Results, Status};
use crate::grade::PASS_PERCENT;
use crate::report::Outcome;

/// The most outcomes of a scenario that are told; the rarest of more are left out.
const MAX_OUTCOMES: usize = 400;
/// The most students named beside an outcome.
const MAX_NAMES: usize = 40;
/// Buckets of the distribution: 0 to 9 percent, … 90 to 99, and 100.
pub(super) const BUCKETS: usize = 11;

/// What the entries have in common.
pub(super) struct Index {
    /// The outcomes of each scenario (in the summary's order), the most frequent first.
    pub(super) outcomes: Vec<Vec<OutcomeGroup>>,
    /// Where an outcome is in `outcomes`.
    numbers: BTreeMap<(usize, u64), usize>,
    scenarios: BTreeMap<String, usize>,
    /// How many students have how many percent of all points.
    pub(super) distribution: Distribution,
    /// The same for each scenario's graded answers.
    pub(super) distributions: Vec<Distribution>,
    /// How many students there are.
    pub(super) students: u64,
    /// How many of them passed, counting all scenarios.
    pub(super) passed: u64,
    /// The sum of the students' percentages.
    pub(super) percents: u64,
    /// Entries that belong to nobody.
    pub(super) nobody: u64,
}

/// Answers of one scenario with the same outcome.
pub(super) struct OutcomeGroup {
    hash: u64,
    /// How many answers.
    pub(super) count: usize,
    /// The first students with it, and their numbers in the page.
    pub(super) students: Vec<(usize, String)>,
    /// The first entry.
    pub(super) entry: Option<Entry>,
}

/// How many have how many percent: 0 to 9, … 90 to 99, 100.
#[derive(Clone, Copy, Default)]
pub(super) struct Distribution {
    pub(super) passed: [u64; BUCKETS],
    pub(super) failed: [u64; BUCKETS],
}

/// What counts for a student: the points of the last attempt at each scenario.
pub(super) struct Total {
    /// The points earned.
    pub(super) points: u64,
    /// The points of all scenarios.
    pub(super) possible: u64,
}

impl Total {
    /// The percentage, rounded down.
    pub(super) fn percent(&self) -> u32 {
        u32::try_from((self.points * 100).checked_div(self.possible).unwrap_or(0)).unwrap_or(100)
    }
    /// Whether it suffices.
    pub(super) fn is_pass(&self) -> bool {
        self.possible > 0 && self.points * 100 >= self.possible * u64::from(PASS_PERCENT)
    }
}

impl Distribution {
    fn count(&mut self, percent: u32, passed: bool) {
        let counts = if passed { &mut self.passed } else { &mut self.failed };
        if let Some(count) = counts.get_mut((percent / 10).min(10) as usize) {
            *count += 1;
        }
    }
}

impl Index {
    pub(super) fn of(results: &Results) -> io::Result<Index> {
        let infos = &results.summary.scenarios;
        let scenarios: BTreeMap<String, usize> =
            infos.iter().enumerate().map(|(i, info)| (info.id.clone(), i)).collect();
        let mut index = Index {
            outcomes: infos.iter().map(|_| Vec::new()).collect(),
            numbers: BTreeMap::new(),
            scenarios,
            distribution: Distribution::default(),
            distributions: vec![Distribution::default(); infos.len()],
            students: 0,
            passed: 0,
            percents: 0,
            nobody: 0,
        };
        each_student(results, |number, student, entries| {
            let total = index.total(results, entries);
            index.students += 1;
            index.passed += u64::from(total.is_pass());
            index.percents += u64::from(total.percent());
            index.distribution.count(total.percent(), total.is_pass());
            for entry in entries {
                index.take_in(number, student, entry);
            }
            Ok(())
        })?;
        let named: u64 = index.outcomes.iter().flatten().map(|group| group.count as u64).sum();
        index.nobody = results.summary.entries.saturating_sub(named);
        index.arrange();
        Ok(index)
    }

    fn take_in(&mut self, number: usize, student: &str, entry: &Entry) {
        let Some(scenario) = self.scenario(&entry.scenario) else { return };
        if let Some(distribution) = self.distributions.get_mut(scenario).filter(|_| entry.is_graded()) {
            distribution.count(entry.percent(), entry.result != Outcome::Failed);
        }
        let hash = hash_of(entry);
        let Some(groups) = self.outcomes.get_mut(scenario) else { return };
        let next = groups.len();
        let position = *self.numbers.entry((scenario, hash)).or_insert(next);
        if position == next {
            groups.push(OutcomeGroup { hash, count: 0, students: Vec::new(), entry: None });
        }
        if let Some(group) = groups.get_mut(position) {
            group.count += 1;
            if group.students.len() < MAX_NAMES {
                group.students.push((number, student.to_owned()));
            }
            // rare ones beyond the limit are not told
            if group.entry.is_none() && position < 4 * MAX_OUTCOMES {
                group.entry = Some(Entry { traits: Vec::new(), ..entry.clone() });
            }
        }
    }

    fn arrange(&mut self) {
        for (scenario, groups) in self.outcomes.iter_mut().enumerate() {
            groups.sort_by_key(|group| std::cmp::Reverse(group.count));
            for (number, group) in groups.iter().enumerate() {
                self.numbers.insert((scenario, group.hash), number);
            }
        }
    }

    /// The number of a scenario.
    pub(super) fn scenario(&self, id: &str) -> Option<usize> {
        self.scenarios.get(id).copied()
    }

    /// The id of the place where an entry's outcome is told, if it is.
    pub(super) fn anchor(&self, entry: &Entry) -> Option<String> {
        let scenario = self.scenario(&entry.scenario)?;
        let number = *self.numbers.get(&(scenario, hash_of(entry)))?;
        let group = self.outcomes.get(scenario)?.get(number)?;
        (number < MAX_OUTCOMES && group.entry.is_some()).then(|| anchor(scenario, number))
    }

    /// The outcomes of a scenario that are told, and how many are not.
    pub(super) fn told(&self, scenario: usize) -> (&[OutcomeGroup], usize) {
        let groups = self.outcomes.get(scenario).map(Vec::as_slice).unwrap_or_default();
        let told = groups.len().min(MAX_OUTCOMES);
        (groups.get(..told).unwrap_or_default(), groups.len() - told)
    }

    /// What a student's entries amount to.
    pub(super) fn total(&self, results: &Results, entries: &[Entry]) -> Total {
        let possible = results.summary.scenarios.iter().map(|info| u64::from(info.possible)).sum();
        let mut points = vec![0; results.summary.scenarios.len()];
        for entry in entries {
            if let Some(slot) = self.scenario(&entry.scenario).and_then(|scenario| points.get_mut(scenario)) {
                *slot = u64::from(entry.points);
            }
        }
        Total { points: points.iter().sum(), possible }
    }
}

/// The id of an outcome in the page.
pub(super) fn anchor(scenario: usize, number: usize) -> String {
    format!("o{}-{}", scenario + 1, number + 1)
}

/// Says whether two outcomes are the same: everything but who, where and when. Only for grouping within one page.
fn hash_of(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    (entry.status as u8, entry.points, entry.possible, &entry.fix, &entry.notes).hash(&mut hasher);
    for check in &entry.checks {
        (&check.id, check.points, &check.message, &check.reasons).hash(&mut hasher);
    }
    for problem in &entry.problems {
        (&problem.message, problem.warning).hash(&mut hasher);
    }
    if entry.status == Status::Unmatched {
        entry.files.hash(&mut hasher);
    }
    hasher.finish()
}
