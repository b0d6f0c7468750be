//! ServiceAccounts (`pkg/registry/core/serviceaccount/strategy.go`, `ValidateServiceAccount` in
//! `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{ObjectReference, ServiceAccount};

use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

const ENFORCE_MOUNTABLE_SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";

impl Strategy for ServiceAccount {
    fn prepare_for_create(&mut self) {
        clean_secret_references(self);
    }

    fn prepare_for_update(&mut self, _old: &Self) {
        clean_secret_references(self);
    }

    fn validate(&self) -> ErrorList {
        validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"))
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(self.validate());
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let annotated = |account: &Self| account.annotation(ENFORCE_MOUNTABLE_SECRETS).is_some();
        if old.is_some_and(annotated) || !annotated(self) {
            return Vec::new();
        }
        let message = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
        vec![format!("metadata.annotations[{ENFORCE_MOUNTABLE_SECRETS}]: {message}")]
    }
}

/// Keeps only the names (`cleanSecretReferences`).
fn clean_secret_references(account: &mut ServiceAccount) {
    for secret in account.secrets.iter_mut().flatten() {
        *secret = ObjectReference { name: secret.name.take(), ..Default::default() };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(json: serde_json::Value) -> ServiceAccount {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_the_names_of_secrets_are_kept() {
        let mut new = account(serde_json::json!({"secrets": [{"name": "a", "namespace": "b", "kind": "Secret"}]}));
        new.prepare_for_create();
        assert_eq!(new, account(serde_json::json!({"secrets": [{"name": "a"}]})));
    }

    #[test]
    fn the_annotation_about_mountable_secrets_is_warned_of_when_it_is_new() {
        let json = serde_json::json!({"metadata": {"annotations": {ENFORCE_MOUNTABLE_SECRETS: "true"}}});
        assert_eq!(account(json.clone()).warnings(None).len(), 1);
        assert_eq!(account(json.clone()).warnings(Some(&account(json))), Vec::<String>::new());
    }
}
