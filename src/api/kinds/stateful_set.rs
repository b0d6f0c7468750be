//! StatefulSets (`pkg/registry/apps/statefulset/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaimStatus, PersistentVolumeClaimVolumeSource, PodTemplateSpec, Volume,
};

use super::apps::{
    drop_disabled_template_fields, int_or_percent_value, is_missing, is_usable, printed, template_labels,
    validate_always_running, validate_at_most_100_percent, validate_int_or_percent, validate_selector,
    validate_selector_matches, validate_template,
};
use super::persistent_volume_claim::{self, ClaimValidationOptions};
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::object::ApiObject;
use crate::api::pod_warnings::warnings_for_pod_template;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::label_selector::validate_labels;
use crate::api::validation::names::{name_is_dns_label, validate_dns1123_label};
use crate::api::validation::object_meta::{validate_annotations, validate_object_meta, validate_object_meta_update};
use crate::api::validation::{invalid_printed, validate_nonnegative};

impl Strategy for StatefulSet {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_string(&mut spec.pod_management_policy, "OrderedReady");
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.as_deref().unwrap_or_default().is_empty() {
            strategy.type_ = Some("RollingUpdate".to_owned());
            strategy.rolling_update.get_or_insert_default();
        }
        if strategy.type_.as_deref() == Some("RollingUpdate")
            && let Some(rolling_update) = strategy.rolling_update.as_mut()
        {
            rolling_update.partition.get_or_insert(0);
        }
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        default_string(&mut retention.when_deleted, "Retain");
        default_string(&mut retention.when_scaled, "Retain");
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            claim.set_defaults();
            let status = claim.status.get_or_insert_with(PersistentVolumeClaimStatus::default);
            default_string(&mut status.phase, "Pending");
        }
        set_pod_template_defaults(&mut spec.template);
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        if let Some(spec) = &mut self.spec {
            drop_disabled_template_fields(&mut spec.template, None);
        }
        drop_max_unavailable(self, None);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let (Some(spec), Some(old)) = (&mut self.spec, &old.spec) {
            drop_disabled_template_fields(&mut spec.template, Some(&old.template));
        }
        drop_max_unavailable(self, Some(old));
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_label, &Path::root("metadata"));
        if let Some(spec) = &self.spec {
            errors.extend(validate_spec(spec, None, &Path::root("spec")));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if let (Some(spec), Some(old)) = (&self.spec, &old.spec) {
            let path = Path::root("spec");
            errors.extend(validate_spec(spec, Some(old), &path));
            if !internal::semantic_equal("StatefulSetSpec", &with_mutable_fields(spec, old), old) {
                errors.push(path.forbidden(IMMUTABLE));
            }
        }
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let mut warnings = Vec::new();
        let path = Path::root("spec");
        if old.is_none_or(|old| old.metadata.generation != self.metadata.generation) {
            warnings.extend(warnings_for_pod_template(&spec.template, &path.child("template")));
        }
        let list = path.child("volumeClaimTemplates");
        for (i, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
            let item = list.index(i);
            // on updates the path of these warnings has one element more
            let at = if old.is_some() { item.child("Spec") } else { item };
            let spec = claim.spec.clone().unwrap_or_default();
            warnings.extend(persistent_volume_claim::warnings_for_spec(&spec, &at));
        }
        if spec.revision_history_limit.is_some_and(|limit| limit < 0) {
            let what = "a negative value retains all historical revisions; a value >= 0 is recommended";
            warnings.push(format!("spec.revisionHistoryLimit: {what}"));
        }
        warnings
    }
}

const IMMUTABLE: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                         'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                         'minReadySeconds' are forbidden";

/// A new spec with the old values of the fields that may change.
fn with_mutable_fields(new: &StatefulSetSpec, old: &StatefulSetSpec) -> StatefulSetSpec {
    let retention = old.persistent_volume_claim_retention_policy.clone();
    StatefulSetSpec {
        replicas: old.replicas,
        template: old.template.clone(),
        update_strategy: old.update_strategy.clone(),
        min_ready_seconds: old.min_ready_seconds,
        ordinals: old.ordinals.clone(),
        revision_history_limit: old.revision_history_limit,
        persistent_volume_claim_retention_policy: retention,
        ..new.clone()
    }
}

/// `ValidateStatefulSetSpec`. On updates, what cannot be changed is not looked at again, and a template that was invalid
/// before may stay so.
fn validate_spec(spec: &StatefulSetSpec, old: Option<&StatefulSetSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let policy = spec.pod_management_policy.as_deref().unwrap_or_default();
    let policy_path = path.child("podManagementPolicy");
    match policy {
        "" => errors.push(policy_path.required("")),
        "OrderedReady" | "Parallel" => {}
        _ => errors.push(policy_path.invalid(policy, "must be 'OrderedReady' or 'Parallel'")),
    }
    if let Some(strategy) = &spec.update_strategy {
        errors.extend(validate_strategy(strategy, &path.child("updateStrategy")));
    }
    if let Some(retention) = &spec.persistent_volume_claim_retention_policy {
        errors.extend(validate_retention(retention, &path.child("persistentVolumeClaimRetentionPolicy")));
    }
    if old.is_none() {
        let list = path.child("volumeClaimTemplates");
        for (i, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
            let item = list.index(i);
            let claim = claim.spec.clone().unwrap_or_default();
            let options = ClaimValidationOptions::default();
            errors.extend(persistent_volume_claim::validate_spec(&claim, &item.child("spec"), options));
        }
    }
    errors.extend(validate_nonnegative(spec.replicas.unwrap_or(0).into(), &path.child("replicas")));
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    errors.extend(validate_nonnegative(min_ready_seconds.into(), &path.child("minReadySeconds")));
    if let Some(start) = spec.ordinals.as_ref().and_then(|o| o.start) {
        errors.extend(validate_nonnegative(start.into(), &path.child("ordinals.start")));
    }
    let service_name = spec.service_name.as_deref().unwrap_or_default();
    if old.is_none() && !service_name.is_empty() {
        errors.extend(validate_dns1123_label(service_name, &path.child("serviceName")));
    }
    let selector_path = path.child("selector");
    errors.extend(validate_selector(&spec.selector, "statefulset", &selector_path));
    let template_path = path.child("template");
    if is_missing(&spec.selector) || is_usable(&spec.selector) {
        let skip = old.is_some_and(|old| !validate_template_of(old, Some(old), false, &template_path).is_empty());
        errors.extend(validate_template_of(spec, old, skip, &template_path));
    } else {
        errors.push(selector_path.invalid(printed(&spec.selector), ""));
    }
    errors.extend(validate_always_running(&spec.template, "StatefulSet", &template_path));
    errors
}

