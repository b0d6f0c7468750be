//! Which storage class a claim or a volume has, and which class is the default.
use std::cmp::Reverse;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;

use super::{BETA_STORAGE_CLASS, SELECTED_NODE, claim_spec, volume_spec};
use crate::api::{ApiObject, Store};

/// Whether a claim says which class it wants, be it `""` (`PersistentVolumeClaimHasClass`).
pub fn claim_has_class(claim: &PersistentVolumeClaim) -> bool {
    claim.annotation(BETA_STORAGE_CLASS).is_some() || claim_spec(claim).storage_class_name.is_some()
}

/// The class a claim wants, empty for none; the beta annotation beats the field (`GetPersistentVolumeClaimClass`).
pub fn claim_class(claim: &PersistentVolumeClaim) -> &str {
    claim.annotation(BETA_STORAGE_CLASS).or(claim_spec(claim).storage_class_name.as_deref()).unwrap_or_default()
}

/// The class of a volume, empty for none; the beta annotation beats the field (`GetPersistentVolumeClass`).
pub fn volume_class(volume: &PersistentVolume) -> &str {
    volume.annotation(BETA_STORAGE_CLASS).or(volume_spec(volume).storage_class_name.as_deref()).unwrap_or_default()
}

/// Whether a class is marked as default; the value must be exactly `true` (`IsDefaultAnnotation`).
pub fn is_default_class(class: &StorageClass) -> bool {
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
        .iter()
        .any(|key| class.annotation(key) == Some("true"))
}

/// The default class: of those marked the newest, then the one whose name comes first
/// (`pkg/volume/util` `GetDefaultClass`).
pub fn default_class(store: &Store) -> Option<&Arc<StorageClass>> {
    store.list::<StorageClass>().filter(|class| is_default_class(class)).min_by_key(|class| {
        (Reverse(class.metadata.creation_timestamp.as_ref().map(|t| t.0.as_second())), class.name())
    })
}

/// Whether a claim is bound only once a pod needs it (`IsDelayBindingMode`); a missing class counts as Immediate.
pub fn is_delay_binding_mode(claim: &PersistentVolumeClaim, store: &Store) -> bool {
    let class = claim_class(claim);
    !class.is_empty()
        && store
            .get::<StorageClass>("", class)
            .is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"))
}

/// Whether the scheduler (or somebody by hand) chose a node for a claim (`IsDelayBindingProvisioning`).
pub fn is_delay_binding_provisioning(claim: &PersistentVolumeClaim) -> bool {
    claim.annotation(SELECTED_NODE).is_some()
}
