//! Recycling: a pod empties the volume (`recycleVolumeOperation`, `pkg/volume/util/recyclerclient`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::reclaim::is_volume_released;
use super::{PersistentVolumeBinder, Volume};
use crate::api::event::EventType;
use crate::api::object::ObjectKey;
use crate::api::server::DeleteOptions;
use crate::api::status::Reason;
use crate::api::{ApiObject, Kind};
use crate::reconcile::Context;
use crate::storage::{claim_ref, is_pod_terminated, volume_capacity, volume_spec};

/// Where recycler pods run.
const NAMESPACE: &str = "default";
const GI: i64 = 1 << 30;

/// The volumes being recycled, by the name of the pod that does it.
#[derive(Clone, Debug, Default)]
pub(super) struct Recycling {
    running: BTreeMap<String, Run>,
}

#[derive(Clone, Debug)]
struct Run {
    volume: String,
    /// How many of the pod's events have been repeated for the volume.
    events: usize,
    /// The pod changed since it was looked at.
    changed: bool,
}

impl Recycling {
    /// Takes in a change of a pod.
    pub(super) fn observe(&mut self, pod: &Pod) {
        if self.running.is_empty() || pod.namespace() != NAMESPACE {
            return;
        }
        if let Some(run) = self.running.get_mut(pod.name()) {
            run.changed = true;
        }
    }
}

impl PersistentVolumeBinder {
    /// Starts to recycle a volume, unless a pod still uses it.
    pub(super) fn recycle_volume(&mut self, context: &mut Context<'_>, volume: &Volume) {
        let pod_name = format!("recycler-for-{}", volume.name());
        if self.recycling.running.contains_key(&pod_name) || !is_volume_released(context, volume) {
            return;
        }
        let (namespace, claim, _) = claim_ref(volume).unwrap_or_default();
        let users = self.pods_using(context, namespace, claim);
        if !users.is_empty() && context.api.get::<PersistentVolumeClaim>(namespace, claim).is_none() {
            let message = format!("Volume is used by pods: {}", users.join(","));
            return Self::volume_event(context, volume, EventType::Normal, "VolumeFailedRecycle", &message);
        }
        let Some(pod) = recycler_pod(volume, &pod_name) else {
            let message = "No recycler plugin found for the volume!";
            let _ = self.fail_volume(context, volume, "VolumeFailedRecycle", message);
            return;
        };
        let events = context.api.events().about(&pod_key(&pod_name)).count();
        match context.api.create(pod) {
            Ok(_) => {
                let run = Run { volume: volume.name().to_owned(), events, changed: true };
                self.recycling.running.insert(pod_name, run);
            }
            Err(why) if why.reason == Reason::AlreadyExists => {
                let _ = context.api.delete(&pod_key(&pod_name), &DeleteOptions::default());
                self.recycling_failed(context, volume, "old recycler pod found, will retry later");
            }
            Err(why) => {
                self.recycling_failed(context, volume, &format!("unexpected error creating recycler pod:  {why}"));
            }
        }
    }

    fn recycling_failed(&mut self, context: &mut Context<'_>, volume: &Volume, why: &str) {
        let _ = self.fail_volume(context, volume, "VolumeFailedRecycle", &format!("Recycle failed: {why}"));
    }

    /// The pods, not yet over, that use a claim, by namespace and name (`isVolumeUsed`).
    fn pods_using(&self, context: &Context<'_>, namespace: &str, claim: &str) -> Vec<String> {
        let names = self.pods.of_claim(namespace, claim);
        let pods = names.filter_map(|name| context.api.get::<Pod>(namespace, name));
        pods.filter(|pod| !is_pod_terminated(pod)).map(|pod| format!("{namespace}/{}", pod.name())).collect()
    }

