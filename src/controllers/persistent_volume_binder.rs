//! The controller that binds claims to volumes, provisions, releases and reclaims
//! (`pkg/controller/volume/persistentvolume`).
mod claims;
mod explain;
mod index;
mod plugins;
mod provision;
mod reclaim;
mod recycle;
mod resync;
mod volumes;

pub use explain::{ClaimState, Explanation, explain};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::event::EventType;
use crate::api::{ApiObject, Change, Kind, Status, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use crate::storage::{PodsByClaim, claim_ref, volume_name};

/// The component in events.
const SOURCE: &str = "persistentvolume-controller";
/// How long a failed operation is not tried again, at first and at most (`exponentialbackoff`).
const INITIAL_BACKOFF: SignedDuration = SignedDuration::from_millis(500);
const MAX_BACKOFF: SignedDuration = SignedDuration::from_secs(122);

/// Namespace and name of a claim.
type ClaimKey = (String, String);
type Claim = Arc<PersistentVolumeClaim>;
type Volume = Arc<PersistentVolume>;

/// The PersistentVolume controller.
#[derive(Clone, Default)]
pub struct PersistentVolumeBinder {
    volumes: WorkQueue<String>,
    claims: WorkQueue<ClaimKey>,
    /// Claims that were not looked at yet.
    unseen: BTreeSet<ClaimKey>,
    index: index::VolumeIndex,
    pods: PodsByClaim,
    resync: resync::Resync,
    backoff: BTreeMap<String, Backoff>,
    recycling: recycle::Recycling,
}

/// When an operation failed last and how long it is to rest.
#[derive(Clone, Copy, Debug)]
struct Backoff {
    failed_at: Timestamp,
    wait: SignedDuration,
}

impl Reconciler for PersistentVolumeBinder {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        match change.kind() {
            Kind::PersistentVolume => self.observe_volume(change),
            Kind::PersistentVolumeClaim => self.observe_claim(change),
            Kind::StorageClass if change.of::<StorageClass>().is_some() => self.resync.note_change(),
            Kind::Pod => self.observe_pod(change),
            _ => {}
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        if let Some((volumes, claims)) = self.resync.take(now) {
            volumes.into_iter().for_each(|v| self.volumes.add(v));
            claims.into_iter().for_each(|c| self.claims.add(c));
        }
        // what a real controller would try again soon, this one tries again at the next resync
        let worked = if let Some(name) = self.volumes.pop(now) {
            let _ = self.sync_volume_by_name(context, &name);
            true
        } else if let Some(key) = self.claims.pop(now) {
            let _ = self.sync_claim_by_key(context, &key);
            self.look_at_new_claims(context, &key);
            true
        } else {
            self.continue_recycling(context)
        };
        self.resync.schedule(now);
        worked
    }

    fn next_timer(&self) -> Option<Timestamp> {
        [self.volumes.next_timer(), self.claims.next_timer(), self.resync.due()].into_iter().flatten().min()
    }
}

impl PersistentVolumeBinder {
    fn observe_volume(&mut self, change: &Change) {
        let Some((old, new)) = change.of::<PersistentVolume>() else { return };
        self.index.observe(old, new);
        self.resync.observe_volume(old.map(|v| &**v), new.map(|v| &**v));
        let Some(volume) = new.or(old) else { return };
        self.volumes.add(volume.name().to_owned());
        if new.is_none()
            && let Some((namespace, name, _)) = claim_ref(volume)
        {
            // so that the claim need not wait for the resync to be lost
            self.claims.add((namespace.to_owned(), name.to_owned()));
        }
    }

    fn observe_claim(&mut self, change: &Change) {
        let Some((old, new)) = change.of::<PersistentVolumeClaim>() else { return };
        let Some(claim) = new.or(old) else { return };
        self.resync.observe_claim(claim, new.is_none());
        let key = (claim.namespace().to_owned(), claim.name().to_owned());
        if old.is_none() {
            self.unseen.insert(key.clone());
        }
        self.claims.add(key);
        if new.is_none() && !volume_name(claim).is_empty() {
            // so that the volume need not wait for the resync to be released
            self.volumes.add(volume_name(claim).to_owned());
        }
    }

    /// After the first look at a claim, other new ones do not wait either: looking at a claim takes less time than the
    /// request that creates a pod for it, so the first look at the claims of a StatefulSet finds no pods.
    fn look_at_new_claims(&mut self, context: &mut Context<'_>, looked_at: &ClaimKey) {
        let first_look = self.unseen.remove(looked_at);
        while first_look && !self.unseen.is_empty() {
            let Some(key) = self.claims.pop(context.api.now()) else { break };
            let _ = self.sync_claim_by_key(context, &key);
            self.unseen.remove(&key);
        }
    }

    fn observe_pod(&mut self, change: &Change) {
        if let Some((old, new)) = change.of::<Pod>()
            && let Some(pod) = new.or(old)
        {
            self.recycling.observe(pod);
        }
        for key in self.pods.observe(change) {
            let released = self.index.of_claim(&key.0, &key.1).next().is_some();
            if released || self.resync.is_unbound(&key) {
                self.resync.note_change();
            }
        }
    }

    /// Whether an operation that failed may be tried again now.
    fn may_run(&self, operation: &str, now: Timestamp) -> bool {
        self.backoff.get(operation).is_none_or(|b| now >= b.failed_at + b.wait)
    }

    /// Remembers how an operation ended (`goroutinemap` with back-off).
    fn finish(&mut self, operation: String, succeeded: bool, now: Timestamp) {
        if succeeded {
            self.backoff.remove(&operation);
            return;
        }
        let wait = self.backoff.get(&operation).map_or(INITIAL_BACKOFF, |b| (b.wait * 2).min(MAX_BACKOFF));
        self.backoff.insert(operation, Backoff { failed_at: now, wait });
    }

    /// Says something about a claim.
    fn claim_event(context: &mut Context<'_>, claim: &Claim, kind: EventType, reason: &str, message: impl AsRef<str>) {
        context.api.event(SOURCE, claim, kind, reason, message);
    }

    /// Says something about a volume.
    fn volume_event(context: &mut Context<'_>, volume: &Volume, kind: EventType, reason: &str, message: &str) {
        context.api.event(SOURCE, volume, kind, reason, message);
    }
}

/// What syncing comes to; an error means that the API server refused a write.
type Synced = Result<(), Status>;

#[cfg(test)]
mod tests;
