//! The four verdicts of a case: words, outcome, objects, events.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::normalise::Names;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Words,
    Outcome,
    Objects,
    Events,
}

impl Verdict {
    pub(crate) const ALL: [Verdict; 4] = [Verdict::Words, Verdict::Outcome, Verdict::Objects, Verdict::Events];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Words => "words",
            Verdict::Outcome => "outcome",
            Verdict::Objects => "objects",
            Verdict::Events => "events",
        }
    }
}

/// The differences that count against each verdict; none is a pass.
#[derive(Default)]
pub(crate) struct Verdicts(BTreeMap<Verdict, Vec<String>>);

impl Verdicts {
    pub(crate) fn of(&self, verdict: Verdict) -> &[String] {
        self.0.get(&verdict).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, verdict: Verdict, difference: String) {
        self.0.entry(verdict).or_default().push(difference);
    }
}

const KINDS: [&str; 17] = [
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StorageClass",
    "Pod",
    "StatefulSet",
    "Deployment",
    "ReplicaSet",
    "Service",
    "EndpointSlice",
    "ConfigMap",
    "Secret",
    "Namespace",
    "Job",
    "CronJob",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
];
/// Whether these are there depends on retry timing and on what a node has cached.
const RACY_EVENTS: [&str; 3] = ["FailedScheduling", "Pulling", "Pulled"];

/// Whether a case pins pods to nodes, so that the node they run on is compared too.
pub(crate) fn pins_nodes(case: &Path) -> bool {
    let files = std::fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "yaml")).any(|path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        ["nodeAffinity", "nodeSelector", "nodeName"].iter().any(|word| text.contains(word))
    })
}

pub(crate) fn compare(recorded: &Value, simulated: &Value, pins_nodes: bool) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let (expected, actual) = (list(recorded, "steps"), list(simulated, "steps"));
    if expected.len() != actual.len() {
        for verdict in Verdict::ALL {
            verdicts.add(verdict, "number of steps".to_owned());
        }
        return verdicts;
    }
    let mut names = Names::default();
    for step in actual {
        names.learn(list(step, "objects"));
    }
    for (i, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        compare_words(&mut verdicts, i + 1, expected, actual, &names);
        let scrub = |v: &Value| scrub(v, pins_nodes);
        let recorded: Vec<Value> = list(expected, "objects").iter().map(scrub).collect();
        let simulated: Vec<Value> = list(actual, "objects").iter().map(|o| scrub(&names.normalise(o))).collect();
        let step = format!("step {}", i + 1);
        let view = |o: &Value| outcome(o, pins_nodes);
        compare_objects(&mut verdicts, Verdict::Outcome, &step, &recorded, &simulated, &view);
    }
    if let (Some(expected), Some(actual)) = (expected.last(), actual.last()) {
        let recorded: Vec<Value> = list(expected, "objects").iter().map(|o| scrub(o, pins_nodes)).collect();
        let simulated: Vec<Value> =
            list(actual, "objects").iter().map(|o| scrub(&names.normalise(o), pins_nodes)).collect();
        compare_objects(&mut verdicts, Verdict::Objects, "at the end", &recorded, &simulated, &Value::clone);
    }
    compare_events(&mut verdicts, recorded, simulated, &names);
    verdicts
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn compare_words(verdicts: &mut Verdicts, step: usize, expected: &Value, actual: &Value, names: &Names) {
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.replace('\r', "").lines().map(|l| l.trim_end().to_owned()).collect();
        lines.retain(|l| !l.trim().is_empty());
        lines.sort();
        lines
    };
    for stream in ["stdout", "stderr"] {
        let recorded = lines(expected[stream].as_str().unwrap_or_default());
        let simulated = lines(&names.text(actual[stream].as_str().unwrap_or_default()));
        if recorded != simulated {
            let difference = format!("step {step} {stream}: recorded {recorded:?}, simulated {simulated:?}");
            verdicts.add(Verdict::Words, difference);
        }
    }
    let (recorded, simulated) = (&expected["rc"], &actual["exitCode"]);
    if (recorded == &json!(0)) != (simulated == &json!(0)) {
        verdicts.add(Verdict::Words, format!("step {step} exit status: recorded {recorded}, simulated {simulated}"));
    }
}

type Bag = BTreeMap<(String, String, String), Vec<Value>>;

fn bag(objects: &[Value], view: &dyn Fn(&Value) -> Value) -> Bag {
    let mut bag = Bag::new();
    for object in objects {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = text("/kind");
        if KINDS.contains(&kind.as_str()) {
            bag.entry((kind, text("/metadata/namespace"), text("/metadata/name"))).or_default().push(view(object));
        }
    }
    for same in bag.values_mut() {
        same.sort_by_key(Value::to_string);
    }
    bag
}

