//! PodGC (`pkg/controller/podgc`): pods on nodes that do not exist are deleted by force.
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::object::{Kind, ObjectKey};
use crate::api::pod_condition::{disruption_target, set_condition};
use crate::api::server::DeleteOptions;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::scheduler::node_info::{PodKey, is_terminal, key_of, node_name};

/// The controller looks every 20 s, gives a missing node 40 s to come back, and acts the next time it looks.
const QUARANTINE: SignedDuration = SignedDuration::from_secs(20 + 40 + 20);

/// Deletes pods whose node does not exist. Finished pods are left alone: only more than 12500 of them would be too many.
#[derive(Clone, Debug, Default)]
pub struct PodGcController {
    nodes: BTreeSet<String>,
    pods: BTreeMap<String, BTreeSet<PodKey>>,
    missing: BTreeSet<String>,
    quarantine: WorkQueue<String>,
}

impl Reconciler for PodGcController {
    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, new)) = change.of::<Node>() {
            let name = change.object().name().to_owned();
            if new.is_some() {
                self.nodes.insert(name);
            } else {
                self.nodes.remove(&name);
                if self.pods.contains_key(&name) {
                    self.missing.insert(name);
                }
            }
        } else if let Some((old, new)) = change.of::<Pod>() {
            let Some(pod) = new.or(old).filter(|p| !node_name(p).is_empty()) else { return };
            let node = node_name(pod).to_owned();
            let pods = self.pods.entry(node.clone()).or_default();
            if new.is_some() {
                if pods.insert(key_of(pod)) && !self.nodes.contains(&node) {
                    self.missing.insert(node);
                }
            } else {
                pods.remove(&key_of(pod));
                if pods.is_empty() {
                    self.pods.remove(&node);
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for node in std::mem::take(&mut self.missing) {
            self.quarantine.add_at(node, now + QUARANTINE);
        }
        let Some(node) = self.quarantine.pop(now) else { return false };
        if !self.nodes.contains(&node) {
            for key in self.pods.get(&node).into_iter().flatten() {
                delete(context.api, key);
            }
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.quarantine.next_timer()
    }
}

/// `markFailedAndDeletePodWithCondition`.
fn delete(api: &mut ApiServer, key: &PodKey) {
    let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned() else { return };
    if !is_terminal(&pod) {
        let mut failed = Pod::clone(&pod);
        let condition = disruption_target(&pod, "DeletionByPodGC", "PodGC: node no longer exists", api.time());
        let status = failed.status.get_or_insert_default();
        status.phase = Some("Failed".to_owned());
        set_condition(status.conditions.get_or_insert_default(), condition);
        // a pod that somebody else deletes meanwhile needs no status
        let _ = api.update_status(failed);
    }
    let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
    let _ = api.delete(&ObjectKey::new(Kind::Pod, &key.0, &key.1), &options);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    #[test]
    fn pods_of_a_node_that_is_gone_go_after_a_while() {
        let mut cluster = Cluster::new(Environment::default());
        let yaml =
            "metadata: {name: p, namespace: default}\nspec: {nodeName: node01, containers: [{name: c, image: i}]}";
        cluster.api_mut().create(serde_yaml::from_str::<Pod>(yaml).unwrap()).unwrap();
        cluster.settle();
        cluster.api_mut().delete(&ObjectKey::new(Kind::Node, "", "node01"), &DeleteOptions::default()).unwrap();
        cluster.settle();
        assert!(cluster.api().get::<Pod>("default", "p").is_some());
        cluster.advance(SignedDuration::from_secs(90));
        assert!(cluster.api().get::<Pod>("default", "p").is_none());
    }

    #[test]
    fn a_node_that_comes_back_keeps_its_pods() {
        let mut cluster = Cluster::new(Environment::default());
        let yaml = "metadata: {name: p, namespace: default}\nspec: {nodeName: late, containers: [{name: c, image: i}]}";
        cluster.api_mut().create(serde_yaml::from_str::<Pod>(yaml).unwrap()).unwrap();
        cluster.settle();
        let node = "metadata: {name: late}\nstatus: {allocatable: {cpu: '1', memory: 1Gi, pods: '10'}}";
        cluster.api_mut().create(serde_yaml::from_str::<Node>(node).unwrap()).unwrap();
        cluster.advance(SignedDuration::from_secs(200));
        let pod = cluster.api().get::<Pod>("default", "p").unwrap();
        assert!(pod.status.is_some());
    }
}
