//! `--help`: one page for each command, with examples, in both languages. The English words are the doc comments of the
//! arguments; `help/zh_tw.rs` has the Chinese ones, `help/examples.rs` the examples.
mod examples;
mod zh_tw;

use anstyle::{AnsiColor, Style};
use clap::{Arg, Command, CommandFactory as _};

use super::Cli;
use crate::lang::Lang;
use crate::report::terminal::COLUMNS;
use crate::report::width::{pad, width, wrap};
use examples::{Example, of_page};

const HEAD: Style = Style::new().bold();
const WORD: Style = AnsiColor::Cyan.on_default();

/// The commands by what they are for.
const GROUPS: &[(&str, &str, &[&str])] = &[
    ("Practise", "練習", &["list", "show", "hint", "solution", "explain", "watch", "init", "exam", "progress"]),
    ("Try things out", "動手試試", &["simulate"]),
    ("Teach", "教學", &["batch", "scenario", "schema"]),
    ("Set up", "設定", &["completions", "man"]),
];

/// The names that no two commands share: `batch merge`, empty for the program itself.
fn path_of(parent: &str, name: &str) -> String {
    format!("{parent} {name}").trim_start().to_owned()
}

/// The command line, its words in a language.
pub(super) fn command(lang: Lang) -> Command {
    let words = translated(Cli::command(), "", lang);
    let mut built = words.clone();
    built.build();
    with_pages(words, &built, "", lang)
}

fn translated(mut command: Command, path: &str, lang: Lang) -> Command {
    if lang == Lang::ZhTw {
        if let Some(about) = zh_tw::text(path, "") {
            command = command.about(about);
        }
        command = command.mut_args(|argument| match zh_tw::text(path, argument.get_id().as_str()) {
            Some(help) => argument.help(help),
            None => argument,
        });
    }
    for name in names(&command) {
        command = command.mut_subcommand(&name, |sub| translated(sub, &path_of(path, &name), lang));
    }
    command
}

fn names(command: &Command) -> Vec<String> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned()).collect()
}

/// Gives every command its page, for `--help`, and its examples, for the manual.
fn with_pages(mut command: Command, built: &Command, path: &str, lang: Lang) -> Command {
    command = command.override_help(page(built, path, lang)).after_help(plain_examples(path, lang));
    for name in names(&command) {
        let Some(sub) = built.find_subcommand(&name) else { continue };
        command = command.mut_subcommand(&name, |command| with_pages(command, sub, &path_of(path, &name), lang));
    }
    command
}

/// What a person sees who calls the program without anything.
pub(super) fn welcome(lang: Lang) -> String {
    let head = lang
        .pick("ckad-grade: practise for the CKAD exam, without a cluster", "ckad-grade：不需要 cluster 的 CKAD 練習");
    let mut text = format!("{HEAD}{head}{HEAD:#}\n\n");
    two_columns(&mut text, &examples_of(examples::WELCOME, lang), COLUMNS);
    text.push_str(lang.pick(
        "\nEverything else: ckad-grade --help        中文: ckad-grade --lang zh-TW\n",
        "\n其他功能：ckad-grade --help        English: ckad-grade --lang en\n",
    ));
    text
}

/// The usage of a command: `ckad-grade show [OPTIONS] <SCENARIO>`, one line for each way to call it.
pub(super) fn usage(built: &Command) -> Vec<String> {
    let usage = built.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").lines().map(|line| line.trim().to_owned()).collect()
}

