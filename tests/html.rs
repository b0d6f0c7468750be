//! The HTML report of a batch: harmless whatever the names and answers are, and of bounded size.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ckad_grade::batch::result::{
    Attempt, CheckEntry, CheckInfo, Entry, ProblemEntry, Results, ScenarioInfo, Status, Summary,
};
use ckad_grade::grade;
use ckad_grade::lang::Lang;
use ckad_grade::picture::Picture;
use ckad_grade::report::html::{Detail, write};
use ckad_grade::report::{CheckResult, Outcome, Report};
use ckad_grade::scenario::{Library, Lookup, Scenario};
use ckad_grade::timeline::ManifestFile;
use sha2::{Digest as _, Sha256};

/// Names that would do something if they could.
const HOSTILE: [&str; 8] = [
    "<script>document.title='pwned'</script>",
    "\"><img src=x onerror=\"document.title='pwned'\">",
    "' onmouseover='document.title=\"pwned\"",
    "javascript:document.title='pwned'",
    "\u{202e}txt.exe\u{2066}",
    "\u{1b}[31mred\u{7}\0",
    "</style></script></svg>--><b>",
    "محمد علي",
];

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("html");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn scenario(id: &str) -> Scenario {
    let library = Library::embedded();
    let Lookup::Found(entry) = library.find(id) else { panic!("{id}") };
    entry.load().unwrap()
}

/// All answers of `solutions/` to some scenarios: scenario, file name, bytes.
fn answers() -> Vec<(String, String, Vec<u8>)> {
    let mut answers = Vec::new();
    for id in ["scenario-105", "scenario-107", "scenario-107-pod", "scenario-107-leftover"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions").join(id);
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.into_iter().filter(|file| file.is_file()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            answers.push((id.to_owned(), name, fs::read(file).unwrap()));
        }
    }
    answers.push(("scenario-107".into(), "broken.yaml".into(), b"kind: [\n".to_vec()));
    answers.push((
        "scenario-107".into(),
        "unknown.yaml".into(),
        b"apiVersion: v1\nkind: \"<script>x()</script>\"\n".to_vec(),
    ));
    answers
}

fn graded(id: &str, name: &str, bytes: &[u8], lang: Lang) -> Detail {
    let scenario = scenario(id);
    let file = ManifestFile { name: name.to_owned(), bytes: bytes.to_vec() };
    let grade = grade::grade(&scenario, &[file]).unwrap();
    Detail { report: Report::new(&scenario, &grade, lang), picture: Picture::of_grade(&scenario, &grade, lang) }
}

fn entry(student: &str, file: &str, report: &Report) -> Entry {
    let check = |check: &ckad_grade::report::CheckReport| CheckEntry {
        id: check.id.clone(),
        result: check.result,
        points: check.points,
        possible: check.possible,
        message: check.message.clone(),
        reasons: check.reasons.clone(),
    };
    let problem = |problem: &ckad_grade::report::problem::Problem| ProblemEntry {
        message: problem.message.clone(),
        warning: problem.warning,
        file: Some(0),
        line: problem.places.first().map(|place| place.line),
        column: problem.places.first().map(|place| place.column),
    };
    Entry {
        student: student.to_owned(),
        scenario: report.scenario.clone(),
        attempt: Attempt::default(),
        late: student.len().is_multiple_of(5),
        files: vec![format!("{student}/{file}")],
        status: Status::Graded,
        result: report.result,
        points: report.points,
        possible: report.possible,
        fix: report.fix.clone(),
        checks: report.checks.iter().map(check).collect(),
        problems: report.problems.iter().map(problem).collect(),
        notes: report.notes.clone(),
        digest: String::new(),
        traits: Vec::new(),
    }
}

