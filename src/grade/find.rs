//! Finding the objects that a partial object could mean.
use serde_json::Value;

use crate::api::Object;
use crate::api::object::{Kind, ObjectKey};
use crate::api::store::Store;
use crate::grade::{Finding, ScenarioError};
use crate::scenario::Pattern;
use crate::suggest;
use crate::timeline::record::is_furniture;

/// Which objects a pattern is about.
pub(super) struct Target {
    pub(super) kind: Kind,
    /// The namespace; `None` for all, or for kinds without.
    pub(super) namespace: Option<String>,
    /// The name; `None` for any object of the kind.
    pub(super) name: Option<String>,
}

impl Target {
    /// A named object without a namespace is in `default`; unnamed ones are looked for everywhere.
    pub(super) fn of(pattern: &Pattern) -> Result<Target, ScenarioError> {
        let text = |pointer: &str| pattern.value.pointer(pointer).and_then(Value::as_str);
        let (api_version, kind) = (text("/apiVersion").unwrap_or_default(), text("/kind").unwrap_or_default());
        let Some(kind) = Kind::find(api_version, kind) else {
            let message = format!("there is no kind `{kind}` in `{api_version}`");
            return Err(ScenarioError::new(&pattern.place, message));
        };
        let name = text("/metadata/name").filter(|name| !name.is_empty()).map(str::to_owned);
        let given = text("/metadata/namespace").map(str::to_owned);
        let namespace = match (kind.namespaced(), &name) {
            (false, _) => None,
            (true, Some(_)) => Some(given.unwrap_or_else(|| "default".to_owned())),
            (true, None) => given,
        };
        Ok(Target { kind, namespace, name })
    }

    /// The objects, by namespace and name; where no name is given, without what is there in every cluster.
    pub(super) fn objects<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = &'a Object> {
        store.objects_of(self.kind).filter(|object| {
            self.namespace.as_deref().is_none_or(|namespace| object.namespace() == namespace)
                && self.name.as_deref().map_or_else(|| !is_furniture(object), |name| object.name() == name)
        })
    }

    /// The objects and what they are as JSON.
    pub(super) fn values<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = (&'a Object, &'a Value)> {
        self.objects(store).filter_map(|object| {
            let value = store.value(self.kind, object.namespace(), object.name())?;
            Some((object, &**value))
        })
    }

    /// The object of the name that is missing.
    pub(super) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(self.kind, self.namespace.as_deref().unwrap_or_default(), name)
    }
}

/// The finding that an object is missing, with one that could have been meant instead: of the same name elsewhere, or of a
/// similar name in the same namespace.
pub(super) fn missing_object(key: &ObjectKey, store: &Store) -> Finding {
    let elsewhere = store.objects_of(key.kind).find(|object| object.name() == key.name);
    let here = store.objects_of(key.kind).filter(|object| object.namespace() == key.namespace);
    let similar = || suggest::nearest(&key.name, here.map(Object::name));
    let instead = match elsewhere {
        Some(object) => Some(object.key()),
        None => similar().map(|name| ObjectKey::new(key.kind, &key.namespace, name)),
    };
    Finding::Missing { object: key.clone(), instead }
}
