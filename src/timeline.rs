//! What a person does with kubectl, one step after another, and what kubectl prints.
pub mod apply;
pub mod delete;
pub mod kubectl;
mod load;
pub mod patch;
pub mod record;
pub mod rollout;
pub mod scale;
pub mod wait;

pub use load::{LoadError, StepTable, load, load_str};

use k8s_openapi::jiff::SignedDuration;

use crate::api::Store;
use crate::cluster::{Cluster, Settled};
use crate::environment::Environment;
use kubectl::Output;

/// A cluster and what is done to it.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The world the cluster lives in.
    pub environment: Environment,
    /// What is done, in order; after each step the cluster settles.
    pub steps: Vec<Step>,
}

/// One kubectl command, or a while of waiting.
#[derive(Clone, Debug)]
pub struct Step {
    /// `--namespace`.
    pub namespace: Option<String>,
    /// The command.
    pub action: Action,
}

/// The commands a step can be.
#[derive(Clone, Debug)]
pub enum Action {
    /// `kubectl apply -f FILE`.
    Apply(Vec<ManifestFile>),
    /// `kubectl delete KIND/NAME --wait=false`.
    Delete(delete::Arguments),
    /// `kubectl scale KIND/NAME --replicas N`.
    Scale(scale::Arguments),
    /// `kubectl patch KIND/NAME --type TYPE --patch BODY`.
    Patch(patch::Arguments),
    /// `kubectl rollout …`.
    Rollout(String),
    /// Nothing but time.
    Wait(SignedDuration),
}

/// A file as it is given to `kubectl apply -f`.
#[derive(Clone, Debug)]
pub struct ManifestFile {
    /// The name kubectl shows.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A step that was played.
#[derive(Clone, Debug)]
pub struct PlayedStep {
    /// What kubectl printed.
    pub output: Output,
    /// All objects after the cluster settled.
    pub store: Store,
    /// Whether it settled.
    pub settled: Settled,
}

/// Seconds of virtual time between two steps, so that what different steps create differs in age.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Plays a timeline on a fresh cluster.
pub fn play(timeline: &Timeline) -> (Vec<PlayedStep>, Cluster) {
    let mut cluster = Cluster::new(timeline.environment.clone());
    let steps = timeline.steps.iter().map(|step| play_step(&mut cluster, step)).collect();
    (steps, cluster)
}

/// Plays one step and lets the cluster settle.
pub fn play_step(cluster: &mut Cluster, step: &Step) -> PlayedStep {
    cluster.advance(PAUSE);
    let output = run(cluster, step);
    let settled = cluster.settle();
    PlayedStep { output, store: cluster.api().store().without_log(), settled }
}

fn run(cluster: &mut Cluster, step: &Step) -> Output {
    let namespace = step.namespace.as_deref();
    match &step.action {
        Action::Apply(files) => apply::run(cluster, files, namespace),
        Action::Delete(arguments) => delete::run(cluster, arguments, namespace),
        Action::Scale(arguments) => scale::run(cluster, arguments, namespace),
        Action::Patch(arguments) => patch::run(cluster, arguments, namespace),
        Action::Rollout(arguments) => rollout::run(cluster, arguments, namespace),
        Action::Wait(duration) => wait::run(cluster, *duration),
    }
}
