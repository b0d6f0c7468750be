//! Finding all answers in a folder or an archive, without keeping them in memory: every file becomes a record, records are
//! sorted by student, scenario and attempt, and come out as one [`Group`] after the other.
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::archive::{Archive, Member, MemberKind};
use super::attempts::Moment;
use super::layout::{Layout, Named, Names, Submitter, Usual, stem};
use super::result::{Status, display_name};
use super::roster::Roster;
use super::shard::Shard;
use super::spool::{Sorter, TempFile};
use crate::lang::Lang;
use crate::manifest::{self, Limits};
use crate::report::text::batch::{BatchMessage, say};

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
/// The most bytes that are unpacked from archives.
const MAX_UNPACKED: u64 = 4 << 30;
/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;
/// The deepest archive within an archive.
const MAX_ARCHIVES: usize = 2;
/// The most characters of a path that are kept.
const MAX_PATH: usize = 1024;

/// Who handed in what at Gradescope.
const METADATA: &str = "submission_metadata.yml";

/// Walks through everything, first without knowing what it is.
struct Walk<'a> {
    search: &'a Search<'a>,
    files: Sorter,
    spool: TempFile,
    written: u64,
    shape: Shape,
    submitters: HashMap<String, Submitter>,
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
    let mut walk = Walk {
        search,
        files: Sorter::new(),
        spool: TempFile::new()?,
        written: 0,
        shape: Shape::default(),
        submitters: HashMap::new(),
    };
    let name = search.root.to_string_lossy();
    if search.root.is_dir() {
        walk.folder(search.root, "", 0)?;
    } else if let Some(archive) = Archive::of(&name) {
        archive.read(File::open(search.root)?, &mut |member| walk.member(member, "", 1))?;
    } else if search.root.exists() {
        return Err(io::Error::other("neither a folder nor a .zip, .tar, .tar.gz or .tgz file"));
    } else {
        return Err(io::ErrorKind::NotFound.into());
    }
    let outside =
        search.root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    walk.finish(stem(&outside.unwrap_or_default()))
}

