//! The tools for authors, as they call them: `scenario new`, `scenario check`, `schema`, and `list` for everyone.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::fs;
use std::path::{Path, PathBuf};

use ckad_grade::scenario::{Library, Scenario, schema};
use serde_json::{Value, json};

use binary::{code, flat, folder, run, stderr as err, stdout as out};

/// A folder with a new scenario whose texts are written.
fn with_scenario(name: &str) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    assert_eq!(code(&run(&folder, &["scenario", "new", "107-mine"])), 0);
    let file = folder.join("scenarios/scenario-107-mine.toml");
    replace(&file, "TODO", "");
    (folder, file)
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{old}");
    fs::write(file, text.replace(old, new)).unwrap();
}

#[test]
fn a_new_scenario_is_sound_and_says_what_is_to_be_written() {
    let folder = folder("new");
    assert_eq!(code(&run(&folder, &["scenario", "new", "107-mine"])), 0);
    let checked = run(&folder, &["scenario", "check"]);
    let (text, file) = (out(&checked), "scenarios/scenario-107-mine.toml");
    assert_eq!(code(&checked), 1);
    let source = fs::read_to_string(folder.join(file)).unwrap();
    let lines = source.lines().enumerate().filter(|(_, line)| line.contains("TODO") && !line.starts_with('#'));
    let places: Vec<String> = lines.map(|(number, _)| format!("{file}:{}: still to be written", number + 1)).collect();
    assert!(places.len() > 4);
    for place in &places {
        assert!(text.contains(place.as_str()), "{place}\n{text}");
    }
    assert!(text.ends_with(&format!("1 scenario, {} to be mended, 0 warnings\n", places.len())), "{text}");
    let again = run(&folder, &["scenario", "new", "scenario-107-mine"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("is already there"), "{}", err(&again));
    assert_eq!(code(&run(&folder, &["scenario", "new", "../etc"])), 2);
}

#[test]
fn with_its_texts_written_a_new_scenario_proves_itself_and_can_be_graded() {
    let (folder, _) = with_scenario("written");
    let checked = run(&folder, &["scenario", "check", "scenarios/scenario-107-mine.toml"]);
    assert_eq!(code(&checked), 0, "{}", out(&checked));
    let key = "solutions/scenario-107-mine/key.yaml";
    assert_eq!(code(&run(&folder, &["107-mine", key])), 0);
    let list: Value = serde_json::from_str(&out(&run(&folder, &["scenario", "check", "--format", "json"]))).unwrap();
    assert_eq!(list[0]["ok"], true);
    assert_eq!(list[0]["mutants"]["survivors"], 0);
    assert!(list[0]["mutants"]["killed"].as_u64().unwrap() >= 5);
}

#[test]
fn a_check_that_asks_too_little_lets_mutants_survive() {
    let (folder, file) = with_scenario("survivor");
    replace(&file, "data: { text: hello }", "data: { text: <any> }");
    let checked = run(&folder, &["scenario", "check"]);
    let text = out(&checked);
    assert_eq!(code(&checked), 1);
    assert!(text.contains("survives: ConfigMap greeting: data.text: hello → hello-x"), "{text}");
    assert!(text.contains("wrong-value.yaml fails none, not says-hello"), "{text}");
    // a reason ends it
    let source = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{source}\n[[free]]\nfield = \"ConfigMap data.text\"\nwhy = \"any word\"\n")).unwrap();
    let freed = out(&run(&folder, &["scenario", "check"]));
    assert!(!freed.contains("survives"), "{freed}");
    let chinese = out(&run(&folder, &["scenario", "check", "--lang", "zh-TW"]));
    assert!(chinese.contains("題目") && !chinese.contains("mutants"), "{chinese}");
}

#[test]
fn what_the_task_does_not_say_must_not_cost_points() {
    let (folder, file) = with_scenario("unsaid");
    replace(
        &file,
        "metadata: { name: greeting, namespace: practice }\ndata",
        "metadata:\n  name: greeting\n  namespace: practice\n  annotations: { example.com/note: null }\ndata",
    );
    let text = out(&run(&folder, &["scenario", "check"]));
    assert!(text.contains("loses says-hello though the task does not say it"), "{text}");
}

#[test]
fn idle_checks_unused_reasons_and_unknown_statements_are_reported() {
    let (folder, file) = with_scenario("idle");
    fs::create_dir(folder.join("docs")).unwrap();
    fs::copy("docs/statements.toml", folder.join("docs/statements.toml")).unwrap();
    replace(&file, "covers = []", "covers = [\"107-selectr\"]");
    let source = fs::read_to_string(&file).unwrap();
    let idle = "[[checks]]\nid = \"idle\"\npoints = 1\ntitle = { en = \"a\", zh-TW = \"b\" }\ncel = \"1 < 2\"\n";
    let free = "[[free]]\nfield = \"ConfigMap immutable\"\nwhy = \"-\"\n";
    fs::write(&file, format!("{source}\n{idle}{free}")).unwrap();
    let text = flat(&out(&run(&folder, &["scenario", "check"])));
    assert!(text.contains("no wrong answer and no mutant fails check `idle`"), "{text}");
    assert!(text.contains("[[free]] `ConfigMap immutable` explains nothing"), "{text}");
    assert!(text.contains("did you mean `107-selector`?"), "{text}");
}

