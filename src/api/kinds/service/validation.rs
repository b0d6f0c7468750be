//! What a Service may say (`ValidateServiceCreate`, `ValidateServiceUpdate` in `pkg/apis/core/validation`,
//! `pkg/api/service/warnings.go`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use serde_json::Value;

use super::{
    cluster_ip, cluster_ips, externally_accessible, ip_families, needs_health_check_port, node_port, policy, ports,
    type_of,
};
use crate::api::field::{ErrorList, ErrorType, FieldError, Path};
use crate::api::kinds::apps::printed;
use crate::api::object::ApiObject;
use crate::api::validation::ip::{
    parse_ip_sloppy, validate_cidr_for_legacy_field, validate_endpoint_ip, validate_ip_for_legacy_field,
    warnings_for_cidr, warnings_for_ip,
};
use crate::api::validation::label_selector::validate_labels;
use crate::api::validation::names::{
    is_valid_port_num, name_is_dns_label, validate_dns1123_label, validate_dns1123_subdomain, validate_qualified_name,
};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};
use crate::api::validation::ports::validate_port_num_or_name;

const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
/// `core.MaxClientIPServiceAffinitySeconds`: one day.
const MAX_CLIENT_IP_SECONDS: i32 = 86_400;
const ONLY_FOR_LOAD_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";

const SPEC: Path<'static> = Path::root("spec");
const META: Path<'static> = Path::root("metadata");

/// `ValidateServiceCreate`.
pub(super) fn validate_create(service: &Service) -> ErrorList {
    let mut errors = validate_object_meta(&service.metadata, true, name_is_dns_label, &META);
    errors.extend(validate_service(service, None));
    errors
}

/// `ValidateServiceUpdate`.
pub(super) fn validate_update(service: &Service, old: &Service) -> ErrorList {
    let mut errors = validate_object_meta_update(&service.metadata, &old.metadata, &META);
    if let (Some(spec), Some(old_spec)) = (&service.spec, &old.spec) {
        errors.extend(validate_changed_cluster_ips(spec, old_spec));
        errors.extend(validate_changed_ip_families(spec, old_spec));
        errors.extend(validate_load_balancer_class(spec, Some(old_spec)));
        let both = needs_health_check_port(old_spec) && needs_health_check_port(spec);
        if both && old_spec.health_check_node_port != spec.health_check_node_port {
            errors.push(SPEC.child("healthCheckNodePort").forbidden("field is immutable"));
        }
    }
    errors.extend(validate_service(service, Some(old)));
    errors
}

/// Whether the only address is `None`.
fn is_headless(spec: &ServiceSpec) -> bool {
    matches!(cluster_ips(spec), [only] if only == "None")
}

fn validate_service(service: &Service, old: Option<&Service>) -> ErrorList {
    let mut errors = ErrorList::new();
    if let (Some(mode), Some(hints)) = (service.annotation(TOPOLOGY_MODE), service.annotation(TOPOLOGY_HINTS))
        && mode != hints
    {
        let detail = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        errors.push(META.child("annotations").key(TOPOLOGY_MODE).invalid(mode, detail));
    }
    let empty = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&empty);
    let old_spec = old.and_then(|o| o.spec.as_ref());
    let ports_path = SPEC.child("ports");
    if ports(spec).is_empty() && !is_headless(spec) && type_of(spec) != "ExternalName" {
        errors.push(ports_path.required(""));
    }
    errors.extend(validate_type(spec));
    let mut names = BTreeSet::new();
    for (i, port) in ports(spec).iter().enumerate() {
        errors.extend(validate_port(port, ports(spec).len() > 1, &mut names, &ports_path.index(i)));
    }
    errors.extend(validate_labels(spec.selector.as_ref(), &SPEC.child("selector")));
    errors.extend(validate_session_affinity(spec));
    errors.extend(validate_cluster_ips_related_fields(spec, old_spec));
    errors.extend(validate_external_ips(spec, old_spec));
    let type_path = SPEC.child("type");
    match type_of(spec) {
        "" => errors.push(type_path.required("")),
        "ClusterIP" | "ExternalName" | "LoadBalancer" | "NodePort" => {}
        other => {
            errors.push(type_path.not_supported(other, &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]));
        }
    }
    errors.extend(validate_node_ports(spec));
    errors.extend(validate_source_ranges(service, spec, old));
    if spec.allocate_load_balancer_node_ports.is_some() && type_of(spec) != "LoadBalancer" {
        errors.push(SPEC.child("allocateLoadBalancerNodePorts").forbidden(ONLY_FOR_LOAD_BALANCERS));
    }
    errors.extend(validate_load_balancer_class(spec, None));
    errors.extend(validate_traffic(spec));
    errors
}

