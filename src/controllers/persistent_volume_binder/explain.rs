//! Why a claim is not bound, for people: told by the same predicates by which the controller decides.
use std::fmt;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;

use super::plugins::{self, Provisioner};
use crate::api::{ApiObject, Store};
use crate::environment::Environment;
use crate::storage::{
    self, BIND_COMPLETED, ClaimNeeds, NO_PROVISIONER, NamedMismatch, PassedOver, Rule, Verdict, claim_phase, claim_ref,
    volume_name,
};

/// Why a claim is not bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What the claim itself waits for.
    pub state: ClaimState,
    /// Why each volume of the cluster was passed over, by name; empty for a claim that names its volume.
    pub volumes: Vec<(String, PassedOver)>,
}

/// What a claim that is not bound waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimState {
    /// It has no class and no volume fits.
    NoVolume,
    /// Its class waits for a pod that uses the claim.
    WaitingForFirstConsumer {
        /// The class.
        class: String,
    },
    /// Pods use the claim, but none of them has been scheduled.
    WaitingForPods {
        /// The pods.
        pods: Vec<String>,
    },
    /// Its class does not exist.
    ClassMissing {
        /// The class.
        class: String,
    },
    /// Its class does not provision, and no volume fits.
    ClassDoesNotProvision {
        /// The class.
        class: String,
    },
    /// No plugin has the name of the class' provisioner.
    UnknownProvisioner {
        /// The class.
        class: String,
        /// Its provisioner.
        provisioner: String,
    },
    /// The class' provisioner is not installed in this cluster.
    ProvisionerNotInstalled {
        /// The class.
        class: String,
        /// Its provisioner.
        provisioner: String,
    },
    /// The provisioner is installed but could not make such a volume; the claim's events say why.
    ProvisioningFails {
        /// The class.
        class: String,
        /// Its provisioner.
        provisioner: String,
    },
    /// It names a volume that does not exist.
    NamedVolumeMissing {
        /// The volume.
        volume: String,
    },
    /// It names a volume that belongs to another claim.
    NamedVolumeTaken {
        /// The volume.
        volume: String,
        /// Namespace of the other claim.
        namespace: String,
        /// Name of the other claim.
        claim: String,
        /// Whether the other claim is an earlier one of the same name.
        earlier: bool,
    },
    /// It names a volume that does not fit.
    NamedVolumeMismatch {
        /// The volume.
        volume: String,
        /// What does not fit.
        why: NamedMismatch,
    },
    /// It was bound, and its volume is gone or has another claim.
    Lost {
        /// The volume it names, empty if none.
        volume: String,
    },
    /// A volume fits: the claim will be bound at the next resync.
    AboutToBind {
        /// The volume.
        volume: String,
    },
}

/// Why a claim is not bound; `None` if it is.
pub fn explain(store: &Store, environment: &Environment, claim: &PersistentVolumeClaim) -> Option<Explanation> {
    if claim_phase(claim) == "Bound" {
        return None;
    }
    let named = volume_name(claim);
    if claim.annotation(BIND_COMPLETED).is_some() {
        return Some(Explanation { state: ClaimState::Lost { volume: named.to_owned() }, volumes: Vec::new() });
    }
    if !named.is_empty() {
        return Some(Explanation { state: explain_named(store, claim, named), volumes: Vec::new() });
    }
    let needs = ClaimNeeds::of(claim);
    let mut volumes = Vec::new();
    let mut fitting = None;
    for volume in store.list::<PersistentVolume>() {
        match consider(&needs, volume) {
            Some(reason) => volumes.push((volume.name().to_owned(), reason)),
            None => fitting = fitting.or(Some(volume.name().to_owned())),
        }
    }
    let delayed = storage::is_delay_binding_mode(claim, store) && !storage::is_delay_binding_provisioning(claim);
    let state = match fitting {
        Some(volume) if !delayed => ClaimState::AboutToBind { volume },
        _ if delayed => explain_delayed(store, claim),
        _ => explain_provisioning(store, environment, claim),
    };
    Some(Explanation { state, volumes })
}

/// Why a volume is not for a claim, whether or not the claim's class waits for a pod.
fn consider(needs: &ClaimNeeds<'_>, volume: &PersistentVolume) -> Option<PassedOver> {
    match needs.consider(volume, None, false) {
        Verdict::PassedOver(rule) => Some(needs.explain(rule, volume)),
        _ if !storage::check_access_modes(needs.claim, volume) => Some(needs.explain(Rule::AccessModes, volume)),
        _ => None,
    }
}

