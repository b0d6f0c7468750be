//! The publisher of the cluster's certificate authority: every namespace has a ConfigMap `kube-root-ca.crt`
//! (`pkg/controller/certificates/rootcacertpublisher`).
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::service_account::is_active;
use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};

const NAME: &str = "kube-root-ca.crt";
const DESCRIPTION: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the \
     internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes \
     clusters.",
);
/// Nobody checks certificates here.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n";

/// Creates missing ConfigMaps and undoes changes to them. Keys are namespaces.
#[derive(Clone, Default)]
pub struct RootCaCertPublisher {
    queue: WorkQueue<String>,
}

impl Reconciler for RootCaCertPublisher {
    fn name(&self) -> &'static str {
        "root-ca-cert-publisher"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(namespace))) = change.of::<Namespace>() {
            self.queue.add(namespace.name().to_owned());
        }
        if let Some((Some(old), _)) = change.of::<ConfigMap>()
            && old.name() == NAME
        {
            self.queue.add(old.namespace().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(namespace) = self.queue.pop(context.api.now()) else { return false };
        if is_active(context.api.store(), &namespace) {
            publish(context, namespace);
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

fn publish(context: &mut Context<'_>, namespace: String) {
    let data = Some([("ca.crt".to_owned(), CERTIFICATE.to_owned())].into());
    let (key, text) = DESCRIPTION;
    match context.api.get::<ConfigMap>(&namespace, NAME) {
        None => {
            let annotations = Some([(key.to_owned(), text.to_owned())].into());
            let metadata = ObjectMeta {
                name: Some(NAME.to_owned()),
                namespace: Some(namespace),
                annotations,
                ..Default::default()
            };
            // refused (a quota may do that): tried again when the namespace changes
            let _ = context.api.create(ConfigMap { metadata, data, ..Default::default() });
        }
        Some(map) if map.data != data || map.annotation(key) != Some(text) => {
            let mut map = ConfigMap::clone(map);
            map.data = data;
            map.set_annotation(key, text);
            let _ = context.api.update(map);
        }
        Some(_) => {}
    }
}