impl Walk<'_> {
    fn why(&self, message: &BatchMessage<'_>, status: Status) -> Place {
        Place::Nowhere { why: say(self.search.lang, message), status }
    }

    fn folder(&mut self, folder: &Path, within: &str, depth: usize) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                let place = self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable);
                return self.add(within.to_owned(), place);
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let shown = name.to_string_lossy();
            let path = if within.is_empty() { shown.into_owned() } else { format!("{within}/{shown}") };
            if self.is_ignored(&path) {
                continue;
            }
            // of the link itself, not of what it leads to
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) => {
                    let place = self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable);
                    self.add(path, place)?;
                    continue;
                }
            };
            if kind.is_dir() && depth >= MAX_DEPTH {
                let place = self.why(&BatchMessage::TooDeep { depth: MAX_DEPTH }, Status::Unmatched);
                self.add(path, place)?;
            } else if kind.is_dir() {
                self.folder(&entry.path(), &path, depth + 1)?;
            } else if kind.is_symlink() {
                let place = self.why(&BatchMessage::SymbolicLink, Status::Unreadable);
                self.add(path, place)?;
            } else if !kind.is_file() {
                let place = self.why(&BatchMessage::NotAFile, Status::Unreadable);
                self.add(path, place)?;
            } else {
                self.file(entry.path(), path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: PathBuf, path: String) -> io::Result<()> {
        let size = fs::metadata(&file).map(|metadata| metadata.len()).unwrap_or_default();
        if path.ends_with(METADATA) && size <= max_file() {
            let bytes = fs::read(&file).unwrap_or_default();
            self.metadata(&bytes);
            return Ok(());
        }
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(archive) = Archive::of(&name) {
            let read = File::open(&file)
                .and_then(|file| archive.read(file, &mut |member| self.member(member, &format!("{path}!"), 1)));
            return self.after_archive(path, read);
        }
        let place = if !is_manifest(&name) {
            self.why(&BatchMessage::NotAManifest, Status::Unmatched)
        } else if size > max_file() {
            self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit)
        } else if file.to_str().is_none() {
            // a record is text; what has no name in text is read now
            match File::open(&file).and_then(|file| self.unpack(file)) {
                Ok(place) => place,
                Err(error) => self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable),
            }
        } else {
            Place::File(file)
        };
        self.add(path, place)
    }

    fn after_archive(&mut self, path: String, read: io::Result<()>) -> io::Result<()> {
        match read {
            Ok(()) => Ok(()),
            // our own disk, not the archive
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(error),
            Err(error) => {
                let place = self.why(&BatchMessage::DamagedArchive { error: &error.to_string() }, Status::Unmatched);
                self.add(path, place)
            }
        }
    }

    fn member(&mut self, member: Member<'_>, within: &str, depth: usize) -> io::Result<()> {
        let inside = member.path.replace('\\', "/");
        let path = if within.is_empty() { inside.clone() } else { format!("{within}/{inside}") };
        if self.is_ignored(&path) {
            return Ok(());
        }
        let name = inside.rsplit('/').next().unwrap_or_default();
        let place = if inside.starts_with('/') || inside.split('/').any(|part| part == "..") || inside.contains(":/") {
            self.why(&BatchMessage::LeadsOut, Status::Unmatched)
        } else if member.kind == MemberKind::Link {
            self.why(&BatchMessage::SymbolicLink, Status::Unreadable)
        } else if member.kind == MemberKind::Special {
            self.why(&BatchMessage::NotAFile, Status::Unreadable)
        } else if name == METADATA {
            let mut bytes = Vec::new();
            member.content.take(max_file()).read_to_end(&mut bytes)?;
            self.metadata(&bytes);
            return Ok(());
        } else if let Some(archive) = Archive::of(name) {
            if depth >= MAX_ARCHIVES {
                self.why(&BatchMessage::TooDeep { depth: MAX_ARCHIVES }, Status::Unmatched)
            } else {
                let prefix = format!("{path}!");
                let read = archive.read_nested(member.content, &mut |inner| self.member(inner, &prefix, depth + 1));
                return self.after_archive(path, read);
            }
        } else if !is_manifest(name) {
            self.why(&BatchMessage::NotAManifest, Status::Unmatched)
        } else if member.size > max_file() {
            self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit)
        } else {
            match self.unpack(member.content) {
                Ok(place) => place,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(error),
                Err(error) => self.why(&BatchMessage::CannotRead { error: &error.to_string() }, Status::Unreadable),
            }
        };
        self.add(path, place)
    }

    /// Copies a file into the spool, as much as is looked at.
    fn unpack(&mut self, content: impl Read) -> io::Result<Place> {
        if self.written >= MAX_UNPACKED {
            return Ok(self.why(&BatchMessage::TooMuch { bytes: MAX_UNPACKED }, Status::Limit));
        }
        let mut bytes = Vec::new();
        content.take(max_file() + 1).read_to_end(&mut bytes)?;
        // it may hold more than it said
        if bytes.len() as u64 > max_file() {
            return Ok(self.why(&BatchMessage::TooLarge { bytes: max_file() }, Status::Limit));
        }
        self.spool.file().write_all(&bytes)?;
        let offset = self.written;
        self.written += bytes.len() as u64;
        Ok(Place::Spool(offset, bytes.len() as u64))
    }

    /// What systems and version control put beside the answers.
    fn is_ignored(&mut self, path: &str) -> bool {
        let hidden = |name: &str| {
            let name = name.strip_suffix('!').unwrap_or(name);
            name.starts_with('.') && name != "." && name != ".."
                || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&name)
        };
        if path.split('/').any(|name| name == ".git") {
            self.shape.git = true;
        }
        let name = path.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        path.split('/').any(hidden) || ["README", "LICENSE"].contains(&name.split('.').next().unwrap_or_default())
    }

    fn metadata(&mut self, bytes: &[u8]) {
        for document in manifest::read(METADATA, bytes).documents {
            for (folder, submission) in document.value.as_object().into_iter().flatten() {
                let people: Vec<_> =
                    submission.get(":submitters").and_then(|s| s.as_array()).into_iter().flatten().collect();
                let text = |key: &str| {
                    let values = people.iter().filter_map(|person| person.get(key).and_then(|value| value.as_str()));
                    values.collect::<Vec<_>>().join(" & ")
                };
                let alias = if text(":email").is_empty() { text(":sid") } else { text(":email") };
                let time = submission.get(":created_at").and_then(|time| time.as_str()).unwrap_or_default().to_owned();
                let late =
                    submission.get(":lateness").and_then(|l| l.as_str()).is_some_and(|l| !l.starts_with("00:00:00"));
                let name = if text(":name").is_empty() { folder.clone() } else { text(":name") };
                self.submitters.insert(folder.clone(), Submitter { name, alias, time, late });
            }
        }
    }

    fn add(&mut self, path: String, place: Place) -> io::Result<()> {
        // records are put together with NUL between their parts
        let path: String = path.chars().take(MAX_PATH).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
        self.shape.look(&path, self.search.names, &place);
        let record = serde_json::to_string(&place).map_err(io::Error::other)?;
        self.files.push(path, record)
    }

    /// Says of every file whose answer to what it is.
    fn finish(self, outside: &str) -> io::Result<Found> {
        let Walk { search, files, spool, shape, submitters, .. } = self;
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
                let missing =
                    Matched { student, scenario, known: true, moment, late: false, file: None, trouble: None };
                push(&mut matched, &missing)?;
            }
        }
        let groups = Groups { records: matched.sorted()?, next: None };
        Ok(Found { files: number, spool: Spool { file: Mutex::new(spool) }, groups: Box::new(groups) })
    }
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

