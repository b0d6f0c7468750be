//! What a Job may say (`pkg/apis/batch/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicyRule,
};

use super::{CONTROLLER_UID_LABEL, JOB_NAME_LABEL, LEGACY_CONTROLLER_UID_LABEL, LEGACY_JOB_NAME_LABEL};
use crate::api::field::{ErrorList, ErrorType, FieldError, Path, go_quote};
use crate::api::kinds::apps::{printed, template_labels, validate_template};
use crate::api::label_selector;
use crate::api::object::ApiObject;
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::{
    is_dns1123_label, name_is_dns_subdomain, validate_domain_prefixed_path, validate_qualified_name,
};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{validate_immutable, validate_nonnegative};

const MAX_FAILED_INDEXES: i32 = 100_000;
const MAX_PARALLELISM_FOR_INDEXED: i32 = 100_000;
const COMPLETIONS_SOFT_LIMIT: i32 = 100_000;
const PARALLELISM_LIMIT_FOR_HIGH_COMPLETIONS: i32 = 10_000;
const MAX_FAILED_INDEXES_FOR_HIGH_COMPLETIONS: i32 = 10_000;
const MAX_MANAGED_BY_LENGTH: usize = 63;
const MAX_SUCCEEDED_INDEXES_LENGTH: usize = 64 * 1024;

/// `ValidateJob`.
pub(super) fn validate_job(job: &Job, old: Option<&Job>) -> ErrorList {
    let mut errors = validate_object_meta(&job.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let Some(spec) = &job.spec else { return errors };
    let old_spec = old.and_then(|o| o.spec.as_ref());
    errors.extend(validate_generated_selector(job, spec));
    errors.extend(validate_spec_with_selector(spec, old_spec, &Path::root("spec")));
    let completions = spec.completions.unwrap_or(0);
    if spec.completion_mode.as_deref() == Some("Indexed") && completions > 0 {
        let hostname = format!("{}-{}", job.name(), completions - 1);
        if !is_dns1123_label(&hostname).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {hostname}");
            errors.push(Path::root("metadata").child("name").invalid(job.name(), detail));
        }
    }
    errors
}

/// `ValidateJobUpdate`, on top of the validation of the new Job.
pub(super) fn validate_job_update(job: &Job, old: &Job) -> ErrorList {
    let mut errors = validate_job(job, Some(old));
    errors.extend(validate_object_meta_update(&job.metadata, &old.metadata, &Path::root("metadata")));
    let (Some(spec), Some(old_spec)) = (&job.spec, &old.spec) else { return errors };
    let path = Path::root("spec");
    errors.extend(validate_spec_with_selector(spec, Some(old_spec), &path));
    let indexed = spec.completion_mode.as_deref() == Some("Indexed");
    if !indexed || spec.completions.is_none() || old_spec.completions.is_none() {
        errors.extend(validate_immutable(&spec.completions, &old_spec.completions, &path.child("completions")));
    } else if spec.completions != old_spec.completions && spec.completions != spec.parallelism {
        let detail = "can only be modified in tandem with spec.parallelism";
        errors.push(path.child("completions").invalid(printed(&spec.completions), detail));
    }
    errors.extend(validate_immutable(&spec.selector, &old_spec.selector, &path.child("selector")));
    errors.extend(validate_template_update(spec, old, old_spec, &path));
    errors.extend(validate_immutable(&spec.completion_mode, &old_spec.completion_mode, &path.child("completionMode")));
    errors.extend(validate_immutable(
        &spec.pod_failure_policy,
        &old_spec.pod_failure_policy,
        &path.child("podFailurePolicy"),
    ));
    errors.extend(validate_immutable(
        &spec.backoff_limit_per_index,
        &old_spec.backoff_limit_per_index,
        &path.child("backoffLimitPerIndex"),
    ));
    errors.extend(validate_immutable(&spec.managed_by, &old_spec.managed_by, &path.child("managedBy")));
    errors.extend(validate_immutable(&spec.success_policy, &old_spec.success_policy, &path.child("successPolicy")));
    errors
}

