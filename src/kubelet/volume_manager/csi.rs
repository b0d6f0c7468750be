//! Volumes of storage drivers (`pkg/volume/csi`, `pkg/controller/volume/attachdetach`).
use k8s_openapi::api::core::v1::{PersistentVolume, Pod};

use super::{Mounted, NodeState, Obstacle, VolumeUser, claimed_volume, failed, for_one_pod, used_volumes};
use crate::api::{ApiObject as _, Store};
use crate::environment::Environment;
use crate::scheduler::node_info::spec_of;
use crate::storage;

/// `newCsiDriverClient`.
pub(super) fn not_registered(driver: &str) -> String {
    format!("driver name {driver} not found in the list of registered CSI drivers")
}

/// A volume of a CSI driver: it is attached to one node at a time unless an access mode allows several
/// (`pkg/controller/volume/attachdetach/reconciler`, `IsMultiAttachAllowed`). Without the driver nobody attaches it, and
/// that is said only after two minutes.
pub(super) fn attach(
    pod: &Pod,
    volume: &PersistentVolume,
    driver: &str,
    state: &NodeState<'_>,
) -> Result<Mounted, Obstacle> {
    if !storage::is_driver_installed(state.environment, driver) {
        return match storage::is_attached(driver) {
            true => Err(Obstacle::Silent),
            false => {
                let problem = not_registered(driver);
                let why =
                    format!("kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: {problem}");
                Err(failed("MountVolume.MountDevice failed", volume.name(), &why))
            }
        };
    }
    let name = volume.name();
    let modes = storage::volume_spec(volume).access_modes.as_deref().unwrap_or_default();
    let several = modes.is_empty() || modes.iter().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany");
    if !storage::is_attached(driver) {
        for_one_pod(pod, volume, state)?;
        return Ok(Mounted::Exclusive(name.to_owned()));
    }
    let users = (state.users)(name);
    let elsewhere: Vec<&VolumeUser> = users.iter().filter(|user| user.node != state.node.name()).collect();
    if let Some(first) = elsewhere.first().filter(|_| !several) {
        let here: Vec<&str> =
            elsewhere.iter().filter(|user| user.namespace == pod.namespace()).map(|user| user.name.as_str()).collect();
        let others = elsewhere.len() - here.len();
        let others = match (others, here.is_empty()) {
            (0, _) => String::new(),
            (others, true) => format!("{others} pod(s) in different namespaces"),
            (others, false) => format!(" and {others} pod(s) in different namespaces"),
        };
        let pods = if here.is_empty() { String::new() } else { format!("pod(s) {}", here.join(", ")) };
        let message = format!("Multi-Attach error for volume \"{name}\" Volume is already used by {pods}{others}");
        return Err(Obstacle::AttachedElsewhere { message, node: first.node.clone(), volume: name.to_owned() });
    }
    for_one_pod(pod, volume, state)?;
    Ok(Mounted::Attached(name.to_owned()))
}

/// What will be said about the volumes of a pod that waits for a driver that is not installed: nothing else would for two
/// minutes.
pub fn without_driver(store: &Store, environment: &Environment, pod: &Pod) -> Vec<String> {
    let (mounts, devices) = used_volumes(pod);
    let mut said = Vec::new();
    for volume in spec_of(pod).volumes.iter().flatten() {
        let name = volume.name.as_str();
        if !mounts.contains(name) && !devices.contains(name) {
            continue;
        }
        let claim = match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(source), _) => Some((source.claim_name.clone(), false)),
            (None, Some(_)) => Some((format!("{}-{name}", pod.name()), true)),
            (None, None) => None,
        };
        let (name, driver) = match claim {
            Some((claim, ephemeral)) => match claimed_volume(store, pod, &claim, ephemeral) {
                Ok(found) => {
                    let driver = storage::driver_of(storage::volume_spec(&found)).map(str::to_owned);
                    (found.name().to_owned(), driver)
                }
                Err(_) => continue,
            },
            None if volume.csi.is_some() => continue,
            None => (name.to_owned(), storage::driver_of_inline(volume).map(str::to_owned)),
        };
        let missing =
            |driver: &String| storage::is_attached(driver) && !storage::is_driver_installed(environment, driver);
        if let Some(driver) = driver.filter(missing) {
            said.push(format!(
                "waits for volume \"{name}\", which nobody attaches: CSI driver {driver} is not installed in this cluster"
            ));
        }
    }
    said
}
