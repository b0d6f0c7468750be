//! Counting as entries come by.
use std::collections::BTreeMap;

use super::result::{CheckInfo, Entry, ScenarioInfo, Status, Summary};
use crate::lang::Lang;
use crate::report::{CheckResult, Outcome};
use crate::scenario::Scenario;

/// A summary in the making.
#[derive(Debug, Default)]
pub(super) struct Tally {
    entries: u64,
    students: u64,
    student: String,
    statuses: BTreeMap<Status, u64>,
    scenarios: BTreeMap<String, ScenarioInfo>,
}

impl Tally {
    /// Counts an entry; those of one student come one after the other. `scenario` is asked for what is not in entries.
    pub(super) fn add<'s>(&mut self, entry: &Entry, lang: Lang, scenario: impl FnOnce() -> Option<&'s Scenario>) {
        self.entries += 1;
        *self.statuses.entry(entry.status).or_default() += 1;
        if !entry.student.is_empty() && entry.student != self.student {
            self.students += 1;
            self.student.clone_from(&entry.student);
        }
        if entry.scenario.is_empty() {
            return;
        }
        if !self.scenarios.contains_key(&entry.scenario) {
            let info = scenario()
                .map_or_else(|| ScenarioInfo { id: entry.scenario.clone(), ..Default::default() }, |s| info(s, lang));
            self.scenarios.insert(entry.scenario.clone(), info);
        }
        let Some(info) = self.scenarios.get_mut(&entry.scenario) else { return };
        match entry.status {
            Status::Missing => info.missing += 1,
            _ if !entry.is_graded() => info.ungraded += 1,
            _ => {
                info.graded += 1;
                info.full += u64::from(entry.result == Outcome::Full);
                info.passed += u64::from(entry.result != Outcome::Failed);
                info.points += u64::from(entry.points);
                for check in &entry.checks {
                    let counts = match info.checks.iter_mut().find(|known| known.id == check.id) {
                        Some(counts) => counts,
                        None => {
                            let (id, points) = (check.id.clone(), check.possible);
                            info.checks.push(CheckInfo { title: id.clone(), id, points, ..Default::default() });
                            let Some(counts) = info.checks.last_mut() else { continue };
                            counts
                        }
                    };
                    counts.passed += u64::from(check.result == CheckResult::Passed);
                    counts.failed += u64::from(check.result == CheckResult::Failed);
                }
            }
        }
    }

    /// The summary.
    pub(super) fn finish(self, lang: Lang) -> Summary {
        Summary {
            lang,
            entries: self.entries,
            students: self.students,
            statuses: self.statuses,
            scenarios: self.scenarios.into_values().collect(),
            similar: Vec::new(),
        }
    }
}

fn info(scenario: &Scenario, lang: Lang) -> ScenarioInfo {
    let checks = scenario.checks.iter().map(|check| CheckInfo {
        id: check.id.clone(),
        title: check.title.get(lang).trim().to_owned(),
        points: check.points,
        advice: check.advice.as_ref().map(|advice| advice.get(lang).trim().to_owned()),
        passed: 0,
        failed: 0,
    });
    ScenarioInfo {
        id: scenario.id.clone(),
        title: scenario.title.get(lang).trim().to_owned(),
        possible: scenario.points(),
        checks: checks.collect(),
        ..Default::default()
    }
}
