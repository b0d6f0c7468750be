//! Which fields hold the name of another object.
use super::site::Site;

/// The kinds of object whose name a field holds; none if it holds no name.
pub(crate) fn kinds(site: &Site<'_>) -> &'static [&'static str] {
    const RULES: &[(&[&str], &[&str])] = &[
        (&["metadata", "namespace"], &["Namespace"]),
        (&["persistentVolumeClaim", "claimName"], &["PersistentVolumeClaim"]),
        (&["claimRef", "name"], &["PersistentVolumeClaim"]),
        (&["claimRef", "namespace"], &["Namespace"]),
        (&["spec", "volumeName"], &["PersistentVolume"]),
        (&["storageClassName"], &["StorageClass"]),
        (&["configMap", "name"], &["ConfigMap"]),
        (&["configMapRef", "name"], &["ConfigMap"]),
        (&["configMapKeyRef", "name"], &["ConfigMap"]),
        (&["secretName"], &["Secret"]),
        (&["secret", "name"], &["Secret"]),
        (&["secretRef", "name"], &["Secret"]),
        (&["secretKeyRef", "name"], &["Secret"]),
        (&["imagePullSecrets", "name"], &["Secret"]),
        (&["serviceAccountName"], &["ServiceAccount"]),
        (&["subjects", "name"], &["ServiceAccount"]),
        (&["subjects", "namespace"], &["Namespace"]),
        (&["roleRef", "name"], &["Role", "ClusterRole"]),
        (&["spec", "serviceName"], &["Service"]),
        (&["service", "name"], &["Service"]),
        (&["defaultBackend", "service", "name"], &["Service"]),
        (&["scaleTargetRef", "name"], &["Deployment", "StatefulSet", "ReplicaSet"]),
        (&["priorityClassName"], &["PriorityClass"]),
        (&["nodeName"], &["Node"]),
        (&["dataSource", "name"], &["PersistentVolumeClaim"]),
    ];
    RULES.iter().find(|(keys, _)| site.ends(keys)).map_or(&[], |(_, kinds)| kinds)
}
