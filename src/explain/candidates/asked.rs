//! What the checks that fail show as expected, put where it comes from: the object's own manifest, or the template it is made of.
use std::collections::BTreeSet;

use serde_json::Value;

use super::claims::{Wanted, template_name};
use crate::api::object::{Kind, ObjectKey};
use crate::api::schema::{self, Segment, Shape};
use crate::explain::answer::{Answer, Change, Entry, get};
use crate::explain::edit::{Edit, EditKind};
use crate::explain::pool::expected;
use crate::explain::wish::top_owner;
use crate::grade::compare::{Difference, NONE, UNSET, compare};
use crate::grade::{Finding, Grade};
use crate::scenario::{Check, Question, Scenario};
use crate::timeline::kubectl::Output;

/// The most fields in whose place another one is put.
const MOST_NEIGHBOURS: usize = 8;

/// What the report of an answer asks for: the objects that differ, and the fields that were refused.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    asked: Vec<Asked>,
    /// Names of fields that differ or were refused.
    fields: BTreeSet<String>,
    /// What is expected in them.
    values: Vec<Value>,
    /// Claims that failed checks ask for.
    claims: Vec<Wanted>,
}

/// What a failed check shows of one object.
#[derive(Clone, Debug)]
struct Asked {
    object: ObjectKey,
    owner: ObjectKey,
    differences: Vec<Difference>,
}

impl Sought {
    /// What a grade's failed checks show; of an object that was refused, what they would show of its manifest.
    pub fn of(graded: &Grade, scenario: &Scenario, answer: &Answer) -> Sought {
        let store = graded.cluster.api().store();
        let mut sought = Sought::refused(&graded.answer);
        for (check, failure) in graded.failures() {
            let check = scenario.checks.iter().find(|asked| asked.id == check.id);
            sought.claims.extend(check.into_iter().flat_map(|check| &check.questions).filter_map(wanted_claim));
            let Some(object) = failure.finding.object().cloned() else { continue };
            let owner = store.object(object.kind, &object.namespace, &object.name).map(|found| top_owner(store, found));
            let differences = match failure.finding {
                Finding::Missing { .. } => check.map_or_else(Vec::new, |check| in_manifest(check, &object, answer)),
                _ => failure.differences.clone(),
            };
            for difference in &differences {
                sought.fields.extend(tokens(&difference.path).pop());
                sought.values.extend(wanted(difference).flatten());
            }
            sought.asked.push(Asked { owner: owner.unwrap_or_else(|| object.clone()), object, differences });
        }
        sought
    }

    /// What kubectl and the API server did not like.
    pub fn refused(output: &Output) -> Sought {
        let fields = output.problems.iter().flat_map(|problem| {
            let causes = problem.causes.iter().map(|cause| cause.field.as_str());
            causes.chain(problem.fields.iter().map(String::as_str)).collect::<Vec<_>>()
        });
        Sought { fields: fields.filter_map(|field| tokens(field).pop()).collect(), ..Sought::default() }
    }

    /// How far an edit is from what is asked for: 0 if it does just that, 2 if it does something else.
    pub(super) fn distance(&self, edit: &Edit) -> usize {
        let named = |change: &Change| match change.path.last() {
            Some(Segment::Key(key)) if self.fields.contains(key) => true,
            Some(Segment::Index(_)) => {
                let list = change.path.iter().rev().find_map(|segment| match segment {
                    Segment::Key(key) => Some(key),
                    Segment::Index(_) => None,
                });
                list.is_some_and(|list| self.fields.contains(list))
            }
            _ => false,
        };
        let says = |change: &Change| change.value.as_ref().is_some_and(|value| self.says(value));
        match (edit.changes.iter().any(named), edit.changes.iter().any(says)) {
            (true, true) => 0,
            (false, false) => 2,
            _ => 1,
        }
    }

    /// Whether an edit does just what is asked for.
    pub fn is_asked(&self, edit: &Edit) -> bool {
        self.distance(edit) == 0
    }

    /// Whether a value has something in it that is expected.
    fn says(&self, value: &Value) -> bool {
        self.values.contains(value)
            || match value {
                Value::Object(fields) => fields.values().any(|value| self.says(value)),
                Value::Array(items) => items.iter().any(|value| self.says(value)),
                _ => false,
            }
    }

    /// The claims that failed checks ask for.
    pub(super) fn claims(&self) -> &[Wanted] {
        &self.claims
    }

    /// What claim templates of the answer's sets would have to be called for the claims that are asked for.
    pub fn template_names<'a>(&'a self, answer: &'a Answer) -> impl Iterator<Item = &'a str> {
        answer
            .editable()
            .filter_map(|(_, entry)| {
                let set = entry.value.pointer("/metadata/name")?.as_str()?;
                let is_set = entry.value.get("kind")?.as_str()? == "StatefulSet";
                is_set.then(|| self.claims.iter().filter_map(|claim| template_name(claim.name.as_deref()?, set)))
            })
            .flatten()
    }