fn page(built: &Command, path: &str, lang: Lang) -> String {
    let mut text = String::new();
    let about = built.get_about().map(ToString::to_string).unwrap_or_default();
    push_lines(&mut text, &about);
    let lines = usage(built);
    let head = lang.pick("Usage: ", "用法：");
    let indent = " ".repeat(width(head));
    for (i, line) in lines.iter().enumerate() {
        let before = if i == 0 { format!("\n{HEAD}{head}{HEAD:#}") } else { indent.clone() };
        text.push_str(&format!("{before}{line}\n"));
    }
    let page = of_page(path);
    if let Some((en, zh_tw)) = page.note {
        text.push('\n');
        push_lines(&mut text, lang.pick(en, zh_tw));
    }
    commands(&mut text, built, path, lang);
    let arguments = |wanted: &dyn Fn(&Arg) -> bool| -> Vec<(String, String)> {
        let shown = built.get_arguments().filter(|argument| !argument.is_hide_set() && wanted(argument));
        shown.map(|argument| (name_of(argument), help_of(argument, lang))).collect()
    };
    let is_flag = |argument: &Arg| matches!(argument.get_id().as_str(), "help" | "version");
    let is_common = |argument: &Arg| argument.is_global_set() || is_flag(argument);
    section(&mut text, lang.pick("Arguments", "參數"), &arguments(&|a| a.is_positional()));
    section(&mut text, lang.pick("Options", "選項"), &arguments(&|a| !a.is_positional() && !is_common(a)));
    section(&mut text, lang.pick("Examples", "範例"), &examples_of(page.examples, lang));
    if path.is_empty() {
        section(&mut text, lang.pick("For every command", "所有指令通用"), &arguments(&|a| is_common(a)));
    } else {
        let common = built.get_arguments().filter(|a| a.is_global_set()).filter_map(Arg::get_long);
        let common = common.map(|long| format!("--{long}")).collect::<Vec<_>>().join(lang.pick(", ", "、"));
        let more = lang.pick(
            format!("For every command: {common}; see ckad-grade --help"),
            format!("所有指令通用：{common}；詳見 ckad-grade --help"),
        );
        text.push('\n');
        push_lines(&mut text, &more);
    }
    if let Some((en, zh_tw)) = page.end {
        text.push('\n');
        push_lines(&mut text, lang.pick(en, zh_tw));
    }
    text
}

fn push_lines(text: &mut String, prose: &str) {
    for line in wrap(prose, COLUMNS) {
        text.push_str(&line);
        text.push('\n');
    }
}

/// The commands inside a command; those of the program itself in groups.
fn commands(text: &mut String, built: &Command, path: &str, lang: Lang) {
    let row = |name: &str| {
        let about = built.find_subcommand(name).and_then(Command::get_about);
        (name.to_owned(), about.map(ToString::to_string).unwrap_or_default())
    };
    if path.is_empty() {
        let wide = names(built).iter().map(|name| name.len()).max().unwrap_or_default();
        for (en, zh_tw, names) in GROUPS {
            let rows: Vec<_> =
                names.iter().map(|name| row(name)).map(|(name, about)| (pad(&name, wide), about)).collect();
            section(text, lang.pick(en, zh_tw), &rows);
        }
        return;
    }
    let rows: Vec<_> = names(built).iter().map(|name| row(name)).collect();
    section(text, lang.pick("Commands", "指令"), &rows);
}

fn examples_of(examples: &[Example], lang: Lang) -> Vec<(String, String)> {
    examples.iter().map(|(command, en, zh_tw)| ((*command).to_owned(), lang.pick(*en, *zh_tw).to_owned())).collect()
}

fn section(text: &mut String, head: &str, rows: &[(String, String)]) {
    if !rows.is_empty() {
        text.push_str(&format!("\n{HEAD}{head}{HEAD:#}\n"));
        two_columns(text, rows, COLUMNS);
    }
}

