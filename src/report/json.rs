//! The report for programs.
use std::io::{self, Write};

use super::{Report, jsonl};
use crate::batch::result::Results;

/// A report as indented JSON with a line break at the end.
pub fn to_string(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}

/// A batch as one JSON object: `summary` and `entries`, an entry a line.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write_batch(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\n\"summary\": ")?;
    jsonl::value(&results.summary, out)?;
    out.write_all(b",\n\"entries\": [")?;
    for (number, entry) in results.entries()?.enumerate() {
        out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        jsonl::value(&entry?, out)?;
    }
    out.write_all(b"\n]\n}\n")
}
