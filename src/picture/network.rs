//! Services, the pods behind them, and the names that lead to both.
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, Service};

use super::graph::Graph;
use super::{Relation, Role, State, Words};
use crate::api::ApiObject;
use crate::api::kinds::service::{is_headless, type_of};
use crate::api::label_selector;
use crate::api::object::{Kind, ObjectKey};
use crate::dns::{self, CLUSTER_DOMAIN};

/// The kind of a name; not one of Kubernetes'.
const NAME: &str = "DNS";

pub(super) fn add(graph: &mut Graph<'_>) {
    let services: Vec<_> = graph.objects(Kind::Service).filter_map(Service::from_object).collect();
    for service in services {
        add_service(graph, service);
    }
    // a StatefulSet whose Service is not there gives its pods names that do not exist
    let sets: Vec<_> = graph.objects(Kind::StatefulSet).filter_map(StatefulSet::from_object).collect();
    for set in sets {
        let name = set.spec.as_ref().and_then(|spec| spec.service_name.as_deref()).unwrap_or_default();
        if name.is_empty() || graph.cluster.api().store().get::<Service>(set.namespace(), name).is_some() {
            continue;
        }
        let key = ObjectKey::new(Kind::StatefulSet, set.namespace(), set.name());
        let Some(to) = graph.find(Role::Workload, &key) else { continue };
        let service = graph.absent(Role::Service, Kind::Service.name(), set.namespace(), name);
        let why = graph.words(Words::NoSuchService { service: name });
        graph.broken(service, to, Relation::Governs, State::Broken, &format!("{}: {why}", set.name()));
    }
}

fn add_service(graph: &mut Graph<'_>, service: &Service) {
    let Some(spec) = &service.spec else { return };
    let store = graph.cluster.api().store();
    let namespace = service.namespace();
    let item = graph.item(Role::Service, Kind::Service.name(), namespace, service.name());
    let port = |port: &k8s_openapi::api::core::v1::ServicePort| port.port.to_string();
    let ports: Vec<String> = spec.ports.iter().flatten().map(port).collect();
    let kind = if is_headless(spec) { "headless" } else { type_of(spec) };
    graph.fact(item, &format!("{kind} {}", ports.join(",")));

    let full = format!("{}.{namespace}.svc.{CLUSTER_DOMAIN}", service.name());
    let name = name_item(graph, &full);
    if type_of(spec) == "ExternalName" {
        let target = spec.external_name.clone().unwrap_or_default();
        let target = graph.item(Role::Workload, NAME, "", &target);
        graph.link(name, item, Relation::Resolves, "");
        graph.link(item, target, Relation::Resolves, "CNAME");
        return;
    }
    let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else {
        graph.link(name, item, Relation::Resolves, "");
        return;
    };
    let selects =
        |pod: &&std::sync::Arc<Pod>| label_selector::matches_map(Some(selector), pod.metadata.labels.as_ref());
    let pods: Vec<_> = store.list_in::<Pod>(namespace).filter(selects).collect();
    if pods.is_empty() {
        let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = graph.words(Words::Nothing { kind: Kind::Pod.name() });
        let none = graph.absent(Role::Pod, Kind::Pod.name(), namespace, &text);
        let why = graph.words(Words::SelectsNothing { selector: &labels.join(",") });
        graph.broken(item, none, Relation::Selects, State::Broken, &format!("{}: {why}", service.name()));
    }
    let answer = dns::resolve(store, &full, None);
    match answer.is_found() {
        true => graph.link(name, item, Relation::Resolves, ""),
        false => {
            let why = graph.words(Words::DoesNotExist { kind: NAME, name: &full });
            graph.broken(name, item, Relation::Resolves, State::Broken, &why);
        }
    }
    for pod in pods {
        let key = ObjectKey::new(Kind::Pod, namespace, pod.name());
        let Some(to) = graph.find(Role::Pod, &key) else { continue };
        let ready = |status: &k8s_openapi::api::core::v1::PodStatus| {
            status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
        };
        if pod.status.as_ref().is_some_and(ready) || spec.publish_not_ready_addresses == Some(true) {
            graph.link(item, to, Relation::Selects, "");
        } else {
            let why = graph.words(Words::NotReady { pod: pod.name() });
            graph.broken(item, to, Relation::Selects, State::Broken, &why);
        }
        // a pod has a name of its own below a Service that its spec names
        let pod_spec = pod.spec.clone().unwrap_or_default();
        let host = pod_spec.hostname.unwrap_or_default();
        if is_headless(spec) && pod_spec.subdomain.as_deref() == Some(service.name()) && !host.is_empty() {
            let full = format!("{host}.{full}");
            if dns::resolve(store, &full, None).is_found() {
                let name = name_item(graph, &full);
                graph.link(name, to, Relation::Resolves, "");
            }
        }
    }
}

/// The item of a full name; the cluster's domain is only hinted at.
fn name_item(graph: &mut Graph<'_>, full: &str) -> usize {
    let domain = format!(".{CLUSTER_DOMAIN}");
    let item = graph.item(Role::DnsName, NAME, "", full.strip_suffix(&domain).unwrap_or(full));
    if !graph.has_facts(item) && full.ends_with(&domain) {
        graph.fact(item, &domain);
    }
    item
}
