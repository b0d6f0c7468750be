//! Volumes as the search for a match needs them (`pkg/controller/volume/persistentvolume/index.go`, with indexes in place
//! of its scans).
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use crate::api::quantity::Quantity;
use crate::api::{ApiObject, Store};
use crate::storage::{
    ClaimNeeds, Verdict, claim_attributes_class, claim_ref, claim_spec, claim_volume_mode, volume_attributes_class,
    volume_capacity, volume_class, volume_mode, volume_spec,
};

/// A set of access modes: one bit each, in Kubernetes' order of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct AccessModes(u8);

impl AccessModes {
    fn of(modes: Option<&Vec<String>>) -> Self {
        let bit = |mode: &String| match mode.as_str() {
            "ReadWriteOnce" => 1,
            "ReadOnlyMany" => 2,
            "ReadWriteMany" => 4,
            "ReadWriteOncePod" => 8,
            _ => 0,
        };
        AccessModes(modes.into_iter().flatten().map(bit).fold(0, |a, b| a | b))
    }

    /// Groups are searched in this order: fewest modes first.
    fn rank(self) -> (u32, u8) {
        (self.0.count_ones(), self.0)
    }
}

/// What must be equal between a claim and an unreserved volume besides labels.
type Traits = (String, String, String);

/// Names of volumes, smallest volume first, of equal ones the lowest name.
type BySize = BTreeSet<(Quantity, String)>;

/// Free volumes with the same access modes and traits.
#[derive(Clone, Debug, Default)]
struct Group {
    all: BySize,
    by_label: HashMap<(String, String), BySize>,
}

impl Group {
    fn add(&mut self, volume: &PersistentVolume) {
        let entry = (volume_capacity(volume), volume.name().to_owned());
        for (key, value) in volume.metadata.labels.iter().flatten() {
            self.by_label.entry((key.clone(), value.clone())).or_default().insert(entry.clone());
        }
        self.all.insert(entry);
    }

    fn remove(&mut self, volume: &PersistentVolume) {
        let entry = (volume_capacity(volume), volume.name().to_owned());
        for (key, value) in volume.metadata.labels.iter().flatten() {
            let label = (key.clone(), value.clone());
            if let Some(volumes) = self.by_label.get_mut(&label) {
                volumes.remove(&entry);
                if volumes.is_empty() {
                    self.by_label.remove(&label);
                }
            }
        }
        self.all.remove(&entry);
    }

    /// The volumes among which those that a claim selects must be.
    fn candidates(&self, claim: &PersistentVolumeClaim) -> Option<&BySize> {
        let selector = claim_spec(claim).selector.as_ref();
        let pairs = selector.and_then(|s| s.match_labels.as_ref()).into_iter().flatten();
        let mut best = &self.all;
        for (key, value) in pairs {
            let volumes = self.by_label.get(&(key.clone(), value.clone()))?;
            if volumes.len() < best.len() {
                best = volumes;
            }
        }
        Some(best)
    }
}

/// Volumes by who has them and, the free ones, by what decides the search.
#[derive(Clone, Debug, Default)]
pub(super) struct VolumeIndex {
    by_claim: HashMap<(String, String), BTreeSet<String>>,
    free: BTreeMap<(u32, u8), HashMap<Traits, Group>>,
}

impl VolumeIndex {
    /// Takes in a change of a volume.
    pub(super) fn observe(&mut self, old: Option<&Arc<PersistentVolume>>, new: Option<&Arc<PersistentVolume>>) {
        if let Some(volume) = old {
            self.remove(volume);
        }
        if let Some(volume) = new {
            self.add(volume);
        }
    }

    fn add(&mut self, volume: &PersistentVolume) {
        let name = volume.name().to_owned();
        if let Some((namespace, claim, _)) = claim_ref(volume) {
            self.by_claim.entry((namespace.to_owned(), claim.to_owned())).or_default().insert(name);
            return;
        }
        let modes = AccessModes::of(volume_spec(volume).access_modes.as_ref());
        let group = self.free.entry(modes.rank()).or_default();
        group.entry(volume_traits(volume)).or_default().add(volume);
    }

    fn remove(&mut self, volume: &PersistentVolume) {
        let name = volume.name().to_owned();
        if let Some((namespace, claim, _)) = claim_ref(volume) {
            let key = (namespace.to_owned(), claim.to_owned());
            if let Some(names) = self.by_claim.get_mut(&key) {
                names.remove(&name);
                if names.is_empty() {
                    self.by_claim.remove(&key);
                }
            }
            return;
        }
        let rank = AccessModes::of(volume_spec(volume).access_modes.as_ref()).rank();
        let Some(group) = self.free.get_mut(&rank) else { return };
        let traits = volume_traits(volume);
        if let Some(volumes) = group.get_mut(&traits) {
            volumes.remove(volume);
            if volumes.all.is_empty() {
                group.remove(&traits);
            }
        }
        if group.is_empty() {
            self.free.remove(&rank);
        }
    }

    /// The volumes whose claimRef names a claim, by name.
    pub(super) fn of_claim(&self, namespace: &str, claim: &str) -> impl Iterator<Item = &str> {
        self.by_claim.get(&(namespace.to_owned(), claim.to_owned())).into_iter().flatten().map(String::as_str)
    }

    /// The best volume for a claim (`findByClaim`): in the narrowest group of access modes that has one, a volume
    /// reserved for the claim, else the smallest that fits.
    pub(super) fn find_best_match(
        &self,
        store: &Store,
        claim: &PersistentVolumeClaim,
        delay_binding: bool,
    ) -> Option<Arc<PersistentVolume>> {
        let needs = ClaimNeeds::of(claim);
        let wanted = AccessModes::of(claim_spec(claim).access_modes.as_ref());
        let get = |name: &str| store.get::<PersistentVolume>("", name);
        let mut reserved: Vec<((u32, u8), &Arc<PersistentVolume>)> = self
            .of_claim(claim.namespace(), claim.name())
            .filter_map(get)
            .filter(|volume| needs.consider(volume, None, delay_binding) == Verdict::Reserved)
            .map(|volume| (AccessModes::of(volume_spec(volume).access_modes.as_ref()), volume))
            .filter(|(modes, _)| modes.0 & wanted.0 == wanted.0)
            .map(|(modes, volume)| (modes.rank(), volume))
            .collect();
        reserved.sort_by_key(|(rank, _)| *rank);
        let reserved = reserved.first();
        if delay_binding {
            return reserved.map(|(_, volume)| (*volume).clone());
        }
        let traits: Traits =
            (needs.class.to_owned(), claim_volume_mode(claim).to_owned(), claim_attributes_class(claim).to_owned());
        let smallest = (needs.request.clone(), String::new());
        for (rank, group) in self.free.iter().filter(|((_, modes), _)| modes & wanted.0 == wanted.0) {
            if let Some((_, volume)) = reserved.filter(|(r, _)| r <= rank) {
                return Some((*volume).clone());
            }
            let candidates = group.get(&traits).and_then(|volumes| volumes.candidates(claim));
            let large_enough = candidates.into_iter().flat_map(|volumes| volumes.range(smallest.clone()..));
            let mut volumes = large_enough.filter_map(|(_, name)| get(name));
            if let Some(volume) = volumes.find(|v| needs.consider(v, None, false) == Verdict::Fits) {
                return Some(volume.clone());
            }
        }
        reserved.map(|(_, volume)| (*volume).clone())
    }
}

fn volume_traits(volume: &PersistentVolume) -> Traits {
    (volume_class(volume).to_owned(), volume_mode(volume).to_owned(), volume_attributes_class(volume).to_owned())
}
