//! One file per kind: its defaults, its preparation and its validation side by side.
mod apps;
pub mod controller_revision;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod job;
pub mod namespace;
pub mod persistent_volume;
pub mod persistent_volume_claim;
pub mod pod;
pub mod replica_set;
pub mod service;
pub mod stateful_set;
pub mod storage_class;
pub mod volume_attributes_class;

use super::strategy::Strategy;
use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, LimitRange, Node, ResourceQuota, Secret, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    scheduling::v1::PriorityClass,
};

/// Kinds without rules of their own so far.
macro_rules! plain { ($($kind:ty),* $(,)?) => { $(impl Strategy for $kind {})* }; }
plain!(
    ConfigMap,
    Secret,
    ServiceAccount,
    Node,
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
