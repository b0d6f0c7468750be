//! An answer: manifests, and perhaps `commands.sh` with the kubectl commands that belong to them.
//!
//! The manifests that no command names are applied first, in one `kubectl apply`; then the commands are played line by
//! line, and after each the cluster settles. A command that fails does not stop those after it.
use std::sync::Arc;

use super::command::{Session, named_files};
use super::command_line::{self, CommandLine, Input, Refusal};
use super::files::{Files, folder_of, is_manifest};
use super::kubectl::{Output, Problem};
use super::{ManifestFile, PAUSE, apply};
use crate::cluster::{Cluster, Settled};
use crate::manifest::{Location, ReadError, Source};

/// The name of a file of commands.
pub const COMMANDS: &str = "commands.sh";

/// Whether a file is one of commands, by its name.
pub fn is_commands(name: &str) -> bool {
    name.rsplit('/').next() == Some(COMMANDS)
}

/// A file of commands, read.
struct Script {
    folder: Vec<String>,
    source: Arc<Source>,
    lines: Vec<command_line::ScriptLine>,
}

impl Script {
    fn read(file: &ManifestFile) -> Script {
        let text = String::from_utf8_lossy(&file.bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Script {
            folder: folder_of(&file.name),
            source: Arc::new(Source::new(file.name.as_str(), text)),
            lines: command_line::parse(text),
        }
    }

    /// The files that commands name or write, as parts of paths.
    fn names(&self) -> Vec<String> {
        let commands = self.lines.iter().filter_map(|line| line.command.as_ref().ok());
        commands.flat_map(files_of).collect()
    }

    /// A line as a place.
    fn place(&self, number: usize) -> Location {
        let text = &self.source.text;
        let start = text.split_inclusive('\n').take(number.saturating_sub(1)).map(str::len).sum::<usize>();
        let line = text.get(start..).unwrap_or_default().split('\n').next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        self.source.location(start + indent..start + line.trim_end().len().max(indent))
    }
}

fn files_of(command: &CommandLine) -> Vec<String> {
    let mut names = named_files(&command.words);
    if let Some(Input::Command(words)) = &command.input {
        names.extend(named_files(words));
    }
    names.extend(command.redirect.iter().map(|redirect| redirect.file.clone()));
    names
}

/// Plays an answer and lets the cluster settle: what kubectl printed for all of it, and whether the cluster came to rest.
pub fn run(cluster: &mut Cluster, files: &[ManifestFile], namespace: Option<&str>) -> (Output, Settled) {
    let scripts: Vec<Script> = files.iter().filter(|file| is_commands(&file.name)).map(Script::read).collect();
    if scripts.is_empty() {
        let output = apply::run(cluster, files, namespace.into());
        return (output, cluster.settle());
    }
    let others: Vec<ManifestFile> = files.iter().filter(|file| !is_commands(&file.name)).cloned().collect();
    let mut named: Vec<String> = Vec::new();
    for script in &scripts {
        let files = Files::new(script.folder.clone(), others.clone());
        for path in script.names() {
            named.extend(files.file(&path).map(|file| file.name.clone()));
            named.extend(files.in_folder(&path).into_iter().map(|file| file.name.clone()));
        }
    }
    // as `kubectl apply -f FOLDER`, which does not look into folders inside
    let beside = |file: &&ManifestFile| scripts.iter().any(|script| script.folder == folder_of(&file.name));
    let inside = |file: &&ManifestFile| {
        let folder = folder_of(&file.name);
        scripts.iter().any(|script| folder.len() > script.folder.len() && folder.starts_with(&script.folder))
    };
    let manifest = |file: &&ManifestFile| is_manifest(&file.name) || !beside(file);
    let first: Vec<ManifestFile> =
        others.iter().filter(|file| !named.contains(&file.name) && !inside(file) && manifest(file)).cloned().collect();
    let mut output = Output::default();
    let mut settled = Settled::Yes;
    if !first.is_empty() {
        output = apply::run(cluster, &first, namespace.into());
        settled = cluster.settle();
    }
    for script in &scripts {
        let files = Files::new(script.folder.clone(), others.clone());
        let mut session = Session::new(files, namespace.map(str::to_owned));
        for line in &script.lines {
            if settled == Settled::GaveUp {
                return (output, settled);
            }
            let place = script.place(line.number);
            let played = match &line.command {
                Ok(command) => {
                    cluster.advance(PAUSE);
                    session.play(cluster, command)
                }
                Err(refusal) => Err(refusal.clone()),
            };
            match played {
                Ok(mut one) => {
                    for problem in &mut one.problems {
                        if problem.document.is_none() && problem.unreadable.is_none() {
                            problem.line = Some((script.source.clone(), place.clone()));
                        }
                    }
                    output.absorb(one);
                    settled = cluster.settle();
                }
                Err(refusal) => output.absorb(refused(script, line.number, place, refusal)),
            }
        }
    }
    (output, settled)
}

/// A line that is not played: to the report, the file cannot be read there.
fn refused(script: &Script, number: usize, place: Location, refusal: Refusal) -> Output {
    let message = refusal.to_string();
    let source = script.source.clone();
    let stderr = format!("{}:{number}: {message}\n", source.name);
    let unreadable = ReadError { message: message.clone(), location: Some(place), context: None, source };
    let problem = Problem { message, unreadable: Some(unreadable), refusal: Some(refusal), ..Problem::default() };
    Output { exit_code: 1, stdout: String::new(), stderr, problems: vec![problem] }
}

#[cfg(test)]
#[path = "answer/tests.rs"]
mod tests;
