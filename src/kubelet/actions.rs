//! What a kubelet has to do to bring a pod's containers where they should be
//! (`pkg/kubelet/kuberuntime` `computePodActions`).
use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::jiff::Timestamp;

use super::probes::ProbeTimes;
use super::restart::should_restart;
use super::runtime::PodRuntime;
use crate::api::ApiObject;
use crate::scheduler::node_info::spec_of;
use crate::scheduler::resource::is_sidecar;

/// Things to do, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    /// Nothing is left to run: stop what still runs.
    pub kill_pod: bool,
    /// Containers to stop, with the message of the event.
    pub kill: Vec<(String, String)>,
    /// Init containers to start, by index.
    pub start_init: Vec<usize>,
    /// Containers to start, by index.
    pub start: Vec<usize>,
}

/// What is to be done now.
pub fn compute(pod: &Pod, runtime: &PodRuntime, now: Timestamp) -> Actions {
    let spec = spec_of(pod);
    let mut actions = Actions::default();
    if !init_containers(pod, runtime, now, &mut actions) || actions.kill_pod {
        return actions;
    }
    let mut keep = 0;
    for (index, container) in spec.containers.iter().enumerate() {
        match runtime.latest(&container.name) {
            None => actions.start.push(index),
            Some(present) => match &present.exit {
                Some(exit) => {
                    if !pod.is_terminating() && should_restart(container, spec, exit.code) {
                        actions.start.push(index);
                    }
                }
                None if changed(container, &present.image) => {
                    let message = format!("Container {} definition changed, will be restarted", container.name);
                    actions.kill.push((container.name.clone(), message));
                    actions.start.push(index);
                }
                None => keep += 1,
            },
        }
    }
    if keep == 0 && actions.start.is_empty() {
        actions.kill_pod = true;
        actions.start_init.clear();
    }
    actions
}

/// Of a running pod only a container's image can change.
fn changed(container: &Container, image: &str) -> bool {
    container.image.as_deref().unwrap_or_default() != image
}

/// `computeInitContainerActions`: whether all init containers are through.
fn init_containers(pod: &Pod, runtime: &PodRuntime, now: Timestamp, actions: &mut Actions) -> bool {
    let spec = spec_of(pod);
    let init = spec.init_containers.as_deref().unwrap_or_default();
    if init.is_empty() {
        return true;
    }
    let last = init.len() - 1;
    let mut initialized = spec.containers.iter().any(|c| runtime.is_running(&c.name));
    let mut seen = initialized;
    // from the last to the first: the last that was started tells how far the pod is
    for (index, container) in init.iter().enumerate().rev() {
        let sidecar = is_sidecar(container);
        let Some(present) = runtime.latest(&container.name) else {
            if seen && sidecar {
                actions.start_init.push(index);
            }
            continue;
        };
        if seen && !sidecar {
            continue;
        }
        match &present.exit {
            None if !sidecar => {}
            None => {
                if ProbeTimes::of(container, present.started).started <= now {
                    if index == last {
                        initialized = true;
                    } else if !seen {
                        actions.start_init.push(index + 1);
                    }
                    if changed(container, &present.image) {
                        let message = format!("Init container {} definition changed", container.name);
                        actions.kill.push((container.name.clone(), message));
                        actions.start_init.push(index);
                    }
                }
            }
            Some(_) if sidecar => actions.start_init.push(index),
            Some(exit) if exit.code != 0 => {
                if !should_restart(container, spec, exit.code) {
                    actions.kill_pod = true;
                    actions.start_init.clear();
                    return false;
                }
                actions.start_init.push(index);
            }
            Some(_) if index == last => initialized = true,
            Some(_) => actions.start_init.push(index + 1),
        }
        seen = true;
    }
    if !seen {
        actions.start_init.push(0);
    }
    actions.start_init.reverse();
    initialized
}
