//! Claims that the checks miss, made where pods' claims come from: templates of a StatefulSet, ephemeral volumes.
use serde_json::{Value, json};

use super::{Change, Context};
use crate::api::schema::Segment;
use crate::explain::answer::Answer;
use crate::explain::edit::{Edit, EditKind};

/// A claim that a failed check asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// Its name; `None` if any will do.
    pub(super) name: Option<String>,
    /// What is said of its spec.
    pub(super) spec: Value,
}

/// The name of the claim template from which a set makes a claim: `data` for `data-web-0` of `web`.
pub(super) fn template_name<'a>(claim: &'a str, set: &str) -> Option<&'a str> {
    let (rest, ordinal) = claim.rsplit_once('-')?;
    let template = rest.strip_suffix(set)?.strip_suffix('-')?;
    (!ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit())).then_some(template)
}

/// Edits that make the wanted claims: a template, with or without the volume in its place; an ephemeral volume for another one.
pub(super) fn edits(context: &Context<'_>, answer: &Answer, edits: &mut Vec<Edit>) {
    let claims: Vec<Wanted> = context.sought.claims().iter().cloned().chain(made_by_hand(answer)).collect();
    for (document, entry) in answer.editable() {
        let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, set) = (text("/kind"), text("/metadata/name"));
        let pod_spec = if kind == "Pod" { "/spec" } else { "/spec/template/spec" };
        let volumes = entry.value.pointer(&format!("{pod_spec}/volumes")).and_then(Value::as_array);
        let named = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
        let change = |path: Vec<Segment>, value: Option<Value>| Change { document, path, value };
        for wanted in &claims {
            let ephemeral =
                |name: &str| json!({"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": wanted.spec}}});
            for (index, volume) in volumes.into_iter().flatten().enumerate() {
                let Some(name) = named(volume) else { continue };
                let place = path(&format!("{pod_spec}/volumes/{index}"));
                edits.push(Edit::one(EditKind::Kind, change(place, Some(ephemeral(&name)))));
            }
            if kind != "StatefulSet" {
                continue;
            }
            let mounts = mount_names(&entry.value);
            let names = match &wanted.name {
                Some(claim) => template_name(claim, set).map(str::to_owned).into_iter().collect(),
                None => mounts,
            };
            let templates = entry.value.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
            for name in names {
                rename(document, &entry.value, &name, edits);
                let template = json!({"metadata": {"name": name}, "spec": wanted.spec});
                let added = match templates {
                    None => change(path("/spec/volumeClaimTemplates"), Some(json!([template]))),
                    Some(there) => change(path(&format!("/spec/volumeClaimTemplates/{}", there.len())), Some(template)),
                };
                edits.push(Edit::one(EditKind::Add, added.clone()));
                let index = volumes.and_then(|volumes| volumes.iter().position(|v| named(v).as_deref() == Some(&name)));
                if let (Some(index), Some(volumes)) = (index, volumes) {
                    let item = if volumes.len() == 1 { String::new() } else { format!("/{index}") };
                    let changes = vec![change(path(&format!("{pod_spec}/volumes{item}")), None), added];
                    edits.push(Edit { kind: EditKind::Kind, changes, added: None, first: None });
                }
                if templates.is_some() && volumes.is_none() {
                    let changes = vec![
                        change(path("/spec/volumeClaimTemplates"), None),
                        change(path(&format!("{pod_spec}/volumes")), Some(json!([ephemeral(&name)]))),
                    ];
                    edits.push(Edit { kind: EditKind::Kind, changes, added: None, first: None });
                }
            }
        }
    }
}

/// The claims that stand in the answer themselves.
fn made_by_hand(answer: &Answer) -> impl Iterator<Item = Wanted> {
    answer.editable().filter_map(|(_, entry)| {
        let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str);
        let spec = entry.value.get("spec").filter(|_| text("/kind") == Some("PersistentVolumeClaim"))?;
        Some(Wanted { name: text("/metadata/name").map(str::to_owned), spec: spec.clone() })
    })
}

/// A claim template called otherwise, together with its mounts.
fn rename(document: usize, set: &Value, name: &str, edits: &mut Vec<Edit>) {
    let items = |pointer: &str| set.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate();
    let change = |pointer: &str| Change { document, path: path(pointer), value: Some(name.into()) };
    for (index, template) in items("/spec/volumeClaimTemplates") {
        let Some(old) = template.pointer("/metadata/name").filter(|old| **old != name) else { continue };
        let mut changes = vec![change(&format!("/spec/volumeClaimTemplates/{index}/metadata/name"))];
        for containers in ["containers", "initContainers"].map(|list| format!("/spec/template/spec/{list}")) {
            for (container, _) in items(&containers) {
                for mounts in ["volumeMounts", "volumeDevices"].map(|list| format!("{containers}/{container}/{list}")) {
                    let of_this = items(&mounts).filter(|(_, mount)| mount.get("name") == Some(old));
                    changes.extend(of_this.map(|(mount, _)| change(&format!("{mounts}/{mount}/name"))));
                }
            }
        }
        edits.push(Edit { kind: EditKind::Everywhere, changes, added: None, first: None });
    }
}

/// The parts of a pointer; numbers are places in lists.
fn path(pointer: &str) -> Vec<Segment> {
    let segment = |part: &str| part.parse().map_or_else(|_| Segment::from(part), Segment::Index);
    pointer.split('/').skip(1).map(segment).collect()
}

/// The names that containers of a set mount.
fn mount_names(set: &Value) -> Vec<String> {
    let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let mounts = containers.into_iter().flatten().filter_map(|container| container.get("volumeMounts")?.as_array());
    let mut names: Vec<String> =
        mounts.flatten().filter_map(|mount| mount.get("name")?.as_str()).map(str::to_owned).collect();
    names.dedup();
    names
}
