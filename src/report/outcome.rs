//! The outcome of a simulation for people: what kubectl printed, what `kubectl get` would list, and why anything is not as one
//! would wish.
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::problem;
use super::sanitise::sanitise;
use super::tables::{ORDER, table};
use super::terminal::COLUMNS;
use super::text::{Message, object as name_of, say};
use super::width::wrap;
use crate::api::Object;
use crate::api::object::Kind;
use crate::cluster::{Cluster, Settled};
use crate::explain::wish::is_as_wished;
use crate::grade::reasons;
use crate::lang::Lang;
use crate::timeline::PlayedStep;
use crate::timeline::record::visible_objects;

/// Writes what came of a timeline.
pub fn write(steps: &[PlayedStep], cluster: &Cluster, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const NOTE: Style = AnsiColor::Yellow.on_default();
    write_steps(steps, cluster, lang, true, out)?;
    let objects: Vec<&Object> = visible_objects(cluster.api().store()).collect();
    if objects.is_empty() {
        return writeln!(out, "\n{}", say(lang, &Message::NothingThere));
    }
    let others = Kind::ALL.iter().filter(|kind| !ORDER.contains(kind) && **kind != Kind::ControllerRevision);
    for &kind in ORDER.iter().chain(others) {
        let of_kind: Vec<&Object> = objects.iter().copied().filter(|object| object.kind() == kind).collect();
        if !of_kind.is_empty() {
            writeln!(out, "\n{SOFT}kubectl get {}{SOFT:#}", kind.plural())?;
            write!(out, "{}", table(kind, &of_kind, cluster.api().now()))?;
        }
    }
    let troubled: Vec<&Object> = objects.into_iter().filter(|object| !is_as_wished(object)).collect();
    if troubled.is_empty() {
        return writeln!(out, "\n{}", say(lang, &Message::AllAsWished));
    }
    writeln!(out, "\n{NOTE}{}{NOTE:#}", say(lang, &Message::NotAsWished))?;
    for object in troubled {
        let key = object.key();
        writeln!(out, "{}", sanitise(&name_of(&key)))?;
        for reason in reasons::of(cluster, &key) {
            let text = say(lang, &Message::Reason { reason: &reason, about: Some(&key) });
            for (i, line) in wrap(&sanitise(&text), COLUMNS - 4).iter().enumerate() {
                writeln!(out, "  {}{line}", if i == 0 { "· " } else { "  " })?;
            }
        }
    }
    Ok(())
}

/// Writes what of a timeline was refused or warned about.
pub fn write_problems(steps: &[PlayedStep], cluster: &Cluster, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    write_steps(steps, cluster, lang, false, out)
}

fn write_steps(
    steps: &[PlayedStep],
    cluster: &Cluster,
    lang: Lang,
    with_stdout: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const NOTE: Style = AnsiColor::Yellow.on_default();
    for (number, step) in (1..).zip(steps) {
        if steps.len() > 1 && with_stdout {
            writeln!(out, "{SOFT}{}{SOFT:#}", say(lang, &Message::Step(number)))?;
        }
        if with_stdout {
            write!(out, "{}", sanitise(&step.output.stdout))?;
        }
        for problem in problem::of_output(&step.output, cluster, lang) {
            writeln!(out, "{}", problem.render(COLUMNS))?;
        }
        // what kubectl said that is about no manifest
        if step.output.problems.is_empty() {
            write!(out, "{}", sanitise(&step.output.stderr))?;
        }
    }
    if steps.iter().any(|step| step.settled == Settled::GaveUp) {
        writeln!(out, "{NOTE}{}{NOTE:#}", say(lang, &Message::DidNotSettle))?;
    }
    Ok(())
}
