//! Fields and kinds the API does not know: what they could be.
use serde_json::{Map, Value};

use super::Walk;
use crate::api::object::Kind;
use crate::api::schema::{self, Shape, StructType};
use crate::explain::edit::EditKind;
use crate::suggest;

impl Walk<'_> {
    /// A field that a struct does not have: another spelling, another place, or nothing.
    pub(super) fn unknown(&mut self, ty: &'static StructType, key: &str, value: &Value) {
        let from = self.below(key);
        let mut names: Vec<&str> =
            suggest::nearest(key, ty.fields().map(|field| field.json_name)).into_iter().collect();
        // of several near ones the nearest is not always the one that was meant
        let mut near: Vec<(usize, &str)> = ty
            .fields()
            .map(|f| (suggest::distance(&key.to_lowercase(), &f.json_name.to_lowercase()), f.json_name))
            .collect();
        near.sort();
        for (_, name) in near.into_iter().take(3) {
            crate::explain::pool::push(&mut names, name);
        }
        for name in names {
            let change = vec![(from.clone(), None), (self.below(name), Some(value.clone()))];
            self.try_all(EditKind::Key, change);
        }
        self.move_to(&from, key, value, &[key]);
        self.hoist(ty, key, value);
        self.try_one(EditKind::Drop, from, None);
    }

    /// The fields inside an unknown one belong one level higher.
    fn hoist(&mut self, ty: &'static StructType, key: &str, value: &Value) {
        let Value::Object(fields) = value else { return };
        if !fields.is_empty() && fields.keys().all(|inner| ty.field(inner).is_some()) {
            let mut changes = vec![(self.below(key), None)];
            changes.extend(fields.iter().map(|(inner, value)| (self.below(inner.as_str()), Some(value.clone()))));
            self.try_all(EditKind::Move, changes);
        }
    }

    /// All unknown fields of a struct belong one level deeper: into `spec`, into the item of a list.
    pub(super) fn sink(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        let unknown: Vec<&String> = fields.keys().filter(|key| ty.field(key).is_none()).collect();
        if unknown.is_empty() {
            return;
        }
        for field in ty.fields() {
            let (inner, item) = match &field.ty.shape {
                Shape::Struct(inner) => (inner.get(), false),
                Shape::List(element) => match &element.shape {
                    Shape::Struct(inner) => (inner.get(), true),
                    _ => continue,
                },
                _ => continue,
            };
            if !unknown.iter().all(|key| inner.field(key).is_some()) {
                continue;
            }
            let mut place = self.below(field.json_name);
            if item {
                place.push(0.into());
            }
            let mut changes: Vec<_> = unknown.iter().map(|key| (self.below(key.as_str()), None)).collect();
            for key in &unknown {
                let mut to = place.clone();
                to.push(key.as_str().into());
                changes.push((to, fields.get(*key).cloned()));
            }
            self.try_all(EditKind::Move, changes);
        }
    }

    /// Another kind or version for the document.
    pub(super) fn kinds(&mut self) {
        let text = |key: &str| self.entry.value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let known = schema::kind(&api_version, &kind).is_some();
        let spoken = |name: &str| self.context.pool.words.iter().any(|word| word == name);
        let mut changes = Vec::new();
        for other in Kind::ALL {
            let (version, name) = (other.api_version(), other.name());
            if (version, name) == (&*api_version, &*kind) {
                continue;
            }
            let near = !known && suggest::nearest(&kind, [name]).is_some();
            let edit = if near || name == kind { EditKind::Value } else { EditKind::Kind };
            if near || name == kind || spoken(name) {
                let mut change = Vec::new();
                if version != api_version {
                    change.push((vec!["apiVersion".into()], Some(version.into())));
                }
                if name != kind {
                    change.push((vec!["kind".into()], Some(name.into())));
                }
                changes.push((edit, change));
            }
        }
        changes.into_iter().for_each(|(edit, change)| self.try_all(edit, change));
    }
}
