//! Which scenarios there are for a command.
use std::path::Path;

use super::{Failure, Session, path_failed};
use crate::report::text::{Message, say};
use crate::scenario::{Entry, Library, Lookup, Scenario};
use crate::suggest;

/// The built-in scenarios and the folders that override them, with the folder's name.
pub(super) fn open(session: &Session<'_>) -> Result<(Library, Option<String>), Failure> {
    let mut library = Library::embedded();
    let folder = match &session.scenarios {
        Some(folder) => {
            let added = library.add_folder(folder);
            added.map_err(|error| {
                Failure::usage(format!("--scenarios {}", path_failed(folder, &error, session.lang)))
            })?;
            Some(folder.display().to_string())
        }
        None => {
            let folder = Path::new("scenarios");
            // a folder of this name that cannot be read, or is none, is not ours
            library.add_folder(folder).is_ok_and(|number| number > 0).then(|| "./scenarios".to_owned())
        }
    };
    Ok((library, folder))
}

/// The scenario of a name, read; says so when it is not the built-in one.
pub(super) fn find(session: &mut Session<'_>, name: &str) -> Result<(Entry, Scenario), Failure> {
    let (library, folder) = open(session)?;
    let entry = match library.find(name) {
        Lookup::Found(entry) => entry.clone(),
        Lookup::Unknown { suggestion } => {
            // `ckad-grade simulat` is a command, mistyped
            let commands = super::command_names();
            let command = suggest::nearest(name, commands.iter().map(String::as_str));
            let suggestion = command.filter(|_| !name.starts_with("scenario-")).or(suggestion);
            return Err(Failure::usage(say(session.lang, &Message::UnknownScenario { name, suggestion })));
        }
    };
    let file = entry.file();
    let source = entry.source().map_err(|error| Failure::usage(format!("{file}: {error}")))?;
    if let Some(folder) = folder.filter(|_| entry.differs_from_built_in(&source)) {
        session.note(&say(session.lang, &Message::UsingScenariosOf { folder: &folder, scenario: &entry.id }))?;
    }
    let scenario = Scenario::parse(&source, &file).map_err(|error| wrong_scenario(session, error))?;
    Ok((entry, scenario))
}

/// A scenario that cannot be used, with the place in its file.
pub(super) fn wrong_scenario(session: &Session<'_>, error: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{}\n  {error}", say(session.lang, &Message::ScenarioIsWrong)))
}
