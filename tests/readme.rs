//! What README.md shows is what the program prints. `UPDATE_README=1 cargo test --test readme` brings it up to date.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/binary.rs"]
mod binary;

use std::path::Path;

/// What a command line of the README prints, run in the repository's root.
fn output(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some(("ckad-grade", arguments)) = words.split_first().map(|(first, rest)| (*first, rest)) else {
        panic!("only our own command can be shown: {command}")
    };
    let output = binary::run_in_root(arguments);
    binary::stdout(&output) + &binary::stderr(&output)
}

#[test]
fn shown_sessions_are_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let mut fresh = String::new();
    let mut in_session = false;
    let mut sessions = 0;
    for line in written.lines() {
        match line {
            "```console" => in_session = true,
            "```" => in_session = false,
            _ if in_session && !line.starts_with("$ ") => continue,
            _ => {}
        }
        fresh.push_str(line);
        fresh.push('\n');
        if let Some(command) = line.strip_prefix("$ ").filter(|_| in_session) {
            fresh.push_str(output(command).trim_end());
            fresh.push('\n');
            sessions += 1;
        }
    }
    assert!(sessions > 0, "no ```console block found");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    assert!(written == fresh, "README.md is out of date: UPDATE_README=1 cargo test --test readme");
}
