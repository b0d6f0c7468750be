//! Any text is a scenario or an error with a place; a scenario that loads can be started and its key-less answer graded.
#![no_main]
use ckad_grade::{grade, scenario::Scenario};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Scenario::parse(text, "fuzz.toml") {
        Ok(scenario) => {
            let _ = grade::grade(&scenario, &[]);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
