//! `ckad-grade show SCENARIO`: the task.
use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library, practice};
use crate::grade;
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, object, say};
use crate::report::width::{reflow, wrap};
use crate::scenario::Scenario;
use crate::timeline::record::visible_objects;

const SOFT: Style = AnsiColor::BrightBlack.on_default();
const STRONG: Style = Style::new().bold();

pub(super) fn run(session: &mut Session<'_>, name: &str) -> Result<Exit, Failure> {
    let (_, scenario) = library::find(session, name)?;
    let lang = session.lang;
    if session.format != Format::Text {
        let there = cluster_at_start(session, &scenario)?;
        let checks: Vec<_> = scenario
            .checks
            .iter()
            .map(|check| json!({ "id": check.id, "points": check.points, "title": check.title.get(lang).trim() }))
            .collect();
        session.data(&json!({
            "id": scenario.id, "chapter": scenario.chapter, "domain": scenario.domain(), "level": scenario.level, "minutes": scenario.minutes,
            "title": scenario.title.get(lang).trim(), "task": scenario.task.get(lang).trim(), "checks": checks,
            "cluster": there, "manifests": manifests(&scenario), "sources": scenario.sources, "hints": scenario.hints.len(),
        }))?;
        return Ok(Exit::Success);
    }
    writeln!(session.out, "{STRONG}{}  {}{STRONG:#}", scenario.id, sanitise(scenario.title.get(lang).trim()))?;
    write(session, &scenario)?;
    practice::note_shown(session, &scenario.id)?;
    Ok(Exit::Success)
}

/// Writes the task, all but its title.
pub(super) fn write(session: &mut Session<'_>, scenario: &Scenario) -> Result<(), Failure> {
    let lang = session.lang;
    let there = cluster_at_start(session, scenario)?;
    let facts = [
        say(lang, &Message::Level(scenario.level)),
        say(lang, &Message::Minutes(scenario.minutes)),
        say(lang, &Message::PointsWorth(scenario.points())),
    ];
    let out = &mut session.out;
    writeln!(out, "{SOFT}{}{SOFT:#}\n", facts.join(" · "))?;
    for line in reflow(&sanitise(scenario.task.get(lang).trim()), COLUMNS) {
        writeln!(out, "{line}")?;
    }
    if !there.is_empty() {
        writeln!(out, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::ClusterAtStart))?;
        for name in &there {
            writeln!(out, "  {}", sanitise(name))?;
        }
        writeln!(out, "{SOFT}{}{SOFT:#}", say(lang, &Message::ClusterAsYaml { scenario: &scenario.id }))?;
    }
    writeln!(out, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::Checks))?;
    for check in &scenario.checks {
        let points = format!("{:>4}  ", check.points);
        for (i, line) in wrap(&sanitise(check.title.get(lang).trim()), COLUMNS - points.len()).iter().enumerate() {
            writeln!(out, "{}{line}", if i == 0 { &points } else { "      " })?;
        }
    }
    if !scenario.sources.is_empty() {
        writeln!(out, "\n{SOFT}{}{SOFT:#}", say(lang, &Message::Sources))?;
        for source in &scenario.sources {
            writeln!(out, "  {}", sanitise(source))?;
        }
    }
    writeln!(out)?;
    for line in wrap(&say(lang, &Message::HowToAnswer { scenario: &scenario.id }), COLUMNS) {
        writeln!(out, "{SOFT}{line}{SOFT:#}")?;
    }
    Ok(())
}

/// The names of what is in the cluster before the answer.
pub(super) fn cluster_at_start(session: &Session<'_>, scenario: &Scenario) -> Result<Vec<String>, Failure> {
    let cluster = grade::start(scenario).map_err(|error| library::wrong_scenario(session, error))?;
    Ok(visible_objects(cluster.api().store()).map(|o| object(&o.key())).collect())
}

/// Each manifest that is applied before the answer, as it is written.
fn manifests(scenario: &Scenario) -> Vec<&str> {
    scenario.cluster.manifests.iter().map(|manifest| manifest.text.trim()).filter(|text| !text.is_empty()).collect()
}

/// `ckad-grade show SCENARIO --cluster`: the manifests of what is in the cluster at the start, fit to be kept in a file.
pub(super) fn run_cluster(session: &mut Session<'_>, name: &str) -> Result<Exit, Failure> {
    let (_, scenario) = library::find(session, name)?;
    let manifests = manifests(&scenario);
    if session.format != Format::Text {
        session.data(&json!({ "id": scenario.id, "manifests": manifests }))?;
    } else if manifests.is_empty() {
        session.note(&say(session.lang, &Message::NothingThere))?;
    } else {
        let text: Vec<&str> = manifests.iter().map(|text| text.strip_prefix("---\n").unwrap_or(text)).collect();
        writeln!(session.out, "{}", sanitise(&text.join("\n---\n")))?;
    }
    Ok(Exit::Success)
}