/// The template stays, except that where a suspended Job's pods go, and what they ask for, may still be decided
/// (`validatePodTemplateUpdate`).
fn validate_template_update(spec: &JobSpec, old: &Job, old_spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let status = old.status.as_ref();
    let suspended = old_spec.suspend == Some(true);
    let conditions = status.and_then(|s| s.conditions.as_ref()).into_iter().flatten();
    let mut conditions = conditions.filter(|c| c.status == "True");
    let stopped = status.is_none_or(|s| s.start_time.is_none()) || conditions.any(|c| c.type_ == "Suspended");
    let active = status.and_then(|s| s.active).unwrap_or(0);
    let mut allowed = old_spec.template.clone();
    if suspended && stopped && active == 0 {
        let metadata = spec.template.metadata.clone().unwrap_or_default();
        let old_metadata = allowed.metadata.get_or_insert_default();
        old_metadata.annotations = metadata.annotations;
        old_metadata.labels = metadata.labels;
        if let (Some(new), Some(old)) = (&spec.template.spec, allowed.spec.as_mut()) {
            old.node_selector.clone_from(&new.node_selector);
            old.tolerations.clone_from(&new.tolerations);
            old.scheduling_gates.clone_from(&new.scheduling_gates);
            let node_affinity = new.affinity.as_ref().and_then(|a| a.node_affinity.clone());
            if new.affinity.is_some() || old.affinity.is_some() {
                old.affinity.get_or_insert_default().node_affinity = node_affinity;
            }
            for (new, old) in new.containers.iter().zip(&mut old.containers).filter(|(a, b)| a.name == b.name) {
                old.resources.clone_from(&new.resources);
            }
        }
    }
    validate_immutable(&spec.template, &allowed, &path.child("template"))
}

/// That the labels and the selector are the generated ones (`validateGeneratedSelector`).
fn validate_generated_selector(job: &Job, spec: &JobSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let Some(selector) = spec.selector.as_ref().filter(|_| spec.manual_selector != Some(true)) else { return errors };
    let labels = [
        (LEGACY_CONTROLLER_UID_LABEL, job.uid()),
        (LEGACY_JOB_NAME_LABEL, job.name()),
        (CONTROLLER_UID_LABEL, job.uid()),
        (JOB_NAME_LABEL, job.name()),
    ];
    let (spec_path, template_labels) = (Path::root("spec"), template_labels(&spec.template));
    let template_path = spec_path.child("template");
    let metadata_path = template_path.child("metadata");
    let labels_path = metadata_path.child("labels");
    for (key, expected) in labels {
        match template_labels.and_then(|l| l.get(key)) {
            None => errors.push(labels_path.key(key).required(format!("must be '{expected}'"))),
            Some(actual) if actual != expected => {
                let detail = format!("must be '{expected}'");
                errors.push(labels_path.key(key).invalid(printed(&template_labels), detail));
            }
            Some(_) => {}
        }
    }
    let expected = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    if !label_selector::matches(Some(selector), Some(&expected)) {
        errors.push(spec_path.child("selector").invalid(printed(selector), "`selector` not auto-generated"));
    }
    errors
}

/// `ValidateJobSpec`.
fn validate_spec_with_selector(spec: &JobSpec, old: Option<&JobSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_spec(spec, old, path);
    let selector_path = path.child("selector");
    match &spec.selector {
        None => errors.push(selector_path.required("")),
        Some(selector) => errors.extend(validate_label_selector(Some(selector), false, &selector_path)),
    }
    let labels = template_labels(&spec.template);
    if !label_selector::matches(spec.selector.as_ref(), labels) {
        let template_path = path.child("template");
        let metadata_path = template_path.child("metadata");
        let detail = "`selector` does not match template `labels`";
        errors.push(metadata_path.child("labels").invalid(printed(&labels), detail));
    }
    errors
}

