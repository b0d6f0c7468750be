//! The simulation against recordings of a real Kubernetes 1.36.2: every case under `cases/` has four verdicts.
//!
//! `cargo test --test conformance` prints the totals of each group when a verdict fails. What is known to differ is listed
//! in `known_differences.toml` with its reason; a difference that is gone must leave the list.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod compare;
mod normalise;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use compare::{Verdict, Verdicts};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn cases(group: &str) -> Vec<PathBuf> {
    let folder = root().join("cases").join(group);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn judge(case: &Path) -> Verdicts {
    let recorded: Value = serde_json::from_slice(&std::fs::read(case.join("expected.json")).unwrap()).unwrap();
    let timeline = ckad_grade::timeline::load(&case.join("timeline.toml")).unwrap();
    let simulated = ckad_grade::timeline::record::to_json(&timeline);
    compare::compare(&recorded, &simulated, compare::pins_nodes(case))
}

/// Verdicts that are known to fail: case → verdict → why.
fn known_differences() -> BTreeMap<String, BTreeMap<String, String>> {
    toml::from_str(&std::fs::read_to_string(root().join("known_differences.toml")).unwrap()).unwrap()
}

fn check_group(group: &str) {
    let known = known_differences();
    let cases = cases(group);
    assert!(!cases.is_empty(), "no cases in {group}");
    let mut totals: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut report = String::new();
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        let verdicts = judge(case);
        for verdict in Verdict::ALL {
            let differences = verdicts.of(verdict);
            *totals.entry(verdict).or_default() += usize::from(differences.is_empty());
            let excused = known.get(name).is_some_and(|verdicts| verdicts.contains_key(verdict.name()));
            if differences.is_empty() && excused {
                writeln!(report, "{name}: {} holds now: strike it from known_differences.toml", verdict.name())
                    .unwrap();
            }
            if !differences.is_empty() && !excused {
                writeln!(report, "{name}: {}", verdict.name()).unwrap();
                for difference in differences.iter().take(5) {
                    writeln!(report, "    {difference}").unwrap();
                }
            }
        }
    }
    let totals: Vec<String> = totals.iter().map(|(v, n)| format!("{} {n}/{}", v.name(), cases.len())).collect();
    assert!(report.is_empty(), "{group}: {}\n{report}", totals.join(", "));
}

#[test]
fn binding() {
    check_group("binding");
}

#[test]
fn lifecycle() {
    check_group("lifecycle");
}

#[test]
fn pods() {
    check_group("pods");
}

#[test]
fn workloads() {
    check_group("workloads");
}

#[test]
fn reject() {
    check_group("reject");
}

#[test]
fn known_differences_name_cases_that_exist() {
    let names: Vec<String> = ["binding", "lifecycle", "pods", "workloads", "reject"]
        .iter()
        .flat_map(|group| cases(group))
        .map(|case| case.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    for (case, verdicts) in known_differences() {
        assert!(names.contains(&case), "{case} is not a case");
        for (verdict, reason) in verdicts {
            assert!(Verdict::ALL.iter().any(|v| v.name() == verdict), "{case}: {verdict} is not a verdict");
            assert!(reason.len() > 20, "{case}: {verdict} needs a reason");
        }
    }
}
