//! Making and removing pods (`manageJob`).
use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::backoff::{finished_at, over_at};
use super::indexes::{
    COMPLETION_INDEX, INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT, add_index_variable, all_failures_before,
    failures_before, index_of,
};
use super::{
    SOURCE, Sync, TRACKING_FINALIZER, completions, failure_policy, is_indexed, is_suspended, only_replaces_failed,
    track,
};
use crate::api::object::ApiObject;
use crate::api::status::Status;
use crate::controllers::controller_utils::{
    MOST_REPLICAS, compare_for_deletion, create_pod, delete_pod, is_namespace_terminating, is_pod_ready,
    pod_from_template,
};
use crate::controllers::replica_set::slow_start_batch;

/// How many pods one sync makes or removes at most (`MaxPodCreateDeletePerSync`).
const MAX_PER_SYNC: i32 = 500;

impl Sync<'_> {
    /// Stops the pods of a Job that is over; how many (`deleteActivePods`).
    pub(super) fn delete_active_pods(&mut self) -> (i32, Result<(), Status>) {
        let pods = self.active.clone();
        self.delete(&pods, false)
    }

    fn delete(&mut self, pods: &[Arc<Pod>], release: bool) -> (i32, Result<(), Status>) {
        let (mut deleted, mut failure) = (0, None);
        let about = Arc::new(self.job.clone());
        for pod in pods {
            let released = if release { track::remove_finalizer(self.api, pod).map(|_| ()) } else { Ok(()) };
            match released.and_then(|()| delete_pod(self.api, SOURCE, &about, pod)) {
                Ok(()) => {
                    deleted += 1;
                    self.ready -= i32::from(is_pod_ready(pod));
                }
                Err(status) => failure = failure.or(Some(status)),
            }
        }
        self.terminating += deleted;
        (deleted, failure.map_or(Ok(()), Err))
    }

    /// Brings the number of pods to what it should be; the number of active pods then.
    pub(super) fn manage_job(&mut self) -> (i32, Result<(), Status>) {
        let active = i32::try_from(self.active.len()).unwrap_or(i32::MAX);
        let parallelism = self.spec.parallelism.unwrap_or(1).min(MOST_REPLICAS);
        let wanted = match self.spec.completions {
            _ if is_suspended(&self.spec) => 0,
            None if self.succeeded > 0 => active,
            None => parallelism,
            Some(completions) => (completions - self.succeeded).min(parallelism).max(0),
        };
        let mut surplus = self.pods_to_remove((active - wanted).max(0));
        if !is_suspended(&self.spec) {
            surplus.truncate(usize::try_from(MAX_PER_SYNC).unwrap_or(usize::MAX));
        }
        if !surplus.is_empty() || is_suspended(&self.spec) {
            let (deleted, result) = self.delete(&surplus, true);
            return (active - deleted, result);
        }
        let terminating = if only_replaces_failed(&self.spec) { self.terminating } else { 0 };
        let missing = wanted - terminating - active;
        if missing <= 0 {
            return (active, Ok(()));
        }
        let now = self.api.now();
        if !self.per_index()
            && let Some(due) = self.backoff.over_at().filter(|due| *due > now)
        {
            self.requeue_at.push(due);
            return (0, Ok(()));
        }
        let missing = missing.min(MAX_PER_SYNC);
        if is_indexed(&self.spec) {
            let mut indexes = self.pending_indexes(missing);
            if self.per_index() {
                indexes.retain(|index| self.may_retry(*index));
                if indexes.is_empty() && !self.requeue_at.is_empty() {
                    return (0, Ok(()));
                }
            }
            return self.create(active, indexes.into_iter().map(Some).collect());
        }
        self.create(active, (0..missing).map(|_| None).collect())
    }

    /// Whether an index that failed has waited long enough; if not, the sync is repeated then.
    fn may_retry(&mut self, index: i32) -> bool {
        let Some(pod) = self.delayed_deletion.get(&index) else { return true };
        let failures = u32::try_from(all_failures_before(pod).saturating_add(1)).unwrap_or(u32::MAX);
        match over_at(failures, Some(finished_at(pod))).filter(|due| *due > self.api.now()) {
            Some(due) => {
                self.requeue_at.push(due);
                false
            }
            None => true,
        }
    }

    fn create(&mut self, active: i32, indexes: Vec<Option<i32>>) -> (i32, Result<(), Status>) {
        let job = Arc::new(self.job.clone());
        let mut created = 0;
        let mut indexes = indexes.into_iter();
        let result = slow_start_batch(indexes.len(), || {
            let pod = self.new_pod(indexes.next().flatten());
            match create_pod(self.api, SOURCE, &job, pod) {
                Err(status) if !is_namespace_terminating(&status) => Err(status),
                _ => {
                    created += 1;
                    Ok(())
                }
            }
        });
        (active + created, result)
    }

    fn new_pod(&self, index: Option<i32>) -> Pod {
        let mut pod = pod_from_template(&self.spec.template, &self.job);
        pod.add_finalizer(TRACKING_FINALIZER);
        let Some(index) = index else { return pod };
        let name = self.job.name();
        let prefix: String = name.chars().take(58 - format!("-{index}-").len()).collect();
        pod.metadata.generate_name = Some(format!("{prefix}-{index}-"));
        pod.set_annotation(COMPLETION_INDEX, &index.to_string());
        pod.metadata.labels.get_or_insert_default().insert(COMPLETION_INDEX.to_owned(), index.to_string());
        if self.per_index() {
            let (counted, ignored) = self.delayed_deletion.get(&index).map_or((0, 0), |replaced| {
                let (counted, ignored) = failures_before(replaced);
                match failure_policy::is_counted(&self.spec, replaced) {
                    true => (counted.saturating_add(1), ignored),
                    false => (counted, ignored.saturating_add(1)),
                }
            });
            pod.set_annotation(INDEX_FAILURE_COUNT, &counted.to_string());
            if ignored > 0 {
                pod.set_annotation(INDEX_IGNORED_FAILURE_COUNT, &ignored.to_string());
            }
        }
        let spec = pod.spec.get_or_insert_default();
        spec.hostname = Some(format!("{name}-{index}"));
        spec.init_containers.iter_mut().flatten().chain(&mut spec.containers).for_each(add_index_variable);
        pod
    }

    /// The pods to give up: first those of an index that has another one, then the least useful
    /// (`activePodsForRemoval`).
    fn pods_to_remove(&self, at_least: i32) -> Vec<Arc<Pod>> {
        let now = self.api.now();
        let least_useful_first = |pods: &mut Vec<Arc<Pod>>| {
            pods.sort_by(|a, b| compare_for_deletion((a, 0), (b, 0), now));
        };
        let mut removed = Vec::new();
        let mut left: Vec<Arc<Pod>> = Vec::new();
        if is_indexed(&self.spec) {
            let mut by_index: BTreeMap<Option<i32>, Vec<Arc<Pod>>> = BTreeMap::new();
            for pod in &self.active {
                let index = index_of(pod).filter(|i| *i < completions(&self.spec));
                by_index.entry(index).or_default().push(pod.clone());
            }
            for (index, mut pods) in by_index {
                least_useful_first(&mut pods);
                if index.is_some() {
                    left.extend(pods.pop());
                }
                removed.extend(pods);
            }
        } else {
            left.clone_from(&self.active);
        }
        least_useful_first(&mut left);
        let more = usize::try_from(at_least).unwrap_or(0).saturating_sub(removed.len());
        removed.extend(left.into_iter().take(more));
        removed
    }
}
