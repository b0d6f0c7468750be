//! Host names, host ports, DNS and host aliases (`validatePodDNSConfig`, `validatePodHostNetworkDeps`,
//! `validatePodHostName`, `ValidateHostAliases` of `pkg/apis/core/validation`).
use k8s_openapi::api::core::v1::{HostAlias, PodSpec};

use super::{PodValidationOptions, text};
use crate::api::field::{ErrorList, Path};
use crate::api::validation::invalid_each;
use crate::api::validation::ip::validate_ip_for_legacy_field;
use crate::api::validation::names::{is_dns1123_subdomain_with_underscore, validate_dns1123_subdomain};

/// `spec.dnsPolicy`.
pub(super) fn validate_dns_policy(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    match text(&spec.dns_policy) {
        "" => vec![path.required("")],
        policy if policies.contains(&policy) => Vec::new(),
        other => vec![path.not_supported(other, &policies)],
    }
}

/// `spec.dnsConfig`.
pub(super) fn validate_dns_config(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let config = spec.dns_config.as_ref();
    let nameservers = config.and_then(|c| c.nameservers.as_deref()).unwrap_or_default();
    if text(&spec.dns_policy) == "None" {
        if config.is_none() {
            return vec![path.required("must provide `dnsConfig` when `dnsPolicy` is None")];
        }
        if nameservers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return vec![path.child("nameservers").required(why)];
        }
    }
    let Some(config) = config else { return Vec::new() };
    let mut errors = Vec::new();
    let nameservers_path = path.child("nameservers");
    if nameservers.len() > 3 {
        errors.push(nameservers_path.invalid(nameservers.to_vec(), "must not have more than 3 nameservers"));
    }
    for (i, address) in nameservers.iter().enumerate() {
        errors.extend(validate_ip_for_legacy_field(address, &[], &nameservers_path.index(i)));
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    let searches_path = path.child("searches");
    if searches.len() > 32 {
        errors.push(searches_path.invalid(searches.to_vec(), "must not have more than 32 search paths"));
    }
    if searches.join(" ").len() > 2048 {
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        errors.push(searches_path.invalid(searches.to_vec(), why));
    }
    for (i, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        errors.extend(invalid_each(&searches_path.index(i), search, is_dns1123_subdomain_with_underscore(search)));
    }
    let options = path.child("options");
    for (i, option) in config.options.iter().flatten().enumerate() {
        if text(&option.name).is_empty() {
            errors.push(options.index(i).required("must not be empty"));
        }
    }
    errors
}

/// With the node's network a container port is the node's port.
pub(super) fn validate_host_network_ports(
    spec: &PodSpec,
    path: &Path<'_>,
    options: &PodValidationOptions,
) -> ErrorList {
    if spec.host_network != Some(true) {
        return Vec::new();
    }
    let mut errors = Vec::new();
    let containers = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let path = containers.index(i);
        let ports = path.child("ports");
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if (options.resource_is_pod || host_port != 0) && host_port != port.container_port {
                let why = "must match `containerPort` when `hostNetwork` is true";
                errors.push(ports.index(j).child("hostPort").invalid(host_port, why));
            }
        }
    }
    errors
}

/// `spec.hostnameOverride`.
pub(super) fn validate_hostname_override(spec: &PodSpec, path: &Path<'_>) -> ErrorList {
    let Some(hostname) = spec.hostname_override.as_deref() else { return Vec::new() };
    let path = path.child("hostnameOverride");
    let mut errors = Vec::new();
    if spec.set_hostname_as_fqdn == Some(true) {
        errors.push(path.forbidden("may not be specified when setHostnameAsFQDN is true"));
    }
    if spec.host_network == Some(true) {
        errors.push(path.forbidden("may not be specified when hostNetwork is true"));
    }
    if hostname.len() > 64 {
        errors.push(path.too_long(64));
    }
    errors.extend(validate_dns1123_subdomain(hostname, &path));
    errors
}

/// `spec.hostAliases`.
pub(super) fn validate_host_aliases(aliases: &[HostAlias], path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    for (i, alias) in aliases.iter().enumerate() {
        let path = path.index(i);
        errors.extend(validate_ip_for_legacy_field(&alias.ip, &[], &path.child("ip")));
        let list = path.child("hostnames");
        for (j, name) in alias.hostnames.iter().flatten().enumerate() {
            errors.extend(validate_dns1123_subdomain(name, &list.index(j)));
        }
    }
    errors
}
