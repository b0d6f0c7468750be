//! An explanation for people and programs: the story, then what is not as it should be and what would help.
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::problem;
use super::sanitise::sanitise;
use super::terminal::COLUMNS;
use super::text::{Message, object, say};
use super::width::{width, wrap};
use crate::api::object::ObjectKey;
use crate::cluster::Settled;
use crate::explain::fix::{DiffLine, Fix};
use crate::explain::story::{Line, What};
use crate::explain::wish::Subject;
use crate::explain::{Explained, Goal, Waiting};
use crate::lang::Lang;
use crate::scenario::Scenario;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const SOFT: Style = AnsiColor::BrightBlack.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const STRONG: Style = Style::new().bold();

/// The most lines of a manifest that are shown for one change.
const MAX_LINES: usize = 16;

/// Writes an explanation with colours; give it a stream that drops them where they are not wanted.
pub fn write(scenario: Option<&Scenario>, explained: &Explained, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    for problem in problem::of_output(&explained.output, &explained.cluster, lang) {
        writeln!(out, "{}\n", problem.render(COLUMNS))?;
    }
    if explained.output.problems.is_empty() && explained.output.exit_code != 0 {
        writeln!(out, "{BAD}{}{BAD:#}\n", sanitise(explained.output.stderr.trim_end()))?;
    }
    if !explained.story.is_empty() {
        writeln!(out, "{SOFT}{}{SOFT:#}", say(lang, &Message::WhatHappened))?;
        write_story(&explained.story, lang, out)?;
        writeln!(out)?;
    }
    if explained.settled == Settled::GaveUp {
        writeln!(out, "{NOTE}{}{NOTE:#}", say(lang, &Message::DidNotSettle))?;
    }
    if explained.waiting.is_empty() {
        let message = if scenario.is_some() { Message::AllChecksPass } else { Message::NothingWaits };
        return writeln!(out, "{GOOD}{}{GOOD:#}", say(lang, &message));
    }
    let heading = if scenario.is_some() { Message::ChecksNotPassed } else { Message::WhatWaits };
    writeln!(out, "{SOFT}{}{SOFT:#}", say(lang, &heading))?;
    let together = explained.waiting.len() > 1 && explained.all.first().is_some_and(|fix| fix.steps.len() == 1);
    let mut told: Vec<Vec<String>> = Vec::new();
    let mut reasons_told: Vec<Vec<String>> = Vec::new();
    for waiting in &explained.waiting {
        write_waiting(waiting, scenario, lang, &mut reasons_told, out)?;
        if together {
            continue;
        }
        let steps: Vec<String> = waiting.fixes.iter().map(|fix| steps_text(fix, lang)).collect();
        if waiting.fixes.is_empty() {
            let nothing = Message::NothingHelps { tried: explained.tried, cut_short: explained.cut_short };
            write_indented(&say(lang, &nothing), NOTE, out)?;
        } else if told.contains(&steps) {
            write_indented(&say(lang, &Message::HelpedAbove), SOFT, out)?;
        } else {
            write_fixes(&waiting.fixes, &Message::WhatHelps, lang, out)?;
        }
        told.push(steps);
    }
    if together {
        writeln!(out)?;
        write_fixes(&explained.all, &Message::HelpsAll, lang, out)?;
    }
    writeln!(out, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::Tried { tried: explained.tried }))
}

