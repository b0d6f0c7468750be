//! An object as it reads back after a trip through Kubernetes' Go structs.

use serde_json::{Map, Value};

use super::{check, go, time};
use crate::api::schema::{Field, Shape, StructType, Type};

/// `value` as the API server would write it after decoding it as a `root`: what Go drops is gone (unknown fields,
/// nulls, empty fields that may be omitted), what Go adds is there (empty structs, zeros of fields that may not be
/// omitted, `null` for a list or time of that sort), quantities, numbers, times and base64 are in canonical form.
///
/// One exception: an absent `targetPort` stays absent, though Go shows it as 0 before defaulting; so defaulting need
/// not tell the two apart. The value should have passed [`check`](super::check); what did not is kept as it is.
pub fn normalise(value: &Value, root: &StructType) -> Value {
    match value {
        Value::Object(object) => Value::Object(structure(object, root)),
        Value::Null => Value::Object(structure(&Map::new(), root)),
        other => other.clone(),
    }
}

fn structure(object: &Map<String, Value>, ty: &StructType) -> Map<String, Value> {
    let mut out = Map::new();
    for field in ty.fields() {
        let given = object.get(field.json_name).filter(|value| !value.is_null());
        let value = match given {
            Some(value) => read(value, &field.ty),
            None if field.ty.pointer => Value::Null,
            None if field.omit_empty && matches!(field.ty.shape, Shape::IntOrString) => continue,
            None => zero(&field.ty),
        };
        if !omitted(&value, field) {
            out.insert(field.json_name.to_owned(), value);
        }
    }
    out
}

/// Whether `omitempty` or `omitzero` hides a field of this value.
fn omitted(value: &Value, field: &Field) -> bool {
    if field.omit_zero && value.is_null() {
        return true;
    }
    if !field.omit_empty {
        return false;
    }
    if field.ty.pointer {
        return value.is_null();
    }
    match field.ty.shape {
        // For Go a struct is never empty, whatever is in it.
        Shape::Struct(_) | Shape::Quantity | Shape::IntOrString | Shape::Time | Shape::MicroTime => false,
        Shape::Raw => value.is_null(),
        Shape::Bool | Shape::Int32 | Shape::Int64 | Shape::String | Shape::Bytes | Shape::List(_) | Shape::Map(_) => {
            match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::Number(number) => go::integer(number) == Some(0),
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(map) => map.is_empty(),
            }
        }
    }
}

/// What Go writes for a value that was never set.
fn zero(ty: &Type) -> Value {
    match &ty.shape {
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => Value::from(0),
        Shape::String => Value::String(String::new()),
        Shape::Quantity => Value::from("0"),
        Shape::Struct(inner) => Value::Object(structure(&Map::new(), inner.get())),
        Shape::Bytes | Shape::Time | Shape::MicroTime | Shape::Raw | Shape::List(_) | Shape::Map(_) => Value::Null,
    }
}

/// An element of a list or map; null is the zero value there.
fn element(value: &Value, ty: &Type) -> Value {
    match (value, &ty.shape) {
        // A stored nil comes back as no bytes.
        (Value::Null, Shape::Bytes) => Value::String(String::new()),
        (Value::Null, _) => zero(ty),
        (value, _) => read(value, ty),
    }
}

fn read(value: &Value, ty: &Type) -> Value {
    match (&ty.shape, value) {
        (Shape::Struct(inner), Value::Object(object)) => Value::Object(structure(object, inner.get())),
        // Empty and nil are the same once stored.
        (Shape::Map(_), Value::Object(object)) if object.is_empty() && !ty.pointer => Value::Null,
        (Shape::List(_), Value::Array(items)) if items.is_empty() && !ty.pointer => Value::Null,
        (Shape::Map(ty), Value::Object(object)) => {
            Value::Object(object.iter().map(|(key, value)| (key.clone(), element(value, ty))).collect())
        }
        (Shape::List(ty), Value::Array(items)) => items.iter().map(|item| element(item, ty)).collect(),
        (Shape::Int32 | Shape::Int64 | Shape::IntOrString, Value::Number(number)) => {
            go::integer(number).map_or_else(|| value.clone(), Value::from)
        }
        (Shape::Quantity, value) => check::quantity(value).map_or_else(|_| value.clone(), |q| q.to_string().into()),
        (Shape::Time | Shape::MicroTime, Value::String(text)) => {
            let micro = matches!(ty.shape, Shape::MicroTime);
            match time::parse(text, micro) {
                Ok(moment) if moment.is_zero() => Value::Null,
                Ok(moment) => Value::String(moment.to_utc(micro)),
                Err(_) => value.clone(),
            }
        }
        (Shape::Bytes, Value::String(text)) => {
            go::base64_decode(text.as_bytes()).map_or_else(|_| value.clone(), |bytes| go::base64_encode(&bytes).into())
        }
        (Shape::Bytes, Value::Array(items)) => {
            let byte = |item: &Value| item.as_number().and_then(go::integer).unwrap_or(0) as u8;
            go::base64_encode(&items.iter().map(byte).collect::<Vec<_>>()).into()
        }
        _ => value.clone(),
    }
}
