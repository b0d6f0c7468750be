//! Making patches (`apimachinery/pkg/util/strategicpatch`: `CreateThreeWayMergePatch`, `diffMaps`, `diffLists`).
use serde_json::{Map, Value};

use super::strategic::{MergeOptions, merge_map};
use super::{
    DELETE, DELETE_FROM_PRIMITIVE_LIST, DIRECTIVE, Elements, FieldMeta, Node, Object, PatchError, RETAIN_KEYS,
    SET_ELEMENT_ORDER, element_type, go_value, merge_key_of, sort_by_order,
};
use crate::api::schema::StructType;

/// Which differences a diff keeps.
#[derive(Clone, Copy)]
struct Keep {
    changes_and_additions: bool,
    deletions: bool,
    retain_keys: bool,
}

/// The strategic merge patch that `kubectl apply` sends: what differs between the live object and the new manifest, and
/// the deletion of what was in the last manifest and is not in the new one. `{}` when there is nothing to do.
///
/// # Errors
/// When a list that is merged by key has items without the key.
pub fn create_three_way_merge_patch(
    original: &Value,
    modified: &Value,
    current: &Value,
    root: &'static StructType,
) -> Result<Value, PatchError> {
    let empty = Map::new();
    let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| empty.clone());
    let (original, modified, current) = (object(original), object(modified), object(current));
    let additions = Keep { changes_and_additions: true, deletions: false, retain_keys: false };
    let delta = diff_maps(&current, &modified, Node::Struct(root), additions)?;
    let removals = Keep { changes_and_additions: false, deletions: true, retain_keys: false };
    let deletions = diff_maps(&original, &modified, Node::Struct(root), removals)?;
    let options = MergeOptions { apply_directives: false };
    merge_map(deletions, delta, Node::Struct(root), options).map(Value::Object)
}

fn diff_maps(original: &Object, modified: &Object, node: Node, keep: Keep) -> Result<Object, PatchError> {
    let mut patch = Map::new();
    for (key, new) in modified {
        let Some(old) = original.get(key) else {
            if keep.changes_and_additions {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                if old == new {
                    continue;
                }
                let meta = node.field(key)?;
                let value = diff_maps(old, new, meta.node, Keep { retain_keys: meta.retain_keys, ..keep })?;
                if !value.is_empty() {
                    patch.insert(key.clone(), Value::Object(value));
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                if old == new {
                    continue;
                }
                diff_slices(key, old, new, node.field(key)?, &mut patch, keep)?;
            }
            _ => {
                if old != new && keep.changes_and_additions {
                    patch.insert(key.clone(), new.clone());
                }
            }
        }
    }
    if keep.deletions {
        for key in original.keys().filter(|key| !modified.contains_key(*key)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    if keep.retain_keys {
        let retained: Vec<Value> =
            modified.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| Value::String(k.clone())).collect();
        let drops_keys = original.iter().any(|(k, v)| !v.is_null() && !modified.contains_key(k));
        if !retained.is_empty() && (!patch.is_empty() || drops_keys) {
            patch.insert(RETAIN_KEYS.to_owned(), Value::Array(retained));
        }
    }
    Ok(patch)
}

fn diff_slices(
    key: &str,
    old: &[Value],
    new: &[Value],
    meta: FieldMeta,
    patch: &mut Object,
    keep: Keep,
) -> Result<(), PatchError> {
    if !meta.merge {
        if keep.changes_and_additions && old != new {
            patch.insert(key.to_owned(), Value::Array(new.to_vec()));
        }
        return Ok(());
    }
    let keep = Keep { retain_keys: meta.retain_keys, ..keep };
    let diff = diff_lists(old, new, meta, keep)?;
    let mut put = |key: String, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(key, Value::Array(list));
        }
    };
    put(key.to_owned(), diff.patch);
    put(format!("{DELETE_FROM_PRIMITIVE_LIST}/{key}"), diff.deletions);
    put(format!("{SET_ELEMENT_ORDER}/{key}"), diff.order);
    Ok(())
}

