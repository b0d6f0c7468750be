//! The checks of the baseline level, one function each (`policy/check_*.go`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{SELinuxOptions, SecurityContext};

use super::checks::{Finding, Subject, containers, join_quote, pluralize, setters, sorted};
use crate::api::field::go_quote;

const APP_ARMOR_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Allowed sysctls and the release that allowed them.
const SYSCTLS: [(&str, u64); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

/// AppArmor profiles other than the runtime's or a local one.
pub fn app_armor_profile(pod: &Subject<'_>) -> Option<Finding> {
    let bad = |kind: &&str| !matches!(*kind, "RuntimeDefault" | "Localhost");
    let own = pod.spec.security_context.as_ref().and_then(|s| s.app_armor_profile.as_ref()).map(|p| p.type_.as_str());
    let of = |s: &SecurityContext| s.app_armor_profile.as_ref().map(|p| p.type_.clone());
    let names = pod.containers_where(|s| s.and_then(of).is_some_and(|kind| bad(&kind.as_str())));
    let all = pod.containers.iter().filter_map(|c| Some(c.security?.app_armor_profile.as_ref()?.type_.as_str()));
    let mut values: Vec<String> =
        sorted(own.into_iter().chain(all).filter(bad)).iter().map(|s| s.to_string()).collect();
    let annotations: Vec<String> = pod
        .metadata
        .annotations
        .iter()
        .flatten()
        .filter(|(key, value)| {
            let allowed = value.is_empty() || *value == "runtime/default" || value.starts_with("localhost/");
            key.starts_with(APP_ARMOR_PREFIX) && !allowed
        })
        .map(|(key, value)| format!("{key}={}", go_quote(value)))
        .collect();
    let mut who: Vec<String> = setters(own.as_ref().is_some_and(bad), &names).into_iter().collect();
    if !annotations.is_empty() {
        who.push(pluralize("annotation", "annotations", annotations.len()).to_owned());
        values.extend(annotations);
    }
    if who.is_empty() {
        return None;
    }
    let list = join_quote(values.iter().map(String::as_str));
    Some(Finding {
        reason: pluralize("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len()),
        detail: format!("{} must not set AppArmor profile type to {list}", who.join(" and ")),
    })
}

/// Capabilities beyond the container runtimes' default set.
pub fn capabilities(pod: &Subject<'_>) -> Option<Finding> {
    let bad = |name: &&str| !DEFAULT_CAPABILITIES.contains(name);
    let names = pod.containers_where(|s| s.is_some_and(|s| added(s).any(|c| bad(&c))));
    let values = sorted(pod.containers.iter().filter_map(|c| c.security).flat_map(added).filter(bad));
    (!names.is_empty()).then(|| Finding {
        reason: "non-default capabilities",
        detail: format!(
            "{} must not include {} in securityContext.capabilities.add",
            containers(&names),
            join_quote(values)
        ),
    })
}

/// The capabilities a container adds.
pub fn added(security: &SecurityContext) -> impl Iterator<Item = &str> {
    security.capabilities.iter().flat_map(|c| c.add.iter().flatten()).map(String::as_str)
}

/// The host's network, process and IPC namespaces.
pub fn host_namespaces(pod: &Subject<'_>) -> Option<Finding> {
    let fields = [
        (pod.spec.host_network, "hostNetwork=true"),
        (pod.spec.host_pid, "hostPID=true"),
        (pod.spec.host_ipc, "hostIPC=true"),
    ];
    let used: Vec<&str> = fields.into_iter().filter(|(on, _)| *on == Some(true)).map(|(_, text)| text).collect();
    (!used.is_empty()).then(|| Finding { reason: "host namespaces", detail: used.join(", ") })
}

/// Volumes of the node's directories.
pub fn host_path_volumes(pod: &Subject<'_>) -> Option<Finding> {
    let volumes = pod.spec.volumes.iter().flatten().filter(|v| v.host_path.is_some());
    let names: Vec<&str> = volumes.map(|v| v.name.as_str()).collect();
    (!names.is_empty()).then(|| Finding {
        reason: "hostPath volumes",
        detail: format!("{} {}", pluralize("volume", "volumes", names.len()), join_quote(names.iter().copied())),
    })
}

/// Ports of the node.
pub fn host_ports(pod: &Subject<'_>) -> Option<Finding> {
    let bad: Vec<_> = pod.containers.iter().filter(|c| !c.host_ports.is_empty()).collect();
    let names: Vec<&str> = bad.iter().map(|c| c.name).collect();
    // sorted as text
    let ports: BTreeSet<String> = bad.iter().flat_map(|c| &c.host_ports).map(ToString::to_string).collect();
    (!names.is_empty()).then(|| Finding {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            containers(&names),
            pluralize("uses", "use", names.len()),
            pluralize("hostPort", "hostPorts", ports.len()),
            ports.into_iter().collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Hosts in probes and lifecycle handlers.
pub fn host_probes_and_lifecycle(pod: &Subject<'_>) -> Option<Finding> {
    let bad = || pod.containers.iter().filter(|c| !c.hosts.is_empty());
    let names: Vec<&str> = sorted(bad().map(|c| c.name)).into_iter().collect();
    let hosts = sorted(bad().flat_map(|c| c.hosts.iter().copied()));
    (!names.is_empty()).then(|| Finding {
        reason: "probe or lifecycle host",
        detail: format!(
            "{} {} {} {}",
            containers(&names),
            pluralize("uses", "use", names.len()),
            pluralize("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
            join_quote(hosts)
        ),
    })
}

/// Privileged containers.
pub fn privileged(pod: &Subject<'_>) -> Option<Finding> {
    let names = pod.containers_where(|s| s.is_some_and(|s| s.privileged == Some(true)));
    (!names.is_empty()).then(|| Finding {
        reason: "privileged",
        detail: format!("{} must not set securityContext.privileged=true", containers(&names)),
    })
}

/// An unmasked `/proc`.
pub fn proc_mount(pod: &Subject<'_>) -> Option<Finding> {
    let bad = |s: &SecurityContext| s.proc_mount.clone().filter(|mount| mount != "Default");
    let names = pod.containers_where(|s| s.and_then(bad).is_some());
    let values: BTreeSet<String> = pod.containers.iter().filter_map(|c| c.security.and_then(bad)).collect();
    (!names.is_empty()).then(|| Finding {
        reason: "procMount",
        detail: format!(
            "{} must not set securityContext.procMount to {}",
            containers(&names),
            join_quote(values.iter().map(String::as_str))
        ),
    })
}

/// SELinux users, roles, and types other than those of containers.
pub fn se_linux_options(pod: &Subject<'_>) -> Option<Finding> {
    let engine = pod.minor >= 31;
    let allowed = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (engine && kind == "container_engine_t")
    };
    let kind = |o: &SELinuxOptions| o.type_.clone().filter(|kind| !allowed(kind));
    let set = |value: &Option<String>| value.as_ref().is_some_and(|v| !v.is_empty());
    let bad = |o: &SELinuxOptions| kind(o).is_some() || set(&o.user) || set(&o.role);
    let own = pod.spec.security_context.as_ref().and_then(|s| s.se_linux_options.as_ref());
    let names = pod.containers_where(|s| s.and_then(|s| s.se_linux_options.as_ref()).is_some_and(bad));
    let who = setters(own.is_some_and(bad), &names)?;
    let all = || own.into_iter().chain(pod.containers.iter().filter_map(|c| c.security?.se_linux_options.as_ref()));
    let types: BTreeSet<String> = all().filter_map(kind).collect();
    let mut data = Vec::new();
    if !types.is_empty() {
        let list = join_quote(types.iter().map(String::as_str));
        data.push(format!("{} {list}", pluralize("type", "types", types.len())));
    }
    if all().any(|o| set(&o.user)) {
        data.push("user may not be set".to_owned());
    }
    if all().any(|o| set(&o.role)) {
        data.push("role may not be set".to_owned());
    }
    Some(Finding {
        reason: "seLinuxOptions",
        detail: format!("{who} set forbidden securityContext.seLinuxOptions: {}", data.join("; ")),
    })
}

/// Whether a seccomp profile is the runtime's or a local one.
fn valid_seccomp(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

/// Seccomp profiles other than the runtime's or a local one, where they are set.
pub fn seccomp_profile(pod: &Subject<'_>) -> Option<Finding> {
    let kind = |s: &SecurityContext| s.seccomp_profile.as_ref().map(|p| p.type_.clone());
    let bad = |kind: &String| !valid_seccomp(kind);
    let own = pod.spec.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref()).map(|p| p.type_.clone());
    let own = own.filter(bad);
    let names = pod.containers_where(|s| s.and_then(kind).is_some_and(|kind| bad(&kind)));
    let who = setters(own.is_some(), &names)?;
    let all = pod.containers.iter().filter_map(|c| c.security.and_then(kind)).filter(bad);
    let values: BTreeSet<String> = own.into_iter().chain(all).collect();
    let list = join_quote(values.iter().map(String::as_str));
    Some(Finding {
        reason: "seccompProfile",
        detail: format!("{who} must not set securityContext.seccompProfile.type to {list}"),
    })
}

/// The annotations that seccomp profiles were before release 1.19.
pub fn seccomp_annotations(pod: &Subject<'_>) -> Option<Finding> {
    let annotations = pod.metadata.annotations.as_ref()?;
    let keys = pod.containers.iter().map(|c| format!("{SECCOMP_CONTAINER_PREFIX}{}", c.name));
    let forbidden: BTreeSet<String> = std::iter::once(SECCOMP_POD.to_owned())
        .chain(keys)
        .filter_map(|key| {
            let value = annotations.get(&key)?;
            let valid =
                matches!(value.as_str(), "runtime/default" | "docker/default") || value.starts_with("localhost/");
            (!valid).then(|| format!("{key}={}", go_quote(value)))
        })
        .collect();
    let count = forbidden.len();
    let list = forbidden.into_iter().collect::<Vec<_>>().join(", ");
    (count > 0).then(|| Finding {
        reason: "seccompProfile",
        detail: format!("forbidden {} {list}", pluralize("annotation", "annotations", count)),
    })
}

/// Sysctls that are not known to be safe.
pub fn sysctls(pod: &Subject<'_>) -> Option<Finding> {
    let sysctls = pod.spec.security_context.iter().flat_map(|s| s.sysctls.iter().flatten());
    let allowed = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && *since <= pod.minor);
    let names: Vec<&str> = sysctls.map(|s| s.name.as_str()).filter(|name| !allowed(name)).collect();
    (!names.is_empty()).then(|| Finding { reason: "forbidden sysctls", detail: names.join(", ") })
}

/// Containers that are processes of a Windows host.
pub fn windows_host_process(pod: &Subject<'_>) -> Option<Finding> {
    let own = pod.spec.security_context.as_ref().and_then(|s| s.windows_options.as_ref()?.host_process);
    let of = |s: &SecurityContext| s.windows_options.as_ref()?.host_process;
    let names = pod.containers_where(|s| s.and_then(of) == Some(true));
    let who = setters(own == Some(true), &names)?;
    Some(Finding {
        reason: "hostProcess",
        detail: format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
    })
}
