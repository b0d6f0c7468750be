//! What `explain` finds.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::path::Path;

use ckad_grade::explain::fix::Fix;
use ckad_grade::explain::search::Budget;
use ckad_grade::explain::{self, Explained};
use ckad_grade::grade::grade;
use ckad_grade::lang::Lang;
use ckad_grade::report::explain as report;
use ckad_grade::report::text::{Message, say};
use ckad_grade::report::width::width;
use ckad_grade::scenario::solutions::variants;
use ckad_grade::scenario::{Library, Lookup, Scenario};
use ckad_grade::timeline::ManifestFile;

fn text(scenario: Option<&Scenario>, explained: &Explained, lang: Lang) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    report::write(scenario, explained, lang, &mut out).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

/// A wrong answer of the library, explained with a budget that is small enough for a test.
fn explained(scenario: &str, answer: &str) -> (Scenario, Explained) {
    let library = Library::embedded();
    let Lookup::Found(entry) = library.find(scenario) else { panic!("no {scenario}") };
    let scenario = entry.load().unwrap();
    let folder = Path::new("solutions").join(&scenario.id);
    let variant = variants(&folder).unwrap().into_iter().find(|variant| variant.name == answer).unwrap();
    let explained = explain::scenario(&scenario, &variant.files, SMALL).unwrap();
    (scenario, explained)
}

const SMALL: Budget = Budget { singles: 900, pairs: 0, work: 100_000 };

fn manifest(text: &str) -> Vec<ManifestFile> {
    vec![ManifestFile { name: "a.yaml".to_owned(), bytes: text.as_bytes().to_vec() }]
}

fn steps(fixes: &[Fix]) -> Vec<String> {
    let step = |step| say(Lang::En, &Message::FixStep(step));
    fixes.iter().map(|fix| fix.steps.iter().map(step).collect::<Vec<_>>().join("; ")).collect()
}

/// One wrong answer for each kind of edit.
const MENDED: &[(&str, &str, &str)] = &[
    ("107", "wrong-label-value.yaml", "change spec.selector.matchLabels.tier from gld to gold"),
    ("107", "wrong-too-much.yaml", "change spec.resources.requests.storage from 10Gi to 1Gi"),
    ("107", "wrong-namespace.yaml", "add metadata.namespace: team-a"),
    ("107", "wrong-no-selector.yaml", "add spec.selector: { matchLabels: { env: prod, tier: gold } }"),
    ("107-no-selector", "wrong-volume-name.yaml", "drop spec.volumeName: pv-shared"),
    ("105", "wrong-paths-swapped.yaml", SWAPPED),
    ("105", "wrong-writable.yaml", "add spec.containers[0].volumeMounts[0].readOnly: true"),
    ("107-pod", "wrong-config-map.yaml", UNION),
    ("106", "wrong-read-only-many.yaml", "change spec.accessModes[0] from ReadOnlyMany to ReadWriteOnce"),
];
const SWAPPED: &str = "swap the values of spec.containers[0].volumeMounts[0].mountPath and \
                       spec.volumes[0].hostPath.path: /data and /test-pd";
const UNION: &str =
    "replace spec.volumes[0].configMap by spec.volumes[0].persistentVolumeClaim: { claimName: content }";

#[test]
fn one_edit_is_found_for_wrong_answers_where_one_suffices_and_the_edited_text_gets_full_marks() {
    for (name, answer, expected) in MENDED {
        let (scenario, explained) = explained(name, answer);
        let found = steps(&explained.all);
        assert!(found.iter().any(|text| text == expected), "{name}/{answer}: {found:?}, not {expected:?}");
        for fix in &explained.all {
            assert!(grade(&scenario, &fix.files).unwrap().is_full(), "{name}/{answer}: {:?}", steps(&explained.all));
            assert!(!fix.diff.is_empty(), "{name}/{answer}: no lines to show");
        }
    }
}

#[test]
fn stories_and_fixes_read_well_in_both_languages() {
    let mut texts = String::new();
    for (name, answer) in [("107", "key.yaml"), ("107", "wrong-label-value.yaml"), ("106", "wrong-too-small.yaml")] {
        let (scenario, explained) = explained(name, answer);
        for lang in Lang::ALL {
            let text = text(Some(&scenario), &explained, lang);
            assert!(text.lines().all(|line| width(line) <= 80), "{text}");
            texts.push_str(&format!("=== {name} {answer} {}\n{text}\n", lang.tag()));
        }
    }
    insta::assert_snapshot!("stories", texts);
}

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv-gold, labels: { tier: gold } }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  hostPath: { path: /srv/gold }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 5Gi # too much
";

