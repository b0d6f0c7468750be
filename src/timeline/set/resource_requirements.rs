//! `kubectl set resources KIND NAME --limits=cpu=200m,memory=512Mi --requests=…`.
use serde_json::Value;

use super::super::command::{Command, Done, Kubectl};
use super::super::create::resource_list;
use super::super::kubectl::Error;

pub(super) const COMMAND: Command = Command {
    path: "kubectl set resources",
    spec: super::spec! { texts: ["containers/c", "limits", "requests"], lists: [], switches: [] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    let args = k.flags.args();
    let client = |message: &str| Err(Error::Client(message.to_owned()));
    let (limits, requests) = (k.flags.or_empty("limits").to_owned(), k.flags.or_empty("requests").to_owned());
    if k.flags.on("all")? && k.flags.text("selector").is_some_and(|selector| !selector.is_empty()) {
        return client("cannot set --all and --selector at the same time");
    }
    if limits.is_empty() && requests.is_empty() {
        return client("you must specify an update to requests or limits (in the form of --requests/--limits)");
    }
    let mut lists = Vec::new();
    for (field, text) in [("limits", limits), ("requests", requests)] {
        if !text.is_empty() {
            lists.push((field, resource_list(&text)?));
        }
    }
    let pattern = k.flags.text("containers").unwrap_or("*").to_owned();
    super::update(
        k,
        &args,
        "resource requirements updated",
        "failed to patch resources update to pod template",
        |spec, errors| {
            let containers = super::containers(spec, &pattern);
            if containers.is_empty() {
                errors.push(Error::Client(format!("error: unable to find container named {pattern}")));
            }
            for container in containers {
                for (field, list) in &lists {
                    let Value::Object(list) = list else { continue };
                    for (name, quantity) in list {
                        container["resources"][*field][name] = quantity.clone();
                    }
                }
            }
            Ok(())
        },
    )
}
