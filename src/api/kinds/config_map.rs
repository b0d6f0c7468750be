//! ConfigMaps (`pkg/registry/core/configmap/strategy.go`, `ValidateConfigMap` of `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::ConfigMap;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_config_map_key, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

/// The most bytes a ConfigMap or a Secret can hold.
pub(super) const MAX_SIZE: usize = 1024 * 1024;

/// The detail of errors about changes to ConfigMaps and Secrets that are marked immutable.
pub(super) const IMMUTABLE: &str = "field is immutable when `immutable` is set";

impl Strategy for ConfigMap {
    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let mut size = 0;
        let path = Path::root("data");
        for (key, value) in self.data.iter().flatten() {
            let path = path.key(key);
            errors.extend(invalid_each(&path, key, is_config_map_key(key)));
            if self.binary_data.as_ref().is_some_and(|binary| binary.contains_key(key)) {
                errors.push(path.invalid(key.as_str(), "duplicate of key present in binaryData"));
            }
            size += value.len();
        }
        let path = Path::root("binaryData");
        for (key, value) in self.binary_data.iter().flatten() {
            errors.extend(invalid_each(&path.key(key), key, is_config_map_key(key)));
            size += value.0.len();
        }
        if size > MAX_SIZE {
            errors.push(Path::root("[]").too_long(MAX_SIZE));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if old.immutable == Some(true) {
            let changed = [
                ("immutable", self.immutable != Some(true)),
                ("data", self.data.clone().unwrap_or_default() != old.data.clone().unwrap_or_default()),
                ("binaryData", self.binary_data != old.binary_data),
            ];
            errors.extend(changed.iter().filter(|(_, c)| *c).map(|(field, _)| Path::root(field).forbidden(IMMUTABLE)));
        }
        errors.extend(self.validate());
        errors
    }
}
