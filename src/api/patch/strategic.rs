//! Applying strategic merge patches (`strategicpatch.StrategicMergeMapPatch`, `mergeMap`, `mergeSlice`).
use serde_json::{Map, Value};

use super::{
    DELETE, DELETE_FROM_PRIMITIVE_LIST, DIRECTIVE, Elements, FieldMeta, Node, Object, PatchError, REPLACE, RETAIN_KEYS,
    SET_ELEMENT_ORDER, element_type, go_value, index_of, merge_key_of, sort_by_order,
};
use crate::api::schema::StructType;

/// Whether directives are carried out (on the server) or kept, as when two patches are merged into one (in kubectl).
#[derive(Clone, Copy)]
pub(super) struct MergeOptions {
    pub(super) apply_directives: bool,
}

/// Applies a strategic merge patch to an object.
///
/// # Errors
/// When the patch has malformed directives or items without their merge key.
pub fn strategic_merge(original: Value, patch: Value, root: &'static StructType) -> Result<Value, PatchError> {
    let (Value::Object(original), Value::Object(patch)) = (original, patch) else {
        return Err(PatchError::BadRequest("invalid JSON document".to_owned()));
    };
    let options = MergeOptions { apply_directives: true };
    merge_map(original, patch, Node::Struct(root), options).map(Value::Object)
}

pub(super) fn merge_map(
    mut original: Object,
    mut patch: Object,
    node: Node,
    options: MergeOptions,
) -> Result<Object, PatchError> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some(REPLACE) => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some(DELETE) => Ok(Map::new()),
            _ => Err(PatchError::Other(format!(
                "unknown patch type: {} in map: {}",
                go_value(directive),
                go_value(&Value::Object(patch.clone()))
            ))),
        };
    }
    retain_keys(&mut original, &mut patch, options)?;
    merge_ordered_lists(&mut original, &mut patch, node, options)?;
    for (key, value) in patch {
        let mut key = key;
        let mut is_delete_list = false;
        if key.starts_with(DELETE_FROM_PRIMITIVE_LIST) {
            if !options.apply_directives {
                original.insert(key, value);
                continue;
            }
            let Some((_, field)) = key.split_once('/') else {
                return Err(PatchError::BadRequest("invalid patch format of primitive list".to_owned()));
            };
            key = field.to_owned();
            is_delete_list = true;
        }
        if value.is_null() {
            original.remove(&key);
            if options.apply_directives {
                continue;
            }
        }
        let same_type = original.get(&key).is_some_and(|old| same_type(old, &value));
        if !same_type {
            if !is_delete_list {
                insert_new(&mut original, key, value, options);
            }
            continue;
        }
        let Some(old) = original.remove(&key) else { continue };
        let merged = match (old, value) {
            (Value::Object(old), Value::Object(value)) => {
                Value::Object(merge_map(old, value, node.field(&key)?.node, options)?)
            }
            (Value::Array(old), Value::Array(value)) => {
                Value::Array(merge_slice(old, value, node.field(&key)?, is_delete_list, options)?)
            }
            (_, value) => value,
        };
        original.insert(key, merged);
    }
    Ok(original)
}

fn same_type(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

fn insert_new(original: &mut Object, key: String, mut value: Value, options: MergeOptions) {
    if options.apply_directives {
        discard_nulls(&mut value);
    }
    match remove_directives(value) {
        Some(value) => original.insert(key, value),
        None => original.remove(&key),
    };
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Drops whatever carries a `$patch` directive (`removeDirectives`).
fn remove_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            Some(Value::Object(map.into_iter().filter_map(|(k, v)| Some((k, remove_directives(v)?))).collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(remove_directives).collect())),
        other => Some(other),
    }
}

fn retain_keys(original: &mut Object, patch: &mut Object, options: MergeOptions) -> Result<(), PatchError> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if !options.apply_directives {
        return match original.get(RETAIN_KEYS) {
            Some(other) if *other != retained => Err(PatchError::Other(format!(
                "{} and {} are not deep equal: this may happen when calculating the 3-way diff patch",
                go_value(other),
                go_value(&retained)
            ))),
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS.to_owned(), retained);
                Ok(())
            }
        };
    }
    let bad = || PatchError::BadRequest("invalid patch format of retainKeys".to_owned());
    let Value::Array(list) = retained else { return Err(bad()) };
    let kept = |key: &str| list.iter().any(|v| v == key);
    let is_directive = |key: &str| key.starts_with(DELETE_FROM_PRIMITIVE_LIST) || key.starts_with(SET_ELEMENT_ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_directive(key) && !kept(key)) {
        return Err(bad());
    }
    original.retain(|key, _| kept(key));
    Ok(())
}

