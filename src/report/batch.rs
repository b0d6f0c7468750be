//! A batch for people in a terminal: a table if it is small, what each scenario shows about a class, and what needs a look.
use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::sanitise::sanitise;
use super::terminal::COLUMNS;
use super::text::batch::{BatchMessage, say};
use super::width::{pad, width, wrap};
use crate::batch::result::{Entry, Results, ScenarioInfo, Status};
use crate::report::Outcome;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const SOFT: Style = AnsiColor::BrightBlack.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const STRONG: Style = Style::new().bold();

/// The most students and scenarios of a table.
const MAX_STUDENTS: u64 = 60;
const MAX_SCENARIOS: usize = 9;
/// The most columns of a student's name.
const MAX_NAME: usize = 28;
/// The most lines of one kind of trouble.
const MAX_LINES: u64 = 8;

/// Writes what a person wants to know first.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let summary = &results.summary;
    if summary.students > 0 && summary.students <= MAX_STUDENTS && summary.scenarios.len() <= MAX_SCENARIOS {
        table(results, out)?;
    }
    let lang = summary.lang;
    for scenario in &summary.scenarios {
        statistics(scenario, results, out)?;
    }
    troubles(results, out)?;
    if !summary.similar.is_empty() {
        writeln!(out, "{NOTE}{}{NOTE:#}", say(lang, &BatchMessage::SimilarHeading))?;
        for pair in summary.similar.iter().take(20) {
            let [one, other] = &pair.students;
            let said = say(lang, &BatchMessage::SimilarPair { shared: pair.shared, percent: pair.percent });
            writeln!(out, "  {}", line(&format!("{}: {one} & {other}: {said}", pair.scenario)))?;
        }
        let more = summary.similar.len().saturating_sub(20) as u64;
        if more > 0 {
            writeln!(out, "  {}", say(lang, &BatchMessage::AndMore(more)))?;
        }
        writeln!(out)?;
    }
    let graded: u64 = summary.scenarios.iter().map(|scenario| scenario.graded).sum();
    let facts = [say(lang, &BatchMessage::Students(summary.students)), say(lang, &BatchMessage::Answers(graded))];
    writeln!(out, "{STRONG}{}{STRONG:#}", facts.join(" · "))
}

/// A text of a user on one line.
fn line(text: &str) -> String {
    sanitise(text).replace('\n', "\\n")
}

/// Points of every student.
fn table(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let (summary, lang) = (&results.summary, results.summary.lang);
    let mut rows: Vec<(String, BTreeMap<String, Entry>)> = Vec::new();
    for entry in results.entries()? {
        let entry = entry?;
        if entry.student.is_empty() {
            continue;
        }
        if rows.last().is_none_or(|(student, _)| *student != entry.student) {
            rows.push((entry.student.clone(), BTreeMap::new()));
        }
        if let Some((_, entries)) = rows.last_mut().filter(|_| !entry.scenario.is_empty()) {
            entries.insert(entry.scenario.clone(), entry);
        }
    }
    let short = |id: &str| line(crate::scenario::short_id(id));
    let heads: Vec<String> = summary.scenarios.iter().map(|scenario| short(&scenario.id)).collect();
    let columns: Vec<usize> = heads.iter().map(|head| width(head).max(5)).collect();
    let names: Vec<String> = rows.iter().map(|(student, _)| shorten(&line(student), MAX_NAME)).collect();
    let head = say(lang, &BatchMessage::Student);
    let wide = names.iter().chain([&head]).map(|name| width(name)).max().unwrap_or_default();
    write!(out, "{SOFT}{}", pad(&head, wide))?;
    for (head, columns) in heads.iter().zip(&columns) {
        write!(out, "  {}{head}", " ".repeat(columns - width(head)))?;
    }
    writeln!(out, "  {:>7}{SOFT:#}", say(lang, &BatchMessage::Total))?;
    for (name, (_, entries)) in names.iter().zip(&rows) {
        write!(out, "{}", pad(name, wide))?;
        let (mut points, mut possible) = (0, 0);
        for (scenario, columns) in summary.scenarios.iter().zip(&columns) {
            let entry = entries.get(&scenario.id);
            possible += scenario.possible;
            let (text, style) = match entry {
                Some(entry) if entry.is_graded() => {
                    points += entry.points;
                    let style = match entry.result {
                        Outcome::Full => GOOD,
                        Outcome::Passed => Style::new(),
                        Outcome::Failed => BAD,
                    };
                    (format!("{}/{}", entry.points, entry.possible), style)
                }
                Some(entry) if entry.status != Status::Missing => ("!".to_owned(), NOTE),
                _ => ("–".to_owned(), SOFT),
            };
            write!(out, "  {}{style}{text}{style:#}", " ".repeat(columns.saturating_sub(width(&text))))?;
        }
        writeln!(out, "  {:>7}", format!("{points}/{possible}"))?;
    }
    writeln!(out)
}

fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += super::width::char_width(*c);
        used <= columns
    };
    let short: String = text.chars().take_while(fits).collect();
    format!("{short}…")
}

/// What the answers to one scenario show.
fn statistics(scenario: &ScenarioInfo, results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let lang = results.summary.lang;
    let word = |message: BatchMessage<'_>| say(lang, &message);
    writeln!(out, "{STRONG}{}{STRONG:#}  {}", line(&scenario.id), line(&scenario.title))?;
    let share = |part: u64| format!("{} %", (part * 100).checked_div(scenario.graded).unwrap_or(0));
    let tenths = (scenario.points * 10).checked_div(scenario.graded).unwrap_or(0);
    let mut facts = vec![say(lang, &BatchMessage::Answers(scenario.graded))];
    if scenario.graded > 0 {
        facts.push(format!("{} {}", word(BatchMessage::FullMarks), share(scenario.full)));
        facts.push(format!("{} {}", word(BatchMessage::PassedShare), share(scenario.passed)));
        let average = format!("{}.{}/{}", tenths / 10, tenths % 10, scenario.possible);
        facts.push(format!("{} {average}", word(BatchMessage::Average)));
    }
    if scenario.missing > 0 {
        facts.push(format!("{} {}", word(BatchMessage::Missing), scenario.missing));
    }
    writeln!(out, "  {SOFT}{}{SOFT:#}", facts.join(" · "))?;
    // what to teach again comes first
    let mut checks: Vec<_> = scenario.checks.iter().filter(|check| check.failed > 0).collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.failed));
    for check in checks.iter().take(3) {
        let failed = word(BatchMessage::FailedBy { failed: check.failed, graded: scenario.graded });
        let lines = wrap(&line(&check.title), COLUMNS - 18);
        for (number, text) in lines.iter().enumerate() {
            let lead = if number == 0 { failed.as_str() } else { "" };
            writeln!(out, "  {BAD}{}{lead}{BAD:#}  {text}", " ".repeat(14usize.saturating_sub(width(lead))))?;
        }
    }
    writeln!(out)
}

/// A kind of trouble and how its heading begins.
type Kind = (Status, fn(u64) -> BatchMessage<'static>);

/// What needs a look.
fn troubles(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    const KINDS: [Kind; 5] = [
        (Status::Crashed, BatchMessage::Crashes),
        (Status::ScenarioWrong, BatchMessage::WrongScenarios),
        (Status::Limit, BatchMessage::Limits),
        (Status::Unreadable, BatchMessage::Unreadables),
        (Status::Unmatched, BatchMessage::Unmatched),
    ];
    let (summary, lang) = (&results.summary, results.summary.lang);
    if KINDS.iter().all(|(status, _)| !summary.statuses.contains_key(status)) {
        return Ok(());
    }
    let mut shown: BTreeMap<Status, Vec<String>> = BTreeMap::new();
    for entry in results.entries()? {
        let entry = entry?;
        let lines = shown.entry(entry.status).or_default();
        if KINDS.iter().any(|(status, _)| *status == entry.status) && (lines.len() as u64) < MAX_LINES {
            let why = entry.fix.as_deref().unwrap_or_default();
            lines.push(line(&format!("{}: {why}", entry.files.join(" "))));
        }
    }
    for (status, heading) in KINDS {
        let Some(&number) = summary.statuses.get(&status) else { continue };
        writeln!(out, "{NOTE}{}{NOTE:#}", say(lang, &heading(number)))?;
        for text in shown.get(&status).into_iter().flatten() {
            for (number, text) in wrap(text, COLUMNS - 4).iter().take(3).enumerate() {
                writeln!(out, "  {}{text}", if number == 0 { "" } else { "  " })?;
            }
        }
        if number > MAX_LINES {
            writeln!(out, "  {SOFT}{}{SOFT:#}", say(lang, &BatchMessage::AndMore(number - MAX_LINES)))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
