//! Which containers are started again after they ended (`pkg/api/v1/pod` `ContainerShouldRestart`), and how long a
//! kubelet waits before it does (`client-go/util/flowcontrol` `Backoff`).
use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// Whether a container that ended with this status is to be started again.
pub fn should_restart(container: &Container, spec: &PodSpec, code: i32) -> bool {
    let by_policy = |policy: &str| match policy {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    };
    let Some(policy) = container.restart_policy.as_deref() else {
        return by_policy(spec.restart_policy.as_deref().unwrap_or("Always"));
    };
    let rules = container.restart_policy_rules.iter().flatten();
    let matching = rules.into_iter().find(|rule| {
        rule.exit_codes.as_ref().is_some_and(|codes| {
            let listed = codes.values.iter().flatten().any(|v| *v == code);
            match codes.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            }
        })
    });
    matching.is_some_and(|rule| rule.action.starts_with("Restart")) || by_policy(policy)
}

/// How long to wait between restarts of one container: 10 s, doubled each time, at most 5 minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct BackOff {
    /// The current wait.
    pub delay: SignedDuration,
    updated: Timestamp,
    image: String,
}

const INITIAL: SignedDuration = SignedDuration::from_secs(10);
const MAX: SignedDuration = SignedDuration::from_secs(300);

impl BackOff {
    /// Until when a container that ended at `finished` has to wait, if it has to.
    pub fn until(entry: Option<&BackOff>, image: &str, finished: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let entry = entry.filter(|e| e.image == image && !e.expired(finished))?;
        let end = finished + entry.delay;
        (now < end).then_some(end)
    }

    /// The wait after the next end, when the container is started now (`Backoff.Next`).
    pub fn next(entry: Option<&BackOff>, image: &str, finished: Timestamp, now: Timestamp) -> BackOff {
        let delay = match entry.filter(|e| e.image == image && !e.expired(finished)) {
            Some(entry) => (entry.delay * 2).min(MAX),
            None => INITIAL,
        };
        BackOff { delay, updated: now, image: image.to_owned() }
    }

    /// A container that ran for twice the maximum begins anew.
    fn expired(&self, finished: Timestamp) -> bool {
        finished.duration_since(self.updated) > MAX * 2
    }

    /// The wait as Go prints durations: `10s`, `1m20s`, `5m0s`.
    pub fn text(&self) -> String {
        let seconds = self.delay.as_secs();
        if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut entry: Option<BackOff> = None;
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert!(BackOff::until(entry.as_ref(), "i", now, now).is_none() || !waits.is_empty());
            let next = BackOff::next(entry.as_ref(), "i", now, now);
            waits.push(next.text());
            now = BackOff::until(Some(&next), "i", now, now).unwrap();
            entry = Some(next);
        }
        assert_eq!(waits, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    }

    #[test]
    fn another_image_does_not_wait() {
        let now = Timestamp::UNIX_EPOCH;
        let entry = BackOff::next(None, "a", now, now);
        assert!(BackOff::until(Some(&entry), "a", now, now).is_some());
        assert!(BackOff::until(Some(&entry), "b", now, now).is_none());
    }

    #[test]
    fn the_containers_policy_beats_the_pods() {
        let spec: PodSpec = serde_yaml::from_str("{restartPolicy: Never, containers: []}").unwrap();
        let of = |yaml: &str| serde_yaml::from_str::<Container>(yaml).unwrap();
        assert!(!should_restart(&of("{name: a}"), &spec, 1));
        assert!(should_restart(&of("{name: a, restartPolicy: OnFailure}"), &spec, 1));
        let rules = "{name: a, restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, \
                     values: [42]}}]}";
        assert!(should_restart(&of(rules), &spec, 42) && !should_restart(&of(rules), &spec, 1));
    }
}
