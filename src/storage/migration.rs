//! In-tree plugins whose work CSI drivers took over (`pkg/volume/csimigration`, `csi-translation-lib`).

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
