//! `ckad-grade exam`: a timed set of tasks.
mod result;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};
use clap::{Args, Subcommand};
use k8s_openapi::jiff::SignedDuration;
use serde_json::json;

use super::{Exit, Failure, Format, Session, answer, library, path_failed, practice, show};
use crate::grade::PASS_PERCENT;
use crate::practice::exam::{self, Exam, ExamResult, Question};
use crate::practice::progress;
use crate::practice::task_file::{empty_answer, markdown};
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::width::{pad, width, wrap};
use crate::scenario::{Scenario, short_id};

/// Where an exam is unless somebody says.
const FOLDER: &str = "ckad-exam";

const SOFT: Style = AnsiColor::BrightBlack.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const STRONG: Style = Style::new().bold();

/// What to do with an exam.
#[derive(Subcommand, Debug)]
pub(super) enum ExamCommand {
    /// Begin one: a folder for each task, and the clock starts
    Start(StartArgs),
    /// The clock and the tasks
    Status,
    /// A clock that runs
    Clock,
    /// Mark a task to come back to it, or take the mark away
    Flag {
        /// The task's number
        number: usize,
    },
    /// End it and see the result
    Finish {
        /// Do not ask, even if there is time left
        #[arg(long, short)]
        yes: bool,
    },
    /// Look back at the last exam, or at one task of it and why
    Review {
        /// The task's number
        number: Option<usize>,
    },
}

/// How an exam is to be.
#[derive(Args, Debug)]
pub(super) struct StartArgs {
    /// Where to put the tasks [default: ckad-exam, or ckad-exam-2…]
    folder: Option<PathBuf>,
    /// How long it lasts; the number of tasks follows from it
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    /// The same number gives the same tasks
    #[arg(long)]
    seed: Option<u64>,
    /// Give up the exam that is under way
    #[arg(long)]
    force: bool,
}

pub(super) fn run(session: &mut Session<'_>, command: Option<&ExamCommand>) -> Result<Exit, Failure> {
    match command {
        Some(ExamCommand::Start(arguments)) => start(session, arguments),
        None | Some(ExamCommand::Status) => status(session),
        Some(ExamCommand::Clock) => clock(session),
        Some(ExamCommand::Flag { number }) => flag(session, *number),
        Some(ExamCommand::Finish { yes }) => result::finish(session, *yes),
        Some(ExamCommand::Review { number }) => result::review(session, *number),
    }
}

/// The exam under way.
fn current(session: &Session<'_>) -> Result<Exam, Failure> {
    let store = practice::store()?;
    if let Some(exam) = Exam::load(&store)? {
        return Ok(exam);
    }
    let none = "there is no exam under way; begin one: ckad-grade exam start";
    let none_zh = "目前沒有進行中的考試；開始一場：ckad-grade exam start";
    let mut text = session.lang.pick(none, none_zh).to_owned();
    if ExamResult::last(&store)?.is_some() {
        let last = session.lang.pick("The last one: ckad-grade exam review", "上一場：ckad-grade exam review");
        text.push_str(&format!("\n{last}"));
    }
    Err(Failure::usage(text))
}

fn scenarios(session: &Session<'_>) -> Result<Vec<Scenario>, Failure> {
    let (library, _) = library::open(session)?;
    library.entries().map(|entry| entry.load().map_err(|error| library::wrong_scenario(session, error))).collect()
}

