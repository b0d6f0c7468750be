//! CronJobs (`pkg/registry/batch/cronjob/strategy.go`, `pkg/apis/batch/v1/defaults.go`, `pkg/apis/batch/validation`).
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec};

use super::apps::{drop_disabled_template_fields, name_warning};
use super::job::validation::validate_job_template;
use super::job::{set_job_template_defaults, warnings_for_job_spec};
use super::stateful_set::default_string;
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::cron::Schedule;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::time_zone::validate_time_zone;
use crate::api::validation::validate_nonnegative;

/// The controller appends eleven characters to make the names of Jobs, which may have 63.
const MAX_NAME_LENGTH: usize = 52;

impl Strategy for CronJob {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        default_string(&mut spec.concurrency_policy, "Allow");
        spec.suspend.get_or_insert(false);
        spec.successful_jobs_history_limit.get_or_insert(3);
        spec.failed_jobs_history_limit.get_or_insert(1);
        set_job_template_defaults(spec.job_template.spec.get_or_insert_default());
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(Default::default());
        self.metadata.generation = Some(1);
        if let Some(spec) = &mut self.spec.job_template.spec {
            drop_disabled_template_fields(&mut spec.template, None);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let Some(spec) = &mut self.spec.job_template.spec {
            let old = old.spec.job_template.spec.as_ref();
            drop_disabled_template_fields(&mut spec.template, old.map(|o| &o.template));
        }
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let metadata = Path::root("metadata");
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &metadata);
        errors.extend(validate_spec(&self.spec, None, &Path::root("spec")));
        if self.name().len() > MAX_NAME_LENGTH {
            errors.push(metadata.child("name").invalid(self.name(), "must be no more than 52 characters"));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate_spec(&self.spec, Some(&old.spec), &Path::root("spec")));
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        if old.is_none() {
            warnings.extend(name_warning(self.name()));
        }
        let changed = old.is_none_or(|o| o.metadata.generation != self.metadata.generation);
        if let Some(spec) = self.spec.job_template.spec.as_ref().filter(|_| changed) {
            let (root, template) = (Path::root("spec"), "jobTemplate");
            let template_path = root.child(template);
            warnings.extend(warnings_for_job_spec(spec, &template_path.child("spec")));
        }
        if old.is_some() && self.spec.schedule.contains("TZ") {
            warnings.push(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                    .to_owned(),
            );
        }
        warnings
    }
}

/// `validateCronJobSpec`.
fn validate_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_schedule(spec, old, &path.child("schedule"));
    if let Some(seconds) = spec.starting_deadline_seconds {
        errors.extend(validate_nonnegative(seconds, &path.child("startingDeadlineSeconds")));
    }
    if let Some(zone) = spec.time_zone.as_deref().filter(|_| old.is_none_or(|o| o.time_zone != spec.time_zone)) {
        errors.extend(validate_time_zone(zone, &path.child("timeZone")));
    }
    const POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];
    let policy_path = path.child("concurrencyPolicy");
    match spec.concurrency_policy.as_deref().unwrap_or_default() {
        "" => errors.push(policy_path.required("")),
        policy if !POLICIES.contains(&policy) => errors.push(policy_path.not_supported(policy, &POLICIES)),
        _ => {}
    }
    let template = spec.job_template.spec.clone().unwrap_or_default();
    let old_template = old.and_then(|o| o.job_template.spec.as_ref()).map(|s| &s.template);
    let template_path = path.child("jobTemplate");
    errors.extend(validate_job_template(&template, old_template, &template_path.child("spec")));
    let limits = [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ];
    for (field, limit) in limits {
        errors.extend(limit.map(|l| validate_nonnegative(i64::from(l), &path.child(field))).unwrap_or_default());
    }
    errors
}

/// `validateScheduleFormat`.
fn validate_schedule(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path<'_>) -> ErrorList {
    let schedule = spec.schedule.as_str();
    if schedule.is_empty() {
        return vec![path.required("")];
    }
    let mut errors = Vec::new();
    if let Err(error) = Schedule::parse(schedule) {
        errors.push(path.invalid(schedule, error));
    }
    let had_zone = old.is_some_and(|o| o.schedule.contains("TZ"));
    if schedule.contains("TZ") {
        if !had_zone {
            let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.push(path.invalid(schedule, why));
        } else if spec.time_zone.is_some() {
            let why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
            errors.push(path.invalid(schedule, why));
        }
    }
    errors
}

#[cfg(test)]
mod tests;