    /// One edit for each thing that is expected to be otherwise.
    pub(super) fn edits(&self, answer: &Answer, edits: &mut Vec<Edit>) {
        self.asked.iter().for_each(|asked| asked.edits(answer, edits));
    }
}

impl Asked {
    /// Where in a document the object comes from; for one that is made of a template, where that stands.
    fn origins(&self, entry: &Entry) -> Vec<Vec<Segment>> {
        let text = |pointer: &str| entry.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = (text("/kind"), text("/metadata/name"));
        if kind == self.object.kind.name() {
            return vec![Vec::new()];
        }
        let path = |keys: &[&str]| keys.iter().map(|key| Segment::from(*key)).collect::<Vec<_>>();
        let owned = kind == self.owner.kind.name() && name == self.owner.name;
        match (kind, self.object.kind) {
            ("CronJob", Kind::Pod) if owned => vec![path(&["spec", "jobTemplate", "spec", "template"])],
            ("CronJob", Kind::Job) if owned => vec![path(&["spec", "jobTemplate"])],
            (_, Kind::Pod) if owned => vec![path(&["spec", "template"])],
            ("Deployment", Kind::ReplicaSet) if owned => vec![Vec::new()],
            ("StatefulSet", Kind::PersistentVolumeClaim) => {
                let templates = entry.value.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
                let of_this = |template: &Value| {
                    let claim = template.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                    self.object.name.starts_with(&format!("{claim}-{name}-"))
                };
                let indices = templates.into_iter().flatten().enumerate().filter(|(_, item)| of_this(item));
                let place = |(index, _): (usize, &Value)| {
                    let mut place = path(&["spec", "volumeClaimTemplates"]);
                    place.push(index.into());
                    place
                };
                indices.map(place).collect()
            }
            _ => Vec::new(),
        }
    }

    fn edits(&self, answer: &Answer, edits: &mut Vec<Edit>) {
        for (document, entry) in answer.editable() {
            for origin in self.origins(entry) {
                let mut changes: Vec<Change> = Vec::new();
                for difference in &self.differences {
                    let of_the_server = ["status", "metadata.ownerReferences", "metadata.finalizers"];
                    let named = !origin.is_empty() && difference.path.starts_with("metadata.name");
                    if named || of_the_server.iter().any(|own| difference.path.starts_with(own)) {
                        continue;
                    }
                    if let Some(value) = wanted(difference) {
                        let path = resolve(&entry.value, &origin, &difference.path);
                        put_together(&entry.value, Change { document, path, value }, &mut changes);
                    }
                }
                for change in changes.into_iter().map(|change| narrowed(&entry.value, change)) {
                    let kind = match (&change.value, get(&entry.value, &change.path)) {
                        (None, None) => continue,
                        (None, Some(_)) => EditKind::Drop,
                        (Some(_), Some(_)) => EditKind::Value,
                        (Some(_), None) => {
                            edits.extend(instead_of_another(&entry.value, &change));
                            EditKind::Add
                        }
                    };
                    edits.push(Edit::one(kind, change));
                }
            }
        }
    }
}

/// The claim a question asks for, as far as a template can say it.
fn wanted_claim(question: &Question) -> Option<Wanted> {
    let (Question::Expect(pattern) | Question::Count(_, pattern)) = question else { return None };
    let text = |pointer: &str| pattern.value.pointer(pointer).and_then(Value::as_str);
    if text("/kind") != Some(Kind::PersistentVolumeClaim.name()) {
        return None;
    }
    let fields = pattern.value.get("spec").and_then(Value::as_object)?.iter();
    let said = fields.filter(|(key, _)| *key != "volumeName").filter_map(|(key, value)| {
        Some((key.clone(), if value.is_string() { expected(value)? } else { value.clone() }))
    });
    Some(Wanted { name: text("/metadata/name").map(str::to_owned), spec: said.collect() })
}

/// Where the manifest of an object is not as a check asks.
fn in_manifest(check: &Check, object: &ObjectKey, answer: &Answer) -> Vec<Difference> {
    let of_this = |value: &Value| {
        value.get("kind").and_then(Value::as_str) == Some(object.kind.name())
            && value.pointer("/metadata/name").and_then(Value::as_str) == Some(&object.name)
    };
    let manifest = answer.editable().map(|(_, entry)| &*entry.value).find(|value| of_this(value));
    let patterns = check.questions.iter().filter_map(|question| match question {
        Question::Expect(pattern) if of_this(&pattern.value) => Some(&pattern.value),
        _ => None,
    });
    let differences =
        patterns.zip(manifest.into_iter().cycle()).flat_map(|(pattern, value)| compare(pattern, value).differences);
    differences.collect()
}

