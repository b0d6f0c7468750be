//! Makes Jobs by the clock (`pkg/controller/cronjob`).
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{
    Key, RetryQueue, controller_reference, is_controlled_by, is_namespace_terminating, key_of,
};
use super::job::finished_condition;
use crate::api::event::EventType;
use crate::api::field::go_quote;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::api::validation::cron::Schedule;
use crate::api::validation::time_zone::load_location;
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};
use schedule::{format_schedule, most_recent_schedule_time, next_schedule_time};

const SOURCE: &str = "cronjob-controller";
/// The annotation with the time a Job was scheduled for.
const SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The CronJob controller.
#[derive(Clone, Default)]
pub struct CronJobController {
    queue: RetryQueue<Key>,
    /// When CronJobs are to be looked at because of their schedule.
    alarms: BTreeSet<(Timestamp, Key)>,
    /// CronJobs whose schedule changed.
    rescheduled: BTreeSet<Key>,
    /// Jobs by the namespace and name of their controller, then by name.
    jobs: BTreeMap<Key, BTreeMap<String, Arc<Job>>>,
}

impl Reconciler for CronJobController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((old, new)) = change.of::<CronJob>() {
            self.observe_cron_job(old, new);
        } else if let Some((old, new)) = change.of::<Job>() {
            let owner = |job: &Arc<Job>| job.controller().map(|c| (job.namespace().to_owned(), c.name.clone()));
            if let Some((job, key)) = old.and_then(|job| Some((job, owner(job)?))) {
                if let Some(jobs) = self.jobs.get_mut(&key) {
                    jobs.remove(job.name());
                    if jobs.is_empty() {
                        self.jobs.remove(&key);
                    }
                }
                self.queue.add(key);
            }
            if let Some((job, key)) = new.and_then(|job| Some((job, owner(job)?))) {
                self.jobs.entry(key.clone()).or_default().insert(job.name().to_owned(), job.clone());
                self.queue.add(key);
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        self.reschedule(context.api);
        while let Some((_, key)) = self.alarms.first().filter(|(due, _)| *due <= now) {
            self.queue.add(key.clone());
            self.alarms.pop_first();
        }
        let Some(key) = self.queue.pop(now) else { return false };
        match self.sync(context.api, &key) {
            Ok(due) => {
                self.queue.forget(&key);
                self.alarms.extend(due.map(|due| (due, key)));
            }
            Err(_) => self.queue.retry(key, now),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }

    fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms.first().map(|(due, _)| *due)
    }
}

impl CronJobController {
    /// A changed schedule is not looked at before its next time (`updateCronJob`).
    fn observe_cron_job(&mut self, old: Option<&Arc<CronJob>>, new: Option<&Arc<CronJob>>) {
        let Some(job) = new.or(old) else { return };
        let schedule = |job: &Arc<CronJob>| (job.spec.schedule.clone(), job.spec.time_zone.clone());
        if old.zip(new).is_some_and(|(old, new)| schedule(old) != schedule(new)) {
            self.rescheduled.insert(key_of(&**job));
        } else {
            self.queue.add(key_of(&**job));
        }
    }

    fn reschedule(&mut self, api: &ApiServer) {
        for key in std::mem::take(&mut self.rescheduled) {
            let Some(job) = api.get::<CronJob>(&key.0, &key.1) else { continue };
            let schedule = Schedule::parse(&format_schedule(&job.spec)).ok();
            let due = schedule.and_then(|schedule| next_schedule_time(job, api.now(), &schedule));
            self.alarms.extend(due.map(|due| (due, key)));
        }
    }

    /// Looks after the Jobs that were made, makes one if it is time; when to look again.
    fn sync(&self, api: &mut ApiServer, key: &Key) -> Result<Option<Timestamp>, Status> {
        let Some(stored) = api.get::<CronJob>(&key.0, &key.1) else { return Ok(None) };
        let job = CronJob::clone(stored);
        let children: Vec<Arc<Job>> = self.jobs.get(key).into_iter().flat_map(BTreeMap::values).cloned().collect();
        let mut sync = Sync { api, job, changed: false };
        sync.clean_up(&children);
        let next = sync.run(&children);
        if sync.changed {
            let job = sync.job;
            sync.api.update_status(job)?;
        }
        next
    }
}

/// One sync of one CronJob; `job` carries changes of its status.
struct Sync<'a> {
    api: &'a mut ApiServer,
    job: CronJob,
    changed: bool,
}

