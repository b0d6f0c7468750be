//! What must hold for every input, tried on generated ones.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;

use ckad_grade::api::object::Kind;
use ckad_grade::cluster::{Cluster, Settled};
use ckad_grade::environment::Environment;
use ckad_grade::timeline::{Action, ManifestFile, Step, play_step, record};
use proptest::prelude::*;
use serde_json::Value;

fn apply(manifest: &str) -> Step {
    let bytes = manifest.as_bytes().to_vec();
    Step { namespace: None, action: Action::Apply(vec![ManifestFile { name: "answer.yaml".to_owned(), bytes }]) }
}

/// The objects without what depends on when they were written.
fn outcome(cluster: &Cluster) -> Vec<Value> {
    record::visible_objects(cluster.api().store())
        .map(|object| {
            let mut value = object.to_value();
            scrub(&mut value);
            value
        })
        .collect()
}

fn scrub(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|k, _| !k.to_lowercase().contains("time") && k != "uid");
            map.values_mut().for_each(scrub);
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        _ => {}
    }
}

fn access_modes() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(vec!["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"], 1..=3)
}

/// A volume's empty class is dropped by the API server, so kubectl would say `configured` again and again.
fn volume_class() -> impl Strategy<Value = Option<&'static str>> {
    proptest::sample::select(vec![None, Some("slow"), Some("fast")])
}

fn claim_class() -> impl Strategy<Value = Option<&'static str>> {
    proptest::sample::select(vec![None, Some(""), Some("slow"), Some("fast")])
}

fn volume(index: usize) -> impl Strategy<Value = String> {
    (1..5u8, access_modes(), volume_class(), any::<bool>(), any::<bool>()).prop_map(
        move |(size, modes, class, gold, reserved)| {
            let mut text = format!("apiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: pv-{index}\n");
            if gold {
                text.push_str("  labels: { tier: gold }\n");
            }
            writeln!(text, "spec:\n  capacity: {{ storage: {size}Gi }}\n  accessModes: {modes:?}").unwrap();
            if let Some(class) = class {
                writeln!(text, "  storageClassName: {class:?}").unwrap();
            }
            if reserved && index == 0 {
                text.push_str("  claimRef: { namespace: default, name: claim-0 }\n");
            }
            writeln!(text, "  hostPath: {{ path: /data/{index} }}").unwrap();
            text
        },
    )
}

fn claim(index: usize) -> impl Strategy<Value = String> {
    (1..5u8, access_modes(), claim_class(), any::<bool>()).prop_map(move |(size, modes, class, gold)| {
        let mut text =
            format!("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: claim-{index}\nspec:\n");
        writeln!(text, "  resources: {{ requests: {{ storage: {size}Gi }} }}\n  accessModes: {modes:?}").unwrap();
        if let Some(class) = class {
            writeln!(text, "  storageClassName: {class:?}").unwrap();
        }
        if gold {
            text.push_str("  selector: { matchLabels: { tier: gold } }\n");
        }
        text
    })
}

fn volumes() -> impl Strategy<Value = Vec<String>> {
    (1..6usize).prop_flat_map(|n| (0..n).map(volume).collect::<Vec<_>>())
}

fn claims() -> impl Strategy<Value = Vec<String>> {
    (1..4usize).prop_flat_map(|n| (0..n).map(claim).collect::<Vec<_>>())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a cluster of everything that waits for something else starts with.
const WORLD: &str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: later }
provisioner: kubernetes.io/host-path
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: now }
provisioner: kubernetes.io/host-path
";

fn used_claim(name: &'static str) -> impl Strategy<Value = String> {
    let class = proptest::sample::select(vec!["", "later", "now", "missing"]);
    (1..4u8, class).prop_map(move |(size, class)| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{ name: {name} }}\nspec:\n  accessModes: [ReadWriteOnce]\n  \
             storageClassName: \"{class}\"\n  resources: {{ requests: {{ storage: {size}Gi }} }}\n"
        )
    })
}

