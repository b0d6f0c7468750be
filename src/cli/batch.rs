//! `ckad-grade batch SUBMISSIONS`: grades a whole class, and `batch merge`: puts parts together.
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{Exit, Failure, Format, Session, library};
use crate::batch::attempts::Attempts;
use crate::batch::result::{Entry, Results, Status};
use crate::batch::roster::Roster;
use crate::batch::shard::Shard;
use crate::batch::{self, Options, layout, merge};
use crate::cluster::Cluster;
use crate::grade as grading;
use crate::picture::Picture;
use crate::report::html::{self, Detail};
use crate::report::text::batch::{BatchMessage, say as say_batch};
use crate::report::text::{Message, say};
use crate::report::{self, Report, canvas, csv, github, gradescope, json, jsonl, junit, moodle};
use crate::scenario::{Library, Lookup, Scenario};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "ckad-grade batch [OPTIONS] SUBMISSIONS\n       ckad-grade batch merge [OPTIONS] FILE...")]
pub(super) struct Arguments {
    /// A folder, or a .zip, .tar or .tar.gz as it was downloaded
    #[arg(required = true)]
    submissions: Option<PathBuf>,
    /// Where student, scenario and attempt stand in a path, e.g. '{student}/{scenario}.yaml'
    #[arg(long, value_name = "PATTERN")]
    layout: Option<String>,
    /// Only these tasks, e.g. 105,107; if it is one, paths need not name it
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    only: Vec<String>,
    /// Which attempts of a student at a task count
    #[arg(long, value_enum, default_value = "last")]
    attempts: AttemptsArg,
    /// How many answers are graded at the same time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Grade only the I-th of N parts; put the parts together with `batch merge`
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Keep results in this file as they are made, and take over those whose answer has not changed
    #[arg(long, value_name = "JOURNAL", num_args = 0..=1, require_equals = true, default_missing_value = JOURNAL)]
    resume: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The default journal.
const JOURNAL: &str = "ckad-grade-batch.journal";

#[derive(Args, Debug)]
struct Output {
    /// Who is in the course: a CSV as the learning platform exports it
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Write the results to a file: .csv, .html, .json, .jsonl, .xml (JUnit)
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Write the results in a format: csv, canvas, moodle, html, json, jsonl, junit, gradescope, github; - is standard output
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ReportArg>,
    /// Point out answers that are alike beyond what the task forces
    #[arg(long)]
    similar: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Put the parts of several machines together: what each wrote with -o PART.jsonl
    Merge {
        /// The parts
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AttemptsArg {
    /// The one with most points
    Best,
    /// The last one
    Last,
    /// Every one has a line of its own
    All,
}

/// A format and where to write it.
#[derive(Clone, Debug)]
struct ReportArg {
    kind: Kind,
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Csv,
    Canvas,
    Moodle,
    Json,
    Jsonl,
    Junit,
    Gradescope,
    Github,
    Html,
}

impl FromStr for ReportArg {
    type Err = String;
    fn from_str(text: &str) -> Result<ReportArg, String> {
        let (kind, file) = text.split_once('=').ok_or("it is to be FORMAT=FILE")?;
        Ok(ReportArg { kind: Kind::from_str(kind, true)?, file: file.into() })
    }
}

impl Kind {
    fn of_extension(file: &Path) -> Option<Kind> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Kind::Csv),
            "json" => Some(Kind::Json),
            "jsonl" | "ndjson" => Some(Kind::Jsonl),
            "xml" => Some(Kind::Junit),
            "html" | "htm" => Some(Kind::Html),
            _ => None,
        }
    }

    fn write(
        self,
        results: &Results,
        roster: Option<&Roster>,
        library: &Library,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Kind::Csv => csv::write(results, out),
            Kind::Canvas => canvas::write(results, roster, out),
            Kind::Moodle => moodle::write(results, roster, out),
            Kind::Json => json::write_batch(results, out),
            Kind::Jsonl => jsonl::write(results, out),
            Kind::Junit => junit::write(results, out),
            Kind::Gradescope => gradescope::write(results, out),
            Kind::Github => github::write(results, out),
            Kind::Html => {
                let mut scenarios = HashMap::new();
                html::write(results, &mut |entry| detail(entry, results, library, &mut scenarios), out)
            }
        }
    }
}

/// Scenarios with the clusters in which they begin.
type Ready = HashMap<String, Option<(Scenario, Cluster)>>;

/// An answer graded once more, for what an entry does not hold.
fn detail(entry: &Entry, results: &Results, library: &Library, scenarios: &mut Ready) -> Option<Detail> {
    let answer = results.answer(entry).filter(|_| entry.is_graded())?;
    if !scenarios.contains_key(&entry.scenario) {
        let found = library.entries().find(|known| known.id == entry.scenario).and_then(|known| known.load().ok());
        let ready = found.and_then(|scenario| grading::start(&scenario).ok().map(|start| (scenario, start)));
        scenarios.insert(entry.scenario.clone(), ready);
    }
    let (scenario, start) = scenarios.get(&entry.scenario)?.as_ref()?;
    let graded = grading::grade_in(scenario, start.clone(), &answer).ok()?;
    let lang = results.summary.lang;
    Some(Detail { report: Report::new(scenario, &graded, lang), picture: Picture::of_grade(scenario, &graded, lang) })
}