#[test]
fn without_a_task_a_claim_that_waits_is_freed_by_asking_for_less_or_offering_more() {
    let explained = explain::files(&manifest(CLAIM), SMALL).unwrap();
    let [waiting] = explained.waiting.as_slice() else { panic!("{:?}", explained.waiting) };
    let expected = [
        "spec.capacity.storage: offer at least 5Gi instead of 1Gi",
        "spec.resources.requests.storage: ask for at most 1Gi instead of 5Gi",
    ];
    assert_eq!(steps(&waiting.fixes)[..2], expected);
    let lines: Vec<(usize, bool, &str)> =
        waiting.fixes[1].diff.iter().map(|line| (line.line, line.added, line.text.as_str())).collect();
    assert_eq!(lines, [(17, false, "      storage: 5Gi # too much"), (17, true, "      storage: 1Gi # too much")]);
}

#[test]
fn the_story_is_told_in_the_order_of_time_with_who_did_what() {
    let explained = explain::files(&manifest(&CLAIM.replace("5Gi", "1Gi")), SMALL).unwrap();
    assert!(explained.waiting.is_empty());
    let story: Vec<(i64, &str, String)> =
        explained.story.iter().map(|line| (line.seconds, line.actor, say(Lang::En, &Message::Deed(line)))).collect();
    let bound = "bound PersistentVolumeClaim default/data to pv-gold: the only volume with at least 1Gi, ReadWriteOnce \
                 and no class";
    assert_eq!(
        story,
        [
            (0, "kubectl", "created PersistentVolume pv-gold".to_owned()),
            (0, "kubectl", "created PersistentVolumeClaim default/data".to_owned()),
            (0, "persistentvolume-controller", bound.to_owned()),
        ]
    );
}

#[test]
fn a_refused_document_is_mended_where_it_is_misspelt() {
    let wrong = CLAIM
        .replace("5Gi", "1Gi")
        .replace("accessModes: [ReadWriteOnce]\n  resources", "accesModes: [ReadWriteOnce]\n  resources");
    let explained = explain::files(&manifest(&wrong), SMALL).unwrap();
    assert_eq!(steps(&explained.all)[0], "write spec.accessModes instead of spec.accesModes");
    assert!(explained.all[0].diff.iter().any(|line| line.added && line.text == "  accessModes: [ReadWriteOnce]"));
}

#[test]
fn the_budget_bounds_what_is_tried() {
    let many: String = (0..200).map(|n| CLAIM.replace("data", &format!("data-{n}")) + "---\n").collect();
    let budget = Budget { singles: 5, pairs: 5, work: 1_000_000 };
    let explained = explain::files(&manifest(&many), budget).unwrap();
    assert!(explained.tried <= 11 && explained.cut_short, "{} tried", explained.tried);
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = binary::run_in_root(arguments);
    (output.status.code(), binary::stdout(&output))
}

#[test]
fn the_command_explains_an_answer_to_a_scenario_or_manifests_alone() {
    let answer = "solutions/scenario-107/wrong-label-value.yaml";
    let (status, text) = run(&["explain", "107", answer]);
    assert_eq!(status, Some(1));
    assert!(text.contains("change spec.selector.matchLabels.tier from gld to gold"), "{text}");
    let (status, text) = run(&["explain", "107", "solutions/scenario-107/key.yaml", "--lang", "zh-TW"]);
    assert_eq!(status, Some(0));
    assert!(text.contains("每一項都通過"), "{text}");
    let (status, text) = run(&["explain", answer, "--format", "json"]);
    assert_eq!(status, Some(1));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    // without the scenario there is no namespace for the claim
    assert_eq!(json["waiting"][0]["what"], "PersistentVolumeClaim team-a/data was refused");
    assert_eq!(json["waiting"][0]["fixes"][0]["steps"][0]["text"], "change metadata.namespace from team-a to default");
    let (status, _) = run(&["explain", "no-such-file.yaml"]);
    assert_eq!(status, Some(3));
}
