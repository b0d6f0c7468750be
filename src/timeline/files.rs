//! The files a script can name: the answer's own, and those its dry runs wrote. Nothing else is ever opened.
use super::command_line::Refusal;
use super::{ManifestFile, kubectl::Error};

/// Files by their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// The folder that paths are relative to, as the names of the files begin.
    folder: Vec<String>,
    files: Vec<ManifestFile>,
}

/// The parts of a path without `.`; `None` if it leads out of where it begins.
fn parts(base: &[String], path: &str) -> Option<Vec<String>> {
    let mut parts = base.to_vec();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.len() == base.len() {
                    return None;
                }
                parts.pop();
            }
            part => parts.push(part.to_owned()),
        }
    }
    Some(parts)
}

/// The parts of a file's own name, as it is given on the command line.
fn own(name: &str) -> Vec<String> {
    name.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

/// The parts of the folder a file is in.
pub(super) fn folder_of(name: &str) -> Vec<String> {
    let mut parts = own(name);
    parts.pop();
    parts
}

/// The endings of the files that kubectl takes from a folder (`resource.FileExtensions`), the usual one first.
pub const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Whether kubectl takes a file of this name from a folder.
pub fn is_manifest(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

impl Files {
    /// Files, and the folder that paths are relative to.
    pub(super) fn new(folder: Vec<String>, files: Vec<ManifestFile>) -> Files {
        Files { folder, files }
    }

    fn path(&self, path: &str) -> Option<Vec<String>> {
        if path.starts_with('/') || path.starts_with('~') || path.contains("://") {
            return None;
        }
        parts(&self.folder, path)
    }

    /// What a path cannot be.
    pub(super) fn refuses(&self, path: &str) -> Option<Refusal> {
        self.path(path).is_none().then(|| Refusal::Outside(path.chars().take(80).collect()))
    }

    /// The file at a path.
    pub(super) fn file(&self, path: &str) -> Option<&ManifestFile> {
        let wanted = self.path(path)?;
        self.files.iter().find(|file| own(&file.name) == wanted)
    }

    /// The files directly in a folder, by name; none if there is no such folder.
    pub(super) fn in_folder(&self, path: &str) -> Vec<&ManifestFile> {
        let Some(wanted) = self.path(path) else { return Vec::new() };
        let mut found: Vec<&ManifestFile> = self.files.iter().filter(|file| folder_of(&file.name) == wanted).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The manifests `-f PATH` means (`ExpandPathsToFileVisitors`).
    pub(super) fn manifests(&self, path: &str, recursive: bool) -> Result<Vec<ManifestFile>, Error> {
        if let Some(file) = self.file(path) {
            return Ok(vec![file.clone()]);
        }
        let mut found: Vec<ManifestFile> =
            self.in_folder(path).into_iter().filter(|file| is_manifest(&file.name)).cloned().collect();
        if recursive && let Some(wanted) = self.path(path) {
            let inside = |file: &&ManifestFile| own(&file.name).starts_with(&wanted) && is_manifest(&file.name);
            found = self.files.iter().filter(inside).cloned().collect();
            found.sort_by(|a, b| a.name.cmp(&b.name));
        }
        match found.is_empty() {
            false => Ok(found),
            true if self.in_folder(path).is_empty() => {
                Err(Error::Client(format!("the path {} does not exist", crate::api::field::go_quote(path))))
            }
            true => {
                Err(Error::Client(format!("error reading [{path}]: recognized file extensions are [.json .yaml .yml]")))
            }
        }
    }

    /// Writes a file.
    pub(super) fn write(&mut self, path: &str, text: &str, append: bool) -> Result<(), Refusal> {
        let Some(parts) = self.path(path) else { return Err(Refusal::Outside(path.chars().take(80).collect())) };
        match self.files.iter_mut().find(|file| own(&file.name) == parts) {
            Some(file) if append => file.bytes.extend_from_slice(text.as_bytes()),
            Some(file) => file.bytes = text.as_bytes().to_vec(),
            None => self.files.push(ManifestFile { name: parts.join("/"), bytes: text.as_bytes().to_vec() }),
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files() -> Files {
        let file = |name: &str| ManifestFile { name: name.to_owned(), bytes: name.as_bytes().to_vec() };
        let all = ["/x/a/pod.yaml", "/x/a/commands.sh", "/x/a/more/cm.yaml"];
        Files::new(folder_of("/x/a/commands.sh"), all.map(file).to_vec())
    }

    #[test]
    fn paths_are_relative_to_the_script_and_stay_inside() {
        let files = files();
        let names = |path: &str| {
            let found = files.manifests(path, false);
            found.map(|found| found.into_iter().map(|file| file.name).collect::<Vec<_>>()).map_err(|e| e.to_string())
        };
        assert_eq!(names("pod.yaml").unwrap(), ["/x/a/pod.yaml"]);
        assert_eq!(names("./more/../pod.yaml").unwrap(), ["/x/a/pod.yaml"]);
        assert_eq!(names(".").unwrap(), ["/x/a/pod.yaml"]);
        assert_eq!(names("more/").unwrap(), ["/x/a/more/cm.yaml"]);
        assert_eq!(names("none.yaml").unwrap_err(), "the path \"none.yaml\" does not exist");
        for outside in ["/etc/passwd", "../a/pod.yaml", "more/../../b", "https://example.com/a.yaml", "~/a"] {
            assert!(files.refuses(outside).is_some() && files.file(outside).is_none(), "{outside}");
        }
    }

    #[test]
    fn a_written_file_is_found_again() {
        let mut files = files();
        files.write("new.yaml", "a", false).unwrap();
        files.write("./new.yaml", "b", true).unwrap();
        assert_eq!(files.file("new.yaml").unwrap().bytes, b"ab");
        assert!(files.write("../new.yaml", "b", true).is_err());
    }
}
