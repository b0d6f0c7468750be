//! What a Job may look like (`pkg/apis/batch/validation`).
use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
    SuccessPolicyRule,
};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::{
    CONTROLLER_UID_LABEL, JOB_NAME_LABEL, LEGACY_CONTROLLER_UID_LABEL, LEGACY_JOB_NAME_LABEL, has_condition, same,
};
use crate::api::field::{ErrorList, Path, go_quote};
use crate::api::internal;
use crate::api::kinds::apps::{is_usable, printed, template_labels, validate_template};
use crate::api::label_selector::{self, Labels};
use crate::api::object::ApiObject;
use crate::api::validation::label_selector::{has_invalid_label_value, validate_label_selector};
use crate::api::validation::names::{
    is_dns1123_label, name_is_dns_subdomain, validate_domain_prefixed_path, validate_qualified_name,
};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{
    FIELD_IMMUTABLE, invalid_omitted, invalid_printed, validate_immutable, validate_nonnegative,
};

const MAX_PARALLELISM_FOR_INDEXED_JOB: i32 = 100_000;
const MAX_FAILED_INDEXES_FOR_INDEXED_JOB: i32 = 100_000;
const COMPLETIONS_SOFT_LIMIT: i32 = 100_000;
const PARALLELISM_LIMIT_FOR_HIGH_COMPLETIONS: i32 = 10_000;
const MAX_FAILED_INDEXES_LIMIT_FOR_HIGH_COMPLETIONS: i32 = 10_000;
const MAX_POD_FAILURE_POLICY_RULES: usize = 20;
const MAX_ON_EXIT_CODES_VALUES: usize = 255;
const MAX_ON_POD_CONDITIONS_PATTERNS: usize = 20;
const MAX_MANAGED_BY_LENGTH: usize = 63;
const MAX_SUCCEEDED_INDEXES_LENGTH: usize = 64 * 1024;
const MAX_SUCCESS_POLICY_RULES: usize = 20;

