//! The walk of Go's decoder over an object: `decodeState` in `sigs.k8s.io/json`.

use serde_json::{Map, Number, Value};

use super::{DecodeError, TypeError, UnknownField, ValueProblem, go, time};
use crate::api::quantity::{Quantity, QuantityError};
use crate::api::schema::{Segment, Shape, StructType, Type};

/// The decoder stops collecting unknown fields here.
const MAX_STRICT_ERRORS: usize = 100;

/// Decodes `value` as a `root`; with `strict`, unknown fields are errors.
pub(super) fn run(value: &Value, root: &'static StructType, strict: bool) -> Result<(), DecodeError> {
    let mut walk = Walk { strict, ..Walk::default() };
    match value {
        Value::Object(object) => walk.structure(object, root)?,
        Value::Null => {}
        other => walk.save_type(go::kind(other).to_owned(), root.go_type()),
    }
    match walk.saved {
        Some(error) => Err(error),
        None if walk.unknown.is_empty() => Ok(()),
        None => Err(DecodeError::Strict(walk.unknown)),
    }
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

#[derive(Default)]
struct Walk<'a> {
    strict: bool,
    steps: Vec<Step<'a>>,
    /// Go's `errorContext`: the struct being filled and the fields that led there.
    go_struct: &'static str,
    go_fields: Vec<&'static str>,
    /// The first error that did not stop the decoder.
    saved: Option<DecodeError>,
    unknown: Vec<UnknownField>,
}

impl<'a> Walk<'a> {
    fn path(&self) -> Vec<Segment> {
        let segment = |step: &Step<'_>| match step {
            Step::Key(key) => Segment::from(*key),
            Step::Index(index) => Segment::from(*index),
        };
        self.steps.iter().map(segment).collect()
    }

    fn type_error(&self, value: String, go_type: String) -> DecodeError {
        DecodeError::Type(TypeError {
            path: self.path(),
            value,
            go_type,
            go_struct: self.go_struct,
            go_field: self.go_fields.join("."),
        })
    }

    /// Notes an error after which Go goes on.
    fn save_type(&mut self, value: String, go_type: String) {
        if self.saved.is_none() {
            self.saved = Some(self.type_error(value, go_type));
        }
    }

    fn value_error(&self, problem: ValueProblem) -> DecodeError {
        DecodeError::Value { path: self.path(), problem }
    }

    fn structure(&mut self, object: &'a Map<String, Value>, ty: &'static StructType) -> Result<(), DecodeError> {
        let (outer, depth) = (self.go_struct, self.go_fields.len());
        for (key, value) in object {
            self.steps.push(Step::Key(key));
            if let Some(field) = ty.field(key) {
                self.go_struct = ty.go_name;
                self.go_fields.extend(field.embedded_in);
                self.go_fields.push(field.json_name);
                self.value(value, &field.ty)?;
                self.go_fields.truncate(depth);
                self.go_struct = outer;
            } else if self.strict && self.unknown.len() < MAX_STRICT_ERRORS {
                let field = UnknownField { path: self.path() };
                self.unknown.push(field);
            }
            self.steps.pop();
        }
        Ok(())
    }

    /// An `Err` is an error that stops Go: one returned by a type's own `UnmarshalJSON`.
    fn value(&mut self, value: &'a Value, ty: &'static Type) -> Result<(), DecodeError> {
        match (&ty.shape, value) {
            // Nulls leave every type at its zero value.
            (_, Value::Null) | (Shape::Raw, _) | (Shape::String, Value::String(_)) | (Shape::Bool, Value::Bool(_)) => {}
            (Shape::Struct(inner), Value::Object(object)) => self.structure(object, inner.get())?,
            (Shape::Map(element), Value::Object(object)) => {
                for (key, value) in object {
                    self.steps.push(Step::Key(key));
                    self.value(value, element)?;
                    self.steps.pop();
                }
            }
            (Shape::List(element), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.steps.push(Step::Index(index));
                    self.value(item, element)?;
                    self.steps.pop();
                }
            }
            (Shape::Int32, Value::Number(number)) => self.integer(number, i32::MIN.into(), i32::MAX.into(), ty),
            (Shape::Int64, Value::Number(number)) => self.integer(number, i64::MIN, i64::MAX, ty),
            (Shape::Bytes, Value::String(text)) => {
                if let Err(at) = go::base64_decode(text.as_bytes())
                    && self.saved.is_none()
                {
                    self.saved = Some(self.value_error(ValueProblem::Base64(at)));
                }
            }
            (Shape::Bytes, Value::Array(items)) => self.byte_list(items),
            (Shape::Quantity, value) => {
                if let Err(error) = quantity(value) {
                    return Err(self.value_error(ValueProblem::Quantity(error)));
                }
            }
            (Shape::IntOrString, Value::String(_)) => {}
            (Shape::IntOrString, Value::Number(number)) => {
                if go::integer(number).is_none_or(|value| i32::try_from(value).is_err()) {
                    return Err(self.type_error(format!("number {}", go::number(number)), "int32".to_owned()));
                }
            }
            (Shape::IntOrString, other) => {
                return Err(self.type_error(go::kind(other).to_owned(), "int32".to_owned()));
            }
            (Shape::Time | Shape::MicroTime, Value::String(text)) => {
                if let Err(error) = time::parse(text, matches!(ty.shape, Shape::MicroTime)) {
                    return Err(self.value_error(ValueProblem::Time(error)));
                }
            }
            (Shape::Time | Shape::MicroTime, other) => {
                return Err(self.type_error(go::kind(other).to_owned(), "string".to_owned()));
            }
            (_, other) => self.save_type(go::kind(other).to_owned(), ty.go_type()),
        }
        Ok(())
    }

    fn integer(&mut self, number: &Number, least: i64, most: i64, ty: &Type) {
        if go::integer(number).is_none_or(|value| value < least || value > most) {
            self.save_type(format!("number {}", go::number(number)), ty.go_type());
        }
    }

    /// Go also reads bytes from a list of numbers.
    fn byte_list(&mut self, items: &'a [Value]) {
        for (index, item) in items.iter().enumerate() {
            self.steps.push(Step::Index(index));
            match item {
                Value::Null => {}
                Value::Number(number) if go::integer(number).is_some_and(|value| (0..=255).contains(&value)) => {}
                Value::Number(number) => self.save_type(format!("number {}", go::number(number)), "uint8".to_owned()),
                other => self.save_type(go::kind(other).to_owned(), "uint8".to_owned()),
            }
            self.steps.pop();
        }
    }
}

/// `Quantity.UnmarshalJSON`: it reads the raw JSON, so anything that is no text or number is a malformed quantity.
pub(super) fn quantity(value: &Value) -> Result<Quantity, QuantityError> {
    match value {
        Value::Null => Ok(Quantity::default()),
        Value::String(text) => Quantity::parse_trimmed(text),
        Value::Number(number) => go::number(number).parse(),
        _ => Err(QuantityError::Format),
    }
}