#[test]
fn the_domain_is_the_scenarios_own_or_its_chapters() {
    let (folder, file) = with_scenario("domain");
    let domain = || {
        let shown = out(&run(&folder, &["show", "107-mine", "--format", "json"]));
        serde_json::from_str::<Value>(&shown).unwrap()["domain"].as_str().unwrap().to_owned()
    };
    assert_eq!(domain(), "design");
    replace(&file, "level = ", "domain = \"networking\"\nlevel = ");
    assert_eq!(domain(), "networking");
    // a chapter that nobody knows says nothing about the exam
    replace(&file, "domain = \"networking\"\n", "");
    replace(&file, "chapter = \"107\"", "chapter = \"quarks\"");
    assert_eq!(domain(), "design");
    let text = flat(&out(&run(&folder, &["scenario", "check"])));
    assert!(text.contains("name the `domain` of the exam"), "{text}");
}

#[test]
fn errors_in_a_scenario_have_line_column_and_suggestion() {
    let (folder, file) = with_scenario("error");
    replace(&file, "points = 3", "point = 3");
    let line = fs::read_to_string(&file).unwrap().lines().position(|line| line == "point = 3").unwrap() + 1;
    let text = out(&run(&folder, &["scenario", "check"])).replace("\n  ", " ");
    assert!(text.contains(&format!("scenario-107-mine.toml:{line}:1: unknown field `point`")), "{text}");
    assert!(text.contains("did you mean `points`?"), "{text}");
}

