//! Pictures of outcomes: in every format, of every scenario, harmless and small enough.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::path::{Path, PathBuf};

use ckad_grade::environment::Environment;
use ckad_grade::grade;
use ckad_grade::lang::Lang;
use ckad_grade::picture::{Picture, State, dot, mermaid, png, svg, terminal};
use ckad_grade::report::width::width;
use ckad_grade::scenario::Library;
use ckad_grade::timeline::{self, Action, ManifestFile, Step, Timeline};

/// What comes of manifests in the default cluster.
fn simulated(manifests: &str) -> Picture {
    let file = ManifestFile { name: "a.yaml".into(), bytes: manifests.as_bytes().to_vec() };
    let step = Step { namespace: None, action: Action::Apply(vec![file]) };
    let timeline = Timeline { environment: Environment::default(), steps: vec![step] };
    Picture::of_cluster(&timeline::play(&timeline).1, Lang::En)
}

/// The picture of a file below `solutions/`.
fn of_answer(path: &str, lang: Lang) -> Picture {
    let (id, _) = path.split_once('/').unwrap();
    let library = Library::embedded();
    let entry = library.entries().find(|entry| entry.id == id).unwrap();
    let scenario = entry.load().unwrap();
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions").join(path)).unwrap();
    let file = ManifestFile { name: "answer.yaml".into(), bytes };
    let graded = grade::grade(&scenario, &[file]).unwrap();
    Picture::of_grade(&scenario, &graded, lang)
}

/// All single-file answers below `solutions/`.
fn all_answers() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("solutions");
    let mut paths = Vec::new();
    for scenario in fs::read_dir(root).unwrap() {
        let scenario = scenario.unwrap();
        for file in fs::read_dir(scenario.path()).unwrap() {
            let file = file.unwrap();
            if file.path().is_file() {
                let (one, other) = (scenario.file_name(), file.file_name());
                paths.push(format!("{}/{}", one.to_string_lossy(), other.to_string_lossy()));
            }
        }
    }
    paths.sort();
    paths
}

/// Panics unless a text is one XML element without anything XML does not allow.
fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.trim();
    while let Some(start) = rest.find('<') {
        assert_text(&rest[..start]);
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{name} is closed");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        for (i, part) in tag.trim_end_matches('/').split('"').enumerate() {
            if i % 2 == 1 {
                assert_text(part);
            } else {
                assert!(!part.contains(['<', '&', '\'']), "{tag}");
            }
        }
        if !tag.ends_with('/') {
            open.push(tag.split([' ', '\n']).next().unwrap());
        }
        if open.last() == Some(&"style") {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
        assert!(!open.is_empty() || rest.is_empty(), "one element: {rest:.80}");
    }
    assert!(open.is_empty(), "{open:?} stays open");
}

fn assert_text(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202e}'))));
    for after in text.split('&').skip(1) {
        let entity = after.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "{text}");
    }
}

/// Panics if a picture is not one that can be shown.
fn assert_sound(picture: &Picture) {
    assert!(picture.items.len() <= 60, "{} items", picture.items.len());
    let marks = picture.items.iter().flat_map(|item| &item.marks).chain(picture.links.iter().flat_map(|l| &l.marks));
    for mark in marks {
        assert!((1..=picture.troubles.len()).contains(mark), "{mark} of {:?}", picture.troubles);
    }
    for link in &picture.links {
        assert!(link.from < picture.items.len() && link.to < picture.items.len());
    }
    let document = svg::document(picture);
    assert_well_formed(&document);
    let style = document.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("url(") && !style.contains("@import"), "nothing is loaded");
    for tag in document.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(tag, _)| tag)) {
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains("href") && !names.contains(" on") && !names.contains("src="), "{tag}");
    }
    let boxes = ckad_grade::picture::layout::layout(picture).boxes;
    for (i, one) in boxes.iter().enumerate() {
        for other in boxes.iter().skip(i + 1) {
            let apart = one.at.x + one.width <= other.at.x
                || other.at.x + other.width <= one.at.x
                || one.at.y + one.height <= other.at.y
                || other.at.y + other.height <= one.at.y;
            assert!(apart, "{} and {} overlap", one.name, other.name);
        }
    }
    for line in plain(&terminal::tree(picture, 80)).lines() {
        assert!(width(line) <= 80, "{line}");
    }
}

/// Without colours.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    out + rest
}

#[test]
fn every_answer_of_every_scenario_has_a_picture() {
    // a debug build is slow: it draws some of each scenario
    let some = if cfg!(debug_assertions) { 5 } else { 1 };
    for path in all_answers().into_iter().step_by(some) {
        for lang in Lang::ALL {
            assert_sound(&of_answer(&path, lang));
        }
    }
}

#[test]
fn full_marks_show_no_cross_that_a_check_made() {
    for path in all_answers().iter().filter(|path| path.ends_with("/key.yaml")) {
        let picture = of_answer(path, Lang::En);
        assert!(picture.notes.is_empty(), "{path}: {:?}", picture.notes);
    }
}

#[test]
fn pictures_of_keys_and_mistakes() {
    for path in [
        "scenario-105/wrong-not-mounted.yaml",
        "scenario-107/key.yaml",
        "scenario-107/wrong-no-selector.yaml",
        "scenario-107-pod/wrong-claim-name.yaml",
        "scenario-107-leftover/key.yaml",
    ] {
        let name = path.replace('/', "-").replace(".yaml", "");
        insta::assert_snapshot!(format!("{name}-mermaid"), mermaid::document(&of_answer(path, Lang::En)));
        insta::assert_snapshot!(format!("{name}-tree"), plain(&terminal::tree(&of_answer(path, Lang::ZhTw), 80)));
    }
}

