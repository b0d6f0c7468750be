//! Pods of a StatefulSet and their claims (`pkg/controller/statefulset/stateful_pod_control.go`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodSpec, PodTemplateSpec, Volume,
};

use super::SOURCE;
use super::claims::{
    claim_name, claims, has_stale_owner, has_unexpected_controller, is_owner_up_to_date, retention, templates,
    update_owners,
};
use crate::api::ApiServer;
use crate::api::event::EventType;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::Reason;
use crate::controllers::controller_utils::pod_from_template;

/// The label with a pod's revision.
pub(super) const REVISION_LABEL: &str = "controller-revision-hash";
const POD_NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// What went wrong, in words; whoever gets it tries again later.
pub(super) type Failure = String;

/// A set with what a sync needs to know about it.
pub(super) struct PodControl<'a> {
    pub(super) api: &'a mut ApiServer,
    pub(super) set: &'a Arc<StatefulSet>,
    pub(super) spec: &'a StatefulSetSpec,
}

/// The name of the pod of an ordinal.
pub(super) fn pod_name(set: &StatefulSet, ordinal: i64) -> String {
    format!("{}-{ordinal}", set.name())
}

/// The ordinal of a pod that belongs to a set by its name.
pub(super) fn ordinal_of(set_name: &str, pod_name: &str) -> Option<i64> {
    let digits = pod_name.strip_prefix(set_name)?.strip_prefix('-')?;
    let canonical = digits == "0" || !digits.starts_with('0');
    let number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() && canonical;
    number.then(|| digits.parse::<i32>().ok().map(i64::from)).flatten()
}

