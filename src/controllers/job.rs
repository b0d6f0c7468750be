//! Runs the pods of a Job until enough have succeeded (`pkg/controller/job`).
mod backoff;
mod failure_policy;
mod indexes;
mod manage;
mod track;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_ref_manager;
use super::controller_utils::{
    Key, PodIndex, RetryQueue, is_pod_active, is_pod_ready, is_pod_terminating, key_of, nonzero, phase,
};
use crate::api::event::EventType;
use crate::api::label_selector;
use crate::api::object::{ApiObject, Kind};
use crate::api::server::seconds_after;
use crate::api::status::Status;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler, WorkQueue};
use backoff::Backoff;
use indexes::Indexes;

const SOURCE: &str = "job-controller";
/// Changes that come together are looked at together. A real controller waits a second (`SyncJobBatchPeriod`); here
/// it is enough to wait for what happens at the same time.
const BATCH_PERIOD: SignedDuration = SignedDuration::from_millis(1);
/// When to try again to release a pod.
const ORPHAN_RETRY: SignedDuration = SignedDuration::from_secs(1);
/// The finalizer of pods that the Job has not counted yet.
const TRACKING_FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// The Job controller.
#[derive(Clone, Default)]
pub struct JobController {
    queue: RetryQueue<Key>,
    /// Jobs whose pods or status changed: they are looked at when many changes have come together.
    changed: BTreeSet<Key>,
    /// Jobs queued for the end of the current batch of changes.
    batched: BTreeSet<Key>,
    /// Pods that may keep a finalizer which no Job will remove.
    orphans: WorkQueue<Key>,
    pods: PodIndex,
    backoffs: BTreeMap<Key, Backoff>,
}

impl Reconciler for JobController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if let Some((old, new)) = change.of::<Job>() {
            self.observe_job(old, new);
        } else if let Some((old, new)) = change.of::<Pod>() {
            self.pods.observe(change);
            self.observe_pod(old, new, store);
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        for key in std::mem::take(&mut self.changed) {
            if self.batched.insert(key.clone()) {
                self.queue.add_at(key, now + BATCH_PERIOD);
            }
        }
        if let Some(pod) = self.orphans.pop(now) {
            if release_orphan(context.api, &pod).is_err() {
                self.orphans.add_at(pod, now + ORPHAN_RETRY);
            }
            return true;
        }
        let Some(key) = self.queue.pop(now) else { return false };
        self.batched.remove(&key);
        match self.sync(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, now),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer().into_iter().chain(self.orphans.next_timer()).min()
    }
}

fn completions(spec: &JobSpec) -> i32 {
    spec.completions.unwrap_or(0)
}

fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

fn is_suspended(spec: &JobSpec) -> bool {
    spec.suspend == Some(true)
}

fn has_tracking_finalizer(pod: &Pod) -> bool {
    pod.has_finalizer(TRACKING_FINALIZER)
}

/// Whether only pods that are over are replaced, not those that are being deleted.
fn only_replaces_failed(spec: &JobSpec) -> bool {
    spec.pod_replacement_policy.as_deref() == Some("Failed") || spec.pod_failure_policy.is_some()
}

fn is_pod_failed(pod: &Pod, spec: &JobSpec) -> bool {
    phase(pod) == "Failed" || !only_replaces_failed(spec) && pod.is_terminating() && phase(pod) != "Succeeded"
}

pub(super) fn condition<'a>(status: &'a JobStatus, type_: &str) -> Option<&'a JobCondition> {
    status.conditions.iter().flatten().find(|c| c.type_ == type_ && c.status == "True")
}

/// The condition with which a Job ended (`jobutil.FinishedCondition`).
pub(super) fn finished_condition(job: &Job) -> Option<&JobCondition> {
    let status = job.status.as_ref()?;
    condition(status, "Complete").or_else(|| condition(status, "Failed"))
}

fn new_condition(api: &ApiServer, type_: &str, status: &str, reason: &str, message: &str) -> JobCondition {
    JobCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(api.time()),
        last_transition_time: Some(api.time()),
    }
}

