//! `kubectl create` (`kubectl/pkg/cmd/create`): `-f FILE`, or one file for each kind it can make.
mod config_map;
mod cron_job;
mod deployment;
mod ingress;
mod job;
mod namespace;
mod pod_disruption_budget;
mod priority_class;
mod quota;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;

pub(super) use quota::resource_list;

use serde_json::{Map, Value, json};

use super::apply::{self, LAST_APPLIED};
use super::command::{Command, Done, DryRun, Kubectl, as_go_writes};
use super::flags::Spec;
use super::kubectl::Error;
use super::resources;
use crate::api::Kind;
use crate::api::dynamic::FieldValidation;

const FROM_FILE: Command = Command {
    path: "kubectl create",
    spec: Spec {
        switches: &["edit", "recursive/R", "save-config", "windows-line-endings", "record"],
        texts: &["dry-run", "output/o", "selector/l", "validate", "kustomize/k", "raw", "template"],
        lists: &["filename/f"],
    },
    run: from_file,
};

/// All forms of the command.
pub(super) static COMMANDS: &[&Command] = &[
    &FROM_FILE,
    &config_map::COMMAND,
    &cron_job::COMMAND,
    &deployment::COMMAND,
    &ingress::COMMAND,
    &job::COMMAND,
    &namespace::COMMAND,
    &pod_disruption_budget::COMMAND,
    &priority_class::COMMAND,
    &quota::COMMAND,
    &role::ROLE,
    &role::CLUSTER_ROLE,
    &role_binding::ROLE_BINDING,
    &role_binding::CLUSTER_ROLE_BINDING,
    &secret::GENERIC,
    &secret::TLS,
    &secret::DOCKER_REGISTRY,
    &service::CLUSTER_IP,
    &service::NODE_PORT,
    &service::LOAD_BALANCER,
    &service::EXTERNAL_NAME,
    &service_account::COMMAND,
];

/// The flags of every `create KIND` are these and its own.
macro_rules! spec {
    (switches: [$($switch:literal),*], texts: [$($text:literal),*], lists: [$($list:literal),*]) => {
        $crate::timeline::flags::Spec {
            switches: &["save-config", "show-managed-fields", $($switch),*],
            texts: &["dry-run", "output/o", "validate", "template", $($text),*],
            lists: &[$($list),*],
        }
    };
}
pub(super) use spec;

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

/// `kubectl create -f`.
fn from_file(k: &mut Kubectl<'_>) -> Done {
    let args = k.flags.args();
    let files = k.flags.list("filename");
    if files.is_empty() {
        return match args.is_empty() {
            true => client("must specify one of -f and -k"),
            false => Err(k.flags.usage_error(&format!("Unexpected args: [{}]", args.join(" ")))),
        };
    }
    if !args.is_empty() {
        return Err(k.flags.usage_error(&format!("Unexpected args: [{}]", args.join(" "))));
    }
    let (infos, errors) = resources::read_files(k, &files)?;
    if infos.is_empty() && errors.is_empty() {
        return client("no objects passed to create");
    }
    if !errors.is_empty() {
        k.errors.push(Error::Aggregate(errors));
    }
    for info in infos {
        let mut object = info.object.clone();
        apply::metadata_mut(&mut object).remove("resourceVersion");
        if k.flags.on("save-config")? {
            remember(&mut object);
        }
        if k.dry_run == DryRun::Client {
            k.print(info.kind, &info.name, "created", &object)?;
            continue;
        }
        let created = k.cluster.api_mut().create_value(info.kind, &info.namespace, &object, FieldValidation::Strict);
        match created {
            Ok(accepted) => {
                k.warnings.extend(accepted.warnings);
                let (name, value) = (accepted.object.name().to_owned(), accepted.object.to_value());
                k.print(info.kind, &name, "created", &value)?;
            }
            Err(status) => {
                let error = Error::from(status).add_source("creating", &info.source);
                k.problems.push(apply::problem(&info, &error));
                k.errors.push(error);
            }
        }
        k.cluster.run();
    }
    Ok(())
}

/// `--save-config`: the object remembers what it was made from.
pub(super) fn remember(object: &mut Value) {
    let (text, _) = apply::last_applied_text(object);
    let annotations = apply::metadata_mut(object).entry("annotations").or_insert(Value::Null);
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Value::Object(map) = annotations {
        map.insert(LAST_APPLIED.to_owned(), Value::String(text));
    }
}

/// The beginning of an object: its type and its name, and its namespace if that was given.
pub(super) fn object(k: &Kubectl<'_>, kind: Kind, name: &str) -> Value {
    let mut object = json!({ "apiVersion": kind.api_version(), "kind": kind.name(), "metadata": { "name": name } });
    if kind.namespaced() && k.namespace.enforced {
        apply::metadata_mut(&mut object).insert("namespace".to_owned(), k.namespace.name.into());
    }
    object
}

/// Creates an object and prints it; `failed` stands in front of a refusal, as commands with a typed client say it.
pub(super) fn submit(k: &mut Kubectl<'_>, kind: Kind, value: Value, verb: &str, failed: Option<&str>) -> Done {
    let mut value = as_go_writes(kind, &value);
    if k.flags.on("save-config")? {
        remember(&mut value);
    }
    let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if k.dry_run == DryRun::Client {
        return k.print(kind, &name, verb, &value);
    }
    let namespace = k.namespace.name.to_owned();
    match k.cluster.api_mut().create_value(kind, &namespace, &value, FieldValidation::Strict) {
        Ok(accepted) => {
            k.warnings.extend(accepted.warnings);
            k.print(kind, &name, verb, &accepted.object.to_value())
        }
        Err(status) => match failed {
            Some(failed) => client(format!("failed to create {failed} {status}")),
            None => Err(status.into()),
        },
    }
}

/// `intstr.Parse`: a number if it is one.
pub(super) fn int_or_string(text: &str) -> Value {
    text.parse::<i32>().map_or_else(|_| text.into(), Value::from)
}

#[cfg(test)]
#[path = "create/tests.rs"]
mod tests;
