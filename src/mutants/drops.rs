//! Fields and items that are left out.
use serde_json::Value;

use super::site::{Edit, Site};
use super::{How, Key, Mutant, Stance};

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let dropped = |site: &Site<'_>| {
        if is_needed(site) || is_only_item(key, site) {
            return None;
        }
        key.edited(site, How::Drop, &Edit::Remove, stance(key, site))
    };
    key.sites.iter().filter_map(dropped).collect()
}

/// What a change of a label that the task does not give should cost.
pub(super) fn stance(key: &Key<'_>, site: &Site<'_>) -> Stance {
    match site.label() {
        Some(label) if !key.said.names(label) => Stance::AskedBeyondLabel(label.to_owned()),
        _ if site.ends(&["metadata", "labels"]) || site.ends(&["metadata", "annotations"]) => unsaid_labels(key, site),
        _ => Stance::Asked,
    }
}

/// All labels of an object: asked for if the task gives one of them.
fn unsaid_labels(key: &Key<'_>, site: &Site<'_>) -> Stance {
    let names: Vec<&String> = site.value.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    match names.as_slice() {
        [only] if !key.said.names(only) => Stance::AskedBeyondLabel((*only).clone()),
        _ => Stance::Asked,
    }
}

/// Without it the document would be refused, whatever it is about.
fn is_needed(site: &Site<'_>) -> bool {
    let in_a_list = site.path.len() >= 2;
    let names_item = in_a_list && site.key() == Some("name") && !site.in_map;
    names_item && !site.keys().iter().any(|key| key.ends_with("Ref"))
        || site.ends(&["metadata"]) && site.path.len() == 1
        || matches!(site.keys().as_slice(), ["metadata", "name"])
}

/// A list without its only item is the same as no list.
fn is_only_item(key: &Key<'_>, site: &Site<'_>) -> bool {
    let Some((crate::api::schema::Segment::Index(_), list)) = site.path.split_last() else { return false };
    let list = key.sites.iter().find(|other| other.document == site.document && other.path == list);
    list.and_then(|list| list.value.as_array()).is_some_and(|items: &Vec<Value>| items.len() == 1)
}
