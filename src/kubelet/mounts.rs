//! Which bytes a path in a container shows, so that one can ask whether two containers see the same file.
use k8s_openapi::api::core::v1::{
    Container, HostPathVolumeSource, KeyToPath, NFSVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod, Volume,
    VolumeMount,
};

use super::environment_variables::{Addresses, expand_sub_path, variables};
use crate::api::{ApiObject, Store};
use crate::scheduler::node_info::{node_name, spec_of};
use crate::storage;

/// What holds the bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// The file system of a node: the same path on two nodes is two disks.
    Node(String),
    /// A directory tree on an NFS server, the same from everywhere.
    Nfs(String),
    /// A volume of a CSI driver: driver and handle.
    Csi(String, String),
    /// A persistent volume of another kind, the same wherever it is mounted.
    Volume(String),
    /// A volume that lives and dies with a pod: the pod's uid and the volume's name.
    Pod(String, String),
    /// A ConfigMap: namespace and name.
    ConfigMap(String, String),
    /// A Secret: namespace and name.
    Secret(String, String),
    /// An image mounted as a volume.
    Image(String),
    /// What no volume is mounted over: the container's own file system, gone when it restarts.
    Container(String, String),
}

/// A place on a medium. Two paths show the same bytes if their locations are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// What holds the bytes.
    pub medium: Medium,
    /// Where on it: `/`-separated, without slashes at the ends.
    pub path: String,
}

/// A volume mounted into a container.
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// The container, init containers included.
    pub container: String,
    /// Where it sees the volume.
    pub mount_path: String,
    /// Whether it can only read.
    pub read_only: bool,
    /// What it sees; `None` if the volume cannot be mounted as things are.
    pub location: Option<Location>,
}

/// All mounts of a pod, container by container.
pub fn mounts(store: &Store, pod: &Pod) -> Vec<Mount> {
    let spec = spec_of(pod);
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mounts = containers.flat_map(|container| {
        container.volume_mounts.iter().flatten().map(move |mount| {
            let volume = spec.volumes.iter().flatten().find(|v| v.name == mount.name);
            Mount {
                container: container.name.clone(),
                mount_path: mount.mount_path.clone(),
                read_only: mount.read_only == Some(true) || volume.is_some_and(is_read_only),
                location: volume.and_then(|v| mounted(store, pod, container, mount, v, "")),
            }
        })
    });
    mounts.collect()
}

/// What a path in a container shows: the volume mounted closest above it, or the container's own file system.
/// `None` if there is no such container or the volume cannot be mounted.
pub fn locate(store: &Store, pod: &Pod, container: &str, path: &str) -> Option<Location> {
    let spec = spec_of(pod);
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let container = containers.find(|c| c.name == container)?;
    let path = clean(path);
    let over = container.volume_mounts.iter().flatten().filter_map(|m| Some((m, below(&clean(&m.mount_path), &path)?)));
    match over.min_by_key(|(_, rest)| rest.len()) {
        Some((mount, rest)) => {
            let volume = spec.volumes.iter().flatten().find(|v| v.name == mount.name)?;
            mounted(store, pod, container, mount, volume, &rest)
        }
        None => Some(Location { medium: Medium::Container(pod.uid().to_owned(), container.name.clone()), path }),
    }
}

/// The path of a file in a volume as one container mounts it.
fn mounted(
    store: &Store,
    pod: &Pod,
    container: &Container,
    mount: &VolumeMount,
    volume: &Volume,
    rest: &str,
) -> Option<Location> {
    let mut sub_path = mount.sub_path.clone().unwrap_or_default();
    if let Some(expression) = mount.sub_path_expr.as_deref().filter(|e| !e.is_empty()) {
        let status = pod.status.as_ref();
        let addresses = Addresses {
            pod: status.and_then(|s| s.pod_ip.as_deref()).unwrap_or_default(),
            host: status.and_then(|s| s.host_ip.as_deref()).unwrap_or_default(),
        };
        sub_path = expand_sub_path(expression, &variables(store, pod, container, addresses).ok()?).ok()?;
    }
    let root = root(store, pod, volume)?;
    let inner = join(&clean(&sub_path), rest);
    let items = match &root.medium {
        Medium::ConfigMap(..) => volume.config_map.as_ref().and_then(|s| s.items.as_ref()),
        Medium::Secret(..) => volume.secret.as_ref().and_then(|s| s.items.as_ref()),
        _ => None,
    };
    let inner = items.and_then(|items| key_at(items, &inner)).unwrap_or(inner);
    Some(Location { path: join(&root.path, &inner), medium: root.medium })
}

/// The key whose value is at a path of a volume with `items`.
fn key_at(items: &[KeyToPath], path: &str) -> Option<String> {
    items.iter().find(|item| clean(&item.path) == path).map(|item| item.key.clone())
}

/// The root of a volume.
fn root(store: &Store, pod: &Pod, volume: &Volume) -> Option<Location> {
    let namespace = pod.namespace();
    let at_root = |medium: Medium| Some(Location { medium, path: String::new() });
    let own = || Medium::Pod(pod.uid().to_owned(), volume.name.clone());
    if let Some(source) = &volume.persistent_volume_claim {
        return claimed(store, pod, &source.claim_name);
    }
    if volume.ephemeral.is_some() {
        return claimed(store, pod, &format!("{}-{}", pod.name(), volume.name));
    }
    if let Some(source) = &volume.host_path {
        return host_path(pod, source);
    }
    if let Some(source) = &volume.nfs {
        return Some(nfs(source));
    }
    if let Some(source) = &volume.config_map {
        return at_root(Medium::ConfigMap(namespace.to_owned(), source.name.clone()));
    }
    if let Some(source) = &volume.secret {
        return at_root(Medium::Secret(namespace.to_owned(), source.secret_name.clone()?));
    }
    if let Some(source) = &volume.image {
        return at_root(Medium::Image(source.reference.clone()?));
    }
    at_root(own())
}