fn validate_type(spec: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let ips_path = SPEC.child("clusterIPs");
    match type_of(spec) {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(spec) => {
            let detail = format!("may not be set to 'None' for {kind} services");
            errors.push(ips_path.index(0).invalid("None", detail));
        }
        "ExternalName" => {
            let detail = "may not be set for ExternalName services";
            if !cluster_ips(spec).is_empty() {
                errors.push(ips_path.forbidden(detail));
            }
            if !ip_families(spec).is_empty() {
                errors.push(SPEC.child("ipFamilies").forbidden(detail));
            }
            if spec.ip_family_policy.is_some() {
                errors.push(SPEC.child("ipFamilyPolicy").forbidden(detail));
            }
            let name = spec.external_name.as_deref().unwrap_or_default();
            let name_path = SPEC.child("externalName");
            match name.strip_suffix('.').unwrap_or(name) {
                "" => errors.push(name_path.required("")),
                name => errors.extend(validate_dns1123_subdomain(name, &name_path)),
            }
        }
        _ => {}
    }
    errors
}

/// `validateServicePort`.
fn validate_port<'a>(
    port: &'a ServicePort,
    require_name: bool,
    names: &mut BTreeSet<&'a str>,
    path: &Path<'_>,
) -> ErrorList {
    let mut errors = ErrorList::new();
    let name_path = path.child("name");
    match port.name.as_deref().unwrap_or_default() {
        "" if require_name => errors.push(name_path.required("")),
        "" => {}
        name => {
            errors.extend(validate_dns1123_label(name, &name_path));
            if !names.insert(name) {
                errors.push(name_path.duplicate(name));
            }
        }
    }
    errors.extend(is_valid_port_num(port.port).into_iter().map(|m| path.child("port").invalid(port.port, m)));
    let protocol_path = path.child("protocol");
    match port.protocol.as_deref().unwrap_or_default() {
        "" => errors.push(protocol_path.required("")),
        "TCP" | "UDP" | "SCTP" => {}
        other => errors.push(protocol_path.not_supported(other, &["SCTP", "TCP", "UDP"])),
    }
    if let Some(target) = &port.target_port {
        errors.extend(validate_port_num_or_name(target, &path.child("targetPort")));
    }
    if let Some(protocol) = &port.app_protocol {
        errors.extend(validate_qualified_name(protocol, &path.child("appProtocol")));
    }
    errors
}

fn validate_session_affinity(spec: &ServiceSpec) -> ErrorList {
    let config_path = SPEC.child("sessionAffinityConfig");
    match spec.session_affinity.as_deref().unwrap_or_default() {
        "" => vec![SPEC.child("sessionAffinity").required("")],
        "None" if spec.session_affinity_config.is_some() => {
            vec![config_path.forbidden("must not be set when session affinity is None")]
        }
        "None" => Vec::new(),
        "ClientIP" => {
            let detail = "when session affinity type is ClientIP";
            let client_ip_path = config_path.child("clientIP");
            let timeout_path = client_ip_path.child("timeoutSeconds");
            let Some(config) = &spec.session_affinity_config else { return vec![config_path.required(detail)] };
            let Some(client_ip) = &config.client_ip else { return vec![client_ip_path.required(detail)] };
            let Some(timeout) = client_ip.timeout_seconds else { return vec![timeout_path.required(detail)] };
            if (1..=MAX_CLIENT_IP_SECONDS).contains(&timeout) {
                return Vec::new();
            }
            let detail = format!("must be greater than 0 and less than {MAX_CLIENT_IP_SECONDS}");
            vec![timeout_path.invalid(timeout, detail)]
        }
        other => vec![SPEC.child("sessionAffinity").not_supported(other, &["ClientIP", "None"])],
    }
}

