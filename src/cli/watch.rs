//! `ckad-grade watch [SCENARIO]`: grades again whenever the answer is saved.
mod keys;
mod screen;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};

use super::{Exit, Failure, Session, answer, hint, library, practice, show};
use crate::cluster::Cluster;
use crate::grade;
use crate::report::text::{Message, say};
use crate::report::{Outcome, Report, sanitise::sanitise, watch};
use crate::scenario::{Scenario, short_id};
use keys::Keys;
use screen::Screen;

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(150);

/// A file that an editor replaces is missing for a moment; it is gone when it was not seen so many times.
const GONE_AFTER: usize = 10;

const SOFT: Style = AnsiColor::BrightBlack.on_default();

pub(super) fn run(session: &mut Session<'_>, name: Option<&str>, files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut keys = Keys::start();
    let mut name = match name {
        Some(name) => name.to_owned(),
        None => practice::next_scenario(session, None)?
            .ok_or_else(|| Failure::usage(session.lang.pick("there are no scenarios", "沒有題目")))?,
    };
    let mut best = Exit::NotFull;
    loop {
        let (_, scenario) = library::find(session, &name)?;
        let mut watched = Watched::new(session, scenario, files)?;
        let wish = watched.watch(session, &mut keys)?;
        if watched.solved {
            best = Exit::Success;
        }
        match wish {
            Wish::Quit => return Ok(best),
            Wish::Next => match practice::next_scenario(session, Some(&watched.scenario.id))? {
                Some(next) => name = next,
                None => return Ok(best),
            },
        }
    }
}

/// What a person wants next.
enum Wish {
    Next,
    Quit,
}

/// The state of the files: their paths, lengths and times of change.
type Fingerprint = Vec<(PathBuf, u64, Option<SystemTime>)>;

struct Watched {
    scenario: Scenario,
    start: Cluster,
    files: Vec<PathBuf>,
    last: Option<Report>,
    /// What came of the answer, as text.
    outcome: String,
    hints: usize,
    /// Whether the task is on the screen.
    task: bool,
    solved: bool,
    screen: Screen,
}

impl Watched {
    fn new(session: &Session<'_>, scenario: Scenario, files: &[PathBuf]) -> Result<Watched, Failure> {
        let start = grade::start(&scenario).map_err(|error| library::wrong_scenario(session, error))?;
        let mut watched = Watched {
            scenario,
            start,
            files: files.to_vec(),
            last: None,
            outcome: String::new(),
            hints: 0,
            task: false,
            solved: false,
            screen: Screen::default(),
        };
        watched.outcome = watched.waiting(session);
        Ok(watched)
    }

    fn paths(&self) -> Vec<PathBuf> {
        match self.files.as_slice() {
            [] => answer::of_scenario(&self.scenario.id).into_iter().collect(),
            files => files.to_vec(),
        }
    }

