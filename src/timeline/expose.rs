//! `kubectl expose KIND NAME --port=PORT` (`kubectl/pkg/cmd/expose`).
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::command::{Command, Done, Kubectl};
use super::create::{int_or_string, object, submit};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::resources::{self, Options};
use super::run::{atoi, overridden, parse_labels};
use crate::api::{Kind, Object};

pub(super) const COMMAND: Command = Command {
    path: "kubectl expose",
    spec: Spec {
        switches: &["record", "recursive/R", "save-config"],
        texts: &[
            "cluster-ip",
            "dry-run",
            "external-ip",
            "kustomize/k",
            "labels/l",
            "load-balancer-ip",
            "name",
            "output/o",
            "override-type",
            "overrides",
            "port",
            "protocol",
            "selector",
            "session-affinity",
            "target-port",
            "template",
            "type",
        ],
        lists: &["filename/f"],
    },
    run,
};

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let args = k.flags.args();
    // `--selector` is the new Service's here
    let (targets, errors) = resources::find_named(k, &args, Options::default())?;
    k.errors.extend(errors);
    for target in targets {
        let found = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.clone();
        let service = service_for(k, &found)?;
        submit(k, Kind::Service, service, "exposed", None)?;
    }
    Ok(())
}

/// The labels that select an object's pods (`mapBasedSelectorForObject`).
fn selector_of(exposed: &Object) -> Result<BTreeMap<String, String>, Error> {
    let wrong = |why: &str| client(format!("couldn't retrieve selectors via --selector flag or introspection: {why}"));
    let of_workload = |selector: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector>, what: &str| {
        let labels = selector.and_then(|s| s.match_labels.clone()).unwrap_or_default();
        if labels.is_empty() {
            return wrong(&format!("invalid {what}: no selectors, therefore cannot be exposed"));
        }
        if selector.is_some_and(|s| s.match_expressions.as_ref().is_some_and(|e| !e.is_empty())) {
            return wrong("couldn't convert expressions to map-based selector format");
        }
        Ok(labels)
    };
    match exposed {
        Object::Pod(pod) => match pod.metadata.labels.clone().unwrap_or_default() {
            labels if labels.is_empty() => wrong("the pod has no labels and cannot be exposed"),
            labels => Ok(labels),
        },
        Object::Service(service) => match service.spec.as_ref().and_then(|spec| spec.selector.clone()) {
            Some(selector) => Ok(selector),
            None => wrong("the service has no pod selector set"),
        },
        Object::Deployment(deployment) => of_workload(deployment.spec.as_ref().map(|s| &s.selector), "deployment"),
        Object::ReplicaSet(set) => of_workload(set.spec.as_ref().map(|s| &s.selector), "replicaset"),
        other => {
            let group =
                if other.kind().group().is_empty() { String::new() } else { format!(".{}", other.kind().group()) };
            client(format!("cannot expose a {}{group}", other.kind().name()))
        }
    }
}

/// Ports and their protocols, in the order they are declared (`portsForObject`, `multiProtocolsForObject`).
fn ports_of(exposed: &Object) -> Vec<(i64, Vec<String>)> {
    let value = exposed.to_value();
    let items =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let declared: Vec<(Value, &str)> = match exposed.kind() {
        Kind::Service => items(&value, "/spec/ports").into_iter().map(|port| (port, "port")).collect(),
        kind => {
            let pointer = if kind == Kind::Pod { "/spec/containers" } else { "/spec/template/spec/containers" };
            let containers = items(&value, pointer);
            containers.iter().flat_map(|c| items(c, "/ports")).map(|port| (port, "containerPort")).collect()
        }
    };
    let mut ports: Vec<(i64, Vec<String>)> = Vec::new();
    for (port, field) in declared {
        let Some(number) = port.get(field).and_then(Value::as_i64) else { continue };
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_owned();
        match ports.iter_mut().find(|(known, _)| *known == number) {
            Some((_, protocols)) => protocols.push(protocol),
            None => ports.push((number, vec![protocol])),
        }
    }
    ports
}

