//! Why a name does not resolve.
use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

use super::{CLUSTER_DOMAIN, candidates};
use crate::api::Store;
use crate::api::kinds::service::{is_headless, type_of};
use crate::api::label_selector::matches_map;
use crate::api::object::ApiObject;
use crate::controllers::endpoint_slice::SERVICE_NAME;

/// Why there is no answer, from what says least to what says most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum WhyNot {
    /// The name is not below `cluster.local`.
    OutsideTheCluster,
    /// The pod asks the DNS of its node.
    NotTheClustersDns,
    /// Below `cluster.local`, but not in a form that means anything.
    NoSuchForm,
    NoNamespace {
        namespace: String,
    },
    NoService {
        namespace: String,
        service: String,
    },
    /// No pod of the namespace has the address.
    NoPodWithAddress {
        namespace: String,
        address: String,
    },
    /// A headless Service without a ready pod; `waiting` are those that are not ready.
    NoReadyPods {
        namespace: String,
        service: String,
        waiting: Vec<String>,
    },
    /// The Service has no port of this name and protocol.
    NoPort {
        service: String,
        port: String,
        ports: Vec<String>,
    },
    /// A Service of type ExternalName has nothing below it.
    BelowExternalName {
        service: String,
    },
    NoPod {
        namespace: String,
        pod: String,
    },
    /// The pod is not one of the Service's.
    NotSelected {
        pod: String,
        service: String,
    },
    NotReady {
        pod: String,
    },
    /// The pod has no `hostname`, or another one.
    OtherHostname {
        pod: String,
        hostname: Option<String>,
    },
    /// The pod has no `subdomain`, or another one than the Service's name.
    OtherSubdomain {
        pod: String,
        subdomain: Option<String>,
        service: String,
    },
}

/// Why a name that [`resolve`](super::resolve) does not find is not there.
pub fn explain(store: &Store, name: &str, from: Option<&Pod>) -> WhyNot {
    match candidates(name, from) {
        None => WhyNot::NotTheClustersDns,
        Some(names) => {
            // the first of those that say most
            let mut best = WhyNot::OutsideTheCluster;
            for why in names.iter().map(|name| explain_full(store, name)) {
                if std::mem::discriminant(&why) != std::mem::discriminant(&best) && why > best {
                    best = why;
                }
            }
            best
        }
    }
}

fn explain_full(store: &Store, name: &str) -> WhyNot {
    let name = name.trim_end_matches('.').to_lowercase();
    let Some(below) = name.strip_suffix(CLUSTER_DOMAIN).and_then(|rest| rest.strip_suffix('.')) else {
        return WhyNot::OutsideTheCluster;
    };
    let mut labels: Vec<&str> = below.split('.').collect();
    let (Some(kind), Some(namespace)) = (labels.pop(), labels.pop()) else { return WhyNot::NoSuchForm };
    if !matches!((kind, labels.len()), ("pod", 1) | ("svc", 1..=3)) {
        return WhyNot::NoSuchForm;
    }
    let namespace = namespace.to_owned();
    if store.get::<Namespace>("", &namespace).is_none() {
        return WhyNot::NoNamespace { namespace };
    }
    match labels.as_slice() {
        [address] if kind == "pod" => WhyNot::NoPodWithAddress { address: address.replace('-', "."), namespace },
        [.., service] => {
            let service = (*service).to_owned();
            let Some(found) = store.get::<Service>(&namespace, &service) else {
                return WhyNot::NoService { namespace, service };
            };
            below_service(store, found, &labels)
        }
        [] => WhyNot::NoSuchForm,
    }
}

fn below_service(store: &Store, service: &Service, labels: &[&str]) -> WhyNot {
    let (namespace, name) = (service.namespace().to_owned(), service.name().to_owned());
    let spec = service.spec.clone().unwrap_or_default();
    if type_of(&spec) == "ExternalName" && labels.len() > 1 {
        return WhyNot::BelowExternalName { service: name };
    }
    match labels {
        [port, protocol, _] if port.starts_with('_') && protocol.starts_with('_') => {
            let known = |p: &k8s_openapi::api::core::v1::ServicePort| {
                let protocol = p.protocol.as_deref().unwrap_or("TCP").to_lowercase();
                p.name.as_deref().map(|name| format!("_{name}._{protocol}"))
            };
            let ports: Vec<String> = spec.ports.iter().flatten().filter_map(known).collect();
            let port = format!("{port}.{protocol}");
            match ports.contains(&port) && is_headless(&spec) {
                true => WhyNot::NoReadyPods { waiting: waiting(store, service), namespace, service: name },
                false => WhyNot::NoPort { service: name, port, ports },
            }
        }
        [hostname, _] => below_headless(store, service, hostname),
        [_] => WhyNot::NoReadyPods { waiting: waiting(store, service), namespace, service: name },
        _ => WhyNot::NoSuchForm,
    }
}

/// `HOSTNAME.SERVICE.NAMESPACE.svc`: the pod that is probably meant is the one with that name or hostname.
fn below_headless(store: &Store, service: &Service, hostname: &str) -> WhyNot {
    let (namespace, name) = (service.namespace(), service.name());
    let named = store.get::<Pod>(namespace, hostname);
    let with_hostname = || {
        store
            .list_in::<Pod>(namespace)
            .find(|pod| pod.spec.as_ref().is_some_and(|s| s.hostname.as_deref() == Some(hostname)))
    };
    let Some(pod) = named.or_else(with_hostname) else {
        return WhyNot::NoPod { namespace: namespace.to_owned(), pod: hostname.to_owned() };
    };
    let (pod_name, spec) = (pod.name().to_owned(), pod.spec.clone().unwrap_or_default());
    let selector = service.spec.as_ref().and_then(|s| s.selector.as_ref());
    if selector.is_none_or(|s| s.is_empty() || !matches_map(Some(s), pod.metadata.labels.as_ref())) {
        return WhyNot::NotSelected { pod: pod_name, service: name.to_owned() };
    }
    if spec.subdomain.as_deref() != Some(name) {
        return WhyNot::OtherSubdomain { pod: pod_name, subdomain: spec.subdomain, service: name.to_owned() };
    }
    if spec.hostname.as_deref() != Some(hostname) {
        return WhyNot::OtherHostname { pod: pod_name, hostname: spec.hostname };
    }
    WhyNot::NotReady { pod: pod_name }
}

/// The pods of a Service that are not ready.
fn waiting(store: &Store, service: &Service) -> Vec<String> {
    let slices = store.list_in::<EndpointSlice>(service.namespace());
    let own = slices.filter(|slice| slice.label(SERVICE_NAME) == Some(service.name()));
    let not_ready = |e: &&Endpoint| e.conditions.as_ref().and_then(|c| c.ready) == Some(false);
    let mut pods: Vec<String> = own
        .flat_map(|slice| slice.endpoints.iter().flatten().filter(not_ready))
        .filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.clone())
        .collect();
    pods.sort();
    pods.dedup();
    pods
}
