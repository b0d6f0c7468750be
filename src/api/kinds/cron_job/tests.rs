#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;

fn cron_job(name: &str, spec: Value) -> CronJob {
    let mut object = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"schedule": "0 2 * * *",
        "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "OnFailure", "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler", "containers": [{"name": "c",
            "image": "busybox", "imagePullPolicy": "Always", "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File"}]}}}}}});
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    let mut object: CronJob = serde_json::from_value(object).unwrap();
    object.set_defaults();
    object
}

fn errors(spec: Value) -> Vec<String> {
    cron_job("nightly", spec).validate().iter().map(ToString::to_string).collect()
}

#[test]
fn history_and_concurrency_have_defaults_and_the_job_has_none() {
    let spec = cron_job("nightly", json!({})).spec;
    assert_eq!(spec.concurrency_policy.as_deref(), Some("Allow"));
    assert_eq!((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit), (Some(3), Some(1)));
    assert_eq!(spec.job_template.spec.unwrap().backoff_limit, None);
}

#[test]
fn schedule_zone_policy_and_limits_are_checked() {
    assert_eq!(errors(json!({})), Vec::<String>::new());
    let wrong =
        errors(json!({"schedule": "TZ=UTC 0 25 * * *", "timeZone": "Europe/Bonn", "concurrencyPolicy": "allow",
        "startingDeadlineSeconds": -1, "failedJobsHistoryLimit": -1}));
    let expected = [
        "spec.schedule: Invalid value: \"TZ=UTC 0 25 * * *\": end of range (25) above maximum (23): 25",
        "spec.schedule: Invalid value: \"TZ=UTC 0 25 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field \
         instead",
        "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
        "spec.timeZone: Invalid value: \"Europe/Bonn\": unknown time zone Europe/Bonn",
        "spec.concurrencyPolicy: Unsupported value: \"allow\": supported values: \"Allow\", \"Forbid\", \"Replace\"",
        "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
    ];
    assert_eq!(wrong, expected);
    assert_eq!(errors(json!({"schedule": ""})), ["spec.schedule: Required value"]);
}

#[test]
fn the_name_leaves_room_for_a_time() {
    let wrong = cron_job(&"a".repeat(53), json!({})).validate();
    assert_eq!(wrong[0].detail, "must be no more than 52 characters");
    assert!(cron_job(&"a".repeat(52), json!({})).validate().is_empty());
}