/// `ValidatePodTemplateSpecForStatefulSet`. What the controller overwrites is not validated; claims from templates count
/// as volumes.
fn validate_template_of(
    spec: &StatefulSetSpec,
    old: Option<&StatefulSetSpec>,
    skip_template: bool,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = validate_selector_matches(&spec.selector, &spec.template, path);
    if !skip_template {
        let template = as_pods_get_it(spec);
        errors.extend(validate_template(&template, old.map(|o| &o.template), path));
    }
    let annotations = spec.template.metadata.as_ref().and_then(|m| m.annotations.as_ref());
    errors.extend(validate_labels(template_labels(&spec.template), &path.child("labels")));
    errors.extend(validate_annotations(annotations, &path.child("annotations")));
    errors
}

fn as_pods_get_it(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let claims: Vec<String> =
        spec.volume_claim_templates.iter().flatten().map(|claim| claim.name().to_owned()).collect();
    if let Some(pod) = template.spec.as_mut() {
        pod.hostname = None;
        pod.subdomain = None;
        if !claims.is_empty() {
            let mut volumes: Vec<Volume> = Vec::new();
            for name in &claims {
                if volumes.iter().all(|v| v.name != *name) {
                    let source = PersistentVolumeClaimVolumeSource { claim_name: name.clone(), read_only: None };
                    let source = Some(source);
                    volumes.push(Volume { name: name.clone(), persistent_volume_claim: source, ..Default::default() });
                }
            }
            volumes.extend(pod.volumes.take().unwrap_or_default().into_iter().filter(|v| !claims.contains(&v.name)));
            pod.volumes = Some(volumes);
        }
    }
    template
}

fn validate_strategy(strategy: &StatefulSetUpdateStrategy, path: &Path<'_>) -> ErrorList {
    let rolling_path = path.child("rollingUpdate");
    match (strategy.type_.as_deref().unwrap_or_default(), &strategy.rolling_update) {
        ("", _) => vec![path.required("")],
        ("OnDelete", None) | ("RollingUpdate", None) => Vec::new(),
        ("OnDelete", Some(rolling_update)) => {
            let value = internal::to_json("RollingUpdateStatefulSetStrategy", rolling_update);
            vec![invalid_printed(&rolling_path, &value, "only allowed for updateStrategy 'RollingUpdate'")]
        }
        ("RollingUpdate", Some(rolling_update)) => {
            let partition = rolling_update.partition.unwrap_or(0);
            let mut errors = validate_nonnegative(partition.into(), &rolling_path.child("partition"));
            if let Some(unavailable) = &rolling_update.max_unavailable {
                let path = rolling_path.child("maxUnavailable");
                errors.extend(validate_int_or_percent(Some(unavailable), &path));
                if int_or_percent_value(Some(unavailable)) == 0 {
                    errors.push(path.invalid(printed(unavailable), "cannot be 0"));
                }
                errors.extend(validate_at_most_100_percent(Some(unavailable), &path));
            }
            errors
        }
        _ => {
            let value = internal::to_json("StatefulSetUpdateStrategy", strategy);
            vec![invalid_printed(path, &value, "must be 'RollingUpdate' or 'OnDelete'")]
        }
    }
}

fn validate_retention(retention: &StatefulSetPersistentVolumeClaimRetentionPolicy, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    for (field, value) in [("whenDeleted", &retention.when_deleted), ("whenScaled", &retention.when_scaled)] {
        let value = value.as_deref().unwrap_or_default();
        if !matches!(value, "Retain" | "Delete") {
            errors.push(path.child(field).not_supported(value, &["Retain", "Delete"]));
        }
    }
    errors
}

/// Gives an unset or empty string its default.
pub(super) fn default_string(field: &mut Option<String>, value: &str) {
    if field.as_deref().unwrap_or_default().is_empty() {
        *field = Some(value.to_owned());
    }
}

fn rolling_update(set: &StatefulSet) -> Option<&RollingUpdateStatefulSetStrategy> {
    set.spec.as_ref()?.update_strategy.as_ref()?.rolling_update.as_ref()
}

/// `maxUnavailable` belongs to a feature that is off: it is dropped unless the stored object has it
/// (`dropStatefulSetDisabledFields`).
fn drop_max_unavailable(set: &mut StatefulSet, old: Option<&StatefulSet>) {
    if old.and_then(rolling_update).is_some_and(|r| r.max_unavailable.is_some()) {
        return;
    }
    let strategy = set.spec.as_mut().and_then(|s| s.update_strategy.as_mut());
    if let Some(StatefulSetUpdateStrategy { rolling_update: Some(rolling_update), .. }) = strategy {
        rolling_update.max_unavailable = None;
    }
}