/// `ValidateServiceClusterIPsRelatedFields`.
pub(super) fn validate_cluster_ips_related_fields(spec: &ServiceSpec, old: Option<&ServiceSpec>) -> ErrorList {
    if type_of(spec) == "ExternalName" {
        return Vec::new();
    }
    let mut errors = ErrorList::new();
    let ips_path = SPEC.child("clusterIPs");
    let ips = cluster_ips(spec);
    match (cluster_ip(spec), ips.first()) {
        ("", Some(_)) => {
            errors.push(ips_path.invalid(printed(&ips), "must be empty when `clusterIP` is not specified"))
        }
        ("", None) => {}
        (_, None) => errors.push(ips_path.required("")),
        (ip, Some(first)) if ip != first => {
            errors.push(ips_path.invalid(printed(&ips), "first value must match `clusterIP`"));
        }
        _ => {}
    }
    let families_path = SPEC.child("ipFamilies");
    let mut seen = BTreeSet::new();
    for (i, family) in ip_families(spec).iter().enumerate() {
        let path = families_path.index(i);
        if !matches!(family.as_str(), "IPv4" | "IPv6") {
            errors.push(path.not_supported(family.as_str(), &["IPv4", "IPv6"]));
        }
        if !seen.insert(family) {
            errors.push(path.duplicate(family.as_str()));
        }
    }
    if spec.ip_family_policy.is_some()
        && !matches!(policy(spec), "SingleStack" | "PreferDualStack" | "RequireDualStack")
    {
        let supported = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        errors.push(SPEC.child("ipFamilyPolicy").not_supported(policy(spec), &supported));
    }
    let mut invalid_ips = false;
    for (i, ip) in ips.iter().enumerate() {
        if i == 0 && ip == "None" {
            if ips.len() > 1 {
                invalid_ips = true;
                errors.push(ips_path.invalid(printed(&ips), "'None' must be the first and only value"));
            }
            continue;
        }
        let found = validate_ip_for_legacy_field(ip, old.map(cluster_ips).unwrap_or_default(), &ips_path.index(i));
        invalid_ips |= !found.is_empty();
        errors.extend(found);
    }
    if ips.len() > 2 {
        errors.push(ips_path.invalid(printed(&ips), "may only hold up to 2 values"));
    }
    if invalid_ips {
        return errors;
    }
    let is_v6 = |ip: &String| parse_ip_sloppy(ip).is_some_and(|ip| ip.is_ipv6());
    if ips.len() > 1 {
        let (v6, v4) = (ips.iter().filter(|ip| is_v6(ip)).count(), ips.iter().filter(|ip| !is_v6(ip)).count());
        if v6 == 0 || v4 == 0 {
            errors.push(ips_path.invalid(printed(&ips), "may specify no more than one IP for each IP family"));
        }
    }
    if !is_headless(spec) {
        for (i, (ip, family)) in ips.iter().zip(ip_families(spec)).enumerate() {
            if matches!(family.as_str(), "IPv4" | "IPv6") && is_v6(ip) != (family == "IPv6") {
                let detail = format!("expected an {family} value as indicated by `ipFamilies[{i}]`");
                errors.push(ips_path.index(i).invalid(ip.as_str(), detail));
            }
        }
    }
    errors
}

/// `validateUpgradeDowngradeClusterIPs`: the addresses of a Service stay, but a second one may come and go.
fn validate_changed_cluster_ips(new: &ServiceSpec, old: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let external = |spec: &ServiceSpec| type_of(spec) == "ExternalName";
    if external(new) || external(old) || is_headless(new) && is_headless(old) {
        return errors;
    }
    let (new_ips, old_ips) = (cluster_ips(new), cluster_ips(old));
    let ips_path = SPEC.child("clusterIPs");
    let changed = |i: usize| ips_path.index(i).invalid(printed(&new_ips), "may not change once set");
    if new_ips.len() == old_ips.len() {
        errors.extend((0..old_ips.len()).filter(|i| old_ips.get(*i) != new_ips.get(*i)).map(changed));
        return errors;
    }
    if new_ips.is_empty() {
        errors.push(ips_path.index(0).invalid(printed(&new_ips), "primary clusterIP can not be unset"));
    } else if !old_ips.is_empty() && new_ips.first() != old_ips.first() {
        errors.push(changed(0));
    }
    if new_ips.len() < old_ips.len() && new_ips.len() == 1 && policy(new) != "SingleStack" {
        let detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
        errors.push(SPEC.child("ipFamilyPolicy").invalid(printed(&new.ip_family_policy), detail));
    }
    errors
}

