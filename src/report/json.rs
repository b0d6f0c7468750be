//! The report for programs.
use super::Report;

/// A report as indented JSON with a line break at the end.
pub fn to_string(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}