const STATEFUL: &str = "\
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: None, selector: { app: web }, ports: [ { port: 80 } ] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
      - { name: web, image: nginx, envFrom: [ { configMapRef: { name: missing } } ] }
---
apiVersion: v1
kind: Service
metadata: { name: other }
spec: { selector: { app: nobody }, ports: [ { port: 80 } ] }
";

#[test]
fn broken_links_are_marked_with_the_reason() {
    let picture = simulated(STATEFUL);
    let said = |words: &str| picture.troubles.iter().position(|trouble| trouble.contains(words)).map(|i| i + 1);
    let marked = |number: Option<usize>| {
        picture.links.iter().any(|link| link.state == State::Broken && link.marks.contains(&number.unwrap()))
    };
    assert!(marked(said("ConfigMap missing does not exist")));
    assert!(marked(said("no pod has the labels app=nobody")));
    assert!(marked(said("web-0 is not ready")));
    let drawn = svg::document(&picture);
    assert!(drawn.contains("stroke-dasharray") && drawn.contains("✗ 1") && drawn.contains("role=\"img\""));
    insta::assert_snapshot!("stateful-dot", dot::document(&picture));
}

#[test]
fn what_is_alike_is_put_together() {
    let mut manifests = String::new();
    for number in 0..1000 {
        manifests.push_str(&format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{ name: pv-{number:04} }}\nspec: {{ capacity: {{ storage: 1Gi }}, \
             accessModes: [ReadWriteOnce], hostPath: {{ path: /data }} }}\n---\n"
        ));
    }
    let picture = simulated(&manifests);
    assert_sound(&picture);
    assert_eq!(picture.items.iter().map(|item| item.count).sum::<usize>(), 1000);
    assert!(picture.items.iter().any(|item| item.name == "and 996 more PersistentVolumes"));
}

#[test]
fn nothing_of_an_answer_is_markup() {
    let evil = r#"/"><script>alert(1)</script>&amp;`${x}`\N"; n0 -> n1 [label="x"]%%{init}%% end"#;
    let manifests = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: evil }}\nspec:\n  containers:\n  - name: c\n    image: nginx\n    \
         volumeMounts: [ {{ name: v, mountPath: {path} }} ]\n  volumes:\n  - {{ name: v, hostPath: {{ path: {path} }} }}\n",
        path = serde_json::to_string(evil).unwrap()
    );
    let picture = simulated(&manifests);
    assert!(picture.items.iter().any(|item| item.name == evil), "{:?}", picture.items);
    assert_sound(&picture);
    assert!(!mermaid::document(&picture).contains("<script"));
    for line in dot::document(&picture).lines() {
        // quotes that are not escaped come in pairs
        let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert_eq!(quotes % 2, 0, "{line}");
    }
}

#[test]
fn a_png_has_the_size_of_the_layout() {
    let picture = of_answer("scenario-107/wrong-no-selector.yaml", Lang::En);
    let layout = ckad_grade::picture::layout::layout(&picture);
    let bytes = png::document(&picture).unwrap();
    assert_eq!(bytes, png::document(&picture).unwrap());
    let reader = ::png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let info = reader.info();
    assert_eq!((f64::from(info.width), f64::from(info.height)), (layout.width, layout.height));
}

#[test]
fn an_empty_cluster_has_a_picture() {
    assert_sound(&simulated(""));
    assert!(!png::document(&simulated("")).unwrap().is_empty());
}

fn folder(name: &str) -> PathBuf {
    let folder = binary::folder(name);
    fs::write(folder.join("a.yaml"), STATEFUL).unwrap();
    folder
}

#[test]
fn the_name_of_the_file_says_the_format() {
    let folder = folder("formats");
    for (file, start) in [
        ("o.svg", "<svg "),
        ("o.png", "\u{fffd}PNG"),
        ("o.dot", "digraph "),
        ("o.gv", "digraph "),
        ("o.mermaid", "flowchart "),
    ] {
        let output = binary::run(&folder, &["simulate", "a.yaml", "--picture", file]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let bytes = fs::read(folder.join(file)).unwrap();
        assert!(String::from_utf8_lossy(&bytes).starts_with(start), "{file}");
    }
    let output = binary::run(&folder, &["107", "a.yaml", "--picture", "graded.svg"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(fs::read_to_string(folder.join("graded.svg")).unwrap().contains("scenario-107: 0 of 10 points"));
}

#[test]
fn a_format_there_is_not_is_refused_before_grading() {
    let folder = folder("refused");
    for file in ["o.bmp", "o"] {
        let output = binary::run(&folder, &["107", "a.yaml", "--picture", file]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains(".mermaid"));
    }
    let output = binary::run(&folder, &["simulate", "a.yaml", "--format", "json", "--picture", "-"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_no_terminal_gets_a_tree_without_escape_codes() {
    let folder = folder("tree");
    let mut command = binary::command(&folder, &["107", "a.yaml", "--picture", "-"]);
    let output = command.env("KITTY_WINDOW_ID", "1").env("TERM", "xterm-kitty").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(text.contains("├─ ") && text.contains("ConfigMap missing does not exist"), "{text}");
}
