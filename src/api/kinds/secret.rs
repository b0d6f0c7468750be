//! Secrets (`pkg/registry/core/secret/strategy.go`, `Convert_v1_Secret_To_core_Secret`, `ValidateSecret` in
//! `pkg/apis/core/validation`).
mod x509_key_pair;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::config_map::{IMMUTABLE_WHEN_SET, MAX_DATA_SIZE};
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::{is_config_map_key, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{invalid_each, validate_immutable};
use crate::manifest::check_json_object;

const SERVICE_ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";
const TLS: &str = "kubernetes.io/tls";

impl Strategy for Secret {
    fn set_defaults(&mut self) {
        if self.type_.as_deref().unwrap_or_default().is_empty() {
            self.type_ = Some("Opaque".to_owned());
        }
        // the API takes `stringData` but neither keeps nor returns it
        for (key, text) in self.string_data.take().into_iter().flatten() {
            self.data.get_or_insert_default().insert(key, ByteString(text.into_bytes()));
        }
        self.data.take_if(|data| data.is_empty());
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let path = Path::root("data");
        let mut size = 0;
        for (key, value) in self.data.iter().flatten() {
            errors.extend(invalid_each(&path.key(key), key, is_config_map_key(key)));
            size += value.0.len();
        }
        if size > MAX_DATA_SIZE {
            errors.push(path.too_long(MAX_DATA_SIZE));
        }
        errors.extend(validate_type(self));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate_immutable(&self.type_, &old.type_, &Path::root("type")));
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                errors.push(Path::root("immutable").forbidden(IMMUTABLE_WHEN_SET));
            }
            if self.data != old.data {
                errors.push(Path::root("data").forbidden(IMMUTABLE_WHEN_SET));
            }
        }
        errors.extend(self.validate());
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        if self.type_.as_deref() != Some(TLS) {
            return Vec::new();
        }
        let bytes = |key: &str| value(self, key).unwrap_or_default();
        x509_key_pair::check(bytes("tls.crt"), bytes("tls.key")).err().into_iter().collect()
    }
}

fn value<'a>(secret: &'a Secret, key: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(key).map(|v| v.0.as_slice())
}

/// What a secret must hold by its type.
fn validate_type(secret: &Secret) -> ErrorList {
    let path = Path::root("data");
    let missing = |keys: &[&str]| -> ErrorList {
        let absent = keys.iter().filter(|key| value(secret, key).is_none());
        absent.map(|key| path.key(key).required("")).collect()
    };
    let json = |key: &str| -> ErrorList {
        let Some(bytes) = value(secret, key) else { return missing(&[key]) };
        match check_json_object(&String::from_utf8_lossy(bytes)) {
            Ok(()) => Vec::new(),
            Err(why) => vec![path.key(key).invalid("<secret contents redacted>", why)],
        }
    };
    match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            if secret.annotation(SERVICE_ACCOUNT_NAME).unwrap_or_default().is_empty() {
                let metadata = Path::root("metadata");
                return vec![metadata.child("annotations").key(SERVICE_ACCOUNT_NAME).required("")];
            }
            Vec::new()
        }
        "kubernetes.io/dockercfg" => json(".dockercfg"),
        "kubernetes.io/dockerconfigjson" => json(".dockerconfigjson"),
        "kubernetes.io/basic-auth" => {
            let absent = missing(&["username", "password"]);
            if absent.len() == 2 { absent } else { Vec::new() }
        }
        "kubernetes.io/ssh-auth" if value(secret, "ssh-privatekey").is_none_or(<[u8]>::is_empty) => {
            vec![path.key("ssh-privatekey").required("")]
        }
        TLS => missing(&["tls.crt", "tls.key"]),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn secret(json: serde_json::Value) -> Secret {
        let mut secret: Secret = serde_json::from_value(json).unwrap();
        secret.metadata.name = Some("s".to_owned());
        secret.metadata.namespace = Some("default".to_owned());
        secret.set_defaults();
        secret
    }

    fn texts(errors: ErrorList) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn string_data_becomes_data_and_wins() {
        let secret = secret(serde_json::json!({"data": {"a": "eA==", "b": "eA=="}, "stringData": {"a": "y"}}));
        let json = serde_json::to_value(secret).unwrap();
        assert_eq!(json["data"], serde_json::json!({"a": "eQ==", "b": "eA=="}));
        assert_eq!((json.get("stringData"), json["type"].as_str()), (None, Some("Opaque")));
    }

    #[test]
    fn each_type_needs_its_keys() {
        let errors = |kind: &str, data: serde_json::Value| {
            texts(secret(serde_json::json!({"type": format!("kubernetes.io/{kind}"), "stringData": data})).validate())
        };
        let none = || serde_json::json!({});
        assert_eq!(errors("tls", none()), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]);
        assert_eq!(errors("basic-auth", none()), ["data[username]: Required value", "data[password]: Required value"]);
        assert!(errors("basic-auth", serde_json::json!({"password": ""})).is_empty());
        let empty_key = serde_json::json!({"ssh-privatekey": ""});
        assert_eq!(errors("ssh-auth", empty_key), ["data[ssh-privatekey]: Required value"]);
        assert_eq!(errors("dockerconfigjson", none()), ["data[.dockerconfigjson]: Required value"]);
        let expected = "metadata.annotations[kubernetes.io/service-account.name]: Required value";
        assert_eq!(errors("service-account-token", none()), [expected]);
    }

    #[test]
    fn a_docker_configuration_is_a_json_object() {
        let error = |text: &str| {
            let data = serde_json::json!({".dockerconfigjson": text});
            texts(secret(serde_json::json!({"type": "kubernetes.io/dockerconfigjson", "stringData": data})).validate())
        };
        let start = "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\"";
        assert_eq!(error(""), [format!("{start}: unexpected end of JSON input")]);
        assert_eq!(error("x"), [format!("{start}: invalid character 'x' looking for beginning of value")]);
        assert_eq!(error("{} x"), [format!("{start}: invalid character 'x' after top-level value")]);
        let why = "json: cannot unmarshal array into Go value of type map[string]interface {}";
        assert_eq!(error("[]"), [format!("{start}: {why}")]);
        assert!(error("{\"auths\":{}}").is_empty());
    }

    #[test]
    fn the_type_does_not_change() {
        let (new, old) = (secret(serde_json::json!({"type": "a"})), secret(serde_json::json!({})));
        assert_eq!(texts(new.validate_update(&old)), ["type: Invalid value: \"a\": field is immutable"]);
    }
}
