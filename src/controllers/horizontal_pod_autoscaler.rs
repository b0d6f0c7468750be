//! Keeps what a HorizontalPodAutoscaler scales between its bounds (`pkg/controller/podautoscaler`).
//!
//! The cluster has no metrics API, as on a fresh kubeadm cluster: nothing is ever scaled for its load, and the status
//! says why. A real sync comes every 15 seconds; here one comes 15 seconds after something that matters has changed.
use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus, MetricIdentifier,
    MetricSpec, MetricStatus, MetricTarget,
};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::controller_utils::{Key, RetryQueue, key_of};
use crate::api::dynamic::{FieldValidation, Patch};
use crate::api::event::EventType;
use crate::api::label_selector;
use crate::api::object::{ApiObject, Kind, Object};
use crate::api::status::Status;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

const SOURCE: &str = "horizontal-pod-autoscaler";
/// `--horizontal-pod-autoscaler-sync-period`.
const SYNC_PERIOD: SignedDuration = SignedDuration::from_secs(15);

/// The HorizontalPodAutoscaler controller.
#[derive(Clone, Default)]
pub struct HorizontalPodAutoscalerController {
    queue: RetryQueue<Key>,
    changed: BTreeSet<Key>,
}

/// The number of replicas that an object of a scalable kind asks for.
fn replicas_of(object: &Object) -> Option<i32> {
    match object {
        Object::Deployment(o) => Some(o.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)),
        Object::ReplicaSet(o) => Some(o.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)),
        Object::StatefulSet(o) => Some(o.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)),
        _ => None,
    }
}

impl HorizontalPodAutoscalerController {
    fn observe_target<T: ApiObject>(&mut self, change: &Change, store: &Store) {
        let Some((old, new)) = change.of::<T>() else { return };
        let replicas = |object: Option<&Arc<T>>| object.and_then(|o| replicas_of(&o.clone().into_object()));
        let Some(target) = new.or(old).filter(|_| replicas(old) != replicas(new)) else { return };
        for hpa in store.list_in::<HorizontalPodAutoscaler>(target.namespace()) {
            let reference = &hpa.spec.scale_target_ref;
            if reference.kind == T::ID.name() && reference.name == target.name() {
                self.changed.insert(key_of(&**hpa));
            }
        }
    }
}

