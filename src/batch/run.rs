//! Running a batch on all cores: work goes out in order, results come back in any order and are put in order again, with a
//! bounded number under way, so that memory does not grow with the batch.
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use super::answer::{self, Graded, Prepared, Scenarios};
use super::attempts::Attempts;
use super::cache::Cache;
use super::digest::{self, Digest};
use super::discover::{self, FoundFile, Group, Place, Search, Spool, Try};
use super::journal::Journal;
use super::kept::Kept;
use super::layout::Names;
use super::result::{self, Attempt, Entry, Results, Status};
use super::roster::Roster;
use super::shard::Shard;
use super::similar;
use super::spool::TempFile;
use super::statistics::Tally;
use crate::lang::Lang;
use crate::report::Outcome;
use crate::report::text::batch::{BatchMessage, say};
use crate::scenario::Library;
use crate::timeline::ManifestFile;
use crate::timeline::answer::COMMANDS;

/// What to grade, and how.
#[derive(Debug)]
pub struct Options<'a> {
    /// A folder or an archive.
    pub submissions: &'a Path,
    /// The scenarios there are.
    pub library: &'a Library,
    /// The names of the scenarios asked for; empty for all that are answered.
    pub only: BTreeSet<String>,
    /// How paths are read, if not as usual: see [`layout::pattern`](super::layout::pattern).
    pub layout: Option<regex::Regex>,
    /// Who is in the course.
    pub roster: Option<&'a Roster>,
    /// Which attempts count.
    pub attempts: Attempts,
    /// How many answers are graded at the same time; as many as there are processors if not given.
    pub jobs: Option<NonZero<usize>>,
    /// The part to grade.
    pub shard: Option<Shard>,
    /// Where results are kept as they are made, and taken over from.
    pub journal: Option<PathBuf>,
    /// Whether to look for similar answers.
    pub similar: bool,
    /// Whether a report will ask for the answers themselves.
    pub keep_answers: bool,
    /// The language of all texts.
    pub lang: Lang,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Files and students that are done.
    pub done: u64,
    /// All of them, as far as is known.
    pub total: u64,
    /// How many grades were taken over from the journal.
    pub resumed: u64,
}

/// Bytes of stack of a worker: enough for what is nested as deep as the reader allows.
const STACK: usize = 64 << 20;
/// How many groups are under way for each worker.
const WINDOW: usize = 32;
/// Bytes of an answer from which on only one is graded at a time, because grading takes a multiple of them in memory.
const LARGE: u64 = 256 << 10;
/// The most bytes of all files of one answer.
const MAX_ANSWER: u64 = 64 << 20;

/// Grades everything.
///
/// # Errors
/// When the submissions or the journal cannot be read or written; never because of an answer.
pub fn run(options: &Options<'_>, progress: &mut dyn FnMut(Progress)) -> io::Result<Results> {
    answer::catch_panics();
    let ids: Vec<&str> = options.library.entries().map(|entry| entry.id.as_str()).collect();
    let asked = |id: &str| options.only.is_empty() || options.only.contains(id);
    let names = Names::new(ids.iter().copied(), asked);
    let search = Search {
        root: options.submissions,
        pattern: options.layout.as_ref(),
        names: &names,
        only: &options.only,
        roster: options.roster,
        shard: options.shard,
        lang: options.lang,
    };
    let found = discover::find(&search).map_err(|error| about(options.submissions, &error))?;
    let journal = match &options.journal {
        Some(path) => Some(Mutex::new(Journal::open(path).map_err(|error| about(path, &error))?)),
        None => None,
    };
    let shared = Shared {
        options,
        scenarios: Scenarios::new(options.library, options.similar),
        spool: found.spool,
        journal,
        cache: Cache::default(),
        large: Mutex::new(()),
        kept: if options.keep_answers { Some(Kept::new()?) } else { None },
    };
    let jobs = options.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let out = TempFile::new()?;
    let mut sink = Sink {
        out: BufWriter::with_capacity(1 << 16, out.handle()?),
        tally: Tally::default(),
        progress: Progress { total: found.files, ..Progress::default() },
        shared: &shared,
    };
    progress(sink.progress);
    let (work, queue) = mpsc::sync_channel::<(u64, Group)>(jobs * WINDOW);
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| -> io::Result<()> {
        let (done, results) = mpsc::sync_channel::<Done>(jobs * WINDOW * 2);
        let (queue, shared) = (&queue, &shared);
        for number in 0..jobs {
            let done = done.clone();
            let builder = std::thread::Builder::new().name(format!("{}-{number}", answer::WORKER)).stack_size(STACK);
            builder.spawn_scoped(scope, move || worker(queue, &done, shared))?;
        }
        drop(done);
        let fed = sink.feed(found.groups, work, &results, jobs * WINDOW, progress);
        // a worker waits in vain for a queue nobody empties
        drop(results);
        fed
    })?;
    sink.out.flush()?;
    let mut summary = std::mem::take(&mut sink.tally).finish(options.lang);
    drop(sink);
    let mut results = Results::new(out.handle()?, summary.clone()).with_answers(shared.kept);
    if options.similar {
        summary.similar = similar::pairs(&results)?;
        results.summary = summary;
    }
    Ok(results)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", discover::shown(path)))
}