    /// What is said as long as there is no answer.
    fn waiting(&self, session: &Session<'_>) -> String {
        let name = match self.files.as_slice() {
            [] => format!("{}.yaml", self.scenario.id),
            files => files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" "),
        };
        let text =
            session.lang.pick(format!("waiting for {name}; s shows the task"), format!("等待 {name}；按 s 顯示題目"));
        format!("\n{}\n", sanitise(&text))
    }

    fn title(&self, session: &Session<'_>) -> String {
        format!("{}  {}", self.scenario.id, sanitise(self.scenario.title.get(session.lang).trim()))
    }

    /// The outcome, below the hint that was asked for last.
    fn show(&mut self, session: &mut Session<'_>, with_hint: bool) -> Result<(), Failure> {
        let mut text = String::new();
        if with_hint {
            text = captured(session, |session| hint::write(session, &self.scenario, self.hints))?;
            text.push('\n');
        }
        text.push_str(&self.outcome);
        self.task = false;
        let title = self.title(session);
        Ok(self.screen.show(session, &title, text)?)
    }

    fn watch(&mut self, session: &mut Session<'_>, keys: &mut Keys) -> Result<Wish, Failure> {
        self.outcome.push_str(&captured(session, |session| Ok(practice::note_shown(session, &self.scenario.id)?))?);
        let (mut graded, mut candidate): (Fingerprint, Fingerprint) = Default::default();
        let mut missed = 0;
        let mut size = screen::size();
        if fingerprint(&self.paths()).is_empty() {
            self.show(session, false)?;
        }
        loop {
            let now = fingerprint(&self.paths());
            if now.is_empty() {
                missed += 1;
                if missed == GONE_AFTER && !graded.is_empty() {
                    graded = Fingerprint::new();
                    self.last = None;
                    self.outcome = self.waiting(session);
                    self.show(session, false)?;
                }
            } else {
                missed = 0;
                // graded when two looks in a row see the same: nobody is writing any more
                if now != graded && now == candidate {
                    self.outcome = captured(session, |session| self.grade(session))?;
                    self.show(session, false)?;
                    graded = now.clone();
                }
            }
            candidate = now;
            if std::mem::replace(&mut size, screen::size()) != size {
                self.screen.draw(session)?;
            }
            match keys.wait(PERIOD) {
                Some('q') => return Ok(Wish::Quit),
                Some('n') => return Ok(Wish::Next),
                Some('h') => {
                    self.hints = self.hints % self.scenario.hints.len().max(1) + 1;
                    self.show(session, true)?;
                }
                Some('s') if self.task => self.show(session, false)?,
                Some('s') => {
                    let text = captured(session, |session| show::write(session, &self.scenario))?;
                    self.task = true;
                    let title = self.title(session);
                    self.screen.show(session, &title, text)?;
                }
                Some(' ') => self.screen.turn(session)?,
                Some(_) | None => {}
            }
        }
    }

    /// Grades what is there and says what came of it.
    fn grade(&mut self, session: &mut Session<'_>) -> Result<(), Failure> {
        let files = match answer::read(session, &self.paths()) {
            Ok(files) => files,
            Err(failure) => return Ok(writeln!(session.out, "{}", sanitise(&failure.message))?),
        };
        if answer::is_empty(&files) {
            self.last = None;
            let text = say(session.lang, &Message::EmptyAnswer { scenario: &self.scenario.id });
            return Ok(writeln!(session.out, "\n{text}")?);
        }
        let graded = grade::grade_in(&self.scenario, self.start.clone(), &files)
            .map_err(|error| library::wrong_scenario(session, error))?;
        let report = Report::new(&self.scenario, &graded, session.lang);
        watch::write(self.last.as_ref(), &report, &mut session.out)?;
        practice::note_tried(session, &self.scenario.id, report.points, report.possible)?;
        if report.result == Outcome::Full {
            self.solved = true;
            let id = short_id(&self.scenario.id);
            let key = session.lang.pick("the key, and why it is right", "解答與說明");
            writeln!(session.out, "\n{SOFT}{key}: ckad-grade solution {id}{SOFT:#}")?;
        }
        self.last = Some(report);
        Ok(())
    }
}

/// What something writes, remarks and all.
fn captured(
    session: &Session<'_>,
    write: impl FnOnce(&mut Session<'_>) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut inner = Session {
        lang: session.lang,
        format: session.format,
        scenarios: session.scenarios.clone(),
        out: &mut out,
        err: &mut err,
    };
    write(&mut inner)?;
    out.extend(err);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn fingerprint(paths: &[PathBuf]) -> Fingerprint {
    let mut found = Vec::new();
    for path in paths {
        let Ok(metadata) = fs::metadata(path) else { continue };
        if !metadata.is_dir() {
            found.push((path.clone(), metadata.len(), metadata.modified().ok()));
            continue;
        }
        for file in answer::files_in(path).unwrap_or_default() {
            if let Ok(metadata) = fs::metadata(&file) {
                found.push((file, metadata.len(), metadata.modified().ok()));
            }
        }
    }
    found
}
