//! Why a pod does not run, for people.
use k8s_openapi::api::core::v1::{ContainerStatus, Node, PersistentVolumeClaim, Pod, PodCondition};

use crate::api::event::EventLog;
use crate::api::object::{Kind, ObjectKey};
use crate::api::{ApiObject, Store};
use crate::scheduler::NAME as SCHEDULER;
use crate::scheduler::node_info::{claim_names, node_name, nominated_node, phase, spec_of};
use crate::scheduler::volume_binding::is_fully_bound;

/// Why a pod is not running and ready, in a line or two in the cluster's words; empty if it is.
pub fn explain(store: &Store, events: &EventLog, pod: &Pod) -> Vec<String> {
    let mut lines = Vec::new();
    if pod.is_terminating() {
        let finalizers = pod.metadata.finalizers.as_deref().unwrap_or_default();
        if !finalizers.is_empty() {
            lines.push(format!("is being deleted; finalizers hold it: {}", finalizers.join(", ")));
        }
        return lines;
    }
    let status = pod.status.as_ref();
    match phase(pod) {
        "Succeeded" => return lines,
        "Failed" => {
            let reason = status.and_then(|s| s.reason.as_deref()).unwrap_or_default();
            let message = status.and_then(|s| s.message.as_deref()).unwrap_or_default();
            if reason.is_empty() && message.is_empty() {
                lines.extend(containers(pod).filter_map(ended));
            } else {
                lines.push(format!("{reason}: {message}"));
            }
            return lines;
        }
        _ => {}
    }
    if node_name(pod).is_empty() {
        lines.push(unscheduled(store, pod));
        return lines;
    }
    if store.get::<Node>("", node_name(pod)).is_none() {
        lines.push(format!("is assigned to node \"{}\", which does not exist", node_name(pod)));
        return lines;
    }
    lines.extend(containers(pod).filter_map(not_running));
    if is_creating(pod) {
        let mounts = failed_mounts(events, pod);
        lines.splice(0..0, mounts);
    }
    if lines.is_empty()
        && let Some(ready) = condition(pod, "Ready").filter(|c| c.status != "True")
    {
        let message = ready.message.clone().unwrap_or_default();
        lines.push(format!("is not ready: {message}"));
    }
    lines
}

fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == type_)
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|s| s.init_container_statuses.as_ref()).into_iter().flatten();
    init.chain(status.and_then(|s| s.container_statuses.as_ref()).into_iter().flatten())
}

fn unscheduled(store: &Store, pod: &Pod) -> String {
    let scheduler = spec_of(pod).scheduler_name.as_deref().unwrap_or(SCHEDULER);
    if scheduler != SCHEDULER {
        return format!("waits for a scheduler named \"{scheduler}\", which this cluster does not have");
    }
    if let Some(condition) = condition(pod, "PodScheduled").filter(|c| c.status == "False") {
        let reason = condition.reason.clone().unwrap_or_default();
        return format!("{reason}: {}", condition.message.clone().unwrap_or_default());
    }
    let unbound = claim_names(pod)
        .map(|(name, _)| name)
        .find(|name| store.get::<PersistentVolumeClaim>(pod.namespace(), name).is_none_or(|c| !is_fully_bound(c)));
    match (nominated_node(pod), unbound) {
        ("", _) => "has not been scheduled yet".to_owned(),
        (node, Some(claim)) => format!("will go to node \"{node}\" as soon as claim \"{claim}\" is bound"),
        (node, None) => format!("will go to node \"{node}\" as soon as there is room"),
    }
}

/// Whether the kubelet is still getting the pod's volumes and sandbox ready.
pub fn is_creating(pod: &Pod) -> bool {
    condition(pod, "PodReadyToStartContainers").is_some_and(|c| c.status == "False")
}

/// What was said about volumes at the last attempt to mount them; not more than a few.
fn failed_mounts(events: &EventLog, pod: &Pod) -> Vec<String> {
    const SHOWN: usize = 4;
    let key = ObjectKey::new(Kind::Pod, pod.namespace(), pod.name());
    let about_volumes = |reason: &str| reason == "FailedMount" || reason == "FailedAttachVolume";
    let said: Vec<_> = events.about(&key).filter(|e| about_volumes(&e.reason) && e.uid == pod.uid()).collect();
    let last = said.iter().map(|e| e.last_timestamp).max();
    let mut lines: Vec<String> = Vec::new();
    for event in said.iter().filter(|e| Some(e.last_timestamp) == last) {
        let line = format!("{}: {}", event.reason, event.message);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.drain(..lines.len().saturating_sub(SHOWN));
    lines
}

fn not_running(status: &ContainerStatus) -> Option<String> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().unwrap_or_default();
    match (&waiting.message, reason) {
        (Some(message), _) => Some(format!("container {}: {reason}: {message}", status.name)),
        // these only say that something else has to happen first
        (None, "ContainerCreating" | "PodInitializing" | "") => None,
        (None, _) => Some(format!("container {}: {reason}", status.name)),
    }
}

fn ended(status: &ContainerStatus) -> Option<String> {
    let terminated = status.state.as_ref()?.terminated.as_ref().filter(|t| t.exit_code != 0)?;
    Some(format!("container {} ended with status {}", status.name, terminated.exit_code))
}
