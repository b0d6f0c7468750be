//! Cluster IPs and node ports (`pkg/registry/core/service/storage/alloc.go`). The cluster has IPv4 only, as kubeadm sets
//! it up: 10.96.0.0/12 for Services and 30000-32767 for node ports. Where a real allocator picks at random, this one
//! takes the lowest free value.
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use super::validation::validate_cluster_ips_related_fields;
use super::{
    cluster_ip, cluster_ips, ip_families, is_headless, is_node_port_or_load_balancer, needs_cluster_ip,
    needs_health_check_port, node_port, policy, ports, type_of,
};
use crate::api::field::{ErrorList, FieldError, Path};
use crate::api::object::{ApiObject, Kind};
use crate::api::status::Status;
use crate::api::store::Store;

/// 10.96.0.0/12.
const NETWORK: u32 = 0x0a60_0000;
const MASK: u32 = 0xfff0_0000;
/// Addresses given out by themselves begin here: the 256 below are left to static choices.
const FIRST: u32 = NETWORK + 0x101;
/// The Service `kubernetes`, which every cluster has.
const KUBERNETES: u32 = NETWORK + 1;
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30_000..=32_767;

const SPEC: Path<'static> = Path::root("spec");

/// `allocateCreate`.
pub(super) fn allocate_create(service: &mut Service, store: &Store) -> Result<(), Status> {
    let name = service.name().to_owned();
    let me = (service.namespace().to_owned(), name.clone());
    let Some(spec) = service.spec.as_mut() else { return Ok(()) };
    if !cluster_ip(spec).is_empty() && cluster_ips(spec).is_empty() {
        spec.cluster_ips = spec.cluster_ip.clone().map(|ip| vec![ip]);
    }
    init_ip_family_fields(spec, None).map_err(|e| invalid(&name, e))?;
    allocate_cluster_ips(spec, &name, store)?;
    if is_node_port_or_load_balancer(spec) {
        init_node_ports(spec, &name, &used_node_ports(store, &me))?;
    }
    if needs_health_check_port(spec) {
        allocate_health_check_port(spec, &used_node_ports(store, &me))?;
    }
    Ok(())
}

/// `allocateUpdate`, after what the client left out was taken from the stored Service (`patchAllocatedValues`).
pub(super) fn allocate_update(service: &mut Service, old: &Service, store: &Store) -> Result<(), Status> {
    let name = service.name().to_owned();
    let me = (service.namespace().to_owned(), name.clone());
    let (Some(spec), Some(old)) = (service.spec.as_mut(), old.spec.as_ref()) else { return Ok(()) };
    patch_allocated_values(spec, old);
    normalize_cluster_ips(spec, old);
    init_ip_family_fields(spec, Some(old)).map_err(|e| invalid(&name, e))?;
    // a headless Service stays without an address; validation refuses other changes of addresses
    if !needs_cluster_ip(old) && needs_cluster_ip(spec) {
        allocate_cluster_ips(spec, &name, store)?;
    }
    if is_node_port_or_load_balancer(spec) {
        update_node_ports(spec, old, &name, &used_node_ports(store, &me))?;
    }
    if needs_health_check_port(spec) && !needs_health_check_port(old) {
        allocate_health_check_port(spec, &used_node_ports(store, &me))?;
    }
    Ok(())
}

fn invalid(name: &str, causes: ErrorList) -> Status {
    Status::invalid(Kind::Service, name, causes)
}

/// Whether the client left every field of a `PreferDualStack` Service alone.
fn is_matching_prefer_dual_stack(spec: &ServiceSpec, old: Option<&ServiceSpec>) -> bool {
    old.is_some_and(|old| {
        type_of(old) == type_of(spec)
            && matches!(type_of(spec), "ClusterIP" | "NodePort" | "LoadBalancer")
            && policy(spec) == "PreferDualStack"
            && old.ip_family_policy.as_deref().is_none_or(|p| p == "PreferDualStack")
            && cluster_ips(old) == cluster_ips(spec)
            && ip_families(old) == ip_families(spec)
    })
}

