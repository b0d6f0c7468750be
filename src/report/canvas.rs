//! A batch as a CSV that Canvas imports into its gradebook: the roster has to be a gradebook that Canvas exported, because
//! Canvas knows its students by the ids in it.
use std::io::{self, Write};

use super::csv::{cell, each_student};
use crate::batch::result::Results;
use crate::batch::roster::Roster;

/// Columns by which Canvas knows a student.
const KNOWN: [&str; 5] = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"];

/// Writes one line for each student and a column for each scenario.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, roster: Option<&Roster>, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let scenarios = &results.summary.scenarios;
    csv.write_record(KNOWN.map(str::to_owned).into_iter().chain(scenarios.iter().map(|s| column(roster, &s.id))))?;
    let blank = std::iter::repeat_n(String::new(), KNOWN.len() - 1);
    let possible = scenarios.iter().map(|scenario| scenario.possible.to_string());
    csv.write_record(["    Points Possible".to_owned()].into_iter().chain(blank).chain(possible))?;
    let columns = roster.map(|roster| KNOWN.map(|name| roster.columns.iter().position(|column| column.trim() == name)));
    each_student(results, roster, &mut |student, person, points| {
        let mut cells: Vec<String> = match (person, columns) {
            (Some(person), Some(columns)) => columns
                .map(|at| at.and_then(|at| person.cells.get(at)).map_or_else(String::new, |text| cell(text)))
                .to_vec(),
            _ => vec![String::new(); KNOWN.len()],
        };
        if let Some(name) = cells.first_mut().filter(|name| name.is_empty()) {
            *name = cell(student);
        }
        csv.write_record(cells.iter().chain(points))?;
        Ok(())
    })?;
    csv.flush()
}

/// The assignment's column of the export that names the scenario, `scenario-107 (4711)`, so that points go there.
fn column(roster: Option<&Roster>, scenario: &str) -> String {
    let columns = roster.map(|roster| roster.columns.as_slice()).unwrap_or_default();
    let is_it = |column: &&String| {
        let (name, id) = column.rsplit_once(" (").unwrap_or((column, ""));
        name.trim().eq_ignore_ascii_case(scenario) && id.ends_with(')')
    };
    cell(columns.iter().find(is_it).map_or(scenario, String::as_str))
}
