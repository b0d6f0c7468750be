//! Grading one answer, so that nothing it holds can end the run.
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::digest::{self, Digest};
use super::result::{CheckEntry, Entry, ProblemEntry, Status};
use super::similar;
use crate::cluster::{Cluster, Settled};
use crate::grade;
use crate::lang::Lang;
use crate::manifest::ReadError;
use crate::report::text::batch::{BatchMessage, say};
use crate::report::{CheckResult, Outcome, Report};
use crate::scenario::{Library, Scenario};
use crate::timeline::ManifestFile;

/// A scenario made ready for many answers.
#[derive(Debug)]
pub(super) struct Prepared {
    /// A hash of its text.
    pub(super) digest: Digest,
    /// The lines of its key and its task, for finding similar answers; none if nobody looks for them.
    pub(super) forced: HashSet<u64>,
    /// The scenario and the cluster in which it begins, or why it cannot be graded.
    ready: Result<(Scenario, Mutex<Start>), String>,
}

/// The cluster in which a scenario begins.
struct Start(Cluster);

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Start")
    }
}

impl Prepared {
    /// Makes a scenario of the library ready.
    pub(super) fn new(library: &Library, id: &str, similar: bool) -> Prepared {
        let Some(entry) = library.entries().find(|entry| entry.id == id) else {
            return Prepared::broken(format!("no scenario {id}"));
        };
        let source = match entry.source() {
            Ok(source) => source,
            Err(error) => return Prepared::broken(error.to_string()),
        };
        let digest = digest::of(&[source.as_bytes()]);
        let ready = Scenario::parse(&source, &entry.file()).map_err(|error| error.to_string()).and_then(|scenario| {
            let start = grade::start(&scenario).map_err(|error| error.to_string())?;
            Ok((scenario, Mutex::new(Start(start))))
        });
        let key = entry.key().ok().flatten().filter(|_| similar).unwrap_or_default();
        let task = if similar { source.as_ref() } else { "" };
        Prepared { digest, forced: similar::lines(&key).chain(similar::lines(task)).collect(), ready }
    }

    fn broken(error: String) -> Prepared {
        Prepared { digest: Digest::default(), forced: HashSet::new(), ready: Err(error) }
    }

    /// The scenario, if it can be graded.
    pub(super) fn scenario(&self) -> Option<&Scenario> {
        self.ready.as_ref().ok().map(|(scenario, _)| scenario)
    }
}

/// All scenarios of a library; each is made ready when it is first asked for.
#[derive(Debug)]
pub(super) struct Scenarios<'a> {
    library: &'a Library,
    similar: bool,
    ready: HashMap<String, OnceLock<Arc<Prepared>>>,
}

impl<'a> Scenarios<'a> {
    /// `similar`: whether similar answers are looked for.
    pub(super) fn new(library: &'a Library, similar: bool) -> Scenarios<'a> {
        Scenarios {
            library,
            similar,
            ready: library.entries().map(|entry| (entry.id.clone(), OnceLock::new())).collect(),
        }
    }

    /// A scenario by its name.
    pub(super) fn get(&self, id: &str) -> Option<&Arc<Prepared>> {
        self.ready.get(id).map(|ready| ready.get_or_init(|| Arc::new(Prepared::new(self.library, id, self.similar))))
    }
}

/// The most characters of a text in an entry.
const MAX_TEXT: usize = 600;
/// The most problems, reasons and notes of each kind in an entry.
const MAX_ITEMS: usize = 12;

/// Everything an entry says of the answer itself, whoever gave it.
#[derive(Clone, Debug)]
pub(super) struct Graded {
    pub(super) status: Status,
    pub(super) result: Outcome,
    pub(super) points: u32,
    pub(super) possible: u32,
    pub(super) fix: Option<String>,
    pub(super) checks: Vec<CheckEntry>,
    pub(super) problems: Vec<ProblemEntry>,
    pub(super) notes: Vec<String>,
}

impl Graded {
    /// An answer without a grade.
    pub(super) fn without(status: Status, why: String, possible: u32) -> Graded {
        let fix = Some(cut(&why));
        Graded {
            status,
            result: Outcome::Failed,
            points: 0,
            possible,
            fix,
            checks: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Puts it into an entry.
    pub(super) fn fill(&self, entry: &mut Entry) {
        let Graded { status, result, points, possible, fix, checks, problems, notes } = self.clone();
        entry.status = status;
        entry.result = result;
        entry.points = points;
        entry.possible = possible;
        entry.fix = fix;
        entry.checks = checks;
        entry.problems = problems;
        entry.notes.extend(notes);
    }
}

thread_local! {
    /// What the last panic of this thread said.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The beginning of the names of threads whose panics are caught.
pub(super) const WORKER: &str = "grader";

/// Lets the panics of workers be remembered instead of printed.
pub(super) fn catch_panics() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name().is_some_and(|name| name.starts_with(WORKER)) {
                let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
                let message = panic.payload_as_str().unwrap_or("panic");
                PANIC.set(Some(format!("{place}: {message}")));
            } else {
                before(panic);
            }
        }));
    });
}

