//! What was probably meant at a place that was refused, where the intent is plain.
use serde_json::Value;

use super::{is_unknown_field, root, segments, written_path};
use crate::api::object::Kind;
use crate::api::quantity::Quantity;
use crate::api::schema::{self, Segment, Shape, StructType};
use crate::api::validation::names;
use crate::manifest::Document;
use crate::suggest;
use crate::timeline::kubectl;

/// What could stand at a field instead, the likeliest first; `index` is the field's number among the problem's fields.
pub(super) fn suggestions(problem: &kubectl::Problem, document: &Document, field: &str, index: usize) -> Vec<String> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str);
    match (field, root(document)) {
        ("kind", None) => one(text("kind").and_then(nearest_kind)),
        ("apiVersion", None) => {
            let of_kind = |kind: &str| Kind::ALL.iter().find(|known| known.name() == kind);
            one(text("kind").and_then(of_kind).map(|kind| kind.api_version().to_owned()))
        }
        (_, None) => Vec::new(),
        (_, Some(root)) if is_unknown_field(document, field) => one(nearest_field(root, field)),
        (_, Some(root)) => {
            let path = segments(&written_path(document, field));
            let Some(written) = value_at(&document.value, &path) else { return Vec::new() };
            match problem.causes.get(index) {
                Some(cause) if cause.detail.starts_with("supported values: ") => {
                    one(written_word(cause.bad_value.as_ref()).and_then(|word| supported(word, &cause.detail)))
                }
                Some(cause) if cause.detail.starts_with("a lowercase RFC 1123 ") => {
                    let dots = !cause.detail.starts_with("a lowercase RFC 1123 label");
                    one(written.as_str().and_then(|name| dns_name(name, dots)))
                }
                Some(_) => Vec::new(),
                None => schema::at(root, &path).map(|found| of_type(written, &found.ty.shape)).unwrap_or_default(),
            }
        }
    }
}

fn one(suggestion: Option<String>) -> Vec<String> {
    suggestion.into_iter().collect()
}

fn written_word(value: Option<&Value>) -> Option<&str> {
    value?.as_str()
}

fn nearest_kind(kind: &str) -> Option<String> {
    let kinds = Kind::ALL.iter().map(|kind| kind.name());
    suggest::nearest(kind, kinds).filter(|near| *near != kind).map(str::to_owned)
}

/// The field that is nearest to an unknown one, in the same struct.
pub(super) fn nearest_field(root: &'static StructType, field: &str) -> Option<String> {
    let path = segments(field);
    let (Segment::Key(key), parents) = path.split_last()? else { return None };
    let parent = match parents {
        [] => root,
        _ => match &schema::at(root, parents)?.ty.shape {
            Shape::Struct(inner) => inner.get(),
            _ => return None,
        },
    };
    suggest::nearest(key, parent.fields().map(|field| field.json_name)).map(str::to_owned)
}

/// Of `supported values: "ReadOnlyMany", "ReadWriteOnce"` the nearest.
fn supported(word: &str, detail: &str) -> Option<String> {
    let words = detail.strip_prefix("supported values: ")?.split(", ").map(|word| word.trim_matches('"'));
    suggest::nearest(word, words).map(str::to_owned)
}

fn value_at<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    })
}

/// A value that a field's type does not take, as the type would take it.
fn of_type(written: &Value, shape: &Shape) -> Vec<String> {
    match (shape, written) {
        (Shape::Quantity, Value::String(text)) => quantities(text),
        (Shape::String, Value::Number(_) | Value::Bool(_)) => vec![format!("\"{written}\"")],
        (Shape::Int32 | Shape::Int64, Value::String(text)) => {
            one(text.trim().parse::<i64>().ok().map(|number| number.to_string()))
        }
        (Shape::Bool, Value::String(text)) => one(boolean(text)),
        (Shape::List(element), Value::String(text)) if matches!(element.shape, Shape::String) => {
            one(is_plain(text).then(|| format!("[{text}]")))
        }
        _ => Vec::new(),
    }
}

