//! A scenario proves itself: its texts, its key, the answers beside it, and the [mutants](crate::mutants) of its key.
//!
//! [`prove`] finds everything that is wrong with a scenario. A mutant that has another outcome than the key and still gets full
//! marks is a survivor: either a check is missing, or the field is free, and then the scenario says so.
pub mod library;
pub mod lint;
pub mod outcome;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::grade::{self, Grade, ScenarioError};
use crate::manifest;
use crate::mutants::{self, Change, How, Mutant, Said, Stance, free_matches};
use crate::scenario::solutions::Variant;
use crate::scenario::{Question, Scenario};
use crate::timeline::ManifestFile;
use crate::timeline::answer::is_commands;
use outcome::Outcome;

/// What came of proving a scenario.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// How many mutants came to what.
    pub counts: Counts,
    /// Everything that is wrong or doubtful.
    pub findings: Vec<Finding>,
    /// The mutants that keep full marks for a reason.
    pub excused: Vec<Change>,
}

/// Numbers of mutants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// All that were played.
    pub mutants: usize,
    /// Lost points or were refused, as they should.
    pub killed: usize,
    /// Have the key's outcome and its marks.
    pub equivalent: usize,
    /// Another outcome and full marks, because the task does not say what was changed, or a check gives a bound.
    pub open: usize,
    /// Another outcome and full marks, because the field is marked free.
    pub free: usize,
    /// Another outcome and full marks without a reason.
    pub survivors: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.mutants += other.mutants;
        self.killed += other.killed;
        self.equivalent += other.equivalent;
        self.open += other.open;
        self.free += other.free;
        self.survivors += other.survivors;
    }
}

/// Something wrong or doubtful.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The scenario or its solutions cannot be used; the message has the place.
    Unusable(String),
    /// There is no key.
    NoKey,
    /// The key fails these checks.
    KeyFails(Vec<String>),
    /// A right answer fails these checks.
    RightFails {
        /// The answer.
        name: String,
        /// The checks.
        checks: Vec<String>,
    },
    /// A wrong answer does not fail the checks its first line names.
    WrongFails {
        /// The answer.
        name: String,
        /// What it says.
        said: Vec<String>,
        /// What it fails.
        checks: Vec<String>,
    },
    /// There are fewer than two right or three wrong answers.
    FewAnswers {
        /// Right answers beside the key.
        right: usize,
        /// Wrong answers.
        wrong: usize,
    },
    /// No wrong answer fails a check.
    NeverFailed {
        /// The check.
        check: String,
        /// Whether a mutant fails it.
        by_mutant: bool,
    },
    /// An empty answer passes.
    EmptyPasses,
    /// A mutant that keeps full marks although the task asks for what was changed.
    Survivor(Change),
    /// A mutant with the key's outcome that loses points.
    SameButLoses {
        /// The change.
        change: Change,
        /// The checks it fails.
        checks: Vec<String>,
    },
    /// A mutant that loses points although the task does not say what was changed.
    UnsaidButLoses {
        /// The change.
        change: Change,
        /// The checks it fails.
        checks: Vec<String>,
    },
    /// The order of the key's documents matters.
    OrderMatters,
    /// An entry of `[[free]]` that no mutant needs.
    UnusedFree(String),
    /// About the scenario's texts and numbers.
    Lint(lint::Lint),
}

impl Finding {
    /// Whether it is only doubtful: the scenario can be used as it is.
    pub fn is_warning(&self) -> bool {
        match self {
            Finding::OrderMatters | Finding::UnusedFree(_) => true,
            Finding::Lint(lint) => lint.is_warning(),
            _ => false,
        }
    }
}

impl Proof {
    /// A scenario or solutions that cannot be read.
    pub fn unusable(message: impl std::fmt::Display) -> Proof {
        Proof { findings: vec![Finding::Unusable(message.to_string())], ..Proof::default() }
    }

    /// Whether anything is wrong, not only doubtful.
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|finding| !finding.is_warning())
    }
}

/// Proves a scenario with the answers beside it. Of the mutants every `stride`-th is played: 1 for all.
pub fn prove(scenario: &Scenario, variants: &[Variant], statements: Option<&BTreeSet<String>>, stride: usize) -> Proof {
    let mut proof = Proof::default();
    proof.findings.extend(lint::lint(scenario, statements).into_iter().map(Finding::Lint));
    let result = Prover::new(scenario).and_then(|prover| prover.prove(variants, stride.max(1), &mut proof));
    if let Err(error) = result {
        proof.findings.insert(0, Finding::Unusable(error.to_string()));
    }
    proof
}

