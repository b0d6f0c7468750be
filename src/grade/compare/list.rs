//! Lists: by key, as sets, or in order, whichever the API means.
use serde_json::Value;

use super::{Comparison, Difference, Place, value};
use crate::api::schema::{Field, ListType, Shape, Type};

/// How a list is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Order matters; nothing may be more or less.
    Ordered,
    /// Order does not matter; nothing may be more or less.
    Set,
    /// Order does not matter; what is not mentioned does not matter.
    Members,
    /// As [`Members`](Self::Members), but the mentioned ones are in this order.
    MembersInOrder,
}

/// Lists in which order has a meaning although, or because, the API calls them atomic.
const ORDERED: &[&str] =
    &["args", "clusterIPs", "command", "ipFamilies", "names", "nameservers", "podIPs", "rules", "searches"];

/// Lists of separate things that the API calls atomic: one more does not change what the others mean.
const MEMBERS: &[&str] = &[
    "addresses",
    "containerStatuses",
    "endpoints",
    "ephemeralContainerStatuses",
    "finalizers",
    "imagePullSecrets",
    "images",
    "initContainerStatuses",
    "items",
    "envFrom",
    "sources",
    "subjects",
    "taints",
    "tolerations",
    "volumeClaimTemplates",
];

/// The most items that are shown instead of a missing one.
const MAX_INSTEAD: usize = 3;

/// Fields by which people tell the items of a list apart, where the schema names none.
const KEYS: &[&str] = &["name", "key", "topologyKey", "ip", "type"];

fn meaning(field: Option<&Field>, scalar: bool) -> Meaning {
    let Some(field) = field else { return Meaning::Ordered };
    if field.json_name == "initContainers" {
        return Meaning::MembersInOrder;
    }
    if MEMBERS.contains(&field.json_name) {
        return Meaning::Members;
    }
    if ORDERED.contains(&field.json_name) {
        return Meaning::Ordered;
    }
    let keyed = field.patch_merge_key.is_some() || matches!(field.list_type, Some(ListType::Map(_)));
    if keyed && !scalar { Meaning::Members } else { Meaning::Set }
}

/// The field that names an item of the list.
fn key_of<'a>(field: Option<&'a Field>, item: &Value) -> Option<&'a str> {
    let has = |key: &&str| item.get(*key).is_some_and(|value| !value.is_null());
    let from_schema = field.and_then(|f| f.patch_merge_key).or(match field.map(|f| &f.list_type) {
        Some(Some(ListType::Map(keys))) => keys.first().copied(),
        _ => None,
    });
    from_schema.into_iter().chain(KEYS.iter().copied()).find(has)
}

fn label(field: Option<&Field>, item: &Value, index: usize) -> String {
    let nested = item.pointer("/metadata/name");
    match key_of(field, item).and_then(|key| item.get(key)).or(nested) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => index.to_string(),
    }
}

/// Compares two lists.
pub(super) fn compare(
    place: Place<'_>,
    element: Option<&Type>,
    field: Option<&Field>,
    expected: &[Value],
    actual: &[Value],
) -> Comparison {
    let scalar = element.map_or_else(
        || expected.iter().all(|item| !item.is_object()),
        |ty| !matches!(ty.shape, Shape::Struct(_) | Shape::Map(_)),
    );
    let meaning = meaning(field, scalar);
    let item_path = |i: usize, item: &Value| place.item(&|| label(field, item, i)).path();
    let compare_items = |place: Place<'_>, i: usize, j: usize| match (expected.get(i), actual.get(j)) {
        (Some(wanted), found @ Some(_)) => {
            Some(value(place.item(&|| label(field, wanted, i)), element, None, wanted, found))
        }
        _ => None,
    };
    let unshown = Place { shown: false, ..place };
    let pairs = match meaning {
        Meaning::Ordered => (0..expected.len()).map(|i| (i < actual.len()).then_some(i)).collect(),
        _ => pair(expected, actual, field, |i, j| {
            compare_items(unshown, i, j).map_or(usize::MAX, |comparison| comparison.differences.len())
        }),
    };
    let paired: Vec<usize> = pairs.iter().flatten().copied().collect();
    let more: Vec<&Value> = actual.iter().enumerate().filter(|(j, _)| !paired.contains(j)).map(|(_, v)| v).collect();
    let exact = matches!(meaning, Meaning::Ordered | Meaning::Set);
    if scalar {
        let missing = pairs.iter().enumerate().any(|(i, pair)| match pair {
            None => true,
            Some(j) => compare_items(unshown, i, *j).is_some_and(|c| !c.is_equal()),
        });
        return scalars(place, expected, actual, missing || (exact && !more.is_empty()));
    }

    let mut result = Comparison::default();
    let (mut wanted_view, mut actual_view) = (Vec::new(), Vec::new());
    let mut missing = false;
    for (i, (item, pair)) in expected.iter().zip(&pairs).enumerate() {
        match pair.and_then(|j| Some((j, compare_items(place, i, j)?))) {
            Some((j, comparison)) => {
                // a volume of another type is best shown as it is
                let whole = !comparison.is_equal() && field.is_some_and(|field| field.json_name == "volumes");
                result.differences.extend(comparison.differences);
                wanted_view.extend(comparison.expected);
                actual_view.extend(if whole { actual.get(j).cloned() } else { comparison.actual });
            }
            None => {
                let (path, item) = (item_path(i, item), without_words(item));
                result.differences.push(Difference { path, expected: Some(item.clone()), actual: None });
                wanted_view.push(item);
                missing = true;
            }
        }
    }
    if missing && !exact {
        // what is there instead
        let shown = more.iter().filter(|item| !is_furniture(item)).take(MAX_INSTEAD);
        actual_view.extend(shown.map(|item| (*item).clone()));
    }
    if exact {
        for item in more {
            let path = item_path(actual.len(), item);
            result.differences.push(Difference { path, expected: None, actual: Some(item.clone()) });
            actual_view.push(item.clone());
        }
    }
    let in_order = paired.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if meaning == Meaning::MembersInOrder && result.is_equal() && !in_order {
        let names = |indexes: &mut dyn Iterator<Item = usize>| {
            let names = indexes.filter_map(|j| actual.get(j).map(|item| Value::String(label(field, item, j))));
            Some(Value::Array(names.collect()))
        };
        let (wanted, mut sorted) = (names(&mut paired.iter().copied()), paired.clone());
        sorted.sort_unstable();
        let found = names(&mut sorted.into_iter());
        result.differences.push(Difference { path: place.path(), expected: wanted.clone(), actual: found.clone() });
        return Comparison { expected: wanted, actual: found, ..result };
    }
    result.expected = Some(Value::Array(wanted_view));
    result.actual = (!actual_view.is_empty() || !actual.is_empty()).then_some(Value::Array(actual_view));
    result
}

