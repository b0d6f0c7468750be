//! Keeps claims while pods use them (`pkg/controller/volume/pvcprotection`).
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::jiff::Timestamp;

use crate::api::{ApiObject, Change, Kind, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{PVC_PROTECTION, PodsByClaim, ephemeral_claim_name, is_pod_terminated};

/// The PVC protection controller.
#[derive(Clone, Default)]
pub struct PvcProtectionController {
    queue: WorkQueue<(String, String)>,
    pods: PodsByClaim,
}

impl Reconciler for PvcProtectionController {
    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        match change.kind() {
            Kind::PersistentVolumeClaim => {
                if let Some((_, Some(claim))) = change.of::<PersistentVolumeClaim>()
                    && claim.is_terminating() == claim.has_finalizer(PVC_PROTECTION)
                {
                    self.queue.add((claim.namespace().to_owned(), claim.name().to_owned()));
                }
            }
            Kind::Pod => {
                let claims = self.pods.observe(change);
                if claims.is_empty() {
                    return;
                }
                let running = change
                    .of::<Pod>()
                    .and_then(|(_, new)| new)
                    .is_some_and(|pod| has_node(pod) && !is_pod_terminated(pod));
                if !running {
                    claims.into_iter().for_each(|claim| self.queue.add(claim));
                }
            }
            _ => {}
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some((namespace, name)) = self.queue.pop(context.api.now()) else { return false };
        let Some(claim) = context.api.get::<PersistentVolumeClaim>(&namespace, &name).cloned() else { return true };
        let protected = claim.has_finalizer(PVC_PROTECTION);
        let mut changed = (*claim).clone();
        if claim.is_terminating() && protected && !self.is_used(context.api.store(), &claim) {
            changed.remove_finalizer(PVC_PROTECTION);
        } else if !claim.is_terminating() && !protected {
            changed.add_finalizer(PVC_PROTECTION);
        } else {
            return true;
        }
        // a claim that cannot be changed (any more) needs no protection
        let _ = context.api.update(changed);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

impl PvcProtectionController {
    /// Whether a pod that was given to a node uses the claim, whatever became of the pod since.
    fn is_used(&self, store: &Store, claim: &PersistentVolumeClaim) -> bool {
        let names = self.pods.of_claim(claim.namespace(), claim.name());
        names.filter_map(|name| store.get::<Pod>(claim.namespace(), name)).any(|pod| uses(pod, claim))
    }
}

fn has_node(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).is_some_and(|node| !node.is_empty())
}

/// `podUsesPVCForDeletion`.
fn uses(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let shut_down = pod.is_terminating() && pod.metadata.deletion_grace_period_seconds == Some(0);
    let owned = claim.controller().is_some_and(|owner| owner.uid == pod.uid());
    has_node(pod)
        && pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(|volume| {
            volume.persistent_volume_claim.as_ref().is_some_and(|source| source.claim_name == claim.name())
                || (!shut_down
                    && volume.ephemeral.is_some()
                    && owned
                    && ephemeral_claim_name(pod, &volume.name) == claim.name())
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::api::object::ObjectKey;
    use crate::api::server::DeleteOptions;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    /// Whether a claim is still there after it was deleted under a pod with this node and phase.
    fn survives(node: Option<&str>, phase: &str) -> bool {
        let mut cluster = Cluster::new(Environment { nodes: Vec::new(), ..Environment::default() });
        let claim = json!({"metadata": {"name": "data", "namespace": "default"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}}});
        let volume = json!({"name": "v", "persistentVolumeClaim": {"claimName": "data"}});
        let pod = json!({"metadata": {"name": "p", "namespace": "default"},
            "spec": {"nodeName": node, "volumes": [volume], "containers": [{"name": "c", "image": "i"}]}});
        let api = cluster.api_mut();
        api.create::<PersistentVolumeClaim>(serde_json::from_value(claim).unwrap()).unwrap();
        let mut pod = (*api.create::<Pod>(serde_json::from_value(pod).unwrap()).unwrap().object).clone();
        pod.status.get_or_insert_default().phase = Some(phase.to_owned());
        api.update_status(pod).unwrap();
        cluster.settle();
        let key = ObjectKey::new(Kind::PersistentVolumeClaim, "default", "data");
        cluster.api_mut().delete(&key, &DeleteOptions::default()).unwrap();
        cluster.settle();
        cluster.api().get::<PersistentVolumeClaim>("default", "data").is_some()
    }

    #[test]
    fn any_pod_with_a_node_counts_and_no_other() {
        assert!(survives(Some("gone"), "Running") && survives(Some("gone"), "Failed"));
        assert!(!survives(None, "Pending"));
    }
}
