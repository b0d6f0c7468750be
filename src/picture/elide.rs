//! Makes a picture small enough to be looked at: what is alike is put together.
use std::collections::BTreeMap;

use super::{Item, Link, Picture, Relation, Role, State, Words};
use crate::report::text::{Message, say};

/// The most items of a picture.
const MAX_ITEMS: usize = 60;
/// The most items of a picture that are alike.
const MAX_ALIKE: usize = 8;
/// The most troubles that are told.
const MAX_TROUBLES: usize = 12;

/// What makes items alike; the first that suffices is used.
type Key<'a> = (Role, &'a str, &'a str, State, Option<usize>);

/// A picture of at most [`MAX_ITEMS`] items (a few more if there are that many kinds of things).
pub(super) fn elide(picture: Picture) -> Picture {
    let owners = owners(&picture);
    for (step, (coarseness, kept)) in [(0, 4), (0, 2), (1, 3), (2, 3), (3, 2)].into_iter().enumerate() {
        let key = |index: usize, item: &'_ Item| -> (Role, String, String, State, Option<usize>) {
            let (role, kind, namespace, state, owner) = key_of(item, owners.get(&index).copied(), coarseness);
            (role, kind.to_owned(), namespace.to_owned(), state, owner)
        };
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, item) in picture.items.iter().enumerate() {
            groups.entry(key(index, item)).or_default().push(index);
        }
        let size: usize = groups.values().map(|group| shown(group.len(), kept)).sum();
        // a long row of equal things tells no more than a short one
        let long = step > 0 || picture.items.len() > MAX_ITEMS || groups.values().any(|group| group.len() > MAX_ALIKE);
        if !long {
            break;
        }
        if size <= MAX_ITEMS || coarseness == 3 {
            let groups: Vec<Vec<usize>> = groups.into_values().collect();
            return few_troubles(put_together(picture, &groups, kept));
        }
    }
    few_troubles(picture)
}

fn key_of(item: &Item, owner: Option<usize>, coarseness: u32) -> Key<'_> {
    let (role, kind, namespace, state) = (item.role, item.kind.as_str(), item.namespace.as_str(), item.state);
    match coarseness {
        0 => (role, kind, namespace, state, owner),
        1 => (role, kind, namespace, state, None),
        2 => (role, kind, "", state, None),
        _ => (role, kind, "", State::Fine, None),
    }
}

/// What each item is owned by or, for claims and the like, what the pods have in common that mount it.
fn owners(picture: &Picture) -> BTreeMap<usize, usize> {
    let mut owners = BTreeMap::new();
    for link in picture.links.iter().filter(|link| link.relation == Relation::Owns) {
        owners.insert(link.to, link.from);
    }
    for link in picture.links.iter().filter(|link| matches!(link.relation, Relation::Mounts | Relation::Resolves)) {
        let (pod, other) = match link.relation {
            Relation::Mounts => (link.from, link.to),
            _ => (link.to, link.from),
        };
        if let Some(owner) = owners.get(&pod).copied() {
            owners.insert(other, owner);
        }
    }
    for link in picture.links.iter().filter(|link| link.relation == Relation::Bound) {
        if let Some(owner) = owners.get(&link.from).copied() {
            owners.insert(link.to, owner);
        }
    }
    owners
}

/// How many items a group becomes: one is never put together with nothing.
fn shown(size: usize, kept: usize) -> usize {
    if size <= kept + 1 { size } else { kept + 1 }
}

fn put_together(picture: Picture, groups: &[Vec<usize>], kept: usize) -> Picture {
    let mut place = vec![0; picture.items.len()];
    let mut items: Vec<(usize, Item)> = Vec::new();
    for group in groups {
        let single = if shown(group.len(), kept) == group.len() { group.len() } else { kept };
        for (position, index) in group.iter().enumerate() {
            let Some(item) = picture.items.get(*index) else { continue };
            if position < single {
                items.push((*index, item.clone()));
            } else if position == single {
                let number = group.len() - single;
                let words = Words::Others { kind: &item.kind, number };
                let name = say(picture.lang, &Message::Picture(words));
                items.push((*index, Item { name, facts: Vec::new(), count: number, ..item.clone() }));
            } else if let Some((_, others)) = items.last_mut() {
                others.state = others.state.max(item.state);
                let new = item.marks.iter().filter(|mark| !others.marks.contains(mark)).copied();
                let new: Vec<usize> = new.take(3_usize.saturating_sub(others.marks.len())).collect();
                others.marks.extend(new);
            }
            if let Some(place) = place.get_mut(*index) {
                // the index of the item it has become
                *place = items.last().map_or(0, |(first, _)| *first);
            }
        }
    }
    items.sort_by_key(|(index, _)| *index);
    let position: BTreeMap<usize, usize> = items.iter().enumerate().map(|(new, (old, _))| (*old, new)).collect();
    let moved = |index: usize| place.get(index).and_then(|place| position.get(place)).copied().unwrap_or(0);
    let mut links: BTreeMap<(usize, usize, Relation, State), Link> = BTreeMap::new();
    for link in picture.links {
        let (from, to) = (moved(link.from), moved(link.to));
        let key = (from, to, link.relation, link.state);
        match links.get_mut(&key) {
            None => {
                links.insert(key, Link { from, to, ..link });
            }
            Some(known) => {
                if known.detail != link.detail {
                    known.detail.clear();
                }
                let new = link.marks.iter().filter(|mark| !known.marks.contains(mark)).copied();
                let new: Vec<usize> = new.take(3_usize.saturating_sub(known.marks.len())).collect();
                known.marks.extend(new);
            }
        }
    }
    let items = items.into_iter().map(|(_, item)| item).collect();
    Picture { items, links: links.into_values().collect(), ..picture }
}

/// Tells only the first troubles; says how many there are besides.
fn few_troubles(mut picture: Picture) -> Picture {
    let mut used: Vec<usize> = Vec::new();
    let marks = picture.items.iter().map(|item| &item.marks).chain(picture.links.iter().map(|link| &link.marks));
    for mark in marks.flatten() {
        used.push(*mark);
    }
    used.sort_unstable();
    used.dedup();
    let told: BTreeMap<usize, usize> =
        used.iter().take(MAX_TROUBLES).enumerate().map(|(i, old)| (*old, i + 1)).collect();
    let all = picture.troubles.len();
    let renumber = |marks: &mut Vec<usize>| *marks = marks.iter().filter_map(|mark| told.get(mark).copied()).collect();
    picture.items.iter_mut().for_each(|item| renumber(&mut item.marks));
    picture.links.iter_mut().for_each(|link| renumber(&mut link.marks));
    let troubles = std::mem::take(&mut picture.troubles);
    let kept = troubles.into_iter().enumerate().filter(|(i, _)| told.contains_key(&(i + 1)));
    picture.troubles = kept.map(|(_, trouble)| trouble).collect();
    if all > picture.troubles.len() {
        let words = Words::More { number: all - picture.troubles.len() };
        picture.notes.push(say(picture.lang, &Message::Picture(words)));
    }
    picture
}
