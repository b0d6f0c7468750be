//! Pods (`pkg/registry/core/pod/strategy.go`, `pkg/apis/core/v1/defaults.go`, `pkg/apis/core/validation`).
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Container, Pod, PodAffinityTerm, PodCondition, PodSpec, PodStatus, SecurityContext,
    TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::api::defaults::pod_spec::set_pod_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::pod_resources::qos_class;
use crate::api::pod_warnings::{app_armor_field, warnings_for_pod};
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::validate_object_meta;
use crate::api::validation::pod_spec::{
    PodValidationOptions, validate_annotations_for_spec, validate_annotations_match_fields, validate_only_for_pods,
    validate_pod_spec,
};

impl Strategy for Pod {
    fn set_defaults(&mut self) {
        set_pod_defaults(self);
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
        let labels = self.metadata.labels.clone().unwrap_or_default();
        let annotations = self.metadata.annotations.clone().unwrap_or_default();
        let spec = self.spec.get_or_insert_default();
        let gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
        self.status = Some(PodStatus {
            phase: Some("Pending".to_owned()),
            qos_class: Some(qos_class(spec).to_owned()),
            conditions: gated.then(|| vec![scheduling_gated()]),
            ..Default::default()
        });
        drop_disabled_fields(spec, None);
        if let Some(affinity) = &mut spec.affinity {
            apply_label_keys_to_affinity(affinity, &labels);
        }
        for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
            apply_label_keys_to_spread(constraint, &labels);
        }
        apply_app_armor_annotations(spec, &annotations);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let Some(spec) = &mut self.spec {
            drop_disabled_fields(spec, old.spec.as_ref());
        }
        if !update::same_spec(self.spec.as_ref(), old.spec.as_ref()) {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
        self.metadata.owner_references.clone_from(&old.metadata.owner_references);
        let old_status = old.status.as_ref();
        let status = self.status.get_or_insert_default();
        if status.qos_class.as_deref().unwrap_or_default().is_empty() {
            status.qos_class = old_status.and_then(|s| s.qos_class.clone());
        }
        keep_observed_generations(status, old_status);
    }

    fn allocate(&mut self, old: Option<&Self>, _store: &Store) -> Result<(), Status> {
        if old.is_none() {
            // conditions that preparing the pod gave it begin with the pod
            let now = self.metadata.creation_timestamp.clone();
            for condition in self.status.iter_mut().flat_map(|s| s.conditions.iter_mut().flatten()) {
                condition.last_transition_time = condition.last_transition_time.take().or_else(|| now.clone());
            }
        }
        Ok(())
    }

    fn validate(&self) -> ErrorList {
        let options = PodValidationOptions::for_pod();
        let mut errors = validate_metadata_and_spec(self, &options);
        let empty = PodSpec::default();
        let spec = self.spec.as_ref().unwrap_or(&empty);
        let path = Path::root("spec");
        if spec.ephemeral_containers.as_ref().is_some_and(|list| !list.is_empty()) {
            errors.push(path.child("ephemeralContainers").forbidden("cannot be set on create"));
        }
        let gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
        if gated && spec.node_name.as_ref().is_some_and(|name| !name.is_empty()) {
            let why = "cannot be set until all schedulingGates have been cleared";
            errors.push(path.child("nodeName").forbidden(why));
        }
        errors.extend(validate_annotations_match_fields(self.metadata.annotations.as_ref(), spec, &path));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        update::validate_pod_update(self, old)
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        if old.is_some() { Vec::new() } else { warnings_for_pod(self) }
    }
}

/// `validatePodMetadataAndSpec`.
fn validate_metadata_and_spec(pod: &Pod, options: &PodValidationOptions) -> ErrorList {
    let (metadata_path, path) = (Path::root("metadata"), Path::root("spec"));
    let empty = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&empty);
    let mut errors = validate_object_meta(&pod.metadata, true, name_is_dns_subdomain, &metadata_path);
    let annotations = pod.metadata.annotations.as_ref();
    errors.extend(validate_annotations_for_spec(annotations, spec, &metadata_path.child("annotations"), options));
    errors.extend(validate_pod_spec(spec, Some(&pod.metadata), &path, options));
    errors.extend(validate_only_for_pods(spec, &path));
    errors
}

/// The condition of a pod that is not to be scheduled yet (`applySchedulingGatedCondition`).
fn scheduling_gated() -> PodCondition {
    PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some("SchedulingGated".to_owned()),
        message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
        ..Default::default()
    }
}

