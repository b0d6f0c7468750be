//! The report for people in a terminal.
//!
//! What is to be mended comes first, its reason before the difference, and the result last, where the eye ends up. Nothing of
//! an answer reaches the terminal without having been made harmless.
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::sanitise::sanitise;
use super::text::{Message, say};
use super::width::{pad, width, wrap};
use super::{CheckReport, CheckResult, Outcome, Report};
use crate::grade::diff::{Diff, Side};

/// Columns that are used.
pub const COLUMNS: usize = 80;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const SOFT: Style = AnsiColor::BrightBlack.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const STRONG: Style = Style::new().bold();

/// The most lines of one difference.
const MAX_DIFF: usize = 60;

/// Writes a report with colours; give it a stream that drops them where they are not wanted.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for problem in &report.problems {
        writeln!(out, "{}\n", problem.render(COLUMNS))?;
    }
    let mut checks: Vec<&CheckReport> = report.checks.iter().collect();
    checks.sort_by_key(|check| match check.result {
        CheckResult::Failed => 0,
        CheckResult::NotSimulated => 1,
        CheckResult::Passed => 2,
    });
    let refused = report.problems.iter().any(|problem| !problem.warning);
    let mut told: Vec<&[String]> = Vec::new();
    for (i, check) in checks.iter().enumerate() {
        let detailed = check.result == CheckResult::Failed;
        if i > 0 && detailed && !refused {
            writeln!(out)?;
        }
        let again = told.contains(&check.reasons.as_slice());
        write_check(check, refused, again, report, out)?;
        told.push(&check.reasons);
        let next = checks.get(i + 1).map(|next| next.result);
        if detailed && !refused && next.is_some_and(|next| next != CheckResult::Failed) {
            writeln!(out)?;
        }
    }
    writeln!(out)?;
    for note in &report.notes {
        for line in wrap(&sanitise(note), COLUMNS) {
            writeln!(out, "{NOTE}{line}{NOTE:#}")?;
        }
    }
    write_result(report, out)
}

pub(super) fn write_check(
    check: &CheckReport,
    brief: bool,
    again: bool,
    report: &Report,
    out: &mut impl Write,
) -> io::Result<()> {
    let (sign, style) = match check.result {
        CheckResult::Passed => ("✓", GOOD),
        CheckResult::Failed => ("✗", BAD),
        CheckResult::NotSimulated => ("?", NOTE),
    };
    let points = say(report.lang, &Message::CheckPoints { points: check.points, possible: check.possible });
    let room = COLUMNS - 2 - width(&points) - 2;
    let title = sanitise(&check.title).into_owned();
    let lines = wrap(&title, room);
    let strong = if check.result == CheckResult::Failed { STRONG } else { Style::new() };
    for (i, line) in lines.iter().enumerate() {
        match i {
            0 => {
                let line = pad(line, room);
                writeln!(out, "{style}{sign}{style:#} {strong}{line}{strong:#}  {style}{points}{style:#}")?;
            }
            _ => writeln!(out, "  {strong}{line}{strong:#}")?,
        }
    }
    if let Some(message) = &check.message {
        for line in wrap(&sanitise(message), COLUMNS - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    if brief {
        return Ok(());
    }
    if !check.reasons.is_empty() {
        let why = say(report.lang, if again { &Message::AsAbove } else { &Message::Why });
        writeln!(out, "  {SOFT}{why}{SOFT:#}")?;
        for reason in check.reasons.iter().filter(|_| !again) {
            for (i, line) in wrap(&sanitise(reason), COLUMNS - 4).iter().enumerate() {
                writeln!(out, "  {}{line}", if i == 0 { "· " } else { "  " })?;
            }
        }
    }
    if let Some(advice) = &check.advice {
        for line in wrap(&sanitise(advice), COLUMNS - 2) {
            writeln!(out, "  {NOTE}{line}{NOTE:#}")?;
        }
    }
    if !check.diff.is_empty() {
        let legend = say(report.lang, &Message::ExpectedAndSimulated);
        writeln!(out, "  {SOFT}{legend}{SOFT:#}")?;
        write_diff(&check.diff, report, out)?;
    }
    Ok(())
}

fn write_diff(diff: &Diff, report: &Report, out: &mut impl Write) -> io::Result<()> {
    for line in diff.lines.iter().take(MAX_DIFF) {
        let (sign, style) = match line.side {
            Side::Expected => ("-", GOOD),
            Side::Actual => ("+", BAD),
            Side::Both => (" ", SOFT),
        };
        write!(out, "  {style}{sign} {style:#}")?;
        let mut room = COLUMNS - 4;
        for part in &line.parts {
            let style = if part.differs { style.bold().underline() } else { style };
            let text = sanitise(&part.text);
            let shown = cut(&text, room);
            room -= width(&shown).min(room);
            write!(out, "{style}{shown}{style:#}")?;
        }
        writeln!(out)?;
    }
    if diff.lines.len() > MAX_DIFF {
        let more = say(report.lang, &Message::MoreDifferences(diff.lines.len() - MAX_DIFF));
        writeln!(out, "  {SOFT}… {more}{SOFT:#}")?;
    }
    Ok(())
}

/// A text of at most so many columns.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.replace('\n', "\\n");
    }
    let mut out = String::new();
    for c in text.chars() {
        if width(&out) + 2 > columns {
            break;
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out.push('…');
    out
}

fn write_result(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Report { points, possible, percent, lang, .. } = *report;
    let (style, verdict) = match report.result {
        Outcome::Full => (GOOD, say(lang, &Message::FullMarks { points })),
        result => {
            let passed = result == Outcome::Passed;
            let needed = report.pass_percent;
            let style = if passed { NOTE } else { BAD };
            (style, say(lang, &Message::Points { points, possible, percent, needed, passed }))
        }
    };
    let style = style.bold();
    let head = format!("{}  {}", report.scenario, sanitise(&report.title));
    writeln!(out, "{STRONG}{head}{STRONG:#}")?;
    writeln!(out, "{style}{verdict}{style:#}")?;
    let scenario = report.scenario.as_str();
    let next = match report.result {
        Outcome::Full => say(lang, &Message::SeeExplanation { scenario }),
        _ if report.hints > 0 => say(lang, &Message::TryHint { scenario }),
        _ => return Ok(()),
    };
    writeln!(out, "{SOFT}{next}{SOFT:#}")
}
