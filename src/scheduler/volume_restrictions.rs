//! VolumeRestrictions: ReadWriteOncePod claims, and disks that one pod at a time may use.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Volume};

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, spec_of};
use crate::api::{ApiObject, Store};

/// The plugin.
pub struct VolumeRestrictions;

/// What PreFilter found.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The pod's ReadWriteOncePod claims.
    exclusive: BTreeSet<String>,
    /// How many of them another pod uses.
    conflicts: i64,
}

/// The claims named by `persistentVolumeClaim` volumes.
fn claims(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = spec_of(pod).volumes.iter().flatten();
    volumes.filter_map(|v| v.persistent_volume_claim.as_ref()).map(|c| c.claim_name.as_str())
}

fn is_disk(volume: &Volume) -> bool {
    volume.gce_persistent_disk.is_some()
        || volume.aws_elastic_block_store.is_some()
        || volume.rbd.is_some()
        || volume.iscsi.is_some()
}

/// `isVolumeConflict`.
fn conflicts(a: &Volume, b: &Volume) -> bool {
    let shared = |x: Option<bool>, y: Option<bool>| x == Some(true) && y == Some(true);
    if let (Some(a), Some(b)) = (&a.gce_persistent_disk, &b.gce_persistent_disk) {
        return a.pd_name == b.pd_name && !shared(a.read_only, b.read_only);
    }
    if let (Some(a), Some(b)) = (&a.aws_elastic_block_store, &b.aws_elastic_block_store) {
        return a.volume_id == b.volume_id;
    }
    if let (Some(a), Some(b)) = (&a.iscsi, &b.iscsi) {
        return a.iqn == b.iqn && !shared(a.read_only, b.read_only);
    }
    if let (Some(a), Some(b)) = (&a.rbd, &b.rbd) {
        return a.monitors.iter().any(|m| b.monitors.contains(m))
            && (&a.pool, &a.image) == (&b.pool, &b.image)
            && !shared(a.read_only, b.read_only);
    }
    false
}

fn pods_conflict(pod: &Pod, other: &Pod) -> bool {
    let disks = spec_of(pod).volumes.iter().flatten().filter(|v| is_disk(v));
    disks.into_iter().any(|v| spec_of(other).volumes.iter().flatten().any(|o| conflicts(v, o)))
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        let mut own = State::default();
        for name in claims(pod) {
            let Some(claim) = cycle.store.get::<PersistentVolumeClaim>(pod.namespace(), name) else {
                return Err(Rejection::unresolvable(format!("persistentvolumeclaim \"{name}\" not found")));
            };
            let modes = crate::storage::claim_spec(claim).access_modes.iter().flatten();
            if modes.into_iter().any(|m| m == "ReadWriteOncePod") {
                own.exclusive.insert(name.to_owned());
            }
        }
        let used = own.exclusive.iter().filter(|c| cycle.cache.pods_using_claim(pod.namespace(), c) > 0);
        own.conflicts = i64::try_from(used.count()).unwrap_or(i64::MAX);
        let skip = own.conflicts == 0 && !spec_of(pod).volumes.iter().flatten().any(is_disk);
        state.volume_restrictions = own;
        Ok(if skip { PreFilter::Skip } else { PreFilter::All })
    }

    fn filter(&self, cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        let pod = &cycle.pod.pod;
        if spec_of(pod).volumes.iter().flatten().any(is_disk) && node.pods().any(|p| pods_conflict(pod, &p.pod)) {
            return Err(Rejection::unschedulable("node(s) had no available disk"));
        }
        if state.volume_restrictions.conflicts > 0 {
            return Err(Rejection::unschedulable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by \
                 another pod",
            ));
        }
        Ok(())
    }

    fn adjust(&self, cycle: Cycle<'_>, state: &mut CycleState, other: &Pod, _node: &NodeInfo, count: i64) {
        if other.namespace() == cycle.pod.pod.namespace() {
            let own = &mut state.volume_restrictions;
            let shared = claims(other).filter(|c| own.exclusive.contains(*c)).count();
            own.conflicts += count * i64::try_from(shared).unwrap_or(0);
        }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::AssignedPodDelete(gone) => {
                gone.namespace() == pod.namespace()
                    && (pods_conflict(pod, gone) || claims(gone).any(|c| claims(pod).any(|own| own == c)))
            }
            ClusterEvent::Claim { old: None, new } => {
                new.namespace() == pod.namespace() && claims(pod).any(|c| c == new.name())
            }
            _ => event.node_added(),
        }
    }
}