/// `validateUpgradeDowngradeIPFamilies`.
fn validate_changed_ip_families(new: &ServiceSpec, old: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let external = |spec: &ServiceSpec| type_of(spec) == "ExternalName";
    if external(new) || external(old) || is_headless(new) || is_headless(old) {
        return errors;
    }
    let (new_families, old_families) = (ip_families(new), ip_families(old));
    let path = SPEC.child("ipFamilies");
    let changed = |value: Value| path.index(0).invalid(value, "may not change once set");
    if new_families.len() == old_families.len() {
        let differing = new_families.iter().zip(old_families).filter(|(a, b)| a != b);
        errors.extend(differing.map(|_| changed(printed(&new_families))));
        return errors;
    }
    if new_families.len() < old_families.len() && cluster_ips(new).is_empty() {
        errors.push(path.index(0).invalid(printed(&new_families), "primary ipFamily can not be unset"));
    }
    if !new_families.is_empty() && !old_families.is_empty() && new_families.first() != old_families.first() {
        errors.push(changed(printed(&cluster_ips(new))));
    }
    if new_families.len() < old_families.len() && new_families.len() == 1 && policy(new) != "SingleStack" {
        let detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
        errors.push(SPEC.child("ipFamilyPolicy").invalid(printed(&new.ip_family_policy), detail));
    }
    errors
}

fn validate_external_ips(spec: &ServiceSpec, old: Option<&ServiceSpec>) -> ErrorList {
    let mut errors = ErrorList::new();
    let path = SPEC.child("externalIPs");
    let known = old.and_then(|o| o.external_ips.as_deref()).unwrap_or_default();
    for (i, ip) in spec.external_ips.iter().flatten().enumerate() {
        let path = path.index(i);
        let found = validate_ip_for_legacy_field(ip, known, &path);
        errors.extend(if found.is_empty() { validate_endpoint_ip(ip, &path) } else { found });
    }
    errors
}

fn validate_node_ports(spec: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let ports_path = SPEC.child("ports");
    if type_of(spec) == "ClusterIP" {
        for (i, _) in ports(spec).iter().enumerate().filter(|(_, p)| node_port(p).is_some()) {
            let path = ports_path.index(i);
            errors.push(path.child("nodePort").forbidden("may not be used when `type` is 'ClusterIP'"));
        }
    }
    let mut seen = BTreeSet::new();
    for (i, port) in ports(spec).iter().enumerate() {
        if let Some(number) = node_port(port)
            && !seen.insert((port.protocol.as_deref(), number))
        {
            errors.push(ports_path.index(i).child("nodePort").duplicate(number));
        }
    }
    let mut seen = BTreeSet::new();
    for (i, port) in ports(spec).iter().enumerate() {
        if !seen.insert((port.protocol.as_deref(), port.port)) {
            errors.push(duplicate_port(port, &ports_path.index(i)));
        }
    }
    errors
}

/// The value is printed as the API server's internal type with all other fields at zero.
fn duplicate_port(port: &ServicePort, path: &Path<'_>) -> FieldError {
    let protocol = Value::from(port.protocol.as_deref().unwrap_or_default());
    let value = format!(
        "{{\"Name\":\"\",\"Protocol\":{protocol},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
        port.port
    );
    FieldError { error_type: ErrorType::Duplicate, field: path.to_string(), bad_value: None, detail: value }
}

fn validate_source_ranges(service: &Service, spec: &ServiceSpec, old: Option<&Service>) -> ErrorList {
    let mut errors = ErrorList::new();
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    if !ranges.is_empty() {
        let path = SPEC.child("LoadBalancerSourceRanges");
        if type_of(spec) != "LoadBalancer" {
            errors.push(path.forbidden(ONLY_FOR_LOAD_BALANCERS));
        }
        let known = old.and_then(|o| o.spec.as_ref()).and_then(|s| s.load_balancer_source_ranges.as_deref());
        let known: Vec<String> = known.unwrap_or_default().iter().map(|r| r.trim().to_owned()).collect();
        for (i, range) in ranges.iter().enumerate() {
            errors.extend(validate_cidr_for_legacy_field(range.trim(), &known, &path.index(i)));
        }
    } else if let Some(value) = service.annotation(SOURCE_RANGES) {
        let annotations = META.child("annotations");
        let path = annotations.key(SOURCE_RANGES);
        if type_of(spec) != "LoadBalancer" {
            errors.push(path.forbidden(ONLY_FOR_LOAD_BALANCERS));
        }
        let unchanged = old.is_some_and(|o| o.annotation(SOURCE_RANGES) == Some(value));
        if !unchanged && !value.trim().is_empty() {
            for range in value.trim().split(',') {
                errors.extend(validate_cidr_for_legacy_field(range.trim(), &[], &path));
            }
        }
    }
    errors
}

