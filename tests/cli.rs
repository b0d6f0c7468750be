//! The command line through the real binary.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;

use binary::{code, command, folder, run, stderr, stdout, with_stdin};

const KEY: &str = include_str!("../solutions/scenario-107/key.yaml");
const WRONG: &str = include_str!("../solutions/scenario-107/wrong-label-value.yaml");

#[test]
fn full_marks_end_with_0_and_less_with_1() {
    let folder = folder("exit");
    fs::write(folder.join("scenario-107.yaml"), KEY).unwrap();
    let full = run(&folder, &["scenario-107"]);
    assert_eq!(code(&full), 0, "{}{}", stdout(&full), stderr(&full));
    assert!(stdout(&full).contains("full marks, 10 of 10 points"));

    fs::write(folder.join("scenario-107.yaml"), WRONG).unwrap();
    let less = run(&folder, &["107"]);
    assert_eq!(code(&less), 1);
    let text = stdout(&less);
    assert!(text.starts_with("✗ claim `data` is bound to volume `pv-gold`"), "{text}");
    assert!(text.contains("status.phase is Pending, expected Bound"), "{text}");
    assert!(text.contains("volume pv-gold: the claim's selector asks for tier=gld"), "{text}");
    assert!(text.contains("-   phase: Bound") && text.contains("+   phase: Pending"), "{text}");
}

#[test]
fn the_answer_is_found_as_file_or_folder() {
    for name in ["scenario-107.yaml", "scenario-107.yml", "scenario-107/claim.yaml"] {
        let folder = folder("found");
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, KEY).unwrap();
        assert_eq!(code(&run(&folder, &["107"])), 0, "{name}");
    }
    let folder = folder("found-json");
    fs::write(folder.join("scenario-107.json"), include_str!("../solutions/scenario-107/right-list.json")).unwrap();
    assert_eq!(code(&run(&folder, &["107"])), 0);
}

#[test]
fn files_folders_and_standard_input_are_answers() {
    let folder = folder("inputs");
    fs::create_dir(folder.join("mine")).unwrap();
    fs::write(folder.join("mine/a.yaml"), KEY).unwrap();
    fs::write(folder.join("mine/notes.txt"), "not: [yaml").unwrap();
    fs::write(folder.join("b.yml"), "# nothing\n").unwrap();
    assert_eq!(code(&run(&folder, &["107", "mine/a.yaml"])), 0);
    assert_eq!(code(&run(&folder, &["107", "b.yml", "mine"])), 0);
    assert_eq!(code(&with_stdin(&folder, &["107", "-"], KEY.as_bytes())), 0);
}

#[test]
fn without_an_answer_it_says_what_to_do() {
    let output = run(&folder("none"), &["107"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("scenario-107.yaml") && stdout(&output).is_empty(), "{}", stderr(&output));
}

#[test]
fn an_answer_that_cannot_be_read_ends_with_3() {
    let folder = folder("unreadable");
    let missing = run(&folder, &["107", "no.yaml"]);
    assert_eq!(code(&missing), 3);
    assert!(stderr(&missing).contains("no.yaml"));
    fs::create_dir(folder.join("empty")).unwrap();
    assert_eq!(code(&run(&folder, &["107", "empty"])), 3);
    let broken = with_stdin(&folder, &["107", "-"], b"spec:\n  a: [1\nb: 2\n");
    assert_eq!(code(&broken), 3);
    assert!(stdout(&broken).starts_with("error: error converting YAML to JSON: yaml: line "), "{}", stdout(&broken));
    assert!(stdout(&broken).contains("STDIN:"), "{}", stdout(&broken));
}

#[test]
fn a_mistyped_scenario_gets_a_suggestion() {
    let folder = folder("mistyped");
    for name in ["scenario-107-pdo", "107-pdo", "scneario-107-pod"] {
        let output = run(&folder, &[name]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("`107-pod`"), "{name}: {}", stderr(&output));
    }
    assert_eq!(code(&run(&folder, &["zebra"])), 2);
    assert_eq!(code(&run(&folder, &[])), 2);
    assert_eq!(code(&run(&folder, &["--no-such-option"])), 2);
    assert_eq!(code(&run(&folder, &["107", "list"])), 2);
}

#[test]
fn a_mistyped_command_gets_a_suggestion() {
    let output = run(&folder("mistyped-command"), &["simulat", "a.yaml"]);
    assert!(stderr(&output).contains("Did you mean `simulate`?"), "{}", stderr(&output));
    assert_eq!(code(&output), 2);
}

#[test]
fn a_kind_that_is_not_simulated_is_not_called_unknown() {
    let folder = folder("not-simulated");
    let lease = b"{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}}";
    let output = with_stdin(&folder, &["simulate", "-"], lease);
    assert!(stdout(&output).contains("Lease in version \"coordination.k8s.io/v1\" is not simulated"));
    let backup = b"{apiVersion: example.com/v1, kind: Backup, metadata: {name: a}}";
    let output = with_stdin(&folder, &["simulate", "-"], backup);
    assert!(stdout(&output).contains("matches for kind \"Backup\""));
}

#[test]
fn a_refused_manifest_is_shown_with_its_place_and_what_was_meant() {
    let folder = folder("refused");
    let answer = KEY.replace("selector:", "storageClass: manual\n  selector:");
    let output = with_stdin(&folder, &["107", "-"], answer.as_bytes());
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.starts_with("error: "), "{text}");
    assert!(text.contains("unknown field"), "{text}");
    assert!(text.contains("STDIN:12:3"), "{text}");
    assert!(text.contains("did you mean `storageClassName`?"), "{text}");
}

