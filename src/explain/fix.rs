//! A change that helps, as it is told: what to do at which place, and the lines of the manifest before and after it.
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::answer::{Answer, Entry, get, path_text};
use super::edit::{Edit, EditKind};
use super::rewrite::rewrite;
use super::search::Found;
use crate::api::quantity::Quantity;
use crate::timeline::ManifestFile;

/// A change that helps.
#[derive(Clone, Debug)]
pub struct Fix {
    /// What to do, one after the other.
    pub steps: Vec<Step>,
    /// Lines that go and lines that come; empty where only words can tell.
    pub diff: Vec<DiffLine>,
    /// The manifests with the change, as text where that can be changed with certainty, otherwise as JSON.
    pub files: Vec<ManifestFile>,
    /// The goals that are reached by it.
    pub gains: Vec<usize>,
    /// Whether every goal is reached.
    pub full: bool,
}

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// What kind of thing.
    pub kind: EditKind,
    /// Where; several for a change at several places.
    pub places: Vec<Place>,
    /// A document that is added.
    pub added: Option<Value>,
    /// A document that is put in front of all others.
    pub first: Option<String>,
    /// For a quantity: whether any smaller or larger one would do as well, as far as it was tried.
    pub bound: Option<Bound>,
}

/// A value and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1, before the change.
    pub line: usize,
    /// Kind and name of the object.
    pub object: String,
    /// The field; empty for the document as a whole.
    pub field: String,
    /// What stands there.
    pub before: Option<Value>,
    /// What is to stand there.
    pub after: Option<Value>,
}

/// Which way a quantity is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At most so much.
    AtMost,
    /// At least so much.
    AtLeast,
}

/// A line of a manifest that goes or comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// The file.
    pub file: String,
    /// The line's number in the text before (or, for one that comes, after) the change.
    pub line: usize,
    /// Whether it comes.
    pub added: bool,
    /// The text, without a line break.
    pub text: String,
}

/// The most fixes that are told.
const MOST: usize = 3;

/// Puts what was found into words and lines. At most three, each in another place; the smallest first. `bounds` says that a
/// quantity need not be exact.
pub fn choose(answer: &Answer, found: &[Found], bounds: bool, wanted: impl Fn(&Found) -> bool) -> Vec<Fix> {
    let mut chosen: Vec<&Found> = Vec::new();
    let mut candidates: Vec<&Found> = found.iter().filter(|found| wanted(found)).collect();
    candidates.sort_by_key(|found| (found.edits.len(), rank(answer, found)));
    for found in candidates {
        match chosen.iter_mut().find(|other| paths(other) == paths(found)) {
            Some(other) => {
                if nearer(answer, found, other) {
                    *other = found;
                }
            }
            None => chosen.push(found),
        }
    }
    let fewest = chosen.first().map_or(0, |found| found.edits.len());
    chosen.retain(|found| found.edits.len() == fewest);
    chosen.truncate(MOST);
    chosen.into_iter().map(|found| fix(answer, found, bounds)).collect()
}

/// Small edits before large ones, then as they stand in the answer.
fn rank(answer: &Answer, found: &Found) -> (EditKind, usize, usize, usize) {
    let kind = found.edits.iter().map(|edit| edit.kind).max().unwrap_or(EditKind::Value);
    let size: usize = found.edits.iter().map(size).sum();
    let first = found.edits.first().and_then(|edit| edit.changes.first());
    let document = first.map_or(0, |change| change.document);
    let line = first.map_or(0, |change| {
        let source = answer.documents().get(document).and_then(|entry| entry.document.as_ref());
        source.map_or(0, |source| source.locate(&path_text(&change.path)).line)
    });
    (kind, size, document, line)
}

/// How much an edit writes.
fn size(edit: &Edit) -> usize {
    let values = edit
        .changes
        .iter()
        .filter_map(|change| change.value.as_ref())
        .chain(edit.added.as_ref().map(|added| &added.value));
    values.map(leaves).sum()
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Object(fields) => fields.values().map(leaves).sum::<usize>().max(1),
        _ => 1,
    }
}

fn paths(found: &Found) -> Vec<(usize, String)> {
    let changes = found.edits.iter().flat_map(|edit| &edit.changes);
    changes.map(|change| (change.document, path_text(&change.path))).collect()
}

