//! `kubectl set serviceaccount KIND NAME SERVICE_ACCOUNT`.
use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;

pub(super) const COMMAND: Command =
    Command { path: "kubectl set serviceaccount", spec: super::spec! { texts: [], lists: [], switches: [] }, run };

fn run(k: &mut Kubectl<'_>) -> Done {
    let mut args = k.flags.args();
    let Some(account) = args.pop() else { return Err(Error::Client("serviceaccount is required".to_owned())) };
    super::update(k, &args, "serviceaccount updated", "failed to patch ServiceAccountName", |spec, _| {
        spec["serviceAccountName"] = account.as_str().into();
        Ok(())
    })
}
