//! The user's data folder: files that are whole whenever a program or a machine stops.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Names a folder to use instead of the user's data folder.
pub const VARIABLE: &str = "CKAD_GRADE_HOME";

/// The folder in which progress and exams are kept.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store in `$CKAD_GRADE_HOME`, or else in a folder `ckad-grade` of the user's data folder.
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn of_user(variable: &dyn Fn(&str) -> Option<String>) -> io::Result<Store> {
        if let Some(folder) = variable(VARIABLE).filter(|folder| !folder.is_empty()) {
            return Ok(Store { folder: PathBuf::from(folder) });
        }
        let base = etcetera::choose_base_strategy()
            .map_err(|error| io::Error::other(format!("{error}; name a folder with {VARIABLE}")))?;
        Ok(Store { folder: base.data_dir().join("ckad-grade") })
    }

    /// A store in a folder.
    pub fn at(folder: impl Into<PathBuf>) -> Store {
        Store { folder: folder.into() }
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Appends one line of JSON. A line that a crash cut short is ended first, so that it spoils no other.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, name: &str, entry: &impl Serialize) -> io::Result<()> {
        let path = self.path(name);
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        at(&path, || {
            fs::create_dir_all(&self.folder)?;
            if ends_within_a_line(&path)? {
                line.insert(0, b'\n');
            }
            OpenOptions::new().create(true).append(true).open(&path)?.write_all(&line)
        })
    }

    /// All lines of a file that are whole; none if there is no file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines<T: DeserializeOwned>(&self, name: &str) -> io::Result<Vec<T>> {
        let bytes = read_if_there(&self.path(name))?.unwrap_or_default();
        Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Replaces a file as a whole: after a crash it is either the old one or the new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let (path, unfinished) = (self.path(name), self.path(&format!("{name}.{}.tmp", std::process::id())));
        let bytes = serde_json::to_vec_pretty(value)?;
        at(&path, || {
            fs::create_dir_all(&self.folder)?;
            let mut file = File::create(&unfinished)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(unfinished, &path)
        })
    }

    /// A file written with [`replace`](Store::replace), if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or is not what it should be.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let path = self.path(name);
        let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
        let wrong =
            |error| io::Error::other(format!("{} is damaged ({error}); remove it to start anew", path.display()));
        serde_json::from_slice(&bytes).map(Some).map_err(wrong)
    }

    /// Removes a file, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Does something with a file; errors name it.
fn at<T>(path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    work().map_err(|error| {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or(&text);
        io::Error::new(error.kind(), format!("{}: {text}", path.display()))
    })
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => at(path, || Err(error)),
    }
}

fn ends_within_a_line(path: &Path) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn store(name: &str) -> Store {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/practice").join(name);
        let _ = fs::remove_dir_all(&folder);
        Store::at(folder)
    }

    #[test]
    fn a_line_cut_short_spoils_no_other() {
        let store = store("cut-short");
        store.append("log", &1).unwrap();
        fs::write(store.path("log"), b"1\n{\"un").unwrap();
        store.append("log", &2).unwrap();
        assert_eq!(store.lines::<u8>("log").unwrap(), [1, 2]);
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        let store = store("nothing");
        assert_eq!(store.lines::<u8>("log").unwrap(), [0; 0]);
        assert_eq!(store.read::<u8>("state").unwrap(), None);
        store.remove("state").unwrap();
    }

    #[test]
    fn a_damaged_file_is_named() {
        let store = store("damaged");
        store.replace("state", &1).unwrap();
        assert_eq!(store.read::<u8>("state").unwrap(), Some(1));
        fs::write(store.path("state"), b"{").unwrap();
        let error = store.read::<u8>("state").unwrap_err().to_string();
        assert!(error.contains("state is damaged"), "{error}");
    }
}
