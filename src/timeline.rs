//! What a person does with kubectl, one step after another, and what kubectl prints.
mod annotate;
pub mod answer;
pub mod apply;
mod autoscale;
mod command;
pub mod command_line;
mod cordon;
mod create;
pub mod delete;
mod expose;
mod files;
mod flags;
pub mod kubectl;
mod label;
mod load;
pub mod patch;
pub mod record;
mod replace;
mod resources;
pub mod rollout;
mod run;
pub mod scale;
mod schema_validation;
mod set;
mod taint;
#[cfg(test)]
mod testing;
mod visitor;
pub mod wait;
mod wait_for;

pub use load::{LoadError, StepTable, load, load_str};

use k8s_openapi::jiff::SignedDuration;

use crate::api::Store;
use crate::cluster::{Cluster, Settled};
use crate::environment::Environment;
use command_line::CommandLine;
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
    /// Any kubectl command as it is typed, and the files it names.
    Kubectl(CommandLine, Vec<ManifestFile>),
    /// Manifests and `commands.sh`.
    Answer(Vec<ManifestFile>),
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
    let (output, settled) = match &step.action {
        Action::Answer(files) => answer::run(cluster, files, step.namespace.as_deref()),
        action => {
            let output = play_action(cluster, action, step.namespace.as_deref());
            (output, cluster.settle())
        }
    };
    PlayedStep { output, store: cluster.api().store().without_log(), settled }
}

fn play_action(cluster: &mut Cluster, action: &Action, namespace: Option<&str>) -> Output {
    match action {
        Action::Apply(files) => apply::run(cluster, files, namespace.into()),
        Action::Delete(arguments) => delete::run(cluster, arguments, namespace),
        Action::Scale(arguments) => scale::run(cluster, arguments, namespace),
        Action::Patch(arguments) => patch::run(cluster, arguments, namespace),
        Action::Rollout(arguments) => rollout::run(cluster, arguments, namespace),
        Action::Wait(duration) => wait::run(cluster, *duration),
        Action::Kubectl(line, files) => command::run_line(cluster, line, files, namespace),
        Action::Answer(files) => answer::run(cluster, files, namespace).0,
    }
}
