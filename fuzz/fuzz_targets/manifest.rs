//! Any bytes are read to documents or refused, and every place in them can be told.
#![no_main]
use ckad_grade::manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = manifest::read("fuzz.yaml", bytes);
    for document in &read.documents {
        let _ = (document.location(), document.locate("spec.containers[0].image"), document.items());
    }
    // what was read can be written and read again as the same
    for document in read.documents.iter().filter(|document| document.undecodable().is_none()) {
        let text = document.value.to_string();
        let again = manifest::read("fuzz.json", text.as_bytes());
        assert_eq!(again.documents.first().map(|again| &again.value), Some(&document.value));
    }
});
