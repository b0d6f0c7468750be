//! Phase and conditions of a pod (`pkg/kubelet/kubelet_pods.go` `getPhase`, `pkg/kubelet/status/generate.go`).
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::restart::should_restart;
use crate::scheduler::node_info::spec_of;
use crate::scheduler::resource::is_sidecar;

/// The statuses a phase and conditions are made from.
#[derive(Clone, Copy, Debug)]
pub struct Statuses<'a> {
    /// Of the containers.
    pub containers: &'a [ContainerStatus],
    /// Of the init containers.
    pub init: &'a [ContainerStatus],
}

impl<'a> Statuses<'a> {
    fn of(&self, container: &Container) -> Option<&'a ContainerStatus> {
        self.containers.iter().chain(self.init).find(|s| s.name == container.name)
    }
}

/// How a container stands.
enum Standing {
    Running,
    /// It ended, and is to be started again or not.
    Ended(i32),
    /// It never ran.
    Waiting,
    Unknown,
}

fn standing(status: Option<&ContainerStatus>) -> Standing {
    let Some(state) = status.and_then(|s| s.state.as_ref()) else { return Standing::Unknown };
    if state.running.is_some() {
        return Standing::Running;
    }
    if let Some(terminated) = &state.terminated {
        return Standing::Ended(terminated.exit_code);
    }
    let last = status.and_then(|s| s.last_state.as_ref()).and_then(|s| s.terminated.as_ref());
    match (&state.waiting, last) {
        (Some(_), Some(last)) => Standing::Ended(last.exit_code),
        (Some(_), None) => Standing::Waiting,
        (None, _) => Standing::Unknown,
    }
}

/// The phase (`getPhase`). `over`: no container runs or will run any more. `initialized`: some container has run.
pub fn phase(pod: &Pod, statuses: Statuses<'_>, over: bool, initialized: bool) -> &'static str {
    let spec = spec_of(pod);
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let (mut pending_init, mut pending_sidecars, mut running, mut waiting) = (0, 0, 0, 0);
    let (mut unknown, mut stopped, mut for_good, mut succeeded) = (0, 0, 0, 0);
    for container in init.iter().filter(|c| !is_sidecar(c)) {
        match standing(statuses.of(container)) {
            Standing::Ended(0) => {}
            Standing::Ended(code) if !should_restart(container, spec, code) => return "Failed",
            Standing::Ended(_) => {}
            _ => pending_init += 1,
        }
    }
    for container in init.iter().filter(|c| is_sidecar(c)) {
        let status = statuses.of(container);
        match standing(status) {
            Standing::Running => {
                running += 1;
                pending_sidecars += i32::from(status.and_then(|s| s.started) != Some(true));
            }
            Standing::Ended(_) => {}
            Standing::Waiting => {
                pending_sidecars += 1;
                waiting += 1;
            }
            Standing::Unknown => unknown += 1,
        }
    }
    for container in &spec.containers {
        match standing(statuses.of(container)) {
            Standing::Running => running += 1,
            Standing::Ended(code) => {
                stopped += 1;
                for_good += i32::from(!should_restart(container, spec, code));
                let terminated = statuses.of(container).and_then(|s| s.state.as_ref()?.terminated.as_ref());
                succeeded += i32::from(terminated.is_some() && code == 0);
            }
            Standing::Waiting => waiting += 1,
            Standing::Unknown => unknown += 1,
        }
    }
    if pending_init > 0 || (pending_sidecars > 0 && !initialized) || waiting > 0 {
        "Pending"
    } else if running > 0 && unknown == 0 {
        "Running"
    } else if running == 0 && stopped > 0 && unknown == 0 {
        match (over || stopped == for_good, stopped == succeeded) {
            (false, _) => "Running",
            (true, true) => "Succeeded",
            (true, false) => "Failed",
        }
    } else {
        "Pending"
    }
}

/// What a condition says besides its type.
type Verdict = (bool, Option<&'static str>, Option<String>);

const YES: Verdict = (true, None, None);

/// The conditions a kubelet owns, in its order: `PodReadyToStartContainers`, `Initialized`, `Ready`, `ContainersReady`,
/// `PodScheduled`. Others are kept in front.
pub fn conditions(
    pod: &Pod,
    statuses: Statuses<'_>,
    phase: &str,
    sandbox_ready: bool,
    initialized: bool,
    now: Time,
) -> Vec<PodCondition> {
    let old = pod.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let mut conditions: Vec<PodCondition> = old.iter().filter(|c| !is_owned(&c.type_)).cloned().collect();
    let others = conditions.clone();
    let containers_ready = containers_ready(pod, statuses, phase);
    let mut verdicts = vec![
        ("PodReadyToStartContainers", (sandbox_ready, None, None)),
        ("Initialized", pod_initialized(pod, statuses, phase, initialized)),
        ("Ready", pod_ready(pod, containers_ready.clone(), &others)),
        ("ContainersReady", containers_ready),
        ("PodScheduled", YES),
    ];
    if could_restart_all(pod) {
        let reason = match phase {
            "Succeeded" => Some("PodCompleted"),
            "Failed" => Some("PodFailed"),
            _ => None,
        };
        verdicts.push(("AllContainersRestarting", (false, reason, None)));
    }
    conditions.extend(verdicts.into_iter().map(|(type_, (holds, reason, message))| {
        let status = if holds { "True" } else { "False" };
        let before = old.iter().find(|c| c.type_ == type_ && c.status == status);
        PodCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            message,
            observed_generation: pod.metadata.generation,
            last_transition_time: before.map_or(Some(now.clone()), |c| c.last_transition_time.clone()),
            ..Default::default()
        }
    }));
    conditions
}

/// Whether an end of a container may restart them all (`AllContainersCouldRestart`).
fn could_restart_all(pod: &Pod) -> bool {
    let spec = spec_of(pod);
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut rules = containers.flat_map(|c| c.restart_policy_rules.iter().flatten());
    rules.any(|rule| rule.action == "RestartAllContainers")
}

/// Whether a kubelet owns a condition (`PodConditionByKubelet`).
pub fn is_owned(type_: &str) -> bool {
    const OWNED: [&str; 8] = [
        "PodScheduled",
        "Ready",
        "Initialized",
        "ContainersReady",
        "PodReadyToStartContainers",
        "PodResizeInProgress",
        "PodResizePending",
        "AllContainersRestarting",
    ];
    OWNED.contains(&type_)
}

fn list(what: &str, names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("containers with {what} status: [{}]", names.join(" ")))
}

