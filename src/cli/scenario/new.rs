//! `ckad-grade scenario new ID`: a scenario to begin with.
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Exit, Failure, Session};
use crate::report::text::{Message, say};
use crate::scenario::{chapter, schema};

const SCENARIO: &str = include_str!("new/scenario.toml");
/// The files of the folder of solutions.
const SOLUTIONS: &[(&str, &str)] = &[
    ("key.yaml", include_str!("new/key.yaml")),
    ("right-flow.yaml", include_str!("new/right-flow.yaml")),
    ("right-list.json", include_str!("new/right-list.json")),
    ("wrong-namespace.yaml", include_str!("new/wrong-namespace.yaml")),
    ("wrong-key.yaml", include_str!("new/wrong-key.yaml")),
    ("wrong-value.yaml", include_str!("new/wrong-value.yaml")),
];
const SCHEMA: &str = "scenario.schema.json";

pub(super) fn run(session: &mut Session<'_>, name: &str) -> Result<Exit, Failure> {
    let short = name.strip_suffix(".toml").unwrap_or(name);
    let short = short.strip_prefix("scenario-").unwrap_or(short);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if short.is_empty() || !short.chars().all(allowed) {
        return Err(Failure::usage(say(session.lang, &Message::BadScenarioName { name })));
    }
    let id = format!("scenario-{short}");
    let folder = session.scenarios.clone().unwrap_or_else(|| PathBuf::from("scenarios"));
    let file = folder.join(format!("{id}.toml"));
    let solutions = solutions_folder(&folder).join(&id);
    if let Some(there) = [&file, &solutions].into_iter().find(|path| path.exists()) {
        return Err(Failure::usage(say(session.lang, &Message::AlreadyThere { file: &there.display().to_string() })));
    }
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(&solutions)?;
    let chapter = chapter::names().find(|name| short.split('-').next() == Some(name)).unwrap_or("pods");
    write(session, &file, &SCENARIO.replace("{id}", &id).replace("{chapter}", chapter))?;
    for (name, text) in SOLUTIONS {
        write(session, &solutions.join(name), text)?;
    }
    let schema_file = folder.join(SCHEMA);
    if !schema_file.exists() {
        write(session, &schema_file, &schema::text())?;
    }
    let file = file.display().to_string();
    writeln!(session.out, "\n{}", say(session.lang, &Message::NewScenario { file: &file }))?;
    Ok(Exit::Success)
}

/// Where the solutions of a folder of scenarios are: inside it or beside it.
fn solutions_folder(scenarios: &Path) -> PathBuf {
    let inside = scenarios.join("solutions");
    match scenarios.parent() {
        _ if inside.is_dir() => inside,
        Some(parent) if scenarios.file_name().is_some() => parent.join("solutions"),
        _ => inside,
    }
}

fn write(session: &mut Session<'_>, file: &Path, text: &str) -> Result<(), Failure> {
    let name = file.display().to_string();
    fs::write(file, text).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    writeln!(session.out, "{}", say(session.lang, &Message::Wrote { file: &name }))?;
    Ok(())
}
