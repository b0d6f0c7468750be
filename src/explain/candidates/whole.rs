//! Edits of more than one place: the same text everywhere, documents that are missing or too many.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Context, Text};
use crate::api::object::Kind;
use crate::api::schema::{self, Segment, Shape, StructType, Type};
use crate::explain::answer::{Answer, Change};
use crate::explain::edit::{Added, Edit, EditKind};
use crate::explain::pool::{push, written};
use crate::explain::references::kind_of;

/// The most places that are changed at once.
const MOST_PLACES: usize = 30;

/// A text that stands at several places is changed at all of them.
pub(super) fn everywhere(texts: &BTreeMap<String, Vec<Text>>, edits: &mut Vec<Edit>) {
    for (text, places) in texts {
        if places.len() < 2 || places.len() > MOST_PLACES || text.len() < 2 {
            continue;
        }
        let mut values: Vec<Value> = Vec::new();
        for value in places.iter().flat_map(|place| &place.values).filter(|value| value.is_string()) {
            push(&mut values, value.clone());
        }
        for value in values {
            let change = |place: &Text| Change { value: Some(value.clone()), ..place.change.clone() };
            edits.push(Edit {
                kind: EditKind::Everywhere,
                changes: places.iter().map(change).collect(),
                added: None,
                first: None,
            });
        }
    }
}

/// The same small edit wherever the answer has the same place: the class of every claim, a mount's `readOnly` in every
/// container.
pub(super) fn alike(answer: &Answer, edits: &mut Vec<Edit>) {
    let mut groups: BTreeMap<(EditKind, String, String), Vec<Change>> = BTreeMap::new();
    for edit in edits.iter().filter(|edit| matches!(edit.kind, EditKind::Add | EditKind::Drop | EditKind::Value)) {
        let [change] = edit.changes.as_slice() else { continue };
        let Some(entry) = answer.documents().get(change.document) else { continue };
        // every kind has the same metadata
        let own = change.path.first() != Some(&"metadata".into());
        let kind = entry.value.get("kind").filter(|_| own).map(Value::to_string).unwrap_or_default();
        // the path without the numbers of items
        let path: Vec<String> = change
            .path
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => key.clone(),
                Segment::Index(_) => "[]".to_owned(),
            })
            .collect();
        let value = change.value.as_ref().map(Value::to_string).unwrap_or_default();
        push(groups.entry((edit.kind, format!("{kind} {}", path.join(".")), value)).or_default(), change.clone());
    }
    for (_, changes) in groups {
        let mut last = changes.clone();
        last.dedup_by_key(|change| change.document);
        let in_one_list =
            last.len() == 1 && changes.iter().all(|change| matches!(change.path.last(), Some(Segment::Index(_))));
        if changes.len() > 1 && changes.len() <= MOST_PLACES && !in_one_list {
            edits.push(Edit { kind: EditKind::Everywhere, changes, added: None, first: None });
        }
    }
}

/// A label by which a workload selects its pods, in the selector and in the template.
pub(super) fn labels(context: &Context<'_>, answer: &Answer, edits: &mut Vec<Edit>) {
    let path = |parts: &[&str]| parts.iter().map(|part| Segment::from(*part)).collect::<Vec<_>>();
    for (document, entry) in answer.editable() {
        let map = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_object);
        let template = map("/spec/template/metadata/labels");
        for (key, value) in map("/spec/selector/matchLabels").into_iter().flatten() {
            if template.and_then(|labels| labels.get(key)) != Some(value) {
                continue;
            }
            let same = context.pool.pairs().iter().filter(|(other, text)| other == key && *value != **text);
            for (_, text) in same {
                let change = |parts: &[&str]| Change { document, path: path(parts), value: Some(text.as_str().into()) };
                let changes = vec![
                    change(&["spec", "selector", "matchLabels", key]),
                    change(&["spec", "template", "metadata", "labels", key]),
                ];
                edits.push(Edit { kind: EditKind::Everywhere, changes, added: None, first: None });
            }
        }
    }
}

/// What an object of the cluster has and its new manifest leaves out or says otherwise.
pub(super) fn as_before(context: &Context<'_>, answer: &Answer, edits: &mut Vec<Edit>) {
    let store = context.start.api().store();
    for (document, entry) in answer.editable() {
        let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = Kind::find(text("/apiVersion"), text("/kind")) else { continue };
        let namespace = match text("/metadata/namespace") {
            _ if !kind.namespaced() => "",
            "" => "default",
            other => other,
        };
        if let Some(object) = store.object(kind, namespace, text("/metadata/name")) {
            restore(document, &mut Vec::new(), &entry.value, &written(object), edits);
        }
    }
}

fn restore(document: usize, path: &mut Vec<Segment>, now: &Value, then: &Value, edits: &mut Vec<Edit>) {
    let change = |path: &[Segment]| Change { document, path: path.to_vec(), value: Some(then.clone()) };
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (key, value) in then {
                path.push(key.as_str().into());
                match now.get(key) {
                    Some(now) => restore(document, path, now, value, edits),
                    None => {
                        let change = Change { document, path: path.clone(), value: Some(value.clone()) };
                        edits.push(Edit::one(EditKind::Add, change));
                    }
                }
                path.pop();
            }
        }
        (Value::Array(now), Value::Array(then)) if now.len() == then.len() => {
            for (index, (now, then)) in now.iter().zip(then).enumerate() {
                path.push(index.into());
                restore(document, path, now, then, edits);
                path.pop();
            }
        }
        (now, then) if now != then => edits.push(Edit::one(EditKind::Value, change(path))),
        _ => {}
    }
}

