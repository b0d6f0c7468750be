//! An answer as documents that can be changed and played again.
use std::sync::Arc;

use serde_json::{Map, Value};

use super::edit::Added;
use crate::api::schema::Segment;
use crate::manifest::{self, Document};
use crate::timeline::ManifestFile;
use crate::timeline::answer::is_commands;

/// The documents of an answer, in order, with the files they stand in.
#[derive(Clone, Debug)]
pub struct Answer {
    files: Arc<Vec<ManifestFile>>,
    /// Files that cannot be read to their end: they are played as they are.
    unreadable: Arc<Vec<bool>>,
    documents: Vec<Entry>,
}

/// A document as it is now.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of its file.
    pub file: usize,
    /// The document as it was read; `None` for one that was added.
    pub document: Option<Arc<Document>>,
    /// What is in it; `null` if it was dropped.
    pub value: Arc<Value>,
}

/// One change of a value in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The number of the document.
    pub document: usize,
    /// The way to the value; empty for the document itself.
    pub path: Vec<Segment>,
    /// What stands there afterwards; `None` if nothing does.
    pub value: Option<Value>,
}

impl Answer {
    /// Reads an answer; Lists are taken apart, as kubectl does.
    pub fn read(files: &[ManifestFile]) -> Answer {
        let mut documents = Vec::new();
        let mut unreadable = Vec::new();
        for (number, file) in files.iter().enumerate() {
            if is_commands(&file.name) {
                // played as it is
                unreadable.push(true);
                continue;
            }
            let read = manifest::read(&file.name, &file.bytes);
            unreadable.push(read.error.is_some());
            for document in read.documents {
                let is_list = document.value.get("items").is_some_and(Value::is_array);
                let items = if is_list { document.items() } else { vec![document] };
                documents.extend(items.into_iter().map(|document| Entry {
                    file: number,
                    value: Arc::new(document.value.clone()),
                    document: Some(Arc::new(document)),
                }));
            }
        }
        Answer { files: Arc::new(files.to_vec()), unreadable: Arc::new(unreadable), documents }
    }

    /// The documents.
    pub fn documents(&self) -> &[Entry] {
        &self.documents
    }

    /// The documents that can be changed, with their numbers.
    pub fn editable(&self) -> impl Iterator<Item = (usize, &Entry)> {
        let readable = |entry: &Entry| !self.unreadable.get(entry.file).copied().unwrap_or(false);
        self.documents.iter().enumerate().filter(move |(_, entry)| readable(entry) && !entry.value.is_null())
    }

    /// The files as they were given.
    pub fn original_files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// The files with the documents as they are now, as JSON.
    pub fn files(&self) -> Vec<ManifestFile> {
        let file = |(number, file): (usize, &ManifestFile)| {
            if self.unreadable.get(number).copied().unwrap_or(false) {
                return file.clone();
            }
            let own = self.documents.iter().filter(|entry| entry.file == number && !entry.value.is_null());
            let text: String = own.map(|entry| format!("{}\n", entry.value)).collect();
            ManifestFile { name: file.name.clone(), bytes: text.into_bytes() }
        };
        self.files.iter().enumerate().map(file).collect()
    }

    /// The answer after some changes, and after a new document was put in front; `None` if a change has no place.
    pub fn changed(&self, changes: &[Change], added: Option<&Added>) -> Option<Answer> {
        let mut answer = self.clone();
        for change in changes {
            let entry = answer.documents.get_mut(change.document)?;
            apply(Arc::make_mut(&mut entry.value), std::slice::from_ref(change))?;
        }
        if let Some(added) = added {
            let documents = &mut answer.documents;
            let entry = |file| Entry { file, document: None, value: Arc::new(added.value.clone()) };
            match (added.at_end, documents.last()) {
                (true, Some(last)) => documents.push(entry(last.file)),
                // in front: what is added is needed by the others
                _ => documents.insert(0, entry(documents.first().map_or(0, |entry| entry.file))),
            }
        }
        Some(answer)
    }
}

impl Answer {
    /// The answer with one document in front of all others.
    pub fn with_first(mut self, number: usize) -> Option<Answer> {
        let mut entry = (number < self.documents.len()).then(|| self.documents.remove(number))?;
        entry.file = self.documents.first().map_or(entry.file, |first| first.file);
        self.documents.insert(0, entry);
        Some(self)
    }
}

/// Makes changes in one document; `None` if one has no place.
pub(super) fn apply(value: &mut Value, changes: &[Change]) -> Option<()> {
    for change in changes {
        match change.path.split_last() {
            None => *value = change.value.clone().unwrap_or(Value::Null),
            Some((last, parents)) => set(value, parents, last, change.value.clone())?,
        }
    }
    Some(())
}

/// The value at a path.
pub fn get<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    })
}

/// Puts a value at a path, or removes what is there; an index behind the end of a list appends.
fn set(root: &mut Value, parents: &[Segment], last: &Segment, value: Option<Value>) -> Option<()> {
    let mut place = root;
    for segment in parents {
        place = match segment {
            Segment::Key(key) => {
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                place.as_object_mut()?.entry(key.clone()).or_insert(Value::Null)
            }
            Segment::Index(0) if place.is_null() => {
                *place = Value::Array(vec![Value::Null]);
                place.get_mut(0)?
            }
            Segment::Index(index) => place.get_mut(index)?,
        };
    }
    match (last, place) {
        (Segment::Key(key), place @ (Value::Null | Value::Object(_))) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            let fields = place.as_object_mut()?;
            match value {
                Some(value) => fields.insert(key.clone(), value),
                None => fields.remove(key),
            };
        }
        (Segment::Index(index), Value::Array(items)) => match value {
            Some(value) => match items.get_mut(*index) {
                Some(slot) => *slot = value,
                None => items.push(value),
            },
            None if *index < items.len() => drop(items.remove(*index)),
            None => return None,
        },
        _ => return None,
    }
    Some(())
}

/// A path as Kubernetes writes it: `spec.containers[0].image`, `metadata.labels[a.b/c]`.
pub fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Key(key) if key.contains(['.', '[', ']', '/']) => text.push_str(&format!("[{key}]")),
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => text.push_str(&format!(".{key}")),
        }
    }
    text
}
