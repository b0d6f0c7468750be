//! Why an answer came to what it came to: the outcome as a story, and for everything that waits the shortest change that would
//! free it, found by trying changes in the simulation.
//!
//! The key of a scenario is never looked at: what is tried comes from the answer itself, the objects of the cluster, the words
//! of the task, what the report of the answer shows as expected, and the API's own types.
//!
//! ```no_run
//! use ckad_grade::{explain, timeline::ManifestFile};
//!
//! let claim = ManifestFile { name: "claim.yaml".into(), bytes: Vec::new() };
//! let Ok(explained) = explain::files(&[claim], explain::search::Budget::default()) else { return };
//! for waiting in &explained.waiting {
//!     println!("{} ways to free {:?}", waiting.fixes.len(), waiting.goal);
//! }
//! ```
pub mod answer;
pub mod candidates;
pub mod edit;
pub mod fix;
pub mod pool;
mod references;
pub mod rewrite;
pub mod search;
pub mod story;
pub mod trial;
pub mod wish;

use answer::Answer;
use candidates::Context;
use candidates::asked::Sought;
use fix::{Fix, choose};
use pool::Pool;
use search::{Budget, search};
use story::{Line, story};
use trial::Trial;
use wish::{Remark, Subject, remark, troubles};

use crate::cluster::{Cluster, Settled};
use crate::environment::Environment;
use crate::grade::reasons::{self, Reason};
use crate::grade::{self, ScenarioError, Verdict};
use crate::scenario::Scenario;
use crate::timeline::{Action, ManifestFile, Step, kubectl, play_step};

/// An outcome explained.
#[derive(Clone)]
pub struct Explained {
    /// What happened.
    pub story: Vec<Line>,
    /// What kubectl said to the answer.
    pub output: kubectl::Output,
    /// Whether the cluster came to rest.
    pub settled: Settled,
    /// The cluster in the end.
    pub cluster: Cluster,
    /// What is not as it should be, with what would help.
    pub waiting: Vec<Waiting>,
    /// Changes that put everything right at once.
    pub all: Vec<Fix>,
    /// How many changed answers were tried.
    pub tried: usize,
    /// Whether there was more to try.
    pub cut_short: bool,
}

/// Something that is not as it should be.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What.
    pub goal: Goal,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Why, where no component says it.
    pub remark: Option<Remark>,
    /// What would put it right, the smallest change first.
    pub fixes: Vec<Fix>,
}

/// What should be otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// A check of the scenario, by its number, should pass.
    Check(usize),
    /// Something should not wait.
    Free(Subject),
}

/// Explains what comes of manifests in a small cluster.
///
/// # Errors
/// None at present: only scenarios can be wrong.
pub fn files(files: &[ManifestFile], budget: Budget) -> Result<Explained, ScenarioError> {
    let start = Cluster::new(Environment::default());
    let mut cluster = start.clone();
    cluster.keep_journal();
    let played = play_step(&mut cluster, &Step { namespace: None, action: Action::Answer(files.to_vec()) });
    let subjects = troubles(&cluster, &played.output);
    let reasons = |subject: &Subject| match subject {
        Subject::Object(key) => reasons_of(&cluster, key),
        _ => Vec::new(),
    };
    let goals = subjects.iter().map(|subject| (Goal::Free(subject.clone()), reasons(subject))).collect();
    let story = story(&cluster, &start);
    let trial = Trial::Free { start: &start, waiting: &subjects };
    let sought = Sought::refused(&played.output);
    let explained = Explained {
        story,
        output: played.output,
        settled: played.settled,
        waiting: Vec::new(),
        all: Vec::new(),
        tried: 0,
        cut_short: false,
        cluster: cluster.clone(),
    };
    with_fixes(explained, &trial, None, &sought, files, goals, budget)
}

/// Explains what comes of an answer to a scenario.
///
/// # Errors
/// When the scenario itself is wrong.
pub fn scenario(scenario: &Scenario, files: &[ManifestFile], budget: Budget) -> Result<Explained, ScenarioError> {
    let start = grade::start(scenario)?;
    let mut cluster = start.clone();
    cluster.keep_journal();
    let graded = grade::grade_in(scenario, cluster, files)?;
    let goals = graded
        .checks
        .iter()
        .enumerate()
        .filter_map(|(number, check)| match &check.verdict {
            Verdict::Failed(failure) => Some((Goal::Check(number), failure.reasons.clone())),
            _ => None,
        })
        .collect();
    let sought = Sought::of(&graded, scenario, &Answer::read(files));
    let explained = Explained {
        story: story(&graded.cluster, &start),
        output: graded.answer,
        settled: graded.settled,
        cluster: graded.cluster,
        waiting: Vec::new(),
        all: Vec::new(),
        tried: 0,
        cut_short: false,
    };
    let trial = Trial::Scenario { scenario, start: &start };
    with_fixes(explained, &trial, Some(scenario), &sought, files, goals, budget)
}

/// Looks for what would help and adds it.
fn with_fixes(
    mut explained: Explained,
    trial: &Trial<'_>,
    scenario: Option<&Scenario>,
    sought: &Sought,
    files: &[ManifestFile],
    goals: Vec<(Goal, Vec<Reason>)>,
    budget: Budget,
) -> Result<Explained, ScenarioError> {
    let answer = Answer::read(files);
    let mut pool = Pool::of(trial.start(), &answer, scenario);
    pool.take_pods(&explained.cluster);
    sought.template_names(&answer).for_each(|name| pool.take_name(name));
    let context = Context { start: trial.start(), pool: &pool, sought, others: scenario.is_some() };
    let search = search(trial, &context, &answer, budget)?;
    explained.tried = search.tried;
    explained.cut_short = search.cut_short;
    explained.all = choose(&answer, &search.found, scenario.is_none(), |found| found.full);
    for (order, (goal, reasons)) in goals.into_iter().enumerate() {
        let number = match &goal {
            Goal::Check(number) => *number,
            Goal::Free(_) => order,
        };
        let fixes = choose(&answer, &search.found, scenario.is_none(), |found| found.gains.contains(&number));
        let remark = match &goal {
            Goal::Free(Subject::Object(key)) => remark(explained.cluster.api().store(), key),
            _ => None,
        };
        explained.waiting.push(Waiting { goal, reasons, remark, fixes });
    }
    Ok(explained)
}

/// Why an object waits; for a workload, why its first pod does.
fn reasons_of(cluster: &Cluster, key: &crate::api::object::ObjectKey) -> Vec<Reason> {
    let own = reasons::of(cluster, key);
    let store = cluster.api().store();
    let pods = store.objects_of_in(crate::api::object::Kind::Pod, &key.namespace);
    let mut waiting = pods.filter(|pod| !wish::is_as_wished(pod) && wish::top_owner(store, pod) == *key);
    match waiting.next().filter(|pod| pod.key() != *key) {
        Some(pod) => reasons::of(cluster, &pod.key()),
        None => own,
    }
}