/// What is to stand where a difference is; the inner `None` if nothing is, the outer one if that is not said.
fn wanted(difference: &Difference) -> Option<Option<Value>> {
    match difference.expected.as_ref().map(|value| (value.as_str(), value)) {
        None | Some((Some(UNSET | NONE), _)) => Some(None),
        Some((_, value)) => expected(value).map(Some),
    }
}

/// The parts of a path: `spec.containers[web].image` becomes `spec`, `containers`, `web`, `image`.
fn tokens(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' if !inside => {
                inside = true;
                parts.push(String::new());
            }
            ']' if inside => inside = false,
            '.' if !inside => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}

/// Whether a place that is not there yet holds a list.
fn is_list(document: &Value, path: &[Segment]) -> bool {
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    let place = schema::kind(text("apiVersion"), text("kind")).and_then(|root| schema::at(root, path));
    place.is_some_and(|place| matches!(place.ty.shape, Shape::List(_)))
}

/// Where a path leads in a value; items of lists are named by one of their fields. The part that is not there follows.
fn resolve(value: &Value, origin: &[Segment], path: &str) -> Vec<Segment> {
    let mut resolved = origin.to_vec();
    for token in tokens(path) {
        let segment = match get(value, &resolved) {
            Some(Value::Array(items)) => {
                let named = |item: &Value| {
                    let fields = item.as_object().into_iter().flatten().map(|(_, value)| value);
                    let name = item.pointer("/metadata/name");
                    fields.chain(name).any(|value| match value {
                        Value::String(text) => *text == token,
                        Value::Number(number) => number.to_string() == token,
                        _ => false,
                    })
                };
                let index = items.iter().position(named).or(token.parse().ok());
                Segment::Index(index.unwrap_or(items.len()))
            }
            None if is_list(value, &resolved) => Segment::Index(0),
            _ => Segment::Key(token),
        };
        resolved.push(segment);
    }
    resolved
}

/// A change of a list as the change of the only item that differs.
fn narrowed(value: &Value, change: Change) -> Change {
    let (Some(Value::Array(now)), Some(Value::Array(then))) = (get(value, &change.path), &change.value) else {
        return change;
    };
    let mut other = now.iter().zip(then).enumerate().filter(|(_, (now, then))| now != then);
    match (other.next(), other.next()) {
        (Some((index, (_, item))), None) if now.len() == then.len() => {
            let path = [change.path.as_slice(), &[index.into()]].concat();
            Change { document: change.document, path, value: Some(item.clone()) }
        }
        _ => change,
    }
}

/// A field in the place of each of its neighbours: one volume source of another, `valueFrom` of `value`.
fn instead_of_another(value: &Value, change: &Change) -> Vec<Edit> {
    const NEEDED: [&str; 4] = ["apiVersion", "kind", "metadata", "name"];
    let Some((Segment::Key(_), parent)) = change.path.split_last() else { return Vec::new() };
    let neighbours = get(value, parent).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
    let edit = |neighbour: &str| {
        let mut path = parent.to_vec();
        path.push(neighbour.into());
        let dropped = Change { document: change.document, path, value: None };
        Edit { kind: EditKind::Kind, changes: vec![dropped, change.clone()], added: None, first: None }
    };
    neighbours.filter(|key| !NEEDED.contains(key)).take(MOST_NEIGHBOURS).map(edit).collect()
}

/// Adds a change; what comes into the same place that is not there yet comes together.
fn put_together(value: &Value, change: Change, changes: &mut Vec<Change>) {
    let Some(new) = change.value.clone().filter(|_| get(value, &change.path).is_none()) else {
        changes.push(change);
        return;
    };
    let there =
        (0..=change.path.len()).take_while(|length| get(value, change.path.get(..*length).unwrap_or(&[])).is_some());
    let Some((place, rest)) = change.path.split_at_checked(there.count()) else { return };
    let wrapped = rest.iter().rev().fold(new, |inner, segment| match segment {
        Segment::Key(key) => Value::from_iter([(key.as_str(), inner)]),
        Segment::Index(_) => Value::Array(vec![inner]),
    });
    match changes.iter_mut().find(|other| other.document == change.document && other.path == place) {
        Some(Change { value: Some(other), .. }) => merge(other, wrapped),
        _ => changes.push(Change { document: change.document, path: place.to_vec(), value: Some(wrapped) }),
    }
}

fn merge(one: &mut Value, other: Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in other {
                match one.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => drop(one.insert(key, value)),
                }
            }
        }
        (Value::Array(one), Value::Array(mut other)) => one.append(&mut other),
        (one, other) => *one = other,
    }
}