fn write_story(story: &[Line], lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let time = story.iter().map(|line| seconds(line.seconds).len()).max().unwrap_or(0) + 2;
    let column = story.iter().map(|line| actor(line.actor).len()).max().unwrap_or(0) + 2;
    let room = COLUMNS.saturating_sub(time + column);
    let mut before: Option<&Line> = None;
    for line in story {
        let same_time = before.is_some_and(|before| before.seconds == line.seconds);
        let when = if same_time { String::new() } else { seconds(line.seconds) };
        let same_actor = same_time && before.is_some_and(|before| before.actor == line.actor);
        let who = if same_actor { "" } else { actor(line.actor) };
        let text = say(lang, &Message::Deed(line));
        let style = match &line.what {
            What::Said { warning: true, .. } => NOTE,
            _ => Style::new(),
        };
        for (number, part) in wrap(&sanitise(&text), room).iter().enumerate() {
            let (when, who) = if number == 0 { (when.as_str(), who) } else { ("", "") };
            writeln!(out, "{when:>width$}  {SOFT}{who:<column$}{SOFT:#}{style}{part}{style:#}", width = time - 2)?;
        }
        let about = line.objects.first();
        for reason in &line.reasons {
            let text = say(lang, &Message::Reason { reason, about });
            for (number, part) in wrap(&sanitise(&text), room - 2).iter().enumerate() {
                let mark = if number == 0 { "· " } else { "  " };
                writeln!(out, "{:indent$}{SOFT}{mark}{part}{SOFT:#}", "", indent = time + column)?;
            }
        }
        before = Some(line);
    }
    Ok(())
}

