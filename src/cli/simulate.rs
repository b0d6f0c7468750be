//! `ckad-grade simulate`: plays manifests or a timeline, without grading.
use std::path::{Path, PathBuf};

use clap::Args;
use k8s_openapi::api::core::v1::Pod;

use super::{Exit, Failure, Format, Session, answer, picture};
use crate::api::object::ApiObject;
use crate::cluster::Cluster;
use crate::environment::Environment;
use crate::picture::Picture;
use crate::report::text::{Message, say};
use crate::report::{outcome, resolution};
use crate::timeline::{self, Action, Step, Timeline, record};

/// What `ckad-grade simulate` takes.
#[derive(Args, Debug)]
pub(super) struct SimulateArgs {
    /// Manifests, commands.sh, folders, - for standard input; or one timeline.toml
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Ask the cluster's DNS for a name, e.g. db-0.db.default.svc.cluster.local
    #[arg(long, value_name = "NAME")]
    resolve: Vec<String>,
    /// The pod that asks, with its search domains
    #[arg(long, value_name = "[NS/]POD", requires = "resolve")]
    from: Option<String>,
    /// Draw what came of it: FILE.svg, .png, .dot or .mermaid, or - for this terminal
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session<'_>, arguments: &SimulateArgs) -> Result<Exit, Failure> {
    let is_timeline = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let timeline = match arguments.files.as_slice() {
        [path] if is_timeline(path) => timeline::load(Path::new(path)).map_err(Failure::usage)?,
        files => {
            let files = answer::read(session, files)?;
            let step = Step { namespace: None, action: Action::Answer(files) };
            Timeline { environment: Environment::default(), steps: vec![step] }
        }
    };
    picture::check(session, arguments.picture.as_deref())?;
    let (steps, cluster) = timeline::play(&timeline);
    let draw = |session: &mut Session<'_>| match &arguments.picture {
        Some(path) => picture::write(session, path, &|lang| Picture::of_cluster(&cluster, lang)),
        None => Ok(()),
    };
    let from = match &arguments.from {
        None => None,
        Some(text) => {
            let unknown = || Failure::usage(say(session.lang, &Message::NoSuchPod { pod: text }));
            Some(pod(&cluster, text).ok_or_else(unknown)?)
        }
    };
    let asked = || arguments.resolve.iter().map(|name| resolution::Resolution::of(&cluster, name, from, session.lang));
    if session.format != Format::Text {
        let mut value = record::played_to_json(&steps, &cluster);
        let answers: Vec<_> = asked().collect();
        if let (Some(fields), false) = (value.as_object_mut(), answers.is_empty()) {
            fields.insert("dns".to_owned(), serde_json::to_value(&answers).map_err(Failure::usage)?);
        }
        draw(session)?;
        session.data(&value)?;
        return Ok(Exit::Success);
    }
    if arguments.resolve.is_empty() {
        outcome::write(&steps, &cluster, session.lang, &mut session.out)?;
        draw(session)?;
        return Ok(Exit::Success);
    }
    outcome::write_problems(&steps, &cluster, session.lang, &mut session.out)?;
    let answers: Vec<_> = asked().collect();
    for answer in &answers {
        resolution::write(answer, session.lang, &mut session.out)?;
    }
    draw(session)?;
    Ok(Exit::Success)
}

/// The pod `NAMESPACE/NAME`, or the first one of a name, those of the namespace `default` first.
fn pod<'a>(cluster: &'a Cluster, text: &str) -> Option<&'a Pod> {
    let store = cluster.api().store();
    match text.split_once('/') {
        Some((namespace, name)) => store.get::<Pod>(namespace, name).map(|pod| &**pod),
        None => {
            let of_name = || store.list::<Pod>().find(|pod| pod.name() == text);
            store.get::<Pod>("default", text).or_else(of_name).map(|pod| &**pod)
        }
    }
}
