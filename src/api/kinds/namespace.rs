//! Namespaces (`pkg/registry/core/namespace`, `pkg/apis/core/v1/defaults.go`, `ValidateNamespace` in
//! `pkg/apis/core/validation`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceSpec, NamespaceStatus};

use crate::api::field::{ErrorList, Path};
use crate::api::object::{ApiObject, Kind, Object};
use crate::api::server::{Accepted, ApiServer, DeleteOptions, FOREGROUND_DELETION, ORPHAN_DEPENDENTS, Propagation};
use crate::api::status::Status;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_qualified_name, name_is_dns_label};
use crate::api::validation::object_meta::{
    validate_kube_finalizer_name, validate_object_meta, validate_object_meta_update,
};

/// The label that holds a namespace's own name.
pub const METADATA_NAME: &str = "kubernetes.io/metadata.name";
/// The entry in `spec.finalizers` that stands for the namespace controller.
pub const KUBERNETES_FINALIZER: &str = "kubernetes";

/// The phase, empty before a namespace is stored.
pub fn phase(namespace: &Namespace) -> &str {
    namespace.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// What still keeps a namespace that is being deleted.
pub fn spec_finalizers(namespace: &Namespace) -> &[String] {
    namespace.spec.as_ref().and_then(|s| s.finalizers.as_deref()).unwrap_or_default()
}

impl Strategy for Namespace {
    fn set_defaults(&mut self) {
        if let Some(name) = self.metadata.name.clone().filter(|n| !n.is_empty()) {
            self.metadata.labels.get_or_insert_default().insert(METADATA_NAME.to_owned(), name);
        }
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(NamespaceStatus { phase: Some("Active".to_owned()), conditions: None });
        let finalizers = self.spec.get_or_insert_default().finalizers.get_or_insert_default();
        if !finalizers.iter().any(|f| f == KUBERNETES_FINALIZER) {
            finalizers.push(KUBERNETES_FINALIZER.to_owned());
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
        keep(&mut self.status, &old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_label, &Path::root("metadata"));
        let spec = Path::root("spec");
        let path = spec.child("finalizers");
        for finalizer in spec_finalizers(self) {
            errors.extend(invalid_each(&path, finalizer, is_qualified_name(finalizer)));
            errors.extend(validate_kube_finalizer_name(finalizer, &path));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = self.validate();
        errors.extend(validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata")));
        errors
    }
}

impl ApiServer {
    /// Begins the termination of a namespace; what is left of it goes when `spec.finalizers` is empty
    /// (`pkg/registry/core/namespace/storage` `REST.Delete`). `None`: go on as with any other object.
    pub(in crate::api) fn delete_namespace(
        &mut self,
        namespace: &Arc<Namespace>,
        options: &DeleteOptions,
    ) -> Option<Accepted<Object>> {
        let unchanged = |namespace: &Arc<Namespace>| Accepted {
            object: namespace.clone().into_object(),
            changed: false,
            warnings: Vec::new(),
        };
        if namespace.is_terminating() {
            return (!spec_finalizers(namespace).is_empty()).then(|| unchanged(namespace));
        }
        let mut changed = (**namespace).clone();
        changed.metadata.deletion_timestamp = Some(self.time());
        changed.status.get_or_insert_default().phase = Some("Terminating".to_owned());
        changed.remove_finalizer(ORPHAN_DEPENDENTS);
        changed.remove_finalizer(FOREGROUND_DELETION);
        match options.propagation {
            Propagation::Background => false,
            Propagation::Foreground => changed.add_finalizer(FOREGROUND_DELETION),
            Propagation::Orphan => changed.add_finalizer(ORPHAN_DEPENDENTS),
        };
        let object = Arc::new(changed).into_object();
        // the first request never removes a namespace, not even one without finalizers
        self.put(object.clone());
        Some(Accepted { object, changed: true, warnings: Vec::new() })
    }

    /// Replaces `spec.finalizers` of a namespace (the `finalize` subresource), which removes a namespace that was only
    /// waiting for them.
    ///
    /// # Errors
    /// When the namespace is gone.
    pub fn finalize_namespace(&mut self, name: &str, finalizers: Vec<String>) -> Result<(), Status> {
        let Some(old) = self.get::<Namespace>("", name) else { return Err(Status::not_found(Kind::Namespace, name)) };
        let mut changed = (**old).clone();
        if finalizers.is_empty() {
            self.forget_events_in(name);
        }
        changed.spec = Some(NamespaceSpec { finalizers: Some(finalizers).filter(|f| !f.is_empty()) });
        self.write(Arc::new(changed).into_object());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::object::ObjectKey;

    fn namespace(json: serde_json::Value) -> Namespace {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_new_namespace_gets_its_label_its_finalizer_and_a_phase() {
        let mut api = ApiServer::default();
        let input = serde_json::json!({"metadata": {"name": "a"}, "spec": {"finalizers": ["example.com/x"]}});
        let created = api.create(namespace(input)).unwrap().object;
        assert_eq!(created.label(METADATA_NAME), Some("a"));
        assert_eq!(spec_finalizers(&created), ["example.com/x", "kubernetes"]);
        assert_eq!(phase(&created), "Active");
    }

    #[test]
    fn its_name_is_a_dns_label_and_its_finalizers_are_qualified() {
        let input = serde_json::json!({"metadata": {"name": "a.b"}, "spec": {"finalizers": ["x"]}});
        let texts: Vec<String> = namespace(input).validate().iter().map(ToString::to_string).collect();
        let expected = [
            "metadata.name: Invalid value: \"a.b\": must not contain dots",
            "spec.finalizers: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully \
             qualified",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_deleted_namespace_stays_until_it_is_finalized() {
        let mut api = ApiServer::default();
        api.create(namespace(serde_json::json!({"metadata": {"name": "a"}}))).unwrap();
        let key = ObjectKey::new(Kind::Namespace, "", "a");
        assert!(api.delete(&key, &DeleteOptions::default()).unwrap().changed);
        assert!(!api.delete(&key, &DeleteOptions::default()).unwrap().changed);
        assert_eq!(phase(api.get::<Namespace>("", "a").unwrap()), "Terminating");
        api.finalize_namespace("a", Vec::new()).unwrap();
        assert!(api.get::<Namespace>("", "a").is_none());
    }
}
