//! The volume plugins built into kube-controller-manager (`pkg/volume/hostpath`, `pkg/volume/nfs`): all that is left of
//! those that can provision, recycle or delete.
use k8s_openapi::api::core::v1::PersistentVolume;

use crate::environment::Environment;
use crate::storage::{HOST_PATH_PROVISIONER, is_migrated, volume_spec};

/// Plugins that can do nothing of that but are known to the controller.
const OTHERS: [&str; 3] = ["kubernetes.io/nfs", "kubernetes.io/local-volume", "kubernetes.io/csi"];

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
        _ if OTHERS.contains(&name) => Err("no provisionable volume plugin matched".to_owned()),
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
        _ if OTHERS.contains(&name) => Err("no deletable volume plugin matched".to_owned()),
        _ => Err(format!("no volume plugin matched name: {name}")),
    }
}

/// Finds the in-tree plugin that deletes such a volume (`FindDeletablePluginBySpec`).
pub(super) fn find_deleter_by_source(volume: &PersistentVolume) -> Result<(), &'static str> {
    let spec = volume_spec(volume);
    if spec.host_path.is_some() {
        Ok(())
    } else if spec.nfs.is_some() || spec.local.is_some() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_that_can_neither_provision_nor_delete_are_known_all_the_same() {
        for name in ["kubernetes.io/nfs", "kubernetes.io/local-volume", "kubernetes.io/csi"] {
            assert_eq!(find_provisioner(name), Err("no provisionable volume plugin matched".to_owned()));
            assert_eq!(find_deleter_by_name(name), Err("no deletable volume plugin matched".to_owned()));
        }
        let unknown = "kubernetes.io/no-provisioner";
        assert_eq!(find_provisioner(unknown), Err(format!("no volume plugin matched name: {unknown}")));
        let mut volume = PersistentVolume::default();
        assert_eq!(find_deleter_by_source(&volume), Err("no volume plugin matched"));
        volume.spec.get_or_insert_default().local = Some(Default::default());
        assert_eq!(find_deleter_by_source(&volume), Err("no deletable volume plugin matched"));
    }
}
