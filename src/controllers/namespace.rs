//! The namespace controller: empties namespaces that are being deleted (`pkg/controller/namespace`).
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::kinds::namespace::KUBERNETES;
use crate::api::object::{Kind, ObjectKey};
use crate::api::server::{ApiServer, DeleteOptions, Propagation};
use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};

/// How long caches of the API server are given to learn that a namespace is going away.
const GRACE_PERIOD: SignedDuration = SignedDuration::from_secs(5);
/// The estimate for content that finalizers hold.
const FINALIZER_ESTIMATE: i64 = 15;

/// Deletes everything in namespaces that are being deleted, then lets them go. Keys are namespaces.
#[derive(Clone, Default)]
pub struct NamespaceController {
    queue: WorkQueue<String>,
    /// Namespaces whose deletion was seen, waiting for the current time to be known.
    seen: Vec<String>,
}

impl Reconciler for NamespaceController {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(namespace))) = change.of::<Namespace>()
            && namespace.is_terminating()
        {
            self.seen.push(namespace.name().to_owned());
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for name in std::mem::take(&mut self.seen) {
            self.queue.add_at(name, now + GRACE_PERIOD);
        }
        let Some(name) = self.queue.pop(now) else { return false };
        if let Some(estimate) = sync(context.api, &name) {
            self.queue.add_at(name, now + SignedDuration::from_secs(estimate / 2 + 1));
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }

    fn boxed_clone(&self) -> Box<dyn Reconciler> {
        Box::new(self.clone())
    }
}

/// What is left of the content after it was deleted.
#[derive(Default)]
struct Remaining {
    /// Seconds until it should be gone.
    estimate: i64,
    objects: BTreeMap<String, usize>,
    finalizers: BTreeMap<String, usize>,
    failures: Vec<String>,
}

/// Deletes the content of a namespace; how many seconds it may take to go, if something is left
/// (`namespacedResourcesDeleter.Delete`).
fn sync(api: &mut ApiServer, name: &str) -> Option<i64> {
    let namespace = api.get::<Namespace>("", name)?.clone();
    let deleted = namespace.metadata.deletion_timestamp.as_ref()?.0;
    namespace.spec.as_ref()?.finalizers.as_ref().filter(|f| !f.is_empty())?;
    let mut remaining = Remaining::default();
    // pods first: other content may protect what they use
    delete_all(api, Kind::Pod, name, deleted, &mut remaining);
    let pods_left = !remaining.objects.is_empty();
    if !pods_left {
        for kind in Kind::ALL.iter().copied().filter(|kind| kind.namespaced() && *kind != Kind::Pod) {
            delete_all(api, kind, name, deleted, &mut remaining);
        }
    }
    let mut changed = Namespace::clone(&namespace);
    let status = changed.status.get_or_insert_default();
    update_conditions(status.conditions.get_or_insert_default(), &remaining, pods_left, api.time());
    let _ = api.update_status(changed);
    if !remaining.failures.is_empty() {
        return Some(remaining.estimate.max(2));
    }
    if remaining.estimate > 0 {
        return Some(remaining.estimate);
    }
    api.finalize_namespace(name, KUBERNETES);
    None
}

/// `deleteAllContentForGroupVersionResource`.
fn delete_all(api: &mut ApiServer, kind: Kind, namespace: &str, deleted: Timestamp, remaining: &mut Remaining) {
    let passed = api.now().duration_since(deleted).as_secs();
    let estimate = if kind == Kind::Pod { pods_estimate(api.store(), namespace) } else { 0 };
    let estimate = if passed >= estimate { 0 } else { estimate };
    let keys: Vec<ObjectKey> = api.store().objects_of_in(kind, namespace).map(|object| object.key()).collect();
    let options = DeleteOptions { propagation: Propagation::Background, ..Default::default() };
    for key in keys {
        let _ = api.delete(&key, &options);
    }
    let mut count = 0;
    let mut held = false;
    for object in api.store().objects_of_in(kind, namespace) {
        count += 1;
        for finalizer in object.metadata().finalizers.iter().flatten() {
            held = true;
            *remaining.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
    }
    if count == 0 {
        return;
    }
    remaining.objects.insert(format!("{}.{}", kind.plural(), kind.group()), count);
    match (estimate, held) {
        (0, true) => remaining.estimate = remaining.estimate.max(FINALIZER_ESTIMATE),
        (0, false) => {
            let resource = format!("{}/{}, Resource={}", kind.group(), kind.version(), kind.plural());
            let why = format!("unexpected items still remain in namespace: {namespace} for gvr: {resource}");
            remaining.failures.push(why);
        }
        (estimate, _) => remaining.estimate = remaining.estimate.max(estimate),
    }
}

/// The longest grace period of the pods that are not over.
fn pods_estimate(store: &Store, namespace: &str) -> i64 {
    let periods = store.list_in::<Pod>(namespace).filter_map(|pod| {
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
        if matches!(phase, "Succeeded" | "Failed") {
            return None;
        }
        pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds)
    });
    periods.max().unwrap_or(0)
}

/// `namespaceConditionUpdater`: a condition for everything that can hold a namespace.
fn update_conditions(list: &mut Vec<NamespaceCondition>, remaining: &Remaining, pods_left: bool, now: Time) {
    let join = |counts: &BTreeMap<String, usize>, word: &str| {
        let each = counts.iter().map(|(name, count)| format!("{name} {word} {count} resource instances"));
        each.collect::<Vec<_>>().join(", ")
    };
    let count = remaining.failures.len();
    let failures = remaining.failures.join(", ");
    // while pods are left the others are not looked at
    let content = !pods_left && !remaining.objects.is_empty();
    let finalizers = !pods_left && !remaining.finalizers.is_empty();
    let problem = |bad: bool, reason: &'static str, message: String| bad.then_some((reason, message));
    let conditions = [
        ("NamespaceDeletionDiscoveryFailure", None, "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            problem(
                count > 0,
                "ContentDeletionFailed",
                format!("Failed to delete all resource types, {count} remaining: {failures}"),
            ),
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            problem(
                content,
                "SomeResourcesRemain",
                format!("Some resources are remaining: {}", join(&remaining.objects, "has")),
            ),
            "ContentRemoved",
            "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            problem(
                finalizers,
                "SomeFinalizersRemain",
                format!(
                    "Some content in the namespace has finalizers remaining: {}",
                    join(&remaining.finalizers, "in")
                ),
            ),
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ];
    for (type_, problem, reason, message) in conditions {
        let (status, reason, message) = match problem {
            Some((reason, message)) => ("True", reason, message),
            None => ("False", reason, message.to_owned()),
        };
        let new = NamespaceCondition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: Some(now.clone()),
        };
        match list.iter_mut().find(|c| c.type_ == type_) {
            None => list.push(new),
            Some(old) => {
                let since = if old.status == new.status { old.last_transition_time.take() } else { None };
                *old = NamespaceCondition { last_transition_time: since.or(new.last_transition_time), ..new };
            }
        }
    }
}
