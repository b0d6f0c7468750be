//! YAML that we write, and YAML that authors of scenarios wrote. Answers are read by [`manifest`](crate::manifest) instead.
//!
//! The only place that knows `serde_yaml`, which is archived: a maintained fork is one line away.
use serde::Deserialize;
use serde_json::Value;
use serde_yaml as backend;

/// Why a text is not the YAML it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Line, from 1, if known.
    pub line: Option<usize>,
}

/// A value as block-style YAML with sorted keys, as kubectl prints objects.
pub fn to_string(value: &Value) -> String {
    backend::to_string(value).unwrap_or_else(|error| format!("# {error}\n"))
}

/// The documents of a stream; empty documents are left out.
pub fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let read = |document| Value::deserialize(document).map_err(|error: backend::Error| describe(&error));
    let values = backend::Deserializer::from_str(text).map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(values.into_iter().filter(|value| !value.is_null()).collect())
}

fn describe(error: &backend::Error) -> YamlError {
    YamlError { message: error.to_string(), line: error.location().map(|location| location.line()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    #[test]
    fn documents_are_separated_and_empty_ones_dropped() {
        assert_eq!(
            super::documents("a: 1\n---\n# nothing\n---\nb: [x]\n").unwrap(),
            [json!({"a": 1}), json!({"b": ["x"]})]
        );
        assert_eq!(super::documents("a: [1\n").unwrap_err().line, Some(2));
    }
}