/// `ValidateJob`.
pub(super) fn validate_job(job: &Job, old: Option<&Job>) -> ErrorList {
    let mut errors = validate_object_meta(&job.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let Some(spec) = &job.spec else { return errors };
    let old_spec = old.and_then(|o| o.spec.as_ref());
    let old_labels = old_spec.map(|o| template_labels(&o.template));
    let has_prefixed = |labels: Option<&Labels>| {
        [JOB_NAME_LABEL, CONTROLLER_UID_LABEL].iter().all(|key| labels.is_some_and(|l| l.contains_key(*key)))
    };
    errors.extend(validate_generated_selector(job, spec, old_labels.is_none_or(has_prefixed)));
    errors.extend(validate_spec_with_selector(spec, old_spec, &Path::root("spec")));
    if spec.completion_mode.as_deref() == Some("Indexed")
        && let Some(completions) = spec.completions.filter(|c| *c > 0)
    {
        let hostname = format!("{}-{}", job.name(), completions - 1);
        if !is_dns1123_label(&hostname).is_empty() {
            let why = format!("will not able to create pod with invalid DNS label: {hostname}");
            errors.push(Path::root("metadata").child("name").invalid(job.name(), why));
        }
    }
    errors
}

/// The strategy's `ValidateUpdate`.
pub(super) fn validate_job_update(job: &Job, old: &Job) -> ErrorList {
    let mut errors = validate_job(job, Some(old));
    errors.extend(validate_object_meta_update(&job.metadata, &old.metadata, &Path::root("metadata")));
    let (Some(spec), Some(old_spec)) = (&job.spec, &old.spec) else { return errors };
    let path = Path::root("spec");
    errors.extend(validate_completions(spec, old_spec, &path.child("completions")));
    if !same("*LabelSelector", &spec.selector, &old_spec.selector) {
        let value = internal::to_json("*LabelSelector", &spec.selector);
        errors.push(invalid_printed(&path.child("selector"), &value, FIELD_IMMUTABLE));
    }
    errors.extend(validate_template_update(spec, old, old_spec, &path));
    let mode_path = path.child("completionMode");
    errors.extend(validate_immutable(&spec.completion_mode, &old_spec.completion_mode, &mode_path));
    if !same("*PodFailurePolicy", &spec.pod_failure_policy, &old_spec.pod_failure_policy) {
        let value = internal::to_json("*PodFailurePolicy", &spec.pod_failure_policy);
        errors.push(invalid_printed(&path.child("podFailurePolicy"), &value, FIELD_IMMUTABLE));
    }
    let per_index_path = path.child("backoffLimitPerIndex");
    errors.extend(validate_immutable(
        &spec.backoff_limit_per_index,
        &old_spec.backoff_limit_per_index,
        &per_index_path,
    ));
    errors.extend(validate_immutable(&spec.managed_by, &old_spec.managed_by, &path.child("managedBy")));
    if !same("*SuccessPolicy", &spec.success_policy, &old_spec.success_policy) {
        let value = internal::to_json("*SuccessPolicy", &spec.success_policy);
        errors.push(invalid_printed(&path.child("successPolicy"), &value, FIELD_IMMUTABLE));
    }
    errors
}

/// `validateGeneratedSelector`.
fn validate_generated_selector(job: &Job, spec: &JobSpec, prefixed_labels: bool) -> ErrorList {
    let Some(selector) = spec.selector.as_ref().filter(|_| spec.manual_selector != Some(true)) else {
        return Vec::new();
    };
    let mut keys = vec![(LEGACY_CONTROLLER_UID_LABEL, job.uid()), (LEGACY_JOB_NAME_LABEL, job.name())];
    if prefixed_labels {
        keys.extend([(CONTROLLER_UID_LABEL, job.uid()), (JOB_NAME_LABEL, job.name())]);
    }
    let mut errors = Vec::new();
    let spec_path = Path::root("spec");
    let template_path = spec_path.child("template");
    let metadata_path = template_path.child("metadata");
    let labels_path = metadata_path.child("labels");
    let labels = template_labels(&spec.template);
    for (key, expected) in &keys {
        let path = labels_path.key(key);
        let why = format!("must be '{expected}'");
        match labels.and_then(|l| l.get(*key)) {
            None => errors.push(path.required(why)),
            Some(value) if value != expected => errors.push(path.invalid(printed(&labels), why)),
            Some(_) => {}
        }
    }
    let expected: Labels = keys.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if is_usable(selector) && !label_selector::matches(Some(selector), Some(&expected)) {
        errors.push(invalid_selector(selector, &spec_path.child("selector"), "`selector` not auto-generated"));
    }
    errors
}

/// An error that prints a selector in the order of its fields in Go.
fn invalid_selector(selector: &LabelSelector, path: &Path<'_>, why: &str) -> crate::api::field::FieldError {
    invalid_printed(path, &internal::to_json("LabelSelector", selector), why)
}

/// `ValidateJobSpec`.
fn validate_spec_with_selector(spec: &JobSpec, old: Option<&JobSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_job_spec(spec, old.map(|o| &o.template), path);
    let selector_path = path.child("selector");
    match &spec.selector {
        None => errors.push(selector_path.required("")),
        Some(selector) => {
            let lenient = old.is_some_and(|o| has_invalid_label_value(o.selector.as_ref()));
            errors.extend(validate_label_selector(Some(selector), lenient, &selector_path));
        }
    }
    let labels = template_labels(&spec.template);
    let usable = spec.selector.as_ref().is_none_or(is_usable);
    if usable && !label_selector::matches(spec.selector.as_ref(), labels) {
        let template_path = path.child("template");
        let metadata_path = template_path.child("metadata");
        let why = "`selector` does not match template `labels`";
        errors.push(metadata_path.child("labels").invalid(printed(&labels), why));
    }
    errors
}

/// A Job's template in a CronJob (`ValidateJobTemplateSpec`).
pub(in crate::api::kinds) fn validate_job_template(
    spec: &JobSpec,
    old: Option<&PodTemplateSpec>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = validate_job_spec(spec, old, path);
    if let Some(selector) = &spec.selector {
        errors.push(invalid_selector(selector, &path.child("selector"), "`selector` will be auto-generated"));
    }
    if spec.manual_selector == Some(true) {
        errors.push(path.child("manualSelector").not_supported(true, &["nil", "false"]));
    }
    errors
}

/// `validateJobSpec`.
fn validate_job_spec(spec: &JobSpec, old: Option<&PodTemplateSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
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
        errors.extend(number.map(|n| validate_nonnegative(n, &path.child(field))).unwrap_or_default());
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
    errors.extend(validate_completion_mode(spec, path));
    if spec.pod_failure_policy.is_some() {
        errors.extend(validate_pod_failure_policy(spec, &path.child("podFailurePolicy")));
    }
    if let Some(policy) = &spec.success_policy {
        let path = path.child("successPolicy");
        if spec.completion_mode.as_deref() == Some("Indexed") {
            errors.extend(validate_success_policy(spec, &path));
        } else {
            let value = internal::to_json("SuccessPolicy", policy);
            errors.push(invalid_printed(&path, &value, "requires indexed completion mode"));
        }
    }
    if let Some(policy) = spec.pod_replacement_policy.as_deref() {
        let path = path.child("podReplacementPolicy");
        let supported: &[&str] =
            if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        if !supported.contains(&policy) {
            errors.push(path.not_supported(policy, supported));
        }
    }
    let template_path = path.child("template");
    errors.extend(validate_template(&spec.template, old, &template_path));
    let pod_path = template_path.child("spec");
    let policy_path = pod_path.child("restartPolicy");
    match spec.template.spec.as_ref().and_then(|s| s.restart_policy.as_deref()).unwrap_or_default() {
        "" | "Always" => errors.push(policy_path.required("valid values: \"OnFailure\", \"Never\"")),
        policy @ "OnFailure" if spec.pod_failure_policy.is_some() => {
            errors.push(policy_path.invalid(policy, "only \"Never\" is supported when podFailurePolicy is specified"));
        }
        "OnFailure" | "Never" => {}
        other => errors.push(policy_path.not_supported(other, &["OnFailure", "Never"])),
    }
    errors
}

/// The mode and the fields that depend on it.
fn validate_completion_mode(spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let parallelism_path = path.child("parallelism");
    let failed_path = path.child("maxFailedIndexes");
    match spec.completion_mode.as_deref() {
        Some("NonIndexed") | None => {
            let requires = "requires indexed completion mode";
            let fields =
                [("backoffLimitPerIndex", spec.backoff_limit_per_index), ("maxFailedIndexes", spec.max_failed_indexes)];
            for (field, number) in fields {
                errors.extend(number.map(|n| path.child(field).invalid(n, requires)));
            }
        }
        Some("Indexed") => {
            if spec.completions.is_none() {
                errors.push(path.child("completions").required("when completion mode is Indexed"));
            }
            let at_most = |limit: i32| format!("must be less than or equal to {limit}");
            let parallelism = spec.parallelism;
            if let Some(parallelism) = parallelism.filter(|p| *p > MAX_PARALLELISM_FOR_INDEXED_JOB) {
                let why = format!("{} when completion mode is Indexed", at_most(MAX_PARALLELISM_FOR_INDEXED_JOB));
                errors.push(parallelism_path.invalid(parallelism, why));
            }
            let failed = spec.max_failed_indexes;
            if let Some(failed) = failed.filter(|f| spec.completions.is_some_and(|c| *f > c)) {
                errors.push(failed_path.invalid(failed, "must be less than or equal to completions"));
            }
            if let Some(failed) = failed.filter(|f| *f > MAX_FAILED_INDEXES_FOR_INDEXED_JOB) {
                errors.push(failed_path.invalid(failed, at_most(MAX_FAILED_INDEXES_FOR_INDEXED_JOB)));
            }
            let many = spec.completions.is_some_and(|c| c > COMPLETIONS_SOFT_LIMIT);
            if many && spec.backoff_limit_per_index.is_some() {
                if failed.is_none() {
                    let why = format!("must be specified when completions is above {COMPLETIONS_SOFT_LIMIT}");
                    errors.push(failed_path.required(why));
                }
                let when = format!(
                    " when completions are above {COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index"
                );
                let limits = [
                    (&parallelism_path, parallelism, PARALLELISM_LIMIT_FOR_HIGH_COMPLETIONS),
                    (&failed_path, failed, MAX_FAILED_INDEXES_LIMIT_FOR_HIGH_COMPLETIONS),
                ];
                for (path, number, limit) in limits {
                    let above = number.filter(|n| *n > limit);
                    errors.extend(above.map(|n| path.invalid(n, at_most(limit) + &when)));
                }
            }
        }
        Some(other) => errors.push(path.child("completionMode").not_supported(other, &["NonIndexed", "Indexed"])),
    }
    errors
}

/// `validatePodFailurePolicy`.
fn validate_pod_failure_policy(spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let rules = spec.pod_failure_policy.as_ref().map(|p| p.rules.as_slice()).unwrap_or_default();
    let rules_path = path.child("rules");
    let mut errors = Vec::new();
    if rules.len() > MAX_POD_FAILURE_POLICY_RULES {
        errors.push(rules_path.too_many(rules.len(), MAX_POD_FAILURE_POLICY_RULES));
    }
    let containers: BTreeSet<&str> = containers(&spec.template).map(|c| c.name.as_str()).collect();
    for (i, rule) in rules.iter().enumerate() {
        errors.extend(validate_pod_failure_policy_rule(spec, rule, &rules_path.index(i), &containers));
    }
    errors
}

fn containers(template: &PodTemplateSpec) -> impl Iterator<Item = &Container> {
    let spec = template.spec.as_ref();
    let init_containers = spec.into_iter().flat_map(|s| s.init_containers.iter().flatten());
    spec.into_iter().flat_map(|s| &s.containers).chain(init_containers)
}

/// A list as `%q` prints it.
fn valid_values(values: &[&str]) -> String {
    let list: Vec<String> = values.iter().map(|v| go_quote(v)).collect();
    format!("valid values: [{}]", list.join(" "))
}

fn validate_pod_failure_policy_rule(
    spec: &JobSpec,
    rule: &PodFailurePolicyRule,
    path: &Path<'_>,
    containers: &BTreeSet<&str>,
) -> ErrorList {
    const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
    let mut errors = Vec::new();
    let action_path = path.child("action");
    match rule.action.as_str() {
        "" => errors.push(action_path.required(valid_values(&ACTIONS))),
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            errors.push(action_path.invalid("FailIndex", "requires the backoffLimitPerIndex to be set"));
        }
        action if !ACTIONS.contains(&action) => errors.push(action_path.not_supported(action, &ACTIONS)),
        _ => {}
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    if let Some(exit_codes) = &rule.on_exit_codes {
        errors.extend(validate_on_exit_codes(exit_codes, &path.child("onExitCodes"), containers));
    }
    errors.extend(validate_on_pod_conditions(conditions, &path.child("onPodConditions")));
    match (rule.on_exit_codes.is_some(), conditions.is_empty()) {
        (true, false) => {
            errors.push(invalid_omitted(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
        }
        (false, true) => {
            errors.push(invalid_omitted(path, "specifying one of OnExitCodes and OnPodConditions is required"));
        }
        _ => {}
    }
    errors
}

fn validate_on_pod_conditions(patterns: &[PodFailurePolicyOnPodConditionsPattern], path: &Path<'_>) -> ErrorList {
    const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
    let mut errors = Vec::new();
    if patterns.len() > MAX_ON_POD_CONDITIONS_PATTERNS {
        errors.push(path.too_many(patterns.len(), MAX_ON_POD_CONDITIONS_PATTERNS));
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let path = path.index(i);
        let status_path = path.child("status");
        errors.extend(validate_qualified_name(&pattern.type_, &path.child("type")));
        match pattern.status.as_deref().unwrap_or_default() {
            "" => errors.push(status_path.required(valid_values(&STATUSES))),
            status if !STATUSES.contains(&status) => errors.push(status_path.not_supported(status, &STATUSES)),
            _ => {}
        }
    }
    errors
}

fn validate_on_exit_codes(
    requirement: &PodFailurePolicyOnExitCodesRequirement,
    path: &Path<'_>,
    containers: &BTreeSet<&str>,
) -> ErrorList {
    const OPERATORS: [&str; 2] = ["In", "NotIn"];
    let mut errors = Vec::new();
    let operator_path = path.child("operator");
    match requirement.operator.as_str() {
        "" => errors.push(operator_path.required(valid_values(&OPERATORS))),
        operator if !OPERATORS.contains(&operator) => errors.push(operator_path.not_supported(operator, &OPERATORS)),
        _ => {}
    }
    if let Some(name) = requirement.container_name.as_deref().filter(|name| !containers.contains(name)) {
        let why = "must be one of the container or initContainer names in the pod template";
        errors.push(path.child("containerName").invalid(name, why));
    }
    let values = &requirement.values;
    let values_path = path.child("values");
    if values.is_empty() {
        errors.push(values_path.invalid(Vec::<Value>::new(), "at least one value is required"));
    } else if values.len() > MAX_ON_EXIT_CODES_VALUES {
        errors.push(values_path.too_many(values.len(), MAX_ON_EXIT_CODES_VALUES));
    }
    let mut seen = BTreeSet::new();
    for (i, value) in values.iter().enumerate() {
        let path = values_path.index(i);
        if requirement.operator == "In" && *value == 0 {
            errors.push(path.invalid(*value, "must not be 0 for the In operator"));
        }
        if !seen.insert(value) {
            errors.push(path.duplicate(*value));
        }
    }
    if !values.is_sorted() {
        errors.push(values_path.invalid(values.clone(), "must be ordered"));
    }
    errors
}

/// `validateSuccessPolicy`.
fn validate_success_policy(spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let rules = spec.success_policy.as_ref().map(|p| p.rules.as_slice()).unwrap_or_default();
    let rules_path = path.child("rules");
    let mut errors = Vec::new();
    if rules.is_empty() {
        errors.push(rules_path.required("at least one rules must be specified when the successPolicy is specified"));
    }
    if rules.len() > MAX_SUCCESS_POLICY_RULES {
        errors.push(rules_path.too_many(rules.len(), MAX_SUCCESS_POLICY_RULES));
    }
    for (i, rule) in rules.iter().enumerate() {
        errors.extend(validate_success_policy_rule(spec, rule, &rules_path.index(i)));
    }
    errors
}

fn validate_success_policy_rule(spec: &JobSpec, rule: &SuccessPolicyRule, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        errors.push(path.required("at least one of succeededCount or succeededIndexes must be specified"));
    }
    // that completions are missing is said elsewhere
    let completions = spec.completions.unwrap_or(i32::MAX);
    let mut total = 0;
    if let Some(indexes) = &rule.succeeded_indexes {
        let path = path.child("succeededIndexes");
        if indexes.len() > MAX_SUCCEEDED_INDEXES_LENGTH {
            errors.push(path.too_long(MAX_SUCCEEDED_INDEXES_LENGTH));
        }
        match validate_indexes_format(indexes, completions) {
            Ok(number) => total = number,
            Err(why) => {
                errors.push(path.invalid(indexes.as_str(), format!("error parsing succeededIndexes: {why}")));
            }
        }
    }
    if let Some(count) = rule.succeeded_count {
        let path = path.child("succeededCount");
        errors.extend(validate_nonnegative(i64::from(count), &path));
        if count > completions {
            let why = format!("must be less than or equal to {completions} (the number of specified completions)");
            errors.push(path.invalid(count, why));
        }
        if rule.succeeded_indexes.is_some() && i64::from(count) > total {
            let why = format!(
                "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            );
            errors.push(path.invalid(count, why));
        }
    }
    errors
}

/// The number of indexes in a list like `0,2-4` (`validateIndexesFormat`).
fn validate_indexes_format(text: &str, completions: i32) -> Result<i64, String> {
    let mut total = 0;
    let mut last: Option<i64> = None;
    for interval in text.split(',').filter(|_| !text.is_empty()) {
        let (first, end) = parse_index_interval(interval, i64::from(completions))?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

fn parse_index_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let parse = |text: &str| -> Result<i64, String> {
        let index: i64 =
            text.parse().map_err(|_| format!("cannot convert string to integer for index: {}", go_quote(text)))?;
        if index >= completions {
            return Err(format!("too large index: {}", go_quote(text)));
        }
        Ok(index)
    };
    match interval.split('-').collect::<Vec<_>>().as_slice() {
        [only] => parse(only).map(|index| (index, index)),
        [first, last] => {
            let (first, last) = (parse(first)?, parse(last)?);
            if first >= last {
                return Err(format!("non-increasing order, previous: {first}, current: {last}"));
            }
            Ok((first, last))
        }
        _ => Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated \
             by '-'",
            go_quote(interval)
        )),
    }
}

/// Completions are fixed, except that those of an Indexed Job follow its parallelism (`validateCompletions`).
fn validate_completions(spec: &JobSpec, old: &JobSpec, path: &Path<'_>) -> ErrorList {
    if spec.completion_mode.as_deref() != Some("Indexed") {
        return validate_immutable(&spec.completions, &old.completions, path);
    }
    match spec.completions {
        Some(completions) if spec.completions != old.completions && spec.completions != spec.parallelism => {
            vec![path.invalid(completions, "can only be modified in tandem with spec.parallelism")]
        }
        _ => Vec::new(),
    }
}

/// What of the template may change while a Job is suspended (`validatePodTemplateUpdate`).
fn validate_template_update(spec: &JobSpec, old: &Job, old_spec: &JobSpec, path: &Path<'_>) -> ErrorList {
    let status = old.status.as_ref();
    let suspended = old_spec.suspend == Some(true);
    let not_started = status.is_none_or(|s| s.start_time.is_none());
    let mutable = suspended
        && (not_started || has_condition(old, "Suspended"))
        && status.and_then(|s| s.active).unwrap_or(0) == 0;
    let template = &spec.template;
    let mut allowed = old_spec.template.clone();
    if mutable {
        allow_scheduling_directives(&mut allowed, template);
        allow_resources(&mut allowed, template);
        let (new, old) = (internal_pod_spec(template.spec.as_ref()), internal_pod_spec(allowed.spec.as_ref()));
        if same("PodSpec", &new, &old) {
            return Vec::new();
        }
        let value = internal::to_json("PodSpec", &new);
        return vec![invalid_printed(&path.child("template.spec"), &value, FIELD_IMMUTABLE)];
    }
    let (new, old) = (internal_template(template), internal_template(&allowed));
    if same("PodTemplateSpec", &new, &old) {
        return Vec::new();
    }
    let value = internal::to_json("PodTemplateSpec", &new);
    vec![invalid_printed(&path.child("template"), &value, FIELD_IMMUTABLE)]
}

/// Takes over from a new template what says where pods may go.
fn allow_scheduling_directives(allowed: &mut PodTemplateSpec, new: &PodTemplateSpec) {
    let (metadata, new_metadata) = (allowed.metadata.get_or_insert_default(), new.metadata.clone().unwrap_or_default());
    metadata.annotations = new_metadata.annotations;
    metadata.labels = new_metadata.labels;
    let (Some(spec), Some(new)) = (allowed.spec.as_mut(), new.spec.as_ref()) else { return };
    let new_affinity = new.affinity.as_ref().and_then(|a| a.node_affinity.clone());
    if spec.affinity.is_some() || new.affinity.is_some() {
        spec.affinity.get_or_insert_default().node_affinity = new_affinity;
    }
    if new.affinity.is_none() && spec.affinity.as_ref().is_some_and(|a| *a == Default::default()) {
        spec.affinity = None;
    }
    spec.node_selector.clone_from(&new.node_selector);
    spec.tolerations.clone_from(&new.tolerations);
    spec.scheduling_gates.clone_from(&new.scheduling_gates);
}

/// Takes over from a new template the resources of containers of the same name at the same place.
fn allow_resources(allowed: &mut PodTemplateSpec, new: &PodTemplateSpec) {
    let (Some(spec), Some(new)) = (allowed.spec.as_mut(), new.spec.as_ref()) else { return };
    let copy = |old: &mut [Container], new: &[Container]| {
        for (old, new) in old.iter_mut().zip(new).filter(|(old, new)| old.name == new.name) {
            old.resources.clone_from(&new.resources);
        }
    };
    if spec.containers.len() == new.containers.len() {
        copy(&mut spec.containers, &new.containers);
    }
    let new_init = new.init_containers.as_deref().unwrap_or_default();
    if let Some(init) = spec.init_containers.as_mut().filter(|init| init.len() == new_init.len()) {
        copy(init, new_init);
    }
}

/// A template in the shape of the internal type: metadata is embedded.
fn internal_template(template: &PodTemplateSpec) -> Value {
    let mut value = serde_json::to_value(&template.metadata).unwrap_or_default();
    if !value.is_object() {
        value = Value::Object(Default::default());
    }
    if let Some(map) = value.as_object_mut() {
        map.insert("spec".to_owned(), internal_pod_spec(template.spec.as_ref()));
    }
    value
}

/// A pod's spec in the shape of the internal type: what concerns the host's namespaces is in the security context.
fn internal_pod_spec(spec: Option<&PodSpec>) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    let Some(map) = value.as_object_mut() else { return value };
    for field in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
        if let Some(moved) = map.remove(field) {
            let context = map.entry("securityContext").or_insert_with(|| Value::Object(Default::default()));
            if let Some(context) = context.as_object_mut() {
                context.insert(field.to_owned(), moved);
            }
        }
    }
    value
}
