//! `ckad-grade SCENARIO [FILE|DIR|-]...`: grades an answer.
use anstyle::{AnsiColor, Style};

use super::{Exit, Failure, Format, GradeArgs, Session, answer, library, picture, practice};
use crate::grade;
use crate::picture::Picture;
use crate::report::text::{Message, say};
use crate::report::{Report, terminal};

const SOFT: Style = AnsiColor::BrightBlack.on_default();

pub(super) fn run(session: &mut Session<'_>, name: &str, arguments: &GradeArgs) -> Result<Exit, Failure> {
    let (entry, scenario) = library::find(session, name)?;
    picture::check(session, arguments.picture.as_deref())?;
    let answer = answer::read_of(session, &entry.id, &arguments.files)?;
    answer::must_say_something(session, &entry.id, &answer)?;
    let graded = grade::grade(&scenario, &answer).map_err(|error| library::wrong_scenario(session, error))?;
    let report = Report::new(&scenario, &graded, session.lang);
    match session.format {
        Format::Text => {
            terminal::write(&report, &mut session.out)?;
            practice::note_tried(session, &report.scenario, report.points, report.possible)?;
            if graded.is_full()
                && let Some(next) = practice::next_of_person(session, &report.scenario)
            {
                let next = say(session.lang, &Message::NextScenario { scenario: &next });
                writeln!(session.out, "{SOFT}{next}{SOFT:#}")?;
            }
        }
        Format::Json | Format::Yaml => {
            let value = serde_json::to_value(&report).map_err(Failure::usage)?;
            session.data(&value)?;
        }
    }
    if let Some(path) = &arguments.picture {
        picture::write(session, path, &|lang| Picture::of_grade(&scenario, &graded, lang))?;
    }
    let unreadable = graded.answer.problems.iter().any(|problem| problem.unreadable.is_some());
    Ok(match (unreadable, graded.is_full()) {
        (true, _) => Exit::Unreadable,
        (false, true) => Exit::Success,
        (false, false) => Exit::NotFull,
    })
}
