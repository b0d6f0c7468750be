//! Claims from templates and who owns them (`pkg/controller/statefulset/stateful_set_utils.go`).
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::in_range;
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::controller_reference;

/// The name of the claim that a template makes for an ordinal (`getPersistentVolumeClaimName`).
pub(super) fn claim_name(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", template.name(), set.name())
}

pub(super) fn templates(spec: &StatefulSetSpec) -> &[PersistentVolumeClaim] {
    spec.volume_claim_templates.as_deref().unwrap_or_default()
}

/// The claims of an ordinal with the names of their templates. Of templates with the same name the last counts
/// (`getPersistentVolumeClaims`).
pub(super) fn claims(set: &StatefulSet, spec: &StatefulSetSpec, ordinal: i64) -> Vec<(String, PersistentVolumeClaim)> {
    let mut claims: Vec<(String, PersistentVolumeClaim)> = Vec::new();
    for template in templates(spec) {
        let mut claim = template.clone();
        claim.metadata.name = Some(claim_name(set, template, ordinal));
        claim.metadata.namespace = Some(set.namespace().to_owned());
        let selector = spec.selector.match_labels.iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
        claim.metadata.labels.get_or_insert_default().extend(selector);
        let name = template.name().to_owned();
        match claims.iter_mut().find(|(n, _)| *n == name) {
            Some(slot) => slot.1 = claim,
            None => claims.push((name, claim)),
        }
    }
    claims
}

/// What happens to claims: `(whenDeleted, whenScaled)` are `Delete`.
pub(super) fn retention(spec: &StatefulSetSpec) -> (bool, bool) {
    let policy = spec.persistent_volume_claim_retention_policy.as_ref();
    let delete = |value: Option<&String>| value.is_some_and(|v| v == "Delete");
    (delete(policy.and_then(|p| p.when_deleted.as_ref())), delete(policy.and_then(|p| p.when_scaled.as_ref())))
}

fn owners(claim: &PersistentVolumeClaim) -> &[OwnerReference] {
    claim.metadata.owner_references.as_deref().unwrap_or_default()
}

/// Whether a reference names this object, be it this one or an earlier one of the same name (`matchesRef`).
fn names<T: ApiObject>(reference: &OwnerReference, object: &T) -> bool {
    reference.api_version == T::ID.api_version() && reference.kind == T::ID.name() && reference.name == object.name()
}

fn has_owner(claim: &PersistentVolumeClaim, uid: &str) -> bool {
    owners(claim).iter().any(|o| o.uid == uid)
}

/// Whether a claim still belongs to an earlier object of the same name (`hasStaleOwnerRef`).
pub(super) fn has_stale_owner<T: ApiObject>(claim: &PersistentVolumeClaim, object: &T) -> bool {
    owners(claim).iter().find(|o| names(o, object)).is_some_and(|o| o.uid != object.uid())
}

/// Whether something else controls a claim that the retention policy is about (`hasUnexpectedController`).
pub(super) fn has_unexpected_controller(
    claim: &PersistentVolumeClaim,
    set: &StatefulSet,
    spec: &StatefulSetSpec,
    pod: &Pod,
) -> bool {
    if retention(spec) == (false, false) {
        return false;
    }
    owners(claim).iter().any(|owner| {
        if names(owner, set) {
            owner.uid != set.uid()
        } else if names(owner, pod) {
            owner.uid != pod.uid()
        } else {
            owner.controller == Some(true)
        }
    })
}

/// Who should own a claim: the set, the pod (`isClaimOwnerUpToDate`: the set while the ordinal is in range and claims go
/// with the set, the pod once it is out of range and claims go when scaled down).
fn wanted_owners(spec: &StatefulSetSpec, ordinal: i64) -> (bool, bool) {
    let (when_deleted, when_scaled) = retention(spec);
    let scaled_down = when_scaled && !in_range(spec, ordinal);
    (when_deleted && !scaled_down, scaled_down)
}

/// `isClaimOwnerUpToDate`.
pub(super) fn is_owner_up_to_date(
    claim: &PersistentVolumeClaim,
    set: &StatefulSet,
    spec: &StatefulSetSpec,
    pod: &Pod,
    ordinal: i64,
) -> bool {
    if has_stale_owner(claim, set) || has_stale_owner(claim, pod) {
        return true;
    }
    let owned_by = (has_owner(claim, set.uid()), has_owner(claim, pod.uid()));
    if has_unexpected_controller(claim, set, spec, pod) {
        return owned_by == (false, false);
    }
    let ours = |o: &&OwnerReference| o.uid == set.uid() || o.uid == pod.uid();
    if owners(claim).iter().filter(ours).any(|o| o.controller != Some(true)) {
        return false;
    }
    owned_by == wanted_owners(spec, ordinal)
}

/// Makes a claim's owners what they should be (`updateClaimOwnerRefForSetAndPod`).
pub(super) fn update_owners(
    claim: &mut PersistentVolumeClaim,
    set: &StatefulSet,
    spec: &StatefulSetSpec,
    pod: &Pod,
    ordinal: i64,
) {
    let unexpected = has_unexpected_controller(claim, set, spec, pod);
    let mut owners = claim.metadata.owner_references.take().unwrap_or_default();
    owners.retain(|o| !names(o, set) && !names(o, pod));
    if !unexpected {
        let (by_set, by_pod) = wanted_owners(spec, ordinal);
        if by_set {
            owners.push(controller_reference(set));
        }
        if by_pod {
            owners.push(controller_reference(pod));
        }
    }
    claim.metadata.owner_references = Some(owners).filter(|o| !o.is_empty());
}
