//! `count`: so many objects like this exist.
use super::compare::compare;
use super::diff::Diff;
use super::find::Target;
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::api::Object;
use crate::cluster::Cluster;
use crate::scenario::{Pattern, Range};

/// When there are too few, the object that comes nearest without being counted says why.
pub(super) fn ask(range: Range, pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let candidates: Vec<_> = target
        .objects(cluster.api().store())
        .map(|object: &Object| (object.key(), compare(&pattern.value, &object.to_value())))
        .collect();
    let (alike, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(_, found)| found.is_equal());
    let number = alike.len() as u64;
    if range.contains(number) {
        return Ok(Verdict::Passed);
    }
    let nearest = match number < range.min {
        true => others.into_iter().min_by_key(|(_, found)| found.distance()),
        false => None,
    };
    let objects = alike.into_iter().map(|(key, _)| key).collect();
    let finding = Finding::Number { expected: range, objects, kind: target.kind };
    let failure = match nearest {
        Some((key, found)) => Failure {
            finding,
            diff: Diff::of(found.expected.as_ref(), found.actual.as_ref()),
            differences: found.differences,
            reasons: reasons::with_pods(cluster, &key),
        },
        None => Failure { finding, differences: Vec::new(), diff: Diff::default(), reasons: Vec::new() },
    };
    Ok(Verdict::Failed(Box::new(failure)))
}