#[test]
fn the_report_is_json_for_programs() {
    let folder = folder("json");
    let output = with_stdin(&folder, &["107", "-", "--format", "json"], WRONG.as_bytes());
    assert_eq!(code(&output), 1);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["scenario"], "scenario-107");
    assert_eq!(report["result"], "failed");
    assert_eq!((&report["points"], &report["possible"]), (&5.into(), &10.into()));
    let check = &report["checks"][0];
    assert_eq!((&check["id"], &check["result"]), (&"bound-to-gold".into(), &"failed".into()));
    assert!(check["reasons"].as_array().unwrap().len() > 3);
    let phase = check["differences"].as_array().unwrap().iter().find(|d| d["path"] == "status.phase").unwrap();
    assert_eq!((&phase["expected"], &phase["actual"]), (&"Bound".into(), &"Pending".into()));
    assert_eq!(report["kubectl"]["stdout"], "persistentvolumeclaim/data created\n");
}

#[test]
fn the_language_is_asked_for_or_the_locale() {
    let folder = folder("lang");
    let asked = run(&folder, &["list", "--lang", "zh-TW"]);
    assert!(stdout(&asked).contains("暖身"), "{}", stdout(&asked));
    let locale = command(&folder, &["list"]).env("LANG", "zh_TW.UTF-8").output().unwrap();
    assert_eq!(asked.stdout, locale.stdout);
    let both = command(&folder, &["--lang", "en", "list"]).env("LC_ALL", "zh_TW.UTF-8").output().unwrap();
    assert!(stdout(&both).contains("warm-up"));
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let folder = folder("colour");
    let piped = with_stdin(&folder, &["107", "-"], WRONG.as_bytes());
    assert!(!piped.stdout.contains(&0x1b));
    let always = with_stdin(&folder, &["107", "-", "--color", "always"], WRONG.as_bytes());
    assert!(always.stdout.contains(&0x1b));
    let mut no_color = command(&folder, &["solution", "107"]);
    let no_color = no_color.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0").output().unwrap();
    assert!(!no_color.stdout.contains(&0x1b) && !no_color.stderr.contains(&0x1b));
}

#[test]
fn show_hint_and_solution_lead_to_an_answer() {
    let folder = folder("help");
    let show = run(&folder, &["show", "107"]);
    assert_eq!(code(&show), 0);
    assert!(stdout(&show).contains("scenario-107.yaml") && stdout(&show).contains("PersistentVolume pv-gold"));
    assert!(stdout(&show).lines().all(|line| line.chars().count() <= 80), "{}", stdout(&show));
    let cluster = run(&folder, &["show", "107", "--cluster"]);
    let applied = with_stdin(&folder, &["simulate", "-"], &cluster.stdout);
    assert!(stdout(&applied).contains("persistentvolume/pv-gold created"), "{}", stdout(&applied));
    let data: serde_json::Value =
        serde_json::from_slice(&run(&folder, &["show", "107", "--format", "json"]).stdout).unwrap();
    assert!(data["manifests"][0].as_str().unwrap().contains("name: pv-gold"));
    assert_eq!(code(&run(&folder, &["hint", "107"])), 0);
    assert_eq!(code(&run(&folder, &["hint", "107", "99"])), 2);
    let solution = run(&folder, &["solution", "107"]);
    assert_eq!((code(&solution), stdout(&solution).as_str()), (0, KEY));
}