/// Words on the left, what they mean on the right; under them where the words are too long.
fn two_columns(text: &mut String, rows: &[(String, String)], columns: usize) {
    const WIDEST: usize = 38;
    let left = rows.iter().map(|(word, _)| width(word)).filter(|wide| *wide <= WIDEST).max().unwrap_or_default();
    let indent = " ".repeat(left + 4);
    for (word, meaning) in rows {
        let lines = wrap(meaning, columns.saturating_sub(indent.len()).max(20));
        let fits = width(word) <= left;
        let first = if fits { lines.first().map(String::as_str) } else { None };
        let line = format!("  {WORD}{}{WORD:#}  {}", pad(word, left), first.unwrap_or_default());
        text.push_str(line.trim_end());
        text.push('\n');
        for line in lines.iter().skip(usize::from(fits)) {
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
}

/// `-o, --output <FILE>`, or `[FILES]...` of a positional argument.
fn name_of(argument: &Arg) -> String {
    if argument.is_positional() {
        return argument.to_string();
    }
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    format!("{short}{argument}")
}

/// What an argument means, the values it can have, and what it is when it is not given.
fn help_of(argument: &Arg, lang: Lang) -> String {
    let own = match argument.get_id().as_str() {
        "help" => lang.pick(
            "Show this; `ckad-grade COMMAND --help` tells more of a command",
            "顯示說明；`ckad-grade COMMAND --help` 說明單一指令",
        ),
        "version" => lang.pick("Show the version", "顯示版本"),
        _ => "",
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut help = if own.is_empty() { help } else { own.to_owned() };
    if argument.get_action().takes_values() {
        let values = argument.get_possible_values();
        let values: Vec<&str> =
            values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name()).collect();
        if !values.is_empty() {
            let values = lang.pick(format!(": {}", values.join(", ")), format!("：{}", values.join("、")));
            // what is the default stands last
            let end = help.find(" [").unwrap_or(help.len());
            help.insert_str(end, &values);
        }
        let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy());
        let defaults = defaults.collect::<Vec<_>>().join(" ");
        if !defaults.is_empty() {
            help.push_str(&lang.pick(format!(" [default: {defaults}]"), format!(" [預設：{defaults}]")));
        }
    }
    help
}

/// The examples of a page for its manual page, without colours.
fn plain_examples(path: &str, lang: Lang) -> String {
    let page = of_page(path);
    let mut text = format!("{}\n", lang.pick("Examples:", "範例："));
    // a manual page is indented
    two_columns(&mut text, &examples_of(page.examples, lang), COLUMNS - 10);
    if let Some((en, zh_tw)) = page.end {
        text.push_str(&format!("\n{}", lang.pick(en, zh_tw)));
    }
    if page.examples.is_empty() { String::new() } else { anstream::adapter::strip_str(&text).to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every command with its path.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            all(sub, &path_of(path, sub.get_name()), found);
        }
    }

    fn every_command(lang: Lang) -> Vec<(String, Command)> {
        let mut found = Vec::new();
        all(&command(lang), "", &mut found);
        found
    }

    #[test]
    fn every_command_and_argument_is_told_in_chinese() {
        for (path, command) in every_command(Lang::En) {
            assert!(zh_tw::text(&path, "").is_some(), "`{path}`");
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let id = argument.get_id().as_str();
                assert!(zh_tw::text(&path, id).is_some(), "`{path}` {id}");
            }
        }
    }

    #[test]
    fn nothing_is_told_in_chinese_that_is_not_there() {
        let commands = every_command(Lang::En);
        for (path, id, _) in zh_tw::TEXTS {
            let command = commands.iter().find(|(other, _)| other == path).map(|(_, command)| command);
            let is_there = command.is_some_and(|c| id.is_empty() || c.get_arguments().any(|a| a.get_id() == id));
            assert!(is_there, "`{path}` {id}");
        }
    }

    #[test]
    fn every_command_is_in_one_group_and_has_a_page_with_examples_that_fits() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let mut known = names(&Cli::command());
        known.sort_unstable();
        assert_eq!(grouped, known);
        for lang in Lang::ALL {
            for (path, mut command) in every_command(lang) {
                let help = command.render_help().to_string();
                assert!(help.contains(&format!("\n{}\n", lang.pick("Examples", "範例"))), "{path}\n{help}");
                let wide: Vec<&str> = help.lines().filter(|line| width(line) > COLUMNS).collect();
                assert!(wide.is_empty(), "{path}: {wide:#?}");
            }
        }
    }

    #[test]
    fn every_example_is_a_command_that_is_understood() {
        for (path, _) in every_command(Lang::En) {
            for (example, ..) in of_page(&path).examples.iter().chain(examples::WELCOME) {
                let ours = example.split(['|', ')']).find(|part| part.contains("ckad-grade")).unwrap();
                let ours = ours.split('>').next().unwrap().trim_start_matches("source <(");
                let words = ours.split_whitespace().map(|word| word.trim_matches('\''));
                let parsed = Cli::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