/// What all workers use.
struct Shared<'a> {
    options: &'a Options<'a>,
    scenarios: Scenarios<'a>,
    spool: Spool,
    journal: Option<Mutex<Journal>>,
    cache: Cache,
    large: Mutex<()>,
    kept: Option<Kept>,
}

/// An entry and its text.
struct Line {
    entry: Entry,
    json: String,
    resumed: bool,
}

/// What a worker made of a group.
struct Done {
    number: u64,
    files: u64,
    lines: io::Result<Vec<Line>>,
}

/// Takes results in order.
struct Sink<'a> {
    out: BufWriter<std::fs::File>,
    tally: Tally,
    progress: Progress,
    shared: &'a Shared<'a>,
}

impl Sink<'_> {
    fn feed(
        &mut self,
        groups: impl Iterator<Item = io::Result<Group>>,
        work: SyncSender<(u64, Group)>,
        results: &Receiver<Done>,
        window: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> io::Result<()> {
        let mut waiting: BTreeMap<u64, Vec<Line>> = BTreeMap::new();
        let (mut sent, mut written) = (0, 0);
        let mut groups = groups.fuse();
        let mut work = Some(work);
        while work.is_some() || written < sent {
            while sent - written < window as u64 && work.is_some() {
                match groups.next() {
                    Some(group) => {
                        if let Some(work) = &work {
                            work.send((sent, group?)).map_err(io::Error::other)?;
                        }
                        sent += 1;
                    }
                    // workers end when nothing more can come
                    None => work = None,
                }
            }
            if written == sent {
                continue;
            }
            let done = results.recv().map_err(io::Error::other)?;
            self.progress.done += done.files;
            waiting.insert(done.number, done.lines?);
            while let Some(lines) = waiting.remove(&written) {
                for line in lines {
                    self.write(&line)?;
                }
                written += 1;
            }
            progress(self.progress);
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let shared = self.shared;
        let scenario = || shared.scenarios.get(&line.entry.scenario).and_then(|prepared| prepared.scenario());
        self.tally.add(&line.entry, shared.options.lang, scenario);
        self.progress.resumed += u64::from(line.resumed);
        self.out.write_all(line.json.as_bytes())?;
        self.out.write_all(b"\n")
    }
}

fn worker(queue: &Mutex<Receiver<(u64, Group)>>, done: &SyncSender<Done>, shared: &Shared<'_>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, group)) = next else { return };
        let files = group.attempts.iter().map(|tried| tried.files.len() as u64).sum();
        if done.send(Done { number, files, lines: shared.group(&group) }).is_err() {
            return;
        }
    }
}

