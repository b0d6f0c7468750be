//! `kubectl create deployment NAME --image=IMAGE -- [COMMAND] [ARGS]`.
use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create deployment",
    spec: super::spec! { switches: [], texts: ["port", "replicas/r"], lists: ["image"] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["image"])?;
    let name = k.flags.single_name()?;
    let (images, command) = (k.flags.slice("image"), k.flags.rest());
    if images.len() > 1 && !command.is_empty() {
        return super::client("cannot specify multiple --image options and command");
    }
    let replicas = k.flags.number32("replicas")?.unwrap_or(1);
    let port = k.flags.number32("port")?.unwrap_or(-1);
    let mut containers: Vec<Value> = Vec::new();
    for image in &images {
        let mut container = json!({ "name": container_name(k, image), "image": image });
        if !command.is_empty() {
            container["command"] = json!(command);
        }
        if port >= 0 && containers.is_empty() {
            container["ports"] = json!([{ "containerPort": port }]);
        }
        containers.push(container);
    }
    let labels = json!({ "app": name });
    let mut object = super::object(k, Kind::Deployment, &name);
    object["metadata"]["labels"] = labels.clone();
    object["spec"] = json!({
        "replicas": replicas,
        "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
    });
    super::submit(k, Kind::Deployment, object, "created", Some("deployment:"))
}

/// The image's last part without tag and digest; what a name cannot hold is replaced and the name made unique.
fn container_name(k: &mut Kubectl<'_>, image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    let name = name.split([':', '@']).next().unwrap_or_default();
    if !name.contains(['_', '.']) {
        return name.to_owned();
    }
    format!("{}-{}", name.replace(['_', '.'], "-"), k.cluster.api_mut().identities_mut().suffix())
}
