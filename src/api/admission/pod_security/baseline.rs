//! The checks of the level `baseline`, by their ids (`pod-security-admission/policy`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, PodSpec, Probe, SELinuxOptions};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Violation, containers, named, plural, quoted, setters, violation};
use crate::api::field::go_quote;

/// The names of the containers of which something holds.
pub(super) fn names(spec: &PodSpec, mut holds: impl FnMut(&Container) -> bool) -> Vec<&str> {
    containers(spec).filter(|c| holds(c)).map(|c| c.name.as_str()).collect()
}

/// What the level forbids as of a minor version. Some checks are replaced by stricter ones of the level `restricted`.
pub(super) fn check(minor: u32, restricted: bool, metadata: &ObjectMeta, spec: &PodSpec) -> Vec<Violation> {
    let replaced = |since: u32| restricted && minor >= since;
    let checks = [
        app_armor(metadata, spec),
        if replaced(22) { None } else { capabilities(spec) },
        host_namespaces(spec),
        if replaced(0) { None } else { host_paths(spec) },
        host_ports(spec),
        if minor >= 34 { probe_hosts(spec) } else { None },
        privileged(spec),
        if replaced(35) || (minor >= 35 && spec.host_users == Some(false)) { None } else { proc_mount(spec) },
        se_linux(minor, spec),
        if replaced(19) || minor < 19 { None } else { bad_seccomp(spec) },
        sysctls(minor, spec),
        windows(spec),
    ];
    checks.into_iter().flatten().collect()
}

fn app_armor(metadata: &ObjectMeta, spec: &PodSpec) -> Option<Violation> {
    let bad = |kind: &str| kind != "RuntimeDefault" && kind != "Localhost";
    let mut values = BTreeSet::new();
    let of_pod = spec.security_context.as_ref().and_then(|c| c.app_armor_profile.as_ref()).filter(|p| bad(&p.type_));
    values.extend(of_pod.map(|p| p.type_.clone()));
    let of_containers = names(spec, |c| {
        let profile = c.security_context.as_ref().and_then(|s| s.app_armor_profile.as_ref());
        let profile = profile.filter(|p| bad(&p.type_));
        values.extend(profile.map(|p| p.type_.clone()));
        profile.is_some()
    });
    let allowed = |value: &str| value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
    let annotations: Vec<String> = metadata
        .annotations
        .iter()
        .flatten()
        .filter(|(key, value)| key.starts_with("container.apparmor.security.beta.kubernetes.io/") && !allowed(value))
        .map(|(key, value)| format!("{key}={}", go_quote(value)))
        .collect();
    let mut who: Vec<String> = setters(of_pod.is_some(), &of_containers).into_iter().collect();
    if !annotations.is_empty() {
        who.push(plural("annotation", annotations.len()));
    }
    if who.is_empty() {
        return None;
    }
    let values: Vec<String> = values.into_iter().chain(annotations).collect();
    let reason = plural("forbidden AppArmor profile", values.len());
    violation(&reason, format!("{} must not set AppArmor profile type to {}", who.join(" and "), quoted(values)))
}

fn capabilities(spec: &PodSpec) -> Option<Violation> {
    const ALLOWED: [&str; 13] = [
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
    let (bad, added) = adding(spec, &ALLOWED);
    if bad.is_empty() {
        return None;
    }
    violation("non-default capabilities", must_not_add(&bad, &added))
}

/// The containers that add capabilities they may not, and these.
pub(super) fn adding<'a>(spec: &'a PodSpec, allowed: &[&str]) -> (Vec<&'a str>, BTreeSet<String>) {
    let mut added = BTreeSet::new();
    let bad = names(spec, |c| {
        let add = c.security_context.as_ref().and_then(|s| s.capabilities.as_ref()?.add.as_ref());
        let before: Vec<&String> = add.into_iter().flatten().filter(|c| !allowed.contains(&c.as_str())).collect();
        added.extend(before.iter().map(|c| (*c).clone()));
        !before.is_empty()
    });
    (bad, added)
}

