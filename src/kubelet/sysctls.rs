//! The kernel parameters a pod may set (`pkg/kubelet/sysctl`): those that are its own and harm nobody else.
use k8s_openapi::api::core::v1::PodSpec;

use crate::api::field::go_quote;

/// On any kernel that Kubernetes 1.36 runs on (`safeSysctls`).
const SAFE: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

/// Whether a pod may set a parameter, or why not (`validateSysctl`).
pub fn check(name: &str, spec: &PodSpec) -> Result<(), String> {
    let name = normalise(name);
    let quoted = go_quote(&name);
    if !SAFE.contains(&name.as_str()) {
        return Err(format!("{quoted} not allowlisted"));
    }
    let (namespace, shared) =
        if name.starts_with("kernel.") { ("IPC", spec.host_ipc) } else { ("Net", spec.host_network) };
    if shared == Some(true) {
        return Err(format!("{quoted} not allowed with host {namespace} enabled"));
    }
    Ok(())
}

/// `net/ipv4/conf/eno2.100/x` is another spelling of `net.ipv4.conf.eno2/100.x` (`NormalizeName`).
fn normalise(name: &str) -> String {
    if name.find(['.', '/']).is_none_or(|at| name[at..].starts_with('.')) {
        return name.to_owned();
    }
    let swapped = name.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    swapped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parameters_of_the_pod_itself_may_be_set() {
        let of = |name: &str| check(name, &PodSpec::default());
        assert!(of("net.ipv4.tcp_syncookies").is_ok() && of("net/ipv4/tcp_syncookies").is_ok());
        assert_eq!(of("kernel.msgmax"), Err("\"kernel.msgmax\" not allowlisted".to_owned()));
        let host = PodSpec { host_network: Some(true), ..Default::default() };
        let why = "\"net.ipv4.tcp_syncookies\" not allowed with host Net enabled";
        assert_eq!(check("net.ipv4.tcp_syncookies", &host), Err(why.to_owned()));
    }
}
