//! Indexed Jobs (`pkg/controller/job/indexed_job_utils.go`, `success_policy.go`).
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};

use super::backoff::finished_at;
use super::{Sync, completions, failure_policy, has_tracking_finalizer, is_pod_failed};
use crate::api::object::ApiObject;
use crate::controllers::controller_utils::{is_pod_terminating, phase};

/// The annotation and label with a pod's index.
pub(super) const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation with the number of failures an index had before this pod.
pub(super) const INDEX_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-failure-count";
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The annotation with the number of failures that the pod failure policy ignored.
pub(super) const INDEX_IGNORED_FAILURE_COUNT: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// A set of indexes, written as `0,2-4` (`orderedIntervals`): first and last of each run, in order, not adjacent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Indexes(Vec<(i32, i32)>);

impl Indexes {
    /// Reads a set, leaving out what is not below a number.
    pub(super) fn parse(text: &str, completions: i32) -> Self {
        let mut intervals = Vec::new();
        for interval in text.split(',') {
            let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
            if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>())
                && first < completions
            {
                intervals.push((first, last.min(completions - 1)));
            }
        }
        Indexes::default().merge(&Indexes(intervals))
    }

    /// A set of ascending indexes.
    fn of(indexes: impl IntoIterator<Item = i32>) -> Self {
        Indexes(indexes.into_iter().map(|index| (index, index)).collect())
    }

    /// The union of two sets.
    pub(super) fn merge(&self, other: &Self) -> Self {
        let mut all: Vec<(i32, i32)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut merged: Vec<(i32, i32)> = Vec::with_capacity(all.len());
        for (first, end) in all {
            match merged.last_mut() {
                Some((_, last)) if first <= last.saturating_add(1) => *last = end.max(*last),
                _ => merged.push((first, end)),
            }
        }
        Indexes(merged)
    }

    /// The set with more indexes, which need not be in order.
    pub(super) fn with(&self, indexes: impl IntoIterator<Item = i32>) -> Self {
        self.merge(&Self::of(indexes))
    }

    /// How many indexes there are.
    pub(super) fn len(&self) -> i32 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub(super) fn contains(&self, index: i32) -> bool {
        let candidate = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(candidate).is_some_and(|(first, _)| *first <= index)
    }

    /// How many indexes two sets have in common.
    fn overlap(&self, other: &Self) -> i32 {
        let (mut a, mut b, mut common) = (self.0.iter().peekable(), other.0.iter().peekable(), 0);
        while let (Some(one), Some(two)) = (a.peek(), b.peek()) {
            common += (one.1.min(two.1) - one.0.max(two.0) + 1).max(0);
            if one.1 < two.1 {
                a.next()
            } else {
                b.next()
            };
        }
        common
    }

    /// The lowest indexes below a number that are not in the set.
    fn missing(&self, below: i32, count: usize) -> Vec<i32> {
        let mut missing = Vec::new();
        let mut candidate = 0;
        for (first, last) in self.0.iter().copied().chain([(below, below)]) {
            let room = count - missing.len();
            missing.extend((candidate..first.min(below)).take(room));
            candidate = candidate.max(last.saturating_add(1));
        }
        missing
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
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

/// How often the index of a pod had failed before: what counts, and what the pod failure policy ignored.
pub(super) fn failures_before(pod: &Pod) -> (i32, i32) {
    let count = |key: &str| pod.annotation(key).and_then(|v| v.parse().ok()).filter(|n| *n >= 0).unwrap_or(0);
    (count(INDEX_FAILURE_COUNT), count(INDEX_IGNORED_FAILURE_COUNT))
}

/// `getIndexAbsoluteFailureCount`.
pub(super) fn all_failures_before(pod: &Pod) -> i32 {
    let (counted, ignored) = failures_before(pod);
    counted.saturating_add(ignored)
}

/// The first rule of the success policy that is fulfilled (`matchSuccessPolicy`).
pub(super) fn matching_success_rule(spec: &JobSpec, succeeded: &Indexes) -> Option<usize> {
    let rules = &spec.success_policy.as_ref().filter(|_| succeeded.len() > 0)?.rules;
    rules.iter().position(|rule| match &rule.succeeded_indexes {
        None => rule.succeeded_count.is_some_and(|count| succeeded.len() >= count),
        Some(text) => {
            let required = Indexes::parse(text, completions(spec));
            let met = required.overlap(succeeded);
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
        let pods: Vec<(i32, Arc<Pod>)> = self
            .pods
            .iter()
            .filter(|p| has_tracking_finalizer(p))
            .filter_map(|p| Some((index_of(p).filter(|i| *i < completions)?, p.clone())))
            .collect();
        let succeeded = pods.iter().filter(|(_, p)| phase(p) == "Succeeded").map(|(index, _)| *index);
        self.succeeded_indexes = self.previously_succeeded.with(succeeded);
        self.succeeded = self.succeeded_indexes.len();
        if !self.per_index() {
            return;
        }
        let failed = pods.iter().filter(|(_, p)| self.is_index_failed(p)).map(|(index, _)| *index);
        self.failed_indexes = parse(status.failed_indexes).with(failed);
        let active: BTreeSet<i32> = self.active.iter().filter_map(|p| index_of(p)).collect();
        for (index, pod) in pods.into_iter().filter(|(_, p)| is_pod_failed(p, &self.spec)) {
            let done = self.succeeded_indexes.contains(index) || self.failed_indexes.contains(index);
            if done || active.contains(&index) {
                continue;
            }
            let slot = self.delayed_deletion.entry(index).or_insert_with(|| pod.clone());
            if all_failures_before(slot) <= all_failures_before(&pod) && finished_at(slot) <= finished_at(&pod) {
                *slot = pod;
            }
        }
    }

    fn is_index_failed(&self, pod: &Pod) -> bool {
        if !is_pod_failed(pod, &self.spec) {
            return false;
        }
        let limit = self.spec.backoff_limit_per_index.unwrap_or(i32::MAX);
        failure_policy::fails_index(&self.spec, pod)
            || failure_policy::is_counted(&self.spec, pod) && failures_before(pod).0 >= limit
    }

    /// The lowest indexes that have no pod and are not over (`firstPendingIndexes`).
    pub(super) fn pending_indexes(&self, count: i32) -> Vec<i32> {
        let active = self.active.iter().filter_map(|p| index_of(p));
        let mut taken = self.succeeded_indexes.with(active).merge(&self.failed_indexes);
        if super::only_replaces_failed(&self.spec) {
            taken = taken.with(self.pods.iter().filter(|p| is_pod_terminating(p)).filter_map(|p| index_of(p)));
        }
        taken.missing(completions(&self.spec), usize::try_from(count).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_neighbours_are_a_list_and_three_an_interval() {
        assert_eq!(Indexes::parse("0,2-3,5-9", 8).to_string(), "0,2,3,5-7");
        assert_eq!(Indexes::default().with([4, 3, 1, 3]).to_string(), "1,3,4");
    }

    #[test]
    fn indexes_beyond_the_completions_do_not_count() {
        let indexes = Indexes::parse("0-4,7,9-12", 8);
        assert_eq!((indexes.len(), indexes.contains(4), indexes.contains(5)), (6, true, false));
        assert_eq!(Indexes::parse("", 8).len(), 0);
    }

    #[test]
    fn the_lowest_missing_indexes_come_first() {
        let indexes = Indexes::parse("1-2,4", 8);
        assert_eq!(indexes.missing(8, 3), [0, 3, 5]);
        assert_eq!(indexes.missing(6, 9), [0, 3, 5]);
        assert!(Indexes::parse("0-7", 8).missing(8, 1).is_empty());
    }

    #[test]
    fn overlap_counts_common_indexes() {
        assert_eq!(Indexes::parse("0-3,6", 9).overlap(&Indexes::parse("2-6", 9)), 3);
    }
}