pub(super) fn must_not_add(containers: &[&str], added: &BTreeSet<String>) -> String {
    format!("{} must not include {} in securityContext.capabilities.add", named("container", containers), quoted(added))
}

fn host_namespaces(spec: &PodSpec) -> Option<Violation> {
    let all =
        [(spec.host_network, "hostNetwork=true"), (spec.host_pid, "hostPID=true"), (spec.host_ipc, "hostIPC=true")];
    let shared: Vec<&str> = all.into_iter().filter(|(set, _)| *set == Some(true)).map(|(_, text)| text).collect();
    if shared.is_empty() { None } else { violation("host namespaces", shared.join(", ")) }
}

fn host_paths(spec: &PodSpec) -> Option<Violation> {
    let volumes = spec.volumes.iter().flatten().filter(|v| v.host_path.is_some());
    let volumes: Vec<&str> = volumes.map(|v| v.name.as_str()).collect();
    if volumes.is_empty() { None } else { violation("hostPath volumes", named("volume", &volumes)) }
}

fn host_ports(spec: &PodSpec) -> Option<Violation> {
    let mut ports = BTreeSet::new();
    let bad = names(spec, |c| {
        let own: Vec<String> =
            c.ports.iter().flatten().filter_map(|p| p.host_port.filter(|p| *p != 0)).map(|p| p.to_string()).collect();
        let uses = !own.is_empty();
        ports.extend(own);
        uses
    });
    if bad.is_empty() {
        return None;
    }
    let what = plural("hostPort", ports.len());
    let ports: Vec<String> = ports.into_iter().collect();
    violation("hostPort", format!("{} {} {what} {}", named("container", &bad), uses(bad.len()), ports.join(", ")))
}

pub(super) fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

fn probe_hosts(spec: &PodSpec) -> Option<Violation> {
    let mut hosts = BTreeSet::new();
    let mut bad: Vec<&str> = names(spec, |c| {
        let of_probe = |probe: &Option<Probe>| -> Vec<Option<String>> {
            let probe = probe.as_ref();
            vec![
                probe.and_then(|p| p.http_get.as_ref()?.host.clone()),
                probe.and_then(|p| p.tcp_socket.as_ref()?.host.clone()),
            ]
        };
        let mut found: Vec<Option<String>> =
            [&c.liveness_probe, &c.readiness_probe, &c.startup_probe].into_iter().flat_map(of_probe).collect();
        for handler in c.lifecycle.iter().flat_map(|l| [&l.post_start, &l.pre_stop]).flatten() {
            found.push(handler.http_get.as_ref().and_then(|h| h.host.clone()));
            found.push(handler.tcp_socket.as_ref().and_then(|h| h.host.clone()));
        }
        let found: Vec<String> = found.into_iter().flatten().filter(|h| !h.is_empty()).collect();
        let any = !found.is_empty();
        hosts.extend(found);
        any
    });
    if bad.is_empty() {
        return None;
    }
    bad.sort_unstable();
    let what = plural("probe or lifecycle host", hosts.len());
    let text = format!("{} {} {what} {}", named("container", &bad), uses(bad.len()), quoted(&hosts));
    violation("probe or lifecycle host", text)
}

fn privileged(spec: &PodSpec) -> Option<Violation> {
    let bad = names(spec, |c| c.security_context.as_ref().and_then(|s| s.privileged) == Some(true));
    if bad.is_empty() {
        return None;
    }
    violation("privileged", format!("{} must not set securityContext.privileged=true", named("container", &bad)))
}

/// Of both levels.
pub(super) fn proc_mount(spec: &PodSpec) -> Option<Violation> {
    let mut kinds = BTreeSet::new();
    let bad = names(spec, |c| {
        let mount = c.security_context.as_ref().and_then(|s| s.proc_mount.clone()).filter(|m| m != "Default");
        let set = mount.is_some();
        kinds.extend(mount);
        set
    });
    if bad.is_empty() {
        return None;
    }
    let text = format!("{} must not set securityContext.procMount to {}", named("container", &bad), quoted(&kinds));
    violation("procMount", text)
}

