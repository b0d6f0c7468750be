//! Deletes Jobs some time after they ended, if they say so (`pkg/controller/ttlafterfinished`).
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::controller_utils::{Key, RetryQueue, key_of};
use super::job::finished_condition;
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::{DeleteOptions, Propagation};
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

/// The TTL controller for finished Jobs.
#[derive(Clone, Default)]
pub struct TtlAfterFinishedController {
    queue: RetryQueue<Key>,
}

impl Reconciler for TtlAfterFinishedController {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if let Some((_, Some(job))) = change.of::<Job>()
            && expiry(job).is_some()
        {
            self.queue.add(key_of(&**job));
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.api.now();
        let Some(key) = self.queue.pop(now) else { return false };
        self.process(context.api, key, now);
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

/// When a Job is to be deleted.
fn expiry(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.ttl_seconds_after_finished?;
    let finished = finished_condition(job)?.last_transition_time.as_ref()?.0;
    Some(finished + SignedDuration::from_secs(i64::from(seconds)))
}

impl TtlAfterFinishedController {
    fn process(&mut self, api: &mut ApiServer, key: Key, now: Timestamp) {
        let Some(job) = api.get::<Job>(&key.0, &key.1).filter(|j| !j.is_terminating()) else { return };
        match expiry(job) {
            Some(due) if due > now => self.queue.add_at(key, due),
            Some(_) => {
                let options = DeleteOptions {
                    propagation: Propagation::Foreground,
                    uid: Some(job.uid().to_owned()),
                    ..Default::default()
                };
                if api.delete(&ObjectKey::new(Kind::Job, &key.0, &key.1), &options).is_err() {
                    self.queue.retry(key, now);
                }
            }
            None => {}
        }
    }
}
