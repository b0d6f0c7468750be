//! `endpoints`: a Service leads to exactly these pods, on these ports.
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::find::missing_object;
use super::{Failure, Finding, Verdict, reasons};
use crate::api::ApiObject as _;
use crate::api::label_selector::matches_map;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::controllers::endpoint_slice::SERVICE_NAME;
use crate::environment::glob;
use crate::scenario::{EndpointPort, Endpoints};

/// What a Service leads to instead of what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadsTo {
    /// The Service.
    pub service: ObjectKey,
    /// What it leads to: names of pods, or addresses of what is no pod.
    pub found: Vec<String>,
    /// What it does not lead to: names or patterns.
    pub missing: Vec<String>,
    /// What it should not lead to.
    pub extra: Vec<String>,
    /// The ports that were asked and those of a pod that has others.
    pub ports: Option<(Vec<String>, Vec<String>)>,
    /// Why, the nearest cause first.
    pub why: Vec<EndpointsWhy>,
}

/// Why a Service does not lead to a pod.
#[derive(Clone, Debug, PartialEq)]
pub enum EndpointsWhy {
    /// It has no selector, so that nothing looks for its pods.
    NoSelector,
    /// No pod of its namespace has the labels it selects.
    SelectsNothing {
        /// The selector: `app=web,tier=front`.
        selector: String,
    },
    /// A pod has other labels.
    NotSelected {
        /// The pod.
        pod: String,
        /// The selector.
        selector: String,
        /// The pod's own labels.
        labels: String,
    },
    /// There is no such pod.
    NoPod {
        /// The name or pattern.
        pod: String,
    },
    /// Pods are not ready.
    NotReady {
        /// The pods.
        pods: Vec<String>,
    },
    /// No container port of a pod has the name that the Service leads to.
    NoPortNamed {
        /// The pod.
        pod: String,
        /// The name in `targetPort`.
        port: String,
    },
}

/// Where a Service leads: what is behind it, with its ports, as `number/protocol` with their names.
type Found = BTreeMap<String, BTreeSet<(Option<String>, i32, String)>>;

/// Unready endpoints count only if readiness is not asked for.
pub(super) fn ask(question: &Endpoints, cluster: &Cluster) -> Verdict {
    let store = cluster.api().store();
    let key = ObjectKey::new(Kind::Service, &question.namespace, &question.service);
    let Some(service) = store.get::<Service>(&question.namespace, &question.service) else {
        return failed(missing_object(&key, store), Vec::new());
    };
    let found = leads_to(question, cluster);
    let is_met = |pattern: &&String| found.keys().any(|name| glob(pattern, name));
    let missing: Vec<String> = question.pods.iter().filter(|pattern| !is_met(pattern)).cloned().collect();
    let is_asked = |name: &&String| question.pods.iter().any(|pattern| glob(pattern, name));
    let extra: Vec<String> = found.keys().filter(|name| !is_asked(name)).cloned().collect();
    let ports = question.ports.as_ref().and_then(|wanted| other_ports(wanted, &found));
    if missing.is_empty() && extra.is_empty() && ports.is_none() {
        return Verdict::Passed;
    }
    let (why, unready) = why(question, cluster, service, &missing, &found);
    let reasons = reasons::of_pods(cluster, &unready);
    let found = found.into_keys().collect();
    failed(Finding::LeadsTo(Box::new(LeadsTo { service: key, found, missing, extra, ports, why })), reasons)
}

fn failed(finding: Finding, reasons: Vec<reasons::Reason>) -> Verdict {
    Verdict::Failed(Box::new(Failure { finding, differences: Vec::new(), sides: (None, None), reasons }))
}

fn leads_to(question: &Endpoints, cluster: &Cluster) -> Found {
    let slices = cluster.api().store().list_in::<EndpointSlice>(&question.namespace);
    let mut found = Found::new();
    for slice in slices.filter(|slice| slice.label(SERVICE_NAME) == Some(&question.service)) {
        for endpoint in slice.endpoints.iter().flatten() {
            let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false);
            if question.ready && !ready {
                continue;
            }
            let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
            let name = pod.and_then(|target| target.name.clone()).or_else(|| endpoint.addresses.first().cloned());
            let ports = found.entry(name.unwrap_or_default()).or_default();
            for port in slice.ports.iter().flatten() {
                let name = port.name.clone().filter(|name| !name.is_empty());
                let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
                ports.extend(port.port.map(|number| (name, number, protocol)));
            }
        }
    }
    found
}

