#![allow(clippy::unwrap_used)]
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use crate::api::dynamic::FieldValidation;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::{DeleteOptions, Propagation};
use crate::cluster::Cluster;
use crate::environment::{Environment, ExitRule};

/// A cluster in which containers `ok` end well, `bad` with 1 and `worse` with 42.
fn cluster() -> Cluster {
    let exits = [("ok", 0), ("bad", 1), ("worse", 42)];
    let exits = exits.map(|(container, code)| ExitRule { container: container.to_owned(), code }).to_vec();
    Cluster::new(Environment { exits, ..Environment::default() })
}

fn create(cluster: &mut Cluster, kind: Kind, object: &Value) {
    cluster.api_mut().create_value(kind, "default", object, FieldValidation::Strict).unwrap();
    cluster.settle();
}

/// Makes a Job `j` of one container.
fn create_job(cluster: &mut Cluster, container: &str, mut spec: Value) {
    spec["template"]["spec"]["containers"] = json!([{"name": container, "image": "busybox"}]);
    if spec["template"]["spec"].get("restartPolicy").is_none() {
        spec["template"]["spec"]["restartPolicy"] = json!("Never");
    }
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec});
    create(cluster, Kind::Job, &job);
}

fn status(cluster: &Cluster) -> JobStatus {
    cluster.api().get::<Job>("default", "j").unwrap().status.clone().unwrap()
}

/// Type, status and reason of all conditions.
fn conditions(cluster: &Cluster) -> Vec<String> {
    let conditions = status(cluster).conditions.unwrap_or_default();
    conditions.into_iter().map(|c| format!("{}={} {}", c.type_, c.status, c.reason.unwrap_or_default())).collect()
}

fn pods(cluster: &Cluster) -> Vec<Pod> {
    cluster.api().store().list_in::<Pod>("default").map(|p| Pod::clone(p)).collect()
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    let events = cluster.api().events().iter().filter(|e| e.involved_object.kind == Kind::Job);
    events.map(|e| e.reason.clone()).collect()
}

fn wait(cluster: &mut Cluster, seconds: i64) {
    cluster.advance(SignedDuration::from_secs(seconds));
}

#[test]
fn a_job_runs_until_enough_pods_succeeded() {
    let mut cluster = cluster();
    create_job(&mut cluster, "ok", json!({"completions": 3, "parallelism": 2}));
    assert_eq!(
        conditions(&cluster),
        ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"]
    );
    let status = status(&cluster);
    assert_eq!((status.succeeded, status.active, status.ready, status.failed), (Some(3), None, Some(0), None));
    assert!(status.completion_time.is_some() && status.uncounted_terminated_pods == Some(Default::default()));
    assert_eq!(pods(&cluster).len(), 3);
    assert!(pods(&cluster).iter().all(|p| !p.has_finalizer(super::TRACKING_FINALIZER)));
    assert_eq!(reasons(&cluster).iter().filter(|r| *r == "Completed").count(), 1);
}

#[test]
fn without_completions_one_success_is_enough() {
    let mut cluster = cluster();
    create_job(&mut cluster, "ok", json!({"parallelism": 2}));
    assert_eq!((status(&cluster).succeeded, pods(&cluster).len()), (Some(2), 2));
    assert_eq!(conditions(&cluster)[1], "Complete=True CompletionsReached");
}

#[test]
fn a_failed_pod_is_replaced_after_a_growing_delay_until_the_limit() {
    let mut cluster = cluster();
    create_job(&mut cluster, "bad", json!({"backoffLimit": 3}));
    wait(&mut cluster, 600);
    assert_eq!((status(&cluster).failed, pods(&cluster).len()), (Some(4), 4));
    assert_eq!(conditions(&cluster), ["FailureTarget=True BackoffLimitExceeded", "Failed=True BackoffLimitExceeded"]);
    let mut made: Vec<_> = pods(&cluster).iter().map(|p| p.metadata.creation_timestamp.clone().unwrap().0).collect();
    made.sort();
    let delays: Vec<i64> = made.windows(2).map(|w| w[1].duration_since(w[0]).as_secs()).collect();
    assert_eq!(delays, [10, 20, 40]);
}