/// Lists that come with a `$setElementOrder` (`mergePatchIntoOriginal`).
fn merge_ordered_lists(
    original: &mut Object,
    patch: &mut Object,
    node: Node,
    options: MergeOptions,
) -> Result<(), PatchError> {
    let bad = || PatchError::BadRequest("invalid patch format of setElementOrder list".to_owned());
    let keys: Vec<String> = patch.keys().filter(|k| k.starts_with(SET_ELEMENT_ORDER)).cloned().collect();
    for key in keys {
        let Some(order) = patch.remove(&key) else { continue };
        if !options.apply_directives {
            match original.get(&key) {
                Some(other) if *other != order => return Err(bad()),
                Some(_) => {}
                None => {
                    original.insert(key.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else { return Err(bad()) };
        let Some((_, field)) = key.split_once('/') else { return Err(bad()) };
        let meta = node.field(field)?;
        let list = |value: Option<&Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items.clone())),
            Some(_) => Err(bad()),
        };
        let (live, wanted) = (list(original.get(field))?, list(patch.get(field))?);
        check_order(wanted.as_deref().unwrap_or_default(), &order, meta.merge_key)?;
        let elements_of: Vec<&[Value]> = [live.as_deref(), wanted.as_deref()].into_iter().flatten().collect();
        let elements = if elements_of.iter().all(|l| l.is_empty()) { None } else { Some(element_type(&elements_of)?) };
        let merged = match (live.clone(), wanted) {
            (None, None) => continue,
            (Some(live), None) => live,
            (None, Some(wanted)) => match remove_directives(Value::Array(wanted)) {
                Some(Value::Array(items)) => items,
                _ => continue,
            },
            (Some(live), Some(wanted)) => merge_slice(live, wanted, meta, false, options)?,
        };
        let Some(elements) = elements else { continue };
        let in_order = |item: &Value| index_of(&order, item, meta.merge_key, elements).is_some();
        let (ordered, server_only): (Vec<_>, Vec<_>) = merged.into_iter().partition(in_order);
        let live = live.unwrap_or_default();
        let ordered = sort_by_order(ordered, &order, meta.merge_key, elements)?;
        let server_only = sort_by_order(server_only, &live, meta.merge_key, elements)?;
        let all = interleave(server_only, ordered, &live, meta.merge_key, elements);
        original.insert(field.to_owned(), Value::Array(all));
        patch.remove(field);
    }
    Ok(())
}

/// The patch list must be in the order it prescribes (`validatePatchWithSetOrderList`).
fn check_order(patch: &[Value], order: &[Value], merge_key: &str) -> Result<(), PatchError> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let key = if merge_key.is_empty() { item } else { merge_key_of(item, merge_key)? };
        let found = rest.any(|o| if merge_key.is_empty() { o == key } else { o.get(merge_key) == Some(key) });
        if !found {
            return Err(PatchError::Other(format!(
                "The order in patch list:\n{}\n doesn't match {SET_ELEMENT_ORDER} list:\n{}\n",
                go_value(&Value::Array(patch.to_vec())),
                go_value(&Value::Array(order.to_vec()))
            )));
        }
    }
    Ok(())
}

/// Merges two sorted lists so that each keeps its order and items stand as the live list has them where that can be
/// told (`mergeSortedSlice`).
fn interleave(left: Vec<Value>, right: Vec<Value>, live: &[Value], merge_key: &str, elements: Elements) -> Vec<Value> {
    let mut all = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let take_left = match (left.peek(), right.peek()) {
            (None, None) => return all,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(l), Some(r)) => {
                let place = |v: &Value| index_of(live, v, merge_key, elements);
                matches!((place(l), place(r)), (Some(l), Some(r)) if l < r)
            }
        };
        all.extend(if take_left { left.next() } else { right.next() });
    }
}

fn merge_slice(
    original: Vec<Value>,
    patch: Vec<Value>,
    meta: FieldMeta,
    is_delete_list: bool,
    options: MergeOptions,
) -> Result<Vec<Value>, PatchError> {
    if !meta.merge && !is_delete_list {
        return Ok(patch);
    }
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    if element_type(&[&original, &patch])? == Elements::Scalars {
        return Ok(merge_scalars(original, patch, is_delete_list, options));
    }
    if meta.merge_key.is_empty() {
        return Err(PatchError::Other("cannot merge lists without merge key".to_owned()));
    }
    merge_maps_by_key(original, patch, meta, options)
}

fn merge_scalars(original: Vec<Value>, patch: Vec<Value>, is_delete_list: bool, options: MergeOptions) -> Vec<Value> {
    if options.apply_directives && is_delete_list {
        return original.into_iter().filter(|v| !patch.contains(v)).collect();
    }
    let mut merged: Vec<Value> = Vec::with_capacity(original.len() + patch.len());
    for value in original.into_iter().chain(patch) {
        if !merged.contains(&value) {
            merged.push(value);
        }
    }
    merged
}

fn merge_maps_by_key(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    meta: FieldMeta,
    options: MergeOptions,
) -> Result<Vec<Value>, PatchError> {
    // $patch: replace drops what is there; $patch: delete drops one item (`mergeSliceWithSpecialElements`)
    let mut ordinary = Vec::new();
    let mut replace = false;
    for item in patch {
        match item.get(DIRECTIVE).and_then(Value::as_str) {
            None => ordinary.push(item),
            Some(DELETE) if options.apply_directives => {
                let key = merge_key_of(&item, meta.merge_key)?.clone();
                original.retain(|o| o.get(meta.merge_key) != Some(&key));
            }
            Some(REPLACE) => replace = true,
            Some("merge") => {
                return Err(PatchError::Other("merging lists cannot yet be specified in the patch".to_owned()));
            }
            Some(_) if !options.apply_directives => ordinary.push(item),
            Some(other) => {
                return Err(PatchError::Other(format!("unknown patch type: {other} in map: {}", go_value(&item))));
            }
        }
    }
    if replace {
        return Ok(ordinary);
    }
    for item in ordinary {
        let key = merge_key_of(&item, meta.merge_key)?.clone();
        let place = original.iter().position(|o| o.get(meta.merge_key) == Some(&key));
        match (place.and_then(|i| original.get_mut(i)), item) {
            (Some(slot), Value::Object(item)) => {
                if let Value::Object(old) = slot.take() {
                    *slot = Value::Object(merge_map(old, item, meta.node, options)?);
                }
            }
            (_, item) => {
                let item = if options.apply_directives { remove_directives(item) } else { Some(item) };
                original.extend(item);
            }
        }
    }
    Ok(original)
}
