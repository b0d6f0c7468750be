#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;

fn template() -> Value {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox",
        "imagePullPolicy": "Always", "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File"}], "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler", "securityContext": {}});
    json!({"spec": spec})
}

/// A Job as it is stored.
fn job(mut spec: Value) -> Job {
    if spec.get("template").is_none() {
        spec["template"] = template();
    }
    let object = json!({"metadata": {"name": "pi", "namespace": "default", "uid": "u-1"}, "spec": spec});
    let mut job: Job = serde_json::from_value(object).unwrap();
    job.set_defaults();
    if job.spec.as_ref().unwrap().manual_selector != Some(true) {
        generate_selector(&mut job);
    }
    default_labels(&mut job);
    job
}

fn errors(spec: Value) -> Vec<String> {
    job(spec).validate().iter().map(ToString::to_string).collect()
}

fn update_errors(old: &Job, change: impl FnOnce(&mut JobSpec)) -> Vec<String> {
    let mut new = old.clone();
    change(new.spec.as_mut().unwrap());
    let mut texts: Vec<String> = new.validate_update(old).iter().map(ToString::to_string).collect();
    texts.dedup();
    texts
}

#[test]
fn a_job_that_says_nothing_runs_one_pod_once() {
    let spec = job(json!({})).spec.unwrap();
    assert_eq!((spec.completions, spec.parallelism, spec.backoff_limit), (Some(1), Some(1), Some(6)));
    assert_eq!(spec.pod_replacement_policy.as_deref(), Some("TerminatingOrFailed"));
    let spec = job(json!({"parallelism": 2})).spec.unwrap();
    assert_eq!((spec.completions, spec.parallelism), (None, Some(2)));
    let spec = job(json!({"completionMode": "Indexed", "completions": 1, "backoffLimitPerIndex": 1})).spec.unwrap();
    assert_eq!(spec.backoff_limit, Some(i32::MAX));
}

#[test]
fn a_job_takes_over_the_labels_of_its_template() {
    let mut with_labels = template();
    with_labels["metadata"] = json!({"labels": {"app": "pi"}});
    let labels: Vec<String> = job(json!({"template": with_labels})).metadata.labels.unwrap().into_keys().collect();
    let generated = [CONTROLLER_UID_LABEL, JOB_NAME_LABEL, LEGACY_CONTROLLER_UID_LABEL, LEGACY_JOB_NAME_LABEL];
    assert_eq!(labels, ["app", generated[0], generated[1], generated[2], generated[3]]);
}

#[test]
fn a_valid_job_has_no_errors() {
    assert_eq!(errors(json!({})), Vec::<String>::new());
}

#[test]
fn a_selector_of_one_s_own_needs_manual_selector() {
    let wrong = errors(json!({"selector": {"matchLabels": {"app": "sel"}}}));
    assert_eq!(
        wrong,
        [
            "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"sel\",\"batch.kubernetes.io/controller-uid\":\"u-1\"}}: \
             `selector` not auto-generated",
            "spec.template.metadata.labels: Invalid value: {\"batch.kubernetes.io/controller-uid\":\"u-1\",\
             \"batch.kubernetes.io/job-name\":\"pi\",\"controller-uid\":\"u-1\",\"job-name\":\"pi\"}: `selector` does not \
             match template `labels`",
        ]
    );
    assert_eq!(errors(json!({"manualSelector": true}))[0], "spec.selector: Required value");
}

#[test]
fn the_restart_policy_must_be_given() {
    let policy = |policy: &str| {
        let mut template = template();
        template["spec"]["restartPolicy"] = json!(policy);
        errors(json!({"template": template}))
    };
    let required = "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"";
    assert_eq!(policy("Always"), [required]);
    assert!(policy("OnFailure").is_empty());
}

#[test]
fn indexed_jobs_need_completions() {
    let wrong = errors(json!({"completionMode": "Indexed", "parallelism": 2}));
    assert_eq!(wrong, ["spec.completions: Required value: when completion mode is Indexed"]);
    let wrong = errors(json!({"completionMode": "indexed"}));
    assert_eq!(
        wrong,
        ["spec.completionMode: Unsupported value: \"indexed\": supported values: \"NonIndexed\", \"Indexed\""]
    );
    let wrong = errors(json!({"backoffLimitPerIndex": 1}));
    assert_eq!(wrong, ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]);
}