pub(super) fn run(session: &mut Session<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let output = match &arguments.command {
        Some(Command::Merge { output, .. }) => output,
        None => &arguments.output,
    };
    // what is wrong with the command is said before hours of work
    let lang = session.lang;
    let reports = output.reports(session)?;
    let roster = match &output.roster {
        Some(file) => Some(Roster::read(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?),
        None => None,
    };
    if roster.is_none() && reports.iter().any(|report| matches!(report.kind, Kind::Canvas | Kind::Moodle)) {
        session.note(&say_batch(lang, &BatchMessage::NoRosterForGradebook))?;
    }
    let (library, _) = library::open(session)?;
    let results = match (&arguments.command, &arguments.submissions) {
        (Some(Command::Merge { files, .. }), _) => merge::merge(files, &library, output.similar, lang),
        (None, Some(submissions)) => {
            let layout =
                match &arguments.layout {
                    Some(pattern) => Some(layout::pattern(pattern).map_err(|error| {
                        Failure::usage(say_batch(lang, &BatchMessage::LayoutWrong { error: &error }))
                    })?),
                    None => None,
                };
            let options = Options {
                submissions,
                only: asked(session, &library, &arguments.only)?,
                library: &library,
                layout,
                roster: roster.as_ref(),
                attempts: match arguments.attempts {
                    AttemptsArg::Best => Attempts::Best,
                    AttemptsArg::Last => Attempts::Last,
                    AttemptsArg::All => Attempts::All,
                },
                jobs: arguments.jobs,
                shard: arguments.shard,
                journal: arguments.resume.clone(),
                similar: output.similar,
                keep_answers: reports.iter().any(|report| report.kind == Kind::Html),
                lang,
            };
            grade(session, &options)
        }
        (None, None) => {
            return Err(Failure::usage(session.lang.pick("no submissions are given", "沒有指定繳交的檔案")));
        }
    };
    let results = results.map_err(Failure::usage)?;
    if results.summary.entries == 0 {
        let folder = arguments.submissions.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        session.note(&say_batch(lang, &BatchMessage::NothingFound { folder: &folder }))?;
    }
    for report in &reports {
        write(session, report, &results, roster.as_ref(), &library)?;
    }
    // standard output is for one thing
    if !reports.iter().any(|report| report.file.as_os_str() == "-") {
        match session.format {
            Format::Text => report::batch::write(&results, &mut session.out)?,
            // JSON is YAML, too
            Format::Json | Format::Yaml => json::write_batch(&results, &mut session.out)?,
        }
    }
    let fine = |status: &Status| matches!(status, Status::Graded | Status::Unreadable | Status::Missing);
    Ok(if results.summary.statuses.keys().all(fine) { Exit::Success } else { Exit::NotFull })
}

impl Output {
    fn reports(&self, session: &Session<'_>) -> Result<Vec<ReportArg>, Failure> {
        let mut reports = self.report.clone();
        for file in &self.output {
            let Some(kind) = Kind::of_extension(file) else {
                let file = file.display().to_string();
                return Err(Failure::usage(say_batch(session.lang, &BatchMessage::NoSuchOutput { file: &file })));
            };
            reports.push(ReportArg { kind, file: file.clone() });
        }
        Ok(reports)
    }
}

/// The names of the scenarios asked for.
fn asked(session: &Session<'_>, library: &Library, only: &[String]) -> Result<BTreeSet<String>, Failure> {
    let mut ids = BTreeSet::new();
    for name in only.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        match library.find(name) {
            Lookup::Found(entry) => ids.insert(entry.id.clone()),
            Lookup::Unknown { suggestion } => {
                return Err(Failure::usage(say(session.lang, &Message::UnknownScenario { name, suggestion })));
            }
        };
    }
    Ok(ids)
}

/// Grades, with a bar where somebody looks on.
fn grade(session: &mut Session<'_>, options: &Options<'_>) -> io::Result<Results> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    let style = "{msg} {bar:30} {human_pos}/{human_len}  {rate}";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let lang = options.lang;
    bar.set_style(style.with_key("rate", move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let (rate, left) = (format!("{:.0}", state.per_sec()), format!("{:#}", HumanDuration(state.eta())));
        let _ = out.write_str(&say_batch(lang, &BatchMessage::Rate { rate: &rate, left: &left }));
    }));
    bar.set_message(say_batch(options.lang, &BatchMessage::Grading));
    let mut resumed = 0;
    let results = batch::run(options, &mut |progress| {
        bar.set_length(progress.total.max(progress.done));
        bar.set_position(progress.done);
        resumed = progress.resumed;
    });
    bar.finish_and_clear();
    if resumed > 0 {
        session.note(&say_batch(options.lang, &BatchMessage::Resumed { number: resumed }))?;
    }
    results
}

fn write(
    session: &mut Session<'_>,
    report: &ReportArg,
    results: &Results,
    roster: Option<&Roster>,
    library: &Library,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::usage(format!("{}: {error}", report.file.display()));
    if report.file.as_os_str() == "-" {
        return report.kind.write(results, roster, library, &mut session.out).map_err(failed);
    }
    let mut out = BufWriter::new(File::create(&report.file).map_err(failed)?);
    report.kind.write(results, roster, library, &mut out).and_then(|()| out.flush()).map_err(failed)?;
    let file = report.file.display().to_string();
    session.note(&say_batch(session.lang, &BatchMessage::WroteReport { file: &file }))?;
    Ok(())
}
