//! `kubectl create service clusterip|nodeport|loadbalancer|externalname NAME --tcp=PORT[:TARGET]`.
use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;
use crate::api::Kind;
use crate::api::validation::names::{is_dns1123_subdomain, is_valid_port_name, is_valid_port_num};

pub(super) const CLUSTER_IP: Command = Command {
    path: "kubectl create service clusterip",
    spec: super::spec! { switches: [], texts: ["clusterip"], lists: ["tcp"] },
    run: |k| run(k, "ClusterIP"),
};
pub(super) const NODE_PORT: Command = Command {
    path: "kubectl create service nodeport",
    spec: super::spec! { switches: [], texts: ["node-port"], lists: ["tcp"] },
    run: |k| run(k, "NodePort"),
};
pub(super) const LOAD_BALANCER: Command = Command {
    path: "kubectl create service loadbalancer",
    spec: super::spec! { switches: [], texts: [], lists: ["tcp"] },
    run: |k| run(k, "LoadBalancer"),
};
pub(super) const EXTERNAL_NAME: Command = Command {
    path: "kubectl create service externalname",
    spec: super::spec! { switches: [], texts: ["external-name"], lists: ["tcp"] },
    run: |k| run(k, "ExternalName"),
};

fn run(k: &mut Kubectl<'_>, service_type: &str) -> Done {
    if service_type == "ExternalName" {
        k.flags.require(&["external-name"])?;
    }
    let name = k.flags.single_name()?;
    let tcp = k.flags.slice("tcp");
    let cluster_ip = k.flags.or_empty("clusterip").to_owned();
    let external_name = k.flags.or_empty("external-name").to_owned();
    let node_port = k.flags.number32("node-port")?.unwrap_or(0);
    if cluster_ip != "None" && tcp.is_empty() && service_type != "ExternalName" {
        return super::client("at least one tcp port specifier must be provided");
    }
    if service_type == "ExternalName" && !is_dns1123_subdomain(&external_name).is_empty() {
        return super::client(format!("invalid service external name {external_name}"));
    }
    let mut ports = Vec::new();
    for pair in &tcp {
        let (port, target) = parse_ports(pair)?;
        let mut value =
            json!({ "name": pair.replace(':', "-"), "port": port, "targetPort": target, "protocol": "TCP" });
        if node_port != 0 {
            value["nodePort"] = node_port.into();
        }
        ports.push(value);
    }
    let mut object = super::object(k, Kind::Service, &name);
    object["metadata"]["labels"] = json!({ "app": name });
    object["spec"] = json!({ "type": service_type, "selector": { "app": name } });
    if !ports.is_empty() {
        object["spec"]["ports"] = Value::Array(ports);
    }
    if !external_name.is_empty() {
        object["spec"]["externalName"] = external_name.into();
    }
    if !cluster_ip.is_empty() {
        object["spec"]["clusterIP"] = cluster_ip.into();
    }
    super::submit(k, Kind::Service, object, "created", Some(&format!("{service_type} service:")))
}

fn parse_ports(text: &str) -> Result<(u16, Value), Error> {
    let mut parts = text.split(':');
    let port = parts.next().unwrap_or_default();
    let syntax =
        || Error::Client(format!("strconv.ParseUint: parsing {}: invalid syntax", crate::api::field::go_quote(port)));
    let port: u16 = port.parse().map_err(|_| syntax())?;
    let Some(target) = parts.next() else { return Ok((port, port.into())) };
    match target.parse::<i32>() {
        Ok(number) => match is_valid_port_num(number).join(",") {
            problems if problems.is_empty() => Ok((port, number.into())),
            problems => super::client(problems),
        },
        Err(_) => match is_valid_port_name(target).join(",") {
            problems if problems.is_empty() => Ok((port, target.into())),
            problems => super::client(problems),
        },
    }
}
