//! `kubectl set env KIND/NAME NAME=VALUE NAME- --from=configmap/NAME`.
use serde_json::{Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::{self, Error};
use crate::api::field::go_quote;
use crate::api::validation::names::is_env_var_name;
use crate::api::{Kind, Object};

pub(super) const COMMAND: Command = Command {
    path: "kubectl set env",
    spec: super::spec! {
        texts: ["containers/c", "from", "prefix"], lists: ["env/e", "keys"], switches: ["list", "resolve", "overwrite"]
    },
    run,
};

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

/// A list of words without the value of `--list`, as they name objects and variables.
fn split(args: Vec<String>) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut resources, mut variables) = (Vec::new(), Vec::new());
    for arg in args {
        let variable = arg.contains('=') || (arg.ends_with('-') && arg.len() > 1);
        match (variable, variables.is_empty()) {
            (true, _) => variables.push(arg),
            (false, true) => resources.push(arg),
            (false, false) => {
                return client(format!("all resources must be specified before environment changes: {arg}"));
            }
        }
    }
    Ok((resources, variables))
}

fn run(k: &mut Kubectl<'_>) -> Done {
    let (args, variables) = split(k.flags.args())?;
    let from = k.flags.or_empty("from").to_owned();
    let keys = k.flags.slice("keys");
    if k.flags.list("filename").is_empty() && args.is_empty() {
        return client("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if !keys.is_empty() && from.is_empty() {
        return client("when specifying --keys, a configmap or secret must be provided with --from");
    }
    if k.flags.on("list")? {
        return Ok(());
    }
    let (mut env, mut removed): (Vec<(String, Value)>, Vec<String>) = (Vec::new(), Vec::new());
    for variable in k.flags.list("env").into_iter().chain(variables) {
        match variable.split_once('=') {
            Some((name, value)) => {
                let problems = is_env_var_name(name);
                if !problems.is_empty() {
                    return client(format!("{} is not a valid key name: {}", go_quote(name), problems.join(";")));
                }
                env.push((name.to_owned(), json!({ "value": value })));
            }
            None => match variable.strip_suffix('-') {
                Some(name) => removed.push(name.to_owned()),
                None => return client(format!("unknown environment variable: {variable}")),
            },
        }
    }
    if removed.iter().any(|name| env.iter().any(|(known, _)| known == name)) {
        return client("can not both modify and remove the same environment variable in the same command");
    }
    if !from.is_empty() {
        env.extend(variables_of(k, &from, &keys)?);
    }
    let prefix = k.flags.or_empty("prefix");
    let env: Vec<Value> = env
        .into_iter()
        .map(|(name, mut value)| {
            value["name"] = format!("{prefix}{name}").into();
            value
        })
        .collect();
    let overwrite = k.flags.switch("overwrite")?.unwrap_or(true);
    let pattern = k.flags.text("containers").unwrap_or("*").to_owned();
    let mut warnings = Vec::new();
    let done = super::update(k, &args, "env updated", "failed to patch env update to pod template:", |spec, _| {
        let containers = super::containers(spec, &pattern);
        if containers.is_empty() {
            warnings.push(format!("there is no container matching {}", go_quote(&pattern)));
        }
        for container in containers {
            let mut list = container.get("env").and_then(Value::as_array).cloned().unwrap_or_default();
            if !overwrite {
                let taken = list.iter().filter(|v| env.iter().any(|new| new.get("name") == v.get("name")));
                if let Some(name) = taken.filter_map(|v| v.get("name").and_then(Value::as_str)).next() {
                    return client(format!("'{name}' already has a value, and --overwrite is false"));
                }
            }
            list = updated(&list, &env, &removed);
            match (list.is_empty(), container.as_object_mut()) {
                (true, Some(fields)) => {
                    fields.remove("env");
                }
                _ => container["env"] = Value::Array(list),
            }
        }
        Ok(())
    });
    k.warnings.extend(warnings);
    done
}

/// A list of variables with some replaced, added and removed (`updateEnv`).
fn updated(existing: &[Value], env: &[Value], removed: &[String]) -> Vec<Value> {
    let name = |variable: &Value| variable.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut covered: Vec<String> = removed.to_vec();
    let mut list = Vec::new();
    for variable in existing {
        if covered.contains(&name(variable)) {
            continue;
        }
        match env.iter().find(|new| name(new) == name(variable)) {
            Some(newer) => {
                covered.push(name(newer));
                list.push(newer.clone());
            }
            None => list.push(variable.clone()),
        }
    }
    for variable in env {
        if !covered.contains(&name(variable)) {
            covered.push(name(variable));
            list.push(variable.clone());
        }
    }
    list
}

/// The variables that are the keys of a ConfigMap or Secret: `web-port` becomes `WEB_PORT`.
fn variables_of(k: &Kubectl<'_>, from: &str, keys: &[String]) -> Result<Vec<(String, Value)>, Error> {
    let (kind, name) = kubectl::parse_resource_and_name(from)?;
    let object = kubectl::find(k.cluster, kind, k.namespace.name, name)?;
    let (field, known): (&str, Vec<&String>) = match object {
        Object::ConfigMap(map) => ("configMapKeyRef", map.data.iter().flatten().map(|(key, _)| key).collect()),
        Object::Secret(secret) => ("secretKeyRef", secret.data.iter().flatten().map(|(key, _)| key).collect()),
        _ => return client("unsupported resource specified in --from"),
    };
    debug_assert!(matches!(kind, Kind::ConfigMap | Kind::Secret));
    let wanted = known.into_iter().filter(|key| keys.is_empty() || keys.contains(key));
    let variable = |key: &String| {
        let env_name: String =
            key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        (env_name, json!({ "valueFrom": { field: { "name": name, "key": key } } }))
    };
    Ok(wanted.map(variable).collect())
}
