//! Reading answers once more, for reports that show more of them than entries hold.
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path};

use super::archive::{Archive, Member, MemberKind};
use super::discover::max_file;
use super::result::Entry;
use super::run::{MAX_FILES, manifest_name};
use crate::timeline::ManifestFile;

/// The most bytes that are held at once; what is beyond is not read.
const MAX_BYTES: u64 = 64 << 20;

/// The files of answers, where they can still be read: `None` for answers that cannot, or that have more files than an entry
/// names. All answers are read together, because archives are read from end to end.
pub fn read(submissions: &Path, entries: &[&Entry]) -> Vec<Option<Vec<ManifestFile>>> {
    let wanted: BTreeSet<&str> = entries.iter().flat_map(|entry| entry.files.iter().map(String::as_str)).collect();
    let mut reader = Reader { wanted, found: BTreeMap::new(), left: MAX_BYTES };
    // what cannot be read is not shown
    let _ = reader.all(submissions);
    entries.iter().map(|entry| reader.files(entry)).collect()
}

struct Reader<'a> {
    wanted: BTreeSet<&'a str>,
    found: BTreeMap<String, Vec<u8>>,
    left: u64,
}

impl Reader<'_> {
    fn all(&mut self, submissions: &Path) -> io::Result<()> {
        if let Some(archive) = Archive::of(&submissions.to_string_lossy()).filter(|_| submissions.is_file()) {
            return archive.read(File::open(submissions)?, &mut |member| self.member(member, ""));
        }
        let mut archives: BTreeSet<&str> = BTreeSet::new();
        for path in self.wanted.clone() {
            match path.split_once("!/") {
                Some((archive, _)) => {
                    archives.insert(archive);
                }
                None => {
                    let file = submissions.join(path);
                    if is_within(path) && fs::symlink_metadata(&file).is_ok_and(|file| file.is_file()) {
                        self.take(path, &mut File::open(file)?)?;
                    }
                }
            }
        }
        for path in archives {
            let file = submissions.join(path);
            if let Some(archive) = Archive::of(path).filter(|_| is_within(path) && file.is_file()) {
                archive.read(File::open(file)?, &mut |member| self.member(member, &format!("{path}!")))?;
            }
        }
        Ok(())
    }

    fn member(&mut self, member: Member<'_>, within: &str) -> io::Result<()> {
        let inside = member.path.replace('\\', "/");
        let path = if within.is_empty() { inside.clone() } else { format!("{within}/{inside}") };
        if member.kind != MemberKind::File {
            return Ok(());
        }
        let below = format!("{path}!/");
        if self.wanted.range(below.as_str()..).next().is_some_and(|wanted| wanted.starts_with(&below)) {
            let Some(archive) = Archive::of(&inside) else { return Ok(()) };
            let prefix = format!("{path}!");
            return archive.read_nested(member.content, &mut |inner| self.member(inner, &prefix));
        }
        if self.wanted.contains(path.as_str()) { self.take(&path, member.content) } else { Ok(()) }
    }

    fn take(&mut self, path: &str, content: &mut dyn io::Read) -> io::Result<()> {
        let most = max_file().min(self.left);
        let mut bytes = Vec::new();
        content.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= most {
            self.left -= bytes.len() as u64;
            self.found.insert(path.to_owned(), bytes);
        }
        Ok(())
    }

    fn files(&self, entry: &Entry) -> Option<Vec<ManifestFile>> {
        if entry.files.is_empty() || entry.files.len() >= MAX_FILES {
            return None;
        }
        let file = |path: &String| {
            let name = manifest_name(&entry.scenario, path, entry.files.len());
            Some(ManifestFile { name, bytes: self.found.get(path)?.clone() })
        };
        entry.files.iter().map(file).collect()
    }
}

/// Whether a path stays where it begins.
fn is_within(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}
