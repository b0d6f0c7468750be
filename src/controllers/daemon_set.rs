//! Keeps one pod of a DaemonSet on every node that it may run on (`pkg/controller/daemon`).
mod pods;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetStatus};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_ref_manager;
use super::controller_utils::{
    Key, PodIndex, RetryQueue, available_at, create_pod, delete_pod, is_namespace_terminating, is_pod_available,
    is_pod_ready, is_pod_terminal, key_of, nonzero, phase,
};
use super::replica_set::slow_start_batch;
use crate::api::event::EventType;
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};
use update::Revision;

const SOURCE: &str = "daemonset-controller";
/// How many pods one sync creates or deletes at most (`BurstReplicas`).
const BURST_REPLICAS: usize = 250;
/// How long a failed pod's node is left alone after a first failure, and at most.
const FAILED_POD_BACKOFF: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(1), SignedDuration::from_mins(15));
/// Changes of pods that happen at the same time are looked at together.
const BATCH_PERIOD: SignedDuration = SignedDuration::from_millis(1);

/// The DaemonSet controller.
#[derive(Clone, Default)]
pub struct DaemonSetController {
    queue: RetryQueue<Key>,
    /// Sets whose pods changed.
    changed: BTreeSet<Key>,
    /// Sets one of whose pods became ready.
    became_ready: BTreeSet<Key>,
    pods: PodIndex,
    /// When a failed pod was replaced last and how long that counts, by the set's uid, its generation and the node.
    backoffs: BTreeMap<(String, i64, String), (Timestamp, SignedDuration)>,
}

