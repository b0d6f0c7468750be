//! What a pod's status says about each container (`pkg/kubelet/kubelet_pods.go` `convertToAPIContainerStatuses`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    Pod, PodSpec, ResourceRequirements, VolumeMountStatus,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::probes::{self, ProbeTimes};
use super::restart::should_restart;
use super::runtime::{PodRuntime, RuntimeContainer};
use crate::api::ApiObject;
use crate::scheduler::node_info::spec_of;
use crate::scheduler::resource::is_sidecar;

/// Why a container could not be (re)started: reason and message, by the container's name (`reasonCache`).
pub type Reasons = BTreeMap<String, (String, String)>;

/// The statuses of the containers and of the init containers.
pub fn statuses(
    pod: &Pod,
    runtime: &PodRuntime,
    reasons: &Reasons,
    now: Timestamp,
) -> (Vec<ContainerStatus>, Vec<ContainerStatus>) {
    let spec = spec_of(pod);
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let default_reason = if init.is_empty() { "ContainerCreating" } else { "PodInitializing" };
    let of = |container: &Container, is_init: bool| {
        let mut status = status(pod, container, runtime, reasons, default_reason, is_init);
        set_readiness(&mut status, container, runtime, is_init, now);
        status
    };
    let mut containers: Vec<ContainerStatus> = spec.containers.iter().map(|c| of(c, false)).collect();
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    (containers, init.iter().map(|c| of(c, true)).collect())
}

fn status(
    pod: &Pod,
    container: &Container,
    runtime: &PodRuntime,
    reasons: &Reasons,
    default_reason: &str,
    is_init: bool,
) -> ContainerStatus {
    let latest = runtime.latest(&container.name);
    let mut state = latest.map_or_else(|| waiting(default_reason, None), state_of);
    let mut last_state = runtime.previous(&container.name).map(state_of).unwrap_or_default();
    let to_start = match latest.map(|c| &c.exit) {
        _ if pod.is_terminating() => false,
        None => true,
        Some(None) => false,
        // an init container that succeeded keeps saying so, even a sidecar that is to be restarted
        Some(Some(exit)) => !(is_init && exit.code == 0) && should_restart(container, spec_of(pod), exit.code),
    };
    if let Some((reason, message)) = reasons.get(&container.name).filter(|_| to_start) {
        if state.terminated.is_some() {
            last_state = state;
        }
        state = waiting(reason, Some(message.clone()));
    }
    let requested = container.resources.as_ref().and_then(|r| r.requests.clone()).filter(|r| !r.is_empty());
    ContainerStatus {
        name: container.name.clone(),
        image: latest.map_or_else(|| container.image.clone().unwrap_or_default(), |c| c.image.clone()),
        image_id: latest.map_or_else(String::new, |c| image_id(&c.image)),
        container_id: latest.map(|c| c.id.clone()),
        restart_count: latest.map_or(0, |c| c.attempt),
        resources: latest.map(|c| resources(container, c.is_running())),
        allocated_resources: latest.and(requested),
        volume_mounts: volume_mounts(container),
        state: Some(state),
        last_state: Some(last_state),
        ..Default::default()
    }
}

fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let message = message.filter(|m| !m.is_empty());
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..Default::default() }
}

fn state_of(container: &RuntimeContainer) -> ContainerState {
    match &container.exit {
        None => ContainerState {
            running: Some(ContainerStateRunning { started_at: Some(Time(container.started)) }),
            ..Default::default()
        },
        Some(exit) => {
            let reason = if exit.code == 0 { "Completed" } else { "Error" };
            ContainerState {
                terminated: Some(ContainerStateTerminated {
                    exit_code: exit.code,
                    reason: Some(reason.to_owned()),
                    started_at: Some(Time(container.started)),
                    finished_at: Some(Time(exit.at)),
                    container_id: Some(container.id.clone()),
                    ..Default::default()
                }),
                ..Default::default()
            }
        }
    }
}

/// An id as a runtime gives images, from the name alone.
fn image_id(image: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut hex = String::new();
    for round in 0..4_u8 {
        for byte in image.bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hex.push_str(&format!("{hash:016x}"));
    }
    format!("sha256:{hex}")
}

