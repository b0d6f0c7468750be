//! VolumeBinding: a pod goes where its volumes can be used; claims of classes that wait for their first consumer are
//! matched or provisioned for the chosen node (`plugins/volumebinding/binder.go`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, TopologySelectorTerm};
use k8s_openapi::api::storage::v1::StorageClass;

use super::framework::{ClusterEvent, Code, Cycle, CycleState, Plugin, PreFilter, Rejection};
use super::node_info::{NodeInfo, claim_names};
use crate::api::label_selector::Labels;
use crate::api::{ApiObject, ApiServer, Status, Store};
use crate::storage::{self, BIND_COMPLETED, NO_PROVISIONER, SELECTED_NODE};

/// The plugin.
pub struct VolumeBinding;

type Claim = Arc<PersistentVolumeClaim>;

/// A pod's claims, sorted by what is to be done with them (`PodVolumeClaims`).
#[derive(Clone, Debug, Default)]
pub struct State {
    bound: Vec<Claim>,
    delayed: Vec<Claim>,
}

/// What is to be done with a pod's unbound claims on one node (`PodVolumes`).
#[derive(Clone, Debug, Default)]
pub struct PodVolumes {
    /// Volumes to reserve for claims.
    pub matched: Vec<(Arc<PersistentVolume>, Claim)>,
    /// Claims to have provisioned.
    pub provision: Vec<Claim>,
}

impl PodVolumes {
    /// Whether nothing is left to bind.
    pub fn is_empty(&self) -> bool {
        self.matched.is_empty() && self.provision.is_empty()
    }
}

/// `isPVCFullyBound`.
pub fn is_fully_bound(claim: &PersistentVolumeClaim) -> bool {
    !storage::volume_name(claim).is_empty() && claim.annotation(BIND_COMPLETED).is_some()
}

/// Whether a generic ephemeral claim was made for this pod (`ephemeral.VolumeIsForPod`).
pub fn is_owned_by_pod(claim: &PersistentVolumeClaim, pod: &Pod) -> bool {
    claim.controller().is_some_and(|o| o.uid == pod.uid())
}

/// What the ephemeral volume helper says when it was not.
pub fn not_owned(claim: &PersistentVolumeClaim, pod: &Pod) -> String {
    format!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        claim.namespace(),
        claim.name(),
        pod.namespace(),
        pod.name()
    )
}

/// Why a pod's claims make it unschedulable whatever the node (`podHasPVCs`).
fn claim_problem(pod: &Pod, store: &Store) -> Option<String> {
    for (name, ephemeral) in claim_names(pod) {
        let Some(claim) = store.get::<PersistentVolumeClaim>(pod.namespace(), &name) else {
            return Some(if ephemeral {
                format!("waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\"")
            } else {
                format!("persistentvolumeclaim \"{name}\" not found")
            });
        };
        if storage::claim_phase(claim) == "Lost" {
            let volume = storage::volume_name(claim);
            return Some(format!(
                "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
            ));
        }
        if claim.is_terminating() {
            return Some(format!("persistentvolumeclaim \"{name}\" is being deleted"));
        }
        if ephemeral && !is_owned_by_pod(claim, pod) {
            return Some(not_owned(claim, pod));
        }
    }
    None
}

/// Whether a node's labels satisfy one of the terms; no terms are satisfied by every node
/// (`MatchTopologySelectorTerms`).
fn matches_topology(terms: &[TopologySelectorTerm], labels: Option<&Labels>) -> bool {
    terms.is_empty()
        || terms.iter().any(|term| {
            let expressions = term.match_label_expressions.as_deref().unwrap_or_default();
            !expressions.is_empty()
                && expressions.iter().all(|e| labels.and_then(|l| l.get(&e.key)).is_some_and(|v| e.values.contains(v)))
        })
}