fn se_linux(minor: u32, spec: &PodSpec) -> Option<Violation> {
    let (mut types, mut user, mut role) = (BTreeSet::new(), false, false);
    let mut bad = |options: &SELinuxOptions| {
        let given = |field: &Option<String>| field.as_deref().is_some_and(|f| !f.is_empty());
        let kind = options.type_.as_deref().unwrap_or_default();
        let known = matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (kind == "container_engine_t" && minor >= 31);
        if !known {
            types.insert(kind.to_owned());
        }
        user |= given(&options.user);
        role |= given(&options.role);
        !known || given(&options.user) || given(&options.role)
    };
    let of_pod = spec.security_context.as_ref().and_then(|c| c.se_linux_options.as_ref()).is_some_and(&mut bad);
    let of_containers =
        names(spec, |c| c.security_context.as_ref().and_then(|s| s.se_linux_options.as_ref()).is_some_and(&mut bad));
    let who = setters(of_pod, &of_containers)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", types.len()), quoted(&types)));
    }
    what.extend(user.then(|| "user may not be set".to_owned()));
    what.extend(role.then(|| "role may not be set".to_owned()));
    violation("seLinuxOptions", format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; ")))
}

/// Whether a seccomp profile is one of those that protect.
pub(super) fn is_protecting(kind: &str) -> bool {
    kind == "Localhost" || kind == "RuntimeDefault"
}

/// Those who set a seccomp profile that does not protect, and these profiles.
pub(super) fn bad_seccomp(spec: &PodSpec) -> Option<Violation> {
    let mut values = BTreeSet::new();
    let of_pod = spec.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref());
    let of_pod = of_pod.filter(|p| !is_protecting(&p.type_));
    values.extend(of_pod.map(|p| p.type_.clone()));
    let of_containers = names(spec, |c| {
        let profile = c.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref());
        let profile = profile.filter(|p| !is_protecting(&p.type_));
        values.extend(profile.map(|p| p.type_.clone()));
        profile.is_some()
    });
    let who = setters(of_pod.is_some(), &of_containers)?;
    let text = format!("{who} must not set securityContext.seccompProfile.type to {}", quoted(&values));
    violation("seccompProfile", text)
}

fn sysctls(minor: u32, spec: &PodSpec) -> Option<Violation> {
    let since = |name: &str| match name {
        "kernel.shm_rmid_forced"
        | "net.ipv4.ip_local_port_range"
        | "net.ipv4.tcp_syncookies"
        | "net.ipv4.ping_group_range"
        | "net.ipv4.ip_unprivileged_port_start" => Some(0),
        "net.ipv4.ip_local_reserved_ports" => Some(27),
        "net.ipv4.tcp_keepalive_time"
        | "net.ipv4.tcp_fin_timeout"
        | "net.ipv4.tcp_keepalive_intvl"
        | "net.ipv4.tcp_keepalive_probes" => Some(29),
        "net.ipv4.tcp_rmem" | "net.ipv4.tcp_wmem" => Some(32),
        _ => None,
    };
    let set = spec.security_context.iter().flat_map(|c| c.sysctls.iter().flatten()).map(|s| s.name.as_str());
    let bad: Vec<&str> = set.filter(|name| since(name).is_none_or(|since| minor < since)).collect();
    if bad.is_empty() { None } else { violation("forbidden sysctls", bad.join(", ")) }
}

fn windows(spec: &PodSpec) -> Option<Violation> {
    let of_pod = spec.security_context.as_ref().and_then(|c| c.windows_options.as_ref()?.host_process) == Some(true);
    let of_containers = names(spec, |c| {
        c.security_context.as_ref().and_then(|s| s.windows_options.as_ref()?.host_process) == Some(true)
    });
    let who = setters(of_pod, &of_containers)?;
    violation("hostProcess", format!("{who} must not set securityContext.windowsOptions.hostProcess=true"))
}
