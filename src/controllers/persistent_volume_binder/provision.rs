//! Dynamic provisioning: the in-tree host-path plugin, and the requests to external provisioners.
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{HostPathVolumeSource, Node, PersistentVolume, PersistentVolumeSpec};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::plugins::{self, Provisioner};
use super::{Claim, PersistentVolumeBinder};
use crate::api::event::EventType;
use crate::api::status::Reason;
use crate::api::{ApiObject, Status};
use crate::reconcile::Context;
use crate::storage::{
    self, BETA_STORAGE_PROVISIONER, BOUND_BY_CONTROLLER, HOST_PATH_PROVISIONER, IN_TREE_FINALIZER, MIGRATED_TO,
    PROVISIONED_BY, SELECTED_NODE, STORAGE, STORAGE_PROVISIONER, claim_spec,
};

/// The provisioning failed; it may be tried again after a while.
struct Failed;

impl PersistentVolumeBinder {
    /// Sees to it that somebody makes a volume for a claim (`provisionClaim`).
    pub(super) fn provision_claim(&mut self, context: &mut Context<'_>, claim: &Claim) {
        let class_name = storage::claim_class(claim);
        let found = match context.api.get::<StorageClass>("", class_name) {
            None => Err(format!("storageclass.storage.k8s.io \"{class_name}\" not found")),
            Some(class) => plugins::find_provisioner(&class.provisioner).map(|p| (p, class.clone())),
        };
        let (provisioner, class) = match found {
            Ok(found) => found,
            Err(why) => return Self::provisioning_failed(context, claim, &why),
        };
        let operation = format!("provision-{}/{}[{}]", claim.namespace(), claim.name(), claim.uid());
        let now = context.api.now();
        if !self.may_run(&operation, now) {
            return;
        }
        let result = match provisioner {
            Provisioner::External => self.provision_externally(context, claim, &class),
            Provisioner::HostPath => self.provision_host_path(context, claim, &class),
        };
        self.finish(operation, result.is_ok(), now);
    }

    fn provisioning_failed(context: &mut Context<'_>, claim: &Claim, message: &str) {
        Self::claim_event(context, claim, EventType::Warning, "ProvisioningFailed", message);
    }

