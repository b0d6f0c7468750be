//! Sees to it that every namespace has the ServiceAccount `default` (`pkg/controller/serviceaccount`
//! `ServiceAccountsController`).
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::{RetryQueue, is_namespace_terminating};
use crate::api::kinds::namespace::phase;
use crate::api::object::ApiObject;
use crate::api::status::Reason;
use crate::api::{Change, Store};
use crate::reconcile::{Context, Reconciler};

/// The account of pods that name none.
const DEFAULT: &str = "default";

/// The service accounts controller.
#[derive(Clone, Default)]
pub struct ServiceAccountsController {
    queue: RetryQueue<String>,
}

impl Reconciler for ServiceAccountsController {
    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(namespace))) = change.of::<Namespace>() {
            self.queue.add(namespace.name().to_owned());
        } else if let Some((Some(account), None)) = change.of::<ServiceAccount>() {
            self.queue.add(account.namespace().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(name) = self.queue.pop(context.api.now()) else { return false };
        let active = context.api.get::<Namespace>("", &name).is_some_and(|n| phase(n) == "Active");
        if !active || context.api.get::<ServiceAccount>(&name, DEFAULT).is_some() {
            self.queue.forget(&name);
            return true;
        }
        let metadata =
            ObjectMeta { name: Some(DEFAULT.to_owned()), namespace: Some(name.clone()), ..Default::default() };
        match context.api.create(ServiceAccount { metadata, ..Default::default() }) {
            Err(status) if status.reason != Reason::AlreadyExists && !is_namespace_terminating(&status) => {
                self.queue.retry(name, context.api.now());
            }
            _ => self.queue.forget(&name),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}
