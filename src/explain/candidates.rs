//! All edits of an answer that are worth a try, found by walking its documents along the API's types.
pub mod asked;
mod claims;
mod exchange;
mod spelling;
mod values;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::answer::{Answer, Change, Entry};
use super::edit::{Added, Edit, EditKind};
use super::pool::{Pool, written};
use crate::api::schema::{self, Field, Segment, Shape, StructType, Type};
use crate::cluster::Cluster;
use crate::timeline::record::visible_objects;
use asked::Sought;

/// The most values of a document that are looked at for having changed places.
const MOST_SWAPPED: usize = 100;
/// The most pods that a workload is tried with, unless more are asked for.
const MOST_PODS: i64 = 20;
/// The most edits of one document.
const MOST_EDITS: usize = 20_000;
/// The most entries of a map in whose place other ones are put.
const MOST_REPLACED: usize = 3;
/// The most objects of the cluster that are edited.
const MOST_OTHERS: usize = 12;

/// What candidates are drawn from.
pub struct Context<'a> {
    /// The cluster before the answer.
    pub start: &'a Cluster,
    /// Values that could be meant.
    pub pool: &'a Pool,
    /// What the report of the answer asks for.
    pub sought: &'a Sought,
    /// Whether objects that were there before can be changed, too.
    pub others: bool,
}

/// A place in a document that holds text, and what could stand there.
struct Text {
    change: Change,
    values: Vec<Value>,
}

/// The edits of one answer.
struct Walk<'a> {
    context: &'a Context<'a>,
    document: usize,
    entry: &'a Entry,
    path: Vec<Segment>,
    edits: Vec<Edit>,
    /// Where each text stands.
    texts: BTreeMap<String, Vec<Text>>,
    /// All structs of the document that are there.
    structs: Vec<(Vec<Segment>, &'static StructType)>,
    /// All scalars of the document that can change places with others.
    swaps: Vec<(Vec<Segment>, Value)>,
    /// Words the API accepts, by Go type of the field's struct and name.
    words: Words,
}