fn explain_named(store: &Store, claim: &PersistentVolumeClaim, named: &str) -> ClaimState {
    let name = named.to_owned();
    let Some(volume) = store.get::<PersistentVolume>("", named) else {
        return ClaimState::NamedVolumeMissing { volume: name };
    };
    match claim_ref(volume) {
        None => match ClaimNeeds::of(claim).check_named_volume(volume) {
            Err(why) => ClaimState::NamedVolumeMismatch { volume: name, why },
            Ok(()) => ClaimState::AboutToBind { volume: name },
        },
        Some(_) if storage::is_volume_bound_to_claim(volume, claim) => ClaimState::AboutToBind { volume: name },
        Some((namespace, other, _)) => ClaimState::NamedVolumeTaken {
            volume: name,
            namespace: namespace.to_owned(),
            claim: other.to_owned(),
            earlier: (namespace, other) == (claim.namespace(), claim.name()),
        },
    }
}

fn explain_delayed(store: &Store, claim: &PersistentVolumeClaim) -> ClaimState {
    let uses = |pod: &Pod| storage::claim_names(pod).any(|name| name == claim.name());
    let pods = store.list_in::<Pod>(claim.namespace()).filter(|pod| uses(pod) && !storage::is_pod_terminated(pod));
    let pods: Vec<String> = pods.map(|pod| pod.name().to_owned()).collect();
    if pods.is_empty() {
        ClaimState::WaitingForFirstConsumer { class: storage::claim_class(claim).to_owned() }
    } else {
        ClaimState::WaitingForPods { pods }
    }
}

fn explain_provisioning(store: &Store, environment: &Environment, claim: &PersistentVolumeClaim) -> ClaimState {
    let class = storage::claim_class(claim).to_owned();
    if class.is_empty() {
        return ClaimState::NoVolume;
    }
    let Some(object) = store.get::<StorageClass>("", &class) else { return ClaimState::ClassMissing { class } };
    let provisioner = object.provisioner.clone();
    if provisioner == NO_PROVISIONER {
        return ClaimState::ClassDoesNotProvision { class };
    }
    let installed = match plugins::find_provisioner(&provisioner) {
        Err(_) => return ClaimState::UnknownProvisioner { class, provisioner },
        Ok(Provisioner::HostPath) => plugins::host_path_provisioning_enabled(environment),
        Ok(Provisioner::External) => {
            let name = storage::csi_name_of(&provisioner).unwrap_or(&provisioner);
            environment.provisioners.iter().any(|p| p == name)
        }
    };
    if installed {
        ClaimState::ProvisioningFails { class, provisioner }
    } else {
        ClaimState::ProvisionerNotInstalled { class, provisioner }
    }
}

impl fmt::Display for ClaimState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClaimState::NoVolume => {
                f.write_str("no volume fits and the claim has no storage class that could make one")
            }
            ClaimState::WaitingForFirstConsumer { class } => {
                write!(f, "class \"{class}\" waits until a pod uses the claim (WaitForFirstConsumer)")
            }
            ClaimState::WaitingForPods { pods } => {
                write!(f, "waiting for a node to be chosen for {}", pods.join(", "))
            }
            ClaimState::ClassMissing { class } => {
                write!(f, "no volume fits and there is no StorageClass \"{class}\" that could make one")
            }
            ClaimState::ClassDoesNotProvision { class } => {
                write!(f, "no volume fits and class \"{class}\" does not make any ({NO_PROVISIONER})")
            }
            ClaimState::UnknownProvisioner { class, provisioner } => {
                write!(f, "class \"{class}\" has the unknown provisioner {provisioner}")
            }
            ClaimState::ProvisionerNotInstalled { class, provisioner } => {
                write!(f, "the provisioner {provisioner} of class \"{class}\" is not installed in this cluster")
            }
            ClaimState::ProvisioningFails { class, provisioner } => {
                write!(f, "the provisioner {provisioner} of class \"{class}\" has not made a volume; see the events")
            }
            ClaimState::NamedVolumeMissing { volume } => {
                write!(f, "the claim names volume {volume}, which is not there")
            }
            ClaimState::NamedVolumeTaken { volume, namespace, claim, earlier: true } => write!(
                f,
                "the claim names volume {volume}, which belongs to an earlier claim {namespace}/{claim} (of another uid)"
            ),
            ClaimState::NamedVolumeTaken { volume, namespace, claim, earlier: false } => {
                write!(f, "the claim names volume {volume}, which belongs to claim {namespace}/{claim}")
            }
            ClaimState::NamedVolumeMismatch { volume, why } => {
                write!(f, "the claim names volume {volume}, which does not fit: {why}")
            }
            ClaimState::Lost { volume } if volume.is_empty() => {
                f.write_str("the claim says it is bound but names no volume")
            }
            ClaimState::Lost { volume } => {
                write!(f, "the claim was bound to volume {volume}, which is gone or has another claim")
            }
            ClaimState::AboutToBind { volume } => write!(f, "volume {volume} fits and will be bound"),
        }
    }
}
