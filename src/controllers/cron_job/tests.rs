#![allow(clippy::unwrap_used)]
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::dynamic::FieldValidation;
use crate::api::object::{ApiObject, Kind};
use crate::cluster::Cluster;
use crate::environment::{Environment, ExitRule};

/// A cluster in which containers `ok` end well and `bad` with 1.
fn cluster() -> Cluster {
    let exits = [("ok", 0), ("bad", 1)];
    let exits = exits.map(|(container, code)| ExitRule { container: container.to_owned(), code }).to_vec();
    Cluster::new(Environment { exits, ..Environment::default() })
}

/// Makes a CronJob `c` of one container, due every hour.
fn create(cluster: &mut Cluster, container: &str, spec: Value) {
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": container, "image": "busybox"}]});
    let job = json!({"backoffLimit": 0, "template": {"spec": pod}});
    let mut object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": {
        "schedule": "0 * * * *", "jobTemplate": {"metadata": {"labels": {"from": "template"}}, "spec": job}}});
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    cluster.api_mut().create_value(Kind::CronJob, "default", &object, FieldValidation::Strict).unwrap();
    cluster.settle();
}

fn change(cluster: &mut Cluster, change: impl FnOnce(&mut CronJob)) {
    let mut job = CronJob::clone(cluster.api().get::<CronJob>("default", "c").unwrap());
    change(&mut job);
    cluster.api_mut().update(job).unwrap();
    cluster.settle();
}

fn status(cluster: &Cluster) -> CronJobStatus {
    cluster.api().get::<CronJob>("default", "c").unwrap().status.clone().unwrap()
}

fn jobs(cluster: &Cluster) -> Vec<String> {
    cluster.api().store().list_in::<Job>("default").map(|j| j.name().to_owned()).collect()
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    let events = cluster.api().events().iter().filter(|e| e.involved_object.kind == Kind::CronJob);
    events.map(|e| e.reason.clone()).collect()
}

fn until(cluster: &mut Cluster, time: &str) {
    let time: Timestamp = time.parse().unwrap();
    cluster.advance(time.duration_since(cluster.api().now()));
}

/// The name of the Job of a time.
fn name_of(time: &str) -> String {
    format!("c-{}", time.parse::<Timestamp>().unwrap().as_second() / 60)
}

#[test]
fn a_job_is_made_when_the_schedule_says_so() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({}));
    assert!(jobs(&cluster).is_empty());
    until(&mut cluster, "2026-01-01T01:00:30Z");
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T01:00:00Z")]);
    let job = cluster.api().store().list_in::<Job>("default").next().unwrap().clone();
    let annotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
    assert_eq!(job.annotation(annotation), Some("2026-01-01T01:00:00Z"));
    assert_eq!((job.label("from"), job.controller().unwrap().kind.as_str()), (Some("template"), "CronJob"));
    let status = status(&cluster);
    assert_eq!(status.last_schedule_time.unwrap().0.to_string(), "2026-01-01T01:00:00Z");
    assert!(status.last_successful_time.is_some() && status.active.is_none());
    assert_eq!(reasons(&cluster), ["SuccessfulCreate", "SawCompletedJob"]);
}

#[test]
fn only_so_many_finished_jobs_are_kept() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"successfulJobsHistoryLimit": 2}));
    until(&mut cluster, "2026-01-01T04:30:00Z");
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T03:00:00Z"), name_of("2026-01-01T04:00:00Z")]);
    assert_eq!(reasons(&cluster).iter().filter(|r| *r == "SuccessfulDelete").count(), 2);
}

#[test]
fn one_failed_job_is_kept_by_default() {
    let mut cluster = cluster();
    create(&mut cluster, "bad", json!({}));
    until(&mut cluster, "2026-01-01T03:30:00Z");
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T03:00:00Z")]);
    assert!(status(&cluster).last_successful_time.is_none());
}

#[test]
fn a_running_job_allows_forbids_or_is_replaced_by_the_next() {
    for (policy, running, reason) in
        [("Allow", 2, "SuccessfulCreate"), ("Forbid", 1, "JobAlreadyActive"), ("Replace", 1, "SuccessfulDelete")]
    {
        let mut cluster = cluster();
        create(&mut cluster, "runs", json!({"concurrencyPolicy": policy}));
        until(&mut cluster, "2026-01-01T02:30:00Z");
        let active = status(&cluster).active.unwrap();
        assert_eq!((active.len(), jobs(&cluster).len()), (running, running), "{policy}");
        assert!(reasons(&cluster).iter().any(|r| r == reason), "{policy}");
        let newest = if policy == "Forbid" { "2026-01-01T01:00:00Z" } else { "2026-01-01T02:00:00Z" };
        assert_eq!(active.last().unwrap().name, Some(name_of(newest)), "{policy}");
    }
}

#[test]
fn a_suspended_schedule_makes_nothing_and_then_only_the_last_missed_job() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"suspend": true}));
    until(&mut cluster, "2026-01-01T03:30:00Z");
    assert!(jobs(&cluster).is_empty());
    change(&mut cluster, |job| job.spec.suspend = Some(false));
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T03:00:00Z")]);
}

#[test]
fn a_job_that_is_too_late_is_not_started() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"suspend": true, "startingDeadlineSeconds": 60}));
    until(&mut cluster, "2026-01-01T03:30:00Z");
    change(&mut cluster, |job| job.spec.suspend = Some(false));
    assert!(jobs(&cluster).is_empty());
    until(&mut cluster, "2026-01-01T04:00:01Z");
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T04:00:00Z")]);
}

#[test]
fn a_changed_schedule_does_not_make_up_for_its_past() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"schedule": "0 0 1 6 *"}));
    until(&mut cluster, "2026-01-01T03:30:30Z");
    change(&mut cluster, |job| job.spec.schedule = "*/10 * * * *".to_owned());
    assert!(jobs(&cluster).is_empty());
    until(&mut cluster, "2026-01-01T03:41:00Z");
    assert_eq!(jobs(&cluster), [name_of("2026-01-01T03:40:00Z")]);
}

#[test]
fn the_schedule_is_read_in_its_time_zone() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"schedule": "0 3 * * *", "timeZone": "Europe/Berlin"}));
    until(&mut cluster, "2026-01-01T02:01:00Z");
    let job = cluster.api().store().list_in::<Job>("default").next().unwrap().clone();
    let annotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
    assert_eq!(job.annotation(annotation), Some("2026-01-01T03:00:00+01:00"));
}

#[test]
fn settling_does_not_wait_for_the_schedule() {
    let mut cluster = cluster();
    create(&mut cluster, "ok", json!({"schedule": "* * * * *"}));
    cluster.settle();
    assert!(jobs(&cluster).is_empty());
    cluster.advance(SignedDuration::from_secs(60));
    assert_eq!(jobs(&cluster).len(), 1);
}
