//! `kubectl cordon|uncordon NODE` (`kubectl/pkg/cmd/drain`).
use serde_json::json;

use super::command::{Command, Done, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::label::change;
use super::resources::{self, Options};

const SPEC: Spec = Spec { switches: &[], texts: &["dry-run", "selector/l"], lists: &[] };

pub(super) const CORDON: Command = Command { path: "kubectl cordon", spec: SPEC, run: |k| run(k, true) };
pub(super) const UNCORDON: Command = Command { path: "kubectl uncordon", spec: SPEC, run: |k| run(k, false) };

fn run(k: &mut Kubectl<'_>, desired: bool) -> Done {
    let mut args = k.flags.args();
    let selected = k.flags.text("selector").is_some();
    if args.is_empty() && !selected {
        let message = format!("USAGE: {} NODE [flags]", k.flags.path.trim_start_matches("kubectl "));
        return Err(k.flags.usage_error(&message));
    }
    if !args.is_empty() && selected {
        return Err(Error::Client("error: cannot specify both a node name and a --selector option".to_owned()));
    }
    if !args.iter().any(|arg| arg.contains('/')) {
        args.insert(0, "nodes".to_owned());
    }
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    if !errors.is_empty() {
        return Err(Error::Aggregate(errors));
    }
    for target in targets {
        let node = kubectl::find(k.cluster, target.kind, "", &target.name)?.clone();
        let is = node.to_value().pointer("/spec/unschedulable").and_then(serde_json::Value::as_bool) == Some(true);
        let (verb, value) = match (is == desired, desired) {
            (true, true) => ("already cordoned", node.to_value()),
            (true, false) => ("already uncordoned", node.to_value()),
            (false, _) => {
                let body = json!({ "spec": { "unschedulable": desired.then_some(true) } });
                (if desired { "cordoned" } else { "uncordoned" }, change(k, &node, body, true)?)
            }
        };
        k.print(target.kind, &target.name, verb, &value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn a_node_is_cordoned_once() {
        let mut shell = Shell::default();
        let node = shell.node();
        assert_eq!(shell.stdout(&format!("cordon {node}")), format!("node/{node} cordoned\n"));
        assert_eq!(shell.stdout(&format!("cordon {node}")), format!("node/{node} already cordoned\n"));
        assert_eq!(shell.stdout(&format!("uncordon {node}")), format!("node/{node} uncordoned\n"));
        assert_eq!(shell.stderr("cordon none"), "Error from server (NotFound): nodes \"none\" not found\n");
    }
}
