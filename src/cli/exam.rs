//! `ckad-grade exam`: a timed set of tasks.
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};
use clap::{Args, Subcommand};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Exit, Failure, Format, Session, answer, library, practice, show};
use crate::grade::{self, PASS_PERCENT};
use crate::practice::exam::{self, Exam, ExamResult, Question, QuestionResult};
use crate::practice::progress;
use crate::practice::task_file::{empty_answer, markdown};
use crate::report::sanitise::sanitise;
use crate::report::width::pad;
use crate::scenario::{Scenario, short_id};

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
    Finish,
}

/// How an exam is to be.
#[derive(Args, Debug)]
pub(super) struct StartArgs {
    /// Where to put the tasks
    #[arg(default_value = "ckad-exam")]
    folder: PathBuf,
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
        Some(ExamCommand::Finish) => finish(session),
    }
}

/// The exam under way.
fn current(session: &Session<'_>) -> Result<Exam, Failure> {
    let none = "there is no exam under way; begin one: ckad-grade exam start";
    let none_zh = "目前沒有進行中的考試；開始一場：ckad-grade exam start";
    Exam::load(&practice::store()?)?.ok_or_else(|| Failure::usage(session.lang.pick(none, none_zh)))
}

fn scenarios(session: &Session<'_>) -> Result<Vec<Scenario>, Failure> {
    let (library, _) = library::open(session)?;
    library.entries().map(|entry| entry.load().map_err(|error| library::wrong_scenario(session, error))).collect()
}

fn start(session: &mut Session<'_>, arguments: &StartArgs) -> Result<Exit, Failure> {
    let lang = session.lang;
    let store = practice::store()?;
    if let Some(other) = Exam::load(&store)?.filter(|_| !arguments.force) {
        let folder = other.folder.display();
        let text = lang.pick(
            format!(
                "an exam is under way in {folder}; end it with `ckad-grade exam finish`, or give it up with --force"
            ),
            format!("{folder} 有一場進行中的考試；用 `ckad-grade exam finish` 結束，或用 --force 放棄"),
        );
        return Err(Failure::usage(text));
    }
    let failed = |path: &Path, error: io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let occupied = fs::read_dir(&arguments.folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        let folder = arguments.folder.display();
        return Err(Failure::usage(lang.pick(
            format!("{folder} is not empty; name another folder"),
            format!("{folder} 不是空的；請指定其他資料夾"),
        )));
    }
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = arguments.seed.unwrap_or(clock.as_secs() % 100_000);
    let all = scenarios(session)?;
    let chosen = exam::choose(&all, arguments.minutes, seed);
    let mut questions = Vec::new();
    for (number, scenario) in (1..).zip(&chosen) {
        let name = format!("{number:02}-{}", short_id(&scenario.id));
        let folder = arguments.folder.join(&name);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let there = show::cluster_at_start(session, scenario)?;
        for (file, text) in
            [("task.md", markdown(scenario, &there, lang)), ("answer.yaml", empty_answer(scenario, lang))]
        {
            let path = folder.join(file);
            fs::write(&path, text).map_err(|error| failed(&path, error))?;
        }
        questions.push(Question { scenario: scenario.id.clone(), folder: name, flagged: false });
    }
    let folder = fs::canonicalize(&arguments.folder).map_err(|error| failed(&arguments.folder, error))?;
    let started = progress::now();
    let exam = Exam { seed, started, minutes: arguments.minutes, folder, questions };
    exam.save(&store)?;
    let (number, minutes, place) = (exam.questions.len(), exam.minutes, arguments.folder.display());
    let head = lang.pick(
        format!("{number} tasks, {minutes} minutes, {PASS_PERCENT} % pass. Seed {seed}. The clock runs."),
        format!("{number} 題，{minutes} 分鐘，{PASS_PERCENT} % 及格。Seed {seed}。計時開始。"),
    );
    writeln!(session.out, "{STRONG}{head}{STRONG:#}")?;
    let how = lang.pick(
        format!("Read {place}/01-…/task.md, write answer.yaml beside it (or commands.sh), and so on.\nThe clock: ckad-grade exam\nThe end: ckad-grade exam finish"),
        format!("閱讀 {place}/01-…/task.md，把答案寫進旁邊的 answer.yaml（或 commands.sh），依此類推。\n看時間：ckad-grade exam\n結束：ckad-grade exam finish"),
    );
    writeln!(session.out, "{}", sanitise(&how))?;
    Ok(Exit::Success)
}