/// `GenerateContainersReadyCondition`.
fn containers_ready(pod: &Pod, statuses: Statuses<'_>, phase: &str) -> Verdict {
    let spec = spec_of(pod);
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_sidecar(c));
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    for container in sidecars.chain(&spec.containers) {
        match statuses.of(container) {
            None => unknown.push(container.name.as_str()),
            Some(status) if !status.ready => unready.push(container.name.as_str()),
            Some(_) => {}
        }
    }
    match phase {
        "Succeeded" if unknown.is_empty() => return (false, Some("PodCompleted"), None),
        "Failed" => return (false, Some("PodFailed"), None),
        _ => {}
    }
    let messages: Vec<String> = list("unknown", &unknown).into_iter().chain(list("unready", &unready)).collect();
    if messages.is_empty() { YES } else { (false, Some("ContainersNotReady"), Some(messages.join(", "))) }
}

/// `GeneratePodReadyCondition`.
fn pod_ready(pod: &Pod, containers_ready: Verdict, others: &[PodCondition]) -> Verdict {
    if !containers_ready.0 {
        return containers_ready;
    }
    let gates = spec_of(pod).readiness_gates.iter().flatten();
    let problems: Vec<String> = gates
        .filter_map(|gate| {
            let gate = &gate.condition_type;
            match others.iter().find(|c| c.type_ == *gate) {
                None => Some(format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")),
                Some(c) if c.status != "True" => {
                    Some(format!("the status of pod readiness gate \"{gate}\" is not \"True\", but {}", c.status))
                }
                Some(_) => None,
            }
        })
        .collect();
    if problems.is_empty() { YES } else { (false, Some("ReadinessGatesNotReady"), Some(problems.join(", "))) }
}

/// `GeneratePodInitializedCondition`.
fn pod_initialized(pod: &Pod, statuses: Statuses<'_>, phase: &str, initialized: bool) -> Verdict {
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in spec_of(pod).init_containers.iter().flatten() {
        match statuses.of(container) {
            None => unknown.push(container.name.as_str()),
            Some(status) => {
                let done = if is_sidecar(container) { status.started == Some(true) } else { status.ready };
                if !done {
                    incomplete.push(container.name.as_str());
                }
            }
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return (true, Some("PodCompleted"), None);
    }
    let messages: Vec<String> = list("unknown", &unknown).into_iter().chain(list("incomplete", &incomplete)).collect();
    if initialized || messages.is_empty() {
        return YES;
    }
    (false, Some("ContainersNotInitialized"), Some(messages.join(", ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pod(spec: &str) -> Pod {
        serde_yaml::from_str(&format!("metadata: {{name: p}}\nspec: {spec}")).unwrap()
    }
    fn status(yaml: &str) -> ContainerStatus {
        let base = "image: i, imageID: '', ready: false, restartCount: 0";
        serde_yaml::from_str(&format!("{{{base}, {yaml}}}")).unwrap()
    }
    fn of(pod: &Pod, containers: &[ContainerStatus], init: &[ContainerStatus]) -> &'static str {
        phase(pod, Statuses { containers, init }, false, false)
    }

    #[test]
    fn one_waiting_container_keeps_a_pod_pending() {
        let pod = pod("{containers: [{name: a}, {name: b}]}");
        let running = status("name: a, state: {running: {}}");
        let waiting = status("name: b, state: {waiting: {reason: CreateContainerConfigError}}");
        assert_eq!(of(&pod, &[running.clone(), waiting], &[]), "Pending");
        let crashed =
            status("name: b, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}");
        assert_eq!(of(&pod, &[running, crashed], &[]), "Running");
    }

    #[test]
    fn restart_policy_decides_what_ended_containers_mean() {
        let ended = |code: i32| [status(&format!("name: a, state: {{terminated: {{exitCode: {code}}}}}"))];
        let with = |policy: &str| pod(&format!("{{restartPolicy: {policy}, containers: [{{name: a}}]}}"));
        assert_eq!(of(&with("Never"), &ended(0), &[]), "Succeeded");
        assert_eq!(of(&with("Never"), &ended(1), &[]), "Failed");
        assert_eq!(of(&with("OnFailure"), &ended(0), &[]), "Succeeded");
        assert_eq!(of(&with("OnFailure"), &ended(1), &[]), "Running");
        assert_eq!(of(&with("Always"), &ended(0), &[]), "Running");
    }

    #[test]
    fn a_failed_init_container_fails_a_pod_that_never_restarts() {
        let init = [status("name: i, state: {terminated: {exitCode: 1}}")];
        let waiting = [status("name: a, state: {waiting: {reason: PodInitializing}}")];
        let with = |policy: &str| {
            pod(&format!("{{restartPolicy: {policy}, initContainers: [{{name: i}}], containers: [{{name: a}}]}}"))
        };
        assert_eq!(of(&with("Never"), &waiting, &init), "Failed");
        assert_eq!(of(&with("Always"), &waiting, &init), "Pending");
    }

    #[test]
    fn readiness_gates_hold_back_ready_but_not_containers_ready() {
        let pod = pod("{readinessGates: [{conditionType: x/ok}], containers: [{name: a}]}");
        let mut a = status("name: a, state: {running: {}}");
        a.ready = true;
        let statuses = Statuses { containers: &[a], init: &[] };
        let time = Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        let conditions = conditions(&pod, statuses, "Running", true, true, time);
        let of = |type_: &str| conditions.iter().find(|c| c.type_ == type_).unwrap();
        assert_eq!(of("ContainersReady").status, "True");
        let why = "corresponding condition of pod readiness gate \"x/ok\" does not exist.";
        assert_eq!((of("Ready").status.as_str(), of("Ready").message.as_deref()), ("False", Some(why)));
    }
}
