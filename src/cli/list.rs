//! `ckad-grade list`: all scenarios.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};
use crate::report::width::{pad, width, wrap};

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const BAD: Style = AnsiColor::Red.on_default();
    let lang = session.lang;
    let (library, folder) = library::open(session)?;
    let mut overridden = 0;
    let mut exit = Exit::Success;
    let mut rows = Vec::new();
    for entry in library.entries() {
        if let Ok(source) = entry.source() {
            overridden += usize::from(entry.differs_from_built_in(&source));
        }
        rows.push((entry, entry.load()));
    }
    if let Some(folder) = folder.filter(|_| overridden > 0) {
        session.note(&say(lang, &Message::OverriddenScenarios { folder: &folder, number: overridden }))?;
    }
    if session.format != Format::Text {
        let list: Vec<_> = rows
            .iter()
            .map(|(entry, scenario)| match scenario {
                Ok(s) => json!({
                    "id": s.id, "chapter": s.chapter, "level": s.level, "minutes": s.minutes, "points": s.points(),
                    "title": s.title.get(lang),
                }),
                Err(error) => json!({ "id": entry.id, "error": error.to_string() }),
            })
            .collect();
        session.data(&json!(list))?;
        return Ok(exit);
    }
    let wide = rows.iter().map(|(entry, _)| width(short(&entry.id))).max().unwrap_or_default();
    let mut chapter = String::new();
    for (entry, scenario) in &rows {
        let id = pad(&sanitise(short(&entry.id)), wide);
        match scenario {
            Ok(scenario) => {
                if scenario.chapter != chapter {
                    chapter.clone_from(&scenario.chapter);
                    let head = say(lang, &Message::Chapter(&chapter));
                    writeln!(session.out, "{SOFT}{}{SOFT:#}", sanitise(&head))?;
                }
                let level = say(lang, &Message::Level(scenario.level));
                let minutes = say(lang, &Message::Minutes(scenario.minutes));
                let (level, minutes) = (pad(&level, 7), pad(&minutes, 7));
                let indent = wide + 21;
                let title = wrap(&sanitise(scenario.title.get(lang).trim()), COLUMNS.saturating_sub(indent).max(20));
                let title = title.join(&format!("\n{}", " ".repeat(indent)));
                writeln!(session.out, "  {id}  {SOFT}{level}  {minutes}{SOFT:#} {title}")?;
            }
            Err(error) => {
                exit = Exit::Usage;
                writeln!(session.out, "  {id}  {BAD}{}{BAD:#}", sanitise(&error.to_string()))?;
            }
        }
    }
    writeln!(session.out, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::ScenarioCount(rows.len())))?;
    Ok(exit)
}

/// The name without what all names begin with; commands take it, too.
fn short(id: &str) -> &str {
    id.strip_prefix("scenario-").unwrap_or(id)
}
