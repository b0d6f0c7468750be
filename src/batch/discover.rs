//! Finding all answers in a folder or an archive, without keeping them in memory: every file becomes a record, records are
//! sorted by student, scenario and attempt, and come out as one [`Group`] after the other.
mod group;
mod shape;
pub(super) mod walk;

use std::collections::BTreeSet;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::attempts::Moment;
use super::layout::{Layout, Named, Names, stem};
use super::result::{Status, display_name};
use super::roster::Roster;
use super::shard::Shard;
use super::spool::{Sorter, TempFile};
use crate::lang::Lang;
use crate::manifest::Limits;
use crate::report::text::batch::{BatchMessage, say};
use group::Groups;
use walk::Walk;

/// A file of an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FoundFile {
    /// Its path within the submissions.
    pub(super) path: String,
    /// Where its bytes are.
    pub(super) place: Place,
}

/// Where bytes are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In the spool: offset and length.
    Spool(u64, u64),
    /// Nowhere, for this reason.
    Nowhere {
        /// In the language of the batch.
        why: String,
        /// What that makes of an answer.
        status: Status,
    },
}

/// What was found of one student and one scenario.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) student: String,
    /// The scenario's name; empty if `trouble` says why there is none.
    pub(super) scenario: String,
    /// Whether the student is on the roster, if there is one.
    pub(super) known: bool,
    /// The attempts in order; none if nothing was handed in.
    pub(super) attempts: Vec<Try>,
    /// Why this is no answer to anything.
    pub(super) trouble: Option<String>,
}

/// One attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Try {
    pub(super) moment: Moment,
    pub(super) late: bool,
    pub(super) files: Vec<FoundFile>,
}

/// A record of the second sorting.
#[derive(Debug, Serialize, Deserialize)]
struct Matched {
    student: String,
    scenario: String,
    known: bool,
    moment: Moment,
    late: bool,
    file: Option<FoundFile>,
    trouble: Option<String>,
}

/// What to look for.
#[derive(Debug)]
pub(super) struct Search<'a> {
    /// A folder or an archive.
    pub(super) root: &'a Path,
    /// The layout's pattern, if there is one.
    pub(super) pattern: Option<&'a regex::Regex>,
    /// The scenarios' names.
    pub(super) names: &'a Names,
    /// The scenarios asked for; all if none is.
    pub(super) only: &'a BTreeSet<String>,
    pub(super) roster: Option<&'a Roster>,
    pub(super) shard: Option<Shard>,
    pub(super) lang: Lang,
}

/// Bytes that have no file of their own.
#[derive(Debug)]
pub(super) struct Spool {
    file: Mutex<TempFile>,
}

