//! Secrets (`pkg/registry/core/secret/strategy.go`, `ValidateSecret` of `pkg/apis/core/validation`).
mod pem;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::config_map::{IMMUTABLE, MAX_SIZE};
use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::{is_config_map_key, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::{FIELD_IMMUTABLE, invalid_each};

impl Strategy for Secret {
    fn set_defaults(&mut self) {
        if self.type_.as_deref().unwrap_or_default().is_empty() {
            self.type_ = Some("Opaque".to_owned());
        }
        // plain texts end up among the data
        let texts = self.string_data.take().unwrap_or_default();
        if !texts.is_empty() {
            let texts = texts.into_iter().map(|(key, text)| (key, ByteString(text.into_bytes())));
            self.data.get_or_insert_default().extend(texts);
        }
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        let path = Path::root("data");
        for key in self.data.iter().flatten().map(|(key, _)| key) {
            errors.extend(invalid_each(&path.key(key), key, is_config_map_key(key)));
        }
        if self.data.iter().flatten().map(|(_, value)| value.0.len()).sum::<usize>() > MAX_SIZE {
            errors.push(path.too_long(MAX_SIZE));
        }
        errors.extend(validate_type(self, &path));
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        if self.type_ != old.type_ {
            errors.push(Path::root("type").invalid(self.type_.as_deref().unwrap_or_default(), FIELD_IMMUTABLE));
        }
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                errors.push(Path::root("immutable").forbidden(IMMUTABLE));
            }
            if self.data != old.data {
                errors.push(Path::root("data").forbidden(IMMUTABLE));
            }
        }
        errors.extend(self.validate());
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        if self.type_.as_deref() != Some("kubernetes.io/tls") {
            return Vec::new();
        }
        let part = |key: &str| self.data.as_ref().and_then(|d| d.get(key)).map_or(&[][..], |value| &value.0);
        pem::key_pair_problem(part("tls.crt"), part("tls.key")).into_iter().collect()
    }
}

/// What a secret of a known type must hold.
fn validate_type(secret: &Secret, path: &Path<'_>) -> ErrorList {
    let has = |key: &str| secret.data.as_ref().is_some_and(|data| data.contains_key(key));
    let missing = |keys: &[&str]| -> ErrorList {
        keys.iter().filter(|key| !has(key)).map(|key| path.key(key).required("")).collect()
    };
    let json = |key: &str| match secret.data.as_ref().and_then(|data| data.get(key)) {
        None => vec![path.key(key).required("")],
        Some(value) => match go_json_problem(&value.0) {
            None => Vec::new(),
            Some(why) => vec![path.key(key).invalid("<secret contents redacted>", why)],
        },
    };
    match secret.type_.as_deref().unwrap_or_default() {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            let annotations = Path::root("metadata");
            let annotations = annotations.child("annotations");
            let named = secret.annotation(key).is_some_and(|name| !name.is_empty());
            if named { Vec::new() } else { vec![annotations.key(key).required("")] }
        }
        "kubernetes.io/dockercfg" => json(".dockercfg"),
        "kubernetes.io/dockerconfigjson" => json(".dockerconfigjson"),
        "kubernetes.io/basic-auth" if has("username") || has("password") => Vec::new(),
        "kubernetes.io/basic-auth" => missing(&["username", "password"]),
        "kubernetes.io/ssh-auth" => {
            let key = secret.data.as_ref().and_then(|data| data.get("ssh-privatekey"));
            let empty = key.is_none_or(|value| value.0.is_empty());
            if empty { vec![path.key("ssh-privatekey").required("")] } else { Vec::new() }
        }
        "kubernetes.io/tls" => missing(&["tls.crt", "tls.key"]),
        _ => Vec::new(),
    }
}

/// Why bytes are no JSON object, close to Go's words.
fn go_json_problem(bytes: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(serde_json::Value::Object(_) | serde_json::Value::Null) => None,
        Ok(other) => {
            let kind = match other {
                serde_json::Value::Array(_) => "array",
                serde_json::Value::String(_) => "string",
                serde_json::Value::Bool(_) => "bool",
                _ => "number",
            };
            Some(format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"))
        }
        Err(error) if error.is_eof() => Some("unexpected end of JSON input".to_owned()),
        Err(error) => {
            let line = bytes.split(|b| *b == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
            let character = char::from(line.get(error.column().saturating_sub(1)).copied().unwrap_or(b'?'));
            let start = bytes.iter().all(|b| b.is_ascii_whitespace())
                || bytes.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| *b != b'{');
            let place =
                if start { "looking for beginning of value" } else { "looking for beginning of object key string" };
            Some(format!("invalid character '{character}' {place}"))
        }
    }
}