/// Drops what belongs to features that are off in 1.36, unless the old pod or template has it (`dropDisabledFields` of
/// `pkg/api/pod/util.go`).
pub(crate) fn drop_disabled_fields(spec: &mut PodSpec, old: Option<&PodSpec>) {
    let sources = |spec: &PodSpec, used: fn(&k8s_openapi::api::core::v1::VolumeProjection) -> bool| {
        let projected = spec.volumes.iter().flatten().filter_map(|v| v.projected.as_ref());
        projected.flat_map(|p| p.sources.iter().flatten()).any(used)
    };
    let old_bundle = old.is_some_and(|o| sources(o, |s| s.cluster_trust_bundle.is_some()));
    let old_certificate = old.is_some_and(|o| sources(o, |s| s.pod_certificate.is_some()));
    for volume in spec.volumes.iter_mut().flatten().filter_map(|v| v.projected.as_mut()) {
        for source in volume.sources.iter_mut().flatten() {
            if !old_bundle {
                source.cluster_trust_bundle = None;
            }
            if !old_certificate {
                source.pod_certificate = None;
            }
        }
    }
    if old.is_none_or(|o| o.scheduling_group.is_none()) {
        spec.scheduling_group = None;
    }
    let stop_signal = |c: &Container| c.lifecycle.as_ref().is_some_and(|l| l.stop_signal.is_some());
    let all = |spec: &PodSpec| {
        spec.containers.iter().any(stop_signal) || spec.init_containers.iter().flatten().any(stop_signal)
    };
    if !old.is_some_and(all) {
        let init_containers = spec.init_containers.iter_mut().flatten();
        for container in spec.containers.iter_mut().chain(init_containers) {
            if let Some(lifecycle) = container.lifecycle.as_mut().filter(|l| l.stop_signal.is_some()) {
                lifecycle.stop_signal = None;
                if *lifecycle == Default::default() {
                    container.lifecycle = None;
                }
            }
        }
    }
}

/// Turns label keys into expressions with the pod's values (`applyLabelKeysToLabelSelector`).
fn apply_label_keys(selector: &mut LabelSelector, keys: &[String], operator: &str, labels: &BTreeMap<String, String>) {
    for (key, value) in keys.iter().filter_map(|key| Some((key, labels.get(key)?))) {
        selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.to_owned(),
            values: Some(vec![value.clone()]),
        });
    }
}

fn apply_label_keys_to_affinity(affinity: &mut Affinity, labels: &BTreeMap<String, String>) {
    let apply = |term: &mut PodAffinityTerm| {
        let PodAffinityTerm { label_selector: Some(selector), match_label_keys, mismatch_label_keys, .. } = term else {
            return;
        };
        apply_label_keys(selector, match_label_keys.as_deref().unwrap_or_default(), "In", labels);
        apply_label_keys(selector, mismatch_label_keys.as_deref().unwrap_or_default(), "NotIn", labels);
    };
    if let Some(pod) = &mut affinity.pod_affinity {
        let preferred = pod.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        preferred.map(|term| &mut term.pod_affinity_term).for_each(apply);
        pod.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(apply);
    }
    if let Some(pod) = &mut affinity.pod_anti_affinity {
        let preferred = pod.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        preferred.map(|term| &mut term.pod_affinity_term).for_each(apply);
        pod.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(apply);
    }
}

fn apply_label_keys_to_spread(constraint: &mut TopologySpreadConstraint, labels: &BTreeMap<String, String>) {
    if let Some(selector) = &mut constraint.label_selector {
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        apply_label_keys(selector, keys, "In", labels);
    }
}

/// Copies AppArmor annotations of old into the fields (`applyAppArmorVersionSkew`).
fn apply_app_armor_annotations(spec: &mut PodSpec, annotations: &BTreeMap<String, String>) {
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return;
    }
    let pod = spec.security_context.as_ref().and_then(|c| c.app_armor_profile.clone());
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name);
        let has_field = container.security_context.as_ref().is_some_and(|c| c.app_armor_profile.is_some());
        let field = annotations.get(&key).and_then(|annotation| app_armor_field(annotation));
        if !has_field && field.is_some() && field != pod {
            let context: &mut SecurityContext = container.security_context.get_or_insert_default();
            context.app_armor_profile = field;
        }
    }
}

/// Observed generations that a status update leaves out stay (`preserveOldObservedGeneration`).
fn keep_observed_generations(status: &mut PodStatus, old: Option<&PodStatus>) {
    let Some(old) = old else { return };
    if status.observed_generation.unwrap_or(0) == 0 {
        status.observed_generation = old.observed_generation;
    }
    let mut known: BTreeMap<&str, std::collections::VecDeque<Option<i64>>> = BTreeMap::new();
    for condition in old.conditions.iter().flatten() {
        known.entry(&condition.type_).or_default().push_back(condition.observed_generation);
    }
    for condition in status.conditions.iter_mut().flatten() {
        let earlier = known.get_mut(condition.type_.as_str()).and_then(|list| list.pop_front()).flatten();
        if condition.observed_generation.unwrap_or(0) == 0 {
            condition.observed_generation = earlier;
        }
    }
}

/// How many seconds a deleted pod is given: none when no kubelet has it or when it is over
/// (`podStrategy.CheckGracefulDelete`).
pub fn graceful_deletion_seconds(pod: &Pod, requested: Option<i64>) -> i64 {
    let spec = pod.spec.as_ref();
    let scheduled = spec.and_then(|s| s.node_name.as_deref()).is_some_and(|n| !n.is_empty());
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
    if !scheduled || phase == "Failed" || phase == "Succeeded" {
        return 0;
    }
    let period = requested.or_else(|| spec.and_then(|s| s.termination_grace_period_seconds)).unwrap_or(30);
    if period < 0 { 1 } else { period }
}