#[test]
fn own_scenarios_override_the_built_in_ones_openly() {
    let folder = folder("override");
    let source = fs::read_to_string("scenarios/scenario-107.toml").unwrap();
    fs::create_dir(folder.join("scenarios")).unwrap();
    fs::write(folder.join("scenarios/scenario-107.toml"), &source).unwrap();
    let same = with_stdin(&folder, &["107", "-"], KEY.as_bytes());
    assert_eq!((code(&same), stderr(&same).as_str()), (0, ""));

    fs::write(folder.join("scenarios/scenario-107.toml"), source.replace("points = 5", "points = 15")).unwrap();
    let other = with_stdin(&folder, &["107", "-"], KEY.as_bytes());
    assert!(stdout(&other).contains("20 of 20 points"), "{}", stdout(&other));
    assert!(stderr(&other).contains("./scenarios"), "{}", stderr(&other));

    fs::rename(folder.join("scenarios"), folder.join("mine")).unwrap();
    let named = with_stdin(&folder, &["--scenarios", "mine", "107", "-"], KEY.as_bytes());
    assert!(stdout(&named).contains("20 of 20 points") && stderr(&named).contains("mine"));
    assert_eq!(code(&run(&folder, &["--scenarios", "nowhere", "list"])), 2);
}

#[test]
fn a_wrong_scenario_ends_with_2_and_its_place() {
    let folder = folder("wrong-scenario");
    fs::create_dir(folder.join("scenarios")).unwrap();
    let file = folder.join("scenarios/scenario-107.toml");
    let source = fs::read_to_string("scenarios/scenario-107.toml").unwrap();
    let cases = [
        ("points = 5", "pionts = 5", "did you mean `points`?"),
        ("minutes = 6", "minutes = \"six\"", "scenario-107.toml:5:11"),
        ("profile = \"two-nodes\"", "profile = \"two-node\"", "did you mean `two-nodes`?"),
        ("spec: { volumeName: pv-gold }", "spec: { volumname: pv-gold }", "did you mean `volumeName`?"),
        ("capacity: { storage: 5Gi }", "capcity: { storage: 5Gi }", "unknown field \"spec.capcity\""),
        ("format = 1", "format = 2", "reads format 1"),
    ];
    for (from, to, said) in cases {
        assert!(source.contains(from), "{from}");
        fs::write(&file, source.replacen(from, to, 1)).unwrap();
        let output = with_stdin(&folder, &["107", "-"], KEY.as_bytes());
        assert_eq!(code(&output), 2, "{to}: {}", stdout(&output));
        let text = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said) && text.contains("scenario-107.toml:"), "{to}: {text}");
    }
}

#[test]
fn nothing_an_answer_says_reaches_the_terminal_as_it_is() {
    let folder = folder("hostile");
    let evil = "\\e[2J\\e]0;x\\a\\u202e\\x9b31m\\r";
    let answers = [
        format!("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: \"{evil}\", namespace: team-a}}\n"),
        format!("apiVersion: v1\nkind: \"{evil}\"\nmetadata: {{name: a}}\n"),
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{\"{evil}\": 1}}\n"),
        KEY.replace("tier: gold", &format!("tier: \"{evil}\"")),
        KEY.replace("name: data", &format!("name: data\n  annotations: {{bad: \"{evil}\", \"{evil}\": x}}")),
        "a: \u{202e}b\n\u{9b}31m: [\n".to_owned(),
    ];
    for answer in answers {
        for arguments in [&["107", "-"][..], &["simulate", "-"]] {
            let output = with_stdin(&folder, arguments, answer.as_bytes());
            let all = stdout(&output) + &stderr(&output);
            let bad = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            assert!(!all.contains(bad), "{answer:?}: {all:?}");
        }
    }
}