fn compare_objects(
    verdicts: &mut Verdicts,
    verdict: Verdict,
    when: &str,
    recorded: &[Value],
    simulated: &[Value],
    view: &dyn Fn(&Value) -> Value,
) {
    let (recorded, simulated) = (bag(recorded, view), bag(simulated, view));
    let keys: BTreeSet<_> = recorded.keys().chain(simulated.keys()).collect();
    for key in keys {
        let (kind, namespace, name) = key;
        let what = format!("{when}: {kind} {namespace}/{name}");
        match (recorded.get(key), simulated.get(key)) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) if a.len() != b.len() => {
                verdicts.add(verdict, format!("{what}: recorded {} times, simulated {}", a.len(), b.len()));
            }
            (Some(a), Some(b)) => {
                for (a, b) in a.iter().zip(b) {
                    differences(a, b, "", &mut |d| verdicts.add(verdict, format!("{what} {d}")));
                }
            }
            (Some(_), None) => verdicts.add(verdict, format!("{what} exists only in the record")),
            (None, _) => verdicts.add(verdict, format!("{what} exists only in the simulation")),
        }
    }
}

fn differences(a: &Value, b: &Value, path: &str, report: &mut dyn FnMut(String)) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, &path, report),
                    (Some(a), None) => report(format!("{path}: recorded {a}, not simulated")),
                    (None, b) => report(format!("{path}: not recorded, simulated {}", b.unwrap_or(&Value::Null))),
                }
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (i, (a, b)) in x.iter().zip(y).enumerate() {
                differences(a, b, &format!("{path}[{i}]"), report);
            }
        }
        _ if a == b => {}
        _ => report(format!("{path}: recorded {a}, simulated {b}")),
    }
}

fn compare_events(verdicts: &mut Verdicts, recorded: &Value, simulated: &Value, names: &Names) {
    static NODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bnode0[12]\b").unwrap());
    let set = |value: &Value, text: &dyn Fn(&str) -> String| -> BTreeSet<Vec<String>> {
        let events = list(value, "events").iter();
        let events = events.filter(|e| !RACY_EVENTS.contains(&e["reason"].as_str().unwrap_or_default()));
        let field = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
        events
            .map(|e| {
                let mut row: Vec<String> = ["type", "reason", "kind", "namespace"].map(|k| field(e, k)).into();
                row.push(text(&field(e, "name")));
                row.push(NODE.replace_all(&text(&field(e, "message")), "<node>").into_owned());
                row
            })
            .collect()
    };
    let (expected, actual) = (set(recorded, &str::to_owned), set(simulated, &|t| names.text(t)));
    for event in expected.difference(&actual) {
        verdicts.add(Verdict::Events, format!("only recorded: {event:?}"));
    }
    for event in actual.difference(&expected) {
        verdicts.add(Verdict::Events, format!("only simulated: {event:?}"));
    }
}

/// Which of two equal nodes a pod went to says nothing unless a manifest pins it.
fn scrub(value: &Value, pins_nodes: bool) -> Value {
    const NODE_KEYS: [&str; 4] =
        ["nodeName", "zone", "volume.kubernetes.io/selected-node", "topology.kubernetes.io/zone"];
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                let value = match key.as_str() {
                    k if NODE_KEYS.contains(&k) && !pins_nodes => "<node>".into(),
                    "nodePort" => "<np>".into(),
                    _ => scrub(value, pins_nodes),
                };
                let empty = matches!(&value, Value::Object(m) if m.is_empty());
                if !(empty && (key == "annotations" || key == "labels")) {
                    out.insert(key.clone(), value);
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| scrub(v, pins_nodes)).collect()),
        other => other.clone(),
    }
}

fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_key(Value::to_string);
    values.into()
}

fn pairs(value: &Value) -> Value {
    sorted(value.as_object().into_iter().flatten().map(|(k, v)| json!([k, v])).collect())
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let kept = value.as_object().into_iter().flatten().filter(|(k, _)| !keys.contains(&k.as_str()));
    Value::Object(kept.map(|(k, v)| (k.clone(), v.clone())).collect())
}

fn conditions(status: &Value) -> Value {
    let row = |c: &Value| {
        // which of the two a stalled rollout shows is a race in the real controller
        let reason =
            if c["reason"] == "NewReplicaSetCreated" { json!("ReplicaSetUpdated") } else { c["reason"].clone() };
        json!([c["type"], c["status"], reason])
    };
    sorted(list(status, "conditions").iter().map(row).collect())
}