    /// Looks at recycler pods that changed: repeats their events for the volume, and ends with them.
    pub(super) fn continue_recycling(&mut self, context: &mut Context<'_>) -> bool {
        let Some((pod_name, run)) = self.recycling.running.iter_mut().find(|(_, run)| run.changed) else {
            return false;
        };
        run.changed = false;
        let (pod_name, run) = (pod_name.clone(), run.clone());
        let Some(volume) = context.api.get::<PersistentVolume>("", &run.volume).cloned() else {
            self.recycling.running.remove(&pod_name);
            return true;
        };
        let key = pod_key(&pod_name);
        let said: Vec<_> =
            context.api.events().about(&key).skip(run.events).map(|e| (e.event_type, e.message.clone())).collect();
        if let Some(run) = self.recycling.running.get_mut(&pod_name) {
            run.events += said.len();
        }
        for (kind, message) in said {
            Self::volume_event(context, &volume, kind, "RecyclerPod", &format!("Recycler pod: {message}"));
        }
        let pod = context.api.get::<Pod>(NAMESPACE, &pod_name);
        let status = pod.and_then(|p| p.status.as_ref());
        let phase = status.and_then(|s| s.phase.as_deref()).unwrap_or_default();
        let result = match (pod.is_some(), phase) {
            (false, _) => Err("recycler pod was deleted".to_owned()),
            (true, "Succeeded") => Ok(()),
            (true, "Failed") => Err(status
                .and_then(|s| s.message.clone())
                .filter(|m| !m.is_empty())
                .unwrap_or_else(|| "pod failed, pod.Status.Message unknown".to_owned())),
            (true, _) => return true,
        };
        self.recycling.running.remove(&pod_name);
        let _ = context.api.delete(&key, &DeleteOptions::default());
        match result {
            Err(why) => self.recycling_failed(context, &volume, &format!("failed to recycle volume: {why}")),
            Ok(()) => {
                Self::volume_event(context, &volume, EventType::Normal, "VolumeRecycled", "Volume recycled");
                let _ = self.unbind_volume(context, &volume);
            }
        }
        true
    }
}

fn pod_key(name: &str) -> ObjectKey {
    ObjectKey::new(Kind::Pod, NAMESPACE, name)
}

/// The pod that empties a volume; `None` for volumes no in-tree plugin can recycle
/// (`NewPersistentVolumeRecyclerPodTemplate`).
fn recycler_pod(volume: &PersistentVolume, name: &str) -> Option<Pod> {
    let spec = volume_spec(volume);
    let mut source = k8s_openapi::api::core::v1::Volume { name: "vol".to_owned(), ..Default::default() };
    let minimum = match (&spec.host_path, &spec.nfs) {
        (Some(host_path), _) => {
            source.host_path = Some(HostPathVolumeSource { path: host_path.path.clone(), type_: None });
            60
        }
        (None, Some(nfs)) => {
            let mut nfs = nfs.clone();
            nfs.read_only = None;
            source.nfs = Some(nfs);
            300
        }
        (None, None) => return None,
    };
    let timeout = (volume_capacity(volume).value() / GI).saturating_mul(30).max(minimum);
    let script = r#"test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1"#;
    Some(Pod {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(NAMESPACE.to_owned()),
            ..Default::default()
        },
        spec: Some(PodSpec {
            active_deadline_seconds: Some(timeout),
            restart_policy: Some("Never".to_owned()),
            volumes: Some(vec![source]),
            containers: vec![Container {
                name: "pv-recycler".to_owned(),
                image: Some("registry.k8s.io/build-image/debian-base:bookworm-v1.0.6".to_owned()),
                command: Some(vec!["/bin/sh".to_owned()]),
                args: Some(vec!["-c".to_owned(), script.to_owned()]),
                volume_mounts: Some(vec![VolumeMount {
                    name: "vol".to_owned(),
                    mount_path: "/scrub".to_owned(),
                    ..Default::default()
                }]),
                ..Default::default()
            }],
            ..Default::default()
        }),
        status: None,
    })
}
