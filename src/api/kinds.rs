//! One file per kind: its defaults, its preparation and its validation side by side.
mod apps;
pub mod cluster_role;
pub mod cluster_role_binding;
pub mod controller_revision;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod horizontal_pod_autoscaler;
pub mod ingress;
pub mod job;
pub mod namespace;
pub mod network_policy;
pub mod persistent_volume;
pub mod persistent_volume_claim;
pub mod pod;
pub mod pod_disruption_budget;
pub mod replica_set;
pub mod role;
pub mod role_binding;
pub mod service;
pub mod stateful_set;
pub mod storage_class;
pub mod volume_attributes_class;

use super::strategy::Strategy;
use k8s_openapi::api::{
    core::v1::{ConfigMap, LimitRange, Node, ResourceQuota, Secret, ServiceAccount},
    scheduling::v1::PriorityClass,
};

/// Kinds without rules of their own so far.
macro_rules! plain { ($($kind:ty),* $(,)?) => { $(impl Strategy for $kind {})* }; }
plain!(ConfigMap, Secret, ServiceAccount, Node, ResourceQuota, LimitRange, PriorityClass,);
