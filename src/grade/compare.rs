//! Comparison of a partial, expected object with a real one, as the API means it.
//!
//! Quantities are equal when their values are; lists that are maps or sets to the API are compared as such whatever their
//! order; a field that Go would not write (`false`, `0`, `""`, an empty list in an `omitempty` field) is the same as an
//! absent one, and so is a `false` that Kubernetes takes for unset (`optional`, not `enableServiceLinks`); paths may end in `/`; what the expected object does not mention does not matter. Some words have a meaning in an
//! expected object: `<any>` for any value, `null` or `<unset>` for a field that must not be there, `<none>` for one that is not
//! there or is empty, and for quantities and numbers `">= 1Gi"` and `"<= 1Gi"`.
mod list;

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::api::quantity::Quantity;
use crate::api::schema::{self, Field, Shape, StructType, Type};

/// In an expected object: the field is there, whatever its value.
pub const ANY: &str = "<any>";
/// In an expected object: the field is not there; `null` says the same.
pub const UNSET: &str = "<unset>";

/// In an expected object: the field is not there or is empty.
pub const NONE: &str = "<none>";

/// `">= 1Gi"` and `"<= 1Gi"` in an expected object: a bound for a quantity or a number.
pub(crate) fn bound(text: &str) -> Option<(Ordering, Quantity)> {
    let at_least = text.strip_prefix(">= ").map(|rest| (Ordering::Greater, rest));
    let (side, rest) = at_least.or_else(|| text.strip_prefix("<= ").map(|rest| (Ordering::Less, rest)))?;
    Some((side, Quantity::parse_trimmed(rest).ok()?))
}

/// One place where an object is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Field path: `spec.containers[web].image`.
    pub path: String,
    /// What was expected; `None` if the field was not to be there.
    pub expected: Option<Value>,
    /// What is; `None` if the field is not there.
    pub actual: Option<Value>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Every place that differs; none if the object is as expected.
    pub differences: Vec<Difference>,
    /// The expected object with equal values spelled as the real object spells them.
    pub expected: Option<Value>,
    /// The real object, restricted to what was asked.
    pub actual: Option<Value>,
}

impl Comparison {
    /// How far the object is from what was expected: what says whose it is weighs more than the rest.
    pub fn distance(&self) -> usize {
        let weight = |difference: &Difference| match difference.path.as_str() {
            // an EndpointSlice of another Service, an object of another owner
            "metadata.labels[kubernetes.io/service-name]" => 1000,
            path if path.starts_with("metadata.ownerReferences") => 1000,
            "metadata.name" | "metadata.namespace" => 3,
            path if path.starts_with("metadata.labels") => 3,
            _ => 1,
        };
        self.differences.iter().map(weight).sum()
    }

    /// Whether the object is as expected.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares an object with what is expected of it. Both have `apiVersion` and `kind`.
pub fn compare(expected: &Value, actual: &Value) -> Comparison {
    at_root(expected, actual, true)
}

/// As [`compare`], but only where they differ: neither side is there to be shown.
pub fn differences(expected: &Value, actual: &Value) -> Comparison {
    at_root(expected, actual, false)
}

fn at_root(expected: &Value, actual: &Value, shown: bool) -> Comparison {
    let text = |key: &str| expected.get(key).and_then(Value::as_str).unwrap_or_default();
    let root = schema::kind(text("apiVersion"), text("kind"));
    let place = Place { shown, step: Step::Root };
    structure(place, root, expected.as_object().unwrap_or(&Map::new()), actual.as_object())
}

/// Where a comparison is: as a path only if something differs there.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Whether the sides are to be shown.
    shown: bool,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, &'a dyn Fn() -> String),
}

