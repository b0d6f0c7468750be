//! `count`: so many objects like this exist.
use super::compare::compare;
use super::find::Target;
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::cluster::Cluster;
use crate::scenario::{Pattern, Range};

/// When there are too few, the object that comes nearest without being counted says why.
pub(super) fn ask(range: Range, pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let candidates: Vec<_> = target
        .values(cluster.api().store())
        .map(|(object, value)| (object.key(), compare(&pattern.value, value)))
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
    let key = nearest.as_ref().map(|(key, _)| key.clone());
    let finding = Finding::Number { expected: range, objects, kind: target.kind, nearest: key };
    let failure = match nearest {
        Some((key, found)) => Failure {
            finding,
            sides: (found.expected, found.actual),
            differences: found.differences,
            reasons: reasons::with_pods(cluster, &key),
        },
        None => Failure { finding, differences: Vec::new(), sides: (None, None), reasons: Vec::new() },
    };
    Ok(Verdict::Failed(Box::new(failure)))
}