impl PodControl<'_> {
    /// A pod as a template and its ordinal make it (`newStatefulSetPod`).
    pub(super) fn new_pod(&self, template: &PodTemplateSpec, revision: &str, ordinal: i64) -> Pod {
        let mut pod = pod_from_template(template, &**self.set);
        pod.metadata.name = Some(pod_name(self.set, ordinal));
        update_identity(&mut pod, ordinal);
        pod.metadata.labels.get_or_insert_default().insert(REVISION_LABEL.to_owned(), revision.to_owned());
        let spec = pod.spec.get_or_insert_default();
        spec.hostname = pod.metadata.name.clone();
        spec.subdomain = self.spec.service_name.clone().filter(|s| !s.is_empty());
        self.update_storage(spec, ordinal);
        pod
    }

    /// Puts a volume for every claim in front of the others; those of the same name give way (`updateStorage`).
    fn update_storage(&self, pod: &mut PodSpec, ordinal: i64) {
        if templates(self.spec).is_empty() {
            return;
        }
        let mut volumes: Vec<Volume> = Vec::new();
        for (name, claim) in claims(self.set, self.spec, ordinal) {
            let source = PersistentVolumeClaimVolumeSource { claim_name: claim.name().to_owned(), read_only: None };
            volumes.push(Volume { name, persistent_volume_claim: Some(source), ..Default::default() });
        }
        let others = pod.volumes.take().unwrap_or_default();
        let of_claims: Vec<String> = volumes.iter().map(|v| v.name.clone()).collect();
        volumes.extend(others.into_iter().filter(|v| !of_claims.contains(&v.name)));
        pod.volumes = Some(volumes);
    }

    /// The first half of `CreateStatefulPod`: the claims; whether some were missing.
    pub(super) fn create_claims_of(&mut self, pod: &Pod, ordinal: i64) -> Result<bool, Failure> {
        self.create_claims(pod.name(), ordinal)
            .inspect_err(|failure| self.pod_event("Create", pod.name(), Some(failure)))
    }

    /// The second half of `CreateStatefulPod`: the pod.
    pub(super) fn create(&mut self, pod: Pod, ordinal: i64) -> Result<(), Failure> {
        let local = pod.clone();
        let created = self.api.create(pod).map_err(|status| (status.reason, status.message));
        if let Err((Reason::AlreadyExists, message)) = created {
            return Err(message);
        }
        if let Err(failure) = self.update_claim_owners(&local, ordinal) {
            self.pod_event("Update", local.name(), Some(&failure));
            return Err(failure);
        }
        let failure = created.err().map(|(_, message)| message);
        self.pod_event("Create", local.name(), failure.as_deref());
        failure.map_or(Ok(()), Err)
    }

    /// Makes a member of the set what it should be; what cannot be changed in a living pod fails
    /// (`UpdateStatefulPod`).
    pub(super) fn update(&mut self, pod: &Pod, ordinal: i64) -> Result<(), Failure> {
        let mut changed = pod.clone();
        let mut consistent = true;
        if !identity_matches(pod) {
            update_identity(&mut changed, ordinal);
            consistent = false;
        }
        if !self.storage_matches(pod, ordinal) {
            self.update_storage(changed.spec.get_or_insert_default(), ordinal);
            consistent = false;
            if let Err(failure) = self.create_claims(pod.name(), ordinal) {
                self.pod_event("Update", pod.name(), Some(&failure));
                return Err(failure);
            }
        }
        if !self.claims_match_retention(pod, ordinal) {
            if let Err(failure) = self.update_claim_owners(pod, ordinal) {
                self.pod_event("Update", pod.name(), Some(&failure));
                return Err(failure);
            }
            consistent = false;
        }
        if consistent {
            return Ok(());
        }
        let failure = self.api.update(changed).err().map(|status| status.message);
        self.pod_event("Update", pod.name(), failure.as_deref());
        failure.map_or(Ok(()), Err)
    }

    /// `DeleteStatefulPod`.
    pub(super) fn delete(&mut self, pod: &Pod) -> Result<(), Failure> {
        let key = ObjectKey::new(Kind::Pod, pod.namespace(), pod.name());
        let result = self.api.delete(&key, &DeleteOptions::default());
        let failure = result.err().filter(|s| s.reason != Reason::NotFound).map(|s| s.message);
        self.pod_event("Delete", pod.name(), failure.as_deref());
        failure.map_or(Ok(()), Err)
    }

    /// Whether nothing about a member needs [`update`](Self::update).
    pub(super) fn is_consistent(&self, pod: &Pod, ordinal: i64) -> bool {
        identity_matches(pod) && self.storage_matches(pod, ordinal) && self.claims_match_retention(pod, ordinal)
    }

    fn storage_matches(&self, pod: &Pod, ordinal: i64) -> bool {
        let volumes = pod.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default();
        templates(self.spec).iter().all(|template| {
            let volume = volumes.iter().find(|v| v.name == template.name());
            let claim = volume.and_then(|v| v.persistent_volume_claim.as_ref());
            claim.is_some_and(|c| c.claim_name == claim_name(self.set, template, ordinal))
        })
    }

    fn claim(&self, template: &PersistentVolumeClaim, ordinal: i64) -> Option<Arc<PersistentVolumeClaim>> {
        self.api.get(self.set.namespace(), &claim_name(self.set, template, ordinal)).cloned()
    }

    /// `ClaimsMatchRetentionPolicy`.
    pub(super) fn claims_match_retention(&self, pod: &Pod, ordinal: i64) -> bool {
        let mut claims = templates(self.spec).iter().filter_map(|t| self.claim(t, ordinal));
        claims.all(|claim| is_owner_up_to_date(&claim, self.set, self.spec, pod, ordinal))
    }

    /// `UpdatePodClaimForRetentionPolicy`.
    pub(super) fn update_claim_owners(&mut self, pod: &Pod, ordinal: i64) -> Result<(), Failure> {
        for template in templates(self.spec) {
            let Some(claim) = self.claim(template, ordinal) else { continue };
            if has_unexpected_controller(&claim, self.set, self.spec, pod) {
                let message = format!(
                    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, \
                     the retention policy is ignored for this claim",
                    claim.name()
                );
                self.api.event(SOURCE, self.set, EventType::Warning, "ConflictingController", message);
            }
            if is_owner_up_to_date(&claim, self.set, self.spec, pod, ordinal) {
                continue;
            }
            let mut changed = PersistentVolumeClaim::clone(&claim);
            update_owners(&mut changed, self.set, self.spec, pod, ordinal);
            if let Err(status) = self.api.update(changed) {
                return Err(format!("could not update claim {} for delete policy ownerRefs: {status}", claim.name()));
            }
        }
        Ok(())
    }

    /// Whether a claim is still to be removed together with an earlier pod of the same name (`PodClaimIsStale`).
    pub(super) fn is_claim_stale(&self, pod: &Pod, ordinal: i64) -> bool {
        let (_, when_scaled) = retention(self.spec);
        let mut claims = templates(self.spec).iter().filter_map(|t| self.claim(t, ordinal));
        when_scaled && claims.any(|claim| has_stale_owner(&claim, pod))
    }

    /// `createMissingPersistentVolumeClaims`.
    pub(super) fn create_missing_claims(&mut self, pod: &Pod, ordinal: i64) -> Result<(), Failure> {
        self.create_claims(pod.name(), ordinal)?;
        self.update_claim_owners(pod, ordinal).inspect_err(|failure| {
            self.pod_event("Update", pod.name(), Some(failure));
        })
    }

    fn create_claims(&mut self, pod: &str, ordinal: i64) -> Result<bool, Failure> {
        if templates(self.spec).is_empty() {
            return Ok(false);
        }
        let mut created = false;
        let mut failures = Vec::new();
        for (_, claim) in claims(self.set, self.spec, ordinal) {
            let name = claim.name().to_owned();
            match self.api.get::<PersistentVolumeClaim>(self.set.namespace(), &name) {
                Some(existing) if existing.is_terminating() => failures.push(format!("pvc {name} is being deleted")),
                Some(_) => {}
                None => match self.api.create(claim) {
                    Ok(_) => {
                        created = true;
                        self.claim_event(&name, pod, None);
                    }
                    Err(status) => {
                        failures.push(format!("failed to create PVC {name}: {status}"));
                        self.claim_event(&name, pod, Some(&status.message));
                    }
                },
            }
        }
        match failures.as_slice() {
            [] => Ok(created),
            [one] => Err(one.clone()),
            more => Err(format!("[{}]", more.join(", "))),
        }
    }

    fn pod_event(&mut self, verb: &str, pod: &str, failure: Option<&str>) {
        let set = self.set.name();
        match failure {
            None => {
                let message = format!("{verb} Pod {pod} in StatefulSet {set} successful");
                self.api.event(SOURCE, self.set, EventType::Normal, &format!("Successful{verb}"), message);
            }
            Some(failure) => {
                let message = format!("{verb} Pod {pod} in StatefulSet {set} failed error: {failure}");
                self.api.event(SOURCE, self.set, EventType::Warning, &format!("Failed{verb}"), message);
            }
        }
    }

    fn claim_event(&mut self, claim: &str, pod: &str, failure: Option<&str>) {
        let set = self.set.name();
        match failure {
            None => {
                let message = format!("Create Claim {claim} Pod {pod} in StatefulSet {set} success");
                self.api.event(SOURCE, self.set, EventType::Normal, "SuccessfulCreate", message);
            }
            Some(failure) => {
                let message =
                    format!("Create Claim {claim} for Pod {pod} in StatefulSet {set} failed error: {failure}");
                self.api.event(SOURCE, self.set, EventType::Warning, "FailedCreate", message);
            }
        }
    }
}

/// Whether a member carries its name as a label (`identityMatches`; that the name fits is known already).
fn identity_matches(pod: &Pod) -> bool {
    pod.label(POD_NAME_LABEL) == Some(pod.name())
}

fn update_identity(pod: &mut Pod, ordinal: i64) {
    let name = pod.name().to_owned();
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(POD_NAME_LABEL.to_owned(), name);
    labels.insert(POD_INDEX_LABEL.to_owned(), ordinal.to_string());
}