/// `validateLoadBalancerClassField`.
fn validate_load_balancer_class(spec: &ServiceSpec, old: Option<&ServiceSpec>) -> ErrorList {
    let mut errors = ErrorList::new();
    let path = SPEC.child("loadBalancerClass");
    let is_load_balancer = |spec: &ServiceSpec| type_of(spec) == "LoadBalancer";
    if old.is_some_and(|old| is_load_balancer(old) && old.load_balancer_class != spec.load_balancer_class)
        && is_load_balancer(spec)
    {
        errors.push(path.invalid(printed(&spec.load_balancer_class), "may not change once set"));
    }
    match &spec.load_balancer_class {
        Some(class) if is_load_balancer(spec) => errors.extend(validate_qualified_name(class, &path)),
        Some(_) => errors.push(path.forbidden(ONLY_FOR_LOAD_BALANCERS)),
        None => {}
    }
    errors
}

fn validate_traffic(spec: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    let external_path = SPEC.child("externalTrafficPolicy");
    match (externally_accessible(spec), spec.external_traffic_policy.as_deref().unwrap_or_default()) {
        (false, "") | (true, "Cluster" | "Local") => {}
        (false, other) => {
            errors.push(external_path.invalid(other, "may only be set for externally-accessible services"));
        }
        (true, "") => errors.push(external_path.required("")),
        (true, other) => errors.push(external_path.not_supported(other, &["Cluster", "Local"])),
    }
    let port = spec.health_check_node_port.unwrap_or(0);
    let port_path = SPEC.child("healthCheckNodePort");
    match (needs_health_check_port(spec), port) {
        (false, 0) => {}
        (false, _) => {
            let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.push(port_path.invalid(port, detail));
        }
        (true, 0) => errors.push(port_path.required("")),
        (true, _) => errors.extend(is_valid_port_num(port).into_iter().map(|m| port_path.invalid(port, m))),
    }
    let internal_path = SPEC.child("internalTrafficPolicy");
    match spec.internal_traffic_policy.as_deref() {
        None if matches!(type_of(spec), "NodePort" | "LoadBalancer" | "ClusterIP") => {
            errors.push(internal_path.required(""));
        }
        None | Some("Cluster" | "Local") => {}
        Some(other) => errors.push(internal_path.not_supported(other, &["Cluster", "Local"])),
    }
    let supported = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if let Some(distribution) = spec.traffic_distribution.as_deref()
        && !supported.contains(&distribution)
    {
        errors.push(SPEC.child("trafficDistribution").not_supported(distribution, &supported));
    }
    errors
}

/// `GetWarningsForService`.
pub(super) fn warnings(service: &Service) -> Vec<String> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let mut warnings = Vec::new();
    if service.annotation(TOPOLOGY_HINTS).is_some() {
        warnings.push(format!("annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"));
    }
    if !matches!(cluster_ip(spec), "" | "None") {
        let path = SPEC.child("clusterIPs");
        warnings.extend(cluster_ips(spec).iter().enumerate().flat_map(|(i, ip)| warnings_for_ip(ip, &path.index(i))));
    }
    let external_ips = spec.external_ips.as_deref().unwrap_or_default();
    let load_balancer_ip = spec.load_balancer_ip.as_deref().unwrap_or_default();
    let headless = type_of(spec) == "ClusterIP" && cluster_ip(spec) == "None";
    if headless {
        if !load_balancer_ip.is_empty() {
            warnings.push("spec.loadBalancerIP is ignored for headless services".to_owned());
        }
        if !external_ips.is_empty() {
            warnings.push("spec.externalIPs is ignored for headless services".to_owned());
        }
        if spec.session_affinity.as_deref() != Some("None") {
            warnings.push("spec.SessionAffinity is ignored for headless services".to_owned());
        }
    }
    let path = SPEC.child("externalIPs");
    warnings.extend(external_ips.iter().enumerate().flat_map(|(i, ip)| warnings_for_ip(ip, &path.index(i))));
    if !external_ips.is_empty() && !headless && type_of(spec) != "ExternalName" {
        warnings.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned());
    }
    if !load_balancer_ip.is_empty() {
        warnings.extend(warnings_for_ip(load_balancer_ip, &SPEC.child("loadBalancerIP")));
    }
    let path = SPEC.child("loadBalancerSourceRanges");
    for (i, range) in spec.load_balancer_source_ranges.iter().flatten().enumerate() {
        warnings.extend(warnings_for_cidr(range, &path.index(i)));
    }
    if type_of(spec) == "ExternalName" && !external_ips.is_empty() {
        warnings.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if type_of(spec) != "ExternalName" && spec.external_name.as_deref().is_some_and(|n| !n.is_empty()) {
        warnings.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if spec.traffic_distribution.as_deref() == Some("PreferClose") {
        let what = "\"PreferClose\" is deprecated; use \"PreferSameZone\"";
        warnings.push(format!("spec.trafficDistribution: {what}"));
    }
    warnings
}
