//! Deletes what lost its owners (`pkg/controller/garbagecollector`).
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::jiff::Timestamp;

use super::controller_utils::RetryQueue;
use crate::api::object::{ApiObject, Kind, Object, ObjectKey};
use crate::api::server::{DeleteOptions, FOREGROUND_DELETION, ORPHAN_DEPENDENTS, Propagation};
use crate::api::status::{Reason, Status};
use crate::api::{ApiServer, Change, Store};
use crate::reconcile::{Context, Reconciler};

/// The garbage collector.
#[derive(Clone, Default)]
pub struct GarbageCollector {
    queue: RetryQueue<ObjectKey>,
    /// Every stored object by its uid.
    live: BTreeMap<String, ObjectKey>,
    /// The objects that name an owner, by the owner's uid.
    dependents: BTreeMap<String, BTreeSet<ObjectKey>>,
}

impl Reconciler for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let object = change.object();
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && new.metadata().deletion_timestamp.is_none()
            && old.metadata().owner_references == new.metadata().owner_references
        {
            return;
        }
        let key = object.key();
        let (old_owners, new_owners) = (owner_uids(change.old.as_ref()), owner_uids(change.new.as_ref()));
        for uid in old_owners.difference(&new_owners) {
            self.forget_dependent(uid, &key);
            // an owner that waits for its dependents may be waiting for this one
            if let Some(owner) = self.live.get(*uid) {
                self.queue.add(owner.clone());
            }
        }
        for uid in new_owners.difference(&old_owners) {
            self.dependents.entry((*uid).to_owned()).or_default().insert(key.clone());
        }
        match &change.new {
            None => {
                self.live.remove(object.uid());
                if let Some(dependents) = self.dependents.get(object.uid()) {
                    dependents.iter().for_each(|d| self.queue.add(d.clone()));
                }
            }
            Some(new) => {
                if change.old.is_none() {
                    self.live.insert(new.uid().to_owned(), key.clone());
                }
                let deletion_began = is_terminating(change.old.as_ref()) != is_terminating(change.new.as_ref());
                let finalizers = |o: &Object| o.metadata().finalizers.clone().unwrap_or_default();
                let refinalized = change.old.as_ref().is_none_or(|old| finalizers(old) != finalizers(new));
                let ending = new.metadata().deletion_timestamp.is_some() && (deletion_began || refinalized);
                if old_owners != new_owners || ending {
                    self.queue.add(key);
                }
            }
        }
    }

    fn reconcile_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(key) = self.queue.pop(context.api.now()) else { return false };
        match self.process(context.api, &key) {
            Ok(()) => self.queue.forget(&key),
            Err(_) => self.queue.retry(key, context.api.now()),
        }
        true
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.queue.next_timer()
    }
}

fn owner_references(metadata: &ObjectMeta) -> &[OwnerReference] {
    metadata.owner_references.as_deref().unwrap_or_default()
}

fn owner_uids(object: Option<&Object>) -> BTreeSet<&str> {
    object.into_iter().flat_map(|o| owner_references(o.metadata())).map(|r| r.uid.as_str()).collect()
}

fn is_terminating(object: Option<&Object>) -> bool {
    object.is_some_and(|o| o.metadata().deletion_timestamp.is_some())
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    object.metadata().finalizers.iter().flatten().any(|f| f == finalizer)
}

/// Whether an object waits for its dependents to be deleted (`isDeletingDependents`).
fn is_deleting_dependents(object: &Object) -> bool {
    is_terminating(Some(object)) && has_finalizer(object, FOREGROUND_DELETION)
}

