//! `kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N|--max-unavailable=N`.
use serde_json::{Map, Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::resources::parse_selector;
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create poddisruptionbudget",
    spec: super::spec! { switches: [], texts: ["selector", "min-available", "max-unavailable"], lists: [] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["selector"])?;
    let name = k.flags.single_name()?;
    let (min, max) = (k.flags.or_empty("min-available"), k.flags.or_empty("max-unavailable"));
    let selector = k.flags.or_empty("selector");
    let fits = |text: &str| {
        let digits = text.strip_suffix('%').unwrap_or(text);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    let message = match (min, max) {
        _ if selector.is_empty() => "a selector must be specified",
        ("", "") => "one of min-available or max-unavailable must be specified",
        (min, max) if !min.is_empty() && !max.is_empty() => {
            "min-available and max-unavailable cannot be both specified"
        }
        (min, _) if !min.is_empty() && !fits(min) => "invalid format specified for min-available",
        (_, max) if !max.is_empty() && !fits(max) => "invalid format specified for max-unavailable",
        _ => "",
    };
    if !message.is_empty() {
        return super::client(message);
    }
    let mut labels = Map::new();
    let mut expressions = Vec::new();
    for requirement in parse_selector(selector)? {
        match (requirement.operator.as_str(), requirement.values.as_deref()) {
            ("In", Some([value])) if !selector.contains('(') => {
                labels.insert(requirement.key, value.as_str().into());
            }
            _ => expressions.push(json!(requirement)),
        }
    }
    let mut spec = json!({ "selector": {} });
    if !labels.is_empty() {
        spec["selector"]["matchLabels"] = Value::Object(labels);
    }
    if !expressions.is_empty() {
        spec["selector"]["matchExpressions"] = Value::Array(expressions);
    }
    match min {
        "" => spec["maxUnavailable"] = super::int_or_string(max),
        min => spec["minAvailable"] = super::int_or_string(min),
    }
    let mut object = super::object(k, Kind::PodDisruptionBudget, &name);
    object["spec"] = spec;
    super::submit(k, Kind::PodDisruptionBudget, object, "created", Some("poddisruptionbudgets:"))
}
