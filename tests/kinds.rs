//! docs/kinds.md is made from the code: `UPDATE_DOCS=1 cargo test --test kinds` brings it up to date.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ckad_grade::api::Kind;
use ckad_grade::api::schema::resources;
use regex::Regex;

const HEAD: &str = "\
# Kinds and their rules

Every kind that can be applied, with the number of places in the code that refuse an object when it is created or changed; each stands
for one line of Kubernetes' own validation. *Own* rules are those of the kind's file, `src/api/kinds/KIND.rs`; *shared* ones are in the functions
it calls, mostly in `src/api/validation`: the pod template of a Deployment is held to the rules of a pod.

What has the right form but not the right type or name of a field is refused before, by the decoder (`src/api/decode.rs`), for all kinds
alike; so is what admission refuses (`src/api/admission`, one file per plugin, named there).

This page is written by `UPDATE_DOCS=1 cargo test --test kinds`.

| kind | apiVersion | own rules | shared rules | together |
|---|---|---:|---:|---:|
";

/// A function of the code: its file and name.
type Function = (PathBuf, String);

/// The functions of `src/api/kinds` and `src/api/validation` with their bodies, without tests.
struct Functions {
    bodies: BTreeMap<Function, String>,
    code: BTreeMap<PathBuf, String>,
    rule: Regex,
    word: Regex,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && path.file_stem().is_some_and(|name| name != "tests") {
            found.push(path);
        }
    }
}

impl Functions {
    fn read(api: &Path) -> Functions {
        let start = Regex::new(r"(?m)^\s*(?:pub(?:\([^)]*\))? )?(?:const )?fn (\w+)").unwrap();
        let mut files = Vec::new();
        for folder in ["kinds", "validation"] {
            rust_files(&api.join(folder), &mut files);
        }
        files.push(api.join("validation.rs"));
        let (mut bodies, mut code) = (BTreeMap::new(), BTreeMap::new());
        for file in files {
            let whole = fs::read_to_string(&file).unwrap();
            let text = whole.split("mod tests {").next().unwrap();
            let starts: Vec<_> =
                start.captures_iter(text).map(|c| (c.get(0).unwrap().start(), c[1].to_owned())).collect();
            for (i, (from, name)) in starts.iter().enumerate() {
                let to = starts.get(i + 1).map_or(text.len(), |(next, _)| *next);
                bodies.entry((file.clone(), name.clone())).or_insert_with(String::new).push_str(&text[*from..to]);
            }
            code.insert(file, whole);
        }
        let reports = "required|invalid|not_supported|forbidden|not_found|duplicate|too_long|too_many";
        Functions {
            bodies,
            code,
            rule: Regex::new(&format!(
                r"\.(?:{reports})\(|\b(?:invalid|not_supported)_(?:printed|omitted)\(|\binvalid_each\("
            ))
            .unwrap(),
            word: Regex::new(r"\b[a-z]\w+").unwrap(),
        }
    }

    /// The functions a body names: of its own file, else the only one of that name, else one of a file it names too.
    fn named<'a>(&'a self, (file, name): &'a Function, body: &'a str) -> impl Iterator<Item = &'a Function> {
        let words: BTreeSet<&str> =
            self.word.find_iter(body).map(|word| word.as_str()).filter(|word| word != name).collect();
        let code = &self.code[file];
        words.into_iter().filter_map(move |word| {
            let candidates: Vec<&Function> = self.bodies.keys().filter(|(_, function)| function == word).collect();
            let own = candidates.iter().find(|(of, _)| of == file);
            let only = candidates.first().filter(|_| candidates.len() == 1);
            let imported = || {
                let stem = |of: &Path| format!("{}::", of.file_stem().unwrap().display());
                candidates.iter().find(|(of, _)| code.contains(&stem(of)))
            };
            own.or(only).or_else(imported).copied()
        })
    }

    /// All functions that can be reached from those of some files.
    fn reached(&self, from: impl Fn(&Path) -> bool) -> BTreeSet<&Function> {
        let mut queue: Vec<&Function> = self.bodies.keys().filter(|(file, _)| from(file)).collect();
        let mut reached = BTreeSet::new();
        while let Some(function) = queue.pop() {
            if reached.insert(function) {
                queue.extend(self.named(function, &self.bodies[function]));
            }
        }
        reached
    }

    /// How many places of a function report an error.
    fn rules(&self, function: &Function) -> usize {
        self.rule.find_iter(&self.bodies[function]).count()
    }
}

fn snake_case(kind: &str) -> String {
    let boundary = Regex::new("([a-z])([A-Z])").unwrap();
    boundary.replace_all(kind, "${1}_$2").to_lowercase()
}

#[test]
fn the_table_of_kinds_is_true() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let api = repository.join("src/api");
    let functions = Functions::read(&api);
    let mut table = String::from(HEAD);
    let mut all = BTreeSet::new();
    for kind in Kind::ALL {
        let module = api.join("kinds").join(snake_case(kind.name()));
        let own_file = |file: &Path| file == module.with_extension("rs") || file.starts_with(&module);
        let reached = functions.reached(own_file);
        let count = |own: bool| -> usize {
            reached.iter().filter(|(file, _)| own_file(file) == own).map(|function| functions.rules(function)).sum()
        };
        let (own, shared) = (count(true), count(false));
        writeln!(table, "| {} | {} | {own} | {shared} | {} |", kind.name(), kind.api_version(), own + shared).unwrap();
        all.extend(reached);
    }
    let total: usize = all.into_iter().map(|function| functions.rules(function)).sum();
    writeln!(table, "\n{} kinds, {total} rules, each counted once.", Kind::ALL.len()).unwrap();
    let others = resources::RESOURCES.iter().filter(|known| Kind::find(&known.api_version(), known.kind).is_none());
    let names: Vec<&str> = others.map(|known| known.kind).collect();
    writeln!(
        table,
        "\nKinds that a cluster has and that are not simulated are refused with words that say so, not with kubectl's:\n{},\nand \
         those of the groups for CustomResourceDefinitions, webhooks, certificates, devices and access reviews.",
        names.join(", ")
    )
    .unwrap();
    let path = repository.join("docs/kinds.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == table, "docs/kinds.md is out of date: UPDATE_DOCS=1 cargo test --test kinds");
}
