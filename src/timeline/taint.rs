//! `kubectl taint nodes NODE KEY=VALUE:EFFECT KEY:EFFECT-` (`kubectl/pkg/cmd/taint`).
use serde_json::{Value, json};

use super::command::{Command, Done, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error};
use super::label::change;
use super::resources::{self, Options};
use crate::api::Kind;
use crate::api::field::go_quote;
use crate::api::validation::names::{is_label_value, is_qualified_name};

pub(super) const COMMAND: Command = Command {
    path: "kubectl taint",
    spec: Spec {
        switches: &["all", "overwrite"],
        texts: &["dry-run", "output/o", "selector/l", "template", "validate"],
        lists: &[],
    },
    run,
};

#[derive(Clone, Debug, PartialEq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

fn parse(text: &str) -> Result<Taint, String> {
    let invalid = |why: &str| format!("invalid taint spec: {text}{why}");
    let (head, effect) = match text.split(':').collect::<Vec<_>>().as_slice() {
        [key] => (*key, ""),
        [head, effect @ ("NoSchedule" | "PreferNoSchedule" | "NoExecute")] => (*head, *effect),
        [_, effect] => return Err(format!("invalid taint effect: {effect}, unsupported taint effect")),
        _ => return Err(invalid("")),
    };
    let (key, value) = match head.split('=').collect::<Vec<_>>().as_slice() {
        [key] => (*key, ""),
        [key, value] if !effect.is_empty() => (*key, *value),
        _ => return Err(invalid("")),
    };
    let problems = [is_label_value(value), is_qualified_name(key)].into_iter().find(|p| !p.is_empty());
    match problems {
        Some(problems) => Err(invalid(&format!(", {}", problems.join("; ")))),
        None => Ok(Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }),
    }
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let client = |message: String| Err(Error::Client(message));
    let (mut args, mut specs) = (Vec::new(), Vec::new());
    for arg in k.flags.args() {
        let taint = arg.contains('=') || arg.contains(':') || arg.ends_with('-');
        match (taint, specs.is_empty()) {
            (true, _) => specs.push(arg),
            (false, true) => args.push(arg),
            (false, false) => return client(format!("all resources must be specified before taint changes: {arg}")),
        }
    }
    let Some(resource) = args.first() else {
        return client("one or more resources must be specified as <resource> <name>".to_owned());
    };
    if specs.is_empty() {
        return client("at least one taint update is required".to_owned());
    }
    let (mut added, mut removed): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for spec in &specs {
        let parsed = match spec.strip_suffix('-') {
            Some(spec) => parse(spec).map(|taint| removed.push(taint)),
            None => parse(spec).and_then(|taint| match taint.effect.as_str() {
                "" => Err(format!("invalid taint spec: {spec}")),
                _ => {
                    added.push(taint);
                    Ok(())
                }
            }),
        };
        parsed.map_err(|message| k.flags.usage_error(&message))?;
    }
    if kubectl::kind_of_argument(&resource.to_lowercase()) != Some(Kind::Node) {
        return client(format!("invalid resource type {}, only node types are supported", resource.to_lowercase()));
    }
    let all = k.flags.on("all")?;
    let selected = k.flags.text("selector").is_some_and(|selector| !selector.is_empty());
    if !all && !selected && args.len() < 2 {
        return client("at least one resource name must be specified since 'all' parameter is not set".to_owned());
    }
    let overwrite = k.flags.on("overwrite")?;
    let (targets, errors) = resources::find(k, &args, Options::default())?;
    k.errors.extend(errors);
    for target in targets {
        let node = kubectl::find(k.cluster, Kind::Node, "", &target.name)?.clone();
        let value = node.to_value();
        let old = value.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |taint: &Value, field: &str| taint.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let same =
            |taint: &Value, other: &Taint| text(taint, "key") == other.key && text(taint, "effect") == other.effect;
        let there: Vec<&str> =
            added.iter().filter(|new| old.iter().any(|t| same(t, new))).map(|new| new.key.as_str()).collect();
        if !overwrite && !there.is_empty() {
            let there = there.join(",");
            k.errors.push(Error::Client(format!(
                "node {} already has {there} taint(s) with same effect(s) and --overwrite is false",
                target.name
            )));
            continue;
        }
        let mut taints: Vec<Value> = added
            .iter()
            .map(|t| match t.value.as_str() {
                "" => json!({ "key": t.key, "effect": t.effect }),
                value => json!({ "key": t.key, "value": value, "effect": t.effect }),
            })
            .collect();
        taints.extend(old.iter().filter(|t| !added.iter().any(|new| same(t, new))).cloned());
        let grown = taints.len() != old.len();
        let mut missing = Vec::new();
        let mut some_gone = false;
        for taint in &removed {
            let before = taints.len();
            taints.retain(|t| !(same(t, taint) || (taint.effect.is_empty() && text(t, "key") == taint.key)));
            some_gone = taints.len() != before;
            if !some_gone {
                let effect = if taint.effect.is_empty() { String::new() } else { format!(":{}", taint.effect) };
                missing.push(Error::Client(format!("taint {} not found", go_quote(&format!("{}{effect}", taint.key)))));
            }
        }
        if !missing.is_empty() {
            k.errors.push(Error::Aggregate(missing));
            continue;
        }
        let verb = match (grown && some_gone) || overwrite {
            true => "modified",
            false if grown => "tainted",
            false => "untainted",
        };
        let taints = if taints.is_empty() { Value::Null } else { Value::Array(taints) };
        let value = change(k, &node, json!({ "spec": { "taints": taints } }), true)?;
        k.print(Kind::Node, &target.name, verb, &value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn taints_come_and_go() {
        let mut shell = Shell::default();
        let node = shell.node();
        let said = |shell: &mut Shell, rest: &str| shell.run(&format!("taint nodes {node} {rest}"));
        let ok = |verb: &str| (format!("node/{node} {verb}\n"), String::new());
        assert_eq!(said(&mut shell, "a=b:NoSchedule"), ok("tainted"));
        let taken = format!("error: node {node} already has a taint(s) with same effect(s) and --overwrite is false\n");
        assert_eq!(said(&mut shell, "a=c:NoSchedule").1, taken);
        assert_eq!(said(&mut shell, "a=c:NoSchedule --overwrite"), ok("modified"));
        assert_eq!(said(&mut shell, "a:NoSchedule-"), ok("untainted"));
        assert_eq!(said(&mut shell, "a:NoSchedule-").1, "error: taint \"a:NoSchedule\" not found\n");
        assert!(
            said(&mut shell, "a=b:Nope").1.starts_with("error: invalid taint effect: Nope, unsupported taint effect\n")
        );
    }
}