fn boolean(text: &str) -> Option<String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" => Some("true".to_owned()),
        "false" | "no" | "off" => Some("false".to_owned()),
        _ => None,
    }
}

/// Whether a text needs no quotes inside `[…]`.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '.' | '_');
    text.len() <= 60 && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(plain)
}

/// `1GB` is `1G` or `1Gi`; `512 mib` is `512Mi`; `100mcpu` is `100m`.
fn quantities(text: &str) -> Vec<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ',' { '.' } else { c }).collect();
    let digits = compact.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(compact.len());
    let (number, unit) = compact.split_at(digits);
    if number.is_empty() {
        return Vec::new();
    }
    let unit = unit.to_lowercase();
    let units: Vec<String> = match unit.strip_suffix("byte").or(unit.strip_suffix("bytes")).unwrap_or(&unit) {
        "" | "b" => vec![String::new()],
        "mcpu" | "millicpu" | "millicores" => vec!["m".to_owned()],
        "cpu" | "cpus" | "core" | "cores" => vec![String::new()],
        unit => {
            let binary = unit.ends_with("ib") || unit.ends_with('i');
            match unit.trim_end_matches('b').trim_end_matches('i') {
                "k" if binary => vec!["Ki".to_owned()],
                "k" => vec!["k".to_owned(), "Ki".to_owned()],
                letter @ ("m" | "g" | "t" | "p" | "e") => {
                    let letter = letter.to_uppercase();
                    if binary { vec![format!("{letter}i")] } else { vec![letter.clone(), format!("{letter}i")] }
                }
                _ => Vec::new(),
            }
        }
    };
    let spelled = units.into_iter().map(|unit| format!("{number}{unit}"));
    spelled.filter(|spelling| spelling != text && spelling.parse::<Quantity>().is_ok()).collect()
}

/// `My_App` is `my-app`; a label has no dots.
fn dns_name(text: &str, dots: bool) -> Option<String> {
    let lower = text.to_lowercase();
    let hyphen = |c: char| matches!(c, '_' | ' ') || (c == '.' && !dots);
    let name: String = lower.chars().map(|c| if hyphen(c) { '-' } else { c }).collect();
    let name = name.trim_matches('-').to_owned();
    (name != text && names::is_dns1123_subdomain(&name).is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_with_a_wrong_unit_has_the_spellings_it_can_mean() {
        assert_eq!(quantities("1GB"), ["1G", "1Gi"]);
        assert_eq!(quantities("512 mib"), ["512Mi"]);
        assert_eq!(quantities("1,5gi"), ["1.5Gi"]);
        assert_eq!(quantities("64kb"), ["64k", "64Ki"]);
        assert_eq!(quantities("100mcpu"), ["100m"]);
        assert_eq!(quantities("500MegaBytes"), [""; 0]);
        assert_eq!(quantities("GB"), [""; 0]);
        assert_eq!(quantities(""), [""; 0]);
    }

    #[test]
    fn a_value_of_another_type_is_spelled_as_the_field_takes_it() {
        assert_eq!(of_type(&Value::from(80), &Shape::String), ["\"80\""]);
        assert_eq!(of_type(&Value::from(true), &Shape::String), ["\"true\""]);
        assert_eq!(of_type(&Value::from("80"), &Shape::Int32), ["80"]);
        assert_eq!(of_type(&Value::from("http"), &Shape::Int32), [""; 0]);
        assert_eq!(of_type(&Value::from("yes"), &Shape::Bool), ["true"]);
    }

    #[test]
    fn a_name_is_made_one_that_dns_takes() {
        assert_eq!(dns_name("My_App.v1", true).as_deref(), Some("my-app.v1"));
        assert_eq!(dns_name("My_App.v1", false).as_deref(), Some("my-app-v1"));
        assert_eq!(dns_name("é", true), None);
        assert_eq!(dns_name("___", true), None);
    }

    #[test]
    fn an_unknown_field_is_near_a_known_one() {
        let claim = schema::kind("v1", "PersistentVolumeClaim");
        let near = claim.and_then(|root| nearest_field(root, "spec.storageClass"));
        assert_eq!(near.as_deref(), Some("storageClassName"));
    }
}
