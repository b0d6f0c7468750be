//! What `explain` finds.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use ckad_grade::explain::answer::Answer;
use ckad_grade::explain::candidates::Context;
use ckad_grade::explain::pool::Pool;
use ckad_grade::explain::search::{Budget, search};
use ckad_grade::explain::trial::Trial;
use ckad_grade::grade;
use ckad_grade::scenario::solutions::{Variant, variants};
use ckad_grade::scenario::{Library, Scenario};

fn scenarios() -> Vec<(Scenario, Vec<Variant>)> {
    let mut library = Library::default();
    library.add_folder(Path::new("scenarios")).unwrap();
    let load = |entry: &ckad_grade::scenario::Entry| {
        let scenario = entry.load().unwrap_or_else(|error| panic!("{error}"));
        let folder = entry.solutions().unwrap_or_else(|| panic!("{} has no solutions", entry.id));
        (scenario, variants(&folder).unwrap_or_else(|error| panic!("{error}")))
    };
    library.entries().map(load).collect()
}

#[test]
fn measure() {
    for (scenario, variants) in scenarios() {
        for variant in variants.iter().filter(|variant| !variant.is_right()) {
            let start = grade::start(&scenario).unwrap();
            let answer = Answer::read(&variant.files);
            let pool = Pool::of(&start, &answer, Some(&scenario));
            let context = Context { start: &start, pool: &pool };
            let trial = Trial::Scenario { scenario: &scenario, start: &start };
            let clock = std::time::Instant::now();
            let found = search(&trial, &context, &answer, Budget::default()).unwrap();
            let full: Vec<_> = found.found.iter().filter(|f| f.full).collect();
            println!(
                "{}/{} edits={} full={} tried={} cut={} {:?}",
                scenario.id,
                variant.name,
                full.first().map_or(0, |f| f.edits.len()),
                full.len(),
                found.tried,
                found.cut_short,
                clock.elapsed()
            );
            for found in full.iter().take(3) {
                for edit in &found.edits {
                    let text: Vec<String> = edit
                        .changes
                        .iter()
                        .map(|c| {
                            format!(
                                "{}:{} = {:?}",
                                c.document,
                                ckad_grade::explain::answer::path_text(&c.path),
                                c.value.as_ref().map(ToString::to_string)
                            )
                        })
                        .collect();
                    println!(
                        "     {:?} {} {:?}",
                        edit.kind,
                        text.join("; "),
                        edit.added.as_ref().map(ToString::to_string)
                    );
                }
                println!("     --");
            }
        }
    }
}
