//! How long things take, as ratios against something measured in the same run: machines differ, ratios less.
//!
//! `cargo bench` prints one line each: what, the time it took (the fastest of many tries), and the ratio to its yardstick.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ckad_grade::api::Kind;
use ckad_grade::api::dynamic::FieldValidation;
use ckad_grade::api::object::types::StatefulSet;
use ckad_grade::cluster::Cluster;
use ckad_grade::environment::Environment;
use ckad_grade::grade::{grade, grade_in};
use ckad_grade::lang::Lang;
use ckad_grade::manifest;
use ckad_grade::report::Report;
use ckad_grade::scenario::{Library, Scenario};
use ckad_grade::timeline::{Action, ManifestFile, Step, play_step};

fn main() {
    reading();
    accepting();
    applying();
    grading();
    grading_distinct_answers();
    binding_many_claims();
    settling_a_stateful_set();
    whole_process();
}

/// The fastest of as many runs as fit into half a second (at least three).
fn fastest(mut run: impl FnMut()) -> Duration {
    let end = Instant::now() + Duration::from_millis(500);
    let mut best = Duration::MAX;
    let mut tries = 0;
    while tries < 3 || Instant::now() < end {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
        tries += 1;
    }
    best
}

fn report(what: &str, took: Duration, yardstick: &str, base: Duration) {
    let ratio = took.as_secs_f64() / base.as_secs_f64();
    println!("{what:<58} {took:>10.1?}   {ratio:>6.2} × {yardstick} ({base:.1?})");
}

/// The manifests of the recorded cases of volume binding.
fn cases() -> Vec<String> {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases/binding");
    let mut all: Vec<_> =
        std::fs::read_dir(key).unwrap().map(|case| case.unwrap().path().join("step-1.yaml")).collect();
    all.sort();
    all.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn serde_yaml_values(text: &str) {
    for document in serde_yaml::Deserializer::from_str(text) {
        black_box(<serde_yaml::Value as serde::Deserialize>::deserialize(document).unwrap());
    }
}

fn reading() {
    let text = cases().join("\n---\n");
    let yaml = fastest(|| serde_yaml_values(&text));
    let ours = fastest(|| {
        black_box(manifest::read("bench.yaml", text.as_bytes()));
    });
    report("read manifests, with places", ours, "serde_yaml to Value", yaml);
}

/// The server's part: what is read is decoded strictly, defaulted, admitted, validated and stored.
fn accepting() {
    let texts = cases();
    let yaml = fastest(|| texts.iter().for_each(|text| serde_yaml_values(text)));
    let fresh = Cluster::new(Environment::default());
    let accept = |text: &str| {
        let mut cluster = fresh.clone();
        for document in manifest::read("bench.yaml", text.as_bytes()).documents {
            let text = |field: &str| document.value[field].as_str().unwrap_or_default();
            let Some(kind) = Kind::find(text("apiVersion"), text("kind")) else { continue };
            let namespace = document.value["metadata"]["namespace"].as_str().unwrap_or("default");
            let server = cluster.api_mut();
            black_box(server.create_value(kind, namespace, &document.value, FieldValidation::Strict).is_ok());
        }
    };
    let accepted = fastest(|| texts.iter().for_each(|text| accept(text)));
    report("read, decode, default, validate", accepted, "serde_yaml to Value", yaml);
}

fn apply(text: &str) -> Step {
    let bytes = text.as_bytes().to_vec();
    Step { namespace: None, action: Action::Apply(vec![ManifestFile { name: "bench.yaml".to_owned(), bytes }]) }
}

fn applying() {
    let case =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases/binding/smallest-sufficient-pv-wins");
    let text = std::fs::read_to_string(case.join("step-1.yaml")).unwrap();
    let yaml = fastest(|| serde_yaml_values(&text));
    let fresh = Cluster::new(Environment::default());
    let boot = fastest(|| {
        black_box(Cluster::new(Environment::default()));
    });
    report("boot a cluster", boot, "serde_yaml of one manifest", yaml);
    let step = apply(&text);
    let played = fastest(|| {
        let mut cluster = fresh.clone();
        black_box(play_step(&mut cluster, &step));
    });
    report("apply a manifest and settle", played, "serde_yaml of it", yaml);
}

fn grading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join("scenarios/scenario-107.toml")).unwrap();
    let bytes = std::fs::read(root.join("solutions/scenario-107/key.yaml")).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let yaml = fastest(|| serde_yaml_values(&text));
    let loaded = fastest(|| {
        black_box(Scenario::parse(&source, "scenario-107.toml").unwrap());
    });
    report("load scenario-107", loaded, "serde_yaml of its key", yaml);
    let scenario = Scenario::parse(&source, "scenario-107.toml").unwrap();
    let answer = [ManifestFile { name: "key.yaml".to_owned(), bytes }];
    let graded = fastest(|| {
        black_box(grade(&scenario, &answer).unwrap());
    });
    report("grade scenario-107", graded, "serde_yaml of its key", yaml);
}

