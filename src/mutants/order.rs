//! The same items in another order.
use serde_json::Value;

use super::site::{Edit, Site};
use super::{How, Key, Mutant, Stance};

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in &key.sites {
        let Value::Array(items) = site.value else { continue };
        let Some(stance) = stance(site).filter(|_| items.len() >= 2) else { continue };
        let reversed = items.iter().rev().cloned().collect();
        mutants.extend(key.edited(site, How::Order, &Edit::Set(Value::Array(reversed)), stance));
    }
    mutants
}

/// What another order should cost; `None` where it depends.
fn stance(site: &Site<'_>) -> Option<Stance> {
    let text = site.value.to_string();
    match site.key()? {
        "command" | "args" | "initContainers" => Some(Stance::Asked),
        // a variable sees those that come before it
        "env" if text.contains("$(") => None,
        "containers" | "volumes" | "volumeMounts" | "env" | "ports" | "accessModes" => Some(Stance::Unsaid),
        _ => None,
    }
}
