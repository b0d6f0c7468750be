//! Whether the volumes that a pod's containers mount can be mounted (`pkg/kubelet/volumemanager`,
//! `pkg/volume/util/operationexecutor`).
mod csi;

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, KeyToPath, Node, PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec,
    Pod, Secret, Volume, VolumeProjection,
};

pub use csi::without_driver;
use csi::{attach, not_registered};

use super::environment_variables::missing_container;
use super::host_path::HostPaths;
use crate::api::object::{Kind, ObjectKey};
use crate::api::{ApiObject, Store, node_selector};
use crate::environment::Environment;
use crate::scheduler::node_info::spec_of;
use crate::scheduler::volume_binding::{is_owned_by_pod, not_owned};
use crate::storage;

/// What a kubelet found when it tried to mount a pod's volumes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mounting {
    /// Messages of `FailedMount` events.
    pub events: Vec<String>,
    /// Messages of `FailedAttachVolume` events.
    pub not_attached: Vec<String>,
    /// Volumes that were attached to the node for this pod.
    pub attached: Vec<String>,
    /// Whether some volume is not mounted, be it without an event.
    pub blocked: bool,
    /// The objects that have to change before it is worth trying again.
    pub waits_for: BTreeSet<ObjectKey>,
    /// Volumes that can be mounted once per node and that another pod has.
    pub waits_for_unmount: BTreeSet<String>,
    /// Volumes that can be attached to one node only, and the node that has them.
    pub waits_for_detach: BTreeSet<(String, String)>,
    /// The persistent volumes of which that is so and that this pod gets.
    pub exclusive: BTreeSet<String>,
}

/// The volumes some container mounts, and those some container uses as a device (`GetPodVolumeNames`). A kubelet does
/// not look at any others.
fn used_volumes(pod: &Pod) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let spec = spec_of(pod);
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let (mut mounts, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for container in containers {
        mounts.extend(container.volume_mounts.iter().flatten().map(|m| m.name.as_str()));
        devices.extend(container.volume_devices.iter().flatten().map(|d| d.name.as_str()));
    }
    (mounts, devices)
}

/// How a volume is mounted.
enum Mounted {
    /// Nothing has to be remembered about it.
    Shared,
    /// Once per node.
    Exclusive(String),
    /// Once per node, after it was attached to it.
    Attached(String),
}

/// Why one volume is not mounted.
enum Obstacle {
    /// The volume could not even be planned: the whole pod's event says so.
    Unprocessed { message: String, waits_for: Vec<ObjectKey>, at_once: bool },
    /// Mounting it failed: an event of its own.
    Failed { message: String, waits_for: Vec<ObjectKey> },
    /// A pod on this node has it.
    MountedElsewhere { message: String, volume: String },
    /// Another node has it.
    AttachedElsewhere { message: String, node: String, volume: String },
    /// Nothing is said for minutes.
    Silent,
}

fn failed(step: &str, volume: &str, why: &str) -> Obstacle {
    Obstacle::Failed { message: format!("{step} for volume \"{volume}\" : {why}"), waits_for: Vec::new() }
}

/// What a kubelet needs to know of its node.
pub struct NodeState<'a> {
    /// The node.
    pub node: &'a Arc<Node>,
    /// The node's file system.
    pub host_paths: &'a mut HostPaths,
    /// The pods, as namespace and name, that have a persistent volume, with their nodes, in order.
    pub users: &'a dyn Fn(&str) -> Vec<VolumeUser>,
    /// The drivers that are installed.
    pub environment: &'a Environment,
}

/// A pod that has a persistent volume mounted.
pub struct VolumeUser {
    /// The pod's node.
    pub node: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
}

impl NodeState<'_> {
    /// Whether another pod on the node has a persistent volume mounted.
    fn is_mounted_elsewhere(&self, pod: &Pod, volume: &str) -> bool {
        let other = |user: &VolumeUser| (user.namespace.as_str(), user.name.as_str()) != (pod.namespace(), pod.name());
        (self.users)(volume).iter().any(|user| user.node == self.node.name() && other(user))
    }
}