impl Reconciler for DaemonSetController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<DaemonSet>() {
            let Some(set) = new.or(old) else { return };
            if new.is_none() {
                self.backoffs.retain(|(uid, ..), _| uid != set.uid());
            }
            self.queue.add(key_of(&**set));
        } else if let Some((old, new)) = change.of::<Node>() {
            let relevant = |node: &Arc<Node>| {
                let spec = node.spec.as_ref();
                (node.metadata.labels.clone(), spec.and_then(|s| s.taints.clone()))
            };
            if old.map(relevant) != new.map(relevant) {
                store.list::<DaemonSet>().for_each(|set| self.queue.add(key_of(&**set)));
            }
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.pods.observe(change);
            self.observe_pod(old, new, store);
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let due = context.api.now() + BATCH_PERIOD;
        std::mem::take(&mut self.changed).into_iter().for_each(|key| self.queue.add_at(key, due));
        for key in std::mem::take(&mut self.became_ready) {
            let set = context.api.get::<DaemonSet>(&key.0, &key.1);
            let seconds = set.and_then(|set| set.spec.as_ref()).map_or(0, min_ready_seconds);
            if seconds > 0 {
                self.queue.add_at(key, context.api.now() + SignedDuration::from_secs(i64::from(seconds) + 1));
            }
        }
        let Some(key) = self.queue.pop(context.api.now()) else { return false };
        match self.sync(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, context.api.now()),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// The pods of a set by the node they are on or meant for.
type NodePods = BTreeMap<String, Vec<Arc<Pod>>>;

/// A node, whether a pod of the set should be there, and whether one that is there may stay.
type Placement = (Arc<Node>, bool, bool);

fn min_ready_seconds(spec: &DaemonSetSpec) -> i32 {
    spec.min_ready_seconds.unwrap_or(0)
}

/// Running pods first, among them the oldest (`podByCreationTimestampAndPhase`).
fn oldest_first(pods: &mut [Arc<Pod>]) {
    let bound = |pod: &Pod| !super::controller_utils::node_name(pod).is_empty();
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    pods.sort_by(|a, b| {
        bound(b).cmp(&bound(a)).then_with(|| created(a).cmp(&created(b))).then_with(|| a.name().cmp(b.name()))
    });
}

impl DaemonSetController {
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        for pod in [old, new].into_iter().flatten() {
            if let Some(owner) = pod.controller().filter(|c| c.kind == "DaemonSet") {
                self.changed.insert((pod.namespace().to_owned(), owner.name.clone()));
            }
        }
        let ready = old.is_none_or(|p| !is_pod_ready(p)) && new.is_some_and(|p| is_pod_ready(p));
        if let Some((pod, owner)) = new.filter(|_| ready).and_then(|p| Some((p, p.controller()?))) {
            self.became_ready.insert((pod.namespace().to_owned(), owner.name.clone()));
        }
        let Some(pod) = new.filter(|p| p.controller().is_none()) else { return };
        let same = |old: &Arc<Pod>| old.controller().is_none() && old.metadata.labels == pod.metadata.labels;
        if old.is_some_and(same) {
            return;
        }
        for set in store.list_in::<DaemonSet>(pod.namespace()) {
            if label_selector::matches(set.spec.as_ref().map(|s| &s.selector), pod.metadata.labels.as_ref()) {
                self.queue.add(key_of(&**set));
            }
        }
    }

    /// `syncDaemonSet`.
    fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Status> {
        let Some(set) = api.get::<DaemonSet>(&key.0, &key.1).cloned() else { return Ok(()) };
        let Some(spec) = set.spec.as_ref() else { return Ok(()) };
        if label_selector::is_empty(&spec.selector) {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            api.event(SOURCE, &set, EventType::Warning, "SelectingAll", message);
            return Ok(());
        }
        if set.is_terminating() {
            return Ok(());
        }
        let revision = update::construct_history(api, &set, spec)?;
        let daemon = pods::daemon_pod(spec);
        let place = |node: &Arc<Node>| {
            let (should_run, should_continue) = pods::should_run(&daemon, node);
            (node.clone(), should_run, should_continue)
        };
        let nodes: Vec<Placement> = api.store().list::<Node>().map(place).collect();
        let on_nodes = self.pods_by_node(api, &set, spec)?;
        let result = self.update(api, &set, spec, &nodes, &on_nodes, &revision);
        self.update_status(api, key, &set, spec, &nodes, &on_nodes, &revision)?;
        result
    }

    fn pods_by_node(&self, api: &mut ApiServer, set: &DaemonSet, spec: &DaemonSetSpec) -> Result<NodePods, Status> {
        let all = self.pods.owned_by(set.uid()).chain(self.pods.orphans_in(set.namespace())).cloned().collect();
        let claimed = controller_ref_manager::claim(api, set, all, |pod: &Pod| {
            label_selector::matches(Some(&spec.selector), pod.metadata.labels.as_ref())
        })?;
        let mut by_node = NodePods::new();
        for pod in claimed.into_iter().filter(|p| !(is_pod_terminal(p) && p.is_terminating())) {
            if let Some(node) = pods::target_node(&pod) {
                by_node.entry(node).or_default().push(pod);
            }
        }
        Ok(by_node)
    }

    /// `updateDaemonSet`.
    fn update(
        &mut self,
        api: &mut ApiServer,
        set: &Arc<DaemonSet>,
        spec: &DaemonSetSpec,
        nodes: &[Placement],
        on_nodes: &NodePods,
        revision: &Revision,
    ) -> Result<(), Status> {
        let (mut create, mut delete) = (Vec::new(), Vec::new());
        for node in nodes {
            let pods = on_nodes.get(node.0.name()).cloned().unwrap_or_default();
            self.pods_on_node(api, set, spec, node, pods, revision, &mut create, &mut delete);
        }
        // pods that wait for a node that does not exist
        let known: BTreeSet<&str> = nodes.iter().map(|(node, ..)| node.name()).collect();
        let homeless = on_nodes.iter().filter(|(node, _)| !known.contains(node.as_str())).flat_map(|(_, pods)| pods);
        delete.extend(homeless.filter(|p| super::controller_utils::node_name(p).is_empty()).cloned());
        let busy = !create.is_empty() || !delete.is_empty();
        sync_nodes(api, set, spec, revision, create, delete)?;
        if !busy && spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("RollingUpdate") {
            let (create, delete) = update::rolling_update(api.now(), spec, nodes, on_nodes, revision);
            sync_nodes(api, set, spec, revision, create, delete)?;
        }
        update::cleanup_history(api, spec, on_nodes, revision)
    }

    /// `podsShouldBeOnNode`.
    #[allow(clippy::too_many_arguments)]
    fn pods_on_node(
        &mut self,
        api: &mut ApiServer,
        set: &Arc<DaemonSet>,
        spec: &DaemonSetSpec,
        (node, should_run, should_continue): &Placement,
        pods: Vec<Arc<Pod>>,
        revision: &Revision,
        create: &mut Vec<String>,
        delete: &mut Vec<Arc<Pod>>,
    ) {
        let (should_run, should_continue) = (*should_run, *should_continue);
        if pods.is_empty() {
            create.extend(should_run.then(|| node.name().to_owned()));
            return;
        }
        if !should_continue {
            delete.extend(pods.into_iter().filter(|p| !p.is_terminating()));
            return;
        }
        let mut running = Vec::new();
        for pod in pods.into_iter().filter(|p| !p.is_terminating()) {
            match phase(&pod) {
                "Failed" => {
                    if self.may_replace(api.now(), set, node) {
                        let what = format!("{}/{} on node {}", pod.namespace(), pod.name(), node.name());
                        let message = format!("Found failed daemon pod {what}, will try to kill it");
                        api.event(SOURCE, set, EventType::Warning, "FailedDaemonPod", message);
                        delete.push(pod);
                    }
                }
                "Succeeded" => {
                    let what = format!("{}/{} on node {}", pod.namespace(), pod.name(), node.name());
                    let message = format!("Found succeeded daemon pod {what}, will try to delete it");
                    api.event(SOURCE, set, EventType::Normal, "SucceededDaemonPod", message);
                    delete.push(pod);
                }
                _ => running.push(pod),
            }
        }
        oldest_first(&mut running);
        if !update::allows_surge(spec) {
            delete.extend(running.into_iter().skip(1));
            return;
        }
        if running.is_empty() && should_run {
            create.push(node.name().to_owned());
        }
        if running.len() > 1 {
            let (mut new, mut old) = (None, None);
            for pod in running {
                let slot = if pod.label(update::HASH_LABEL) == Some(&*revision.hash) { &mut new } else { &mut old };
                match slot {
                    None => *slot = Some(pod),
                    Some(_) => delete.push(pod),
                }
            }
            if let (Some(new), Some(old)) = (new, old)
                && (!is_pod_ready(&old) || is_pod_available(&new, min_ready_seconds(spec), api.now()))
            {
                delete.push(old);
            }
        }
    }

    /// Whether a failed pod may be replaced now; if not, the sync is repeated then (`failedPodsBackoff`).
    fn may_replace(&mut self, now: Timestamp, set: &DaemonSet, node: &Node) -> bool {
        let (first, most) = FAILED_POD_BACKOFF;
        let generation = set.status.as_ref().and_then(|s| s.observed_generation).unwrap_or(0);
        let key = (set.uid().to_owned(), generation, node.name().to_owned());
        let known = self.backoffs.get(&key).filter(|(last, _)| now.duration_since(*last) <= most * 2);
        let delay = match known {
            Some((last, delay)) if *last + *delay > now => {
                self.queue.add_at(key_of(set), *last + *delay);
                return false;
            }
            Some((_, delay)) => (*delay * 2).min(most),
            None => first,
        };
        self.backoffs.insert(key, (now, delay));
        true
    }

    /// `updateDaemonSetStatus`.
    #[allow(clippy::too_many_arguments)]
    fn update_status(
        &mut self,
        api: &mut ApiServer,
        key: &Key,
        set: &DaemonSet,
        spec: &DaemonSetSpec,
        nodes: &[Placement],
        on_nodes: &NodePods,
        revision: &Revision,
    ) -> Result<(), Status> {
        let now = api.now();
        let old = set.status.clone().unwrap_or_default();
        let mut status = DaemonSetStatus {
            observed_generation: set.metadata.generation,
            collision_count: old.collision_count,
            conditions: old.conditions.clone(),
            ..Default::default()
        };
        let (mut updated, mut available) = (0, 0);
        let mut next_check: Option<Timestamp> = None;
        for (node, should_run, _) in nodes {
            let mut pods = on_nodes.get(node.name()).cloned().unwrap_or_default();
            oldest_first(&mut pods);
            let pod = pods.first();
            if !should_run {
                status.number_misscheduled += i32::from(pod.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = pod else { continue };
            status.current_number_scheduled += 1;
            updated += i32::from(revision.made(pod));
            if let Some(at) = available_at(pod, min_ready_seconds(spec)) {
                status.number_ready += 1;
                if at <= now {
                    available += 1;
                } else {
                    next_check = Some(next_check.map_or(at, |n| n.min(at)));
                }
            }
        }
        status.updated_number_scheduled = nonzero(updated);
        status.number_available = nonzero(available);
        status.number_unavailable = nonzero(status.desired_number_scheduled - available);
        if let Some(due) = next_check {
            self.queue.add_at(key.clone(), due);
        }
        if status != old {
            api.update_status(DaemonSet { status: Some(status), ..set.clone() })?;
        }
        Ok(())
    }
}

/// `syncNodes`.
fn sync_nodes(
    api: &mut ApiServer,
    set: &Arc<DaemonSet>,
    spec: &DaemonSetSpec,
    revision: &Revision,
    create: Vec<String>,
    delete: Vec<Arc<Pod>>,
) -> Result<(), Status> {
    let mut nodes = create.into_iter().take(BURST_REPLICAS);
    let created = slow_start_batch(nodes.len(), || {
        let Some(node) = nodes.next() else { return Ok(()) };
        let pod = pods::new_pod(set, spec, revision, &node);
        match create_pod(api, SOURCE, set, pod) {
            Err(status) if !is_namespace_terminating(&status) => Err(status),
            _ => Ok(()),
        }
    });
    let mut failure = created.err();
    for pod in delete.into_iter().take(BURST_REPLICAS) {
        if let Err(status) = delete_pod(api, SOURCE, set, &pod) {
            failure = failure.or(Some(status));
        }
    }
    failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
