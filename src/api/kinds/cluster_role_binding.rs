//! ClusterRoleBindings (`pkg/registry/rbac/clusterrolebinding/strategy.go`, `pkg/apis/rbac/v1/defaults.go`,
//! `pkg/apis/rbac/validation`).
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_path_segment;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::rbac::{set_binding_defaults, validate_binding, validate_role_ref_update};

impl Strategy for ClusterRoleBinding {
    fn set_defaults(&mut self) {
        set_binding_defaults(&mut self.role_ref, self.subjects.as_mut());
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, false, name_is_path_segment, &Path::root("metadata"));
        errors.extend(validate_binding(&self.role_ref, self.subjects.as_ref(), false));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = self.validate();
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        errors.extend(validate_role_ref_update(&self.role_ref, &old.role_ref));
        errors
    }
}