#[test]
fn restarts_in_place_count_towards_the_limit() {
    let mut cluster = cluster();
    create_job(&mut cluster, "bad", json!({"backoffLimit": 1, "template": {"spec": {"restartPolicy": "OnFailure"}}}));
    wait(&mut cluster, 60);
    assert_eq!(conditions(&cluster)[1], "Failed=True BackoffLimitExceeded");
    assert!(pods(&cluster).is_empty());
}

#[test]
fn a_deadline_ends_a_running_job() {
    let mut cluster = cluster();
    create_job(&mut cluster, "runs", json!({"activeDeadlineSeconds": 100}));
    assert_eq!((status(&cluster).active, status(&cluster).ready), (Some(1), Some(1)));
    wait(&mut cluster, 200);
    assert_eq!(conditions(&cluster), ["FailureTarget=True DeadlineExceeded", "Failed=True DeadlineExceeded"]);
    assert!(pods(&cluster).is_empty());
    assert_eq!(status(&cluster).failed, Some(1));
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let mut cluster = cluster();
    create_job(&mut cluster, "runs", json!({"suspend": true}));
    assert_eq!(conditions(&cluster), ["Suspended=True JobSuspended"]);
    assert!(pods(&cluster).is_empty() && status(&cluster).start_time.is_none());
    let suspend = |cluster: &mut Cluster, value: bool| {
        let mut job = Job::clone(cluster.api().get::<Job>("default", "j").unwrap());
        job.spec.as_mut().unwrap().suspend = Some(value);
        cluster.api_mut().update(job).unwrap();
        cluster.settle();
    };
    suspend(&mut cluster, false);
    assert_eq!(conditions(&cluster), ["Suspended=False JobResumed"]);
    assert_eq!((pods(&cluster).len(), status(&cluster).start_time.is_some()), (1, true));
    suspend(&mut cluster, true);
    wait(&mut cluster, 60);
    assert!(pods(&cluster).is_empty() && status(&cluster).failed.is_none());
    let events: Vec<String> = reasons(&cluster).into_iter().filter(|r| r.ends_with("ed")).collect();
    assert_eq!(events, ["Suspended", "Resumed"]);
}

#[test]
fn pods_of_an_indexed_job_know_their_index() {
    let mut cluster = cluster();
    create_job(&mut cluster, "ok", json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3}));
    assert_eq!(status(&cluster).completed_indexes.as_deref(), Some("0-2"));
    let pod = pods(&cluster).into_iter().find(|p| p.name().starts_with("j-1-")).unwrap();
    let key = "batch.kubernetes.io/job-completion-index";
    assert_eq!((pod.annotation(key), pod.label(key)), (Some("1"), Some("1")));
    let spec = pod.spec.unwrap();
    assert_eq!(spec.hostname.as_deref(), Some("j-1"));
    let env = spec.containers[0].env.clone().unwrap();
    assert_eq!(env[0].name, "JOB_COMPLETION_INDEX");
}

#[test]
fn an_index_fails_by_itself_when_it_has_a_limit() {
    let mut cluster = cluster();
    let spec = json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimitPerIndex": 1});
    create_job(&mut cluster, "bad", spec);
    wait(&mut cluster, 60);
    assert_eq!(status(&cluster).failed_indexes.as_deref(), Some("0,1"));
    assert_eq!(conditions(&cluster)[1], "Failed=True FailedIndexes");
    let counts: Vec<_> = pods(&cluster)
        .iter()
        .filter_map(|p| p.annotation("batch.kubernetes.io/job-index-failure-count").map(str::to_owned))
        .collect();
    assert_eq!(counts.iter().filter(|c| *c == "1").count(), 2);
}

