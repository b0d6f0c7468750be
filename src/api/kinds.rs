//! One file per kind: its defaults, its preparation and its validation side by side.
mod apps;
pub mod config_map;
pub mod controller_revision;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod job;
pub mod limit_range;
pub mod namespace;
pub mod node;
pub mod persistent_volume;
pub mod persistent_volume_claim;
pub mod pod;
pub mod priority_class;
pub mod replica_set;
pub mod resource_quota;
pub mod secret;
pub mod service;
pub mod service_account;
pub mod stateful_set;
pub mod storage_class;
pub mod volume_attributes_class;

use super::strategy::Strategy;
use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler,
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};

/// Kinds without rules of their own so far.
macro_rules! plain { ($($kind:ty),* $(,)?) => { $(impl Strategy for $kind {})* }; }
plain!(
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    Ingress,
    NetworkPolicy,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
);
