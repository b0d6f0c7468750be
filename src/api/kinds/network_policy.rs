//! NetworkPolicies (`pkg/registry/networking/networkpolicy/strategy.go`, `pkg/apis/networking/v1/defaults.go`,
//! `pkg/apis/networking/validation`).
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::stateful_set::default_string;
use crate::api::field::{ErrorList, Path};
use crate::api::strategy::Strategy;
use crate::api::validation::invalid_each;
use crate::api::validation::ip::{is_strict_subset_of_cidr, validate_cidr_for_legacy_field, warnings_for_cidr};
use crate::api::validation::label_selector::validate_label_selector;
use crate::api::validation::names::{is_valid_port_name, is_valid_port_num, name_is_dns_subdomain};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

/// What is let through because the stored object has it.
#[derive(Default)]
struct Options {
    allow_invalid_label_values: bool,
    allowed_cidrs: Vec<String>,
}

impl Strategy for NetworkPolicy {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        spec.pod_selector.get_or_insert_default();
        if spec.policy_types.as_ref().is_none_or(Vec::is_empty) {
            let types = spec.policy_types.insert(vec!["Ingress".to_owned()]);
            if spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()) {
                types.push("Egress".to_owned());
            }
        }
        let ingress_ports = spec.ingress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        let egress_ports = spec.egress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        for port in ingress_ports.chain(egress_ports) {
            default_string(&mut port.protocol, "TCP");
        }
    }

    fn prepare_for_create(&mut self) {
        self.metadata.generation = Some(1);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_object_meta(&self.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
        if let Some(spec) = &self.spec {
            errors.extend(validate_spec(spec, &Options::default(), &Path::root("spec")));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        let (Some(spec), Some(old)) = (&self.spec, &old.spec) else { return errors };
        let old_selector = old.pod_selector.as_ref();
        let blocks = peers(old).into_iter().filter_map(|(.., peer)| peer.ip_block.as_ref());
        let options = Options {
            allow_invalid_label_values: !validate_label_selector(old_selector, false, &Path::root("")).is_empty(),
            allowed_cidrs: blocks
                .flat_map(|b| std::iter::once(&b.cidr).chain(b.except.iter().flatten()))
                .cloned()
                .collect(),
        };
        errors.extend(validate_spec(spec, &options, &Path::root("spec")));
        errors
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        let mut warnings = Vec::new();
        let root = Path::root("spec");
        for (direction, i, list, j, peer) in self.spec.as_ref().map(peers).unwrap_or_default() {
            let Some(block) = &peer.ip_block else { continue };
            let rules_path = root.child(direction);
            let rule_path = rules_path.index(i);
            let peers_path = rule_path.child(list);
            let peer_path = peers_path.index(j);
            let path = peer_path.child("ipBlock");
            warnings.extend(warnings_for_cidr(&block.cidr, &path.child("cidr")));
            let except_path = path.child("except");
            for (k, except) in block.except.iter().flatten().enumerate() {
                warnings.extend(warnings_for_cidr(except, &except_path.index(k)));
            }
        }
        warnings
    }
}

type Peer<'a> = (&'static str, usize, &'static str, usize, &'a NetworkPolicyPeer);

/// All peers with where they are: `spec.DIRECTION[i].LIST[j]`.
fn peers(spec: &NetworkPolicySpec) -> Vec<Peer<'_>> {
    let mut peers = Vec::new();
    for (i, rule) in spec.ingress.iter().flatten().enumerate() {
        peers.extend(rule.from.iter().flatten().enumerate().map(|(j, peer)| ("ingress", i, "from", j, peer)));
    }
    for (i, rule) in spec.egress.iter().flatten().enumerate() {
        peers.extend(rule.to.iter().flatten().enumerate().map(|(j, peer)| ("egress", i, "to", j, peer)));
    }
    peers
}

/// `ValidateNetworkPolicySpec`.
fn validate_spec(spec: &NetworkPolicySpec, options: &Options, path: &Path<'_>) -> ErrorList {
    let lenient = options.allow_invalid_label_values;
    let mut errors = validate_label_selector(spec.pod_selector.as_ref(), lenient, &path.child("podSelector"));
    let ingress =
        spec.ingress.iter().flatten().enumerate().map(|(i, rule)| ("ingress", i, &rule.ports, "from", &rule.from));
    let egress = spec.egress.iter().flatten().enumerate().map(|(i, rule)| ("egress", i, &rule.ports, "to", &rule.to));
    for (direction, i, ports, list, peers) in ingress.chain(egress) {
        let rules_path = path.child(direction);
        let rule_path = rules_path.index(i);
        let ports_path = rule_path.child("ports");
        for (j, port) in ports.iter().flatten().enumerate() {
            errors.extend(validate_port(port, &ports_path.index(j)));
        }
        let peers_path = rule_path.child(list);
        for (j, peer) in peers.iter().flatten().enumerate() {
            errors.extend(validate_peer(peer, options, &peers_path.index(j)));
        }
    }
    const TYPES: [&str; 2] = ["Ingress", "Egress"];
    let types = spec.policy_types.as_deref().unwrap_or_default();
    let types_path = path.child("policyTypes");
    if types.len() > TYPES.len() {
        errors.push(types_path.invalid(types.to_vec(), "may not specify more than two policyTypes"));
        return errors;
    }
    for (i, policy_type) in types.iter().enumerate() {
        if !TYPES.contains(&policy_type.as_str()) {
            errors.push(types_path.index(i).not_supported(policy_type.as_str(), &TYPES));
        }
    }
    errors
}