/// Tries to mount everything a pod's containers use.
pub fn mount(store: &Store, pod: &Pod, state: &mut NodeState<'_>) -> Mounting {
    let (mounts, devices) = used_volumes(pod);
    let mut result = Mounting::default();
    let mut unprocessed: Vec<(String, String)> = Vec::new();
    let mut before_others = false;
    let mut unmounted: BTreeSet<String> = BTreeSet::new();
    for volume in spec_of(pod).volumes.iter().flatten() {
        let (mounted, device) = (mounts.contains(volume.name.as_str()), devices.contains(volume.name.as_str()));
        if !mounted && !device {
            continue;
        }
        match mount_one(store, pod, volume, (mounted, device), state) {
            Ok(Mounted::Shared) => continue,
            Ok(Mounted::Exclusive(volume)) => {
                result.exclusive.insert(volume);
                continue;
            }
            Ok(Mounted::Attached(volume)) => {
                if !(state.users)(&volume).iter().any(|user| user.node == state.node.name()) {
                    result.attached.push(volume.clone());
                }
                result.exclusive.insert(volume);
                continue;
            }
            Err(Obstacle::Unprocessed { message, waits_for, at_once }) => {
                unprocessed.push((volume.name.clone(), message));
                before_others |= at_once;
                result.waits_for.extend(waits_for);
            }
            Err(Obstacle::Failed { message, waits_for }) => {
                result.events.push(message);
                result.waits_for.extend(waits_for);
            }
            Err(Obstacle::MountedElsewhere { message, volume }) => {
                result.events.push(message);
                result.waits_for_unmount.insert(volume);
            }
            Err(Obstacle::AttachedElsewhere { message, node, volume }) => {
                result.not_attached.push(message);
                result.waits_for_detach.insert((node, volume));
            }
            Err(Obstacle::Silent) => {}
        }
        unmounted.insert(volume.name.clone());
    }
    result.blocked = !unmounted.is_empty();
    if !unprocessed.is_empty() {
        if before_others {
            // noticed before any volume was mounted
            unmounted = mounts.union(&devices).map(|n| (*n).to_owned()).collect();
        }
        let names: BTreeSet<&str> = unprocessed.iter().map(|(name, _)| name.as_str()).collect();
        let mut errors: Vec<&str> = unprocessed.iter().map(|(_, e)| e.as_str()).collect();
        errors.sort_unstable();
        errors.dedup();
        result.events.push(format!(
            "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[], failed to process \
             volumes=[{}]: {}",
            unmounted.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            names.into_iter().collect::<Vec<_>>().join(" "),
            errors.join("; ")
        ));
    }
    result
}

fn mount_one(
    store: &Store,
    pod: &Pod,
    volume: &Volume,
    (mounted, device): (bool, bool),
    state: &mut NodeState<'_>,
) -> Result<Mounted, Obstacle> {
    let name = volume.name.as_str();
    let claim = match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some((source.claim_name.clone(), false)),
        (None, Some(_)) => Some((format!("{}-{name}", pod.name()), true)),
        (None, None) => None,
    };
    if let Some((claim, ephemeral)) = claim {
        let volume_object = claimed_volume(store, pod, &claim, ephemeral)?;
        return mount_persistent(pod, &volume_object, name, (mounted, device), state);
    }
    if let Some(source) = &volume.empty_dir {
        empty_dir(pod, source.medium.as_deref().unwrap_or_default())
            .map_err(|why| failed("MountVolume.SetUp failed", name, &why))?;
    } else if let Some(source) = &volume.host_path {
        state
            .host_paths
            .check(state.node.name(), source)
            .map_err(|why| failed("MountVolume.SetUp failed", name, &why))?;
    } else if let Some(source) = &volume.config_map {
        let items = source.items.as_deref().unwrap_or_default();
        config_map(store, pod.namespace(), &source.name, items, source.optional).map_err(|p| p.setup_failed(name))?;
    } else if let Some(source) = &volume.secret {
        let items = source.items.as_deref().unwrap_or_default();
        let secret_name = source.secret_name.as_deref().unwrap_or_default();
        secret(store, pod.namespace(), secret_name, items, source.optional).map_err(|p| p.setup_failed(name))?;
    } else if let Some(source) = &volume.downward_api {
        let missing = downward_api(pod, source.items.as_deref().unwrap_or_default());
        together(missing).map_err(|p| p.setup_failed(name))?;
    } else if let Some(source) = &volume.projected {
        projected(store, pod, source.sources.as_deref().unwrap_or_default()).map_err(|p| p.setup_failed(name))?;
    } else if volume.git_repo.is_some() {
        let why = "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the \
                   feature-gate `GitRepoVolumeDriver`";
        return Err(failed("MountVolume.SetUp failed", name, why));
    } else if removed_plugin(volume) {
        return Err(no_plugin(name));
    } else if let Some(driver) = storage::driver_of_inline(volume) {
        if storage::is_driver_installed(state.environment, driver) {
            return Ok(Mounted::Shared);
        }
        if volume.csi.is_some() {
            // such volumes are not attached: the kubelet itself notices that there is no driver
            let why =
                format!("kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: {}", not_registered(driver));
            return Err(failed("MountVolume.SetUp failed", name, &why));
        }
        return Err(Obstacle::Silent);
    } else if volume.nfs.is_none() && volume.image.is_none() {
        // disks nobody has here: attaching them takes minutes to fail
        return Err(Obstacle::Silent);
    }
    Ok(Mounted::Shared)
}