impl Sync<'_> {
    fn event(&mut self, event_type: EventType, reason: &str, message: impl AsRef<str>) {
        let about = Arc::new(self.job.clone());
        self.api.event(SOURCE, &about, event_type, reason, message);
    }

    fn status(&mut self) -> &mut CronJobStatus {
        self.job.status.get_or_insert_default()
    }

    fn active(&self) -> &[ObjectReference] {
        self.job.status.as_ref().and_then(|s| s.active.as_deref()).unwrap_or_default()
    }

    fn is_active(&self, uid: &str) -> bool {
        self.active().iter().any(|r| r.uid.as_deref() == Some(uid))
    }

    /// `deleteFromActiveList`.
    fn remove_active(&mut self, uid: &str) {
        let status = self.status();
        status.active.iter_mut().for_each(|a| a.retain(|r| r.uid.as_deref() != Some(uid)));
        status.active.take_if(|a| a.is_empty());
        self.changed = true;
    }

    /// `syncCronJob`: when to look at the CronJob again.
    fn run(&mut self, children: &[Arc<Job>]) -> Result<Option<Timestamp>, Status> {
        self.follow_children(children);
        if self.job.is_terminating() {
            return Ok(None);
        }
        let spec = self.job.spec.clone();
        if let Some(zone) = spec.time_zone.as_deref()
            && let Err(why) = load_location(zone)
        {
            let message = format!("invalid timeZone: {}: {why}", go_quote(zone));
            self.event(EventType::Warning, "UnknownTimeZone", message);
            return Ok(None);
        }
        if spec.suspend == Some(true) {
            return Ok(None);
        }
        if spec.schedule.contains("TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {} is not officially supported, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
                go_quote(&spec.schedule)
            );
            self.event(EventType::Warning, "UnsupportedSchedule", message);
        }
        let schedule = match Schedule::parse(&format_schedule(&spec)) {
            Ok(schedule) => schedule,
            Err(why) => {
                let message = format!("unparseable schedule: {} : {why}", go_quote(&spec.schedule));
                self.event(EventType::Warning, "UnparseableSchedule", message);
                return Ok(None);
            }
        };
        let now = self.api.now();
        let missed = match most_recent_schedule_time(&self.job, now, &schedule, true) {
            Ok(missed) => missed,
            Err(why) => {
                let message = format!("invalid schedule: {} : {why}", spec.schedule);
                self.event(EventType::Warning, "InvalidSchedule", message);
                return Ok(None);
            }
        };
        if let Some(due) = missed.most_recent {
            if missed.too_many() {
                let message =
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
                self.event(EventType::Warning, "TooManyMissedTimes", message);
            }
            let deadline = spec.starting_deadline_seconds.map(SignedDuration::from_secs);
            if deadline.and_then(|deadline| due.checked_add(deadline).ok()).is_some_and(|end| end < now) {
                let time = due.strftime("%a, %d %b %Y %H:%M:%S +0000");
                let message = format!("Missed scheduled time to start a job: {time}");
                self.event(EventType::Warning, "MissSchedule", message);
            } else if !self.start(due)? {
                return Ok(None);
            }
        }
        Ok(next_schedule_time(&self.job, now, &schedule))
    }

    /// Jobs that ended or vanished are no longer active.
    fn follow_children(&mut self, children: &[Arc<Job>]) {
        for child in children {
            let active = self.is_active(child.uid());
            let Some(condition) = finished_condition(child) else {
                if !active {
                    let name = child.name();
                    let message = format!("Saw a job that the controller did not create or forgot: {name}");
                    self.event(EventType::Warning, "UnexpectedJob", message);
                }
                continue;
            };
            if active {
                self.remove_active(child.uid());
                let message = format!("Saw completed job: {}, condition: {}", child.name(), condition.type_);
                self.event(EventType::Normal, "SawCompletedJob", message);
            }
            let completed = child.status.as_ref().and_then(|s| s.completion_time.clone());
            let known = self.status().last_successful_time.clone();
            if condition.type_ == "Complete" && completed.as_ref().map(|t| t.0) > known.map(|t| t.0) {
                self.status().last_successful_time = completed;
                self.changed = true;
            }
        }
        let uids: BTreeSet<&str> = children.iter().map(|c| c.uid()).collect();
        for reference in self.active().to_vec() {
            let (uid, name) = (reference.uid.unwrap_or_default(), reference.name.unwrap_or_default());
            // the index of Jobs may be older than the store
            let namespace = reference.namespace.unwrap_or_default();
            if !uids.contains(uid.as_str()) && self.api.get::<Job>(&namespace, &name).is_none() {
                self.event(EventType::Normal, "MissingJob", format!("Active job went missing: {name}"));
                self.remove_active(&uid);
            }
        }
    }

    /// Starts a Job unless it has been started or the one before is still running and may not be disturbed. `false` if
    /// somebody else made a Job of its name.
    fn start(&mut self, due: Timestamp) -> Result<bool, Status> {
        let name = format!("{}-{}", self.job.name(), due.as_second() / 60);
        let last = self.status().last_schedule_time.as_ref().map(|t| t.0);
        if last == Some(due) || self.active().iter().any(|r| r.name.as_deref() == Some(&*name)) {
            return Ok(true);
        }
        match self.job.spec.concurrency_policy.as_deref() {
            Some("Forbid") if !self.active().is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.event(EventType::Normal, "JobAlreadyActive", message);
                return Ok(true);
            }
            Some("Replace") => {
                for reference in self.active().to_vec() {
                    let namespace = reference.namespace.unwrap_or_default();
                    let running = reference.name.unwrap_or_default();
                    let Some(running) = self.api.get::<Job>(&namespace, &running).cloned() else {
                        let status = Status::not_found(Kind::Job, &running);
                        self.event(EventType::Warning, "FailedGet", format!("Get job: {status}"));
                        return Err(status);
                    };
                    self.delete_job(&running)?;
                }
            }
            _ => {}
        }
        let job = self.new_job(name, due);
        let created = match self.api.create(job.clone()) {
            Ok(accepted) => {
                let job = accepted.object;
                self.event(EventType::Normal, "SuccessfulCreate", format!("Created job {}", job.name()));
                job
            }
            Err(status) if status.reason == Reason::AlreadyExists => {
                let existing = self.api.get::<Job>(job.namespace(), job.name()).cloned();
                let ours = existing.filter(|j| is_controlled_by(&**j, self.job.uid()) && !self.is_active(j.uid()));
                let Some(existing) = ours else { return Ok(false) };
                existing
            }
            Err(status) => {
                if !is_namespace_terminating(&status) {
                    self.event(EventType::Warning, "FailedCreate", format!("Error creating job: {status}"));
                }
                return Err(status);
            }
        };
        let reference = ObjectReference {
            api_version: Some(Kind::Job.api_version().to_owned()),
            kind: Some(Kind::Job.name().to_owned()),
            namespace: created.metadata.namespace.clone(),
            name: created.metadata.name.clone(),
            uid: created.metadata.uid.clone(),
            ..Default::default()
        };
        let status = self.status();
        status.active.get_or_insert_default().push(reference);
        status.last_schedule_time = Some(Time(due));
        self.changed = true;
        Ok(true)
    }

    /// `getJobFromTemplate2`.
    fn new_job(&self, name: String, due: Timestamp) -> Job {
        let template = &self.job.spec.job_template;
        let metadata = template.metadata.clone().unwrap_or_default();
        let mut annotations = metadata.annotations.unwrap_or_default();
        let zone = load_location(self.job.spec.time_zone.as_deref().unwrap_or_default());
        let zoned = due.to_zoned(zone.unwrap_or(k8s_openapi::jiff::tz::TimeZone::UTC));
        let format = if zoned.offset().is_zero() { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%:z" };
        annotations.insert(SCHEDULED_TIMESTAMP.to_owned(), zoned.strftime(format).to_string());
        Job {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: self.job.metadata.namespace.clone(),
                labels: metadata.labels,
                annotations: Some(annotations),
                owner_references: Some(vec![controller_reference(&self.job)]),
                ..Default::default()
            },
            spec: template.spec.clone(),
            status: None,
        }
    }

    /// `deleteJob`.
    fn delete_job(&mut self, job: &Job) -> Result<(), Status> {
        let key = ObjectKey::new(Kind::Job, job.namespace(), job.name());
        if let Err(status) = self.api.delete(&key, &DeleteOptions::default()) {
            self.event(EventType::Warning, "FailedDelete", format!("Deleted job: {status}"));
            return Err(status);
        }
        self.remove_active(job.uid());
        self.event(EventType::Normal, "SuccessfulDelete", format!("Deleted job {}", job.name()));
        Ok(())
    }

    /// Deletes the oldest finished Jobs beyond the limits (`cleanupFinishedJobs`).
    fn clean_up(&mut self, children: &[Arc<Job>]) {
        let spec = &self.job.spec;
        let limits = [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)];
        for (condition, limit) in limits {
            let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()) else { continue };
            let finished = |job: &&Arc<Job>| finished_condition(job).is_some_and(|c| c.type_ == condition);
            let mut jobs: Vec<&Arc<Job>> = children.iter().filter(finished).collect();
            let started = |job: &Job| job.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0);
            jobs.sort_by(|a, b| {
                let (x, y) = (started(a), started(b));
                x.is_none().cmp(&y.is_none()).then_with(|| x.cmp(&y)).then_with(|| a.name().cmp(b.name()))
            });
            let surplus = jobs.len().saturating_sub(limit);
            for job in jobs.into_iter().take(surplus) {
                // what fails is tried again at the next sync
                let _ = self.delete_job(job);
            }
        }
    }
}

#[cfg(test)]
mod tests;
