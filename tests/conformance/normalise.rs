//! Makes what differs from cluster to cluster comparable: uids, generated names, addresses, times.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

static UUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap());
static PROVISIONED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<uid:pvc-(?:[0-9a-f-]{36}|<uid[^>]*>)>").unwrap());
static API_ACCESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"kube-api-access-[a-z0-9]{5}").unwrap());

const TIMES: [&str; 13] = [
    "creationTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastProbeTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "deletionTimestamp",
    "lastPhaseTransitionTime",
    "lastHeartbeatTime",
    "firstTimestamp",
    "lastTimestamp",
    "completionTime",
];
const LEFT_OUT: [&str; 4] =
    ["managedFields", "resourceVersion", "selfLink", "kubectl.kubernetes.io/last-applied-configuration"];

/// Names for what a cluster makes up, learnt from the objects of all steps.
#[derive(Default)]
pub(crate) struct Names {
    uids: BTreeMap<String, String>,
    generated: BTreeMap<String, String>,
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn owners(object: &Value) -> Vec<&Value> {
    object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten().collect()
}

impl Names {
    pub(crate) fn learn(&mut self, objects: &[Value]) {
        for object in objects.iter().filter(|o| o["kind"] == "StatefulSet") {
            for field in ["/status/currentRevision", "/status/updateRevision"] {
                self.add_revision(text(object, field), text(object, "/metadata/name"));
            }
        }
        for object in objects.iter().filter(|o| o["kind"] == "Pod") {
            if let Some(set) = owners(object).iter().find(|o| o["kind"] == "StatefulSet") {
                let revision = text(object, "/metadata/labels/controller-revision-hash");
                self.add_revision(revision, set["name"].as_str().unwrap());
            }
        }
        for object in objects {
            let (name, namespace) = (text(object, "/metadata/name"), text(object, "/metadata/namespace"));
            let qualified = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
            self.uids.insert(text(object, "/metadata/uid").to_owned(), qualified);
            let hash = text(object, "/metadata/labels/pod-template-hash");
            if object["kind"] == "ReplicaSet" && !hash.is_empty() {
                self.generated.insert(hash.to_owned(), "<hash>".to_owned());
            }
            let prefix = text(object, "/metadata/generateName");
            let of_set = owners(object).iter().any(|o| o["kind"] == "StatefulSet");
            let suffix = name.strip_prefix(prefix).unwrap_or_default();
            if !prefix.is_empty() && !of_set && object["kind"] != "PersistentVolumeClaim" && !suffix.is_empty() {
                self.generated.insert(name.to_owned(), format!("{prefix}<rand>"));
            }
        }
    }

    /// Revisions of a StatefulSet are numbered in order of appearance.
    fn add_revision(&mut self, revision: &str, owner: &str) {
        let prefix = format!("{owner}-");
        if !revision.starts_with(&prefix) || self.generated.contains_key(revision) {
            return;
        }
        let numbered = format!("{owner}-<hash");
        let number = 1 + self.generated.values().filter(|v| v.starts_with(&numbered)).count();
        self.generated.insert(revision.to_owned(), format!("{numbered}{number}>"));
    }

    pub(crate) fn text(&self, text: &str) -> String {
        let named = UUID.replace_all(text, |found: &regex::Captures<'_>| match self.uids.get(&found[0]) {
            Some(name) => format!("<uid:{name}>"),
            None => "<uid>".to_owned(),
        });
        let named = PROVISIONED.replace_all(&named, "<uid:provisioned>");
        let mut named = API_ACCESS.replace_all(&named, "kube-api-access-<rand>").into_owned();
        let mut generated: Vec<_> = self.generated.iter().collect();
        generated.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, replacement) in generated {
            if named.contains(name) {
                named = named.replace(name, replacement);
            }
        }
        named
    }

    pub(crate) fn normalise(&self, value: &Value) -> Value {
        match value {
            Value::Object(map) => Value::Object(self.normalise_map(map)),
            Value::Array(items) => Value::Array(items.iter().map(|v| self.normalise(v)).collect()),
            Value::String(s) => Value::String(self.text(s)),
            other => other.clone(),
        }
    }

    fn normalise_map(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in map {
            if LEFT_OUT.contains(&key.as_str()) {
                continue;
            }
            let replaced = match (key.as_str(), value) {
                (key, Value::String(_)) if TIMES.contains(&key) || key == "eventTime" => Some("<time>".into()),
                ("podIP" | "hostIP" | "ip", Value::String(_)) => Some("<ip>".into()),
                ("podIPs" | "hostIPs", Value::Array(items)) => Some(vec!["<ip>"; items.len()].into()),
                ("addresses", Value::Array(items)) if items.iter().all(Value::is_string) => {
                    Some(vec!["<ip>"; items.len()].into())
                }
                ("clusterIP", Value::String(ip)) if ip != "None" && !ip.is_empty() => Some("<clusterip>".into()),
                ("clusterIPs", Value::Array(items)) => {
                    let ip = |v: &Value| if v == "None" { "None" } else { "<clusterip>" };
                    Some(items.iter().map(ip).collect::<Vec<_>>().into())
                }
                (
                    "containerID"
                    | "imageID"
                    | "endpoints.kubernetes.io/last-change-trigger-time"
                    | "kubectl.kubernetes.io/restartedAt",
                    _,
                ) => Some(format!("<{}>", key.rsplit('/').next().unwrap()).into()),
                _ => None,
            };
            out.insert(self.text(key), replaced.unwrap_or_else(|| self.normalise(value)));
        }
        out
    }
}
