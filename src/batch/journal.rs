//! Results on disk as they are made, so that a run that was killed goes on where it was, and only what changed is graded
//! anew.
//!
//! A line is `SUM KEY JSON`: the key is a hash of everything a grade depends on, the sum is one of key and JSON, so that a
//! line that was cut off anywhere is no line.
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::digest::{self, Digest};

/// A file of results by their keys.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    end: u64,
    places: HashMap<Digest, (u64, u32)>,
}

/// The most bytes of a line.
const MAX_LINE: u64 = 16 << 20;
/// The first line.
const HEAD: &str = "ckad-grade batch journal 1\n";

impl Journal {
    /// Opens a journal or begins one.
    ///
    /// # Errors
    /// When it cannot be read or written, is used by another run, or is another kind of file.
    pub(super) fn open(path: &Path) -> io::Result<Journal> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(io::Error::other("another run is using it")),
            // a file system without locks
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => {}
        }
        let mut journal = Journal { file, end: 0, places: HashMap::new() };
        journal.load()?;
        Ok(journal)
    }

    fn load(&mut self) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 16, &self.file);
        let mut line = Vec::new();
        reader.by_ref().take(HEAD.len() as u64).read_until(b'\n', &mut line)?;
        if !HEAD.as_bytes().starts_with(&line) {
            return Err(io::Error::other("not a journal of ckad-grade batch; nothing was changed"));
        }
        let mut end = line.len() as u64;
        if end < HEAD.len() as u64 {
            drop(reader);
            (&self.file).seek(SeekFrom::Start(0))?;
            (&self.file).write_all(HEAD.as_bytes())?;
            self.end = HEAD.len() as u64;
            return self.file.set_len(self.end);
        }
        loop {
            line.clear();
            let length = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? as u64;
            let Some((key, _)) = read_line(&line) else { break };
            self.places.insert(key, (end, u32::try_from(length).unwrap_or(u32::MAX)));
            end += length;
        }
        // what was cut off is written anew
        self.end = end;
        self.file.set_len(end)
    }

    /// The result of a key.
    pub(super) fn get(&mut self, key: &Digest) -> Option<String> {
        let (offset, length) = *self.places.get(key)?;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut line = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut line).ok()?;
        read_line(&line).filter(|(found, _)| found == key).and_then(|(_, json)| String::from_utf8(json.to_vec()).ok())
    }

    /// Adds results that are not yet there.
    pub(super) fn add<'a>(&mut self, results: impl Iterator<Item = (Digest, &'a str)>) -> io::Result<()> {
        let mut lines = Vec::new();
        for (key, json) in results {
            if self.places.contains_key(&key) {
                continue;
            }
            let body = format!("{} {json}\n", digest::hex(&key));
            let line = format!("{} {body}", digest::hex(&digest::of(&[body.as_bytes()])));
            let place = (self.end + lines.len() as u64, u32::try_from(line.len()).unwrap_or(u32::MAX));
            self.places.insert(key, place);
            lines.extend_from_slice(line.as_bytes());
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(&lines)?;
        self.end += lines.len() as u64;
        Ok(())
    }
}

/// Key and JSON of a whole line.
fn read_line(line: &[u8]) -> Option<(Digest, &[u8])> {
    let (sum, body) = line.split_at_checked(33)?;
    if !body.ends_with(b"\n") || digest::hex(&digest::of(&[body])).as_bytes() != sum.get(..32)? {
        return None;
    }
    let mut key = Digest::default();
    for (byte, digits) in key.iter_mut().zip(body.get(..32)?.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some((key, body.get(33..body.len() - 1)?))
}
