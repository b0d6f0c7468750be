//! `kubectl create configmap NAME --from-literal=K=V --from-file=[K=]PATH --from-env-file=PATH`.
use serde_json::{Map, Value};

use super::super::command::{Command, Done, Kubectl};
use super::super::kubectl::Error;
use crate::api::Kind;
use crate::api::field::go_quote;
use crate::api::validation::names::{is_config_map_key, is_env_var_name};

pub(super) const COMMAND: Command = Command {
    path: "kubectl create configmap",
    spec: super::spec! { switches: ["append-hash"], texts: [], lists: ["from-literal", "from-file", "from-env-file"] },
    run,
};

fn run(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let (mut data, mut binary) = (Map::new(), Map::new());
    for (key, bytes) in sources(k)? {
        let problems = is_config_map_key(&key);
        if !problems.is_empty() {
            let problems = problems.join(",");
            return super::client(format!("{} is not a valid key name for a ConfigMap: {problems}", go_quote(&key)));
        }
        for (field, known) in [("Data", &data), ("BinaryData", &binary)] {
            if known.contains_key(&key) {
                return super::client(format!(
                    "cannot add key {}, another key by that name already exists in {field} for ConfigMap {}",
                    go_quote(&key),
                    go_quote(&name)
                ));
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => data.insert(key, text.into()),
            Err(error) => binary.insert(key, base64(error.into_bytes())),
        };
    }
    let mut object = super::object(k, Kind::ConfigMap, &name);
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    if !binary.is_empty() {
        object["binaryData"] = Value::Object(binary);
    }
    super::submit(k, Kind::ConfigMap, object, "created", Some("configmap:"))
}

/// Bytes as the API writes them.
pub(super) fn base64(bytes: Vec<u8>) -> Value {
    serde_json::to_value(k8s_openapi::ByteString(bytes)).unwrap_or_default()
}

/// Keys and contents from `--from-file`, `--from-literal` and `--from-env-file`.
pub(super) fn sources(k: &Kubectl<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let (files, literals) = (k.flags.slice("from-file"), k.flags.list("from-literal"));
    let env_files = k.flags.slice("from-env-file");
    let others = !files.is_empty() || !literals.is_empty();
    if !env_files.is_empty() && others {
        return super::client("from-env-file cannot be combined with from-file or from-literal");
    }
    let mut found = Vec::new();
    for source in &files {
        found.extend(from_file(k, source)?);
    }
    for source in &literals {
        match source.split_once('=').filter(|(key, _)| !key.is_empty()) {
            Some((key, value)) => found.push((key.to_owned(), value.as_bytes().to_vec())),
            None => return super::client(format!("invalid literal source {source}, expected key=value")),
        }
    }
    for path in &env_files {
        let Some(file) = k.files.file(path) else { return super::client(no_such_file(path)) };
        let text = String::from_utf8_lossy(&file.bytes);
        for line in text.lines().map(|line| line.trim_start_matches('\u{feff}').trim_start()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let problems = is_env_var_name(key);
            if !problems.is_empty() {
                return super::client(format!("{} is not a valid key name: {}", go_quote(key), problems.join(";")));
            }
            found.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(found)
}

fn no_such_file(path: &str) -> String {
    format!("error reading {path}: no such file or directory")
}

/// `--from-file=[KEY=]PATH` (`ParseFileSource`).
pub(super) fn from_file(k: &Kubectl<'_>, source: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let (key, path) = match source.split('=').collect::<Vec<_>>().as_slice() {
        [path] => (None, *path),
        ["", path] => return super::client(format!("key name for file path {path} missing")),
        [key, ""] => return super::client(format!("file path for key name {key} missing")),
        [key, path] => (Some(*key), *path),
        _ => return super::client("key names or file paths cannot contain '='"),
    };
    let base = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    if let Some(file) = k.files.file(path) {
        let key = key.map_or_else(|| base(path), str::to_owned);
        return Ok(vec![(key, file.bytes.clone())]);
    }
    let inside = k.files.in_folder(path);
    match (inside.is_empty(), key) {
        (true, _) => super::client(no_such_file(path)),
        (false, Some(_)) => super::client("cannot give a key name for a directory path"),
        (false, None) => Ok(inside.into_iter().map(|file| (base(&file.name), file.bytes.clone())).collect()),
    }
}
