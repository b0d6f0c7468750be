//! `absent`: no object like this exists.
use super::compare::compare;
use super::diff::Diff;
use super::find::Target;
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::api::Object;
use crate::cluster::Cluster;
use crate::scenario::Pattern;

pub(super) fn ask(pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let alike = |object: &&Object| compare(&pattern.value, &object.to_value()).is_equal();
    let objects: Vec<_> = target.objects(cluster.api().store()).filter(alike).map(Object::key).collect();
    let Some(first) = objects.first() else { return Ok(Verdict::Passed) };
    let reasons = reasons::of(cluster, first);
    let finding = Finding::Present { objects };
    Ok(Verdict::Failed(Box::new(Failure { finding, differences: Vec::new(), diff: Diff::default(), reasons })))
}
