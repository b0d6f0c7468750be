//! Why a name does not resolve.
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

use super::{Answer, CLUSTER_DOMAIN, candidates};
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
    /// `elsewhere` are the namespaces that have a Service of this name.
    NoService {
        namespace: String,
        service: String,
        elsewhere: Vec<String>,
    },
    /// No pod of the namespace has the address.
    NoPodWithAddress {
        namespace: String,
        address: String,
    },
    /// A headless Service without a ready pod; `waiting` are those that are not ready, `selector` is `app=web,tier=front`.
    NoReadyPods {
        namespace: String,
        service: String,
        selector: String,
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
    /// `pods` are those that the Service has.
    NoPod {
        namespace: String,
        pod: String,
        pods: Vec<String>,
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
    /// The pod's StatefulSet has another `serviceName` than the Service's name.
    OtherServiceName {
        set: String,
        service_name: String,
        service: String,
    },
    /// The Service has an address of its own, its name does not lead to pods.
    NotHeadless {
        service: String,
        address: String,
    },
    /// The Service has no address of its own, its name leads to pods.
    Headless {
        service: String,
    },
    /// Pods that the Service has although they were not meant.
    AlsoSelected {
        pods: Vec<String>,
        service: String,
        selector: String,
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
                return no_service(store, namespace, service);
            };
            below_service(store, found, &labels)
        }
        [] => WhyNot::NoSuchForm,
    }
}

fn no_service(store: &Store, namespace: String, service: String) -> WhyNot {
    let same_name = store.list::<Service>().filter(|other| other.name() == service);
    let elsewhere = same_name.map(|other| other.namespace().to_owned()).collect();
    WhyNot::NoService { namespace, service, elsewhere }
}

/// `app=web,tier=front`; empty if the Service has none.
fn selector_of(service: &Service) -> String {
    let labels = service.spec.as_ref().and_then(|s| s.selector.as_ref()).into_iter().flatten();
    labels.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

fn no_ready_pods(store: &Store, service: &Service) -> WhyNot {
    WhyNot::NoReadyPods {
        namespace: service.namespace().to_owned(),
        service: service.name().to_owned(),
        selector: selector_of(service),
        waiting: waiting(store, service),
    }
}

fn selects(service: &Service, pod: &Pod) -> bool {
    let selector = service.spec.as_ref().and_then(|s| s.selector.as_ref());
    selector.is_some_and(|s| !s.is_empty() && matches_map(Some(s), pod.metadata.labels.as_ref()))
}

fn no_pod(store: &Store, service: &Service, pod: &str) -> WhyNot {
    let own = store.list_in::<Pod>(service.namespace()).filter(|pod| selects(service, pod));
    let pods = own.map(|pod| pod.name().to_owned()).collect();
    WhyNot::NoPod { namespace: service.namespace().to_owned(), pod: pod.to_owned(), pods }
}

/// The Service that a full name below `svc.cluster.local` is about, and the labels in front of it.
fn service_of<'a>(store: &'a Store, name: &str) -> Option<(&'a Service, usize)> {
    let below = name.trim_end_matches('.').strip_suffix(CLUSTER_DOMAIN)?.strip_suffix(".svc.")?;
    let mut labels: Vec<&str> = below.split('.').collect();
    let (namespace, service) = (labels.pop()?, labels.pop()?);
    Some((store.get::<Service>(namespace, service)?, labels.len()))
}

/// Why a name that was found does not lead to a pod that was meant; `pod` is its name. None if nothing speaks against it.
pub fn not_to_pod(store: &Store, answer: &Answer, pod: &str) -> Option<WhyNot> {
    let full = answer.aliases.last().or(answer.name.as_ref())?;
    let (service, before) = service_of(store, full)?;
    let spec = service.spec.clone().unwrap_or_default();
    let name = service.name().to_owned();
    if before == 0 && !is_headless(&spec) {
        return Some(WhyNot::NotHeadless { service: name, address: spec.cluster_ip.unwrap_or_default() });
    }
    let Some(found) = store.get::<Pod>(service.namespace(), pod) else { return Some(no_pod(store, service, pod)) };
    if !selects(service, found) {
        return Some(WhyNot::NotSelected { pod: pod.to_owned(), service: name });
    }
    if before > 0 {
        let hostname = found.spec.as_ref().and_then(|s| s.hostname.clone());
        return Some(WhyNot::OtherHostname { pod: pod.to_owned(), hostname });
    }
    waiting(store, service).iter().any(|name| name == pod).then(|| WhyNot::NotReady { pod: pod.to_owned() })
}

/// Why a name that was found leads to other pods than were meant.
pub fn also_to_pods(store: &Store, answer: &Answer, pods: Vec<String>) -> Option<WhyNot> {
    let (service, before) = service_of(store, answer.aliases.last().or(answer.name.as_ref())?)?;
    let selector = selector_of(service);
    (before == 0 && !pods.is_empty() && !selector.is_empty()).then(|| WhyNot::AlsoSelected {
        pods,
        service: service.name().to_owned(),
        selector,
    })
}

/// Why a name that was found does not lead to the address of a Service.
pub fn not_to_service(store: &Store, answer: &Answer, namespace: &str, name: &str) -> Option<WhyNot> {
    let Some(service) = store.get::<Service>(namespace, name) else {
        return Some(no_service(store, namespace.to_owned(), name.to_owned()));
    };
    let (found, _) = service_of(store, answer.name.as_ref()?)?;
    let same = (found.namespace(), found.name()) == (namespace, name);
    let headless = service.spec.as_ref().is_some_and(is_headless);
    (same && headless).then(|| WhyNot::Headless { service: name.to_owned() })
}

fn below_service(store: &Store, service: &Service, labels: &[&str]) -> WhyNot {
    let name = service.name().to_owned();
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
                true => no_ready_pods(store, service),
                false => WhyNot::NoPort { service: name, port, ports },
            }
        }
        [hostname, _] => below_headless(store, service, hostname),
        [_] => no_ready_pods(store, service),
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
        return no_pod(store, service, hostname);
    };
    let (pod_name, spec) = (pod.name().to_owned(), pod.spec.clone().unwrap_or_default());
    if !selects(service, pod) {
        return WhyNot::NotSelected { pod: pod_name, service: name.to_owned() };
    }
    if spec.subdomain.as_deref() != Some(name) {
        // the pod got its subdomain from the set
        let owner = pod.metadata.owner_references.iter().flatten().find(|owner| owner.kind == "StatefulSet");
        if let Some(set) = owner.and_then(|owner| store.get::<StatefulSet>(namespace, &owner.name)) {
            let service_name = set.spec.as_ref().and_then(|s| s.service_name.clone()).unwrap_or_default();
            if service_name != name {
                let (set, service) = (set.name().to_owned(), name.to_owned());
                return WhyNot::OtherServiceName { set, service_name, service };
            }
        }
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
