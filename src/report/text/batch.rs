//! What a batch says: to the person who runs it, and in the lines of its result.
mod en;
mod zh_tw;

use crate::lang::Lang;

/// Something to say.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum BatchMessage<'a> {
    // why something is no answer, or has no grade
    CannotRead { error: &'a str },
    TooDeep { depth: usize },
    SymbolicLink,
    NotAFile,
    NotAManifest,
    TooLarge { bytes: u64 },
    TooMuch { bytes: u64 },
    DamagedArchive { error: &'a str },
    LeadsOut,
    NotAskedFor { scenario: &'a str },
    NoSuchScenario { scenario: &'a str },
    NoScenario,
    NotOfLayout,
    NoStudent,
    NothingHandedIn,
    Crashed { message: &'a str },
    DidNotSettle,
    ScenarioWrong { error: &'a str },
    NotOnRoster,
    FileLost { file: &'a str, error: &'a str },
    MoreLeftOut(usize),

    // the table
    Students(u64),
    Answers(u64),
    Student,
    Total,
    FullMarks,
    PassedShare,
    Average,
    Missing,
    FailedBy { failed: u64, graded: u64 },
    Unmatched(u64),
    Crashes(u64),
    Limits(u64),
    WrongScenarios(u64),
    NoRosterForGradebook,
    LayoutWrong { error: &'a str },
    NoSuchOutput { file: &'a str },
    Rate { rate: &'a str, left: &'a str },
    Unreadables(u64),
    AndMore(u64),
    SimilarHeading,
    SimilarPair { shared: u32, percent: u32 },
    WroteReport { file: &'a str },
    Grading,
    NothingFound { folder: &'a str },
    Resumed { number: u64 },
}

/// A message in a language.
pub fn say(lang: Lang, message: &BatchMessage<'_>) -> String {
    match lang {
        Lang::En => en::say(message),
        Lang::ZhTw => zh_tw::say(message),
    }
}
