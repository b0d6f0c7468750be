//! DaemonSets (`pkg/registry/apps/daemonset/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::apps::{
    drop_disabled_template_fields, empty_object, int_or_percent_value, is_missing, is_usable, not_supported_printed,
    printed, validate_always_running, validate_at_most_100_percent, validate_int_or_percent, validate_selector_matches,
    validate_template,
};
use super::stateful_set::default_string;
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::pod_warnings::warnings_for_pod_template;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{validate_immutable, validate_nonnegative};
use crate::api::{internal, label_selector};

/// Where `apps/v1` keeps what was `spec.templateGeneration` (`apps.DeprecatedTemplateGeneration`).
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn template_generation(set: &DaemonSet) -> i64 {
    set.annotation(TEMPLATE_GENERATION).and_then(|v| v.parse().ok()).unwrap_or(0)
}

impl Strategy for DaemonSet {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        let strategy = spec.update_strategy.get_or_insert_default();
        default_string(&mut strategy.type_, "RollingUpdate");
        if strategy.type_.as_deref() == Some("RollingUpdate") {
            let rolling_update = strategy.rolling_update.get_or_insert_default();
            rolling_update.max_unavailable.get_or_insert(IntOrString::Int(1));
            rolling_update.max_surge.get_or_insert(IntOrString::Int(0));
        }
        spec.revision_history_limit.get_or_insert(10);
        set_pod_template_defaults(&mut spec.template);
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        if let Some(spec) = &mut self.spec {
            drop_disabled_template_fields(&mut spec.template, None);
        }
        if template_generation(self) < 1 {
            self.set_annotation(TEMPLATE_GENERATION, "1");
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let (Some(spec), Some(old)) = (&mut self.spec, &old.spec) {
            drop_disabled_template_fields(&mut spec.template, Some(&old.template));
        }
        let template = |set: &DaemonSet| set.spec.as_ref().map(|s| s.template.clone());
        let generation = template_generation(old) + i64::from(template(self) != template(old));
        self.set_annotation(TEMPLATE_GENERATION, &generation.to_string());
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        if let Some(spec) = &self.spec {
            errors.extend(validate_spec(spec, None, &Path::root("spec")));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if let (Some(spec), Some(old)) = (&self.spec, &old.spec) {
            let path = Path::root("spec");
            errors.extend(validate_immutable(&spec.selector, &old.selector, &path.child("selector")));
            errors.extend(validate_spec(spec, Some(old), &path));
        }
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let unchanged = old.is_some_and(|old| old.metadata.generation == self.metadata.generation);
        let Some(spec) = self.spec.as_ref().filter(|_| !unchanged) else { return Vec::new() };
        let path = Path::root("spec");
        warnings_for_pod_template(&spec.template, &path.child("template"))
    }
}

/// `ValidateDaemonSetSpec`.
fn validate_spec(spec: &DaemonSetSpec, old: Option<&DaemonSetSpec>, path: &Path<'_>) -> ErrorList {
    let selector_path = path.child("selector");
    let mut errors = validate_label_selector(Some(&spec.selector), false, &selector_path);
    let template_path = path.child("template");
    if is_usable(&spec.selector) {
        errors.extend(validate_selector_matches(&spec.selector, &spec.template, &template_path));
    }
    if label_selector::is_empty(&spec.selector) && !is_missing(&spec.selector) {
        errors.push(selector_path.invalid(empty_object(), "empty selector is invalid for daemonset"));
    }
    errors.extend(validate_template(&spec.template, old.map(|o| &o.template), &template_path));
    errors.extend(validate_always_running(&spec.template, "DaemonSet", &template_path));
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    errors.extend(validate_nonnegative(min_ready_seconds.into(), &path.child("minReadySeconds")));
    if let Some(strategy) = &spec.update_strategy {
        errors.extend(validate_strategy(strategy, &path.child("updateStrategy")));
    }
    if let Some(limit) = spec.revision_history_limit {
        errors.extend(validate_nonnegative(limit.into(), &path.child("revisionHistoryLimit")));
    }
    errors
}

/// `ValidateDaemonSetUpdateStrategy`.
fn validate_strategy(strategy: &DaemonSetUpdateStrategy, path: &Path<'_>) -> ErrorList {
    let rolling_path = path.child("rollingUpdate");
    match (strategy.type_.as_deref().unwrap_or_default(), &strategy.rolling_update) {
        ("OnDelete", _) => Vec::new(),
        ("RollingUpdate", None) => vec![rolling_path.required("")],
        ("RollingUpdate", Some(rolling_update)) => {
            let (surge, unavailable) = (rolling_update.max_surge.as_ref(), rolling_update.max_unavailable.as_ref());
            let (surge_path, unavailable_path) = (rolling_path.child("maxSurge"), rolling_path.child("maxUnavailable"));
            let mut errors = validate_int_or_percent(unavailable, &unavailable_path);
            errors.extend(validate_int_or_percent(surge, &surge_path));
            errors.extend(validate_at_most_100_percent(unavailable, &unavailable_path));
            errors.extend(validate_at_most_100_percent(surge, &surge_path));
            match (int_or_percent_value(unavailable) != 0, int_or_percent_value(surge) != 0) {
                (true, true) => {
                    let value = printed(&surge);
                    errors.push(surge_path.invalid(value, "may not be set when maxUnavailable is non-zero"));
                }
                (false, false) => errors.push(unavailable_path.required("cannot be 0 when maxSurge is 0")),
                _ => {}
            }
            errors
        }
        _ => {
            let value = internal::to_json("DaemonSetUpdateStrategy", strategy);
            vec![not_supported_printed(path, &value, &["RollingUpdate", "OnDelete"])]
        }
    }
}
