//! What does not have to be in memory: temporary files, and sorting with their help.
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that is gone when it is dropped, or when the process is killed where the system allows that.
#[derive(Debug)]
pub(super) struct TempFile {
    file: File,
    path: PathBuf,
}

impl TempFile {
    /// An empty file in the system's folder for such files.
    pub(super) fn new() -> io::Result<TempFile> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut tries = 0;
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("ckad-grade-{}-{number}", std::process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // an open file needs no name, except on Windows, where it goes with the last of us
                    let _ = fs::remove_file(&path);
                    return Ok(TempFile { file, path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 1000 => tries += 1,
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            }
        }
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// A second handle of the same open file.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Bytes of records that are kept in memory before they are sorted and written to a file.
const CHUNK: usize = 4 << 20;
/// The most sorted files that are merged at once; each takes a buffer.
const FAN_IN: usize = 64;

/// Sorts records by their keys in bounded memory; records of equal keys keep their order.
#[derive(Debug)]
pub(super) struct Sorter {
    chunk: Vec<Record>,
    bytes: usize,
    runs: Vec<TempFile>,
    limit: usize,
    count: u64,
}

/// A key and what belongs to it.
pub(super) type Record = (String, String);

impl Sorter {
    /// A sorter without records.
    pub(super) fn new() -> Sorter {
        Sorter::with_chunk(CHUNK)
    }

    fn with_chunk(limit: usize) -> Sorter {
        Sorter { chunk: Vec::new(), bytes: 0, runs: Vec::new(), limit, count: 0 }
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Adds a record.
    pub(super) fn push(&mut self, key: String, value: String) -> io::Result<()> {
        self.bytes += key.len() + value.len() + size_of::<Record>();
        self.count += 1;
        self.chunk.push((key, value));
        if self.bytes > self.limit {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.chunk.sort_by(|one, other| one.0.cmp(&other.0));
        let run = TempFile::new()?;
        let mut out = BufWriter::new(run.file());
        for record in self.chunk.drain(..) {
            write(&mut out, &record)?;
        }
        out.flush()?;
        drop(out);
        self.bytes = 0;
        self.runs.push(run);
        if self.runs.len() >= FAN_IN {
            let runs = std::mem::take(&mut self.runs);
            let run = TempFile::new()?;
            let mut out = BufWriter::new(run.file());
            for record in Merge::new(runs)? {
                write(&mut out, &record?)?;
            }
            out.flush()?;
            drop(out);
            self.runs.push(run);
        }
        Ok(())
    }

    /// All records in the order of their keys.
    pub(super) fn sorted(mut self) -> io::Result<Box<dyn Iterator<Item = io::Result<Record>>>> {
        if self.runs.is_empty() {
            self.chunk.sort_by(|one, other| one.0.cmp(&other.0));
            return Ok(Box::new(self.chunk.into_iter().map(Ok)));
        }
        if !self.chunk.is_empty() {
            self.spill()?;
        }
        Ok(Box::new(Merge::new(self.runs)?))
    }
}

fn write(out: &mut impl io::Write, (key, value): &Record) -> io::Result<()> {
    for text in [key, value] {
        out.write_all(&(text.len() as u64).to_le_bytes())?;
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn read_text(source: &mut impl io::Read) -> io::Result<Option<String>> {
    let mut length = [0; 8];
    match source.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut text = String::new();
    source.take(u64::from_le_bytes(length)).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Sorted files read as one.
struct Merge {
    sources: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(Record, usize)>>,
    // the files live as long as they are read
    _runs: Vec<TempFile>,
}

impl Merge {
    fn new(runs: Vec<TempFile>) -> io::Result<Merge> {
        let mut merge = Merge { sources: Vec::new(), heads: BinaryHeap::new(), _runs: Vec::new() };
        for (number, run) in runs.iter().enumerate() {
            let mut file = run.handle()?;
            file.seek(SeekFrom::Start(0))?;
            merge.sources.push(BufReader::with_capacity(1 << 14, file));
            merge.advance(number)?;
        }
        merge._runs = runs;
        Ok(merge)
    }

    fn advance(&mut self, number: usize) -> io::Result<()> {
        let Some(source) = self.sources.get_mut(number) else { return Ok(()) };
        if let (Some(key), Some(value)) = (read_text(source)?, read_text(source)?) {
            self.heads.push(Reverse(((key, value), number)));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = io::Result<Record>;
    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((record, number)) = self.heads.pop()?;
        match self.advance(number) {
            Ok(()) => Some(Ok(record)),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Sorter;

    #[test]
    fn records_come_out_in_order_however_many_files_it_takes() {
        let mut sorter = Sorter::with_chunk(300);
        for number in 0..2000u32 {
            let key = number.wrapping_mul(2_654_435_761);
            sorter.push(format!("{key:010}"), format!("{number}\n")).unwrap();
        }
        let keys: Vec<String> = sorter.sorted().unwrap().map(|record| record.unwrap().0).collect();
        assert_eq!(keys.len(), 2000);
        assert!(keys.is_sorted());
    }
}
