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
    /// A document that is put in front.
    pub added: Option<Value>,
}

impl Edit {
    /// An edit of one change.
    pub fn one(kind: EditKind, change: Change) -> Edit {
        Edit { kind, changes: vec![change], added: None }
    }

    /// The answer with the edit.
    pub fn apply(&self, answer: &Answer) -> Option<Answer> {
        answer.changed(&self.changes, self.added.as_ref())
    }
}
