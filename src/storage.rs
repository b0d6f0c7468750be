//! What the volume controllers and the scheduler must agree on (`staging/src/k8s.io/component-helpers/storage/volume`):
//! which class a claim has, which volume fits a claim, and how the two are tied together.
mod class;
mod matching;
mod migration;
mod pod_claims;

pub use class::{
    claim_class, claim_has_class, default_class, is_default_class, is_delay_binding_mode,
    is_delay_binding_provisioning, volume_class,
};
pub use matching::{ClaimNeeds, NamedMismatch, PassedOver, Rule, Verdict, find_matching_volume};
pub use migration::{csi_name_of, driver_of, driver_of_inline, is_attached, is_driver_installed, is_migrated};
pub use pod_claims::{PodsByClaim, claim_names, ephemeral_claim_name, is_pod_terminated};

use k8s_openapi::api::core::v1::{
    NodeSelector, ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
};

use crate::api::label_selector::Labels;
use crate::api::quantity::Quantity;
use crate::api::{ApiObject, node_selector};

/// On a claim: binding is complete.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// On a claim or volume: the binding was made by the controller, not by the user.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a claim: the node the scheduler chose, which triggers provisioning there.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// On a volume: which provisioner made it.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// On a claim or volume: the CSI driver that took over from an in-tree plugin.
pub const MIGRATED_TO: &str = "pv.kubernetes.io/migrated-to";
/// On a claim: who is to provision a volume.
pub const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The older spelling of [`STORAGE_PROVISIONER`]; both are written.
pub const BETA_STORAGE_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// On a claim or volume: the class; stronger than the field.
pub const BETA_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// Finalizer an external provisioner puts on its volumes.
pub const EXTERNAL_PROVISIONER_FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
/// Finalizer of volumes an in-tree plugin provisioned with policy Delete.
pub const IN_TREE_FINALIZER: &str = "kubernetes.io/pv-controller";
/// Finalizer that keeps a volume while it is bound.
pub const PV_PROTECTION: &str = "kubernetes.io/pv-protection";
/// Finalizer that keeps a claim while a pod uses it.
pub const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";
/// Finalizer that keeps a VolumeAttributesClass while it is in use.
pub const VAC_PROTECTION: &str = "kubernetes.io/vac-protection";
/// The provisioner's name in classes that have none.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
/// The provisioner built into kube-controller-manager that makes directories on the host.
pub const HOST_PATH_PROVISIONER: &str = "kubernetes.io/host-path";
/// The name of the resource in capacities and requests.
pub const STORAGE: &str = "storage";

/// The spec of a volume.
pub fn volume_spec(volume: &PersistentVolume) -> &PersistentVolumeSpec {
    static EMPTY: std::sync::LazyLock<PersistentVolumeSpec> = std::sync::LazyLock::new(Default::default);
    volume.spec.as_ref().unwrap_or(&EMPTY)
}

/// The spec of a claim.
pub fn claim_spec(claim: &PersistentVolumeClaim) -> &PersistentVolumeClaimSpec {
    static EMPTY: std::sync::LazyLock<PersistentVolumeClaimSpec> = std::sync::LazyLock::new(Default::default);
    claim.spec.as_ref().unwrap_or(&EMPTY)
}

/// The volume a claim names, empty if none.
pub fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim_spec(claim).volume_name.as_deref().unwrap_or_default()
}

/// The phase of a volume, empty before the controller saw it.
pub fn volume_phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// The phase of a claim.
pub fn claim_phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// The size of a volume; zero if it has none.
pub fn volume_capacity(volume: &PersistentVolume) -> Quantity {
    volume_spec(volume).capacity.as_ref().and_then(|c| c.get(STORAGE)).map(Quantity::of).unwrap_or_default()
}

/// The size a claim asks for; zero if it does not say.
pub fn claim_request(claim: &PersistentVolumeClaim) -> Quantity {
    let resources = claim_spec(claim).resources.as_ref();
    resources.and_then(|r| r.requests.as_ref()).and_then(|r| r.get(STORAGE)).map(Quantity::of).unwrap_or_default()
}

/// The mode of a volume, `Filesystem` by default.
pub fn volume_mode(volume: &PersistentVolume) -> &str {
    volume_spec(volume).volume_mode.as_deref().unwrap_or("Filesystem")
}