/// What a batch knows of entries, in order.
fn results(mut entries: Vec<Entry>, lang: Lang) -> Results {
    entries.sort_by(|one, other| one.order().cmp(&other.order()));
    let mut scenarios: BTreeMap<String, ScenarioInfo> = BTreeMap::new();
    let mut students: Vec<&str> =
        entries.iter().map(|entry| entry.student.as_str()).filter(|s| !s.is_empty()).collect();
    students.dedup();
    let students = students.len() as u64;
    for entry in entries.iter().filter(|entry| !entry.scenario.is_empty()) {
        let info = scenarios.entry(entry.scenario.clone()).or_insert_with(|| {
            let scenario = scenario(&entry.scenario);
            let check = |check: &ckad_grade::scenario::Check| CheckInfo {
                id: check.id.clone(),
                title: check.title.get(lang).trim().to_owned(),
                points: check.points,
                advice: check.advice.as_ref().map(|advice| advice.get(lang).trim().to_owned()),
                passed: 0,
                failed: 0,
            };
            ScenarioInfo {
                id: scenario.id.clone(),
                title: scenario.title.get(lang).trim().to_owned(),
                possible: scenario.checks.iter().map(|check| check.points).sum(),
                checks: scenario.checks.iter().map(check).collect(),
                ..ScenarioInfo::default()
            }
        });
        match entry.status {
            Status::Missing => info.missing += 1,
            _ if entry.is_graded() => {
                info.graded += 1;
                info.full += u64::from(entry.result == Outcome::Full);
                info.passed += u64::from(entry.result != Outcome::Failed);
                info.points += u64::from(entry.points);
                for (check, known) in entry.checks.iter().zip(&mut info.checks) {
                    match check.result {
                        CheckResult::Passed => known.passed += 1,
                        CheckResult::Failed => known.failed += 1,
                        CheckResult::NotSimulated => {}
                    }
                }
            }
            _ => info.ungraded += 1,
        }
    }
    let summary = Summary {
        lang,
        entries: entries.len() as u64,
        students,
        statuses: BTreeMap::new(),
        scenarios: scenarios.into_values().collect(),
        similar: Vec::new(),
    };
    // unlinked at once: each call has a file of its own
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = folder().join(format!("entries-{number}.jsonl"));
    let mut file = fs::File::options().create(true).truncate(true).read(true).write(true).open(&path).unwrap();
    for entry in &entries {
        writeln!(file, "{}", serde_json::to_string(entry).unwrap()).unwrap();
    }
    file.rewind().unwrap();
    fs::remove_file(path).unwrap();
    Results::new(file, summary)
}

/// A class of students, some of them hostile, as a page.
fn page(students: usize, lang: Lang) -> String {
    let answers = answers();
    let details: Vec<Detail> = answers.iter().map(|(id, name, bytes)| graded(id, name, bytes, lang)).collect();
    let mut entries = Vec::new();
    for number in 0..students {
        let name = match HOSTILE.get(number) {
            Some(name) => (*name).to_owned(),
            None => format!("student-{number:03}"),
        };
        for id in ["scenario-105", "scenario-107", "scenario-107-pod", "scenario-107-leftover"] {
            let of_scenario: Vec<usize> = (0..answers.len()).filter(|i| answers[*i].0 == id).collect();
            // better students first, so that the shades can be seen
            let choice = of_scenario[(number * number + number) % of_scenario.len()];
            let choice = if number % 3 == 0 { of_scenario[0] } else { choice };
            if (number + id.len()) % 17 != 0 {
                entries.push(entry(&name, &answers[choice].1, &details[choice].report));
            }
        }
    }
    entries.push(Entry {
        student: String::new(),
        status: Status::Unmatched,
        scenario: String::new(),
        points: 0,
        possible: 0,
        checks: Vec::new(),
        problems: Vec::new(),
        fix: None,
        files: vec!["<b>notes</b>.docx".into()],
        ..entries[0].clone()
    });
    let results = results(entries, lang);
    let mut out = Vec::new();
    let mut detail = |entry: &Entry| {
        let file = entry.files[0].rsplit('/').next().unwrap();
        let found = answers.iter().find(|(id, name, _)| *id == entry.scenario && name == file);
        found.map(|(id, name, bytes)| graded(id, name, bytes, lang))
    };
    write(&results, &mut detail, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What is between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let start = text.find(before).unwrap() + before.len();
    let end = start + text[start..].find(after).unwrap();
    &text[start..end]
}

#[test]
fn the_policy_names_the_style_sheet_and_the_script() {
    let page = page(3, Lang::En);
    let digest = |text: &str| {
        use base64::Engine as _;
        format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
    };
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    for part in [between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>")] {
        assert!(policy.contains(&digest(part)), "{policy}\nis to contain {} for\n{part:.60}", digest(part));
    }
    assert!(policy.starts_with("default-src 'none'"));
    assert!(!policy.contains("unsafe"));
}

#[test]
fn nothing_of_names_and_answers_is_markup() {
    for lang in Lang::ALL {
        let page = page(40, lang);
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "control characters");
        assert!(!page.contains(['\u{202e}', '\u{2066}', '\u{2069}']));
        assert!(page.contains("\\u{202e}txt.exe") && page.contains("\\x1b[31mred"));
        let body = page.split_once("<body>").unwrap().1.rsplit_once("<script>").unwrap().0;
        assert_eq!(body.matches("<script").count(), 0);
        assert_eq!(body.matches("<img").count(), 0);
        // inside tags, what is quoted aside, are only our own attributes
        for tag in tags(body) {
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains(" on") && !names.contains("style"), "{tag}");
        }
        assert!(body.contains("&lt;script&gt;document.title='pwned'&lt;/script&gt;"));
    }
}

