//! Ingresses (`pkg/registry/networking/ingress/strategy.go`, `pkg/apis/networking/validation`).
use k8s_openapi::api::core::v1::TypedLocalObjectReference;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressSpec, IngressTLS,
};
use serde_json::Value;

use crate::api::field::{ErrorList, Path, go_quote};
use crate::api::object::ApiObject;
use crate::api::strategy::{Strategy, keep};
use crate::api::validation::invalid_each;
use crate::api::validation::ip::parse_ip_sloppy;
use crate::api::validation::names::{
    is_dns1123_subdomain, is_path_segment_name, is_valid_port_name, is_valid_port_num, is_wildcard_dns1123_subdomain,
    name_is_dns_label, name_is_dns_subdomain,
};
use crate::api::validation::object_meta::{validate_object_meta, validate_object_meta_update};

/// The annotation that named the class before the field did.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const INVALID_PATH_SEQUENCES: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
const INVALID_PATH_SUFFIXES: [&str; 2] = ["/..", "/."];

/// What is let through because the stored object has it.
#[derive(Clone, Copy, Default)]
struct Options {
    allow_invalid_secret_name: bool,
    allow_invalid_wildcard_host_rule: bool,
}

impl Strategy for Ingress {
    fn prepare_for_create(&mut self) {
        self.status = None;
        self.metadata.generation = Some(1);
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
        if self.spec != old.spec {
            self.metadata.generation = Some(old.metadata.generation.unwrap_or(0) + 1);
        }
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn validate(&self) -> ErrorList {
        let mut errors = validate_ingress(self, Options::default());
        let class = self.spec.as_ref().and_then(|s| s.ingress_class_name.as_deref());
        if let (Some(annotation), Some(class)) = (self.annotation(CLASS_ANNOTATION), class)
            && annotation != class
        {
            let why = "must match `ingressClassName` when both are specified";
            errors.push(Path::root("annotations").child(CLASS_ANNOTATION).invalid(annotation, why));
        }
        errors
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        let mut errors = validate_object_meta_update(&self.metadata, &old.metadata, &Path::root("metadata"));
        let spec = old.spec.clone().unwrap_or_default();
        let nowhere = Path::root("");
        let bad_secret = |tls: &IngressTLS| !secret_name_errors(tls).is_empty();
        let bad_rule = |rule: &IngressRule| {
            rule.host.as_deref().unwrap_or_default().contains('*')
                && rule.http.as_ref().is_some_and(|http| !validate_http(http, &nowhere).is_empty())
        };
        let options = Options {
            allow_invalid_secret_name: spec.tls.iter().flatten().any(bad_secret),
            allow_invalid_wildcard_host_rule: spec.rules.iter().flatten().any(bad_rule),
        };
        errors.extend(validate_ingress(self, options));
        errors
    }

    fn warnings(&self, old: Option<&Self>) -> Vec<String> {
        let class = self.spec.as_ref().and_then(|s| s.ingress_class_name.as_deref());
        if old.is_some() || class.is_some() || self.annotation(CLASS_ANNOTATION).is_none() {
            return Vec::new();
        }
        let annotation = go_quote(CLASS_ANNOTATION);
        vec![format!("annotation {annotation} is deprecated, please use 'spec.ingressClassName' instead")]
    }
}

fn validate_ingress(ingress: &Ingress, options: Options) -> ErrorList {
    let mut errors = validate_object_meta(&ingress.metadata, true, name_is_dns_subdomain, &Path::root("metadata"));
    let spec = ingress.spec.clone().unwrap_or_default();
    errors.extend(validate_spec(&spec, options, &Path::root("spec")));
    errors
}

/// `ValidateIngressSpec`.
fn validate_spec(spec: &IngressSpec, options: Options, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let rules = spec.rules.as_deref().unwrap_or_default();
    if rules.is_empty() && spec.default_backend.is_none() {
        let value = if spec.rules.is_some() { Value::Array(Vec::new()) } else { Value::Null };
        errors.push(path.invalid(value, "either `defaultBackend` or `rules` must be specified"));
    }
    if let Some(backend) = &spec.default_backend {
        errors.extend(validate_backend(backend, &path.child("defaultBackend")));
    }
    let rules_path = path.child("rules");
    for (i, rule) in rules.iter().enumerate() {
        errors.extend(validate_rule(rule, options, &rules_path.index(i)));
    }
    let tls_path = path.child("tls");
    for (i, tls) in spec.tls.iter().flatten().enumerate() {
        errors.extend(validate_tls(tls, options, &tls_path.index(i)));
    }
    if let Some(class) = &spec.ingress_class_name {
        errors.extend(invalid_each(&path.child("ingressClassName"), class, name_is_dns_subdomain(class, false)));
    }
    errors
}

/// A host name, maybe with a wildcard.
fn validate_host(host: &str, path: &Path<'_>) -> ErrorList {
    let wildcard = host.contains('*');
    let messages = if wildcard { is_wildcard_dns1123_subdomain(host) } else { is_dns1123_subdomain(host) };
    invalid_each(path, host, messages)
}

/// `validateIngressTLS`.
fn validate_tls(tls: &IngressTLS, options: Options, path: &Path<'_>) -> ErrorList {
    let hosts_path = path.child("hosts");
    let hosts = tls.hosts.iter().flatten().enumerate();
    let mut errors: ErrorList = hosts.flat_map(|(i, host)| validate_host(host, &hosts_path.index(i))).collect();
    if !options.allow_invalid_secret_name {
        let name = tls.secret_name.as_deref().unwrap_or_default();
        errors.extend(invalid_each(&path.child("secretName"), name, secret_name_errors(tls)));
    }
    errors
}

fn secret_name_errors(tls: &IngressTLS) -> Vec<String> {
    match tls.secret_name.as_deref() {
        None | Some("") => Vec::new(),
        Some(name) => name_is_dns_subdomain(name, false),
    }
}

/// `validateIngressRules`.
fn validate_rule(rule: &IngressRule, options: Options, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let host = rule.host.as_deref().unwrap_or_default();
    if !host.is_empty() {
        let path = path.child("host");
        if parse_ip_sloppy(host).is_some() {
            errors.push(path.invalid(host, "must be a DNS name, not an IP address"));
        }
        errors.extend(validate_host(host, &path));
    }
    if let Some(http) = rule.http.as_ref()
        && !(host.contains('*') && options.allow_invalid_wildcard_host_rule)
    {
        errors.extend(validate_http(http, &path.child("http")));
    }
    errors
}

/// `validateHTTPIngressRuleValue`.
fn validate_http(http: &HTTPIngressRuleValue, path: &Path<'_>) -> ErrorList {
    let paths = path.child("paths");
    if http.paths.is_empty() {
        return vec![paths.required("")];
    }
    http.paths.iter().enumerate().flat_map(|(i, path)| validate_path(path, &paths.index(i))).collect()
}

/// `validateHTTPIngressPath`.
fn validate_path(http: &HTTPIngressPath, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    let text = http.path.as_deref().unwrap_or_default();
    let text_path = path.child("path");
    let absolute = text.starts_with('/');
    match http.path_type.as_str() {
        "" => return vec![path.child("pathType").required("pathType must be specified")],
        "Exact" | "Prefix" => {
            if !absolute {
                errors.push(text_path.invalid(text, "must be an absolute path"));
            }
            for part in INVALID_PATH_SEQUENCES.iter().filter(|part| text.contains(**part)) {
                errors.push(text_path.invalid(text, format!("must not contain '{part}'")));
            }
            for end in INVALID_PATH_SUFFIXES.iter().filter(|end| text.ends_with(**end)) {
                errors.push(text_path.invalid(text, format!("cannot end with '{end}'")));
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !absolute {
                errors.push(text_path.invalid(text, "must be an absolute path"));
            }
        }
        other => {
            let supported = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.push(path.child("pathType").not_supported(other, &supported));
        }
    }
    errors.extend(validate_backend(&http.backend, &path.child("backend")));
    errors
}

/// `validateIngressBackend`.
fn validate_backend(backend: &IngressBackend, path: &Path<'_>) -> ErrorList {
    match (&backend.resource, &backend.service) {
        (Some(_), Some(_)) => vec![path.invalid("", "cannot set both resource and service backends")],
        (Some(resource), None) => validate_reference(resource, &path.child("resource")),
        (None, None) => vec![path.invalid("", "resource or service backend is required")],
        (None, Some(service)) => {
            let service_path = path.child("service");
            let name_path = service_path.child("name");
            let mut errors = match service.name.as_str() {
                "" => vec![name_path.required("")],
                name => invalid_each(&name_path, name, name_is_dns_label(name, false)),
            };
            let port_path = service_path.child("port");
            let port = service.port.clone().unwrap_or_default();
            match (port.name.as_deref().unwrap_or_default(), port.number.unwrap_or(0)) {
                ("", 0) => errors.push(path.required("port name or number is required")),
                ("", number) => {
                    let path = port_path.child("number");
                    errors.extend(is_valid_port_num(number).into_iter().map(|m| path.invalid(number, m)));
                }
                (name, 0) => errors.extend(invalid_each(&port_path.child("name"), name, is_valid_port_name(name))),
                _ => errors.push(path.invalid("", "cannot set both port name & port number")),
            }
            errors
        }
    }
}

/// `validateIngressTypedLocalObjectReference`.
fn validate_reference(reference: &TypedLocalObjectReference, path: &Path<'_>) -> ErrorList {
    let mut errors = Vec::new();
    if let Some(group) = &reference.api_group {
        errors.extend(invalid_each(&path.child("apiGroup"), group, is_dns1123_subdomain(group)));
    }
    for (field, value) in [("kind", &reference.kind), ("name", &reference.name)] {
        let path = path.child(field);
        if value.is_empty() {
            errors.push(path.required(""));
        } else {
            errors.extend(invalid_each(&path, value, is_path_segment_name(value)));
        }
    }
    errors
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ingress(spec: Value) -> Ingress {
        serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec})).unwrap()
    }

    fn errors(spec: Value) -> Vec<String> {
        ingress(spec).validate().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_ingress_needs_rules_or_a_backend() {
        let why = "either `defaultBackend` or `rules` must be specified";
        assert_eq!(errors(json!({})), [format!("spec: Invalid value: null: {why}")]);
    }

    #[test]
    fn paths_hosts_and_ports_are_checked() {
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let spec = json!({"rules": [
            {"host": "10.0.0.1", "http": {"paths": [
                {"path": "/", "backend": backend},
                {"path": "x", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {}}}},
                {"path": "/a/../b", "pathType": "prefix", "backend": {}},
                {"path": "/a//b/.", "pathType": "Exact", "backend": backend},
            ]}},
            {"http": {"paths": []}},
        ]});
        let at = "spec.rules[0].http";
        let expected = [
            "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address".to_owned(),
            format!("{at}.paths[0].pathType: Required value: pathType must be specified"),
            format!("{at}.paths[1].path: Invalid value: \"x\": must be an absolute path"),
            format!("{at}.paths[1].backend: Required value: port name or number is required"),
            format!(
                "{at}.paths[2].pathType: Unsupported value: \"prefix\": supported values: \"Exact\", \
                 \"ImplementationSpecific\", \"Prefix\""
            ),
            format!("{at}.paths[2].backend: Invalid value: \"\": resource or service backend is required"),
            format!("{at}.paths[3].path: Invalid value: \"/a//b/.\": must not contain '//'"),
            format!("{at}.paths[3].path: Invalid value: \"/a//b/.\": cannot end with '/.'"),
            "spec.rules[1].http.paths: Required value".to_owned(),
        ];
        assert_eq!(errors(spec), expected);
    }

    #[test]
    fn the_class_annotation_is_deprecated_and_must_agree_with_the_field() {
        let backend = json!({"defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}}});
        let mut object = ingress(backend);
        object.set_annotation(CLASS_ANNOTATION, "nginx");
        assert_eq!(object.warnings(None).len(), 1);
        object.spec.as_mut().unwrap().ingress_class_name = Some("other".to_owned());
        assert_eq!(
            object.validate()[0].to_string(),
            "annotations.kubernetes.io/ingress.class: Invalid value: \"nginx\": must match `ingressClassName` when both are \
             specified"
        );
    }
}
