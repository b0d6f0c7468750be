//! Where scenarios come from: the ones built in, and folders that override them.
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{LoadError, Scenario};
use crate::suggest;

/// A scenario and its key as they are compiled in.
struct Embedded {
    id: &'static str,
    source: &'static str,
    key: Option<&'static str>,
}
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The most bytes of a scenario file; more is not a scenario.
const MAX_BYTES: u64 = 4 << 20;

/// All scenarios by name. Nothing is read before it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Library {
    entries: BTreeMap<String, Entry>,
}

/// A scenario that has not been read yet.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub id: String,
    /// Where it is.
    pub origin: Origin,
}

/// Where a scenario is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the program.
    Embedded,
    /// In a file.
    File(PathBuf),
}

/// What a name led to.
#[derive(Clone, Debug)]
pub enum Lookup<'a> {
    /// A scenario.
    Found(&'a Entry),
    /// Nothing; perhaps this one was meant.
    Unknown {
        /// The nearest name.
        suggestion: Option<&'a str>,
    },
}

impl Library {
    /// The scenarios that are built in.
    pub fn embedded() -> Library {
        let entry = |e: &Embedded| (e.id.to_owned(), Entry { id: e.id.to_owned(), origin: Origin::Embedded });
        Library { entries: EMBEDDED.iter().map(entry).collect() }
    }

    /// Adds the scenarios of a folder; they take the place of others of the same name. Says how many there are.
    pub fn add_folder(&mut self, folder: &Path) -> io::Result<usize> {
        let mut number = 0;
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            if let (Some(id), Some("toml")) = (id, path.extension().and_then(|e| e.to_str())) {
                number += 1;
                self.entries.insert(id.clone(), Entry { id, origin: Origin::File(path) });
            }
        }
        Ok(number)
    }

    /// All scenarios, by chapter and name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The scenario of a name: `scenario-107-pod`, `107-pod`, or its file's name.
    pub fn find(&self, name: &str) -> Lookup<'_> {
        let name = name.strip_suffix(".toml").unwrap_or(name);
        let lower = name.to_lowercase();
        for id in [name.to_owned(), lower.clone(), format!("scenario-{lower}")] {
            if let Some(entry) = self.entries.get(&id) {
                return Lookup::Found(entry);
            }
        }
        let ids = || self.entries.keys().map(String::as_str);
        // what all names begin with makes no name alike
        let short = suggest::nearest(short_id(&lower), ids().map(short_id));
        let of_short = |short: &str| ids().find(|id| short_id(id) == short);
        let full = || Some(&lower).filter(|name| name.starts_with('s')).and_then(|name| suggest::nearest(name, ids()));
        Lookup::Unknown { suggestion: short.and_then(of_short).or_else(full) }
    }
}

/// A scenario's name without what all names begin with; every command takes it, too.
pub fn short_id(id: &str) -> &str {
    id.strip_prefix("scenario-").unwrap_or(id)
}

impl Entry {
    fn built_in(&self) -> Option<&'static Embedded> {
        EMBEDDED.iter().find(|e| e.id == self.id)
    }

    /// The scenario's text.
    pub fn source(&self) -> io::Result<Cow<'static, str>> {
        match &self.origin {
            Origin::Embedded => Ok(Cow::Borrowed(self.built_in().map_or("", |e| e.source))),
            Origin::File(path) => read(path).map(Cow::Owned),
        }
    }

    /// The name of the scenario's file, for messages.
    pub fn file(&self) -> String {
        match &self.origin {
            Origin::Embedded => format!("scenarios/{}.toml", self.id),
            Origin::File(path) => path.display().to_string(),
        }
    }

    /// Whether a file took the place of a built-in scenario of the same name with another text, or there is none.
    pub fn differs_from_built_in(&self, source: &str) -> bool {
        self.origin != Origin::Embedded && self.built_in().is_none_or(|e| e.source != source)
    }

    /// Reads the scenario.
    pub fn load(&self) -> Result<Scenario, LoadError> {
        let file = self.file();
        match self.source() {
            Ok(source) => Scenario::parse(&source, &file),
            Err(error) => Err(LoadError::new(&file, "", 0..0, error.to_string())),
        }
    }

    /// The scenario's key: for a file, `solutions/ID/key.yaml` beside or in the folder of scenarios.
    pub fn key(&self) -> io::Result<Option<Cow<'static, str>>> {
        let Origin::File(path) = &self.origin else {
            return Ok(self.built_in().and_then(|e| e.key).map(Cow::Borrowed));
        };
        match self.solutions().map(|folder| folder.join("key.yaml")).filter(|file| file.exists()) {
            Some(file) => read(&file).map(|text| Some(Cow::Owned(text))),
            // a copy of a built-in scenario keeps its key
            None if read(path).is_ok_and(|source| !self.differs_from_built_in(&source)) => {
                Ok(self.built_in().and_then(|e| e.key).map(Cow::Borrowed))
            }
            None => Ok(None),
        }
    }

    /// The folder with the key and the variants of a scenario that is a file.
    pub fn solutions(&self) -> Option<PathBuf> {
        let Origin::File(path) = &self.origin else { return None };
        let folder = path.parent().unwrap_or(Path::new("."));
        let inside = folder.join("solutions");
        let beside = folder.parent().map_or_else(|| PathBuf::from("solutions"), |parent| parent.join("solutions"));
        // a relative `scenarios` has the parent ``
        let beside = if folder.parent().is_none() { folder.join("..").join("solutions") } else { beside };
        [inside, beside].into_iter().map(|solutions| solutions.join(&self.id)).find(|folder| folder.is_dir())
    }
}

/// Reads a text file of bounded size.
fn read(path: &Path) -> io::Result<String> {
    use io::Read as _;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    let read = fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        return Err(io::Error::other("too large for a scenario"));
    }
    Ok(text)
}
