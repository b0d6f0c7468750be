//! What came of an answer: all objects at every moment, without what says nothing about the answer.
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::api::Store;
use crate::api::object::Kind;
use crate::timeline::apply::LAST_APPLIED;

/// All objects after the answer and after each step.
#[derive(Clone, Default)]
pub struct Outcome {
    moments: Vec<Store>,
}

impl Outcome {
    /// One more moment.
    pub fn look(&mut self, store: &Store) {
        self.moments.push(store.without_log());
    }

    /// Whether two outcomes are the same but for uids, versions, times, addresses, generated names and what apply remembers.
    pub fn same(&self, other: &Outcome) -> bool {
        self.compare(other, &|one, other| one == other, None)
    }

    /// As [`Outcome::same`], but for labels and annotations of a name, too.
    pub fn same_but_label(&self, other: &Outcome, label: &str) -> bool {
        self.compare(other, &|one, other| one == other, Some(label))
    }

    /// Whether the other outcome has all objects of this one as they are here. Those that belong to others are not looked
    /// at: which pod of a set is on which node may depend on anything.
    pub fn is_in(&self, other: &Outcome) -> bool {
        let independent = |object: &&String| !object.contains("\"ownerReferences\":");
        let within = |one: &[String], other: &[String]| {
            one.iter().filter(independent).all(|object| other.binary_search(object).is_ok())
        };
        self.compare(other, &within, None)
    }

    fn compare(&self, other: &Outcome, equal: &dyn Fn(&[String], &[String]) -> bool, label: Option<&str>) -> bool {
        let moments = self.moments.iter().zip(&other.moments);
        self.moments.len() == other.moments.len()
            && moments.rev().all(|(one, other)| equal(&normal(one, label), &normal(other, label)))
    }
}

/// The objects of a store in a form in which equal ones are equal, sorted.
fn normal(store: &Store, label: Option<&str>) -> Vec<String> {
    let mut generated: BTreeMap<&str, &str> = BTreeMap::new();
    for object in store.objects() {
        if let Some(prefix) = &object.metadata().generate_name {
            generated.insert(object.name(), prefix);
        }
    }
    let mut objects: Vec<String> = store
        .objects()
        .map(|object| {
            let mut value = object.to_value();
            if object.kind() == Kind::Node {
                value.as_object_mut().map(|fields| fields.remove("status"));
            }
            clean(&mut value, &generated, label);
            value.to_string()
        })
        .collect();
    objects.sort();
    objects
}

/// What the name of a pod's service account volume begins with.
const API_ACCESS: &str = "kube-api-access-";

/// Fields that say when and where something was made, not what it is.
const CHANCE: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "observedGeneration",
    "managedFields",
    "creationTimestamp",
    "podIP",
    "podIPs",
    "clusterIPs",
    "containerID",
    "healthCheckNodePort",
];

fn clean(value: &mut Value, generated: &BTreeMap<&str, &str>, label: Option<&str>) {
    match value {
        Value::Object(fields) => {
            let of_pod = fields.contains_key("targetRef");
            let chance = |key: &str| CHANCE.contains(&key) || key == "addresses" && of_pod;
            fields.retain(|key, value| !chance(key) && !is_address(key, value));
            for map in ["labels", "annotations"] {
                if let Some(Value::Object(entries)) = fields.get_mut(map) {
                    entries.retain(|key, _| key != LAST_APPLIED && Some(key.as_str()) != label);
                    if entries.is_empty() {
                        fields.remove(map);
                    }
                }
            }
            fields.values_mut().for_each(|value| clean(value, generated, label));
            *fields = std::mem::take(fields).into_iter().collect::<Map<_, _>>();
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, generated, label)),
        Value::String(text) => {
            if is_time(text) {
                *text = "<time>".to_owned();
                return;
            }
            if text.len() >= 36 {
                hide_uids(text);
            }
            // the volume that admission adds to every pod
            if text.starts_with(API_ACCESS) {
                API_ACCESS.clone_into(text);
            }
            for (name, prefix) in generated {
                if text.contains(prefix) && text.contains(name) {
                    *text = text.replace(name, &format!("{prefix}~"));
                }
            }
        }
        _ => {}
    }
}

/// An address that the cluster chose.
fn is_address(key: &str, value: &Value) -> bool {
    key == "clusterIP" && value.as_str().is_some_and(|ip| ip != "None")
}

/// RFC 3339 in UTC, as the API writes times.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = |place: usize| bytes.get(place).copied();
    (20..=30).contains(&bytes.len()) && at(4) == Some(b'-') && at(10) == Some(b'T') && bytes.last() == Some(&b'Z')
}

/// Replaces every uid in a text.
fn hide_uids(text: &mut String) {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let is_uid = |part: &str| {
        part.bytes().enumerate().all(|(i, b)| if DASHES.contains(&i) { b == b'-' } else { b.is_ascii_hexdigit() })
    };
    let mut at = 0;
    while let Some(part) = text.get(at..at + 36) {
        if is_uid(part) {
            text.replace_range(at..at + 36, "<uid>");
        }
        at += 1;
        while at < text.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{hide_uids, is_time};

    #[test]
    fn uids_and_times_are_found_in_texts() {
        let mut text = "pvc-01234567-89ab-4cde-8f01-23456789abcd is ready".to_owned();
        hide_uids(&mut text);
        assert_eq!(text, "pvc-<uid> is ready");
        assert!(is_time("2026-01-01T00:00:00Z") && is_time("2026-01-01T00:00:00.000000Z") && !is_time("2026-01-01"));
    }
}
