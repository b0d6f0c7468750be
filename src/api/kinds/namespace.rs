//! Namespaces (`pkg/registry/core/namespace`, `ValidateNamespace` of `pkg/apis/core/validation`).
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceSpec, NamespaceStatus};

use crate::api::field::{ErrorList, Path};
use crate::api::object::{ApiObject, Object};
use crate::api::server::{Accepted, ApiServer, FOREGROUND_DELETION, ORPHAN_DEPENDENTS, Propagation};
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::names::{is_qualified_name, name_is_dns_label};
use crate::api::validation::object_meta::{
    validate_kube_finalizer_name, validate_object_meta, validate_object_meta_update,
};

/// The finalizer in `spec` that stays until the namespace is empty.
pub const KUBERNETES: &str = "kubernetes";
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Strategy for Namespace {
    fn set_defaults(&mut self) {
        set_name_label(self);
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(NamespaceStatus { phase: Some("Active".to_owned()), conditions: None });
        let finalizers = self.spec.get_or_insert_default().finalizers.get_or_insert_default();
        if !finalizers.iter().any(|f| f == KUBERNETES) {
            finalizers.push(KUBERNETES.to_owned());
        }
    }

    fn prepare_for_update(&mut self, old: &Self) {
        let finalizers = old.spec.as_ref().and_then(|s| s.finalizers.clone());
        self.spec = Some(NamespaceSpec { finalizers });
        self.status.clone_from(&old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        self.spec.clone_from(&old.spec);
    }

    fn allocate(&mut self, _old: Option<&Self>, _store: &Store) -> Result<(), Status> {
        set_name_label(self); // the name may have been generated
        Ok(())
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, false, name_is_dns_label, &Path::root("metadata"));
        let path = Path::root("spec");
        let path = path.child("finalizers");
        for finalizer in self.spec.iter().flat_map(|s| s.finalizers.iter().flatten()) {
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

fn set_name_label(namespace: &mut Namespace) {
    let name = namespace.name().to_owned();
    if !name.is_empty() {
        namespace.metadata.labels.get_or_insert_default().insert(NAME_LABEL.to_owned(), name);
    }
}

/// Whether something in `spec` still holds the namespace.
pub(crate) fn has_finalizers(namespace: &Namespace) -> bool {
    namespace.spec.as_ref().and_then(|s| s.finalizers.as_ref()).is_some_and(|f| !f.is_empty())
}

impl ApiServer {
    /// Begins the end of a namespace (`REST.Delete` of `pkg/registry/core/namespace/storage`): its controller empties it.
    pub(in crate::api) fn delete_namespace(
        &mut self,
        namespace: &Arc<Namespace>,
        propagation: Propagation,
    ) -> Accepted<Object> {
        let mut changed = namespace.clone();
        if namespace.is_terminating() {
            let object = Object::Namespace(changed);
            if !has_finalizers(namespace) {
                self.write(object.clone());
            }
            return Accepted { object, changed: false, warnings: Vec::new() };
        }
        let now = self.time();
        let namespace = Arc::make_mut(&mut changed);
        namespace.metadata.deletion_timestamp = Some(now);
        namespace.status.get_or_insert_default().phase = Some("Terminating".to_owned());
        match propagation {
            Propagation::Background => {}
            Propagation::Foreground => {
                namespace.add_finalizer(FOREGROUND_DELETION);
            }
            Propagation::Orphan => {
                namespace.add_finalizer(ORPHAN_DEPENDENTS);
            }
        }
        let object = Object::Namespace(changed);
        self.write(object.clone());
        Accepted { object, changed: true, warnings: Vec::new() }
    }

    /// Removes a finalizer from a namespace's `spec` (the `finalize` subresource).
    pub fn finalize_namespace(&mut self, name: &str, finalizer: &str) {
        let Some(namespace) = self.get::<Namespace>("", name) else { return };
        let mut changed = Namespace::clone(namespace);
        if let Some(spec) = &mut changed.spec {
            let mut rest = spec.finalizers.take().unwrap_or_default();
            rest.retain(|f| f != finalizer);
            spec.finalizers = (!rest.is_empty()).then_some(rest);
        }
        self.write(Object::Namespace(Arc::new(changed)));
    }
}
