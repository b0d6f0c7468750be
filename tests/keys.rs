//! Every scenario proves itself: its key and all other right answers get full marks, every wrong one fails exactly the checks it
//! says. A new scenario needs no new Rust.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;

use ckad_grade::grade::{Grade, grade};
use ckad_grade::lang::Lang;
use ckad_grade::proof::library::prove_all;
use ckad_grade::report::{Report, proof, terminal};
use ckad_grade::scenario::solutions::{Variant, variants};
use ckad_grade::scenario::{Entry, Library, Scenario};
use ckad_grade::timeline::record::visible_objects;
use ckad_grade::yaml;

fn scenarios() -> Vec<(Scenario, Vec<Variant>)> {
    let mut library = Library::default();
    library.add_folder(Path::new("scenarios")).unwrap();
    let load = |entry: &ckad_grade::scenario::Entry| {
        let scenario = entry.load().unwrap_or_else(|error| panic!("{error}"));
        let folder = entry.solutions().unwrap_or_else(|| panic!("{} has no solutions", entry.id));
        let variants = variants(&folder).unwrap_or_else(|error| panic!("{error}"));
        (scenario, variants)
    };
    library.entries().map(load).collect()
}

fn graded(scenario: &Scenario, variant: &Variant) -> Grade {
    grade(scenario, &variant.files).unwrap_or_else(|error| panic!("{error}"))
}

/// A report as a person would read it where there are no colours.
fn text(scenario: &Scenario, grade: &Grade, lang: Lang) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    terminal::write(&Report::new(scenario, grade, lang), &mut out).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

fn failed_checks(grade: &Grade) -> Vec<&str> {
    grade.failures().map(|(check, _)| check.id.as_str()).collect()
}

#[test]
fn keys_and_right_answers_get_full_marks_and_wrong_ones_fail_what_they_say() {
    let mut wrong = String::new();
    for (scenario, variants) in scenarios() {
        for variant in &variants {
            let grade = graded(&scenario, variant);
            let failed = failed_checks(&grade);
            if failed != variant.fails {
                let name = &variant.name;
                let report = text(&scenario, &grade, Lang::En);
                writeln!(wrong, "{}/{name} fails {failed:?}, not {:?}\n{report}", scenario.id, variant.fails).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_scenario_has_a_key_two_other_right_answers_and_three_wrong_ones() {
    for (scenario, variants) in scenarios() {
        let count = |prefix: &str| variants.iter().filter(|v| v.name.starts_with(prefix)).count();
        assert!(count("key.yaml") == 1 && count("right-") >= 2 && count("wrong-") >= 3, "{}", scenario.id);
        let failed: Vec<&String> = variants.iter().flat_map(|v| &v.fails).collect();
        for check in &scenario.checks {
            assert!(failed.contains(&&check.id), "no wrong answer to {} fails check {}", scenario.id, check.id);
        }
    }
}

/// What `ckad-grade scenario check` says: nothing is wrong, and no mutant of a key survives without a reason. A debug build,
/// which is ten times as slow, plays every fifth mutant; `MUTANTS=all` plays all there, too.
#[test]
fn every_scenario_proves_itself() {
    let mut library = Library::default();
    library.add_folder(Path::new("scenarios")).unwrap();
    let entries: Vec<Entry> = library.entries().cloned().collect();
    let sample = cfg!(debug_assertions) && std::env::var_os("MUTANTS").is_none();
    let proofs = prove_all(&entries, if sample { 5 } else { 1 });
    let mut out = anstream::StripStream::new(Vec::new());
    proof::write(&proofs, Lang::En, &mut out).unwrap();
    let report = String::from_utf8(out.into_inner()).unwrap();
    assert!(proofs.iter().all(|(_, proof)| !proof.is_wrong()), "{report}");
    assert!(proofs.iter().all(|(_, proof)| proof.counts.killed > 0), "{report}");
}

#[test]
fn an_empty_answer_does_not_pass() {
    for (scenario, _) in scenarios() {
        let grade = grade(&scenario, &[]).unwrap();
        assert!(!grade.is_pass(), "{}", scenario.id);
    }
}

#[test]
fn the_built_in_scenarios_are_those_of_the_folder() {
    let built_in: Vec<String> = Library::embedded().entries().map(|e| e.id.clone()).collect();
    let folder: Vec<String> = scenarios().into_iter().map(|(scenario, _)| scenario.id).collect();
    assert_eq!(built_in, folder);
}

#[test]
fn grading_twice_gives_the_same() {
    for (scenario, variants) in scenarios() {
        for variant in &variants {
            let report = || text(&scenario, &graded(&scenario, variant), Lang::En);
            assert_eq!(report(), report());
        }
    }
}

/// The objects of an outcome without what says nothing about the scenario: uids and what apply remembers.
fn outcome(grade: &Grade) -> String {
    let uid = regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let mut out = String::new();
    for object in visible_objects(grade.cluster.api().store()) {
        let mut value = object.to_value();
        if let Some(annotations) = value.pointer_mut("/metadata/annotations").and_then(|a| a.as_object_mut()) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                value.pointer_mut("/metadata").and_then(|m| m.as_object_mut()).unwrap().remove("annotations");
            }
        }
        writeln!(out, "---\n{}", uid.replace_all(yaml::to_string(&value).trim_end(), "<uid>")).unwrap();
    }
    out
}

#[test]
fn outcomes_and_reports_of_keys() {
    for (scenario, variants) in scenarios() {
        let key = variants.iter().find(|variant| variant.name == "key.yaml").unwrap();
        let grade = graded(&scenario, key);
        insta::assert_snapshot!(format!("{}-outcome", scenario.id), outcome(&grade));
        let reports = Lang::ALL.map(|lang| text(&scenario, &grade, lang)).join("\n");
        insta::assert_snapshot!(format!("{}-report", scenario.id), reports);
    }
}

#[test]
fn reports_of_wrong_answers() {
    for (scenario, variants) in scenarios() {
        let mut reports = String::new();
        for variant in variants.iter().filter(|variant| !variant.is_right()) {
            let grade = graded(&scenario, variant);
            for lang in Lang::ALL {
                writeln!(reports, "=== {} {}\n{}", variant.name, lang.tag(), text(&scenario, &grade, lang)).unwrap();
            }
        }
        insta::assert_snapshot!(format!("{}-wrong", scenario.id), reports);
    }
}
