//! Taint eviction (`pkg/controller/tainteviction`): pods on nodes with `NoExecute` taints that they do not tolerate, or no
//! longer do, are deleted.
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::object::{Kind, ObjectKey};
use crate::api::pod_condition::{disruption_target, set_condition};
use crate::api::server::DeleteOptions;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::scheduler::node_info::{PodKey, key_of, node_name};
use crate::scheduler::taint_toleration::tolerates_taint;

const NAME: &str = "taint-eviction-controller";
const REASON: &str = "TaintManagerEviction";

/// Evicts pods from nodes with `NoExecute` taints.
#[derive(Clone, Debug, Default)]
pub struct TaintEvictionController {
    /// The `NoExecute` taints of the nodes that have some.
    taints: BTreeMap<String, Vec<Taint>>,
    pods: BTreeMap<String, BTreeSet<PodKey>>,
    updated: WorkQueue<PodKey>,
    /// When a pod's eviction was decided, and when it is due.
    scheduled: BTreeMap<PodKey, (Timestamp, Timestamp)>,
    evictions: WorkQueue<PodKey>,
}

fn no_execute_taints(node: &Node) -> Vec<Taint> {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    taints.filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

/// What a pod's tolerations come to.
enum Toleration {
    /// Some taint is not tolerated.
    No,
    /// Until then.
    For(SignedDuration),
    /// As long as the taints are there.
    Forever,
}

/// `GetMatchingTolerations` and `getMinTolerationTime`: the first toleration that matches a taint counts.
fn toleration(pod: &Pod, taints: &[Taint]) -> Toleration {
    let tolerations = pod.spec.iter().flat_map(|spec| spec.tolerations.iter().flatten());
    let mut least: Option<i64> = None;
    for taint in taints {
        let Some(used) = tolerations.clone().find(|toleration| tolerates_taint(toleration, taint)) else {
            return Toleration::No;
        };
        if let Some(seconds) = used.toleration_seconds {
            least = Some(least.map_or(seconds, |other| other.min(seconds)).max(0));
        }
    }
    least.map_or(Toleration::Forever, |seconds| Toleration::For(SignedDuration::from_secs(seconds)))
}

impl Reconciler for TaintEvictionController {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, new)) = change.of::<Node>() {
            let name = change.object().name().to_owned();
            let taints = new.map(|node| no_execute_taints(node)).unwrap_or_default();
            let before = if taints.is_empty() {
                self.taints.remove(&name)
            } else {
                self.taints.insert(name.clone(), taints.clone())
            };
            // a node that is gone cancels nothing
            if new.is_some() && before.unwrap_or_default() != taints {
                self.pods.get(&name).into_iter().flatten().for_each(|key| self.updated.add(key.clone()));
            }
        } else if let Some((old, new)) = change.of::<Pod>() {
            let Some(pod) = new.or(old).filter(|pod| !node_name(pod).is_empty()) else { return };
            let (node, key) = (node_name(pod).to_owned(), key_of(pod));
            let pods = self.pods.entry(node.clone()).or_default();
            let is_new = if new.is_some() { pods.insert(key.clone()) } else { !pods.remove(&key) };
            let changed = old.zip(new).is_some_and(|(old, new)| {
                let (old, new) = (old.spec.as_ref(), new.spec.as_ref());
                old.map(|spec| &spec.tolerations) != new.map(|spec| &spec.tolerations)
            });
            let concerned = self.taints.contains_key(&node) || self.scheduled.contains_key(&key);
            if concerned && (is_new || changed || new.is_none()) {
                self.updated.add(key);
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        if let Some(key) = self.updated.pop(now) {
            self.process(context.api, key, now);
            return true;
        }
        let Some(key) = self.evictions.pop(now) else { return false };
        if self.scheduled.get(&key).is_some_and(|(_, due)| *due <= now) {
            self.scheduled.remove(&key);
            evict(context.api, &key);
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.evictions.next_timer()
    }
}

impl TaintEvictionController {
    /// `processPodOnNode`.
    fn process(&mut self, api: &mut ApiServer, key: PodKey, now: Timestamp) {
        let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned() else {
            self.cancel(api, &key);
            return;
        };
        let taints = self.taints.get(node_name(&pod)).map(Vec::as_slice).unwrap_or_default();
        match toleration(&pod, taints) {
            Toleration::Forever => self.cancel(api, &key),
            Toleration::No => {
                self.cancel(api, &key);
                self.schedule(key, now, now);
            }
            Toleration::For(duration) => {
                let mut start = now;
                if let Some((decided, _)) = self.scheduled.get(&key) {
                    start = *decided;
                    if start < now {
                        return;
                    }
                    self.cancel(api, &key);
                }
                self.schedule(key, start, start + duration);
            }
        }
    }

    fn schedule(&mut self, key: PodKey, decided: Timestamp, due: Timestamp) {
        self.scheduled.insert(key.clone(), (decided, due));
        self.evictions.add_at(key, due);
    }

    fn cancel(&mut self, api: &mut ApiServer, key: &PodKey) {
        if self.scheduled.remove(key).is_some()
            && let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned()
        {
            let message = format!("Cancelling deletion of Pod {}/{}", key.0, key.1);
            api.event(NAME, &pod, EventType::Normal, REASON, message);
        }
    }
}

/// `addConditionAndDeletePod`.
fn evict(api: &mut ApiServer, key: &PodKey) {
    let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned() else { return };
    api.event(NAME, &pod, EventType::Normal, REASON, format!("Marking for deletion Pod {}/{}", key.0, key.1));
    let mut disrupted = Pod::clone(&pod);
    let condition =
        disruption_target(&pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", api.time());
    set_condition(disrupted.status.get_or_insert_default().conditions.get_or_insert_default(), condition);
    // a pod that somebody else deletes meanwhile needs no status
    let _ = api.update_status(disrupted);
    let _ = api.delete(&ObjectKey::new(Kind::Pod, &key.0, &key.1), &DeleteOptions::default());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    fn cluster(tolerations: &str) -> Cluster {
        let mut cluster = Cluster::new(Environment::default());
        let yaml = format!(
            "metadata: {{name: p, namespace: default}}\nspec: {{nodeName: node01, tolerations: {tolerations}, \
             containers: [{{name: c, image: i}}]}}"
        );
        cluster.api_mut().create(serde_yaml::from_str::<Pod>(&yaml).unwrap()).unwrap();
        cluster.settle();
        cluster
    }

    fn taint(cluster: &mut Cluster, effect: &str) {
        let mut node = Node::clone(cluster.api().get::<Node>("", "node01").unwrap());
        let taint = Taint { key: "broken".to_owned(), effect: effect.to_owned(), ..Default::default() };
        node.spec.get_or_insert_default().taints = Some(vec![taint]);
        cluster.api_mut().update(node).unwrap();
        cluster.settle();
    }

    fn is_there(cluster: &Cluster) -> bool {
        cluster.api().get::<Pod>("default", "p").is_some()
    }

    #[test]
    fn only_no_execute_evicts_who_is_there() {
        let mut cluster = cluster("[]");
        taint(&mut cluster, "NoSchedule");
        assert!(is_there(&cluster));
        taint(&mut cluster, "NoExecute");
        assert!(!is_there(&cluster));
    }

    #[test]
    fn a_toleration_holds_as_long_as_it_says() {
        let mut forever = cluster("[{key: broken, operator: Exists}]");
        taint(&mut forever, "NoExecute");
        forever.advance(SignedDuration::from_hours(1));
        assert!(is_there(&forever));
        let mut limited = cluster("[{key: broken, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]");
        taint(&mut limited, "NoExecute");
        limited.advance(SignedDuration::from_secs(200));
        assert!(is_there(&limited));
        limited.advance(SignedDuration::from_secs(200));
        assert!(!is_there(&limited));
    }

    #[test]
    fn a_taint_that_goes_away_in_time_evicts_nobody() {
        let mut cluster = cluster("[{key: broken, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]");
        taint(&mut cluster, "NoExecute");
        taint(&mut cluster, "NoSchedule");
        cluster.advance(SignedDuration::from_secs(600));
        assert!(is_there(&cluster));
        let last = cluster.api().events().iter().last().unwrap();
        assert_eq!(last.message, "Cancelling deletion of Pod default/p");
    }
}
