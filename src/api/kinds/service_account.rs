//! ServiceAccounts (`pkg/registry/core/serviceaccount/strategy.go`).
use k8s_openapi::api::core::v1::{ObjectReference, ServiceAccount};

use crate::api::field::{ErrorList, Path};
use crate::api::object::ApiObject;
use crate::api::strategy::Strategy;
use crate::api::validation::names::name_is_dns_subdomain;
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

const ENFORCE_MOUNTABLE_SECRETS: &str = "kubernetes.io/enforce-mountable-secrets";

/// References to secrets keep only their names.
fn clean_secret_references(account: &mut ServiceAccount) {
    for secret in account.secrets.iter_mut().flatten() {
        *secret = ObjectReference { name: secret.name.take(), ..Default::default() };
    }
}

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
        let has = |account: &Self| account.annotation(ENFORCE_MOUNTABLE_SECRETS).is_some();
        if !has(self) || old.is_some_and(has) {
            return Vec::new();
        }
        let why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
        vec![format!("metadata.annotations[{ENFORCE_MOUNTABLE_SECRETS}]: {why}")]
    }
}
