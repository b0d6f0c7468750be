//! `kubectl create priorityclass NAME --value=VALUE`.
use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create priorityclass",
    spec: super::spec! {
        switches: ["global-default"], texts: ["value", "description", "preemption-policy"], lists: []
    },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    k.flags.require(&["value"])?;
    let name = k.flags.single_name()?;
    let mut object = super::object(k, Kind::PriorityClass, &name);
    object["value"] = k.flags.number32("value")?.unwrap_or(0).into();
    object["preemptionPolicy"] = k.flags.text("preemption-policy").unwrap_or("PreemptLowerPriority").into();
    if k.flags.on("global-default")? {
        object["globalDefault"] = true.into();
    }
    if let Some(text) = k.flags.text("description").filter(|text| !text.is_empty()) {
        object["description"] = text.into();
    }
    super::submit(k, Kind::PriorityClass, object, "created", Some("priorityclass:"))
}
