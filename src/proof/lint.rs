//! A scenario's texts and numbers.
use std::collections::BTreeSet;

use serde_json::Value;

use crate::grade::compare::{ANY, NONE, UNSET};
use crate::lang::Lang;
use crate::mutants::Said;
use crate::scenario::{Question, Scenario, chapter};
use crate::suggest;

/// Something about a scenario's texts and numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Lint {
    /// `covers` names a statement that there is not.
    UnknownStatement {
        /// The statement's id.
        id: String,
        /// The nearest one that there is.
        suggestion: Option<String>,
    },
    /// A line is still to be written.
    ToDo(String),
    /// There is no hint.
    NoHints,
    /// There is no explanation.
    NoExplanation,
    /// Neither its chapter nor the scenario itself names a domain of the exam.
    NoDomain,
    /// The minutes are not between 1 and 30.
    Minutes(u32),
    /// Two checks have the same title.
    SameTitle(String, String),
    /// A check asks for a word that the task does not say and the cluster does not have.
    NotSaid {
        /// The check.
        check: String,
        /// The word.
        word: String,
    },
}

impl Lint {
    /// Whether the scenario can be used as it is.
    pub fn is_warning(&self) -> bool {
        matches!(self, Lint::NoDomain | Lint::Minutes(_) | Lint::NotSaid { .. })
    }
}

/// Looks at a scenario; `statements` are those there are.
pub fn lint(scenario: &Scenario, statements: Option<&BTreeSet<String>>) -> Vec<Lint> {
    let mut lints = Vec::new();
    if let Some(statements) = statements {
        for id in scenario.covers.iter().filter(|id| !statements.contains(*id)) {
            let suggestion = suggest::nearest(id, statements.iter().map(String::as_str)).map(str::to_owned);
            lints.push(Lint::UnknownStatement { id: id.clone(), suggestion });
        }
    }
    if scenario.hints.is_empty() {
        lints.push(Lint::NoHints);
    }
    if scenario.explanation.is_none() {
        lints.push(Lint::NoExplanation);
    }
    if scenario.domain.is_none() && chapter::domain(&scenario.chapter).is_none() {
        lints.push(Lint::NoDomain);
    }
    if !(1..=30).contains(&scenario.minutes) {
        lints.push(Lint::Minutes(scenario.minutes));
    }
    for (i, check) in scenario.checks.iter().enumerate() {
        let same =
            |lang: Lang, other: &crate::scenario::Check| check.title.get(lang).trim() == other.title.get(lang).trim();
        let others = scenario.checks.iter().skip(i + 1);
        for other in others.filter(|other| Lang::ALL.iter().any(|lang| same(*lang, other))) {
            lints.push(Lint::SameTitle(check.id.clone(), other.id.clone()));
        }
    }
    let said = Said::by(scenario);
    for check in &scenario.checks {
        let mut words = BTreeSet::new();
        for question in &check.questions {
            match question {
                Question::Expect(pattern) | Question::Count(_, pattern) => collect(&pattern.value, &mut words),
                Question::Mount(mount) => {
                    collect(&mount.volume.value, &mut words);
                    words.insert(mount.at.path.clone());
                }
                _ => {}
            }
        }
        for word in words.into_iter().filter(|word| !is_said(&said, word)) {
            lints.push(Lint::NotSaid { check: check.id.clone(), word });
        }
    }
    lints
}

/// The lines of a scenario's file that are still to be written: `ckad-grade scenario new` marks them.
pub fn to_do(source: &str, file: &str) -> Vec<Lint> {
    let lines = source.lines().enumerate().filter(|(_, line)| line.contains("TODO") && !line.starts_with('#'));
    lines.map(|(number, _)| Lint::ToDo(format!("{file}:{}", number + 1))).collect()
}

/// The names, images and paths of a pattern.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    const NAMES: &[&str] = &[
        "name",
        "namespace",
        "image",
        "mountPath",
        "path",
        "claimName",
        "volumeName",
        "storageClassName",
        "serviceName",
        "secretName",
        "serviceAccountName",
        "subPath",
        "key",
    ];
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(word)
                        if NAMES.contains(&key.as_str()) && ![ANY, NONE, UNSET].contains(&word.as_str()) =>
                    {
                        words.insert(word.clone());
                    }
                    _ if key == "status" || key == "annotations" => {}
                    value => collect(value, words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}

/// Whether a task says a word, or all its parts: `data-mysql-0`.
fn is_said(said: &Said, word: &str) -> bool {
    let parts = || word.split('-').filter(|part| part.parse::<u32>().is_err());
    word.is_empty()
        || word == "default"
        || said.knows(word.trim_end_matches('/'))
        || parts().all(|part| said.knows(part))
}
