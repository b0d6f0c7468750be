//! `kubectl create job NAME --image=IMAGE | --from=cronjob/NAME -- [COMMAND] [ARGS]`.
use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl;
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create job",
    spec: super::spec! { switches: [], texts: ["image", "from"], lists: [] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let (image, from) = (k.flags.or_empty("image").to_owned(), k.flags.or_empty("from").to_owned());
    let command = k.flags.rest();
    if image.is_empty() == from.is_empty() {
        return super::client("either --image or --from must be specified");
    }
    if !command.is_empty() && !from.is_empty() {
        return super::client("cannot specify --from and command");
    }
    let mut object = super::object(k, Kind::Job, &name);
    if from.is_empty() {
        let mut container = json!({ "name": name, "image": image });
        if !command.is_empty() {
            container["command"] = json!(command);
        }
        object["spec"] = json!({ "template": { "spec": { "containers": [container], "restartPolicy": "Never" } } });
    } else {
        let (kind, cron_job) = kubectl::parse_resource_and_name(&from)?;
        let found = kubectl::find(k.cluster, kind, k.namespace.name, cron_job)?;
        if kind != Kind::CronJob {
            let (group, version) = (kind.api_version().replace('/', ""), kind.name());
            return super::client(format!("unknown object type *{group}.{version}"));
        }
        let value = found.to_value();
        let template = |pointer: &str| value.pointer(&format!("/spec/jobTemplate{pointer}")).cloned();
        let mut annotations = json!({ "cronjob.kubernetes.io/instantiate": "manual" });
        if let (Some(Value::Object(own)), Some(all)) = (template("/metadata/annotations"), annotations.as_object_mut())
        {
            all.extend(own);
        }
        object["metadata"]["annotations"] = annotations;
        if let Some(labels) = template("/metadata/labels") {
            object["metadata"]["labels"] = labels;
        }
        object["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": found.uid(), "controller": true,
        }]);
        object["spec"] = template("/spec").unwrap_or_default();
    }
    super::submit(k, Kind::Job, object, "created", Some("job:"))
}
