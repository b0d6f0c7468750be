//! Proving many scenarios side by side.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Finding, Proof, lint, prove};
use crate::scenario::solutions::variants;
use crate::scenario::{Entry, Origin, statements};

/// Proves scenarios that are files, with the solutions beside them; the result is in their order. Of each one's mutants every
/// `stride`-th is played.
pub fn prove_all(entries: &[Entry], stride: usize) -> Vec<(String, Proof)> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(entries.len().max(1));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((number, entry)) = entries.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((number, entry.id.clone(), prove_entry(entry, stride)));
        }
        done
    };
    let mut done: Vec<(usize, String, Proof)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(number, ..)| *number);
    let mut done = done.into_iter().peekable();
    let proof_of = |(number, entry): (usize, &Entry)| match done.next_if(|(done, ..)| *done == number) {
        Some((_, id, proof)) => (id, proof),
        // a thread that panicked has lost what it knew
        None => (entry.id.clone(), Proof::unusable("proving the scenario failed unexpectedly")),
    };
    entries.iter().enumerate().map(proof_of).collect()
}

fn prove_entry(entry: &Entry, stride: usize) -> Proof {
    let scenario = match entry.load() {
        Ok(scenario) => scenario,
        Err(error) => return Proof::unusable(error),
    };
    let Origin::File(path) = &entry.origin else {
        return Proof::unusable(format!("{} is built in; give its file", entry.id));
    };
    let Some(folder) = entry.solutions() else {
        return Proof::unusable(format!("there is no folder solutions/{} with a key.yaml", entry.id));
    };
    let mut proof = match variants(&folder) {
        Ok(variants) => prove(&scenario, &variants, known_statements(path).as_ref(), stride),
        Err(error) => return Proof::unusable(error),
    };
    let to_do = entry.source().map(|source| lint::to_do(&source, &entry.file())).unwrap_or_default();
    proof.findings.extend(to_do.into_iter().map(Finding::Lint));
    proof
}

/// The ids of `docs/statements.toml` beside a folder of scenarios, if there is such a file.
fn known_statements(scenario: &Path) -> Option<BTreeSet<String>> {
    let folder = scenario.parent()?;
    let root = if folder.as_os_str().is_empty() { PathBuf::from("..") } else { folder.join("..") };
    let text = std::fs::read_to_string(root.join("docs").join("statements.toml")).ok()?;
    let statements = statements::parse(&text).ok()?;
    Some(statements.into_iter().map(|statement| statement.id).collect())
}
