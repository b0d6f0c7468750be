//! `kubectl set image|env|resources|serviceaccount` (`kubectl/pkg/cmd/set`): changes of pod templates.
mod env;
mod image;
mod resource_requirements;
mod service_account;

use serde_json::Value;

use super::command::{Command, Done, DryRun, Kubectl};
use super::kubectl::{self, Error};
use super::resources::{self, Options};
use crate::api::Kind;
use crate::api::dynamic::{FieldValidation, Patch};
use crate::api::patch::create_three_way_merge_patch;
use crate::api::schema;

/// The commands.
pub(super) static COMMANDS: &[&Command] =
    &[&env::COMMAND, &image::COMMAND, &resource_requirements::COMMAND, &service_account::COMMAND];

/// Flags all of them have.
macro_rules! spec {
    (texts: [$($text:literal),*], lists: [$($list:literal),*], switches: [$($switch:literal),*]) => {
        $crate::timeline::flags::Spec {
            switches: &["all", "local", "record", "recursive/R", $($switch),*],
            texts: &["dry-run", "output/o", "selector/l", "field-manager", "kustomize/k", "template", $($text),*],
            lists: &["filename/f", $($list),*],
        }
    };
}
pub(super) use spec;

/// Where a kind has its pod's spec (`updatePodSpecForObject`).
fn pod_spec(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("/spec"),
        Kind::CronJob => Some("/spec/jobTemplate/spec/template/spec"),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
            Some("/spec/template/spec")
        }
        _ => None,
    }
}

/// Changes the pod spec of every object that is named; `failed` stands in front of the server's refusal.
fn update(
    k: &mut Kubectl<'_>,
    args: &[String],
    operation: &str,
    failed: &str,
    mut change: impl FnMut(&mut Value, &mut Vec<Error>) -> Result<(), Error>,
) -> Done {
    let (targets, errors) = resources::find(k, args, Options::default())?;
    if !errors.is_empty() {
        // nothing is changed when an object is not there
        return Err(Error::Aggregate(errors));
    }
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?;
        let before = object.to_value();
        let mut after = before.clone();
        let full_name = kubectl::object_name(target.kind, &target.name);
        let Some(spec) = pod_spec(target.kind).and_then(|pointer| after.pointer_mut(pointer)) else {
            let why = format!("the object is not a pod or does not have a pod template: *{}", target.kind.name());
            k.errors.push(Error::Client(format!("error: {full_name} {why}\n")));
            continue;
        };
        let mut errors = Vec::new();
        let changed = change(spec, &mut errors);
        k.errors.extend(errors);
        if let Err(error) = changed {
            k.errors.push(Error::Client(format!("error: {full_name} {error}\n")));
            continue;
        }
        if before == after {
            continue;
        }
        if k.dry_run == DryRun::Client {
            k.print(target.kind, &target.name, operation, &after)?;
            continue;
        }
        let root = schema::kind(target.kind.api_version(), target.kind.name());
        let patch = root.and_then(|root| create_three_way_merge_patch(&before, &after, &before, root).ok());
        let patch = patch.map_or_else(|| Patch::Merge(after.clone()), Patch::Strategic);
        let api = k.cluster.api_mut();
        match api.patch(target.kind, &target.namespace, &target.name, &patch, FieldValidation::Warn) {
            Ok(accepted) => {
                k.warnings.extend(accepted.warnings);
                k.print(target.kind, &target.name, operation, &accepted.object.to_value())?;
            }
            Err(status) => k.errors.push(Error::Client(format!("{failed} {status}"))),
        }
    }
    Ok(())
}

/// The containers of a pod spec whose names fit a pattern, init containers last (`selectContainers`).
fn containers<'a>(spec: &'a mut Value, pattern: &str) -> Vec<&'a mut Value> {
    let mut found = Vec::new();
    let mut init = Vec::new();
    let Some(spec) = spec.as_object_mut() else { return found };
    for (field, containers) in spec.iter_mut() {
        let list = match field.as_str() {
            "containers" => &mut found,
            "initContainers" => &mut init,
            _ => continue,
        };
        let fits = |c: &&mut Value| fits(c.get("name").and_then(Value::as_str).unwrap_or_default(), pattern);
        list.extend(containers.as_array_mut().into_iter().flatten().filter(fits));
    }
    found.extend(init);
    found
}

/// Whether a name is as a pattern says in which `*` stands for anything.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| fits(tail.get(at..).unwrap_or_default(), rest))
        }),
    }
}

#[cfg(test)]
#[path = "set/tests.rs"]
mod tests;