/// Inline volumes whose in-tree plugins are gone.
fn removed_plugin(volume: &Volume) -> bool {
    volume.rbd.is_some()
        || volume.cephfs.is_some()
        || volume.glusterfs.is_some()
        || volume.quobyte.is_some()
        || volume.storageos.is_some()
        || volume.flocker.is_some()
        || volume.scale_io.is_some()
        || volume.photon_persistent_disk.is_some()
        || volume.flex_volume.is_some()
}

/// The same of persistent volumes. No FlexVolume driver is installed anywhere.
fn removed_persistent_plugin(spec: &PersistentVolumeSpec) -> bool {
    spec.rbd.is_some()
        || spec.cephfs.is_some()
        || spec.glusterfs.is_some()
        || spec.quobyte.is_some()
        || spec.storageos.is_some()
        || spec.flocker.is_some()
        || spec.scale_io.is_some()
        || spec.photon_persistent_disk.is_some()
        || spec.flex_volume.is_some()
}

fn no_plugin(volume: &str) -> Obstacle {
    let message = format!("failed to get Plugin from volumeSpec for volume \"{volume}\" err=no volume plugin matched");
    Obstacle::Unprocessed { message, waits_for: Vec::new(), at_once: false }
}

/// The volume behind a claim (`getPVCExtractPV`, `getPVSpec`).
fn claimed_volume(store: &Store, pod: &Pod, name: &str, ephemeral: bool) -> Result<Arc<PersistentVolume>, Obstacle> {
    let namespace = pod.namespace();
    let claim_key = ObjectKey::new(Kind::PersistentVolumeClaim, namespace, name);
    let problem = |why: String, keys: Vec<ObjectKey>| Obstacle::Unprocessed {
        message: format!("error processing PVC {namespace}/{name}: {why}"),
        waits_for: keys,
        at_once: true,
    };
    let Some(claim) = store.get::<PersistentVolumeClaim>(namespace, name) else {
        let why = format!("failed to fetch PVC from API server: persistentvolumeclaims \"{name}\" not found");
        return Err(problem(why, vec![claim_key]));
    };
    let not_ready = |why: &str| Err(problem(why.to_owned(), vec![claim_key.clone()]));
    if claim.is_terminating() && !claim.has_finalizer(storage::PVC_PROTECTION) {
        return not_ready("PVC is being deleted");
    }
    if storage::claim_phase(claim) != "Bound" {
        return not_ready("PVC is not bound");
    }
    let volume_name = storage::volume_name(claim);
    if volume_name.is_empty() {
        return not_ready("PVC has empty pvc.Spec.VolumeName");
    }
    if ephemeral && !is_owned_by_pod(claim, pod) {
        let message = not_owned(claim, pod);
        return Err(Obstacle::Unprocessed { message, waits_for: vec![claim_key], at_once: true });
    }
    let keys = vec![claim_key, ObjectKey::new(Kind::PersistentVolume, "", volume_name)];
    let Some(volume) = store.get::<PersistentVolume>("", volume_name) else {
        let why =
            format!("failed to fetch PV {volume_name} from API server: persistentvolumes \"{volume_name}\" not found");
        return Err(problem(why, keys));
    };
    match storage::claim_ref(volume) {
        None => {
            let why = format!(
                "found PV object {volume_name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the \
                 claim"
            );
            Err(problem(why, keys))
        }
        Some((_, _, uid)) if uid != claim.uid() => {
            let why = format!(
                "found PV object {volume_name} but its pv.Spec.ClaimRef.UID {uid} does not point to claim.UID {}",
                claim.uid()
            );
            Err(problem(why, keys))
        }
        Some(_) => Ok(volume.clone()),
    }
}

