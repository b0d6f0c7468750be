//! From a pod to an endpoint (`k8s.io/endpointslice/utils.go`).
use k8s_openapi::api::core::v1::{Node, ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::kinds::service::is_headless;
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::{is_pod_ready, is_pod_terminal, node_name};

/// Whether a pod has an address to list (`ShouldPodBeInEndpoints`).
pub(in crate::controllers) fn has_address(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let ip = status.and_then(|s| s.pod_ip.as_deref()).is_some_and(|ip| !ip.is_empty());
    !is_pod_terminal(pod) && (ip || status.and_then(|s| s.pod_ips.as_ref()).is_some_and(|ips| !ips.is_empty()))
}

/// `podToEndpoint`.
pub(in crate::controllers) fn pod_to_endpoint(pod: &Pod, node: Option<&Node>, service: &Service) -> Endpoint {
    let spec = service.spec.as_ref();
    let (serving, terminating) = (is_pod_ready(pod), pod.is_terminating());
    let publish = spec.is_some_and(|s| s.publish_not_ready_addresses == Some(true));
    let status = pod.status.as_ref();
    let ips = status.and_then(|s| s.pod_ips.as_ref()).into_iter().flatten().map(|ip| ip.ip.clone());
    let addresses = ips.filter(|ip| ip.parse::<std::net::Ipv4Addr>().is_ok()).collect();
    let pod_spec = pod.spec.as_ref();
    let hostname = pod_spec.and_then(|s| s.hostname.clone()).filter(|h| !h.is_empty());
    let subdomain = pod_spec.and_then(|s| s.subdomain.as_deref()).unwrap_or_default();
    let zone = node.and_then(|n| n.label("topology.kubernetes.io/zone")).filter(|z| !z.is_empty());
    Endpoint {
        addresses,
        conditions: Some(EndpointConditions {
            ready: Some(publish || serving && !terminating),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: hostname.filter(|_| subdomain == service.name()),
        node_name: Some(node_name(pod).to_owned()).filter(|n| !n.is_empty()),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".to_owned()),
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            ..Default::default()
        }),
        zone: zone.map(str::to_owned),
        ..Default::default()
    }
}

/// The Service's ports as they are on a pod; ports that the pod does not have are left out (`getEndpointPorts`).
pub(super) fn endpoint_ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let Some(spec) = service.spec.as_ref() else { return Vec::new() };
    let ports = spec.ports.as_deref().unwrap_or_default();
    if ports.is_empty() && is_headless(spec) {
        return Vec::new();
    }
    let mut ports: Vec<EndpointPort> = ports
        .iter()
        .filter_map(|port| {
            Some(EndpointPort {
                name: Some(port.name.clone().unwrap_or_default()),
                port: Some(find_port(pod, port)?),
                protocol: port.protocol.clone(),
                app_protocol: port.app_protocol.clone(),
            })
        })
        .collect();
    ports.sort_by_key(hash);
    ports
}

/// The number of a Service's target port on a pod (`FindPort`).
pub(in crate::controllers) fn find_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    let name = match port.target_port.as_ref()? {
        IntOrString::Int(number) => return Some(*number),
        IntOrString::String(name) => name,
    };
    let spec = pod.spec.as_ref()?;
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let mut same =
        ports.filter(|p| p.name.as_ref() == Some(name) && p.protocol.as_deref().unwrap_or("TCP") == protocol);
    same.next().map(|p| p.container_port)
}

/// What the ports of a slice are sorted by: FNV-1a of how Go's `spew` prints the struct (`deepHashObjectToString`).
pub(in crate::controllers) fn hash(port: &EndpointPort) -> u128 {
    let pointer = |type_: &str, value: Option<&dyn std::fmt::Display>| match value {
        Some(value) => format!("(*{type_}){value}"),
        None => format!("(*{type_})<nil>"),
    };
    let text = format!(
        "(v1.EndpointPort){{Name:{} Protocol:{} Port:{} AppProtocol:{}}}",
        pointer("string", port.name.as_ref().map(|n| n as _)),
        pointer("v1.Protocol", port.protocol.as_ref().map(|p| p as _)),
        pointer("int32", port.port.as_ref().map(|p| p as _)),
        pointer("string", port.app_protocol.as_ref().map(|p| p as _)),
    );
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = (1 << 88) + 0x13b;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