impl GarbageCollector {
    fn forget_dependent(&mut self, owner: &str, dependent: &ObjectKey) {
        if let Some(dependents) = self.dependents.get_mut(owner) {
            dependents.remove(dependent);
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
    }

    fn dependents_of<'a>(&'a self, api: &'a ApiServer, uid: &'a str) -> impl Iterator<Item = &'a Object> {
        let keys = self.dependents.get(uid).into_iter().flatten();
        keys.filter_map(|k| api.store().object(k.kind, &k.namespace, &k.name))
    }

    fn process(&mut self, api: &mut ApiServer, key: &ObjectKey) -> Result<(), Status> {
        let Some(object) = api.store().object(key.kind, &key.namespace, &key.name).cloned() else { return Ok(()) };
        if is_terminating(Some(&object)) {
            if has_finalizer(&object, ORPHAN_DEPENDENTS) {
                return self.orphan_dependents(api, &object);
            }
            return if is_deleting_dependents(&object) { self.delete_dependents(api, &object) } else { Ok(()) };
        }
        self.attempt_to_delete(api, &object)
    }

    /// Takes an owner off its dependents, then lets it go (`orphanDependents`).
    fn orphan_dependents(&self, api: &mut ApiServer, owner: &Object) -> Result<(), Status> {
        let dependents: Vec<Object> = self.dependents_of(api, owner.uid()).cloned().collect();
        for dependent in dependents {
            remove_owners(api, &dependent, &[owner.uid()])?;
        }
        edit_metadata(api, owner, |metadata| {
            metadata.finalizers.iter_mut().for_each(|f| f.retain(|f| f != ORPHAN_DEPENDENTS));
        })
    }

    /// Lets an owner go when no dependent blocks it any more, or else has its dependents looked at
    /// (`processDeletingDependentsItem`).
    fn delete_dependents(&mut self, api: &mut ApiServer, owner: &Object) -> Result<(), Status> {
        let blocks = |dependent: &&Object| {
            let references = owner_references(dependent.metadata()).iter();
            references.clone().any(|r| r.uid == owner.uid() && r.block_owner_deletion == Some(true))
        };
        let blocking: Vec<ObjectKey> = self
            .dependents_of(api, owner.uid())
            .filter(blocks)
            .filter(|d| !is_deleting_dependents(d))
            .map(Object::key)
            .collect();
        let any = self.dependents_of(api, owner.uid()).any(|d| blocks(&d));
        // those that do not block are deleted too, but not waited for
        let others: Vec<ObjectKey> =
            self.dependents_of(api, owner.uid()).filter(|d| !blocks(d)).map(Object::key).collect();
        blocking.into_iter().chain(others).for_each(|key| self.queue.add(key));
        if any {
            return Ok(());
        }
        edit_metadata(api, owner, |metadata| {
            metadata.finalizers.iter_mut().for_each(|f| f.retain(|f| f != FOREGROUND_DELETION));
        })
    }

    /// Deletes an object none of whose owners is left (`attemptToDeleteItem`).
    fn attempt_to_delete(&mut self, api: &mut ApiServer, object: &Object) -> Result<(), Status> {
        let references = owner_references(object.metadata());
        if references.is_empty() {
            return Ok(());
        }
        let (mut solid, mut gone, mut waiting) = (false, Vec::new(), false);
        for reference in references {
            match self.owner(api, object, reference) {
                // nothing is known of objects of other kinds
                _ if Kind::find(&reference.api_version, &reference.kind).is_none() => solid = true,
                None => gone.push(reference.uid.as_str()),
                Some(owner) if is_deleting_dependents(owner) => {
                    waiting = true;
                    gone.push(reference.uid.as_str());
                }
                Some(_) => solid = true,
            }
        }
        if solid {
            return if gone.is_empty() { Ok(()) } else { remove_owners(api, object, &gone) };
        }
        let propagation = if waiting && self.dependents.contains_key(object.uid()) {
            if self.dependents_of(api, object.uid()).any(is_deleting_dependents) {
                unblock_owners(api, object)?;
            }
            Propagation::Foreground
        } else if has_finalizer(object, ORPHAN_DEPENDENTS) {
            Propagation::Orphan
        } else if has_finalizer(object, FOREGROUND_DELETION) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let options = DeleteOptions { propagation, uid: Some(object.uid().to_owned()), ..Default::default() };
        match api.delete(&object.key(), &options) {
            Err(status) if !matches!(status.reason, Reason::NotFound | Reason::Conflict) => Err(status),
            _ => Ok(()),
        }
    }

    /// The object that a reference means, if it exists; a namespaced owner must be in the dependent's namespace.
    fn owner<'a>(&self, api: &'a ApiServer, object: &Object, reference: &OwnerReference) -> Option<&'a Object> {
        let kind = Kind::find(&reference.api_version, &reference.kind)?;
        let namespace = if kind.namespaced() { object.namespace() } else { "" };
        api.store().object(kind, namespace, &reference.name).filter(|o| o.uid() == reference.uid)
    }
}

fn remove_owners(api: &mut ApiServer, object: &Object, uids: &[&str]) -> Result<(), Status> {
    edit_metadata(api, object, |metadata| {
        metadata.owner_references.iter_mut().for_each(|o| o.retain(|o| !uids.contains(&o.uid.as_str())));
        metadata.owner_references.take_if(|o| o.is_empty());
    })
}

fn unblock_owners(api: &mut ApiServer, object: &Object) -> Result<(), Status> {
    edit_metadata(api, object, |metadata| {
        metadata.owner_references.iter_mut().flatten().for_each(|o| o.block_owner_deletion = Some(false));
    })
}

/// Updates an object's metadata, whatever its kind.
fn edit_metadata(api: &mut ApiServer, object: &Object, edit: impl Fn(&mut ObjectMeta)) -> Result<(), Status> {
    macro_rules! update {
        ($($kind:ident),* $(,)?) => {
            match object {
                $(Object::$kind(o) => {
                    let Some(current) = api.store().object(Kind::$kind, o.namespace(), o.name()) else { return Ok(()) };
                    let Object::$kind(current) = current else { return Ok(()) };
                    if current.uid() != o.uid() {
                        return Ok(());
                    }
                    let mut changed = (**current).clone();
                    edit(&mut changed.metadata);
                    api.update(changed).map(|_| ())
                })*
            }
        };
    }
    let result = crate::for_each_kind!(update);
    match result {
        Err(status) if status.reason == Reason::NotFound => Ok(()),
        other => other,
    }
}