/// `FindPodVolumes`: what would be done on this node, or why it cannot.
pub fn find_pod_volumes(cycle: Cycle<'_>, state: &State, node: &NodeInfo) -> Result<PodVolumes, Rejection> {
    let (mut affinity, mut exists, mut found) = (true, true, true);
    for claim in &state.bound {
        match cycle.store.get::<PersistentVolume>("", storage::volume_name(claim)) {
            None => {
                exists = false;
                break;
            }
            Some(volume) if !storage::check_node_affinity(volume, node.labels()) => {
                affinity = false;
                break;
            }
            Some(_) => {}
        }
    }
    let mut volumes = PodVolumes::default();
    if !state.delayed.is_empty() {
        found = find_unbound(cycle, state, node, &mut volumes)?;
    }
    let mut reasons = Vec::new();
    if !affinity {
        reasons.push("node(s) didn't match PersistentVolume's node affinity".to_owned());
    }
    if !found {
        reasons.push("node(s) didn't find available persistent volumes to bind".to_owned());
    }
    if !exists {
        reasons.push("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)".to_owned());
    }
    if reasons.is_empty() { Ok(volumes) } else { Err(Rejection { code: Code::UnschedulableAndUnresolvable, reasons }) }
}

fn find_unbound(cycle: Cycle<'_>, state: &State, node: &NodeInfo, volumes: &mut PodVolumes) -> Result<bool, Rejection> {
    let mut to_provision = Vec::new();
    let mut to_match = Vec::new();
    for claim in &state.delayed {
        match claim.annotation(SELECTED_NODE) {
            Some(selected) if selected != node.name() => return Ok(false),
            Some(_) => to_provision.push(claim.clone()),
            None => to_match.push(claim.clone()),
        }
    }
    // smallest request first, to get the smallest fits
    to_match.sort_by_key(|claim| storage::claim_request(claim));
    let mut chosen: Vec<String> = Vec::new();
    for claim in to_match {
        let needs = storage::ClaimNeeds::of(&claim);
        let candidates =
            cycle.cache.unbound_volumes(needs.class).filter_map(|name| cycle.store.get::<PersistentVolume>("", name));
        let excluded = |name: &str| chosen.iter().any(|c| c == name);
        match storage::find_matching_volume(&needs, candidates, Some(node.labels()), excluded, true) {
            Some(volume) => {
                chosen.push(volume.name().to_owned());
                volumes.matched.push((volume.clone(), claim.clone()));
            }
            None => to_provision.push(claim),
        }
    }
    for claim in to_provision {
        let name = storage::claim_class(&claim);
        if name.is_empty() {
            return Err(Rejection::error(format!("no class for claim \"{}/{}\"", claim.namespace(), claim.name())));
        }
        let Some(class) = cycle.store.get::<StorageClass>("", name) else {
            return Err(Rejection::error(format!("failed to find storage class \"{name}\"")));
        };
        let topologies = class.allowed_topologies.as_deref().unwrap_or_default();
        if matches!(class.provisioner.as_str(), "" | NO_PROVISIONER) || !matches_topology(topologies, node.labels()) {
            return Ok(false);
        }
        volumes.provision.push(claim);
    }
    Ok(true)
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn pre_filter(&self, cycle: Cycle<'_>, state: &mut CycleState) -> Result<PreFilter, Rejection> {
        let pod = &cycle.pod.pod;
        if let Some(problem) = claim_problem(pod, cycle.store) {
            return Err(Rejection::unresolvable(problem));
        }
        let mut own = State::default();
        for (name, _) in claim_names(pod) {
            let Some(claim) = cycle.store.get::<PersistentVolumeClaim>(pod.namespace(), &name) else { continue };
            if is_fully_bound(claim) {
                own.bound.push(claim.clone());
            } else if storage::volume_name(claim).is_empty() && storage::is_delay_binding_mode(claim, cycle.store) {
                own.delayed.push(claim.clone());
            } else {
                return Err(Rejection::unresolvable("pod has unbound immediate PersistentVolumeClaims"));
            }
        }
        let skip = own.bound.is_empty() && own.delayed.is_empty();
        state.volume_binding = own;
        Ok(if skip { PreFilter::Skip } else { PreFilter::All })
    }

    fn filter(&self, cycle: Cycle<'_>, state: &CycleState, node: &NodeInfo) -> Result<(), Rejection> {
        find_pod_volumes(cycle, &state.volume_binding, node).map(|_| ())
    }

    fn may_help(&self, pod: &Pod, event: &ClusterEvent<'_>, _store: &Store) -> bool {
        match event {
            ClusterEvent::StorageClass { old, new } => {
                old.is_none_or(|o| o.allowed_topologies != new.allowed_topologies)
            }
            ClusterEvent::Claim { new, .. } => {
                new.namespace() == pod.namespace() && claim_names(pod).any(|(c, _)| c == new.name())
            }
            ClusterEvent::Volume { .. } => true,
            _ => event.node_added_or_labelled(),
        }
    }
}

