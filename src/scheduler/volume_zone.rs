//! VolumeZone: zone and region labels on a bound volume restrict its pods to such nodes.
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;

use super::framework::{ClusterEvent, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, spec_of};
use crate::api::{ApiObject, Store};
use crate::storage;

/// The plugin.
pub struct VolumeZone;

/// A label of a volume, with the values it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    key: &'static str,
    values: BTreeSet<String>,
}

const LABELS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

/// The current spelling of a beta label.
fn current(key: &str) -> &str {
    match key {
        "failure-domain.beta.kubernetes.io/region" => "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone" => "topology.kubernetes.io/zone",
        other => other,
    }
}

/// The topology labels of a volume; `a__b` is a set, and one with an empty member is ignored (`LabelZonesToSet`).
fn topologies(volume: &PersistentVolume) -> Vec<Topology> {
    let parsed = LABELS.iter().filter_map(|key| {
        let parts = volume.label(key)?.split("__").map(str::trim);
        let values: Vec<String> = parts.map(str::to_owned).collect();
        let valid = values.iter().all(|v| !v.is_empty());
        valid.then(|| Topology { key, values: values.into_iter().collect() })
    });
    parsed.collect()
}

fn claims(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = spec_of(pod).volumes.iter().flatten();
    volumes.filter_map(|v| v.persistent_volume_claim.as_ref()).map(|c| c.claim_name.as_str())
}

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        let missing = |kind: &str, name: &str| Err(Rejection::unresolvable(format!("{kind} \"{name}\" not found")));
        let mut found = Vec::new();
        for name in claims(pod) {
            if name.is_empty() {
                return Err(Rejection::unresolvable("PersistentVolumeClaim had no name"));
            }
            let Some(claim) = cycle.store.get::<PersistentVolumeClaim>(pod.namespace(), name) else {
                return missing("persistentvolumeclaim", name);
            };
            let volume = storage::volume_name(claim);
            if volume.is_empty() {
                let class = storage::claim_class(claim);
                if class.is_empty() {
                    let why = "PersistentVolumeClaim had no pv name and storageClass name";
                    return Err(Rejection::unresolvable(why));
                }
                let Some(class) = cycle.store.get::<StorageClass>("", class) else {
                    return missing("storageclass.storage.k8s.io", class);
                };
                match class.volume_binding_mode.as_deref() {
                    Some("WaitForFirstConsumer") => continue,
                    Some(_) => return Err(Rejection::unresolvable("PersistentVolume had no name")),
                    None => {
                        let why = format!("VolumeBindingMode not set for StorageClass \"{}\"", class.name());
                        return Err(Rejection::unresolvable(why));
                    }
                }
            }
            match cycle.store.get::<PersistentVolume>("", volume) {
                Some(volume) => found.extend(topologies(volume)),
                None => return missing("persistentvolume", volume),
            }
        }
        let skip = found.is_empty();
        state.volume_zone = found;
        Ok(if skip { PreFilter::Skip } else { PreFilter::All })
    }

    fn filter(&self, _cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        // a node without any such label is in a cluster of one zone
        if !LABELS.iter().any(|key| node.label(key).is_some()) {
            return Ok(());
        }
        let fits = state.volume_zone.iter().all(|topology| {
            let value = node.label(topology.key).or_else(|| node.label(current(topology.key)));
            value.is_some_and(|v| topology.values.contains(v))
        });
        if fits { Ok(()) } else { Err(Rejection::unresolvable("node(s) had no available volume zone")) }
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::StorageClass { old: None, new } => {
                new.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
            }
            ClusterEvent::Claim { new, .. } => {
                new.namespace() == pod.namespace() && claims(pod).any(|c| c == new.name())
            }
            ClusterEvent::Volume { old, new } => old.is_none_or(|o| topologies(o) != topologies(new)),
            _ => event.node_added_or_labelled(),
        }
    }
}
