//! The search for edits that help: all single ones, then pairs that begin with one that brings the answer nearer.
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::answer::Answer;
use super::candidates::{Context, candidates};
use super::edit::{Edit, EditKind};
use super::trial::{Outcome, Trial};
use crate::grade::ScenarioError;
use crate::timeline::ManifestFile;

/// Edits that help.
#[derive(Clone, Debug)]
pub struct Found {
    /// The edits, each of the answer that the one before left.
    pub edits: Vec<Edit>,
    /// The answer after them.
    pub answer: Answer,
    /// The goals that are reached by them.
    pub gains: Vec<usize>,
    /// Whether every goal is reached.
    pub full: bool,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Search {
    /// The outcome without edits.
    pub before: Outcome,
    /// What helps, the smallest first.
    pub found: Vec<Found>,
    /// How many changed answers were tried.
    pub tried: usize,
    /// Whether the budget ended before the candidates.
    pub cut_short: bool,
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The most answers of one edit.
    pub singles: usize,
    /// The most answers of two edits.
    pub pairs: usize,
    /// The most changes of objects in all of them.
    pub work: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { singles: 4000, pairs: 2500, work: 200_000 }
    }
}

/// How many ways to reach everything are enough.
const ENOUGH: usize = 3;
/// How many more answers are tried after one reached everything.
const AFTERTHOUGHT: usize = 120;
/// How many edits are made one after the other.
const MOST_STEPS: usize = 8;
/// How many first edits pairs are made of.
const BEAM: usize = 6;

/// A trial costs at least this much work.
const LEAST_WORK: usize = 20;
/// Reading so many bytes is as much work as changing an object.
const BYTES_PER_WORK: usize = 200;

struct State<'a> {
    trial: &'a Trial<'a>,
    budget: Budget,
    seen: BTreeMap<u64, Outcome>,
    tried: usize,
    work: usize,
    cut_short: bool,
}

impl State<'_> {
    /// Plays an answer if it is new; `None` if it is not.
    fn play(&mut self, answer: &Answer) -> Result<Option<Outcome>, ScenarioError> {
        let files = answer.files();
        let known = self.seen.contains_key(&fingerprint(&files));
        if known { Ok(None) } else { self.outcome(answer).map(Some) }
    }

    /// What comes of an answer, played or remembered.
    fn outcome(&mut self, answer: &Answer) -> Result<Outcome, ScenarioError> {
        let files = answer.files();
        let fingerprint = fingerprint(&files);
        if let Some(known) = self.seen.get(&fingerprint) {
            return Ok(known.clone());
        }
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        let outcome = self.trial.play(answer)?;
        self.tried += 1;
        self.work += outcome.work + LEAST_WORK + bytes / BYTES_PER_WORK;
        self.seen.insert(fingerprint, outcome.clone());
        Ok(outcome)
    }
}

fn fingerprint(files: &[ManifestFile]) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.iter().for_each(|file| file.bytes.hash(&mut hasher));
    hasher.finish()
}

/// Looks for edits of an answer that reach what it does not reach.
///
/// # Errors
/// When the scenario itself is wrong.
pub fn search(
    trial: &Trial<'_>,
    context: &Context<'_>,
    answer: &Answer,
    budget: Budget,
) -> Result<Search, ScenarioError> {
    let mut state = State { trial, budget, seen: BTreeMap::new(), tried: 0, work: 0, cut_short: false };
    let before = trial.play(answer)?;
    let mut search = Search { before: before.clone(), found: Vec::new(), tried: 0, cut_short: false };
    if before.is_full() {
        return Ok(search);
    }
    state.play(answer)?;
    let mut nearer: Vec<(Outcome, Edit, Answer)> = Vec::new();
    let mut last = usize::MAX;
    for edit in candidates(context, answer) {
        if state.tried >= budget.singles.min(last) || state.work >= budget.work {
            state.cut_short = state.tried < last;
            break;
        }
        let Some(changed) = edit.apply(answer) else { continue };
        let Some(outcome) = state.play(&changed)? else { continue };
        let gains = outcome.gains(&before);
        let full = outcome.is_full();
        if !gains.is_empty() {
            search.found.push(Found { edits: vec![edit.clone()], answer: changed.clone(), gains, full });
        }
        if full {
            last = last.min(state.tried + AFTERTHOUGHT);
            if search.found.iter().filter(|found| found.full).count() >= ENOUGH {
                break;
            }
        }
        if !full && outcome.keeps(&before) && outcome.distance < before.distance {
            nearer.push((outcome, edit, changed));
        }
    }
    if !search.found.iter().any(|found| found.full) {
        pairs(&mut state, context, &before, nearer, &mut search.found)?;
    }
    if !search.found.iter().any(|found| found.full) {
        search.found.extend(step_by_step(&mut state, context, answer, &before)?);
    }
    search.tried = state.tried;
    search.cut_short = state.cut_short;
    Ok(search)
}

/// One edit after the other that does what the report asks for, each time the one that comes nearest.
fn step_by_step(
    state: &mut State<'_>,
    context: &Context<'_>,
    answer: &Answer,
    before: &Outcome,
) -> Result<Option<Found>, ScenarioError> {
    let end = state.tried + state.budget.pairs;
    let (mut edits, mut now, mut best) = (Vec::new(), answer.clone(), before.clone());
    while edits.len() < MOST_STEPS && state.tried < end {
        let sought = state.trial.sought(&now)?;
        let context = &Context { sought: &sought, others: false, ..*context };
        let mut next: Option<(Outcome, Edit, Answer)> = None;
        for edit in candidates(context, &now).into_iter().filter(|edit| sought.is_asked(edit)) {
            let Some(changed) = edit.apply(&now) else { continue };
            let outcome = state.outcome(&changed)?;
            let nearest = next.as_ref().map_or(best.distance, |(nearest, ..)| nearest.distance);
            if outcome.keeps(&best) && outcome.distance < nearest {
                next = Some((outcome, edit, changed));
            }
        }
        let Some((outcome, edit, changed)) = next else { break };
        edits.push(edit);
        (now, best) = (changed, outcome);
        if best.is_full() {
            return Ok(Some(Found { edits, answer: now, gains: best.gains(before), full: true }));
        }
    }
    Ok(None)
}

/// Second edits after those first ones that came nearest.
fn pairs(
    state: &mut State<'_>,
    context: &Context<'_>,
    before: &Outcome,
    mut nearer: Vec<(Outcome, Edit, Answer)>,
    found: &mut Vec<Found>,
) -> Result<(), ScenarioError> {
    nearer.sort_by_key(|(outcome, edit, _)| (outcome.distance, edit.kind));
    let end = state.tried + state.budget.pairs;
    for (first, edit, answer) in nearer.into_iter().take(BEAM) {
        let context = &Context { others: false, ..*context };
        // two large edits are no help
        for second in candidates(context, &answer).into_iter().filter(|edit| edit.kind <= EditKind::Drop) {
            if state.tried >= end || state.work >= state.budget.work {
                state.cut_short = true;
                return Ok(());
            }
            let Some(changed) = second.apply(&answer) else { continue };
            let Some(outcome) = state.play(&changed)? else { continue };
            let gains = outcome.gains(before);
            let full = outcome.is_full();
            if full || gains.len() > first.gains(before).len() {
                let edits = vec![edit.clone(), second];
                found.push(Found { edits, answer: changed, gains, full });
            }
            if full {
                return Ok(());
            }
        }
    }
    Ok(())
}
