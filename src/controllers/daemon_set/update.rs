//! Revisions and rolling updates of DaemonSets (`pkg/controller/daemon/update.go`).
use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;

use super::{NodePods, Placement, min_ready_seconds};
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
    spec: &DaemonSetSpec,
    on_nodes: &NodePods,
    revision: &Revision,
) -> Result<(), Status> {
    let limit = spec.revision_history_limit.unwrap_or(10);
    let hashes: BTreeSet<&str> = on_nodes.values().flatten().filter_map(|p| p.label(HASH_LABEL)).collect();
    let live = |name: &str| {
        let hash = revision.old.iter().find(|r| r.name() == name).and_then(|r| r.label(HASH_LABEL));
        hash.is_some_and(|h| hashes.contains(h))
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

/// The pod of the newest revision and the pod of an older one.
type NewAndOld<'a> = (Option<&'a Arc<Pod>>, Option<&'a Arc<Pod>>);

/// The pods of a node that are not being deleted: the new one and the old one. `None` if there are too many of them
/// (`findUpdatedPodsOnNode`).
fn new_and_old<'a>(pods: &'a [Arc<Pod>], revision: &Revision) -> Option<NewAndOld<'a>> {
    let (mut new, mut old) = (None, None);
    for pod in pods.iter().filter(|p| !p.is_terminating()) {
        let slot = if revision.made(pod) { &mut new } else { &mut old };
        if slot.replace(pod).is_some() {
            return None;
        }
    }
    Some((new, old))
}

/// Which nodes get a new pod and which pods go (`rollingUpdate`).
pub(super) fn rolling_update(
    now: Timestamp,
    spec: &DaemonSetSpec,
    nodes: &[Placement],
    on_nodes: &NodePods,
    revision: &Revision,
) -> (Vec<String>, Vec<Arc<Pod>>) {
    let wanted: BTreeSet<&str> = nodes.iter().filter(|(_, run, _)| *run).map(|(node, ..)| node.name()).collect();
    let desired = i32::try_from(wanted.len()).unwrap_or(i32::MAX);
    let (surge, unavailable) = surge_and_unavailable(spec, desired);
    let available = |pod: &Pod| is_pod_available(pod, min_ready_seconds(spec), now);
    let empty = Vec::new();
    // nodes with pods, and nodes that should have one
    let names: BTreeSet<&str> = on_nodes.keys().map(String::as_str).chain(wanted.iter().copied()).collect();
    let pods_of = |name: &str| on_nodes.get(name).unwrap_or(&empty);
    let up_to = |room: i32| usize::try_from(room).unwrap_or(0);
    if surge == 0 {
        let (mut missing, mut delete, mut candidates) = (0, Vec::new(), Vec::new());
        for name in names {
            match new_and_old(pods_of(name), revision) {
                None | Some((None, None) | (Some(_), Some(_))) => missing += 1,
                Some((Some(new), None)) => missing += i32::from(!available(new)),
                Some((None, Some(old))) if !available(old) => {
                    missing += 1;
                    delete.push(old.clone());
                }
                Some((None, Some(old))) => candidates.push(old.clone()),
            }
        }
        delete.extend(candidates.into_iter().take(up_to(unavailable - missing)));
        return (Vec::new(), delete);
    }
    let (mut surging, mut running) = (0, 0);
    let (mut create, mut candidates) = (Vec::new(), Vec::new());
    let (mut delete, mut misplaced) = (Vec::new(), Vec::new());
    for name in names {
        let Some((new, old)) = new_and_old(pods_of(name), revision) else {
            surging += 1;
            continue;
        };
        running += i32::from(old.or(new).is_some_and(|p| available(p)));
        let should_run = wanted.contains(name);
        match (new, old) {
            (_, None) => {}
            (None, Some(old)) => match (available(old), should_run) {
                (false, false) => delete.push(old.clone()),
                (false, true) => create.push(name.to_owned()),
                (true, false) => misplaced.push(old.clone()),
                (true, true) => candidates.push(name.to_owned()),
            },
            (Some(new), Some(old)) if available(new) => delete.push(old.clone()),
            (Some(_), Some(_)) => surging += 1,
        }
    }
    // a pod that should be elsewhere goes when another one has taken its place
    delete.extend(misplaced.into_iter().take(up_to(running - desired)));
    create.extend(candidates.into_iter().take(up_to(surge - surging)));
    (create, delete)
}
