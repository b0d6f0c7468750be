//! Finding and reading the answer.
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Exit, Failure, Format, Session, os_words};
use crate::report::text::{Message, say};
use crate::timeline::{EXTENSIONS, ManifestFile, answer, is_manifest};

/// The most bytes of one answer.
const MAX_BYTES: u64 = 64 << 20;

/// Where the answer to a scenario is when nobody says: a file or a folder of the scenario's name.
pub(super) fn of_scenario(scenario: &str) -> Option<PathBuf> {
    let files = EXTENSIONS.map(|extension| PathBuf::from(format!("{scenario}.{extension}")));
    let file = files.into_iter().find(|file| file.is_file());
    file.or_else(|| Some(PathBuf::from(scenario)).filter(|folder| folder.is_dir()))
}

/// Reads the answer to a scenario: the given paths, or what is where it is expected.
pub(super) fn read_of(session: &Session<'_>, scenario: &str, given: &[PathBuf]) -> Result<Vec<ManifestFile>, Failure> {
    if !given.is_empty() {
        return read(session, given);
    }
    let none_yet = || Failure::unreadable(say(session.lang, &Message::NoAnswerYet { scenario }));
    read(session, &[of_scenario(scenario).ok_or_else(none_yet)?])
}

/// Whether there is nothing in an answer but comments.
pub(super) fn is_empty(files: &[ManifestFile]) -> bool {
    let is_said = |line: &str| !line.is_empty() && line != "---" && !line.starts_with('#');
    !files.iter().any(|file| String::from_utf8_lossy(&file.bytes).lines().any(|line| is_said(line.trim())))
}

/// Says so if an answer is not begun yet, instead of failing it check by check.
pub(super) fn must_say_something(session: &Session<'_>, scenario: &str, files: &[ManifestFile]) -> Result<(), Failure> {
    // programs get the checks, too
    match session.format == Format::Text && is_empty(files) {
        true => Err(Failure { exit: Exit::NotFull, message: say(session.lang, &Message::EmptyAnswer { scenario }) }),
        false => Ok(()),
    }
}

/// Reads files, folders and standard input (`-`), as `kubectl apply -f` would in this order.
pub(super) fn read(session: &Session<'_>, paths: &[PathBuf]) -> Result<Vec<ManifestFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let unreadable = |file: &str, error: &io::Error| {
            let error = os_words(error, session.lang);
            Failure::unreadable(say(session.lang, &Message::CannotReadAnswer { file, error: &error }))
        };
        if path.as_os_str() == "-" {
            let bytes = read_bounded(io::stdin().lock()).map_err(|error| unreadable("STDIN", &error))?;
            files.push(ManifestFile { name: "STDIN".to_owned(), bytes });
        } else if path.is_dir() {
            let inside = files_in(path).map_err(|error| unreadable(&name, &error))?;
            if inside.is_empty() {
                return Err(Failure::unreadable(say(session.lang, &Message::NothingInAnswer { folder: &name })));
            }
            for file in inside {
                let name = file.display().to_string();
                let bytes = open(&file).map_err(|error| unreadable(&name, &error))?;
                files.push(ManifestFile { name, bytes });
            }
        } else {
            let bytes = open(path).map_err(|error| unreadable(&name, &error))?;
            files.push(ManifestFile { name, bytes });
        }
    }
    Ok(files)
}

/// The files of an answer that is a folder: its manifests by name, without those of folders inside. With `commands.sh` beside
/// them it is every file, also of the folders inside, because commands may name them.
pub(super) fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.join(answer::COMMANDS).is_file() {
        everything_in(folder, 0, &mut files)?;
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| is_manifest(&name.to_string_lossy())) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// How many folders deep the files of commands may be, and how many there may be.
const MAX_DEPTH: usize = 4;
const MAX_FILES: usize = 500;

fn everything_in(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // a link could lead out of the answer
        if hidden || path.is_symlink() {
            continue;
        }
        if path.is_dir() && depth < MAX_DEPTH {
            everything_in(&path, depth + 1, files)?;
        } else if path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(io::Error::other(format!("more than {MAX_FILES} files beside commands.sh")));
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(File::open(path)?)
}

fn read_bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(io::Error::other(format!("more than {} MiB", MAX_BYTES >> 20))),
        false => Ok(bytes),
    }
}
