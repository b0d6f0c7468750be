//! Finding and reading the answer.
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Failure, Session};
use crate::report::text::{Message, say};
use crate::timeline::ManifestFile;

/// The most bytes of one answer.
const MAX_BYTES: u64 = 64 << 20;

/// What kubectl takes from a folder.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Where the answer to a scenario is when nobody says: a file or a folder of the scenario's name.
pub(super) fn of_scenario(scenario: &str) -> Option<PathBuf> {
    let files = ["yaml", "yml", "json"].map(|extension| PathBuf::from(format!("{scenario}.{extension}")));
    let file = files.into_iter().find(|file| file.is_file());
    file.or_else(|| Some(PathBuf::from(scenario)).filter(|folder| folder.is_dir()))
}

/// Reads files, folders and standard input (`-`), as `kubectl apply -f` would in this order.
pub(super) fn read(session: &Session<'_>, paths: &[PathBuf]) -> Result<Vec<ManifestFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let unreadable = |file: &str, error: &io::Error| {
            let error = error.to_string();
            Failure::unreadable(say(session.lang, &Message::CannotReadAnswer { file, error: &error }))
        };
        if path.as_os_str() == "-" {
            let bytes = read_bounded(io::stdin().lock()).map_err(|error| unreadable("STDIN", &error))?;
            files.push(ManifestFile { name: "STDIN".to_owned(), bytes });
        } else if path.is_dir() {
            let inside = manifests_in(path).map_err(|error| unreadable(&name, &error))?;
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

/// The manifests of a folder by name, without those of folders inside.
fn manifests_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
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
