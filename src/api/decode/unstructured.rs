//! The walk of Go's converter from maps to typed objects: `fromUnstructured` in apimachinery's runtime/converter.go.

use serde_json::{Map, Value};

use super::{DecodeError, ValueProblem, check, go, time};
use crate::api::schema::{Segment, Shape, StructType, Type};

/// Converts `value` to a `root`; unknown fields do not matter here.
pub(super) fn run(value: &Value, root: &'static StructType) -> Result<(), DecodeError> {
    Walk::default().structure(value, root)
}

#[derive(Default)]
struct Walk {
    path: Vec<Segment>,
}

impl Walk {
    fn error(&self, text: String) -> DecodeError {
        DecodeError::Conversion { path: self.path.clone(), text }
    }

    fn problem(&self, problem: ValueProblem) -> DecodeError {
        DecodeError::Value { path: self.path.clone(), problem }
    }

    fn within(&mut self, segment: Segment, value: &Value, ty: &Type) -> Result<(), DecodeError> {
        self.path.push(segment);
        self.value(value, ty)?;
        self.path.pop();
        Ok(())
    }

    fn structure(&mut self, value: &Value, ty: &'static StructType) -> Result<(), DecodeError> {
        let Value::Object(object) = value else {
            return Err(self.error(format!("cannot restore struct from: {}", go_kind(value))));
        };
        ty.fields().try_for_each(|field| match object.get(field.json_name) {
            Some(value) => self.within(Segment::from(field.json_name), value, &field.ty),
            None => Ok(()),
        })
    }

    fn value(&mut self, value: &Value, ty: &Type) -> Result<(), DecodeError> {
        match (&ty.shape, value) {
            (_, Value::Null) | (Shape::Raw, _) => Ok(()),
            (Shape::Struct(inner), value) => self.structure(value, inner.get()),
            (Shape::Map(element), Value::Object(object)) => self.map(object, element),
            (Shape::Map(_), other) => Err(self.error(format!("cannot restore map from {}", go_kind(other)))),
            (Shape::List(element), Value::Array(items)) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| self.within(Segment::from(index), item, element))
            }
            (Shape::Bytes, Value::String(text)) => match go::base64_decode(text.as_bytes()) {
                Err(at) => Err(self.error(format!("error decoding from json: illegal base64 data at input byte {at}"))),
                Ok(_) => Ok(()),
            },
            (Shape::Bytes, Value::Array(_)) => Ok(()),
            (Shape::List(_) | Shape::Bytes, other) => {
                Err(self.error(format!("cannot restore slice from {}", go_kind(other))))
            }
            (Shape::Quantity, value) => match check::quantity(value) {
                Err(error) => Err(self.problem(ValueProblem::Quantity(error))),
                Ok(_) => Ok(()),
            },
            (Shape::Time | Shape::MicroTime, Value::String(text)) => {
                match time::parse(text, matches!(ty.shape, Shape::MicroTime)) {
                    Err(error) => Err(self.problem(ValueProblem::Time(error))),
                    Ok(_) => Ok(()),
                }
            }
            (Shape::Time | Shape::MicroTime, other) => Err(self.own_json(other, "string")),
            (Shape::IntOrString, Value::String(_) | Value::Number(_)) => Ok(()),
            (Shape::IntOrString, other) => Err(self.own_json(other, "int32")),
            (Shape::String, Value::String(_)) | (Shape::Bool, Value::Bool(_)) => Ok(()),
            (Shape::Int32 | Shape::Int64, Value::Number(number)) if go::integer(number).is_some() => Ok(()),
            // Go would also turn an integer into the text that has it as a code point
            (Shape::String, Value::Number(number)) if number.is_i64() => Err(self.cannot_convert(value, ty)),
            (Shape::Int32 | Shape::Int64, Value::Number(_)) => Err(self.cannot_convert(value, ty)),
            (Shape::String, _) => Err(self.unrecognized("string")),
            (Shape::Bool, _) => Err(self.unrecognized("bool")),
            (Shape::Int32, _) => Err(self.unrecognized("int32")),
            (Shape::Int64, _) => Err(self.unrecognized("int64")),
        }
    }

    fn map(&mut self, object: &Map<String, Value>, element: &Type) -> Result<(), DecodeError> {
        object.iter().try_for_each(|(key, value)| self.within(Segment::from(key.as_str()), value, element))
    }

    fn cannot_convert(&self, value: &Value, ty: &Type) -> DecodeError {
        self.error(format!("cannot convert {} to {}", go_kind(value), ty.go_type()))
    }

    fn unrecognized(&self, kind: &str) -> DecodeError {
        self.error(format!("unrecognized type: {kind}"))
    }

    /// What a type's own `UnmarshalJSON` says about a value that it hands to Go's decoder.
    fn own_json(&self, value: &Value, go_type: &str) -> DecodeError {
        self.error(format!("json: cannot unmarshal {} into Go value of type {go_type}", go::kind(value)))
    }
}

/// The kind of Go value that a JSON value is read into.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if go::integer(number).is_some() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::api::schema;

    #[test]
    fn conversions_fail_in_the_words_of_the_converter() {
        let claim = schema::kind("v1", "PersistentVolumeClaim").unwrap();
        let said = |value: Value| run(&value, claim).err().map(|error| error.to_string());
        let quantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        let cases = [
            (json!({"metadata": {"labels": {"a": 5}}}), "cannot convert int64 to string"),
            (json!({"metadata": {"labels": {"a": true}}}), "unrecognized type: string"),
            (json!({"metadata": {"labels": "a"}}), "cannot restore map from string"),
            (json!({"spec": "x"}), "cannot restore struct from: string"),
            (json!({"spec": {"accessModes": "ReadWriteOnce"}}), "cannot restore slice from string"),
            (json!({"spec": {"accessModes": [1]}}), "cannot convert int64 to v1.PersistentVolumeAccessMode"),
            (json!({"spec": {"resources": {"requests": {"storage": "abc"}}}}), quantity),
        ];
        for (value, text) in cases {
            assert_eq!(said(value.clone()).as_deref(), Some(text), "{value}");
        }
        assert_eq!(said(json!({"spec": {"volumeName": null, "unknown": 1}})), None);
    }
}