/// `validateJobSpec`: what holds for templates in CronJobs too.
pub(in crate::api::kinds) fn validate_spec(spec: &JobSpec, old: Option<&JobSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let numbers = [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ];
    for (field, number) in numbers {
        errors.extend(number.into_iter().flat_map(|n| validate_nonnegative(n, &path.child(field))));
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        errors.push(path.child("backoffLimitPerIndex").required("when maxFailedIndexes is specified"));
    }
    if let Some(manager) = &spec.managed_by {
        let path = path.child("managedBy");
        errors.extend(validate_domain_prefixed_path(manager, &path));
        if manager.len() > MAX_MANAGED_BY_LENGTH {
            errors.push(path.too_long(MAX_MANAGED_BY_LENGTH));
        }
    }
    let mode = spec.completion_mode.as_deref();
    if let Some(mode) = mode.filter(|m| !matches!(*m, "NonIndexed" | "Indexed")) {
        errors.push(path.child("completionMode").not_supported(mode, &["NonIndexed", "Indexed"]));
    }
    if mode == Some("Indexed") {
        errors.extend(validate_indexed(spec, path));
    }
    if matches!(mode, None | Some("NonIndexed")) {
        let only_indexed =
            [("backoffLimitPerIndex", spec.backoff_limit_per_index), ("maxFailedIndexes", spec.max_failed_indexes)];
        for (field, value) in only_indexed {
            let error = value.map(|v| path.child(field).invalid(v, "requires indexed completion mode"));
            errors.extend(error);
        }
    }
    errors.extend(validate_policies(spec, path));
    let template_path = path.child("template");
    errors.extend(validate_template(&spec.template, old.map(|o| &o.template), &template_path));
    errors.extend(validate_restart_policy(spec, &template_path));
    errors
}

fn validate_indexed(spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let at_most = |field: &str, value: i32, limit: i32, when: &str| {
        path.child(field).invalid(value, format!("must be less than or equal to {limit}{when}"))
    };
    if spec.completions.is_none() {
        errors.push(path.child("completions").required("when completion mode is Indexed"));
    }
    if let Some(parallelism) = spec.parallelism.filter(|p| *p > MAX_PARALLELISM_FOR_INDEXED) {
        let when = " when completion mode is Indexed";
        errors.push(at_most("parallelism", parallelism, MAX_PARALLELISM_FOR_INDEXED, when));
    }
    if let (Some(completions), Some(failed)) = (spec.completions, spec.max_failed_indexes)
        && failed > completions
    {
        errors.push(path.child("maxFailedIndexes").invalid(failed, "must be less than or equal to completions"));
    }
    if let Some(failed) = spec.max_failed_indexes.filter(|n| *n > MAX_FAILED_INDEXES) {
        errors.push(at_most("maxFailedIndexes", failed, MAX_FAILED_INDEXES, ""));
    }
    if spec.completions.is_some_and(|c| c > COMPLETIONS_SOFT_LIMIT) && spec.backoff_limit_per_index.is_some() {
        let when =
            format!(" when completions are above {COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index");
        if spec.max_failed_indexes.is_none() {
            let detail = format!("must be specified when completions is above {COMPLETIONS_SOFT_LIMIT}");
            errors.push(path.child("maxFailedIndexes").required(detail));
        }
        if let Some(parallelism) = spec.parallelism.filter(|p| *p > PARALLELISM_LIMIT_FOR_HIGH_COMPLETIONS) {
            errors.push(at_most("parallelism", parallelism, PARALLELISM_LIMIT_FOR_HIGH_COMPLETIONS, &when));
        }
        if let Some(failed) = spec.max_failed_indexes.filter(|n| *n > MAX_FAILED_INDEXES_FOR_HIGH_COMPLETIONS) {
            errors.push(at_most("maxFailedIndexes", failed, MAX_FAILED_INDEXES_FOR_HIGH_COMPLETIONS, &when));
        }
    }
    errors
}

fn validate_restart_policy(spec: &JobSpec, template_path: &Path<'_>) -> ErrorList {
    let spec_path = template_path.child("spec");
    let path = spec_path.child("restartPolicy");
    let policy = spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref()).unwrap_or_default();
    match policy {
        "" | "Always" => vec![path.required("valid values: \"OnFailure\", \"Never\"")],
        "OnFailure" | "Never" if spec.pod_failure_policy.is_some() && policy != "Never" => {
            vec![path.invalid(policy, "only \"Never\" is supported when podFailurePolicy is specified")]
        }
        "OnFailure" | "Never" => Vec::new(),
        other => vec![path.not_supported(other, &["OnFailure", "Never"])],
    }
}

