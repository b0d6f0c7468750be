//! Any text is a timeline that can be played or an error.
#![no_main]
use ckad_grade::timeline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // every file a timeline names is what stands behind a line of %%%
    let (timeline, manifest) = text.split_once("\n%%%\n").unwrap_or((text, ""));
    if let Ok(timeline) = timeline::load_str(timeline, &|_| Ok(manifest.as_bytes().to_vec())) {
        let _ = timeline::play(&timeline);
    }
});