#[test]
fn list_can_be_narrowed_and_keeps_to_the_terminal() {
    let folder = folder("list");
    let all = out(&run(&folder, &["list"]));
    assert!(all.contains("107  Persistent Volume Claims"), "{all}");
    for lang in ["en", "zh-TW"] {
        let text = out(&run(&folder, &["list", "--lang", lang]));
        assert!(text.lines().all(|line| ckad_grade::report::width::width(line) <= 80), "{text}");
    }
    let ids = |arguments: &[&str]| -> Vec<String> {
        let list: Value = serde_json::from_str(&out(&run(&folder, arguments))).unwrap();
        list.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(ids(&["list", "107", "--format", "json"]).iter().all(|id| id.starts_with("scenario-107")));
    assert!(ids(&["list", "selector", "--format", "json"]).contains(&"scenario-107-no-selector".to_owned()));
    assert!(ids(&["list", "--level", "warm-up", "--format", "json"]).contains(&"scenario-105".to_owned()));
    assert_eq!(ids(&["list", "--chapter", "106", "105", "--format", "json"]), Vec::<String>::new());
    assert_eq!(code(&run(&folder, &["list", "no-such-word"])), 2);
}

#[test]
fn the_schema_beside_the_scenarios_is_up_to_date() {
    let path = Path::new("scenarios/scenario.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(path, schema::text()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(written == schema::text(), "out of date: UPDATE_SCHEMA=1 cargo test --test scenario");
    assert_eq!(out(&binary::run_in_root(&["schema"])), written);
}

#[test]
fn every_scenario_is_as_the_schema_says() {
    let schema = schema::json_schema();
    for entry in Library::embedded().entries() {
        let table: toml::Table = toml::from_str(&entry.source().unwrap()).unwrap();
        let errors = violations(&schema, &schema, &serde_json::to_value(table).unwrap(), "");
        assert!(errors.is_empty(), "{}: {errors:?}", entry.id);
    }
}

/// A minimal scenario; what comes before the title, the check's question, and what comes behind.
fn minimal(head: &str, question: &str, rest: &str) -> String {
    let text = "{ en = \"a\", zh-TW = \"b\" }";
    format!(
        "format = 1\nid = \"scenario-1\"\nchapter = \"1\"\nlevel = \"exam\"\nminutes = 1\ntitle = {text}\ntask = {text}\n{head}\n\
         [[checks]]\nid = \"x\"\npoints = 1\ntitle = {text}\n{question}\n{rest}"
    )
}

/// The fields that a table can have, as the loader names them when it meets an unknown one.
fn fields(source: &str) -> Vec<String> {
    let message = Scenario::parse(source, "scenario-1.toml").unwrap_err().message;
    assert!(message.starts_with("unknown field `zzz`"), "{message}");
    let mut fields: Vec<String> = message.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    fields.sort();
    fields
}

#[test]
fn the_schema_knows_the_fields_that_the_loader_knows() {
    let cel = "cel = \"true\"";
    let cases = [
        ("", minimal("zzz = 1", cel, "")),
        ("/definitions/text", minimal("", cel, "").replacen("zh-TW", "zzz", 1)),
        ("/definitions/cluster", minimal("cluster = { zzz = 1 }", cel, "")),
        ("/definitions/node", minimal("cluster = { nodes = [{ zzz = 1 }] }", cel, "")),
        ("/definitions/exit", minimal("cluster = { exits = [{ zzz = 1 }] }", cel, "")),
        ("/definitions/step", minimal("", cel, "[[steps]]\nzzz = 1")),
        ("/definitions/check", minimal("", "zzz = 1", "")),
        ("/definitions/check/properties/count", minimal("", "count = { zzz = 1 }", "")),
        ("/definitions/check/properties/mount", minimal("", "mount = { zzz = 1 }", "")),
        ("/definitions/check/properties/storage", minimal("", "storage = { zzz = 1 }", "")),
        ("/definitions/check/properties/dns", minimal("", "dns = { zzz = 1 }", "")),
        ("/definitions/free", minimal("", cel, "[[free]]\nzzz = 1")),
    ];
    let schema = schema::json_schema();
    for (pointer, source) in cases {
        let properties = schema.pointer(&format!("{pointer}/properties")).unwrap().as_object().unwrap();
        let mut known: Vec<String> = properties.keys().cloned().collect();
        known.sort();
        let mut fields = fields(&source);
        if pointer == "/definitions/step" && !fields.contains(&"kubectl".to_owned()) {
            known.retain(|field| field != "kubectl");
        }
        fields.dedup();
        assert_eq!(known, fields, "{pointer}");
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let schema = schema::json_schema();
    let refused = |source: &str| {
        let table: toml::Table = toml::from_str(source).unwrap();
        !violations(&schema, &schema, &serde_json::to_value(table).unwrap(), "").is_empty()
    };
    assert!(!refused(&minimal("", "cel = \"true\"", "")));
    for wrong in [
        minimal("", "", ""),
        minimal("", "cel = 1", ""),
        minimal("cluster.profile = \"ten-nodes\"", "cel = \"true\"", ""),
        minimal("", "cel = \"true\"", "[[free]]\nfield = \"x\""),
        minimal("", "storage.same = []", ""),
        minimal("", "cel = \"true\"", "").replace("points = 1", "points = 0"),
        minimal("", "cel = \"true\"", "").replace("\"exam\"", "\"easy\""),
        minimal("domain = \"design-and-build\"", "cel = \"true\"", ""),
    ] {
        assert!(refused(&wrong), "{wrong}");
        assert!(Scenario::parse(&wrong, "scenario-1.toml").is_err(), "{wrong}");
    }
}

/// As much of JSON Schema as our schema uses: where a value is not as the schema says.
fn violations(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut fail = |what: &str| wrong.push(format!("{path}: {what}"));
    let number = |key: &str| schema[key].as_i64();
    match schema["type"].as_str() {
        Some("object") if !value.is_object() => fail("no object"),
        Some("array") if !value.is_array() => fail("no array"),
        Some("string") if !value.is_string() => fail("no string"),
        Some("integer") if !value.is_i64() => fail("no integer"),
        Some("boolean") if !value.is_boolean() => fail("no boolean"),
        _ => {}
    }
    if schema["enum"].as_array().is_some_and(|members| !members.contains(value)) {
        fail("not one of the words");
    }
    if schema.get("const").is_some_and(|only| only != value) || schema["not"] == json!({}) {
        fail("not this");
    }
    if number("minimum").zip(value.as_i64()).is_some_and(|(least, n)| n < least) {
        fail("too small");
    }
    if number("minItems").zip(value.as_array()).is_some_and(|(least, items)| (items.len() as i64) < least) {
        fail("too few");
    }
    let pattern = schema["pattern"].as_str().map(|pattern| regex::Regex::new(pattern).unwrap());
    if pattern.zip(value.as_str()).is_some_and(|(pattern, text)| !pattern.is_match(text)) {
        fail("another form");
    }
    if let Some(options) = schema["anyOf"].as_array()
        && options.iter().all(|option| !violations(root, option, value, path).is_empty())
    {
        fail("none of the alternatives");
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            fail(&format!("lacks {key}"));
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(property), _) => wrong.extend(violations(root, property, inner, &path)),
            (None, Value::Bool(false)) => wrong.push(format!("{path}: not known")),
            (None, Value::Null) => {}
            (None, other) => wrong.extend(violations(root, other, inner, &path)),
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(violations(root, &schema["items"], item, &format!("{path}/{index}")));
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let definition = root.pointer(reference.trim_start_matches('#')).unwrap();
        wrong.extend(violations(root, definition, value, path));
    }
    wrong
}