#[test]
fn pod_failure_policies_are_checked() {
    let wrong = errors(json!({"podFailurePolicy": {"rules": [
        {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [0, 3, 2, 2], "containerName": "x"}},
        {"action": "Stop", "onPodConditions": [{"type": "DisruptionTarget", "status": "Maybe"}]},
        {"action": "Ignore"},
    ]}}));
    let at = "spec.podFailurePolicy.rules";
    let expected = [
        format!("{at}[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set"),
        format!(
            "{at}[0].onExitCodes.containerName: Invalid value: \"x\": must be one of the container or initContainer \
             names in the pod template"
        ),
        format!("{at}[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"),
        format!("{at}[0].onExitCodes.values[3]: Duplicate value: 2"),
        format!("{at}[0].onExitCodes.values: Invalid value: [0,3,2,2]: must be ordered"),
        format!(
            "{at}[1].action: Unsupported value: \"Stop\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \
             \"Ignore\""
        ),
        format!(
            "{at}[1].onPodConditions[0].status: Unsupported value: \"Maybe\": supported values: \"False\", \"True\", \
             \"Unknown\""
        ),
        format!("{at}[2]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"),
    ];
    assert_eq!(wrong, expected);
}

#[test]
fn success_policies_name_existing_indexes() {
    let wrong = errors(json!({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [
        {}, {"succeededIndexes": "0,2-5"}, {"succeededIndexes": "0-1", "succeededCount": 3}, {"succeededIndexes": "1,1"},
    ]}}));
    let at = "spec.successPolicy.rules";
    let expected = [
        format!("{at}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"),
        format!(
            "{at}[1].succeededIndexes: Invalid value: \"0,2-5\": error parsing succeededIndexes: too large index: \"5\""
        ),
        format!(
            "{at}[2].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the \
             specified succeededIndexes field)"
        ),
        format!(
            "{at}[3].succeededIndexes: Invalid value: \"1,1\": error parsing succeededIndexes: non-increasing order, \
             previous: 1, current: 1"
        ),
    ];
    assert_eq!(wrong, expected);
}

#[test]
fn completions_and_template_are_immutable() {
    let old = job(json!({}));
    let wrong = update_errors(&old, |spec| spec.completions = Some(2));
    assert_eq!(wrong, ["spec.completions: Invalid value: 2: field is immutable"]);
    let wrong = update_errors(&old, |spec| {
        spec.template.spec.as_mut().unwrap().containers[0].image = Some("nginx".to_owned());
    });
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].starts_with("spec.template: Invalid value: {\"labels\":{\"batch.kubernetes.io/controller-uid\""));
    assert!(wrong[0].contains("\"Spec\":{\"Volumes\":null,\"InitContainers\":null,\"Containers\":[{\"Name\":\"c\""));
    assert!(wrong[0].ends_with(": field is immutable"));
    assert!(update_errors(&old, |spec| spec.parallelism = Some(3)).is_empty());
}

#[test]
fn an_indexed_job_is_resized_in_both_numbers() {
    let old = job(json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2}));
    let wrong = update_errors(&old, |spec| spec.completions = Some(3));
    assert_eq!(wrong, ["spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"]);
    let resize = |spec: &mut JobSpec| (spec.completions, spec.parallelism) = (Some(3), Some(3));
    assert!(update_errors(&old, resize).is_empty());
}

#[test]
fn a_suspended_job_may_change_where_and_how_big_its_pods_are() {
    let old = job(json!({"suspend": true}));
    let wrong = update_errors(&old, |spec| {
        let pod = spec.template.spec.as_mut().unwrap();
        pod.node_selector = Some([("disk".to_owned(), "ssd".to_owned())].into());
        pod.containers[0].resources.get_or_insert_default().requests = Some([].into());
    });
    assert_eq!(wrong, Vec::<String>::new());
    let wrong = update_errors(&old, |spec| {
        spec.template.spec.as_mut().unwrap().containers[0].image = Some("nginx".to_owned());
    });
    assert!(wrong[0].starts_with("spec.template.spec: Invalid value: {\"Volumes\":null,"), "{wrong:?}");
}
