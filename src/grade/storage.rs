//! `storage`: container paths show the same bytes, or do not.
use k8s_openapi::api::core::v1::Pod;

use super::{Failure, Finding, NotSimulated, Verdict, reasons};
use crate::api::ApiObject as _;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::environment::glob;
use crate::kubelet::mounts::{Location, locate};
use crate::scenario::{ContainerPath, Storage};

/// Where a path of one pod leads.
struct Found {
    path: ContainerPath,
    location: Location,
}

/// A pattern that means several pods asks about all of them.
pub(super) fn ask(question: &Storage, cluster: &Cluster) -> Verdict {
    for (paths, same) in [(&question.same, true), (&question.different, false)] {
        let mut found: Vec<Found> = Vec::new();
        for path in paths {
            match find(path, cluster) {
                Ok(more) => found.extend(more),
                Err(verdict) => return verdict,
            }
        }
        if let ([path], [only]) = (paths.as_slice(), found.as_slice()) {
            let finding = Finding::OnePod { path: path.to_string(), pod: only.path.pod.clone() };
            return Verdict::Failed(Box::new(failure(finding, None, cluster)));
        }
        for (i, one) in found.iter().enumerate() {
            let other = found.iter().skip(i + 1).find(|other| (one.location == other.location) != same);
            if let Some(other) = other {
                let finding = Finding::Paths {
                    one: (one.path.to_string(), one.location.clone()),
                    other: (other.path.to_string(), other.location.clone()),
                    same: !same,
                };
                return Verdict::Failed(Box::new(failure(finding, None, cluster)));
            }
        }
    }
    Verdict::Passed
}

fn failure(finding: Finding, pod: Option<&ObjectKey>, cluster: &Cluster) -> Failure {
    let reasons = pod.map(|pod| reasons::of(cluster, pod)).unwrap_or_default();
    Failure { finding, differences: Vec::new(), sides: (None, None), reasons }
}

/// Where a path leads in each pod it means. A pod that has not started shows nothing.
fn find(path: &ContainerPath, cluster: &Cluster) -> Result<Vec<Found>, Verdict> {
    let store = cluster.api().store();
    let mut found = Vec::new();
    for pod in store.list_in::<Pod>(&path.namespace).filter(|pod| glob(&path.pod, pod.name())) {
        let path = ContainerPath { pod: pod.name().to_owned(), ..path.clone() };
        if is_made_by_kubelet(pod, &path) {
            return Err(Verdict::NotSimulated(NotSimulated::VolumeContent));
        }
        let started = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        match locate(store, pod, &path.container, &path.path).filter(|_| started) {
            Some(location) => found.push(Found { path, location }),
            None => {
                let key = ObjectKey::new(Kind::Pod, pod.namespace(), pod.name());
                let finding = Finding::NoPath { path: path.to_string() };
                return Err(Verdict::Failed(Box::new(failure(finding, Some(&key), cluster))));
            }
        }
    }
    if found.is_empty() {
        let finding = Finding::NoPath { path: path.to_string() };
        return Err(Verdict::Failed(Box::new(failure(finding, None, cluster))));
    }
    Ok(found)
}

/// Whether a path is in a volume whose files the kubelet makes for the pod; what is in them is not simulated.
fn is_made_by_kubelet(pod: &Pod, path: &ContainerPath) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let container = spec.containers.iter().find(|container| container.name == path.container);
    let above = |mount: &str| {
        path.path.strip_prefix(mount.trim_end_matches('/')).is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    let mounts = container.and_then(|c| c.volume_mounts.as_ref()).into_iter().flatten();
    let closest = mounts.filter(|mount| above(&mount.mount_path)).max_by_key(|mount| mount.mount_path.len());
    let volume = closest.and_then(|mount| spec.volumes.iter().flatten().find(|volume| volume.name == mount.name));
    volume.is_some_and(|volume| volume.projected.is_some() || volume.downward_api.is_some())
}