/// A pod template; what it mounts and asks for may never be there.
fn template() -> impl Strategy<Value = String> {
    let volume = proptest::sample::select(vec![
        "",
        "persistentVolumeClaim: { claimName: one }",
        "persistentVolumeClaim: { claimName: two }",
        "configMap: { name: absent }",
        "emptyDir: {}",
    ]);
    let cpu = proptest::sample::select(vec!["100m", "64"]);
    let probe =
        proptest::sample::select(vec!["", ", readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 5 }"]);
    (volume, cpu, probe).prop_map(|(volume, cpu, probe)| {
        let volumes = if volume.is_empty() { String::new() } else { format!("volumes: [{{ name: v, {volume} }}], ") };
        format!(
            "{{ {volumes}containers: [{{ name: c, image: i, resources: {{ requests: {{ cpu: {cpu} }} }}{probe} }}] }}"
        )
    })
}

fn workload(kind: &'static str) -> impl Strategy<Value = String> {
    (template(), 0..4u8).prop_map(move |(template, replicas)| {
        let name = kind.to_lowercase();
        let service = if kind == "StatefulSet" { ", serviceName: s" } else { "" };
        format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ replicas: {replicas}{service}, selector: {{ \
             matchLabels: {{ a: {name} }} }}, template: {{ metadata: {{ labels: {{ a: {name} }} }}, spec: {template} }} }}\n"
        )
    })
}

fn pod() -> impl Strategy<Value = String> {
    template().prop_map(|template| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: alone, labels: {{ a: deployment }} }}\nspec: {template}\n"
        )
    })
}

fn service() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["deployment", "statefulset"]).prop_map(|app| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{ name: s }}\nspec: {{ selector: {{ a: {app} }}, ports: [{{ port: 80 }}] }}\n")
    })
}

/// The documents of an answer in which much depends on other things, in any order.
fn world() -> impl Strategy<Value = Vec<String>> {
    let documents = (
        used_claim("one"),
        used_claim("two"),
        volume(0),
        pod(),
        workload("Deployment"),
        workload("StatefulSet"),
        service(),
    );
    documents.prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g]).prop_shuffle()
}

