//! Jobs (`pkg/registry/batch/job/strategy.go`, `pkg/apis/batch/v1/defaults.go`, `pkg/apis/batch/validation`).
pub(super) mod validation;

use k8s_openapi::api::batch::v1::{Job, JobSpec};

use super::apps::{drop_disabled_template_fields, name_warning};
use super::stateful_set::default_string;
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::object::ApiObject;
use crate::api::pod_warnings::warnings_for_pod_template;
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::strategy::{Strategy, keep};

/// The label with a Job's name on its pods.
pub const JOB_NAME_LABEL: &str = "batch.kubernetes.io/job-name";
/// The same label from before it had a prefix.
pub const LEGACY_JOB_NAME_LABEL: &str = "job-name";
/// The label with a Job's uid on its pods.
pub const CONTROLLER_UID_LABEL: &str = "batch.kubernetes.io/controller-uid";
/// The same label from before it had a prefix.
pub const LEGACY_CONTROLLER_UID_LABEL: &str = "controller-uid";

/// From this many completions and this parallelism on, the indexes may become too long to track.
const SOFT_LIMITS: (i32, i32) = (100_000, 10_000);

impl Strategy for Job {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_job_spec(spec);
        set_job_template_defaults(spec);
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        if let Some(spec) = &mut self.spec {
            drop_disabled_template_fields(&mut spec.template, None);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let (Some(spec), Some(old)) = (&mut self.spec, &old.spec) {
            drop_disabled_template_fields(&mut spec.template, Some(&old.template));
        }
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn allocate(&mut self, old: Option<&Self>, _store: &Store) -> Result<(), Status> {
        // `PrepareForCreate` does this; only here the name and the uid are known
        if old.is_none() && self.spec.as_ref().is_some_and(|s| s.manual_selector != Some(true)) {
            generate_selector(self);
        }
        default_labels(self);
        Ok(())
    }

    fn validate(&self) -> ErrorList {
        validation::validate_job(self, None)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        validation::validate_job_update(self, old)
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let Some(spec) = &self.spec else { return Vec::new() };
        let path = Path::root("spec");
        match old {
            None => name_warning(self.name()).into_iter().chain(warnings_for_job_spec(spec, &path)).collect(),
            Some(old) if old.metadata.generation == self.metadata.generation => Vec::new(),
            Some(_) => warnings_for_job_spec(spec, &path),
        }
    }
}

/// The defaults of a Job's spec. In a CronJob's template the API server does not fill them in.
fn default_job_spec(spec: &mut JobSpec) {
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    let per_index = spec.backoff_limit_per_index.is_some();
    spec.backoff_limit.get_or_insert(if per_index { i32::MAX } else { 6 });
    spec.completion_mode.get_or_insert_with(|| "NonIndexed".to_owned());
    spec.suspend.get_or_insert(false);
    let replacement = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert_with(|| replacement.to_owned());
    spec.manual_selector.get_or_insert(false);
}

/// The defaults of what a Job's spec contains, also in a CronJob.
pub(super) fn set_job_template_defaults(spec: &mut JobSpec) {
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|p| &mut p.rules) {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            default_string(&mut pattern.status, "True");
        }
    }
    set_pod_template_defaults(&mut spec.template);
}

/// A Job without labels has those of its template (`SetDefaults_Job`), the generated ones included: the API server
/// gives both the same map, and defaults once more when it reads the object back.
fn default_labels(job: &mut Job) {
    let template = job.spec.as_ref().and_then(|s| s.template.metadata.as_ref()).and_then(|m| m.labels.as_ref());
    if job.metadata.labels.as_ref().is_none_or(|l| l.is_empty())
        && let Some(labels) = template
    {
        job.metadata.labels = Some(labels.clone());
    }
}

/// Labels that tie the pods to this Job, and the selector for them (`generateSelector`).
fn generate_selector(job: &mut Job) {
    let (name, uid) = (job.name().to_owned(), job.uid().to_owned());
    let Some(spec) = job.spec.as_mut() else { return };
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for key in [LEGACY_JOB_NAME_LABEL, JOB_NAME_LABEL] {
        labels.entry(key.to_owned()).or_insert_with(|| name.clone());
    }
    for key in [LEGACY_CONTROLLER_UID_LABEL, CONTROLLER_UID_LABEL] {
        labels.entry(key.to_owned()).or_insert_with(|| uid.clone());
    }
    let selector = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selector.entry(CONTROLLER_UID_LABEL.to_owned()).or_insert(uid);
}

/// `WarningsForJobSpec`.
pub(super) fn warnings_for_job_spec(spec: &JobSpec, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let (completions, parallelism) = SOFT_LIMITS;
    if spec.completion_mode.as_deref() == Some("Indexed")
        && spec.completions.unwrap_or(0) > completions
        && spec.parallelism.unwrap_or(0) > parallelism
    {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    warnings.extend(warnings_for_pod_template(&spec.template, &path.child("template")));
    warnings
}

/// Whether a condition of a Job is `True` (`IsConditionTrue`).
pub fn has_condition(job: &Job, condition: &str) -> bool {
    let conditions = job.status.iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == condition && c.status == "True")
}

/// Whether two parts of Jobs mean the same.
fn same<T: serde::Serialize + PartialEq>(type_name: &str, a: &T, b: &T) -> bool {
    internal::semantic_equal(type_name, a, b)
}

#[cfg(test)]
mod tests;
