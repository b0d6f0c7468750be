//! How a pod looks names up: its `/etc/resolv.conf` (`pkg/kubelet/network/dns`).
use k8s_openapi::api::core::v1::Pod;

use super::CLUSTER_DOMAIN;
use crate::api::object::ApiObject;

/// The address of the cluster's DNS Service.
const CLUSTER_DNS: &str = "10.96.0.10";

/// Search domains, and from how many dots on a name is first tried as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The domains that are appended, in order.
    pub searches: Vec<String>,
    /// `options ndots`.
    pub ndots: usize,
}

impl ResolvConf {
    /// What a pod has; `None` if it does not ask the cluster's DNS at all (`dnsPolicy: Default`, or the network of the
    /// node without `ClusterFirstWithHostNet`).
    pub fn of(pod: &Pod) -> Option<ResolvConf> {
        let spec = pod.spec.as_ref()?;
        let config = spec.dns_config.as_ref();
        let host_network = spec.host_network == Some(true);
        let cluster_searches = || {
            let namespace = pod.namespace();
            vec![
                format!("{namespace}.svc.{CLUSTER_DOMAIN}"),
                format!("svc.{CLUSTER_DOMAIN}"),
                CLUSTER_DOMAIN.to_owned(),
            ]
        };
        let (mut searches, mut ndots) = match spec.dns_policy.as_deref().unwrap_or("ClusterFirst") {
            "ClusterFirst" if !host_network => (cluster_searches(), 5),
            "ClusterFirstWithHostNet" => (cluster_searches(), 5),
            "None" => {
                let servers = config.and_then(|c| c.nameservers.as_deref()).unwrap_or_default();
                if !servers.iter().any(|s| s == CLUSTER_DNS) {
                    return None;
                }
                (Vec::new(), 1)
            }
            _ => return None,
        };
        for search in config.iter().flat_map(|c| c.searches.iter().flatten()) {
            if !searches.contains(search) {
                searches.push(search.clone());
            }
        }
        let mut options = config.iter().flat_map(|c| c.options.iter().flatten());
        let option = options.find(|o| o.name.as_deref() == Some("ndots")).and_then(|o| o.value.as_deref());
        if let Some(number) = option.and_then(|v| v.parse().ok()) {
            ndots = number;
        }
        Some(ResolvConf { searches, ndots })
    }

    /// The full names that are tried for a name, in order.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(full) = name.strip_suffix('.') {
            return vec![full.to_owned()];
        }
        let searched = self.searches.iter().map(|domain| format!("{name}.{}", domain.trim_end_matches('.')));
        let as_is = std::iter::once(name.to_owned());
        if name.matches('.').count() >= self.ndots {
            as_is.chain(searched).collect()
        } else {
            searched.chain(as_is).collect()
        }
    }
}