/// The manifests of a task's answer, and whether there is more in them than comments.
fn read_answer(session: &Session<'_>, folder: &Path) -> (Vec<crate::timeline::ManifestFile>, bool) {
    let files = answer::read(session, &[folder.to_owned()]).unwrap_or_default();
    let says_something = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    };
    let answered = files.iter().any(|file| says_something(&file.bytes));
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
    writeln!(session.out, "{}\n", time_left(left, lang))?;
    for (number, question, answered) in rows {
        let state = match answered {
            true => lang.pick("answered", "已作答"),
            false => lang.pick("empty", "空白"),
        };
        let flag = if question.flagged { lang.pick("flagged", "已標記") } else { "" };
        let style = if answered { GOOD } else { SOFT };
        let folder = pad(&sanitise(&question.folder), 34);
        writeln!(session.out, "{number:>3}  {folder}  {style}{}{style:#}  {NOTE}{flag}{NOTE:#}", pad(state, 8))?;
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

fn flag(session: &mut Session<'_>, number: usize) -> Result<Exit, Failure> {
    let mut exam = current(session)?;
    let total = exam.questions.len();
    let Some(question) = number.checked_sub(1).and_then(|index| exam.questions.get_mut(index)) else {
        let text = session.lang.pick(format!("there are tasks 1 to {total}"), format!("題號為 1 到 {total}"));
        return Err(Failure::usage(text));
    };
    question.flagged = !question.flagged;
    exam.save(&practice::store()?)?;
    status(session)
}

fn finish(session: &mut Session<'_>) -> Result<Exit, Failure> {
    let exam = current(session)?;
    let lang = session.lang;
    let all = scenarios(session)?;
    let mut questions = Vec::new();
    for question in &exam.questions {
        let Some(scenario) = all.iter().find(|scenario| scenario.id == question.scenario) else { continue };
        let folder = exam.folder.join(&question.folder);
        let (files, answered) = read_answer(session, &folder);
        let graded = grade::grade(scenario, &files).map_err(|error| library::wrong_scenario(session, error))?;
        questions.push(QuestionResult {
            scenario: scenario.id.clone(),
            domain: scenario.domain(),
            points: if answered { graded.points() } else { 0 },
            possible: graded.possible(),
            late: answered && last_change(&folder).is_some_and(|change| change > exam.end()),
            answered,
        });
    }
    let store = practice::store()?;
    for question in questions.iter().filter(|question| question.answered) {
        progress::note_tried(&store, &question.scenario, question.points, question.possible)?;
    }
    let result = ExamResult { seed: exam.seed, started: exam.started, finished: progress::now(), questions };
    exam.finish(&store, &result)?;
    if session.format != Format::Text {
        let mut value = serde_json::to_value(&result).map_err(Failure::usage)?;
        value["percent"] = result.percent().into();
        value["passed"] = result.is_pass().into();
        session.data(&value)?;
        return Ok(if result.is_pass() { Exit::Success } else { Exit::NotFull });
    }
    let out = &mut session.out;
    for (number, question) in (1..).zip(&result.questions) {
        let style = match (question.late, question.points) {
            (true, _) => NOTE,
            (_, points) if points == question.possible => GOOD,
            _ => BAD,
        };
        let remark = match (question.late, question.answered) {
            (true, _) => lang.pick("too late: counts for nothing", "逾時作答，不計分"),
            (_, false) => lang.pick("no answer", "未作答"),
            _ => "",
        };
        let id = short_id(&question.scenario);
        let points = format!("{:>3}/{}", question.points, question.possible);
        writeln!(out, "{number:>3}  {}  {style}{}{style:#}  {SOFT}{remark}{SOFT:#}", pad(id, 26), pad(&points, 7))?;
    }
    writeln!(out)?;
    let domains = result.by_domain();
    for (domain, percent) in &domains {
        let style = if *percent >= PASS_PERCENT { GOOD } else { BAD };
        writeln!(out, "{style}{percent:>4} %{style:#}  {}", domain.title(lang))?;
    }
    let percent = result.percent();
    let style = if result.is_pass() { GOOD } else { BAD }.bold();
    let verdict = match result.is_pass() {
        true => lang.pick(format!("{percent} %: passed"), format!("{percent} %：及格")),
        false => lang.pick(
            format!("{percent} %: not passed ({PASS_PERCENT} % pass)"),
            format!("{percent} %：未及格（{PASS_PERCENT} % 及格）"),
        ),
    };
    let took = practice::span(result.finished.duration_since(result.started), lang);
    let time = lang.pick(format!("after {took}"), format!("用時 {took}"));
    writeln!(out, "\n{style}{verdict}{style:#}  {SOFT}{time}{SOFT:#}")?;
    let weakest = domains.iter().filter(|(_, percent)| **percent < 100).min_by_key(|(_, percent)| **percent);
    let missed = result.questions.iter().find(|question| question.points < question.possible);
    if let (Some((domain, _)), Some(question)) = (weakest, missed) {
        let id = short_id(&question.scenario);
        let next = lang.pick(
            format!(
                "Most to gain: {}. Look at one: ckad-grade explain {id} {}",
                domain.title(lang),
                place_of(&exam, question)
            ),
            format!(
                "最值得加強：{}。看看原因：ckad-grade explain {id} {}",
                domain.title(lang),
                place_of(&exam, question)
            ),
        );
        writeln!(out, "{SOFT}{}{SOFT:#}", sanitise(&next))?;
    }
    Ok(if result.is_pass() { Exit::Success } else { Exit::NotFull })
}

fn place_of(exam: &Exam, result: &QuestionResult) -> String {
    let question = exam.questions.iter().find(|question| question.scenario == result.scenario);
    question.map(|question| exam.folder.join(&question.folder).display().to_string()).unwrap_or_default()
}

/// When a folder's files were changed last.
fn last_change(folder: &Path) -> Option<Timestamp> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries
        .filter(|entry| entry.file_name() != "task.md")
        .filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let last = times.max()?.duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_second(i64::try_from(last.as_secs()).ok()?).ok()
}