/// A document that has to come before the others.
pub(super) fn order(answer: &Answer, edits: &mut Vec<Edit>) {
    for (number, _) in answer.editable().filter(|(number, _)| *number > 0).take(MOST_PLACES) {
        edits.push(Edit { kind: EditKind::Move, changes: Vec::new(), added: None, first: Some(number) });
    }
}

/// Documents that could be missing, or could be too many.
pub(super) fn documents(context: &Context<'_>, answer: &Answer, edits: &mut Vec<Edit>) {
    let mut missing: Vec<Value> = Vec::new();
    for (number, entry) in answer.editable() {
        let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let namespace = match text("/metadata/namespace") {
            "" => "default",
            other => other,
        };
        if let Some(root) = schema::kind(text("/apiVersion"), text("/kind")) {
            let mut found = Vec::new();
            references(root, &entry.value, &mut found);
            for (kind, name) in found {
                if !is_there(context, answer, kind, namespace, &name)
                    && let Some(document) = minimal(kind, namespace, &name, context)
                {
                    push(&mut missing, document);
                }
            }
            if text("/kind") == Kind::PersistentVolumeClaim.name() {
                push(&mut missing, volume_for(&entry.value));
            }
        }
        if answer.documents().len() > 1 {
            let change = Change { document: number, path: Vec::new(), value: None };
            edits.push(Edit::one(EditKind::DropDocument, change));
        }
    }
    for document in missing {
        edits.push(Edit {
            kind: EditKind::AddDocument,
            changes: Vec::new(),
            added: Some(Added { value: document, at_end: false }),
            first: None,
        });
    }
}

/// The names of other objects in a document.
fn references(ty: &'static StructType, value: &Value, found: &mut Vec<(Kind, String)>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some(field) = ty.field(key) else { continue };
        if let (Some(kind), Some(name)) = (kind_of(ty.go_name, key), value.as_str())
            && !name.is_empty()
        {
            push(found, (kind, name.to_owned()));
        }
        inside(&field.ty, value, found);
    }
}

fn inside(ty: &'static Type, value: &Value, found: &mut Vec<(Kind, String)>) {
    match (&ty.shape, value) {
        (Shape::Struct(inner), _) => references(inner.get(), value, found),
        (Shape::List(element), Value::Array(items)) => items.iter().for_each(|item| inside(element, item, found)),
        _ => {}
    }
}

fn is_there(context: &Context<'_>, answer: &Answer, kind: Kind, namespace: &str, name: &str) -> bool {
    let place = if kind.namespaced() { namespace } else { "" };
    let in_answer = |value: &Value| {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        text("/kind") == Some(kind.name())
            && text("/metadata/name") == Some(name)
            && (!kind.namespaced() || text("/metadata/namespace").unwrap_or("default") == namespace)
    };
    context.start.api().store().object(kind, place, name).is_some()
        || answer.documents().iter().any(|entry| in_answer(&entry.value))
}

/// The smallest object of a kind and name that others can use.
fn minimal(kind: Kind, namespace: &str, name: &str, context: &Context<'_>) -> Option<Value> {
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": {"name": name}});
    if kind.namespaced() {
        *object.pointer_mut("/metadata")? = json!({"name": name, "namespace": namespace});
    }
    let fields = object.as_object_mut()?;
    match kind {
        Kind::Namespace | Kind::ServiceAccount | Kind::ConfigMap | Kind::Secret => {}
        Kind::StorageClass => {
            let installed = context.start.environment().provisioners.first();
            let provisioner = installed.map_or("kubernetes.io/no-provisioner", String::as_str);
            fields.insert("provisioner".to_owned(), provisioner.into());
        }
        Kind::PersistentVolumeClaim => {
            let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
            fields.insert("spec".to_owned(), spec);
        }
        Kind::PriorityClass => {
            fields.insert("value".to_owned(), json!(1000));
        }
        _ => return None,
    }
    Some(object)
}

/// A volume that is exactly what a claim asks for.
fn volume_for(claim: &Value) -> Value {
    let name = claim.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("data");
    let spec = claim.get("spec").cloned().unwrap_or_default();
    let mut volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": spec.get("volumeName").cloned().unwrap_or_else(|| format!("pv-{name}").into())},
        "spec": {
            "capacity": {"storage": spec.pointer("/resources/requests/storage").cloned().unwrap_or_else(|| "1Gi".into())},
            "accessModes": spec.get("accessModes").cloned().unwrap_or_else(|| json!(["ReadWriteOnce"])),
            "hostPath": {"path": format!("/srv/{name}")},
        },
    });
    let copy = [("/spec/storageClassName", "storageClassName"), ("/spec/volumeMode", "volumeMode")];
    for (from, to) in copy {
        if let (Some(value), Some(spec)) = (claim.pointer(from), volume.get_mut("spec").and_then(Value::as_object_mut))
        {
            spec.insert(to.to_owned(), value.clone());
        }
    }
    if let (Some(labels), Some(metadata)) =
        (claim.pointer("/spec/selector/matchLabels"), volume.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.insert("labels".to_owned(), labels.clone());
    }
    volume
}
