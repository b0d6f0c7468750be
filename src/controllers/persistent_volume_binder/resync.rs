//! What the periodic resync must look at.
//!
//! The controller of a real cluster looks at every claim and volume every 15 seconds. Here only those are looked at for
//! which something can have changed, and only if something did change: so that a cluster can come to rest.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::ClaimKey;
use crate::api::ApiObject;
use crate::storage::{claim_phase, claim_ref, volume_phase, volume_spec};

/// `--pvclaimbinder-sync-period`.
const PERIOD: SignedDuration = SignedDuration::from_secs(15);

/// Claims and volumes that are not as they should stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Resync {
    /// Claims that are not bound, in order of creation.
    unbound: BTreeMap<u64, ClaimKey>,
    numbers: HashMap<ClaimKey, u64>,
    counter: u64,
    /// Bound claims whose volume was edited.
    touched: BTreeSet<ClaimKey>,
    /// Volumes with a claim that are not bound.
    volumes: BTreeSet<String>,
    changed: bool,
    due: Option<Timestamp>,
}

impl Resync {
    /// Something changed that the next resync may notice.
    pub(super) fn note_change(&mut self) {
        self.changed = true;
    }

    /// Takes in a claim as it is now.
    pub(super) fn observe_claim(&mut self, claim: &PersistentVolumeClaim, gone: bool) {
        let key = (claim.namespace().to_owned(), claim.name().to_owned());
        self.changed = true;
        if gone || claim_phase(claim) == "Bound" {
            if let Some(number) = self.numbers.remove(&key) {
                self.unbound.remove(&number);
            }
            if gone {
                self.touched.remove(&key);
            }
        } else if !self.numbers.contains_key(&key) {
            self.counter += 1;
            self.numbers.insert(key.clone(), self.counter);
            self.unbound.insert(self.counter, key);
        }
    }

    /// Takes in a volume before and after a change.
    pub(super) fn observe_volume(&mut self, old: Option<&PersistentVolume>, new: Option<&PersistentVolume>) {
        self.changed = true;
        if let Some(volume) = new {
            let claimed = claim_ref(volume).is_some_and(|(_, _, uid)| !uid.is_empty());
            let retained = volume_spec(volume).persistent_volume_reclaim_policy.as_deref() == Some("Retain");
            let waits = match volume_phase(volume) {
                "Bound" => false,
                "Released" | "Failed" => claimed && !retained,
                _ => claimed,
            };
            if waits {
                self.volumes.insert(volume.name().to_owned());
            } else {
                self.volumes.remove(volume.name());
            }
        } else if let Some(volume) = old {
            self.volumes.remove(volume.name());
        }
        // an edited volume shows in its claim's status, or unbinds it
        let (Some(old), Some(new)) = (old, new) else { return };
        if volume_phase(old) == "Bound" && old.spec != new.spec {
            for (namespace, name, _) in claim_ref(old).into_iter().chain(claim_ref(new)) {
                self.touched.insert((namespace.to_owned(), name.to_owned()));
            }
        }
    }

    /// Whether a claim waits to be bound.
    pub(super) fn is_unbound(&self, key: &ClaimKey) -> bool {
        self.numbers.contains_key(key)
    }

    /// Sets the time of the next resync if one is needed.
    pub(super) fn schedule(&mut self, now: Timestamp) {
        let nothing = self.unbound.is_empty() && self.touched.is_empty() && self.volumes.is_empty();
        if !self.changed || nothing {
            self.due = None;
        } else if self.due.is_none() {
            let period = PERIOD.as_secs();
            let next = (now.as_second().div_euclid(period) + 1) * period;
            self.due = Timestamp::from_second(next).ok();
        }
    }

    /// When the next resync is due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The volumes and claims to look at, if the time for that has come. Bound claims come first, so that they get back
    /// their volumes.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(Vec<String>, Vec<ClaimKey>)> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        self.changed = false;
        let touched = std::mem::take(&mut self.touched);
        let claims = touched.into_iter().chain(self.unbound.values().cloned()).collect();
        Some((self.volumes.iter().cloned().collect(), claims))
    }
}
