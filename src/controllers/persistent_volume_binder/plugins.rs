//! The volume plugins built into kube-controller-manager (`pkg/volume/hostpath`, `pkg/volume/nfs`): all that is left of
//! those that can provision, recycle or delete.
use k8s_openapi::api::core::v1::PersistentVolume;

use crate::environment::Environment;
use crate::storage::{HOST_PATH_PROVISIONER, is_migrated, volume_spec};

const NFS: &str = "kubernetes.io/nfs";

/// Who provisions volumes of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provisioner {
    /// The in-tree host-path plugin.
    HostPath,
    /// Something outside the controller.
    External,
}

/// Finds who provisions for a class by the name in the class, or says why nobody does (`findProvisionablePlugin`).
pub(super) fn find_provisioner(name: &str) -> Result<Provisioner, String> {
    match name {
        HOST_PATH_PROVISIONER => Ok(Provisioner::HostPath),
        NFS => Err("no provisionable volume plugin matched".to_owned()),
        _ if is_migrated(name) || !name.starts_with("kubernetes.io/") => Ok(Provisioner::External),
        _ => Err(format!("no volume plugin matched name: {name}")),
    }
}

/// Whether the host-path plugin may provision (`--enable-hostpath-provisioner`).
pub(super) fn host_path_provisioning_enabled(environment: &Environment) -> bool {
    environment.provisioners.iter().any(|p| p == HOST_PATH_PROVISIONER)
}

/// Finds the in-tree plugin that deletes what a plugin of this name provisioned (`FindDeletablePluginByName`).
pub(super) fn find_deleter_by_name(name: &str) -> Result<(), String> {
    match name {
        HOST_PATH_PROVISIONER => Ok(()),
        NFS => Err("no deletable volume plugin matched".to_owned()),
        _ => Err(format!("no volume plugin matched name: {name}")),
    }
}

/// Finds the in-tree plugin that deletes such a volume (`FindDeletablePluginBySpec`).
pub(super) fn find_deleter_by_source(volume: &PersistentVolume) -> Result<(), &'static str> {
    let spec = volume_spec(volume);
    if spec.host_path.is_some() {
        Ok(())
    } else if spec.nfs.is_some() {
        Err("no deletable volume plugin matched")
    } else {
        Err("no volume plugin matched")
    }
}

/// Deletes what is on the host: refused outside of `/tmp` (`hostPathDeleter.Delete`). The pattern `/tmp/.+` is not
/// anchored.
pub(super) fn delete_host_path(volume: &PersistentVolume) -> Result<(), String> {
    let Some(source) = &volume_spec(volume).host_path else {
        let name = volume.metadata.name.as_deref().unwrap_or_default();
        let why = "spec.PersistentVolumeSource.HostPath is nil";
        return Err(format!("failed to create deleter for volume \"{name}\": {why}"));
    };
    let path = source.path.as_str();
    // a dot matches anything but a line feed
    let matches =
        path.match_indices("/tmp/").any(|(at, tmp)| path[at + tmp.len()..].chars().next().is_some_and(|c| c != '\n'));
    if matches {
        return Ok(());
    }
    Err(format!("host_path deleter only supports /tmp/.+ but received provided {path}"))
}