fn seconds(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        _ => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// A component as people call it.
fn actor(name: &str) -> &str {
    match name {
        "persistentvolume-controller" => "volume-binder",
        "default-scheduler" => "scheduler",
        other => other.strip_suffix("-controller").unwrap_or(other),
    }
}

fn goal_text(goal: &Goal, scenario: Option<&Scenario>, lang: Lang) -> String {
    match goal {
        Goal::Check(number) => {
            let check = scenario.and_then(|scenario| scenario.checks.get(*number));
            check.map(|check| check.title.get(lang).trim().to_owned()).unwrap_or_default()
        }
        Goal::Free(Subject::Object(key)) => object(key),
        Goal::Free(Subject::Unreadable { file }) => say(lang, &Message::Unreadable { file }),
        Goal::Free(Subject::Refused { kind, namespace, name }) => {
            let name = match namespace.as_str() {
                "" => format!("{kind} {name}"),
                namespace => format!("{kind} {namespace}/{name}"),
            };
            say(lang, &Message::RefusedDocument { object: name.trim() })
        }
    }
}

fn about(goal: &Goal) -> Option<&ObjectKey> {
    match goal {
        Goal::Free(Subject::Object(key)) => Some(key),
        _ => None,
    }
}

fn reasons_text(waiting: &Waiting, lang: Lang) -> Vec<String> {
    let about = about(&waiting.goal);
    let mut texts: Vec<String> =
        waiting.reasons.iter().map(|reason| say(lang, &Message::Reason { reason, about })).collect();
    texts.extend(waiting.remark.iter().map(|remark| say(lang, &Message::Remark(remark))));
    texts.dedup();
    texts
}

fn write_waiting(
    waiting: &Waiting,
    scenario: Option<&Scenario>,
    lang: Lang,
    told: &mut Vec<Vec<String>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let title = goal_text(&waiting.goal, scenario, lang);
    for (number, line) in wrap(&sanitise(&title), COLUMNS - 2).iter().enumerate() {
        let mark = if number == 0 { "✗" } else { " " };
        writeln!(out, "{BAD}{mark}{BAD:#} {STRONG}{line}{STRONG:#}")?;
    }
    let reasons = reasons_text(waiting, lang);
    if told.contains(&reasons) && !reasons.is_empty() {
        return write_indented(&say(lang, &Message::AsAbove), SOFT, out);
    }
    for reason in &reasons {
        for (number, line) in wrap(&sanitise(reason), COLUMNS - 4).iter().enumerate() {
            writeln!(out, "  {}{line}", if number == 0 { "· " } else { "  " })?;
        }
    }
    told.push(reasons);
    Ok(())
}

fn write_indented(text: &str, style: Style, out: &mut impl Write) -> io::Result<()> {
    for line in wrap(&sanitise(text), COLUMNS - 2) {
        writeln!(out, "  {style}{line}{style:#}")?;
    }
    Ok(())
}

fn steps_text(fix: &Fix, lang: Lang) -> String {
    let steps: Vec<String> = fix.steps.iter().map(|step| say(lang, &Message::FixStep(step))).collect();
    steps.join("\n")
}

fn write_fixes(fixes: &[Fix], heading: &Message<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    for (number, fix) in fixes.iter().enumerate() {
        let heading = if number == 0 { say(lang, heading) } else { say(lang, &Message::AlsoThis) };
        writeln!(out, "  {GOOD}{heading}{GOOD:#}")?;
        for step in &fix.steps {
            for line in wrap(&sanitise(&say(lang, &Message::FixStep(step))), COLUMNS - 4) {
                writeln!(out, "    {line}")?;
            }
            if let Some(place) = step.places.iter().find(|place| place.line > 0) {
                let place = format!("{}, {}:{}", place.object, place.file, place.line);
                writeln!(out, "    {SOFT}{}{SOFT:#}", sanitise(&place))?;
            }
        }
        write_diff(&fix.diff, out)?;
    }
    Ok(())
}

fn write_diff(diff: &[DiffLine], out: &mut impl Write) -> io::Result<()> {
    for line in diff.iter().take(MAX_LINES) {
        let (mark, style) = if line.added { ("+", GOOD) } else { ("-", BAD) };
        let number = format!("{:>6} {mark} ", line.line);
        let text = sanitise(&line.text);
        let room = COLUMNS.saturating_sub(number.len());
        let mut shown = String::new();
        for c in text.chars() {
            if width(&shown) + 2 > room {
                shown.push('…');
                break;
            }
            shown.push(c);
        }
        writeln!(out, "{SOFT}{number}{SOFT:#}{style}{shown}{style:#}")?;
    }
    if diff.len() > MAX_LINES {
        writeln!(out, "{SOFT}       …{SOFT:#}")?;
    }
    Ok(())
}

/// The explanation for programs.
pub fn to_json(scenario: Option<&Scenario>, explained: &Explained, lang: Lang) -> Value {
    let story: Vec<Value> = explained
        .story
        .iter()
        .map(|line| {
            let about = line.objects.first();
            json!({
                "seconds": line.seconds,
                "actor": line.actor,
                "text": say(lang, &Message::Deed(line)),
                "objects": line.objects.iter().map(object).collect::<Vec<_>>(),
                "reasons": line.reasons.iter().map(|reason| say(lang, &Message::Reason { reason, about })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let waiting: Vec<Value> = explained
        .waiting
        .iter()
        .map(|waiting| {
            let check = match waiting.goal {
                Goal::Check(number) => scenario.and_then(|scenario| scenario.checks.get(number)),
                Goal::Free(_) => None,
            };
            json!({
                "check": check.map(|check| check.id.as_str()),
                "what": goal_text(&waiting.goal, scenario, lang),
                "reasons": reasons_text(waiting, lang),
                "fixes": waiting.fixes.iter().map(|fix| fix_json(fix, lang)).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "scenario": scenario.map(|scenario| scenario.id.as_str()),
        "lang": lang,
        "kubectl": {
            "exitCode": explained.output.exit_code,
            "stdout": explained.output.stdout,
            "stderr": explained.output.stderr,
        },
        "story": story,
        "waiting": waiting,
        "fixes": explained.all.iter().map(|fix| fix_json(fix, lang)).collect::<Vec<_>>(),
        "tried": explained.tried,
        "cutShort": explained.cut_short,
    })
}

fn fix_json(fix: &Fix, lang: Lang) -> Value {
    let steps: Vec<Value> = fix
        .steps
        .iter()
        .map(|step| {
            let places: Vec<Value> = step
                .places
                .iter()
                .map(|place| {
                    json!({
                        "file": place.file, "line": place.line, "object": place.object, "field": place.field,
                        "before": place.before, "after": place.after,
                    })
                })
                .collect();
            json!({ "text": say(lang, &Message::FixStep(step)), "places": places, "added": step.added })
        })
        .collect();
    let diff: Vec<Value> = fix
        .diff
        .iter()
        .map(|line| json!({ "file": line.file, "line": line.line, "added": line.added, "text": line.text }))
        .collect();
    json!({ "steps": steps, "diff": diff, "everything": fix.full })
}
