//! What a CronJob may say (`pkg/apis/batch/validation`).
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec};

use super::schedule::{Schedule, load_location};
use crate::api::field::{ErrorList, Path};
use crate::api::kinds::apps::printed;
use crate::api::kinds::job::validate_spec as validate_job_spec;
use crate::api::object::ApiObject;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::validate_nonnegative;

/// Jobs get eleven characters behind the name.
const MAX_NAME_LENGTH: usize = 52;

/// `ValidateCronJobCreate`.
pub(super) fn validate_create(job: &CronJob) -> ErrorList {
    let metadata = Path::root("metadata");
    let mut errors = validate_object_meta(&job.metadata, true, name_is_dns_subdomain, &metadata);
    errors.extend(validate_spec(&job.spec, None, &Path::root("spec")));
    if job.name().len() > MAX_NAME_LENGTH {
        errors.push(metadata.child("name").invalid(job.name(), "must be no more than 52 characters"));
    }
    errors
}

/// `ValidateCronJobUpdate`.
pub(super) fn validate_update(job: &CronJob, old: &CronJob) -> ErrorList {
    let mut errors = validate_object_meta_update(&job.metadata, &old.metadata, &Path::root("metadata"));
    errors.extend(validate_spec(&job.spec, Some(&old.spec), &Path::root("spec")));
    errors
}

fn validate_spec(spec: &CronJobSpec, old: Option<&CronJobSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let schedule_path = path.child("schedule");
    if spec.schedule.is_empty() {
        errors.push(schedule_path.required(""));
    } else {
        let had_zone = old.is_some_and(|o| o.schedule.contains("TZ"));
        errors.extend(validate_schedule(spec, had_zone, &schedule_path));
    }
    if let Some(seconds) = spec.starting_deadline_seconds {
        errors.extend(validate_nonnegative(seconds, &path.child("startingDeadlineSeconds")));
    }
    if old.is_none_or(|o| o.time_zone != spec.time_zone)
        && let Some(zone) = &spec.time_zone
    {
        errors.extend(validate_time_zone(zone, &path.child("timeZone")));
    }
    let policy_path = path.child("concurrencyPolicy");
    match spec.concurrency_policy.as_deref().unwrap_or_default() {
        "Allow" | "Forbid" | "Replace" => {}
        "" => errors.push(policy_path.required("")),
        other => errors.push(policy_path.not_supported(other, &["Allow", "Forbid", "Replace"])),
    }
    errors.extend(validate_job_template(&spec.job_template, old.map(|o| &o.job_template), &path.child("jobTemplate")));
    let limits = [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ];
    for (field, limit) in limits {
        errors.extend(limit.into_iter().flat_map(|l| validate_nonnegative(l.into(), &path.child(field))));
    }
    errors
}

/// `validateScheduleFormat`.
fn validate_schedule(spec: &CronJobSpec, zone_allowed: bool, path: &Path<'_>) -> ErrorList {
    let schedule = spec.schedule.as_str();
    let mut errors = ErrorList::new();
    if let Err(why) = Schedule::parse(schedule) {
        errors.push(path.invalid(schedule, why));
    }
    if schedule.contains("TZ") {
        if !zone_allowed {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.push(path.invalid(schedule, detail));
        } else if spec.time_zone.is_some() {
            errors.push(path.invalid(schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
        }
    }
    errors
}

/// `validateTimeZone`.
fn validate_time_zone(zone: &str, path: &Path<'_>) -> ErrorList {
    if zone.is_empty() {
        return vec![path.invalid(zone, "timeZone must be nil or non-empty string")];
    }
    let valid = |part: &str| {
        let character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        part != "."
            && part != ".."
            && !part.starts_with('-')
            && (1..=14).contains(&part.len())
            && part.chars().all(character)
    };
    if !zone.split('/').all(valid) {
        return vec![path.invalid(zone, format!("unknown time zone {zone}"))];
    }
    let mut errors = ErrorList::new();
    if zone.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(path.invalid(zone, detail));
    }
    if let Err(why) = load_location(zone) {
        errors.push(path.invalid(zone, why));
    }
    errors
}

/// `ValidateJobTemplateSpec`.
fn validate_job_template(template: &JobTemplateSpec, old: Option<&JobTemplateSpec>, path: &Path<'_>) -> ErrorList {
    let spec = template.spec.clone().unwrap_or_default();
    let spec_path = path.child("spec");
    let mut errors = validate_job_spec(&spec, old.and_then(|o| o.spec.as_ref()), &spec_path);
    if let Some(selector) = &spec.selector {
        errors.push(spec_path.child("selector").invalid(printed(selector), "`selector` will be auto-generated"));
    }
    if spec.manual_selector == Some(true) {
        errors.push(spec_path.child("manualSelector").not_supported(true, &["nil", "false"]));
    }
    errors
}
