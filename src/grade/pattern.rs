//! Partial objects of a scenario are held against the API's types, so that a misspelt field cannot fail every answer.
use serde_json::Value;

use super::ScenarioError;
use super::compare::{ANY, NONE, UNSET, bound, quantity};
use crate::api::schema::{self, Shape, StructType, Type};
use crate::scenario::{Pattern, Question, Scenario};
use crate::suggest;

/// Looks at all patterns of a scenario.
pub(super) fn validate_all(scenario: &Scenario) -> Result<(), ScenarioError> {
    scenario.checks.iter().flat_map(|check| &check.questions).try_for_each(|question| match question {
        Question::Expect(pattern) | Question::Absent(pattern) | Question::Count(_, pattern) => validate(pattern),
        Question::Mount(mount) => validate_volume(&mount.volume),
        Question::Cel(_) | Question::Storage(_) | Question::Dns(_) | Question::Endpoints(_) => Ok(()),
    })
}

fn validate(pattern: &Pattern) -> Result<(), ScenarioError> {
    let text = |key: &str| pattern.value.get(key).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let Some(root) = schema::kind(api_version, kind) else {
        let kinds = schema::kinds().map(|(_, root)| root.go_name);
        let mut error = ScenarioError::new(&pattern.place, format!("there is no kind `{kind}` in `{api_version}`"));
        error.suggestion = suggest::nearest(kind, kinds).filter(|near| *near != kind).map(str::to_owned);
        return Err(error);
    };
    structure("", root, &pattern.value).map_err(|wrong| at(pattern, wrong))
}

fn validate_volume(pattern: &Pattern) -> Result<(), ScenarioError> {
    let Some(volume) = schema::structure("core/v1", "Volume") else { return Ok(()) };
    structure("", volume, &pattern.value).map_err(|wrong| at(pattern, wrong))
}

fn at(pattern: &Pattern, (message, suggestion): Wrong) -> ScenarioError {
    ScenarioError { place: pattern.place.clone(), message, suggestion }
}

type Wrong = (String, Option<String>);

fn structure(path: &str, ty: &StructType, value: &Value) -> Result<(), Wrong> {
    let Value::Object(fields) = value else { return Err((format!("`{path}` is to be an object"), None)) };
    for (key, value) in fields {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(field) = ty.field(key) else {
            let suggestion = suggest::nearest(key, ty.fields().map(|field| field.json_name)).map(str::to_owned);
            return Err((format!("there is no field `{path}`"), suggestion));
        };
        check(&path, &field.ty, value)?;
    }
    Ok(())
}

fn check(path: &str, ty: &Type, value: &Value) -> Result<(), Wrong> {
    let matches = match (&ty.shape, value) {
        (_, Value::Null) => true,
        (_, Value::String(word)) if word == ANY || word == UNSET || word == NONE => true,
        (Shape::Quantity | Shape::Int32 | Shape::Int64, Value::String(text)) if bound(text).is_some() => true,
        (Shape::Struct(inner), value) => return structure(path, inner.get(), value),
        (Shape::Map(element), Value::Object(entries)) => {
            return entries.iter().try_for_each(|(key, value)| check(&format!("{path}.{key}"), element, value));
        }
        (Shape::List(element), Value::Array(items)) => {
            return items.iter().enumerate().try_for_each(|(i, item)| check(&format!("{path}[{i}]"), element, item));
        }
        (Shape::Bool, value) => value.is_boolean(),
        (Shape::Int32 | Shape::Int64, value) => value.is_i64() || value.is_u64(),
        (Shape::Quantity, value) => quantity(value).is_some(),
        (Shape::IntOrString, value) => value.is_string() || value.is_i64(),
        (Shape::String | Shape::Bytes | Shape::Time | Shape::MicroTime, value) => value.is_string(),
        (Shape::Raw, _) => true,
        (Shape::Map(_) | Shape::List(_), _) => false,
    };
    if matches { Ok(()) } else { Err((format!("`{path}` cannot be {value}; its type is {}", ty.go_type()), None)) }
}