impl<'a> Place<'a> {
    fn field(&'a self, name: &'a str) -> Place<'a> {
        Place { step: Step::Field(self, name), ..*self }
    }
    fn key(&'a self, name: &'a str) -> Place<'a> {
        Place { step: Step::Key(self, name), ..*self }
    }
    fn item(&'a self, label: &'a dyn Fn() -> String) -> Place<'a> {
        Place { step: Step::Item(self, label), ..*self }
    }

    fn path(&self) -> String {
        match self.step {
            Step::Root => String::new(),
            Step::Field(Place { step: Step::Root, .. }, name) => name.to_owned(),
            Step::Key(parent, name) if name.contains('.') => format!("{}[{name}]", parent.path()),
            Step::Field(parent, name) | Step::Key(parent, name) => format!("{}.{name}", parent.path()),
            Step::Item(parent, label) => format!("{}[{}]", parent.path(), label()),
        }
    }

    fn differs(&self, expected: Option<Value>, actual: Option<Value>) -> Comparison {
        let difference = Difference { path: self.path(), expected: expected.clone(), actual: actual.clone() };
        Comparison { differences: vec![difference], expected, actual }
    }

    fn same(&self, actual: Option<&Value>) -> Comparison {
        let actual = actual.filter(|_| self.shown);
        Comparison { differences: Vec::new(), expected: actual.cloned(), actual: actual.cloned() }
    }
}

/// Compares the value of a field; `field` is what the API says about it, `None` inside lists and maps.
fn value(
    place: Place<'_>,
    ty: Option<&Type>,
    field: Option<&Field>,
    expected: &Value,
    actual: Option<&Value>,
) -> Comparison {
    let present = actual.filter(|value| !is_unset(value, ty, field));
    match expected {
        Value::Null => return unset(place, present),
        Value::String(word) if word == UNSET => return unset(place, present),
        Value::String(word) if word == ANY => {
            // Go does write a pointer to `false`
            let written = ty.is_some_and(|ty| ty.pointer) && actual.is_some_and(Value::is_boolean);
            let set = present.is_some() || written;
            return if set { place.same(actual) } else { place.differs(Some(expected.clone()), None) };
        }
        Value::String(word) if word == NONE => {
            let empty = |value: &Value| value.as_str() == Some("") || value.as_object().is_some_and(Map::is_empty);
            return unset(place, present.filter(|value| !empty(value)));
        }
        _ => {}
    }
    if present.is_none() && is_unset(expected, ty, field) {
        return place.same(actual);
    }
    let shape = ty.map(|ty| &ty.shape);
    match (expected, shape) {
        (Value::Object(fields), Some(Shape::Struct(inner))) => {
            nested(place, Some(inner.get()), fields, actual, expected)
        }
        (Value::Object(entries), Some(Shape::Map(element))) => map(place, Some(element), entries, actual, expected),
        (Value::Object(fields), None) => nested(place, None, fields, actual, expected),
        (Value::Array(items), shape) => {
            let element = match shape {
                Some(Shape::List(element)) => Some(&**element),
                _ => None,
            };
            match actual {
                None | Some(Value::Null) => list::compare(place, element, field, items, &[]),
                Some(Value::Array(actual)) => list::compare(place, element, field, items, actual),
                Some(other) => place.differs(Some(expected.clone()), Some(other.clone())),
            }
        }
        _ if actual.is_some_and(|actual| scalars_equal(shape, field, expected, actual)) => place.same(actual),
        _ => place.differs(Some(expected.clone()), present.cloned()),
    }
}

fn unset(place: Place<'_>, present: Option<&Value>) -> Comparison {
    match present {
        None => Comparison::default(),
        Some(value) => place.differs(None, Some(value.clone())),
    }
}

/// A struct that may be absent: what is expected inside it is then missing field by field.
fn nested(
    place: Place<'_>,
    ty: Option<&StructType>,
    fields: &Map<String, Value>,
    actual: Option<&Value>,
    expected: &Value,
) -> Comparison {
    match actual {
        Some(Value::Object(actual)) => structure(place, ty, fields, Some(actual)),
        None | Some(Value::Null) if !fields.is_empty() => structure(place, ty, fields, None),
        other => place.differs(Some(expected.clone()), other.cloned()),
    }
}

