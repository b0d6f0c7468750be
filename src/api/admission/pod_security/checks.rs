//! Which checks a policy consists of, and what they have in common (`k8s.io/pod-security-admission/policy`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, PodSpec, Probe, SecurityContext};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::policy::{Level, LevelVersion, Version};
use super::{baseline, restricted};

/// The release of the newest revision of any check: newer policies mean this one.
const MAX_MINOR: u64 = 35;

/// One rule a pod breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule in a few words, e.g. `host namespaces`.
    pub reason: &'static str,
    /// Which container or value breaks it.
    pub detail: String,
}

/// A pod (or the pod of a template) as the checks see it.
pub struct Subject<'a> {
    /// Metadata of the pod or template.
    pub metadata: &'a ObjectMeta,
    /// Its spec.
    pub spec: &'a PodSpec,
    /// The release whose rules hold.
    pub minor: u64,
    /// Init containers, containers, ephemeral containers.
    pub containers: Vec<Visited<'a>>,
}

/// What the checks look at in a container.
pub struct Visited<'a> {
    /// The container's name.
    pub name: &'a str,
    /// Its security context.
    pub security: Option<&'a SecurityContext>,
    /// Host ports other than 0.
    pub host_ports: Vec<i32>,
    /// The hosts of probes and lifecycle handlers.
    pub hosts: Vec<&'a str>,
}

impl Subject<'_> {
    /// Whether the pod has a user namespace of its own.
    pub fn in_user_namespace(&self) -> bool {
        self.spec.host_users == Some(false)
    }
    /// Whether the pod says that it is for Windows.
    pub fn on_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }
    /// The names of the containers whose security context is so.
    pub fn containers_where(&self, is: impl Fn(Option<&SecurityContext>) -> bool) -> Vec<&str> {
        self.containers.iter().filter(|c| is(c.security)).map(|c| c.name).collect()
    }
}

/// The rules of a policy that a pod breaks, in the order they are reported: the IDs of the baseline checks, then those
/// of the restricted ones.
pub fn evaluate(policy: LevelVersion, metadata: &ObjectMeta, spec: &PodSpec) -> Vec<Finding> {
    if policy.level == Level::Privileged {
        return Vec::new();
    }
    let minor = match policy.version {
        Version::Minor(minor) => minor.min(MAX_MINOR),
        Version::Latest => MAX_MINOR,
    };
    let pod = Subject { metadata, spec, minor, containers: visited(spec) };
    let strict = policy.level == Level::Restricted;
    let mut findings: Vec<Option<Finding>> = vec![baseline::app_armor_profile(&pod)];
    // a restricted check replaces the baseline check of the same field from its first release on
    if !strict || minor < 22 {
        findings.push(baseline::capabilities(&pod));
    }
    findings.push(baseline::host_namespaces(&pod));
    if !strict {
        findings.push(baseline::host_path_volumes(&pod));
    }
    findings.push(baseline::host_ports(&pod));
    if minor >= 34 {
        findings.push(baseline::host_probes_and_lifecycle(&pod));
    }
    findings.push(baseline::privileged(&pod));
    if minor < 35 || (!strict && !pod.in_user_namespace()) {
        findings.push(baseline::proc_mount(&pod));
    }
    findings.push(baseline::se_linux_options(&pod));
    if minor < 19 {
        findings.push(baseline::seccomp_annotations(&pod));
    } else if !strict {
        findings.push(baseline::seccomp_profile(&pod));
    }
    findings.push(baseline::sysctls(&pod));
    findings.push(baseline::windows_host_process(&pod));
    if strict {
        let windows = minor >= 25 && pod.on_windows();
        let user_namespace = minor >= 35 && pod.in_user_namespace();
        if minor >= 8 && !windows {
            findings.push(restricted::allow_privilege_escalation(&pod));
        }
        if minor >= 22 && !windows {
            findings.push(restricted::capabilities(&pod));
        }
        if minor >= 35 {
            findings.push(baseline::proc_mount(&pod));
        }
        findings.push(restricted::volumes(&pod));
        if !user_namespace {
            findings.push(restricted::run_as_non_root(&pod));
        }
        if minor >= 23 && !user_namespace {
            findings.push(restricted::run_as_user(&pod));
        }
        if minor >= 19 && !windows {
            findings.push(restricted::seccomp_profile(&pod));
        }
    }
    findings.into_iter().flatten().collect()
}

/// All reasons, as the warnings about existing pods list them.
pub fn forbidden_reason(findings: &[Finding]) -> String {
    findings.iter().map(|f| f.reason).collect::<Vec<_>>().join(", ")
}

/// All reasons with their details.
pub fn forbidden_detail(findings: &[Finding]) -> String {
    findings.iter().map(|f| format!("{} ({})", f.reason, f.detail)).collect::<Vec<_>>().join(", ")
}

/// `"a", "b"`.
pub fn join_quote<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

/// The singular for exactly one.
pub fn pluralize(singular: &'static str, plural: &'static str, count: usize) -> &'static str {
    if count == 1 { singular } else { plural }
}

/// `container "a"` or `containers "a", "b"`.
pub fn containers(names: &[&str]) -> String {
    format!("{} {}", pluralize("container", "containers", names.len()), join_quote(names.iter().copied()))
}

/// `pod`, `container "a"`, or both: who sets something.
pub fn setters(pod: bool, names: &[&str]) -> Option<String> {
    let own = (!names.is_empty()).then(|| containers(names));
    match (pod, own) {
        (true, Some(own)) => Some(format!("pod and {own}")),
        (true, None) => Some("pod".to_owned()),
        (false, own) => own,
    }
}

/// Values once each, in order.
pub fn sorted<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    values.into_iter().collect()
}

fn visited(spec: &PodSpec) -> Vec<Visited<'_>> {
    let init = spec.init_containers.iter().flatten();
    let ephemeral = spec.ephemeral_containers.iter().flatten();
    init.chain(&spec.containers).map(visit).chain(ephemeral.map(visit_ephemeral)).collect()
}

macro_rules! visit {
    ($name:ident, $container:ty) => {
        fn $name(c: &$container) -> Visited<'_> {
            let mut hosts = Vec::new();
            for probe in [&c.liveness_probe, &c.readiness_probe, &c.startup_probe].into_iter().flatten() {
                hosts.extend(probe_hosts(probe));
            }
            let lifecycle = c.lifecycle.iter().flat_map(|l| [&l.post_start, &l.pre_stop]).flatten();
            for handler in lifecycle {
                hosts.extend(handler.http_get.as_ref().and_then(|h| h.host.as_deref()));
                hosts.extend(handler.tcp_socket.as_ref().and_then(|t| t.host.as_deref()));
            }
            hosts.retain(|host| !host.is_empty());
            let ports = c.ports.iter().flatten().filter_map(|p| p.host_port);
            Visited {
                name: &c.name,
                security: c.security_context.as_ref(),
                host_ports: ports.filter(|p| *p != 0).collect(),
                hosts,
            }
        }
    };
}
visit!(visit, Container);
visit!(visit_ephemeral, EphemeralContainer);

fn probe_hosts(probe: &Probe) -> impl Iterator<Item = &str> {
    let http = probe.http_get.as_ref().and_then(|h| h.host.as_deref());
    let tcp = probe.tcp_socket.as_ref().and_then(|t| t.host.as_deref());
    http.into_iter().chain(tcp)
}
