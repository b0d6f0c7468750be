//! The same answer is graded once: students copy keys, hand in twice, or leave a template as it is. Answers are the same if
//! they hold the same documents, however they are written; where more than a syntax error is said about places in the text,
//! only the same bytes are. The memory is bounded; what is forgotten is graded again, with the same result.
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::answer::{self, Graded, Prepared};
use super::digest::{self, Digest};
use super::discover::walk::is_manifest;
use super::result::ProblemEntry;
use crate::lang::Lang;
use crate::manifest;
use crate::timeline::ManifestFile;

/// How many grades are remembered of each of two generations.
const MAX_GRADES: usize = 4096;

/// Grades by the content of answers.
#[derive(Debug, Default)]
pub(super) struct Cache {
    grades: Mutex<Generations>,
}

/// What was asked for lately, and before: the older one is forgotten as a whole.
#[derive(Debug, Default)]
struct Generations {
    new: HashMap<Digest, Arc<Graded>>,
    old: HashMap<Digest, Arc<Graded>>,
}

impl Generations {
    fn get(&mut self, key: &Digest) -> Option<Arc<Graded>> {
        if let Some(known) = self.new.get(key) {
            return Some(known.clone());
        }
        let known = self.old.get(key)?.clone();
        self.insert(*key, known.clone());
        Some(known)
    }

    fn insert(&mut self, key: Digest, graded: Arc<Graded>) {
        if self.new.len() >= MAX_GRADES {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(key, graded);
    }
}

impl Cache {
    /// The grade of an answer whose bytes have this hash.
    pub(super) fn get(&self, prepared: &Prepared, files: &[ManifestFile], content: Digest, lang: Lang) -> Arc<Graded> {
        let grades = || self.grades.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = digest::of(&[b"bytes", &prepared.digest, &content]);
        let meaning = Meaning::of(prepared, files);
        if let Some(meaning) = &meaning
            && let Some(known) = grades().get(&meaning.key)
        {
            return meaning.of_this_text(known);
        }
        if let Some(known) = grades().get(&bytes) {
            return known;
        }
        let graded = Arc::new(answer::grade(prepared, files, lang));
        match meaning.filter(|meaning| meaning.says_all(&graded)) {
            Some(meaning) => grades().insert(meaning.key, graded.clone()),
            None => grades().insert(bytes, graded.clone()),
        }
        graded
    }
}

/// What an answer says, apart from how it is written.
struct Meaning {
    /// A hash of the documents that can be read, and of whether something follows that cannot.
    key: Digest,
    /// Why the rest of a file cannot be read: all that depends on how it is written.
    errors: Vec<ProblemEntry>,
}

impl Meaning {
    /// None for commands: they are not YAML, whatever a reader of YAML makes of them.
    fn of(prepared: &Prepared, files: &[ManifestFile]) -> Option<Meaning> {
        if !files.iter().all(|file| is_manifest(&file.name)) {
            return None;
        }
        let mut out = io::BufWriter::new(Hash(Sha256::new()));
        let mut errors = Vec::new();
        io::Write::write_all(&mut out, &prepared.digest).ok()?;
        for file in files {
            let read = manifest::read(&file.name, &file.bytes);
            serde_json::to_writer(&mut out, &file.name).ok()?;
            for document in &read.documents {
                if document.undecodable().is_some() {
                    return None;
                }
                serde_json::to_writer(&mut out, &document.value).ok()?;
                io::Write::write_all(&mut out, b"\n").ok()?;
            }
            if let Some(error) = read.error {
                io::Write::write_all(&mut out, b"unreadable\n").ok()?;
                errors.push(answer::unreadable(files, &error));
            }
        }
        let key = out.into_inner().ok()?.0.finalize().first_chunk().copied()?;
        Some(Meaning { key, errors })
    }

    /// Whether nothing of a grade depends on how the answer is written, except the errors.
    fn says_all(&self, graded: &Graded) -> bool {
        let fix = self.errors.first().is_none_or(|error| graded.fix.as_ref() == Some(&error.message));
        graded.problems == self.errors && fix
    }

    /// The grade of another answer with this meaning, with the errors of this one.
    fn of_this_text(&self, known: Arc<Graded>) -> Arc<Graded> {
        match self.errors.first() {
            None => known,
            Some(first) => {
                Arc::new(Graded { fix: Some(first.message.clone()), problems: self.errors.clone(), ..(*known).clone() })
            }
        }
    }
}

struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Library;

    #[test]
    fn what_is_remembered_is_what_grading_says() {
        let library = Library::embedded();
        let prepared = Prepared::new(&library, "scenario-107", false);
        let cache = Cache::default();
        let key = include_str!("../../solutions/scenario-107/key.yaml");
        let wrong = include_str!("../../solutions/scenario-107/wrong-label-value.yaml");
        let mut texts: Vec<String> = vec![
            key.to_owned(),
            format!("# mine\n---\n{key}"),
            wrong.to_owned(),
            format!("{wrong}---\n"),
            key.replace("spec:", "spek:"),
            format!("# x\n{}", key.replace("spec:", "spek:")),
            key.replace("name: data", "name: data\n  name: data"),
            "a: [\n".to_owned(),
            "\n\n'".to_owned(),
            format!("{key}---\na: [\n"),
            format!("{key}\n\n---\n\tb"),
            format!("kind: Pod\n---\n{key}---\n]\n"),
            String::new(),
        ];
        texts.extend((0..key.len()).step_by(5).map(|at| key.get(..at).unwrap_or_default().to_owned()));
        for text in texts.iter().chain(&texts) {
            let files = [ManifestFile { name: "scenario-107.yaml".to_owned(), bytes: text.clone().into_bytes() }];
            let content = digest::of(&[text.as_bytes()]);
            let remembered = cache.get(&prepared, &files, content, Lang::En);
            let graded = answer::grade(&prepared, &files, Lang::En);
            assert_eq!(format!("{remembered:?}"), format!("{graded:?}"), "{text}");
        }
    }
}
