#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::{Value, json};

use super::*;
use crate::api::ApiServer;
use crate::api::strategy::Strategy;

fn create<T: Strategy>(api: &mut ApiServer, object: Value) {
    api.create(serde_json::from_value::<T>(object).unwrap()).unwrap();
}

fn slice(service: &str, ports: Value, endpoints: &[(&str, &str, Option<&str>, bool)]) -> Value {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|(pod, ip, hostname, ready)| {
            json!({"addresses": [ip], "conditions": {"ready": ready}, "hostname": hostname,
                "targetRef": {"kind": "Pod", "namespace": "default", "name": pod}})
        })
        .collect();
    json!({"metadata": {"generateName": service, "namespace": "default",
        "labels": {"kubernetes.io/service-name": service}}, "addressType": "IPv4", "ports": ports,
        "endpoints": endpoints})
}

/// A cluster with a headless Service `db` of two ready pods and one that is not, a ClusterIP Service `web`, and an
/// ExternalName.
fn cluster() -> ApiServer {
    let mut api = ApiServer::default();
    create::<k8s_openapi::api::core::v1::Namespace>(&mut api, json!({"metadata": {"name": "default"}}));
    create::<k8s_openapi::api::core::v1::Namespace>(&mut api, json!({"metadata": {"name": "other"}}));
    let service = |name: &str, spec: Value| json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
    let ports = json!([{"name": "sql", "port": 3306}]);
    create::<Service>(&mut api, service("db", json!({"clusterIP": "None", "ports": ports, "selector": {"app": "db"}})));
    create::<Service>(&mut api, service("web", json!({"ports": [{"name": "http", "port": 80}]})));
    create::<Service>(
        &mut api,
        service("elsewhere", json!({"type": "ExternalName", "externalName": "db.example.com."})),
    );
    let ports = json!([{"name": "sql", "port": 3306, "protocol": "TCP"}]);
    let pods = [
        ("db-0", "10.40.1.4", Some("db-0"), true),
        ("db-1", "10.40.2.8", Some("db-1"), true),
        ("db-2", "10.40.1.9", Some("db-2"), false),
        ("extra", "10.40.1.7", None, true),
    ];
    create::<EndpointSlice>(&mut api, slice("db", ports, &pods));
    api
}

fn pod(namespace: &str, dns_policy: &str) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": "client", "namespace": namespace},
        "spec": {"dnsPolicy": dns_policy, "containers": []}}))
    .unwrap()
}

fn pods(api: &ApiServer, name: &str) -> Vec<String> {
    resolve(api.store(), name, None).pods().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_headless_service_is_its_ready_pods() {
    let api = cluster();
    assert_eq!(pods(&api, "db.default.svc.cluster.local"), ["db-0", "db-1", "extra"]);
    assert_eq!(pods(&api, "DB.default.svc.cluster.local."), ["db-0", "db-1", "extra"]);
}

#[test]
fn a_pod_has_its_own_name_by_hostname_or_by_address() {
    let api = cluster();
    assert_eq!(pods(&api, "db-1.db.default.svc.cluster.local"), ["db-1"]);
    assert_eq!(pods(&api, "10-40-1-7.db.default.svc.cluster.local"), ["extra"]);
    // the hostname replaces the address
    assert!(!resolve(api.store(), "10-40-2-8.db.default.svc.cluster.local", None).is_found());
    // not ready
    assert!(!resolve(api.store(), "db-2.db.default.svc.cluster.local", None).is_found());
}

#[test]
fn a_service_with_an_address_is_that_address() {
    let api = cluster();
    let answer = resolve(api.store(), "web.default.svc.cluster.local", None);
    let ip = api.get::<Service>("default", "web").unwrap().spec.as_ref().unwrap().cluster_ip.clone().unwrap();
    assert_eq!(answer.addresses, [Address { ip, pod: None }]);
}

#[test]
fn named_ports_have_servers() {
    let api = cluster();
    let of = |name: &str| {
        let servers = resolve(api.store(), name, None).servers;
        servers.into_iter().map(|s| format!("{}:{}", s.target, s.port)).collect::<Vec<_>>()
    };
    assert_eq!(of("_http._tcp.web.default.svc.cluster.local"), ["web.default.svc.cluster.local:80"]);
    assert_eq!(
        of("_sql._tcp.db.default.svc.cluster.local"),
        [
            "10-40-1-7.db.default.svc.cluster.local:3306",
            "db-0.db.default.svc.cluster.local:3306",
            "db-1.db.default.svc.cluster.local:3306",
        ]
    );
    assert!(of("_sql._udp.db.default.svc.cluster.local").is_empty());
}

#[test]
fn an_external_name_is_an_alias() {
    let api = cluster();
    let answer = resolve(api.store(), "elsewhere.default.svc.cluster.local", None);
    assert!(answer.is_found() && answer.addresses.is_empty());
    assert_eq!(answer.aliases, ["db.example.com"]);
}

#[test]
fn search_domains_are_those_of_the_pods_namespace() {
    let api = cluster();
    let from = |namespace: &str, name: &str| resolve(api.store(), name, Some(&pod(namespace, "ClusterFirst"))).name;
    let full = Some("db.default.svc.cluster.local".to_owned());
    assert_eq!(from("default", "db"), full);
    assert_eq!(from("other", "db"), None);
    assert_eq!(from("other", "db.default"), full);
    assert_eq!(from("other", "db.default.svc"), full);
    assert_eq!(from("other", "db.default."), None);
    assert_eq!(resolve(api.store(), "db", Some(&pod("default", "Default"))).name, None);
    assert_eq!(resolve(api.store(), "db", None).name, None);
}

#[test]
fn a_pods_address_is_a_name_in_its_namespace() {
    let mut api = cluster();
    create::<k8s_openapi::api::core::v1::ServiceAccount>(
        &mut api,
        json!({"metadata": {"name": "default", "namespace": "default"}}),
    );
    let container = json!({"name": "c", "image": "nginx"});
    create::<Pod>(
        &mut api,
        json!({"metadata": {"name": "db-1", "namespace": "default"}, "spec": {"containers": [container]}}),
    );
    let mut pod = Pod::clone(api.get::<Pod>("default", "db-1").unwrap());
    pod.status.get_or_insert_default().pod_ip = Some("10.40.2.8".to_owned());
    api.update_status(pod).unwrap();
    assert_eq!(pods(&api, "10-40-2-8.default.pod.cluster.local"), ["db-1"]);
    assert!(!resolve(api.store(), "10-40-2-9.default.pod.cluster.local", None).is_found());
    assert!(!resolve(api.store(), "10-40-2-8.other.pod.cluster.local", None).is_found());
}
