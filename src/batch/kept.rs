//! The answers themselves, for reports that show more than entries hold.
use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};

use super::spool::TempFile;
use crate::timeline::ManifestFile;

/// Answers on disk by the hash of their content.
#[derive(Debug)]
pub(super) struct Kept {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: TempFile,
    end: u64,
    /// The names, places and lengths of the files of each answer.
    answers: HashMap<String, Vec<(String, u64, u64)>>,
}

impl Kept {
    pub(super) fn new() -> io::Result<Kept> {
        Ok(Kept { inner: Mutex::new(Inner { file: TempFile::new()?, end: 0, answers: HashMap::new() }) })
    }

    /// Keeps an answer.
    pub(super) fn add(&self, digest: &str, files: &[ManifestFile]) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.answers.contains_key(digest) {
            return Ok(());
        }
        let mut places = Vec::new();
        for ManifestFile { name, bytes } in files {
            let (mut file, end) = (inner.file.file(), inner.end);
            file.seek(SeekFrom::Start(end))?;
            file.write_all(bytes)?;
            places.push((name.clone(), end, bytes.len() as u64));
            inner.end += bytes.len() as u64;
        }
        inner.answers.insert(digest.to_owned(), places);
        Ok(())
    }

    /// The answer with this hash.
    pub(super) fn get(&self, digest: &str) -> Option<Vec<ManifestFile>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let places = inner.answers.get(digest)?;
        let read = |(name, offset, length): &(String, u64, u64)| {
            let mut file = inner.file.file();
            file.seek(SeekFrom::Start(*offset)).ok()?;
            let mut bytes = Vec::new();
            file.take(*length).read_to_end(&mut bytes).ok()?;
            Some(ManifestFile { name: name.clone(), bytes })
        };
        places.iter().map(read).collect()
    }
}
