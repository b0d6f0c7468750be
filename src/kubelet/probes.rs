//! Probes (`pkg/kubelet/prober`). Rule: every probe succeeds, the first time it is made; so probes only take their time.
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// When a running container counts as started, and as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeTimes {
    /// When its startup probe has succeeded.
    pub started: Timestamp,
    /// When its readiness probe has, too.
    pub ready: Timestamp,
}

impl ProbeTimes {
    /// The times of a container that began to run at `start`.
    pub fn of(container: &Container, start: Timestamp) -> Self {
        let started = container.startup_probe.as_ref().map_or(start, |probe| success(probe, start, start));
        let ready = container.readiness_probe.as_ref().map_or(started, |probe| success(probe, start, started));
        ProbeTimes { started, ready }
    }
}

/// When a probe has succeeded as often as it must: it is not made before its initial delay is over, nor before `from`.
fn success(probe: &Probe, start: Timestamp, from: Timestamp) -> Timestamp {
    let seconds = |n: Option<i32>| SignedDuration::from_secs(i64::from(n.unwrap_or(0).max(0)));
    let first = (start + seconds(probe.initial_delay_seconds)).max(from);
    let period = seconds(probe.period_seconds.or(Some(10)));
    first + period * (probe.success_threshold.unwrap_or(1) - 1).max(0)
}

/// The moments at which a container's probes change its status.
pub fn times(container: &Container, start: Timestamp) -> [Timestamp; 2] {
    let times = ProbeTimes::of(container, start);
    [times.started, times.ready]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn readiness_comes_after_its_delay_and_the_startup_probe() {
        let container: Container = serde_yaml::from_str(
            "{name: a, startupProbe: {initialDelaySeconds: 20}, readinessProbe: {initialDelaySeconds: 5, periodSeconds: \
             5, successThreshold: 2}}",
        )
        .unwrap();
        let start = Timestamp::UNIX_EPOCH;
        let times = ProbeTimes::of(&container, start);
        assert_eq!(times.started, start + SignedDuration::from_secs(20));
        assert_eq!(times.ready, start + SignedDuration::from_secs(25));
    }
}
