//! docs/coverage.md shows which scenarios ask about which statement of the study note. `UPDATE_COVERAGE=1 cargo test --test
//! coverage` brings it up to date.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;

use ckad_grade::scenario::statements::{self, Statement};
use ckad_grade::scenario::{Library, Scenario};

/// With fewer scenarios the library is not complete.
const WHOLE_LIBRARY: usize = 40;

fn statements() -> Vec<Statement> {
    statements::parse(&std::fs::read_to_string("docs/statements.toml").unwrap()).unwrap()
}

fn scenarios() -> Vec<Scenario> {
    Library::embedded().entries().map(|entry| entry.load().unwrap()).collect()
}

fn covering<'a>(scenarios: &'a [Scenario], statement: &Statement) -> Vec<&'a str> {
    let covers = |scenario: &&Scenario| scenario.covers.contains(&statement.id);
    scenarios.iter().filter(covers).map(|scenario| scenario.id.as_str()).collect()
}

#[test]
fn the_table_of_statements_and_scenarios_is_up_to_date() {
    let (statements, scenarios) = (statements(), scenarios());
    let mut fresh = "# Statements of the study note, and the scenarios that ask about them\n\n\
        Generated: `UPDATE_COVERAGE=1 cargo test --test coverage`. The statements are in [statements.toml](statements.toml).\n\n\
        | statement | 敘述 | scenarios |\n|---|---|---|\n"
        .to_owned();
    for statement in &statements {
        let names: Vec<String> = covering(&scenarios, statement)
            .iter()
            .map(|id| format!("[{}](../scenarios/{id}.toml)", id.trim_start_matches("scenario-")))
            .collect();
        let names = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        writeln!(fresh, "| {}<br>`{}` | {} | {names} |", statement.text.en, statement.id, statement.text.zh_tw)
            .unwrap();
    }
    let path = Path::new("docs/coverage.md");
    if std::env::var_os("UPDATE_COVERAGE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == fresh, "docs/coverage.md is out of date: UPDATE_COVERAGE=1 cargo test --test coverage");
}

#[test]
fn scenarios_cover_only_statements_that_there_are() {
    let statements = statements();
    for scenario in scenarios() {
        for id in &scenario.covers {
            assert!(statements.iter().any(|statement| statement.id == *id), "{} covers {id}", scenario.id);
        }
    }
}

#[test]
fn every_statement_of_the_note_is_asked_about() {
    let scenarios = scenarios();
    let missing: Vec<String> =
        statements().iter().filter(|s| covering(&scenarios, s).is_empty()).map(|s| s.id.clone()).collect();
    if scenarios.len() >= WHOLE_LIBRARY {
        assert!(missing.is_empty(), "no scenario covers {missing:?}");
    }
}
