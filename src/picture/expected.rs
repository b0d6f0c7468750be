//! What a scenario's checks found wrong, shown where it is wrong.
use super::graph::Graph;
use super::{Relation, Role, State};
use crate::api::object::{Kind, ObjectKey};
use crate::grade::reasons::{NotChosen, Reason};
use crate::grade::{Failure, Finding, Grade};
use crate::report::text::{Message, say};
use crate::scenario::Scenario;

pub(super) fn mark(graph: &mut Graph<'_>, scenario: &Scenario, grade: &Grade) {
    for problem in grade.answer.problems.iter().filter(|problem| !problem.warning) {
        graph.note(&problem.message);
    }
    for (check, graded) in scenario.checks.iter().zip(&grade.checks) {
        let crate::grade::Verdict::Failed(failure) = &graded.verdict else { continue };
        let title = check.title.get(graph.lang).trim().replace('`', "");
        let found = say(graph.lang, &Message::Finding(failure));
        one(graph, failure, &format!("{title}: {found}"));
    }
}

fn one(graph: &mut Graph<'_>, failure: &Failure, text: &str) {
    let object = failure.finding.object();
    let item = match (&failure.finding, object) {
        (Finding::Missing { object, .. }, _) => {
            role(object.kind).map(|role| graph.absent(role, object.kind.name(), &object.namespace, &object.name))
        }
        (_, Some(object)) => role(object.kind).and_then(|role| graph.find(role, object)),
        (Finding::Present { objects, .. }, None) => {
            objects.first().and_then(|object| graph.find(role(object.kind)?, object))
        }
        _ => None,
    };
    match item {
        Some(item) => graph.mark(item, State::Broken, text),
        None => graph.note(text),
    }
    let Some(item) = item.filter(|_| object.is_some_and(|object| object.kind == Kind::PersistentVolumeClaim)) else {
        return;
    };
    // the arrow that was wished for
    for reason in &failure.reasons {
        let Reason::NotChosen { volume, why, .. } = reason else { continue };
        let key = ObjectKey::new(Kind::PersistentVolume, "", volume);
        let Some(target) = graph.find(Role::Volume, &key).filter(|target| !graph.linked(item, *target)) else {
            continue;
        };
        let words = say(graph.lang, &Message::Reason { reason, about: object });
        let name = graph.name(item);
        let state = if *why == NotChosen::Equal { State::Waiting } else { State::Broken };
        graph.broken(item, target, Relation::Bound, state, &format!("{name}: {words}"));
    }
}

/// Where objects of a kind stand, if pictures show them.
fn role(kind: Kind) -> Option<Role> {
    Some(match kind {
        Kind::Service => Role::Service,
        Kind::CronJob | Kind::Deployment => Role::Parent,
        Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet | Kind::Job => Role::Workload,
        Kind::Pod => Role::Pod,
        Kind::PersistentVolumeClaim => Role::Claim,
        Kind::ConfigMap | Kind::Secret => Role::Config,
        Kind::StorageClass => Role::Class,
        Kind::PersistentVolume => Role::Volume,
        Kind::Node => Role::Node,
        _ => return None,
    })
}
