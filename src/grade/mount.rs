//! `mount`: a container has a volume like this mounted at a path.
use serde_json::{Map, Value, json};

use super::compare::{ANY, compare, differences};
use super::find::missing_object;
use super::{Failure, Finding, Verdict, reasons};
use crate::api::Object;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::environment::glob;
use crate::scenario::{ContainerPath, Mount};

/// Every pod the path's pattern means has to have it; how the volume is named in the pod does not matter.
pub(super) fn ask(mount: &Mount, cluster: &Cluster) -> Verdict {
    let at = &mount.at;
    let store = cluster.api().store();
    let meant = |pod: &&Object| pod.namespace() == at.namespace && glob(&at.pod, pod.name());
    let mut pods = store.objects_of(Kind::Pod).filter(meant).peekable();
    if pods.peek().is_none() {
        let finding = match at.pod.contains('*') {
            true => Finding::NoPath { path: at.to_string() },
            false => missing_object(&ObjectKey::new(Kind::Pod, &at.namespace, &at.pod), store),
        };
        return failed(Failure { finding, differences: Vec::new(), sides: (None, None), reasons: Vec::new() });
    }
    for pod in pods {
        let Some(actual) = store.value(Kind::Pod, pod.namespace(), pod.name()) else { continue };
        if let Some(mounts) = mounts_elsewhere(at, actual) {
            let path = ContainerPath { pod: pod.name().to_owned(), ..at.clone() }.to_string();
            let finding = Finding::NotMounted { path, pod: pod.key(), mounts };
            let reasons = reasons::of(cluster, &pod.key());
            return failed(Failure { finding, differences: Vec::new(), sides: (None, None), reasons });
        }
        let expected = expected(mount, actual);
        if !differences(&expected, actual).is_equal() {
            let found = compare(&expected, actual);
            let reasons = reasons::of(cluster, &pod.key());
            let finding = Finding::Different { object: pod.key() };
            return failed(Failure {
                finding,
                differences: found.differences,
                sides: (found.expected, found.actual),
                reasons,
            });
        }
    }
    Verdict::Passed
}

fn failed(failure: Failure) -> Verdict {
    Verdict::Failed(Box::new(failure))
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What the container mounts, if it is there and mounts nothing at the path: paths and names of volumes, without the token
/// every pod gets.
fn mounts_elsewhere(at: &ContainerPath, pod: &Value) -> Option<Vec<(String, String)>> {
    let containers = ["/spec/containers", "/spec/initContainers"].into_iter().flat_map(|field| list(pod, field));
    let container = containers.into_iter().find(|container| text(container, "name") == at.container)?;
    let mounts = list(container, "/volumeMounts").iter();
    let mut mounts: Vec<_> =
        mounts.map(|mount| (text(mount, "mountPath").to_owned(), text(mount, "name").to_owned())).collect();
    let same = |path: &str| path.trim_end_matches('/') == at.path.trim_end_matches('/');
    if mounts.iter().any(|(path, _)| same(path)) {
        return None;
    }
    mounts.retain(|(_, volume)| !volume.starts_with("kube-api-access-"));
    Some(mounts)
}

/// A partial pod whose container mounts the volume under the name it has in the real one.
fn expected(mount: &Mount, pod: &Value) -> Value {
    let at = &mount.at;
    let named = |list: &[Value]| list.iter().any(|container| text(container, "name") == at.container);
    let containers = list(pod, "/spec/containers");
    let field =
        if !named(containers) && named(list(pod, "/spec/initContainers")) { "initContainers" } else { "containers" };
    let mounts =
        list(pod, &format!("/spec/{field}")).iter().filter(|container| text(container, "name") == at.container);
    let same_path = |found: &Value| text(found, "mountPath").trim_end_matches('/') == at.path.trim_end_matches('/');
    let mounted = mounts.flat_map(|container| list(container, "/volumeMounts")).find(|found| same_path(found));

    let name = mounted.map(|found| text(found, "name"));
    let sub_path = mount.sub_path.as_ref().map_or(Value::Null, |path| json!(path));
    let mut wanted_mount = json!({ "mountPath": at.path, "subPath": sub_path, "name": name.unwrap_or(ANY) });
    let volumes = list(pod, "/spec/volumes");
    let volume = volumes.iter().find(|volume| Some(text(volume, "name")) == name);
    let by_its_volume = volume.is_some_and(is_read_only);
    if let (Some(read_only), Value::Object(fields)) = (mount.read_only, &mut wanted_mount)
        && !(read_only && by_its_volume)
    {
        fields.insert("readOnly".to_owned(), json!(read_only));
    }
    let mut wanted = mount.volume.value.as_object().cloned().unwrap_or_else(Map::new);
    if mount.read_only == Some(false) {
        for (source, fields) in wanted.iter_mut() {
            let actual = volume.and_then(|volume| volume.get(source)).and_then(|source| source.get("readOnly"));
            if let (Some(Value::Bool(true)), Value::Object(fields)) = (actual, fields) {
                fields.insert("readOnly".to_owned(), Value::Null);
            }
        }
    }
    if let Some(name) = name {
        wanted.insert("name".to_owned(), json!(name));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": { field: [{ "name": at.container, "volumeMounts": [wanted_mount] }], "volumes": [wanted] },
    })
}

/// Volumes that the kubelet mounts read-only whatever the mount says.
const ALWAYS_READ_ONLY: &[&str] = &["configMap", "downwardAPI", "image", "projected", "secret"];

/// Whether a volume is read-only for every container that mounts it. The kubelet takes `readOnly` of the claim's reference, or
/// of the source itself (`mustMountRO` in pkg/kubelet/kubelet_pods.go; `GetAttributes` of each plugin in pkg/volume).
fn is_read_only(volume: &Value) -> bool {
    let mut sources = volume.as_object().into_iter().flatten();
    sources.any(|(source, fields)| {
        ALWAYS_READ_ONLY.contains(&source.as_str()) || fields.get("readOnly") == Some(&Value::Bool(true))
    })
}
