//! `dns`: a name leads to these pods, to a Service's address, or nowhere.
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::diff::Diff;
use super::{Failure, Finding, Verdict, reasons};
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::dns;
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
    let reasons = match &question.target {
        DnsTarget::Pods(wanted) => {
            let keys: BTreeMap<&str, ObjectKey> = wanted
                .iter()
                .filter(|name| !name.contains('*'))
                .map(|name| (name.as_str(), ObjectKey::new(Kind::Pod, &question.namespace, name)))
                .collect();
            keys.values().flat_map(|key| reasons::of(cluster, key)).collect()
        }
        _ => Vec::new(),
    };
    Verdict::Failed(Box::new(Failure { finding, differences: Vec::new(), diff: Diff::default(), reasons }))
}
