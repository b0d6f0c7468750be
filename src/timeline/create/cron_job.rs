//! `kubectl create cronjob NAME --image=IMAGE --schedule='0/5 * * * ?' -- [COMMAND] [ARGS]`.
use serde_json::json;

use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create cronjob",
    spec: super::spec! { switches: [], texts: ["image", "schedule", "restart"], lists: [] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["image", "schedule"])?;
    let name = k.flags.single_name()?;
    let command = k.flags.rest();
    let restart = match k.flags.or_empty("restart") {
        "" => "OnFailure",
        given => given,
    };
    let mut container = json!({ "name": name, "image": k.flags.or_empty("image") });
    if !command.is_empty() {
        container["command"] = json!(command);
    }
    let pod = json!({ "containers": [container], "restartPolicy": restart });
    let mut object = super::object(k, Kind::CronJob, &name);
    object["spec"] = json!({
        "schedule": k.flags.or_empty("schedule"),
        "jobTemplate": { "metadata": { "name": name }, "spec": { "template": { "spec": pod } } },
    });
    super::submit(k, Kind::CronJob, object, "created", Some("cronjob:"))
}
