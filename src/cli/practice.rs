//! What commands for learners have in common: the user's data folder and what is noted there.
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};

use k8s_openapi::jiff::SignedDuration;

use super::{Failure, Session, library};
use crate::lang::Lang;
use crate::practice::progress::{self, Next};
use crate::practice::store::{Store, VARIABLE};

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The user's data folder.
pub(super) fn store() -> Result<Store, Failure> {
    Store::of_user(&variable).map_err(Failure::usage)
}

/// The user's data folder if what a person does is to be noted: at a terminal, or where a folder is named for it.
fn store_of_person() -> Option<Store> {
    let wanted = io::stdout().is_terminal() || variable(VARIABLE).is_some();
    wanted.then(|| Store::of_user(&variable).ok()).flatten()
}

/// Notes that a task was read.
pub(super) fn note_shown(session: &mut Session<'_>, scenario: &str) -> io::Result<()> {
    let Some(store) = store_of_person() else { return Ok(()) };
    let noted = progress::note_shown(&store, scenario);
    say_if_lost(session, noted)
}

/// Notes that the key was read.
pub(super) fn note_key_shown(session: &mut Session<'_>, scenario: &str) -> io::Result<()> {
    let Some(store) = store_of_person() else { return Ok(()) };
    let noted = progress::note_key_shown(&store, scenario);
    say_if_lost(session, noted)
}

/// The scenarios a person has solved; none for a program.
pub(super) fn solved_by_person() -> BTreeSet<String> {
    let events = store_of_person().and_then(|store| progress::events(&store).ok()).unwrap_or_default();
    let solved = progress::standings(&events).into_iter().filter(|(_, standing)| standing.solved.is_some());
    solved.map(|(scenario, _)| scenario).collect()
}

/// The scenario to do after one, for a person; nothing for a program.
pub(super) fn next_of_person(session: &Session<'_>, current: &str) -> Option<String> {
    store_of_person()?;
    next_scenario(session, Some(current)).ok().flatten().filter(|next| next != current)
}

/// The first scenario to do: begun ones, then those worth repeating, then new ones. After one that was just done, the next in
/// the list that is not done yet.
pub(super) fn next_scenario(session: &Session<'_>, current: Option<&str>) -> Result<Option<String>, Failure> {
    let standings = progress::standings(&progress::events(&store()?)?);
    let (library, _) = library::open(session)?;
    let now = progress::now();
    let ids: Vec<String> = library.entries().map(|entry| entry.id.clone()).collect();
    // go on from where one is, not from the beginning
    let start = current.and_then(|id| ids.iter().position(|other| other == id)).map_or(0, |index| index + 1);
    let mut order: Vec<&String> = ids.iter().cycle().skip(start).take(ids.len()).collect();
    order.retain(|id| Some(id.as_str()) != current);
    let next_of = |id: &&&String| standings.get(**id).map_or(Next::Begin, |standing| standing.next(now));
    let next = match current {
        Some(_) => order.iter().find(|id| next_of(id) != Next::Rest).or(order.first()),
        None => {
            let wanted = [Next::Finish, Next::Repeat, Next::Begin, Next::Rest];
            wanted.into_iter().find_map(|wanted| order.iter().find(|id| next_of(id) == wanted))
        }
    };
    Ok(next.map(|id| (*id).clone()))
}

/// Notes what came of an answer.
pub(super) fn note_tried(session: &mut Session<'_>, scenario: &str, points: u32, possible: u32) -> io::Result<()> {
    let Some(store) = store_of_person() else { return Ok(()) };
    let noted = progress::note_tried(&store, scenario, points, possible);
    say_if_lost(session, noted)
}

/// A grade counts whether or not it can be noted.
fn say_if_lost(session: &mut Session<'_>, noted: io::Result<()>) -> io::Result<()> {
    let Err(error) = noted else { return Ok(()) };
    let lost = session.lang.pick("your progress could not be saved", "無法儲存進度");
    session.note(&format!("{lost}: {error}"))
}

/// A time span for people: `4 min 07 s`, `1 h 12 min`.
pub(super) fn span(duration: SignedDuration, lang: Lang) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (h, min, s) = lang.pick(("h", "min", "s"), ("小時", "分", "秒"));
    match (hours, minutes) {
        (0, 0) => format!("{seconds} {s}"),
        (0, _) => format!("{minutes} {min} {seconds:02} {s}"),
        _ => format!("{hours} {h} {minutes:02} {min}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let of = |seconds| span(SignedDuration::from_secs(seconds), Lang::En);
        assert_eq!([of(-3), of(59), of(247), of(4320)], ["0 s", "59 s", "4 min 07 s", "1 h 12 min"]);
    }
}
