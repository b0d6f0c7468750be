//! A batch as a CSV that Moodle imports into its grader report: all columns of the roster, so that there is one by which
//! Moodle knows a student (e-mail address, username or ID number), and one for each scenario.
use std::io::{self, Write};

use super::csv::{cell, each_student};
use crate::batch::result::Results;
use crate::batch::roster::Roster;

/// Writes one line for each student and a column for each scenario.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, roster: Option<&Roster>, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let scenarios = results.summary.scenarios.iter().map(|scenario| cell(&scenario.id));
    let known: Vec<String> = match roster {
        Some(roster) => roster.columns.iter().map(|column| cell(column)).collect(),
        None => vec!["Full name".to_owned()],
    };
    csv.write_record(known.iter().cloned().chain(scenarios))?;
    each_student(results, roster, &mut |student, person, points| {
        let mut cells: Vec<String> =
            person.map(|p| p.cells.iter().map(|text| cell(text)).collect()).unwrap_or_default();
        if person.is_none() {
            cells.push(cell(student));
        }
        cells.resize(known.len(), String::new());
        csv.write_record(cells.iter().chain(points))?;
        Ok(())
    })?;
    csv.flush()
}
