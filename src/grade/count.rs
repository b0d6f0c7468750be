//! `count`: so many objects like this exist.
use super::compare::{compare, differences};
use super::find::Target;
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::cluster::Cluster;
use crate::scenario::{Pattern, Range};

/// When there are too few, the object that comes nearest without being counted says why.
pub(super) fn ask(range: Range, pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let candidates = target.values(cluster.api().store());
    let candidates = candidates.map(|(object, value)| (object.key(), value, differences(&pattern.value, value)));
    let (alike, others): (Vec<_>, Vec<_>) = candidates.partition(|(_, _, found)| found.is_equal());
    let number = alike.len() as u64;
    if range.contains(number) {
        return Ok(Verdict::Passed);
    }
    let nearest = match number < range.min {
        true => others.into_iter().min_by_key(|(_, _, found)| found.distance()),
        false => None,
    };
    let objects = alike.into_iter().map(|(key, _, _)| key).collect();
    let key = nearest.as_ref().map(|(key, _, _)| key.clone());
    let finding = Finding::Number { expected: range, objects, kind: target.kind, nearest: key };
    let failure = match nearest {
        Some((key, value, _)) => {
            let found = compare(&pattern.value, value);
            let reasons = reasons::with_pods(cluster, &key);
            Failure { finding, differences: found.differences, sides: (found.expected, found.actual), reasons }
        }
        None => Failure { finding, differences: Vec::new(), sides: (None, None), reasons: Vec::new() },
    };
    Ok(Verdict::Failed(Box::new(failure)))
}
