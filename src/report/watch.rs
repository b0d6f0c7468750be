//! What changed since the last grade, for somebody who saves and looks.
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::sanitise::sanitise;
use super::terminal::{self, COLUMNS};
use super::text::{Message, say};
use super::width::wrap;
use super::{CheckReport, CheckResult, Report};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const SOFT: Style = AnsiColor::BrightBlack.on_default();

/// Writes a report as a change of the one before: the points, what passes now, what no longer does, and the first thing to mend.
pub fn write(before: Option<&Report>, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let lang = report.lang;
    let score = match before.filter(|before| before.points != report.points) {
        Some(before) => format!("{} → {}", before.points, report.points),
        None => report.points.to_string(),
    };
    let style = if report.points == report.possible { GOOD } else { BAD }.bold();
    let points = match report.points == report.possible {
        true => say(lang, &Message::FullMarks { points: report.points }),
        false => {
            lang.pick(format!("{score} of {} points", report.possible), format!("{score}／{} 分", report.possible))
        }
    };
    let sign = if report.points == report.possible { "✓" } else { "✗" };
    writeln!(out, "{style}{sign} {points}{style:#}")?;
    writeln!(out)?;
    for problem in &report.problems {
        writeln!(out, "{}\n", problem.render(COLUMNS))?;
    }
    let passed_before = |check: &CheckReport| {
        before.and_then(|before| before.checks.iter().find(|old| old.id == check.id)).map(|old| old.result)
            == Some(CheckResult::Passed)
    };
    let passes = |check: &CheckReport| check.result == CheckResult::Passed;
    let is_new = |check: &&CheckReport| before.is_some() && passes(check) && !passed_before(check);
    let is_lost = |check: &&CheckReport| before.is_some() && !passes(check) && passed_before(check);
    for check in report.checks.iter().filter(is_new) {
        line(out, GOOD, "✓", lang.pick("now", "通過了"), &check.title)?;
    }
    for check in report.checks.iter().filter(is_lost) {
        line(out, BAD, "✗", lang.pick("no longer", "不再通過"), &check.title)?;
    }
    if before.is_some_and(|before| before.checks.iter().map(|c| c.result).eq(report.checks.iter().map(|c| c.result))) {
        let same = lang.pick("no check changed", "檢查結果沒有變化");
        writeln!(out, "{SOFT}{same}{SOFT:#}")?;
    }
    let failed: Vec<&CheckReport> = report.checks.iter().filter(|check| check.result == CheckResult::Failed).collect();
    if let Some((first, others)) = failed.split_first() {
        if before.is_some() {
            writeln!(out)?;
        }
        let refused = report.problems.iter().any(|problem| !problem.warning);
        terminal::write_check(first, refused, false, report, out)?;
        if !others.is_empty() {
            let number = others.len();
            let more = lang.pick(format!("{number} more to mend"), format!("還有 {number} 項要修正"));
            writeln!(out, "{SOFT}{more}{SOFT:#}")?;
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, style: Style, sign: &str, what: &str, title: &str) -> io::Result<()> {
    for (i, line) in wrap(&format!("{what}: {}", sanitise(title)), COLUMNS - 2).iter().enumerate() {
        match i {
            0 => writeln!(out, "{style}{sign}{style:#} {line}")?,
            _ => writeln!(out, "  {line}")?,
        }
    }
    Ok(())
}
