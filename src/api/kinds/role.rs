//! Roles (`pkg/registry/rbac/role/strategy.go`, `pkg/apis/rbac/validation`).
use k8s_openapi::api::rbac::v1::Role;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_path_segment;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::rbac::validate_rules;

impl Strategy for Role {
    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_path_segment, &Path::root("metadata"));
        errors.extend(validate_rules(self.rules.as_ref(), true, &Path::root("rules")));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = self.validate();
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        errors
    }
}
