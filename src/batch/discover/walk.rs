//! Walking through folders and archives, before it is known what is what.
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::shape::Shape;
use super::{Place, Search, max_file};
use crate::batch::archive::{Archive, Member, MemberKind};
use crate::batch::layout::Submitter;
use crate::batch::result::Status;
use crate::batch::spool::{Sorter, TempFile};
use crate::manifest;
use crate::report::text::batch::{BatchMessage, say};
use crate::timeline::EXTENSIONS;
use crate::timeline::answer::COMMANDS;

/// The most bytes that are unpacked from archives.
const MAX_UNPACKED: u64 = 4 << 30;
/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;
/// The deepest archive within an archive.
const MAX_ARCHIVES: usize = 2;
/// The most characters of a path that are kept.
const MAX_PATH: usize = 1024;

/// Who handed in what at Gradescope.
const METADATA: &str = "submission_metadata.yml";

/// Walks through everything, first without knowing what it is.
pub(super) struct Walk<'a> {
    pub(super) search: &'a Search<'a>,
    pub(super) files: Sorter,
    pub(super) spool: TempFile,
    written: u64,
    pub(super) shape: Shape,
    pub(super) submitters: HashMap<String, Submitter>,
}

impl<'a> Walk<'a> {
    /// Looks at everything in a folder or an archive.
    pub(super) fn through(search: &'a Search<'a>) -> io::Result<Walk<'a>> {
        let mut walk = Walk {
            search,
            files: Sorter::new(),
            spool: TempFile::new()?,
            written: 0,
            shape: Shape::default(),
            submitters: HashMap::new(),
        };
        let root = search.root;
        if root.is_dir() {
            walk.folder(root, "", 0, false)?;
        } else if let Some(archive) = Archive::of(&root.to_string_lossy()) {
            let read = archive.read(File::open(root)?, &mut |member| walk.member(member, "", 1));
            // what could be read of a download that was cut off counts
            match read {
                Err(error) if walk.files.count() == 0 => return Err(error),
                read => walk.after_archive(super::shown(root), read)?,
            }
        } else if root.exists() {
            return Err(io::Error::other("neither a folder nor a .zip, .tar, .tar.gz or .tgz file"));
        } else {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(walk)
    }

    fn why(&self, message: &BatchMessage<'_>, status: Status) -> Place {
        Place::Nowhere { why: say(self.search.lang, message), status }
    }

