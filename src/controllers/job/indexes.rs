//! Indexed Jobs (`pkg/controller/job/indexed_job_utils.go`, `success_policy.go`).
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};

use super::{Sync, completions, failure_policy, has_tracking_finalizer, is_pod_failed};
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::{is_pod_terminating, phase};

/// The annotation and label with a pod's index.
pub(super) const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation with the number of failures an index had before this pod.
pub(super) const INDEX_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// A set of indexes, written as `0,2-4`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Indexes(BTreeSet<i32>);

impl Indexes {
    /// Reads a set, leaving out what is not below a number.
    pub(super) fn parse(text: &str, completions: i32) -> Self {
        let mut indexes = BTreeSet::new();
        for interval in text.split(',') {
            let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
            if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
                indexes.extend(first.max(0)..=last.min(completions - 1));
            }
        }
        Indexes(indexes)
    }

    pub(super) fn len(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    pub(super) fn contains(&self, index: i32) -> bool {
        self.0.contains(&index)
    }

    pub(super) fn insert(&mut self, index: i32) {
        self.0.insert(index);
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut intervals: Vec<(i32, i32)> = Vec::new();
        for index in &self.0 {
            match intervals.last_mut() {
                Some((_, last)) if *last + 1 == *index => *last = *index,
                _ => intervals.push((*index, *index)),
            }
        }
        for (i, (first, last)) in intervals.into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// A pod's index.
pub(super) fn index_of(pod: &Pod) -> Option<i32> {
    pod.annotation(COMPLETION_INDEX)?.parse().ok().filter(|i| *i >= 0)
}

/// How often the index of a pod had failed before.
pub(super) fn failures_before(pod: &Pod) -> i32 {
    pod.annotation(INDEX_FAILURE_COUNT).and_then(|v| v.parse().ok()).filter(|n| *n >= 0).unwrap_or(0)
}

/// The first rule of the success policy that is fulfilled (`matchSuccessPolicy`).
pub(super) fn matching_success_rule(spec: &JobSpec, succeeded: &Indexes) -> Option<usize> {
    let rules = &spec.success_policy.as_ref().filter(|_| succeeded.len() > 0)?.rules;
    rules.iter().position(|rule| match &rule.succeeded_indexes {
        None => rule.succeeded_count.is_some_and(|count| succeeded.len() >= count),
        Some(text) => {
            let required = Indexes::parse(text, completions(spec));
            let met = i32::try_from(required.0.intersection(&succeeded.0).count()).unwrap_or(i32::MAX);
            required.len() > 0 && (met == required.len() || rule.succeeded_count.is_some_and(|count| met >= count))
        }
    })
}

/// Gives containers the variable with their index.
pub(super) fn add_index_variable(container: &mut Container) {
    let env = container.env.get_or_insert_default();
    if env.iter().any(|v| v.name == INDEX_VARIABLE) {
        return;
    }
    let field_ref =
        ObjectFieldSelector { field_path: format!("metadata.labels['{COMPLETION_INDEX}']"), ..Default::default() };
    let value_from = Some(EnvVarSource { field_ref: Some(field_ref), ..Default::default() });
    env.push(EnvVar { name: INDEX_VARIABLE.to_owned(), value_from, ..Default::default() });
}

impl Sync<'_> {
    /// What succeeded and failed by index (`calculateSucceededIndexes`, `calculateFailedIndexes`).
    pub(super) fn compute_indexes(&mut self) {
        let completions = completions(&self.spec);
        let status = self.job.status.clone().unwrap_or_default();
        let parse = |text: Option<String>| Indexes::parse(&text.unwrap_or_default(), completions);
        self.previously_succeeded = parse(status.completed_indexes);
        self.succeeded_indexes = self.previously_succeeded.clone();
        self.failed_indexes = parse(status.failed_indexes);
        let counted = |pod: &&Arc<Pod>| has_tracking_finalizer(pod);
        let pods: Vec<(i32, Arc<Pod>)> = self
            .pods
            .iter()
            .filter(counted)
            .filter_map(|p| Some((index_of(p).filter(|i| *i < completions)?, p.clone())))
            .collect();
        for (index, pod) in &pods {
            if phase(pod) == "Succeeded" {
                self.succeeded_indexes.insert(*index);
            }
            if self.per_index() && self.is_index_failed(pod) {
                self.failed_indexes.insert(*index);
            }
        }
        if self.per_index() {
            let active: BTreeSet<i32> = self.active.iter().filter_map(|p| index_of(p)).collect();
            for (index, pod) in pods.into_iter().filter(|(_, p)| is_pod_failed(p, &self.spec)) {
                let done = self.succeeded_indexes.contains(index) || self.failed_indexes.contains(index);
                if done || active.contains(&index) {
                    continue;
                }
                let slot = self.delayed_deletion.entry(index).or_insert_with(|| pod.clone());
                if failures_before(slot) <= failures_before(&pod) {
                    *slot = pod;
                }
            }
        }
        self.succeeded = self.succeeded_indexes.len();
    }

    fn is_index_failed(&self, pod: &Pod) -> bool {
        if !is_pod_failed(pod, &self.spec) {
            return false;
        }
        let limit = self.spec.backoff_limit_per_index.unwrap_or(i32::MAX);
        failure_policy::fails_index(&self.spec, pod)
            || failure_policy::is_counted(&self.spec, pod) && failures_before(pod) >= limit
    }

    /// The lowest indexes that have no pod and are not over (`firstPendingIndexes`).
    pub(super) fn pending_indexes(&self, count: i32) -> Vec<i32> {
        let mut taken: BTreeSet<i32> = self.active.iter().filter_map(|p| index_of(p)).collect();
        if super::only_replaces_failed(&self.spec) {
            taken.extend(self.pods.iter().filter(|p| is_pod_terminating(p)).filter_map(|p| index_of(p)));
        }
        let pending = (0..completions(&self.spec)).filter(|i| {
            !taken.contains(i) && !self.succeeded_indexes.contains(*i) && !self.failed_indexes.contains(*i)
        });
        pending.take(usize::try_from(count).unwrap_or(0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_neighbours_are_a_list_and_three_an_interval() {
        assert_eq!(Indexes::parse("0,2-3,5-9", 8).to_string(), "0,2,3,5-7");
    }
}