fn start(session: &mut Session<'_>, arguments: &StartArgs) -> Result<Exit, Failure> {
    let lang = session.lang;
    let store = practice::store()?;
    // --force gets over one that cannot be read, too
    let under_way = if arguments.force { None } else { Exam::load(&store)? };
    if let Some(other) = under_way {
        let folder = other.folder.display();
        let text = lang.pick(
            format!(
                "an exam is under way in {folder}; end it with `ckad-grade exam finish`, or give it up with --force"
            ),
            format!("{folder} 有一場進行中的考試；用 `ckad-grade exam finish` 結束，或用 --force 放棄"),
        );
        return Err(Failure::usage(text));
    }
    let failed = |path: &Path, error: io::Error| Failure::usage(path_failed(path, &error, lang));
    let is_free = |folder: &Path| match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    let place = match &arguments.folder {
        Some(folder) if !is_free(folder) => {
            let folder = folder.display();
            return Err(Failure::usage(lang.pick(
                format!("{folder} is not an empty folder; name another one"),
                format!("{folder} 不是空的資料夾；請指定其他資料夾"),
            )));
        }
        Some(folder) => folder.clone(),
        None => {
            let later = (2..).map(|number| PathBuf::from(format!("{FOLDER}-{number}")));
            let mut names = std::iter::once(PathBuf::from(FOLDER)).chain(later);
            names.find(|folder| is_free(folder)).unwrap_or_default()
        }
    };
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = arguments.seed.unwrap_or(clock.as_secs() % 100_000);
    let all = scenarios(session)?;
    let chosen = exam::choose(&all, arguments.minutes, seed);
    fs::create_dir_all(&place).map_err(|error| failed(&place, error))?;
    let folder = fs::canonicalize(&place).map_err(|error| failed(&place, error))?;
    let question = |(number, scenario): (usize, &&Scenario)| Question {
        scenario: scenario.id.clone(),
        folder: format!("{number:02}-{}", short_id(&scenario.id)),
        flagged: false,
    };
    let questions = (1..).zip(&chosen).map(question).collect();
    let exam = Exam { seed, started: progress::now(), minutes: arguments.minutes, folder, questions };
    // what cannot be kept is not begun
    if let Err(error) = exam.save(&store) {
        let _ = fs::remove_dir(&place);
        return Err(error.into());
    }
    for (question, scenario) in exam.questions.iter().zip(&chosen) {
        let folder = place.join(&question.folder);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let there = show::cluster_at_start(session, scenario)?;
        for (file, text) in
            [("task.md", markdown(scenario, &there, lang)), ("answer.yaml", empty_answer(scenario, lang))]
        {
            let path = folder.join(file);
            fs::write(&path, text).map_err(|error| failed(&path, error))?;
        }
    }
    let (number, minutes) = (exam.questions.len(), exam.minutes);
    let head = lang.pick(
        format!("{number} tasks, {minutes} minutes, {PASS_PERCENT} % pass. Seed {seed}. The clock runs."),
        format!("{number} 題，{minutes} 分鐘，{PASS_PERCENT} % 及格。Seed {seed}。計時開始。"),
    );
    writeln!(session.out, "{STRONG}{head}{STRONG:#}\n")?;
    let first = exam.questions.first().map(|question| place.join(&question.folder)).unwrap_or_default();
    let (task, answer) = (first.join("task.md").display().to_string(), first.join("answer.yaml").display().to_string());
    let rows = [
        (lang.pick("read", "閱讀"), task),
        (lang.pick("write", "作答"), answer),
        ("", lang.pick("or commands.sh beside it, and so on", "或旁邊的 commands.sh，依此類推").to_owned()),
    ];
    for (what, place) in &rows {
        writeln!(session.out, "  {}  {}", pad(what, 5), sanitise(place))?;
    }
    let commands = [
        ("ckad-grade exam", lang.pick("time left, what is answered", "剩餘時間、作答情形")),
        ("ckad-grade exam flag 3", lang.pick("come back to task 3", "標記第 3 題，稍後再做")),
        ("ckad-grade exam finish", lang.pick("the result", "看成績")),
    ];
    writeln!(session.out)?;
    for (command, what) in commands {
        writeln!(session.out, "  {}  {SOFT}{what}{SOFT:#}", pad(command, 22))?;
    }
    Ok(Exit::Success)
}

/// The manifests of a task's answer, and whether there is more in them than comments.
fn read_answer(session: &Session<'_>, folder: &Path) -> (Vec<crate::timeline::ManifestFile>, bool) {
    let files = answer::read(session, &[folder.to_owned()]).unwrap_or_default();
    let answered = !answer::is_empty(&files);
    (files, answered)
}