/// The root of the volume that is bound to a claim.
fn claimed(store: &Store, pod: &Pod, claim: &str) -> Option<Location> {
    let claim = store.get::<PersistentVolumeClaim>(pod.namespace(), claim)?;
    if storage::claim_phase(claim) != "Bound" {
        return None;
    }
    let volume = store.get::<PersistentVolume>("", storage::volume_name(claim))?;
    let spec = storage::volume_spec(volume);
    if let Some(source) = &spec.host_path {
        return host_path(pod, source);
    }
    if let Some(source) = &spec.local {
        return on_node(pod, &source.path);
    }
    if let Some(source) = &spec.nfs {
        return Some(nfs(source));
    }
    let medium = match &spec.csi {
        Some(csi) => Medium::Csi(csi.driver.clone(), csi.volume_handle.clone()),
        None => Medium::Volume(volume.name().to_owned()),
    };
    Some(Location { medium, path: String::new() })
}

fn host_path(pod: &Pod, source: &HostPathVolumeSource) -> Option<Location> {
    on_node(pod, &source.path)
}

fn on_node(pod: &Pod, path: &str) -> Option<Location> {
    let node = Some(node_name(pod)).filter(|n| !n.is_empty())?;
    Some(Location { medium: Medium::Node(node.to_owned()), path: clean(path) })
}

fn nfs(source: &NFSVolumeSource) -> Location {
    Location { medium: Medium::Nfs(source.server.clone()), path: clean(&source.path) }
}

/// Volumes a container can only read, whatever its mount says.
fn is_read_only(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some()
        || volume.image.is_some()
        || volume.persistent_volume_claim.as_ref().and_then(|s| s.read_only) == Some(true)
        || volume.nfs.as_ref().and_then(|s| s.read_only) == Some(true)
}

/// A path without doubled slashes, `.`, and slashes at the ends.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    parts.join("/")
}

fn join(a: &str, b: &str) -> String {
    match (a, b) {
        ("", other) | (other, "") => other.to_owned(),
        (a, b) => format!("{a}/{b}"),
    }
}

/// What remains of a path below a directory, if it is below it.
fn below(directory: &str, path: &str) -> Option<String> {
    if directory.is_empty() {
        return Some(path.to_owned());
    }
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pod(node: &str, uid: &str, spec: &str) -> Pod {
        let yaml = format!("metadata: {{name: p, namespace: default, uid: {uid}}}\nspec: {spec}");
        let mut pod: Pod = serde_yaml::from_str(&yaml).unwrap();
        pod.spec.as_mut().unwrap().node_name = Some(node.to_owned());
        pod
    }

    #[test]
    fn a_host_path_is_another_disk_on_another_node() {
        let spec = "{containers: [{name: c, volumeMounts: [{name: v, mountPath: /d}]}], \
                    volumes: [{name: v, hostPath: {path: /data}}]}";
        let store = Store::default();
        let at = |node: &str| locate(&store, &pod(node, "u", spec), "c", "/d/f").unwrap();
        assert_eq!(at("a"), Location { medium: Medium::Node("a".to_owned()), path: "data/f".to_owned() });
        assert_ne!(at("a"), at("b"));
    }

    #[test]
    fn the_closest_mount_and_its_sub_path_count() {
        let spec = "{containers: [{name: a, volumeMounts: [{name: v, mountPath: /www}, {name: w, mountPath: /www/log}]}, \
                    {name: b, volumeMounts: [{name: v, mountPath: /in, subPath: html/}]}], \
                    volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]}";
        let store = Store::default();
        let pod = pod("n", "u", spec);
        let at = |container: &str, path: &str| locate(&store, &pod, container, path).unwrap();
        assert_eq!(at("a", "/www/html/index"), at("b", "/in/index"));
        assert_ne!(at("a", "/www/log/x").medium, at("a", "/www/x").medium);
        assert_eq!(
            at("a", "/wwww"),
            Location { medium: Medium::Container("u".into(), "a".into()), path: "wwww".into() }
        );
        assert!(locate(&store, &pod, "nobody", "/").is_none());
    }

    #[test]
    fn empty_dirs_of_two_pods_differ_and_nfs_is_one() {
        let store = Store::default();
        let of = |volume: &str, node: &str, uid: &str| {
            let spec = format!(
                "{{containers: [{{name: c, volumeMounts: [{{name: v, mountPath: /d}}]}}], volumes: [{{name: v, {volume}}}]}}"
            );
            mounts(&store, &pod(node, uid, &spec)).remove(0).location.unwrap()
        };
        assert_ne!(of("emptyDir: {}", "n", "1"), of("emptyDir: {}", "n", "2"));
        let nfs = "nfs: {server: s, path: /x}";
        assert_eq!(of(nfs, "a", "1"), of(nfs, "b", "2"));
    }

    #[test]
    fn items_lead_to_their_keys() {
        let spec = "{containers: [{name: c, volumeMounts: [{name: v, mountPath: /etc/x}]}], \
                    volumes: [{name: v, configMap: {name: m, items: [{key: conf, path: d/app.conf}]}}]}";
        let location = locate(&Store::default(), &pod("n", "u", spec), "c", "/etc/x/d/app.conf").unwrap();
        assert_eq!(location.path, "conf");
    }
}
