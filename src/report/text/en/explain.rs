//! What `explain` says in English.
use super::super::{object, several, short_value};
use crate::explain::edit::EditKind;
use crate::explain::fix::{Bound, Place, Step};
use crate::explain::story::{Line, Needs, What};
use crate::explain::wish::Remark;

pub(in super::super) fn deed(line: &Line) -> String {
    let names = several(&line.objects, &|one, other| format!("{one} and {other}"), &|number, kind, prefix| {
        format!("{number} {kind}s {prefix}…")
    });
    match &line.what {
        What::Created => format!("created {names}"),
        What::Configured => format!("changed {names}"),
        What::CreatedFor(owner) => format!("created {names} for {}", object(owner)),
        What::DefaultClass(class) => format!("gave {names} the default class {class}, since the manifest names none"),
        What::Bound { volume, needs, only } => {
            let choice = if *only { "the only volume" } else { "the smallest volume" };
            format!("bound {names} to {volume}: {choice} with {}", needs_text(needs))
        }
        What::BoundNamed { volume } => format!("bound {names} to {volume}, which one of the two names"),
        What::BoundMade { volume, class } => format!("bound {names} to {volume}, made for it by class {class}"),
        What::Phase(phase) => format!("{names} is {phase}"),
        What::Scheduled(nodes) => format!("assigned {names} to {}", nodes.join(" and ")),
        What::Started => format!("started {names}"),
        What::Ended(phase) => format!("{names} ended: {phase}"),
        What::Scaled { from, to } => format!("scaled {names} from {from} to {to}"),
        What::Ready(number) => format!("{names}: all {number} pods are ready"),
        What::Addresses(pods) if pods.len() > 4 => format!("{names} leads to {} pods", pods.len()),
        What::Addresses(pods) => format!("{names} leads to {}", pods.join(", ")),
        What::Deleting => format!("deletes {names}"),
        What::Gone => format!("{names} is gone"),
        What::Said { reason, message, .. } => format!("{names}: {reason}: {message}"),
    }
}

fn needs_text(needs: &Needs) -> String {
    let mut parts = vec![format!("at least {}", needs.size)];
    parts.extend(needs.modes.iter().cloned());
    parts.push(if needs.class.is_empty() { "no class".to_owned() } else { format!("class {}", needs.class) });
    match needs.labels.as_slice() {
        [] => {}
        [label] => parts.push(format!("label {label}")),
        labels => parts.push(format!("labels {}", labels.join(", "))),
    }
    let last = parts.pop().unwrap_or_default();
    format!("{} and {last}", parts.join(", "))
}

pub(in super::super) fn step(step: &Step) -> String {
    let place = step.places.first();
    let object = place.map(|place| place.object.as_str()).unwrap_or_default();
    match (step.kind, place) {
        (EditKind::AddDocument, _) => {
            let added = step.added.as_ref().map(crate::explain::fix::name_of).unwrap_or_default();
            format!("add {added}")
        }
        (EditKind::ChangeOther, _) => {
            let added = step.added.as_ref().map(crate::explain::fix::name_of).unwrap_or_default();
            format!("apply {added}, which is there already, as follows")
        }
        (EditKind::DropDocument, _) => format!("drop {object}"),
        (EditKind::Everywhere, Some(first)) => {
            let number = step.places.len();
            match (&first.before, &first.after) {
                (Some(_), Some(_)) => format!("change {} to {} at all {number} places", before(first), after(first)),
                _ => format!("{} ({number} times)", one(first, None)),
            }
        }
        (EditKind::Move, None) => {
            let first = step.first.as_deref().unwrap_or_default();
            format!("put {first} before everything else")
        }
        (EditKind::Swap, Some(first)) => {
            let fields: Vec<&str> = step.places.iter().map(|place| place.field.as_str()).collect();
            format!("swap the values of {}: {} and {}", fields.join(" and "), before(first), after(first))
        }
        (EditKind::Key | EditKind::Move | EditKind::Kind, Some(_)) => places(step),
        (_, Some(place)) => one(place, step.bound),
        (_, None) => String::new(),
    }
}

/// A field that became another.
fn places(step: &Step) -> String {
    let gone = step.places.iter().find(|place| place.after.is_none());
    let come = step.places.iter().find(|place| place.after.is_some());
    match (gone, come) {
        (Some(gone), Some(come)) if step.kind == EditKind::Key && gone.before == come.after => {
            format!("write {} instead of {}", come.field, gone.field)
        }
        (Some(gone), Some(come)) if step.kind == EditKind::Move => format!("move {} to {}", gone.field, come.field),
        (Some(gone), Some(come)) => {
            format!("replace {} by {}: {}", gone.field, come.field, after(come))
        }
        _ => {
            let parts: Vec<String> = step.places.iter().map(|place| one(place, None)).collect();
            parts.join(", ")
        }
    }
}

fn one(place: &Place, bound: Option<Bound>) -> String {
    let field = &place.field;
    match (&place.before, &place.after, bound) {
        (Some(_), Some(_), Some(Bound::AtMost)) => {
            format!("{field}: ask for at most {} instead of {}", after(place), before(place))
        }
        (Some(_), Some(_), Some(Bound::AtLeast)) => {
            format!("{field}: offer at least {} instead of {}", after(place), before(place))
        }
        (Some(_), Some(_), None) => format!("change {field} from {} to {}", before(place), after(place)),
        (None, Some(_), _) => format!("add {field}: {}", after(place)),
        (Some(_), None, _) => format!("drop {field}: {}", before(place)),
        (None, None, _) => field.clone(),
    }
}

fn before(place: &Place) -> String {
    place.before.as_ref().map(short_value).unwrap_or_default()
}

fn after(place: &Place) -> String {
    place.after.as_ref().map(short_value).unwrap_or_default()
}

pub(in super::super) fn remark(remark: &Remark) -> String {
    match remark {
        Remark::NoReadyPods { selector, pods: 0 } => format!("no pod of its namespace has the labels {selector}"),
        Remark::NoReadyPods { selector, pods: 1 } => format!("the pod with the labels {selector} is not ready"),
        Remark::NoReadyPods { selector, pods } => {
            format!("none of the {pods} pods with the labels {selector} is ready")
        }
        Remark::Leftover { claim } => format!("its claimRef still names claim {claim}, which is gone"),
    }
}
