//! What `explain` finds.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};

use ckad_grade::explain::search::Budget;
use ckad_grade::explain::{self, Explained};
use ckad_grade::lang::Lang;
use ckad_grade::report::explain as report;
use ckad_grade::scenario::solutions::{Variant, variants};
use ckad_grade::scenario::{Library, Scenario};

fn scenarios_of(folder: &Path) -> Vec<(Scenario, Vec<Variant>)> {
    let mut library = Library::default();
    library.add_folder(folder).unwrap();
    let load = |entry: &ckad_grade::scenario::Entry| {
        let scenario = entry.load().ok()?;
        let folder = entry.solutions()?;
        Some((scenario, variants(&folder).ok()?))
    };
    library.entries().filter_map(load).collect()
}

fn text(scenario: Option<&Scenario>, explained: &Explained, lang: Lang) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    report::write(scenario, explained, lang, &mut out).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

/// `EXPLAIN=scenarios[,folder…] cargo test --test explain measure -- --ignored --nocapture`
#[test]
#[ignore = "for whoever works on the search"]
fn measure() {
    let folders = std::env::var("EXPLAIN").unwrap_or_else(|_| "scenarios".to_owned());
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut all = Vec::new();
    for folder in folders.split(',') {
        for (scenario, variants) in scenarios_of(&PathBuf::from(folder)) {
            all.extend(variants.into_iter().filter(|v| !v.is_right()).map(|variant| (scenario.clone(), variant)));
        }
    }
    all.retain(|(scenario, variant)| format!("{}/{}", scenario.id, variant.name).contains(&only));
    let counts = std::sync::Mutex::new([0usize; 3]);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((scenario, variant)) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let clock = std::time::Instant::now();
                    let Ok(found) = explain::scenario(scenario, &variant.files, Budget::default()) else { continue };
                    let edits = found.all.first().map_or(0, |fix| fix.steps.len());
                    counts.lock().unwrap()[edits] += 1;
                    let nodiff = found.all.iter().filter(|fix| fix.diff.is_empty()).count();
                    let took = clock.elapsed().as_millis();
                    println!(
                        "{edits} {}/{} tried={} cut={} nodiff={nodiff} {took}ms",
                        scenario.id, variant.name, found.tried, found.cut_short
                    );
                    if !only.is_empty() {
                        println!("{}", text(Some(scenario), &found, Lang::En));
                    }
                }
            });
        }
    });
    println!("none, one, two: {:?}", counts.lock().unwrap());
}
