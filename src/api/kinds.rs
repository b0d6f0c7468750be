//! One file per kind: its defaults, its preparation and its validation side by side.
pub mod persistent_volume;
pub mod persistent_volume_claim;
pub mod pod;
pub mod storage_class;
pub mod volume_attributes_class;

use super::strategy::Strategy;
use k8s_openapi::api::{
    apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::{CronJob, Job},
    core::v1::{
        ConfigMap, LimitRange, Namespace, Node, ResourceQuota, Secret,
        Service, ServiceAccount,
    },
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    scheduling::v1::PriorityClass,
};

/// Kinds without rules of their own so far.
macro_rules! plain { ($($kind:ty),* $(,)?) => { $(impl Strategy for $kind {})* }; }
plain!(
    Namespace,
    ConfigMap,
    Secret,
    Service,
    ServiceAccount,
    Node,
    ResourceQuota,
    LimitRange,
    PriorityClass,
    EndpointSlice,
    ReplicaSet,
    Deployment,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Job,
    CronJob,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    Ingress,
    NetworkPolicy,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
);
