//! The controllers of kube-controller-manager, one file each.
mod controller_history;
mod controller_ref_manager;
mod controller_utils;
pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod disruption;
pub mod endpoint_slice;
pub mod endpoint_slice_mirroring;
pub mod endpoints;
pub mod ephemeral_volume;
pub mod external_provisioner;
pub mod garbage_collector;
pub mod horizontal_pod_autoscaler;
pub mod job;
pub mod namespace;
pub mod persistent_volume_binder;
pub mod pod_gc;
pub mod pv_protection;
pub mod pvc_protection;
pub mod replica_set;
pub mod resource_quota;
pub mod root_ca_cert_publisher;
pub mod service_account;
pub mod stateful_set;
pub mod taint_eviction;
pub mod ttl_after_finished;
pub mod vac_protection;
pub mod volume_expand;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::reconcile::Reconciler;

/// All controllers, in the order in which they take turns.
pub fn all() -> Vec<Box<dyn Reconciler>> {
    vec![
        Box::<service_account::ServiceAccountsController>::default(),
        Box::<root_ca_cert_publisher::RootCaCertPublisher>::default(),
        Box::<namespace::NamespaceController>::default(),
        Box::<stateful_set::StatefulSetController>::default(),
        Box::<deployment::DeploymentController>::default(),
        Box::<replica_set::ReplicaSetController>::default(),
        Box::<ephemeral_volume::EphemeralVolumeController>::default(),
        Box::<persistent_volume_binder::PersistentVolumeBinder>::default(),
        Box::<daemon_set::DaemonSetController>::default(),
        Box::<job::JobController>::default(),
        Box::<cron_job::CronJobController>::default(),
        Box::<ttl_after_finished::TtlAfterFinishedController>::default(),
        Box::<endpoint_slice::EndpointSliceController>::default(),
        Box::<endpoints::EndpointsController>::default(),
        Box::<endpoint_slice_mirroring::EndpointSliceMirroringController>::default(),
        Box::<garbage_collector::GarbageCollector>::default(),
        Box::<horizontal_pod_autoscaler::HorizontalPodAutoscalerController>::default(),
        Box::<disruption::DisruptionController>::default(),
        Box::<pod_gc::PodGcController>::default(),
        Box::<taint_eviction::TaintEvictionController>::default(),
        Box::<resource_quota::ResourceQuotaController>::default(),
        Box::<external_provisioner::ExternalProvisioner>::default(),
        Box::<volume_expand::VolumeExpandController>::default(),
        Box::<pvc_protection::PvcProtectionController>::default(),
        Box::<pv_protection::PvProtectionController>::default(),
        Box::<vac_protection::VacProtectionController>::default(),
    ]
}
