//! `ckad-grade batch` through the real binary.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use binary::{folder, put, text};

const KEY: &str = include_str!("../solutions/scenario-107/key.yaml");
const WRONG: &str = include_str!("../solutions/scenario-107/wrong-label-value.yaml");
const POD_KEY: &str = include_str!("../solutions/scenario-105/key.yaml");

fn run(folder: &Path, arguments: &[&str]) -> Output {
    binary::run(folder, &[&["batch"], arguments].concat())
}

/// The entries of a run, which must not fail.
fn entries(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = run(folder, &[arguments, &["--report", "jsonl=-"]].concat());
    assert!(output.status.code().is_some_and(|code| code <= 1), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `student scenario` → points or status, of every entry.
fn grades(folder: &Path, arguments: &[&str]) -> BTreeMap<String, String> {
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let grade = |entry: &Value| match entry["status"].as_str() {
        Some("graded") => entry["points"].to_string(),
        _ => word(entry, "status"),
    };
    let all = entries(folder, arguments);
    all.iter().map(|e| (format!("{} {}", word(e, "student"), word(e, "scenario")), grade(e))).collect()
}

fn expect(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect();
    assert_eq!(found, &expected);
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        // names that the crate would refuse to write
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

const BOTH: [(&str, &str); 2] = [("alice scenario-107", "10"), ("bob scenario-107", "5")];

#[test]
fn common_layouts_are_recognised_without_a_pattern() {
    for (test, alice, bob) in [
        ("student-folders", "alice/scenario-107.yaml", "bob/107.yml"),
        ("scenario-folders", "scenario-107/alice.yaml", "scenario-107/bob.yaml"),
        ("flat", "alice_scenario-107.yaml", "bob_scenario-107.yaml"),
        ("wrapped", "download/alice/scenario-107.yaml", "download/bob/scenario-107.yaml"),
        ("folder-per-answer", "alice/scenario-107/claim.yaml", "bob/scenario-107/pvc.yaml"),
        ("moodle", "alice_1_assignsubmission_file_/scenario-107.yaml", "bob_2_assignsubmission_file_/107.yaml"),
        ("canvas", "alice_11_22_scenario-107.yaml", "bob_LATE_12_23_scenario-107-1.yaml"),
        (
            "github",
            "scenario-107-submissions/scenario-107-alice/answer.yaml",
            "scenario-107-submissions/scenario-107-bob/answer.yaml",
        ),
    ] {
        let folder = folder(&format!("layout-{test}"));
        put(&folder, &format!("sub/{alice}"), KEY);
        put(&folder, &format!("sub/{bob}"), WRONG);
        println!("{test}");
        expect(&grades(&folder, &["sub"]), &BOTH);
    }
}

#[test]
fn gradescope_folders_belong_to_whom_their_metadata_names() {
    let folder = folder("gradescope");
    put(&folder, "sub/submission_1/scenario-107.yaml", KEY);
    put(&folder, "sub/submission_2/scenario-107.yaml", WRONG);
    let person = |id: u32, name: &str| {
        format!(
            "submission_{id}:\n  :submitters:\n  - :name: {name}\n    :email: {name}@x.org\n  :created_at: 2026-05-01 10:11:12 Z\n"
        )
    };
    put(&folder, "sub/submission_metadata.yml", person(1, "alice") + &person(2, "bob"));
    expect(&grades(&folder, &["sub"]), &BOTH);
}

#[test]
fn a_pattern_says_where_student_and_scenario_stand() {
    let folder = folder("pattern");
    put(&folder, "sub/107/g1/al_ice.yaml", KEY);
    put(&folder, "sub/elsewhere.yaml", KEY);
    let found = grades(&folder, &["sub", "--layout", "{scenario}/*/{student}.yaml"]);
    expect(&found, &[("al_ice scenario-107", "10"), (" ", "unmatched")]);
    let wrong = run(&folder, &["sub", "--layout", "{scenario}/x.yaml"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn where_one_scenario_is_asked_for_paths_need_not_name_it() {
    let folder = folder("only");
    put(&folder, "sub/alice/claim.yaml", KEY);
    put(&folder, "sub/bob/scenario-105.yaml", POD_KEY);
    let found = grades(&folder, &["sub", "--only", "107"]);
    expect(&found, &[("alice scenario-107", "10"), ("bob ", "unmatched")]);
    assert_eq!(run(&folder, &["sub", "--only", "999"]).status.code(), Some(2));
}

#[test]
fn archives_are_graded_as_they_are_downloaded() {
    let folder = folder("archives");
    let files: [(&str, &[u8]); 2] =
        [("x/alice/scenario-107.yaml", KEY.as_bytes()), ("x/bob/scenario-107.yaml", WRONG.as_bytes())];
    put(&folder, "a.zip", zip(&files));
    put(&folder, "a.tar", tar(&files));
    put(&folder, "a.tar.gz", gz(&tar(&files)));
    for archive in ["a.zip", "a.tar", "a.tar.gz"] {
        expect(&grades(&folder, &[archive]), &BOTH);
    }
    // students hand in archives, too
    put(&folder, "sub/alice.zip", zip(&[("scenario-107.yaml", KEY.as_bytes())]));
    put(&folder, "sub/bob/answer.tgz", gz(&tar(&[("scenario-107.yaml", WRONG.as_bytes())])));
    expect(&grades(&folder, &["sub"]), &BOTH);
    put(&folder, "b.zip", zip(&[("alice_9_assignsubmission_file_/hw.zip", &zip(&[("107.yaml", KEY.as_bytes())]))]));
    expect(&grades(&folder, &["b.zip"]), &[("alice scenario-107", "10")]);
}

#[test]
fn several_files_are_one_answer() {
    let folder = folder("several");
    let (claim, pod) = include_str!("../solutions/scenario-107-pod/key.yaml").split_once("---").unwrap();
    put(&folder, "sub/alice/scenario-107-pod/1.yaml", claim);
    put(&folder, "sub/alice/scenario-107-pod/2.yaml", pod);
    put(&folder, "sub/alice/README.md", "mine");
    expect(&grades(&folder, &["sub"]), &[("alice scenario-107-pod", "10")]);
}

#[test]
fn kubectl_commands_are_an_answer() {
    let folder = folder("commands");
    let solutions = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions/scenario-workloads-scale/right-commands");
    let commands = fs::read_to_string(solutions.join("commands.sh")).unwrap();
    put(&folder, "sub/alice/scenario-workloads-scale.sh", &commands);
    put(&folder, "sub/bob/scenario-workloads-scale/commands.sh", &commands);
    put(&folder, "sub/bob/scenario-workloads-scale/notes.txt", "commands may name it");
    // to a reader of YAML the same text, but no command
    put(&folder, "sub/carol/scenario-workloads-scale.sh", commands.replace("\nkubectl", "\n# kubectl"));
    let found = grades(&folder, &["sub"]);
    let points = |student: &str| found[&format!("{student} scenario-workloads-scale")].parse::<u32>().unwrap();
    assert!(found.len() == 3 && points("alice") > 0, "{found:?}");
    assert_eq!(points("alice"), points("bob"));
    assert!(points("carol") < points("alice"));
}

#[test]
fn a_folder_of_nothing_but_scenarios_is_one_students() {
    let folder = folder("single");
    put(&folder, "alice/scenario-107.yaml", KEY);
    put(&folder, "alice/105.yaml", POD_KEY);
    expect(&grades(&folder, &["alice"]), &[("alice scenario-107", "10"), ("alice scenario-105", "10")]);
}

#[test]
fn the_roster_says_who_is_missing_and_who_somebody_is() {
    let folder = folder("roster");
    put(
        &folder,
        "roster.csv",
        "Student,ID,SIS User ID,SIS Login ID,Section\n\"Liddell, Alice\",11,,alice,A\n\"Baker, Bob\",12,,bob,A\n",
    );
    put(&folder, "sub/liddellalice_11_22_scenario-107.yaml", KEY);
    put(&folder, "sub/mallory_13_24_scenario-107.yaml", WRONG);
    let found = grades(&folder, &["sub", "--roster", "roster.csv"]);
    let expected =
        [("Liddell, Alice scenario-107", "10"), ("Baker, Bob scenario-107", "missing"), ("mallory scenario-107", "5")];
    expect(&found, &expected);
    let all = entries(&folder, &["sub", "--roster", "roster.csv"]);
    assert_eq!(all.last().unwrap()["notes"][0], "not on the roster");
}

#[test]
fn the_best_the_last_or_every_attempt_counts() {
    let folder = folder("attempts");
    put(&folder, "sub/alice/scenario-107_2026-05-01.yaml", WRONG);
    put(&folder, "sub/alice/scenario-107_2026-05-02.yaml", KEY);
    put(&folder, "sub/alice/scenario-107_2026-05-03.yaml", "kind: Pod\n");
    let points = |attempts: &str| -> Vec<(u64, u64)> {
        let all = entries(&folder, &["sub", "--attempts", attempts]);
        all.iter().map(|e| (e["attempt"]["number"].as_u64().unwrap(), e["points"].as_u64().unwrap())).collect()
    };
    assert_eq!(points("last"), [(3, 0)]);
    assert_eq!(points("best"), [(2, 10)]);
    assert_eq!(points("all"), [(1, 5), (2, 10), (3, 0)]);
}

/// A class in which everything happens.
fn class(folder: &Path) {
    for number in 0..24 {
        let text = match number % 4 {
            0 => KEY.to_owned(),
            1 => WRONG.to_owned(),
            2 => format!("{KEY}# {number}\n"),
            _ => format!("a: [{number}\n"),
        };
        put(folder, &format!("sub/student-{number:02}/scenario-107.yaml"), text);
        put(
            folder,
            &format!("sub/student-{number:02}/scenario-105.yaml"),
            POD_KEY.replace("/data", &format!("/data{}", number % 5)),
        );
    }
    put(folder, "sub/nobody.yaml", "");
    put(folder, "sub/student-03/essay.docx", "PK");
    put(folder, "roster.csv", "name\nstudent-00\nstudent-01\nzoe\n");
}

#[test]
fn parts_put_together_are_one_run() {
    let folder = folder("shards");
    class(&folder);
    let common = ["--roster", "roster.csv", "--similar"];
    let whole = ["csv=w.csv", "jsonl=w.jsonl", "junit=w.xml", "json=w.json", "moodle=w.moodle", "canvas=w.canvas"];
    let reports =
        |names: &[&str]| names.iter().flat_map(|name| ["--report".to_owned(), (*name).to_owned()]).collect::<Vec<_>>();
    let call = |arguments: Vec<String>| {
        let output = run(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    };
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    call([strings(&["sub"]), strings(&common), reports(&whole)].concat());
    for part in 1..=3 {
        let (shard, file) = (format!("{part}/3"), format!("part-{part}.jsonl"));
        let output = run(&folder, &[&["sub", "--shard", &shard, "-o", &file, "--jobs", "1"], &common[..]].concat());
        assert!(output.status.code().unwrap() <= 1);
        assert!(fs::metadata(folder.join(file)).unwrap().len() > 0);
    }
    let merged: Vec<String> = whole.iter().map(|name| name.replace("=w.", "=m.")).collect();
    let merged = reports(&merged.iter().map(String::as_str).collect::<Vec<_>>());
    let parts = strings(&["merge", "part-3.jsonl", "part-1.jsonl", "part-2.jsonl", "part-2.jsonl"]);
    call([parts, strings(&common), merged].concat());
    for name in whole {
        let (_, file) = name.split_once('=').unwrap();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(read(file), read(&file.replace("w.", "m.")), "{file}");
    }
}

#[test]
fn a_run_goes_on_after_its_journal_ends_anywhere() {
    let folder = folder("resume");
    class(&folder);
    let journal = folder.join("journal");
    let resumed = || {
        let output = run(&folder, &["sub", "--resume=journal", "--report", "jsonl=-"]);
        assert!(output.status.code().unwrap() <= 1, "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (whole, said) = resumed();
    assert_eq!(said, "");
    let full = fs::read(&journal).unwrap();
    let lines: Vec<usize> = full.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let mut ends = vec![0, 1, 10, lines[0], lines[0] + 1, full.len() - 1, full.len()];
    for line in lines.iter().step_by(7) {
        ends.extend([line - 1, *line, line + 1, line + 20, line + 34, line + 60]);
    }
    for end in ends {
        let end = end.min(full.len());
        fs::write(&journal, &full[..end]).unwrap();
        assert_eq!(resumed().0, whole, "cut at {end}");
    }
    // damage in the middle costs what follows, not the result
    let mut damaged = full.clone();
    damaged[full.len() / 2] ^= 1;
    fs::write(&journal, &damaged).unwrap();
    assert_eq!(resumed().0, whole);
    let (again, said) = resumed();
    assert_eq!((again, said.as_str()), (whole, "48 grades taken over from the journal\n"));
}

#[test]
fn only_what_changed_is_graded_again() {
    let folder = folder("changed");
    class(&folder);
    let said = || text(&run(&folder, &["sub", "--resume=journal", "--report", "jsonl=-"]).stderr);
    assert_eq!(said(), "");
    put(&folder, "sub/student-07/scenario-107.yaml", KEY);
    assert_eq!(said(), "47 grades taken over from the journal\n");
    fs::write(folder.join("other"), "important").unwrap();
    let refused = run(&folder, &["sub", "--resume=other"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::read_to_string(folder.join("other")).unwrap(), "important");
}

#[test]
fn a_killed_run_leaves_a_journal_that_is_taken_over() {
    let folder = folder("killed");
    class(&folder);
    let whole = text(&run(&folder, &["sub", "--report", "jsonl=-"]).stdout);
    for pause in [1, 5, 10, 15, 20, 30, 40, 60] {
        let mut child = binary::command(&folder, &["batch", "sub", "--resume=journal", "--jobs", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let _ = child.kill();
        child.wait().unwrap();
        let resumed = run(&folder, &["sub", "--resume=journal", "--report", "jsonl=-"]);
        assert_eq!(text(&resumed.stdout), whole, "killed after {pause} ms");
        if pause % 2 == 0 {
            fs::remove_file(folder.join("journal")).unwrap();
        }
    }
}

#[test]
fn the_number_of_jobs_changes_nothing() {
    let folder = folder("jobs");
    class(&folder);
    let with = |jobs: &str| text(&run(&folder, &["sub", "--jobs", jobs, "--format", "json"]).stdout);
    assert_eq!(with("1"), with("7"));
}
