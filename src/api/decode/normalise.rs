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
pub fn normalise(mut value: Value, root: &StructType) -> Value {
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    if let Value::Object(object) = &mut value {
        structure(object, root);
    }
    value
}

fn structure(object: &mut Map<String, Value>, ty: &StructType) {
    object.retain(|key, value| {
        let Some(field) = ty.field(key).filter(|_| !value.is_null()) else { return false };
        read(value, &field.ty);
        !omitted(value, field)
    });
    for field in ty.fields().filter(|field| is_written_if_unset(field)) {
        if !object.contains_key(field.json_name) {
            let value = if field.ty.pointer { Value::Null } else { zero(&field.ty) };
            object.insert(field.json_name.to_owned(), value);
        }
    }
}

/// Whether Go writes a field that was never set.
fn is_written_if_unset(field: &Field) -> bool {
    use Shape::{Bool, Int32, Int64, IntOrString, MicroTime, Quantity, String, Struct, Time};
    let null = field.ty.pointer
        || !matches!(field.ty.shape, Bool | Int32 | Int64 | IntOrString | String | Quantity | Struct(_));
    if field.omit_zero && null {
        return false;
    }
    let never_empty = !field.ty.pointer && matches!(field.ty.shape, Struct(_) | Quantity | Time | MicroTime);
    !field.omit_empty || never_empty
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
        Shape::Struct(inner) => normalise(Value::Null, inner.get()),
        Shape::Bytes | Shape::Time | Shape::MicroTime | Shape::Raw | Shape::List(_) | Shape::Map(_) => Value::Null,
    }
}

/// An element of a list or map; null is the zero value there.
fn element(value: &mut Value, ty: &Type) {
    match (&*value, &ty.shape) {
        // A stored nil comes back as no bytes.
        (Value::Null, Shape::Bytes) => *value = Value::String(String::new()),
        (Value::Null, _) => *value = zero(ty),
        _ => read(value, ty),
    }
}

fn read(value: &mut Value, ty: &Type) {
    let canonical = match (&ty.shape, &mut *value) {
        (Shape::Struct(inner), Value::Object(object)) => return structure(object, inner.get()),
        // Empty and nil are the same once stored.
        (Shape::Map(_), Value::Object(object)) if object.is_empty() && !ty.pointer => Some(Value::Null),
        (Shape::List(_), Value::Array(items)) if items.is_empty() && !ty.pointer => Some(Value::Null),
        (Shape::Map(ty), Value::Object(object)) => return object.values_mut().for_each(|value| element(value, ty)),
        (Shape::List(ty), Value::Array(items)) => return items.iter_mut().for_each(|item| element(item, ty)),
        (Shape::Int32 | Shape::Int64 | Shape::IntOrString, Value::Number(number)) => {
            go::integer(number).map(Value::from)
        }
        (Shape::Quantity, value) => check::quantity(value).ok().map(|quantity| quantity.to_string().into()),
        (Shape::Time | Shape::MicroTime, Value::String(text)) => {
            let micro = matches!(ty.shape, Shape::MicroTime);
            time::parse(text, micro).ok().map(|moment| match moment.is_zero() {
                true => Value::Null,
                false => Value::String(moment.to_utc(micro)),
            })
        }
        (Shape::Bytes, Value::String(text)) => {
            go::base64_decode(text.as_bytes()).ok().map(|bytes| go::base64_encode(&bytes).into())
        }
        (Shape::Bytes, Value::Array(items)) => {
            let byte = |item: &Value| item.as_number().and_then(go::integer).unwrap_or(0) as u8;
            Some(go::base64_encode(&items.iter().map(byte).collect::<Vec<_>>()).into())
        }
        _ => None,
    };
    if let Some(canonical) = canonical {
        *value = canonical;
    }
}
