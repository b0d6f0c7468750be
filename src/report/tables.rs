//! Objects as `kubectl get` lists them (`pkg/printers/internalversion`).
mod pod;

use std::borrow::Cow;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::api::Object;
use crate::api::object::Kind;
use crate::report::sanitise::sanitise;
use crate::report::width::{pad, width};
use crate::storage;

/// The order in which kinds are listed; any others follow.
pub const ORDER: &[Kind] = &[
    Kind::StorageClass,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::ConfigMap,
    Kind::Secret,
];

/// The columns between the name and the age.
fn columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PersistentVolume => &[
            "CAPACITY",
            "ACCESS MODES",
            "RECLAIM POLICY",
            "STATUS",
            "CLAIM",
            "STORAGECLASS",
            "VOLUMEATTRIBUTESCLASS",
            "REASON",
        ],
        Kind::PersistentVolumeClaim => {
            &["STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "VOLUMEATTRIBUTESCLASS"]
        }
        Kind::StorageClass => &["PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE", "ALLOWVOLUMEEXPANSION"],
        Kind::Pod => &["READY", "STATUS", "RESTARTS"],
        Kind::Deployment => &["READY", "UP-TO-DATE", "AVAILABLE"],
        Kind::ReplicaSet => &["DESIRED", "CURRENT", "READY"],
        Kind::StatefulSet => &["READY"],
        Kind::DaemonSet => &["DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR"],
        Kind::Job => &["STATUS", "COMPLETIONS"],
        Kind::CronJob => &["SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE"],
        Kind::Service => &["TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)"],
        Kind::EndpointSlice => &["ADDRESSTYPE", "PORTS", "ENDPOINTS"],
        Kind::ConfigMap => &["DATA"],
        Kind::Secret => &["TYPE", "DATA"],
        Kind::Namespace => &["STATUS"],
        Kind::ResourceQuota => &["REQUEST", "LIMIT"],
        _ => &[],
    }
}

fn cells(kind: Kind, object: &Object, value: &Value) -> Vec<String> {
    let text = |pointer: &str| text(value, pointer).to_owned();
    let number = |pointer: &str| number(value, pointer).to_string();
    let ratio = |one: &str, of: &str| format!("{}/{}", number(one), number(of));
    match kind {
        Kind::PersistentVolume => vec![
            text("/spec/capacity/storage"),
            access_modes(value, "/spec/accessModes"),
            text("/spec/persistentVolumeReclaimPolicy"),
            phase(object, value),
            claim_ref(value),
            object.get().map(|v| storage::volume_class(v)).unwrap_or_default().to_owned(),
            or(text("/spec/volumeAttributesClassName"), "<unset>"),
            text("/status/reason"),
        ],
        Kind::PersistentVolumeClaim => {
            let bound = !text("/spec/volumeName").is_empty();
            let given = |cell: String| if bound { cell } else { String::new() };
            vec![
                phase(object, value),
                text("/spec/volumeName"),
                given(or(text("/status/capacity/storage"), "0")),
                given(access_modes(value, "/status/accessModes")),
                object.get().map(|c| storage::claim_class(c)).unwrap_or_default().to_owned(),
                or(text("/spec/volumeAttributesClassName"), "<unset>"),
            ]
        }
        Kind::StorageClass => vec![
            text("/provisioner"),
            or(text("/reclaimPolicy"), "Delete"),
            or(text("/volumeBindingMode"), "Immediate"),
            value.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or(false).to_string(),
        ],
        Kind::Pod => pod::cells(value),
        Kind::Deployment => vec![
            ratio("/status/readyReplicas", "/spec/replicas"),
            number("/status/updatedReplicas"),
            number("/status/availableReplicas"),
        ],
        Kind::ReplicaSet => {
            vec![number("/spec/replicas"), number("/status/replicas"), number("/status/readyReplicas")]
        }
        Kind::StatefulSet => vec![ratio("/status/readyReplicas", "/spec/replicas")],
        Kind::DaemonSet => vec![
            number("/status/desiredNumberScheduled"),
            number("/status/currentNumberScheduled"),
            number("/status/numberReady"),
            number("/status/updatedNumberScheduled"),
            number("/status/numberAvailable"),
            labels(value, "/spec/template/spec/nodeSelector"),
        ],
        Kind::Job => vec![job_status(object, value), ratio("/status/succeeded", "/spec/completions")],
        Kind::CronJob => vec![
            text("/spec/schedule"),
            or(text("/spec/timeZone"), "<none>"),
            if value.pointer("/spec/suspend") == Some(&Value::Bool(true)) { "True" } else { "False" }.to_owned(),
            list(value, "/status/active").len().to_string(),
        ],
        Kind::Service => vec![
            text("/spec/type"),
            or(text("/spec/clusterIP"), "<none>"),
            external_ip(value),
            or(ports(value), "<none>"),
        ],
        Kind::EndpointSlice => {
            let port = |port: &Value| port.get("port").map(Value::to_string).unwrap_or_else(|| "*".to_owned());
            let ports: Vec<String> = list(value, "/ports").iter().map(port).collect();
            let addresses = list(value, "/endpoints").iter().flat_map(|e| list(e, "/addresses"));
            let addresses: Vec<&str> = addresses.filter_map(Value::as_str).collect();
            let shown = match addresses.get(..3) {
                Some(first) if addresses.len() > 3 => format!("{} + {} more...", first.join(","), addresses.len() - 3),
                _ => addresses.join(","),
            };
            vec![text("/addressType"), or(ports.join(","), "<unset>"), or(shown, "<unset>")]
        }
        Kind::ConfigMap => vec![(entries(value, "/data") + entries(value, "/binaryData")).to_string()],
        Kind::Secret => vec![text("/type"), entries(value, "/data").to_string()],
        Kind::Namespace => vec![text("/status/phase")],
        Kind::ResourceQuota => quota(value),
        _ => Vec::new(),
    }
}

