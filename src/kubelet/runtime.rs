//! The container runtime under a kubelet: sandboxes and containers. Every container starts at once; one that an exit
//! rule of the environment names ends at once, all others run until they are stopped.
use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

/// How a container ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// Its exit status.
    pub code: i32,
    /// When.
    pub at: Timestamp,
}

/// A container that was created, running or not.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeContainer {
    /// `containerd://…`.
    pub id: String,
    /// The image it was made from.
    pub image: String,
    /// How many were made for this container of the pod before.
    pub attempt: i32,
    /// When it started.
    pub started: Timestamp,
    /// How it ended; `None` while it runs.
    pub exit: Option<Exit>,
}

impl RuntimeContainer {
    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.exit.is_none()
    }
}

/// What the runtime has for one pod (`kubecontainer.PodStatus`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodRuntime {
    /// Whether the pod's sandbox, with its network, is up.
    pub sandbox_ready: bool,
    /// The sandbox's address; kept when it is stopped.
    pub ip: Option<String>,
    containers: BTreeMap<String, Vec<RuntimeContainer>>,
}

impl PodRuntime {
    /// The latest container of a name.
    pub fn latest(&self, name: &str) -> Option<&RuntimeContainer> {
        self.containers.get(name)?.last()
    }

    /// The one before.
    pub fn previous(&self, name: &str) -> Option<&RuntimeContainer> {
        self.containers.get(name)?.iter().rev().nth(1)
    }

    /// Whether the latest container of a name runs.
    pub fn is_running(&self, name: &str) -> bool {
        self.latest(name).is_some_and(RuntimeContainer::is_running)
    }

    /// Adds a started container; only the latest two of a name are kept.
    pub fn add(&mut self, name: &str, container: RuntimeContainer) {
        let all = self.containers.entry(name.to_owned()).or_default();
        if all.len() > 1 {
            all.remove(0);
        }
        all.push(container);
    }

    /// Ends the latest container of a name, if it runs.
    pub fn stop(&mut self, name: &str, exit: Exit) {
        if let Some(container) = self.containers.get_mut(name).and_then(|all| all.last_mut()) {
            container.exit.get_or_insert(exit);
        }
    }
}
