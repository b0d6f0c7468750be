//! A batch as JUnit XML: a suite for each student, a class for each scenario, a test for each check.
use std::fmt::Write as _;
use std::io::{self, Write};

use super::sanitise::sanitise;
use crate::batch::result::{Entry, Results, Status};
use crate::report::CheckResult;

/// Writes all entries.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ckad-grade\">\n")?;
    let mut suite = Suite::default();
    for entry in results.entries()? {
        let entry = entry?;
        // a file of nobody is a suite of its own
        let name = if entry.student.is_empty() { entry.files.join(" ") } else { entry.student.clone() };
        if suite.name != name {
            std::mem::take(&mut suite).write(out)?;
            suite.name = name;
        }
        suite.add(&entry);
    }
    suite.write(out)?;
    out.write_all(b"</testsuites>\n")
}

#[derive(Default)]
struct Suite {
    name: String,
    cases: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    fn add(&mut self, entry: &Entry) {
        let attempt = if entry.attempt.of > 1 { format!(" attempt {}", entry.attempt.number) } else { String::new() };
        let class = escape(&format!("{}{attempt}", entry.scenario));
        let why = escape(entry.fix.as_deref().unwrap_or_default());
        match entry.status {
            Status::Graded | Status::Unreadable => {}
            Status::Missing => {
                self.tests += 1;
                self.skipped += 1;
                let _ = writeln!(
                    self.cases,
                    "    <testcase classname=\"{class}\" name=\"answer\"><skipped message=\"{why}\"/></testcase>"
                );
            }
            Status::Limit | Status::Crashed | Status::ScenarioWrong | Status::Unmatched => {
                self.tests += 1;
                self.errors += 1;
                let file = escape(&entry.files.join(" "));
                let _ = writeln!(
                    self.cases,
                    "    <testcase classname=\"{class}\" name=\"answer\"><error message=\"{why}\">{file}</error></testcase>"
                );
            }
        }
        for check in &entry.checks {
            self.tests += 1;
            let _ = write!(self.cases, "    <testcase classname=\"{class}\" name=\"{}\"", escape(&check.id));
            let message = escape(check.message.as_deref().unwrap_or_default());
            match check.result {
                CheckResult::Passed => self.cases.push_str("/>\n"),
                CheckResult::Failed => {
                    self.failures += 1;
                    let reasons = escape(&check.reasons.join("\n"));
                    let _ = writeln!(self.cases, "><failure message=\"{message}\">{reasons}</failure></testcase>");
                }
                CheckResult::NotSimulated => {
                    self.skipped += 1;
                    let _ = writeln!(self.cases, "><skipped message=\"{message}\"/></testcase>");
                }
            }
        }
    }

    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let Suite { name, cases, tests, failures, errors, skipped } = self;
        if tests == 0 {
            return Ok(());
        }
        let name = escape(&name);
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
        )?;
        out.write_all(cases.as_bytes())?;
        out.write_all(b"  </testsuite>\n")
    }
}

/// A text in XML; what XML cannot hold stands as an escape.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitise(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
