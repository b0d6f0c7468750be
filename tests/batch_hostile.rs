//! `ckad-grade batch` and submissions that want to break it: each becomes a clear line, nothing escapes, the run goes on.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use binary::{put, text};

const KEY: &str = include_str!("../solutions/scenario-107/key.yaml");

/// A folder of its own for each test, with one good answer.
fn folder(test: &str) -> PathBuf {
    let folder = binary::folder(test);
    put(&folder, "sub/zoe/scenario-107.yaml", KEY);
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    binary::run(folder, &[&["batch"], arguments].concat())
}

fn entries(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = run(folder, &[arguments, &["--report", "jsonl=-"]].concat());
    assert!(output.status.code().is_some_and(|code| code <= 1), "{:?} {}", output.status, text(&output.stderr));
    let all: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        all.iter().any(|entry| entry["student"] == "zoe" && entry["result"] == "full"),
        "the good answer is graded"
    );
    assert!(all.iter().all(|entry| entry["status"] != "crashed"), "{all:#?}");
    all
}

/// Status and reason of one student's only entry.
fn of(all: &[Value], student: &str) -> (String, String) {
    let found: Vec<&Value> = all.iter().filter(|entry| entry["student"] == student).collect();
    assert_eq!(found.len(), 1, "{student}: {found:#?}");
    let word = |key: &str| found[0][key].as_str().unwrap_or_default().to_owned();
    (word("status"), word("fix"))
}

