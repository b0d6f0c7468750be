//! Mutants of a key: answers with one thing changed, to find out whether a scenario's checks notice.
//!
//! [`of`] changes a key systematically. Each file of [`mutants`](self) is one kind of change. What a mutant should be worth is
//! said by its [`Stance`]; [`proof`](crate::proof) plays mutants and judges.
mod additions;
mod documents;
mod drops;
mod enums;
mod kinds;
mod names;
mod order;
mod references;
mod said;
mod site;
mod sources;
mod spelling;
mod values;

pub use said::Said;
pub use site::free_matches;

use serde_json::Value;

use crate::api::{Kind, Store};
use site::{Edit, Site};

/// A key with one thing changed.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The answer, document by document.
    pub documents: Vec<Value>,
    /// What was changed.
    pub change: Change,
    /// What the change should cost.
    pub stance: Stance,
}

/// What a mutant changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The kind of change.
    pub how: How,
    /// The changed document's kind: `Pod`.
    pub kind: String,
    /// The changed document's name.
    pub name: String,
    /// Where: `spec.containers[0].image`; empty when the document as a whole is meant.
    pub path: String,
    /// What the key has there.
    pub old: Option<Value>,
    /// What the mutant has there.
    pub new: Option<Value>,
}

/// The kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A field or an item of a list is left out.
    Drop,
    /// A field has another value.
    Value,
    /// A name is changed wherever it is written.
    Rename,
    /// A key of a map is changed.
    Key,
    /// Items or documents come in another order.
    Order,
    /// A document is left out.
    Document,
    /// An object of another kind.
    Kind,
    /// A volume of another type.
    Source,
    /// A later document says something else about the same object.
    Contradiction,
    /// An earlier document makes another object that wants the same.
    Rival,
    /// The same value, written otherwise.
    Spelling,
    /// Something that nobody asked for and that harms nobody.
    Addition,
}

/// What a mutant should be worth when its outcome is another than the key's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stance {
    /// It has to lose points: the task asks for what was changed.
    Asked,
    /// It has to keep full marks: the task does not say what was changed, so that answers are free to differ.
    Unsaid,
    /// It cannot be told whether the task asks for it.
    Unsure,
    /// As [`Stance::Asked`], unless nothing differs but labels or annotations of this name: the task does not say it.
    AskedBeyondLabel(String),
    /// As [`Stance::Asked`], but objects that the key's outcome does not have do not matter.
    AskedOfKeysObjects,
}

/// The documents of a key and what is known about them.
pub(crate) struct Key<'a> {
    documents: &'a [Value],
    sites: Vec<Site<'a>>,
    said: &'a Said,
    start: &'a Store,
}

/// All mutants of a key, in a fixed order, no two alike. `start` is what is in the cluster before the answer.
pub fn of(documents: &[Value], said: &Said, start: &Store) -> Vec<Mutant> {
    let sites = site::all(documents);
    let key = Key { documents, sites, said, start };
    let kinds: [fn(&Key<'_>) -> Vec<Mutant>; 10] = [
        documents::mutants,
        kinds::mutants,
        names::mutants,
        drops::mutants,
        values::mutants,
        order::mutants,
        sources::mutants,
        spelling::mutants,
        additions::mutants,
        documents::additional,
    ];
    let mut mutants: Vec<Mutant> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    seen.insert(Value::Array(documents.to_vec()).to_string());
    for mutant in kinds.iter().flat_map(|kind| kind(&key)) {
        if seen.insert(Value::Array(mutant.documents.clone()).to_string()) {
            mutants.push(mutant);
        }
    }
    mutants
}

impl Key<'_> {
    /// The key with one edit.
    fn edited(&self, site: &Site<'_>, how: How, edit: &Edit, stance: Stance) -> Option<Mutant> {
        let mut documents = self.documents.to_vec();
        site::apply(documents.get_mut(site.document)?, &site.path, edit)?;
        let stance = if stance == Stance::Asked && self.was_so(site) { Stance::Unsure } else { stance };
        let new = match edit {
            Edit::Set(value) => Some(value.clone()),
            Edit::Key(key) => Some(Value::String(key.clone())),
            Edit::Remove => None,
        };
        let old = match edit {
            Edit::Key(_) => site.key().map(|key| Value::String(key.to_owned())),
            _ => Some(site.value.clone()),
        };
        let change = self.change(site.document, how, site::shown(&site.path), old, new);
        Some(Mutant { documents, change, stance })
    }

    /// Whether the object is in the cluster before the answer and has this value: the task did not ask to change it.
    fn was_so(&self, site: &Site<'_>) -> bool {
        let Some(document) = self.documents.get(site.document) else { return false };
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = Kind::find(text("/apiVersion"), text("/kind")) else { return false };
        let namespace = match (kind.namespaced(), text("/metadata/namespace")) {
            (false, _) => "",
            (true, "") => "default",
            (true, namespace) => namespace,
        };
        let Some(object) = self.start.object(kind, namespace, text("/metadata/name")) else { return false };
        // a conversion per value is dear, but few keys change objects that are there
        site::at(&object.to_value(), &site.path).is_some_and(|value| site::is_within(site.value, value))
    }

    fn change(&self, document: usize, how: How, path: String, old: Option<Value>, new: Option<Value>) -> Change {
        let text = |pointer: &str| {
            let value = self.documents.get(document).and_then(|d| d.pointer(pointer)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        Change { how, kind: text("/kind"), name: text("/metadata/name"), path, old, new }
    }
}
