//! `ckad-grade solution SCENARIO`: the key, and why it is right. The key alone goes to standard output, so that it can be
//! piped into a file or into a grade.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library, practice};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};
use crate::report::width::reflow;

pub(super) fn run(session: &mut Session<'_>, name: &str) -> Result<Exit, Failure> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    let (entry, scenario) = library::find(session, name)?;
    let lang = session.lang;
    let Some(key) = entry.key()? else {
        return Err(Failure::usage(say(lang, &Message::NoKey { scenario: &scenario.id })));
    };
    let explanation = scenario.explanation.as_ref().map(|text| text.get(lang).trim());
    if session.format != Format::Text {
        session.data(&json!({ "key": key, "explanation": explanation }))?;
        return Ok(Exit::Success);
    }
    practice::note_key_shown(session, &scenario.id)?;
    write!(session.out, "{}", sanitise(&key))?;
    session.out.flush()?;
    if let Some(explanation) = explanation {
        writeln!(session.err, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::Explanation))?;
        for line in reflow(&sanitise(explanation), COLUMNS) {
            writeln!(session.err, "{line}")?;
        }
    }
    Ok(Exit::Success)
}
