//! The world outside the API: machines, storage back ends, and what containers do when they run.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The `[cluster]` table of a timeline or scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The machines.
    #[serde(default = "Environment::default_nodes")]
    pub nodes: Vec<NodeConfig>,
    /// Names of the dynamic provisioners that are installed and work; `kubernetes.io/host-path` is the in-tree one.
    #[serde(default)]
    pub provisioners: Vec<String>,
    /// Containers that end by themselves; all others run until stopped. If left out, only the pods that recycle volumes
    /// do their work and end.
    #[serde(default = "Environment::default_exits")]
    pub exits: Vec<ExitRule>,
}

/// A machine with a kubelet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The node's name; also its `kubernetes.io/hostname` label.
    pub name: String,
    /// Labels besides those every kubelet sets.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What pods can ask for: `cpu`, `memory`, `pods`…
    #[serde(default)]
    pub allocatable: BTreeMap<String, String>,
    /// Taints as `kubectl taint` takes them: `key=value:Effect` or `key:Effect`.
    #[serde(default)]
    pub taints: Vec<String>,
    /// Cordoned.
    #[serde(default)]
    pub unschedulable: bool,
}

impl NodeConfig {
    /// A machine of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        NodeConfig {
            name: name.into(),
            labels: BTreeMap::new(),
            allocatable: BTreeMap::new(),
            taints: Vec::new(),
            unschedulable: false,
        }
    }
}

/// Says which containers end by themselves, at once, and with which status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitRule {
    /// A container's name; `*` stands for any characters.
    pub container: String,
    /// The exit status.
    pub code: i32,
}

impl Default for Environment {
    fn default() -> Self {
        Environment { nodes: Self::default_nodes(), provisioners: Vec::new(), exits: Self::default_exits() }
    }
}

impl Environment {
    /// Two equal workers.
    fn default_nodes() -> Vec<NodeConfig> {
        vec![NodeConfig::named("node01"), NodeConfig::named("node02")]
    }

    fn default_exits() -> Vec<ExitRule> {
        vec![ExitRule { container: "pv-recycler".to_owned(), code: 0 }]
    }

    /// The status with which a container ends by itself, or `None` if it runs until stopped. The first rule that matches
    /// counts.
    pub fn exit_code(&self, container: &str) -> Option<i32> {
        self.exits.iter().find(|rule| glob(&rule.container, container)).map(|rule| rule.code)
    }
}

/// Whether a text matches a pattern in which `*` stands for any characters.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| glob(tail, &rest[i..]))
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(glob("init-*", "init-db") && glob("init-*", "init-") && glob("*-x", "a-x") && glob("*", ""));
        assert!(!glob("init-*", "xinit-db") && !glob("app", "app2"));
    }
}
