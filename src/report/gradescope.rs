//! A batch as Gradescope's `results.json`: <https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format>.
//! An autograder runs for one student at a time; a batch of several makes a list, each with `student`.
use std::io::{self, Write};

use serde_json::{Value, json};

use super::sanitise::sanitise;
use crate::batch::result::{Entry, Results};
use crate::report::CheckResult;

/// Writes the results of the only student, or a list.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let single = results.summary.students <= 1;
    let mut count = 0;
    let mut student: Option<Student> = None;
    let mut put = |done: Student, out: &mut dyn Write| -> io::Result<()> {
        let mut value = done.value();
        match single {
            true => drop(value.as_object_mut().and_then(|fields| fields.remove("student"))),
            false => out.write_all(if count == 0 { b"[\n" } else { b",\n" })?,
        }
        count += 1;
        serde_json::to_writer(&mut *out, &value).map_err(io::Error::other)
    };
    for entry in results.entries()? {
        let entry = entry?;
        if entry.student.is_empty() {
            continue;
        }
        if student.as_ref().is_some_and(|current| current.name != entry.student)
            && let Some(done) = student.take()
        {
            put(done, out)?;
        }
        let name = &entry.student;
        student.get_or_insert_with(|| Student { name: name.clone(), score: 0, tests: Vec::new() }).add(&entry);
    }
    let last = student.unwrap_or(Student { name: String::new(), score: 0, tests: Vec::new() });
    if single || !last.name.is_empty() {
        put(last, out)?;
    }
    out.write_all(if single { b"\n" } else { b"\n]\n" })
}

struct Student {
    name: String,
    score: u64,
    tests: Vec<Value>,
}

impl Student {
    fn add(&mut self, entry: &Entry) {
        if entry.is_graded() {
            self.score += u64::from(entry.points);
        }
        for check in &entry.checks {
            let text: Vec<&str> = check.message.iter().chain(&check.reasons).map(String::as_str).collect();
            self.tests.push(json!({
                "name": sanitise(&format!("{}: {}", entry.scenario, check.id)),
                "score": check.points,
                "max_score": check.possible,
                "status": if check.result == CheckResult::Failed { "failed" } else { "passed" },
                "output": sanitise(&text.join("\n")),
                "output_format": "text",
            }));
        }
        if entry.checks.is_empty() {
            let name = if entry.scenario.is_empty() { entry.files.join(" ") } else { entry.scenario.clone() };
            self.tests.push(json!({
                "name": sanitise(&name),
                "score": 0,
                "max_score": entry.possible,
                "status": "failed",
                "output": sanitise(entry.fix.as_deref().unwrap_or_default()),
                "output_format": "text",
            }));
        }
    }

    fn value(self) -> Value {
        let student = sanitise(&self.name).into_owned();
        json!({ "student": student, "score": self.score, "output_format": "text", "tests": self.tests })
    }
}
