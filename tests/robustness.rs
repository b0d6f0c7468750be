//! No bytes given as an answer make anything panic or hang: every recorded manifest, damaged, goes the whole way.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use ckad_grade::cluster::Cluster;
use ckad_grade::environment::Environment;
use ckad_grade::timeline::{Action, ManifestFile, Step, play_step};

/// A small deterministic source of numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn recorded_manifests() -> Vec<PathBuf> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases");
    let entries = |path: &Path| std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let cases = entries(&folders).into_iter().flat_map(|group| entries(&group));
    let files = cases.flat_map(|case| entries(&case));
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

/// One change a clumsy or hostile hand could make.
fn damage(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    const PIECES: [&str; 20] = [
        "\0",
        "\u{202e}",
        "\t",
        "-1",
        "99999999999999999999",
        "1e400",
        "0x",
        "~",
        "null",
        "[]",
        "{}",
        "- ",
        ": ",
        "\"",
        "&a ",
        "*a",
        "---\n",
        "\u{1b}[31m",
        "<b>",
        "9223372036854775807",
    ];
    let lines: Vec<(usize, usize)> = {
        let mut start = 0;
        let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1);
        ends.map(|end| (std::mem::replace(&mut start, end), end)).collect()
    };
    let (start, end) = lines.get(numbers.below(lines.len())).copied().unwrap_or((0, bytes.len()));
    match numbers.below(5) {
        0 => drop(bytes.drain(start..end)),
        1 => {
            let line = bytes[start..end].to_vec();
            bytes.splice(start..start, line);
        }
        2 => {
            // another value for a key
            let colon = bytes[start..end].iter().position(|b| *b == b':').map_or(end, |at| start + at + 1);
            let piece = format!(" {}", PIECES[numbers.below(PIECES.len())]);
            bytes.splice(colon..end.saturating_sub(1).max(colon), piece.into_bytes());
        }
        3 => {
            let at = numbers.below(bytes.len() + 1);
            bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes());
        }
        _ => {
            let at = numbers.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = numbers.below(256) as u8;
            }
        }
    }
}

#[test]
fn damaged_manifests_are_refused_or_played() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let fresh = Cluster::new(Environment::default());
    for file in recorded_manifests() {
        let original = std::fs::read(&file).unwrap();
        for _ in 0..12 {
            let mut bytes = original.clone();
            for _ in 0..=numbers.below(3) {
                damage(&mut bytes, &mut numbers);
            }
            let mut cluster = fresh.clone();
            let files = vec![ManifestFile { name: "answer.yaml".to_owned(), bytes }];
            let played = play_step(&mut cluster, &Step { namespace: None, action: Action::Apply(files) });
            let output = played.output;
            assert!(output.exit_code == 0 || !output.stderr.is_empty(), "{}: refused without a word", file.display());
        }
    }
}

#[test]
fn what_is_nested_as_deep_as_the_reader_allows_does_not_overflow_the_stack() {
    let head = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: deep, labels: {a: b}}\nspec: ";
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        for depth in [200, 900, 990, 5000] {
            let manifest = format!("{head}{}1{}\n", open.repeat(depth), close.repeat(depth));
            let files = vec![ManifestFile { name: "answer.yaml".to_owned(), bytes: manifest.into_bytes() }];
            let step = Step { namespace: None, action: Action::Apply(files) };
            let output = play_step(&mut Cluster::new(Environment::default()), &step).output;
            assert_ne!(output.exit_code, 0);
        }
    }
}
