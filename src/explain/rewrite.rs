//! Edits in the text of the manifests, as the learner would make them. What is written is read again: only a text that means
//! exactly the edited documents is shown.
use std::ops::Range;

use serde_json::Value;

use super::answer::{Answer, Change, get, path_text};
use super::edit::Edit;
use crate::api::schema::Segment;
use crate::manifest::Document;
use crate::timeline::ManifestFile;
use crate::yaml;

/// The files after an edit; `None` where the text cannot be changed with certainty.
pub fn rewrite(answer: &Answer, edit: &Edit) -> Option<Vec<ManifestFile>> {
    let mut pieces: Vec<(usize, Range<usize>, String)> = Vec::new();
    match renamed_key(edit) {
        Some((from, to)) => {
            let document = answer.documents().get(from.document)?;
            let source = document.document.as_ref()?;
            let range = source.locate_key(&path_text(&from.path)).range;
            let quoted = source.source().text.get(range.clone())?.starts_with('"');
            let Some(Segment::Key(key)) = to.path.last() else { return None };
            pieces.push((
                document.file,
                range,
                if quoted { Value::from(key.as_str()).to_string() } else { key.clone() },
            ));
        }
        None => {
            for change in &edit.changes {
                let entry = answer.documents().get(change.document)?;
                let document = entry.document.as_ref()?;
                let (range, text) = piece(document, &entry.value, change)?;
                pieces.push((entry.file, range, text));
            }
        }
    }
    let mut files = answer.original_files().to_vec();
    pieces.sort_by_key(|(_, range, _)| std::cmp::Reverse(range.start));
    for (file, range, text) in pieces {
        let file = files.get_mut(file)?;
        let mut whole = String::from_utf8(std::mem::take(&mut file.bytes)).ok()?;
        whole.get(range.clone())?;
        whole.replace_range(range, &text);
        file.bytes = whole.into_bytes();
    }
    if edit.first.is_some() {
        return None;
    }
    if let Some(added) = &edit.added {
        let new = yaml::to_string(&added.value);
        if added.at_end {
            let file = files.last_mut()?;
            let gap = if file.bytes.ends_with(b"\n") { "" } else { "\n" };
            file.bytes.extend_from_slice(format!("{gap}---\n{new}").as_bytes());
        } else {
            let file = files.first_mut()?;
            let mut text = format!("{new}---\n").into_bytes();
            text.append(&mut file.bytes);
            file.bytes = text;
        }
    }
    let meant = edit.apply(answer)?;
    let read = Answer::read(&files);
    let values = |answer: &Answer| -> Vec<Value> {
        answer.documents().iter().filter(|e| !e.value.is_null()).map(|e| (*e.value).clone()).collect()
    };
    (values(&meant) == values(&read)).then_some(files)
}

/// A key that is spelled otherwise: what stood under the one stands under the other.
fn renamed_key(edit: &Edit) -> Option<(&Change, &Change)> {
    match edit.changes.as_slice() {
        [from, to] if from.value.is_none() && from.document == to.document => {
            let (_, parent) = from.path.split_last()?;
            let (_, other) = to.path.split_last()?;
            (edit.kind == super::edit::EditKind::Key && parent == other && edit.added.is_none()).then_some((from, to))
        }
        _ => None,
    }
}

/// What is put in place of which part of the text for one change.
fn piece(document: &Document, value: &Value, change: &Change) -> Option<(Range<usize>, String)> {
    let text = &document.source().text;
    let Some((last, parents)) = change.path.split_last() else {
        // the document itself goes
        return change.value.is_none().then(|| (document.location().range, String::new()));
    };
    match (get(value, &change.path), &change.value) {
        (Some(_), Some(new)) => {
            let range = document.locate(&path_text(&change.path)).range;
            if new.is_object() || new.is_array() {
                let key = document.locate_key(&path_text(&change.path)).range;
                let colon = text.get(key.end..)?.find(':')? + key.end + 1;
                let is_key = matches!(last, Segment::Key(_)) && colon <= range.start;
                return is_key.then(|| (colon..range.end.max(colon), format!(" {}", flow(new))));
            }
            let quoted = text.get(range.clone())?.starts_with(['"', '\'']) || is_json(document);
            (!range.is_empty()).then(|| (range, scalar(new, quoted)))
        }
        (Some(_), None) => {
            let parent = get(value, parents)?;
            let number = parent.as_object().map(serde_json::Map::len).or(parent.as_array().map(Vec::len))?;
            if number == 1 {
                // an empty collection in its place
                let empty = if parent.is_object() { "{}" } else { "[]" };
                let key = document.locate_key(&path_text(parents)).range;
                let range = document.locate(&path_text(parents)).range;
                let colon = text.get(key.end..)?.find(':')? + key.end + 1;
                return (colon <= range.start).then(|| (colon..range.end, format!(" {empty}")));
            }
            remove(document, &change.path)
        }
        (None, Some(new)) => insert(document, value, parents, last, new),
        (None, None) => None,
    }
}

