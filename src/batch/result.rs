//! What came of a batch: one [`Entry`] for each answer, and the [`Summary`] of all of them.
//!
//! Entries are small and of bounded size; they live on disk as JSON Lines ([`Results`]) and are read as often as a report
//! needs them, so that no report has to hold all of them.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kept::Kept;
use crate::lang::Lang;
use crate::report::{CheckResult, Outcome};
use crate::timeline::ManifestFile;

/// The version of the entries' format.
pub const FORMAT: u32 = 1;

/// What became of one answer, or of something that could not be taken for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Who answered, as found in the submissions or, if there is one, in the roster; empty for what belongs to nobody.
    pub student: String,
    /// The scenario's name; empty for what belongs to none.
    pub scenario: String,
    /// Which attempt.
    #[serde(default, skip_serializing_if = "Attempt::is_only")]
    pub attempt: Attempt,
    /// Whether it was handed in late, as the download says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Where it was found, relative to the submissions; a file within an archive behind `!/`.
    pub files: Vec<String>,
    /// What became of it.
    pub status: Status,
    /// The result at one glance; `failed` if there is no grade.
    pub result: Outcome,
    /// The points earned.
    pub points: u32,
    /// The points that could be earned.
    pub possible: u32,
    /// The first thing to mend, or why there is no grade; none with full marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The checks in the scenario's order; none if there is no grade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckEntry>,
    /// What was refused or warned about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ProblemEntry>,
    /// Anything else that should be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// A hash of the answer's bytes, as hexadecimal digits; empty if there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// What is the answer's own, for finding similar ones; only if asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<u64>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It was graded.
    Graded,
    /// It is not a manifest kubectl can read; what could be read before the error counts.
    Unreadable,
    /// It exceeds a limit: too large, too deep, too much work.
    Limit,
    /// The grader crashed over it: a bug of ours.
    Crashed,
    /// The scenario cannot be graded, whatever the answer.
    ScenarioWrong,
    /// Somebody on the roster has handed in nothing.
    Missing,
    /// A file that is no answer to anything, or nobody's.
    Unmatched,
}

/// Which of several attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1 in the order of time; 0 of 0 if nothing was handed in.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// When, as the file's name says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckEntry {
    /// The check's name; its title is in [`ScenarioInfo`].
    pub id: String,
    /// What came of it.
    pub result: CheckResult,
    /// The points earned.
    pub points: u32,
    /// What it is worth.
    pub possible: u32,
    /// What was found instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// Something that kubectl or the API server said against the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProblemEntry {
    /// What was said.
    pub message: String,
    /// Whether it is only a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
    /// The index in [`Entry::files`] of the file it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<usize>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// What is known about a batch as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The language of all texts.
    pub lang: Lang,
    /// How many entries there are.
    pub entries: u64,
    /// How many students there are.
    pub students: u64,
    /// How many entries ended in which way.
    pub statuses: BTreeMap<Status, u64>,
    /// The scenarios that were answered or asked for, by name.
    pub scenarios: Vec<ScenarioInfo>,
    /// Pairs of answers that are alike, if asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<Pair>,
}

/// A scenario and how it was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioInfo {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The points that can be earned.
    pub possible: u32,
    /// How many answers have a grade (also `Unreadable` ones).
    pub graded: u64,
    /// How many have full marks.
    pub full: u64,
    /// How many passed, those with full marks included.
    pub passed: u64,
    /// The sum of the points of all graded answers.
    pub points: u64,
    /// How many on the roster have no answer.
    pub missing: u64,
    /// How many answers exceed a limit, crashed the grader or cannot be graded for another reason.
    pub ungraded: u64,
    /// The checks, in order.
    pub checks: Vec<CheckInfo>,
}

/// A check and how it was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckInfo {
    /// Its name.
    pub id: String,
    /// What it asks.
    pub title: String,
    /// What it is worth.
    pub points: u32,
    /// The scenario's advice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// How many graded answers passed it.
    pub passed: u64,
    /// How many failed it.
    pub failed: u64,
}

/// Two answers of one scenario that are alike beyond what the task forces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The scenario.
    pub scenario: String,
    /// The students.
    pub students: [String; 2],
    /// How many peculiar lines they share.
    pub shared: u32,
    /// The percentage of both answers' peculiar lines that they share.
    pub percent: u32,
}

impl Default for Attempt {
    fn default() -> Self {
        Attempt { number: 1, of: 1, time: None }
    }
}

impl Attempt {
    /// Whether there is only one attempt and no time is known.
    pub fn is_only(&self) -> bool {
        *self == Attempt::default()
    }
}

impl Entry {
    /// Whether the answer has a grade.
    pub fn is_graded(&self) -> bool {
        matches!(self.status, Status::Graded | Status::Unreadable)
    }

    /// The percentage earned, rounded down.
    pub fn percent(&self) -> u32 {
        (self.points * 100).checked_div(self.possible).unwrap_or(0)
    }

    /// What entries are ordered by: people first, then what belongs to nobody.
    pub fn order(&self) -> (bool, &str, &str, u32, &[String]) {
        (self.student.is_empty(), &self.student, &self.scenario, self.attempt.number, &self.files)
    }
}

/// All entries of a batch, in order, on disk, and their summary.
#[derive(Debug)]
pub struct Results {
    file: File,
    answers: Option<Kept>,
    /// What is known about all of them.
    pub summary: Summary,
}

impl Results {
    /// Entries that are in a file as JSON Lines, ordered by [`Entry::order`].
    pub fn new(file: File, summary: Summary) -> Results {
        Results { file, answers: None, summary }
    }

    /// Keeps the answers at hand, too.
    pub(super) fn with_answers(self, answers: Option<Kept>) -> Results {
        Results { answers, ..self }
    }

    /// The answer of an entry as it was graded, if answers were [kept](super::Options::keep_answers).
    pub fn answer(&self, entry: &Entry) -> Option<Vec<ManifestFile>> {
        self.answers.as_ref()?.get(&entry.digest)
    }

    /// Reads all entries, one at a time. Only one reading can be under way at a time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + '_> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        let lines = BufReader::with_capacity(1 << 16, file).lines();
        Ok(lines.map(|line| serde_json::from_str(&line?).map_err(io::Error::other)))
    }
}

/// The name of a file as reports show it: with `/` on every system.
pub fn display_name(path: &Path) -> String {
    let path: PathBuf = path.components().collect();
    path.to_string_lossy().replace('\\', "/")
}
