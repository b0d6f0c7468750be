//! `kubectl create serviceaccount NAME`.
use super::super::command::{Command, Done, Kubectl};
use crate::api::Kind;

pub(super) const COMMAND: Command =
    Command { path: "kubectl create serviceaccount", spec: super::spec! { switches: [], texts: [], lists: [] }, run };

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let object = super::object(k, Kind::ServiceAccount, &name);
    super::submit(k, Kind::ServiceAccount, object, "created", Some("serviceaccount:"))
}
