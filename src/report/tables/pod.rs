//! What `kubectl get pods` makes of a pod's status (`printPod`).
use serde_json::Value;

use super::{list, number, text};

/// READY, STATUS and RESTARTS.
pub(super) fn cells(pod: &Value) -> Vec<String> {
    let phase = text(pod, "/status/phase");
    let mut reason = match text(pod, "/status/reason") {
        "" => phase.to_owned(),
        reason => reason.to_owned(),
    };
    let condition = |wanted: &str| list(pod, "/status/conditions").iter().find(|c| text(c, "/type") == wanted);
    let is_true = |wanted: &str| condition(wanted).is_some_and(|c| text(c, "/status") == "True");
    if condition("PodScheduled").is_some_and(|c| text(c, "/reason") == "SchedulingGated") {
        reason = "SchedulingGated".to_owned();
    }

    let inits = list(pod, "/spec/initContainers");
    let restartable =
        |name: &str| inits.iter().any(|c| text(c, "/name") == name && text(c, "/restartPolicy") == "Always");
    let sidecars = inits.iter().filter(|c| text(c, "/restartPolicy") == "Always").count();
    let total = list(pod, "/spec/containers").len() + sidecars;
    let (mut ready, mut restarts, mut sidecar_restarts) = (0, 0, 0);
    let mut initializing = false;
    for (i, status) in list(pod, "/status/initContainerStatuses").iter().enumerate() {
        let sidecar = restartable(text(status, "/name"));
        let count = number(status, "/restartCount");
        restarts += count;
        if sidecar {
            sidecar_restarts += count;
        }
        let terminated = status.pointer("/state/terminated");
        if terminated.is_some_and(|t| number(t, "/exitCode") == 0) {
            continue;
        }
        if sidecar && status.get("started") == Some(&Value::Bool(true)) {
            ready += usize::from(status.get("ready") == Some(&Value::Bool(true)));
            continue;
        }
        let waiting = text(status, "/state/waiting/reason");
        reason = match terminated {
            Some(terminated) => format!("Init:{}", why_terminated(terminated)),
            None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
            None => format!("Init:{i}/{}", inits.len()),
        };
        initializing = true;
        break;
    }
    if !initializing || is_true("Initialized") {
        restarts = sidecar_restarts;
        let (mut running, mut error) = (false, None);
        for status in list(pod, "/status/containerStatuses").iter().rev() {
            restarts += number(status, "/restartCount");
            let waiting = text(status, "/state/waiting/reason");
            if !waiting.is_empty() {
                reason = waiting.to_owned();
            } else if let Some(terminated) = status.pointer("/state/terminated") {
                reason = why_terminated(terminated);
                if number(terminated, "/exitCode") != 0 {
                    error = Some(reason.clone());
                }
            } else if status.get("ready") == Some(&Value::Bool(true)) && status.pointer("/state/running").is_some() {
                running = true;
                ready += 1;
            }
        }
        if reason == "Completed" {
            reason = match error {
                _ if running && is_true("Ready") => "Running".to_owned(),
                Some(error) => error,
                None if running => "NotReady".to_owned(),
                None => reason,
            };
        }
    }
    let terminal = matches!(phase, "Succeeded" | "Failed");
    if pod.pointer("/metadata/deletionTimestamp").is_some() && !terminal {
        reason = "Terminating".to_owned();
    }
    vec![format!("{ready}/{total}"), reason, restarts.to_string()]
}

fn why_terminated(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cells;
    use serde_json::json;

    #[test]
    fn a_pod_waiting_for_its_init_container_shows_how_far_it_is() {
        let pod = json!({
            "spec": { "containers": [{ "name": "a" }], "initContainers": [{ "name": "i" }] },
            "status": { "phase": "Pending", "initContainerStatuses": [{ "name": "i", "state": { "running": {} } }] },
        });
        assert_eq!(cells(&pod), ["0/1", "Init:0/1", "0"]);
    }

    #[test]
    fn a_waiting_container_gives_its_reason() {
        let waiting =
            json!({ "name": "a", "restartCount": 3, "state": { "waiting": { "reason": "CrashLoopBackOff" } } });
        let pod = json!({ "spec": { "containers": [{ "name": "a" }] },
            "status": { "phase": "Running", "containerStatuses": [waiting] } });
        assert_eq!(cells(&pod), ["0/1", "CrashLoopBackOff", "3"]);
    }
}
