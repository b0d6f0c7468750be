//! ReplicaSets (`pkg/registry/apps/replicaset/strategy.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetSpec};

use super::apps::{
    drop_disabled_template_fields, is_missing, is_usable, name_warning, printed, validate_selector,
    validate_template_for_replica_set,
};
use crate::api::defaults::pod_spec::set_pod_template_defaults;
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::pod_warnings::warnings_for_pod_template;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{validate_immutable, validate_nonnegative};

impl Strategy for ReplicaSet {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        set_pod_template_defaults(spec.template.get_or_insert_default());
    }

    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
        if let Some(template) = self.spec.as_mut().and_then(|s| s.template.as_mut()) {
            drop_disabled_template_fields(template, None);
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if let Some(template) = self.spec.as_mut().and_then(|s| s.template.as_mut()) {
            drop_disabled_template_fields(template, old.spec.as_ref().and_then(|s| s.template.as_ref()));
        }
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
        if let Some(template) = self.spec.as_ref().and_then(|s| s.template.as_ref()) {
            let path = Path::root("spec");
            warnings.extend(warnings_for_pod_template(template, &path.child("template")));
        }
        warnings
    }
}

/// `ValidateReplicaSetSpec`; its message about an empty selector does say «deployment».
fn validate_spec(spec: &ReplicaSetSpec, old: Option<&ReplicaSetSpec>, path: &Path<'_>) -> ErrorList {
    let mut errors = validate_nonnegative(spec.replicas.unwrap_or(0).into(), &path.child("replicas"));
    let min_ready_seconds = spec.min_ready_seconds.unwrap_or(0);
    errors.extend(validate_nonnegative(min_ready_seconds.into(), &path.child("minReadySeconds")));
    let selector_path = path.child("selector");
    errors.extend(validate_selector(&spec.selector, "deployment", &selector_path));
    let template = spec.template.clone().unwrap_or_default();
    if is_missing(&spec.selector) || is_usable(&spec.selector) {
        let old = old.and_then(|o| o.template.as_ref());
        let template_path = path.child("template");
        errors.extend(validate_template_for_replica_set(&spec.selector, &template, old, &template_path));
    } else {
        errors.push(selector_path.invalid(printed(&spec.selector), "invalid label selector"));
    }
    errors
}
