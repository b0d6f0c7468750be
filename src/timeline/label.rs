//! `kubectl label KIND NAME KEY=VALUE KEY-` (`kubectl/pkg/cmd/label`).
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::resources::{self, Options};
use crate::api::dynamic::{FieldValidation, Patch};
use crate::api::field::go_quote;
use crate::api::validation::names::is_label_value;

pub(super) const COMMAND: Command = Command {
    path: "kubectl label",
    spec: Spec {
        switches: &["all", "all-namespaces/A", "list", "local", "overwrite", "record", "recursive/R"],
        texts: &["dry-run", "field-selector", "output/o", "resource-version", "selector/l", "kustomize/k", "template"],
        lists: &["filename/f"],
    },
    run,
};

/// Arguments that name objects, and those that change something (`GetResourcesAndPairs`).
pub(super) fn resources_and_pairs(args: Vec<String>, what: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut resources, mut pairs) = (Vec::new(), Vec::new());
    for arg in args {
        let pair = (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg != "-");
        match (pair, pairs.is_empty()) {
            (true, _) => pairs.push(arg),
            (false, true) => resources.push(arg),
            (false, false) => {
                let message = format!("all resources must be specified before {what} changes: {arg}");
                return Err(Error::Client(message));
            }
        }
    }
    Ok((resources, pairs))
}

/// What both `label` and `annotate` refuse before anything else.
pub(super) fn check_selection(k: &Kubectl<'_>, resources: &[String]) -> Done {
    let all = k.flags.on("all")?;
    let given = |flag: &str| k.flags.text(flag).is_some_and(|value| !value.is_empty());
    let message = if all && given("selector") {
        "cannot set --all and --selector at the same time"
    } else if all && given("field-selector") {
        "cannot set --all and --field-selector at the same time"
    } else if resources.is_empty() && k.flags.list("filename").is_empty() {
        "one or more resources must be specified as <resource> <name> or <resource>/<name>"
    } else {
        return Ok(());
    };
    Err(Error::Client(message.to_owned()))
}

fn parse(specs: &[String]) -> Result<(BTreeMap<String, String>, Vec<String>), Error> {
    let client = |message: String| Err(Error::Client(message));
    let (mut set, mut removed) = (BTreeMap::new(), Vec::new());
    for spec in specs {
        match spec.split('=').collect::<Vec<_>>().as_slice() {
            [key, value] => {
                let problems = is_label_value(value);
                if !problems.is_empty() {
                    return client(format!("invalid label value: {}: {}", go_quote(spec), problems.join(";")));
                }
                set.insert((*key).to_owned(), (*value).to_owned());
            }
            [key] => removed.push(key.strip_suffix('-').unwrap_or(key).to_owned()),
            _ => return client(format!("invalid label spec: {spec}")),
        }
    }
    if removed.iter().any(|key| set.contains_key(key)) {
        return client("can not both modify and remove a label in the same command".to_owned());
    }
    Ok((set, removed))
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let (args, specs) = resources_and_pairs(k.flags.args(), "label")?;
    let (set, removed) = parse(&specs)?;
    check_selection(k, &args)?;
    if k.flags.on("list")? {
        return Ok(());
    }
    if set.is_empty() && removed.is_empty() {
        return Err(Error::Client("at least one label update is required".to_owned()));
    }
    let overwrite = k.flags.on("overwrite")?;
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    k.errors.extend(errors);
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.clone();
        let labels = object.metadata().labels.clone().unwrap_or_default();
        if k.dry_run != DryRun::Client {
            for key in removed.iter().filter(|key| !labels.contains_key(*key)) {
                k.out.push_str(&format!("label {} not found.\n", go_quote(key)));
            }
        }
        let taken = |(key, value): (&String, &String)| {
            let current = labels.get(key).filter(|current| *current != value)?;
            Some(Error::Client(format!("'{key}' already has a value ({current}), and --overwrite is false")))
        };
        let conflicts: Vec<Error> = set.iter().filter_map(taken).collect();
        if !overwrite && !conflicts.is_empty() {
            k.errors.push(Error::Aggregate(conflicts));
            continue;
        }
        let added = set.iter().filter(|(key, value)| labels.get(*key) != Some(value));
        let gone = removed.iter().filter(|key| labels.contains_key(*key));
        let mut changes: Map<String, Value> = added.map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let some_added = !changes.is_empty();
        changes.extend(gone.map(|key| (key.clone(), Value::Null)));
        let some_gone = changes.values().any(Value::is_null);
        let verb = match (some_added, some_gone) {
            (true, true) => "modified",
            (true, false) => "labeled",
            (false, true) => "unlabeled",
            (false, false) => "not labeled",
        };
        let body = json!({ "metadata": { "labels": changes } });
        match change(k, &object, body, some_added || some_gone) {
            Ok(value) => k.print(target.kind, &target.name, verb, &value)?,
            Err(error) => k.errors.push(error),
        }
    }
    Ok(())
}

/// Sends a merge patch, or only shows what it would make of the object.
pub(super) fn change(
    k: &mut Kubectl<'_>,
    object: &crate::api::Object,
    body: Value,
    changes: bool,
) -> Result<Value, Error> {
    let mut value = object.to_value();
    if !changes {
        return Ok(value);
    }
    if k.dry_run == DryRun::Client {
        json_patch::merge(&mut value, &body);
        return Ok(value);
    }
    let (kind, namespace, name) = (object.kind(), object.namespace(), object.name());
    let accepted = k.cluster.api_mut().patch(kind, namespace, name, &Patch::Merge(body), FieldValidation::Warn)?;
    k.warnings.extend(accepted.warnings);
    Ok(accepted.object.to_value())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn labels_are_set_changed_and_removed() {
        let mut shell = Shell::with("run web --image=nginx");
        assert_eq!(shell.stdout("label pod web tier=front"), "pod/web labeled\n");
        assert_eq!(shell.stdout("label po/web tier=front"), "pod/web not labeled\n");
        assert_eq!(
            shell.stderr("label po web tier=back"),
            "error: 'tier' already has a value (front), and --overwrite is false\n"
        );
        assert_eq!(shell.stdout("label po web tier=back --overwrite"), "pod/web labeled\n");
        assert_eq!(shell.stdout("label po web tier- x=y"), "pod/web modified\n");
        assert_eq!(shell.stdout("label po -l x=y x-"), "pod/web unlabeled\n");
        assert_eq!(shell.stdout("label po --all none-"), "label \"none\" not found.\npod/web not labeled\n");
        assert_eq!(shell.stdout("label po web a=b --dry-run=client"), "pod/web labeled (dry run)\n");
        assert_eq!(shell.stdout("label po web a=b --dry-run=server"), "pod/web labeled (server dry run)\n");
        assert_eq!(shell.labels("Pod", "web"), "run=web");
    }

    #[test]
    fn wrong_labels_are_refused() {
        let mut shell = Shell::with("run web --image=nginx");
        assert_eq!(shell.stderr("label po none a=b"), "Error from server (NotFound): pods \"none\" not found\n");
        assert_eq!(shell.stderr("label po web"), "error: at least one label update is required\n");
        assert_eq!(
            shell.stderr("label a=b"),
            "error: one or more resources must be specified as <resource> <name> or <resource>/<name>\n"
        );
        assert_eq!(
            shell.stderr("label po a=b web"),
            "error: all resources must be specified before label changes: web\n"
        );
        assert_eq!(shell.stderr("label po web a=b=c"), "error: invalid label spec: a=b=c\n");
        assert!(
            shell.stderr("label po web 'a=b c'").starts_with("error: invalid label value: \"a=b c\": a valid label")
        );
    }
}
