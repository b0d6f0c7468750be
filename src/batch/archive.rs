//! Archives as they are downloaded: read from end to end, never unpacked to their names.
use std::io::{self, Cursor, Read, Seek};

/// What kind of archive a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archive {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
}

/// A file of an archive.
pub(super) struct Member<'a> {
    /// Its path, as written in the archive.
    pub(super) path: String,
    /// What it is.
    pub(super) kind: MemberKind,
    /// How large it says to be.
    pub(super) size: u64,
    /// Its bytes.
    pub(super) content: &'a mut dyn Read,
}

/// What a member of an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A file.
    File,
    /// A symbolic or hard link.
    Link,
    /// A device, a pipe…
    Special,
}

/// The most files of an archive.
const MAX_MEMBERS: usize = 2_000_000;
/// The most bytes of a nested archive.
pub(super) const MAX_NESTED: u64 = 64 << 20;

impl Archive {
    /// The kind of archive a file of this name is.
    pub(super) fn of(name: &str) -> Option<Archive> {
        let lower = name.to_ascii_lowercase();
        let ends = |extension: &str| lower.ends_with(extension);
        match () {
            () if ends(".zip") => Some(Archive::Zip),
            () if ends(".tar") => Some(Archive::Tar),
            () if ends(".tar.gz") || ends(".tgz") => Some(Archive::TarGz),
            () => None,
        }
    }

    /// Looks at every member that is no folder.
    ///
    /// # Errors
    /// When the archive is damaged, or what `look` returns.
    pub(super) fn read(
        self,
        source: impl Read + Seek,
        look: &mut dyn FnMut(Member<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Archive::Zip => zip(source, look),
            Archive::Tar => tar(source, look),
            Archive::TarGz => tar(flate2::read::MultiGzDecoder::new(io::BufReader::new(source)), look),
        }
    }

    /// As [`Archive::read`], of an archive within another.
    pub(super) fn read_nested(
        self,
        content: &mut dyn Read,
        look: &mut dyn FnMut(Member<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.take(MAX_NESTED + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_NESTED {
            return Err(io::Error::other(format!("larger than {} MiB", MAX_NESTED >> 20)));
        }
        self.read(Cursor::new(bytes), look)
    }
}

fn zip(source: impl Read + Seek, look: &mut dyn FnMut(Member<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(source).map_err(io::Error::other)?;
    check_number(archive.len())?;
    for number in 0..archive.len() {
        let raw = match archive.by_index_raw(number) {
            Ok(member) => {
                let path = String::from_utf8_lossy(member.name_raw()).into_owned();
                let name = member.name().map(|name| name.into_owned()).unwrap_or(path);
                (name, member.is_dir(), member.is_symlink(), member.size(), member.encrypted())
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        let (path, folder, link, size, encrypted) = raw;
        if folder {
            continue;
        }
        let kind = if link { MemberKind::Link } else { MemberKind::File };
        if encrypted {
            look(Member { path, kind, size, content: &mut Broken("encrypted".to_owned()) })?;
            continue;
        }
        match archive.by_index(number) {
            Ok(mut member) => look(Member { path, kind, size, content: &mut member })?,
            Err(error) => look(Member { path, kind, size, content: &mut Broken(error.to_string()) })?,
        }
    }
    Ok(())
}

fn tar(source: impl Read, look: &mut dyn FnMut(Member<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut archive = tar::Archive::new(source);
    for (number, entry) in archive.entries()?.enumerate() {
        check_number(number)?;
        let mut entry = entry?;
        let kind = match entry.header().entry_type() {
            tar::EntryType::Directory | tar::EntryType::XGlobalHeader => continue,
            tar::EntryType::Regular | tar::EntryType::Continuous => MemberKind::File,
            tar::EntryType::Symlink | tar::EntryType::Link => MemberKind::Link,
            _ => MemberKind::Special,
        };
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let size = entry.size();
        look(Member { path, kind, size, content: &mut entry })?;
    }
    Ok(())
}

fn check_number(number: usize) -> io::Result<()> {
    match number > MAX_MEMBERS {
        true => Err(io::Error::other(format!("more than {MAX_MEMBERS} files"))),
        false => Ok(()),
    }
}

/// A member that cannot be read.
struct Broken(String);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(self.0.clone()))
    }
}