impl Reconciler for HorizontalPodAutoscalerController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, Some(hpa))) = change.of::<HorizontalPodAutoscaler>()
            && old.is_none_or(|old| old.spec != hpa.spec)
        {
            self.changed.insert(key_of(&**hpa));
        }
        self.observe_target::<Deployment>(change, store);
        self.observe_target::<ReplicaSet>(change, store);
        self.observe_target::<StatefulSet>(change, store);
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for key in std::mem::take(&mut self.changed) {
            self.queue.add_at(key, now + SYNC_PERIOD);
        }
        let Some(key) = self.queue.pop(now) else { return false };
        if let Some(hpa) = context.api.get::<HorizontalPodAutoscaler>(&key.0, &key.1).cloned() {
            reconcile(context.api, &hpa);
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// The kind that is to be scaled, or why it cannot be (`RESTMappings`, `scaleForResourceMappings`).
fn target_kind(hpa: &HorizontalPodAutoscaler) -> Result<Kind, String> {
    let reference = &hpa.spec.scale_target_ref;
    let group = reference.api_version.as_deref().and_then(|v| v.split_once('/')).map_or("", |(group, _)| group);
    let found = Kind::ALL.iter().copied().find(|kind| kind.group() == group && kind.name() == reference.kind);
    match found {
        Some(kind @ (Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet)) => Ok(kind),
        Some(_) => Err("the server could not find the requested resource".to_owned()),
        None => Err(format!("no matches for kind \"{}\" in group \"{group}\"", reference.kind)),
    }
}

/// `reconcileAutoscaler`.
fn reconcile(api: &mut ApiServer, hpa: &Arc<HorizontalPodAutoscaler>) {
    let mut sync = Sync { now: api.time(), status: hpa.status.clone().unwrap_or_default(), hpa, api };
    let (namespace, name) = (hpa.namespace(), hpa.spec.scale_target_ref.name.as_str());
    let scale = target_kind(hpa).and_then(|kind| {
        let target = sync.api.store().object(kind, namespace, name);
        let missing = || Status::not_found(kind, name).message;
        target.and_then(replicas_of).map(|replicas| (kind, replicas)).ok_or_else(missing)
    });
    let (kind, current) = match scale {
        Ok(scale) => scale,
        Err(why) => {
            sync.event(EventType::Warning, "FailedGetScale", &why);
            let message = format!("the HPA controller was unable to get the target's current scale: {why}");
            sync.set_condition("AbleToScale", "False", "FailedGetScale", message);
            return sync.write();
        }
    };
    let message = "the HPA controller was able to get the target's current scale".to_owned();
    sync.set_condition("AbleToScale", "True", "SucceededGetScale", message);
    let minimum = hpa.spec.min_replicas.unwrap_or(1);
    let (wanted, reason) = if current == 0 {
        let message = "scaling is disabled since the replica count of the target is zero".to_owned();
        sync.set_condition("ScalingActive", "False", "ScalingDisabled", message);
        sync.set_status(0, 0, None);
        return sync.write();
    } else if current > hpa.spec.max_replicas {
        (hpa.spec.max_replicas, "Current number of replicas above Spec.MaxReplicas")
    } else if current < minimum {
        (minimum, "Current number of replicas below Spec.MinReplicas")
    } else {
        return sync.fail_to_compute(current);
    };
    let patch = Patch::Merge(json!({ "spec": { "replicas": wanted } }));
    match sync.api.patch(kind, namespace, name, &patch, FieldValidation::Strict) {
        Ok(_) => {
            let message = format!("the HPA controller was able to update the target scale to {wanted}");
            sync.set_condition("AbleToScale", "True", "SucceededRescale", message);
            sync.event(EventType::Normal, "SuccessfulRescale", &format!("New size: {wanted}; reason: {reason}"));
            sync.set_status(current, wanted, None);
            sync.status.last_scale_time = Some(sync.now.clone());
        }
        Err(status) => {
            let message = format!("New size: {wanted}; reason: {reason}; error: {}", status.message);
            sync.event(EventType::Warning, "FailedRescale", &message);
            let message = format!("the HPA controller was unable to update the target scale: {}", status.message);
            sync.set_condition("AbleToScale", "False", "FailedUpdateScale", message);
            let desired = sync.status.desired_replicas;
            sync.set_status(current, desired, None);
        }
    }
    sync.write();
}

struct Sync<'a> {
    api: &'a mut ApiServer,
    hpa: &'a Arc<HorizontalPodAutoscaler>,
    status: HorizontalPodAutoscalerStatus,
    now: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time,
}

impl Sync<'_> {
    fn event(&mut self, event_type: EventType, reason: &str, message: &str) {
        self.api.event(SOURCE, self.hpa, event_type, reason, message);
    }

    /// `setConditionInList`.
    fn set_condition(&mut self, type_: &str, status: &str, reason: &str, message: String) {
        let conditions = self.status.conditions.get_or_insert_default();
        let at = conditions.iter().position(|c| c.type_ == type_).unwrap_or_else(|| {
            conditions.push(HorizontalPodAutoscalerCondition { type_: type_.to_owned(), ..Default::default() });
            conditions.len() - 1
        });
        let Some(condition) = conditions.get_mut(at) else { return };
        if condition.status != status {
            condition.last_transition_time = Some(self.now.clone());
        }
        condition.status = status.to_owned();
        condition.reason = Some(reason.to_owned());
        condition.message = Some(message);
    }

    /// `setStatus`.
    fn set_status(&mut self, current: i32, desired: i32, metrics: Option<Vec<MetricStatus>>) {
        self.status.current_replicas = Some(current).filter(|n| *n != 0);
        self.status.desired_replicas = desired;
        self.status.current_metrics = metrics;
    }

    /// There are no metrics (`computeReplicasForMetrics`).
    fn fail_to_compute(&mut self, current: i32) {
        let metrics = self.hpa.spec.metrics.clone().unwrap_or_default();
        let mut first = None;
        for metric in &metrics {
            let (reason, why, prefix) = missing_metric(self.hpa.namespace(), metric);
            self.event(EventType::Warning, reason, &why);
            first.get_or_insert((reason, why, prefix));
        }
        let Some((reason, why, prefix)) = first else { return };
        let message = format!("the HPA was unable to compute the replica count: {why}");
        self.set_condition("ScalingActive", "False", reason, message);
        let desired = self.status.desired_replicas;
        self.set_status(current, desired, Some(vec![MetricStatus::default(); metrics.len()]));
        self.write();
        let count = metrics.len();
        let message = format!("invalid metrics ({count} invalid out of {count}), first error is: {prefix}: {why}");
        self.event(EventType::Warning, "FailedComputeMetricsReplicas", &message);
    }

    fn write(&mut self) {
        if self.hpa.status.as_ref() != Some(&self.status) {
            let changed = HorizontalPodAutoscaler {
                status: Some(self.status.clone()),
                ..HorizontalPodAutoscaler::clone(self.hpa)
            };
            // it may be gone
            let _ = self.api.update_status(changed);
        }
    }
}

