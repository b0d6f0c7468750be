//! The API server's internal types (`pkg/apis/core/types.go`), as far as messages show them.
//!
//! When the API server prints a structure in a message, or the difference between two of them, it prints its internal
//! type as Go's JSON encoder does: with Go's field names in Go's order, absent pointers and lists as `null`, absent
//! numbers and texts as zero values. `internal/types.txt` lists those types; it was derived by a script from the Go
//! source and holds, for each field, the name printed, the name in the API's JSON, and the type (`s`tring, `b`ool,
//! `i`nteger, `q`uantity, `x` printed as it is; `*` pointer, `[]` list, `{}` map).
//!
//! ```
//! use ckad_grade::api::internal;
//! let affinity = serde_json::json!({"required": {"nodeSelectorTerms": [{}]}});
//! assert_eq!(
//!     internal::to_json("VolumeNodeAffinity", &affinity),
//!     r#"{"Required":{"NodeSelectorTerms":[{"MatchExpressions":null,"MatchFields":null}]}}"#
//! );
//! ```
mod unified_diff;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value};

use super::quantity::Quantity;

/// The types by name.
static TYPES: LazyLock<HashMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let mut types: HashMap<&'static str, Vec<Field>> = HashMap::new();
    let mut current = "";
    for line in include_str!("internal/types.txt").lines() {
        let Some(field) = line.strip_prefix(' ') else {
            current = line;
            types.entry(line).or_default();
            continue;
        };
        let mut words = field.split(' ');
        let (Some(name), Some(second)) = (words.next(), words.next()) else { continue };
        let field = if name == "+" {
            Field { name: "", json_name: "", ty: second, omit_empty: false }
        } else {
            Field { name, json_name: second, ty: words.next().unwrap_or("x"), omit_empty: words.next().is_some() }
        };
        types.entry(current).or_default().push(field);
    }
    types
});

/// A field; one without names is an embedded struct.
struct Field {
    name: &'static str,
    json_name: &'static str,
    ty: &'static str,
    omit_empty: bool,
}

/// An object of the API (or a part of one) as the JSON of an internal type, on one line.
pub fn to_json(type_name: &str, value: &impl Serialize) -> String {
    let mut writer = Writer { out: String::new(), indent: None };
    writer.value(type_name, &json(value));
    writer.out
}

/// The difference between two objects as `k8s.io/apimachinery/pkg/util/diff` `Diff` prints it: a unified diff of their
/// indented JSON.
pub fn diff(type_name: &str, old: &impl Serialize, new: &impl Serialize) -> String {
    let pretty = |value: Value| {
        let mut writer = Writer { out: String::new(), indent: Some(0) };
        writer.value(type_name, &value);
        writer.out
    };
    unified_diff::unified_diff(&pretty(json(old)), &pretty(json(new)))
}

/// Whether two objects mean the same (`apiequality.Semantic.DeepEqual`): quantities by amount, an empty list or map is
/// an absent one, and an empty text that is not a pointer is an absent one.
pub fn semantic_equal<T: Serialize + PartialEq>(type_name: &str, old: &T, new: &T) -> bool {
    old == new || equal(type_name, &json(old), &json(new))
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The fields of a struct, embedded ones in place.
fn fields_of(type_name: &str) -> Vec<&'static Field> {
    let own = TYPES.get(type_name).map(Vec::as_slice).unwrap_or_default();
    own.iter().flat_map(|f| if f.name.is_empty() { fields_of(f.ty) } else { vec![f] }).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
    }
}

fn equal(ty: &str, a: &Value, b: &Value) -> bool {
    if let Some(inner) = ty.strip_prefix('*') {
        return a.is_null() == b.is_null() && (a.is_null() || equal(inner, a, b));
    }
    if let Some(inner) = ty.strip_prefix("[]") {
        let (a, b) = (a.as_array().map_or(&[][..], Vec::as_slice), b.as_array().map_or(&[][..], Vec::as_slice));
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(inner, a, b));
    }
    if let Some(inner) = ty.strip_prefix("{}") {
        let none = Map::new();
        let (a, b) = (a.as_object().unwrap_or(&none), b.as_object().unwrap_or(&none));
        return a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| equal(inner, v, w)));
    }
    match ty {
        "s" | "b" | "i" | "f" => a == b || (is_empty(a) && is_empty(b)),
        "q" => quantity(a) == quantity(b),
        "x" => a == b,
        _ => fields_of(ty).iter().all(|f| {
            let of = |v| Value::get(v, f.json_name).unwrap_or(&Value::Null);
            equal(f.ty, of(a), of(b))
        }),
    }
}

fn quantity(value: &Value) -> Quantity {
    value.as_str().and_then(|s| Quantity::parse_trimmed(s).ok()).unwrap_or_default()
}