/// Whether a quantity is nearer to the present one than another: the largest that is small enough, the smallest that is large
/// enough.
fn nearer(answer: &Answer, found: &Found, other: &Found) -> bool {
    let quantity = |found: &Found| {
        let [edit] = found.edits.as_slice() else { return None };
        let [change] = edit.changes.as_slice() else { return None };
        let before = get(&answer.documents().get(change.document)?.value, &change.path)?.as_str()?;
        let after = change.value.as_ref()?.as_str()?;
        Some((Quantity::parse_trimmed(before).ok()?, Quantity::parse_trimmed(after).ok()?))
    };
    match (quantity(found), quantity(other)) {
        (Some((before, one)), Some((_, other))) if one < before && other < before => one > other,
        (Some((before, one)), Some((_, other))) if one > before && other > before => one < other,
        _ => false,
    }
}

fn fix(answer: &Answer, found: &Found, bounds: bool) -> Fix {
    let mut steps = Vec::new();
    let mut now = answer.clone();
    let mut files: Option<Vec<ManifestFile>> = Some(answer.original_files().to_vec());
    for edit in &found.edits {
        steps.push(step(&now, edit, bounds));
        files = match files {
            Some(files) => rewrite(&Answer::read(&files), edit),
            None => None,
        };
        now = edit.apply(&now).unwrap_or(now);
    }
    let diff = files.as_ref().map(|files| lines(answer.original_files(), files)).unwrap_or_default();
    let files = files.unwrap_or_else(|| now.files());
    Fix { steps, diff, files, gains: found.gains.clone(), full: found.full }
}

fn step(answer: &Answer, edit: &Edit, bounds: bool) -> Step {
    let places: Vec<Place> = edit
        .changes
        .iter()
        .filter_map(|change| {
            let entry = answer.documents().get(change.document)?;
            let field = path_text(&change.path);
            let before = get(&entry.value, &change.path).cloned();
            Some(Place {
                file: file_of(answer, entry),
                line: entry.document.as_ref().map_or(0, |source| match before {
                    Some(_) => source.locate_key(&field).line,
                    None => source.locate(&field).line,
                }),
                object: name_of(&entry.value),
                field,
                before,
                after: change.value.clone(),
            })
        })
        .collect();
    let bound = match places.as_slice() {
        [place] if bounds => bound_of(place),
        _ => None,
    };
    let added = edit.added.as_ref().map(|added| added.value.clone());
    let first = edit.first.and_then(|number| answer.documents().get(number)).map(|entry| name_of(&entry.value));
    Step { kind: edit.kind, places, added, first, bound }
}

/// A request that was too large can be smaller still; a capacity that was too small can be larger.
fn bound_of(place: &Place) -> Option<Bound> {
    let quantity = |value: &Option<Value>| Quantity::parse_trimmed(value.as_ref()?.as_str()?).ok();
    let (before, after) = (quantity(&place.before)?, quantity(&place.after)?);
    let request = place.field.contains("requests");
    let capacity = place.field.contains("capacity");
    if request && after < before {
        Some(Bound::AtMost)
    } else if capacity && after > before {
        Some(Bound::AtLeast)
    } else {
        None
    }
}

fn file_of(answer: &Answer, entry: &Entry) -> String {
    answer.original_files().get(entry.file).map(|file| file.name.clone()).unwrap_or_default()
}

/// `PersistentVolumeClaim data`.
pub fn name_of(value: &Value) -> String {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name")).trim().to_owned()
}

/// What goes and what comes between two states of the files.
fn lines(before: &[ManifestFile], after: &[ManifestFile]) -> Vec<DiffLine> {
    let mut out = Vec::new();
    for (before, after) in before.iter().zip(after) {
        let (old, new) = (String::from_utf8_lossy(&before.bytes), String::from_utf8_lossy(&after.bytes));
        let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
        for change in diff.iter_all_changes() {
            let (added, index) = match change.tag() {
                ChangeTag::Equal => continue,
                ChangeTag::Delete => (false, change.old_index()),
                ChangeTag::Insert => (true, change.new_index()),
            };
            out.push(DiffLine {
                file: before.name.clone(),
                line: index.unwrap_or(0) + 1,
                added,
                text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
            });
        }
    }
    out
}