/// `initIPFamilyFields` on a cluster with IPv4 only.
fn init_ip_family_fields(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) -> Result<(), ErrorList> {
    if !needs_cluster_ip(spec) || is_matching_prefer_dual_stack(spec, old) {
        return Ok(());
    }
    let selectorless_headless = is_headless(spec) && spec.selector.as_ref().is_none_or(|s| s.is_empty());
    if spec.ip_family_policy.is_none() {
        let default = if selectorless_headless { "RequireDualStack" } else { "SingleStack" };
        let kept = old.and_then(|o| o.ip_family_policy.clone());
        spec.ip_family_policy = Some(kept.unwrap_or_else(|| default.to_owned()));
    }
    let invalid = validate_cluster_ips_related_fields(spec, old);
    if !invalid.is_empty() {
        return Err(invalid);
    }
    let mut causes = ErrorList::new();
    let policy_path = SPEC.child("ipFamilyPolicy");
    if let Some(old) = old {
        if policy(spec) == "SingleStack" {
            if cluster_ips(old) == cluster_ips(spec) {
                spec.cluster_ips.iter_mut().for_each(|ips| ips.truncate(1));
            }
            if ip_families(old) == ip_families(spec) {
                spec.ip_families.iter_mut().for_each(|families| families.truncate(1));
            }
        } else {
            let reduced = |new: &[String], old: &[String]| !new.is_empty() && new.len() < old.len();
            if reduced(cluster_ips(spec), cluster_ips(old)) {
                causes.push(
                    policy_path.invalid(policy(spec), "must be 'SingleStack' to release the secondary cluster IP"),
                );
            }
            if reduced(ip_families(spec), ip_families(old)) {
                causes.push(
                    policy_path.invalid(policy(spec), "must be 'SingleStack' to release the secondary IP family"),
                );
            }
        }
    }
    if policy(spec) == "SingleStack" {
        let must = |what: &str| {
            let detail = format!("must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified");
            policy_path.invalid(policy(spec), detail)
        };
        if cluster_ips(spec).len() == 2 {
            causes.push(must("cluster IPs"));
        }
        if ip_families(spec).len() == 2 {
            causes.push(must("IP families"));
        }
    }
    let addresses = cluster_ips(spec).to_vec();
    for (i, ip) in addresses.iter().enumerate() {
        if ip == "None" {
            break;
        }
        let family = match ip.parse() {
            Ok(IpAddr::V4(_)) => "IPv4",
            Ok(IpAddr::V6(_)) => "IPv6",
            Err(_) => "unknown",
        };
        if i >= ip_families(spec).len() {
            if family == "IPv4" {
                spec.ip_families.get_or_insert_default().push(family.to_owned());
            } else {
                let path = SPEC.child("clusterIPs");
                causes.push(
                    path.index(i).invalid(addresses.clone(), format!("{family} is not configured on this cluster")),
                );
            }
        }
    }
    if !causes.is_empty() {
        return Err(causes);
    }
    if selectorless_headless {
        // its endpoints are somebody else's business, so it may have families that the cluster has not
        let single = policy(spec) == "SingleStack";
        let families = spec.ip_families.get_or_insert_default();
        if families.is_empty() {
            families.push("IPv4".to_owned());
        }
        if families.len() == 1 && !single {
            let other = if families.first().is_some_and(|f| f == "IPv4") { "IPv6" } else { "IPv4" };
            families.push(other.to_owned());
        }
        return Ok(());
    }
    if policy(spec) == "RequireDualStack" {
        causes.push(policy_path.invalid(policy(spec), "this cluster is not configured for dual-stack services"));
    }
    for (i, family) in ip_families(spec).iter().enumerate().filter(|(_, f)| *f != "IPv4") {
        let path = SPEC.child("ipFamilies");
        causes.push(path.index(i).invalid(family.as_str(), "not configured on this cluster"));
    }
    if !causes.is_empty() {
        return Err(causes);
    }
    if ip_families(spec).is_empty() {
        spec.ip_families = Some(vec!["IPv4".to_owned()]);
    }
    Ok(())
}

