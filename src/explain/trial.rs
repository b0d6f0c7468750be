//! Whether an answer does what it should: the question that is put to the simulation for every edit.
use super::answer::Answer;
use super::candidates::asked::Sought;
use super::wish::{Subject, troubles};
use crate::cluster::Cluster;
use crate::grade::{self, Failure, Finding, ScenarioError, Verdict};
use crate::scenario::Scenario;
use crate::timeline::{Action, Step, kubectl, play_step};

/// What an answer is tried in.
pub enum Trial<'a> {
    /// A scenario, in the cluster it begins in.
    Scenario {
        /// The scenario.
        scenario: &'a Scenario,
        /// The cluster.
        start: &'a Cluster,
    },
    /// A cluster without a task: nothing should wait.
    Free {
        /// The cluster.
        start: &'a Cluster,
        /// What waits without any edit.
        waiting: &'a [Subject],
    },
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For each goal whether it is reached: each check of the scenario, or each subject that waits.
    pub reached: Vec<bool>,
    /// Whether something waits or is refused that was not before.
    pub worse: bool,
    /// Whether nothing waits at all.
    pub clean: bool,
    /// How much is missing; 0 if nothing is.
    pub distance: usize,
    /// How much work it was: changes of objects.
    pub work: usize,
}

/// What a missing object or a refused document counts in [`Outcome::distance`].
const MISSING: usize = 20;

impl Trial<'_> {
    /// The cluster before the answer.
    pub fn start(&self) -> &Cluster {
        match self {
            Trial::Scenario { start, .. } | Trial::Free { start, .. } => start,
        }
    }

    /// What the report of an answer asks for.
    ///
    /// # Errors
    /// When the scenario itself is wrong.
    pub fn sought(&self, answer: &Answer) -> Result<Sought, ScenarioError> {
        match self {
            Trial::Scenario { scenario, start } => {
                Ok(Sought::of(&grade::grade_in(scenario, (*start).clone(), &answer.files())?))
            }
            Trial::Free { start, .. } => {
                let mut cluster = (*start).clone();
                let step = Step { namespace: None, action: Action::Answer(answer.files()) };
                Ok(Sought::refused(&play_step(&mut cluster, &step).output))
            }
        }
    }

    /// Plays an answer.
    ///
    /// # Errors
    /// When the scenario itself is wrong.
    pub fn play(&self, answer: &Answer) -> Result<Outcome, ScenarioError> {
        let before = self.start().api().store().revision();
        match self {
            Trial::Scenario { scenario, start } => {
                let graded = grade::grade_in(scenario, (*start).clone(), &answer.files())?;
                let passed = |check: &grade::Graded| !matches!(check.verdict, Verdict::Failed(_));
                let refused: usize =
                    graded.answer.problems.iter().filter(|problem| !problem.warning).map(refused).sum();
                let missing: usize = graded.failures().map(|(_, failure)| missing(failure)).sum();
                Ok(Outcome {
                    reached: graded.checks.iter().map(passed).collect(),
                    worse: false,
                    clean: true,
                    distance: missing + refused,
                    work: graded.cluster.api().store().revision().saturating_sub(before),
                })
            }
            Trial::Free { start, waiting } => {
                let mut cluster = (*start).clone();
                let played = play_step(&mut cluster, &Step { namespace: None, action: Action::Answer(answer.files()) });
                let now = troubles(&cluster, &played.output);
                let store = cluster.api().store();
                let reached = |subject: &Subject| {
                    let there = match subject {
                        Subject::Object(key) => store.object(key.kind, &key.namespace, &key.name).is_some(),
                        _ => true,
                    };
                    there && !now.contains(subject)
                };
                Ok(Outcome {
                    reached: waiting.iter().map(reached).collect(),
                    worse: now.iter().any(|subject| !waiting.contains(subject) && !was_refused(subject, waiting)),
                    clean: now.is_empty(),
                    distance: now.len() * MISSING + played.output.problems.iter().map(refused).sum::<usize>(),
                    work: store.revision().saturating_sub(before),
                })
            }
        }
    }
}

/// Whether an object that waits now was refused before: that it is there is better than nothing.
fn was_refused(subject: &Subject, waiting: &[Subject]) -> bool {
    let Subject::Object(key) = subject else { return false };
    waiting.iter().any(|other| match other {
        Subject::Refused { kind, name, .. } => *kind == key.kind.name() && *name == key.name,
        _ => false,
    })
}

/// How much is wrong with a document that was refused.
fn refused(problem: &kubectl::Problem) -> usize {
    MISSING + problem.causes.len().max(problem.fields.len())
}

/// How much is missing for a check to pass.
fn missing(failure: &Failure) -> usize {
    match &failure.finding {
        Finding::Missing { .. } | Finding::NoPath { .. } => MISSING,
        Finding::NoneLike { nearest: None, .. } => MISSING,
        Finding::Number { .. } => MISSING / 2,
        Finding::NoValue { .. } => MISSING / 2,
        _ => failure.differences.len().max(1),
    }
}

impl Outcome {
    /// Whether every goal is reached and nothing is worse.
    pub fn is_full(&self) -> bool {
        self.clean && !self.worse && self.reached.iter().all(|reached| *reached)
    }

    /// The goals that are reached and were not before; none if one is lost that was.
    pub fn gains(&self, before: &Outcome) -> Vec<usize> {
        let pairs = self.reached.iter().zip(&before.reached);
        if self.worse || pairs.clone().any(|(now, then)| *then && !now) {
            return Vec::new();
        }
        pairs.enumerate().filter(|(_, (now, then))| **now && !**then).map(|(goal, _)| goal).collect()
    }

    /// Whether nothing that was right is lost.
    pub fn keeps(&self, before: &Outcome) -> bool {
        !self.worse && self.reached.iter().zip(&before.reached).all(|(now, then)| *now || !then)
    }
}
