//! `ckad-grade hint SCENARIO [N]`: help, one piece at a time.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library};
use crate::lang::Text;
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};
use crate::report::width::reflow;
use crate::scenario::Scenario;

const SOFT: Style = AnsiColor::BrightBlack.on_default();

pub(super) fn run(session: &mut Session<'_>, name: &str, number: usize) -> Result<Exit, Failure> {
    let (_, scenario) = library::find(session, name)?;
    let lang = session.lang;
    let total = scenario.hints.len();
    let Some(hint) = hint(&scenario, number) else {
        let message = if total == 0 { Message::NoHints } else { Message::NoSuchHint { total } };
        return Err(Failure::usage(say(lang, &message)));
    };
    let text = hint.get(lang).trim();
    if session.format != Format::Text {
        session.data(&json!({ "number": number, "total": total, "hint": text }))?;
        return Ok(Exit::Success);
    }
    write(session, &scenario, number)?;
    if number < total {
        let more = say(lang, &Message::MoreHints { scenario: &scenario.id, next: number + 1 });
        writeln!(session.out, "{SOFT}{more}{SOFT:#}")?;
    }
    Ok(Exit::Success)
}

fn hint(scenario: &Scenario, number: usize) -> Option<&Text> {
    number.checked_sub(1).and_then(|index| scenario.hints.get(index))
}

/// Writes one hint, or that there is none.
pub(super) fn write(session: &mut Session<'_>, scenario: &Scenario, number: usize) -> Result<(), Failure> {
    let (lang, total) = (session.lang, scenario.hints.len());
    let Some(hint) = hint(scenario, number) else {
        return Ok(writeln!(session.out, "{SOFT}{}{SOFT:#}", say(lang, &Message::NoHints))?);
    };
    writeln!(session.out, "{SOFT}{}{SOFT:#}", say(lang, &Message::HintOf { number, total }))?;
    for line in reflow(&sanitise(hint.get(lang).trim()), COLUMNS) {
        writeln!(session.out, "{line}")?;
    }
    Ok(())
}
