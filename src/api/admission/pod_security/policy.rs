//! The levels a namespace's labels name (`pod-security-admission/api`).
use std::fmt;

use crate::api::field::{ErrorList, Path};
use crate::api::label_selector::Labels;

/// How strict a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Everything is allowed.
    Privileged,
    /// No known way to more rights than a container has.
    Baseline,
    /// What hardened pods do.
    Restricted,
}

impl Level {
    fn parse(text: &str) -> Option<Level> {
        match text {
            "privileged" => Some(Level::Privileged),
            "baseline" => Some(Level::Baseline),
            "restricted" => Some(Level::Restricted),
            _ => None,
        }
    }
}

/// A level as of a version of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelVersion {
    pub(super) level: Level,
    /// The minor version; [`LATEST`] for `latest`.
    pub(super) minor: u32,
}

/// Stands for the version `latest`.
const LATEST: u32 = u32::MAX;

impl LevelVersion {
    /// The version alone.
    pub(super) fn version(self) -> u32 {
        self.minor
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            LATEST => write!(f, "{level}:latest"),
            minor => write!(f, "{level}:v1.{minor}"),
        }
    }
}

/// What is forbidden, and what is only warned of. Nobody here reads audit logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) enforce: LevelVersion,
    pub(super) warn: LevelVersion,
}

impl Policy {
    /// The policy that labels stand for, and what is wrong with them (`PolicyToEvaluate`).
    pub(super) fn of(labels: Option<&Labels>) -> (Policy, ErrorList) {
        let nothing = LevelVersion { level: Level::Privileged, minor: LATEST };
        let mut policy = Policy { enforce: nothing, warn: nothing };
        let mut errors = ErrorList::new();
        let Some(labels) = labels else { return (policy, errors) };
        let label = |what: &str| labels.get(&format!("pod-security.kubernetes.io/{what}")).map(String::as_str);
        let mut level = |what: &str| {
            let text = label(what)?;
            let level = Level::parse(text);
            if level.is_none() {
                errors.push(wrong(what, text, "must be one of privileged, baseline, restricted"));
            }
            Some(level)
        };
        let enforced = level("enforce");
        level("audit");
        let warned = level("warn");
        let mut version = |what: &str| {
            let text = label(what)?;
            let minor = parse_version(text);
            if minor.is_none() {
                errors.push(wrong(what, text, "must be \"latest\" or \"v1.x\""));
            }
            Some(minor.unwrap_or(LATEST))
        };
        let enforced_version = version("enforce-version");
        version("audit-version");
        let warned_version = version("warn-version");
        // the errors come label by label: level and version of one mode together
        let place = |field: &str| {
            ["enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"]
                .iter()
                .position(|what| field.ends_with(&format!("/{what}]")))
        };
        errors.sort_by_key(|e| place(&e.field));
        if let Some(level) = enforced {
            policy.enforce.level = level.unwrap_or(Level::Restricted);
        }
        policy.enforce.minor = enforced_version.unwrap_or(LATEST);
        policy.warn.minor = warned_version.unwrap_or(LATEST);
        match (warned, enforced.flatten()) {
            (Some(level), _) => policy.warn.level = level.unwrap_or(Level::Privileged),
            (None, Some(level)) if level > Level::Privileged => {
                policy.warn.level = level;
                policy.warn.minor = warned_version.unwrap_or(policy.enforce.minor);
            }
            (None, _) => {}
        }
        (policy, errors)
    }
}

fn wrong(what: &str, value: &str, why: &str) -> crate::api::field::FieldError {
    let label = format!("pod-security.kubernetes.io/{what}");
    Path::root("metadata").child("labels").key(&label).invalid(value, why)
}

/// `latest` or `v1.x`.
fn parse_version(text: &str) -> Option<u32> {
    if text == "latest" {
        return Some(LATEST);
    }
    let minor = text.strip_prefix("v1.")?;
    let plain =
        !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()) && (minor == "0" || !minor.starts_with('0'));
    minor.parse().ok().filter(|_| plain)
}
