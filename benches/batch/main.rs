//! How long a class takes, against `serde_yaml` that only parses the same bytes, on as many cores; how much memory; whether
//! twice the answers take twice the time.
//!
//! `cargo bench --bench batch` makes 100,000 answers; `-- 5000` so many.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]
mod submissions;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize as _;

fn main() {
    let count = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(100_000);
    let folder = std::env::temp_dir().join(format!("ckad-grade-bench-{}", std::process::id()));
    let class = |name: &str, count: usize, mix: &submissions::Mix| {
        let place = folder.join(name);
        let bytes = submissions::write(&place, count, mix);
        (place, bytes)
    };
    let (whole, bytes) = class("class", count, &submissions::CLASS);
    let (half, _) = class("half", count / 2, &submissions::CLASS);
    let (loners, own_bytes) = class("loners", count / 20, &submissions::LONERS);
    println!("{count} answers, {:.1} MB, {} threads", bytes as f64 / 1e6, threads());

    let parsed = parse(&whole);
    rate("serde_yaml parses them", count, parsed);
    let (graded, memory) = grade(&whole);
    rate("batch grades them", count, graded);
    println!("{:<44} {:>8.2} ×", "  slower than parsing", graded.as_secs_f64() / parsed.as_secs_f64());
    let (one, base) = grade(&{
        let one = folder.join("one");
        submissions::write(&one, 1, &submissions::CLASS);
        one
    });
    black_box(one);
    println!("{:<44} {:>8} KiB, {base} KiB with one answer", "  most memory", memory);
    let (halved, memory) = grade(&half);
    rate("half of them", count / 2, halved);
    let factor = graded.as_secs_f64() / halved.as_secs_f64();
    println!("{:<44} {factor:>8.2} ×, {memory} KiB", "  twice the answers take");

    let parsed = parse(&loners);
    let (graded, _) = grade(&loners);
    println!("{} answers that all differ, {:.1} MB", count / 20, own_bytes as f64 / 1e6);
    rate("batch grades them", count / 20, graded);
    println!("{:<44} {:>8.2} ×", "  slower than parsing", graded.as_secs_f64() / parsed.as_secs_f64());
    fs::remove_dir_all(&folder).unwrap();
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn rate(what: &str, count: usize, took: Duration) {
    let rate = count as f64 / took.as_secs_f64();
    println!("{what:<44} {:>8.2} s  {rate:>9.0} /s", took.as_secs_f64());
}

/// Reads and parses every file, on all cores.
fn parse(folder: &Path) -> Duration {
    let start = Instant::now();
    let students: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    std::thread::scope(|scope| {
        for part in students.chunks(students.len().div_ceil(threads()).max(1)) {
            scope.spawn(move || {
                for file in part.iter().flat_map(|student| fs::read_dir(student).unwrap()) {
                    let bytes = fs::read(file.unwrap().path()).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    for document in serde_yaml::Deserializer::from_str(&text) {
                        if black_box(serde_yaml::Value::deserialize(document)).is_err() {
                            break;
                        }
                    }
                }
            });
        }
    });
    start.elapsed()
}

/// Grades a folder; the time and the most memory (KiB) the process had.
fn grade(folder: &Path) -> (Duration, u64) {
    let start = Instant::now();
    let results = folder.with_extension("jsonl");
    let mut child = Command::new(env!("CARGO_BIN_EXE_ckad-grade"))
        .args(["batch", "--attempts", "all", "-o"])
        .arg(&results)
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // the kernel keeps the peak as long as the process is there
    let mut peak = 0;
    let took = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
        peak = peak.max(kib);
        if let Some(exit) = child.try_wait().unwrap() {
            assert!(exit.code().is_some_and(|code| code <= 1), "batch ended with {exit}");
            break start.elapsed();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let lines = fs::read_to_string(&results).unwrap();
    assert!(!lines.contains("\"status\":\"crashed\""), "the grader crashed");
    (took, peak)
}