/// Failure, success and replacement policy.
fn validate_policies(spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    if let Some(policy) = &spec.pod_failure_policy {
        let policy_path = path.child("podFailurePolicy");
        let rules_path = policy_path.child("rules");
        if policy.rules.len() > 20 {
            errors.push(rules_path.too_many(policy.rules.len(), 20));
        }
        for (i, rule) in policy.rules.iter().enumerate() {
            errors.extend(validate_failure_rule(spec, rule, &rules_path.index(i)));
        }
    }
    if let Some(policy) = &spec.success_policy {
        let policy_path = path.child("successPolicy");
        if spec.completion_mode.as_deref() == Some("Indexed") {
            let rules_path = policy_path.child("rules");
            if policy.rules.is_empty() {
                let detail = "at least one rules must be specified when the successPolicy is specified";
                errors.push(rules_path.required(detail));
            }
            if policy.rules.len() > 20 {
                errors.push(rules_path.too_many(policy.rules.len(), 20));
            }
            for (i, rule) in policy.rules.iter().enumerate() {
                errors.extend(validate_success_rule(spec, rule, &rules_path.index(i)));
            }
        } else {
            let rules: Vec<String> = policy
                .rules
                .iter()
                .map(|r| {
                    let value = |v: Option<String>| v.unwrap_or_else(|| "null".to_owned());
                    let indexes = value(r.succeeded_indexes.as_ref().map(|s| printed(s).to_string()));
                    let count = value(r.succeeded_count.map(|c| c.to_string()));
                    format!("{{\"SucceededIndexes\":{indexes},\"SucceededCount\":{count}}}")
                })
                .collect();
            let value = format!("{{\"Rules\":[{}]}}", rules.join(","));
            let value = if rules.is_empty() { "{\"Rules\":null}".to_owned() } else { value };
            errors.push(crate::api::validation::invalid_printed(
                &policy_path,
                &value,
                "requires indexed completion mode",
            ));
        }
    }
    if let Some(replacement) = spec.pod_replacement_policy.as_deref() {
        let path = path.child("podReplacementPolicy");
        match (spec.pod_failure_policy.is_some(), replacement) {
            (_, "Failed") | (false, "TerminatingOrFailed") => {}
            (true, other) => errors.push(path.not_supported(other, &["Failed"])),
            (false, other) => errors.push(path.not_supported(other, &["Failed", "TerminatingOrFailed"])),
        }
    }
    errors
}

/// An error about a structure that the message does not show.
fn invalid_without_value(path: &Path<'_>, detail: &str) -> FieldError {
    let field = path.to_string();
    FieldError { error_type: ErrorType::Invalid, field, bad_value: None, detail: detail.to_owned() }
}

fn valid_values(values: &[&str]) -> String {
    format!("valid values: [{}]", values.iter().map(|v| go_quote(v)).collect::<Vec<_>>().join(" "))
}

fn validate_failure_rule(spec: &JobSpec, rule: &PodFailurePolicyRule, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let actions = ["Count", "FailIndex", "FailJob", "Ignore"];
    let action_path = path.child("action");
    match rule.action.as_str() {
        "" => errors.push(action_path.required(valid_values(&actions))),
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            errors.push(action_path.invalid("FailIndex", "requires the backoffLimitPerIndex to be set"));
        }
        action if !actions.contains(&action) => errors.push(action_path.not_supported(action, &actions)),
        _ => {}
    }
    if let Some(requirement) = &rule.on_exit_codes {
        errors.extend(validate_exit_codes(spec, requirement, &path.child("onExitCodes")));
    }
    let patterns = rule.on_pod_conditions.as_deref().unwrap_or_default();
    let patterns_path = path.child("onPodConditions");
    if patterns.len() > 20 {
        errors.push(patterns_path.too_many(patterns.len(), 20));
    }
    let statuses = ["False", "True", "Unknown"];
    for (i, pattern) in patterns.iter().enumerate() {
        let path = patterns_path.index(i);
        errors.extend(validate_qualified_name(&pattern.type_, &path.child("type")));
        match pattern.status.as_deref().unwrap_or_default() {
            "" => errors.push(path.child("status").required(valid_values(&statuses))),
            status if !statuses.contains(&status) => {
                errors.push(path.child("status").not_supported(status, &statuses));
            }
            _ => {}
        }
    }
    match (rule.on_exit_codes.is_some(), !patterns.is_empty()) {
        (true, true) => {
            let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
            errors.push(invalid_without_value(path, detail));
        }
        (false, false) => {
            let detail = "specifying one of OnExitCodes and OnPodConditions is required";
            errors.push(invalid_without_value(path, detail));
        }
        _ => {}
    }
    errors
}

