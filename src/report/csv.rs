//! A batch as CSV, one line for each answer, and what gradebooks have in common.
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::sanitise::sanitise;
use crate::batch::result::{Entry, Results};
use crate::batch::roster::{Person, Roster};
use crate::report::CheckResult;

/// Writes one line for each entry.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "student",
        "scenario",
        "attempt",
        "attempts",
        "time",
        "late",
        "status",
        "result",
        "points",
        "possible",
        "percent",
        "failed checks",
        "first thing to mend",
        "files",
        "notes",
    ])?;
    for entry in results.entries()? {
        let entry = entry?;
        let failed = entry.checks.iter().filter(|check| check.result == CheckResult::Failed);
        let failed: Vec<&str> = failed.map(|check| check.id.as_str()).collect();
        let graded = |text: String| if entry.is_graded() { text } else { String::new() };
        csv.write_record([
            cell(&entry.student),
            cell(&entry.scenario),
            entry.attempt.number.to_string(),
            entry.attempt.of.to_string(),
            cell(entry.attempt.time.as_deref().unwrap_or_default()),
            if entry.late { "late" } else { "" }.to_owned(),
            word(&entry.status),
            graded(word(&entry.result)),
            graded(entry.points.to_string()),
            graded(entry.possible.to_string()),
            graded(entry.percent().to_string()),
            cell(&failed.join(" ")),
            cell(entry.fix.as_deref().unwrap_or_default()),
            cell(&entry.files.join(" ")),
            cell(&entry.notes.join("; ")),
        ])?;
    }
    csv.flush()
}

/// The name a value has in JSON.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A text as a cell: on one line, without anything that does something to a terminal, and never a spreadsheet's formula.
pub(super) fn cell(text: &str) -> String {
    let text = sanitise(text).replace('\n', "\\n");
    // a blank or quote before it does not keep every spreadsheet from calculating
    match text
        .trim_start_matches([' ', '"', '\u{3000}', '\u{a0}'])
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
    {
        true => format!("'{text}"),
        false => text,
    }
}

/// Takes a student, their line on the roster and the points of each scenario.
pub(super) type Row<'a> = dyn FnMut(&str, Option<&Person>, &[String]) -> io::Result<()> + 'a;

/// Calls `row` for every student with the points of each scenario; whoever is on the roster stands there with their line.
/// An answer without a grade has no points.
pub(super) fn each_student(results: &Results, roster: Option<&Roster>, row: &mut Row<'_>) -> io::Result<()> {
    let mut student: Option<String> = None;
    let mut points: BTreeMap<String, u32> = BTreeMap::new();
    let mut flush = |student: &Option<String>, points: &BTreeMap<String, u32>| -> io::Result<()> {
        let Some(student) = student else { return Ok(()) };
        let ids = results.summary.scenarios.iter().map(|scenario| &scenario.id);
        let cells: Vec<String> = ids.map(|id| points.get(id).map(u32::to_string).unwrap_or_default()).collect();
        row(student, roster.and_then(|roster| roster.find(student)), &cells)
    };
    for entry in results.entries()? {
        let entry: Entry = entry?;
        if entry.student.is_empty() {
            continue;
        }
        if student.as_ref() != Some(&entry.student) {
            flush(&student, &points)?;
            points.clear();
            student = Some(entry.student.clone());
        }
        if entry.is_graded() {
            points.insert(entry.scenario, entry.points);
        }
    }
    flush(&student, &points)
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\"=1", "＝1"] {
            let cell = cell(formula);
            assert!(cell.starts_with('\'') || cell.starts_with('\\'), "{formula:?} became {cell:?}");
        }
        assert_eq!(cell("a=b\nc"), "a=b\\nc");
    }
}