/// `ValidateNetworkPolicyPort`.
fn validate_port(port: &NetworkPolicyPort, path: &Path<'_>) -> ErrorList {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    let mut errors = Vec::new();
    if let Some(protocol) = port.protocol.as_deref().filter(|p| !PROTOCOLS.contains(p)) {
        errors.push(path.child("protocol").not_supported(protocol, &PROTOCOLS));
    }
    let (port_path, end_path) = (path.child("port"), path.child("endPort"));
    match &port.port {
        Some(IntOrString::Int(number)) => {
            errors.extend(is_valid_port_num(*number).into_iter().map(|m| port_path.invalid(*number, m)));
            if let Some(end) = port.end_port {
                if end < *number {
                    errors.push(end_path.invalid(*number, "must be greater than or equal to `port`"));
                }
                errors.extend(is_valid_port_num(end).into_iter().map(|m| end_path.invalid(end, m)));
            }
        }
        Some(IntOrString::String(name)) => {
            let why = "may not be specified when `port` is non-numeric";
            errors.extend(port.end_port.map(|end| end_path.invalid(end, why)));
            errors.extend(invalid_each(&port_path, name, is_valid_port_name(name)));
        }
        None => {
            let why = "may not be specified when `port` is not specified";
            errors.extend(port.end_port.map(|end| end_path.invalid(end, why)));
        }
    }
    errors
}

/// `ValidateNetworkPolicyPeer`.
fn validate_peer(peer: &NetworkPolicyPeer, options: &Options, path: &Path<'_>) -> ErrorList {
    let lenient = options.allow_invalid_label_values;
    let mut errors = validate_label_selector(peer.pod_selector.as_ref(), lenient, &path.child("podSelector"));
    let namespaces = peer.namespace_selector.as_ref();
    errors.extend(validate_label_selector(namespaces, lenient, &path.child("namespaceSelector")));
    if let Some(block) = &peer.ip_block {
        errors.extend(validate_ip_block(block, options, &path.child("ipBlock")));
    }
    let selects = peer.pod_selector.is_some() || namespaces.is_some();
    match (selects, peer.ip_block.is_some()) {
        (false, false) => errors.push(path.required("must specify a peer")),
        (true, true) => errors.push(path.forbidden("may not specify both ipBlock and another peer")),
        _ => {}
    }
    errors
}

/// `ValidateIPBlock`.
fn validate_ip_block(block: &IPBlock, options: &Options, path: &Path<'_>) -> ErrorList {
    let cidr_path = path.child("cidr");
    if block.cidr.is_empty() {
        return vec![cidr_path.required("")];
    }
    let mut errors = validate_cidr_for_legacy_field(&block.cidr, &options.allowed_cidrs, &cidr_path);
    if is_strict_subset_of_cidr(&block.cidr, &block.cidr).is_none() {
        return errors;
    }
    let except_path = path.child("except");
    for (i, except) in block.except.iter().flatten().enumerate() {
        let path = except_path.index(i);
        errors.extend(validate_cidr_for_legacy_field(except, &options.allowed_cidrs, &path));
        if is_strict_subset_of_cidr(except, &block.cidr) == Some(false) {
            errors.push(path.invalid(except.as_str(), "must be a strict subset of `cidr`"));
        }
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(spec: Value) -> NetworkPolicy {
        let mut policy: NetworkPolicy =
            serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "default"}, "spec": spec})).unwrap();
        policy.set_defaults();
        policy
    }

    fn errors(spec: Value) -> Vec<String> {
        policy(spec).validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn policy_types_follow_the_rules_that_are_given() {
        let types = |spec| policy(spec).spec.unwrap().policy_types.unwrap();
        assert_eq!(types(json!({"podSelector": {}})), ["Ingress"]);
        assert_eq!(types(json!({"podSelector": {}, "egress": [{}]})), ["Ingress", "Egress"]);
        assert_eq!(types(json!({"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]})), ["Egress"]);
    }

    #[test]
    fn a_port_is_tcp_unless_it_says_otherwise() {
        let spec = policy(json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})).spec.unwrap();
        let port = spec.ingress.unwrap()[0].ports.as_ref().unwrap()[0].clone();
        assert_eq!(port.protocol.as_deref(), Some("TCP"));
    }

    #[test]
    fn peers_and_ports_are_checked() {
        let spec = json!({"podSelector": {}, "policyTypes": ["ingress"], "ingress": [{
            "ports": [{"protocol": "HTTP", "port": 90, "endPort": 80}, {"endPort": 1}],
            "from": [{}, {"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8", "x"]}}],
        }]});
        let at = "spec.ingress[0]";
        let expected = [
            format!(
                "{at}.ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"TCP\", \"UDP\", \"SCTP\""
            ),
            format!("{at}.ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`"),
            format!("{at}.ports[1].endPort: Invalid value: 1: may not be specified when `port` is not specified"),
            format!("{at}.from[0]: Required value: must specify a peer"),
            format!("{at}.from[1].ipBlock.except[0]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`"),
            format!(
                "{at}.from[1].ipBlock.except[1]: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or \
                 2001:db8::/64)"
            ),
            format!("{at}.from[1]: Forbidden: may not specify both ipBlock and another peer"),
            "spec.policyTypes[0]: Unsupported value: \"ingress\": supported values: \"Ingress\", \"Egress\"".to_owned(),
        ];
        assert_eq!(errors(spec), expected);
    }
}
