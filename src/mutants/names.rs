//! Names that are changed wherever they are written, so that everything still fits together.
use serde_json::Value;

use super::site::{self, Edit, Site};
use super::{Change, How, Key, Mutant, Stance, references};

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in &key.sites {
        let Value::String(name) = site.value else { continue };
        if site.keys() == ["metadata", "name"] {
            mutants.extend(object(key, site, name));
        } else if site.ends(&["containers", "name"]) || site.ends(&["initContainers", "name"]) {
            mutants.extend(container(key, site, name));
        } else if site.ends(&["volumes", "name"]) {
            let stance = if key.said.names_after("volume", name) { Stance::Unsure } else { Stance::Unsaid };
            mutants.extend(with_mounts(key, site, name, stance));
        } else if site.ends(&["volumeClaimTemplates", "metadata", "name"]) {
            let stance = if key.said.knows_begin(name) { Stance::Asked } else { Stance::Unsaid };
            mutants.extend(with_mounts(key, site, name, stance));
        }
    }
    mutants.extend(selected_labels(key));
    mutants
}

/// Applies one value to many sites; the first is the one that is told about.
fn everywhere(key: &Key<'_>, sites: &[&Site<'_>], new: &str, stance: Stance) -> Option<Mutant> {
    let first = sites.first()?;
    let mut documents = key.documents.to_vec();
    for site in sites {
        site::apply(documents.get_mut(site.document)?, &site.path, &Edit::Set(Value::String(new.to_owned())))?;
    }
    let (old, new) = (Some(first.value.clone()), Some(Value::String(new.to_owned())));
    let change = key.change(first.document, How::Rename, site::shown(&first.path), old, new);
    Some(Mutant { documents, change, stance })
}

/// An object's name: alone, and together with the fields that refer to it.
fn object(key: &Key<'_>, site: &Site<'_>, name: &str) -> Vec<Mutant> {
    let kind = key.documents.get(site.document).and_then(|d| d.get("kind")).and_then(Value::as_str).unwrap_or_default();
    let refers = |other: &&Site<'_>| other.value.as_str() == Some(name) && references::kinds(other).contains(&kind);
    let references: Vec<&Site<'_>> = key.sites.iter().filter(refers).collect();
    let new = format!("{name}-x");
    if key.said.knows(name) {
        let alone = everywhere(key, &[site], &new, Stance::Asked);
        let together: Vec<&Site<'_>> = std::iter::once(site).chain(references.iter().copied()).collect();
        return alone.into_iter().chain(everywhere(key, &together, &new, Stance::Asked)).collect();
    }
    // a name that is part of other words, such as a host's, cannot be changed everywhere
    let within = |other: &Site<'_>| other.value.as_str().is_some_and(|text| text != name && text.contains(name));
    let stance = if key.sites.iter().any(within) { Stance::Unsure } else { Stance::Unsaid };
    let together: Vec<&Site<'_>> = std::iter::once(site).chain(references).collect();
    everywhere(key, &together, &new, stance).into_iter().collect()
}

/// A container's name is asked for if the task says so; often it is that of its pod by chance.
fn container(key: &Key<'_>, site: &Site<'_>, name: &str) -> Option<Mutant> {
    let object = |document: &Value| document.pointer("/metadata/name").and_then(Value::as_str) == Some(name);
    let by_chance = key.documents.iter().any(object) || key.start.objects().any(|object| object.name() == name);
    let stance = if !key.said.knows(name) {
        Stance::Unsaid
    } else if key.said.names_after("container", name) && !by_chance {
        Stance::Asked
    } else if by_chance || !key.said.names(name) {
        Stance::Unsure
    } else {
        Stance::Asked
    };
    everywhere(key, &[site], &format!("{name}-x"), stance)
}

/// A volume's name together with its mounts in the same document.
fn with_mounts(key: &Key<'_>, site: &Site<'_>, name: &str, stance: Stance) -> Option<Mutant> {
    let mounts = key.sites.iter().filter(|other| {
        let mount = other.ends(&["volumeMounts", "name"]) || other.ends(&["volumeDevices", "name"]);
        mount && other.document == site.document && other.value.as_str() == Some(name)
    });
    let together: Vec<&Site<'_>> = std::iter::once(site).chain(mounts).collect();
    everywhere(key, &together, &format!("{name}-x"), stance)
}

/// Labels that a workload selects its pods by, with everything that selects by them.
fn selected_labels(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in key.sites.iter().filter(|site| site.in_map && site.keys().contains(&"matchLabels")) {
        let (Some(label), Some(value)) = (site.key(), site.value.as_str()) else { continue };
        let is_workload = site.keys().first() == Some(&"spec") && site.keys().get(1) == Some(&"selector");
        let has_template = |document: &Value| document.pointer("/spec/template").is_some();
        if !is_workload || !key.documents.get(site.document).is_some_and(has_template) {
            continue;
        }
        let stance = if key.said.label(label, value) {
            Stance::Asked
        } else if key.said.cluster_label(label, value) || key.said.names(label) {
            Stance::Unsure
        } else {
            Stance::Unsaid
        };
        let same =
            |other: &&Site<'_>| other.in_map && other.key() == Some(label) && other.value.as_str() == Some(value);
        let together: Vec<&Site<'_>> = key.sites.iter().filter(same).collect();
        let renamed = everywhere(key, &together, &format!("{value}-x"), stance);
        mutants.extend(renamed.map(|mutant| {
            let path = site::shown(&site.path);
            let change = key.change(site.document, How::Rename, path, mutant.change.old, mutant.change.new);
            Mutant { change: Change { ..change }, ..mutant }
        }));
    }
    mutants
}
