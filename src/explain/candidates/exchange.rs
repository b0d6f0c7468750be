//! Values that stand in each other's place, and items in the wrong one of two lists.
use serde_json::Value;

use super::{Change, Walk};
use crate::api::schema::{Segment, Shape, StructType};
use crate::explain::answer::{Answer, get};
use crate::explain::edit::{Edit, EditKind};

/// The most exchanges between two documents or items.
const MOST_EXCHANGES: usize = 60;
/// The most documents or items that are compared with each other.
const MOST_ALIKE: usize = 6;

/// Paths at which two values have different scalars, or only one of them has something.
fn different(one: &Value, other: &Value, path: &mut Vec<Segment>, found: &mut Vec<Vec<Segment>>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let only_there = other.keys().filter(|key| !one.contains_key(*key));
            let keys = one.keys().chain(only_there).filter(|key| !matches!(key.as_str(), "apiVersion" | "kind"));
            for key in keys {
                path.push(key.as_str().into());
                match (one.get(key), other.get(key)) {
                    (Some(value), Some(counterpart)) => different(value, counterpart, path, found),
                    _ if found.len() < MOST_EXCHANGES => found.push(path.clone()),
                    _ => {}
                }
                path.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for (index, (value, counterpart)) in one.iter().zip(other).enumerate() {
                path.push(index.into());
                different(value, counterpart, path, found);
                path.pop();
            }
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => {}
        (one, other) if one != other && found.len() < MOST_EXCHANGES => found.push(path.clone()),
        _ => {}
    }
}

/// One edit for each value that two documents, or items, have at the same place and not alike: they change places, or it moves to
/// the other one.
fn exchanges(one: (usize, &Value, &[Segment]), other: (usize, &Value, &[Segment])) -> Vec<Edit> {
    let ((one, first, base), (other, second, counterbase)) = (one, other);
    let mut found = Vec::new();
    different(first, second, &mut Vec::new(), &mut found);
    let edit = |path: Vec<Segment>| {
        let (here, there) = ([base, &path].concat(), [counterbase, &path].concat());
        let (mine, yours) = (get(first, &path).cloned(), get(second, &path).cloned());
        let kind = if mine.is_some() && yours.is_some() { EditKind::Swap } else { EditKind::Move };
        let mut changes = vec![
            Change { document: one, path: here, value: yours },
            Change { document: other, path: there, value: mine },
        ];
        // what goes is told before what comes
        changes.sort_by_key(|change| change.value.is_some());
        Edit { kind, changes, added: None, first: None }
    };
    found.into_iter().map(edit).collect()
}

/// Documents of one kind that have each other's name, namespace, size…
pub(super) fn between_documents(answer: &Answer, edits: &mut Vec<Edit>) {
    let documents: Vec<_> = answer.editable().map(|(number, entry)| (number, &*entry.value)).collect();
    for (order, (number, one)) in documents.iter().enumerate() {
        let alike = documents.iter().skip(order + 1).filter(|(_, other)| one.get("kind") == other.get("kind"));
        for (counterpart, other) in alike.take(MOST_ALIKE) {
            edits.extend(exchanges((*number, one, &[]), (*counterpart, other, &[])));
        }
    }
}

impl Walk<'_> {
    /// Items of a list that have each other's values.
    pub(super) fn exchange_items(&mut self, items: &[Value]) {
        for (one, mine) in items.iter().enumerate().take(MOST_ALIKE) {
            for (other, yours) in items.iter().enumerate().take(MOST_ALIKE).skip(one + 1) {
                let (here, there) = (self.below(one), self.below(other));
                self.edits.extend(exchanges((self.document, mine, &here), (self.document, yours, &there)));
            }
        }
    }

    /// Fields of one type that have each other's values: `command` and `args`, `whenDeleted` and `whenScaled`.
    pub(super) fn exchange_fields(&mut self, ty: &'static StructType, fields: &serde_json::Map<String, Value>) {
        let known: Vec<_> = fields.iter().filter_map(|(key, value)| Some((ty.field(key)?, value))).collect();
        for (order, (one, mine)) in known.iter().enumerate() {
            for (other, yours) in known.iter().skip(order + 1) {
                let has_meaning = matches!(one.ty.shape, Shape::String | Shape::List(_) | Shape::Map(_) | Shape::Int32);
                let names = [one.json_name, other.json_name].contains(&"name");
                if one.ty.go_type() == other.ty.go_type() && mine != yours && has_meaning && !names {
                    let change = vec![
                        (self.below(one.json_name), Some((*yours).clone())),
                        (self.below(other.json_name), Some((*mine).clone())),
                    ];
                    self.try_all(EditKind::Swap, change);
                }
            }
            // a word that belongs into the field beside it
            let absent = ty.fields().filter(|other| !fields.contains_key(other.json_name));
            for other in absent.filter(|other| other.ty.go_type() == one.ty.go_type() && one.ty.go_type() != "string") {
                if self.context.pool.knows_field(ty, other.json_name) && !mine.is_number() && !mine.is_boolean() {
                    let change =
                        vec![(self.below(one.json_name), None), (self.below(other.json_name), Some((*mine).clone()))];
                    self.try_all(EditKind::Key, change);
                }
            }
        }
    }

    /// A struct under another field that can hold the same: `podAffinity` that was meant as `podAntiAffinity`.
    pub(super) fn other_field(&mut self, ty: &'static StructType, fields: &serde_json::Map<String, Value>) {
        for (key, value) in fields {
            let Some(parts) = value.as_object().filter(|parts| !parts.is_empty()) else { continue };
            for other in ty.fields().filter(|other| !fields.contains_key(other.json_name)) {
                let Shape::Struct(inner) = &other.ty.shape else { continue };
                if parts.keys().all(|part| inner.get().field(part).is_some()) && other.json_name != "status" {
                    let change =
                        vec![(self.below(key.as_str()), None), (self.below(other.json_name), Some(value.clone()))];
                    self.try_all(EditKind::Key, change);
                }
            }
        }
    }

    /// Items that belong into another list of the same type: a container into `initContainers`, and a whole list.
    pub(super) fn move_items(&mut self, ty: &'static StructType, fields: &serde_json::Map<String, Value>) {
        for (key, value) in fields {
            let (Some(field), Some(items)) = (ty.field(key), value.as_array()) else { continue };
            for other in ty.fields() {
                if other.json_name == field.json_name || other.ty.go_type() != field.ty.go_type() {
                    continue;
                }
                let there = fields.get(other.json_name).and_then(Value::as_array);
                for (index, item) in items.iter().enumerate() {
                    let goes = match items.len() {
                        1 => self.below(key.as_str()),
                        _ => [self.below(key.as_str()), vec![index.into()]].concat(),
                    };
                    let (place, value) = match there {
                        Some(there) => ([self.below(other.json_name), vec![there.len().into()]].concat(), item.clone()),
                        None => (self.below(other.json_name), Value::Array(vec![item.clone()])),
                    };
                    self.try_all(EditKind::Move, vec![(goes, None), (place, Some(value))]);
                }
                if there.is_none() && items.len() > 1 {
                    let change =
                        vec![(self.below(key.as_str()), None), (self.below(other.json_name), Some(value.clone()))];
                    self.try_all(EditKind::Move, change);
                }
            }
        }
    }
}
