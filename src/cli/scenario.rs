//! `ckad-grade scenario …`: for authors of scenarios.
mod check;
mod new;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Exit, Failure, Session};

/// What an author can do.
#[derive(Subcommand, Debug)]
pub(super) enum ScenarioCommand {
    /// Prove scenarios: texts, key, answers beside it, and mutants of the key
    Check {
        /// Scenario files, folders of them, or names [default: ./scenarios]
        files: Vec<PathBuf>,
        /// Also list the mutants that keep full marks for a reason
        #[arg(long)]
        open: bool,
    },
    /// Write a scenario to begin with, with its key and other answers
    New {
        /// Its name, e.g. 107-archive: the chapter and a word
        name: String,
    },
}

pub(super) fn run(session: &mut Session<'_>, command: &ScenarioCommand) -> Result<Exit, Failure> {
    match command {
        ScenarioCommand::Check { files, open } => check::run(session, files, *open),
        ScenarioCommand::New { name } => new::run(session, name),
    }
}
