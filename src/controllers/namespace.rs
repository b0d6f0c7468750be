//! Deletes what is in a namespace and then the namespace (`pkg/controller/namespace`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{RetryQueue, is_pod_terminal};
use crate::api::kinds::namespace::{KUBERNETES_FINALIZER, phase, spec_finalizers};
use crate::api::object::{ApiObject, Kind, Object, ObjectKey};
use crate::api::server::{DeleteOptions, seconds_after};
use crate::api::status::Reason;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

/// How long a deletion is left alone, so that others notice it.
const DELETION_GRACE_PERIOD: SignedDuration = SignedDuration::from_secs(5);
/// How long an object with finalizers is thought to stay.
const FINALIZER_ESTIMATE_SECONDS: i64 = 15;

/// Condition types in their order, with reason and message when all is well.
const CONDITIONS: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
];

/// The namespace controller.
#[derive(Clone, Default)]
pub struct NamespaceController {
    queue: RetryQueue<String>,
    /// Terminating namespaces that changed just now.
    changed: Vec<String>,
}

impl Reconciler for NamespaceController {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(namespace))) = change.of::<Namespace>()
            && namespace.is_terminating()
        {
            self.changed.push(namespace.name().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for name in self.changed.drain(..) {
            self.queue.add_at(name, now + DELETION_GRACE_PERIOD);
        }
        let Some(name) = self.queue.pop(now) else { return false };
        match sync(context.api, &name) {
            Synced::Done => self.queue.forget(&name),
            Synced::Remaining(estimate) => {
                self.queue.add_at(name, seconds_after(now, estimate / 2 + 1));
            }
            Synced::Failed => self.queue.retry(name, now),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

enum Synced {
    Done,
    /// Something is left that goes away by itself, in about so many seconds.
    Remaining(i64),
    Failed,
}

/// What is left of the objects of one kind, or of all kinds.
#[derive(Default)]
struct Remaining {
    estimate: i64,
    resources: Vec<String>,
    finalizers: BTreeMap<String, usize>,
    errors: Vec<String>,
}

/// `namespacedResourcesDeleter.Delete`.
fn sync(api: &mut ApiServer, name: &str) -> Synced {
    let Some(namespace) = api.get::<Namespace>("", name).cloned() else { return Synced::Done };
    let Some(deleted_at) = namespace.metadata.deletion_timestamp.as_ref().map(|t| t.0) else { return Synced::Done };
    if spec_finalizers(&namespace).is_empty() {
        return Synced::Done;
    }
    debug_assert_eq!(phase(&namespace), "Terminating");
    let mut remaining = Remaining::default();
    // pods go first: while there are some, nothing else is touched (`OrderedNamespaceDeletion`)
    delete_all_of(api, Kind::Pod, name, deleted_at, &mut remaining);
    if remaining.resources.is_empty() {
        for kind in Kind::ALL.iter().filter(|k| k.namespaced() && **k != Kind::Pod) {
            delete_all_of(api, *kind, name, deleted_at, &mut remaining);
        }
        update_conditions(api, &namespace, &remaining);
    } else {
        let errors = Remaining { errors: remaining.errors.clone(), ..Default::default() };
        update_conditions(api, &namespace, &errors);
    }
    if !remaining.errors.is_empty() {
        return Synced::Failed;
    }
    if remaining.estimate > 0 {
        return Synced::Remaining(remaining.estimate);
    }
    let mut finalizers: Vec<String> =
        spec_finalizers(&namespace).iter().filter(|f| *f != KUBERNETES_FINALIZER).cloned().collect();
    finalizers.sort();
    finalizers.dedup();
    // it may have been removed already
    let _ = api.finalize_namespace(name, finalizers);
    Synced::Done
}

/// Deletes the objects of a kind and counts those that stay (`deleteAllContentForGroupVersionResource`).
fn delete_all_of(api: &mut ApiServer, kind: Kind, namespace: &str, deleted_at: Timestamp, remaining: &mut Remaining) {
    let keys =
        |api: &ApiServer| -> Vec<ObjectKey> { api.store().objects_of_in(kind, namespace).map(Object::key).collect() };
    let mut estimate = if kind == Kind::Pod { grace_period_of_pods(api, namespace) } else { 0 };
    if api.now().duration_since(deleted_at) >= SignedDuration::from_secs(estimate) {
        estimate = 0;
    }
    for key in keys(api) {
        match api.delete(&key, &DeleteOptions::default()) {
            Err(status) if status.reason != Reason::NotFound => {
                remaining.estimate = remaining.estimate.max(estimate);
                remaining.errors.push(status.message);
                return;
            }
            _ => {}
        }
    }
    let left: Vec<&Object> = api.store().objects_of_in(kind, namespace).collect();
    if left.is_empty() {
        return;
    }
    let (plural, group, count) = (kind.plural(), kind.group(), left.len());
    remaining.resources.push(format!("{plural}.{group} has {count} resource instances"));
    let mut has_finalizers = false;
    for finalizer in left.iter().flat_map(|o| o.metadata().finalizers.iter().flatten()) {
        *remaining.finalizers.entry(finalizer.clone()).or_insert(0) += 1;
        has_finalizers = true;
    }
    if estimate == 0 && !has_finalizers {
        let version = kind.version();
        let resource = format!("{group}/{version}, Resource={plural}");
        remaining.errors.push(format!("unexpected items still remain in namespace: {namespace} for gvr: {resource}"));
    }
    let estimate = if estimate == 0 && has_finalizers { FINALIZER_ESTIMATE_SECONDS } else { estimate };
    remaining.estimate = remaining.estimate.max(estimate);
}

/// `estimateGracefulTerminationForPods`.
fn grace_period_of_pods(api: &ApiServer, namespace: &str) -> i64 {
    let running = api.store().list_in::<Pod>(namespace).filter(|pod| !is_pod_terminal(pod));
    running.filter_map(|pod| pod.spec.as_ref()?.termination_grace_period_seconds).max().unwrap_or(0).max(0)
}

/// Says in the namespace's status how far its deletion is (`namespaceConditionUpdater`).
fn update_conditions(api: &mut ApiServer, namespace: &Arc<Namespace>, remaining: &Remaining) {
    let mut failing: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    if !remaining.errors.is_empty() {
        let mut errors = remaining.errors.clone();
        errors.sort();
        let (count, errors) = (errors.len(), errors.join(", "));
        let message = format!("Failed to delete all resource types, {count} remaining: {errors}");
        failing.insert("NamespaceDeletionContentFailure", ("ContentDeletionFailed", message));
    }
    if !remaining.resources.is_empty() {
        let mut resources = remaining.resources.clone();
        resources.sort();
        let message = format!("Some resources are remaining: {}", resources.join(", "));
        failing.insert("NamespaceContentRemaining", ("SomeResourcesRemain", message));
    }
    if !remaining.finalizers.is_empty() {
        let counts = remaining.finalizers.iter().map(|(f, count)| format!("{f} in {count} resource instances"));
        let mut counts: Vec<String> = counts.collect();
        counts.sort();
        let message = format!("Some content in the namespace has finalizers remaining: {}", counts.join(", "));
        failing.insert("NamespaceFinalizersRemaining", ("SomeFinalizersRemain", message));
    }
    let mut changed = (**namespace).clone();
    let now = api.time();
    let status: &mut NamespaceStatus = changed.status.get_or_insert_default();
    let conditions = status.conditions.get_or_insert_default();
    for (type_, reason, message) in CONDITIONS {
        let (status, (reason, message)) = match failing.remove(type_) {
            Some(failure) => ("True", failure),
            None => ("False", (reason, message.to_owned())),
        };
        let condition = NamespaceCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: Some(now.clone()),
        };
        match conditions.iter_mut().find(|c| c.type_ == type_) {
            Some(old) if old.status == condition.status => {
                old.reason = condition.reason;
                old.message = condition.message;
            }
            Some(old) => *old = condition,
            None => conditions.push(condition),
        }
    }
    // the namespace may be gone: nothing is left to be told then
    let _ = api.update_status(changed);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::dynamic::FieldValidation;
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    fn cluster(objects: &[(Kind, serde_json::Value)]) -> Cluster {
        let mut cluster = Cluster::new(Environment::default());
        cluster.api_mut().create(namespace("a")).unwrap();
        cluster.run();
        for (kind, object) in objects {
            cluster.api_mut().create_value(*kind, "a", object, FieldValidation::Strict).unwrap();
        }
        cluster
    }

    fn namespace(name: &str) -> Namespace {
        serde_json::from_value(serde_json::json!({"metadata": {"name": name}})).unwrap()
    }

    fn delete(cluster: &mut Cluster) {
        let key = ObjectKey::new(Kind::Namespace, "", "a");
        cluster.api_mut().delete(&key, &DeleteOptions::default()).unwrap();
    }

    #[test]
    fn a_namespace_goes_with_all_its_content() {
        let map = serde_json::json!({"metadata": {"name": "m"}});
        let mut cluster = cluster(&[(Kind::ConfigMap, map)]);
        delete(&mut cluster);
        cluster.settle();
        assert!(cluster.api().get::<Namespace>("", "a").is_none());
        assert_eq!(cluster.api().store().objects_in("a").count(), 0);
    }

    #[test]
    fn nothing_is_created_in_a_namespace_that_goes_away() {
        let mut cluster = cluster(&[]);
        delete(&mut cluster);
        let map = serde_json::json!({"metadata": {"name": "m"}});
        let refused = cluster.api_mut().create_value(Kind::ConfigMap, "a", &map, FieldValidation::Strict).unwrap_err();
        let expected = "configmaps \"m\" is forbidden: unable to create new content in namespace a because it is being \
                        terminated";
        assert_eq!(refused.message, expected);
    }

    #[test]
    fn no_events_are_created_in_a_namespace_that_goes_away_and_those_before_go_with_it() {
        use crate::api::event::EventType;
        let mut cluster = cluster(&[(Kind::ConfigMap, serde_json::json!({"metadata": {"name": "m"}}))]);
        let map = cluster.api().get::<k8s_openapi::api::core::v1::ConfigMap>("a", "m").cloned().unwrap();
        cluster.api_mut().event("test", &map, EventType::Normal, "Before", "");
        delete(&mut cluster);
        cluster.api_mut().event("test", &map, EventType::Normal, "After", "");
        let reasons: Vec<&str> = cluster.api().events().iter().map(|e| e.reason.as_str()).collect();
        assert_eq!(reasons, ["Before"]);
        cluster.settle();
        assert!(cluster.api().events().iter().all(|e| e.is_gone));
    }

    #[test]
    fn a_finalizer_on_its_content_keeps_a_namespace_and_its_status_says_so() {
        let map = serde_json::json!({"metadata": {"name": "m", "finalizers": ["example.com/x"]}});
        let mut cluster = cluster(&[(Kind::ConfigMap, map)]);
        delete(&mut cluster);
        cluster.settle();
        let namespace = cluster.api().get::<Namespace>("", "a").unwrap();
        let conditions = namespace.status.clone().unwrap().conditions.unwrap();
        let messages: Vec<String> = conditions.into_iter().filter_map(|c| c.message).collect();
        let expected = [
            "All resources successfully discovered",
            "All legacy kube types successfully parsed",
            "All content successfully deleted, may be waiting on finalization",
            "Some resources are remaining: configmaps. has 1 resource instances",
            "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances",
        ];
        assert_eq!(messages, expected);
    }

    #[test]
    fn every_namespace_gets_its_account_and_its_certificates_back() {
        use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
        let mut cluster = cluster(&[]);
        for (kind, name) in [(Kind::ServiceAccount, "default"), (Kind::ConfigMap, "kube-root-ca.crt")] {
            cluster.api_mut().delete(&ObjectKey::new(kind, "a", name), &DeleteOptions::default()).unwrap();
        }
        cluster.run();
        assert!(cluster.api().get::<ServiceAccount>("a", "default").is_some());
        assert!(cluster.api().get::<ConfigMap>("a", "kube-root-ca.crt").is_some());
    }
}
