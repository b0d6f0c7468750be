//! Makes Jobs by the clock (`pkg/controller/cronjob`).
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{
    Key, RetryQueue, controller_reference, is_controlled_by, is_namespace_terminating, key_of,
};
use super::job::finished_condition;
use crate::api::event::EventType;
use crate::api::kinds::cron_job::schedule::{Schedule, load_location};
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

const SOURCE: &str = "cronjob-controller";
/// The annotation with the time a Job was scheduled for.
const SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The CronJob controller.
#[derive(Clone, Default)]
pub struct CronJobController {
    queue: RetryQueue<Key>,
    /// When each CronJob is next due.
    alarms: std::collections::BTreeMap<Key, Timestamp>,
}

impl Reconciler for CronJobController {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((old, new)) = change.of::<CronJob>() {
            let Some(job) = new.or(old) else { return };
            if new.is_none() {
                self.alarms.remove(&key_of(&**job));
            }
            self.queue.add(key_of(&**job));
        } else if let Some((old, new)) = change.of::<Job>() {
            for job in [old, new].into_iter().flatten() {
                if let Some(owner) = job.controller().filter(|c| c.kind == "CronJob") {
                    self.queue.add((job.namespace().to_owned(), owner.name.clone()));
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        let due: Vec<Key> = self.alarms.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            self.alarms.remove(&key);
            self.queue.add(key);
        }
        let Some(key) = self.queue.pop(now) else { return false };
        match self.sync(context.api, &key) {
            Ok(Some(due)) => {
                self.queue.forget(&key);
                self.alarms.insert(key, due);
            }
            Ok(None) => {
                self.queue.forget(&key);
                self.alarms.remove(&key);
            }
            Err(_) => self.queue.retry(key, now),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }

    fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms.values().min().copied()
    }

    fn boxed_clone(&self) -> Box<dyn Reconciler> {
        Box::new(self.clone())
    }
}

/// One sync of one CronJob: `job` carries changes of its status.
struct Sync<'a> {
    api: &'a mut ApiServer,
    job: CronJob,
    changed: bool,
}

impl CronJobController {
    /// Looks after the Jobs that were made, makes one if it is time; when to look again.
    fn sync(&self, api: &mut ApiServer, key: &Key) -> Result<Option<Timestamp>, Status> {
        let Some(stored) = api.get::<CronJob>(&key.0, &key.1) else { return Ok(None) };
        let job = CronJob::clone(stored);
        let uid = job.uid().to_owned();
        let children: Vec<Arc<Job>> =
            api.store().list_in::<Job>(&key.0).filter(|j| is_controlled_by(&***j, &uid)).cloned().collect();
        let mut sync = Sync { api, job, changed: false };
        let next = sync.run(&children);
        sync.cleanup(&children);
        if sync.changed {
            sync.api.update_status(sync.job.clone())?;
        }
        next
    }
}

