//! `dns`: a name leads to these pods, to a Service's address, or nowhere.
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::reasons::Reason;
use super::{Failure, Finding, Verdict, reasons};
use crate::api::Store;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::dns::{self, Answer, WhyNot};
use crate::environment::glob;
use crate::scenario::{Dns, DnsTarget};

/// The name is looked up by a pod without DNS settings of its own.
pub(super) fn ask(question: &Dns, cluster: &Cluster) -> Verdict {
    let store = cluster.api().store();
    let metadata = ObjectMeta { namespace: Some(question.namespace.clone()), ..Default::default() };
    let client = Pod { metadata, spec: Some(PodSpec::default()), status: None };
    let answer = dns::resolve(store, &question.name, Some(&client));
    let right = match &question.target {
        DnsTarget::Nothing => !answer.is_found(),
        DnsTarget::Pods(wanted) => {
            let pods = answer.pods();
            let all_there = wanted.iter().all(|pattern| pods.iter().any(|pod| glob(pattern, pod)));
            all_there && pods.iter().all(|pod| wanted.iter().any(|pattern| glob(pattern, pod)))
        }
        DnsTarget::Service(name) => {
            let (namespace, name) = name.split_once('/').unwrap_or((&question.namespace, name));
            let service = store.get::<Service>(namespace, name).and_then(|s| s.spec.as_ref());
            let address = service.and_then(|spec| spec.cluster_ip.as_deref());
            address.is_some() && answer.addresses.iter().map(|a| Some(a.ip.as_str())).eq([address])
        }
    };
    if right {
        return Verdict::Passed;
    }
    let mut leads_to: Vec<String> = answer.pods().into_iter().map(str::to_owned).collect();
    leads_to.extend(answer.addresses.iter().filter(|a| a.pod.is_none()).map(|a| a.ip.clone()));
    leads_to.extend(answer.aliases.iter().cloned());
    let found = answer.is_found().then_some(leads_to);
    let finding = Finding::Resolves { name: question.name.clone(), target: question.target.clone(), found };
    let mut reasons: Vec<Reason> = why(question, &answer, &client, store).into_iter().map(Reason::Name).collect();
    if let DnsTarget::Pods(wanted) = &question.target {
        let keys: BTreeMap<&str, ObjectKey> = wanted
            .iter()
            .filter(|name| !name.contains('*'))
            .map(|name| (name.as_str(), ObjectKey::new(Kind::Pod, &question.namespace, name)))
            .collect();
        reasons.extend(keys.values().flat_map(|key| reasons::of(cluster, key)));
    }
    Verdict::Failed(Box::new(Failure { finding, differences: Vec::new(), sides: (None, None), reasons }))
}

/// The most pods that are told one by one.
const MAX_PODS: usize = 4;

/// Why the name does not lead where it is to.
fn why(question: &Dns, answer: &Answer, client: &Pod, store: &Store) -> Vec<WhyNot> {
    if !answer.is_found() {
        return vec![dns::explain(store, &question.name, Some(client))];
    }
    match &question.target {
        DnsTarget::Nothing => Vec::new(),
        DnsTarget::Service(name) => {
            let (namespace, name) = name.split_once('/').unwrap_or((&question.namespace, name));
            dns::not_to_service(store, answer, namespace, name).into_iter().collect()
        }
        DnsTarget::Pods(wanted) => {
            let found = answer.pods();
            let missing = wanted.iter().filter(|pattern| !found.iter().any(|pod| glob(pattern, pod))).take(MAX_PODS);
            let mut why: Vec<WhyNot> = Vec::new();
            for next in missing.filter_map(|pod| dns::not_to_pod(store, answer, pod)) {
                match (why.last_mut(), next) {
                    // several names that no pod has are told at once
                    (Some(WhyNot::NoPod { pod: names, .. }), WhyNot::NoPod { pod, .. }) => {
                        names.push_str(", ");
                        names.push_str(&pod);
                    }
                    (Some(last), next) if *last == next => {}
                    (_, next) => why.push(next),
                }
            }
            let told = |pod: &str| {
                why.iter().any(|why| matches!(why, WhyNot::NoPod { pods, .. } if pods.iter().any(|name| name == pod)))
            };
            let is_wanted = |pod: &str| wanted.iter().any(|pattern| glob(pattern, pod));
            let others: Vec<String> =
                found.iter().filter(|pod| !is_wanted(pod) && !told(pod)).map(|pod| (*pod).to_owned()).collect();
            why.extend(dns::also_to_pods(store, answer, others));
            why
        }
    }
}
