//! The key of a scenario and the answers beside it that prove its checks: `solutions/ID/`.
//!
//! `key.yaml` is the key. A file or folder `right-…` is another answer that must get full marks; `wrong-…` is one that must fail
//! exactly the checks that the first line of one of its files names: `# fails: bound-to-gold, by-labels`. A folder may hold
//! `commands.sh`, as an answer may.
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::timeline::ManifestFile;

/// An answer to a scenario of which it is known what it must get.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The name of its file or folder.
    pub name: String,
    /// The manifests.
    pub files: Vec<ManifestFile>,
    /// The checks it must fail; none if it is right.
    pub fails: Vec<String>,
}

impl Variant {
    /// Whether the answer must get full marks.
    pub fn is_right(&self) -> bool {
        self.fails.is_empty()
    }
}

/// The variants in a scenario's folder of solutions, the key first, then by name.
///
/// # Errors
/// When a file cannot be read, or a wrong answer does not say what it fails.
pub fn variants(folder: &Path) -> io::Result<Vec<Variant>> {
    let mut variants = Vec::new();
    for path in sorted(folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let known = name == "key.yaml" || name.starts_with("right-") || name.starts_with("wrong-");
        if !known {
            return Err(io::Error::other(format!("{}: neither key.yaml nor right-… nor wrong-…", path.display())));
        }
        let paths = if path.is_dir() { sorted(&path)? } else { vec![path.clone()] };
        let files = paths.iter().map(|path| read(path, folder)).collect::<io::Result<Vec<_>>>()?;
        let fails = match name.starts_with("wrong-") {
            false => Vec::new(),
            true => fails(&files).ok_or_else(|| {
                io::Error::other(format!("{}: the first line must be `# fails: CHECK, …`", path.display()))
            })?,
        };
        variants.push(Variant { name, files, fails });
    }
    Ok(variants)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path, folder: &Path) -> io::Result<ManifestFile> {
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    Ok(ManifestFile { name, bytes: fs::read(path)? })
}

fn fails(files: &[ManifestFile]) -> Option<Vec<String>> {
    let mut first_lines =
        files.iter().filter_map(|file| Some(String::from_utf8_lossy(&file.bytes).lines().next()?.to_owned()));
    let line = first_lines.find(|line| line.starts_with("# fails: "))?;
    let names = line.strip_prefix("# fails: ")?;
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()).collect();
    (!names.is_empty()).then_some(names)
}