/// Records put together to groups.
struct Groups<I> {
    records: I,
    next: Option<Matched>,
}

impl<I: Iterator<Item = io::Result<(String, String)>>> Groups<I> {
    fn record(&mut self) -> io::Result<Option<Matched>> {
        match self.next.take() {
            Some(record) => Ok(Some(record)),
            None => match self.records.next() {
                None => Ok(None),
                Some(record) => serde_json::from_str(&record?.1).map(Some).map_err(io::Error::other),
            },
        }
    }

    fn group(&mut self) -> io::Result<Option<Group>> {
        let Some(first) = self.record()? else { return Ok(None) };
        let (student, scenario, known) = (first.student.clone(), first.scenario.clone(), first.known);
        let mut group = Group { student, scenario, known, attempts: Vec::new(), trouble: first.trouble.clone() };
        let single = first.trouble.is_some();
        group.add(first);
        while !single && let Some(record) = self.record()? {
            if record.student == group.student && record.scenario == group.scenario && record.trouble.is_none() {
                group.add(record);
            } else {
                self.next = Some(record);
                break;
            }
        }
        Ok(Some(group))
    }
}

impl Group {
    fn add(&mut self, record: Matched) {
        let Some(file) = record.file else { return };
        match self.attempts.last_mut() {
            Some(last) if last.moment == record.moment => {
                last.late |= record.late;
                last.files.push(file);
            }
            _ => self.attempts.push(Try { moment: record.moment, late: record.late, files: vec![file] }),
        }
    }
}

impl<I: Iterator<Item = io::Result<(String, String)>>> Iterator for Groups<I> {
    type Item = io::Result<Group>;
    fn next(&mut self) -> Option<Self::Item> {
        self.group().transpose()
    }
}

/// What all paths have in common.
#[derive(Debug, Default)]
struct Shape {
    /// The folders of the first two levels: the last one seen, whether there are others, their common beginning.
    levels: [Level; 2],
    /// Whether something is in no folder.
    bare: bool,
    /// Whether the only folder holds folders or files that name a student.
    holds_students: bool,
    /// Whether there are git repositories.
    git: bool,
}

#[derive(Debug, Default)]
struct Level {
    first: Option<String>,
    several: bool,
    common: String,
}

impl Shape {
    fn look(&mut self, path: &str, names: &Names, place: &Place) {
        let segments: Vec<&str> = path.split('/').collect();
        for (number, level) in self.levels.iter_mut().enumerate() {
            let Some(name) = segments.get(number).filter(|_| segments.len() > number + 1) else { continue };
            match &level.first {
                None => (level.first, level.common) = (Some((*name).to_owned()), (*name).to_owned()),
                Some(first) => {
                    level.several |= first != name;
                    let same = level.common.chars().zip(name.chars()).take_while(|(a, b)| a == b);
                    level.common = same.map(|(c, _)| c).collect();
                }
            }
        }
        let is_answer = !matches!(place, Place::Nowhere { status: Status::Unmatched, .. });
        self.bare |= segments.len() == 1 && is_answer;
        if is_answer && let Some(second) = segments.get(1) {
            let reading = Usual::default_reading(second, names);
            self.holds_students |= reading.student.is_some_and(|student| segments.len() > 2 || student != stem(second))
                || segments.len() > 2 && reading.scenario == Named::None;
        }
    }

    fn usual(self, outside: &str, submitters: HashMap<String, Submitter>) -> Usual {
        let [top, second] = self.levels;
        let wrapped = !self.bare && !top.several && self.holds_students;
        let (level, parent) = match wrapped {
            true => (second, top.first.unwrap_or_default()),
            false => (top, outside.to_owned()),
        };
        let assignment = ["-submissions", "_submissions"].iter().find_map(|end| parent.strip_suffix(end));
        let prefix = match (assignment, self.git) {
            (Some(name), _) if level.common.starts_with(&format!("{name}-")) => format!("{name}-"),
            (_, true) if level.several => {
                level.common.rfind('-').and_then(|at| level.common.get(..=at)).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        Usual { wrappers: usize::from(wrapped), prefix, submitters }
    }
}

fn is_manifest(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The root as reports show it.
pub(super) fn shown(root: &Path) -> String {
    display_name(root)
}