/// Replaces or adds a condition; says whether that changed anything (`ensureJobConditionStatus`).
fn ensure_condition(status: &mut JobStatus, new: JobCondition) -> bool {
    let conditions = status.conditions.get_or_insert_default();
    let changed = match conditions.iter_mut().find(|c| c.type_ == new.type_) {
        Some(c) if c.status == new.status && c.reason == new.reason && c.message == new.message => false,
        Some(c) => {
            *c = new;
            true
        }
        None if new.status == "False" => false,
        None => {
            conditions.push(new);
            true
        }
    };
    status.conditions.take_if(|c| c.is_empty());
    changed
}

/// One sync of one Job (`syncJobCtx`).
struct Sync<'a> {
    api: &'a mut ApiServer,
    job: Job,
    spec: JobSpec,
    pods: Vec<Arc<Pod>>,
    active: Vec<Arc<Pod>>,
    ready: i32,
    terminating: i32,
    succeeded: i32,
    failed: i32,
    /// Indexed Jobs: what had succeeded before this sync, what has by now, and what failed for good.
    previously_succeeded: Indexes,
    succeeded_indexes: Indexes,
    failed_indexes: Indexes,
    /// Failed pods of indexes that are to be tried again: they are counted when their replacement is made.
    delayed_deletion: BTreeMap<i32, Arc<Pod>>,
    backoff: Backoff,
    finished: Option<JobCondition>,
    requeue_at: Vec<Timestamp>,
}

impl Sync<'_> {
    fn status(&mut self) -> &mut JobStatus {
        self.job.status.get_or_insert_default()
    }

    fn event(&mut self, event_type: EventType, reason: &str, message: &str) {
        let about = Arc::new(self.job.clone());
        self.api.event(SOURCE, &about, event_type, reason, message);
    }

    fn write_status(&mut self) -> Result<(), Status> {
        self.api.update_status(self.job.clone()).map(|_| ())
    }

    fn per_index(&self) -> bool {
        is_indexed(&self.spec) && self.spec.backoff_limit_per_index.is_some()
    }
}

impl JobController {
    fn observe_job(&mut self, old: Option<&Arc<Job>>, new: Option<&Arc<Job>>) {
        let Some(job) = new.or(old) else { return };
        let key = key_of(&**job);
        if new.is_none() {
            self.backoffs.remove(&key);
        }
        if new.is_none() || finished_condition(job).is_some() {
            self.pods
                .owned_by(job.uid())
                .filter(|p| has_tracking_finalizer(p))
                .for_each(|p| self.orphans.add(key_of(&**p)));
        }
        match old.zip(new) {
            Some((old, new)) if old.metadata.generation == new.metadata.generation => {
                self.changed.insert(key);
            }
            _ => self.queue.add(key),
        }
    }