fn is_json(document: &Document) -> bool {
    document.source().text.trim_start().starts_with('{')
}

/// The part of the text that holds a field or an item.
fn remove(document: &Document, path: &[Segment]) -> Option<(Range<usize>, String)> {
    let text = &document.source().text;
    let field = path_text(path);
    let (key, range) = (document.locate_key(&field).range, document.locate(&field).range);
    let (mut start, mut end) = (key.start.min(range.start), range.end.max(key.end));
    if end == key.end {
        // a key without a value
        end += text.get(end..)?.find(':')? + 1;
    }
    let line = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(line..start)?;
    let is_item = matches!(path.last(), Some(Segment::Index(_)));
    let after = text.get(end..)?;
    let rest_of_line = after.find('\n').map_or(after.len(), |at| at + 1);
    let tail = after.get(..rest_of_line)?.trim();
    let alone = tail.is_empty() || tail.starts_with('#');
    let block_item = is_item && before.trim_end().ends_with('-');
    if alone && (before.trim().is_empty() || (block_item && before.trim() == "-")) {
        return Some((line..end + rest_of_line, String::new()));
    }
    if alone && !is_item && before.trim_end().ends_with('-') {
        // the first field of an item: the next one takes its place
        let next = after.get(rest_of_line..)?;
        let blank = next.len() - next.trim_start().len();
        return Some((start..end + rest_of_line + blank, String::new()));
    }
    // flow style: with one comma
    match tail.strip_prefix(',') {
        Some(rest) => {
            let skipped = after.find(',')? + 1;
            let blank = rest.len() - rest.trim_start().len();
            end += skipped + blank;
        }
        None => {
            start = text.get(..start)?.trim_end().strip_suffix(',')?.len();
        }
    }
    Some((start..end, String::new()))
}

/// Where a new field or item goes, and how it is written there.
fn insert(
    document: &Document,
    value: &Value,
    parents: &[Segment],
    last: &Segment,
    new: &Value,
) -> Option<(Range<usize>, String)> {
    let text = &document.source().text;
    let parent = get(value, parents);
    let Some(parent) = parent.filter(|parent| !parent.is_null()) else {
        // the parent comes with it
        let (own, above) = parents.split_last()?;
        let Segment::Key(key) = last else { return None };
        if parent.is_some() {
            return None;
        }
        return insert(document, value, above, own, &Value::from_iter([(key.as_str(), new.clone())]));
    };
    let place = document.locate(&path_text(parents)).range;
    let written = text.get(place.clone())?;
    let flow_style = written.starts_with(['{', '[']);
    let key = match last {
        Segment::Key(key) if is_json(document) => format!("{}: ", Value::from(key.as_str())),
        Segment::Key(key) => format!("{}: ", scalar(&key.as_str().into(), false)),
        Segment::Index(_) => String::new(),
    };
    if flow_style {
        let end = place.end.checked_sub(1)?;
        let inside = text.get(place.start + 1..end)?.trim_end();
        let at = place.start + 1 + inside.len();
        let comma = if inside.trim().is_empty() || inside.trim_end().ends_with(',') { "" } else { ", " };
        let new = if is_json(document) { new.to_string() } else { flow(new) };
        return Some((at..at, format!("{comma}{key}{new}")));
    }
    let (indent, body) = match (last, parent) {
        (Segment::Key(key), Value::Object(fields)) => {
            let mut first = parents.to_vec();
            first.push(fields.keys().next()?.as_str().into());
            let indent = document.locate_key(&path_text(&first)).column.checked_sub(1)?;
            (indent, yaml::to_string(&Value::from_iter([(key.as_str(), new.clone())])))
        }
        (Segment::Index(_), Value::Array(_)) => {
            let line = text.get(..place.start)?.rfind('\n').map_or(0, |at| at + 1);
            let indent = text.get(line..)?.find('-')?;
            (indent, yaml::to_string(&Value::Array(vec![new.clone()])))
        }
        _ => return None,
    };
    let after = text.get(place.end..)?;
    let (at, gap) = match after.find('\n') {
        Some(end) => (place.end + end + 1, ""),
        None => (text.len(), "\n"),
    };
    let body: String = body.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect();
    Some((at..at, format!("{gap}{body}")))
}

/// A scalar in YAML.
fn scalar(value: &Value, quoted: bool) -> String {
    match value {
        Value::String(text) if quoted => Value::from(text.as_str()).to_string(),
        Value::String(_) => yaml::to_string(value).trim_end().to_owned(),
        other => other.to_string(),
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(&key.as_str().into(), false), flow(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::String(text) => scalar(value, text.contains([',', '[', ']', '{', '}'])),
        other => other.to_string(),
    }
}
