//! `kubectl create ingress NAME --rule=HOST/PATH=SERVICE:PORT[,tls[=SECRET]]`.
use serde_json::{Map, Value, json};

use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create ingress",
    spec: super::spec! { switches: [], texts: ["class", "default-backend"], lists: ["rule", "annotation"] },
    run,
};

/// What a rule says.
struct Rule<'a> {
    host: &'a str,
    path: &'a str,
    service: &'a str,
    port: &'a str,
    /// The Secret's name, perhaps empty.
    tls: Option<&'a str>,
}

/// Reads a rule by the words of kubectl's regular expression; the expression is not tied to the end of the text.
fn parse(text: &str) -> Option<Rule<'_>> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let (rule, tls) = match text.split_once(',') {
        Some((rule, tls)) => (rule, Some(tls)),
        None => (text, None),
    };
    let slash = rule.find('/')?;
    let (host, rest) = rule.split_at_checked(slash)?;
    if !host.chars().all(|c| word(c) || c == '*' || c == '.') {
        return None;
    }
    let (path, backend) = rest.split_once('=')?;
    let (service, port) = backend.split_once(':')?;
    let named = |name: &str| !name.is_empty() && name.chars().all(word);
    let tls = match tls {
        None => None,
        Some("tls") => Some(""),
        Some(tls) => Some(tls.strip_prefix("tls=").filter(|secret| secret.is_empty() || named(secret))?),
    };
    (named(service) && named(port)).then_some(Rule { host, path, service, port, tls })
}

fn backend(service: &str, port: &str) -> Value {
    let port = match super::int_or_string(port) {
        Value::Number(number) => json!({ "number": number }),
        name => json!({ "name": name }),
    };
    json!({ "service": { "name": service, "port": port } })
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let texts = k.flags.list("rule");
    let default_backend = k.flags.or_empty("default-backend").to_owned();
    if default_backend.is_empty() && texts.is_empty() {
        return super::client(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all \
             traffic) or a list of rules (which catch specific paths)",
        );
    }
    let mut annotations = Map::new();
    let mut rules: Vec<Value> = Vec::new();
    let mut tls: Vec<(String, Vec<String>)> = Vec::new();
    let mut tls_hosts: Vec<&str> = Vec::new();
    for text in &texts {
        let Some(rule) = parse(text) else {
            let message =
                format!("rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]");
            return super::client(message);
        };
        let (path, path_type) = match rule.path.strip_suffix('*') {
            Some(path) => (path, "Prefix"),
            None => (rule.path, "Exact"),
        };
        let path = json!({ "path": path, "pathType": path_type, "backend": backend(rule.service, rule.port) });
        let of_host = |known: &&mut Value| known.get("host").and_then(Value::as_str).unwrap_or_default() == rule.host;
        match rules.iter_mut().find(of_host) {
            Some(known) => {
                if let Some(paths) = known.pointer_mut("/http/paths").and_then(Value::as_array_mut) {
                    paths.push(path);
                }
            }
            None if rule.host.is_empty() => rules.push(json!({ "http": { "paths": [path] } })),
            None => rules.push(json!({ "host": rule.host, "http": { "paths": [path] } })),
        }
        if let Some(secret) = rule.tls.filter(|_| !tls_hosts.contains(&rule.host)) {
            let host = (!rule.host.is_empty()).then(|| rule.host.to_owned());
            match tls.iter_mut().find(|(known, _)| known == secret) {
                Some((_, hosts)) => hosts.extend(host),
                None if host.is_some() || !secret.is_empty() => {
                    tls.push((secret.to_owned(), host.into_iter().collect()))
                }
                None => {}
            }
            tls_hosts.push(rule.host);
        }
    }
    for annotation in k.flags.list("annotation") {
        match annotation.split_once('=') {
            Some((key, value)) => annotations.insert(key.to_owned(), value.into()),
            None => {
                let message = format!("annotation {annotation} is invalid and should be in format key=[value]");
                return super::client(message);
            }
        };
    }
    let mut spec = Map::new();
    if let Some(class) = k.flags.text("class").filter(|class| !class.is_empty()) {
        spec.insert("ingressClassName".to_owned(), class.into());
    }
    if !default_backend.is_empty() {
        let Some((service, port)) = default_backend.split_once(':').filter(|(_, port)| !port.contains(':')) else {
            return super::client("default-backend should be in format servicename:serviceport");
        };
        spec.insert("defaultBackend".to_owned(), backend(service, port));
    }
    if !rules.is_empty() {
        spec.insert("rules".to_owned(), Value::Array(rules));
    }
    if !tls.is_empty() {
        let entry = |(secret, hosts): (String, Vec<String>)| {
            let mut entry = Map::new();
            if !hosts.is_empty() {
                entry.insert("hosts".to_owned(), json!(hosts));
            }
            if !secret.is_empty() {
                entry.insert("secretName".to_owned(), secret.into());
            }
            Value::Object(entry)
        };
        spec.insert("tls".to_owned(), tls.into_iter().map(entry).collect());
    }
    let mut object = super::object(k, Kind::Ingress, &name);
    if !annotations.is_empty() {
        object["metadata"]["annotations"] = Value::Object(annotations);
    }
    object["spec"] = Value::Object(spec);
    super::submit(k, Kind::Ingress, object, "created", Some("ingress:"))
}
