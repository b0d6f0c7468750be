//! Revisions of StatefulSets and DaemonSets (`pkg/controller/history`).
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};

use super::controller_utils::controller_reference;
use crate::api::ApiServer;
use crate::api::identity::hash_suffix;
use crate::api::label_selector::{self, Labels};
use crate::api::object::{ApiObject, Kind, ObjectKey};
use crate::api::server::DeleteOptions;
use crate::api::status::{Reason, Status};

/// The label with a revision's hash (`ControllerRevisionHashLabel`).
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// What a revision stores of its owner: a strategic merge patch that restores the template.
pub(super) fn template_patch(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    if let Some(map) = template.as_object_mut() {
        map.insert("$patch".to_owned(), "replace".into());
    }
    json!({ "spec": { "template": template } })
}

/// The template that a revision restores.
pub(super) fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let data = revision.data.as_ref()?;
    let mut template = data.0.get("spec")?.get("template")?.clone();
    template.as_object_mut()?.remove("$patch");
    serde_json::from_value(template).ok()
}

/// A revision of an owner that is not stored yet (`NewControllerRevision`).
pub(super) fn new_revision<T: ApiObject>(
    owner: &T,
    labels: Option<&Labels>,
    data: Value,
    number: i64,
    collision_count: i32,
) -> ControllerRevision {
    let mut labels = labels.cloned().unwrap_or_default();
    let hash = hash_of(&data, collision_count);
    labels.insert(HASH_LABEL.to_owned(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(name_of(owner.name(), &hash)),
            namespace: Some(owner.namespace().to_owned()),
            labels: Some(labels),
            annotations: owner.metadata().annotations.clone(),
            owner_references: Some(vec![controller_reference(owner)]),
            ..Default::default()
        },
        data: Some(RawExtension(data)),
        revision: number,
    }
}

fn hash_of(data: &Value, collision_count: i32) -> String {
    hash_suffix(&format!("{data}{collision_count}"))
}

fn name_of(owner: &str, hash: &str) -> String {
    let prefix: String = owner.chars().take(223).collect();
    format!("{prefix}-{hash}")
}

/// An owner's revisions and those without owner that match, lowest number first (`ListControllerRevisions`,
/// `SortControllerRevisions`).
pub(super) fn list<T: ApiObject>(api: &ApiServer, owner: &T, selector: &LabelSelector) -> Vec<Arc<ControllerRevision>> {
    let all = api.store().list_in::<ControllerRevision>(owner.namespace());
    let mut revisions: Vec<_> = all
        .filter(|r| r.controller().is_none_or(|c| c.uid == owner.uid()))
        .filter(|r| label_selector::matches(Some(selector), r.metadata.labels.as_ref()))
        .cloned()
        .collect();
    let created = |r: &ControllerRevision| r.metadata.creation_timestamp.as_ref().map(|t| t.0);
    revisions.sort_by(|a, b| {
        a.revision.cmp(&b.revision).then_with(|| created(a).cmp(&created(b))).then_with(|| a.name().cmp(b.name()))
    });
    revisions
}

/// Makes an owner the controller of its revisions that have none (`AdoptControllerRevision`).
pub(super) fn adopt_orphans<T: ApiObject>(
    api: &mut ApiServer,
    owner: &T,
    selector: &LabelSelector,
) -> Result<(), Status> {
    if owner.is_terminating() {
        return Ok(());
    }
    for revision in list(api, owner, selector).into_iter().filter(|r| r.controller().is_none()) {
        let mut changed = ControllerRevision::clone(&revision);
        changed.metadata.owner_references.get_or_insert_default().push(controller_reference(owner));
        api.update(changed)?;
    }
    Ok(())
}

/// Stores a revision. When its name is taken by another one, the hash is varied until it is not
/// (`CreateControllerRevision`).
pub(super) fn create<T: ApiObject>(
    api: &mut ApiServer,
    owner: &T,
    revision: &ControllerRevision,
    collision_count: &mut i32,
) -> Result<Arc<ControllerRevision>, Status> {
    let data = revision.data.as_ref().map(|d| d.0.clone()).unwrap_or_default();
    loop {
        let mut clone = revision.clone();
        clone.metadata.name = Some(name_of(owner.name(), &hash_of(&data, *collision_count)));
        let existing = api.get::<ControllerRevision>(owner.namespace(), clone.name()).cloned();
        match (api.create(clone), existing) {
            (Err(status), Some(existing)) if status.reason == Reason::AlreadyExists => {
                if existing.data == revision.data {
                    return Ok(existing);
                }
                *collision_count += 1;
            }
            (result, _) => return result.map(|accepted| accepted.object),
        }
    }
}

/// Gives a revision a new number (`UpdateControllerRevision`).
pub(super) fn renumber(
    api: &mut ApiServer,
    revision: &ControllerRevision,
    number: i64,
) -> Result<Arc<ControllerRevision>, Status> {
    let changed = ControllerRevision { revision: number, ..revision.clone() };
    api.update(changed).map(|accepted| accepted.object)
}

/// Deletes the oldest revisions that nothing uses, beyond a limit (`truncateHistory`).
pub(super) fn truncate(
    api: &mut ApiServer,
    revisions: &[Arc<ControllerRevision>],
    is_live: impl Fn(&str) -> bool,
    limit: i32,
) -> Result<(), Status> {
    let Ok(limit) = usize::try_from(limit) else { return Ok(()) };
    let history: Vec<_> = revisions.iter().filter(|r| !is_live(r.name())).collect();
    for revision in history.iter().take(history.len().saturating_sub(limit)) {
        let key = ObjectKey::new(Kind::ControllerRevision, revision.namespace(), revision.name());
        api.delete(&key, &DeleteOptions::default())?;
    }
    Ok(())
}
