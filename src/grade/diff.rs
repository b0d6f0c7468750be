//! The expected and the simulated outcome side by side, down to the word.
use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::yaml;

/// A unified difference of two texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The lines; empty when there is nothing to compare.
    pub lines: Vec<Line>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which side it is on.
    pub side: Side,
    /// Its parts, without the line break.
    pub parts: Vec<Part>,
}

/// Which side a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Only expected.
    Expected,
    /// Only simulated.
    Actual,
    /// On both.
    Both,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The words.
    pub text: String,
    /// Whether these words are what differs.
    pub differs: bool,
}

/// Unchanged lines kept around changed ones of a long text; a short one is shown whole.
const CONTEXT: usize = 3;
/// The lines of a short text.
const SHORT: usize = 40;

/// The most lines of one side that are compared word by word.
const MAX_LINES: usize = 2_000;

impl Diff {
    /// The difference of two objects as YAML.
    pub fn of(expected: Option<&Value>, actual: Option<&Value>) -> Diff {
        let same = |pointer: &str| match (expected, actual) {
            (Some(one), Some(other)) => one.pointer(pointer) == other.pointer(pointer),
            _ => false,
        };
        let text = |value: Option<&Value>| match value.map(|value| without_identity(value, &same)) {
            None => String::new(),
            Some(Value::Object(fields)) if fields.is_empty() => String::new(),
            Some(value) => yaml::to_string(&value),
        };
        let (expected, actual) = (text(expected), text(actual));
        let length = expected.lines().count().max(actual.lines().count());
        if length > MAX_LINES {
            return Diff::default();
        }
        let context = if length <= SHORT { SHORT } else { CONTEXT };
        let diff = TextDiff::from_lines(&expected, &actual);
        let mut lines = Vec::new();
        for op in diff.grouped_ops(context).iter().flatten() {
            for change in diff.iter_inline_changes(op) {
                let side = match change.tag() {
                    ChangeTag::Delete => Side::Expected,
                    ChangeTag::Insert => Side::Actual,
                    ChangeTag::Equal => Side::Both,
                };
                let part = |(differs, text): &(bool, &str)| Part {
                    text: text.trim_end_matches(['\n', '\r']).to_owned(),
                    differs: *differs,
                };
                let parts = change.values().iter().map(part).filter(|part| !part.text.is_empty()).collect();
                lines.push(Line { side, parts });
            }
        }
        Diff { lines }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// An object without kind, name and namespace, as far as both sides agree: whoever shows the difference says which object it is.
fn without_identity(value: &Value, same: &dyn Fn(&str) -> bool) -> Value {
    let mut value = value.clone();
    let Value::Object(fields) = &mut value else { return value };
    fields.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind") || !same(&format!("/{key}")));
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|key, _| !matches!(key.as_str(), "name" | "namespace") || !same(&format!("/metadata/{key}")));
        if metadata.is_empty() {
            fields.remove("metadata");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_words_that_differ_are_marked() {
        let one = json!({"status": {"phase": "Bound"}});
        let other = json!({"status": {"phase": "Pending"}});
        let diff = Diff::of(Some(&one), Some(&other));
        let sides: Vec<Side> = diff.lines.iter().map(|line| line.side).collect();
        assert_eq!(sides, [Side::Both, Side::Expected, Side::Actual]);
        let marked: Vec<&str> =
            diff.lines.iter().flat_map(|l| &l.parts).filter(|p| p.differs).map(|p| p.text.as_str()).collect();
        assert_eq!(marked, ["Bound", "Pending"]);
    }

    #[test]
    fn equal_objects_have_no_difference() {
        assert!(Diff::of(Some(&json!({"a": 1})), Some(&json!({"a": 1}))).is_empty());
    }
}
