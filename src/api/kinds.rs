//! One file per kind: its defaults, its preparation and its validation side by side.
pub mod controller_revision;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod job;
pub mod pod;
pub mod replica_set;
pub mod service;
pub mod stateful_set;

use super::strategy::Strategy;
use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{
        ConfigMap, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, ResourceQuota, Secret,
        ServiceAccount,
    },
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    scheduling::v1::PriorityClass,
    storage::v1::{StorageClass, VolumeAttributesClass},
};

/// Kinds without rules of their own so far.
macro_rules! plain { ($($kind:ty),* $(,)?) => { $(impl Strategy for $kind {})* }; }
plain!(
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    Namespace,
    ConfigMap,
    Secret,
    ServiceAccount,
    Node,
    VolumeAttributesClass,
    ResourceQuota,
    LimitRange,
    PriorityClass,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    Ingress,
    NetworkPolicy,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
);
