//! What a pod mounts and reads: claims, ConfigMaps, Secrets, and volumes of its own.
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, PersistentVolumeClaim, Pod, Secret, Volume};

use super::graph::Graph;
use super::{Relation, Role, State, Words};
use crate::api::object::{Kind, ObjectKey};
use crate::api::{ApiObject, Store};
use crate::storage;

/// What the API server itself adds to pods.
const TOKEN: &str = "kube-api-access-";

pub(super) fn add(graph: &mut Graph<'_>, item: usize, pod: &Pod) {
    let Some(spec) = &pod.spec else { return };
    let containers = || spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in containers() {
        for mount in container.volume_mounts.iter().flatten() {
            paths.entry(&mount.name).or_default().insert(&mount.mount_path);
        }
        for device in container.volume_devices.iter().flatten() {
            paths.entry(&device.name).or_default().insert(&device.device_path);
        }
    }
    for volume in spec.volumes.iter().flatten().filter(|volume| !volume.name.starts_with(TOKEN)) {
        for target in targets(graph, pod, volume) {
            match paths.get(volume.name.as_str()) {
                _ if graph.state(target) == State::Absent => missing(graph, item, target, Relation::Mounts),
                None => {
                    let why = graph.words(Words::NotMounted { volume: &volume.name });
                    let why = format!("{}: {why}", pod.name());
                    graph.broken(item, target, Relation::Mounts, State::Broken, &why);
                }
                Some(paths) => {
                    for path in paths {
                        graph.link(item, target, Relation::Mounts, path);
                    }
                }
            }
        }
    }
    for container in containers() {
        environment(graph, item, pod, container);
    }
}

/// The link to something that is not there.
fn missing(graph: &mut Graph<'_>, item: usize, target: usize, relation: Relation) {
    let (kind, name) = graph.kind_and_name(target);
    let why = graph.words(Words::DoesNotExist { kind: &kind, name: &name });
    graph.broken(item, target, relation, State::Broken, &why);
}

/// The items a volume leads to.
fn targets(graph: &mut Graph<'_>, pod: &Pod, volume: &Volume) -> Vec<usize> {
    let claim = match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some(source.claim_name.clone()),
        (None, Some(_)) => Some(storage::ephemeral_claim_name(pod, &volume.name)),
        (None, None) => None,
    };
    if let Some(name) = claim {
        return vec![claim_item(graph, pod.namespace(), &name)];
    }
    if let Some(source) = &volume.config_map {
        let (name, optional) = (source.name.as_str(), source.optional == Some(true));
        return config(graph, Kind::ConfigMap, pod.namespace(), name, optional).into_iter().collect();
    }
    if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().unwrap_or_default();
        return config(graph, Kind::Secret, pod.namespace(), name, source.optional == Some(true)).into_iter().collect();
    }
    if let Some(projected) = &volume.projected {
        let mut items = Vec::new();
        for source in projected.sources.iter().flatten() {
            if let Some(map) = &source.config_map {
                items.extend(config(graph, Kind::ConfigMap, pod.namespace(), &map.name, map.optional == Some(true)));
            }
            if let Some(secret) = &source.secret {
                let optional = secret.optional == Some(true);
                items.extend(config(graph, Kind::Secret, pod.namespace(), &secret.name, optional));
            }
        }
        if !items.is_empty() {
            return items;
        }
    }
    // two pods of a set have volumes of the same name; they are not the same volume
    let source = serde_json::to_value(volume).unwrap_or_default();
    let plugin = source.as_object().and_then(|fields| fields.keys().find(|key| *key != "name").cloned());
    let plugin = plugin.unwrap_or_default();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    // but a directory of a node or of a server is the same for all
    vec![match (&volume.host_path, &volume.nfs) {
        (Some(source), _) => graph.item(Role::PodVolume, &plugin, node, &source.path),
        (_, Some(source)) => graph.item(Role::PodVolume, &plugin, &source.server, &source.path),
        _ => graph.item(Role::PodVolume, &plugin, pod.name(), &volume.name),
    }]
}

/// The item of a claim, whether it is there or not.
pub(super) fn claim_item(graph: &mut Graph<'_>, namespace: &str, name: &str) -> usize {
    let store = graph.cluster.api().store();
    match store.get::<PersistentVolumeClaim>(namespace, name) {
        Some(_) => graph.item(Role::Claim, Kind::PersistentVolumeClaim.name(), namespace, name),
        None => graph.absent(Role::Claim, Kind::PersistentVolumeClaim.name(), namespace, name),
    }
}

/// How many keys a ConfigMap or Secret has, if it is there.
fn keys(store: &Store, kind: Kind, namespace: &str, name: &str) -> Option<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    if kind == Kind::ConfigMap {
        let map = store.get::<ConfigMap>(namespace, name)?;
        keys.extend(map.data.iter().flatten().map(|(key, _)| key.clone()));
        keys.extend(map.binary_data.iter().flatten().map(|(key, _)| key.clone()));
    } else {
        let secret = store.get::<Secret>(namespace, name)?;
        keys.extend(secret.data.iter().flatten().map(|(key, _)| key.clone()));
    }
    Some(keys)
}

/// The item of a ConfigMap or Secret; none if it is not there and need not be.
fn config(graph: &mut Graph<'_>, kind: Kind, namespace: &str, name: &str, optional: bool) -> Option<usize> {
    match keys(graph.cluster.api().store(), kind, namespace, name) {
        Some(keys) => {
            let item = graph.object(Role::Config, &ObjectKey::new(kind, namespace, name));
            if !graph.has_facts(item) {
                graph.fact(item, &keys.join(", "));
            }
            Some(item)
        }
        None if optional => None,
        None => Some(graph.absent(Role::Config, kind.name(), namespace, name)),
    }
}

/// What the environment variables of a container are read from.
fn environment(graph: &mut Graph<'_>, item: usize, pod: &Pod, container: &Container) {
    let mut sources: Vec<(Kind, &str, Option<&str>, bool)> = Vec::new();
    for from in container.env_from.iter().flatten() {
        if let Some(map) = &from.config_map_ref {
            sources.push((Kind::ConfigMap, &map.name, None, map.optional == Some(true)));
        }
        if let Some(secret) = &from.secret_ref {
            sources.push((Kind::Secret, &secret.name, None, secret.optional == Some(true)));
        }
    }
    for variable in container.env.iter().flatten() {
        let Some(from) = &variable.value_from else { continue };
        if let Some(map) = &from.config_map_key_ref {
            sources.push((Kind::ConfigMap, &map.name, Some(&map.key), map.optional == Some(true)));
        }
        if let Some(secret) = &from.secret_key_ref {
            sources.push((Kind::Secret, &secret.name, Some(&secret.key), secret.optional == Some(true)));
        }
    }
    for (kind, name, key, optional) in sources {
        let Some(target) = config(graph, kind, pod.namespace(), name, optional) else { continue };
        if graph.state(target) == State::Absent {
            missing(graph, item, target, Relation::Reads);
            continue;
        }
        let there = keys(graph.cluster.api().store(), kind, pod.namespace(), name).unwrap_or_default();
        match key.filter(|key| !optional && !there.iter().any(|other| other == key)) {
            Some(key) => {
                let why = graph.words(Words::HasNoKey { kind: kind.name(), name, key });
                graph.broken(item, target, Relation::Reads, State::Broken, &why);
            }
            None => graph.link(item, target, Relation::Reads, key.unwrap_or_default()),
        }
    }
}
