//! Grading: an answer is played into the scenario's cluster, and the checks are held against what came of it.
//!
//! ```no_run
//! use ckad_grade::{grade, scenario::Library, scenario::Lookup, timeline::ManifestFile};
//!
//! let library = Library::embedded();
//! let Lookup::Found(entry) = library.find("107") else { return };
//! let Ok(scenario) = entry.load() else { return };
//! let answer = ManifestFile { name: "answer.yaml".into(), bytes: Vec::new() };
//! let Ok(graded) = grade::grade(&scenario, &[answer]) else { return };
//! println!("{} of {} points", graded.points(), graded.possible());
//! ```
mod absent;
mod cel;
pub mod compare;
mod count;
pub mod diff;
mod dns;
pub mod endpoints;
mod expect;
mod find;
mod mount;
mod pattern;
pub mod reasons;
mod storage;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::api::Store;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::{Cluster, Settled};
use crate::kubelet::mounts::Location;
use crate::scenario::{DnsTarget, LoadError, Place, Question, Range, Scenario};
use crate::timeline::{self, Action, ManifestFile, Step, kubectl};
pub use cel::Seen;
use compare::Difference;
use diff::Diff;
use reasons::Reason;

/// The percentage of the points that passes, as in the exam.
pub const PASS_PERCENT: u32 = 66;

/// What an answer is worth.
#[derive(Clone)]
pub struct Grade {
    /// One result for each check of the scenario, in order.
    pub checks: Vec<Graded>,
    /// What kubectl said to the answer.
    pub answer: kubectl::Output,
    /// What kubectl said to each later step.
    pub steps: Vec<kubectl::Output>,
    /// Whether the cluster came to rest each time.
    pub settled: Settled,
    /// The cluster at the end.
    pub cluster: Cluster,
}

/// The result of one check.
#[derive(Clone, Debug)]
pub struct Graded {
    /// The check's name.
    pub id: String,
    /// What it is worth.
    pub points: u32,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a check.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As asked.
    Passed,
    /// Not as asked.
    Failed(Box<Failure>),
    /// The simulation does not do what the check is about; the check counts for nothing.
    NotSimulated(NotSimulated),
}

/// What the simulation would have to do to answer a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSimulated {
    /// What a projected volume of several sources, or one made of the pod's own fields, has in it.
    VolumeContent,
}

/// Why a check failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was found instead.
    pub finding: Finding,
    /// Where the object differs from what was asked.
    pub differences: Vec<Difference>,
    /// What was expected, and what is, as far as it was asked about; neither if they are not to be shown.
    pub sides: (Option<Value>, Option<Value>),
    /// Why it is so, as the cluster would say it; the nearest cause first.
    pub reasons: Vec<Reason>,
}

