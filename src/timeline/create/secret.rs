//! `kubectl create secret generic|tls|docker-registry NAME`.
use serde_json::{Map, Value, json};

use super::super::command::{Command, Done, Kubectl};
use super::config_map::{base64, from_file, sources};
use crate::api::Kind;
use crate::api::field::go_quote;
use crate::api::validation::names::is_config_map_key;

pub(super) const GENERIC: Command = Command {
    path: "kubectl create secret generic",
    spec: super::spec! {
        switches: ["append-hash"], texts: ["type"], lists: ["from-literal", "from-file", "from-env-file"]
    },
    run: generic,
};
pub(super) const TLS: Command = Command {
    path: "kubectl create secret tls",
    spec: super::spec! { switches: ["append-hash"], texts: ["cert", "key"], lists: [] },
    run: tls,
};
pub(super) const DOCKER_REGISTRY: Command = Command {
    path: "kubectl create secret docker-registry",
    spec: super::spec! {
        switches: ["append-hash"],
        texts: ["docker-username", "docker-password", "docker-email", "docker-server"],
        lists: ["from-file"]
    },
    run: docker_registry,
};

fn generic(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let sources = sources(k)?;
    let secret_type = k.flags.or_empty("type").to_owned();
    submit(k, &name, &secret_type, sources, "secret")
}

fn submit(k: &mut Kubectl<'_>, name: &str, secret_type: &str, sources: Vec<(String, Vec<u8>)>, failed: &str) -> Done {
    let mut data = Map::new();
    for (key, bytes) in sources {
        let problems = is_config_map_key(&key);
        if !problems.is_empty() {
            let problems = problems.join(";");
            return super::client(format!("{} is not valid key name for a Secret {problems}", go_quote(&key)));
        }
        if data.contains_key(&key) {
            return super::client(format!("cannot add key {key}, another key by that name already exists"));
        }
        data.insert(key, base64(bytes));
    }
    let mut object = super::object(k, Kind::Secret, name);
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    if !secret_type.is_empty() {
        object["type"] = secret_type.into();
    }
    super::submit(k, Kind::Secret, object, "created", Some(failed))
}

fn tls(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let mut parts = Vec::new();
    let (cert, key) = (k.flags.or_empty("cert"), k.flags.or_empty("key"));
    if cert.is_empty() || key.is_empty() {
        return super::client("key and cert must be specified");
    }
    for (field, path) in [("tls.crt", cert), ("tls.key", key)] {
        let Some(file) = k.files.file(path) else {
            return super::client(format!("Cannot read file {path}, open {path}: no such file or directory"));
        };
        parts.push((field.to_owned(), file.bytes.clone()));
    }
    // whether the two belong together is for a cryptographer; that they are PEM can be seen
    for ((_, bytes), what) in parts.iter().zip(["certificate", "key"]) {
        if !bytes.windows(11).any(|window| window == b"-----BEGIN ") {
            return super::client(format!("tls: failed to find any PEM data in {what} input"));
        }
    }
    submit(k, &name, "kubernetes.io/tls", parts, "secret")
}

fn docker_registry(k: &mut Kubectl<'_>) -> Done {
    let name = k.flags.single_name()?;
    let files = k.flags.slice("from-file");
    let value = |flag: &str| k.flags.or_empty(flag).to_owned();
    let (user, password, email) = (value("docker-username"), value("docker-password"), value("docker-email"));
    let server = k.flags.text("docker-server").unwrap_or("https://index.docker.io/v1/").to_owned();
    if files.is_empty() && (user.is_empty() || password.is_empty() || server.is_empty()) {
        return super::client(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        );
    }
    const KEY: &str = ".dockerconfigjson";
    let mut sources = Vec::new();
    for file in &files {
        let source = if file.contains('=') { file.clone() } else { format!("{KEY}={file}") };
        sources.extend(from_file(k, &source)?);
    }
    if files.is_empty() {
        let auth = base64(format!("{user}:{password}").into_bytes());
        let mut entry = Map::new();
        for (field, value) in [("username", user), ("password", password), ("email", email)] {
            if !value.is_empty() {
                entry.insert(field.to_owned(), value.into());
            }
        }
        entry.insert("auth".to_owned(), auth);
        let config = json!({ "auths": { server: entry } });
        sources.push((KEY.to_owned(), config.to_string().into_bytes()));
    }
    submit(k, &name, "kubernetes.io/dockerconfigjson", sources, "secret")
}
