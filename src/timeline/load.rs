//! Reading `timeline.toml`.
use std::fmt;
use std::path::{Path, PathBuf};

use k8s_openapi::jiff::SignedDuration;
use serde::Deserialize;

use super::command::named_files;
use super::{Action, ManifestFile, Step, Timeline, command_line, delete, patch, scale};
use crate::api::server::Propagation;
use crate::environment::Environment;

/// Why a timeline could not be read.
#[derive(Debug)]
pub enum LoadError {
    /// A file that cannot be opened.
    Io(PathBuf, std::io::Error),
    /// The text is not a timeline; the message shows the place.
    Format(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Io(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            LoadError::Format(message) => f.write_str(message),
        }
    }
}
impl std::error::Error for LoadError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimelineTable {
    #[serde(default)]
    cluster: Environment,
    #[serde(default)]
    steps: Vec<StepTable>,
}

/// One `[[steps]]` table: exactly one of the commands and what belongs to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    apply: Option<String>,
    /// A manifest in the table itself instead of in a file.
    manifest: Option<String>,
    delete: Option<String>,
    cascade: Option<String>,
    #[serde(rename = "grace-period")]
    grace_period: Option<i64>,
    scale: Option<String>,
    replicas: Option<i32>,
    patch: Option<String>,
    #[serde(rename = "type")]
    patch_type: Option<String>,
    body: Option<String>,
    rollout: Option<String>,
    wait: Option<String>,
    /// Any kubectl command, with or without `kubectl` in front.
    kubectl: Option<String>,
    namespace: Option<String>,
}

/// Reads a timeline and the manifests beside it.
///
/// # Errors
/// When a file cannot be read or the TOML is not a timeline.
pub fn load(path: &Path) -> Result<Timeline, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|e| LoadError::Io(path.to_owned(), e))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    load_str(&text, &|name| std::fs::read(folder.join(name)).map_err(|e| LoadError::Io(folder.join(name), e)))
}

/// Reads a timeline from text; `open` gives the content of a manifest it names.
///
/// # Errors
/// As [`load`].
pub fn load_str(text: &str, open: &dyn Fn(&str) -> Result<Vec<u8>, LoadError>) -> Result<Timeline, LoadError> {
    let table: TimelineTable = toml::from_str(text).map_err(|e| LoadError::Format(e.to_string()))?;
    let steps = table.steps.into_iter().enumerate();
    let steps = steps.map(|(i, step)| step.into_step(open).map_err(|e| e.in_step(i + 1)));
    Ok(Timeline { environment: table.cluster, steps: steps.collect::<Result<_, _>>()? })
}

impl LoadError {
    fn in_step(self, number: usize) -> Self {
        match self {
            LoadError::Format(message) => LoadError::Format(format!("step {number}: {message}")),
            io => io,
        }
    }
}

impl StepTable {
    /// The step the table means; `open` gives the content of a manifest it names.
    ///
    /// # Errors
    /// When the table has no command, several, or one that lacks something.
    pub fn into_step(self, open: &dyn Fn(&str) -> Result<Vec<u8>, LoadError>) -> Result<Step, LoadError> {
        let wrong = |message: &str| LoadError::Format(message.to_owned());
        let mut actions = Vec::new();
        if let Some(name) = self.apply {
            let bytes = open(&name)?;
            actions.push(Action::Apply(vec![ManifestFile { name, bytes }]));
        }
        if let Some(text) = self.manifest {
            actions.push(Action::Apply(vec![ManifestFile { name: "step.yaml".to_owned(), bytes: text.into_bytes() }]));
        }
        if let Some(target) = self.delete {
            let cascade = match self.cascade.as_deref() {
                None | Some("background") => Propagation::Background,
                Some("foreground") => Propagation::Foreground,
                Some("orphan") => Propagation::Orphan,
                Some(_) => return Err(wrong("`cascade` is \"background\", \"foreground\" or \"orphan\"")),
            };
            actions.push(Action::Delete(delete::Arguments {
                target,
                cascade,
                grace_period_seconds: self.grace_period,
            }));
        }
        if let Some(target) = self.scale {
            let replicas = self.replicas.ok_or_else(|| wrong("`scale` needs `replicas`"))?;
            actions.push(Action::Scale(scale::Arguments { target, replicas }));
        }
        if let Some(target) = self.patch {
            let patch_type = match self.patch_type.as_deref() {
                None | Some("strategic") => patch::PatchType::Strategic,
                Some("merge") => patch::PatchType::Merge,
                Some("json") => patch::PatchType::Json,
                Some(_) => return Err(wrong("`type` is \"strategic\", \"merge\" or \"json\"")),
            };
            let body = self.body.ok_or_else(|| wrong("`patch` needs `body`"))?;
            actions.push(Action::Patch(patch::Arguments { target, patch_type, body }));
        }
        if let Some(arguments) = self.rollout {
            actions.push(Action::Rollout(arguments));
        }
        if let Some(text) = self.wait {
            let duration: SignedDuration =
                text.parse().map_err(|_| wrong("`wait` is a duration such as \"90s\" or \"2m30s\""))?;
            actions.push(Action::Wait(duration.max(SignedDuration::ZERO)));
        }
        if let Some(text) = self.kubectl {
            let line = command_line::parse_one(&text).map_err(|refusal| LoadError::Format(refusal.to_string()))?;
            let mut files = Vec::new();
            for name in named_files(&line.words) {
                files.push(ManifestFile { bytes: open(&name)?, name });
            }
            actions.push(Action::Kubectl(line, files));
        }
        let mut actions = actions.into_iter();
        match (actions.next(), actions.next()) {
            (Some(action), None) => Ok(Step { namespace: self.namespace, action }),
            (None, _) => Err(wrong(
                "a step needs one of `apply`, `manifest`, `delete`, `scale`, `patch`, `rollout`, `wait`, `kubectl`",
            )),
            (Some(_), Some(_)) => Err(wrong("a step is one command only")),
        }
    }
}