/// The mode a claim asks for, `Filesystem` by default.
pub fn claim_volume_mode(claim: &PersistentVolumeClaim) -> &str {
    claim_spec(claim).volume_mode.as_deref().unwrap_or("Filesystem")
}

/// The VolumeAttributesClass of a volume, empty if none.
pub fn volume_attributes_class(volume: &PersistentVolume) -> &str {
    volume_spec(volume).volume_attributes_class_name.as_deref().unwrap_or_default()
}

/// The VolumeAttributesClass of a claim, empty if none.
pub fn claim_attributes_class(claim: &PersistentVolumeClaim) -> &str {
    claim_spec(claim).volume_attributes_class_name.as_deref().unwrap_or_default()
}

/// Whether claim and volume agree on the volume mode (the negation of `CheckVolumeModeMismatches`).
pub fn check_volume_mode(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    claim_volume_mode(claim) == volume_mode(volume)
}

/// The modes a claim asks for that a volume does not offer; none means they fit (`CheckAccessModes`).
pub fn missing_access_modes<'a>(
    claim: &'a PersistentVolumeClaim,
    volume: &PersistentVolume,
) -> impl Iterator<Item = &'a str> {
    let offered = volume_spec(volume).access_modes.clone().unwrap_or_default();
    claim_spec(claim).access_modes.iter().flatten().filter(move |m| !offered.contains(m)).map(String::as_str)
}

/// Whether a volume offers all access modes a claim asks for (`CheckAccessModes`).
pub fn check_access_modes(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    missing_access_modes(claim, volume).next().is_none()
}

/// Which nodes a volume can be used from; `None` for all.
pub fn required_node_affinity(volume: &PersistentVolume) -> Option<&NodeSelector> {
    volume_spec(volume).node_affinity.as_ref()?.required.as_ref()
}

/// Whether a volume can be used from a node with these labels (`CheckNodeAffinity`).
pub fn check_node_affinity(volume: &PersistentVolume, node_labels: Option<&Labels>) -> bool {
    required_node_affinity(volume).is_none_or(|s| node_selector::matches(s, None, node_labels))
}

/// The claim a volume's claimRef names: namespace, name, uid (each empty when unset).
pub fn claim_ref(volume: &PersistentVolume) -> Option<(&str, &str, &str)> {
    let claim = volume_spec(volume).claim_ref.as_ref()?;
    Some((
        claim.namespace.as_deref().unwrap_or_default(),
        claim.name.as_deref().unwrap_or_default(),
        claim.uid.as_deref().unwrap_or_default(),
    ))
}

/// Whether a volume is bound to a claim or reserved for it (`IsVolumeBoundToClaim`).
pub fn is_volume_bound_to_claim(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    claim_ref(volume).is_some_and(|(namespace, name, uid)| {
        name == claim.name() && namespace == claim.namespace() && (uid.is_empty() || uid == claim.uid())
    })
}

/// The volume with its claimRef set to a claim, or `None` if it is so already (`GetBindVolumeToClaim`).
///
/// The annotation `bound-by-controller` is added unless the user had reserved the volume for this claim.
pub fn bind_volume_to_claim(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<PersistentVolume> {
    let mut bound = volume.clone();
    let mut dirty = false;
    if claim_ref(volume) != Some((claim.namespace(), claim.name(), claim.uid())) || claim.uid().is_empty() {
        bound.spec.get_or_insert_default().claim_ref = Some(reference_to(claim));
        dirty = true;
    }
    if !is_volume_bound_to_claim(volume, claim) && volume.annotation(BOUND_BY_CONTROLLER).is_none() {
        bound.set_annotation(BOUND_BY_CONTROLLER, "yes");
        dirty = true;
    }
    dirty.then_some(bound)
}

/// A reference to a claim as `reference.GetReference` makes it.
pub fn reference_to(claim: &PersistentVolumeClaim) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        namespace: Some(claim.namespace().to_owned()),
        name: Some(claim.name().to_owned()),
        uid: Some(claim.uid().to_owned()),
        resource_version: claim.metadata.resource_version.clone(),
        ..Default::default()
    }
}
