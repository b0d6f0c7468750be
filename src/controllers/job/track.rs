//! Counting each pod once (`trackJobStatusAndRemoveFinalizers`): a pod is noted in the status, then loses its finalizer,
//! then the counter goes up.
use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::indexes::index_of;
use super::{
    Sync, TRACKING_FINALIZER, completions, ensure_condition, failure_policy, has_tracking_finalizer, is_indexed,
    is_pod_failed, new_condition,
};
use crate::api::ApiServer;
use crate::api::event::EventType;
use crate::api::object::ApiObject;
use crate::api::status::{Reason, Status};
use crate::controllers::controller_utils::{nonzero, phase};

/// Lets a pod go; whether it had the finalizer.
pub(super) fn remove_finalizer(api: &mut ApiServer, pod: &Pod) -> Result<bool, Status> {
    let current = api.get::<Pod>(pod.namespace(), pod.name()).filter(|p| p.uid() == pod.uid());
    let Some(mut changed) = current.map(|p| Pod::clone(p)) else { return Ok(true) };
    if !changed.remove_finalizer(TRACKING_FINALIZER) {
        return Ok(false);
    }
    match api.update(changed) {
        Err(status) if status.reason != Reason::NotFound => Err(status),
        _ => Ok(true),
    }
}

impl Sync<'_> {
    /// How many pods succeeded and failed so far, counted or not, and what that means for the next try.
    pub(super) fn count_finished(&mut self) {
        let status = self.job.status.clone().unwrap_or_default();
        let uncounted = status.uncounted_terminated_pods.unwrap_or_default();
        let succeeded = uncounted.succeeded.unwrap_or_default();
        let failed = uncounted.failed.unwrap_or_default();
        let relevant = |pod: &&Arc<Pod>| {
            let index_fits = index_of(pod).is_some_and(|i| i < completions(&self.spec));
            has_tracking_finalizer(pod) && (!is_indexed(&self.spec) || index_fits)
        };
        let new_succeeded: Vec<Arc<Pod>> = self
            .pods
            .iter()
            .filter(relevant)
            .filter(|p| phase(p) == "Succeeded" && !succeeded.iter().any(|uid| uid == p.uid()))
            .cloned()
            .collect();
        let new_failed: Vec<Arc<Pod>> = self
            .pods
            .iter()
            .filter(relevant)
            .filter(|p| is_pod_failed(p, &self.spec) && !failed.iter().any(|uid| uid == p.uid()))
            .cloned()
            .collect();
        let counted = new_failed.iter().filter(|p| failure_policy::is_counted(&self.spec, p)).count();
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        self.succeeded = status.succeeded.unwrap_or(0) + count(new_succeeded.len() + succeeded.len());
        self.failed = status.failed.unwrap_or(0) + count(counted + failed.len());
        self.backoff.record(&new_succeeded, &new_failed);
    }

    /// Counts pods, writes the status, and ends the Job when nothing is left to count.
    pub(super) fn track(&mut self) -> Result<(), Status> {
        let mut with_finalizer: BTreeSet<String> =
            self.pods.iter().filter(|p| has_tracking_finalizer(p)).map(|p| p.uid().to_owned()).collect();
        self.clean_uncounted(&with_finalizer);
        let done = self.note_finished_pods();
        if is_indexed(&self.spec) {
            let (succeeded, failed) = (self.succeeded_indexes.clone(), self.failed_indexes.clone());
            let per_index = self.per_index();
            let status = self.status();
            status.succeeded = nonzero(succeeded.len());
            status.completed_indexes = Some(succeeded.to_string()).filter(|s| !s.is_empty());
            status.failed_indexes = per_index.then(|| failed.to_string());
        }
        self.announce_end();
        self.write_status()?;
        let mut failure = None;
        for pod in done {
            match remove_finalizer(self.api, &pod) {
                Ok(_) => {
                    with_finalizer.remove(pod.uid());
                }
                Err(status) => failure = failure.or(Some(status)),
            }
        }
        self.clean_uncounted(&with_finalizer);
        if let Some(status) = failure {
            self.write_status()?;
            return Err(status);
        }
        let finished = self.end();
        self.write_status()?;
        if finished {
            self.record_end();
        }
        Ok(())
    }

    /// Counts noted pods that have lost their finalizer (`cleanUncountedPodsWithoutFinalizers`).
    fn clean_uncounted(&mut self, with_finalizer: &BTreeSet<String>) {
        let status = self.status();
        let mut uncounted = status.uncounted_terminated_pods.take().unwrap_or_default();
        let clean = |uids: &mut Option<Vec<String>>, counter: &mut Option<i32>| {
            let Some(list) = uids.as_mut() else { return };
            let before = list.len();
            list.retain(|uid| with_finalizer.contains(uid));
            let counted = i32::try_from(before - list.len()).unwrap_or(0);
            *counter = nonzero(counter.unwrap_or(0) + counted);
            uids.take_if(|list| list.is_empty());
        };
        clean(&mut uncounted.succeeded, &mut status.succeeded);
        clean(&mut uncounted.failed, &mut status.failed);
        status.uncounted_terminated_pods = Some(uncounted);
    }

    /// Notes pods that are over in the status; those that may lose their finalizer.
    fn note_finished_pods(&mut self) -> Vec<Arc<Pod>> {
        let (mut done, mut newly_succeeded) = (Vec::new(), Vec::new());
        let failing = self.finished.as_ref().is_some_and(|c| c.type_ != "SuccessCriteriaMet");
        for pod in self.pods.clone().into_iter().filter(|p| has_tracking_finalizer(p)) {
            let failed = is_pod_failed(&pod, &self.spec);
            if !self.may_release(&pod, failed) {
                continue;
            }
            done.push(pod.clone());
            let index = index_of(&pod).filter(|i| *i < completions(&self.spec));
            let indexed = is_indexed(&self.spec);
            let counted = failure_policy::is_counted(&self.spec, &pod);
            let succeeded_before = index.is_some_and(|i| self.previously_succeeded.contains(i));
            let uid = pod.uid().to_owned();
            let uncounted = self.status().uncounted_terminated_pods.get_or_insert_default();
            let noted_as_failed = uncounted.failed.iter().flatten().any(|u| *u == uid);
            if phase(&pod) == "Succeeded" && !noted_as_failed {
                if indexed {
                    newly_succeeded.extend(index.filter(|_| !succeeded_before));
                } else if !uncounted.succeeded.iter().flatten().any(|u| *u == uid) {
                    uncounted.succeeded.get_or_insert_default().push(uid);
                }
            } else if (failed || failing) && !noted_as_failed && (!indexed || index.is_some()) && counted {
                uncounted.failed.get_or_insert_default().push(uid);
            }
        }
        self.succeeded_indexes = self.succeeded_indexes.with(newly_succeeded);
        done
    }

    /// `canRemoveFinalizer`.
    fn may_release(&self, pod: &Pod, failed: bool) -> bool {
        if self.job.is_terminating() || self.finished.is_some() || phase(pod) == "Succeeded" {
            return true;
        }
        let delayed = |index: i32| self.delayed_deletion.get(&index).is_some_and(|p| p.uid() == pod.uid());
        failed && !(self.per_index() && index_of(pod).is_some_and(delayed))
    }

    /// The condition that says how the Job will end comes before the one that says that it has ended.
    fn announce_end(&mut self) {
        let Some(condition) = self.finished.clone() else { return };
        let (reason, message) =
            (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default());
        let end = match condition.type_.as_str() {
            "FailureTarget" => "Failed",
            "SuccessCriteriaMet" => "Complete",
            _ => return,
        };
        ensure_condition(self.status(), condition);
        self.finished = Some(new_condition(self.api, end, "True", &reason, &message));
    }

    /// Ends the Job if all pods are counted and gone (`enactJobFinished`).
    fn end(&mut self) -> bool {
        let Some(condition) = self.finished.clone() else { return false };
        let terminating = self.terminating;
        let status = self.status();
        let uncounted = status.uncounted_terminated_pods.clone().unwrap_or_default();
        if uncounted.succeeded.is_some() || uncounted.failed.is_some() || terminating > 0 {
            return false;
        }
        if condition.type_ == "Complete" {
            status.completion_time.clone_from(&condition.last_transition_time);
        }
        ensure_condition(status, condition);
        true
    }

    fn record_end(&mut self) {
        let Some(condition) = self.finished.clone() else { return };
        if condition.type_ == "Complete" {
            let succeeded = self.status().succeeded.unwrap_or(0);
            if self.spec.completions.is_some_and(|c| succeeded > c) {
                let message = "Too many succeeded pods running after completion count reached";
                self.event(EventType::Warning, "TooManySucceededPods", message);
            }
            self.event(EventType::Normal, "Completed", "Job completed");
        } else {
            let (reason, message) = (condition.reason.unwrap_or_default(), condition.message.unwrap_or_default());
            self.event(EventType::Warning, &reason, &message);
        }
    }
}
