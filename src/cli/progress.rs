//! `ckad-grade progress`: what is solved, and what to do next.
use anstyle::{AnsiColor, Style};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library, practice};
use crate::lang::Lang;
use crate::practice::progress::{self, Next, Standing};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::width::{pad, width, wrap};
use crate::scenario::{Domain, Scenario, short_id};

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
    let is_solved = |scenario: &&Scenario| standings.get(&scenario.id).is_some_and(|s| s.solved.is_some());
    let (solved, total) = (scenarios.iter().filter(is_solved).count(), scenarios.len());
    let mut touched: Vec<(&Scenario, &Standing)> =
        scenarios.iter().filter_map(|scenario| Some((scenario, standings.get(&scenario.id)?))).collect();
    // what is to be done stands last, where one looks
    touched.sort_by_key(|(scenario, _)| match next_of(scenario) {
        Next::Rest => 0,
        Next::Begin => 1,
        Next::Repeat => 2,
        Next::Finish => 3,
    });
    let rows: Vec<[String; 4]> =
        touched.iter().map(|(scenario, standing)| row(scenario, standing, now, lang)).collect();
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
    let wide: Vec<usize> = (0..4).map(|column| wide(column).unwrap_or_default()).collect();
    let out = &mut session.out;
    for ((scenario, _), row) in touched.iter().zip(&rows) {
        let (sign, style) = match next_of(scenario) {
            Next::Rest => ("✓", GOOD),
            Next::Repeat => ("↻", NOTE),
            Next::Finish => ("✗", NOTE),
            Next::Begin => (" ", SOFT),
        };
        let cells: Vec<String> = row.iter().zip(&wide).map(|(cell, wide)| pad(cell, *wide)).collect();
        let (id, facts) = cells.split_first().map(|(id, facts)| (id.as_str(), facts.join("  "))).unwrap_or_default();
        writeln!(out, "{style}{sign}{style:#} {id}  {SOFT}{}{SOFT:#}", facts.trim_end())?;
    }
    if !touched.is_empty() {
        writeln!(out)?;
    }
    for domain in Domain::ALL {
        let of_domain = || scenarios.iter().filter(|scenario| scenario.domain() == domain);
        let (solved, total) = (of_domain().filter(is_solved).count(), of_domain().count());
        writeln!(out, "{solved:>4}/{total:<3} {}", domain.title(lang))?;
    }
    let line = lang.pick(format!("{solved} of {total} solved"), format!("{total} 題中已解出 {solved} 題"));
    writeln!(out, "\n{STRONG}{line}{STRONG:#}  {}", bar(solved, total))?;
    let todo = [Next::Finish, Next::Repeat, Next::Begin]
        .into_iter()
        .find_map(|wanted| scenarios.iter().find(|scenario| next_of(scenario) == wanted));
    let Some(scenario) = todo else { return Ok(Exit::Success) };
    let (id, title) = (short_id(&scenario.id), scenario.title.get(lang).trim());
    let why = why(standings.get(&scenario.id), next_of(scenario), now, lang);
    let next = lang.pick(format!("Next: {id}, {title}"), format!("下一題：{id}，{title}"));
    let how = lang.pick(
        format!("{why}. ckad-grade show {id}, ckad-grade watch {id}"),
        format!("{why}。ckad-grade show {id}、ckad-grade watch {id}"),
    );
    for line in wrap(&format!("{}\n{}", sanitise(&next), sanitise(&how)), COLUMNS) {
        writeln!(out, "{SOFT}{line}{SOFT:#}")?;
    }
    Ok(Exit::Success)
}

/// The name of a task, its best result, how often it was tried, and the best time or what is to be done.
fn row(scenario: &Scenario, standing: &Standing, now: Timestamp, lang: Lang) -> [String; 4] {
    let id = sanitise(short_id(&scenario.id)).into_owned();
    if standing.tries == 0 {
        let read = lang.pick("read, not tried", "已閱讀，未作答");
        return [id, read.to_owned(), String::new(), String::new()];
    }
    let tries = match standing.tries {
        1 => lang.pick("1 try".to_owned(), "試 1 次".to_owned()),
        tries => lang.pick(format!("{tries} tries"), format!("試 {tries} 次")),
    };
    let time = standing.best_seconds.map(|seconds| practice::span(SignedDuration::from_secs(seconds), lang));
    let last = match standing.next(now) {
        Next::Rest | Next::Begin if standing.with_key => lang.pick("with the key", "看過解答").to_owned(),
        Next::Rest | Next::Begin => time.unwrap_or_default(),
        next => why(Some(standing), next, now, lang),
    };
    [id, format!("{:>3} %", standing.best_percent), tries, last]
}

/// Why a task is the next one.
fn why(standing: Option<&Standing>, next: Next, now: Timestamp, lang: Lang) -> String {
    let days = standing.and_then(|s| s.solved_last).map_or(0, |last| now.duration_since(last).as_hours() / 24);
    match next {
        Next::Finish => lang.pick("not solved yet", "尚未解出").to_owned(),
        Next::Repeat if standing.is_some_and(|standing| standing.with_key) => {
            lang.pick("solved with the key at hand: try it alone", "看過解答才解出：自己再做一次").to_owned()
        }
        Next::Repeat => {
            let unit = if days == 1 { "day" } else { "days" };
            lang.pick(format!("solved {days} {unit} ago: worth repeating"), format!("{days} 天前解出：值得再做一次"))
        }
        Next::Begin => lang.pick("not tried yet", "還沒做過").to_owned(),
        Next::Rest => lang.pick("solved", "已解出").to_owned(),
    }
}

/// A part of a whole, 20 columns wide.
fn bar(part: usize, whole: usize) -> String {
    let filled = (20 * part).checked_div(whole).unwrap_or(0);
    format!("{}{}", "█".repeat(filled), "░".repeat(20 - filled.min(20)))
}