    /// `commands` says whether the folder belongs to one with `commands.sh`, which may name any file.
    fn folder(&mut self, folder: &Path, within: &str, depth: usize, commands: bool) -> io::Result<()> {
        let commands = commands || folder.join(COMMANDS).is_file();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                let place = self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable);
                return self.add(within.to_owned(), place);
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let shown = name.to_string_lossy();
            let path = if within.is_empty() { shown.into_owned() } else { format!("{within}/{shown}") };
            if self.is_ignored(&path) {
                continue;
            }
            // of the link itself, not of what it leads to
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) => {
                    let place = self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable);
                    self.add(path, place)?;
                    continue;
                }
            };
            if kind.is_dir() && depth >= MAX_DEPTH {
                let place = self.why(&BatchMessage::TooDeep { depth: MAX_DEPTH }, Status::Unmatched);
                self.add(path, place)?;
            } else if kind.is_dir() {
                self.folder(&entry.path(), &path, depth + 1, commands)?;
            } else if kind.is_symlink() {
                let place = self.why(&BatchMessage::SymbolicLink, Status::Unreadable);
                self.add(path, place)?;
            } else if !kind.is_file() {
                let place = self.why(&BatchMessage::NotAFile, Status::Unreadable);
                self.add(path, place)?;
            } else {
                self.file(entry.path(), path, commands)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: PathBuf, path: String, commands: bool) -> io::Result<()> {
        let size = fs::metadata(&file).map(|metadata| metadata.len()).unwrap_or_default();
        if path.ends_with(METADATA) && size <= max_file() {
            let bytes = fs::read(&file).unwrap_or_default();
            self.metadata(&bytes);
            return Ok(());
        }
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(archive) = Archive::of(&name) {
            let read = File::open(&file)
                .and_then(|file| archive.read(file, &mut |member| self.member(member, &format!("{path}!"), 1)));
            return self.after_archive(path, read);
        }
        let place = if !is_answer(&name) && !commands {
            self.why(&BatchMessage::NotAManifest, Status::Unmatched)
        } else if size > max_file() {
            self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit)
        } else if file.to_str().is_none() {
            // a record is text; what has no name in text is read now
            match File::open(&file).and_then(|file| self.unpack(file)) {
                Ok(place) => place,
                Err(error) => self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable),
            }
        } else {
            Place::File(file)
        };
        self.add(path, place)
    }

    fn after_archive(&mut self, path: String, read: io::Result<()>) -> io::Result<()> {
        match read {
            Ok(()) => Ok(()),
            // our own disk, not the archive
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(error),
            Err(error) => {
                let place = self.why(&BatchMessage::DamagedArchive { error: &error.to_string() }, Status::Unmatched);
                self.add(path, place)
            }
        }
    }

    fn member(&mut self, member: Member<'_>, within: &str, depth: usize) -> io::Result<()> {
        let inside = member.path.replace('\\', "/");
        let path = if within.is_empty() { inside.clone() } else { format!("{within}/{inside}") };
        if self.is_ignored(&path) {
            return Ok(());
        }
        let name = inside.rsplit('/').next().unwrap_or_default();
        let place = if inside.starts_with('/') || inside.split('/').any(|part| part == "..") || inside.contains(":/") {
            self.why(&BatchMessage::LeadsOut, Status::Unmatched)
        } else if member.kind == MemberKind::Link {
            self.why(&BatchMessage::SymbolicLink, Status::Unreadable)
        } else if member.kind == MemberKind::Special {
            self.why(&BatchMessage::NotAFile, Status::Unreadable)
        } else if name == METADATA {
            let mut bytes = Vec::new();
            member.content.take(max_file()).read_to_end(&mut bytes)?;
            self.metadata(&bytes);
            return Ok(());
        } else if let Some(archive) = Archive::of(name) {
            if depth >= MAX_ARCHIVES {
                self.why(&BatchMessage::TooDeep { depth: MAX_ARCHIVES }, Status::Unmatched)
            } else {
                let prefix = format!("{path}!");
                let read = archive.read_nested(member.content, &mut |inner| self.member(inner, &prefix, depth + 1));
                return self.after_archive(path, read);
            }
        } else if !is_answer(name) {
            self.why(&BatchMessage::NotAManifest, Status::Unmatched)
        } else if member.size > max_file() {
            self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit)
        } else {
            match self.unpack(member.content) {
                Ok(place) => place,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(error),
                Err(error) => self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable),
            }
        };
        self.add(path, place)
    }

    /// Copies a file into the spool, as much as is looked at.
    fn unpack(&mut self, content: impl Read) -> io::Result<Place> {
        if self.written >= MAX_UNPACKED {
            return Ok(self.why(&BatchMessage::TooMuch { bytes: MAX_UNPACKED }, Status::Limit));
        }
        let mut bytes = Vec::new();
        content.take(max_file() + 1).read_to_end(&mut bytes)?;
        // it may hold more than it said
        if bytes.len() as u64 > max_file() {
            return Ok(self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit));
        }
        self.spool.file().write_all(&bytes)?;
        let offset = self.written;
        self.written += bytes.len() as u64;
        Ok(Place::Spool(offset, bytes.len() as u64))
    }

    /// What systems and version control put beside the answers.
    fn is_ignored(&mut self, path: &str) -> bool {
        let hidden = |name: &str| {
            let name = name.strip_suffix('!').unwrap_or(name);
            name.starts_with('.') && name != "." && name != ".."
                || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&name)
        };
        if path.split('/').any(|name| name == ".git") {
            self.shape.git = true;
        }
        let name = path.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        path.split('/').any(hidden) || ["README", "LICENSE"].contains(&name.split('.').next().unwrap_or_default())
    }

    fn metadata(&mut self, bytes: &[u8]) {
        for document in manifest::read(METADATA, bytes).documents {
            for (folder, submission) in document.value.as_object().into_iter().flatten() {
                let people: Vec<_> =
                    submission.get(":submitters").and_then(|s| s.as_array()).into_iter().flatten().collect();
                let text = |key: &str| {
                    let values = people.iter().filter_map(|person| person.get(key).and_then(|value| value.as_str()));
                    values.collect::<Vec<_>>().join(" & ")
                };
                let alias = if text(":email").is_empty() { text(":sid") } else { text(":email") };
                let time = submission.get(":created_at").and_then(|time| time.as_str()).unwrap_or_default().to_owned();
                let late =
                    submission.get(":lateness").and_then(|l| l.as_str()).is_some_and(|l| !l.starts_with("00:00:00"));
                let name = if text(":name").is_empty() { folder.clone() } else { text(":name") };
                self.submitters.insert(folder.clone(), Submitter { name, alias, time, late });
            }
        }
    }

    fn add(&mut self, path: String, place: Place) -> io::Result<()> {
        // records are put together with NUL between their parts
        let path: String = path.chars().take(MAX_PATH).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
        self.shape.look(&path, self.search.names, &place);
        let record = serde_json::to_string(&place).map_err(io::Error::other)?;
        self.files.push(path, record)
    }
}

/// Whether a file can be an answer, by its name: a manifest or kubectl commands.
fn is_answer(name: &str) -> bool {
    is_manifest(name) || name.to_ascii_lowercase().ends_with(".sh")
}

pub(in crate::batch) fn is_manifest(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
