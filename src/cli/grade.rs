//! `ckad-grade SCENARIO [FILE|DIR|-]...`: grades an answer.
use std::path::PathBuf;

use super::{Exit, Failure, Format, Session, answer, library};
use crate::grade;
use crate::report::text::{Message, say};
use crate::report::{Report, terminal};

pub(super) fn run(session: &mut Session<'_>, name: &str, files: &[PathBuf]) -> Result<Exit, Failure> {
    let (entry, scenario) = library::find(session, name)?;
    let found;
    let paths = match files {
        [] => {
            let Some(path) = answer::of_scenario(&entry.id) else {
                let text = say(session.lang, &Message::NoAnswerYet { scenario: &entry.id });
                return Err(Failure::unreadable(text));
            };
            found = [path];
            &found
        }
        given => given,
    };
    let answer = answer::read(session, paths)?;
    let graded = grade::grade(&scenario, &answer).map_err(|error| library::wrong_scenario(session, error))?;
    let report = Report::new(&scenario, &graded, session.lang);
    match session.format {
        Format::Text => terminal::write(&report, &mut session.out)?,
        Format::Json | Format::Yaml => {
            let value = serde_json::to_value(&report).map_err(Failure::usage)?;
            session.data(&value)?;
        }
    }
    let unreadable = graded.answer.problems.iter().any(|problem| problem.unreadable.is_some());
    Ok(match (unreadable, graded.is_full()) {
        (true, _) => Exit::Unreadable,
        (false, true) => Exit::Success,
        (false, false) => Exit::NotFull,
    })
}