fn mount_persistent(
    pod: &Pod,
    volume: &Arc<PersistentVolume>,
    name: &str,
    (mounted, device): (bool, bool),
    state: &mut NodeState<'_>,
) -> Result<Mounted, Obstacle> {
    let mode = storage::volume_mode(volume);
    let wrong_use = match (mounted, device, mode) {
        (true, _, "Block") => Some("volumeMounts"),
        (_, true, "Filesystem") => Some("volumeDevices"),
        _ => None,
    };
    if let Some(place) = wrong_use {
        let message = format!("volume {name} has volumeMode {mode}, but is specified in {place}");
        return Err(Obstacle::Unprocessed { message, waits_for: Vec::new(), at_once: false });
    }
    let spec = storage::volume_spec(volume);
    if removed_persistent_plugin(spec) {
        return Err(no_plugin(volume.name()));
    }
    let labels = state.node.metadata.labels.as_ref();
    let here = storage::required_node_affinity(volume)
        .is_none_or(|selector| node_selector::matches(selector, Some(state.node.name()), labels));
    let operation = if device { "MapVolume" } else { "MountVolume" };
    if !here {
        let step = format!("{operation}.NodeAffinity check failed");
        return Err(failed(&step, volume.name(), "no matching NodeSelectorTerms"));
    }
    if let Some(driver) = storage::driver_of(spec) {
        return attach(pod, volume, driver, state);
    }
    if device {
        // only the local plugin can hand out a device without a driver
        return if spec.local.is_some() { Ok(Mounted::Shared) } else { Err(Obstacle::Silent) };
    }
    let options = spec.mount_options.as_ref().is_some_and(|o| !o.is_empty());
    if options && spec.host_path.is_some() {
        let why = "mount options are not supported for this volume type";
        return Err(failed("MountVolume.MountOptionSupport check failed", volume.name(), why));
    }
    if let Some(source) = &spec.host_path {
        let checked = state.host_paths.check(state.node.name(), source);
        checked.map_err(|why| failed("MountVolume.SetUp failed", volume.name(), &why))?;
        return Ok(Mounted::Shared);
    }
    if spec.local.is_some() {
        // a volume that is mounted once per node: here the kubelet itself keeps ReadWriteOncePod
        for_one_pod(pod, volume, state)?;
        return Ok(Mounted::Exclusive(volume.name().to_owned()));
    }
    if spec.nfs.is_some() { Ok(Mounted::Shared) } else { Err(Obstacle::Silent) }
}

/// ReadWriteOncePod among the pods of a node.
fn for_one_pod(pod: &Pod, volume: &PersistentVolume, state: &NodeState<'_>) -> Result<(), Obstacle> {
    let modes = storage::volume_spec(volume).access_modes.as_deref();
    let alone = matches!(modes, Some([mode]) if mode == "ReadWriteOncePod");
    if !alone || !state.is_mounted_elsewhere(pod, volume.name()) {
        return Ok(());
    }
    let why = "volume uses the ReadWriteOncePod access mode and is already in use by another pod";
    let message = format!("MountVolume.SetUp failed for volume \"{}\" : {why}", volume.name());
    Err(Obstacle::MountedElsewhere { message, volume: volume.name().to_owned() })
}

/// `pkg/volume/emptydir`.
fn empty_dir(pod: &Pod, medium: &str) -> Result<(), String> {
    match medium {
        "" | "Memory" => return Ok(()),
        _ if !medium.starts_with("HugePages") => return Err(format!("unknown storage medium \"{medium}\"")),
        _ => {}
    }
    let spec = spec_of(pod);
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let lists = containers.map(|c| c.resources.as_ref()).chain([spec.resources.as_ref()]);
    let sizes: BTreeSet<&str> = lists
        .flatten()
        .flat_map(|r| r.requests.iter().flatten())
        .filter_map(|(name, _)| name.strip_prefix("hugepages-"))
        .collect();
    let wanted = medium.strip_prefix("HugePages-");
    match wanted {
        None if sizes.len() > 1 => {
            Err(format!("medium: {medium} can't be used if container requests multiple huge page sizes"))
        }
        None if !sizes.is_empty() => Ok(()),
        Some(size) if sizes.contains(size) => Ok(()),
        _ => Err(format!(
            "medium {medium}: hugePages storage requested, but there is no resource request for huge pages"
        )),
    }
}