/// A scenario with its cluster, to grade many answers.
struct Prover<'a> {
    scenario: &'a Scenario,
    start: Cluster,
}

/// An answer that was played.
struct Played {
    grade: Grade,
    outcome: Outcome,
}

impl Played {
    fn failed(&self) -> Vec<String> {
        self.grade.failures().map(|(check, _)| check.id.clone()).collect()
    }
}

impl<'a> Prover<'a> {
    fn new(scenario: &'a Scenario) -> Result<Self, ScenarioError> {
        // looks at the scenario's patterns, too
        let empty = grade::grade(scenario, &[])?;
        drop(empty);
        Ok(Prover { scenario, start: grade::start(scenario)? })
    }

    fn play(&self, files: &[ManifestFile]) -> Result<Played, ScenarioError> {
        let mut outcome = Outcome::default();
        let grade = grade::grade_and_look(self.scenario, self.start.clone(), files, &mut |store| outcome.look(store))?;
        Ok(Played { grade, outcome })
    }

    fn prove(&self, variants: &[Variant], stride: usize, proof: &mut Proof) -> Result<(), ScenarioError> {
        let findings = &mut proof.findings;
        if self.play(&[])?.grade.is_pass() {
            findings.push(Finding::EmptyPasses);
        }
        let mut failed: BTreeSet<String> = BTreeSet::new();
        let mut key = None;
        for variant in variants {
            let played = self.play(&variant.files)?;
            let checks = played.failed();
            failed.extend(checks.iter().cloned());
            let name = variant.name.clone();
            if name == "key.yaml" {
                if !checks.is_empty() || !played.grade.is_full() {
                    findings.push(Finding::KeyFails(checks));
                }
                key = Some((played, variant));
            } else if variant.is_right() {
                if !checks.is_empty() {
                    findings.push(Finding::RightFails { name, checks });
                }
            } else if checks.iter().collect::<BTreeSet<_>>() != variant.fails.iter().collect() {
                findings.push(Finding::WrongFails { name, said: variant.fails.clone(), checks });
            }
        }
        let count = |prefix: &str| variants.iter().filter(|variant| variant.name.starts_with(prefix)).count();
        let (right, wrong) = (count("right-"), count("wrong-"));
        if right < 2 || wrong < 3 {
            findings.push(Finding::FewAnswers { right, wrong });
        }
        let mut killed_by_mutants = BTreeSet::new();
        match key {
            None => findings.push(Finding::NoKey),
            Some((played, variant)) if played.grade.is_full() => {
                self.mutants(&played, variant, stride, &mut killed_by_mutants, proof)?;
            }
            // what a key that is wrong lets through says nothing
            Some(_) => return Ok(()),
        }
        for check in self.scenario.checks.iter().filter(|check| !failed.contains(&check.id)) {
            let by_mutant = killed_by_mutants.contains(&check.id);
            proof.findings.push(Finding::NeverFailed { check: check.id.clone(), by_mutant });
        }
        Ok(())
    }

    fn mutants(
        &self,
        key: &Played,
        variant: &Variant,
        stride: usize,
        killed: &mut BTreeSet<String>,
        proof: &mut Proof,
    ) -> Result<(), ScenarioError> {
        if variant.files.iter().any(|file| is_commands(&file.name)) {
            return Ok(()); // commands are no documents to change
        }
        let documents = documents(&variant.files);
        let said = Said::by(self.scenario);
        let mut used_free = BTreeSet::new();
        for mutant in mutants::of(&documents, &said, self.start.api().store()).into_iter().step_by(stride) {
            let played = self.play(&[file(&mutant.documents)])?;
            let checks = played.failed();
            killed.extend(checks.iter().cloned());
            self.judge(key, mutant, &played, checks, &mut used_free, proof);
        }
        if stride == 1 {
            for (number, free) in self.scenario.free.iter().enumerate() {
                if !used_free.contains(&number) {
                    proof.findings.push(Finding::UnusedFree(free.field.clone()));
                }
            }
        }
        Ok(())
    }

