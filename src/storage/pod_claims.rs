//! Which pods use which claims (`pkg/controller/volume/common` `PodPVCIndex`).
use std::collections::{BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::api::{ApiObject, Change};

/// The names of the claims a pod uses, those of its ephemeral volumes included.
pub fn claim_names(pod: &Pod) -> impl Iterator<Item = String> {
    let volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
    volumes.filter_map(|volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some(source.claim_name.clone()).filter(|name| !name.is_empty()),
        (None, Some(_)) => Some(ephemeral_claim_name(pod, &volume.name)),
        (None, None) => None,
    })
}

/// The name of the claim made for an ephemeral volume (`component-helpers/storage/ephemeral` `VolumeClaimName`).
pub fn ephemeral_claim_name(pod: &Pod, volume: &str) -> String {
    format!("{}-{volume}", pod.name())
}

/// Whether a pod is over: failed, succeeded, or deleted with nothing running (`pkg/volume/util` `IsPodTerminated`).
pub fn is_pod_terminated(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return pod.is_terminating() };
    if matches!(status.phase.as_deref(), Some("Failed" | "Succeeded")) {
        return true;
    }
    let not_running = |statuses: &Option<Vec<ContainerStatus>>| {
        statuses
            .iter()
            .flatten()
            .all(|s| s.state.as_ref().is_some_and(|state| state.terminated.is_some() || state.waiting.is_some()))
    };
    pod.is_terminating()
        && not_running(&status.init_container_statuses)
        && not_running(&status.container_statuses)
        && not_running(&status.ephemeral_container_statuses)
}

/// Pods by the claims they use, kept up to date by [`observe`](Self::observe).
#[derive(Clone, Debug, Default)]
pub struct PodsByClaim {
    pods: HashMap<(String, String), BTreeSet<String>>,
}

impl PodsByClaim {
    /// Takes in a change; says which claims the changed pod uses or used.
    pub fn observe(&mut self, change: &Change) -> Vec<(String, String)> {
        let Some((old, new)) = change.of::<Pod>() else { return Vec::new() };
        let mut touched = Vec::new();
        // a pod's volumes do not change while it lives
        if let Some(pod) = new.or(old) {
            for claim in claim_names(pod) {
                let key = (pod.namespace().to_owned(), claim);
                let pods = self.pods.entry(key.clone()).or_default();
                if new.is_some() {
                    pods.insert(pod.name().to_owned());
                } else {
                    pods.remove(pod.name());
                    if pods.is_empty() {
                        self.pods.remove(&key);
                    }
                }
                touched.push(key);
            }
        }
        touched
    }

    /// The names of the pods that use a claim, in order.
    pub fn of_claim(&self, namespace: &str, claim: &str) -> impl Iterator<Item = &str> {
        self.pods.get(&(namespace.to_owned(), claim.to_owned())).into_iter().flatten().map(String::as_str)
    }
}
