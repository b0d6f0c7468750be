//! `ckad-grade man [DIR]`: the manual, one page for each command.
use std::fs;
use std::path::Path;

use super::{Exit, Failure, Session, help, path_failed};

pub(super) fn run(session: &mut Session<'_>, folder: Option<&Path>) -> Result<Exit, Failure> {
    let lang = session.lang;
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(help::command(session.lang)).render(&mut page)?;
        session.out.write_all(&page)?;
        return Ok(Exit::Success);
    };
    let failed = |error: std::io::Error| Failure::usage(path_failed(folder, &error, lang));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(help::command(session.lang), folder).map_err(failed)?;
    Ok(Exit::Success)
}
