//! Patches: JSON patch, JSON merge patch, and the strategic merge patch kubectl apply is made of.
mod diff;
mod strategic;

pub use diff::create_three_way_merge_patch;
pub use strategic::strategic_merge;

use std::fmt;

use serde_json::{Map, Value};

use super::schema::{Field, Shape, StructType, Type};

/// Why a patch could not be made or applied.
#[derive(Clone, Debug, PartialEq)]
pub enum PatchError {
    /// The patch is not well-formed.
    BadRequest(String),
    /// The patch is well-formed but does not fit the object (status 422 without a reason).
    Unprocessable(String),
    /// Anything else, which the server reports as an internal error.
    Other(String),
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatchError::BadRequest(text) | PatchError::Unprocessable(text) | PatchError::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

type Object = Map<String, Value>;

const DIRECTIVE: &str = "$patch";
const DELETE: &str = "delete";
const REPLACE: &str = "replace";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList";
const SET_ELEMENT_ORDER: &str = "$setElementOrder";

/// Where in the API's types a merge is.
#[derive(Clone, Copy)]
enum Node {
    Struct(&'static StructType),
    MapOf(&'static Type),
    Leaf,
}

/// How a field is merged.
#[derive(Clone, Copy)]
struct FieldMeta {
    merge: bool,
    retain_keys: bool,
    merge_key: &'static str,
    node: Node,
}

impl Node {
    fn of(ty: &'static Type) -> Node {
        match &ty.shape {
            Shape::Struct(reference) => Node::Struct(reference.get()),
            Shape::Map(value) => Node::MapOf(value),
            Shape::List(element) => Node::of(element),
            _ => Node::Leaf,
        }
    }

    /// `LookupPatchMetadataForStruct` and `…ForSlice`.
    fn field(self, key: &str) -> Result<FieldMeta, PatchError> {
        let plain = |node| FieldMeta { merge: false, retain_keys: false, merge_key: "", node };
        match self {
            Node::MapOf(value) => Ok(plain(Node::of(value))),
            Node::Leaf => Ok(plain(Node::Leaf)),
            Node::Struct(structure) => {
                let field: &'static Field = structure.field(key).ok_or_else(|| {
                    let name = structure.go_name;
                    PatchError::Other(format!("unable to find api field in struct {name} for the json field \"{key}\""))
                })?;
                Ok(FieldMeta {
                    merge: field.patch_strategy.merge,
                    retain_keys: field.patch_strategy.retain_keys,
                    merge_key: field.patch_merge_key.unwrap_or_default(),
                    node: Node::of(&field.ty),
                })
            }
        }
    }
}

/// What kind of elements lists have; an error when they are mixed or lists themselves (`sliceElementType`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Elements {
    Maps,
    Scalars,
}

fn element_type(lists: &[&[Value]]) -> Result<Elements, PatchError> {
    let type_of = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(n) if n.is_f64() => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    let mut found = None;
    for value in lists.iter().copied().flatten() {
        let this = type_of(value);
        if this == 5 {
            return Err(PatchError::Unprocessable("lists of lists are not supported".to_owned()));
        }
        if *found.get_or_insert(this) != this {
            return Err(PatchError::Other(format!("list element types are not identical: {}", go_value(value))));
        }
    }
    match found {
        Some(6) => Ok(Elements::Maps),
        Some(_) => Ok(Elements::Scalars),
        None => Err(PatchError::Other("no elements in any of the given slices".to_owned())),
    }
}

fn merge_key_of<'a>(item: &'a Value, merge_key: &str) -> Result<&'a Value, PatchError> {
    let Value::Object(map) = item else {
        return Err(PatchError::Other(format!(
            "expected a map[string]interface {{}}, but received {}",
            go_value(item)
        )));
    };
    map.get(merge_key).ok_or_else(|| {
        PatchError::Other(format!("map: {} does not contain declared merge key: {merge_key}", go_value(item)))
    })
}

/// The place of an item in a list, by merge key for maps and by value for scalars.
fn index_of(list: &[Value], item: &Value, merge_key: &str, elements: Elements) -> Option<usize> {
    let value = |v: &Value| match elements {
        Elements::Maps => v.get(merge_key).cloned(),
        Elements::Scalars => Some(v.clone()),
    };
    let wanted = value(item);
    list.iter().position(|candidate| value(candidate) == wanted)
}

/// Sorts items by their place in another list; items with a `$patch: delete` go last (`normalizeSliceOrder`).
fn sort_by_order(
    items: Vec<Value>,
    order: &[Value],
    merge_key: &str,
    elements: Elements,
) -> Result<Vec<Value>, PatchError> {
    let is_deletion = |v: &Value| elements == Elements::Maps && v.get(DIRECTIVE).is_some_and(|d| d == DELETE);
    if elements == Elements::Maps {
        for item in items.iter().chain(order) {
            merge_key_of(item, merge_key)?;
        }
    }
    let (deletions, mut rest): (Vec<_>, Vec<_>) = items.into_iter().partition(is_deletion);
    rest.sort_by_cached_key(|item| index_of(order, item, merge_key, elements).unwrap_or(usize::MAX));
    rest.extend(deletions);
    Ok(rest)
}

/// A value as Go's `%v` prints it.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(s) => s.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_value).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let pairs: Vec<_> = map.iter().map(|(k, v)| format!("{k}:{}", go_value(v))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
