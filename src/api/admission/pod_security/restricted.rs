//! The checks of the restricted level, one function each (`policy/check_*.go`).
use k8s_openapi::api::core::v1::{SecurityContext, Volume};

use super::baseline::{added, seccomp_profile as bad_seccomp_profile};
use super::checks::{Finding, Subject, containers, join_quote, pluralize, setters, sorted};

/// Containers that do not rule out privilege escalation.
pub fn allow_privilege_escalation(pod: &Subject<'_>) -> Option<Finding> {
    let names = pod.containers_where(|s| s.and_then(|s| s.allow_privilege_escalation) != Some(false));
    (!names.is_empty()).then(|| Finding {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&names)),
    })
}

/// Containers that keep capabilities or add others than `NET_BIND_SERVICE`.
pub fn capabilities(pod: &Subject<'_>) -> Option<Finding> {
    let drops_all = |s: &SecurityContext| {
        s.capabilities.iter().flat_map(|c| c.drop.iter().flatten()).any(|capability| capability == "ALL")
    };
    let bad = |name: &&str| *name != "NET_BIND_SERVICE";
    let mut details = Vec::new();
    let keeping = pod.containers_where(|s| !s.is_some_and(drops_all));
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keeping)));
    }
    let adding = pod.containers_where(|s| s.is_some_and(|s| added(s).any(|c| bad(&c))));
    if !adding.is_empty() {
        let values = sorted(pod.containers.iter().filter_map(|c| c.security).flat_map(added).filter(bad));
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            containers(&adding),
            join_quote(values)
        ));
    }
    (!details.is_empty()).then(|| Finding { reason: "unrestricted capabilities", detail: details.join("; ") })
}

/// Volumes that are neither made for the pod nor claimed.
pub fn volumes(pod: &Subject<'_>) -> Option<Finding> {
    let bad: Vec<(&str, &str)> = pod
        .spec
        .volumes
        .iter()
        .flatten()
        .filter_map(|volume| Some((volume.name.as_str(), restricted_type(volume)?)))
        .collect();
    let types = sorted(bad.iter().map(|(_, kind)| *kind));
    (!bad.is_empty()).then(|| Finding {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {} {}",
            pluralize("volume", "volumes", bad.len()),
            join_quote(bad.iter().map(|(name, _)| *name)),
            pluralize("uses", "use", bad.len()),
            pluralize("restricted volume type", "restricted volume types", types.len()),
            join_quote(types.iter().copied())
        ),
    })
}

/// The field of a volume's source, unless the level allows it.
fn restricted_type(v: &Volume) -> Option<&'static str> {
    let allowed = v.config_map.is_some()
        || v.csi.is_some()
        || v.downward_api.is_some()
        || v.empty_dir.is_some()
        || v.ephemeral.is_some()
        || v.image.is_some()
        || v.persistent_volume_claim.is_some()
        || v.projected.is_some()
        || v.secret.is_some();
    if allowed {
        return None;
    }
    let sources = [
        (v.host_path.is_some(), "hostPath"),
        (v.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (v.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (v.git_repo.is_some(), "gitRepo"),
        (v.nfs.is_some(), "nfs"),
        (v.iscsi.is_some(), "iscsi"),
        (v.glusterfs.is_some(), "glusterfs"),
        (v.rbd.is_some(), "rbd"),
        (v.flex_volume.is_some(), "flexVolume"),
        (v.cinder.is_some(), "cinder"),
        (v.cephfs.is_some(), "cephfs"),
        (v.flocker.is_some(), "flocker"),
        (v.fc.is_some(), "fc"),
        (v.azure_file.is_some(), "azureFile"),
        (v.vsphere_volume.is_some(), "vsphereVolume"),
        (v.quobyte.is_some(), "quobyte"),
        (v.azure_disk.is_some(), "azureDisk"),
        (v.photon_persistent_disk.is_some(), "photonPersistentDisk"),
        (v.portworx_volume.is_some(), "portworxVolume"),
        (v.scale_io.is_some(), "scaleIO"),
        (v.storageos.is_some(), "storageos"),
    ];
    Some(sources.into_iter().find(|(is, _)| *is).map_or("unknown", |(_, name)| name))
}

/// Containers that may run as root.
pub fn run_as_non_root(pod: &Subject<'_>) -> Option<Finding> {
    let own = pod.spec.security_context.as_ref().and_then(|s| s.run_as_non_root);
    let of = |s: Option<&SecurityContext>| s.and_then(|s| s.run_as_non_root);
    let reason = "runAsNonRoot != true";
    let explicit = pod.containers_where(|s| of(s) == Some(false));
    if let Some(who) = setters(own == Some(false), &explicit) {
        return Some(Finding { reason, detail: format!("{who} must not set securityContext.runAsNonRoot=false") });
    }
    let implicit = pod.containers_where(|s| of(s).is_none() && own != Some(true));
    (!implicit.is_empty()).then(|| Finding {
        reason,
        detail: format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&implicit)),
    })
}

/// User 0.
pub fn run_as_user(pod: &Subject<'_>) -> Option<Finding> {
    let own = pod.spec.security_context.as_ref().and_then(|s| s.run_as_user);
    let names = pod.containers_where(|s| s.and_then(|s| s.run_as_user) == Some(0));
    let who = setters(own == Some(0), &names)?;
    Some(Finding { reason: "runAsUser=0", detail: format!("{who} must not set runAsUser=0") })
}

/// Containers without a seccomp profile of their own or of the pod.
pub fn seccomp_profile(pod: &Subject<'_>) -> Option<Finding> {
    if let Some(finding) = bad_seccomp_profile(pod) {
        return Some(finding);
    }
    let own = pod.spec.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref());
    let implicit = pod.containers_where(|s| own.is_none() && s.and_then(|s| s.seccomp_profile.as_ref()).is_none());
    (!implicit.is_empty()).then(|| Finding {
        reason: "seccompProfile",
        detail: format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            containers(&implicit)
        ),
    })
}