    /// Says what came of a mutant.
    fn judge(
        &self,
        key: &Played,
        mutant: Mutant,
        played: &Played,
        checks: Vec<String>,
        used_free: &mut BTreeSet<usize>,
        proof: &mut Proof,
    ) {
        let Mutant { change, stance, .. } = mutant;
        let refused = played.grade.answer.exit_code != key.grade.answer.exit_code;
        if refused && stance == Stance::Unsaid {
            return; // such a change cannot be made
        }
        let counts = &mut proof.counts;
        counts.mutants += 1;
        let full = checks.is_empty();
        if !full && (refused || !matches!(stance, Stance::Unsaid)) {
            // only a mutant that is expected to change nothing can be the key in other words
            let suspicious = !refused && matches!(change.how, How::Drop | How::Order) && stance != Stance::Unsure;
            if suspicious && played.outcome.same(&key.outcome) {
                proof.findings.push(Finding::SameButLoses { change, checks });
            } else if change.how == How::Order && change.path.is_empty() {
                counts.killed += 1;
                proof.findings.push(Finding::OrderMatters);
            } else {
                counts.killed += 1;
            }
            return;
        }
        let same = match &stance {
            Stance::AskedOfKeysObjects => key.outcome.is_in(&played.outcome),
            Stance::AskedBeyondLabel(label) => played.outcome.same_but_label(&key.outcome, label),
            _ => played.outcome.same(&key.outcome),
        };
        if same && full {
            counts.equivalent += 1;
            return;
        }
        if refused {
            counts.killed += 1;
            return;
        }
        let free =
            self.scenario.free.iter().position(|f| free_matches(&f.field, &change.kind, &change.name, &change.path));
        match (stance, full) {
            (Stance::Unsaid, true) | (Stance::Unsure, true) => {
                // what is marked free although nobody asks for it is no mistake
                used_free.extend(free);
                counts.open += 1;
                proof.excused.push(change);
            }
            (Stance::Unsaid, false) => {
                counts.killed += 1;
                let finding = match same || change.how == How::Spelling {
                    true => Finding::SameButLoses { change, checks },
                    false => Finding::UnsaidButLoses { change, checks },
                };
                proof.findings.push(finding);
            }
            (_, false) => counts.killed += 1,
            (_, true) => {
                if let Some(free) = free {
                    counts.free += 1;
                    used_free.insert(free);
                    proof.excused.push(change);
                } else if change.how == How::Value && self.has_bound(&change) {
                    counts.open += 1;
                    proof.excused.push(change);
                } else {
                    counts.survivors += 1;
                    proof.findings.push(Finding::Survivor(change));
                }
            }
        }
    }

    /// Whether a check gives a bound for the changed field, such as `">= 1Gi"`.
    fn has_bound(&self, change: &Change) -> bool {
        let keys: Vec<String> = path_keys(&change.path);
        let patterns =
            self.scenario.checks.iter().flat_map(|check| &check.questions).filter_map(|question| match question {
                Question::Expect(pattern) | Question::Count(_, pattern) => Some(&pattern.value),
                _ => None,
            });
        let of_kind = |pattern: &&Value| pattern.get("kind").and_then(Value::as_str) == Some(&change.kind);
        patterns.filter(of_kind).any(|pattern| bound_at(pattern, &keys))
    }
}

/// The keys of a path without the places in lists.
fn path_keys(path: &str) -> Vec<String> {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty() && part.parse::<usize>().is_err());
    parts.map(str::to_owned).collect()
}

fn bound_at(value: &Value, keys: &[String]) -> bool {
    match (value, keys) {
        (Value::Array(items), keys) => items.iter().any(|item| bound_at(item, keys)),
        (Value::Object(fields), [first, rest @ ..]) => fields.get(first).is_some_and(|value| bound_at(value, rest)),
        (Value::String(text), []) => text.starts_with(">= ") || text.starts_with("<= "),
        _ => false,
    }
}

/// The objects of an answer, those of Lists one by one.
fn documents(files: &[ManifestFile]) -> Vec<Value> {
    let mut documents = Vec::new();
    for file in files {
        for document in manifest::read(&file.name, &file.bytes).documents {
            match document.value.get("items").and_then(Value::as_array) {
                Some(items) => documents.extend(items.iter().cloned()),
                None => documents.push(document.value),
            }
        }
    }
    documents
}

/// Documents as a file of JSON values.
fn file(documents: &[Value]) -> ManifestFile {
    let text: String = documents.iter().map(|document| format!("{document}\n")).collect();
    ManifestFile { name: "mutant.json".to_owned(), bytes: text.into_bytes() }
}
