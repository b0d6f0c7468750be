//! Counts the pods of a PodDisruptionBudget (`pkg/controller/disruption`). Nothing here evicts, so no pod is ever waited
//! for.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, OwnerReference};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{Key, RetryQueue, is_pod_ready, key_of};
use super::deployment::scaled;
use crate::api::event::EventType;
use crate::api::label_selector;
use crate::api::object::{ApiObject, Kind};
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

const SOURCE: &str = "controllermanager";
/// How long a change of a pod waits for others.
const BATCH: SignedDuration = SignedDuration::from_millis(1);

/// The disruption controller.
#[derive(Clone, Default)]
pub struct DisruptionController {
    queue: RetryQueue<Key>,
    changed: BTreeSet<Key>,
}

impl Reconciler for DisruptionController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((_, Some(budget))) = change.of::<PodDisruptionBudget>() {
            self.queue.add(key_of(&**budget));
        } else if let Some((old, new)) = change.of::<Pod>() {
            let Some(pod) = new.or(old) else { return };
            for budget in store.list_in::<PodDisruptionBudget>(pod.namespace()) {
                let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref());
                let selects = |pod: &Arc<Pod>| {
                    selector.is_some() && label_selector::matches(selector, pod.metadata.labels.as_ref())
                };
                if [old, new].into_iter().flatten().any(selects) {
                    self.changed.insert(key_of(&**budget));
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for key in std::mem::take(&mut self.changed) {
            self.queue.add_at(key, now + BATCH);
        }
        let Some(key) = self.queue.pop(now) else { return false };
        if let Some(budget) = context.api.get::<PodDisruptionBudget>(&key.0, &key.1).cloned()
            && let Some(spec) = budget.spec.as_ref()
        {
            sync(context.api, &budget, spec);
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// `trySync`.
fn sync(api: &mut ApiServer, budget: &Arc<PodDisruptionBudget>, spec: &PodDisruptionBudgetSpec) {
    let selector = spec.selector.as_ref();
    let pods = api.store().list_in::<Pod>(budget.namespace());
    let selected = pods.filter(|p| selector.is_some() && label_selector::matches(selector, p.metadata.labels.as_ref()));
    let pods: Vec<Arc<Pod>> = selected.cloned().collect();
    if pods.is_empty() {
        api.event(SOURCE, budget, EventType::Normal, "NoPods", "No matching pods found");
    }
    let counted = expected_pod_count(api, spec, &pods);
    let Counted { expected, desired, unmanaged } = match counted {
        Ok(counted) => counted,
        Err(why) => {
            let message = format!("Failed to calculate the number of expected pods: {why}");
            api.event(SOURCE, budget, EventType::Warning, "CalculateExpectedPodCountFailed", message);
            // `failSafe`
            let mut status = budget.status.clone().unwrap_or_default();
            status.disruptions_allowed = Some(0);
            return write(api, budget, status, "SyncFailed", &why);
        }
    };
    if unmanaged {
        let message = format!(
            "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of \
             the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods \
             please set \".spec.minAvailable\" field of the PDB to an integer value.",
            selector.map_or_else(|| "nil".to_owned(), label_selector::go_string)
        );
        api.event(SOURCE, budget, EventType::Warning, "UnmanagedPods", message);
    }
    let healthy = pods.iter().filter(|p| !p.is_terminating() && is_pod_ready(p)).count();
    let healthy = i32::try_from(healthy).unwrap_or(i32::MAX);
    let allowed = if expected <= 0 { 0 } else { (healthy - desired).max(0) };
    let old = budget.status.clone().unwrap_or_default();
    let status = PodDisruptionBudgetStatus {
        current_healthy: Some(healthy),
        desired_healthy: Some(desired),
        expected_pods: Some(expected),
        disruptions_allowed: Some(allowed),
        observed_generation: budget.metadata.generation,
        ..old
    };
    write(api, budget, status, if allowed > 0 { "SufficientPods" } else { "InsufficientPods" }, "");
}

/// `UpdateDisruptionAllowedCondition`, `writePdbStatus`.
fn write(
    api: &mut ApiServer,
    budget: &Arc<PodDisruptionBudget>,
    mut status: PodDisruptionBudgetStatus,
    reason: &str,
    message: &str,
) {
    let now = api.time();
    let wanted = Condition {
        type_: "DisruptionAllowed".to_owned(),
        status: if reason == "SufficientPods" { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: status.observed_generation,
        last_transition_time: now,
    };
    let conditions = status.conditions.get_or_insert_default();
    match conditions.iter_mut().find(|c| c.type_ == wanted.type_) {
        Some(condition) if condition.status == wanted.status => {
            let since = condition.last_transition_time.clone();
            *condition = Condition { last_transition_time: since, ..wanted };
        }
        Some(condition) => *condition = wanted,
        None => conditions.push(wanted),
    }
    if budget.status.as_ref() != Some(&status) {
        let changed = PodDisruptionBudget { status: Some(status), ..PodDisruptionBudget::clone(budget) };
        // it may be gone
        let _ = api.update_status(changed);
    }
}

struct Counted {
    expected: i32,
    desired: i32,
    unmanaged: bool,
}

/// `getExpectedPodCount`.
fn expected_pod_count(api: &ApiServer, spec: &PodDisruptionBudgetSpec, pods: &[Arc<Pod>]) -> Result<Counted, String> {
    let selected = i32::try_from(pods.len()).unwrap_or(i32::MAX);
    match (&spec.max_unavailable, &spec.min_available) {
        (Some(maximum), _) => {
            let (expected, unmanaged) = expected_scale(api, pods)?;
            let desired = expected.saturating_sub(scaled(Some(maximum), expected, true)).max(0);
            Ok(Counted { expected, desired, unmanaged })
        }
        (None, Some(IntOrString::Int(desired))) => {
            Ok(Counted { expected: selected, desired: *desired, unmanaged: false })
        }
        (None, Some(minimum)) => {
            let (expected, unmanaged) = expected_scale(api, pods)?;
            Ok(Counted { expected, desired: scaled(Some(minimum), expected, true), unmanaged })
        }
        (None, None) => Ok(Counted { expected: 0, desired: 0, unmanaged: false }),
    }
}

/// How many pods the controllers of these pods want, and whether some pod has no controller (`getExpectedScale`).
fn expected_scale(api: &ApiServer, pods: &[Arc<Pod>]) -> Result<(i32, bool), String> {
    let mut scales: BTreeMap<String, i32> = BTreeMap::new();
    let mut unmanaged = false;
    for pod in pods {
        match pod.controller() {
            None => unmanaged = true,
            Some(controller) => {
                let missing = || format!("found no controllers for pod \"{}\"", pod.name());
                let (uid, scale) = scale_of(api, pod.namespace(), controller)?.ok_or_else(missing)?;
                scales.insert(uid, scale);
            }
        }
    }
    Ok((scales.values().fold(0, |sum: i32, scale| sum.saturating_add(*scale)), unmanaged))
}

/// The controller that decides on the number of pods, and that number (`finders`).
fn scale_of(api: &ApiServer, namespace: &str, controller: &OwnerReference) -> Result<Option<(String, i32)>, String> {
    let found = |uid: &str, replicas: Option<i32>| Ok(Some((uid.to_owned(), replicas.unwrap_or(1))));
    match controller.kind.as_str() {
        "ReplicaSet" => {
            let set = api.get::<ReplicaSet>(namespace, &controller.name).filter(|s| s.uid() == controller.uid);
            let Some(set) = set else { return Ok(None) };
            let Some(owner) = set.controller().filter(|c| c.kind == "Deployment") else {
                return found(set.uid(), set.spec.as_ref().and_then(|s| s.replicas));
            };
            let deployment = api.get::<Deployment>(namespace, &owner.name).filter(|d| d.uid() == owner.uid);
            deployment.map_or(Ok(None), |d| found(d.uid(), d.spec.as_ref().and_then(|s| s.replicas)))
        }
        "StatefulSet" => {
            let set = api.get::<StatefulSet>(namespace, &controller.name).filter(|s| s.uid() == controller.uid);
            set.map_or(Ok(None), |s| found(s.uid(), s.spec.as_ref().and_then(|s| s.replicas)))
        }
        _ => match Kind::find(&controller.api_version, &controller.kind) {
            Some(kind) => Err(format!("{} does not implement the scale subresource", kind.qualified_resource())),
            None => Ok(None),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::controllers::testing::World;
    use serde_json::json;

    fn counts(spec: serde_json::Value) -> (i32, i32, i32, i32, String) {
        let number = |n: Option<i32>| n.unwrap();
        let mut world = World::new();
        world.create::<Deployment>(json!({"metadata": {"name": "web"}, "spec": {"replicas": 3,
            "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]}}}}));
        world.create::<PodDisruptionBudget>(json!({"metadata": {"name": "b"}, "spec": spec}));
        world.settle();
        let status = world.get::<PodDisruptionBudget>("b").status.clone().unwrap();
        let reason = status.conditions.unwrap().pop().unwrap().reason;
        (
            number(status.expected_pods),
            number(status.current_healthy),
            number(status.desired_healthy),
            number(status.disruptions_allowed),
            reason,
        )
    }

    #[test]
    fn a_budget_counts_the_pods_that_may_go() {
        let selector = json!({"matchLabels": {"app": "web"}});
        let sufficient = "SufficientPods".to_owned();
        assert_eq!(counts(json!({"selector": selector, "minAvailable": 2})), (3, 3, 2, 1, sufficient.clone()));
        assert_eq!(counts(json!({"selector": selector, "maxUnavailable": "34%"})), (3, 3, 1, 2, sufficient));
        let insufficient = "InsufficientPods".to_owned();
        assert_eq!(counts(json!({"selector": selector, "minAvailable": "100%"})), (3, 3, 3, 0, insufficient.clone()));
        assert_eq!(counts(json!({"minAvailable": 1})), (0, 0, 1, 0, insufficient));
    }

    #[test]
    fn a_pod_without_a_controller_is_no_part_of_a_percentage() {
        let mut world = World::new();
        world.create::<Pod>(json!({"metadata": {"name": "p", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}));
        world.create::<PodDisruptionBudget>(json!({"metadata": {"name": "b"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}}));
        world.settle();
        let events = world.events(Kind::PodDisruptionBudget);
        let selector =
            "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}";
        assert!(events.iter().any(|e| e.contains(selector)), "{events:?}");
    }
}
