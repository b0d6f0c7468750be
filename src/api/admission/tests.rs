//! Admission as requests meet it.
#![allow(clippy::unwrap_used)]
use k8s_openapi::api::core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use serde_json::{Value, json};

use crate::api::ApiServer;
use crate::api::strategy::Strategy;

fn create<T: Strategy>(api: &mut ApiServer, object: Value) -> Result<T, String> {
    let object: T = serde_json::from_value(object).unwrap();
    api.create(object).map(|accepted| T::clone(&accepted.object)).map_err(|status| status.message)
}

/// A server with the namespace `n` and its default account.
fn server() -> ApiServer {
    let mut api = ApiServer::default();
    create::<Namespace>(&mut api, json!({"metadata": {"name": "n"}})).unwrap();
    create::<ServiceAccount>(&mut api, json!({"metadata": {"name": "default", "namespace": "n"}})).unwrap();
    api
}

fn pod(name: &str, spec: Value) -> Value {
    let mut full = json!({"containers": [{"name": "c", "image": "i"}]});
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({"metadata": {"name": name, "namespace": "n"}, "spec": full})
}

#[test]
fn a_pod_gets_the_token_of_its_account() {
    let spec = create::<Pod>(&mut server(), pod("p", json!({}))).unwrap().spec.unwrap();
    assert_eq!(spec.service_account_name.as_deref(), Some("default"));
    let volume = spec.volumes.unwrap().remove(0);
    assert!(volume.name.starts_with("kube-api-access-"), "{}", volume.name);
    let mount = spec.containers[0].volume_mounts.clone().unwrap().remove(0);
    assert_eq!((mount.name, mount.read_only), (volume.name, Some(true)));
    let spec = json!({"automountServiceAccountToken": false});
    assert_eq!(create::<Pod>(&mut server(), pod("p", spec)).unwrap().spec.unwrap().volumes, None);
}

#[test]
fn a_missing_account_is_named_twice() {
    let error = create::<Pod>(&mut server(), pod("p", json!({"serviceAccountName": "bot"}))).unwrap_err();
    let expected = "pods \"p\" is forbidden: error looking up service account n/bot: serviceaccount \"bot\" not found";
    assert_eq!(error, expected);
}

#[test]
fn priorities_come_from_classes_only() {
    let mut api = server();
    create::<PriorityClass>(&mut api, json!({"metadata": {"name": "high"}, "value": 7})).unwrap();
    let spec = create::<Pod>(&mut api, pod("p", json!({"priorityClassName": "high"}))).unwrap().spec.unwrap();
    assert_eq!((spec.priority, spec.preemption_policy.as_deref()), (Some(7), Some("PreemptLowerPriority")));
    let error = create::<Pod>(&mut api, pod("q", json!({"priorityClassName": "none"}))).unwrap_err();
    assert_eq!(error, "pods \"q\" is forbidden: no PriorityClass with name none was found");
    let error = create::<Pod>(&mut api, pod("q", json!({"priority": 5}))).unwrap_err();
    assert!(error.contains("the integer value of priority (5) must not be provided in pod spec"), "{error}");
}

#[test]
fn a_toleration_of_everything_makes_the_default_ones_superfluous() {
    let tolerations = |spec: Value| create::<Pod>(&mut server(), pod("p", spec)).unwrap().spec.unwrap().tolerations;
    assert_eq!(tolerations(json!({})).unwrap().len(), 2);
    assert_eq!(tolerations(json!({"tolerations": [{"operator": "Exists"}]})).unwrap().len(), 1);
    let own = json!({"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]});
    assert_eq!(tolerations(own).unwrap().len(), 2);
}

#[test]
fn runtime_classes_do_not_exist() {
    let error = create::<Pod>(&mut server(), pod("p", json!({"runtimeClassName": "gvisor"}))).unwrap_err();
    assert_eq!(error, "pods \"p\" is forbidden: pod rejected: RuntimeClass \"gvisor\" not found");
}

#[test]
fn limit_ranges_default_first_and_refuse_then() {
    let mut api = server();
    let limits = json!([{"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "1"}}]);
    let range = json!({"metadata": {"name": "l", "namespace": "n"}, "spec": {"limits": limits}});
    create::<LimitRange>(&mut api, range).unwrap();
    let made = create::<Pod>(&mut api, pod("p", json!({}))).unwrap();
    let text = "LimitRanger plugin set: cpu request for container c; cpu limit for container c";
    assert_eq!(made.metadata.annotations.unwrap()["kubernetes.io/limit-ranger"], text);
    let resources = made.spec.unwrap().containers.remove(0).resources.unwrap();
    assert_eq!((&resources.requests.unwrap()["cpu"].0[..], &resources.limits.unwrap()["cpu"].0[..]), ("500m", "500m"));
    let big = json!({"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "2"}}}]});
    let error = create::<Pod>(&mut api, pod("q", big)).unwrap_err();
    assert_eq!(error, "pods \"q\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
}

/// A quota whose controller has done its work.
fn quota(api: &mut ApiServer, hard: Value) {
    let object = json!({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard}});
    let mut quota = create::<ResourceQuota>(api, object).unwrap();
    let hard = quota.spec.clone().unwrap().hard;
    let used = hard.clone().map(|list| {
        let zero = || k8s_openapi::apimachinery::pkg::api::resource::Quantity("0".to_owned());
        list.into_keys().map(|name| (name, zero())).collect()
    });
    quota.status = Some(k8s_openapi::api::core::v1::ResourceQuotaStatus { hard, used });
    api.update_status(quota).unwrap();
}

#[test]
fn a_quota_counts_what_is_created_and_refuses_what_is_too_much() {
    let mut api = server();
    quota(&mut api, json!({"pods": "1", "requests.cpu": "1"}));
    let error = create::<Pod>(&mut api, pod("a", json!({}))).unwrap_err();
    assert_eq!(error, "pods \"a\" is forbidden: failed quota: q: must specify requests.cpu for: c");
    let asking = json!({"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "600m"}}}]});
    create::<Pod>(&mut api, pod("a", asking.clone())).unwrap();
    let used = api.get::<ResourceQuota>("n", "q").unwrap().status.clone().unwrap().used.unwrap();
    assert_eq!((&used["pods"].0[..], &used["requests.cpu"].0[..]), ("1", "600m"));
    let error = create::<Pod>(&mut api, pod("b", asking)).unwrap_err();
    let expected = "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=600m, used: \
                    pods=1,requests.cpu=600m, limited: pods=1,requests.cpu=1";
    assert_eq!(error, expected);
}

#[test]
fn a_refused_object_is_not_charged() {
    let mut api = server();
    quota(&mut api, json!({"count/configmaps": "5"}));
    let map = json!({"metadata": {"name": "m", "namespace": "n"}});
    create::<ConfigMap>(&mut api, map.clone()).unwrap();
    create::<ConfigMap>(&mut api, map).unwrap_err();
    let used = api.get::<ResourceQuota>("n", "q").unwrap().status.clone().unwrap().used.unwrap();
    assert_eq!(used["count/configmaps"].0, "1");
}

#[test]
fn a_quota_without_status_does_not_count_yet() {
    let mut api = server();
    let object = json!({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": {"pods": "0"}}});
    create::<ResourceQuota>(&mut api, object).unwrap();
    create::<Pod>(&mut api, pod("p", json!({}))).unwrap();
}