#[test]
fn any_bytes_are_an_answer_and_no_panic() {
    let folder = folder("bytes");
    let mut deep = "[".repeat(20_000);
    deep.push('\n');
    let answers: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\xff\xfe\xfd",
        b"\xef\xbb\xbf---\n...\n---",
        b"--- !!binary x",
        b"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":",
        b"a: &a [*a, *a]\n",
        b"%YAML 9.9\n---\n\t",
        deep.as_bytes(),
    ];
    for answer in answers {
        let output = with_stdin(&folder, &["107", "-"], answer);
        assert!(matches!(output.status.code(), Some(1 | 3)), "{answer:?}: {:?} {}", output.status, stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
}

#[test]
fn simulate_shows_what_kubectl_would_list_and_why_something_waits() {
    let folder = folder("simulate");
    let claim = KEY.replace("  namespace: team-a\n", "");
    let output = with_stdin(&folder, &["simulate", "-"], claim.as_bytes());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("persistentvolumeclaim/data created"), "{text}");
    assert!(text.contains("NAMESPACE   NAME   STATUS    VOLUME"), "{text}");
    assert!(text.contains("no persistent volumes available for this claim"), "{text}");
    let json = with_stdin(&folder, &["simulate", "-", "--format", "json"], claim.as_bytes());
    let record: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(record["steps"][0]["objects"][0]["status"]["phase"], "Pending");
    let yaml = with_stdin(&folder, &["simulate", "-", "--format", "yaml"], claim.as_bytes());
    assert!(stdout(&yaml).contains("phase: Pending"));
    fs::write(
        folder.join("timeline.toml"),
        "[[steps]]\nmanifest = '''\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n'''\n",
    )
    .unwrap();
    let timeline = run(&folder, &["simulate", "timeline.toml"]);
    assert!(stdout(&timeline).contains("namespace/a created"), "{}", stdout(&timeline));
}

#[test]
fn without_arguments_it_shows_the_first_steps_on_one_screen() {
    let folder = folder("welcome");
    for (arguments, says) in [(&[][..], "grade it whenever you save"), (&["--lang", "zh-TW"][..], "每次存檔就評分")]
    {
        let output = run(&folder, arguments);
        let text = stderr(&output);
        assert_eq!(code(&output), 2);
        assert!(text.contains(says) && text.lines().count() < 24, "{text}");
    }
}

#[test]
fn help_is_in_the_language_that_is_asked_for_and_shows_examples() {
    let folder = folder("help");
    let helped = |arguments: &[&str]| stdout(&run(&folder, arguments));
    assert!(helped(&["exam", "start", "--help"]).contains("Examples\n  ckad-grade exam start"));
    assert_eq!(helped(&["help", "exam", "start"]), helped(&["exam", "start", "--help"]));
    let chinese = helped(&["exam", "start", "--help", "--lang=zh-TW"]);
    assert!(chinese.contains("用法：ckad-grade exam start") && chinese.contains("範例\n"), "{chinese}");
    let output = command(&folder, &["watch", "-h"]).env("LANG", "zh_TW.UTF-8").output().unwrap();
    assert!(stdout(&output).contains("下一題"), "{}", stdout(&output));
}

#[test]
fn a_wrong_command_line_is_told_in_one_sentence_and_in_both_languages() {
    let folder = folder("wrong-command-line");
    for (arguments, en, zh_tw) in [
        (&["show"][..], "error: something is missing: SCENARIO\n", "錯誤：缺少 SCENARIO\n"),
        (&["107", "--pictur", "x"], "no option `--pictur`\nDid you mean `--picture`?\n", "是不是 `--picture`？\n"),
        (&["exam", "finsh"], "no command `finsh`\nDid you mean `finish`?\n", "沒有 `finsh` 這個指令\n"),
        (
            &["list", "--level", "har"],
            "`har` is no --level LEVEL; it can be warm-up, exam, hard\n",
            "可以是 warm-up、exam、hard",
        ),
        (&["hint", "107", "x"], "`x` is no NUMBER: a whole number is wanted\n", "需要整數\n"),
        (&["exam", "start", "--minutes", "0"], "it is between 1 and 1440\n", "範圍是 1 到 1440\n"),
        (&["progress", "now"], "`now` is one word too many\n", "多了一個詞：`now`\n"),
        (&["exam", "start", "--minutes"], "--minutes MINUTES lacks a value\n", "缺少值\n"),
        (&["batch", "x", "--resume", "y"], "y does not go with SUBMISSIONS", "y 不能與"),
    ] {
        let output = run(&folder, arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(en), "{arguments:?}: {}", stderr(&output));
        let chinese = run(&folder, &[&["--lang", "zh-TW"], arguments].concat());
        assert!(stderr(&chinese).contains(zh_tw), "{arguments:?}: {}", stderr(&chinese));
        assert!(stderr(&chinese).contains("說明與範例："), "{}", stderr(&chinese));
    }
}