/// Writes as Go's `json.Marshal` and `json.MarshalIndent` (with one space) do.
struct Writer {
    out: String,
    indent: Option<usize>,
}

impl Writer {
    fn value(&mut self, ty: &str, value: &Value) {
        if let Some(inner) = ty.strip_prefix('*') {
            return if value.is_null() { self.out.push_str("null") } else { self.value(inner, value) };
        }
        if let Some(inner) = ty.strip_prefix("[]") {
            let Some(items) = value.as_array() else { return self.out.push_str("null") };
            self.sequence(['[', ']'], items.iter(), |writer, item| writer.value(inner, item));
            return;
        }
        if let Some(inner) = ty.strip_prefix("{}") {
            let Some(map) = value.as_object() else { return self.out.push_str("null") };
            self.sequence(['{', '}'], map.iter(), |writer, (key, item)| {
                writer.key(key);
                writer.value(inner, item);
            });
            return;
        }
        match ty {
            "s" => self.text(value.as_str().unwrap_or_default()),
            "b" => self.out.push_str(if value.as_bool() == Some(true) { "true" } else { "false" }),
            "i" | "f" if value.is_null() => self.out.push('0'),
            "q" if value.is_null() => self.text("0"),
            "q" => self.text(&quantity(value).to_string()),
            "i" | "f" | "x" => match value {
                Value::String(text) => self.text(text),
                other => self.out.push_str(&other.to_string()),
            },
            _ => {
                let null = Value::Null;
                let of = |f: &Field| value.get(f.json_name).unwrap_or(&null);
                let fields = fields_of(ty).into_iter().filter(|f| !(f.omit_empty && is_empty(of(f))));
                self.sequence(['{', '}'], fields, |writer, field| {
                    writer.key(field.name);
                    writer.value(field.ty, of(field));
                });
            }
        }
    }

    fn sequence<T>(&mut self, [open, close]: [char; 2], items: impl Iterator<Item = T>, each: impl Fn(&mut Self, T)) {
        self.out.push(open);
        let mut any = false;
        if let Some(depth) = self.indent.as_mut() {
            *depth += 1;
        }
        for item in items {
            if any {
                self.out.push(',');
            }
            any = true;
            self.new_line();
            each(self, item);
        }
        if let Some(depth) = self.indent.as_mut() {
            *depth -= 1;
        }
        if any {
            self.new_line();
        }
        self.out.push(close);
    }

    fn new_line(&mut self) {
        if let Some(depth) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', depth));
        }
    }

    fn key(&mut self, key: &str) {
        self.text(key);
        self.out.push_str(if self.indent.is_some() { ": " } else { ":" });
    }

    /// A string with the escapes of Go's encoder, which also escapes what HTML could misread.
    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                    self.out.push_str(&format!("\\u{:04x}", c as u32));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_claim_is_shown_as_the_api_server_shows_it() {
        let old = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "", "volumeMode": "Filesystem"});
        let mut new = old.clone();
        new["storageClassName"] = json!("manual");
        let expected = r#"@@ -10,7 +10,7 @@
   }
  },
  "VolumeName": "",
- "StorageClassName": "",
+ "StorageClassName": "manual",
  "VolumeMode": "Filesystem",
  "DataSource": null,
  "DataSourceRef": null,
"#;
        assert_eq!(diff("PersistentVolumeClaimSpec", &old, &new), expected);
    }

    #[test]
    fn tagged_fields_are_omitted_when_empty_and_others_are_not() {
        let spec = json!({"selector": {"matchLabels": {"a": "<b>"}}});
        let text = to_json("PersistentVolumeClaimSpec", &spec);
        assert!(text.starts_with(r#"{"AccessModes":null,"Selector":{"matchLabels":{"a":"\u003cb\u003e"}},"#), "{text}");
    }

    #[test]
    fn equality_is_by_meaning() {
        let same = |a, b| semantic_equal("PersistentVolumeClaimSpec", &a, &b);
        let size = |s: &str| json!({"resources": {"requests": {"storage": s}}});
        assert!(same(size("1Gi"), size("1024Mi")) && !same(size("1Gi"), size("1G")));
        assert!(same(json!({"volumeName": "", "accessModes": []}), json!({})));
        assert!(!same(json!({"storageClassName": ""}), json!({})));
    }

    #[test]
    fn every_type_that_is_referred_to_is_listed() {
        for fields in TYPES.values() {
            for field in fields {
                let ty = field.ty.trim_start_matches(['*', '[', ']', '{', '}']);
                assert!(ty.len() == 1 || TYPES.contains_key(ty), "{ty}");
            }
        }
    }
}
