//! Finding and making ReplicaSets, scaling, status (`pkg/controller/deployment/sync.go`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DeploymentStatus, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::util::{
    DESIRED_REPLICAS, POD_TEMPLATE_HASH, REVISION, actual, available, by_size_newer, by_size_older, condition,
    equal_ignoring_hash, find_active_or_latest, find_new, find_old, has_progress_deadline, is_rolling_update,
    is_saturated, max_revision, max_surge, max_unavailable, new_condition, new_replicas, paused, proportion,
    replicas_annotation, replicas_annotations_need_update, revision, set_condition, set_new_annotations,
    set_replicas_annotations, size, spec_of, total_size, wanted,
};
use super::{Rollout, SOURCE};
use crate::api::event::EventType;
use crate::api::identity::hash_suffix;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::controllers::controller_utils::{controller_reference, is_controlled_by, is_namespace_terminating, nonzero};

/// A Deployment's ReplicaSet for its current template, if there is one, and all others.
pub(super) type NewAndOld = (Option<Arc<ReplicaSet>>, Vec<Arc<ReplicaSet>>);

/// Old and new together, the new one last.
pub(super) fn all_sets(new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> Vec<Arc<ReplicaSet>> {
    old.iter().chain(new).cloned().collect()
}

impl Rollout<'_> {
    pub(super) fn event(&mut self, event_type: EventType, reason: &str, message: &str) {
        let about = Arc::new(self.d.clone());
        self.api.event(SOURCE, &about, event_type, reason, message);
    }

    /// Writes status and annotations: the `status` subresource of a Deployment takes annotations too.
    pub(super) fn update_status(&mut self) -> Result<(), Status> {
        self.api.update_status(self.d.clone()).map(|_| ())
    }

    fn status(&mut self) -> &mut DeploymentStatus {
        self.d.status.get_or_insert_default()
    }

    pub(super) fn sync_status_only(&mut self, sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.replica_sets_and_revision(sets, false)?;
        self.sync_deployment_status(&all_sets(new.as_ref(), &old), new.as_ref())
    }

    /// What happens to a Deployment that was scaled or is paused.
    pub(super) fn sync(&mut self, sets: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let (new, old) = self.replica_sets_and_revision(sets, false)?;
        self.scale(new.as_ref(), &old)?;
        if paused(self.d) {
            self.cleanup(&old)?;
        }
        self.sync_deployment_status(&all_sets(new.as_ref(), &old), new.as_ref())
    }

    /// Says `DeploymentPaused` and `DeploymentResumed`, so that the time in between does not count as no progress.
    pub(super) fn check_paused_conditions(&mut self) -> Result<(), Status> {
        if !has_progress_deadline(self.d) {
            return Ok(());
        }
        let reason = condition(self.status(), "Progressing").and_then(|c| c.reason.clone());
        let was_paused = reason.as_deref() == Some("DeploymentPaused");
        if reason.as_deref() == Some("ProgressDeadlineExceeded") || was_paused == paused(self.d) {
            return Ok(());
        }
        let (reason, message) = match was_paused {
            false => ("DeploymentPaused", "Deployment is paused"),
            true => ("DeploymentResumed", "Deployment is resumed"),
        };
        let condition = new_condition(self.api.time(), "Progressing", "Unknown", reason, message);
        set_condition(self.status(), condition);
        self.update_status()
    }

    /// `getAllReplicaSetsAndSyncRevision`.
    pub(super) fn replica_sets_and_revision(
        &mut self,
        sets: &[Arc<ReplicaSet>],
        create: bool,
    ) -> Result<NewAndOld, Status> {
        let new = find_new(self.d, sets);
        let old = find_old(new.as_ref(), sets);
        let new_revision = max_revision(&old) + 1;
        let new = match new {
            Some(new) => Some(self.existing_new_replica_set(&new, new_revision)?),
            None if create => Some(self.create_new_replica_set(&old, new_revision)?),
            None => None,
        };
        Ok((new, old))
    }

    fn set_revision(&mut self, revision: &str) -> bool {
        self.d.set_annotation(REVISION, revision)
    }

    fn existing_new_replica_set(
        &mut self,
        set: &Arc<ReplicaSet>,
        new_revision: i64,
    ) -> Result<Arc<ReplicaSet>, Status> {
        let mut bare = ReplicaSet { metadata: set.metadata.clone(), ..Default::default() };
        let annotations_changed = set_new_annotations(self.d, &mut bare, new_revision, true);
        let min_ready_seconds = spec_of(self.d).min_ready_seconds;
        let mut copy = set.clone();
        if bare.metadata != set.metadata {
            Arc::make_mut(&mut copy).metadata = bare.metadata;
        }
        if let Some(spec) = &set.spec {
            let differs = spec.min_ready_seconds.unwrap_or(0) != min_ready_seconds.unwrap_or(0);
            if annotations_changed || differs {
                let mut copy = Arc::unwrap_or_clone(copy);
                copy.spec.get_or_insert_default().min_ready_seconds = min_ready_seconds;
                return Ok(self.api.update(copy)?.object);
            }
        }
        let mut needs_update = self.set_revision(copy.annotation(REVISION).unwrap_or_default());
        if has_progress_deadline(self.d) && condition(self.status(), "Progressing").is_none() {
            let message = format!("Found new replica set \"{}\"", copy.name());
            let condition = new_condition(self.api.time(), "Progressing", "True", "FoundNewReplicaSet", &message);
            set_condition(self.status(), condition);
            needs_update = true;
        }
        if needs_update {
            self.update_status()?;
        }
        Ok(copy)
    }

    fn create_new_replica_set(
        &mut self,
        old: &[Arc<ReplicaSet>],
        new_revision: i64,
    ) -> Result<Arc<ReplicaSet>, Status> {
        let set = self.new_replica_set(old, new_revision);
        let (name, replicas) = (set.name().to_owned(), size(&set));
        let created = match self.api.create(set) {
            Ok(accepted) => accepted.object,
            Err(status) if status.reason == Reason::AlreadyExists => {
                return self.replica_set_with_same_name(&name, new_revision, status);
            }
            Err(status) if is_namespace_terminating(&status) => return Err(status),
            Err(status) => {
                let message = format!("Failed to create new replica set \"{name}\": {status}");
                if has_progress_deadline(self.d) {
                    let now = self.api.time();
                    let condition = new_condition(now, "Progressing", "False", "ReplicaSetCreateError", &message);
                    set_condition(self.status(), condition);
                    self.update_status()?;
                }
                self.event(EventType::Warning, "ReplicaSetCreateError", &message);
                return Err(status);
            }
        };
        if replicas > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {replicas}");
            self.event(EventType::Normal, "ScalingReplicaSet", &message);
        }
        let mut needs_update = self.set_revision(&new_revision.to_string());
        if has_progress_deadline(self.d) {
            let message = format!("Created new replica set \"{name}\"");
            let condition = new_condition(self.api.time(), "Progressing", "True", "NewReplicaSetCreated", &message);
            set_condition(self.status(), condition);
            needs_update = true;
        }
        if needs_update {
            self.update_status()?;
        }
        Ok(created)
    }

    /// The name is taken: by our own set, or by one with the same hash, which changes the hash of the next try.
    fn replica_set_with_same_name(
        &mut self,
        name: &str,
        new_revision: i64,
        failure: Status,
    ) -> Result<Arc<ReplicaSet>, Status> {
        let found = self.api.get::<ReplicaSet>(self.d.namespace(), name).cloned();
        let template = &spec_of(self.d).template;
        let ours = |set: &Arc<ReplicaSet>| {
            let same = set.spec.as_ref().and_then(|s| s.template.as_ref());
            is_controlled_by(&**set, self.d.uid()) && same.is_some_and(|t| equal_ignoring_hash(t, template))
        };
        if let Some(set) = found.filter(ours) {
            if self.set_revision(&new_revision.to_string()) {
                self.update_status()?;
            }
            return Ok(set);
        }
        let status = self.status();
        status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
        self.update_status()?;
        Err(failure)
    }

    fn new_replica_set(&self, old: &[Arc<ReplicaSet>], new_revision: i64) -> ReplicaSet {
        let spec = spec_of(self.d);
        let mut template = spec.template.clone();
        let probe = self.d.status.as_ref().and_then(|s| s.collision_count).map(|n| n.to_string());
        let mut text = serde_json::to_string(&template).unwrap_or_default();
        text.push_str(&probe.unwrap_or_default());
        let hash = hash_suffix(&text);
        let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
        labels.insert(POD_TEMPLATE_HASH.to_owned(), hash.clone());
        let labels = labels.clone();
        let mut selector = spec.selector.clone();
        selector.match_labels.get_or_insert_default().insert(POD_TEMPLATE_HASH.to_owned(), hash.clone());
        let prefix: String = self.d.name().chars().take(252 - hash.len()).collect();
        let mut set = ReplicaSet {
            metadata: ObjectMeta {
                name: Some(format!("{prefix}-{hash}")),
                namespace: self.d.metadata.namespace.clone(),
                owner_references: Some(vec![controller_reference(&*self.d)]),
                labels: Some(labels),
                ..Default::default()
            },
            spec: Some(ReplicaSetSpec {
                replicas: Some(new_replicas(self.d, old, 0)),
                min_ready_seconds: spec.min_ready_seconds,
                selector,
                template: Some(template),
            }),
            status: None,
        };
        set_new_annotations(self.d, &mut set, new_revision, false);
        set
    }

    /// Spreads a change of size over the ReplicaSets that have pods, in proportion (`scale`).
    fn scale(&mut self, new: Option<&Arc<ReplicaSet>>, old: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        if let Some(set) = find_active_or_latest(new, old) {
            if size(&set) != wanted(self.d) {
                self.scale_replica_set(&set, wanted(self.d), false)?;
            }
            return Ok(());
        }
        if is_saturated(self.d, new) {
            for set in old.iter().filter(|s| size(s) > 0) {
                self.scale_replica_set(set, 0, false)?;
            }
            return Ok(());
        }
        if !is_rolling_update(self.d) {
            return Ok(());
        }
        let mut sets: Vec<Arc<ReplicaSet>> = old.iter().chain(new).filter(|s| size(s) > 0).cloned().collect();
        let allowed = if wanted(self.d) > 0 { wanted(self.d).saturating_add(max_surge(self.d)) } else { 0 };
        let to_add = allowed.saturating_sub(total_size(&sets));
        match to_add {
            1.. => sets.sort_by(|a, b| by_size_newer(a, b)),
            ..=-1 => sets.sort_by(|a, b| by_size_older(a, b)),
            0 => {}
        }
        let mut added = 0;
        let mut sizes = BTreeMap::new();
        for set in &sets {
            let share = proportion(set, self.d, to_add, added);
            sizes.insert(set.name().to_owned(), size(set).saturating_add(share));
            added = added.saturating_add(share);
        }
        for (i, set) in sets.iter().enumerate() {
            let mut target = sizes.get(set.name()).copied().unwrap_or(0);
            if i == 0 && to_add != 0 {
                target = target.saturating_add(to_add.saturating_sub(added)).max(0);
            }
            self.scale_replica_set(set, target, true)?;
        }
        Ok(())
    }

    /// Sets the size of a ReplicaSet; the set as it is then, and whether its size changed (`scaleReplicaSet`).
    pub(super) fn scale_replica_set(
        &mut self,
        set: &Arc<ReplicaSet>,
        target: i32,
        force: bool,
    ) -> Result<(bool, Arc<ReplicaSet>), Status> {
        let current = size(set);
        let resize = current != target;
        let most = wanted(self.d).saturating_add(max_surge(self.d));
        if !resize && (!force || !replicas_annotations_need_update(set, wanted(self.d), most)) {
            return Ok((false, set.clone()));
        }
        let mut copy = ReplicaSet::clone(set);
        copy.spec.get_or_insert_default().replicas = Some(target);
        set_replicas_annotations(&mut copy, wanted(self.d), most);
        let updated = self.api.update(copy)?.object;
        if resize {
            let direction = if current < target { "up" } else { "down" };
            let message = format!("Scaled {direction} replica set {} from {current} to {target}", set.name());
            self.event(EventType::Normal, "ScalingReplicaSet", &message);
        }
        Ok((resize, updated))
    }

    /// Deletes old ReplicaSets beyond `revisionHistoryLimit` (`cleanupDeployment`).
    pub(super) fn cleanup(&mut self, old: &[Arc<ReplicaSet>]) -> Result<(), Status> {
        let Some(limit) = spec_of(self.d).revision_history_limit.filter(|l| *l != i32::MAX) else { return Ok(()) };
        let mut alive: Vec<&Arc<ReplicaSet>> = old.iter().filter(|s| !s.is_terminating()).collect();
        let surplus = alive.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        alive.sort_by(|a, b| {
            let by_revision = match (revision(a), revision(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => std::cmp::Ordering::Equal,
            };
            by_revision.then_with(|| super::util::by_creation(a, b))
        });
        for set in alive.into_iter().take(surplus) {
            let observed = set.status.as_ref().and_then(|s| s.observed_generation).unwrap_or(0);
            if actual(set) != 0 || size(set) != 0 || set.metadata.generation.unwrap_or(0) > observed {
                continue;
            }
            let key = ObjectKey::new(Kind::ReplicaSet, set.namespace(), set.name());
            match self.api.delete(&key, &DeleteOptions::default()) {
                Err(status) if status.reason != Reason::NotFound => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }

    fn sync_deployment_status(&mut self, all: &[Arc<ReplicaSet>], new: Option<&Arc<ReplicaSet>>) -> Result<(), Status> {
        let status = self.calculate_status(all, new);
        self.replace_status(status)
    }

    /// Writes the status if it is another one.
    pub(super) fn replace_status(&mut self, status: DeploymentStatus) -> Result<(), Status> {
        if self.d.status.as_ref() == Some(&status) {
            return Ok(());
        }
        self.d.status = Some(status);
        self.update_status()
    }

    /// `calculateStatus`.
    pub(super) fn calculate_status(&self, all: &[Arc<ReplicaSet>], new: Option<&Arc<ReplicaSet>>) -> DeploymentStatus {
        let sum = |count: &dyn Fn(&ReplicaSet) -> i32| all.iter().map(|s| count(s)).sum::<i32>();
        let is_available = sum(&available);
        let ready = sum(&|s| s.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0));
        let old_status = self.d.status.as_ref();
        let mut status = DeploymentStatus {
            observed_generation: self.d.metadata.generation,
            replicas: nonzero(sum(&actual)),
            updated_replicas: nonzero(new.map_or(0, |s| actual(s))),
            ready_replicas: nonzero(ready),
            available_replicas: nonzero(is_available),
            unavailable_replicas: nonzero((total_size(all) - is_available).max(0)),
            terminating_replicas: terminating(all),
            collision_count: old_status.and_then(|s| s.collision_count),
            conditions: old_status.and_then(|s| s.conditions.clone()),
        };
        let (value, reason, message) = match is_available >= wanted(self.d) - max_unavailable(self.d) {
            true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            false => ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
        };
        set_condition(&mut status, new_condition(self.api.time(), "Available", value, reason, message));
        status
    }

    /// Whether a ReplicaSet was sized for another number of replicas than the Deployment has now (`isScalingEvent`).
    pub(super) fn is_scaling_event(&mut self, sets: &[Arc<ReplicaSet>]) -> Result<bool, Status> {
        let (new, old) = self.replica_sets_and_revision(sets, false)?;
        let active = all_sets(new.as_ref(), &old).into_iter().filter(|s| size(s) > 0);
        let desired = active.filter_map(|s| replicas_annotation(&s, DESIRED_REPLICAS)).collect::<Vec<_>>();
        Ok(desired.into_iter().any(|n| n != wanted(self.d)))
    }
}

/// `GetTerminatingReplicaCountForReplicaSets`.
fn terminating(all: &[Arc<ReplicaSet>]) -> Option<i32> {
    let mut sum = 0;
    for status in all.iter().filter_map(|s| s.status.as_ref()) {
        match status.terminating_replicas {
            Some(count) => sum += count,
            None if status.observed_generation.unwrap_or(0) == 0 => {}
            None => return None,
        }
    }
    Some(sum)
}
