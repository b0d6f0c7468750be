//! Computes how much of each quota is used (`pkg/controller/resourcequota`).
//!
//! Admission adds to what is used when it lets an object in; this controller counts anew when a quota is made or changed
//! and when something stops using it.
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, ResourceQuota, ResourceQuotaStatus, Service};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{Key, RetryQueue, key_of};
use crate::api::object::Kind;
use crate::api::pod_resources::{Amounts, amounts, to_resource_list};
use crate::api::status::{Reason, Status};
use crate::api::{ApiServer, Change, Store, quota};
use crate::reconcile::{Context, Reconciler};

/// A new quota is in force only after a moment: not yet for what the same `kubectl apply` creates.
const FIRST_CALCULATION_DELAY: SignedDuration = SignedDuration::from_secs(1);

/// The resource quota controller.
#[derive(Clone, Default)]
pub struct ResourceQuotaController {
    queue: RetryQueue<Key>,
    /// Quotas that were made just now.
    new: Vec<Key>,
}

impl Reconciler for ResourceQuotaController {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, Some(quota))) = change.of::<ResourceQuota>() {
            match old {
                None => self.new.push(key_of(&**quota)),
                Some(old) if hard(old) != hard(quota) => self.queue.add(key_of(&**quota)),
                Some(_) => {}
            }
        }
        let kind = change.kind();
        if !kind.namespaced() || !frees_something(change) {
            return;
        }
        for quota in store.list_in::<ResourceQuota>(change.object().namespace()) {
            let limited = quota.status.as_ref().and_then(|s| s.hard.as_ref());
            if limited.into_iter().flatten().any(|(name, _)| quota::concerns(kind, name)) {
                self.queue.add(key_of(&**quota));
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for key in self.new.drain(..) {
            self.queue.add_at(key, now + FIRST_CALCULATION_DELAY);
        }
        let Some(key) = self.queue.pop(now) else { return false };
        match sync(context.api, &key) {
            Err(status) if status.reason != Reason::NotFound => self.queue.retry(key, now),
            _ => self.queue.forget(&key),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

fn hard(quota: &ResourceQuota) -> Amounts {
    amounts(quota.spec.as_ref().and_then(|s| s.hard.as_ref()))
}

/// Whether an object is gone or may use less than before (`QuotaMonitor`, `DefaultUpdateFilter`).
fn frees_something(change: &Change) -> bool {
    if change.is_deletion() {
        return true;
    }
    match change.kind() {
        Kind::Pod => {
            let Some((Some(old), Some(new))) = change.of::<Pod>() else { return false };
            let terminating = |pod: &Pod| pod.spec.as_ref().is_some_and(quota::is_terminating);
            let counts = |pod: &Pod| quota::counts_against_quota(pod, None);
            terminating(old) != terminating(new) || resized(old, new) || (counts(old) && !counts(new))
        }
        Kind::Service => {
            let Some((Some(old), Some(new))) = change.of::<Service>() else { return false };
            service_type(old) != service_type(new)
        }
        Kind::PersistentVolumeClaim => {
            let Some((Some(old), Some(new))) = change.of::<PersistentVolumeClaim>() else { return false };
            charged_by(old) != charged_by(new)
        }
        _ => false,
    }
}

/// Whether a container's resources in the status differ from before (`hasResourcesChanged`).
fn resized(old: &Pod, new: &Pod) -> bool {
    let (Some(old), Some(new)) = (&old.status, &new.status) else { return false };
    let lists = [
        (&old.container_statuses, &new.container_statuses),
        (&old.init_container_statuses, &new.init_container_statuses),
    ];
    lists.into_iter().any(|(old, new)| {
        let after = |name: &str| new.iter().flatten().find(|s| s.name == name);
        old.iter().flatten().any(|before| after(&before.name).is_some_and(|after| after.resources != before.resources))
    })
}

/// What counts of a claim besides its spec's size (`RequiresQuotaReplenish`).
fn charged_by(claim: &PersistentVolumeClaim) -> impl PartialEq {
    let status = claim.status.clone().unwrap_or_default();
    (
        status.allocated_resources,
        claim.spec.as_ref().and_then(|s| s.volume_attributes_class_name.clone()),
        status.current_volume_attributes_class_name,
        status.modify_volume_status.and_then(|m| m.target_volume_attributes_class_name),
    )
}

/// The types that quotas tell apart (`GetQuotaServiceType`).
fn service_type(service: &Service) -> Option<&str> {
    let kind = service.spec.as_ref().and_then(|s| s.type_.as_deref());
    kind.filter(|kind| matches!(*kind, "NodePort" | "LoadBalancer"))
}

/// `syncResourceQuota`.
fn sync(api: &mut ApiServer, (namespace, name): &Key) -> Result<(), Status> {
    let Some(quota) = api.get::<ResourceQuota>(namespace, name).cloned() else { return Ok(()) };
    let status = quota.status.as_ref();
    let limits = hard(&quota);
    let before = amounts(status.and_then(|s| s.used.as_ref()));
    let mut used = before.clone();
    used.extend(quota::calculate_usage(api.store(), &quota, api.now()));
    used.retain(|name, _| limits.contains_key(name));
    let unknown = status.is_none_or(|s| s.hard.is_none() || s.used.is_none());
    if !unknown && limits == amounts(status.and_then(|s| s.hard.as_ref())) && used == before {
        return Ok(());
    }
    let mut changed = (*quota).clone();
    changed.status =
        Some(ResourceQuotaStatus { hard: Some(to_resource_list(&limits)), used: Some(to_resource_list(&used)) });
    api.update_status(changed).map(|_| ())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::dynamic::{FieldValidation, Patch};
    use crate::cluster::Cluster;
    use crate::environment::Environment;

    fn create(cluster: &mut Cluster, kind: Kind, object: &Value) {
        cluster.api_mut().create_value(kind, "default", object, FieldValidation::Strict).unwrap();
    }

    fn status(cluster: &Cluster) -> Value {
        cluster.api().store().object(Kind::ResourceQuota, "default", "q").unwrap().to_value()["status"].clone()
    }

    #[test]
    fn status_holds_the_limits_and_what_was_there_before_the_quota() {
        let mut cluster = Cluster::new(Environment::default());
        create(&mut cluster, Kind::Secret, &json!({"metadata": {"name": "s"}}));
        let hard = json!({"secrets": "3", "example.com/unknown": "1"});
        create(&mut cluster, Kind::ResourceQuota, &json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}));
        cluster.settle();
        assert_eq!(status(&cluster), json!({"hard": hard, "used": {"secrets": "1"}}));
    }

    #[test]
    fn a_changed_limit_is_in_force_at_once() {
        let mut cluster = Cluster::new(Environment::default());
        create(
            &mut cluster,
            Kind::ResourceQuota,
            &json!({"metadata": {"name": "q"}, "spec": {"hard": {"secrets": "0"}}}),
        );
        cluster.settle();
        let patch = Patch::Merge(json!({"spec": {"hard": {"secrets": "1"}}}));
        cluster.api_mut().patch(Kind::ResourceQuota, "default", "q", &patch, FieldValidation::Warn).unwrap();
        cluster.run();
        assert_eq!(status(&cluster), json!({"hard": {"secrets": "1"}, "used": {"secrets": "0"}}));
        create(&mut cluster, Kind::Secret, &json!({"metadata": {"name": "s"}}));
    }
}