/// Reserves volumes and asks for provisioning through the API (`bindAPIUpdate`). Claims that are bound by now are left
/// alone.
pub fn bind_api_update(api: &mut ApiServer, node: &str, volumes: &PodVolumes) -> Result<(), Status> {
    for (volume, claim) in &volumes.matched {
        if let Some(bound) = storage::bind_volume_to_claim(volume, claim) {
            api.update(bound)?;
        }
    }
    for claim in &volumes.provision {
        let mut claim = PersistentVolumeClaim::clone(claim);
        claim.set_annotation(SELECTED_NODE, node);
        api.update(claim)?;
    }
    Ok(())
}

/// Whether everything is bound, or what went wrong (`checkBindings`).
pub fn check_bindings(store: &Store, node: &NodeInfo, volumes: &PodVolumes) -> Result<bool, String> {
    let mismatch = |volume: &PersistentVolume| {
        format!(
            "pv \"{}\" node affinity doesn't match node \"{}\": no matching NodeSelectorTerms",
            volume.name(),
            node.name()
        )
    };
    let claim_now = |claim: &Claim| store.get::<PersistentVolumeClaim>(claim.namespace(), claim.name());
    for (volume, claim) in &volumes.matched {
        let Some(volume) = store.get::<PersistentVolume>("", volume.name()) else {
            return Err(format!("failed to check binding: could not find v1.PersistentVolume \"{}\"", volume.name()));
        };
        let Some(claim) = claim_now(claim) else {
            return Err(format!(
                "failed to check binding: could not find v1.PersistentVolumeClaim \"{}/{}\"",
                claim.namespace(),
                claim.name()
            ));
        };
        if !storage::check_node_affinity(volume, node.labels()) {
            return Err(mismatch(volume));
        }
        if storage::claim_ref(volume).is_none_or(|(_, _, uid)| uid.is_empty()) {
            return Err(format!("ClaimRef got reset for pv \"{}\"", volume.name()));
        }
        if !is_fully_bound(claim) {
            return Ok(false);
        }
    }
    for claim in &volumes.provision {
        let Some(claim) = claim_now(claim) else {
            return Err(format!(
                "failed to check provisioning pvc: could not find v1.PersistentVolumeClaim \"{}/{}\"",
                claim.namespace(),
                claim.name()
            ));
        };
        if claim.metadata.annotations.is_none() {
            return Err(format!("selectedNode annotation reset for PVC \"{}\"", claim.name()));
        }
        if claim.annotation(SELECTED_NODE) != Some(node.name()) {
            return Err(format!("provisioning failed for PVC \"{}\"", claim.name()));
        }
        let volume = storage::volume_name(claim);
        if !volume.is_empty() {
            match store.get::<PersistentVolume>("", volume) {
                None => return Ok(false),
                Some(v) if !storage::check_node_affinity(v, node.labels()) => return Err(mismatch(v)),
                Some(_) => {}
            }
        }
        if !is_fully_bound(claim) {
            return Ok(false);
        }
    }
    Ok(true)
}
