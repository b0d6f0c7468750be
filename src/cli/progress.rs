//! `ckad-grade progress`: what is solved, and what to do next.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library, practice};
use crate::practice::progress::{self, Next};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::width::{pad, width, wrap};
use crate::scenario::{Scenario, short_id};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const GOOD: Style = AnsiColor::Green.on_default();
    const NOTE: Style = AnsiColor::Yellow.on_default();
    const STRONG: Style = Style::new().bold();
    let lang = session.lang;
    let standings = progress::standings(&progress::events(&practice::store()?)?);
    let (library, _) = library::open(session)?;
    let now = progress::now();
    let scenarios: Vec<Scenario> = library.entries().filter_map(|entry| entry.load().ok()).collect();
    let next_of = |scenario: &Scenario| standings.get(&scenario.id).map_or(Next::Begin, |s| s.next(now));
    if session.format != Format::Text {
        let rows: Vec<_> = scenarios
            .iter()
            .map(|scenario| {
                let standing = standings.get(&scenario.id).cloned().unwrap_or_default();
                json!({
                    "scenario": scenario.id, "title": scenario.title.get(lang).trim(), "next": next_of(scenario),
                    "standing": standing,
                })
            })
            .collect();
        session.data(&json!(rows))?;
        return Ok(Exit::Success);
    }
    let solved = scenarios.iter().filter(|s| standings.get(&s.id).is_some_and(|standing| standing.solved.is_some()));
    let (solved, total) = (solved.count(), scenarios.len());
    let touched: Vec<&Scenario> = scenarios.iter().filter(|s| standings.contains_key(&s.id)).collect();
    let wide = touched.iter().map(|s| width(short_id(&s.id))).max().unwrap_or_default();
    let out = &mut session.out;
    for scenario in touched {
        let Some(standing) = standings.get(&scenario.id) else { continue };
        let next = next_of(scenario);
        let (sign, style) = match next {
            Next::Rest => ("✓", GOOD),
            Next::Repeat => ("↻", NOTE),
            Next::Finish => ("…", NOTE),
            Next::Begin => (" ", SOFT),
        };
        let tries = match standing.tries {
            1 => lang.pick("1 try".to_owned(), "試 1 次".to_owned()),
            tries => lang.pick(format!("{tries} tries"), format!("試 {tries} 次")),
        };
        let mut facts = vec![format!("{:>3} %", standing.best_percent), tries];
        if let Some(seconds) = standing.best_seconds {
            facts.push(practice::span(k8s_openapi::jiff::SignedDuration::from_secs(seconds), lang));
        }
        match next {
            Next::Repeat => facts.push(lang.pick("worth repeating", "值得再做一次").to_owned()),
            Next::Finish => facts.push(lang.pick("not solved yet", "尚未完成").to_owned()),
            Next::Rest | Next::Begin => {}
        }
        let id = pad(&sanitise(short_id(&scenario.id)), wide);
        writeln!(out, "{style}{sign}{style:#} {id}  {SOFT}{}{SOFT:#}", facts.join("  "))?;
    }
    if !standings.is_empty() {
        writeln!(out)?;
    }
    let line = lang.pick(format!("{solved} of {total} solved"), format!("{total} 題中已解出 {solved} 題"));
    writeln!(out, "{STRONG}{line}{STRONG:#}  {}", bar(solved, total))?;
    let todo = [Next::Finish, Next::Repeat, Next::Begin]
        .into_iter()
        .find_map(|wanted| scenarios.iter().find(|scenario| next_of(scenario) == wanted));
    if let Some(scenario) = todo {
        let title = sanitise(scenario.title.get(lang).trim()).into_owned();
        let next = lang.pick("Next", "下一題");
        for line in wrap(&format!("{next}: ckad-grade show {}   {title}", short_id(&scenario.id)), COLUMNS) {
            writeln!(out, "{SOFT}{line}{SOFT:#}")?;
        }
    }
    Ok(Exit::Success)
}

/// A part of a whole, 20 columns wide.
fn bar(part: usize, whole: usize) -> String {
    let filled = (20 * part).checked_div(whole).unwrap_or(0);
    format!("{}{}", "━".repeat(filled), "─".repeat(20 - filled.min(20)))
}