fn service_for(k: &Kubectl<'_>, exposed: &Object) -> Result<Value, Error> {
    let flag = |name: &str| k.flags.or_empty(name);
    let can = matches!(exposed.kind(), Kind::Service | Kind::Pod | Kind::Deployment | Kind::ReplicaSet);
    let selector = match flag("selector") {
        text if can && !text.is_empty() => parse_labels(text)?,
        _ => selector_of(exposed)?,
    };
    let declared = ports_of(exposed);
    let numbers: Vec<i64> = match flag("port") {
        "" if declared.is_empty() && flag("cluster-ip") != "None" => {
            return client("couldn't find port via --port flag or introspection");
        }
        "" => declared.iter().map(|(number, _)| *number).collect(),
        text => text.split(',').map(|port| atoi(port).map(i64::from)).collect::<Result<_, _>>()?,
    };
    let mut ports: Vec<Value> = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let own: Vec<&str> = match declared.iter().find(|(known, _)| known == number) {
            _ if !flag("protocol").is_empty() => vec![flag("protocol")],
            Some((_, protocols)) => protocols.iter().map(String::as_str).collect(),
            None => vec!["TCP"],
        };
        for protocol in &own {
            let mut port = json!({ "port": number, "protocol": protocol });
            if own.len() > 1 {
                port["name"] = format!("port-{}-{}", index + 1, protocol.to_lowercase()).into();
            } else if numbers.len() > 1 {
                port["name"] = format!("port-{}", index + 1).into();
            }
            port["targetPort"] = match flag("target-port") {
                "" => (*number).into(),
                target => int_or_string(target),
            };
            ports.push(port);
        }
    }
    let labels = match flag("labels") {
        "" => exposed.metadata().labels.clone().unwrap_or_default(),
        text => parse_labels(text)?,
    };
    let name = match flag("name") {
        "" => exposed.name().chars().take(63).collect(),
        name => name.to_owned(),
    };
    let mut service = object(k, Kind::Service, &name);
    if !labels.is_empty() {
        service["metadata"]["labels"] = json!(labels);
    }
    service["spec"] = json!({ "selector": selector });
    if !ports.is_empty() {
        service["spec"]["ports"] = Value::Array(ports);
    }
    match flag("session-affinity") {
        "" => {}
        affinity @ ("None" | "ClientIP") => service["spec"]["sessionAffinity"] = affinity.into(),
        other => return client(format!("unknown session affinity: {other}")),
    }
    if !flag("external-ip").is_empty() {
        service["spec"]["externalIPs"] = json!([flag("external-ip")]);
    }
    let own_type = flag("type") == "LoadBalancer" && !flag("load-balancer-ip").is_empty();
    let fields =
        [("type", "type", true), ("clusterIP", "cluster-ip", true), ("loadBalancerIP", "load-balancer-ip", own_type)];
    for (field, name, wanted) in fields {
        if wanted && !flag(name).is_empty() {
            service["spec"][field] = flag(name).into();
        }
    }
    match k.flags.text("overrides").filter(|text| !text.is_empty()) {
        Some(text) => overridden(k, service, text),
        None => Ok(service),
    }
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn a_service_is_made_from_what_it_exposes() {
        let mut shell = Shell::with("create deployment web --image=nginx --port=80");
        assert_eq!(shell.stdout("expose deploy web"), "service/web exposed\n");
        assert_eq!(shell.value("Service", "web", "/spec/selector/app"), "web");
        assert_eq!(shell.value("Service", "web", "/spec/ports/0/port"), "80");
        assert_eq!(shell.labels("Service", "web"), "app=web");
        let line = "expose deploy/web --name=np --type=NodePort --port=8080 --target-port=http --protocol=UDP -l a=b";
        assert_eq!(shell.stdout(line), "service/np exposed\n");
        assert_eq!(shell.value("Service", "np", "/spec/ports/0/targetPort"), "http");
        assert_eq!(shell.value("Service", "np", "/spec/ports/0/protocol"), "UDP");
        assert_eq!(shell.value("Service", "np", "/spec/type"), "NodePort");
        assert_eq!(shell.labels("Service", "np"), "a=b");
    }

    #[test]
    fn what_cannot_be_exposed_is_refused() {
        let mut shell = Shell::with("create deployment web --image=nginx");
        assert_eq!(shell.stderr("expose deploy web"), "error: couldn't find port via --port flag or introspection\n");
        assert_eq!(shell.stderr("expose ns default --port=80"), "error: cannot expose a Namespace\n");
        assert_eq!(
            shell.stderr("expose deploy none --port=80"),
            "Error from server (NotFound): deployments.apps \"none\" not found\n"
        );
    }
}
