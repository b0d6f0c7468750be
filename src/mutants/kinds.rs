//! The same object as one of another kind.
use serde_json::{Map, Value};

use super::{How, Key, Mutant, Stance};
use crate::api::schema::{self, Shape, StructType};

/// Kinds that people take for one another.
const SIBLINGS: &[&[(&str, &str)]] = &[
    &[("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("apps/v1", "ReplicaSet")],
    &[("rbac.authorization.k8s.io/v1", "Role"), ("rbac.authorization.k8s.io/v1", "ClusterRole")],
    &[("rbac.authorization.k8s.io/v1", "RoleBinding"), ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")],
    &[("v1", "ConfigMap"), ("v1", "Secret")],
];

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (number, document) in key.documents.iter().enumerate() {
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
        let family = SIBLINGS.iter().find(|family| family.iter().any(|(_, member)| *member == kind));
        for (api_version, other) in family.into_iter().flat_map(|family| family.iter()).filter(|(_, k)| *k != kind) {
            mutants.extend(converted(document, api_version, other).map(|new| mutant(key, number, kind, other, new)));
        }
        if matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job") {
            mutants.extend(bare_pod(document).map(|pod| mutant(key, number, kind, "Pod", pod)));
        }
    }
    mutants
}

fn mutant(key: &Key<'_>, number: usize, old: &str, new: &str, document: Value) -> Mutant {
    let mut documents = key.documents.to_vec();
    if let Some(place) = documents.get_mut(number) {
        *place = document;
    }
    let name = |kind: &str| Some(Value::String(kind.to_owned()));
    let change = key.change(number, How::Kind, "kind".to_owned(), name(old), name(new));
    Mutant { documents, change, stance: Stance::Asked }
}

/// The fields that the other kind has, too.
fn converted(document: &Value, api_version: &str, kind: &str) -> Option<Value> {
    let root = schema::kind(api_version, kind)?;
    let mut fields = kept(document.as_object()?, root);
    fields.insert("apiVersion".to_owned(), Value::String(api_version.to_owned()));
    fields.insert("kind".to_owned(), Value::String(kind.to_owned()));
    if let (Some(Value::Object(spec)), Some(Shape::Struct(inner))) =
        (fields.get("spec"), root.field("spec").map(|field| &field.ty.shape))
    {
        let mut spec = kept(spec, inner.get());
        // a StatefulSet's strategy has another name and other fields
        spec.remove("updateStrategy");
        fields.insert("spec".to_owned(), Value::Object(spec));
    }
    if kind == "Secret"
        && let Some(data) = fields.remove("data")
    {
        fields.insert("stringData".to_owned(), data);
    }
    if kind == "ConfigMap"
        && let Some(data) = document.get("stringData").or(document.get("data"))
    {
        fields.insert("data".to_owned(), data.clone());
    }
    Some(Value::Object(fields))
}

fn kept(fields: &Map<String, Value>, ty: &StructType) -> Map<String, Value> {
    fields.iter().filter(|(key, _)| ty.field(key).is_some()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The pod alone, under the name of what would have made it.
fn bare_pod(document: &Value) -> Option<Value> {
    let template = document.pointer("/spec/template")?;
    let mut metadata = template.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    for key in ["name", "namespace"] {
        if let Some(value) = document.get("metadata").and_then(|metadata| metadata.get(key)) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let mut pod = Map::new();
    pod.insert("apiVersion".to_owned(), Value::String("v1".to_owned()));
    pod.insert("kind".to_owned(), Value::String("Pod".to_owned()));
    pod.insert("metadata".to_owned(), Value::Object(metadata));
    pod.insert("spec".to_owned(), template.get("spec")?.clone());
    Some(Value::Object(pod))
}