/// Grades an answer.
pub(super) fn grade(prepared: &Prepared, files: &[ManifestFile], lang: Lang) -> Graded {
    let (scenario, start) = match &prepared.ready {
        Ok(ready) => ready,
        Err(error) => {
            return Graded::without(Status::ScenarioWrong, say(lang, &BatchMessage::ScenarioWrong { error }), 0);
        }
    };
    let start = start.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
    match catch_unwind(AssertUnwindSafe(|| graded(scenario, start, files, lang))) {
        Ok(graded) => graded,
        Err(_) => {
            let message = PANIC.take().unwrap_or_default();
            Graded::without(Status::Crashed, say(lang, &BatchMessage::Crashed { message: &message }), scenario.points())
        }
    }
}

fn graded(scenario: &Scenario, start: Cluster, files: &[ManifestFile], lang: Lang) -> Graded {
    let grade = match grade::grade_in(scenario, start, files) {
        Ok(grade) => grade,
        Err(error) => {
            let error = error.to_string();
            let why = say(lang, &BatchMessage::ScenarioWrong { error: &error });
            return Graded::without(Status::ScenarioWrong, why, scenario.points());
        }
    };
    let unreadable = grade.answer.problems.iter().any(|problem| problem.unreadable.is_some());
    let status = match (grade.settled, unreadable) {
        (Settled::GaveUp, _) => Status::Limit,
        (Settled::Yes, true) => Status::Unreadable,
        (Settled::Yes, false) => Status::Graded,
    };
    let report = Report::without_diffs(scenario, &grade, lang);
    let checks = report.checks.iter().map(|check| CheckEntry {
        id: check.id.clone(),
        result: check.result,
        points: check.points,
        possible: if check.result == CheckResult::NotSimulated { 0 } else { check.possible },
        message: check.message.as_deref().map(cut),
        reasons: bounded(check.reasons.iter(), lang),
    });
    let file_of = |name: &str| files.iter().position(|file| file.name == name);
    let problem = |problem: &crate::report::problem::Problem| ProblemEntry {
        message: cut(&problem.message),
        warning: problem.warning,
        file: problem.file.as_deref().and_then(file_of),
        line: problem.places.first().map(|place| place.line),
        column: problem.places.first().map(|place| place.column),
    };
    let mut notes = bounded(report.notes.iter(), lang);
    if let Some(more) = report.problems.len().checked_sub(MAX_ITEMS).filter(|more| *more > 0) {
        notes.push(say(lang, &BatchMessage::MoreLeftOut(more)));
    }
    let fix = match status {
        Status::Limit => Some(say(lang, &BatchMessage::DidNotSettle)),
        _ => report.fix.as_deref().map(cut),
    };
    Graded {
        status,
        result: report.result,
        points: report.points,
        possible: report.possible,
        fix,
        checks: checks.collect(),
        problems: report.problems.iter().take(MAX_ITEMS).map(problem).collect(),
        notes,
    }
}

/// What a report says of a file that cannot be read to its end.
pub(super) fn unreadable(files: &[ManifestFile], error: &ReadError) -> ProblemEntry {
    ProblemEntry {
        message: cut(error.message.trim_end()),
        warning: false,
        file: files.iter().position(|file| file.name == error.source.name),
        line: error.location.as_ref().map(|location| location.line),
        column: error.location.as_ref().map(|location| location.column),
    }
}

fn bounded<'a>(texts: impl ExactSizeIterator<Item = &'a String>, lang: Lang) -> Vec<String> {
    let more = texts.len().saturating_sub(MAX_ITEMS);
    let mut out: Vec<String> = texts.take(MAX_ITEMS).map(|text| cut(text)).collect();
    if more > 0 {
        out.push(say(lang, &BatchMessage::MoreLeftOut(more)));
    }
    out
}

/// A text of bounded length.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
