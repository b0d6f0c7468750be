//! The command line: one file per command.
mod answer;
mod batch;
mod complete;
mod completions;
mod exam;
mod explain;
mod grade;
mod help;
mod hint;
mod init;
mod library;
mod list;
mod man;
mod picture;
mod practice;
mod progress;
mod scenario;
mod schema;
mod show;
mod simulate;
mod solution;
mod usage;
mod watch;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use serde_json::Value;

use crate::lang::Lang;
use crate::report::narrow::{Narrow, fit};
use crate::report::plain::Plain;
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::width::wrap;
use crate::yaml;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Full marks, or the command did what it was asked.
    Success = 0,
    /// Less than full marks.
    NotFull = 1,
    /// The command or a scenario is wrong.
    Usage = 2,
    /// The answer cannot be read.
    Unreadable = 3,
}

const ABOUT: &str = "Tells whether Kubernetes YAML would do what a CKAD practice task asks, without a cluster";

#[derive(Parser, Debug)]
#[command(name = "ckad-grade", version, about = ABOUT, disable_help_subcommand = true)]
#[command(subcommand_negates_reqs = true, max_term_width = 100)]
#[command(override_usage = "ckad-grade [OPTIONS] SCENARIO [FILE|DIR|-]...\n       ckad-grade [OPTIONS] COMMAND")]
struct Cli {
    #[command(flatten)]
    grade: GradeArgs,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: Global,
}

#[derive(Args, Debug)]
struct GradeArgs {
    /// The task to grade, e.g. scenario-107 or just 107
    #[arg(required = true)]
    scenario: Option<String>,
    /// The answer: files, folders, or - for standard input [default: ./SCENARIO.yaml, .yml, .json or ./SCENARIO/]
    files: Vec<PathBuf>,
    /// Draw what came of it: FILE.svg, .png, .dot or .mermaid, or - for this terminal
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Global {
    /// How to print the result
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: Format,
    /// The language to answer in [default: from LC_ALL, LC_MESSAGES, LANG]
    #[arg(long, value_enum, global = true)]
    lang: Option<LangArg>,
    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_enum, default_value = "auto", global = true)]
    color: ColorArg,
    /// For screen readers: words instead of signs, no colours
    #[arg(long, global = true)]
    plain: bool,
    /// A folder of scenarios that override the built-in ones [default: ./scenarios, if there is one]
    #[arg(long, value_name = "DIR", global = true)]
    scenarios: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs that like YAML better
    Yaml,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LangArg {
    /// English
    En,
    /// 繁體中文
    #[value(name = "zh-TW", alias = "zh-tw", alias = "zh_TW", alias = "zh")]
    ZhTw,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorArg {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List all tasks, or those of a chapter or with a word
    List(list::ListArgs),
    /// Show what a task asks
    Show {
        /// The task, e.g. 107
        scenario: String,
        /// Show the manifests of what is in the cluster at the start instead
        #[arg(long)]
        cluster: bool,
    },
    /// Show a hint to a task, one at a time
    Hint {
        /// The task, e.g. 107
        scenario: String,
        /// Which hint
        #[arg(default_value_t = 1)]
        number: usize,
    },
    /// Show the key of a task and why it is right
    Solution {
        /// The task, e.g. 107
        scenario: String,
    },
    /// Play manifests, or a timeline, into a cluster and show what comes of it
    Simulate(simulate::SimulateArgs),
    /// For authors of tasks: begin one, check some
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
    /// Tell what each controller did and why, and the smallest change that would help
    Explain {
        /// A task and the answer to it, or manifests alone
        #[arg(required = true, value_name = "SCENARIO|FILE")]
        what: Vec<PathBuf>,
    },
    /// Grade an answer again whenever it is saved
    Watch {
        /// The task [default: the next one to do]
        scenario: Option<String>,
        /// The answer, as for grading
        files: Vec<PathBuf>,
    },
    /// A timed set of tasks, like the exam
    Exam {
        #[command(subcommand)]
        command: Option<exam::ExamCommand>,
    },
    /// What is solved, and what to do next
    Progress,
    /// Make a folder to practise in: tasks, empty answers, editor settings
    Init {
        /// The folder
        folder: PathBuf,
    },
    /// Print a script that completes commands and tasks in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// What can be typed next; for the scripts of `completions`
    #[command(hide = true)]
    Complete {
        /// The words so far, the last one as far as it is typed
        #[arg(last = true)]
        words: Vec<String>,
    },
    /// Write the manual pages
    Man {
        /// Where to [default: the first page to standard output]
        folder: Option<PathBuf>,
    },
    /// For authors of tasks: JSON Schema of their files
    Schema,
    /// Grade all answers of all students
    Batch(Box<batch::Arguments>),
}

impl Cli {
    /// Whether a command prints for people alone: nothing that one copies or that goes into a file.
    fn is_for_reading(&self) -> bool {
        let copied = |command: &Command| {
            matches!(
                command,
                Command::Show { cluster: true, .. }
                    | Command::Solution { .. }
                    | Command::Simulate(_)
                    | Command::Completions { .. }
                    | Command::Complete { .. }
                    | Command::Man { .. }
                    | Command::Schema
                    | Command::Batch(_)
            )
        };
        self.global.format == Format::Text && !self.command.as_ref().is_some_and(copied)
    }
}

/// The columns that can be used: those of the terminal, but not more than are good to read.
fn columns() -> usize {
    let terminal = io::stdout().is_terminal().then(|| console::Term::stdout().size_checked()).flatten();
    terminal.map_or(COLUMNS, |(_, columns)| COLUMNS.min(columns.into()).max(20))
}

/// Why a command could not do its work.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    /// Empty when there is nobody to tell.
    message: String,
}

