//! ConfigMaps (`pkg/registry/core/configmap/strategy.go`, `ValidateConfigMap` in `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::ConfigMap;

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_config_map_key, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

/// The most bytes of data a ConfigMap or a Secret may hold.
pub(super) const MAX_DATA_SIZE: usize = 1024 * 1024;
/// What is said of a change of something that says of itself that it does not change.
pub(super) const IMMUTABLE_WHEN_SET: &str = "field is immutable when `immutable` is set";

impl Strategy for ConfigMap {
    fn set_defaults(&mut self) {
        // the API writes no empty maps
        self.data.take_if(|data| data.is_empty());
        self.binary_data.take_if(|data| data.is_empty());
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let mut size = 0;
        let (data, binary_data) = (Path::root("data"), Path::root("binaryData"));
        for (key, value) in self.data.iter().flatten() {
            errors.extend(invalid_each(&data.key(key), key, is_config_map_key(key)));
            if self.binary_data.as_ref().is_some_and(|b| b.contains_key(key)) {
                errors.push(data.key(key).invalid(key.as_str(), "duplicate of key present in binaryData"));
            }
            size += value.len();
        }
        for (key, value) in self.binary_data.iter().flatten() {
            errors.extend(invalid_each(&binary_data.key(key), key, is_config_map_key(key)));
            size += value.0.len();
        }
        if size > MAX_DATA_SIZE {
            // Go writes a path without a name like this
            errors.push(Path::root("[]").too_long(MAX_DATA_SIZE));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                errors.push(Path::root("immutable").forbidden(IMMUTABLE_WHEN_SET));
            }
            if self.data != old.data {
                errors.push(Path::root("data").forbidden(IMMUTABLE_WHEN_SET));
            }
            if self.binary_data != old.binary_data {
                errors.push(Path::root("binaryData").forbidden(IMMUTABLE_WHEN_SET));
            }
        }
        errors.extend(self.validate());
        errors
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config_map(json: serde_json::Value) -> ConfigMap {
        let mut map: ConfigMap = serde_json::from_value(json).unwrap();
        map.metadata.name = Some("m".to_owned());
        map.metadata.namespace = Some("default".to_owned());
        map
    }

    fn texts(errors: ErrorList) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_is_in_data_or_in_binary_data() {
        let map = config_map(serde_json::json!({"data": {"logo.png": "x"}, "binaryData": {"logo.png": "aGVsbG8="}}));
        let expected = "data[logo.png]: Invalid value: \"logo.png\": duplicate of key present in binaryData";
        assert_eq!(texts(map.validate()), [expected]);
    }

    #[test]
    fn keys_are_file_names() {
        let errors = texts(config_map(serde_json::json!({"data": {"a b": "", "..": "", "ok.txt": ""}})).validate());
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("data[..]: Invalid value: \"..\": must not be '..'"), "{errors:?}");
        assert!(errors[1].starts_with("data[a b]: Invalid value: \"a b\": a valid config key must"), "{errors:?}");
    }

    #[test]
    fn there_is_room_for_a_mebibyte() {
        let map = config_map(serde_json::json!({"data": {"a": "x".repeat(MAX_DATA_SIZE + 1)}}));
        assert_eq!(texts(map.validate()), ["[]: Too long: may not be more than 1048576 bytes"]);
    }

    #[test]
    fn what_is_immutable_stays_immutable_and_as_it_is() {
        let old = config_map(serde_json::json!({"data": {"a": "1"}, "immutable": true}));
        let new = config_map(serde_json::json!({"data": {"a": "2"}}));
        let why = "field is immutable when `immutable` is set";
        let expected = [format!("immutable: Forbidden: {why}"), format!("data: Forbidden: {why}")];
        assert_eq!(texts(new.validate_update(&old)), expected);
        assert!(old.validate_update(&new).is_empty());
    }
}