/// An expected item without the words that stand for no value of their own.
fn without_words(item: &Value) -> Value {
    let mut item = item.clone();
    if let Value::Object(fields) = &mut item {
        let word = |value: &Value| matches!(value.as_str(), Some(super::ANY | super::UNSET | super::NONE));
        fields.retain(|_, value| !value.is_null() && !word(value));
    }
    item
}

/// What every pod gets: the volume with the service account's token, and its mount.
fn is_furniture(item: &Value) -> bool {
    item.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("kube-api-access-"))
}

/// A list of plain values is shown and told whole.
fn scalars(place: Place<'_>, expected: &[Value], actual: &[Value], differ: bool) -> Comparison {
    if !differ && !place.shown {
        return Comparison::default();
    }
    let found = (!actual.is_empty()).then(|| Value::Array(actual.to_vec()));
    if !differ {
        return Comparison { differences: Vec::new(), expected: found.clone(), actual: found };
    }
    place.differs(Some(Value::Array(expected.to_vec())), found)
}

/// Which actual item each expected one is held against: first all that can be equal at once, then, for the rest, the one of
/// the same key, and finally the only one that is left.
fn pair(
    expected: &[Value],
    actual: &[Value],
    field: Option<&Field>,
    differences: impl Fn(usize, usize) -> usize,
) -> Vec<Option<usize>> {
    let equal: Vec<Vec<usize>> =
        (0..expected.len()).map(|i| (0..actual.len()).filter(|&j| differences(i, j) == 0).collect()).collect();
    let mut owner: Vec<Option<usize>> = vec![None; actual.len()];
    for i in 0..expected.len() {
        augment(i, &equal, &mut owner, &mut vec![false; actual.len()]);
    }
    let mut pairs: Vec<Option<usize>> = vec![None; expected.len()];
    for (j, owner) in owner.iter().enumerate() {
        if let Some(slot) = owner.and_then(|i| pairs.get_mut(i)) {
            *slot = Some(j);
        }
    }
    for (i, item) in expected.iter().enumerate() {
        if pairs.get(i).is_none_or(Option::is_some) {
            continue;
        }
        let key = key_of(field, item);
        let free = |j: &usize| owner.get(*j).is_some_and(Option::is_none);
        let same_key = |j: &usize| match key {
            Some(key) => actual.get(*j).and_then(|a| a.get(key)) == item.get(key),
            None => true,
        };
        let best = (0..actual.len()).filter(free).filter(same_key).min_by_key(|&j| differences(i, j));
        if let (Some(j), Some(slot)) = (best, pairs.get_mut(i)) {
            *slot = Some(j);
            if let Some(owner) = owner.get_mut(j) {
                *owner = Some(i);
            }
        }
    }
    let unpaired: Vec<usize> = (0..expected.len()).filter(|&i| pairs.get(i) == Some(&None)).collect();
    // nobody means the token's mount
    let free = (0..actual.len()).filter(|&j| owner.get(j) == Some(&None));
    let free: Vec<usize> = free.filter(|&j| !actual.get(j).is_some_and(is_furniture)).collect();
    if let ([i], [j]) = (unpaired.as_slice(), free.as_slice())
        && let Some(slot) = pairs.get_mut(*i)
    {
        *slot = Some(*j);
    }
    pairs
}

/// One step of Kuhn's matching: finds an actual item for expected item `i`, moving others if need be.
fn augment(i: usize, equal: &[Vec<usize>], owner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &j in equal.get(i).into_iter().flatten() {
        let Some(visited) = seen.get_mut(j) else { continue };
        if std::mem::replace(visited, true) {
            continue;
        }
        let other = owner.get(j).copied().flatten();
        if other.is_none_or(|other| augment(other, equal, owner, seen)) {
            if let Some(slot) = owner.get_mut(j) {
                *slot = Some(i);
            }
            return true;
        }
    }
    false
}
