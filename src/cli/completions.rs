//! `ckad-grade completions SHELL`: completion of commands, options and scenario names.
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use super::{Exit, Failure, Session, help, library};

pub(super) fn run(session: &mut Session<'_>, shell: Shell) -> Result<Exit, Failure> {
    let (library, _) = library::open(session)?;
    let names: Vec<String> = library.entries().map(|entry| crate::scenario::short_id(&entry.id).to_owned()).collect();
    let with_names = |command: clap::Command| {
        command.mut_args(|argument| match argument.get_id() == "scenario" {
            true => argument.value_parser(PossibleValuesParser::new(names.clone())),
            false => argument,
        })
    };
    let mut command = with_names(help::command(session.lang));
    let subcommands: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in subcommands {
        command = command.mut_subcommand(name, with_names);
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "ckad-grade", &mut script);
    if shell == Shell::Fish {
        // the generator leaves out the values of positional arguments
        let line = format!("complete -c ckad-grade -f -a \"{}\"\n", names.join(" "));
        script.extend_from_slice(line.as_bytes());
    }
    session.out.write_all(&script)?;
    Ok(Exit::Success)
}
