//! Revisions and rolling updates of DaemonSets (`pkg/controller/daemon/update.go`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::Timestamp;

use super::{NodePods, min_ready_seconds, pods};
use crate::api::ApiServer;
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::controllers::controller_history;
use crate::controllers::controller_utils::is_pod_available;
use crate::controllers::deployment::scaled;

/// The label with the hash of a pod's revision.
pub(super) const HASH_LABEL: &str = "controller-revision-hash";

/// The current revision of a set.
pub(super) struct Revision {
    pub(super) hash: String,
    pub(super) template_generation: Option<String>,
    old: Vec<Arc<ControllerRevision>>,
}

impl Revision {
    /// Whether a pod was made from this revision (`IsPodUpdated`).
    pub(super) fn made(&self, pod: &Pod) -> bool {
        let generation = self.template_generation.as_deref();
        pod.label(HASH_LABEL) == Some(&*self.hash)
            || generation.is_some() && pod.label("pod-template-generation") == generation
    }
}

/// `constructHistory`.
pub(super) fn construct_history(
    api: &mut ApiServer,
    set: &DaemonSet,
    spec: &DaemonSetSpec,
) -> Result<Revision, Status> {
    controller_history::adopt_orphans(api, set, &spec.selector)?;
    let all = controller_history::list(api, set, &spec.selector);
    let data = controller_history::template_patch(&spec.template);
    let (mut current, old): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|r| r.data.as_ref().is_some_and(|d| d.0 == data));
    let number = old.iter().map(|r| r.revision).max().unwrap_or(0) + 1;
    let revision = match current.pop() {
        Some(revision) if revision.revision < number => controller_history::renumber(api, &revision, number)?,
        Some(revision) => revision,
        None => {
            let mut collisions = set.status.as_ref().and_then(|s| s.collision_count).unwrap_or(0);
            let labels = spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref());
            let mut new = controller_history::new_revision(set, labels, data, number, collisions);
            let hash = new.name().rsplit('-').next().unwrap_or_default().to_owned();
            new.metadata.labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash);
            controller_history::create(api, set, &new, &mut collisions)?
        }
    };
    Ok(Revision {
        hash: revision.label(HASH_LABEL).unwrap_or_default().to_owned(),
        template_generation: set.annotation("deprecated.daemonset.template.generation").map(str::to_owned),
        old,
    })
}

/// `cleanupHistory`.
pub(super) fn cleanup_history(
    api: &mut ApiServer,
    _set: &DaemonSet,
    spec: &DaemonSetSpec,
    on_nodes: &NodePods,
    revision: &Revision,
) -> Result<(), Status> {
    let limit = spec.revision_history_limit.unwrap_or(10);
    let hashes: Vec<&str> = on_nodes.values().flatten().filter_map(|p| p.label(HASH_LABEL)).collect();
    let live = |name: &str| {
        let hash = revision.old.iter().find(|r| r.name() == name).and_then(|r| r.label(HASH_LABEL));
        hash.is_some_and(|h| hashes.contains(&h))
    };
    controller_history::truncate(api, &revision.old, live, limit)
}

/// How many pods may be too many, and too few, during an update.
fn surge_and_unavailable(spec: &DaemonSetSpec, desired: i32) -> (i32, i32) {
    let rolling_update = spec.update_strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let surge = scaled(rolling_update.and_then(|r| r.max_surge.as_ref()), desired, true);
    let unavailable = scaled(rolling_update.and_then(|r| r.max_unavailable.as_ref()), desired, true);
    // as `updatedDesiredNodeCounts`: if both are zero nothing would ever move
    if desired > 0 && surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// Whether a node may have an old and a new pod at the same time.
pub(super) fn allows_surge(spec: &DaemonSetSpec) -> bool {
    let strategy = spec.update_strategy.as_ref();
    strategy.and_then(|s| s.type_.as_deref()) == Some("RollingUpdate") && surge_and_unavailable(spec, 1).0 > 0
}

/// Which nodes get a new pod and which pods go (`rollingUpdate`).
pub(super) fn rolling_update(
    now: Timestamp,
    _set: &DaemonSet,
    spec: &DaemonSetSpec,
    nodes: &[Arc<Node>],
    on_nodes: &NodePods,
    revision: &Revision,
) -> (Vec<String>, Vec<Arc<Pod>>) {
    let desired = nodes.iter().filter(|n| pods::should_run(spec, n).0).count();
    let (surge, unavailable) = surge_and_unavailable(spec, i32::try_from(desired).unwrap_or(i32::MAX));
    let available = |pod: &Pod| is_pod_available(pod, min_ready_seconds(spec), now);
    let (mut create, mut delete, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut surging, mut missing) = (0, 0);
    for node in nodes.iter().filter(|n| pods::should_run(spec, n).0) {
        let pods: Vec<&Arc<Pod>> =
            on_nodes.get(node.name()).into_iter().flatten().filter(|p| !p.is_terminating()).collect();
        let new = pods.iter().find(|p| revision.made(p));
        let old = pods.iter().find(|p| !revision.made(p));
        match (old, new) {
            (None, new) => missing += i32::from(!new.is_some_and(|p| available(p))),
            (Some(old), Some(new)) if surge > 0 => {
                if available(new) {
                    delete.push((*old).clone());
                } else {
                    surging += 1;
                }
            }
            (Some(_), Some(_)) => missing += 1,
            (Some(old), None) if !available(old) => {
                missing += 1;
                if surge > 0 {
                    create.push(node.name().to_owned());
                } else {
                    delete.push((*old).clone());
                }
            }
            (Some(old), None) => candidates.push((node.name().to_owned(), (*old).clone())),
        }
    }
    let room = if surge > 0 { surge - surging } else { unavailable - missing };
    for (node, old) in candidates.into_iter().take(usize::try_from(room).unwrap_or(0)) {
        if surge > 0 {
            create.push(node);
        } else {
            delete.push(old);
        }
    }
    (create, delete)
}
