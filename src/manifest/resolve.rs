//! What a scalar means: the YAML 1.1 of go-yaml v2 (`resolve.go`).
use std::borrow::Cow;

use serde_json::{Number, Value};

use super::go;
use super::nodes::Node;

const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const BOOL: &str = "tag:yaml.org,2002:bool";
const NULL: &str = "tag:yaml.org,2002:null";
const STR: &str = "tag:yaml.org,2002:str";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const BINARY: &str = "tag:yaml.org,2002:binary";

/// A resolved scalar, in the types of Go.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// More than an `i64` can hold.
    Uint(u64),
    Float(f64),
    Str(Cow<'a, str>),
}

impl Scalar<'_> {
    /// The text under which the scalar can be a key of a JSON object; null and integers beyond `int64` cannot.
    pub(super) fn key(&self) -> Option<String> {
        Some(match self {
            Scalar::Null | Scalar::Uint(_) => return None,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => match go::float32_text(*value).as_str() {
                "+Inf" => ".inf".to_owned(),
                "-Inf" => "-.inf".to_owned(),
                "NaN" => ".nan".to_owned(),
                text => text.to_owned(),
            },
            Scalar::Str(text) => text.to_string(),
        })
    }

    /// The value after its way through JSON into kubectl's unstructured object: integers as far as `int64` goes, then
    /// floats; an infinity or NaN has none.
    pub(super) fn into_json(self) -> Option<Value> {
        Some(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => Value::from(value),
            Scalar::Uint(value) => Value::from(value as f64),
            Scalar::Float(value) => Value::Number(number(value)?),
            Scalar::Str(text) => Value::String(text.into_owned()),
        })
    }
}

/// A float as JSON keeps it: Go writes a whole number without a point, so it comes back as an integer.
pub(super) fn number(value: f64) -> Option<Number> {
    if value.fract() == 0.0
        && value.abs() < 1e19
        && let Ok(integer) = go::json_float_text(value).parse::<i64>()
    {
        return Some(integer.into());
    }
    Number::from_f64(value)
}

/// A number in a JSON text; none when it is too large for a float.
pub(super) fn json_number(text: &str) -> Option<Number> {
    if !text.contains(['.', 'e', 'E'])
        && let Ok(integer) = text.parse::<i64>()
    {
        return Some(integer.into());
    }
    number(text.parse::<f64>().ok().filter(|value| value.is_finite())?)
}

/// Resolves a scalar node, or says what go-yaml says when its tag does not fit.
pub(super) fn scalar<'n>(node: &'n Node<'_>) -> Result<Scalar<'n>, String> {
    let text: &str = &node.value;
    let tag = match node.tag.as_deref() {
        None if node.implicit => return Ok(plain(text, "").1),
        None => return Ok(Scalar::Str(Cow::Borrowed(text))),
        Some(tag) => tag,
    };
    match tag {
        STR => Ok(Scalar::Str(Cow::Borrowed(text))),
        BINARY => go::base64(text)
            .map(|bytes| Scalar::Str(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
            .ok_or_else(|| "yaml: !!binary value contains invalid base64 data".to_owned()),
        INT | FLOAT | BOOL | NULL | TIMESTAMP => match plain(text, tag) {
            (found, scalar) if found == tag => Ok(scalar),
            (INT, Scalar::Int(value)) if tag == FLOAT => Ok(Scalar::Float(value as f64)),
            (found, _) => Err(format!("yaml: cannot decode {} `{text}` as a {}", short(found), short(tag))),
        },
        // go-yaml keeps the text under a tag it does not know.
        _ => Ok(Scalar::Str(Cow::Borrowed(text))),
    }
}

fn short(tag: &str) -> String {
    tag.strip_prefix("tag:yaml.org,2002:").map_or_else(|| tag.to_owned(), |rest| format!("!!{rest}"))
}

/// Tag and value of a plain scalar.
fn plain<'t>(text: &'t str, tag: &str) -> (&'static str, Scalar<'t>) {
    let string = (STR, Scalar::Str(Cow::Borrowed(text)));
    match text.as_bytes().first() {
        None => (NULL, Scalar::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                (BOOL, Scalar::Bool(true))
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
                (BOOL, Scalar::Bool(false))
            }
            "~" | "null" | "Null" | "NULL" => (NULL, Scalar::Null),
            _ => string,
        },
        Some(b'.') => match text {
            ".nan" | ".NaN" | ".NAN" => (FLOAT, Scalar::Float(f64::NAN)),
            ".inf" | ".Inf" | ".INF" => (FLOAT, Scalar::Float(f64::INFINITY)),
            _ => go::parse_float(text).map_or(string, |value| (FLOAT, Scalar::Float(value))),
        },
        Some(b'0'..=b'9' | b'+' | b'-') => match text {
            "+.inf" | "+.Inf" | "+.INF" => (FLOAT, Scalar::Float(f64::INFINITY)),
            "-.inf" | "-.Inf" | "-.INF" => (FLOAT, Scalar::Float(f64::NEG_INFINITY)),
            // Dates are left as the text they are.
            _ if tag == TIMESTAMP && go::is_timestamp(text) => (TIMESTAMP, Scalar::Str(Cow::Borrowed(text))),
            _ => numeric(text).unwrap_or(string),
        },
        Some(_) => string,
    }
}

fn numeric(text: &str) -> Option<(&'static str, Scalar<'static>)> {
    let plain = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    if let Some(value) = go::parse_int(&plain, 0) {
        return Some((INT, Scalar::Int(value)));
    }
    if let Some(value) = go::parse_uint(&plain, 0) {
        return Some((INT, Scalar::Uint(value)));
    }
    // `08` is no octal number, but it is a float.
    if is_yaml_float(&plain)
        && let Some(value) = go::parse_float(&plain)
    {
        return Some((FLOAT, Scalar::Float(value)));
    }
    let value = match plain.strip_prefix("0b") {
        Some(digits) => go::parse_int(digits, 2),
        None => plain.strip_prefix("-0b").and_then(|digits| go::parse_int(&format!("-{digits}"), 2)),
    };
    value.map(|value| (INT, Scalar::Int(value)))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_yaml_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut rest = unsigned.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if whole == 0 && count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}