/// What a check that failed found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The object is not there.
    Missing {
        /// The object.
        object: ObjectKey,
        /// An object that could have been meant to be this one.
        instead: Option<ObjectKey>,
    },
    /// The object is there but not as asked.
    Different {
        /// The object.
        object: ObjectKey,
    },
    /// No object is as asked; this one comes nearest.
    NoneLike {
        /// The kind.
        kind: Kind,
        /// The namespace, if one was given.
        namespace: Option<String>,
        /// The object that comes nearest.
        nearest: Option<ObjectKey>,
    },
    /// Objects are there that are not to be.
    Present {
        /// The objects.
        objects: Vec<ObjectKey>,
        /// What the first one has that it is not to have: field paths and values, `null` for a field that is not set.
        fields: Vec<(String, Value)>,
        /// Whether the object was named: then it is not to be like this, rather than not to be there.
        named: bool,
    },
    /// There are too few or too many.
    Number {
        /// How many there are to be.
        expected: Range,
        /// Those that are there.
        objects: Vec<ObjectKey>,
        /// The kind.
        kind: Kind,
        /// When there are too few, the object that comes nearest without being counted.
        nearest: Option<ObjectKey>,
    },
    /// The expression is not true.
    False {
        /// The expression.
        expression: String,
        /// The part of it that is not true.
        part: String,
        /// What that part read.
        values: Vec<Seen>,
        /// Objects that it asked for and that are not there.
        missing: Vec<ObjectKey>,
    },
    /// The expression has no value for this outcome.
    NoValue {
        /// The expression.
        expression: String,
        /// Why.
        message: String,
        /// Objects that it asked for and that are not there.
        missing: Vec<ObjectKey>,
    },
    /// A name leads to something else.
    Resolves {
        /// The name.
        name: String,
        /// What it is to lead to.
        target: DnsTarget,
        /// What it leads to; `None` if there is no such name.
        found: Option<Vec<String>>,
    },
    /// A Service leads to other pods or ports.
    LeadsTo(Box<endpoints::LeadsTo>),
    /// Two container paths show different bytes, or the same ones.
    Paths {
        /// The one, and what it shows.
        one: (String, Location),
        /// The other.
        other: (String, Location),
        /// Whether they show the same bytes.
        same: bool,
    },
    /// A pattern that is to mean several pods means one.
    OnePod {
        /// The pattern.
        path: String,
        /// The pod.
        pod: String,
    },
    /// A container mounts nothing at a path.
    NotMounted {
        /// The container path.
        path: String,
        /// The pod.
        pod: ObjectKey,
        /// Where its container mounts what: paths and names of volumes.
        mounts: Vec<(String, String)>,
    },
    /// A container path shows nothing: there is no such container or it does not run.
    NoPath {
        /// The path.
        path: String,
    },
}

impl Failure {
    /// Where the object differs from what was asked, as a text.
    pub fn diff(&self) -> Diff {
        Diff::of(self.sides.0.as_ref(), self.sides.1.as_ref())
    }
}

impl Finding {
    /// The object it is about, if it is one.
    pub fn object(&self) -> Option<&ObjectKey> {
        match self {
            Finding::Missing { object, .. } | Finding::Different { object } => Some(object),
            Finding::NoneLike { nearest, .. } | Finding::Number { nearest, .. } => nearest.as_ref(),
            _ => None,
        }
    }
}

/// Why a scenario cannot be graded, whatever the answer.
#[derive(Clone, Debug)]
pub struct ScenarioError {
    /// Where in the scenario's file.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl From<LoadError> for ScenarioError {
    fn from(error: LoadError) -> Self {
        ScenarioError { place: error.place, message: error.message, suggestion: error.suggestion }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.suggestion {
            Some(word) => write!(f, " (did you mean `{word}`?)"),
            None => Ok(()),
        }
    }
}
impl std::error::Error for ScenarioError {}

impl ScenarioError {
    fn new(place: &Place, message: impl Into<String>) -> ScenarioError {
        ScenarioError { place: place.clone(), message: message.into(), suggestion: None }
    }
}

impl Grade {
    /// The points earned.
    pub fn points(&self) -> u32 {
        self.checks.iter().filter(|c| matches!(c.verdict, Verdict::Passed)).map(|c| c.points).sum()
    }

    /// The points that could be earned: those of all checks that could be answered.
    pub fn possible(&self) -> u32 {
        self.checks.iter().filter(|c| !matches!(c.verdict, Verdict::NotSimulated(_))).map(|c| c.points).sum()
    }

    /// Whether every check that could be answered is as asked.
    pub fn is_full(&self) -> bool {
        self.points() == self.possible() && self.possible() > 0
    }

    /// Whether the points suffice to pass.
    pub fn is_pass(&self) -> bool {
        self.possible() > 0 && self.points() * 100 >= self.possible() * PASS_PERCENT
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&Graded, &Failure)> {
        self.checks.iter().filter_map(|check| match &check.verdict {
            Verdict::Failed(failure) => Some((check, &**failure)),
            _ => None,
        })
    }
}

