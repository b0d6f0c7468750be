//! Field paths and field errors, worded as `k8s.io/apimachinery/pkg/util/validation/field` words them.
use std::fmt;

use serde_json::Value;

/// Where in an object a rule looks: a cheap chain of segments that is only written out for an error.
///
/// ```
/// use ckad_grade::api::Path;
/// let spec = Path::root("spec");
/// let list = spec.child("containers");
/// assert_eq!(list.index(0).child("image").to_string(), "spec.containers[0].image");
/// assert_eq!(Path::root("data").key("logo.png").to_string(), "data[logo.png]");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'a> {
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A path of one field.
    pub const fn root(field: &'a str) -> Self {
        Path { parent: None, segment: Segment::Field(field) }
    }
    /// A field below this one.
    pub const fn child(&'a self, field: &'a str) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::Field(field) }
    }
    /// An item of the list at this path.
    pub const fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::Index(index) }
    }
    /// A value of the map at this path.
    pub const fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::Key(key) }
    }

    /// `PATH: Required value` with an optional detail.
    pub fn required(&self, detail: impl Into<String>) -> FieldError {
        self.error(ErrorType::Required, None, detail)
    }
    /// `PATH: Invalid value: VALUE: DETAIL`.
    pub fn invalid(&self, value: impl Into<Value>, detail: impl Into<String>) -> FieldError {
        self.error(ErrorType::Invalid, Some(value.into()), detail)
    }
    /// `PATH: Unsupported value: VALUE: supported values: …`; the caller gives the values in the order Kubernetes prints.
    pub fn not_supported(&self, value: impl Into<Value>, supported: &[&str]) -> FieldError {
        let list = supported.iter().map(|v| go_quote(v)).collect::<Vec<_>>().join(", ");
        let detail = if supported.is_empty() { String::new() } else { format!("supported values: {list}") };
        self.error(ErrorType::NotSupported, Some(value.into()), detail)
    }
    /// `PATH: Forbidden: DETAIL`.
    pub fn forbidden(&self, detail: impl Into<String>) -> FieldError {
        self.error(ErrorType::Forbidden, None, detail)
    }
    /// `PATH: Not found: VALUE`.
    pub fn not_found(&self, value: impl Into<Value>) -> FieldError {
        self.error(ErrorType::NotFound, Some(value.into()), "")
    }
    /// `PATH: Duplicate value: VALUE`.
    pub fn duplicate(&self, value: impl Into<Value>) -> FieldError {
        self.error(ErrorType::Duplicate, Some(value.into()), "")
    }
    /// `PATH: Too long: may not be more than N bytes`.
    pub fn too_long(&self, max_bytes: usize) -> FieldError {
        self.error(ErrorType::TooLong, None, format!("may not be more than {max_bytes} bytes"))
    }
    /// `PATH: Too many: N: must have at most MAX items`.
    pub fn too_many(&self, actual: usize, max: usize) -> FieldError {
        let unit = if max == 1 { "item" } else { "items" };
        self.error(ErrorType::TooMany, Some(actual.into()), format!("must have at most {max} {unit}"))
    }
    /// `PATH: Internal error: DETAIL`.
    pub fn internal(&self, detail: impl Into<String>) -> FieldError {
        self.error(ErrorType::Internal, None, detail)
    }

    fn error(&self, error_type: ErrorType, bad_value: Option<Value>, detail: impl Into<String>) -> FieldError {
        FieldError { error_type, field: self.to_string(), bad_value, detail: detail.into() }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.segment {
            Segment::Field(name) if self.parent.is_some() => write!(f, ".{name}"),
            Segment::Field(name) => f.write_str(name),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// The kinds of field error (`field.ErrorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum ErrorType {
    Required,
    Invalid,
    NotSupported,
    Forbidden,
    NotFound,
    Duplicate,
    TooLong,
    TooMany,
    Internal,
}

/// One reason why an object is refused (`field.Error`).
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// What is wrong, in kind.
    pub error_type: ErrorType,
    /// Where: a Kubernetes field path.
    pub field: String,
    /// The offending value as the message prints it, for the types that print one.
    pub bad_value: Option<Value>,
    /// What is wrong, in words; may be empty.
    pub detail: String,
}

/// All reasons why an object is refused, in Kubernetes' order.
pub type ErrorList = Vec<FieldError>;

impl FieldError {
    /// The message without the field (`ErrorBody`).
    pub fn body(&self) -> String {
        let kind = match self.error_type {
            ErrorType::Required => "Required value",
            ErrorType::Invalid => "Invalid value",
            ErrorType::NotSupported => "Unsupported value",
            ErrorType::Forbidden => "Forbidden",
            ErrorType::NotFound => "Not found",
            ErrorType::Duplicate => "Duplicate value",
            ErrorType::TooLong => "Too long",
            ErrorType::TooMany => "Too many",
            ErrorType::Internal => "Internal error",
        };
        let mut text = kind.to_owned();
        if let Some(value) = &self.bad_value {
            text.push_str(": ");
            match value {
                Value::String(s) => text.push_str(&go_quote(s)),
                other => text.push_str(&other.to_string()),
            }
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A string in double quotes as Go's `%q` prints it.
///
/// ```
/// assert_eq!(ckad_grade::api::field::go_quote("a\"b\u{1b}"), r#""a\"b\x1b""#);
/// ```
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_go_printable(c) => out.push(c),
            c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// Close to Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_go_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let invisible = matches!(c as u32,
        0x80..=0xa0 | 0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x1680 | 0x180e | 0x2000..=0x200f | 0x2028..=0x202f
        | 0x205f..=0x206f | 0x3000 | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0xe007f | 0xf0000..);
    !invisible
}

#[cfg(test)]
mod tests {
    use super::go_quote as quote;

    #[test]
    fn quotes_as_strconv() {
        assert_eq!(quote("spec.\"x\"\\"), r#""spec.\"x\"\\""#);
        assert_eq!(quote("a\tb\u{1}\u{7f}"), r#""a\tb\x01\x7f""#);
        assert_eq!(quote("名\u{3000}\u{feff}"), r#""名\u3000\ufeff""#);
    }
}
