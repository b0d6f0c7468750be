//! Any answer to a scenario is graded, twice the same, and reported.
#![no_main]
use std::sync::{LazyLock, Mutex};

use ckad_grade::cluster::Cluster;
use ckad_grade::lang::Lang;
use ckad_grade::report::Report;
use ckad_grade::scenario::{Library, Scenario};
use ckad_grade::{grade, timeline::ManifestFile};
use libfuzzer_sys::fuzz_target;

static READY: LazyLock<Mutex<Vec<(Scenario, Cluster)>>> = LazyLock::new(|| {
    let library = Library::embedded();
    let load = |entry: &ckad_grade::scenario::Entry| {
        let scenario = entry.load().ok()?;
        let start = grade::start(&scenario).ok()?;
        Some((scenario, start))
    };
    Mutex::new(library.entries().filter_map(load).collect())
});

fuzz_target!(|bytes: &[u8]| {
    // the first byte says to which scenario
    let Some((first, bytes)) = bytes.split_first() else { return };
    let ready = READY.lock().unwrap();
    let (scenario, start) = &ready[usize::from(*first) % ready.len()];
    let answer = [ManifestFile { name: "fuzz.yaml".to_owned(), bytes: bytes.to_vec() }];
    let graded = grade::grade_in(scenario, start.clone(), &answer).expect("our scenarios are right");
    let report = Report::new(scenario, &graded, Lang::En);
    let mut shown = Vec::new();
    ckad_grade::report::terminal::write(&report, &mut shown).unwrap();
    // colours are ours; nothing else may be a control character
    let shown = String::from_utf8(shown).unwrap();
    for piece in shown.split('\u{1b}').enumerate().map(|(i, piece)| if i == 0 { piece } else { piece.split_once('m').unwrap().1 }) {
        assert!(piece.chars().all(|c| c == '\n' || !c.is_control()), "{piece:?}");
    }
});
