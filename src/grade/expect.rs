//! `expect`: an object like this exists.
use serde_json::Value;

use super::compare::{Comparison, compare, differences};
use super::find::{Target, missing_object};
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::api::Object;
use crate::cluster::Cluster;
use crate::scenario::Pattern;

/// A pattern with a name is about that object; one without a name is met by any object of its kind.
pub(super) fn ask(pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let store = cluster.api().store();
    let mut nearest: Option<(&Object, &Value, usize)> = None;
    for (object, value) in target.values(store) {
        let found = differences(&pattern.value, value);
        if found.is_equal() {
            return Ok(Verdict::Passed);
        }
        if nearest.is_none_or(|(_, _, fewest)| found.distance() < fewest) {
            nearest = Some((object, value, found.distance()));
        }
    }
    let object = nearest.map(|(object, _, _)| object.key());
    let comparison = nearest.map(|(_, value, _)| compare(&pattern.value, value)).unwrap_or_default();
    let finding = match (&target.name, &object) {
        (Some(name), None) => missing_object(&target.key(name), store),
        (Some(_), Some(object)) => Finding::Different { object: object.clone() },
        (None, nearest) => {
            Finding::NoneLike { kind: target.kind, namespace: target.namespace.clone(), nearest: nearest.clone() }
        }
    };
    let mut reasons = match (&object, &target.name) {
        (Some(object), _) => reasons::with_pods(cluster, object),
        (None, Some(name)) => reasons::of(cluster, &target.key(name)),
        (None, None) => Vec::new(),
    };
    if let (Some(claim), Some(volume)) = (&object, expected_volume(&comparison)) {
        reasons.extend(reasons::not_chosen(cluster, claim, volume));
    }
    let sides = (comparison.expected, comparison.actual);
    let failure = Failure { finding, differences: comparison.differences, sides, reasons };
    Ok(Verdict::Failed(Box::new(failure)))
}

/// The volume that a claim was expected to be bound to, if it is bound to another.
fn expected_volume(comparison: &Comparison) -> Option<&str> {
    let difference = comparison.differences.iter().find(|difference| difference.path == "spec.volumeName")?;
    difference.actual.as_ref()?;
    difference.expected.as_ref()?.as_str()
}