/// Every solution there is, right or wrong, each once: none of them says what another says. One thread, as a worker of
/// `batch` does it.
fn grading_distinct_answers() {
    const PASSES: usize = 5;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions");
    let (mut parsed, mut graded) = (Duration::ZERO, Duration::ZERO);
    let mut count = 0;
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    for entry in Library::embedded().entries() {
        let scenario = entry.load().unwrap();
        let start = ckad_grade::grade::start(&scenario).unwrap();
        let mut files: Vec<_> =
            std::fs::read_dir(root.join(&entry.id)).into_iter().flatten().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
        files.sort();
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let text = String::from_utf8(bytes.clone()).unwrap();
            let answer = [ManifestFile { name: "answer.yaml".to_owned(), bytes }];
            let mut best = (Duration::MAX, Duration::MAX);
            for _ in 0..PASSES {
                best.0 = best.0.min(once(&mut || {
                    for document in serde_yaml::Deserializer::from_str(&text) {
                        // what is broken on purpose is parsed up to there
                        if black_box(<serde_yaml::Value as serde::Deserialize>::deserialize(document)).is_err() {
                            break;
                        }
                    }
                }));
                best.1 = best.1.min(once(&mut || {
                    let graded = grade_in(&scenario, start.clone(), &answer).unwrap();
                    black_box(Report::without_diffs(&scenario, &graded, Lang::En));
                }));
            }
            parsed += best.0;
            graded += best.1;
            count += 1;
        }
    }
    let (parsed, graded) = (parsed / count, graded / count);
    report(&format!("grade one of {count} answers that all differ"), graded, "serde_yaml of it", parsed);
}

/// `count` volumes and as many claims that fit them.
fn volumes_and_claims(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let size = 1 + i % 7;
        write!(
            text,
            "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {{ name: pv-{i} }}\nspec:\n  capacity: {{ storage: {size}Gi }}\n  \
             accessModes: [ReadWriteOnce]\n  hostPath: {{ path: /data/{i} }}\n---\napiVersion: v1\nkind: \
             PersistentVolumeClaim\nmetadata: {{ name: claim-{i} }}\nspec:\n  accessModes: [ReadWriteOnce]\n  resources: \
             {{ requests: {{ storage: {size}Gi }} }}\n"
        )
        .unwrap();
    }
    text
}

fn binding_many_claims() {
    let settle = |count: usize| {
        let step = apply(&volumes_and_claims(count));
        fastest(|| {
            let mut cluster = Cluster::new(Environment::default());
            black_box(play_step(&mut cluster, &step));
        })
    };
    let small = settle(500) * 10;
    report("5,000 claims against 5,000 volumes", settle(5000), "ten times 500 against 500", small);
}

/// A class with a provisioner, and a StatefulSet with two claim templates.
fn stateful_set(replicas: usize) -> String {
    let mut text = format!(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{ name: made }}\nprovisioner: \
         kubernetes.io/host-path\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{ name: db }}\nspec:\n  serviceName: \
         db\n  replicas: {replicas}\n  selector: {{ matchLabels: {{ app: db }} }}\n  template:\n    metadata: {{ labels: {{ app: \
         db }} }}\n    spec: {{ containers: [{{ name: c, image: mysql }}] }}\n  volumeClaimTemplates:\n"
    );
    for name in ["data", "log"] {
        writeln!(
            text,
            "  - metadata: {{ name: {name} }}\n    spec: {{ storageClassName: made, accessModes: [ReadWriteOnce], resources: {{ \
             requests: {{ storage: 1Gi }} }} }}"
        )
        .unwrap();
    }
    text
}

fn settling_a_stateful_set() {
    let mut environment =
        Environment { provisioners: vec!["kubernetes.io/host-path".to_owned()], ..Environment::default() };
    for node in &mut environment.nodes {
        node.allocatable.insert("pods".to_owned(), "1000".to_owned());
    }
    let fresh = Cluster::new(environment);
    let settle = |replicas: usize| {
        let step = apply(&stateful_set(replicas));
        fastest(|| {
            let mut cluster = fresh.clone();
            black_box(play_step(&mut cluster, &step));
            let set = cluster.api().get::<StatefulSet>("default", "db").unwrap();
            let ready = set.status.as_ref().and_then(|status| status.ready_replicas);
            assert_eq!(ready, Some(replicas as i32), "not all pods are ready");
        })
    };
    let small = settle(100) * 10;
    report("a StatefulSet of 1,000 pods with two claims each", settle(1000), "ten times one of 100", small);
}

fn whole_process() {
    let run = |command: &mut Command| {
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok(), "{command:?} does not start");
    };
    let nothing = fastest(|| run(&mut Command::new("/bin/true")));
    let answer = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions/scenario-107/key.yaml");
    let grade = fastest(|| run(Command::new(env!("CARGO_BIN_EXE_ckad-grade")).arg("scenario-107").arg(&answer)));
    report("grade scenario-107, whole process", grade, "/bin/true", nothing);
    let limit = nothing * 3 + Duration::from_millis(3);
    println!("{:<58} {limit:>10.1?}", "  at most 3 × /bin/true + 3 ms:");
}