#[derive(Default)]
struct ListDiff {
    patch: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(old: &[Value], new: &[Value], meta: FieldMeta, keep: Keep) -> Result<ListDiff, PatchError> {
    if old.is_empty() {
        let patch = if keep.changes_and_additions { new.to_vec() } else { Vec::new() };
        return Ok(ListDiff { patch, ..Default::default() });
    }
    let elements = element_type(&[old, new])?;
    if elements == Elements::Scalars {
        return diff_scalars(old, new, keep);
    }
    let (patch, deletions) = diff_lists_of_maps(old, new, meta, keep)?;
    let mut patch = sort_by_order(patch, new, meta.merge_key, elements)?;
    let mut order_same = old.len() == new.len();
    for (left, right) in old.iter().zip(new) {
        order_same = order_same && merge_key_of(left, meta.merge_key)? == merge_key_of(right, meta.merge_key)?;
    }
    patch.extend(deletions);
    let reordered = keep.changes_and_additions && (!patch.is_empty() || !order_same);
    let shortened = keep.deletions && !patch.is_empty();
    let mut order = Vec::new();
    if reordered || shortened {
        for item in new {
            let key = merge_key_of(item, meta.merge_key)?.clone();
            order.push(Value::Object([(meta.merge_key.to_owned(), key)].into_iter().collect()));
        }
    }
    Ok(ListDiff { patch, deletions: Vec::new(), order })
}

fn diff_scalars(old: &[Value], new: &[Value], keep: Keep) -> Result<ListDiff, PatchError> {
    let added: Vec<Value> = subtract(new, old);
    let mut deletions: Vec<Value> = Vec::new();
    for value in subtract(old, new) {
        if !deletions.contains(&value) {
            deletions.push(value);
        }
    }
    let patch = if keep.changes_and_additions { sort_by_order(added, new, "", Elements::Scalars)? } else { Vec::new() };
    let deletions = if keep.deletions { deletions } else { Vec::new() };
    let differs = keep.changes_and_additions && old != new;
    let order = if differs || !deletions.is_empty() { new.to_vec() } else { Vec::new() };
    Ok(ListDiff { patch, deletions, order })
}

/// The values of one list that another lacks, each as often as it is missing, sorted as text.
fn subtract(from: &[Value], what: &[Value]) -> Vec<Value> {
    let mut rest: Vec<&Value> = what.iter().collect();
    let mut sorted: Vec<&Value> = from.iter().collect();
    sorted.sort_by_cached_key(|v| go_value(v));
    let mut missing = Vec::new();
    for value in sorted {
        match rest.iter().position(|other| *other == value) {
            Some(index) => {
                rest.swap_remove(index);
            }
            None => missing.push(value.clone()),
        }
    }
    missing
}

fn diff_lists_of_maps(
    old: &[Value],
    new: &[Value],
    meta: FieldMeta,
    keep: Keep,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let sorted = |list: &[Value]| -> Result<Vec<(String, Value)>, PatchError> {
        let mut keyed = Vec::new();
        for item in list {
            keyed.push((go_value(merge_key_of(item, meta.merge_key)?), item.clone()));
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(keyed)
    };
    let (old, new) = (sorted(old)?, sorted(new)?);
    let (mut patch, mut deletions) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    loop {
        let (left, right) = (old.get(i), new.get(j));
        match (left, right) {
            (None, None) => break,
            (Some((left_key, left)), Some((right_key, right))) if left_key == right_key => {
                if let (Value::Object(left), Value::Object(right)) = (left, right) {
                    let mut value = diff_maps(left, right, meta.node, keep)?;
                    if !value.is_empty() {
                        let key = right.get(meta.merge_key).cloned().unwrap_or_default();
                        value.insert(meta.merge_key.to_owned(), key);
                        patch.push(Value::Object(value));
                    }
                }
                i += 1;
                j += 1;
            }
            (Some((left_key, left)), right) if right.is_none_or(|(right_key, _)| left_key < right_key) => {
                if keep.deletions {
                    let key = merge_key_of(left, meta.merge_key)?.clone();
                    let directive = Value::String(DELETE.to_owned());
                    let pairs = [(meta.merge_key.to_owned(), key), (DIRECTIVE.to_owned(), directive)];
                    deletions.push(Value::Object(pairs.into_iter().collect()));
                }
                i += 1;
            }
            (_, Some((_, right))) => {
                if keep.changes_and_additions {
                    patch.push(right.clone());
                }
                j += 1;
            }
            (Some(_), None) => i += 1,
        }
    }
    Ok((patch, deletions))
}
