//! The records of the zone `cluster.local`, made from Services, EndpointSlices and pods when asked for.
use k8s_openapi::api::core::v1::{Namespace, Pod, Service, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};

use super::{Address, CLUSTER_DOMAIN, Server};
use crate::api::Store;
use crate::api::kinds::service::{is_headless, type_of};
use crate::api::object::ApiObject;
use crate::controllers::endpoint_slice::SERVICE_NAME;

/// What there is at a name.
pub(super) enum Records {
    Addresses(Vec<Address>),
    Servers(Vec<Server>),
    Alias(String),
}

/// The records of a full name, `None` if it does not exist.
pub(super) fn lookup(store: &Store, name: &str) -> Option<Records> {
    let name = name.trim_end_matches('.').to_lowercase();
    let below = name.strip_suffix(CLUSTER_DOMAIN)?.strip_suffix('.')?;
    let mut labels: Vec<&str> = below.split('.').collect();
    let kind = labels.pop()?;
    let namespace = labels.pop()?;
    store.get::<Namespace>("", namespace)?;
    match (kind, labels.as_slice()) {
        ("pod", [address]) => lookup_pod(store, namespace, address),
        ("svc", [service]) => lookup_service(store, namespace, service),
        ("svc", [port, protocol, service]) if port.starts_with('_') && protocol.starts_with('_') => {
            lookup_port(store, namespace, service, port.strip_prefix('_')?, protocol.strip_prefix('_')?)
        }
        ("svc", [endpoint, service]) => lookup_endpoint(store, namespace, service, endpoint),
        _ => None,
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}

/// `10-40-2-8.NAMESPACE.pod`: only addresses that a pod of the namespace has.
fn lookup_pod(store: &Store, namespace: &str, address: &str) -> Option<Records> {
    let ip = if address.matches('-').count() == 3 { address.replace('-', ".") } else { address.replace('-', ":") };
    let has_ip = |pod: &Pod| pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()) == Some(&*ip);
    let pod = store.list_in::<Pod>(namespace).find(|p| has_ip(p))?;
    let pod = Some((namespace.to_owned(), pod.name().to_owned()));
    Some(Records::Addresses(vec![Address { ip, pod }]))
}

fn spec_of<'a>(store: &'a Store, namespace: &str, service: &str) -> Option<&'a ServiceSpec> {
    store.get::<Service>(namespace, service)?.spec.as_ref()
}

/// `SERVICE.NAMESPACE.svc`.
fn lookup_service(store: &Store, namespace: &str, service: &str) -> Option<Records> {
    let Some(spec) = spec_of(store, namespace, service) else {
        // every cluster has the Service of the API server
        let api_server = (namespace, service) == ("default", "kubernetes");
        let address = Address { ip: "10.96.0.1".to_owned(), pod: None };
        return api_server.then(|| Records::Addresses(vec![address]));
    };
    if type_of(spec) == "ExternalName" {
        let target = spec.external_name.as_deref()?.trim_end_matches('.').to_owned();
        return target.parse::<std::net::IpAddr>().is_err().then_some(Records::Alias(target));
    }
    if is_headless(spec) {
        let addresses: Vec<Address> = endpoints(store, namespace, service).flat_map(|(_, e)| addresses_of(e)).collect();
        return (!addresses.is_empty()).then(|| Records::Addresses(sorted(addresses)));
    }
    let ips = spec.cluster_ips.iter().flatten().map(|ip| Address { ip: ip.clone(), pod: None });
    Some(Records::Addresses(ips.collect()))
}

/// `HOSTNAME.SERVICE.NAMESPACE.svc`. CoreDNS answers this for Services that are not headless too.
fn lookup_endpoint(store: &Store, namespace: &str, service: &str, hostname: &str) -> Option<Records> {
    spec_of(store, namespace, service).filter(|s| type_of(s) != "ExternalName")?;
    let matching = endpoints(store, namespace, service)
        .flat_map(|(_, e)| addresses_of(e).filter(move |a| endpoint_name(e, &a.ip).eq_ignore_ascii_case(hostname)));
    let addresses: Vec<Address> = matching.collect();
    (!addresses.is_empty()).then(|| Records::Addresses(sorted(addresses)))
}

/// `_PORT._PROTOCOL.SERVICE.NAMESPACE.svc`.
fn lookup_port(store: &Store, namespace: &str, service: &str, port: &str, protocol: &str) -> Option<Records> {
    let spec = spec_of(store, namespace, service).filter(|s| type_of(s) != "ExternalName")?;
    let domain = format!("{service}.{namespace}.svc.{CLUSTER_DOMAIN}");
    let same = |name: Option<&str>, its_protocol: Option<&str>| {
        name.unwrap_or_default().eq_ignore_ascii_case(port)
            && its_protocol.unwrap_or("TCP").eq_ignore_ascii_case(protocol)
    };
    let servers: Vec<Server> = if is_headless(spec) {
        let places = endpoints(store, namespace, service).flat_map(|(ports, endpoint)| {
            let numbers = ports.iter().filter(|p| same(p.name.as_deref(), p.protocol.as_deref()));
            let numbers: Vec<i32> = numbers.filter_map(|p| p.port).collect();
            addresses_of(endpoint).flat_map(move |address| {
                let name = endpoint_name(endpoint, &address.ip);
                numbers.clone().into_iter().map(move |port| (name.clone(), port, address.clone()))
            })
        });
        places.map(|(name, port, address)| Server { target: format!("{name}.{domain}"), port, address }).collect()
    } else {
        let ports = spec.ports.iter().flatten().filter(|p| same(p.name.as_deref(), p.protocol.as_deref()));
        let ips = || spec.cluster_ips.iter().flatten();
        ports
            .flat_map(|p| ips().map(move |ip| (p.port, Address { ip: ip.clone(), pod: None })))
            .map(|(port, address)| Server { target: domain.clone(), port, address })
            .collect()
    };
    (!servers.is_empty()).then(|| Records::Servers(sorted(servers)))
}

/// The ready endpoints of a Service with the ports of their slice.
fn endpoints<'a>(
    store: &'a Store,
    namespace: &str,
    service: &'a str,
) -> impl Iterator<Item = (&'a [EndpointPort], &'a Endpoint)> {
    let slices = store.list_in::<EndpointSlice>(namespace).filter(move |s| s.label(SERVICE_NAME) == Some(service));
    slices.flat_map(|slice| {
        let ports = slice.ports.as_deref().unwrap_or_default();
        let ready = |e: &&Endpoint| e.conditions.as_ref().and_then(|c| c.ready) != Some(false);
        slice.endpoints.iter().flatten().filter(ready).map(move |e| (ports, e))
    })
}

fn addresses_of(endpoint: &Endpoint) -> impl Iterator<Item = Address> {
    let target = endpoint.target_ref.as_ref().filter(|t| t.kind.as_deref() == Some("Pod"));
    let pod = target.and_then(|t| Some((t.namespace.clone()?, t.name.clone()?)));
    endpoint.addresses.iter().map(move |ip| Address { ip: ip.clone(), pod: pod.clone() })
}

/// The first label of an endpoint's own name: its hostname, else its address with dashes.
fn endpoint_name(endpoint: &Endpoint, ip: &str) -> String {
    let hostname = endpoint.hostname.as_deref().filter(|h| !h.is_empty());
    hostname.map_or_else(|| ip.replace(['.', ':'], "-"), str::to_owned)
}
