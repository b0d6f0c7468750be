//! A batch as workflow commands of GitHub Actions, which show as annotations at the files of a commit:
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>. GitHub Classroom shows them, too.
use std::io::{self, Write};

use super::sanitise::sanitise;
use crate::batch::result::{Entry, Results, Status};
use crate::report::{CheckResult, Outcome};

/// Writes an annotation for each problem and each check that failed, and a notice for each full mark.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    for entry in results.entries()? {
        annotate(&entry?, out)?;
    }
    Ok(())
}

fn annotate(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let who = [entry.student.as_str(), &entry.scenario].into_iter().filter(|part| !part.is_empty());
    let who = who.collect::<Vec<_>>().join(" ");
    let first = entry.files.first().map(String::as_str);
    let points = format!("{}: {}/{}", who, entry.points, entry.possible);
    if !matches!(entry.status, Status::Graded | Status::Unreadable) {
        let level = if entry.status == Status::Unmatched { "warning" } else { "error" };
        command(out, level, first, None, &who, entry.fix.as_deref().unwrap_or_default())?;
    }
    for problem in &entry.problems {
        let level = if problem.warning { "warning" } else { "error" };
        let file = problem.file.and_then(|number| entry.files.get(number)).map(String::as_str).or(first);
        command(out, level, file, problem.line.zip(problem.column), &who, &problem.message)?;
    }
    for check in entry.checks.iter().filter(|check| check.result == CheckResult::Failed) {
        let text: Vec<&str> = check.message.iter().chain(&check.reasons).map(String::as_str).collect();
        command(out, "error", first, None, &format!("{points} {}", check.id), &text.join("\n"))?;
    }
    if entry.is_graded() && entry.result == Outcome::Full {
        command(out, "notice", first, None, &points, &points)?;
    }
    Ok(())
}

fn command(
    out: &mut dyn Write,
    level: &str,
    file: Option<&str>,
    place: Option<(usize, usize)>,
    title: &str,
    message: &str,
) -> io::Result<()> {
    write!(out, "::{level} ")?;
    if let Some(file) = file {
        write!(out, "file={},", property(file))?;
    }
    if let Some((line, column)) = place {
        write!(out, "line={line},col={column},")?;
    }
    writeln!(out, "title={}::{}", property(title), data(message))
}

/// A message; a line break in it would begin another command.
fn data(text: &str) -> String {
    sanitise(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