/// `allocClusterIPs`.
fn allocate_cluster_ips(spec: &mut ServiceSpec, name: &str, store: &Store) -> Result<(), Status> {
    if !needs_cluster_ip(spec) || cluster_ips(spec).first().is_some_and(|ip| ip == "None") {
        return Ok(());
    }
    let used: BTreeSet<u32> = store
        .list::<Service>()
        .filter_map(|s| s.spec.as_ref())
        .flat_map(cluster_ips)
        .filter_map(|ip| ip.parse::<Ipv4Addr>().ok().map(u32::from))
        .chain([KUBERNETES])
        .collect();
    match cluster_ips(spec).first().filter(|ip| !ip.is_empty()) {
        Some(ip) => {
            let Ok(address) = ip.parse::<Ipv4Addr>().map(u32::from) else {
                return Err(Status::internal(format!("failed to parse service IP \"{ip}\"")));
            };
            let inside = address & MASK == NETWORK && address != NETWORK && address != NETWORK | !MASK;
            let why = match inside {
                false => "the provided network does not match the current range",
                true if used.contains(&address) => "provided IP is already allocated",
                true => return Ok(()),
            };
            let path = SPEC.child("clusterIPs");
            let cause = path.invalid(cluster_ips(spec).to_vec(), format!("failed to allocate IP {ip}: {why}"));
            Err(invalid(name, vec![cause]))
        }
        None => {
            let free = (FIRST..NETWORK | !MASK).find(|address| !used.contains(address));
            let Some(address) = free else {
                let why = format!("failed to allocate a serviceIP for Service \"{name}\": range is full");
                return Err(Status::internal(why));
            };
            let ip = Ipv4Addr::from(address).to_string();
            spec.cluster_ip = Some(ip.clone());
            spec.cluster_ips = Some(vec![ip]);
            Ok(())
        }
    }
}

/// What the client left out of an update and the cluster had allocated.
fn patch_allocated_values(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if needs_cluster_ip(old) && needs_cluster_ip(spec) {
        if cluster_ip(spec).is_empty() {
            spec.cluster_ip.clone_from(&old.cluster_ip);
        }
        if cluster_ips(spec).is_empty() && !cluster_ips(old).is_empty() {
            spec.cluster_ips.clone_from(&old.cluster_ips);
        }
    }
    let wants_node_ports = |spec: &ServiceSpec| {
        type_of(spec) == "NodePort"
            || type_of(spec) == "LoadBalancer" && spec.allocate_load_balancer_node_ports != Some(false)
    };
    if wants_node_ports(old) && wants_node_ports(spec) {
        let in_use = |spec: &ServiceSpec| ports(spec).iter().filter_map(node_port).collect::<BTreeSet<i32>>();
        let used: BTreeSet<i32> = in_use(old).intersection(&in_use(spec)).copied().collect();
        for port in spec.ports.iter_mut().flatten().filter(|p| node_port(p).is_none()) {
            let same_name = ports(old).iter().rev().find(|p| p.name == port.name);
            let earlier = same_name.and_then(node_port);
            if earlier.is_some_and(|p| !used.contains(&p)) {
                port.node_port = earlier;
            }
        }
    }
    if needs_health_check_port(old) && needs_health_check_port(spec) && spec.health_check_node_port.unwrap_or(0) == 0 {
        spec.health_check_node_port = old.health_check_node_port;
    }
}

/// Keeps `clusterIP` and `clusterIPs` in step when the client changed only one of them (`normalizeClusterIPs`).
fn normalize_cluster_ips(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if !cluster_ips(old).is_empty() && cluster_ips(spec).is_empty() && cluster_ip(old) == cluster_ip(spec) {
        spec.cluster_ips.clone_from(&old.cluster_ips);
    }
    if cluster_ip(old) != cluster_ip(spec) && cluster_ips(old) == cluster_ips(spec) {
        let cleared = !cluster_ip(old).is_empty() && cluster_ip(spec).is_empty();
        spec.cluster_ips = if cleared { None } else { Some(vec![cluster_ip(spec).to_owned()]) };
    }
}

/// The node ports of all other Services.
fn used_node_ports(store: &Store, me: &(String, String)) -> BTreeSet<i32> {
    let others = store.list::<Service>().filter(|s| (s.namespace(), s.name()) != (me.0.as_str(), me.1.as_str()));
    others
        .filter_map(|s| s.spec.as_ref())
        .flat_map(|s| ports(s).iter().filter_map(node_port).chain(s.health_check_node_port))
        .collect()
}