/// A table of objects of one kind, each with its namespace if the kind has any; three blanks between columns.
pub fn table(kind: Kind, objects: &[&Object], now: Timestamp) -> String {
    let mut rows: Vec<Vec<Cow<'_, str>>> = Vec::new();
    let mut head: Vec<Cow<'_, str>> = Vec::new();
    if kind.namespaced() {
        head.push("NAMESPACE".into());
    }
    head.push("NAME".into());
    head.extend(columns(kind).iter().map(|name| Cow::Borrowed(*name)));
    head.push("AGE".into());
    rows.push(head);
    for object in objects {
        let value = object.to_value();
        let mut row: Vec<Cow<'_, str>> = Vec::new();
        if kind.namespaced() {
            row.push(sanitise(object.namespace()));
        }
        row.push(match kind {
            Kind::StorageClass if object.get().is_some_and(|class| storage::is_default_class(class)) => {
                format!("{} (default)", sanitise(object.name())).into()
            }
            _ => sanitise(object.name()),
        });
        row.extend(cells(kind, object, &value).into_iter().map(|cell| Cow::Owned(sanitise(&cell).into_owned())));
        let created = object.metadata().creation_timestamp.as_ref().map(|time| time.0);
        row.push(created.map_or("<unknown>".into(), |created| age(created, now).into()));
        rows.push(row);
    }
    let count = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..count).map(|i| rows.iter().filter_map(|row| row.get(i)).map(|c| width(c)).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, columns)| pad(cell, *columns)).collect();
        out.push_str(padded.join("   ").trim_end());
        out.push('\n');
    }
    out
}

/// READY and STATUS of a pod, as `kubectl get pods` shows them.
pub(crate) fn pod_status(value: &Value) -> (String, String) {
    let mut cells = pod::cells(value).into_iter();
    (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entries(value: &Value, pointer: &str) -> usize {
    value.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

fn phase(object: &Object, value: &Value) -> String {
    match object.metadata().deletion_timestamp {
        Some(_) => "Terminating".to_owned(),
        None => text(value, "/status/phase").to_owned(),
    }
}

/// `GetAccessModesAsString`: always in this order.
fn access_modes(value: &Value, pointer: &str) -> String {
    let modes: Vec<&str> = list(value, pointer).iter().filter_map(Value::as_str).collect();
    let known =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let short: Vec<&str> = known.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| *short).collect();
    short.join(",")
}

fn claim_ref(value: &Value) -> String {
    match value.pointer("/spec/claimRef") {
        Some(claim) => format!("{}/{}", text(claim, "/namespace"), text(claim, "/name")),
        None => String::new(),
    }
}

fn labels(value: &Value, pointer: &str) -> String {
    let map = value.pointer(pointer).and_then(Value::as_object);
    let pairs: Vec<String> =
        map.into_iter().flatten().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    or(pairs.join(","), "<none>")
}

fn job_status(object: &Object, value: &Value) -> String {
    let has = |wanted: &str| {
        list(value, "/status/conditions").iter().any(|c| text(c, "/type") == wanted && text(c, "/status") == "True")
    };
    let status = match object.metadata().deletion_timestamp {
        _ if has("Complete") => "Complete",
        _ if has("Failed") => "Failed",
        Some(_) => "Terminating",
        None if has("Suspended") => "Suspended",
        None if has("FailureTarget") => "FailureTarget",
        None if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        None => "Running",
    };
    status.to_owned()
}

fn external_ip(value: &Value) -> String {
    let ips: Vec<&str> = list(value, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match text(value, "/spec/type") {
        "ExternalName" => text(value, "/spec/externalName").to_owned(),
        "LoadBalancer" => or(ips.join(","), "<pending>"),
        _ => or(ips.join(","), "<none>"),
    }
}

fn ports(value: &Value) -> String {
    let port = |port: &Value| {
        let node_port = number(port, "/nodePort");
        let node = if node_port > 0 { format!(":{node_port}") } else { String::new() };
        format!("{}{node}/{}", number(port, "/port"), text(port, "/protocol"))
    };
    list(value, "/spec/ports").iter().map(port).collect::<Vec<_>>().join(",")
}

fn quota(value: &Value) -> Vec<String> {
    let hard = value.pointer("/status/hard").and_then(Value::as_object);
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in hard.into_iter().flatten() {
        let used = value.pointer("/status/used").and_then(|used| used.get(resource)).and_then(Value::as_str);
        let cell = format!("{resource}: {}/{}", used.unwrap_or("0"), hard.as_str().unwrap_or_default());
        if resource.starts_with("limits.") { limits.push(cell) } else { requests.push(cell) }
    }
    vec![requests.join(", "), limits.join(", ")]
}

/// Time since a moment, as `duration.HumanDuration` shortens it.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - since.as_second();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let pair = |one: i64, unit: char, other: i64, small: char| match other {
        0 => format!("{one}{unit}"),
        other => format!("{one}{unit}{other}{small}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10800 => format!("{minutes}m"),
        10800..28800 => pair(hours, 'h', minutes % 60, 'm'),
        28800..172800 => format!("{hours}h"),
        172800..691200 => pair(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::age;
    use k8s_openapi::jiff::Timestamp;

    #[test]
    fn ages_are_short() {
        let age = |seconds: i64| age(Timestamp::UNIX_EPOCH, Timestamp::constant(seconds, 0));
        let shown = [0, 119, 120, 150, 600, 7200, 10800, 86400, 180000].map(age);
        assert_eq!(shown, ["0s", "119s", "2m", "2m30s", "10m", "120m", "3h", "24h", "2d2h"]);
    }
}
