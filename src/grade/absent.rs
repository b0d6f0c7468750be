//! `absent`: no object like this exists.
use serde_json::Value;

use super::compare::{compare, differences};
use super::find::Target;
use super::{Failure, Finding, ScenarioError, Verdict, reasons};
use crate::api::Object;
use crate::cluster::Cluster;
use crate::scenario::Pattern;

/// What says which object it is, not what it is like.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

pub(super) fn ask(pattern: &Pattern, cluster: &Cluster) -> Result<Verdict, ScenarioError> {
    let target = Target::of(pattern)?;
    let alike = |(_, value): &(&Object, &Value)| differences(&pattern.value, value).is_equal();
    let (objects, values): (Vec<_>, Vec<_>) =
        target.values(cluster.api().store()).filter(alike).map(|(object, value)| (object.key(), value)).unzip();
    let (Some(first), Some(value)) = (objects.first(), values.first()) else { return Ok(Verdict::Passed) };
    let reasons = reasons::of(cluster, first);
    let view = compare(&pattern.value, value).actual.unwrap_or_default();
    let mut fields = Vec::new();
    leaves("", &view, &mut fields);
    // what is asked not to be set has no view
    let mut asked = Vec::new();
    leaves("", &pattern.value, &mut asked);
    fields.extend(asked.into_iter().filter(|(_, value)| value.is_null()));
    fields.retain(|(path, _)| !IDENTITY.contains(&path.as_str()));
    let finding = Finding::Present { objects, fields, named: target.name.is_some() };
    Ok(Verdict::Failed(Box::new(Failure { finding, differences: Vec::new(), sides: (None, None), reasons })))
}

/// The fields of a value that hold no further fields.
fn leaves(path: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let path = match path {
                    "" => key.clone(),
                    path if key.contains('.') => format!("{path}[{key}]"),
                    path => format!("{path}.{key}"),
                };
                leaves(&path, value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (number, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str).map_or_else(|| number.to_string(), str::to_owned);
                leaves(&format!("{path}[{name}]"), item, out);
            }
        }
        other => out.push((path.to_owned(), other.clone())),
    }
}
