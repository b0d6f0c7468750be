//! What can be typed next: the shells' scripts ask for it with `ckad-grade complete -- WORD...`.
use clap::{Arg, Command};

use super::{Exit, Failure, Session, help, library};
use crate::report::sanitise::sanitise;
use crate::scenario::{chapter, short_id};

/// A word and what it means.
type Candidate = (String, String);

/// Prints what the last of the words can become, one a line, a tab before what it means. Fails if it is a file's name.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Result<Exit, Failure> {
    let mut root = help::command(session.lang);
    root.build();
    // bash makes three words of `--level=hard`
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "=").collect();
    let (typed, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let found = candidates(session, &root, before, typed)?;
    let found: Vec<Candidate> = found.into_iter().filter(|(word, _)| word.starts_with(typed)).collect();
    for (word, meaning) in &found {
        writeln!(session.out, "{}\t{}", sanitise(word), sanitise(meaning).replace(['\t', '\n'], " "))?;
    }
    Ok(if found.is_empty() { Exit::NotFull } else { Exit::Success })
}

fn candidates(session: &Session<'_>, root: &Command, before: &[&str], typed: &str) -> Result<Vec<Candidate>, Failure> {
    let mut command = root;
    let mut positional = 0;
    let mut option: Option<&Arg> = None;
    for word in before {
        match option.take() {
            Some(_) => {}
            None if word.starts_with('-') && *word != "-" => option = option_of(command, word),
            None => match command.find_subcommand(word).filter(|_| positional == 0) {
                Some(sub) => command = sub,
                None => positional += 1,
            },
        }
    }
    if let Some(option) = option {
        return match option.get_id().as_str() {
            "chapter" => Ok(chapters(session)),
            "only" => scenarios(session),
            _ => Ok(values(option)),
        };
    }
    if typed.starts_with('-') && typed != "-" {
        return Ok(options(command));
    }
    let argument = command.get_positionals().nth(positional).map(|argument| (argument, argument.get_id().as_str()));
    let mut found = match argument {
        Some((_, "scenario")) => scenarios(session)?,
        Some((_, "what")) => scenarios(session)?,
        Some((_, "word")) => chapters(session),
        Some((argument, _)) => values(argument),
        None => Vec::new(),
    };
    if positional == 0 {
        let commands = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        let about = |sub: &Command| sub.get_about().map(ToString::to_string).unwrap_or_default();
        found.splice(0..0, commands.map(|sub| (sub.get_name().to_owned(), about(sub))));
    }
    Ok(found)
}

/// The option of a word, if its value is the next word.
fn option_of<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let is_it = |option: &&Arg| match word.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => word.strip_prefix('-').is_some_and(|short| short.chars().eq(option.get_short())),
    };
    command.get_opts().filter(|option| !option.is_require_equals_set()).find(is_it)
}

fn options(command: &Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let named = shown.filter_map(|argument| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        Some((format!("--{}", argument.get_long()?), help))
    });
    named.collect()
}

fn values(argument: &Arg) -> Vec<Candidate> {
    let values = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    let meaning = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
    values.map(|value| (value.get_name().to_owned(), meaning(&value))).collect()
}

fn scenarios(session: &Session<'_>) -> Result<Vec<Candidate>, Failure> {
    let (library, _) = library::open(session)?;
    let title = |entry: &crate::scenario::Entry| {
        let scenario = entry.load().ok();
        scenario.map(|scenario| scenario.title.get(session.lang).trim().to_owned()).unwrap_or_default()
    };
    Ok(library.entries().map(|entry| (short_id(&entry.id).to_owned(), title(entry))).collect())
}

fn chapters(session: &Session<'_>) -> Vec<Candidate> {
    let title = |name: &str| chapter::title(name, session.lang).unwrap_or_default().to_owned();
    chapter::names().map(|name| (name.to_owned(), title(name))).collect()
}