impl Failure {
    fn usage(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Usage, message: message.to_string() }
    }
    fn unreadable(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Unreadable, message: message.to_string() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // whoever reads our output has seen enough
            io::ErrorKind::BrokenPipe => Failure { exit: Exit::Success, message: String::new() },
            _ => Failure::usage(error),
        }
    }
}

/// What every command works with.
struct Session<'a> {
    lang: Lang,
    format: Format,
    scenarios: Option<PathBuf>,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Session<'_> {
    /// A remark beside the result.
    fn note(&mut self, text: &str) -> io::Result<()> {
        const NOTE: Style = AnsiColor::Yellow.on_default();
        writeln!(self.err, "{NOTE}{}{NOTE:#}", sanitise(text))
    }

    /// A result for programs.
    fn data(&mut self, value: &Value) -> io::Result<()> {
        match self.format {
            Format::Yaml => self.out.write_all(yaml::to_string(value).as_bytes()),
            Format::Json | Format::Text => writeln!(self.out, "{value:#}"),
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let exit = run(std::env::args_os().collect(), &|name| std::env::var(name).ok());
    ExitCode::from(exit as u8)
}

fn run(mut arguments: Vec<OsString>, variable: &dyn Fn(&str) -> Option<String>) -> Exit {
    let lang = language(asked_language(&arguments), variable);
    // `ckad-grade help exam start`
    if arguments.get(1).is_some_and(|word| word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    let parsed = help::command(lang).try_get_matches_from(&arguments).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            let mut out = anstream::stdout();
            let help = error.render().ansi().to_string();
            let _ = help.lines().flat_map(|line| fit(line, columns())).try_for_each(|line| writeln!(out, "{line}"));
            return Exit::Success;
        }
        Err(error) => {
            let nothing = error.kind() == ErrorKind::MissingRequiredArgument && names_nothing(&arguments);
            if nothing {
                let _ = write!(anstream::stderr(), "{}", help::welcome(lang));
                return Exit::Usage;
            }
            return fail(&mut anstream::stderr(), lang, &Failure::usage(usage::explain(&error, &arguments, lang)));
        }
    };
    match cli.global.color {
        _ if cli.global.plain => anstream::ColorChoice::Never.write_global(),
        ColorArg::Auto => {}
        ColorArg::Always => anstream::ColorChoice::AlwaysAnsi.write_global(),
        ColorArg::Never => anstream::ColorChoice::Never.write_global(),
    }
    let mut out: Box<dyn Write> = Box::new(io::BufWriter::new(anstream::stdout()));
    if columns() < COLUMNS && cli.is_for_reading() {
        out = Box::new(Narrow::new(out, columns()));
    }
    if cli.global.plain {
        out = Box::new(Plain::new(out));
    }
    let mut err = anstream::stderr();
    let mut session =
        Session { lang, format: cli.global.format, scenarios: cli.global.scenarios, out: &mut *out, err: &mut err };
    let result = match (cli.command, cli.grade.scenario.clone()) {
        (Some(_), Some(scenario)) => Err(Failure::usage(lang.pick(
            format!("a command does not come after a task: ckad-grade {scenario} [FILE]..."),
            format!("指令不能寫在題目後面：ckad-grade {scenario} [FILE]..."),
        ))),
        (None, None) => Err(Failure::usage(help::welcome(lang))),
        (None, Some(scenario)) => grade::run(&mut session, &scenario, &cli.grade),
        (Some(Command::List(asked)), _) => list::run(&mut session, &asked),
        (Some(Command::Show { scenario, cluster: false }), _) => show::run(&mut session, &scenario),
        (Some(Command::Show { scenario, cluster: true }), _) => show::run_cluster(&mut session, &scenario),
        (Some(Command::Hint { scenario, number }), _) => hint::run(&mut session, &scenario, number),
        (Some(Command::Solution { scenario }), _) => solution::run(&mut session, &scenario),
        (Some(Command::Simulate(arguments)), _) => simulate::run(&mut session, &arguments),
        (Some(Command::Batch(arguments)), _) => batch::run(&mut session, &arguments),
        (Some(Command::Scenario(command)), _) => scenario::run(&mut session, &command),
        (Some(Command::Explain { what }), _) => explain::run(&mut session, &what),
        (Some(Command::Watch { scenario, files }), _) => watch::run(&mut session, scenario.as_deref(), &files),
        (Some(Command::Exam { command }), _) => exam::run(&mut session, command.as_ref()),
        (Some(Command::Progress), _) => progress::run(&mut session),
        (Some(Command::Init { folder }), _) => init::run(&mut session, &folder),
        (Some(Command::Completions { shell }), _) => completions::run(&mut session, shell),
        (Some(Command::Complete { words }), _) => complete::run(&mut session, &words),
        (Some(Command::Man { folder }), _) => man::run(&mut session, folder.as_deref()),
        (Some(Command::Schema), _) => schema::run(&mut session),
    };
    let flushed = out.flush();
    match (result, flushed) {
        (Ok(exit), Ok(())) => exit,
        // whoever reads our output has seen enough
        (Ok(exit), Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        (Ok(_), Err(error)) => fail(&mut err, lang, &Failure::usage(error)),
        (Err(failure), _) => fail(&mut err, lang, &failure),
    }
}

/// What the operating system says about a path, in words: `f: there is a file of this name`.
fn path_failed(path: &Path, error: &io::Error, lang: Lang) -> String {
    format!("{}{}{}", path.display(), lang.pick(": ", "："), os_words(error, lang))
}

/// Why a file cannot be used, in words.
fn os_words(error: &io::Error, lang: Lang) -> String {
    use io::ErrorKind as Kind;
    let (en, zh_tw) = match error.kind() {
        Kind::NotFound => ("there is no such file or folder", "沒有這個檔案或資料夾"),
        Kind::PermissionDenied => ("permission denied", "沒有權限"),
        Kind::AlreadyExists | Kind::NotADirectory => {
            ("there is a file where a folder is needed", "這裡需要資料夾，卻是檔案")
        }
        Kind::IsADirectory => ("it is a folder, not a file", "這是資料夾，不是檔案"),
        Kind::ReadOnlyFilesystem => ("the file system is read-only", "檔案系統是唯讀的"),
        Kind::StorageFull => ("no space is left", "空間不足"),
        _ => {
            let text = error.to_string();
            return text.split(" (os error").next().unwrap_or(&text).to_owned();
        }
    };
    lang.pick(en, zh_tw).to_owned()
}

fn command_names() -> Vec<String> {
    Cli::command()
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect()
}

fn fail(err: &mut dyn Write, lang: Lang, failure: &Failure) -> Exit {
    if failure.message.is_empty() {
        return failure.exit;
    }
    const ERROR: Style = AnsiColor::Red.on_default().bold();
    let head = lang.pick("error: ", "錯誤：");
    let text = wrap(&format!("{head}{}", sanitise(&failure.message)), columns()).join("\n");
    let text = text.strip_prefix(head.trim_end()).unwrap_or(&text);
    let _ = writeln!(err, "{ERROR}{}{ERROR:#}{text}", head.trim_end());
    failure.exit
}

/// Whether a command line has options alone.
fn names_nothing(arguments: &[OsString]) -> bool {
    let mut value = false;
    arguments.iter().skip(1).filter_map(|argument| argument.to_str()).all(|word| {
        let is_value = std::mem::replace(&mut value, ["--lang", "--color", "--format", "--scenarios"].contains(&word));
        is_value || word.starts_with('-')
    })
}

/// The language that the command line asks for, before it is read as a whole: what is wrong with it is told in this language.
fn asked_language(arguments: &[OsString]) -> Option<LangArg> {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let behind = words.windows(2).find_map(|pair| match pair {
        ["--lang", value] => Some(*value),
        _ => None,
    });
    let joined = || words.iter().find_map(|word| word.strip_prefix("--lang="));
    LangArg::from_str(behind.or_else(joined)?, true).ok()
}

/// The language asked for, else that of the locale, else English.
fn language(asked: Option<LangArg>, variable: &dyn Fn(&str) -> Option<String>) -> Lang {
    match asked {
        Some(LangArg::En) => Lang::En,
        Some(LangArg::ZhTw) => Lang::ZhTw,
        None => ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .and_then(|locale| Lang::of_locale(&locale))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_language_comes_from_the_first_variable_that_is_set() {
        let variables = |name: &str| match name {
            "LC_ALL" => Some(String::new()),
            "LANG" => Some("zh_TW.UTF-8".to_owned()),
            _ => None,
        };
        assert_eq!(language(None, &variables), Lang::ZhTw);
        assert_eq!(language(Some(LangArg::En), &variables), Lang::En);
        assert_eq!(language(None, &|_| None), Lang::En);
    }
}