impl Spool {
    /// Bytes that were put in.
    pub(super) fn read(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut handle = file.file();
        handle.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        handle.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The most bytes of one file that are looked at; kubectl's limit is smaller.
pub(super) fn max_file() -> u64 {
    Limits::default().bytes as u64
}
/// All answers, in order.
pub(super) struct Found {
    /// How many files there are.
    pub(super) files: u64,
    pub(super) spool: Spool,
    pub(super) groups: Box<dyn Iterator<Item = io::Result<Group>>>,
}

/// Finds all answers.
///
/// # Errors
/// When the submissions cannot be read at all.
pub(super) fn find(search: &Search<'_>) -> io::Result<Found> {
    let walk = Walk::through(search)?;
    let outside =
        search.root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    finish(walk, stem(&outside.unwrap_or_default()))
}

/// Says of every file whose answer to what it is.
fn finish(walk: Walk<'_>, outside: &str) -> io::Result<Found> {
    let Walk { search, files, spool, shape, submitters, .. } = walk;
    let number = files.count();
    let layout = match search.pattern {
        Some(pattern) => Layout::Pattern(pattern.clone()),
        None => Layout::Usual(shape.usual(outside, submitters)),
    };
    let mut seen: BTreeSet<String> = search.only.clone();
    let mut matched = Sorter::new();
    for record in files.sorted()? {
        let (path, place) = record?;
        let place: Place = serde_json::from_str(&place).map_err(io::Error::other)?;
        let record = search.match_one(&layout, path, place, outside);
        if search.shard.is_some_and(|shard| !shard.contains(&record.student)) {
            // what others grade is still asked of ours
            seen.extend(Some(record.scenario).filter(|scenario| !scenario.is_empty()));
            continue;
        }
        if !record.scenario.is_empty() {
            seen.insert(record.scenario.clone());
        }
        push(&mut matched, &record)?;
    }
    let people = search.roster.map(|roster| roster.people.as_slice()).unwrap_or_default();
    for person in people.iter().filter(|person| search.shard.is_none_or(|shard| shard.contains(&person.student))) {
        for scenario in &seen {
            let (student, scenario) = (person.student.clone(), scenario.clone());
            let moment = Moment::default();
            let missing = Matched { student, scenario, known: true, moment, late: false, file: None, trouble: None };
            push(&mut matched, &missing)?;
        }
    }
    let groups = Groups { records: matched.sorted()?, next: None };
    Ok(Found { files: number, spool: Spool { file: Mutex::new(spool) }, groups: Box::new(groups) })
}

fn push(sorter: &mut Sorter, record: &Matched) -> io::Result<()> {
    let path = record.file.as_ref().map_or("", |file| &file.path);
    let nobody = if record.student.is_empty() { "1" } else { "0" };
    let key = [nobody, &record.student, &record.scenario, &record.moment.order(), path].join("\0");
    sorter.push(key, serde_json::to_string(record).map_err(io::Error::other)?)
}

impl Search<'_> {
    fn match_one(&self, layout: &Layout, path: String, place: Place, outside: &str) -> Matched {
        let on_roster = |name: &str| self.roster.is_some_and(|roster| roster.find(name).is_some());
        let reading = layout.read(&path, self.names, &on_roster, outside);
        let fits = reading.is_some();
        let reading = reading.unwrap_or_default();
        let mut student = reading.student.unwrap_or_default();
        let person = self.roster.and_then(|roster| {
            reading.alias.as_deref().and_then(|alias| roster.find(alias)).or_else(|| roster.find(&student))
        });
        if let Some(person) = person {
            student.clone_from(&person.student);
        }
        let tell = |message: &BatchMessage<'_>| Some(say(self.lang, message));
        let mut scenario = String::new();
        let mut trouble = None;
        match (reading.scenario, self.only.first()) {
            (Named::Known(id), _) if self.only.is_empty() || self.only.contains(&id) => scenario = id,
            (Named::Known(id), _) => trouble = tell(&BatchMessage::NotAskedFor { scenario: &id }),
            (Named::Unknown(name), _) => trouble = tell(&BatchMessage::NoSuchScenario { scenario: &name }),
            // where only one is asked for nobody has to name it
            (Named::None, Some(only)) if self.only.len() == 1 && fits => scenario.clone_from(only),
            (Named::None, _) => trouble = tell(&BatchMessage::NoScenario),
        }
        if !fits {
            trouble = tell(&BatchMessage::NotOfLayout);
        } else if student.is_empty() {
            trouble = trouble.or(tell(&BatchMessage::NoStudent));
        }
        // a file that is no manifest is nobody's answer; one that is too large is
        match &place {
            Place::Nowhere { why, status } if *status == Status::Unmatched || trouble.is_some() => {
                trouble = Some(why.clone());
            }
            _ => {}
        }
        let mut moment = reading.moment;
        if trouble.is_some() {
            (scenario, moment) = (String::new(), Moment::default());
        }
        let known = self.roster.is_none() || person.is_some();
        let file = Some(FoundFile { path, place });
        Matched { student, scenario, known, moment, late: reading.late, file, trouble }
    }
}

/// The root as reports show it.
pub(super) fn shown(root: &Path) -> String {
    display_name(root)
}
