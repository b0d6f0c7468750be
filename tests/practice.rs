//! The learner's commands through the real binary: watch, exam, progress, init, completions, man, --plain.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use binary::{command, folder, home, run};

const KEY: &str = include_str!("../solutions/scenario-107/key.yaml");
const WRONG: &str = include_str!("../solutions/scenario-107/wrong-class.yaml");

fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.stderr.is_empty(), "{}", binary::stderr(&output));
    binary::stdout(&output)
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&stdout(folder, &[arguments, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn progress_knows_what_was_tried_and_solved() {
    let folder = folder("progress");
    fs::write(folder.join("scenario-107.yaml"), WRONG).unwrap();
    run(&folder, &["show", "107"]);
    run(&folder, &["107"]);
    let of_107 = |folder: &Path| {
        let rows = json(folder, &["progress"]);
        rows.as_array().unwrap().iter().find(|row| row["scenario"] == "scenario-107").unwrap().clone()
    };
    assert_eq!(
        (of_107(&folder)["next"].as_str(), of_107(&folder)["standing"]["tries"].as_u64()),
        (Some("finish"), Some(1))
    );
    fs::write(folder.join("scenario-107.yaml"), KEY).unwrap();
    run(&folder, &["107"]);
    let row = of_107(&folder);
    assert_eq!(row["next"], "rest");
    assert_eq!(row["standing"]["bestPercent"], 100);
    assert!(row["standing"]["bestSeconds"].is_u64());
    let text = stdout(&folder, &["progress"]);
    assert!(text.contains("✓ 107  100 %  2 tries") && text.contains("\n1 of "), "{text}");
    assert!(text.contains("Next: 105, ") && text.contains("not tried yet. ckad-grade show 105"), "{text}");
}

#[test]
fn progress_says_what_to_do_next_and_why() {
    let folder = folder("progress-why");
    let day = 24 * 3600;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let note = |events: &[(u64, &str, &str)]| {
        let line = |(ago, event, scenario): &(u64, &str, &str)| {
            let at = k8s_openapi::jiff::Timestamp::from_second((now - ago).try_into().unwrap()).unwrap();
            let points = if *event == "tried" { ",\"points\":10,\"possible\":10" } else { "" };
            format!("{{\"event\":\"{event}\",\"at\":\"{at}\",\"scenario\":\"{scenario}\"{points}}}\n")
        };
        binary::put(&home(&folder), "progress.jsonl", events.iter().map(line).collect::<String>());
    };
    note(&[(8 * day, "tried", "scenario-107")]);
    let text = stdout(&folder, &["progress"]);
    assert!(
        text.contains("↻ 107") && text.contains("solved 8 days ago: worth repeating. ckad-grade show 107"),
        "{text}"
    );
    note(&[(2 * day + 60, "key-shown", "scenario-107"), (2 * day, "tried", "scenario-107")]);
    let text = stdout(&folder, &["progress", "--lang", "zh-TW"]);
    assert!(text.contains("看過解答才解出：自己再做一次"), "{text}");
    let plain = stdout(&folder, &["progress", "--plain"]);
    assert!(plain.starts_with("again: 107, 100 %, 1 try, solved with the key at hand") && plain.is_ascii(), "{plain}");
    run(&folder, &["solution", "105"]);
    let noted = fs::read_to_string(home(&folder).join("progress.jsonl")).unwrap();
    assert!(noted.ends_with("\"scenario\":\"scenario-105\"}\n") && noted.contains("key-shown"), "{noted}");
}

#[test]
fn a_solved_task_leads_to_the_next_one() {
    let folder = folder("next");
    fs::write(folder.join("scenario-107.yaml"), KEY).unwrap();
    let solved = |arguments: &[&str]| binary::stdout(&run(&folder, arguments));
    assert!(solved(&["107"]).ends_with("The next task: ckad-grade show 107-access-modes\n"));
    let list = solved(&["list", "107"]);
    assert!(list.contains("\n✓ 107  ") && list.contains("\n  107-class  "), "{list}");
    // what programs call has no learner
    let output = command(&folder, &["107"]).env_remove("CKAD_GRADE_HOME").output().unwrap();
    assert!(!binary::stdout(&output).contains("next"), "{}", binary::stdout(&output));
}

#[test]
fn a_practice_folder_has_tasks_and_answers_and_never_loses_one() {
    let folder = folder("init");
    stdout(&folder, &["init", "practice"]);
    let practice = folder.join("practice");
    let task = fs::read_to_string(practice.join("tasks/scenario-107.md")).unwrap();
    assert!(task.starts_with("# Bind a claim to one particular volume by its labels\n"), "{task}");
    assert!(fs::read_to_string(practice.join(".editorconfig")).unwrap().contains("indent_style = space"));
    let answer = practice.join("scenario-107.yaml");
    assert!(fs::read_to_string(&answer).unwrap().starts_with("# yaml-language-server: $schema="));
    fs::write(&answer, KEY).unwrap();
    let again = stdout(&folder, &["init", "practice"]);
    assert!(again.starts_with("0 files written"), "{again}");
    assert_eq!(fs::read_to_string(&answer).unwrap(), KEY);
    assert_eq!(run(&practice, &["107"]).status.code(), Some(0));
}

#[test]
fn an_exam_is_the_same_for_the_same_seed_and_is_graded_by_domain() {
    let folder = folder("exam");
    stdout(&folder, &["exam", "start", "one", "--minutes", "30", "--seed", "7"]);
    let first = json(&folder, &["exam"]);
    let other = run(&folder, &["exam", "start", "two"]);
    assert_eq!(other.status.code(), Some(2), "an exam is under way");
    stdout(&folder, &["exam", "start", "two", "--minutes", "30", "--seed", "7", "--force"]);
    let second = json(&folder, &["exam"]);
    let tasks = |exam: &serde_json::Value| {
        let questions = exam["questions"].as_array().unwrap().clone();
        questions.iter().map(|question| question["scenario"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(tasks(&first), tasks(&second));
    // the first task is solved with its key, one other is flagged
    let question = second["questions"][0].clone();
    let key = Path::new("solutions").join(question["scenario"].as_str().unwrap()).join("key.yaml");
    let answer = folder.join("two").join(question["folder"].as_str().unwrap()).join("answer.yaml");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(key), answer).unwrap();
    assert!(stdout(&folder, &["exam", "flag", "2"]).contains("flagged"));
    let status = json(&folder, &["exam", "status"]);
    assert_eq!((&status["questions"][0]["answered"], &status["questions"][1]["flagged"]), (&true.into(), &true.into()));
    let output = run(&folder, &["exam", "finish", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let questions = result["questions"].as_array().unwrap();
    assert_eq!(questions[0]["points"], questions[0]["possible"]);
    assert!(questions.iter().skip(1).all(|question| question["points"] == 0 && question["answered"] == false));
    let none = run(&folder, &["exam"]);
    assert_eq!(none.status.code(), Some(2), "no exam is under way any more");
    assert!(binary::stderr(&none).contains("exam review"));
    // looking back at it, as a whole and at one task
    let whole = binary::stdout(&run(&folder, &["exam", "review"]));
    assert!(whole.contains("✓ ") && whole.contains("no answer") && whole.contains("exam review "), "{whole}");
    let solved = run(&folder, &["exam", "review", "1"]);
    assert!(solved.status.success() && binary::stdout(&solved).contains("full marks"));
    let empty = run(&folder, &["exam", "review", "2"]);
    assert!(binary::stdout(&empty).contains("there is no answer in"), "{}", binary::stdout(&empty));
    assert!(binary::stderr(&run(&folder, &["exam", "review", "99"])).contains("numbered 1 to "));
}

#[test]
fn an_exam_survives_a_crash_while_its_state_is_written() {
    let folder = folder("exam-crash");
    stdout(&folder, &["exam", "start", "--minutes", "20", "--seed", "1"]);
    // the next one finds a place of its own
    stdout(&folder, &["exam", "start", "--minutes", "20", "--seed", "1", "--force"]);
    assert!(folder.join("ckad-exam-2").is_dir());
    fs::write(home(&folder).join("exam.json.4711.tmp"), "{\"seed\":").unwrap();
    assert!(stdout(&folder, &["exam"]).contains("left"));
}

/// A process that watches, and the lines it prints.
struct Watching {
    child: std::process::Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path, arguments: &[&str]) -> Watching {
        let mut child = command(folder, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Watching { child, lines }
    }

    /// Waits for a line; all lines up to it.
    fn until(&self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let line =
                self.lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no {text:?} in\n{seen}"));
            seen.push_str(&line);
            seen.push('\n');
            if line.contains(text) {
                return seen;
            }
        }
    }

    fn press(&mut self, key: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{key}").unwrap();
    }
}

#[test]
fn watch_grades_what_is_saved_and_shows_what_changed() {
    let folder = folder("watch");
    let mut watching = Watching::start(&folder, &["watch", "107"]);
    watching.until("waiting for scenario-107.yaml");
    let answer = folder.join("scenario-107.yaml");
    fs::write(&answer, WRONG).unwrap();
    watching.until("3 of 10 points");
    // as an editor that writes a temporary file and renames it
    fs::write(folder.join(".scenario-107.yaml.swp"), KEY).unwrap();
    fs::rename(folder.join(".scenario-107.yaml.swp"), &answer).unwrap();
    let change = watching.until("✓ now: claim `data` is bound");
    assert!(change.contains("✓ full marks, 10 of 10 points"), "{change}");
    watching.press("h");
    watching.until("hint 1 of 3");
    let below = watching.until("q quit");
    assert!(below.contains("full marks") && !below.contains("ckad-grade hint"), "{below}");
    fs::write(&answer, "# to be done\n").unwrap();
    watching.until("the answer is still empty");
    fs::remove_file(&answer).unwrap();
    watching.until("waiting for scenario-107.yaml");
    fs::create_dir(folder.join("scenario-107")).unwrap();
    fs::write(folder.join("scenario-107/a.yaml"), b"\xff\xfe\0").unwrap();
    watching.until("0 of 10 points");
    watching.press("n");
    watching.until("waiting for scenario-107-");
    watching.press("q");
    assert!(watching.child.wait().unwrap().success(), "a task was solved");
}

#[test]
fn watch_waits_for_the_file_that_was_named() {
    let folder = folder("watch-named");
    let mut watching = Watching::start(&folder, &["watch", "107", "mine.yaml", "--lang", "zh-TW"]);
    watching.until("等待 mine.yaml");
    fs::write(folder.join("mine.yaml"), KEY.replace('\n', "\r\n")).unwrap();
    watching.until("滿分");
    watching.press("s");
    watching.until("計分項目");
    watching.press("q");
    assert!(watching.child.wait().unwrap().success());
}

#[test]
fn an_answer_without_anything_in_it_is_not_begun() {
    let folder = folder("empty-answer");
    fs::write(folder.join("scenario-107.yaml"), "# yaml-language-server: $schema=kubernetes\n---\n\n").unwrap();
    for arguments in [&["107"][..], &["explain", "107"]] {
        let output = run(&folder, arguments);
        assert_eq!((binary::code(&output), binary::stdout(&output)), (1, String::new()));
        assert!(binary::stderr(&output).contains("still empty. The task: ckad-grade show 107"));
    }
    assert_eq!(json(&folder, &["progress"])[0]["standing"]["tries"], 0);
    let graded = run(&folder, &["107", "--format", "json"]);
    assert!(binary::stdout(&graded).contains("\"points\": 0"), "programs get every check");
}

#[test]
fn watch_ends_with_its_input() {
    let folder = folder("watch-end");
    fs::write(folder.join("scenario-107.yaml"), KEY).unwrap();
    let mut child = command(&folder, &["watch", "107"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    child.wait().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("n next"), "{text}");
}

#[test]
fn completions_know_the_commands_and_where_the_shell_can_the_scenarios() {
    let folder = folder("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&folder, &["completions", shell]);
        assert!(script.contains("complete -- ") || script.contains("simulate"), "{shell}");
    }
    let next = |words: &[&str]| {
        let output = run(&folder, &[&["complete", "--"], words].concat());
        let text = binary::stdout(&output);
        assert_eq!(output.status.success(), !text.is_empty(), "a file's name is none of ours");
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(next(&["107-rep"]), ["107-repair"]);
    assert_eq!(next(&["show", "107-rep"]), ["107-repair"]);
    assert_eq!(next(&["--lang", "zh-TW", "exam", "f"]), ["flag", "finish"]);
    assert_eq!(next(&["list", "--level", "h"]), ["hard"]);
    assert_eq!(next(&["list", "--domain", "=", "net"]), ["networking"]);
    assert_eq!(next(&["exam", "start", "--m"]), ["--minutes"]);
    assert_eq!(next(&["explain", "pods-sp"]), ["pods-spread"]);
    assert_eq!(next(&["completions", "z"]), ["zsh"]);
    assert!(next(&[""]).contains(&"watch".to_owned()) && !next(&[""]).contains(&"complete".to_owned()));
    for files in [&["107", ""][..], &["simulate", ""], &["107", "--picture", ""], &["init", ""]] {
        assert_eq!(next(files), [""; 0], "{files:?}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = folder("man");
    stdout(&folder, &["man", "pages"]);
    for page in ["ckad-grade.1", "ckad-grade-simulate.1", "ckad-grade-exam-start.1"] {
        assert!(fs::read_to_string(folder.join("pages").join(page)).unwrap().contains(".TH"), "{page}");
    }
}

#[test]
fn plain_output_has_no_signs_and_no_colours() {
    let folder = folder("plain");
    fs::write(folder.join("scenario-107.yaml"), WRONG).unwrap();
    let output = run(&folder, &["107", "--plain", "--color", "always"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("failed: claim `data` is bound to volume `pv-gold`, 0/5 points\n"), "{text}");
    assert!(text.is_ascii(), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named_and_costs_no_grade() {
    let folder = folder("no-data-folder");
    fs::write(folder.join("scenario-107.yaml"), KEY).unwrap();
    fs::write(folder.join("taken"), "").unwrap();
    let without = |arguments: &[&str]| {
        command(&folder, arguments).env("CKAD_GRADE_HOME", folder.join("taken/data")).output().unwrap()
    };
    let graded = without(&["107"]);
    assert!(graded.status.success() && binary::stderr(&graded).contains("taken/data/progress.jsonl: "));
    let exam = without(&["exam", "start"]);
    assert!(exam.status.code() == Some(2) && binary::flat(&binary::stderr(&exam)).contains("data/exam.json: "));
    assert!(!folder.join("ckad-exam").exists(), "an exam that cannot be kept is not begun");
}

#[test]
fn a_damaged_exam_can_be_given_up() {
    let folder = folder("damaged-exam");
    binary::put(&home(&folder), "exam.json", "{");
    for arguments in [&["exam"][..], &["exam", "start"], &["exam", "finish"]] {
        let output = run(&folder, arguments);
        let said = binary::flat(&binary::stderr(&output));
        assert!(output.status.code() == Some(2) && said.contains("is damaged"), "{arguments:?}: {said}");
    }
    stdout(&folder, &["exam", "start", "--minutes", "10", "--force"]);
    assert!(stdout(&folder, &["exam"]).contains("left · 0 of "));
}