/// Something a volume's files come from is missing.
struct MissingSource {
    message: String,
    keys: Vec<ObjectKey>,
}

impl MissingSource {
    fn setup_failed(self, volume: &str) -> Obstacle {
        let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {}", self.message);
        Obstacle::Failed { message, waits_for: self.keys }
    }
}

fn config_map(
    store: &Store,
    namespace: &str,
    name: &str,
    items: &[KeyToPath],
    optional: Option<bool>,
) -> Result<(), MissingSource> {
    let keys = vec![ObjectKey::new(Kind::ConfigMap, namespace, name)];
    let Some(map) = store.get::<ConfigMap>(namespace, name) else {
        // every namespace has this one before any pod could want it
        if optional == Some(true) || name == "kube-root-ca.crt" {
            return Ok(());
        }
        return Err(MissingSource { message: format!("configmap \"{name}\" not found"), keys });
    };
    let has = |key: &str| {
        map.data.as_ref().is_some_and(|d| d.contains_key(key))
            || map.binary_data.as_ref().is_some_and(|d| d.contains_key(key))
    };
    match items.iter().find(|item| !has(&item.key)).filter(|_| optional != Some(true)) {
        Some(item) => {
            Err(MissingSource { message: format!("configmap references non-existent config key: {}", item.key), keys })
        }
        None => Ok(()),
    }
}

fn secret(
    store: &Store,
    namespace: &str,
    name: &str,
    items: &[KeyToPath],
    optional: Option<bool>,
) -> Result<(), MissingSource> {
    let keys = vec![ObjectKey::new(Kind::Secret, namespace, name)];
    let Some(secret) = store.get::<Secret>(namespace, name) else {
        if optional == Some(true) {
            return Ok(());
        }
        return Err(MissingSource { message: format!("secret \"{name}\" not found"), keys });
    };
    let has = |key: &str| secret.data.as_ref().is_some_and(|d| d.contains_key(key));
    match items.iter().find(|item| !has(&item.key)).filter(|_| optional != Some(true)) {
        Some(item) => Err(MissingSource { message: format!("references non-existent secret key: {}", item.key), keys }),
        None => Ok(()),
    }
}

/// A projected volume needs all its required sources; all that are missing are named (`collectData`).
fn projected(store: &Store, pod: &Pod, sources: &[VolumeProjection]) -> Result<(), MissingSource> {
    let namespace = pod.namespace();
    let mut missing: Vec<MissingSource> = Vec::new();
    for source in sources {
        let checked = if let Some(source) = &source.secret {
            secret(store, namespace, &source.name, source.items.as_deref().unwrap_or_default(), source.optional)
        } else if let Some(source) = &source.config_map {
            config_map(store, namespace, &source.name, source.items.as_deref().unwrap_or_default(), source.optional)
        } else {
            let items = source.downward_api.as_ref().and_then(|s| s.items.as_deref());
            missing.extend(downward_api(pod, items.unwrap_or_default()));
            Ok(())
        };
        missing.extend(checked.err());
    }
    together(missing)
}

/// The amounts a volume of the downward API cannot tell as their container is not there (`CollectData`).
fn downward_api(pod: &Pod, items: &[DownwardAPIVolumeFile]) -> Vec<MissingSource> {
    let containers = items.iter().filter_map(|item| item.resource_field_ref.as_ref()?.container_name.as_deref());
    let messages = containers.filter_map(|name| missing_container(pod, Some(name)));
    messages.map(|message| MissingSource { message, keys: Vec::new() }).collect()
}

/// Several problems said as one, each once (`NewAggregate`).
fn together(missing: Vec<MissingSource>) -> Result<(), MissingSource> {
    let mut messages: Vec<&str> = Vec::new();
    for problem in &missing {
        if !messages.contains(&problem.message.as_str()) {
            messages.push(&problem.message);
        }
    }
    let message = match messages.as_slice() {
        [] => return Ok(()),
        [one] => (*one).to_owned(),
        more => format!("[{}]", more.join(", ")),
    };
    Err(MissingSource { message, keys: missing.into_iter().flat_map(|m| m.keys).collect() })
}
