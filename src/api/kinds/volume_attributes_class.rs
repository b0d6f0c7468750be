//! VolumeAttributesClasses (`pkg/registry/storage/volumeattributesclass/strategy.go`, `pkg/apis/storage/validation`).
use k8s_openapi::api::storage::v1::VolumeAttributesClass;

use super::storage_class::{validate_parameters, validate_provisioner};
use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

impl Strategy for VolumeAttributesClass {
    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_subdomain, &Path::root("metadata"));
        errors.extend(validate_provisioner(&self.driver_name, &Path::root("driverName")));
        errors.extend(validate_parameters(self.parameters.as_ref(), false, &Path::root("parameters")));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if self.driver_name != old.driver_name {
            errors.push(Path::root("driverName").forbidden("updates to driverName are forbidden."));
        }
        if self.parameters.clone().unwrap_or_default() != old.parameters.clone().unwrap_or_default() {
            errors.push(Path::root("parameters").forbidden("updates to parameters are forbidden."));
        }
        errors.extend(self.validate());
        errors
    }
}
