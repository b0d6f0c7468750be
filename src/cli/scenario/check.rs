//! `ckad-grade scenario check [FILE|DIR|NAME]...`: proves scenarios.
use std::path::PathBuf;

use super::super::{Exit, Failure, Format, Session, library};
use crate::proof::library::prove_all;
use crate::report::proof as report;
use crate::report::text::{Message, say};
use crate::scenario::{Entry, Library, Lookup, Origin};

pub(super) fn run(session: &mut Session<'_>, files: &[PathBuf], open: bool) -> Result<Exit, Failure> {
    let entries = entries(session, files)?;
    let mut proofs = prove_all(&entries, 1);
    if !open {
        proofs.iter_mut().for_each(|(_, proof)| proof.excused.clear());
    }
    match session.format {
        Format::Text => report::write(&proofs, session.lang, &mut session.out)?,
        Format::Json | Format::Yaml => {
            let value = report::json(&proofs, session.lang);
            session.data(&value)?;
        }
    }
    Ok(if proofs.iter().any(|(_, proof)| proof.is_wrong()) { Exit::NotFull } else { Exit::Success })
}

/// The scenarios that are meant; only files have solutions beside them.
fn entries(session: &Session<'_>, files: &[PathBuf]) -> Result<Vec<Entry>, Failure> {
    let (library, _) = library::open(session)?;
    let mut found = Vec::new();
    for file in files {
        if file.is_dir() {
            let mut folder = Library::default();
            folder.add_folder(file)?;
            found.extend(folder.entries().cloned());
            continue;
        }
        let id = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if file.extension().is_some_and(|extension| extension == "toml") && file.is_file() {
            found.push(Entry { id, origin: Origin::File(file.clone()) });
            continue;
        }
        let name = file.display().to_string();
        match library.find(&name) {
            Lookup::Found(entry) => found.push(entry.clone()),
            Lookup::Unknown { suggestion } => {
                let message = Message::UnknownScenario { name: &name, suggestion };
                return Err(Failure::usage(say(session.lang, &message)));
            }
        }
    }
    if files.is_empty() {
        found = library.entries().filter(|entry| entry.origin != Origin::Embedded).cloned().collect();
    }
    match found.is_empty() {
        true => Err(Failure::usage(say(session.lang, &Message::NoScenarioFiles))),
        false => Ok(found),
    }
}
