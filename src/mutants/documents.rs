//! Documents that are left out, contradicted, or come in another order; and others that want the same.
use serde_json::{Value, json};

use super::site::{self, Edit};
use super::{How, Key, Mutant, Stance};

/// Each document left out, and all in reverse.
pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for number in 0..key.documents.len() {
        let mut documents = key.documents.to_vec();
        documents.remove(number);
        let change = key.change(number, How::Document, String::new(), None, None);
        mutants.push(Mutant { documents, change, stance: Stance::Asked });
    }
    if key.documents.len() >= 2 {
        let documents = key.documents.iter().rev().cloned().collect();
        let change = key.change(0, How::Order, String::new(), None, None);
        mutants.push(Mutant { documents, change, stance: Stance::Unsure });
    }
    mutants
}

/// Each document contradicted by a later one, and rivals before it.
pub(super) fn additional(key: &Key<'_>) -> Vec<Mutant> {
    let contradicted = (0..key.documents.len()).flat_map(|number| contradicted(key, number));
    contradicted.chain(rivals(key)).collect()
}

/// The same object again with other values; what comes last counts.
fn contradicted(key: &Key<'_>, number: usize) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in key.sites.iter().filter(|site| site.document == number && site.path.len() >= 2) {
        let new = match (site.value, site.key()) {
            (Value::Number(n), Some("replicas")) => json!(n.as_i64().unwrap_or(0).saturating_add(1)),
            (Value::String(text), _) if site.in_map && site.keys().first() == Some(&"data") => {
                json!(format!("{text}-y"))
            }
            (Value::String(text), Some("image")) => json!(format!("{text}-y")),
            _ => continue,
        };
        let Some(mut again) = key.documents.get(number).cloned() else { continue };
        if site::apply(&mut again, &site.path, &Edit::Set(new.clone())).is_none() {
            continue;
        }
        let mut documents = key.documents.to_vec();
        documents.push(again);
        let path = site::shown(&site.path);
        let stance = if key.was_so(site) { Stance::Unsure } else { Stance::Asked };
        let change = key.change(number, How::Contradiction, path, Some(site.value.clone()), Some(new));
        mutants.push(Mutant { documents, change, stance });
    }
    mutants
}

/// Another claim or volume of the same kind comes first.
fn rivals(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (number, document) in key.documents.iter().enumerate() {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "PersistentVolumeClaim" | "PersistentVolume") {
            continue;
        }
        let mut rival = document.clone();
        let name = rival.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        // before the other in every order
        let name = format!("a-{name}");
        if let Some(place) = rival.pointer_mut("/metadata/name") {
            *place = Value::String(name.clone());
        }
        let mut documents = vec![rival];
        documents.extend_from_slice(key.documents);
        let change = key.change(number, How::Rival, String::new(), None, Some(Value::String(name)));
        mutants.push(Mutant { documents, change, stance: Stance::AskedOfKeysObjects });
    }
    mutants
}
