//! Services (`pkg/registry/core/service/strategy.go`, `pkg/apis/core/v1/defaults.go`, `pkg/apis/core/validation`).
mod allocation;
mod validation;

use k8s_openapi::api::core::v1::{
    ClientIPConfig, Service, ServicePort, ServiceSpec, ServiceStatus, SessionAffinityConfig,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::stateful_set::default_string;
use crate::api::field::ErrorList;
use crate::api::status::Status;
use crate::api::store::Store;
use crate::api::strategy::{Strategy, keep};

/// How long a client sticks to an endpoint (`v1.DefaultClientIPServiceAffinitySeconds`).
const DEFAULT_CLIENT_IP_SECONDS: i32 = 10_800;

impl Strategy for Service {
    fn set_defaults(&mut self) {
        let spec = self.spec.get_or_insert_default();
        default_string(&mut spec.session_affinity, "None");
        match spec.session_affinity.as_deref() {
            Some("None") => spec.session_affinity_config = None,
            Some("ClientIP") => {
                let client_ip = spec.session_affinity_config.as_ref().and_then(|c| c.client_ip.as_ref());
                if client_ip.and_then(|c| c.timeout_seconds).is_none() {
                    let client_ip = ClientIPConfig { timeout_seconds: Some(DEFAULT_CLIENT_IP_SECONDS) };
                    spec.session_affinity_config = Some(SessionAffinityConfig { client_ip: Some(client_ip) });
                }
            }
            _ => {}
        }
        default_string(&mut spec.type_, "ClusterIP");
        for port in spec.ports.iter_mut().flatten() {
            default_string(&mut port.protocol, "TCP");
            let unset = match &port.target_port {
                None | Some(IntOrString::Int(0)) => true,
                Some(IntOrString::String(name)) => name.is_empty(),
                Some(IntOrString::Int(_)) => false,
            };
            if unset {
                port.target_port = Some(IntOrString::Int(port.port));
            }
        }
        if externally_accessible(spec) {
            default_string(&mut spec.external_traffic_policy, "Cluster");
        }
        let has_cluster_ip = matches!(type_of(spec), "NodePort" | "LoadBalancer" | "ClusterIP");
        if has_cluster_ip && spec.internal_traffic_policy.is_none() {
            spec.internal_traffic_policy = Some("Cluster".to_owned());
        }
        if type_of(spec) == "LoadBalancer" {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
        }
    }

    fn prepare_for_create(&mut self) {
        self.status = Some(ServiceStatus { load_balancer: Some(Default::default()), ..Default::default() });
    }

    fn prepare_for_update(&mut self, old: &Self) {
        keep(&mut self.status, &old.status);
    }

    fn prepare_for_status_update(&mut self, old: &Self) {
        keep(&mut self.spec, &old.spec);
    }

    fn allocate(&mut self, old: Option<&Self>, store: &Store) -> Result<(), Status> {
        match old {
            None => allocation::allocate_create(self, store)?,
            Some(old) => {
                allocation::allocate_update(self, old, store)?;
                drop_type_dependent_fields(self, old);
            }
        }
        // what every read of a Service does too (`defaultOnReadInternalTrafficPolicy`)
        if let Some(spec) = self.spec.as_mut()
            && type_of(spec) == "ExternalName"
        {
            spec.internal_traffic_policy = None;
        }
        Ok(())
    }

    fn validate(&self) -> ErrorList {
        validation::validate_create(self)
    }

    fn validate_update(&self, old: &Self) -> ErrorList {
        validation::validate_update(self, old)
    }

    fn warnings(&self, _old: Option<&Self>) -> Vec<String> {
        validation::warnings(self)
    }
}

/// `spec.type`.
pub fn type_of(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().unwrap_or_default()
}

/// `spec.clusterIP`, empty when unset.
pub fn cluster_ip(spec: &ServiceSpec) -> &str {
    spec.cluster_ip.as_deref().unwrap_or_default()
}

/// Whether a Service has no virtual address of its own: `clusterIP: None`.
pub fn is_headless(spec: &ServiceSpec) -> bool {
    cluster_ip(spec) == "None"
}

/// Whether traffic from outside the cluster can reach a Service (`service.ExternallyAccessible`).
fn externally_accessible(spec: &ServiceSpec) -> bool {
    match type_of(spec) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()),
        _ => false,
    }
}

fn needs_cluster_ip(spec: &ServiceSpec) -> bool {
    type_of(spec) != "ExternalName"
}

fn is_node_port_or_load_balancer(spec: &ServiceSpec) -> bool {
    matches!(type_of(spec), "NodePort" | "LoadBalancer")
}

/// Whether a Service needs a port for the health checks of a load balancer (`service.NeedsHealthCheck`).
fn needs_health_check_port(spec: &ServiceSpec) -> bool {
    type_of(spec) == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local")
}

fn ports(spec: &ServiceSpec) -> &[ServicePort] {
    spec.ports.as_deref().unwrap_or_default()
}

fn node_port(port: &ServicePort) -> Option<i32> {
    port.node_port.filter(|p| *p != 0)
}

fn cluster_ips(spec: &ServiceSpec) -> &[String] {
    spec.cluster_ips.as_deref().unwrap_or_default()
}

fn ip_families(spec: &ServiceSpec) -> &[String] {
    spec.ip_families.as_deref().unwrap_or_default()
}

fn policy(spec: &ServiceSpec) -> &str {
    spec.ip_family_policy.as_deref().unwrap_or_default()
}

/// Wipes, on an update, what does not apply to the new type and the client did not change (`dropTypeDependentFields`).
fn drop_type_dependent_fields(service: &mut Service, old: &Service) {
    let (Some(new), Some(old)) = (service.spec.as_mut(), old.spec.as_ref()) else { return };
    if needs_cluster_ip(old) && !needs_cluster_ip(new) {
        if cluster_ip(old) == cluster_ip(new) && cluster_ips(old) == cluster_ips(new) {
            new.cluster_ip = None;
            new.cluster_ips = None;
        }
        if ip_families(old) == ip_families(new) {
            new.ip_families = None;
        }
        if policy(old) == policy(new) {
            new.ip_family_policy = None;
        }
    }
    if is_node_port_or_load_balancer(old) && !is_node_port_or_load_balancer(new) {
        let no_new_ports =
            ports(new).iter().filter_map(node_port).all(|p| ports(old).iter().filter_map(node_port).any(|q| p == q));
        if no_new_ports {
            new.ports.iter_mut().flatten().for_each(|p| p.node_port = None);
        }
    }
    if needs_health_check_port(old)
        && !needs_health_check_port(new)
        && old.health_check_node_port == new.health_check_node_port
    {
        new.health_check_node_port = None;
    }
    if type_of(old) == "LoadBalancer" && type_of(new) != "LoadBalancer" {
        if old.allocate_load_balancer_node_ports == new.allocate_load_balancer_node_ports {
            new.allocate_load_balancer_node_ports = None;
        }
        if old.load_balancer_class == new.load_balancer_class {
            new.load_balancer_class = None;
        }
    }
    if externally_accessible(old)
        && !externally_accessible(new)
        && old.external_traffic_policy == new.external_traffic_policy
    {
        new.external_traffic_policy = None;
    }
    if type_of(new) != "LoadBalancer" {
        service.status.get_or_insert_default().load_balancer = Some(Default::default());
    }
}