impl Shared<'_> {
    /// All entries of a group.
    fn group(&self, group: &Group) -> io::Result<Vec<Line>> {
        let lang = self.options.lang;
        let of = u32::try_from(group.attempts.len()).unwrap_or(u32::MAX);
        let prepared = self.scenarios.get(&group.scenario);
        let possible = prepared.and_then(|prepared| prepared.scenario()).map_or(0, |scenario| scenario.points());
        let empty = Try::default();
        let without = |status, why: String| {
            let tried = group.attempts.first().unwrap_or(&empty);
            let mut entry = entry_of(group, tried, 0, 0, lang);
            Graded::without(status, why, possible).fill(&mut entry);
            line(entry, false).map(|line| vec![line])
        };
        if let Some(trouble) = &group.trouble {
            return without(Status::Unmatched, trouble.clone());
        }
        let (Some(prepared), Some(last)) = (prepared, group.attempts.last()) else {
            return without(Status::Missing, say(lang, &BatchMessage::NothingHandedIn));
        };
        if self.options.attempts == Attempts::Last {
            return Ok(vec![self.attempt(group, last, prepared, of, of)?]);
        }
        let mut lines = Vec::new();
        for (number, tried) in (1..).zip(&group.attempts) {
            let line = self.attempt(group, tried, prepared, number, of)?;
            if self.options.attempts == Attempts::Best
                && let Some(best) = lines.last_mut()
            {
                let better = |line: &Line| (line.entry.is_graded(), line.entry.points);
                if better(&line) >= better(best) {
                    *best = line;
                }
            } else {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    fn attempt(&self, group: &Group, tried: &Try, prepared: &Prepared, number: u32, of: u32) -> io::Result<Line> {
        let lang = self.options.lang;
        let mut entry = entry_of(group, tried, number, of, lang);
        let possible = prepared.scenario().map_or(0, |scenario| scenario.points());
        let files = match self.read(&group.scenario, &tried.files) {
            Ok(files) => files,
            Err((status, why)) => {
                Graded::without(status, why, possible).fill(&mut entry);
                return line(entry, false);
            }
        };
        let parts: Vec<&[u8]> = files.iter().flat_map(|file| [file.name.as_bytes(), file.bytes.as_slice()]).collect();
        let content = digest::of(&parts);
        entry.digest = digest::hex(&content);
        if let Some(kept) = &self.kept {
            kept.add(&entry.digest, &files)?;
        }
        if self.options.similar {
            entry.traits = similar::traits(&files, &prepared.forced);
        }
        let bytes: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
        let grade = |known: Option<Digest>| {
            let one = (bytes > LARGE).then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
            let graded = self.cache.get(prepared, &files, known.unwrap_or(content), lang);
            drop(one);
            graded
        };
        let Some(journal) = &self.journal else {
            grade(None).fill(&mut entry);
            return line(entry, false);
        };
        let key = self.key(prepared, &entry)?;
        if let Some(json) = journal.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && let Ok(entry) = serde_json::from_str(&json)
        {
            return Ok(Line { entry, json, resumed: true });
        }
        grade(None).fill(&mut entry);
        let line = line(entry, false)?;
        journal.lock().unwrap_or_else(PoisonError::into_inner).add(std::iter::once((key, line.json.as_str())))?;
        Ok(line)
    }

    /// A hash of everything an entry depends on.
    fn key(&self, prepared: &Prepared, ungraded: &Entry) -> io::Result<Digest> {
        let entry = serde_json::to_string(ungraded).map_err(io::Error::other)?;
        let version = format!("{} {} {}", env!("CARGO_PKG_VERSION"), env!("CKAD_GRADE_BUILD"), result::FORMAT);
        let lang = self.options.lang.tag();
        Ok(digest::of(&[version.as_bytes(), lang.as_bytes(), &prepared.digest, entry.as_bytes()]))
    }

    /// The files of an answer.
    fn read(&self, scenario: &str, found: &[FoundFile]) -> Result<Vec<ManifestFile>, (Status, String)> {
        let lang = self.options.lang;
        let mut files = Vec::new();
        let mut left = MAX_ANSWER;
        for file in found {
            let bytes = match &file.place {
                Place::File(path) => read_file(path),
                Place::Spool(offset, length) => self.spool.read(*offset, *length),
                Place::Nowhere { why, status } => return Err((*status, why.clone())),
            };
            let bytes = bytes.map_err(|error| {
                let (error, file) = (error.to_string(), answer::cut(&file.path));
                (Status::Unreadable, say(lang, &BatchMessage::FileLost { file: &file, error: &error }))
            })?;
            let length = bytes.len() as u64;
            if length > left || length > discover::max_file() {
                let limit = if length > discover::max_file() { discover::max_file() } else { MAX_ANSWER };
                return Err((Status::Limit, say(lang, &BatchMessage::TooLarge { bytes: limit })));
            }
            left -= length;
            let name = name_of(scenario, file, found);
            files.push(ManifestFile { name, bytes });
        }
        Ok(files)
    }
}

/// What a file is called for kubectl: its path within the answer. What an answer's only file is called says nothing, and
/// commands have their fixed name.
fn name_of(scenario: &str, file: &FoundFile, found: &[FoundFile]) -> String {
    let folder_of = |path: &str| path.rfind('/').map_or(0, |slash| slash + 1);
    let is_script = |path: &str| path.to_ascii_lowercase().ends_with(".sh");
    let common = found.iter().fold(file.path.as_str(), |common, other| {
        let same = common.bytes().zip(other.path.bytes()).take_while(|(a, b)| a == b).count();
        let same = (0..=same).rev().find(|at| common.is_char_boundary(*at)).unwrap_or(0);
        common.get(..same).unwrap_or_default()
    });
    let within = file.path.get(folder_of(common)..).unwrap_or_default();
    let scripts = found.iter().filter(|file| is_script(&file.path)).count();
    match (found.len(), is_script(within)) {
        (_, true) if scripts == 1 => format!("{}{COMMANDS}", within.get(..folder_of(within)).unwrap_or_default()),
        (1, _) => format!("{scenario}.{}", within.rsplit('.').next().unwrap_or("yaml").to_ascii_lowercase()),
        _ => within.to_owned(),
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    // between looking and reading it may have become something that never ends
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(discover::max_file() + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn line(entry: Entry, resumed: bool) -> io::Result<Line> {
    let json = serde_json::to_string(&entry).map_err(io::Error::other)?;
    Ok(Line { entry, json, resumed })
}

/// The most files an entry names.
const MAX_FILES: usize = 50;

fn entry_of(group: &Group, tried: &Try, number: u32, of: u32, lang: Lang) -> Entry {
    let time = Some(tried.moment.time.clone()).filter(|time| !time.is_empty());
    let notes = match group.known || group.student.is_empty() {
        true => Vec::new(),
        false => vec![say(lang, &BatchMessage::NotOnRoster)],
    };
    Entry {
        student: group.student.clone(),
        scenario: group.scenario.clone(),
        attempt: Attempt { number, of, time },
        late: tried.late,
        files: tried.files.iter().take(MAX_FILES).map(|file| file.path.clone()).collect(),
        status: Status::Missing,
        result: Outcome::Failed,
        points: 0,
        possible: 0,
        fix: None,
        checks: Vec::new(),
        problems: Vec::new(),
        notes,
        digest: String::new(),
        traits: Vec::new(),
    }
}
