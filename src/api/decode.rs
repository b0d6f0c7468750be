//! What the API server says about a JSON object it is asked to read, and what it makes of it.
//!
//! The server decodes JSON into Go structs (`sigs.k8s.io/json`, strictly) and writes those structs back. The first
//! value of a wrong type is an error in Go's words; if all types are right, every unknown field is listed; else the
//! object reads back without what Go drops: nulls, empty optional fields, other spellings of quantities and times.
//!
//! ```
//! use ckad_grade::api::{decode, schema};
//! use serde_json::json;
//!
//! let claim = schema::kind("v1", "PersistentVolumeClaim").ok_or("no such kind")?;
//! let error = decode::check(&json!({"spec": {"accessModes": "ReadWriteOnce"}}), claim).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "json: cannot unmarshal string into Go struct field PersistentVolumeClaimSpec.spec.accessModes \
//!      of type []v1.PersistentVolumeAccessMode"
//! );
//! # Ok::<(), &str>(())
//! ```

mod check;
pub(super) mod go;
mod normalise;
mod time;
mod unstructured;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::field::go_quote;
use super::quantity::QuantityError;
use super::schema::{self, Segment, StructType};

pub use normalise::normalise;

/// Why an object cannot be decoded. `Display` is the server's text; [`DecodeError::bad_request`] adds what it puts in
/// front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A value of the wrong JSON type.
    Type(TypeError),
    /// A value that its type cannot read. The server's text does not say where.
    Value {
        /// Where it is.
        path: Vec<Segment>,
        /// What is wrong with it.
        problem: ValueProblem,
    },
    /// A value that cannot be converted, in the words of Go's converter from unstructured objects.
    Conversion {
        /// Where it is.
        path: Vec<Segment>,
        /// What is wrong with it.
        text: String,
    },
    /// Fields that do not exist, in the order of the keys.
    Strict(Vec<UnknownField>),
    /// The typed object refused what the checks let through: our types differ from Kubernetes'.
    Internal(String),
}

/// Go's `json.UnmarshalTypeError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// Where the value is.
    pub path: Vec<Segment>,
    /// What it is: `string`, `object`, `number 3000000000`.
    pub value: String,
    /// The Go type it should be.
    pub go_type: String,
    /// The innermost Go struct around it; empty at the root.
    pub go_struct: &'static str,
    /// Go's path: fields joined by dots, embedded structs by name, without indexes and map keys.
    pub go_field: String,
}

/// What is wrong with a value of the right JSON type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueProblem {
    /// Not a quantity.
    Quantity(QuantityError),
    /// Not a time; the text is Go's.
    Time(String),
    /// Not base64 from this byte on.
    Base64(usize),
}

/// A field the struct does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it is, its own name last.
    pub path: Vec<Segment>,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(error) => error.fmt(f),
            Self::Value { problem, .. } => problem.fmt(f),
            Self::Strict(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    f.write_str(if index == 0 { "strict decoding error: " } else { ", " })?;
                    field.fmt(f)?;
                }
                Ok(())
            }
            Self::Conversion { text, .. } | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, go_type, go_struct, go_field, .. } = self;
        if go_struct.is_empty() && go_field.is_empty() {
            return write!(f, "json: cannot unmarshal {value} into Go value of type {go_type}");
        }
        write!(f, "json: cannot unmarshal {value} into Go struct field {go_struct}.{go_field} of type {go_type}")
    }
}

impl fmt::Display for ValueProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantity(error) => error.fmt(f),
            Self::Time(text) => f.write_str(text),
            Self::Base64(at) => write!(f, "illegal base64 data at input byte {at}"),
        }
    }
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown field {}", go_quote(&path_text(&self.path)))
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    /// Where the error is; for unknown fields, where the first is.
    pub fn path(&self) -> &[Segment] {
        match self {
            Self::Type(error) => &error.path,
            Self::Value { path, .. } | Self::Conversion { path, .. } => path,
            Self::Strict(fields) => fields.first().map_or(&[], |field| &field.path),
            Self::Internal(_) => &[],
        }
    }

    /// The message of the server's BadRequest (`transformDecodeError` in endpoints/handlers/rest.go).
    pub fn bad_request(&self, api_version: &str, kind: &str) -> String {
        let version = api_version.rsplit('/').next().unwrap_or(api_version);
        format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {self}")
    }
}

/// A path as strict decoding writes it: `spec.containers[0].port`.
pub fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// What the API server's strict decoder finds wrong with `value` as a `root`.
///
/// Keys are looked at in sorted order, as kubectl sends them. Of several values of wrong type the first counts, but a
/// bad quantity, time or int-or-string anywhere goes before them: Go stops there at once, and only notes the others.
pub fn check(value: &Value, root: &'static StructType) -> Result<(), DecodeError> {
    check::run(value, root, true)
}

/// What the API server finds wrong with an object that a strategic merge patch left as a `root`: the same as [`check`],
/// in the words of its converter (`FromUnstructuredWithValidation` in apimachinery's runtime/converter.go), which stops
/// at the first error.
pub fn check_unstructured(value: &Value, root: &'static StructType) -> Result<(), DecodeError> {
    unstructured::run(value, root)?;
    check::run(value, root, true)
}

/// What kubectl finds wrong with an object before it sends it: `apiVersion`, `kind` and `metadata` must decode
/// (`metadataValidatingDecoder` in cli-runtime's metadata_decoder.go). Unknown fields do not matter.
///
/// kubectl prints `error: unable to decode "FILE": ` and this error.
pub fn check_metadata(value: &Value) -> Result<(), DecodeError> {
    let root = schema::structure("resource", "metadataOnlyObject")
        .ok_or_else(|| DecodeError::Internal("types.txt lacks metadataOnlyObject".to_owned()))?;
    check::run(value, root, false)
}

/// What Go's JSON decoder calls a value: `object`, `number`.
pub fn go_kind(value: &Value) -> &'static str {
    go::kind(value)
}

/// Checks `value`, normalises it and reads it into a typed object.
pub fn decode<T: DeserializeOwned>(value: &Value, root: &'static StructType) -> Result<T, DecodeError> {
    check(value, root)?;
    typed(normalise(value.clone(), root))
}

/// Reads an object that is [normalised](normalise) already.
///
/// An empty `spec.selector` of a workload gets an empty `matchLabels`: so a typed selector, which cannot be absent, tells
/// `{}` from no selector.
pub fn typed<T: DeserializeOwned>(mut value: Value) -> Result<T, DecodeError> {
    let workload = value.get("apiVersion").is_some_and(|v| v == "apps/v1");
    if let Some(selector) = value.pointer_mut("/spec/selector").and_then(Value::as_object_mut)
        && workload
        && selector.is_empty()
    {
        selector.insert("matchLabels".to_owned(), Value::Object(Map::new()));
    }
    serde_json::from_value(value).map_err(|error| DecodeError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests;
