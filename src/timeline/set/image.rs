//! `kubectl set image KIND/NAME CONTAINER=IMAGE`.
use serde_json::Value;

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;
use super::super::label::resources_and_pairs;
use crate::api::field::go_quote;

pub(super) const COMMAND: Command =
    Command { path: "kubectl set image", spec: super::spec! { texts: [], lists: [], switches: [] }, run };

fn run(k: &mut Kubectl<'_>) -> Done {
    let (args, pairs) = resources_and_pairs(k.flags.args(), "image")?;
    let mut images: Vec<(String, String)> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    for pair in pairs {
        match pair.split_once('=') {
            Some((name, image)) => {
                images.retain(|(known, _)| known != name);
                images.push((name.to_owned(), image.to_owned()));
            }
            None => wrong.push(pair),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Client(format!("invalid image format: {}", wrong.join(", "))));
    }
    let mut errors = Vec::new();
    let mut refuse = |message: &str| errors.push(Error::Client(message.to_owned()));
    if k.flags.on("all")? && k.flags.text("selector").is_some_and(|selector| !selector.is_empty()) {
        refuse("cannot set --all and --selector at the same time");
    }
    if args.is_empty() && k.flags.list("filename").is_empty() {
        refuse("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if images.is_empty() {
        refuse("at least one image update is required");
    } else if images.len() > 1 && images.iter().any(|(name, _)| name == "*") {
        refuse("all containers are already specified by *, but saw more than one container_name=container_image pairs");
    }
    if !errors.is_empty() {
        return Err(Error::Aggregate(errors));
    }
    super::update(k, &args, "image updated", "failed to patch image update to pod template:", |spec, errors| {
        for (name, image) in &images {
            let containers = super::containers(spec, "*");
            let of_name = |c: &&mut Value| name == "*" || c.get("name").and_then(Value::as_str) == Some(name);
            let mut found = false;
            for container in containers.into_iter().filter(of_name) {
                container["image"] = image.as_str().into();
                found = true;
            }
            if !found {
                errors.push(Error::Client(format!("error: unable to find container named {}", go_quote(name))));
            }
        }
        Ok(())
    })
}
