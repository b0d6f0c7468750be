//! `--picture FILE`: writes a picture of the outcome.
use std::fs;
use std::path::Path;

use super::{Failure, Session};
use crate::picture::{Picture, svg};

/// Writes a picture in the format its file's name asks for.
pub(super) fn write(_session: &mut Session<'_>, picture: &Picture, path: &Path) -> Result<(), Failure> {
    let bytes = svg::document(picture).into_bytes();
    fs::write(path, bytes).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
