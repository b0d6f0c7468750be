//! In-tree plugins whose work CSI drivers took over (`pkg/volume/csimigration`, `csi-translation-lib`), and which driver a volume
//! needs.
use k8s_openapi::api::core::v1::{PersistentVolumeSpec, Volume};

use crate::environment::Environment;

const MIGRATED: [(&str, &str); 7] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/azure-file", "file.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
];

/// The CSI driver that took over from an in-tree plugin (`GetCSINameFromInTreeName`).
pub fn csi_name_of(plugin: &str) -> Option<&'static str> {
    MIGRATED.iter().find(|(in_tree, _)| *in_tree == plugin).map(|(_, csi)| *csi)
}

/// Whether a CSI driver took over from an in-tree plugin (`IsMigrationEnabledForPlugin`).
pub fn is_migrated(plugin: &str) -> bool {
    csi_name_of(plugin).is_some()
}

/// Whether a storage driver works in this cluster: it is declared by its own name, or by that of the in-tree plugin it took
/// over from.
pub fn is_driver_installed(environment: &Environment, driver: &str) -> bool {
    environment.provisioners.iter().any(|name| name == driver || csi_name_of(name) == Some(driver))
}

/// The CSI driver that mounts a persistent volume, if one is needed.
pub fn driver_of(spec: &PersistentVolumeSpec) -> Option<&str> {
    let migrated = [
        (spec.aws_elastic_block_store.is_some(), "kubernetes.io/aws-ebs"),
        (spec.gce_persistent_disk.is_some(), "kubernetes.io/gce-pd"),
        (spec.azure_disk.is_some(), "kubernetes.io/azure-disk"),
        (spec.azure_file.is_some(), "kubernetes.io/azure-file"),
        (spec.cinder.is_some(), "kubernetes.io/cinder"),
        (spec.vsphere_volume.is_some(), "kubernetes.io/vsphere-volume"),
        (spec.portworx_volume.is_some(), "kubernetes.io/portworx-volume"),
    ];
    spec.csi.as_ref().map(|csi| csi.driver.as_str()).or_else(|| first_driver(&migrated))
}

/// The CSI driver that mounts a volume which stands in the pod itself, if one is needed.
pub fn driver_of_inline(volume: &Volume) -> Option<&str> {
    let migrated = [
        (volume.aws_elastic_block_store.is_some(), "kubernetes.io/aws-ebs"),
        (volume.gce_persistent_disk.is_some(), "kubernetes.io/gce-pd"),
        (volume.azure_disk.is_some(), "kubernetes.io/azure-disk"),
        (volume.azure_file.is_some(), "kubernetes.io/azure-file"),
        (volume.cinder.is_some(), "kubernetes.io/cinder"),
        (volume.vsphere_volume.is_some(), "kubernetes.io/vsphere-volume"),
        (volume.portworx_volume.is_some(), "kubernetes.io/portworx-volume"),
    ];
    volume.csi.as_ref().map(|csi| csi.driver.as_str()).or_else(|| first_driver(&migrated))
}

fn first_driver(sources: &[(bool, &str)]) -> Option<&'static str> {
    sources.iter().find(|(is_set, _)| *is_set).and_then(|(_, plugin)| csi_name_of(plugin))
}

/// Drivers of file servers, whose `CSIDriver` objects say `attachRequired: false`: every node can mount at once.
const NOT_ATTACHED: &[&str] =
    &["nfs.csi.k8s.io", "smb.csi.k8s.io", "efs.csi.aws.com", "file.csi.azure.com", "filestore.csi.storage.gke.io"];

/// Whether a driver's volumes are attached to a node before they are mounted there (`csiPlugin.CanAttach`).
pub fn is_attached(driver: &str) -> bool {
    !NOT_ATTACHED.contains(&driver)
}
