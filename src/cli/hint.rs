//! `ckad-grade hint SCENARIO [N]`: help, one piece at a time.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};
use crate::report::width::reflow;

pub(super) fn run(session: &mut Session<'_>, name: &str, number: usize) -> Result<Exit, Failure> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    let (_, scenario) = library::find(session, name)?;
    let lang = session.lang;
    let total = scenario.hints.len();
    let Some(hint) = number.checked_sub(1).and_then(|index| scenario.hints.get(index)) else {
        let message = if total == 0 { Message::NoHints } else { Message::NoSuchHint { total } };
        return Err(Failure::usage(say(lang, &message)));
    };
    let text = hint.get(lang).trim();
    if session.format != Format::Text {
        session.data(&json!({ "number": number, "total": total, "hint": text }))?;
        return Ok(Exit::Success);
    }
    writeln!(session.out, "{SOFT}{}{SOFT:#}", say(lang, &Message::HintOf { number, total }))?;
    for line in reflow(&sanitise(text), COLUMNS) {
        writeln!(session.out, "{line}")?;
    }
    if number < total {
        let more = say(lang, &Message::MoreHints { scenario: &scenario.id, next: number + 1 });
        writeln!(session.out, "{SOFT}{more}{SOFT:#}")?;
    }
    Ok(Exit::Success)
}
