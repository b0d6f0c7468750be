//! `kubectl create namespace NAME`.
use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command =
    Command { path: "kubectl create namespace", spec: super::spec! { switches: [], texts: [], lists: [] }, run };

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let object = super::object(k, Kind::Namespace, &name);
    super::submit(k, Kind::Namespace, object, "created", None)
}
