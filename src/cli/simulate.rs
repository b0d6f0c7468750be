//! `ckad-grade simulate`: plays manifests or a timeline, without grading.
use std::path::{Path, PathBuf};

use super::{Exit, Failure, Format, Session, answer};
use crate::environment::Environment;
use crate::report::outcome;
use crate::timeline::{self, Action, Step, Timeline, record};

pub(super) fn run(session: &mut Session<'_>, files: &[PathBuf]) -> Result<Exit, Failure> {
    let is_timeline = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let timeline = match files {
        [path] if is_timeline(path) => timeline::load(Path::new(path)).map_err(Failure::usage)?,
        _ => {
            let files = answer::read(session, files)?;
            let step = Step { namespace: None, action: Action::Answer(files) };
            Timeline { environment: Environment::default(), steps: vec![step] }
        }
    };
    if session.format != Format::Text {
        session.data(&record::to_json(&timeline))?;
        return Ok(Exit::Success);
    }
    let (steps, cluster) = timeline::play(&timeline);
    outcome::write(&steps, &cluster, session.lang, &mut session.out)?;
    Ok(Exit::Success)
}