fn status(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let exam = current(session)?;
    let lang = session.lang;
    let left = exam.end().duration_since(progress::now());
    let rows: Vec<(usize, &Question, bool)> = (1..)
        .zip(&exam.questions)
        .map(|(number, question)| (number, question, read_answer(session, &exam.folder.join(&question.folder)).1))
        .collect();
    if session.format != Format::Text {
        let questions: Vec<_> = rows
            .iter()
            .map(|(number, question, answered)| {
                json!({ "number": number, "scenario": question.scenario, "folder": question.folder,
                        "flagged": question.flagged, "answered": answered })
            })
            .collect();
        session.data(&json!({ "seed": exam.seed, "started": exam.started, "minutes": exam.minutes,
            "secondsLeft": left.as_secs().max(0), "folder": exam.folder, "questions": questions }))?;
        return Ok(Exit::Success);
    }
    let (answered, total) = (rows.iter().filter(|(_, _, answered)| *answered).count(), rows.len());
    let done = lang.pick(format!("{answered} of {total} answered"), format!("{total} 題中已作答 {answered} 題"));
    writeln!(session.out, "{} · {done}\n", time_left(left, lang))?;
    let all = scenarios(session)?;
    let state_of = |question: &Question, answered: bool| {
        let state = if answered { lang.pick("answered", "已作答") } else { lang.pick("empty", "空白") };
        let flag = if question.flagged { lang.pick(", flagged", "，已標記") } else { "" };
        format!("{state}{flag}")
    };
    let state_wide = rows.iter().map(|(_, question, done)| width(&state_of(question, *done))).max().unwrap_or_default();
    let folder_wide = rows.iter().map(|(_, question, _)| width(&question.folder)).max().unwrap_or_default();
    for (number, question, answered) in rows {
        let style = match (question.flagged, answered) {
            (true, _) => NOTE,
            (false, true) => GOOD,
            (false, false) => SOFT,
        };
        let state = pad(&state_of(question, answered), state_wide);
        let folder = pad(&sanitise(&question.folder), folder_wide);
        let title = all.iter().find(|scenario| scenario.id == question.scenario).map(|s| s.title.get(lang).trim());
        let indent = 5 + state_wide + 2 + folder_wide + 2;
        let title = wrap(&sanitise(title.unwrap_or_default()), COLUMNS.saturating_sub(indent).max(20));
        let title = title.join(&format!("\n{}", " ".repeat(indent)));
        writeln!(session.out, "{number:>3}  {style}{state}{style:#}  {folder}  {SOFT}{title}{SOFT:#}")?;
    }
    Ok(Exit::Success)
}

fn time_left(left: SignedDuration, lang: crate::lang::Lang) -> String {
    if left.is_negative() {
        let over = practice::span(-left, lang);
        let text = lang.pick(format!("time was up {over} ago"), format!("時間已到，超過 {over}"));
        return format!("{BAD}{text}{BAD:#}");
    }
    let span = practice::span(left, lang);
    let text = lang.pick(format!("{span} left"), format!("剩餘 {span}"));
    let style = if left < SignedDuration::from_mins(10) { NOTE } else { STRONG };
    format!("{style}{text}{style:#}")
}

fn clock(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let exam = current(session)?;
    loop {
        let left = exam.end().duration_since(progress::now());
        let text = time_left(left, session.lang);
        if !io::stdout().is_terminal() {
            writeln!(session.out, "{text}")?;
            return Ok(Exit::Success);
        }
        write!(session.out, "\r\x1b[K{text}")?;
        session.out.flush()?;
        if left.is_negative() {
            writeln!(session.out)?;
            return Ok(Exit::Success);
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn no_such_task(total: usize, lang: crate::lang::Lang) -> String {
    lang.pick(format!("the tasks are numbered 1 to {total}"), format!("題號是 1 到 {total}"))
}

fn flag(session: &mut Session<'_>, number: usize) -> Result<Exit, Failure> {
    let mut exam = current(session)?;
    let total = exam.questions.len();
    let Some(question) = number.checked_sub(1).and_then(|index| exam.questions.get_mut(index)) else {
        return Err(Failure::usage(no_such_task(total, session.lang)));
    };
    question.flagged = !question.flagged;
    exam.save(&practice::store()?)?;
    status(session)
}
