//! Putting the parts of a batch together that several machines graded.
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Lines, Write as _};
use std::path::{Path, PathBuf};

use super::result::{Entry, Results};
use super::similar;
use super::spool::TempFile;
use super::statistics::Tally;
use crate::lang::Lang;
use crate::scenario::{Library, Scenario};

/// Merges JSON Lines files as a run writes them; the result is what one run would have written. A line that is in several
/// files, because a part was graded twice, counts once.
///
/// # Errors
/// When a file cannot be read or holds something else.
pub fn merge(files: &[PathBuf], library: &Library, similar: bool, lang: Lang) -> io::Result<Results> {
    let mut parts = Vec::new();
    let mut heads = BinaryHeap::new();
    for (number, path) in files.iter().enumerate() {
        let mut part =
            Part { path, lines: BufReader::new(File::open(path).map_err(|e| about(path, &e))?).lines(), line: 0 };
        heads.extend(part.next()?.map(|entry| Reverse((Head(entry), number))));
        parts.push(part);
    }
    let out = TempFile::new()?;
    let mut writer = BufWriter::new(out.handle()?);
    let mut tally = Tally::default();
    let mut scenarios: std::collections::HashMap<String, Option<Scenario>> = std::collections::HashMap::new();
    let mut last: Option<Entry> = None;
    while let Some(Reverse((Head(entry), number))) = heads.pop() {
        if let Some(part) = parts.get_mut(number) {
            heads.extend(part.next()?.map(|entry| Reverse((Head(entry), number))));
        }
        if last.as_ref() == Some(&entry) {
            continue;
        }
        if !entry.scenario.is_empty() && !scenarios.contains_key(&entry.scenario) {
            let found = library.entries().find(|known| known.id == entry.scenario).and_then(|known| known.load().ok());
            scenarios.insert(entry.scenario.clone(), found);
        }
        tally.add(&entry, lang, || scenarios.get(&entry.scenario).and_then(Option::as_ref));
        serde_json::to_writer(&mut writer, &entry).map_err(io::Error::other)?;
        writer.write_all(b"\n")?;
        last = Some(entry);
    }
    writer.flush()?;
    let mut results = Results::new(out.handle()?, tally.finish(lang));
    if similar {
        results.summary.similar = similar::pairs(&results)?;
    }
    Ok(results)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file that is being merged.
struct Part<'a> {
    path: &'a Path,
    lines: Lines<BufReader<File>>,
    line: usize,
}

impl Part<'_> {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        self.line += 1;
        let Some(line) = self.lines.next() else { return Ok(None) };
        let line = line.map_err(|error| about(self.path, &error))?;
        let entry = serde_json::from_str(&line).map_err(|error| {
            io::Error::other(format!(
                "{}: line {}: not a result of ckad-grade batch: {error}",
                self.path.display(),
                self.line
            ))
        })?;
        Ok(Some(entry))
    }
}

/// An entry that is compared by its place.
struct Head(Entry);

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.0.order() == other.0.order()
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Head) -> std::cmp::Ordering {
        self.0.order().cmp(&other.0.order())
    }
}