    /// Queues the Job that a pod belongs or belonged to or, if it has no controller, those that could adopt it.
    fn observe_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>, store: &Store) {
        for pod in [old, new].into_iter().flatten() {
            if let Some(owner) = pod.controller().filter(|c| c.kind == "Job") {
                self.changed.insert((pod.namespace().to_owned(), owner.name.clone()));
            }
        }
        let Some(pod) = new else { return };
        if has_tracking_finalizer(pod) && (pod.is_terminating() || pod.controller().is_none()) {
            self.orphans.add(key_of(&**pod));
        }
        if pod.controller().is_some() {
            return;
        }
        let same = |old: &Arc<Pod>| old.controller().is_none() && old.metadata.labels == pod.metadata.labels;
        if old.is_some_and(same) {
            return;
        }
        for job in store.list_in::<Job>(pod.namespace()) {
            let selector = job.spec.as_ref().and_then(|s| s.selector.as_ref());
            if label_selector::matches(selector, pod.metadata.labels.as_ref()) {
                self.changed.insert(key_of(&**job));
            }
        }
    }

    /// `syncJob`.
    fn sync(&mut self, api: &mut ApiServer, key: &Key) -> Result<(), Status> {
        let Some(stored) = api.get::<Job>(&key.0, &key.1).cloned() else { return Ok(()) };
        let Some(spec) = stored.spec.clone() else { return Ok(()) };
        if managed_elsewhere(&stored) {
            return Ok(());
        }
        if finished_condition(&stored).is_some() {
            self.backoffs.remove(key);
            return Ok(());
        }
        let pods = self.pods_of(api, &stored, &spec)?;
        let mut sync = self.begin(api, key, &stored, spec, pods);
        sync.decide();
        let managed = sync.act();
        let tracked = sync.track();
        let (backoff, timers) = (sync.backoff.clone(), sync.requeue_at.clone());
        timers.into_iter().for_each(|due| self.queue.add_at(key.clone(), due));
        tracked?;
        self.backoffs.insert(key.clone(), backoff);
        managed
    }

    /// The pods of a Job; those it adopts get its finalizer (`getPodsForJob`).
    fn pods_of(&self, api: &mut ApiServer, job: &Job, spec: &JobSpec) -> Result<Vec<Arc<Pod>>, Status> {
        let all = self.pods.owned_by(job.uid()).chain(self.pods.orphans_in(job.namespace())).cloned().collect();
        let mut pods = controller_ref_manager::claim(api, job, all, |pod: &Pod| {
            label_selector::matches(spec.selector.as_ref(), pod.metadata.labels.as_ref())
        })?;
        for pod in pods.iter_mut().filter(|p| p.controller().is_none()) {
            let Some(mut adopted) = api.get::<Pod>(pod.namespace(), pod.name()).map(|p| Pod::clone(p)) else {
                continue;
            };
            adopted.add_finalizer(TRACKING_FINALIZER);
            *pod = api.update(adopted)?.object;
        }
        Ok(pods)
    }

    fn begin<'a>(
        &self,
        api: &'a mut ApiServer,
        key: &Key,
        stored: &Job,
        spec: JobSpec,
        pods: Vec<Arc<Pod>>,
    ) -> Sync<'a> {
        let mut job = stored.clone();
        let status = job.status.get_or_insert_default();
        status.uncounted_terminated_pods.get_or_insert_default();
        if status.start_time.is_none() && !is_suspended(&spec) {
            status.start_time = Some(api.time());
        }
        let active: Vec<Arc<Pod>> = pods.iter().filter(|p| is_pod_active(p)).cloned().collect();
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let ready = count(active.iter().filter(|p| is_pod_ready(p)).count());
        let terminating = count(pods.iter().filter(|p| is_pod_terminating(p)).count());
        let backoff = self.backoffs.get(key).cloned().unwrap_or_default();
        let mut sync = Sync {
            api,
            job,
            spec,
            pods,
            active,
            ready,
            terminating,
            succeeded: 0,
            failed: 0,
            previously_succeeded: Indexes::default(),
            succeeded_indexes: Indexes::default(),
            failed_indexes: Indexes::default(),
            delayed_deletion: BTreeMap::new(),
            backoff,
            finished: None,
            requeue_at: Vec::new(),
        };
        sync.count_finished();
        if is_indexed(&sync.spec) {
            sync.compute_indexes();
        }
        sync
    }
}

/// Removes the finalizer of a pod that no Job will count (`handleSingleOrphanPod`).
fn release_orphan(api: &mut ApiServer, key: &Key) -> Result<(), Status> {
    let Some(pod) = api.get::<Pod>(&key.0, &key.1).cloned() else { return Ok(()) };
    if let Some(owner) = pod.controller() {
        let job = api.get::<Job>(&key.0, &owner.name).filter(|job| job.uid() == owner.uid);
        let kept = |job: &Arc<Job>| managed_elsewhere(job) || finished_condition(job).is_none();
        if owner.kind != Kind::Job.name() || owner.api_version != Kind::Job.api_version() || job.is_some_and(kept) {
            return Ok(());
        }
    }
    track::remove_finalizer(api, &pod).map(|_| ())
}

/// Whether another controller looks after a Job (`managedByExternalController`).
fn managed_elsewhere(job: &Job) -> bool {
    let manager = job.spec.as_ref().and_then(|s| s.managed_by.as_deref());
    manager.is_some_and(|manager| manager != "kubernetes.io/job-controller")
}