impl Sync<'_> {
    fn event(&mut self, event_type: EventType, reason: &str, message: String) {
        let about = Arc::new(self.job.clone());
        self.api.event(SOURCE, &about, event_type, reason, message);
    }

    fn status(&mut self) -> &mut CronJobStatus {
        self.job.status.get_or_insert_default()
    }

    fn is_active(&self, uid: &str) -> bool {
        let active = self.job.status.as_ref().and_then(|s| s.active.as_ref());
        active.into_iter().flatten().any(|r| r.uid.as_deref() == Some(uid))
    }

    fn remove_active(&mut self, uid: &str) {
        let status = self.status();
        status.active.iter_mut().for_each(|a| a.retain(|r| r.uid.as_deref() != Some(uid)));
        status.active.take_if(|a| a.is_empty());
        self.changed = true;
    }

    /// `syncCronJob`.
    fn run(&mut self, children: &[Arc<Job>]) -> Result<Option<Timestamp>, Status> {
        self.follow_children(children);
        let spec = self.job.spec.clone();
        if self.job.is_terminating() {
            return Ok(None);
        }
        let zone = match load_location(spec.time_zone.as_deref().unwrap_or_default()) {
            Ok(zone) => zone,
            Err(why) => {
                let zone = crate::api::field::go_quote(spec.time_zone.as_deref().unwrap_or_default());
                self.event(EventType::Warning, "UnknownTimeZone", format!("invalid timeZone: {zone}: {why}"));
                return Ok(None);
            }
        };
        if spec.suspend == Some(true) {
            return Ok(None);
        }
        let schedule = match Schedule::parse(&spec.schedule) {
            Ok(schedule) => schedule,
            Err(why) => {
                let quoted = crate::api::field::go_quote(&spec.schedule);
                let message = format!("unparseable schedule: {quoted} : {why}");
                self.event(EventType::Warning, "UnparseableSchedule", message);
                return Ok(None);
            }
        };
        let now = self.api.now();
        let (due, missed_many) = self.most_recent(&schedule, &zone, &spec, true);
        if missed_many {
            let message =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.event(EventType::Warning, "TooManyMissedTimes", message.to_owned());
        }
        if let Some(due) = due {
            let seconds = spec.starting_deadline_seconds;
            if seconds.is_some_and(|s| due + SignedDuration::from_secs(s) < now) {
                let time = due.strftime("%a, %d %b %Y %H:%M:%S +0000");
                let message = format!("Missed scheduled time to start a job: {time}");
                self.event(EventType::Warning, "MissSchedule", message);
            } else {
                self.start(due, &spec, &zone)?;
            }
        }
        let from = self.most_recent(&schedule, &zone, &spec, false).0.unwrap_or(now);
        Ok(schedule.next(from.max(now), &zone))
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
        for reference in self.status().active.clone().unwrap_or_default() {
            let uid = reference.uid.unwrap_or_default();
            if !uids.contains(uid.as_str()) {
                let name = reference.name.unwrap_or_default();
                self.event(EventType::Normal, "MissingJob", format!("Active job went missing: {name}"));
                self.remove_active(&uid);
            }
        }
    }

    /// The last time at which a Job should have been started, and whether many were missed
    /// (`mostRecentScheduleTime`).
    fn most_recent(
        &self,
        schedule: &Schedule,
        zone: &TimeZone,
        spec: &CronJobSpec,
        within_deadline: bool,
    ) -> (Option<Timestamp>, bool) {
        let now = self.api.now();
        let last = self.job.status.as_ref().and_then(|s| s.last_schedule_time.as_ref());
        let created = self.job.metadata.creation_timestamp.as_ref();
        let mut earliest = last.or(created).map_or(now, |t| t.0);
        if let Some(seconds) = spec.starting_deadline_seconds.filter(|_| within_deadline) {
            earliest = earliest.max(now - SignedDuration::from_secs(seconds));
        }
        let mut times = 0_usize;
        let mut recent = None;
        let mut next = schedule.next(earliest, zone);
        while let Some(time) = next.filter(|t| *t <= now) {
            recent = Some(time);
            times += 1;
            next = schedule.next(time, zone);
            if times > 100 {
                // jump to the end: the times in between are not made up for
                let near = now - SignedDuration::from_hours(24 * 366);
                next = schedule.next(time.max(near), zone);
            }
        }
        (recent, times > 100)
    }

    /// Starts a Job unless it has been started or the one before is still running and may not be disturbed.
    fn start(&mut self, due: Timestamp, spec: &CronJobSpec, zone: &TimeZone) -> Result<(), Status> {
        let name = format!("{}-{}", self.job.name(), due.as_second() / 60);
        let status = self.status().clone();
        let active = status.active.unwrap_or_default();
        let started = active.iter().any(|r| r.name.as_deref() == Some(&*name));
        if started || status.last_schedule_time.is_some_and(|t| t.0 == due) {
            return Ok(());
        }
        match spec.concurrency_policy.as_deref() {
            Some("Forbid") if !active.is_empty() => {
                let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.event(EventType::Normal, "JobAlreadyActive", message.to_owned());
                return Ok(());
            }
            Some("Replace") => {
                for reference in active {
                    let job = reference.name.unwrap_or_default();
                    self.delete_job(&job, &reference.uid.unwrap_or_default())?;
                }
            }
            _ => {}
        }
        let job = self.new_job(name, due, spec, zone);
        let created = match self.api.create(job.clone()) {
            Ok(accepted) => accepted.object,
            Err(status) if status.reason == Reason::AlreadyExists => {
                let existing = self.api.get::<Job>(job.namespace(), job.name()).cloned();
                let ours = existing.filter(|j| is_controlled_by(&**j, self.job.uid()) && !self.is_active(j.uid()));
                let Some(existing) = ours else { return Ok(()) };
                existing
            }
            Err(status) => {
                if !is_namespace_terminating(&status) {
                    self.event(EventType::Warning, "FailedCreate", format!("Error creating job: {status}"));
                }
                return Err(status);
            }
        };
        self.event(EventType::Normal, "SuccessfulCreate", format!("Created job {}", created.name()));
        let reference = ObjectReference {
            api_version: Some("batch/v1".to_owned()),
            kind: Some("Job".to_owned()),
            namespace: created.metadata.namespace.clone(),
            name: created.metadata.name.clone(),
            uid: created.metadata.uid.clone(),
            ..Default::default()
        };
        let status = self.status();
        status.active.get_or_insert_default().push(reference);
        status.last_schedule_time = Some(Time(due));
        self.changed = true;
        Ok(())
    }

    /// `getJobFromTemplate2`.
    fn new_job(&self, name: String, due: Timestamp, spec: &CronJobSpec, zone: &TimeZone) -> Job {
        let template = spec.job_template.metadata.clone().unwrap_or_default();
        let mut annotations = template.annotations.unwrap_or_default();
        let zoned = due.to_zoned(zone.clone());
        let time = if zoned.offset().is_zero() {
            zoned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        } else {
            zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        annotations.insert(SCHEDULED_TIMESTAMP.to_owned(), time);
        Job {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: self.job.metadata.namespace.clone(),
                labels: template.labels,
                annotations: Some(annotations),
                owner_references: Some(vec![controller_reference(&self.job)]),
                ..Default::default()
            },
            spec: spec.job_template.spec.clone(),
            status: None,
        }
    }

    fn delete_job(&mut self, name: &str, uid: &str) -> Result<(), Status> {
        let key = ObjectKey::new(Kind::Job, self.job.namespace(), name);
        let options = DeleteOptions { uid: Some(uid.to_owned()), ..Default::default() };
        if let Err(status) = self.api.delete(&key, &options) {
            self.event(EventType::Warning, "FailedDelete", format!("Deleted job: {status}"));
            return Err(status);
        }
        self.remove_active(uid);
        self.event(EventType::Normal, "SuccessfulDelete", format!("Deleted job {name}"));
        Ok(())
    }

    /// Deletes the oldest finished Jobs beyond the limits (`cleanupFinishedJobs`).
    fn cleanup(&mut self, children: &[Arc<Job>]) {
        let spec = self.job.spec.clone();
        let limits = [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)];
        for (type_, limit) in limits {
            let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()) else { continue };
            let mut jobs: Vec<&Arc<Job>> =
                children.iter().filter(|j| finished_condition(j).is_some_and(|c| c.type_ == type_)).collect();
            let started = |job: &Job| job.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0);
            jobs.sort_by(|a, b| {
                let (x, y) = (started(a), started(b));
                x.is_none().cmp(&y.is_none()).then_with(|| x.cmp(&y)).then_with(|| a.name().cmp(b.name()))
            });
            let surplus = jobs.len().saturating_sub(limit);
            for job in jobs.into_iter().take(surplus) {
                // what fails is tried again at the next sync
                let _ = self.delete_job(job.name(), job.uid());
            }
        }
    }
}
