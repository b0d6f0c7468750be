//! `kubectl wait --for=CONDITION KIND/NAME --timeout=DURATION` (`kubectl/pkg/cmd/wait`).
use k8s_openapi::jiff::SignedDuration;
use serde_json::Value;

use super::command::{Command, Done, Kubectl};
use super::flags::Spec;
use super::kubectl::Error;
use super::resources::{self, Options, Target};
use crate::api::field::go_quote;

pub(super) const COMMAND: Command = Command {
    path: "kubectl wait",
    spec: Spec {
        switches: &["all", "all-namespaces/A", "local", "recursive/R"],
        texts: &["field-selector", "output/o", "selector/l", "template", "timeout"],
        lists: &["filename/f", "for"],
    },
    run,
};

/// What is waited for.
enum Condition {
    Create,
    Delete,
    /// A condition's type and status.
    Status(String, String),
    /// A field path and the value it is to have; any if there is none.
    Field(String, Option<String>),
}

/// The longest a script waits.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

fn parse(text: &str) -> Result<Condition, Error> {
    let lower = text.to_lowercase();
    if lower == "delete" {
        return Ok(Condition::Delete);
    }
    if lower == "create" {
        return Ok(Condition::Create);
    }
    if lower.starts_with("condition=") {
        let rest = text.split_once('=').map(|(_, rest)| rest).unwrap_or_default();
        let (name, status) = rest.split_once('=').unwrap_or((rest, "true"));
        return Ok(Condition::Status(name.to_owned(), status.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let rest = rest.trim_matches(['\'', '"']);
        let (path, value) = match rest.split_once('}') {
            Some((path, rest)) => (path.trim_start_matches('{'), rest.strip_prefix('=')),
            None => match rest.split_once('=') {
                Some((path, value)) => (path, Some(value)),
                None => (rest, None),
            },
        };
        let value = value.map(|value| value.trim_matches(['\'', '"']).to_owned());
        return Ok(Condition::Field(path.trim_start_matches('.').to_owned(), value));
    }
    Err(Error::Client(format!("unrecognized condition: {}", go_quote(text))))
}

fn met(k: &Kubectl<'_>, target: &Target, condition: &Condition) -> bool {
    let found = k.cluster.api().store().object(target.kind, &target.namespace, &target.name);
    let Some(object) = found.map(crate::api::Object::to_value) else {
        return matches!(condition, Condition::Delete);
    };
    match condition {
        Condition::Create => true,
        Condition::Delete => false,
        Condition::Status(name, status) => {
            let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
            let text =
                |condition: &Value, field: &str| condition.get(field).and_then(Value::as_str).map(str::to_lowercase);
            let mut all = conditions.into_iter().flatten();
            all.any(|c| {
                text(c, "type") == Some(name.to_lowercase()) && text(c, "status") == Some(status.to_lowercase())
            })
        }
        Condition::Field(path, wanted) => {
            let pointer = path.replace("[", ".").replace(']', "").replace('.', "/");
            let found = object.pointer(&format!("/{pointer}")).map(|found| match found {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            match wanted {
                None => found.is_some(),
                Some(wanted) => found.as_ref() == Some(wanted),
            }
        }
    }
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let texts = k.flags.list("for");
    if texts.is_empty() {
        return Err(Error::Client("required flag(s) \"for\" not set".to_owned()));
    }
    let conditions = texts.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let timeout = k.flags.duration("timeout")?.unwrap_or(SignedDuration::from_secs(30));
    let mut left = if timeout.is_negative() { LONGEST } else { timeout.min(LONGEST) };
    let args = k.flags.args();
    let special = |c: &Condition| matches!(c, Condition::Create | Condition::Delete);
    let options = Options { without_object: conditions.iter().any(special), ..Options::default() };
    let (targets, errors) = resources::find(k, &args, options)?;
    k.errors.extend(errors);
    if targets.is_empty() && k.errors.is_empty() && !conditions.iter().any(|c| matches!(c, Condition::Delete)) {
        return Err(Error::Client("no matching resources found".to_owned()));
    }
    const STEP: SignedDuration = SignedDuration::from_secs(5);
    for target in &targets {
        for condition in &conditions {
            let there = k.cluster.api().store().object(target.kind, &target.namespace, &target.name).is_some();
            if matches!(condition, Condition::Delete) && !there {
                continue;
            }
            while !met(k, target, condition) && left > SignedDuration::ZERO {
                let step = STEP.min(left);
                k.cluster.advance(step);
                left -= step;
            }
            if !met(k, target, condition) {
                let (resource, name) = (target.kind.plural(), &target.name);
                return Err(Error::Client(format!("timed out waiting for the condition on {resource}/{name}")));
            }
            k.print(target.kind, &target.name, "condition met", &Value::Null)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::timeline::testing::Shell;

    #[test]
    fn a_condition_is_waited_for_in_virtual_time() {
        let mut shell = Shell::with("run web --image=nginx");
        assert_eq!(shell.stdout("wait --for=condition=Ready pod/web"), "pod/web condition met\n");
        assert_eq!(shell.stdout("wait --for=jsonpath='{.status.phase}'=Running pod/web"), "pod/web condition met\n");
        assert_eq!(
            shell.stderr("wait --for=condition=Nope pod/web --timeout=7s"),
            "error: timed out waiting for the condition on pods/web\n"
        );
        assert_eq!(shell.stderr("wait --for=x pod/web"), "error: unrecognized condition: \"x\"\n");
        shell.stdout("delete pod web");
        assert_eq!(shell.stdout("wait --for=delete pod/web"), "");
    }
}