/// What a container has: a running one reports a memory amount even where it asked only for cpu, as the runtime knows
/// none.
fn resources(container: &Container, running: bool) -> ResourceRequirements {
    let mut resources = container.resources.clone().unwrap_or_default();
    if running {
        for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
            if !list.is_empty() && !list.contains_key("memory") {
                list.insert("memory".to_owned(), Quantity("0".to_owned()));
            }
        }
    }
    resources
}

fn volume_mounts(container: &Container) -> Option<Vec<VolumeMountStatus>> {
    let mounts = container.volume_mounts.as_ref().filter(|m| !m.is_empty())?;
    let status = mounts.iter().map(|mount| {
        let read_only = mount.read_only == Some(true);
        let recursive = match mount.recursive_read_only.as_deref() {
            Some("Enabled" | "IfPossible") => "Enabled",
            _ => "Disabled",
        };
        VolumeMountStatus {
            name: mount.name.clone(),
            mount_path: mount.mount_path.clone(),
            read_only: read_only.then_some(true),
            recursive_read_only: read_only.then(|| recursive.to_owned()),
            ..Default::default()
        }
    });
    Some(status.collect())
}

/// Started and ready, as probes tell (`prober.manager.UpdatePodStatus`).
fn set_readiness(
    status: &mut ContainerStatus,
    container: &Container,
    runtime: &PodRuntime,
    is_init: bool,
    now: Timestamp,
) {
    let running = runtime.latest(&container.name).filter(|c| c.is_running());
    let waits = status.state.as_ref().is_none_or(|s| s.running.is_none());
    let times = running.filter(|_| !waits).map(|c| ProbeTimes::of(container, c.started));
    let started = times.as_ref().is_some_and(|t| t.started <= now);
    status.started = Some(started);
    if is_init && !is_sidecar(container) {
        let terminated = status.state.as_ref().and_then(|s| s.terminated.as_ref());
        status.ready = terminated.is_some_and(|t| t.exit_code == 0);
    } else {
        status.ready = started && times.is_some_and(|t| t.ready <= now);
    }
}

/// Nothing of a pod runs any more: containers that did not say how they ended count as failed (`TerminatePod`).
pub fn terminate(spec: &PodSpec, containers: &mut [ContainerStatus], init: &mut [ContainerStatus]) {
    if has_initialized(spec, containers, init) {
        containers.iter_mut().for_each(end_unknown);
    }
    // init containers up to the last that was ever started, and the first one anyway
    let last = init.iter().rposition(|status| !waits(status) || ended_before(status).is_some()).unwrap_or(0);
    init.iter_mut().take(last + 1).for_each(end_unknown);
}

fn waits(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|s| s.waiting.is_some())
}

fn ended(state: Option<&ContainerState>) -> Option<i32> {
    state?.terminated.as_ref().map(|t| t.exit_code)
}

fn ended_before(status: &ContainerStatus) -> Option<i32> {
    ended(status.last_state.as_ref())
}

fn end_unknown(status: &mut ContainerStatus) {
    if ended(status.state.as_ref()).is_some() {
        return;
    }
    let terminated = ContainerStateTerminated {
        exit_code: 137,
        reason: Some("ContainerStatusUnknown".to_owned()),
        message: Some("The container could not be located when the pod was terminated".to_owned()),
        ..Default::default()
    };
    status.state = Some(ContainerState { terminated: Some(terminated), ..Default::default() });
}

/// Whether a pod ever came past its init containers (`hasPodInitialized`).
fn has_initialized(spec: &PodSpec, containers: &[ContainerStatus], init: &[ContainerStatus]) -> bool {
    let Some(last) = spec.init_containers.as_ref().and_then(|all| all.last()) else { return true };
    if containers.iter().any(|status| ended_before(status).is_some() || !waits(status)) {
        return true;
    }
    init.last().is_some_and(|status| {
        if is_sidecar(last) {
            status.started == Some(true) && status.state.as_ref().is_some_and(|s| s.running.is_some())
        } else {
            ended_before(status) == Some(0) || ended(status.state.as_ref()) == Some(0)
        }
    })
}

/// When the next probe of a running container changes its status.
pub fn next_probe(pod: &Pod, runtime: &PodRuntime, now: Timestamp) -> Option<Timestamp> {
    let spec = spec_of(pod);
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let running = containers.filter_map(|c| Some((c, runtime.latest(&c.name).filter(|r| r.is_running())?)));
    running.flat_map(|(c, r)| probes::times(c, r.started)).filter(|t| *t > now).min()
}
