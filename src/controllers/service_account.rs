//! The service account controller: every namespace has a ServiceAccount `default` (`pkg/controller/serviceaccount`).
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};

const DEFAULT: &str = "default";

/// Creates missing `default` accounts. Keys are namespaces.
#[derive(Clone, Default)]
pub struct ServiceAccountsController {
    queue: WorkQueue<String>,
}

impl Reconciler for ServiceAccountsController {
    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(namespace))) = change.of::<Namespace>() {
            self.queue.add(namespace.name().to_owned());
        }
        if let Some((Some(account), None)) = change.of::<ServiceAccount>() {
            self.queue.add(account.namespace().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(name) = self.queue.pop(context.api.now()) else { return false };
        if is_active(context.api.store(), &name) && context.api.get::<ServiceAccount>(&name, DEFAULT).is_none() {
            let metadata = ObjectMeta { name: Some(DEFAULT.to_owned()), namespace: Some(name), ..Default::default() };
            // refused (a quota may do that): tried again when the namespace changes
            let _ = context.api.create(ServiceAccount { metadata, ..Default::default() });
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }

    fn boxed_clone(&self) -> Box<dyn Reconciler> {
        Box::new(self.clone())
    }
}

/// Whether a namespace exists and is not on its way out.
pub(super) fn is_active(store: &Store, name: &str) -> bool {
    store.get::<Namespace>("", name).is_some_and(|namespace| !namespace.is_terminating())
}
