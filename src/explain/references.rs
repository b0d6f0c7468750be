//! Which fields hold the name of another object.
use crate::api::object::Kind;

/// The kind of object whose name a field holds: by the Go type the field is in and its JSON name.
pub(super) fn kind_of(go_type: &str, field: &str) -> Option<Kind> {
    let kind = match (go_type, field) {
        ("ObjectMeta", "namespace") => Kind::Namespace,
        (_, "storageClassName") => Kind::StorageClass,
        (_, "claimName") => Kind::PersistentVolumeClaim,
        ("PersistentVolumeClaimSpec", "volumeName") => Kind::PersistentVolume,
        (_, "serviceAccountName" | "serviceAccount") => Kind::ServiceAccount,
        (_, "priorityClassName") => Kind::PriorityClass,
        (_, "nodeName") => Kind::Node,
        ("StatefulSetSpec", "serviceName") | ("PodSpec", "subdomain") | ("IngressServiceBackend", "name") => {
            Kind::Service
        }
        (_, "volumeAttributesClassName") => Kind::VolumeAttributesClass,
        ("SecretVolumeSource" | "IngressTLS", "secretName") => Kind::Secret,
        ("SecretKeySelector" | "SecretEnvSource" | "SecretProjection", "name") => Kind::Secret,
        ("ConfigMapVolumeSource" | "ConfigMapKeySelector" | "ConfigMapEnvSource" | "ConfigMapProjection", "name") => {
            Kind::ConfigMap
        }
        _ => return None,
    };
    Some(kind)
}
