//! `commands.sh` and `simulate --resolve` through the real binary.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use binary::{put, run, stdout};

/// A folder of its own for each test, with these files.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = binary::folder(test);
    for (name, text) in files {
        put(&folder, name, text);
    }
    folder
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_slice(&run(folder, &all).stdout).unwrap()
}

/// The names of the objects of a kind that are there in the end.
fn names(simulated: &Value, kind: &str) -> Vec<String> {
    let objects = simulated["steps"][0]["objects"].as_array().unwrap().iter();
    objects.filter(|o| o["kind"] == kind).map(|o| o["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_task_is_solved_by_commands_beside_a_manifest() {
    let key = include_str!("../solutions/scenario-107/key.yaml");
    let script = "#!/bin/sh\nkubectl annotate -n team-a pvc data note='by hand'\n";
    let folder = folder("solved", &[("answer/claim.yaml", key), ("answer/commands.sh", script)]);
    let graded = run(&folder, &["107", "answer"]);
    assert_eq!(graded.status.code(), Some(0), "{}", stdout(&graded));
    // the same with the manifest applied by a command
    fs::write(folder.join("answer/commands.sh"), "kubectl apply -f claim.yaml\n").unwrap();
    let graded = json(&folder, &["107", "answer"]);
    assert_eq!(graded["result"], "full", "{graded}");
    assert_eq!(graded["kubectl"]["stdout"].as_str().unwrap().matches(" created").count(), 1);
}

#[test]
fn a_line_that_is_not_played_is_shown_and_ends_with_3() {
    let script = "kubectl create ns a\nfor x in 1 2; do\n  kubectl create ns $x\ndone\n";
    let folder = folder("refused", &[("commands.sh", script)]);
    let graded = run(&folder, &["107", "commands.sh"]);
    assert_eq!(graded.status.code(), Some(3));
    let text = stdout(&graded);
    assert!(text.contains("commands.sh:2:1") && text.contains("commands.sh:3:3"), "{text}");
    assert!(text.contains("variables are not replaced"), "{text}");
    let text = stdout(&run(&folder, &["107", "commands.sh", "--lang", "zh-TW"]));
    assert!(text.contains("不會代入變數"), "{text}");
}

#[test]
fn a_command_that_fails_is_shown_and_ends_with_1() {
    let folder = folder("failed", &[("commands.sh", "kubectl create ns a\nkubectl scale deploy web --replicas=2\n")]);
    let graded = run(&folder, &["107", "commands.sh"]);
    assert_eq!(graded.status.code(), Some(1));
    let text = stdout(&graded);
    assert!(text.contains("commands.sh:2:1") && text.contains("deployments.apps \"web\" not found"), "{text}");
}

#[test]
fn commands_name_only_the_answers_own_files() {
    let script = "kubectl apply -f more/\nkubectl apply -f ../outside.yaml\nkubectl apply -f /etc/passwd\n\
                  kubectl create configmap a --from-file=/etc/passwd\nkubectl create cm b --from-file=text=more/a.txt\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inner}\n";
    let files = [
        ("answer/commands.sh", script),
        ("answer/more/map.yaml", map),
        ("answer/more/a.txt", "hello"),
        ("outside.yaml", map),
    ];
    let folder = folder("own", &files);
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", folder.join("answer/link.yaml")).unwrap();
    let simulated = json(&folder, &["simulate", "answer"]);
    assert_eq!(names(&simulated, "ConfigMap"), ["b", "inner"]);
    let stderr = simulated["steps"][0]["stderr"].as_str().unwrap();
    for line in [2, 3, 4] {
        assert!(stderr.contains(&format!("commands.sh:{line}: ")), "{stderr}");
    }
    assert!(!simulated.to_string().contains("root:"), "{simulated}");
}

#[test]
fn hostile_scripts_are_bounded() {
    let huge = format!("kubectl get {}\n", "x".repeat(3 << 20));
    let many = "kubectl create deployment a --image=nginx\nkubectl delete deployment a\n".repeat(2000);
    let hostile = [
        ("huge", huge.as_str()),
        ("nul", "kubectl get pods\0\nkubectl create ns after\n"),
        ("quote", "kubectl create ns 'a\nkubectl create ns b\n"),
        ("heredoc", "kubectl apply -f - <<EOF\nkind: x\n"),
        ("many", many.as_str()),
        ("escape", "kubectl create ns \u{1b}[31m\nkubectl label '\u{1b}]0;x\u{7}' a=b\n"),
        ("options", "kubectl create ns -- a b c\nkubectl --\nkubectl -n\nkubectl\nkubectl create\nkubectl set -n\n"),
    ];
    for (name, script) in hostile {
        let folder = folder(name, &[("commands.sh", script)]);
        let simulated = run(&folder, &["simulate", "commands.sh"]);
        assert_eq!(simulated.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&simulated.stderr));
        let text = stdout(&simulated);
        assert!(text.contains("commands.sh:"), "{name}: {text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{name}: {text:?}");
    }
}

const HEADLESS: &str = "apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 3306}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: mysql}]}
---
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: db}}
spec: {containers: [{name: c, image: mysql}]}
";