#[test]
fn answers_that_are_too_much_are_refused_with_a_reason() {
    let folder = folder("bombs");
    let answer = |student: &str, content: Vec<u8>| put(&folder, &format!("sub/{student}/scenario-107.yaml"), content);
    let aliases = (b'b'..b'k').map(|c| {
        let (this, before) = (c as char, (c - 1) as char);
        format!("{this}: &{this} [{}]\n", format!("*{before},").repeat(9))
    });
    answer("aliases", format!("a: &a [x]\n{}", aliases.collect::<String>()).into_bytes());
    answer("deep", format!("a: {}1{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes());
    answer("documents", "---\na: 1\n".repeat(1_000_000).into_bytes());
    answer("nul", format!("{KEY}\0").into_bytes());
    answer("utf8", [KEY.as_bytes(), b"# \xff\xfe\xc0\n"].concat());
    answer("utf16", [0xff, 0xfe].into_iter().chain(KEY.encode_utf16().flat_map(u16::to_le_bytes)).collect());
    answer("empty", Vec::new());
    let large = fs::File::create({
        fs::create_dir_all(folder.join("sub/large")).unwrap();
        folder.join("sub/large/scenario-107.yaml")
    });
    large.unwrap().set_len(100 << 20).unwrap();
    let all = entries(&folder, &["sub", "--only", "107"]);
    for (student, status, reason) in [
        ("aliases", "unreadable", "excessive aliasing"),
        ("deep", "unreadable", "deep"),
        ("documents", "graded", ""),
        ("nul", "unreadable", "control characters are not allowed"),
        ("large", "limit", "larger than 16 MiB"),
    ] {
        let (found, why) = of(&all, student);
        println!("{student}: {found}: {why}");
        assert_eq!(found, status, "{student}: {why}");
        assert!(why.contains(reason), "{student}: {why}");
    }
    assert_eq!(of(&all, "utf16").0, "graded");
    assert_eq!(of(&all, "empty").0, "graded");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let folder = folder("special");
    put(&folder, "secret.yaml", KEY);
    for student in ["fifo", "device", "out", "loop", "socket"] {
        fs::create_dir_all(folder.join("sub").join(student)).unwrap();
    }
    let place = |student: &str| folder.join("sub").join(student).join("scenario-107.yaml");
    assert!(Command::new("mkfifo").arg(place("fifo")).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", place("device")).unwrap();
    std::os::unix::fs::symlink("../../secret.yaml", place("out")).unwrap();
    std::os::unix::fs::symlink("..", folder.join("sub/loop/scenario-107.yaml")).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(place("socket"));
    let all = entries(&folder, &["sub"]);
    for student in ["device", "out", "loop"] {
        assert_eq!(of(&all, student), ("unreadable".to_owned(), "a link; links are not followed".to_owned()));
    }
    assert_eq!(of(&all, "fifo"), ("unreadable".to_owned(), "not a regular file".to_owned()));
}

fn zip_of(write: impl FnOnce(&mut zip::ZipWriter<std::io::Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    write(&mut zip);
    zip.finish().unwrap().into_inner()
}

#[test]
fn archives_neither_leave_their_place_nor_fill_the_disk() {
    let folder = folder("archives");
    let options = zip::write::SimpleFileOptions::default();
    let bomb = zip_of(|zip| {
        zip.start_file("scenario-107.yaml", options).unwrap();
        let zeros = vec![b'#'; 1 << 20];
        for _ in 0..64 {
            zip.write_all(&zeros).unwrap();
        }
    });
    assert!(bomb.len() < 1 << 20);
    put(&folder, "sub/bomb/hw.zip", &bomb);
    // an archive in an archive in an archive…
    let mut nested = zip_of(|zip| {
        zip.start_file("scenario-107.yaml", options).unwrap();
        zip.write_all(KEY.as_bytes()).unwrap();
    });
    for _ in 0..6 {
        nested = zip_of(|zip| {
            zip.start_file("again.zip", options).unwrap();
            zip.write_all(&nested).unwrap();
        });
    }
    put(&folder, "sub/nested/hw.zip", &nested);
    put(&folder, "sub/cut/hw.zip", &bomb[..bomb.len() / 2]);
    put(&folder, "sub/text/hw.zip", "not a zip");
    put(&folder, "sub/gz/hw.tar.gz", b"\x1f\x8bgarbage");
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["../../../escaped.yaml", "/tmp/escaped.yaml", "..\\escaped.yaml"] {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(KEY.len() as u64);
        header.set_cksum();
        tar.append(&header, KEY.as_bytes()).unwrap();
    }
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_path("scenario-107.yaml").unwrap();
    link.set_link_name("/etc/passwd").unwrap();
    link.set_size(0);
    link.set_cksum();
    tar.append(&link, std::io::empty()).unwrap();
    put(&folder, "sub/slip/hw.tar", tar.into_inner().unwrap());

    let all = entries(&folder, &["sub", "--only", "107"]);
    assert_eq!(of(&all, "bomb"), ("limit".to_owned(), "larger than 16 MiB".to_owned()));
    assert!(of(&all, "nested").1.contains("deeper than"));
    for student in ["cut", "text", "gz"] {
        let (status, why) = of(&all, student);
        assert_eq!(status, "unmatched");
        assert!(why.contains("cannot be read to its end"), "{why}");
    }
    let slip: Vec<&str> = all.iter().filter(|e| e["student"] == "slip").map(|e| e["fix"].as_str().unwrap()).collect();
    assert_eq!(slip.iter().filter(|why| **why == "its path leads out of the archive").count(), 3, "{slip:?}");
    assert_eq!(slip.iter().filter(|why| why.contains("link")).count(), 1, "{slip:?}");
    assert!(!Path::new("/tmp/escaped.yaml").exists() && !folder.join("escaped.yaml").exists());
}

/// Everything one would not like to see again unescaped.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}<script>alert(1)</script>\"'&,=cmd|' /C calc'!A0";

#[cfg(unix)]
#[test]
fn nothing_in_names_or_values_gets_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder("escapes");
    // a name may hold anything but a slash
    let evil = NASTY.replace('/', "|");
    put(
        &folder,
        &format!("sub/{evil}\nroot: x/scenario-107.yaml"),
        KEY.replace("name: data", &format!("name: {NASTY:?}")),
    );
    put(&folder, "sub/=1+1/scenario-107.yaml", format!("kind: \"{}\"\n", NASTY.replace('"', "")));
    put(&folder, "sub/@SUM(A1)/scenario-107.yaml", format!("spec: [\"{}\"", NASTY.escape_default()));
    let raw = std::ffi::OsStr::from_bytes(b"sub/\xff\xfe\x9b2J");
    fs::create_dir_all(folder.join(raw)).unwrap();
    fs::write(folder.join(raw).join("scenario-107.yaml"), KEY).unwrap();
    put(&folder, &format!("sub/{evil}.txt"), "x");
    put(&folder, "roster.csv", "name,email\n=1+1,\"=HYPERLINK(\"\"http://x\"\")\"\n");

    let all = entries(&folder, &["sub", "--roster", "roster.csv"]);
    assert!(all.iter().any(|e| e["student"] == format!("{evil}\nroot: x")), "the name is kept as it is");
    for format in ["csv", "canvas", "moodle", "junit", "github", "gradescope", "html", "json", "jsonl", "text"] {
        let report = format!("{format}=-");
        let arguments: &[&str] = match format {
            "text" => &["sub", "--roster", "roster.csv", "--color", "never"],
            _ => &["sub", "--roster", "roster.csv", "--report", &report],
        };
        let output = run(&folder, arguments);
        let shown = text(&output.stdout);
        assert!(!shown.is_empty());
        for stream in [&shown, &text(&output.stderr)] {
            let control = stream.chars().find(|c| c.is_control() && *c != '\n' && !(format == "csv" && *c == '\r'));
            assert_eq!(control, None, "{format}");
            if !["json", "jsonl"].contains(&format) {
                assert!(!stream.contains('\u{202e}'), "{format}: the direction of the text can be changed");
            }
        }
        match format {
            "csv" | "canvas" | "moodle" => {
                let mut rows = csv::ReaderBuilder::new().from_reader(shown.as_bytes());
                for row in rows.records() {
                    for cell in row.unwrap().iter() {
                        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{format}: {cell}");
                        assert!(!cell.contains('\n'), "{format}: {cell}");
                    }
                }
            }
            "junit" | "html" => assert!(!shown.contains("<script>alert"), "{format}"),
            "github" => {
                assert!(shown.lines().all(|line| line.starts_with("::")), "a line break begins no command");
            }
            "json" | "gradescope" => drop(serde_json::from_str::<Value>(&shown).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn junit_is_well_formed_and_counts_itself() {
    let folder = folder("junit");
    put(&folder, "sub/<&\">/scenario-107.yaml", format!("{KEY}---\nkind: \"<&]]>\"\n"));
    put(&folder, "sub/x/scenario-107.yaml", "a: [\u{b}");
    let xml = text(&run(&folder, &["sub", "--report", "junit=-"]).stdout);
    // every tag is closed in order, attributes are quoted, nothing is left of what XML cannot hold
    let mut open: Vec<&str> = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for piece in body.split('<').skip(1) {
        let (tag, rest) = piece.split_once('>').unwrap();
        assert!(!rest.contains('>') && !tag.contains('\n'), "{piece}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, true) => {}
            (false, false) => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert_eq!(open, Vec::<&str>::new());
    let attribute = |tag: &str, name: &str| -> usize {
        let at = tag.split(&format!(" {name}=\"")).nth(1).unwrap();
        at.split('"').next().unwrap().parse().unwrap()
    };
    let suites: Vec<&str> = xml.split("<testsuite ").skip(1).collect();
    assert_eq!(suites.len(), 3);
    for suite in suites {
        let suite = format!(" {suite}");
        assert_eq!(attribute(&suite, "tests"), suite.matches("<testcase ").count());
        assert_eq!(attribute(&suite, "failures"), suite.matches("<failure ").count());
        assert_eq!(attribute(&suite, "errors"), suite.matches("<error ").count());
    }
}

#[test]
fn a_full_mark_of_one_student_is_a_result_of_gradescope() {
    let folder = folder("gradescope");
    let value: Value = serde_json::from_slice(&run(&folder, &["sub", "--report", "gradescope=-"]).stdout).unwrap();
    assert_eq!(value["score"], 10);
    let tests = value["tests"].as_array().unwrap();
    assert_eq!(tests.iter().map(|test| test["max_score"].as_u64().unwrap()).sum::<u64>(), 10);
    assert!(
        tests
            .iter()
            .all(|test| test["status"] == "passed" && test["name"].as_str().unwrap().starts_with("scenario-107: "))
    );
}
