//! Everything the product itself says, in every language: one table per language, keyed by [`Message`].
pub mod batch;
mod en;
mod zh_tw;

use serde_json::Value;

use crate::api::object::ObjectKey;
use crate::dns::WhyNot;
use crate::explain::fix::Step as FixStep;
use crate::explain::story::Line;
use crate::explain::wish::Remark;
use crate::grade::compare::Difference;
use crate::grade::reasons::Reason;
use crate::grade::{Failure, NotSimulated};
use crate::lang::Lang;
use crate::picture::Words;
use crate::report::html;
use crate::scenario::Level;
use crate::timeline::command_line::Refusal;

/// Something to say.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Message<'a> {
    // what came of a check
    Finding(&'a Failure),
    Reason { reason: &'a Reason, about: Option<&'a ObjectKey> },
    AsAbove,
    NotSimulated(NotSimulated),
    DidNotSettle,
    Step(usize),
    StepFailed { number: usize, stderr: &'a str },

    // the report
    Why,
    ExpectedAndSimulated,
    Advice,
    DidYouMean(&'a [String]),
    FullMarks { points: u32 },
    Points { points: u32, possible: u32, percent: u32, needed: u32, passed: bool },
    CheckPoints { points: u32, possible: u32 },
    TryHint { scenario: &'a str },
    SeeExplanation { scenario: &'a str },
    Refused,
    Warning,
    MoreDifferences(usize),
    UnreadableCharacters,

    // commands
    NoAnswerYet { scenario: &'a str },
    NextScenario { scenario: &'a str },
    EmptyAnswer { scenario: &'a str },
    AnswerFiles { names: &'a str },
    UnknownScenario { name: &'a str, suggestion: Option<&'a str> },
    CannotReadAnswer { file: &'a str, error: &'a str },
    NothingInAnswer { folder: &'a str },
    UsingScenariosOf { folder: &'a str, scenario: &'a str },
    OverriddenScenarios { folder: &'a str, number: usize },
    ScenarioIsWrong,
    Level(Level),
    Minutes(u32),
    Chapter(&'a str),
    PointsWorth(u32),
    ScenarioTotals { number: usize, of: Option<usize>, minutes: u64 },
    NothingListed { total: usize },
    HowToAnswer { scenario: &'a str },
    HintOf { number: usize, total: usize },
    NoSuchHint { total: usize },
    NoHints,
    MoreHints { scenario: &'a str, next: usize },
    NoKey { scenario: &'a str },
    Explanation,
    Sources,
    Checks,
    ClusterAtStart,
    NothingThere,
    NotAsWished,
    AllAsWished,

    // commands.sh
    RefusedLine(&'a Refusal),

    // DNS
    NoSuchPod { pod: &'a str },
    NameNotFound(&'a WhyNot),
    AsksFor { name: &'a str, from: Option<&'a str> },
    SearchDomains(&'a str),
    NameTried(&'a str),
    NoRecords,
    NoScenarioFiles,
    Picture(Words<'a>),
    PictureFormat { file: &'a str },
    PictureBesideData,
    Html(html::Words<'a>),

    // explain
    WhatHappened,
    WhatWaits,
    ChecksNotPassed,
    WhatHelps,
    Deed(&'a Line),
    FixStep(&'a FixStep),
    Remark(&'a Remark),
    AlsoThis,
    HelpsAll,
    HelpedAbove,
    NothingHelps { tried: usize, cut_short: bool },
    Tried { tried: usize },
    Unreadable { file: &'a str },
    RefusedDocument { object: &'a str },
    NothingWaits,
    AllChecksPass,

    // show
    ClusterAsYaml { scenario: &'a str },
    BadScenarioName { name: &'a str },
    AlreadyThere { file: &'a str },
    Wrote { file: &'a str },
    NewScenario { file: &'a str },
}

/// A message in a language.
pub fn say(lang: Lang, message: &Message<'_>) -> String {
    match lang {
        Lang::En => en::say(message),
        Lang::ZhTw => zh_tw::say(message),
    }
}

/// `PersistentVolumeClaim team-a/data`.
pub fn object(key: &ObjectKey) -> String {
    match key.namespace.as_str() {
        "" => format!("{} {}", key.kind.name(), key.name),
        namespace => format!("{} {namespace}/{}", key.kind.name(), key.name),
    }
}

/// `PersistentVolumeClaim team-a/data: ` unless it is clear which object is meant.
fn prefix(key: &ObjectKey, about: Option<&ObjectKey>, colon: &str) -> String {
    if about == Some(key) { String::new() } else { format!("{}{colon}", object(key)) }
}

/// The difference that says most: one where something else was found, rather than nothing.
fn first_difference(failure: &Failure) -> Option<&Difference> {
    let found = |difference: &&Difference| difference.actual.is_some() && difference.expected.is_some();
    failure.differences.iter().find(found).or(failure.differences.first())
}

/// The most names that are listed in a sentence.
const FEW: usize = 4;

/// The most characters of a value in a sentence.
const MAX_VALUE: usize = 60;

/// A field's value inside a sentence: text as it is, anything else as JSON; long ones are cut.
fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Objects in a sentence: the first few and how many more.
fn objects(keys: &[ObjectKey]) -> (String, usize) {
    const SHOWN: usize = 4;
    let names: Vec<String> = keys.iter().take(SHOWN).map(object).collect();
    (names.join(", "), keys.len().saturating_sub(SHOWN))
}

/// Objects without their kind: `team-a/data`.
fn names_of(keys: &[ObjectKey]) -> Vec<String> {
    keys.iter().map(|key| object(key).split_off(key.kind.name().len() + 1)).collect()
}

/// Objects of one kind in a sentence: one or two by name, of more how many there are. `two` puts two names together, `many` a
/// number, a kind and the beginning of the names.
fn several(
    keys: &[ObjectKey],
    two: &dyn Fn(&str, &str) -> String,
    many: &dyn Fn(usize, &str, &str) -> String,
) -> String {
    let Some(first) = keys.first() else { return String::new() };
    let kind = first.kind.name();
    let names: Vec<String> = keys.iter().map(|key| object(key).split_off(kind.len() + 1)).collect();
    let prefix = names.iter().skip(1).fold(names.first().cloned().unwrap_or_default(), |prefix, name| {
        prefix.chars().zip(name.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    });
    match names.as_slice() {
        [one] => format!("{kind} {one}"),
        // names that somebody chose are told
        [one, other] if prefix.len() * 2 < one.len() || one.len() < 24 => format!("{kind} {}", two(one, other)),
        names => many(names.len(), kind, &prefix),
    }
}

/// A value in a sentence about a manifest, as YAML writes it on one line; long ones are cut.
fn short_value(found: &Value) -> String {
    fn plain(value: &Value) -> String {
        match value {
            Value::String(text) if text.is_empty() => "\"\"".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
            Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
            Value::Object(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            other => other.to_string(),
        }
    }
    value(&plain(found).into())
}
