//! `kubectl annotate KIND NAME KEY=VALUE KEY-` (`kubectl/pkg/cmd/annotate`).
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::command::{Command, Done, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::label::{change, check_selection, resources_and_pairs};
use super::resources::{self, Options};

pub(super) const COMMAND: Command = Command {
    path: "kubectl annotate",
    spec: Spec {
        switches: &["all", "all-namespaces/A", "list", "local", "overwrite", "record", "recursive/R"],
        texts: &["dry-run", "field-selector", "output/o", "resource-version", "selector/l", "kustomize/k", "template"],
        lists: &["filename/f"],
    },
    run,
};

/// The annotation `rollout history` shows; it may always be overwritten.
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

fn run(k: &mut Kubectl<'_>) -> Done {
    let client = |message: String| Err(Error::Client(message));
    let (args, specs) = resources_and_pairs(k.flags.args(), "annotation")?;
    let (mut set, mut removed) = (BTreeMap::new(), Vec::new());
    for spec in specs {
        match spec.split_once('=') {
            Some((key, value)) => {
                set.insert(key.to_owned(), value.to_owned());
            }
            None => removed.push(spec.strip_suffix('-').unwrap_or(&spec).to_owned()),
        }
    }
    check_selection(k, &args)?;
    if k.flags.on("list")? {
        return Ok(());
    }
    if set.is_empty() && removed.is_empty() {
        return client("at least one annotation update is required".to_owned());
    }
    let both: Vec<&str> = removed.iter().filter(|key| set.contains_key(*key)).map(String::as_str).collect();
    if !both.is_empty() {
        let both = both.join(", ");
        return client(format!(
            "can not both modify and remove the following annotation(s) in the same command: {both}"
        ));
    }
    let overwrite = k.flags.on("overwrite")?;
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    k.errors.extend(errors);
    for target in targets {
        let object = kubectl::find(k.cluster, target.kind, &target.namespace, &target.name)?.clone();
        let annotations = object.metadata().annotations.clone().unwrap_or_default();
        let taken = |(key, value): (&String, &String)| {
            let current = annotations.get(key).filter(|current| *current != value && key != CHANGE_CAUSE)?;
            Some(format!("'{key}' already has a value ({current})"))
        };
        let conflicts: Vec<String> = set.iter().filter_map(taken).collect();
        if !overwrite && !conflicts.is_empty() {
            let conflicts = conflicts.join("; ");
            k.errors.push(Error::Client(format!(
                "--overwrite is false but found the following declared annotation(s): {conflicts}"
            )));
            continue;
        }
        let mut changes: Map<String, Value> =
            set.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        changes.extend(removed.iter().map(|key| (key.clone(), Value::Null)));
        match change(k, &object, json!({ "metadata": { "annotations": changes } }), true) {
            Ok(value) => k.print(target.kind, &target.name, "annotated", &value)?,
            Err(error) => k.errors.push(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn annotations_are_set_changed_and_removed() {
        let mut shell = Shell::with("create deployment web --image=nginx");
        assert_eq!(shell.stdout("annotate deploy web a='b = c'"), "deployment.apps/web annotated\n");
        assert_eq!(
            shell.stderr("annotate deploy web a=d"),
            "error: --overwrite is false but found the following declared annotation(s): 'a' already has a value (b = c)\n"
        );
        assert_eq!(shell.stdout("annotate deploy web a=d --overwrite"), "deployment.apps/web annotated\n");
        assert_eq!(shell.value("Deployment", "web", "/metadata/annotations/a"), "d");
        assert_eq!(shell.stdout("annotate deploy/web a-"), "deployment.apps/web annotated\n");
        assert_eq!(shell.value("Deployment", "web", "/metadata/annotations/a"), "");
        assert_eq!(shell.stdout("annotate deploy/web kubernetes.io/change-cause=1"), "deployment.apps/web annotated\n");
        assert_eq!(shell.stdout("annotate deploy/web kubernetes.io/change-cause=2"), "deployment.apps/web annotated\n");
        assert_eq!(shell.stderr("annotate deploy/web"), "error: at least one annotation update is required\n");
    }
}