/// Words the API accepts, by Go type of the field's struct and name.
type Words = BTreeMap<(&'static str, String), Vec<String>>;

/// All candidates: those first that do what the report asks for, small edits before large ones, then in the order of the answer.
pub fn candidates(context: &Context<'_>, answer: &Answer) -> Vec<Edit> {
    let mut edits = Vec::new();
    context.sought.edits(answer, &mut edits);
    claims::edits(context, answer, &mut edits);
    whole::as_before(context, answer, &mut edits);
    let mut texts: BTreeMap<String, Vec<Text>> = BTreeMap::new();
    let mut words = BTreeMap::new();
    for (document, entry) in answer.editable() {
        let mut walk = Walk::new(context, document, entry, std::mem::take(&mut words));
        walk.document();
        words = walk.words;
        edits.append(&mut walk.edits);
        for (text, places) in walk.texts {
            texts.entry(text).or_default().extend(places);
        }
    }
    whole::everywhere(&texts, &mut edits);
    whole::alike(answer, &mut edits);
    whole::labels(context, answer, &mut edits);
    exchange::between_documents(answer, &mut edits);
    whole::documents(context, answer, &mut edits);
    whole::order(answer, &mut edits);
    if context.others {
        others(context, answer, &mut edits);
    }
    edits.retain(|edit| context.sought.is_asked(edit) || !makes_too_many_pods(edit));
    edits.sort_by_cached_key(|edit| (context.sought.distance(edit), edit.kind));
    edits
}

/// A port is no number of pods, and so many take long.
fn makes_too_many_pods(edit: &Edit) -> bool {
    let of_pods = ["replicas", "parallelism", "completions"].map(Segment::from);
    edit.changes.iter().any(|change| {
        let many = change.value.as_ref().and_then(Value::as_i64).is_some_and(|number| number > MOST_PODS);
        many && change.path.last().is_some_and(|last| of_pods.contains(last))
    })
}

/// Objects of the cluster that the answer leaves alone, with one edit each.
fn others(context: &Context<'_>, answer: &Answer, edits: &mut Vec<Edit>) {
    let store = context.start.api().store();
    let name = |value: &Value| (value.get("kind").cloned(), value.pointer("/metadata/name").cloned());
    let own: Vec<_> = answer.documents().iter().map(|entry| name(&entry.value)).collect();
    for object in visible_objects(store).take(MOST_OTHERS) {
        let value = written(object);
        if own.contains(&name(&value)) || object.metadata().owner_references.is_some() {
            continue;
        }
        let entry = Entry { file: 0, document: None, value: Arc::new(value) };
        let mut walk = Walk::new(context, usize::MAX, &entry, BTreeMap::new());
        walk.document();
        for edit in walk.edits.into_iter().filter(|edit| edit.kind <= EditKind::Drop && !makes_too_many_pods(edit)) {
            let mut value = (*entry.value).clone();
            if super::answer::apply(&mut value, &edit.changes).is_some() {
                let added = Some(Added { value, at_end: true });
                edits.push(Edit { kind: EditKind::ChangeOther, changes: Vec::new(), added, first: None });
            }
        }
    }
}

impl<'a> Walk<'a> {
    fn new(context: &'a Context<'a>, document: usize, entry: &'a Entry, words: Words) -> Walk<'a> {
        Walk {
            context,
            document,
            entry,
            path: Vec::new(),
            edits: Vec::new(),
            texts: BTreeMap::new(),
            structs: Vec::new(),
            swaps: Vec::new(),
            words,
        }
    }

    fn document(&mut self) {
        let text = |key: &str| self.entry.value.get(key).and_then(Value::as_str).unwrap_or_default();
        self.kinds();
        let Some(root) = schema::kind(text("apiVersion"), text("kind")) else { return };
        let entry = self.entry;
        if let Value::Object(fields) = &*entry.value {
            self.structs(root, fields);
            self.structure(root, fields);
        }
        self.swap();
    }

    /// An edit of one value of this document.
    fn try_one(&mut self, kind: EditKind, path: Vec<Segment>, value: Option<Value>) {
        self.try_all(kind, vec![(path, value)]);
    }

    fn try_all(&mut self, kind: EditKind, changes: Vec<(Vec<Segment>, Option<Value>)>) {
        if self.edits.len() >= MOST_EDITS {
            return;
        }
        let document = self.document;
        let changes = changes.into_iter().map(|(path, value)| Change { document, path, value }).collect();
        self.edits.push(Edit { kind, changes, added: None, first: None });
    }

    fn below(&self, segment: impl Into<Segment>) -> Vec<Segment> {
        let mut path = self.path.clone();
        path.push(segment.into());
        path
    }

    /// Notes which structs there are, before anything is tried: fields can be moved to any of them.
    fn structs(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        self.structs.push((self.path.clone(), ty));
        for (key, value) in fields {
            let Some(field) = ty.field(key) else { continue };
            self.path.push(key.as_str().into());
            self.structs_in(&field.ty, value);
            self.path.pop();
        }
    }

    fn structs_in(&mut self, ty: &'static Type, value: &Value) {
        match (&ty.shape, value) {
            (Shape::Struct(inner), Value::Object(fields)) => self.structs(inner.get(), fields),
            (Shape::List(element), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(index.into());
                    self.structs_in(element, item);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn structure(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        for (key, value) in fields {
            match ty.field(key) {
                None => self.unknown(ty, key, value),
                Some(field) => {
                    if !self.is_fixed(key) {
                        self.field(ty, field, fields, value);
                    }
                }
            }
        }
        self.exchange_fields(ty, fields);
        self.move_items(ty, fields);
        self.other_field(ty, fields);
        self.discriminate(ty, fields);
        self.whole_directory(ty, fields);
        self.sink(ty, fields);
        self.split(ty, fields);
        let absent = ty.fields().filter(|field| !fields.contains_key(field.json_name));
        for field in absent {
            let known = self.context.pool.knows_field(ty, field.json_name)
                || (is_scalar(&field.ty) && self.context.pool.knows_name(field.json_name));
            if known && !is_of_the_server(ty, field.json_name) {
                self.path.push(field.json_name.into());
                let values = self.values_for(ty, field.json_name, &field.ty, 0);
                self.path.pop();
                self.replace(ty, fields, field.json_name, &values);
                for value in values {
                    self.try_one(EditKind::Add, self.below(field.json_name), Some(value));
                }
            }
        }
    }

    /// A directory is mounted as a whole instead of one file of it.
    fn whole_directory(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        let mount_path = fields.get("mountPath").and_then(Value::as_str);
        let Some(directory) = mount_path.and_then(|path| path.trim_end_matches('/').rsplit_once('/')) else { return };
        if ty.go_name == "VolumeMount" && fields.contains_key("subPath") {
            let change = vec![(self.below("subPath"), None), (self.below("mountPath"), Some(directory.0.into()))];
            self.try_all(EditKind::Kind, change);
        }
    }

    /// The word that says which of the other fields counts, and what does not go with it: `type: OnDelete` without
    /// `rollingUpdate`, `operator: Exists` without `values`.
    fn discriminate(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        let has_parts = |value: &Value| value.is_object() || value.is_array();
        let structs: Vec<&String> = fields.iter().filter(|(_, value)| has_parts(value)).map(|(key, _)| key).collect();
        let field = ty.field("type").or_else(|| ty.field("operator"));
        let Some(field) = field.filter(|_| !structs.is_empty() && fields.len() <= 3) else { return };
        self.path.push(field.json_name.into());
        let words = self.scalars(ty, field.json_name, &field.ty, fields.get(field.json_name));
        self.path.pop();
        for word in words {
            for other in &structs {
                let change =
                    vec![(self.below(other.as_str()), None), (self.below(field.json_name), Some(word.clone()))];
                self.try_all(EditKind::Kind, change);
            }
        }
    }

    /// Two fields written as one: `path: server:/path`.
    fn split(&mut self, ty: &'static StructType, fields: &Map<String, Value>) {
        for (key, value) in fields {
            let Some((head, tail)) = value.as_str().and_then(|text| text.split_once(':')) else { continue };
            let absent =
                |field: &&Field| !field.omit_empty && is_scalar(&field.ty) && !fields.contains_key(field.json_name);
            for field in ty.fields().filter(absent) {
                let change = vec![
                    (self.below(field.json_name), Some(head.into())),
                    (self.below(key.as_str()), Some(tail.into())),
                ];
                self.try_all(EditKind::Key, change);
            }
        }
    }

    /// A small field in whose place another one was meant: `volumeName` for `selector`, `nodeName` for `nodeSelector`.
    fn replace(&mut self, ty: &'static StructType, fields: &Map<String, Value>, name: &str, values: &[Value]) {
        const SMALL: usize = 2;
        let small = |value: &Value| match value {
            Value::Object(fields) => fields.len() <= SMALL && fields.values().all(|value| !value.is_object()),
            Value::Array(items) => items.len() <= SMALL && items.iter().all(|item| !item.is_object()),
            _ => true,
        };
        if ty.go_name == "ObjectMeta" {
            return;
        }
        let others: Vec<&String> = fields.iter().filter(|(_, value)| small(value)).map(|(key, _)| key).collect();
        for other in others {
            let needed = ty.field(other).is_none_or(|field| !field.omit_empty || !field.embedded_in.is_empty());
            if needed || self.is_fixed(other) {
                continue;
            }
            for value in values {
                let change = vec![(self.below(other.as_str()), None), (self.below(name), Some(value.clone()))];
                self.try_all(EditKind::Kind, change);
            }
        }
    }

    /// What is looked after elsewhere, or by the server alone.
    fn is_fixed(&self, key: &str) -> bool {
        self.path.is_empty() && matches!(key, "apiVersion" | "kind" | "status")
    }

    fn field(&mut self, owner: &'static StructType, field: &'static Field, all: &Map<String, Value>, value: &Value) {
        let name = field.json_name;
        self.union(owner, field, all, value);
        self.move_known(owner, name, value);
        self.path.push(name.into());
        self.value(owner, name, &field.ty, value);
        self.path.pop();
        let needed = (self.path.is_empty() && matches!(name, "metadata" | "spec"))
            || (owner.go_name == "ObjectMeta" && name == "name");
        if !needed {
            self.try_one(EditKind::Drop, self.below(name), None);
        }
    }

    /// A value at the present path: what could stand there instead, and inside it.
    fn value(&mut self, owner: &'static StructType, name: &'static str, ty: &'static Type, value: &Value) {
        match (&ty.shape, value) {
            (Shape::Struct(inner), Value::Object(fields)) => self.structure(inner.get(), fields),
            (Shape::List(element), Value::Array(items)) => self.list(owner, name, element, items),
            (Shape::Map(element), Value::Object(entries)) => self.map(owner, name, element, entries),
            (Shape::Struct(_) | Shape::List(_) | Shape::Map(_), _) => {
                // the value is not of the field's type
                for converted in self.converted(owner, name, ty, value) {
                    self.try_one(EditKind::Value, self.path.clone(), Some(converted));
                }
            }
            _ => self.scalar(owner, name, ty, value),
        }
    }

    fn scalar(&mut self, owner: &'static StructType, name: &str, ty: &'static Type, value: &Value) {
        let values = self.scalars(owner, name, ty, Some(value));
        for other in &values {
            self.try_one(EditKind::Value, self.path.clone(), Some(other.clone()));
        }
        if let Some(text) = value.as_str() {
            let change = Change { document: self.document, path: self.path.clone(), value: None };
            self.texts.entry(text.to_owned()).or_default().push(Text { change, values });
        }
        self.swaps.push((self.path.clone(), value.clone()));
    }

    fn list(&mut self, owner: &'static StructType, name: &'static str, element: &'static Type, items: &[Value]) {
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.into());
            self.value(owner, name, element, item);
            self.try_one(EditKind::Drop, self.path.clone(), None);
            self.path.pop();
        }
        self.exchange_items(items);
        self.path.push(items.len().into());
        let additional: Vec<Value> =
            self.values_for(owner, name, element, 1).into_iter().filter(|value| !items.contains(value)).collect();
        self.path.pop();
        for value in additional {
            // one value instead of several, or one more
            if is_scalar(element) && items.len() > 1 {
                self.try_one(EditKind::Value, self.path.clone(), Some(Value::Array(vec![value.clone()])));
            }
            self.try_one(EditKind::Add, self.below(items.len()), Some(value));
        }
        if items.len() > 1 {
            for index in 0..items.len() {
                let one = items.get(index).cloned().into_iter().collect();
                self.try_one(EditKind::Drop, self.path.clone(), Some(Value::Array(one)));
            }
        }
    }

    fn map(
        &mut self,
        owner: &'static StructType,
        name: &'static str,
        element: &'static Type,
        entries: &Map<String, Value>,
    ) {
        let keys = self.map_keys(name, element);
        for (key, value) in entries {
            self.path.push(key.as_str().into());
            if is_scalar(element) {
                let values = self.map_values(owner, name, key, element, Some(value));
                for other in &values {
                    self.try_one(EditKind::Value, self.path.clone(), Some(other.clone()));
                }
                if let Some(text) = value.as_str() {
                    let change = Change { document: self.document, path: self.path.clone(), value: None };
                    self.texts.entry(text.to_owned()).or_default().push(Text { change, values });
                }
                self.swaps.push((self.path.clone(), value.clone()));
            } else {
                self.value(owner, name, element, value);
            }
            self.try_one(EditKind::Drop, self.path.clone(), None);
            self.path.pop();
            for other in keys.iter().filter(|other| !entries.contains_key(*other)) {
                let change = vec![(self.below(key.as_str()), None), (self.below(other.as_str()), Some(value.clone()))];
                self.try_all(EditKind::Key, change);
            }
        }
        for (key, value) in self.map_entries(owner, name, element) {
            let change = vec![(self.below(key.as_str()), Some(value.clone()))];
            match entries.get(&key) {
                Some(_) => {}
                None => self.try_all(EditKind::Add, change),
            }
            // another entry in place of one
            for present in entries.keys().filter(|present| **present != key && entries.len() <= MOST_REPLACED) {
                let change =
                    vec![(self.below(present.as_str()), None), (self.below(key.as_str()), Some(value.clone()))];
                self.try_all(EditKind::Key, change);
            }
        }
        // after the edits of single entries
        if matches!(element.shape, Shape::String) && entries.len() <= MOST_REPLACED {
            for pairs in self.pairs_together() {
                self.try_one(EditKind::Value, self.path.clone(), Some(pairs));
            }
        }
    }

    /// One member of a union in place of another: a volume's source, a probe's handler.
    fn union(&mut self, owner: &'static StructType, field: &'static Field, all: &Map<String, Value>, value: &Value) {
        let Some(union) = field.embedded_in.last() else { return };
        for other in owner.fields() {
            let same = other.embedded_in.last() == Some(union) && other.json_name != field.json_name;
            if !same || all.contains_key(other.json_name) || !self.context.pool.knows_field(owner, other.json_name) {
                continue;
            }
            let mut values = carried_over(&other.ty, value);
            self.path.push(other.json_name.into());
            values.extend(self.values_for(owner, other.json_name, &other.ty, 0));
            self.path.pop();
            for value in values {
                let change = vec![(self.below(field.json_name), None), (self.below(other.json_name), Some(value))];
                self.try_all(EditKind::Kind, change);
            }
        }
    }

    /// A scalar that is allowed here but was meant for another place.
    fn move_known(&mut self, owner: &'static StructType, name: &'static str, value: &Value) {
        if self.path.is_empty() || matches!(name, "name" | "path" | "key" | "port") || owner.go_name == "ObjectMeta" {
            return;
        }
        if value.is_object() {
            return;
        }
        let from = self.below(name);
        self.move_to(&from, name, value, &[name]);
    }

    /// Moves a value to every struct that has such a field and not yet a value there.
    fn move_to(&mut self, from: &[Segment], key: &str, value: &Value, names: &[&str]) {
        let mut edits = Vec::new();
        for (path, ty) in &self.structs {
            for name in names {
                let mut to = path.clone();
                let Some(field) = ty.field(name) else { continue };
                to.push(field.json_name.into());
                if to == from || super::answer::get(&self.entry.value, &to).is_some() || to.starts_with(from) {
                    continue;
                }
                let same_struct = path.as_slice() == from.get(..from.len().saturating_sub(1)).unwrap_or_default();
                let kind = if same_struct { EditKind::Key } else { EditKind::Move };
                edits.push((kind, vec![(from.to_vec(), None), (to, Some(value.clone()))]));
            }
            // into a struct that is not there yet
            for field in ty.fields() {
                let Shape::Struct(inner) = &field.ty.shape else { continue };
                let mut place = path.clone();
                place.push(field.json_name.into());
                if inner.get().field(key).is_some()
                    && super::answer::get(&self.entry.value, &place).is_none()
                    && self.context.pool.knows_field(ty, field.json_name)
                {
                    place.push(key.into());
                    edits.push((EditKind::Move, vec![(from.to_vec(), None), (place, Some(value.clone()))]));
                }
            }
        }
        edits.into_iter().for_each(|(kind, changes)| self.try_all(kind, changes));
    }

    /// Values that stand in each other's place.
    fn swap(&mut self) {
        let mut swaps = std::mem::take(&mut self.swaps);
        swaps.truncate(MOST_SWAPPED);
        for (number, (one, first)) in swaps.iter().enumerate() {
            for (other, second) in swaps.iter().skip(number + 1) {
                if first != second && values::can_change_places(first, second) {
                    let change = vec![(one.clone(), Some(second.clone())), (other.clone(), Some(first.clone()))];
                    self.try_all(EditKind::Swap, change);
                }
            }
        }
    }
}

fn is_scalar(ty: &Type) -> bool {
    !matches!(ty.shape, Shape::Struct(_) | Shape::List(_) | Shape::Map(_))
}

/// Fields no manifest should set.
fn is_of_the_server(ty: &StructType, name: &str) -> bool {
    let metadata = ["creationTimestamp", "uid", "resourceVersion", "generation", "managedFields", "ownerReferences"];
    name == "status"
        || (ty.go_name == "ObjectMeta" && metadata.contains(&name))
        || matches!(name, "apiVersion" | "kind")
}

/// A struct of another type that keeps the texts of the old one: `configMap.name` becomes `persistentVolumeClaim.claimName`.
fn carried_over(ty: &Type, old: &Value) -> Vec<Value> {
    let Shape::Struct(inner) = &ty.shape else { return Vec::new() };
    let texts: Vec<&Value> = old.as_object().into_iter().flatten().map(|(_, v)| v).filter(|v| v.is_string()).collect();
    let needed = inner.get().fields().filter(|field| is_scalar(&field.ty) && (!field.omit_empty || is_name(field)));
    let needed = needed.filter(|field| matches!(field.ty.shape, Shape::String)).map(|field| field.json_name);
    needed.flat_map(|name| texts.iter().map(move |text| Value::from_iter([(name, (*text).clone())]))).collect()
}

fn is_name(field: &Field) -> bool {
    matches!(field.json_name, "name" | "claimName" | "secretName")
}
