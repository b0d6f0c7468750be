//! The edits that are tried.
use serde_json::Value;

use super::answer::{Answer, Change};

/// What an edit does, from small to large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EditKind {
    /// A value is changed.
    Value,
    /// A key is spelled otherwise.
    Key,
    /// The same value is changed at all its places.
    Everywhere,
    /// Two values change places.
    Swap,
    /// A field or an item is added.
    Add,
    /// A field is put elsewhere.
    Move,
    /// A field or an item is dropped.
    Drop,
    /// A document is added.
    AddDocument,
    /// An object that was there before is changed: it becomes part of the answer.
    ChangeOther,
    /// A document is dropped.
    DropDocument,
    /// One kind of thing is made another: a document's kind, a volume's source.
    Kind,
}

/// One edit of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// What it does.
    pub kind: EditKind,
    /// The changes it consists of.
    pub changes: Vec<Change>,
    /// A document that is added.
    pub added: Option<Added>,
    /// The number of a document that is put in front of all others.
    pub first: Option<usize>,
}

/// A document that is added to an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// What is in it.
    pub value: Value,
    /// Whether it comes after all others instead of before them.
    pub at_end: bool,
}

impl Edit {
    /// An edit of one change.
    pub fn one(kind: EditKind, change: Change) -> Edit {
        Edit { kind, changes: vec![change], added: None, first: None }
    }

    /// The answer with the edit.
    pub fn apply(&self, answer: &Answer) -> Option<Answer> {
        let changed = answer.changed(&self.changes, self.added.as_ref())?;
        match self.first {
            Some(number) => changed.with_first(number),
            None => Some(changed),
        }
    }
}