fn structure(
    place: Place<'_>,
    ty: Option<&StructType>,
    expected: &Map<String, Value>,
    actual: Option<&Map<String, Value>>,
) -> Comparison {
    let parts = expected.iter().map(|(key, wanted)| {
        let field = ty.and_then(|ty| ty.field(key));
        let found = actual.and_then(|actual| actual.get(key));
        (key, value(place.field(key), field.map(|f| &f.ty), field, wanted, found))
    });
    join(place, parts, actual.is_some())
}

fn map(
    place: Place<'_>,
    element: Option<&Type>,
    entries: &Map<String, Value>,
    actual: Option<&Value>,
    expected: &Value,
) -> Comparison {
    let found = match actual {
        Some(Value::Object(found)) => Some(found),
        None | Some(Value::Null) if !entries.is_empty() => None,
        other => return place.differs(Some(expected.clone()), other.cloned()),
    };
    let parts = entries
        .iter()
        .map(|(key, wanted)| (key, value(place.key(key), element, None, wanted, found.and_then(|f| f.get(key)))));
    join(place, parts, found.is_some())
}

/// Puts the comparisons of fields together.
fn join<'a>(place: Place<'_>, parts: impl Iterator<Item = (&'a String, Comparison)>, present: bool) -> Comparison {
    let (mut differences, mut expected, mut actual) = (Vec::new(), Map::new(), Map::new());
    let mut asked = false;
    for (key, part) in parts {
        asked = true;
        differences.extend(part.differences);
        if place.shown {
            expected.extend(part.expected.map(|value| (key.clone(), value)));
            actual.extend(part.actual.map(|value| (key.clone(), value)));
        }
    }
    if !place.shown {
        return Comparison { differences, ..Comparison::default() };
    }
    // an object that is there but has nothing of what was asked is not shown as `{}`
    // and neither is one of which only something absent was expected
    let object = |fields: Map<String, Value>| (!asked || !fields.is_empty()).then_some(Value::Object(fields));
    Comparison { differences, expected: object(expected), actual: object(actual).filter(|_| present) }
}

/// Whether a value is what Go leaves out when it writes the field, or nothing at all.
fn is_unset(value: &Value, ty: Option<&Type>, field: Option<&Field>) -> bool {
    let omits_empty = field.is_some_and(|f| f.omit_empty);
    let pointer = ty.is_some_and(|ty| ty.pointer);
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag && omits_empty && field.is_some_and(|f| !f.false_is_own),
        Value::Number(number) => omits_empty && !pointer && number.as_f64() == Some(0.0),
        Value::String(text) => omits_empty && !pointer && text.is_empty(),
        Value::Array(items) => items.is_empty() && field.is_some(),
        Value::Object(fields) => fields.is_empty() && field.is_some() && !pointer,
    }
}

/// Fields that hold a path, in which `/` at the end means nothing.
const PATHS: &[&str] = &["path", "mountPath"];

fn scalars_equal(shape: Option<&Shape>, field: Option<&Field>, expected: &Value, actual: &Value) -> bool {
    if expected == actual {
        return true;
    }
    if let (Value::String(text), Some(Shape::Quantity | Shape::Int32 | Shape::Int64)) = (expected, shape)
        && let Some((side, limit)) = bound(text)
    {
        return quantity(actual)
            .is_some_and(|found| matches!(found.cmp(&limit), Ordering::Equal) || found.cmp(&limit) == side);
    }
    match (shape, expected, actual) {
        (Some(Shape::Quantity), _, _) => match (quantity(expected), quantity(actual)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        },
        (Some(Shape::String), Value::String(one), Value::String(other)) => {
            let is_path = field.is_some_and(|field| PATHS.contains(&field.json_name));
            is_path && one.trim_end_matches('/') == other.trim_end_matches('/')
        }
        _ => false,
    }
}

/// The quantity of a string or number.
pub(super) fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse_trimmed(text).ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