fn should_allocate_node_ports(spec: &ServiceSpec) -> bool {
    match type_of(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.allocate_load_balancer_node_ports == Some(true),
        _ => false,
    }
}

/// Node ports that are taken, by others and by earlier ports of this Service.
struct NodePorts<'a> {
    others: &'a BTreeSet<i32>,
    mine: BTreeSet<i32>,
}

impl NodePorts<'_> {
    fn allocate(&mut self, port: i32, index: usize) -> Result<(), FieldError> {
        let path = SPEC.child("ports");
        let path = path.index(index);
        let path = path.child("nodePort");
        if !NODE_PORTS.contains(&port) {
            let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            return Err(path.invalid(port, why));
        }
        if self.others.contains(&port) || !self.mine.insert(port) {
            return Err(path.invalid(port, "provided port is already allocated"));
        }
        Ok(())
    }

    fn allocate_next(&mut self) -> Result<i32, Status> {
        let free = NODE_PORTS.clone().find(|p| !self.others.contains(p) && !self.mine.contains(p));
        let port = free.ok_or_else(|| Status::internal("failed to allocate a nodePort: range is full"))?;
        self.mine.insert(port);
        Ok(port)
    }
}

/// `initNodePorts`: one number for all protocols of a port.
fn init_node_ports(spec: &mut ServiceSpec, name: &str, others: &BTreeSet<i32>) -> Result<(), Status> {
    let allocate = should_allocate_node_ports(spec);
    let mut taken = NodePorts { others, mine: BTreeSet::new() };
    let mut by_port = std::collections::BTreeMap::<i32, i32>::new();
    let asked: Vec<ServicePort> = ports(spec).to_vec();
    for (i, port) in spec.ports.iter_mut().flatten().enumerate() {
        if node_port(port).is_none() && !allocate {
            continue;
        }
        match by_port.get(&port.port).copied() {
            None => {
                let requested =
                    asked.iter().find(|p| p.port == port.port && node_port(p).is_some()).and_then(node_port);
                let number = match requested {
                    Some(number) => {
                        taken.allocate(number, i).map_err(|e| invalid(name, vec![e]))?;
                        number
                    }
                    None => taken.allocate_next()?,
                };
                port.node_port = Some(number);
                by_port.insert(port.port, number);
            }
            Some(number) => match node_port(port) {
                None => port.node_port = Some(number),
                Some(own) if own != number => taken.allocate(own, i).map_err(|e| invalid(name, vec![e]))?,
                Some(_) => {}
            },
        }
    }
    Ok(())
}

/// `updateNodePorts`.
fn update_node_ports(
    spec: &mut ServiceSpec,
    old: &ServiceSpec,
    name: &str,
    others: &BTreeSet<i32>,
) -> Result<(), Status> {
    let allocate = should_allocate_node_ports(spec);
    let before: BTreeSet<i32> = ports(old).iter().filter_map(node_port).collect();
    // a number that is given out must not be one that the Service has or asks for
    let mut all = others.clone();
    all.extend(&before);
    let mut taken = NodePorts { others: &all, mine: BTreeSet::new() };
    for (i, port) in spec.ports.iter_mut().flatten().enumerate() {
        match node_port(port) {
            None if !allocate => {}
            None => port.node_port = Some(taken.allocate_next()?),
            Some(number) if before.contains(&number) || taken.mine.contains(&number) => {}
            Some(number) => taken.allocate(number, i).map_err(|e| invalid(name, vec![e]))?,
        }
    }
    Ok(())
}

fn allocate_health_check_port(spec: &mut ServiceSpec, others: &BTreeSet<i32>) -> Result<(), Status> {
    let mine: BTreeSet<i32> = ports(spec).iter().filter_map(node_port).collect();
    let mut taken = NodePorts { others, mine };
    match spec.health_check_node_port.filter(|p| *p != 0) {
        None => spec.health_check_node_port = Some(taken.allocate_next()?),
        Some(port) => taken.allocate(port, 0).map_err(|e| {
            Status::internal(format!("failed to allocate requested HealthCheck NodePort {port}: {}", e.detail))
        })?,
    }
    Ok(())
}
