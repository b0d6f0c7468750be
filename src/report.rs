//! What a grade says to people and programs: one report, several formats.
pub mod batch;
pub mod canvas;
pub mod csv;
pub mod explain;
pub mod github;
pub mod gradescope;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod moodle;
pub mod outcome;
pub mod plain;
pub mod problem;
pub mod proof;
pub mod resolution;
pub mod sanitise;
pub mod tables;
pub mod terminal;
pub mod text;
pub mod watch;
pub mod width;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::Settled;
use crate::grade::diff::Diff;
use crate::grade::{Failure, Finding, Grade, PASS_PERCENT, Verdict};
use crate::lang::Lang;
use crate::scenario::Scenario;
use problem::Problem;
use text::{Message, say};

/// A grade in words of one language.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The language of all texts.
    pub lang: Lang,
    /// The result at one glance.
    pub result: Outcome,
    /// The points earned.
    pub points: u32,
    /// The points that could be earned.
    pub possible: u32,
    /// The percentage earned, rounded down.
    pub percent: u32,
    /// The percentage that passes.
    pub pass_percent: u32,
    /// The first thing to mend; none with full marks.
    pub fix: Option<String>,
    /// What was refused or warned about.
    pub problems: Vec<Problem>,
    /// The checks, in the scenario's order.
    pub checks: Vec<CheckReport>,
    /// Anything else that should be known.
    pub notes: Vec<String>,
    /// What kubectl printed for the answer.
    pub kubectl: Kubectl,
    /// How many hints there are.
    #[serde(skip)]
    pub hints: usize,
}

/// The result at one glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Every check is as asked.
    Full,
    /// Enough points to pass.
    Passed,
    /// Not enough.
    Failed,
}

/// What kubectl printed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kubectl {
    /// The exit status.
    pub exit_code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The check's name.
    pub id: String,
    /// What it asks.
    pub title: String,
    /// What came of it.
    pub result: CheckResult,
    /// The points earned.
    pub points: u32,
    /// What it is worth.
    pub possible: u32,
    /// What was found instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The expression that is not true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The scenario's advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The fields that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<FieldReport>,
    /// The expected and the simulated outcome.
    #[serde(skip_serializing_if = "Diff::is_empty")]
    pub diff: Diff,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckResult {
    /// As asked.
    Passed,
    /// Not as asked.
    Failed,
    /// The simulation cannot tell.
    NotSimulated,
}

/// A field that differs.
#[derive(Clone, Debug, Serialize)]
pub struct FieldReport {
    /// Its path.
    pub path: String,
    /// What was expected; `null` if it was not to be there.
    pub expected: Option<Value>,
    /// What is; `null` if it is not there.
    pub actual: Option<Value>,
}

impl Report {
    /// Puts a grade in words.
    pub fn new(scenario: &Scenario, grade: &Grade, lang: Lang) -> Report {
        let mut report = Report::without_diffs(scenario, grade, lang);
        for (check, graded) in report.checks.iter_mut().zip(&grade.checks) {
            if let Verdict::Failed(failure) = &graded.verdict {
                check.diff = failure.diff();
            }
        }
        report
    }

    /// As [`new`](Self::new), but no check shows a diff.
    pub fn without_diffs(scenario: &Scenario, grade: &Grade, lang: Lang) -> Report {
        let checks: Vec<CheckReport> = scenario
            .checks
            .iter()
            .zip(&grade.checks)
            .map(|(check, graded)| {
                let mut report = CheckReport {
                    id: graded.id.clone(),
                    title: check.title.get(lang).trim().to_owned(),
                    result: CheckResult::Passed,
                    points: graded.points,
                    possible: graded.points,
                    message: None,
                    expression: None,
                    reasons: Vec::new(),
                    advice: None,
                    differences: Vec::new(),
                    diff: Diff::default(),
                };
                match &graded.verdict {
                    Verdict::Passed => {}
                    Verdict::NotSimulated(what) => {
                        report.result = CheckResult::NotSimulated;
                        report.points = 0;
                        report.message = Some(say(lang, &Message::NotSimulated(*what)));
                    }
                    Verdict::Failed(failure) => {
                        report.result = CheckResult::Failed;
                        report.points = 0;
                        report.advice = check.advice.as_ref().map(|advice| advice.get(lang).trim().to_owned());
                        report.fail(failure, lang);
                    }
                }
                report
            })
            .collect();
        let problems = problem::of_output(&grade.answer, &grade.cluster, lang);
        let (points, possible) = (grade.points(), grade.possible());
        let result = match (grade.is_full(), grade.is_pass()) {
            (true, _) => Outcome::Full,
            (false, true) => Outcome::Passed,
            (false, false) => Outcome::Failed,
        };
        let refused = problems.iter().find(|problem| !problem.warning).map(|problem| problem.message.clone());
        let failed = || checks.iter().find(|check| check.result == CheckResult::Failed);
        let fix = refused.or_else(|| failed().map(|check| check.message.clone().unwrap_or(check.title.clone())));
        let mut notes = Vec::new();
        if grade.settled == Settled::GaveUp {
            notes.push(say(lang, &Message::DidNotSettle));
        }
        for (number, output) in grade.steps.iter().enumerate().filter(|(_, output)| output.exit_code != 0) {
            notes.push(say(lang, &Message::StepFailed { number: number + 1, stderr: output.stderr.trim_end() }));
        }
        Report {
            scenario: scenario.id.clone(),
            title: scenario.title.get(lang).trim().to_owned(),
            lang,
            result,
            points,
            possible,
            percent: (points * 100).checked_div(possible).unwrap_or(0),
            pass_percent: PASS_PERCENT,
            fix,
            problems,
            checks,
            notes,
            kubectl: Kubectl {
                exit_code: grade.answer.exit_code,
                stdout: grade.answer.stdout.clone(),
                stderr: grade.answer.stderr.clone(),
            },
            hints: scenario.hints.len(),
        }
    }
}

impl CheckReport {
    fn fail(&mut self, failure: &Failure, lang: Lang) {
        self.message = Some(say(lang, &Message::Finding(failure)));
        let about = failure.finding.object();
        let words = |reason| say(lang, &Message::Reason { reason, about });
        self.reasons = failure.reasons.iter().map(words).collect();
        self.reasons.dedup();
        if let Finding::False { expression, .. } | Finding::NoValue { expression, .. } = &failure.finding {
            self.expression = Some(expression.clone());
        }
        let field = |difference: &crate::grade::compare::Difference| FieldReport {
            path: difference.path.clone(),
            expected: difference.expected.clone(),
            actual: difference.actual.clone(),
        };
        self.differences = failure.differences.iter().map(field).collect();
    }
}
