//! When a CronJob's Jobs are due (`pkg/controller/cronjob/utils.go`).
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::validation::cron::Schedule;
use crate::api::validation::time_zone::load_location;

/// From so many missed times on the controller warns.
const MANY: i64 = 100;

/// What a schedule says about the time since the last Job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Missed {
    /// The time from which on the schedule counts.
    pub(super) earliest: Timestamp,
    /// The last time that was due.
    pub(super) most_recent: Option<Timestamp>,
    /// About how many times were due.
    pub(super) count: i64,
}

impl Missed {
    /// Whether so many times were due that the controller warns.
    pub(super) fn too_many(&self) -> bool {
        self.count > MANY
    }
}

/// The schedule with its time zone in front (`formatSchedule`).
pub(super) fn format_schedule(spec: &CronJobSpec) -> String {
    match &spec.time_zone {
        Some(zone) if !spec.schedule.contains("TZ") && load_location(zone).is_ok() => {
            format!("TZ={zone} {}", spec.schedule)
        }
        _ => spec.schedule.clone(),
    }
}

/// The last time at which a Job should have been started (`mostRecentScheduleTime`).
///
/// # Errors
/// What is wrong with a schedule that never comes.
pub(super) fn most_recent_schedule_time(
    job: &CronJob,
    now: Timestamp,
    schedule: &Schedule,
    within_deadline: bool,
) -> Result<Missed, String> {
    let created = job.metadata.creation_timestamp.as_ref();
    let last = job.status.as_ref().and_then(|s| s.last_schedule_time.as_ref());
    let mut earliest = last.or(created).map_or(now, |t| t.0);
    if let Some(seconds) = job.spec.starting_deadline_seconds.filter(|_| within_deadline) {
        earliest = earliest.max(now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(earliest));
    }
    let never = || "time difference between two schedules is less than 1 second".to_owned();
    let first = schedule.next(earliest).ok_or_else(never)?;
    if now < first {
        return Ok(Missed { earliest, most_recent: None, count: 0 });
    }
    let second = schedule.next(first).ok_or_else(never)?;
    if now < second {
        return Ok(Missed { earliest, most_recent: Some(first), count: 0 });
    }
    let between = second.as_second() - first.as_second();
    if between < 1 {
        return Err(never());
    }
    let count = (now.as_second() - first.as_second()) / between + 1;
    // near the end only: intervals may differ, so the library says which times there are
    let start = first.as_second().saturating_add((count - 2).saturating_mul(between));
    let mut next = Timestamp::from_second(start).ok().and_then(|start| schedule.next(start));
    let mut most_recent = None;
    while let Some(time) = next.filter(|t| *t <= now) {
        most_recent = Some(time);
        next = schedule.next(time);
    }
    Ok(Missed { earliest, most_recent, count })
}

/// When to look at a CronJob again (`nextScheduleTimeDuration`).
pub(super) fn next_schedule_time(job: &CronJob, now: Timestamp, schedule: &Schedule) -> Option<Timestamp> {
    let from = match most_recent_schedule_time(job, now, schedule, false) {
        Ok(Missed { most_recent: Some(time), .. }) => time,
        Ok(Missed { earliest, count: 0, .. }) => earliest,
        _ => now,
    };
    schedule.next(from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn missed(schedule: &str, spec: serde_json::Value, now: &str) -> Result<Missed, String> {
        let mut object = json!({"metadata": {"name": "c", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"schedule": schedule, "jobTemplate": {}}});
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        let job: CronJob = serde_json::from_value(object).unwrap();
        let schedule = Schedule::parse(&format_schedule(&job.spec)).unwrap();
        most_recent_schedule_time(&job, now.parse().unwrap(), &schedule, true)
    }

    fn at(time: &str) -> Option<Timestamp> {
        Some(time.parse().unwrap())
    }

    #[test]
    fn nothing_is_due_before_the_first_time() {
        let missed = missed("0 * * * *", json!({}), "2026-01-01T00:59:59Z").unwrap();
        assert_eq!((missed.most_recent, missed.count), (None, 0));
    }

    #[test]
    fn only_the_last_of_several_missed_times_is_due() {
        let missed = missed("0 * * * *", json!({}), "2026-01-01T05:30:00Z").unwrap();
        assert_eq!((missed.most_recent, missed.count), (at("2026-01-01T05:00:00Z"), 5));
        assert!(!missed.too_many());
    }

    #[test]
    fn more_than_a_hundred_missed_times_are_too_many_unless_a_deadline_limits_them() {
        let now = "2026-01-02T00:00:30Z";
        assert!(missed("* * * * *", json!({}), now).unwrap().too_many());
        let missed = missed("* * * * *", json!({"startingDeadlineSeconds": 200}), now).unwrap();
        assert_eq!((missed.most_recent, missed.too_many()), (at("2026-01-02T00:00:00Z"), false));
    }

    #[test]
    fn a_day_that_does_not_exist_is_an_error() {
        assert!(missed("59 23 31 2 *", json!({}), "2026-03-01T00:00:00Z").is_err());
    }

    #[test]
    fn the_time_zone_moves_the_schedule() {
        let missed = missed("0 2 * * *", json!({"timeZone": "Europe/Berlin"}), "2026-01-01T01:00:00Z").unwrap();
        assert_eq!(missed.most_recent, at("2026-01-01T01:00:00Z"));
    }
}
