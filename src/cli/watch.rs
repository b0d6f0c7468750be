//! `ckad-grade watch [SCENARIO]`: grades again whenever the answer is saved.
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};

use super::{Exit, Failure, Session, answer, hint, library, practice, show};
use crate::cluster::Cluster;
use crate::grade;
use crate::practice::progress::{self, Next};
use crate::report::{Outcome, Report, sanitise::sanitise, watch};
use crate::scenario::{Scenario, short_id};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(150);

/// A file that an editor replaces is missing for a moment; it is gone when it was not seen so many times.
const GONE_AFTER: usize = 10;

const SOFT: Style = AnsiColor::BrightBlack.on_default();
const STRONG: Style = Style::new().bold();

pub(super) fn run(session: &mut Session<'_>, name: Option<&str>, files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut keys = Keys::start();
    let mut name = match name {
        Some(name) => name.to_owned(),
        None => next_scenario(session, None)?.ok_or_else(|| Failure::usage("there are no scenarios"))?,
    };
    let mut best = Exit::NotFull;
    loop {
        let (_, scenario) = library::find(session, &name)?;
        let mut watched = Watched::new(session, scenario, files)?;
        watched.head(session)?;
        let wish = watched.watch(session, &mut keys)?;
        if watched.solved {
            best = Exit::Success;
        }
        match wish {
            Wish::Quit => return Ok(best),
            Wish::Next => match next_scenario(session, Some(&watched.scenario.id))? {
                Some(next) => name = next,
                None => return Ok(best),
            },
        }
    }
}

/// The first scenario to do: begun ones, then those worth repeating, then new ones; the one that is being watched last.
fn next_scenario(session: &Session<'_>, current: Option<&str>) -> Result<Option<String>, Failure> {
    let standings = progress::standings(&progress::events(&practice::store()?)?);
    let (library, _) = library::open(session)?;
    let now = progress::now();
    let ids: Vec<String> = library.entries().map(|entry| entry.id.clone()).collect();
    // go on from where one is, not from the beginning
    let start = current.and_then(|id| ids.iter().position(|other| other == id)).map_or(0, |index| index + 1);
    let mut order: Vec<&String> = ids.iter().cycle().skip(start).take(ids.len()).collect();
    order.retain(|id| Some(id.as_str()) != current);
    let rank = |id: &&&String| match standings.get(**id).map_or(Next::Begin, |standing| standing.next(now)) {
        Next::Finish => 0,
        Next::Repeat => 1,
        Next::Begin => 2,
        Next::Rest => 3,
    };
    let next = match current {
        // from one task to the next in the list, leaving out what is done
        Some(_) => order.iter().find(|id| rank(id) < 3).or(order.first()),
        None => order.iter().min_by_key(|id| rank(id)),
    };
    Ok(next.map(|id| (*id).clone()))
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
    hints: usize,
    solved: bool,
}

impl Watched {
    fn new(session: &Session<'_>, scenario: Scenario, files: &[PathBuf]) -> Result<Watched, Failure> {
        let start = grade::start(&scenario).map_err(|error| library::wrong_scenario(session, error))?;
        Ok(Watched { scenario, start, files: files.to_vec(), last: None, hints: 0, solved: false })
    }

    fn paths(&self) -> Vec<PathBuf> {
        match self.files.as_slice() {
            [] => answer::of_scenario(&self.scenario.id).into_iter().collect(),
            files => files.to_vec(),
        }
    }

    fn head(&self, session: &mut Session<'_>) -> Result<(), Failure> {
        clear(session)?;
        let title = sanitise(self.scenario.title.get(session.lang).trim()).into_owned();
        writeln!(session.out, "{STRONG}{}  {title}{STRONG:#}", self.scenario.id)?;
        if self.paths().is_empty() {
            let id = &self.scenario.id;
            let wait = session
                .lang
                .pick(format!("waiting for {id}.yaml; s shows the task"), format!("等待 {id}.yaml；按 s 顯示題目"));
            writeln!(session.out, "\n{wait}")?;
        }
        self.foot(session)
    }

    fn foot(&self, session: &mut Session<'_>) -> Result<(), Failure> {
        let keys = session.lang.pick("n next · h hint · s show · q quit", "n 下一題 · h 提示 · s 題目 · q 離開");
        writeln!(session.out, "{SOFT}{keys}{SOFT:#}")?;
        session.out.flush()?;
        Ok(())
    }

