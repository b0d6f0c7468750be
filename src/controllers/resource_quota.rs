//! The resource quota controller: computes what quotas allow and what is used of it (`pkg/controller/resourcequota`).
use k8s_openapi::api::core::v1::{ContainerStatus, PersistentVolumeClaim, Pod, ResourceQuota, Service};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::object::Object;
use crate::api::pod_resources::{amounts, to_resource_list};
use crate::api::quota;
use crate::api::{ApiObject, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};

/// How long a new limit goes unnoticed: longer than kubectl needs for the rest of a file.
const DELAY: SignedDuration = SignedDuration::from_secs(1);

/// Keeps the status of quotas. Keys are namespace and name.
#[derive(Clone, Default)]
pub struct ResourceQuotaController {
    queue: WorkQueue<(String, String)>,
    /// Quotas whose limits are new, waiting for the current time to be known.
    new: Vec<(String, String)>,
}

impl Reconciler for ResourceQuotaController {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<ResourceQuota>() {
            if let Some(new) = new {
                let hard = |quota: &ResourceQuota| quota.spec.as_ref().and_then(|s| s.hard.clone());
                if old.is_none_or(|old| hard(old) != hard(new)) {
                    self.new.push((new.namespace().to_owned(), new.name().to_owned()));
                }
            }
            if new.is_some() {
                return;
            }
        }
        let object = change.object();
        if !object.kind().namespaced() || !frees(change) {
            return;
        }
        for quota in store.list_in::<ResourceQuota>(object.namespace()) {
            let hard = quota.spec.as_ref().and_then(|s| s.hard.as_ref());
            if hard.into_iter().flatten().any(|(name, _)| quota::concerns(object.kind(), name)) {
                self.queue.add((quota.namespace().to_owned(), quota.name().to_owned()));
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for key in std::mem::take(&mut self.new) {
            self.queue.add_at(key, now + DELAY);
        }
        let Some((namespace, name)) = self.queue.pop(now) else { return false };
        if let Some(quota) = context.api.get::<ResourceQuota>(&namespace, &name) {
            let mut changed = ResourceQuota::clone(quota);
            let hard = amounts(quota.spec.as_ref().and_then(|s| s.hard.as_ref()));
            let mut used = amounts(quota.status.as_ref().and_then(|s| s.used.as_ref()));
            used.extend(quota::calculate_usage(context.api.store(), quota, now));
            used.retain(|name, _| hard.contains_key(name));
            let status = changed.status.get_or_insert_default();
            let list = |amounts| Some(to_resource_list(amounts)).filter(|list| !list.is_empty());
            (status.hard, status.used) = (list(&hard), list(&used));
            // only a quota that is gone meanwhile can make this fail
            let _ = context.api.update_status(changed);
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

/// Whether a change can lower what is used, which admission does not see (`DefaultUpdateFilter`).
fn frees(change: &Change) -> bool {
    let (Some(old), new) = (&change.old, &change.new) else { return false };
    let Some(new) = new else { return true };
    match (old, new) {
        (Object::Pod(old), Object::Pod(new)) => pod_frees(old, new),
        (Object::Service(old), Object::Service(new)) => service_type(old) != service_type(new),
        (Object::PersistentVolumeClaim(old), Object::PersistentVolumeClaim(new)) => allocated(old) != allocated(new),
        _ => false,
    }
}

fn pod_frees(old: &Pod, new: &Pod) -> bool {
    let terminating = |pod: &Pod| pod.spec.as_ref().is_some_and(quota::is_terminating);
    let resources = |pod: &Pod| {
        let status = pod.status.clone().unwrap_or_default();
        let of = |list: Option<Vec<ContainerStatus>>| {
            list.unwrap_or_default().into_iter().map(|s| (s.name, s.resources)).collect::<Vec<_>>()
        };
        (of(status.container_statuses), of(status.init_container_statuses))
    };
    let (before, after) = (resources(old), resources(new));
    let resized = |before: &[(String, _)], after: &[(String, _)]| {
        before.iter().any(|(name, old)| after.iter().any(|(other, new)| name == other && old != new))
    };
    terminating(old) != terminating(new)
        || resized(&before.0, &after.0)
        || resized(&before.1, &after.1)
        || (quota::counts_against_quota(old, None) && !quota::counts_against_quota(new, None))
}

/// The type of a service if it counts.
fn service_type(service: &Service) -> Option<&str> {
    let kind = service.spec.as_ref().and_then(|s| s.type_.as_deref());
    kind.filter(|kind| matches!(*kind, "NodePort" | "LoadBalancer"))
}

fn allocated(claim: &PersistentVolumeClaim) -> Option<&str> {
    let status = claim.status.as_ref()?;
    status.allocated_resources.as_ref()?.get("storage").map(|quantity| quantity.0.as_str())
}
