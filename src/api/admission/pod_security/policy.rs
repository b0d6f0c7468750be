//! Levels, versions and the labels that set them (`k8s.io/pod-security-admission/api`).
use std::collections::BTreeMap;
use std::fmt;

use crate::api::field::{ErrorList, Path};

/// How strict a policy is, laxest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// The Kubernetes release a policy is pinned to: `v1.N` or the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Version {
    Minor(u64),
    Latest,
}

/// A policy, e.g. `restricted:v1.30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelVersion {
    /// How strict.
    pub level: Level,
    /// As of which release.
    pub version: Version,
}

/// What a namespace's labels say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Pods that violate this are refused.
    pub enforce: LevelVersion,
    /// Pods and workloads that violate this are warned about.
    pub warn: LevelVersion,
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Privileged => "privileged:",
            Level::Baseline => "baseline:",
            Level::Restricted => "restricted:",
        })?;
        match self.version {
            Version::Minor(minor) => write!(f, "v1.{minor}"),
            Version::Latest => f.write_str("latest"),
        }
    }
}

fn parse_level(text: &str) -> Option<Level> {
    match text {
        "privileged" => Some(Level::Privileged),
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

/// `^v1\.([0-9]|[1-9][0-9]*)$`, or `latest`.
fn parse_version(text: &str) -> Option<Version> {
    if text == "latest" {
        return Some(Version::Latest);
    }
    let digits = text.strip_prefix("v1.")?;
    let canonical = digits == "0" || !digits.starts_with('0');
    let number = canonical && digits.bytes().all(|b| b.is_ascii_digit());
    // Go's `Atoi` stops at the largest int64
    digits.parse::<u64>().ok().filter(|n| number && i64::try_from(*n).is_ok()).map(Version::Minor)
}

/// `PolicyToEvaluate`: a label that cannot be read counts as restricted and latest where pods are refused, and as
/// privileged where clients are warned.
pub fn policy_to_evaluate(labels: &BTreeMap<String, String>) -> (Policy, ErrorList) {
    let privileged = LevelVersion { level: Level::Privileged, version: Version::Latest };
    let mut policy = Policy { enforce: privileged, warn: privileged };
    let mut errors = ErrorList::new();
    let metadata = Path::root("metadata");
    let path = metadata.child("labels");
    let read_level = |mode: &str, otherwise: Level, errors: &mut ErrorList| {
        let key = format!("pod-security.kubernetes.io/{mode}");
        let text = labels.get(&key)?;
        let level = parse_level(text);
        if level.is_none() {
            let why = "must be one of privileged, baseline, restricted";
            errors.push(path.key(&key).invalid(text.as_str(), why));
        }
        Some((level.unwrap_or(otherwise), level.is_some()))
    };
    let read_version = |mode: &str, errors: &mut ErrorList| {
        let key = format!("pod-security.kubernetes.io/{mode}-version");
        let text = labels.get(&key)?;
        let version = parse_version(text);
        if version.is_none() {
            errors.push(path.key(&key).invalid(text.as_str(), "must be \"latest\" or \"v1.x\""));
        }
        Some(version.unwrap_or(Version::Latest))
    };
    let enforce = read_level("enforce", Level::Restricted, &mut errors);
    policy.enforce.level = enforce.map_or(Level::Privileged, |(level, _)| level);
    policy.enforce.version = read_version("enforce", &mut errors).unwrap_or(Version::Latest);
    read_level("audit", Level::Privileged, &mut errors);
    read_version("audit", &mut errors);
    let warn = read_level("warn", Level::Privileged, &mut errors);
    policy.warn.level = warn.map_or(Level::Privileged, |(level, _)| level);
    let warn_version = read_version("warn", &mut errors);
    policy.warn.version = warn_version.unwrap_or(Version::Latest);
    let enforced = enforce.is_some_and(|(_, readable)| readable);
    if warn.is_none() && enforced && policy.enforce.level > policy.warn.level {
        policy.warn.level = policy.enforce.level;
        if warn_version.is_none() {
            policy.warn.version = policy.enforce.version;
        }
    }
    (policy, errors)
}
