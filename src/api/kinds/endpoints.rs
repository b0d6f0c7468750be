//! Endpoints (`pkg/registry/core/endpoint/strategy.go`, `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints};

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::ip::{validate_endpoint_ip, validate_ip_for_legacy_field, warnings_for_ip};
use crate::api::validation::names::{name_is_dns_subdomain, validate_dns1123_label, validate_qualified_name};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::ports::validate_port_num;

/// The label of Endpoints that the endpoints controller made, and its value.
pub const MANAGED_BY: (&str, &str) = ("endpoints.kubernetes.io/managed-by", "endpoint-controller");

/// Whether the endpoints controller made them.
pub fn is_managed(endpoints: &Endpoints) -> bool {
    let labels = endpoints.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(MANAGED_BY.0)).is_some_and(|manager| manager == MANAGED_BY.1)
}

impl Strategy for Endpoints {
    fn set_defaults(&mut self) {
        for port in self.subsets.iter_mut().flatten().flat_map(|s| s.ports.iter_mut().flatten()) {
            let protocol = port.protocol.get_or_insert_default();
            if protocol.is_empty() {
                "TCP".clone_into(protocol);
            }
        }
    }

    fn validate(&self) -> ErrorList {
        validate(self, None)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        errors.extend(validate(self, Some(old)));
        errors
    }

    /// `endpointsWarnings`.
    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        if is_managed(self) {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        let root = Path::root("subsets");
        for (i, subset) in self.subsets.iter().flatten().enumerate() {
            for (field, addresses) in
                [("addresses", &subset.addresses), ("notReadyAddresses", &subset.not_ready_addresses)]
            {
                for (j, address) in addresses.iter().flatten().enumerate() {
                    let path = root.index(i);
                    warnings.extend(warnings_for_ip(&address.ip, &path.child(field).index(j).child("ip")));
                }
            }
        }
        warnings
    }
}

/// `ValidateEndpoints`.
fn validate(endpoints: &Endpoints, old: Option<&Endpoints>) -> ErrorList {
    let mut errors = validate_object_meta(&endpoints.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    // subsets that an older server took may stay
    if old.is_none_or(|old| old.subsets != endpoints.subsets) {
        let root = Path::root("subsets");
        for (i, subset) in endpoints.subsets.iter().flatten().enumerate() {
            errors.extend(validate_subset(subset, &root.index(i)));
        }
    }
    errors
}

/// One item of `validateEndpointSubsets`.
fn validate_subset(subset: &EndpointSubset, path: &Path<'_>) -> ErrorList {
    let (ready, not_ready) = (subset.addresses.as_deref(), subset.not_ready_addresses.as_deref());
    let (ready, not_ready) = (ready.unwrap_or_default(), not_ready.unwrap_or_default());
    let mut errors = Vec::new();
    if ready.is_empty() && not_ready.is_empty() {
        errors.push(path.required("must specify `addresses` or `notReadyAddresses`"));
    }
    for (field, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
        for (i, address) in addresses.iter().enumerate() {
            errors.extend(validate_address(address, &path.child(field).index(i)));
        }
    }
    let ports = subset.ports.as_deref().unwrap_or_default();
    for (i, port) in ports.iter().enumerate() {
        errors.extend(validate_port(port, ports.len() > 1, &path.child("ports").index(i)));
    }
    errors
}

/// `validateEndpointAddress`.
fn validate_address(address: &EndpointAddress, path: &Path<'_>) -> ErrorList {
    let ip = path.child("ip");
    let mut errors = validate_ip_for_legacy_field(&address.ip, &[], &ip);
    if let Some(hostname) = address.hostname.as_deref().filter(|h| !h.is_empty()) {
        errors.extend(validate_dns1123_label(hostname, &path.child("hostname")));
    }
    if let Some(node) = &address.node_name {
        errors.extend(invalid_each(&path.child("nodeName"), node, name_is_dns_subdomain(node, false)));
    }
    errors.extend(validate_endpoint_ip(&address.ip, &ip));
    errors
}

/// `validateEndpointPort`.
fn validate_port(port: &EndpointPort, require_name: bool, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    match port.name.as_deref().unwrap_or_default() {
        "" if require_name => errors.push(path.child("name").required("")),
        "" => {}
        name => errors.extend(validate_dns1123_label(name, &path.child("name"))),
    }
    errors.extend(validate_port_num(port.port, &path.child("port")));
    match port.protocol.as_deref().unwrap_or_default() {
        "" => errors.push(path.child("protocol").required("")),
        "TCP" | "UDP" | "SCTP" => {}
        other => errors.push(path.child("protocol").not_supported(other, &["SCTP", "TCP", "UDP"])),
    }
    if let Some(protocol) = &port.app_protocol {
        errors.extend(validate_qualified_name(protocol, &path.child("appProtocol")));
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(subset: serde_json::Value) -> Vec<String> {
        let endpoints = json!({"metadata": {"name": "db", "namespace": "default"}, "subsets": [subset]});
        let mut endpoints: Endpoints = serde_json::from_value(endpoints).unwrap();
        endpoints.set_defaults();
        endpoints.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_subset_has_an_address_that_can_be_reached() {
        assert_eq!(
            errors(json!({"ports": [{"port": 80}]})),
            ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]
        );
        assert_eq!(errors(json!({"addresses": [{"ip": "10.0.0.1"}]})), [""; 0]);
        assert_eq!(
            errors(json!({"addresses": [{"ip": "127.0.0.1"}]})),
            [
                "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"
            ]
        );
    }

    #[test]
    fn one_of_several_ports_needs_a_name() {
        let ports = json!([{"port": 80}, {"port": 0, "name": "b"}]);
        assert_eq!(
            errors(json!({"addresses": [{"ip": "10.0.0.1"}], "ports": ports})),
            [
                "subsets[0].ports[0].name: Required value",
                "subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive"
            ]
        );
    }
}
