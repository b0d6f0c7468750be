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
    let text = |key: &str| expected.get(key).and_then(Value::as_str).unwrap_or_default();
    let root = schema::kind(text("apiVersion"), text("kind"));
    structure("", root, expected.as_object().unwrap_or(&Map::new()), actual.as_object())
}

fn differs(path: &str, expected: Option<Value>, actual: Option<Value>) -> Comparison {
    let difference = Difference { path: path.to_owned(), expected: expected.clone(), actual: actual.clone() };
    Comparison { differences: vec![difference], expected, actual }
}

fn same(actual: Option<&Value>) -> Comparison {
    Comparison { differences: Vec::new(), expected: actual.cloned(), actual: actual.cloned() }
}

/// Compares the value of a field; `field` is what the API says about it, `None` inside lists and maps.
fn value(path: &str, ty: Option<&Type>, field: Option<&Field>, expected: &Value, actual: Option<&Value>) -> Comparison {
    let present = actual.filter(|value| !is_unset(value, ty, field));
    match expected {
        Value::Null => return unset(path, present),
        Value::String(word) if word == UNSET => return unset(path, present),
        Value::String(word) if word == ANY => {
            // Go does write a pointer to `false`
            let written = ty.is_some_and(|ty| ty.pointer) && actual.is_some_and(Value::is_boolean);
            let set = present.is_some() || written;
            return if set { same(actual) } else { differs(path, Some(expected.clone()), None) };
        }
        Value::String(word) if word == NONE => {
            let empty = |value: &Value| value.as_str() == Some("") || value.as_object().is_some_and(Map::is_empty);
            return unset(path, present.filter(|value| !empty(value)));
        }
        _ => {}
    }
    if present.is_none() && is_unset(expected, ty, field) {
        return same(actual);
    }
    let shape = ty.map(|ty| &ty.shape);
    match (expected, shape) {
        (Value::Object(fields), Some(Shape::Struct(inner))) => {
            nested(path, Some(inner.get()), fields, actual, expected)
        }
        (Value::Object(entries), Some(Shape::Map(element))) => map(path, Some(element), entries, actual, expected),
        (Value::Object(fields), None) => nested(path, None, fields, actual, expected),
        (Value::Array(items), shape) => {
            let element = match shape {
                Some(Shape::List(element)) => Some(&**element),
                _ => None,
            };
            match actual {
                None | Some(Value::Null) => list::compare(path, element, field, items, &[]),
                Some(Value::Array(actual)) => list::compare(path, element, field, items, actual),
                Some(other) => differs(path, Some(expected.clone()), Some(other.clone())),
            }
        }
        _ if actual.is_some_and(|actual| scalars_equal(shape, field, expected, actual)) => same(actual),
        _ => differs(path, Some(expected.clone()), present.cloned()),
    }
}

fn unset(path: &str, present: Option<&Value>) -> Comparison {
    match present {
        None => Comparison::default(),
        Some(value) => differs(path, None, Some(value.clone())),
    }
}

/// A struct that may be absent: what is expected inside it is then missing field by field.
fn nested(
    path: &str,
    ty: Option<&StructType>,
    fields: &Map<String, Value>,
    actual: Option<&Value>,
    expected: &Value,
) -> Comparison {
    match actual {
        Some(Value::Object(actual)) => structure(path, ty, fields, Some(actual)),
        None | Some(Value::Null) if !fields.is_empty() => structure(path, ty, fields, None),
        other => differs(path, Some(expected.clone()), other.cloned()),
    }
}

fn structure(
    path: &str,
    ty: Option<&StructType>,
    expected: &Map<String, Value>,
    actual: Option<&Map<String, Value>>,
) -> Comparison {
    let parts = expected.iter().map(|(key, wanted)| {
        let field = ty.and_then(|ty| ty.field(key));
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        (key, value(&path, field.map(|f| &f.ty), field, wanted, actual.and_then(|a| a.get(key))))
    });
    join(parts, actual.is_some())
}

fn map(
    path: &str,
    element: Option<&Type>,
    entries: &Map<String, Value>,
    actual: Option<&Value>,
    expected: &Value,
) -> Comparison {
    let found = match actual {
        Some(Value::Object(found)) => Some(found),
        None | Some(Value::Null) if !entries.is_empty() => None,
        other => return differs(path, Some(expected.clone()), other.cloned()),
    };
    let parts = entries.iter().map(|(key, wanted)| {
        let path = if key.contains('.') { format!("{path}[{key}]") } else { format!("{path}.{key}") };
        (key, value(&path, element, None, wanted, found.and_then(|f| f.get(key))))
    });
    join(parts, found.is_some())
}

/// Puts the comparisons of fields together.
fn join<'a>(parts: impl Iterator<Item = (&'a String, Comparison)>, present: bool) -> Comparison {
    let (mut differences, mut expected, mut actual) = (Vec::new(), Map::new(), Map::new());
    let mut asked = false;
    for (key, part) in parts {
        asked = true;
        differences.extend(part.differences);
        expected.extend(part.expected.map(|value| (key.clone(), value)));
        actual.extend(part.actual.map(|value| (key.clone(), value)));
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
