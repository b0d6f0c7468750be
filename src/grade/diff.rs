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

/// Unchanged lines kept around changed ones.
const CONTEXT: usize = 3;

/// The most lines of one side that are compared word by word.
const MAX_LINES: usize = 2_000;

impl Diff {
    /// The difference of two objects as YAML.
    pub fn of(expected: Option<&Value>, actual: Option<&Value>) -> Diff {
        let text = |value: Option<&Value>| value.map(yaml::to_string).unwrap_or_default();
        let (expected, actual) = (text(expected), text(actual));
        if expected.lines().count().max(actual.lines().count()) > MAX_LINES {
            return Diff::default();
        }
        let diff = TextDiff::from_lines(&expected, &actual);
        let mut lines = Vec::new();
        for op in diff.grouped_ops(CONTEXT).iter().flatten() {
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
        Diff { lines: with_head(lines, &expected, &actual) }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Puts the lines that say which object it is in front, if they are the same on both sides and were cut off.
fn with_head(lines: Vec<Line>, expected: &str, actual: &str) -> Vec<Line> {
    let Some(kind) = expected.lines().find(|line| line.starts_with("kind: ")) else { return lines };
    let shown = |line: &Line| line.parts.iter().map(|part| part.text.as_str()).collect::<String>() == kind;
    if lines.is_empty() || lines.iter().any(shown) || !actual.lines().any(|line| line == kind) {
        return lines;
    }
    let head = Line { side: Side::Both, parts: vec![Part { text: kind.to_owned(), differs: false }] };
    std::iter::once(head).chain(lines).collect()
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
