//! Cluster DNS: what names resolve to, by the Kubernetes DNS specification (version 1.1.0) as CoreDNS serves it.
//!
//! | name below `cluster.local` | answer |
//! |---|---|
//! | `SERVICE.NAMESPACE.svc` | the Service's address; if it is headless, the addresses of its ready pods |
//! | `HOSTNAME.SERVICE.NAMESPACE.svc` | the ready pods with that hostname and the Service's name as subdomain |
//! | `10-40-2-8.SERVICE.NAMESPACE.svc` | the ready pod with that address, if it has no such hostname |
//! | `_PORT._PROTOCOL.SERVICE.NAMESPACE.svc` | where the named port is served |
//! | `10-40-2-8.NAMESPACE.pod` | the pod with that address |
//!
//! A Service of type ExternalName answers with the other name (a CNAME).
mod explain;
mod resolv_conf;
mod zone;

pub use explain::{WhyNot, explain};
pub use resolv_conf::ResolvConf;

use k8s_openapi::api::core::v1::Pod;

use crate::api::Store;

/// The domain of the cluster.
pub const CLUSTER_DOMAIN: &str = "cluster.local";
/// The most names a chain of CNAMEs leads through.
const MAX_CNAMES: usize = 8;

/// An address with the pod that has it, where the answer is about pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The IP address.
    pub ip: String,
    /// Namespace and name of the pod.
    pub pod: Option<(String, String)>,
}

/// Where a port of a Service is served (an SRV record).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// A name that resolves to the address.
    pub target: String,
    /// The port's number.
    pub port: i32,
    /// The address of the target.
    pub address: Address,
}

/// What a name resolves to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The full name that was found, without the dot at the end; `None` if the name does not exist (NXDOMAIN).
    pub name: Option<String>,
    /// The other names it leads to, for Services of type ExternalName.
    pub aliases: Vec<String>,
    /// The addresses (A records), sorted, each once.
    pub addresses: Vec<Address>,
    /// For names of ports: the places where they are served (SRV records), sorted.
    pub servers: Vec<Server>,
}

impl Answer {
    /// Whether the name exists.
    pub fn is_found(&self) -> bool {
        self.name.is_some()
    }
    /// The names of the pods that have the addresses, sorted, each once.
    pub fn pods(&self) -> Vec<&str> {
        let mut pods: Vec<&str> =
            self.addresses.iter().filter_map(|a| a.pod.as_ref()).map(|(_, name)| name.as_str()).collect();
        pods.sort_unstable();
        pods.dedup();
        pods
    }
}

/// The full names that are tried for a name, in order; `None` if the pod does not ask the cluster's DNS.
pub fn candidates(name: &str, from: Option<&Pod>) -> Option<Vec<String>> {
    match from {
        None => Some(vec![name.trim_end_matches('.').to_owned()]),
        Some(pod) => ResolvConf::of(pod).map(|conf| conf.candidates(name)),
    }
}

/// Resolves a name. From inside a pod, its search domains are tried; otherwise the name is taken as a full name.
pub fn resolve(store: &Store, name: &str, from: Option<&Pod>) -> Answer {
    let candidates = candidates(name, from).unwrap_or_default();
    candidates.iter().map(|full| resolve_full(store, full)).find(Answer::is_found).unwrap_or_default()
}

/// Resolves a full name, following CNAMEs.
fn resolve_full(store: &Store, name: &str) -> Answer {
    let mut answer = Answer { name: Some(name.to_owned()), ..Default::default() };
    let mut next = name.to_owned();
    for _ in 0..MAX_CNAMES {
        match zone::lookup(store, &next) {
            Some(zone::Records::Addresses(addresses)) => {
                answer.addresses = addresses;
                break;
            }
            Some(zone::Records::Servers(servers)) => {
                answer.servers = servers;
                break;
            }
            Some(zone::Records::Alias(target)) => {
                answer.aliases.push(target.clone());
                next = target;
            }
            // a name outside the cluster that an ExternalName leads to may well exist
            None if !answer.aliases.is_empty() => break,
            None => return Answer::default(),
        }
    }
    answer
}

#[cfg(test)]
#[path = "dns/tests.rs"]
mod tests;