/// The outcome without what is given out in the order of asking: addresses, nodes, generated names.
fn outcome_in_any_order(cluster: &Cluster) -> Vec<String> {
    const GIVEN_OUT: [&str; 7] = ["podIP", "podIPs", "hostIP", "hostIPs", "nodeName", "addresses", "resourceVersion"];
    fn without(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| !GIVEN_OUT.contains(&key.as_str()));
                map.values_mut().for_each(without);
            }
            Value::Array(items) => items.iter_mut().for_each(without),
            _ => {}
        }
    }
    let names =
        regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|-[bcdfghjklmnpqrstvwxz2456789]{5}\\b").unwrap();
    let text = |mut value: Value| {
        without(&mut value);
        names.replace_all(&value.to_string(), "-*").into_owned()
    };
    let mut objects: Vec<String> = outcome(cluster).into_iter().map(text).collect();
    objects.sort();
    objects
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_the_same_manifest_again_changes_nothing(volumes in volumes(), claims in claims()) {
        let manifest = [volumes, claims].concat().join("---\n");
        let mut cluster = Cluster::new(Environment::default());
        let first = play_step(&mut cluster, &apply(&manifest)).output;
        prop_assert_eq!(first.stderr, "");
        let before = outcome(&cluster);
        let again = play_step(&mut cluster, &apply(&manifest)).output;
        prop_assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
        prop_assert_eq!(before, outcome(&cluster));
    }

    #[test]
    fn the_order_of_volumes_does_not_matter(
        (volumes, shuffled) in volumes().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        claims in claims(),
    ) {
        let play = |volumes: Vec<String>| {
            let mut cluster = Cluster::new(Environment::default());
            play_step(&mut cluster, &apply(&volumes.join("---\n")));
            play_step(&mut cluster, &apply(&claims.join("---\n")));
            outcome(&cluster)
        };
        prop_assert_eq!(play(volumes), play(shuffled));
    }

    #[test]
    fn a_settled_cluster_stays_as_it_is(volumes in volumes(), claims in claims()) {
        let mut cluster = Cluster::new(Environment::default());
        play_step(&mut cluster, &apply(&[claims, volumes].concat().join("---\n")));
        let revision = cluster.api().store().revision();
        cluster.settle();
        prop_assert_eq!(revision, cluster.api().store().revision());
    }

    #[test]
    fn the_order_of_turns_does_not_matter(documents in world(), seed in any::<u64>()) {
        let play = |cluster: Cluster| {
            let mut cluster = cluster;
            play_step(&mut cluster, &apply(WORLD));
            let output = play_step(&mut cluster, &apply(&documents.join("---\n"))).output;
            prop_assert_eq!(output.stderr, "");
            cluster.settle();
            let revision = cluster.api().store().revision();
            cluster.settle();
            prop_assert_eq!(revision, cluster.api().store().revision(), "not a fixed point");
            Ok(outcome_in_any_order(&cluster))
        };
        let usual = play(Cluster::new(Environment::default()))?;
        let shuffled = play(Cluster::new(Environment::default()).with_turns_shuffled(seed))?;
        prop_assert_eq!(usual, shuffled);
    }

    #[test]
    fn a_volume_serves_one_claim_and_is_big_enough_for_it(volumes in volumes(), claims in claims()) {
        let mut cluster = Cluster::new(Environment::default());
        play_step(&mut cluster, &apply(&[volumes, claims].concat().join("---\n")));
        let objects = outcome(&cluster);
        let mut used = Vec::new();
        for claim in objects.iter().filter(|o| o["kind"] == "PersistentVolumeClaim") {
            let bound = claim["status"]["phase"] == "Bound";
            let volume = text(&claim["spec"]["volumeName"]);
            prop_assert_eq!(bound, !volume.is_empty());
            if bound {
                prop_assert!(!used.contains(&volume), "{volume} is used twice");
                used.push(volume);
                let volume = objects.iter().find(|o| o["metadata"]["name"] == volume).unwrap();
                prop_assert_eq!(&volume["spec"]["claimRef"]["name"], &claim["metadata"]["name"]);
                let (has, wants) = (&volume["spec"]["capacity"], &claim["spec"]["resources"]["requests"]);
                prop_assert!(text(&has["storage"]) >= text(&wants["storage"]));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        ckad_grade::manifest::read("answer.yaml", &bytes);
    }

    #[test]
    fn no_yaml_like_text_makes_the_reader_panic(
        text in "([a-z]{1,4}|: |- |\n|  |\\[|\\]|\\{|\\}|\"|'|&a |\\*a|<<: |\\||>|!|%|#|---\n|\t|,|\\?)*",
    ) {
        ckad_grade::manifest::read("answer.yaml", text.as_bytes());
    }
}

/// Kubernetes itself goes on replacing such pods for ever.
#[test]
fn pods_that_are_refused_at_once_are_not_replaced_without_end() {
    let template = "{metadata: {labels: {app: web}}, spec: {nodeName: node01, containers: [{name: a, image: i, \
                    resources: {requests: {cpu: '500'}}}]}}";
    for kind in ["Deployment", "StatefulSet"] {
        let manifest = format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web}}\nspec: {{replicas: 2, selector: {{matchLabels: \
             {{app: web}}}}, template: {template}}}"
        );
        let mut cluster = Cluster::new(Environment::default());
        let played = play_step(&mut cluster, &apply(&manifest));
        assert_eq!(played.settled, Settled::Yes, "{kind}");
        let pods = cluster.api().store().objects_of(Kind::Pod).count();
        assert!((1..3000).contains(&pods), "{pods} pods of a {kind}");
    }
}
