//! `ckad-grade scenario check [FILE|DIR|NAME]...`: proves scenarios.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Exit, Failure, Format, Session, library};
use crate::proof::{self, Proof};
use crate::report::proof as report;
use crate::report::text::{Message, say};
use crate::scenario::solutions::variants;
use crate::scenario::{Entry, Library, Lookup, Origin, statements};

pub(super) fn run(session: &mut Session<'_>, files: &[PathBuf]) -> Result<Exit, Failure> {
    let entries = entries(session, files)?;
    let proofs = prove_all(&entries);
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

/// Proves scenarios side by side; the result is in their order.
fn prove_all(entries: &[Entry]) -> Vec<(String, Proof)> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(entries.len().max(1));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((number, entry)) = entries.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((number, entry.id.clone(), prove(entry)));
        }
        done
    };
    let mut done: Vec<(usize, String, Proof)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(number, ..)| *number);
    done.into_iter().map(|(_, id, proof)| (id, proof)).collect()
}

fn prove(entry: &Entry) -> Proof {
    let scenario = match entry.load() {
        Ok(scenario) => scenario,
        Err(error) => return Proof::unusable(error),
    };
    let Origin::File(path) = &entry.origin else {
        return Proof::unusable(format!("{} is built in; give its file", entry.id));
    };
    let Some(folder) = entry.solutions() else {
        return Proof::unusable(format!("there is no folder solutions/{}", entry.id));
    };
    match variants(&folder) {
        Ok(variants) => proof::prove(&scenario, &variants, known_statements(path).as_ref(), 1),
        Err(error) => Proof::unusable(error),
    }
}

/// The ids of `docs/statements.toml` beside a folder of scenarios, if there is such a file.
fn known_statements(scenario: &Path) -> Option<BTreeSet<String>> {
    let folder = scenario.parent()?;
    let root = if folder.as_os_str().is_empty() { PathBuf::from("..") } else { folder.join("..") };
    let text = std::fs::read_to_string(root.join("docs").join("statements.toml")).ok()?;
    let statements = statements::parse(&text).ok()?;
    Some(statements.into_iter().map(|statement| statement.id).collect())
}