impl Sync<'_> {
    /// Whether the Job is over, for which reason (the first half of `syncJob`).
    fn decide(&mut self) {
        let now = self.api.now();
        let status = self.job.status.clone().unwrap_or_default();
        let failure = |api: &ApiServer, reason: &str, message: &str| {
            Some(new_condition(api, "FailureTarget", "True", reason, message))
        };
        self.finished = condition(&status, "SuccessCriteriaMet").cloned();
        if self.finished.is_none() {
            if let Some(target) = condition(&status, "FailureTarget") {
                let (reason, message) = (target.reason.clone(), target.message.clone());
                let (reason, message) = (reason.unwrap_or_default(), message.unwrap_or_default());
                self.finished = Some(new_condition(self.api, "Failed", "True", &reason, &message));
            } else if let Some(message) = failure_policy::failure_message(&self.spec, &self.pods) {
                self.finished = failure(self.api, "PodFailurePolicy", &message);
            }
        }
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if self.finished.is_none() {
            let started = status.start_time.as_ref().map(|t| t.0);
            let seconds = self.spec.active_deadline_seconds.filter(|_| !is_suspended(&self.spec));
            let deadline = started.zip(seconds).map(|(started, seconds)| seconds_after(started, seconds));
            if self.failed > limit || backoff::past_limit_on_failure(&self.spec, limit, &self.pods) {
                let message = "Job has reached the specified backoff limit";
                self.finished = failure(self.api, "BackoffLimitExceeded", message);
            } else if deadline.is_some_and(|d| now >= d) {
                let message = "Job was active longer than specified deadline";
                self.finished = failure(self.api, "DeadlineExceeded", message);
            } else if let Some(deadline) = deadline {
                self.requeue_at.push(deadline);
            }
        }
        if is_indexed(&self.spec) && self.finished.is_none() {
            self.decide_indexed();
        }
    }

    fn decide_indexed(&mut self) {
        let (failed, succeeded) = (self.failed_indexes.len(), self.succeeded_indexes.len());
        if self.per_index() {
            if self.spec.max_failed_indexes.is_some_and(|max| failed > max) {
                let message = "Job has exceeded the specified maximal number of failed indexes";
                let reason = "MaxFailedIndexesExceeded";
                self.finished = Some(new_condition(self.api, "FailureTarget", "True", reason, message));
            } else if failed > 0 && failed + succeeded >= completions(&self.spec) {
                let message = "Job has failed indexes";
                self.finished = Some(new_condition(self.api, "FailureTarget", "True", "FailedIndexes", message));
            }
        }
        if self.finished.is_none()
            && let Some(rule) = indexes::matching_success_rule(&self.spec, &self.succeeded_indexes)
        {
            let message = format!("Matched rules at index {rule}");
            self.finished = Some(new_condition(self.api, "SuccessCriteriaMet", "True", "SuccessPolicy", &message));
        }
    }

    /// Stops what is left of a Job that is over, or makes and removes pods of one that is not.
    fn act(&mut self) -> Result<(), Status> {
        let mut active = i32::try_from(self.active.len()).unwrap_or(i32::MAX);
        let result = if self.finished.is_some() {
            let (deleted, result) = self.delete_active_pods();
            if deleted != active {
                self.finished = None;
            }
            active -= deleted;
            result
        } else {
            let mut result = Ok(());
            let manage = !self.job.is_terminating();
            if manage {
                (active, result) = self.manage_job();
            }
            let complete = match self.spec.completions {
                None => self.succeeded > 0 && active == 0,
                Some(completions) => self.succeeded >= completions && active == 0,
            };
            if complete {
                let message = "Reached expected number of succeeded pods";
                let reason = "CompletionsReached";
                self.finished = Some(new_condition(self.api, "SuccessCriteriaMet", "True", reason, message));
            } else if manage {
                self.set_suspended();
            }
            result
        };
        let (ready, terminating) = (self.ready, self.terminating);
        let status = self.status();
        status.active = nonzero(active);
        status.ready = Some(ready);
        status.terminating = Some(terminating);
        result
    }

    /// The condition `Suspended`, and the start time that goes with it.
    fn set_suspended(&mut self) {
        let suspended = is_suspended(&self.spec);
        let (value, reason, message) = match suspended {
            true => ("True", "JobSuspended", "Job suspended"),
            false => ("False", "JobResumed", "Job resumed"),
        };
        let condition = new_condition(self.api, "Suspended", value, reason, message);
        let now = self.api.time();
        let status = self.status();
        if !ensure_condition(status, condition) {
            return;
        }
        status.start_time = (!suspended).then_some(now);
        self.event(EventType::Normal, if suspended { "Suspended" } else { "Resumed" }, message);
    }
}

#[cfg(test)]
mod tests;