/// The asked ports and the first others that are found.
fn other_ports(wanted: &[EndpointPort], found: &Found) -> Option<(Vec<String>, Vec<String>)> {
    let is = |wanted: &EndpointPort, (name, number, protocol): &(Option<String>, i32, String)| {
        wanted.number == *number
            && wanted.protocol == *protocol
            && wanted.name.as_ref().is_none_or(|wanted| name.as_ref() == Some(wanted))
    };
    let differ = found.values().find(|ports| {
        !wanted.iter().all(|wanted| ports.iter().any(|port| is(wanted, port)))
            || !ports.iter().all(|port| wanted.iter().any(|wanted| is(wanted, port)))
    })?;
    let shown = |(name, number, protocol): &(Option<String>, i32, String)| {
        EndpointPort { name: name.clone(), number: *number, protocol: protocol.clone() }.to_string()
    };
    Some((wanted.iter().map(EndpointPort::to_string).collect(), differ.iter().map(shown).collect()))
}

/// Why pods are missing, and the pods that are not ready.
fn why<'a>(
    question: &Endpoints,
    cluster: &'a Cluster,
    service: &Service,
    missing: &[String],
    found: &Found,
) -> (Vec<EndpointsWhy>, Vec<&'a Pod>) {
    const SHOWN: usize = 4;
    let mut why = Vec::new();
    let mut unready: Vec<&Pod> = Vec::new();
    let spec = service.spec.clone().unwrap_or_default();
    let selector = spec.selector.filter(|selector| !selector.is_empty());
    let pods: Vec<&Pod> = cluster.api().store().list_in::<Pod>(&question.namespace).map(|pod| &**pod).collect();
    let selects = |pod: &Pod| matches_map(selector.as_ref(), pod.metadata.labels.as_ref());
    let text = pairs(selector.as_ref());
    match &selector {
        None if !missing.is_empty() => return (vec![EndpointsWhy::NoSelector], unready),
        Some(_) if !missing.is_empty() && !pods.iter().any(|pod| selects(pod)) => {
            why.push(EndpointsWhy::SelectsNothing { selector: text.clone() });
        }
        _ => {}
    }
    for pattern in missing {
        let meant: Vec<&&Pod> = pods.iter().filter(|pod| glob(pattern, pod.name())).collect();
        if meant.is_empty() {
            why.push(EndpointsWhy::NoPod { pod: pattern.clone() });
        }
        for pod in meant.into_iter().filter(|pod| !found.contains_key(pod.name())) {
            let name = pod.name().to_owned();
            if !selects(pod) {
                let labels = pairs(pod.metadata.labels.as_ref());
                why.push(EndpointsWhy::NotSelected { pod: name, selector: text.clone(), labels });
            } else if !is_ready(pod) {
                unready.push(pod);
            }
        }
    }
    why.truncate(SHOWN);
    if !unready.is_empty() {
        why.push(EndpointsWhy::NotReady { pods: unready.iter().map(|pod| pod.name().to_owned()).collect() });
    }
    for port in spec.ports.iter().flatten() {
        let lacks = |pod: &&&Pod| selects(pod) && lacks_port(pod, port);
        if let (Some(IntOrString::String(name)), Some(pod)) = (&port.target_port, pods.iter().find(lacks)) {
            why.push(EndpointsWhy::NoPortNamed { pod: pod.name().to_owned(), port: name.clone() });
        }
    }
    why.truncate(SHOWN + 2);
    (why, unready)
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Whether a Service's port leads to a name that no container port of the pod has.
fn lacks_port(pod: &Pod, port: &ServicePort) -> bool {
    let Some(IntOrString::String(name)) = &port.target_port else { return false };
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let containers =
        pod.spec.iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    !ports.any(|found| found.name.as_ref() == Some(name) && found.protocol.as_deref().unwrap_or("TCP") == protocol)
}

/// Labels as they are written on the command line.
fn pairs(labels: Option<&BTreeMap<String, String>>) -> String {
    labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
