//! Makes the claims of pods' ephemeral volumes (`pkg/controller/volume/ephemeral`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::{ApiObject, Change, Kind, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{PodsByClaim, ephemeral_claim_name};

const SOURCE: &str = "ephemeral_volume";
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(1);
const LAST_RETRY: SignedDuration = SignedDuration::from_secs(1000);

type Key = (String, String);

/// The ephemeral volume controller.
#[derive(Clone, Default)]
pub struct EphemeralVolumeController {
    queue: WorkQueue<Key>,
    pods: PodsByClaim,
    retries: BTreeMap<Key, SignedDuration>,
}

impl Reconciler for EphemeralVolumeController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        match change.kind() {
            Kind::Pod => {
                self.pods.observe(change);
                if let Some((None, Some(pod))) = change.of::<Pod>() {
                    self.enqueue(pod);
                }
            }
            Kind::PersistentVolumeClaim if change.is_deletion() => {
                let claim = change.object();
                let names = self.pods.of_claim(claim.namespace(), claim.name());
                let pods: Vec<_> = names.filter_map(|name| store.get::<Pod>(claim.namespace(), name)).collect();
                pods.into_iter().for_each(|pod| self.enqueue(pod));
            }
            _ => {}
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        let Some(key) = self.queue.pop(now) else { return false };
        let pod = context.api.get::<Pod>(&key.0, &key.1).filter(|pod| !pod.is_terminating()).cloned();
        let Some(pod) = pod else {
            self.retries.remove(&key);
            return true;
        };
        for volume in pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()) {
            let Err(failure) = handle_volume(context, &pod, volume) else { continue };
            let message = format!("ephemeral volume {}: {}", volume.name, failure.message);
            context.api.event(SOURCE, &pod, EventType::Warning, "FailedBinding", message);
            if failure.retry {
                let wait = self.retries.get(&key).map_or(FIRST_RETRY, |wait| (*wait * 2).min(LAST_RETRY));
                self.queue.add_at(key.clone(), now + wait);
                self.retries.insert(key, wait);
            }
            return true;
        }
        self.retries.remove(&key);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

impl EphemeralVolumeController {
    fn enqueue(&mut self, pod: &Pod) {
        let ephemeral = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(|v| v.ephemeral.is_some());
        if ephemeral && !pod.is_terminating() {
            self.queue.add((pod.namespace().to_owned(), pod.name().to_owned()));
        }
    }
}

struct Failure {
    message: String,
    /// Whether time alone may help; a claim in the way announces its deletion itself.
    retry: bool,
}

/// Makes the claim of one volume unless it is there (`handleVolume`).
fn handle_volume(context: &mut Context<'_>, pod: &Arc<Pod>, volume: &Volume) -> Result<(), Failure> {
    let Some(template) = volume.ephemeral.as_ref().and_then(|e| e.volume_claim_template.as_ref()) else {
        return Ok(());
    };
    let name = ephemeral_claim_name(pod, &volume.name);
    if let Some(claim) = context.api.get::<PersistentVolumeClaim>(pod.namespace(), &name) {
        return volume_is_for_pod(pod, claim).map_err(|message| Failure { message, retry: false });
    }
    let metadata = template.metadata.clone().unwrap_or_default();
    let claim = PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(pod.namespace().to_owned()),
            annotations: metadata.annotations,
            labels: metadata.labels,
            owner_references: Some(vec![OwnerReference {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                name: pod.name().to_owned(),
                uid: pod.uid().to_owned(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]),
            ..Default::default()
        },
        spec: Some(template.spec.clone()),
        status: None,
    };
    match context.api.create(claim) {
        Ok(_) => Ok(()),
        Err(why) => Err(Failure { message: format!("create PVC {name}: {why}"), retry: true }),
    }
}

/// Whether a claim was made for a pod's ephemeral volume, or why not (`component-helpers/storage/ephemeral`).
fn volume_is_for_pod(pod: &Pod, claim: &PersistentVolumeClaim) -> Result<(), String> {
    if claim.controller().is_some_and(|owner| owner.uid == pod.uid()) {
        return Ok(());
    }
    let (namespace, name) = (claim.namespace(), claim.name());
    Err(format!("PVC {namespace}/{name} was not created for pod {namespace}/{} (pod is not owner)", pod.name()))
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

    fn pod() -> Pod {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": spec});
        let volume = json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}});
        let pod = json!({"metadata": {"name": "sorter", "namespace": "default"},
            "spec": {"volumes": [volume], "containers": [{"name": "c", "image": "i"}]}});
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn the_claim_is_named_after_pod_and_volume_and_owned_by_the_pod() {
        let mut cluster = Cluster::new(Environment::default());
        let pod = cluster.api_mut().create(pod()).unwrap().object;
        cluster.settle();
        let claim = cluster.api().get::<PersistentVolumeClaim>("default", "sorter-scratch").unwrap();
        assert_eq!(claim.controller().map(|owner| owner.uid.as_str()), Some(pod.uid()));
        assert_eq!(claim.label("app"), Some("x"));
    }

    #[test]
    fn a_foreign_claim_of_that_name_is_waited_out() {
        let mut cluster = Cluster::new(Environment::default());
        let claim = json!({"metadata": {"name": "sorter-scratch", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}});
        cluster.api_mut().create::<PersistentVolumeClaim>(serde_json::from_value(claim).unwrap()).unwrap();
        let pod = cluster.api_mut().create(pod()).unwrap().object;
        cluster.settle();
        let message = "ephemeral volume scratch: PVC default/sorter-scratch was not created for pod default/sorter (pod is \
                       not owner)";
        assert!(cluster.api().events().iter().any(|e| e.reason == "FailedBinding" && e.message == message));
        let key = ObjectKey::new(Kind::PersistentVolumeClaim, "default", "sorter-scratch");
        cluster.api_mut().delete(&key, &DeleteOptions::default()).unwrap();
        cluster.settle();
        let claim = cluster.api().get::<PersistentVolumeClaim>("default", "sorter-scratch").unwrap();
        assert_eq!(claim.controller().map(|owner| owner.uid.as_str()), Some(pod.uid()));
    }
}
