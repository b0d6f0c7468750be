//! Deployments (`pkg/registry/apps/deployment/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::apps::{
    drop_disabled_template_fields, int_or_percent_value, is_missing, is_usable, name_warning, not_supported_printed,
    printed, validate_at_most_100_percent, validate_int_or_percent, validate_selector,
    validate_template_for_replica_set,
};
use super::stateful_set::default_string;
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::internal;
use crate::api::object::ApiObject;
use crate::api::pod_warnings::warnings_for_pod_template;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{validate_immutable, validate_nonnegative};

impl Strategy for Deployment {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        let strategy = spec.strategy.get_or_insert_default();
        default_string(&mut strategy.type_, "RollingUpdate");
        if strategy.type_.as_deref() == Some("RollingUpdate") {
            let rolling_update = strategy.rolling_update.get_or_insert_default();
            let quarter = || IntOrString::String("25%".to_owned());
            rolling_update.max_unavailable.get_or_insert_with(quarter);
            rolling_update.max_surge.get_or_insert_with(quarter);
        }
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        set_pod_template_defaults(&mut spec.template);
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
        // annotations count too because they are copied to the ReplicaSets
        if self.spec != old.spec || self.metadata.annotations != old.metadata.annotations {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
        self.metadata.labels.clone_from(&old.metadata.labels);
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
            errors.extend(validate_spec(spec, Some(old), &path));
            errors.extend(validate_immutable(&spec.selector, &old.selector, &path.child("selector")));
        }
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        if old.is_some_and(|old| old.metadata.generation == self.metadata.generation) {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        if old.is_none() {
            warnings.extend(name_warning(self.name()));
        }
        if let Some(spec) = &self.spec {
            let path = Path::root("spec");
            warnings.extend(warnings_for_pod_template(&spec.template, &path.child("template")));
        }
        warnings
    }
}

/// `ValidateDeploymentSpec`.
fn validate_spec(spec: &DeploymentSpec, old: Option<&DeploymentSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_nonnegative(spec.replicas.unwrap_or(0).into(), &path.child("replicas"));
    let selector_path = path.child("selector");
    errors.extend(validate_selector(&spec.selector, "deployment", &selector_path));
    if is_missing(&spec.selector) || is_usable(&spec.selector) {
        let old = old.map(|o| &o.template);
        let template_path = path.child("template");
        errors.extend(validate_template_for_replica_set(&spec.selector, &spec.template, old, &template_path));
    } else {
        errors.push(selector_path.invalid(printed(&spec.selector), "invalid label selector"));
    }
    if let Some(strategy) = &spec.strategy {
        errors.extend(validate_strategy(strategy, &path.child("strategy")));
    }
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    errors.extend(validate_nonnegative(min_ready_seconds.into(), &path.child("minReadySeconds")));
    if let Some(limit) = spec.revision_history_limit {
        errors.extend(validate_nonnegative(limit.into(), &path.child("revisionHistoryLimit")));
    }
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = path.child("progressDeadlineSeconds");
        errors.extend(validate_nonnegative(deadline.into(), &path));
        if deadline <= min_ready_seconds {
            errors.push(path.invalid(deadline, "must be greater than minReadySeconds"));
        }
    }
    errors
}

/// `ValidateDeploymentStrategy`.
fn validate_strategy(strategy: &DeploymentStrategy, path: &Path<'_>) -> ErrorList {
    let rolling_path = path.child("rollingUpdate");
    match (strategy.type_.as_deref().unwrap_or_default(), &strategy.rolling_update) {
        ("Recreate", Some(_)) => {
            vec![rolling_path.forbidden("may not be specified when strategy `type` is 'Recreate'")]
        }
        ("Recreate", None) => Vec::new(),
        ("RollingUpdate", None) => vec![rolling_path.required("this should be defaulted and never be nil")],
        ("RollingUpdate", Some(rolling_update)) => {
            let (surge, unavailable) = (rolling_update.max_surge.as_ref(), rolling_update.max_unavailable.as_ref());
            let unavailable_path = rolling_path.child("maxUnavailable");
            let mut errors = validate_int_or_percent(unavailable, &unavailable_path);
            errors.extend(validate_int_or_percent(surge, &rolling_path.child("maxSurge")));
            if int_or_percent_value(unavailable) == 0 && int_or_percent_value(surge) == 0 {
                let value = printed(&unavailable);
                errors.push(unavailable_path.invalid(value, "may not be 0 when `maxSurge` is 0"));
            }
            errors.extend(validate_at_most_100_percent(unavailable, &unavailable_path));
            errors
        }
        _ => {
            let value = internal::to_json("DeploymentStrategy", strategy);
            vec![not_supported_printed(path, &value, &["Recreate", "RollingUpdate"])]
        }
    }
}
