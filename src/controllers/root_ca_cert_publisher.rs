//! Sees to it that every namespace has the ConfigMap `kube-root-ca.crt`
//! (`pkg/controller/certificates/rootcacertpublisher`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::{RetryQueue, is_namespace_terminating};
use crate::api::kinds::namespace::phase;
use crate::api::object::ApiObject;
use crate::api::status::Reason;
use crate::api::{Change, Store};
use crate::reconcile::{Context, Reconciler};

/// The ConfigMap's name; also in `src/timeline/record.rs`, which does not show it.
pub const ROOT_CA_CERT_CONFIG_MAP: &str = "kube-root-ca.crt";
const DESCRIPTION_ANNOTATION: &str = "kubernetes.io/description";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";
/// Nothing verifies certificates here; this only has to look like some.
const ROOT_CA: &str = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n";

/// The root CA certificate publisher.
#[derive(Clone, Default)]
pub struct RootCaCertPublisher {
    queue: RetryQueue<String>,
}

impl Reconciler for RootCaCertPublisher {
    fn name(&self) -> &'static str {
        "root-ca-certificate-publisher-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((old, Some(namespace))) = change.of::<Namespace>() {
            if old.is_none() || phase(namespace) == "Active" {
                self.queue.add(namespace.name().to_owned());
            }
        } else if let Some((Some(map), _)) = change.of::<ConfigMap>()
            && map.name() == ROOT_CA_CERT_CONFIG_MAP
        {
            self.queue.add(map.namespace().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(namespace) = self.queue.pop(context.api.now()) else { return false };
        let data: BTreeMap<String, String> = [("ca.crt".to_owned(), ROOT_CA.to_owned())].into();
        let result = match context.api.get::<ConfigMap>(&namespace, ROOT_CA_CERT_CONFIG_MAP) {
            None => {
                let metadata = ObjectMeta {
                    name: Some(ROOT_CA_CERT_CONFIG_MAP.to_owned()),
                    namespace: Some(namespace.clone()),
                    annotations: Some([(DESCRIPTION_ANNOTATION.to_owned(), DESCRIPTION.to_owned())].into()),
                    ..Default::default()
                };
                context.api.create(ConfigMap { metadata, data: Some(data), ..Default::default() })
            }
            Some(map) => {
                let described = map.annotation(DESCRIPTION_ANNOTATION).is_some_and(|d| !d.is_empty());
                if described && map.data.as_ref() == Some(&data) {
                    self.queue.forget(&namespace);
                    return true;
                }
                let mut changed = (**map).clone();
                changed.data = Some(data);
                changed.set_annotation(DESCRIPTION_ANNOTATION, DESCRIPTION);
                context.api.update(changed)
            }
        };
        match result {
            Err(status) if status.reason != Reason::NotFound && !is_namespace_terminating(&status) => {
                self.queue.retry(namespace, context.api.now());
            }
            _ => self.queue.forget(&namespace),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}