    fn watch(&mut self, session: &mut Session<'_>, keys: &mut Keys) -> Result<Wish, Failure> {
        practice::note_shown(session, &self.scenario.id)?;
        let (mut graded, mut candidate): (Fingerprint, Fingerprint) = Default::default();
        let mut missed = 0;
        loop {
            let now = fingerprint(&self.paths());
            if now.is_empty() {
                missed += 1;
                if missed == GONE_AFTER && !graded.is_empty() {
                    graded = Fingerprint::new();
                    self.last = None;
                    self.head(session)?;
                }
            } else {
                missed = 0;
                // graded when two looks in a row see the same: nobody is writing any more
                if now != graded && now == candidate {
                    self.grade(session)?;
                    graded = now.clone();
                }
            }
            candidate = now;
            match keys.wait() {
                None => {}
                Some('q') => return Ok(Wish::Quit),
                Some('n') => return Ok(Wish::Next),
                Some('h') => self.hint(session)?,
                Some('s') => {
                    clear(session)?;
                    show::run(session, &self.scenario.id)?;
                    self.foot(session)?;
                }
                Some(_) => self.foot(session)?,
            }
        }
    }

    fn hint(&mut self, session: &mut Session<'_>) -> Result<(), Failure> {
        let total = self.scenario.hints.len();
        if total > 0 {
            hint::run(session, &self.scenario.id, self.hints % total + 1)?;
            self.hints += 1;
        }
        self.foot(session)
    }

    fn grade(&mut self, session: &mut Session<'_>) -> Result<(), Failure> {
        clear(session)?;
        let title = sanitise(self.scenario.title.get(session.lang).trim()).into_owned();
        writeln!(session.out, "{STRONG}{}  {title}{STRONG:#}", self.scenario.id)?;
        let files = match answer::read(session, &self.paths()) {
            Ok(files) => files,
            Err(failure) => {
                writeln!(session.out, "{}", sanitise(&failure.message))?;
                return self.foot(session);
            }
        };
        let graded = grade::grade_in(&self.scenario, self.start.clone(), &files)
            .map_err(|error| library::wrong_scenario(session, error))?;
        let report = Report::new(&self.scenario, &graded, session.lang);
        watch::write(self.last.as_ref(), &report, &mut session.out)?;
        practice::note_tried(session, &self.scenario.id, report.points, report.possible)?;
        if report.result == Outcome::Full {
            self.solved = true;
            let id = short_id(&self.scenario.id);
            let on = session.lang.pick(
                format!("n goes on · the key and why: ckad-grade solution {id}"),
                format!("按 n 繼續 · 解答與說明：ckad-grade solution {id}"),
            );
            writeln!(session.out, "{SOFT}{on}{SOFT:#}")?;
        }
        self.last = Some(report);
        self.foot(session)
    }
}

fn clear(session: &mut Session<'_>) -> io::Result<()> {
    // where there is no terminal, this is dropped on the way
    match io::stdout().is_terminal() {
        true => write!(session.out, "\x1b[2J\x1b[3J\x1b[H"),
        false => writeln!(session.out),
    }
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

/// Key presses, read beside the work: single keys at a terminal, first letters of lines elsewhere.
struct Keys {
    pressed: Receiver<Option<char>>,
    /// The terminal is read only when asked for, so that it is as it was when the program ends.
    go_on: SyncSender<()>,
    at_end: bool,
}

impl Keys {
    fn start() -> Keys {
        let (send, pressed) = channel();
        let (go_on, ask) = sync_channel(1);
        thread::spawn(move || {
            let terminal = io::stdin().is_terminal();
            loop {
                let key = if terminal { console::Term::stdout().read_char().ok() } else { first_letter_of_line() };
                if send.send(key).is_err() || key.is_none() || ask.recv().is_err() {
                    return;
                }
            }
        });
        Keys { pressed, go_on, at_end: false }
    }

    /// The key that was pressed within a period, in small letters. After the end of the input it is `q`.
    fn wait(&mut self) -> Option<char> {
        if self.at_end {
            return Some('q');
        }
        match self.pressed.recv_timeout(PERIOD) {
            Ok(Some(key)) => {
                // nobody needs the terminal after `q`
                if !key.eq_ignore_ascii_case(&'q') {
                    let _ = self.go_on.send(());
                }
                Some(key.to_ascii_lowercase())
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                self.at_end = true;
                None
            }
            Err(RecvTimeoutError::Timeout) => None,
        }
    }
}

fn first_letter_of_line() -> Option<char> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().chars().next().unwrap_or(' ')),
    }
}
