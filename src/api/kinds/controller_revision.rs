//! ControllerRevisions (`pkg/registry/apps/controllerrevision/strategy.go`, `pkg/apis/apps/validation`).
use k8s_openapi::api::apps::v1::ControllerRevision;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{validate_immutable, validate_nonnegative};

impl Strategy for ControllerRevision {
    fn validate(&self) -> ErrorList {
        let mut errors = validate_revision(self);
        let data = Path::root("data");
        match &self.data {
            None => errors.push(data.required("data is mandatory")),
            Some(raw) if raw.0.is_null() => errors.push(data.required("data is mandatory")),
            Some(raw) if !raw.0.is_object() => errors.push(data.required("data must be a valid JSON object")),
            Some(_) => {}
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate_revision(self));
        errors.extend(validate_immutable(&self.data, &old.data, &Path::root("data")));
        errors
    }
}

/// `validateControllerRevision`.
fn validate_revision(revision: &ControllerRevision) -> ErrorList {
    let mut errors = validate_object_meta(&revision.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    errors.extend(validate_nonnegative(revision.revision, &Path::root("revision")));
    errors
}