const NO_CUSTOM_METRICS: &str =
    "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

/// Reason and words for a metric that there is not, and what is put before the words for the sum of all
/// (`computeReplicasForMetric`).
fn missing_metric(namespace: &str, metric: &MetricSpec) -> (&'static str, String, String) {
    let resource = |name: &str, target: &MetricTarget| {
        let what = if target.average_value.is_some() { "usage" } else { "utilization" };
        format!(
            "failed to get {name} {what}: unable to get metrics for resource {name}: unable to fetch metrics from resource \
             metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
        )
    };
    if let Some(source) = &metric.resource {
        let prefix = format!("failed to get {} resource metric value", source.name);
        ("FailedGetResourceMetric", resource(&source.name, &source.target), prefix)
    } else if let Some(source) = &metric.container_resource {
        let prefix = format!("failed to get {} container metric value", source.container);
        ("FailedGetContainerResourceMetric", resource(&source.name, &source.target), prefix)
    } else if let Some(source) = &metric.pods {
        let why = format!("unable to get metric {}: {NO_CUSTOM_METRICS}", source.metric.name);
        ("FailedGetPodsMetric", why, "failed to get pods metric value".to_owned())
    } else if let Some(source) = &metric.object {
        let (name, object) = (&source.metric.name, &source.described_object);
        let why =
            format!("unable to get metric {name}: {NO_CUSTOM_METRICS} on {} {namespace}/{}", object.kind, object.name);
        let average = if source.target.type_ == "AverageValue" {
            format!(": failed to get {name} object metric")
        } else {
            String::new()
        };
        ("FailedGetObjectMetric", why, format!("failed to get object metric value{average}"))
    } else {
        let unnamed = MetricIdentifier::default();
        let (identifier, average) = match &metric.external {
            Some(source) => (&source.metric, source.target.average_value.is_some()),
            None => (&unnamed, false),
        };
        let name = &identifier.name;
        let selector = identifier.selector.as_ref().map(label_selector::go_string);
        let why = format!(
            "unable to get external metric {namespace}/{name}/{}: unable to fetch metrics from external metrics API: the \
             server could not find the requested resource (get {name}.external.metrics.k8s.io)",
            selector.as_deref().unwrap_or("nil")
        );
        let inner = if average {
            format!("failed to get {name} external metric")
        } else {
            format!("failed to get external metric {name}")
        };
        ("FailedGetExternalMetric", why, format!("failed to get {name} external metric value: {inner}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::controllers::testing::World;

    fn hpa(minimum: i32, maximum: i32, target: &str) -> serde_json::Value {
        json!({"metadata": {"name": "web"}, "spec": {"minReplicas": minimum, "maxReplicas": maximum,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}}})
    }

    fn world(replicas: i32) -> World {
        let mut world = World::new();
        world.create::<Deployment>(json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]}}}}));
        world
    }

    fn replicas(world: &World) -> i32 {
        world.get::<Deployment>("web").spec.clone().unwrap().replicas.unwrap()
    }

    #[test]
    fn the_bounds_hold_without_metrics() {
        for (before, after) in [(1, 2), (3, 3), (9, 4)] {
            let mut world = world(before);
            world.create::<HorizontalPodAutoscaler>(hpa(2, 4, "web"));
            world.wait(60);
            assert_eq!(replicas(&world), after);
        }
        let mut world = world(0);
        world.create::<HorizontalPodAutoscaler>(hpa(2, 4, "web"));
        world.wait(60);
        assert_eq!(replicas(&world), 0);
    }

    #[test]
    fn an_autoscaler_says_that_there_are_no_metrics_or_no_target() {
        let mut world = world(2);
        world.create::<HorizontalPodAutoscaler>(hpa(2, 4, "web"));
        world.wait(60);
        let missing = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from \
                       resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
        let sum = format!(
            "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {missing}"
        );
        assert_eq!(world.events(Kind::HorizontalPodAutoscaler), [missing.to_owned(), sum]);
        let mut world = self::world(2);
        world.create::<HorizontalPodAutoscaler>(hpa(2, 4, "other"));
        world.wait(60);
        assert_eq!(world.events(Kind::HorizontalPodAutoscaler), ["deployments.apps \"other\" not found"]);
    }
}
