//! EndpointSlices (`pkg/registry/discovery/endpointslice/strategy.go`, `pkg/apis/discovery/validation`).
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointHints, EndpointPort, EndpointSlice};

use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::ip::{
    parse_ip_sloppy, validate_endpoint_ip, validate_ip, validate_ip_for_legacy_field, warnings_for_ip,
};
use crate::api::validation::label_selector::validate_labels;
use crate::api::validation::names::{
    is_label_value, name_is_dns_subdomain, validate_dns1123_label, validate_fully_qualified_domain_name,
    validate_qualified_name,
};
use crate::api::validation::object_meta::validate_object_meta;
use crate::api::validation::{invalid_each, validate_immutable};

/// Who made a slice; slices of the cluster's own controllers need no warnings.
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLERS: [&str; 2] = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

const MAX_ENDPOINTS: usize = 1000;
const MAX_ADDRESSES: usize = 100;
const MAX_PORTS: usize = 20_000;
const MAX_HINTS: usize = 8;

impl Strategy for EndpointSlice {
    fn set_defaults(&mut self) {
        for port in self.ports.iter_mut().flatten() {
            port.name.get_or_insert_default();
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
        }
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
        drop_topology(self);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        let same = self.endpoints == old.endpoints
            && self.ports == old.ports
            && self.address_type == old.address_type
            && self.metadata.labels == old.metadata.labels;
        if !same {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
        if self.endpoints != old.endpoints {
            drop_topology(self);
        }
    }

    fn validate(&self) -> ErrorList {
        validate(self, None)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate(self, Some(old));
        errors.extend(validate_immutable(&self.address_type, &old.address_type, &Path::root("addressType")));
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        if old.is_none() && self.address_type == "FQDN" {
            warnings.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        let managed_by = self.metadata.labels.as_ref().and_then(|labels| labels.get(MANAGED_BY));
        if managed_by.is_some_and(|name| CONTROLLERS.contains(&name.as_str())) {
            return warnings;
        }
        let root = Path::root("endpoints");
        for (i, endpoint) in self.endpoints.iter().flatten().enumerate() {
            for (j, address) in endpoint.addresses.iter().enumerate() {
                let (endpoint, addresses) = (root.index(i), "addresses");
                warnings.extend(warnings_for_ip(address, &endpoint.child(addresses).index(j)));
            }
        }
        warnings
    }
}

/// `dropTopologyOnV1`: the old form of `nodeName` and `zone` is not written through v1.
fn drop_topology(slice: &mut EndpointSlice) {
    for endpoint in slice.endpoints.iter_mut().flatten() {
        endpoint.deprecated_topology = None;
    }
}

/// `ValidateEndpointSlice`.
fn validate(slice: &EndpointSlice, old: Option<&EndpointSlice>) -> ErrorList {
    let mut errors = validate_object_meta(&slice.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let address_type = Path::root("addressType");
    match slice.address_type.as_str() {
        "" => errors.push(address_type.required("")),
        "IPv4" | "IPv6" | "FQDN" => {}
        other => errors.push(address_type.not_supported(other, &["FQDN", "IPv4", "IPv6"])),
    }
    errors.extend(validate_ports(slice.ports.as_deref().unwrap_or_default(), &Path::root("ports")));
    // endpoints that an older server took may stay
    if old.is_none_or(|old| old.endpoints != slice.endpoints) {
        let endpoints = slice.endpoints.as_deref().unwrap_or_default();
        errors.extend(validate_endpoints(endpoints, &slice.address_type, &Path::root("endpoints")));
    }
    errors
}

/// `validateEndpoints`.
fn validate_endpoints(endpoints: &[Endpoint], address_type: &str, path: &Path<'_>) -> ErrorList {
    if endpoints.len() > MAX_ENDPOINTS {
        return vec![path.too_many(endpoints.len(), MAX_ENDPOINTS)];
    }
    let mut errors = Vec::new();
    for (i, endpoint) in endpoints.iter().enumerate() {
        let path = path.index(i);
        let addresses = path.child("addresses");
        match endpoint.addresses.len() {
            0 => errors.push(addresses.required("must contain at least 1 address")),
            number if number > MAX_ADDRESSES => errors.push(addresses.too_many(number, MAX_ADDRESSES)),
            _ => {}
        }
        for (j, address) in endpoint.addresses.iter().enumerate() {
            errors.extend(validate_address(address, address_type, &addresses, j));
        }
        if let Some(name) = &endpoint.node_name {
            errors.extend(invalid_each(&path.child("nodeName"), name, name_is_dns_subdomain(name, false)));
        }
        errors.extend(validate_labels(endpoint.deprecated_topology.as_ref(), &path.child("deprecatedTopology")));
        if let Some(hostname) = &endpoint.hostname {
            errors.extend(validate_dns1123_label(hostname, &path.child("hostname")));
        }
        if let Some(hints) = &endpoint.hints {
            errors.extend(validate_hints(hints, &path.child("hints")));
        }
    }
    errors
}

/// One address of a type; those of unknown types are not looked at.
fn validate_address(address: &str, address_type: &str, path: &Path<'_>, index: usize) -> ErrorList {
    let own = path.index(index);
    let (mut errors, wants_ipv4) = match address_type {
        "IPv4" => (validate_ip_for_legacy_field(address, &[], &own), true),
        "IPv6" => (validate_ip(address, &own), false),
        "FQDN" => return validate_fully_qualified_domain_name(address, &own),
        _ => return Vec::new(),
    };
    if errors.is_empty() {
        if parse_ip_sloppy(address).is_some_and(|ip| ip.is_ipv4() != wants_ipv4) {
            errors.push(path.invalid(address, format!("must be an {address_type} address")));
        }
        errors.extend(validate_endpoint_ip(address, &own));
    }
    errors
}

/// `validatePorts`.
fn validate_ports(ports: &[EndpointPort], path: &Path<'_>) -> ErrorList {
    if ports.len() > MAX_PORTS {
        return vec![path.too_many(ports.len(), MAX_PORTS)];
    }
    let mut errors = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            errors.extend(validate_dns1123_label(name, &path.child("name")));
        }
        if !names.insert(name) {
            errors.push(path.child("name").duplicate(name));
        }
        match port.protocol.as_deref().unwrap_or_default() {
            "TCP" | "UDP" | "SCTP" => {}
            other => errors.push(path.child("protocol").not_supported(other, &["SCTP", "TCP", "UDP"])),
        }
        if let Some(protocol) = &port.app_protocol {
            errors.extend(validate_qualified_name(protocol, &path.child("appProtocol")));
        }
    }
    errors
}

/// `validateHints`.
fn validate_hints(hints: &EndpointHints, path: &Path<'_>) -> ErrorList {
    let zones: Vec<&str> = hints.for_zones.iter().flatten().map(|zone| zone.name.as_str()).collect();
    let nodes: Vec<&str> = hints.for_nodes.iter().flatten().map(|node| node.name.as_str()).collect();
    let mut errors = Vec::new();
    for (field, names, rule) in [
        ("forZones", zones, (|name| is_label_value(name)) as fn(&str) -> Vec<String>),
        ("forNodes", nodes, |name| name_is_dns_subdomain(name, false)),
    ] {
        let path = path.child(field);
        if names.len() > MAX_HINTS {
            errors.push(path.too_many(names.len(), MAX_HINTS));
            return errors;
        }
        for (i, name) in names.iter().enumerate() {
            let item = path.index(i);
            let path = item.child("name");
            if names.iter().take(i).any(|other| other == name) {
                errors.push(path.duplicate(*name));
            }
            errors.extend(invalid_each(&path, name, rule(name)));
        }
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(slice: serde_json::Value) -> Vec<String> {
        let mut slice: EndpointSlice = serde_json::from_value(slice).unwrap();
        slice.metadata.name = Some("a".to_owned());
        slice.metadata.namespace = Some("default".to_owned());
        slice.set_defaults();
        slice.validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_is_of_the_type_and_can_be_reached() {
        let of = |address: &str| errors(json!({"addressType": "IPv4", "endpoints": [{"addresses": [address]}]}));
        assert_eq!(of("10.0.0.1"), [""; 0]);
        assert_eq!(
            of("127.0.0.1"),
            [
                "endpoints[0].addresses[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"
            ]
        );
        assert_eq!(
            of("2001:db8::1"),
            ["endpoints[0].addresses: Invalid value: \"2001:db8::1\": must be an IPv4 address"]
        );
        assert_eq!(of("mysql").len(), 1);
    }

    #[test]
    fn ports_have_names_of_their_own() {
        let found = errors(json!({"addressType": "IPv4", "endpoints": [], "ports": [{"port": 1}, {"port": 2}]}));
        assert_eq!(found, ["ports[1].name: Duplicate value: \"\""]);
    }

    #[test]
    fn an_endpoint_has_an_address_and_a_slice_a_type() {
        assert_eq!(
            errors(json!({"addressType": "", "endpoints": [{"addresses": []}]})),
            ["addressType: Required value", "endpoints[0].addresses: Required value: must contain at least 1 address"]
        );
    }
}