/// What is between `<` and `>`.
fn tags(body: &str) -> impl Iterator<Item = &str> {
    body.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(tag, _)| tag))
}

/// The values of an attribute.
fn values<'a>(body: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    let before = format!(" {attribute}=\"");
    tags(body).filter_map(move |tag| tag.split_once(&before)?.1.split('"').next())
}

#[test]
fn links_lead_to_places_in_the_page() {
    let page = page(40, Lang::En);
    let mut ids: Vec<&str> = values(&page, "id").collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "each id once");
    for target in values(&page, "href") {
        let id = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out of the page"));
        assert!(ids.binary_search(&id).is_ok(), "{target}");
    }
    assert_eq!(values(&page, "src").count(), 0);
    let outside = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(
        !outside.contains("http://") && !outside.contains("https://") && !outside.contains("url("),
        "nothing is loaded"
    );
}

#[test]
fn the_same_outcome_is_told_once_however_many_have_it() {
    let pictures = |page: &str| page.matches("class=\"ckp\"").count();
    let (few, many) = (page(100, Lang::En), page(300, Lang::En));
    assert_eq!(pictures(&few), pictures(&many));
    assert!(many.len() < few.len() * 3, "{} and {}", few.len(), many.len());
    // every student has a row and a section
    assert_eq!(many.matches("<tr class=\"pass\">").count() + many.matches("<tr class=\"fail\">").count(), 300);
    assert_eq!(many.matches("class=\"student\"").count(), 300);
}

#[test]
fn a_batch_without_answers_has_a_page() {
    let mut out = Vec::new();
    write(&results(Vec::new(), Lang::En), &mut |_| None, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("0 of 0 students passed"));
}

#[test]
fn what_cannot_be_graded_is_told() {
    let report = graded("scenario-107", "key.yaml", b"", Lang::En).report;
    let graded = entry("ann", "key.yaml", &report);
    let odd = |student: &str, status| Entry {
        student: student.to_owned(),
        status,
        fix: Some("because".to_owned()),
        checks: Vec::new(),
        points: 0,
        ..graded.clone()
    };
    let statuses = [Status::Limit, Status::Crashed, Status::ScenarioWrong, Status::Missing];
    let entries = ["bob", "cid", "dan", "eve"].into_iter().zip(statuses).map(|(name, status)| odd(name, status));
    let mut out = Vec::new();
    write(&results(entries.collect(), Lang::En), &mut |_| panic!("only what has a grade is graded again"), &mut out)
        .ok();
    let page = String::from_utf8(out).unwrap();
    for words in ["exceeds a limit: because", "the grader crashed", "the scenario is wrong", "nothing handed in"] {
        assert!(page.contains(words), "{words}");
    }
}

/// Chromium, if this machine has one.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

/// The page as a browser has it after its scripts ran.
fn in_browser(page: &str, name: &str) -> Option<String> {
    let Some(chromium) = chromium() else {
        println!("skipped: there is no Chromium on this machine");
        return None;
    };
    let folder = folder().join(name);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("page.html");
    fs::write(&file, page).unwrap();
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--dump-dom",
    ];
    let mut command = Command::new(chromium);
    command.args(flags).arg(format!("--user-data-dir={}", folder.join("profile").display()));
    let output = command.arg(format!("file://{}", file.display())).output().unwrap();
    let _ = fs::remove_dir_all(folder.join("profile"));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn in_a_browser_only_our_own_script_runs() {
    let Some(dom) = in_browser(&page(40, Lang::En), "hostile") else { return };
    assert!(dom.contains("<title>Report of a batch</title>"), "a name changed the title: {dom:.300}");
    // ours ran: the policy lets it
    assert!(dom.contains("40 / 40"), "the script did not run");
    assert!(!between(&dom, "<form id=\"tools\"", ">").contains("hidden"));
    assert!(dom.matches("<script").count() == 1 && !dom.contains("<img"));
}

/// The page for looking at: `CKAD_GRADE_PAGE=/tmp/page cargo test --test html look -- --ignored`.
#[test]
#[ignore = "writes pages to look at"]
fn look() {
    let folder = PathBuf::from(std::env::var("CKAD_GRADE_PAGE").unwrap());
    fs::write(folder.join("en.html"), page(60, Lang::En)).unwrap();
    fs::write(folder.join("zh.html"), page(12, Lang::ZhTw)).unwrap();
    fs::write(folder.join("large.html"), page(300, Lang::En)).unwrap();
}
