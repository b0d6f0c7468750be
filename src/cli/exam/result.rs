//! The end of an exam: its result, and looking back at it.
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use k8s_openapi::jiff::Timestamp;

use super::{BAD, GOOD, NOTE, SOFT, current, read_answer, scenarios};
use crate::cli::{Exit, Failure, Format, Session, library, practice};
use crate::grade::{self, PASS_PERCENT};
use crate::practice::exam::{Exam, ExamResult, QuestionResult};
use crate::practice::progress;
use crate::report::Report;
use crate::report::sanitise::sanitise;
use crate::report::terminal::{self, COLUMNS};
use crate::report::width::{pad, wrap};
use crate::scenario::short_id;

pub(super) fn finish(session: &mut Session<'_>, yes: bool) -> Result<Exit, Failure> {
    let exam = current(session)?;
    let all = scenarios(session)?;
    if !yes && !is_meant(session, &exam)? {
        return Ok(Exit::NotFull);
    }
    let mut questions = Vec::new();
    for question in &exam.questions {
        let Some(scenario) = all.iter().find(|scenario| scenario.id == question.scenario) else { continue };
        let folder = exam.folder.join(&question.folder);
        let (files, answered) = read_answer(session, &folder);
        let graded = grade::grade(scenario, &files).map_err(|error| library::wrong_scenario(session, error))?;
        questions.push(QuestionResult {
            scenario: scenario.id.clone(),
            folder: question.folder.clone(),
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
    let result = ExamResult {
        seed: exam.seed,
        started: exam.started,
        finished: progress::now(),
        folder: exam.folder.clone(),
        questions,
    };
    exam.finish(&store, &result)?;
    show(session, &result)
}

/// Asks a person who may have ended an exam by mistake.
fn is_meant(session: &mut Session<'_>, exam: &Exam) -> Result<bool, Failure> {
    let left = exam.end().duration_since(progress::now());
    if left.is_negative() || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(true);
    }
    let empty = exam.questions.iter().filter(|q| !read_answer(session, &exam.folder.join(&q.folder)).1).count();
    let (left, total) = (practice::span(left, session.lang), exam.questions.len());
    let question = session.lang.pick(
        format!("{left} left, {empty} of {total} tasks are empty. End the exam? [y/N] "),
        format!("還剩 {left}，{total} 題中有 {empty} 題空白。要結束考試嗎？[y/N] "),
    );
    write!(session.out, "{question}")?;
    session.out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_lowercase().starts_with('y'))
}

pub(super) fn review(session: &mut Session<'_>, number: Option<usize>) -> Result<Exit, Failure> {
    let lang = session.lang;
    let Some(result) = ExamResult::last(&practice::store()?)? else {
        let none = "no exam was finished yet; begin one: ckad-grade exam start";
        return Err(Failure::usage(lang.pick(none, "還沒有完成的考試；開始一場：ckad-grade exam start")));
    };
    let Some(number) = number else { return show(session, &result) };
    let total = result.questions.len();
    let Some(question) = number.checked_sub(1).and_then(|index| result.questions.get(index)) else {
        return Err(Failure::usage(super::no_such_task(total, lang)));
    };
    let (_, scenario) = library::find(session, &question.scenario)?;
    let folder = result.folder.join(&question.folder);
    let (files, answered) = read_answer(session, &folder);
    let id = short_id(&scenario.id);
    let place = folder.display().to_string();
    if !answered {
        let text = lang.pick(
            format!("task {number}, {id}: there is no answer in {place}"),
            format!("第 {number} 題 {id}：{place} 沒有答案"),
        );
        for line in wrap(&sanitise(&text), COLUMNS) {
            writeln!(session.out, "{line}")?;
        }
        let on = lang.pick("The task", "題目");
        writeln!(session.out, "{SOFT}{on}: ckad-grade show {id}{SOFT:#}")?;
        return Ok(Exit::NotFull);
    }
    let graded = grade::grade(&scenario, &files).map_err(|error| library::wrong_scenario(session, error))?;
    let report = Report::new(&scenario, &graded, lang);
    if session.format != Format::Text {
        session.data(&serde_json::to_value(&report).map_err(Failure::usage)?)?;
    } else {
        terminal::write(&report, &mut session.out)?;
        let why = lang.pick("What happened, and what would help", "發生了什麼事、怎麼改");
        for line in wrap(&sanitise(&format!("{why}: ckad-grade explain {id} {place}")), COLUMNS) {
            writeln!(session.out, "{SOFT}{line}{SOFT:#}")?;
        }
    }
    Ok(if graded.is_full() { Exit::Success } else { Exit::NotFull })
}

/// The result task by task, by domain, and as a whole.
fn show(session: &mut Session<'_>, result: &ExamResult) -> Result<Exit, Failure> {
    let lang = session.lang;
    let exit = if result.is_pass() { Exit::Success } else { Exit::NotFull };
    if session.format != Format::Text {
        let mut value = serde_json::to_value(result).map_err(Failure::usage)?;
        value["percent"] = result.percent().into();
        value["passed"] = result.is_pass().into();
        session.data(&value)?;
        return Ok(exit);
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
        let sign = if !question.late && question.points == question.possible { "✓" } else { "✗" };
        let id = pad(&sanitise(short_id(&question.scenario)), 26);
        let points = format!("{:>3}/{}", question.points, question.possible);
        let line =
            format!("{number:>3}  {style}{sign}{style:#} {id}  {style}{points}{style:#}  {SOFT}{remark}{SOFT:#}");
        writeln!(out, "{}", line.trim_end())?;
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
            format!("{percent} %, not passed: {PASS_PERCENT} % pass"),
            format!("{percent} %，不及格；{PASS_PERCENT} % 及格"),
        ),
    };
    let took = practice::span(result.finished.duration_since(result.started), lang);
    let time = lang.pick(format!("after {took}"), format!("用時 {took}"));
    writeln!(out, "\n{style}{verdict}{style:#}  {SOFT}{time}{SOFT:#}")?;
    let weakest = domains
        .iter()
        .filter(|(_, percent)| **percent < 100)
        .min_by_key(|(domain, percent)| (**percent, u32::MAX - domain.weight()));
    let Some((domain, _)) = weakest else { return Ok(exit) };
    let missed = (1..).zip(&result.questions).find(|(_, q)| q.domain == *domain && q.earned() < q.possible);
    let number = missed.map_or(1, |(number, _)| number);
    let title = domain.title(lang);
    let next = lang.pick(
        format!("Most to gain: {title}\nLook at a task: ckad-grade exam review {number}"),
        format!("最值得加強：{title}\n回顧其中一題：ckad-grade exam review {number}"),
    );
    for line in next.lines() {
        writeln!(out, "{SOFT}{line}{SOFT:#}")?;
    }
    Ok(exit)
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