#[test]
fn a_failure_policy_ends_the_job_at_once() {
    let mut cluster = cluster();
    let rule = json!({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}});
    create_job(&mut cluster, "worse", json!({"podFailurePolicy": {"rules": [rule]}}));
    assert_eq!(conditions(&cluster)[1], "Failed=True PodFailurePolicy");
    let message = status(&cluster).conditions.unwrap()[0].message.clone().unwrap();
    let pod = pods(&cluster)[0].name().to_owned();
    let expected =
        format!("Container worse for pod default/{pod} failed with exit code 42 matching FailJob rule at index 0");
    assert_eq!(message, expected);
}

#[test]
fn ignored_failures_do_not_count() {
    let mut cluster = cluster();
    let rule = json!({"action": "Ignore", "onExitCodes": {"operator": "NotIn", "values": [1]}});
    create_job(&mut cluster, "worse", json!({"backoffLimit": 0, "podFailurePolicy": {"rules": [rule]}}));
    wait(&mut cluster, 25);
    assert_eq!((status(&cluster).failed, conditions(&cluster).len()), (None, 0));
    assert!(pods(&cluster).len() > 1);
}

#[test]
fn a_success_policy_ends_the_job_early() {
    let mut cluster = cluster();
    let rules = json!([{"succeededIndexes": "0", "succeededCount": 1}]);
    let spec =
        json!({"completionMode": "Indexed", "completions": 3, "parallelism": 1, "successPolicy": {"rules": rules}});
    create_job(&mut cluster, "ok", spec);
    assert_eq!(conditions(&cluster), ["SuccessCriteriaMet=True SuccessPolicy", "Complete=True SuccessPolicy"]);
    let status = status(&cluster);
    assert_eq!((status.succeeded, status.completed_indexes.as_deref()), (Some(1), Some("0")));
    assert_eq!(status.conditions.unwrap()[1].message.as_deref(), Some("Matched rules at index 0"));
}

#[test]
fn a_finished_job_goes_after_its_time_to_live() {
    let mut cluster = cluster();
    create_job(&mut cluster, "ok", json!({"ttlSecondsAfterFinished": 100}));
    assert!(cluster.api().get::<Job>("default", "j").is_some());
    wait(&mut cluster, 101);
    assert!(cluster.api().get::<Job>("default", "j").is_none() && pods(&cluster).is_empty());
}

#[test]
fn a_job_with_a_selector_of_its_own_adopts_pods_and_counts_them() {
    let mut cluster = cluster();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stray", "labels": {"app": "x"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "runs", "image": "busybox"}]}});
    create(&mut cluster, Kind::Pod, &pod);
    let spec = json!({"manualSelector": true, "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}}});
    create_job(&mut cluster, "runs", spec);
    let pods = pods(&cluster);
    assert_eq!((pods.len(), pods[0].name()), (1, "stray"));
    assert!(pods[0].has_finalizer(super::TRACKING_FINALIZER) && pods[0].controller().is_some());
    assert_eq!(status(&cluster).active, Some(1));
}

#[test]
fn pods_of_a_deleted_job_lose_its_finalizer() {
    for propagation in [Propagation::Background, Propagation::Orphan] {
        let mut cluster = cluster();
        create_job(&mut cluster, "runs", json!({}));
        let options = DeleteOptions { propagation, ..Default::default() };
        cluster.api_mut().delete(&ObjectKey::new(Kind::Job, "default", "j"), &options).unwrap();
        wait(&mut cluster, 60);
        let left = pods(&cluster);
        assert_eq!(left.len(), usize::from(propagation == Propagation::Orphan));
        assert!(left.iter().all(|p| p.metadata.finalizers.is_none() && p.controller().is_none()));
    }
}

#[test]
fn less_parallelism_removes_pods() {
    let mut cluster = cluster();
    create_job(&mut cluster, "runs", json!({"completions": 5, "parallelism": 3}));
    assert_eq!(pods(&cluster).len(), 3);
    let mut job = Job::clone(cluster.api().get::<Job>("default", "j").unwrap());
    job.spec.as_mut().unwrap().parallelism = Some(1);
    cluster.api_mut().update(job).unwrap();
    wait(&mut cluster, 60);
    assert_eq!((pods(&cluster).len(), status(&cluster).active, status(&cluster).failed), (1, Some(1), None));
}
