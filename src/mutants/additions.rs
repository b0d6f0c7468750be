//! What nobody asked for and what harms nobody.
use serde_json::Value;

use super::{How, Key, Mutant, Stance};

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for number in 0..key.documents.len() {
        for map in ["labels", "annotations"] {
            mutants.extend(added(key, number, map));
        }
    }
    mutants
}

/// One more label or annotation of an object.
fn added(key: &Key<'_>, number: usize, map: &str) -> Option<Mutant> {
    let mut documents = key.documents.to_vec();
    let metadata = documents.get_mut(number)?.get_mut("metadata")?.as_object_mut()?;
    let entries = metadata.entry(map).or_insert_with(|| Value::Object(Default::default()));
    entries.as_object_mut()?.insert("example.com/note".to_owned(), Value::String("x".to_owned()));
    let new = Some(Value::String("example.com/note: x".to_owned()));
    let change = key.change(number, How::Addition, format!("metadata.{map}"), None, new);
    Some(Mutant { documents, change, stance: Stance::Unsaid })
}
