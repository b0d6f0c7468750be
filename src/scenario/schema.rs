//! JSON Schema (draft 7) of the scenario format, for editors: Taplo, Even Better TOML.
//!
//! `schema.json` is kept by hand, beside the loader; `tests/scenario.rs` holds it against the loader's fields and every scenario.
use serde_json::{Value, json};

use super::{chapter, profile_names};

/// The schema.
pub fn json_schema() -> Value {
    let mut schema: Value = serde_json::from_str(include_str!("schema.json")).unwrap_or_default();
    let mut set = |pointer: &str, key: &str, value: Value| {
        if let Some(Value::Object(place)) = schema.pointer_mut(pointer) {
            place.insert(key.to_owned(), value);
        }
    };
    set("/definitions/cluster/properties/profile", "enum", json!(profile_names().collect::<Vec<_>>()));
    set("/properties/chapter", "examples", json!(chapter::names().collect::<Vec<_>>()));
    schema
}

/// The schema as a file.
pub fn text() -> String {
    format!("{:#}\n", json_schema())
}