/// The cluster in which a scenario begins, settled.
///
/// # Errors
/// When a question of the scenario makes no sense or one of its objects is refused.
pub fn start(scenario: &Scenario) -> Result<Cluster, ScenarioError> {
    pattern::validate_all(scenario)?;
    let mut cluster = Cluster::new(scenario.cluster.environment.clone());
    for manifest in &scenario.cluster.manifests {
        let file = ManifestFile { name: manifest.place.file.clone(), bytes: manifest.text.clone().into_bytes() };
        let output = apply(&mut cluster, vec![file]).output;
        if output.exit_code != 0 {
            return Err(ScenarioError::new(&manifest.place, output.stderr.trim_end()));
        }
    }
    Ok(cluster)
}

fn apply(cluster: &mut Cluster, files: Vec<ManifestFile>) -> timeline::PlayedStep {
    timeline::play_step(cluster, &Step { namespace: None, action: Action::Apply(files) })
}

/// Plays an answer into a scenario and checks what comes of it. A file `commands.sh` holds kubectl commands, any other
/// is a manifest (see [`timeline::answer`]).
///
/// # Errors
/// When the scenario itself is wrong.
pub fn grade(scenario: &Scenario, answer: &[ManifestFile]) -> Result<Grade, ScenarioError> {
    grade_in(scenario, start(scenario)?, answer)
}

/// As [`grade`], for many answers to one scenario: in a copy of its [`start`], and without looking at the patterns again.
///
/// # Errors
/// When the scenario itself is wrong.
pub fn grade_in(scenario: &Scenario, cluster: Cluster, answer: &[ManifestFile]) -> Result<Grade, ScenarioError> {
    grade_and_look(scenario, cluster, answer, &mut |_| {})
}

/// As [`grade_in`]; `look` is shown all objects after the answer and after each step.
///
/// # Errors
/// When the scenario itself is wrong.
pub fn grade_and_look(
    scenario: &Scenario,
    mut cluster: Cluster,
    answer: &[ManifestFile],
    look: &mut dyn FnMut(&Store),
) -> Result<Grade, ScenarioError> {
    let step = Step { namespace: None, action: Action::Answer(answer.to_vec()) };
    let timeline::PlayedStep { output: answer, mut settled, .. } = timeline::play_step(&mut cluster, &step);
    look(cluster.api().store());

    let last = scenario.steps.len();
    let asked = |number: usize| number < last && scenario.checks.iter().any(|check| check.after == Some(number));
    let mut moments: BTreeMap<usize, Cluster> = BTreeMap::new();
    let mut steps = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        if asked(number) {
            moments.insert(number, cluster.moment());
        }
        let timeline::PlayedStep { output, settled: this, .. } = timeline::play_step(&mut cluster, step);
        look(cluster.api().store());
        if this == Settled::GaveUp {
            settled = Settled::GaveUp;
        }
        steps.push(output);
    }

    let mut checks = Vec::new();
    for check in &scenario.checks {
        let moment = check.after.and_then(|after| moments.get(&after)).unwrap_or(&cluster);
        let mut verdict = Verdict::Passed;
        for question in &check.questions {
            verdict = ask(question, moment)?;
            if !matches!(verdict, Verdict::Passed) {
                break;
            }
        }
        checks.push(Graded { id: check.id.clone(), points: check.points, verdict });
    }
    Ok(Grade { checks, answer, steps, settled, cluster })
}

fn ask(question: &Question, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    match question {
        Question::Expect(pattern) => expect::ask(pattern, cluster),
        Question::Absent(pattern) => absent::ask(pattern, cluster),
        Question::Count(range, pattern) => count::ask(*range, pattern, cluster),
        Question::Cel(expression) => cel::ask(expression, cluster),
        Question::Mount(mount) => Ok(mount::ask(mount, cluster)),
        Question::Storage(storage) => Ok(storage::ask(storage, cluster)),
        Question::Dns(dns) => Ok(dns::ask(dns, cluster)),
        Question::Endpoints(endpoints) => Ok(endpoints::ask(endpoints, cluster)),
    }
}

#[cfg(test)]
mod tests;
