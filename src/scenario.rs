//! A scenario: a task, the cluster it starts in, what happens after the answer is applied, and the checks that are scored.
//!
//! The file format is described in `docs/scenarios.md`; [`Library`] finds scenarios, [`Scenario::parse`] reads one.
pub mod chapter;
mod cluster;
mod domain;
mod error;
mod library;
mod loader;
mod programs;
pub mod schema;
pub mod solutions;
pub mod statements;

pub use cluster::{Manifest, Setup, profile_names};
pub use domain::Domain;
pub use error::{LoadError, Place};
pub use library::{Entry, Library, Lookup, Origin, short_id};
pub use programs::Programs;

use serde::{Deserialize, Serialize};

use crate::lang::Text;
use crate::timeline::Step;

/// A task with everything that is needed to grade an answer to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name it is asked for by: `scenario-107-pod`; also its file's name.
    pub id: String,
    /// The chapter of the study note.
    pub chapter: String,
    /// How hard it is.
    pub level: Level,
    /// How long somebody ready for the exam needs.
    pub minutes: u32,
    /// Where the task comes from, and pages that help.
    pub sources: Vec<String>,
    /// The statements of the study note it asks about: ids of `docs/statements.toml`.
    pub covers: Vec<String>,
    /// One line.
    pub title: Text,
    /// What is asked.
    pub task: Text,
    /// Help, from gentle to plain.
    pub hints: Vec<Text>,
    /// Why the key is right; shown with the key.
    pub explanation: Option<Text>,
    /// The cluster before the answer is applied.
    pub cluster: Setup,
    /// What happens after the answer is applied and the cluster has settled.
    pub steps: Vec<Step>,
    /// What is scored.
    pub checks: Vec<Check>,
    /// Fields of the key that an answer is free to change.
    pub free: Vec<Free>,
}

/// How hard a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// One object, one idea.
    WarmUp,
    /// What the exam asks.
    Exam,
    /// More than the exam asks.
    Hard,
}

/// One scored question about the outcome.
#[derive(Clone, Debug)]
pub struct Check {
    /// A name within the scenario.
    pub id: String,
    /// What it is worth.
    pub points: u32,
    /// What it asks, as a statement that is true of a right answer.
    pub title: Text,
    /// Advice for who fails it.
    pub advice: Option<Text>,
    /// Look at the cluster after this many steps instead of after all of them.
    pub after: Option<usize>,
    /// The questions, at least one; all have to be answered as asked.
    pub questions: Vec<Question>,
    /// Where the check begins in the scenario's file.
    pub place: Place,
}

/// The kinds of check; each has a file in [`grade`](crate::grade).
#[derive(Clone, Debug)]
pub enum Question {
    /// An object like this exists.
    Expect(Pattern),
    /// No object like this exists.
    Absent(Pattern),
    /// So many objects like this exist.
    Count(Range, Pattern),
    /// An expression in the Common Expression Language is true.
    Cel(Cel),
    /// A container has a volume like this mounted at a path.
    Mount(Mount),
    /// Container paths show the same bytes, or do not.
    Storage(Storage),
    /// A name leads to these pods, to a Service, or nowhere.
    Dns(Dns),
    /// A Service leads to exactly these pods and ports.
    Endpoints(Endpoints),
}

/// A partial object.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The object, as far as it is given.
    pub value: serde_json::Value,
    /// Where its manifest begins in the scenario's file.
    pub place: Place,
}

/// How many objects there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// At least so many.
    pub min: u64,
    /// At most so many, if there is a limit.
    pub max: Option<u64>,
}

impl Range {
    /// Whether a number is within the range.
    pub fn contains(self, number: u64) -> bool {
        number >= self.min && self.max.is_none_or(|max| number <= max)
    }
}

/// A boolean expression about the outcome.
#[derive(Clone, Debug)]
pub struct Cel {
    /// The expression's text.
    pub expression: String,
    /// Where it begins in the scenario's file.
    pub place: Place,
    /// It and its parts, compiled when they are first asked for.
    pub programs: Programs,
}

/// A volume that is to be mounted at a path.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where.
    pub at: ContainerPath,
    /// The volume as far as it is given: an item of a pod's `spec.volumes`.
    pub volume: Pattern,
    /// Whether the container can only read; `None` if that does not matter.
    pub read_only: Option<bool>,
    /// The path within the volume; `None` for the volume as a whole.
    pub sub_path: Option<String>,
}

/// Paths in containers that are to show the same bytes, or not. A path is `NAMESPACE/POD/CONTAINER:PATH`.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// All of these show the same bytes.
    pub same: Vec<ContainerPath>,
    /// No two of these show the same bytes.
    pub different: Vec<ContainerPath>,
}

/// A path as a container sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPath {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod; `*` stands for any characters, so that generated names can be meant.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The path.
    pub path: String,
}

/// A Service and what it is to lead to.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// Exactly these pods; `*` in a name stands for any characters, an empty list for none.
    pub pods: Vec<String>,
    /// Exactly these ports of the pods; `None` if they do not matter.
    pub ports: Option<Vec<EndpointPort>>,
    /// Whether only pods that are ready count.
    pub ready: bool,
}

/// A port of the pods behind a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPort {
    /// The name of the Service's port; `None` for any.
    pub name: Option<String>,
    /// The port's number in the pod.
    pub number: i32,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

impl EndpointPort {
    /// Reads `[NAME=]NUMBER[/PROTOCOL]`.
    pub fn parse(text: &str) -> Option<EndpointPort> {
        let (name, rest) = match text.split_once('=') {
            Some((name, rest)) => (Some(name.to_owned()).filter(|name| !name.is_empty()), rest),
            None => (None, text),
        };
        let (number, protocol) = rest.split_once('/').unwrap_or((rest, "TCP"));
        let number = number.parse::<u16>().ok().filter(|number| *number > 0)?;
        let known = ["TCP", "UDP", "SCTP"].contains(&protocol);
        known.then(|| EndpointPort { name, number: number.into(), protocol: protocol.to_owned() })
    }
}

impl std::fmt::Display for EndpointPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// A name and what it is to lead to.
#[derive(Clone, Debug)]
pub struct Dns {
    /// The name that is looked up.
    pub name: String,
    /// The namespace of the pod that looks it up.
    pub namespace: String,
    /// What it leads to.
    pub target: DnsTarget,
}

/// What a name is to lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsTarget {
    /// Exactly these pods; `*` in a name stands for any characters.
    Pods(Vec<String>),
    /// The address of this Service: `NAME` in the namespace that asks, or `NAMESPACE/NAME`.
    Service(String),
    /// There is no such name.
    Nothing,
}

/// A field that the task leaves open, so that a mutant that changes it may keep full marks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Free {
    /// Field path, e.g. `spec.hostPath.type`; with a kind in front when only one kind is meant: `Pod spec.restartPolicy`.
    pub field: String,
    /// Why the task leaves it open.
    pub why: String,
}

impl Scenario {
    /// All points.
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }
}

impl ContainerPath {
    /// Reads `NAMESPACE/POD/CONTAINER:PATH`.
    pub fn parse(text: &str) -> Option<ContainerPath> {
        let (place, path) = text.split_once(':')?;
        let [namespace, pod, container] = *place.split('/').collect::<Vec<_>>().as_slice() else { return None };
        let filled = [namespace, pod, container].iter().all(|part| !part.is_empty());
        (filled && path.starts_with('/')).then(|| ContainerPath {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container: container.to_owned(),
            path: path.to_owned(),
        })
    }
}

impl std::fmt::Display for ContainerPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}:{}", self.namespace, self.pod, self.container, self.path)
    }
}
