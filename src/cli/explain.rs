//! `ckad-grade explain SCENARIO [FILE|DIR|-]...` and `ckad-grade explain FILE...`: the outcome as a story, and what would help.
use std::path::PathBuf;

use super::{Exit, Failure, Format, Session, answer, library};
use crate::explain::{self, search::Budget};
use crate::report::explain as report;
use crate::scenario::Lookup;
use crate::timeline::is_manifest;

pub(super) fn run(session: &mut Session<'_>, what: &[PathBuf]) -> Result<Exit, Failure> {
    let Some((first, rest)) = what.split_first() else { return Err(Failure::usage("nothing to explain")) };
    let name = first.to_string_lossy().into_owned();
    let is_scenario = !first.exists() || matches!(library::open(session)?.0.find(&name), Lookup::Found(_));
    if first.as_os_str() == "-" || !is_scenario || looks_like_file(&name) {
        let files = answer::read(session, what)?;
        let explained = explain::files(&files, Budget::default()).map_err(Failure::usage)?;
        return finish(session, None, &explained);
    }
    let (entry, scenario) = library::find(session, &name)?;
    let files = answer::read_of(session, &entry.id, rest)?;
    answer::must_say_something(session, &entry.id, &files)?;
    let explained = explain::scenario(&scenario, &files, Budget::default())
        .map_err(|error| library::wrong_scenario(session, error))?;
    finish(session, Some(&scenario), &explained)
}

/// A file that kubectl would take is one, even if it is not there.
fn looks_like_file(name: &str) -> bool {
    is_manifest(name) || name.contains(['/', std::path::MAIN_SEPARATOR])
}

fn finish(
    session: &mut Session<'_>,
    scenario: Option<&crate::scenario::Scenario>,
    explained: &explain::Explained,
) -> Result<Exit, Failure> {
    match session.format {
        Format::Text => report::write(scenario, explained, session.lang, &mut session.out)?,
        Format::Json | Format::Yaml => {
            let value = report::to_json(scenario, explained, session.lang);
            session.data(&value)?;
        }
    }
    let unreadable = explained.output.problems.iter().any(|problem| problem.unreadable.is_some());
    Ok(match (unreadable, explained.waiting.is_empty()) {
        (true, _) => Exit::Unreadable,
        (false, true) => Exit::Success,
        (false, false) => Exit::NotFull,
    })
}
