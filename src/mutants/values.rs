//! Fields with another value.
use serde_json::{Value, json};

use super::drops;
use super::references;
use super::site::{Edit, Site};
use super::{How, Key, Mutant, enums};
use crate::api::schema::Shape;

pub(super) fn mutants(key: &Key<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for site in &key.sites {
        if is_name(site) {
            continue; // names::mutants
        }
        for new in others(key, site) {
            mutants.extend(key.edited(site, How::Value, &Edit::Set(new), drops::stance(key, site)));
        }
        if site.in_map && !is_resource(site) {
            let renamed = format!("{}-x", site.key().unwrap_or_default());
            mutants.extend(key.edited(site, How::Key, &Edit::Key(renamed), drops::stance(key, site)));
        }
    }
    mutants
}

/// The name of the object itself, or one by which parts of it refer to each other.
fn is_name(site: &Site<'_>) -> bool {
    let keys = site.keys();
    keys == ["metadata", "name"]
        || ["containers", "initContainers", "volumes", "volumeMounts"].iter().any(|list| site.ends(&[list, "name"]))
        || site.ends(&["volumeDevices", "name"])
        || site.ends(&["volumeClaimTemplates", "metadata", "name"])
}

/// An amount of a resource: its key is one of few.
fn is_resource(site: &Site<'_>) -> bool {
    site.ty.is_some_and(|ty| matches!(ty.shape, Shape::Quantity))
}

/// Other values that somebody could have written there.
fn others(key: &Key<'_>, site: &Site<'_>) -> Vec<Value> {
    let shape = site.ty.map(|ty| &ty.shape);
    match (site.value, shape) {
        (Value::Bool(flag), _) => vec![json!(!flag)],
        (value, Some(Shape::Quantity)) => quantities(value),
        (Value::Number(number), _) => integers(number.as_i64()),
        (Value::String(text), Some(Shape::IntOrString)) if text.ends_with('%') => {
            integers(text.trim_end_matches('%').parse().ok()).iter().map(|n| json!(format!("{n}%"))).collect()
        }
        (Value::String(_), Some(Shape::Bytes)) => vec![json!("eA==")],
        (Value::String(text), _) => texts(key, site, text),
        _ => Vec::new(),
    }
}

fn integers(number: Option<i64>) -> Vec<Value> {
    match number {
        Some(0) => vec![json!(1)],
        Some(1) => vec![json!(2), json!(0)],
        Some(number) => vec![json!(number.saturating_add(1)), json!(number.saturating_sub(1))],
        None => Vec::new(),
    }
}

/// A little more and a little less.
fn quantities(value: &Value) -> Vec<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    match (number.parse::<i64>().ok(), suffix) {
        (Some(0), _) => vec![json!(format!("1{suffix}"))],
        (Some(1), "Gi") => vec![json!("1025Mi"), json!("1023Mi")],
        (Some(1), "Mi") => vec![json!("1025Ki"), json!("1023Ki")],
        (Some(1), "") => vec![json!("1001m"), json!("999m")],
        (Some(number), suffix) if !suffix.starts_with('.') => {
            let near = [number.saturating_add(1), number.saturating_sub(1)];
            near.iter().map(|number| json!(format!("{number}{suffix}"))).collect()
        }
        _ => vec![json!("1"), json!("1Gi")],
    }
}

fn texts(key: &Key<'_>, site: &Site<'_>, text: &str) -> Vec<Value> {
    let members = site.ty.map(|ty| enums::members(&ty.go_type())).unwrap_or_default();
    if !members.is_empty() {
        return members.iter().filter(|member| **member != text).map(|member| json!(member)).collect();
    }
    let kinds = references::kinds(site);
    let mut new = if site.key() == Some("image") {
        images(text)
    } else if site.key() == Some("schedule") {
        vec![if text == "1 1 1 1 *" { "2 2 2 2 *".to_owned() } else { "1 1 1 1 *".to_owned() }]
    } else if site.ends(&["metadata", "namespace"]) {
        vec!["default".to_owned()]
    } else if text.contains('/') && site.ends(&["cidr"]) {
        vec!["192.0.2.0/24".to_owned()]
    } else if text.starts_with('/') {
        vec![format!("{}/sub", text.trim_end_matches('/')), format!("/x{text}")]
    } else if text.ends_with('\n') {
        vec![format!("{text}x\n")]
    } else {
        vec![format!("{text}-x")]
    };
    new.extend(relatives(key, kinds, text));
    new.into_iter().filter(|new| new != text).map(Value::String).collect()
}

/// The same image with another tag, and another image.
fn images(text: &str) -> Vec<String> {
    let slash = text.rfind('/').map_or(0, |at| at + 1);
    let name = match text.get(slash..).and_then(|last| last.find(':')) {
        Some(colon) => text.get(..slash + colon).unwrap_or(text),
        None => text,
    };
    let tag = text.get(name.len()..).unwrap_or_default();
    let other_tag = if tag == ":latest" || tag.is_empty() { ":1.0" } else { ":latest" };
    let other = if name == "httpd" { "nginx" } else { "httpd" };
    vec![format!("{name}{other_tag}"), format!("{other}{tag}")]
}

/// Another object of the kind that is meant: the first in the cluster and the first in the key.
fn relatives(key: &Key<'_>, kinds: &[&str], text: &str) -> Vec<String> {
    let furniture = |name: &str| name.starts_with("kube-") || name == "default" || name.starts_with("system");
    let there = key.start.objects().filter(|object| kinds.contains(&object.kind().name()));
    let there = there.map(|object| object.name()).find(|name| *name != text && !furniture(name));
    let own =
        key.documents.iter().filter(|d| d.get("kind").and_then(Value::as_str).is_some_and(|k| kinds.contains(&k)));
    let own = own.filter_map(|d| d.pointer("/metadata/name").and_then(Value::as_str)).find(|name| *name != text);
    there.into_iter().chain(own).map(str::to_owned).collect()
}
