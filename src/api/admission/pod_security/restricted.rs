//! The checks the level `restricted` adds, by their ids (`pod-security-admission/policy`).
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodSpec, Volume};

use super::baseline::{adding, bad_seccomp, is_protecting, must_not_add, names, proc_mount, uses};
use super::{Violation, named, plural, quoted, setters, violation};

/// What the level forbids as of a minor version.
pub(super) fn check(minor: u32, spec: &PodSpec) -> Vec<Violation> {
    let windows = minor >= 25 && spec.os.as_ref().is_some_and(|os| os.name == "windows");
    let own_users = minor >= 35 && spec.host_users == Some(false);
    let checks = [
        if windows || minor < 8 { None } else { privilege_escalation(spec) },
        if windows || minor < 22 { None } else { capabilities(spec) },
        if minor >= 35 { proc_mount(spec) } else { None },
        volumes(spec),
        if own_users { None } else { run_as_non_root(spec) },
        if own_users || minor < 23 { None } else { run_as_user(spec) },
        if windows || minor < 19 { None } else { seccomp(spec) },
    ];
    checks.into_iter().flatten().collect()
}

fn privilege_escalation(spec: &PodSpec) -> Option<Violation> {
    let bad = names(spec, |c| c.security_context.as_ref().and_then(|s| s.allow_privilege_escalation) != Some(false));
    if bad.is_empty() {
        return None;
    }
    let text = format!("{} must set securityContext.allowPrivilegeEscalation=false", named("container", &bad));
    violation("allowPrivilegeEscalation != false", text)
}

fn capabilities(spec: &PodSpec) -> Option<Violation> {
    let keeping = names(spec, |c| {
        let drop = c.security_context.as_ref().and_then(|s| s.capabilities.as_ref()?.drop.as_ref());
        !drop.is_some_and(|drop| drop.iter().any(|c| c == "ALL"))
    });
    let (bad, added) = adding(spec, &["NET_BIND_SERVICE"]);
    let mut details = Vec::new();
    if !keeping.is_empty() {
        let who = named("container", &keeping);
        details.push(format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    if !bad.is_empty() {
        details.push(must_not_add(&bad, &added));
    }
    if details.is_empty() { None } else { violation("unrestricted capabilities", details.join("; ")) }
}

fn volumes(spec: &PodSpec) -> Option<Violation> {
    let mut kinds = BTreeSet::new();
    let mut bad = Vec::new();
    for volume in spec.volumes.iter().flatten() {
        if let Some(kind) = forbidden_source(volume) {
            bad.push(volume.name.as_str());
            kinds.insert(kind);
        }
    }
    if bad.is_empty() {
        return None;
    }
    let what = plural("restricted volume type", kinds.len());
    let text = format!("{} {} {what} {}", named("volume", &bad), uses(bad.len()), quoted(&kinds));
    violation("restricted volume types", text)
}

/// The source of a volume if it is none of those that are allowed.
fn forbidden_source(volume: &Volume) -> Option<&'static str> {
    let allowed = volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.image.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some();
    let others = [
        (volume.host_path.is_some(), "hostPath"),
        (volume.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (volume.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (volume.git_repo.is_some(), "gitRepo"),
        (volume.nfs.is_some(), "nfs"),
        (volume.iscsi.is_some(), "iscsi"),
        (volume.glusterfs.is_some(), "glusterfs"),
        (volume.rbd.is_some(), "rbd"),
        (volume.flex_volume.is_some(), "flexVolume"),
        (volume.cinder.is_some(), "cinder"),
        (volume.cephfs.is_some(), "cephfs"),
        (volume.flocker.is_some(), "flocker"),
        (volume.fc.is_some(), "fc"),
        (volume.azure_file.is_some(), "azureFile"),
        (volume.vsphere_volume.is_some(), "vsphereVolume"),
        (volume.quobyte.is_some(), "quobyte"),
        (volume.azure_disk.is_some(), "azureDisk"),
        (volume.photon_persistent_disk.is_some(), "photonPersistentDisk"),
        (volume.portworx_volume.is_some(), "portworxVolume"),
        (volume.scale_io.is_some(), "scaleIO"),
        (volume.storageos.is_some(), "storageos"),
    ];
    (!allowed).then(|| others.iter().find(|(is, _)| *is).map_or("unknown", |(_, kind)| *kind))
}

fn run_as_non_root(spec: &PodSpec) -> Option<Violation> {
    let of_pod = spec.security_context.as_ref().and_then(|c| c.run_as_non_root);
    let of = |c: &k8s_openapi::api::core::v1::Container| c.security_context.as_ref().and_then(|s| s.run_as_non_root);
    let reason = "runAsNonRoot != true";
    if let Some(who) = setters(of_pod == Some(false), &names(spec, |c| of(c) == Some(false))) {
        return violation(reason, format!("{who} must not set securityContext.runAsNonRoot=false"));
    }
    let silent = names(spec, |c| of(c).is_none());
    if of_pod == Some(true) || silent.is_empty() {
        return None;
    }
    violation(reason, format!("pod or {} must set securityContext.runAsNonRoot=true", named("container", &silent)))
}

fn run_as_user(spec: &PodSpec) -> Option<Violation> {
    let of_pod = spec.security_context.as_ref().and_then(|c| c.run_as_user) == Some(0);
    let of_containers = names(spec, |c| c.security_context.as_ref().and_then(|s| s.run_as_user) == Some(0));
    let who = setters(of_pod, &of_containers)?;
    violation("runAsUser=0", format!("{who} must not set runAsUser=0"))
}

fn seccomp(spec: &PodSpec) -> Option<Violation> {
    if let Some(bad) = bad_seccomp(spec) {
        return Some(bad);
    }
    let of_pod = spec.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref());
    let silent = names(spec, |c| c.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref()).is_none());
    if of_pod.is_some_and(|p| is_protecting(&p.type_)) || silent.is_empty() {
        return None;
    }
    let who = named("container", &silent);
    let text =
        format!("pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
    violation("seccompProfile", text)
}