/// What a grader looks at in an object.
fn outcome(object: &Value, pins_nodes: bool) -> Value {
    let (meta, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
    let name = meta["name"].as_str().unwrap_or_default();
    let labels = meta["labels"].as_object().into_iter().flatten();
    let labels: Map<String, Value> =
        labels.filter(|(k, _)| !k.contains("topology.kubernetes.io")).map(|(k, v)| (k.clone(), v.clone())).collect();
    let own = match object["kind"].as_str().unwrap_or_default() {
        "PersistentVolume" => {
            let claim = &spec["claimRef"];
            let claim = if claim.is_null() {
                Value::Null
            } else {
                json!([claim["namespace"], claim["name"], claim["uid"].is_string()])
            };
            let sources = spec.as_object().into_iter().flatten();
            let sources = sources.filter(|(_, v)| v.is_object());
            let source = if name.starts_with("pvc-") {
                json!(sources.map(|(k, _)| k).collect::<Vec<_>>())
            } else {
                let skipped = ["capacity", "claimRef", "nodeAffinity"];
                let rest = sources.filter(|(k, _)| !skipped.contains(&k.as_str()));
                Value::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect())
            };
            json!({
                "phase": status["phase"], "claim": claim, "capacity": spec["capacity"], "modes": spec["accessModes"],
                "policy": spec["persistentVolumeReclaimPolicy"], "class": spec["storageClassName"],
                "volumeMode": spec["volumeMode"], "annotations": pairs(&meta["annotations"]),
                "affinity": spec["nodeAffinity"], "message": status["message"], "reason": status["reason"],
                "source": source,
            })
        }
        "PersistentVolumeClaim" => json!({
            "phase": status["phase"], "capacity": status["capacity"], "modes": status["accessModes"], "spec": spec,
            "annotations": pairs(&meta["annotations"]), "conditions": conditions(status),
        }),
        "Pod" => pod_outcome(spec, status, pins_nodes),
        "StatefulSet" | "Deployment" | "ReplicaSet" => json!({
            "spec": spec, "status": without(status, &["conditions", "collisionCount"]),
            "conditions": conditions(status),
        }),
        "EndpointSlice" => {
            let row = |e: &Value| {
                let c = &e["conditions"];
                json!([e["hostname"], e["targetRef"]["name"], c["ready"], c["serving"], c["terminating"]])
            };
            json!({ "endpoints": sorted(list(object, "endpoints").iter().map(row).collect()), "ports": object["ports"] })
        }
        "Service" => json!({ "spec": spec }),
        "StorageClass" => json!({
            "body": without(object, &["metadata", "kind", "apiVersion"]), "annotations": pairs(&meta["annotations"]),
        }),
        "Namespace" => return json!({ "phase": status["phase"] }),
        _ => json!({ "body": without(object, &["metadata", "kind", "apiVersion"]) }),
    };
    let owners = list(meta, "ownerReferences").iter().map(|o| json!([o["kind"], o["name"]])).collect::<Vec<_>>();
    json!({
        "deleting": meta.get("deletionTimestamp").is_some(), "finalizers": sorted(list(meta, "finalizers").to_vec()),
        "labels": labels, "owners": owners, "own": own,
    })
}

fn pod_outcome(spec: &Value, status: &Value, pins_nodes: bool) -> Value {
    let state = |c: &Value| {
        let which = c["state"].as_object().and_then(|s| s.keys().next().cloned());
        let reason = which.as_ref().map_or(Value::Null, |w| c["state"][w]["reason"].clone());
        json!([c["name"], which, reason, c["ready"]])
    };
    let states = |key: &str| sorted(list(status, key).iter().map(state).collect());
    let is_token = |v: &&Value| !v["name"].as_str().unwrap_or_default().starts_with("kube-api-access");
    let mounts = |c: &Value| {
        let mounts: Vec<&Value> = list(c, "volumeMounts").iter().filter(is_token).collect();
        json!([c["name"], mounts])
    };
    let containers = list(spec, "containers");
    let scheduled_messages = list(status, "conditions").iter().filter(|c| c["type"] == "PodScheduled");
    let pinned = pins_nodes && (spec.get("nodeSelector").is_some() || spec.get("affinity").is_some());
    json!({
        "phase": status["phase"], "scheduled": spec["nodeName"].is_string(),
        "node": if pinned { spec["nodeName"].clone() } else { Value::Null },
        "conditions": conditions(status),
        "messages": sorted(scheduled_messages.map(|c| c["message"].clone()).collect()),
        "containers": states("containerStatuses"), "inits": states("initContainerStatuses"),
        "volumes": list(spec, "volumes").iter().filter(is_token).collect::<Vec<_>>(),
        "mounts": containers.iter().map(mounts).collect::<Vec<_>>(),
        "images": containers.iter().map(|c| c["image"].clone()).collect::<Vec<_>>(),
        "hostname": spec["hostname"], "subdomain": spec["subdomain"], "ip": status["podIP"].is_string(),
        "qos": status["qosClass"],
    })
}