    /// Tells an external provisioner that the claim is for it (`provisionClaimOperationExternal`).
    fn provision_externally(
        &mut self,
        context: &mut Context<'_>,
        claim: &Claim,
        class: &StorageClass,
    ) -> Result<(), Failed> {
        let provisioner = storage::csi_name_of(&class.provisioner).unwrap_or(&class.provisioner);
        let claim = match self.set_claim_provisioner(context, claim, provisioner) {
            Ok(claim) => claim,
            Err(why) => {
                Self::provisioning_failed(context, claim, &format!("Error saving claim: {why}"));
                return Err(Failed);
            }
        };
        let message = format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the \
             system administrator. If volume creation is delayed, please verify that the provisioner is running and \
             correctly registered."
        );
        Self::claim_event(context, &claim, EventType::Normal, "ExternalProvisioning", message);
        Ok(())
    }

    /// Notes on a claim who is to provision for it (`setClaimProvisioner`).
    fn set_claim_provisioner(
        &mut self,
        context: &mut Context<'_>,
        claim: &Claim,
        provisioner: &str,
    ) -> Result<Claim, Status> {
        if claim.annotation(STORAGE_PROVISIONER) == Some(provisioner) {
            return Ok(claim.clone());
        }
        let mut changed = (**claim).clone();
        changed.set_annotation(BETA_STORAGE_PROVISIONER, provisioner);
        changed.set_annotation(STORAGE_PROVISIONER, provisioner);
        if let Some(wanted) = super::claims::migrated_to(Some(provisioner), changed.annotation(MIGRATED_TO)) {
            super::claims::set_or_remove_annotation(&mut changed, MIGRATED_TO, wanted);
        }
        Ok(context.api.update(changed)?.object)
    }

    /// Makes a directory on the host into a volume (`provisionClaimOperation` with `hostPathProvisioner.Provision`).
    /// Selector, parameters and topology are not looked at.
    fn provision_host_path(
        &mut self,
        context: &mut Context<'_>,
        claim: &Claim,
        class: &Arc<StorageClass>,
    ) -> Result<(), Failed> {
        let fail = |context: &mut Context<'_>, claim: &Claim, message: &str| {
            Self::provisioning_failed(context, claim, message);
            Err(Failed)
        };
        if claim_spec(claim).data_source.is_some() {
            let message = format!(
                "plugin \"{HOST_PATH_PROVISIONER}\" is not a CSI plugin. Only CSI plugin can provision a claim with a \
                 datasource"
            );
            return fail(context, claim, &message);
        }
        let claim = &self.set_claim_provisioner(context, claim, HOST_PATH_PROVISIONER).map_err(|_| Failed)?;
        let name = format!("pvc-{}", claim.uid());
        if context.api.get::<PersistentVolume>("", &name).is_some() {
            return Ok(());
        }
        let options = class.mount_options.as_deref().unwrap_or_default();
        if !options.is_empty() {
            let message = format!(
                "Mount options are not supported by the provisioner but StorageClass \"{}\" has mount options [{}]",
                class.name(),
                options.join(" ")
            );
            return fail(context, claim, &message);
        }
        if !plugins::host_path_provisioning_enabled(context.environment) {
            let why = format!("provisioning in volume plugin \"{HOST_PATH_PROVISIONER}\" is disabled");
            return fail(context, claim, &format!("Failed to create provisioner: {why}"));
        }
        if let Some(node) = claim.annotation(SELECTED_NODE)
            && context.api.get::<Node>("", node).is_none()
        {
            return fail(context, claim, &format!("Failed to get target node: node \"{node}\" not found"));
        }
        if storage::claim_volume_mode(claim) == "Block" {
            // the scheduler is to choose again
            if claim.annotation(SELECTED_NODE).is_some() {
                let mut changed = (**claim).clone();
                super::claims::set_or_remove_annotation(&mut changed, SELECTED_NODE, None);
                let _ = context.api.update(changed);
            }
            let why = format!("{HOST_PATH_PROVISIONER} does not support block volume provisioning");
            let message = format!("Failed to provision volume with StorageClass \"{}\": {why}", class.name());
            return fail(context, claim, &message);
        }
        let path = format!("/tmp/hostpath_pv/{}", context.api.identities_mut().uid());
        let volume = host_path_volume(claim, class, &name, path);
        match context.api.create(volume) {
            Err(why) if why.reason != Reason::AlreadyExists => {
                let key = format!("{}/{}", claim.namespace(), claim.name());
                let message =
                    format!("Error creating provisioned PV object for claim {key}: {why}. Deleting the volume.");
                Self::provisioning_failed(context, claim, &message);
            }
            _ => {
                let message = format!("Successfully provisioned volume {name} using {HOST_PATH_PROVISIONER}");
                Self::claim_event(context, claim, EventType::Normal, "ProvisioningSucceeded", message);
            }
        }
        Ok(())
    }
}

fn host_path_volume(claim: &Claim, class: &StorageClass, name: &str, path: String) -> PersistentVolume {
    let spec = claim_spec(claim);
    let request = spec.resources.as_ref().and_then(|r| r.requests.as_ref()).and_then(|r| r.get(STORAGE));
    let annotations = [
        ("kubernetes.io/createdby", "hostpath-dynamic-provisioner"),
        (BOUND_BY_CONTROLLER, "yes"),
        (PROVISIONED_BY, HOST_PATH_PROVISIONER),
    ];
    let policy = class.reclaim_policy.clone().unwrap_or_else(|| "Delete".to_owned());
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            annotations: Some(annotations.map(|(k, v)| (k.to_owned(), v.to_owned())).into()),
            finalizers: (policy == "Delete").then(|| vec![IN_TREE_FINALIZER.to_owned()]),
            ..Default::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.access_modes.clone(),
            capacity: request.map(|size| BTreeMap::from([(STORAGE.to_owned(), size.clone())])),
            claim_ref: Some(storage::reference_to(claim)),
            host_path: Some(HostPathVolumeSource { path, type_: None }),
            persistent_volume_reclaim_policy: Some(policy),
            storage_class_name: Some(storage::claim_class(claim).to_owned()),
            ..Default::default()
        }),
        status: None,
    }
}