#[test]
fn the_clusters_dns_answers() {
    let folder = folder("dns", &[("db.yaml", HEADLESS), ("commands.sh", "kubectl run client --image=busybox\n")]);
    let ask = |arguments: &[&str]| {
        let all: Vec<&str> = ["simulate", "db.yaml", "commands.sh"].iter().chain(arguments).copied().collect();
        run(&folder, &all)
    };
    let text = stdout(&ask(&["--resolve", "db-0.db", "--from", "client"]));
    assert!(text.contains("search domains: default.svc.cluster.local svc.cluster.local cluster.local"), "{text}");
    assert!(text.contains("db-0.db.default.svc.cluster.local  A  10.244."), "{text}");
    assert!(text.trim_end().ends_with("pod default/db-0"), "{text}");
    let text = stdout(&ask(&["--resolve", "_sql._tcp.db.default.svc.cluster.local"]));
    assert!(text.contains("SRV  db-0.db.default.svc.cluster.local:3306"), "{text}");
    for (name, why) in [
        ("lone.db.default.svc.cluster.local", "NXDOMAIN: pod lone has no subdomain; it would have to be db"),
        ("db-9.db.default.svc.cluster.local", "no pod in namespace default with the name or hostname db-9"),
        ("web.default.svc.cluster.local", "NXDOMAIN: there is no Service web in namespace default"),
        ("db.team.svc.cluster.local", "NXDOMAIN: there is no namespace team"),
        ("example.com", "NXDOMAIN: the name is not below cluster.local"),
    ] {
        let text = stdout(&ask(&["--resolve", name]));
        assert!(text.contains(why), "{name}: {text}");
    }
    let text = stdout(&ask(&["--resolve", "db", "--from", "default/client", "--lang", "zh-TW"]));
    assert!(text.contains("搜尋網域："), "{text}");
    let missing = ask(&["--resolve", "db", "--from", "nobody"]);
    assert_eq!(missing.status.code(), Some(2));
    let value = json(&folder, &["simulate", "db.yaml", "--resolve", "db.default.svc.cluster.local", "--resolve", "x"]);
    assert_eq!(value["dns"][0]["addresses"].as_array().unwrap().len(), 3, "{}", value["dns"]);
    assert_eq!(value["dns"][0]["found"], "db.default.svc.cluster.local");
    assert_eq!(value["dns"][1]["found"], Value::Null);
    assert!(value["dns"][1]["whyNot"].is_string());
}

#[test]
fn a_step_of_a_timeline_is_any_kubectl_command() {
    let timeline = "[[steps]]\nkubectl = \"create deployment web --image=nginx\"\n\
                    [[steps]]\nkubectl = \"kubectl set image deploy/web nginx=nginx:1.28\"\n\
                    [[steps]]\nkubectl = \"apply -f ns.yaml\"\n\
                    [[steps]]\nkubectl = \"label ns team a=b\"\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n";
    let folder = folder("timeline", &[("timeline.toml", timeline), ("ns.yaml", namespace)]);
    let played = json(&folder, &["simulate", "timeline.toml"]);
    let said: Vec<&str> = played["steps"].as_array().unwrap().iter().map(|s| s["stdout"].as_str().unwrap()).collect();
    assert_eq!(
        said,
        [
            "deployment.apps/web created\n",
            "deployment.apps/web image updated\n",
            "namespace/team created\n",
            "namespace/team labeled\n"
        ]
    );
    fs::write(folder.join("timeline.toml"), "[[steps]]\nkubectl = \"get pods | grep web\"\n").unwrap();
    let refused = run(&folder, &["simulate", "timeline.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("step 1: a pipe leads only"));
}