fn validate_exit_codes(
    spec: &JobSpec,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = ErrorList::new();
    let operator_path = path.child("operator");
    match requirement.operator.as_str() {
        "" => errors.push(operator_path.required(valid_values(&["In", "NotIn"]))),
        "In" | "NotIn" => {}
        other => errors.push(operator_path.not_supported(other, &["In", "NotIn"])),
    }
    if let Some(name) = &requirement.container_name {
        let pod = spec.template.spec.as_ref();
        let containers = pod.into_iter().flat_map(|p| p.containers.iter().chain(p.init_containers.iter().flatten()));
        if !containers.into_iter().any(|c| c.name == *name) {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.push(path.child("containerName").invalid(name.as_str(), detail));
        }
    }
    let values_path = path.child("values");
    let values = &requirement.values;
    if values.is_empty() {
        errors.push(values_path.invalid(printed(values), "at least one value is required"));
    } else if values.len() > 255 {
        errors.push(values_path.too_many(values.len(), 255));
    }
    let mut seen = BTreeSet::new();
    for (i, value) in values.iter().enumerate() {
        if requirement.operator == "In" && *value == 0 {
            errors.push(values_path.index(i).invalid(*value, "must not be 0 for the In operator"));
        }
        if !seen.insert(*value) {
            errors.push(values_path.index(i).duplicate(*value));
        }
    }
    if !values.is_sorted() {
        errors.push(values_path.invalid(printed(values), "must be ordered"));
    }
    errors
}

fn validate_success_rule(spec: &JobSpec, rule: &SuccessPolicyRule, path: &Path<'_>) -> ErrorList {
    let mut errors = ErrorList::new();
    let completions = spec.completions.unwrap_or(0);
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        errors.push(path.required("at least one of succeededCount or succeededIndexes must be specified"));
    }
    let mut total = 0;
    if let Some(indexes) = &rule.succeeded_indexes {
        let path = path.child("succeededIndexes");
        if indexes.len() > MAX_SUCCEEDED_INDEXES_LENGTH {
            errors.push(path.too_long(MAX_SUCCEEDED_INDEXES_LENGTH));
        }
        match count_indexes(indexes, completions) {
            Ok(count) => total = count,
            Err(why) => errors.push(path.invalid(indexes.as_str(), format!("error parsing succeededIndexes: {why}"))),
        }
    }
    if let Some(count) = rule.succeeded_count {
        let path = path.child("succeededCount");
        errors.extend(validate_nonnegative(count.into(), &path));
        if count > completions {
            let what = "(the number of specified completions)";
            errors.push(path.invalid(count, format!("must be less than or equal to {completions} {what}")));
        }
        if rule.succeeded_indexes.is_some() && count > total {
            let what = "(the number of indexes in the specified succeededIndexes field)";
            errors.push(path.invalid(count, format!("must be less than or equal to {total} {what}")));
        }
    }
    errors
}

/// How many indexes a text such as `0,2-4` names (`validateIndexesFormat`).
fn count_indexes(text: &str, completions: i32) -> Result<i32, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let mut last: Option<i32> = None;
    let mut total = 0;
    for interval in text.split(',') {
        let parts: Vec<&str> = interval.split('-').collect();
        if parts.len() > 2 {
            let quoted = go_quote(interval);
            return Err(format!(
                "the fragment {quoted} violates the requirement that an index interval can have at most two parts separated by '-'"
            ));
        }
        let mut ends = Vec::new();
        for part in parts {
            let number: i32 =
                part.parse().map_err(|_| format!("cannot convert string to integer for index: {}", go_quote(part)))?;
            if number >= completions {
                let quoted = go_quote(part);
                return Err(format!("too large index: {quoted}"));
            }
            if last.is_some_and(|l| l >= number) {
                let l = last.unwrap_or(0);
                return Err(format!("non-increasing order, previous: {l}, current: {number}"));
            }
            last = Some(number);
            ends.push(number);
        }
        total += match ends.as_slice() {
            [first, second] => second - first + 1,
            _ => 1,
        };
    }
    Ok(total)
}
