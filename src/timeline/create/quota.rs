//! `kubectl create quota NAME --hard=KEY=VALUE,… --scopes=SCOPE,…`.
use serde_json::{Map, Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;
use crate::api::Kind;
use crate::api::quantity::Quantity;

pub(super) const COMMAND: Command = Command {
    path: "kubectl create quota",
    spec: super::spec! { switches: [], texts: ["hard", "scopes"], lists: [] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let mut object = super::object(k, Kind::ResourceQuota, &name);
    let mut spec = Map::new();
    if let Some(hard) = k.flags.text("hard").filter(|hard| !hard.is_empty()) {
        spec.insert("hard".to_owned(), resource_list(hard)?);
    }
    if let Some(scopes) = k.flags.text("scopes").filter(|scopes| !scopes.is_empty()) {
        let scopes: Vec<&str> = scopes.split(',').collect();
        if scopes.contains(&"") {
            return super::client("invalid resource quota scope \"\"");
        }
        spec.insert("scopes".to_owned(), json!(scopes));
    }
    object["spec"] = Value::Object(spec);
    super::submit(k, Kind::ResourceQuota, object, "created", Some("quota:"))
}

/// `cpu=1,memory=2Gi` (`populateResourceListV1`).
pub(in crate::timeline) fn resource_list(text: &str) -> Result<Value, Error> {
    let mut list = Map::new();
    for statement in text.split(',') {
        let [name, quantity] = *statement.split('=').collect::<Vec<_>>().as_slice() else {
            let message = format!("Invalid argument syntax {statement}, expected <resource>=<value>");
            return super::client(message);
        };
        let parsed: Quantity = quantity.parse().map_err(|error| Error::Client(format!("{error}")))?;
        list.insert(name.to_owned(), parsed.to_string().into());
    }
    Ok(Value::Object(list))
}
