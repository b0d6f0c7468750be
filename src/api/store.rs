//! What etcd and the watch cache are to a real API server: all objects, and the log of their changes.
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::object::{ApiObject, Kind, Object, ObjectKey};

/// One write: the object before and after it. Reconcilers read these as Kubernetes controllers read a watch.
#[derive(Clone, Debug)]
pub struct Change {
    /// The object before; `None` when it was created.
    pub old: Option<Object>,
    /// The object after; `None` when it is gone.
    pub new: Option<Object>,
}

/// An object before and after a change.
pub type BeforeAndAfter<'a, T> = (Option<&'a Arc<T>>, Option<&'a Arc<T>>);

impl Change {
    /// The object after the change or, when it is gone, as it was last.
    pub fn object(&self) -> &Object {
        match (&self.new, &self.old) {
            (Some(object), _) | (None, Some(object)) => object,
            (None, None) => unreachable!("a change has at least one side"),
        }
    }
    /// The kind of the changed object.
    pub fn kind(&self) -> Kind {
        self.object().kind()
    }
    /// The changed object before and after, if it is of type `T`.
    pub fn of<T: ApiObject>(&self) -> Option<BeforeAndAfter<'_, T>> {
        (self.kind() == T::ID)
            .then(|| (self.old.as_ref().and_then(T::from_object), self.new.as_ref().and_then(T::from_object)))
    }
    /// Whether the object is gone.
    pub fn is_deletion(&self) -> bool {
        self.new.is_none()
    }
}

/// An object and, once somebody asked for it, what it is as JSON.
#[derive(Clone, Debug)]
struct Slot {
    object: Object,
    value: OnceLock<Arc<Value>>,
}

type Table = BTreeMap<String, BTreeMap<String, Slot>>;

/// All objects by kind, namespace and name, in that order. A copy shares what neither side changes.
#[derive(Clone, Debug, Default)]
pub struct Store {
    tables: Vec<Arc<Table>>,
    log: Vec<Change>,
    truncated: usize,
}

fn slots(table: &Table) -> impl Iterator<Item = &Object> {
    table.values().flat_map(BTreeMap::values).map(|slot| &slot.object)
}

impl Store {
    fn table(&self, kind: Kind) -> Option<&Table> {
        self.tables.get(kind as usize).map(|table| &**table)
    }

    fn slot(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Slot> {
        self.table(kind)?.get(namespace)?.get(name)
    }

    /// The object of a key.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        Some(&self.slot(kind, namespace, name)?.object)
    }

    /// The object of a key as JSON: see [`Object::to_value`], which is called once for each version of an object.
    pub fn value(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        let slot = self.slot(kind, namespace, name)?;
        Some(slot.value.get_or_init(|| Arc::new(slot.object.to_value())))
    }

    /// The object of type `T` with this name; `namespace` is empty for cluster-scoped kinds.
    pub fn get<T: ApiObject>(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.object(T::ID, namespace, name).and_then(T::from_object)
    }

    /// All objects of type `T`, by namespace and name.
    pub fn list<T: ApiObject>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects_of(T::ID).filter_map(T::from_object)
    }

    /// The objects of type `T` in one namespace, by name.
    pub fn list_in<T: ApiObject>(&self, namespace: &str) -> impl Iterator<Item = &Arc<T>> {
        self.objects_of_in(T::ID, namespace).filter_map(T::from_object)
    }

    /// All objects of a kind, by namespace and name.
    pub fn objects_of(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.table(kind).into_iter().flat_map(slots)
    }

    /// The objects of a kind in one namespace, by name.
    pub fn objects_of_in(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Object> {
        let names = self.table(kind).and_then(|table| table.get(namespace));
        names.into_iter().flat_map(BTreeMap::values).map(|slot| &slot.object)
    }

    /// All objects of all kinds, by kind, namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.tables.iter().flat_map(|table| slots(table))
    }

    /// All objects in a namespace.
    pub fn objects_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Object> {
        let names = self.tables.iter().filter_map(move |table| table.get(namespace));
        names.flat_map(BTreeMap::values).map(|slot| &slot.object)
    }

    /// Writes an object and logs the change.
    pub(super) fn put(&mut self, object: Object) {
        let kind = object.kind() as usize;
        if self.tables.len() <= kind {
            self.tables.resize_with(Kind::ALL.len(), Arc::default);
        }
        let table = Arc::make_mut(&mut self.tables[kind]);
        let names = match table.get_mut(object.namespace()) {
            Some(names) => names,
            None => table.entry(object.namespace().to_owned()).or_default(),
        };
        let slot = Slot { object: object.clone(), value: OnceLock::new() };
        let old = match names.get_mut(object.name()) {
            Some(old) => Some(std::mem::replace(old, slot)),
            None => names.insert(object.name().to_owned(), slot),
        };
        self.log.push(Change { old: old.map(|slot| slot.object), new: Some(object) });
    }

    /// Removes an object and logs the change; the object as it was.
    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<Object> {
        let table = Arc::make_mut(self.tables.get_mut(key.kind as usize)?);
        let old = table.get_mut(&key.namespace)?.remove(&key.name)?.object;
        self.log.push(Change { old: Some(old.clone()), new: None });
        Some(old)
    }

    /// A copy that does not remember changes.
    pub fn without_log(&self) -> Store {
        Store { tables: self.tables.clone(), log: Vec::new(), truncated: self.revision() }
    }

    /// How many changes there have been.
    pub fn revision(&self) -> usize {
        self.truncated + self.log.len()
    }

    /// The change with a number below [`revision`](Self::revision), if it is still remembered.
    pub fn change(&self, number: usize) -> Option<&Change> {
        self.log.get(number.checked_sub(self.truncated)?)
    }

    /// Forgets the changes before a number that every reader has read.
    pub fn forget_changes_before(&mut self, number: usize) {
        let count = number.saturating_sub(self.truncated).min(self.log.len());
        self.log.drain(..count);
        self.truncated += count;
    }
}
