//! English.
use super::{Words, free_entry, place, values};
use crate::mutants::{Change, How};
use crate::proof::Finding;
use crate::proof::lint::Lint;

pub(super) fn say(words: &Words<'_>) -> String {
    match words {
        Words::Heads => "scenario|mutants|killed|same|open|free|survivors".into(),
        Words::Total => "total".into(),
        Words::Warning => "warning: ".into(),
        Words::Summary { scenarios, wrong, warnings } => {
            let mended = if *wrong == 0 { "nothing wrong".to_owned() } else { format!("{wrong} to be mended") };
            format!("{}, {mended}, {}", number(*scenarios, "scenario"), number(*warnings, "warning"))
        }
        Words::Finding(found) => finding(found),
        Words::Excused(what) => format!("keeps full marks: {}", change(what)),
        Words::Advice(found) => advice(found),
    }
}

fn number(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn change(change: &Change) -> String {
    let (place, values) = (place(change), values(change));
    match change.how {
        How::Drop => format!("{place} left out ({values})"),
        How::Value => format!("{place}: {values}"),
        How::Rename => format!("{place} renamed: {values}"),
        How::Key => format!("{place}: key {values}"),
        How::Order => format!("{place} in another order"),
        How::Document => format!("{place} left out"),
        How::Kind => format!("{place}: {values}"),
        How::Source => format!("{place} of another type: {values}"),
        How::Contradiction => format!("{place}, and again with another value: {values}"),
        How::Rival => format!("{place}, and before it the same as {values}"),
        How::Spelling => format!("{place} written otherwise: {values}"),
        How::Addition => format!("{place} with {values}"),
    }
}

fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Unusable(message) => message.clone(),
        Finding::NoKey => "there is no key.yaml".into(),
        Finding::KeyFails(checks) => format!("key.yaml fails {}", list(checks)),
        Finding::RightFails { name, checks } => format!("{name} fails {}", list(checks)),
        Finding::WrongFails { name, said, checks } => format!("{name} fails {}, not {}", list(checks), list(said)),
        Finding::FewAnswers { right, wrong } => {
            format!("{right} right-… and {wrong} wrong-… answers; there should be at least 2 and 3")
        }
        Finding::NeverFailed { check, by_mutant: true } => format!("no wrong answer fails check `{check}`"),
        Finding::NeverFailed { check, by_mutant: false } => {
            format!("no wrong answer and no mutant fails check `{check}`")
        }
        Finding::EmptyPasses => "an empty answer passes".into(),
        Finding::Survivor(what) => format!("survives: {}", change(what)),
        Finding::SameButLoses { change: what, checks } => {
            format!("loses {} though the outcome is the same: {}", list(checks), change(what))
        }
        Finding::UnsaidButLoses { change: what, checks } => {
            format!("loses {} though the task does not say it: {}", list(checks), change(what))
        }
        Finding::OrderMatters => "the order of the key's documents matters".into(),
        Finding::UnusedFree(field) => format!("[[free]] `{field}` explains nothing"),
        Finding::Lint(lint) => match lint {
            Lint::UnknownStatement { id, suggestion: None } => format!("covers `{id}`: there is no such statement"),
            Lint::UnknownStatement { id, suggestion: Some(word) } => {
                format!("covers `{id}`: there is no such statement (did you mean `{word}`?)")
            }
            Lint::ToDo(place) => format!("{place}: still to be written (TODO)"),
            Lint::NoHints => "there are no hints".into(),
            Lint::NoExplanation => "there is no explanation".into(),
            Lint::NoDomain => "its chapter is not a known one: name the `domain` of the exam".into(),
            Lint::Minutes(minutes) => format!("{minutes} minutes"),
            Lint::SameTitle(one, other) => format!("checks `{one}` and `{other}` have the same title"),
            Lint::NotSaid { check, word } => format!("check `{check}` asks for `{word}`, which the task does not say"),
        },
    }
}

fn advice(finding: &Finding) -> String {
    match finding {
        Finding::Survivor(what) if what.path.is_empty() => {
            "Let a check ask for it, or leave it out of the key.".to_owned()
        }
        Finding::Survivor(what) => {
            format!("Let a check ask for it. If the task leaves it open: [[free]] field = \"{}\"", free_entry(what))
        }
        Finding::UnsaidButLoses { .. } => "Say it in the task, or do not ask for it.".into(),
        Finding::SameButLoses { .. } => "Ask for what comes of an answer, not for how it is written.".into(),
        Finding::NeverFailed { by_mutant: false, .. } => "Drop the check, or ask more precisely.".into(),
        Finding::NeverFailed { .. } => "Add a wrong-….yaml that fails it.".into(),
        Finding::EmptyPasses => "Give fewer points for what is so without an answer.".into(),
        _ => String::new(),
    }
}
