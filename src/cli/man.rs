//! `ckad-grade man [DIR]`: the manual, one page for each command.
use std::fs;
use std::path::Path;

use clap::CommandFactory as _;

use super::{Cli, Exit, Failure, Session};

pub(super) fn run(session: &mut Session<'_>, folder: Option<&Path>) -> Result<Exit, Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        session.out.write_all(&page)?;
        return Ok(Exit::Success);
    };
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    Ok(Exit::Success)
}
