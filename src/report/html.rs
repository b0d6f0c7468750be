//! A batch as one HTML page that needs nothing else: who passed at one glance, and what came of every answer further down.
//!
//! The page is written as the entries are read, several times over, so that its size does not show in our memory. Answers with
//! the same outcome share one description, one difference and one picture. Names and answers are hostile: whatever is
//! written goes through [`Shown`], and a Content-Security-Policy lets nothing run but our own script.
mod charts;
mod index;
mod matrix;
mod outcomes;
mod page;
mod shown;
mod students;

use std::io::{self, Write};

use maud::{Markup, html};

use super::Report;
use super::text::{Message, say};
use crate::batch::result::{Entry, Results};
use crate::lang::Lang;
use crate::picture::Picture;
use index::Index;
use shown::Shown;

/// What an entry does not hold: the answer graded once more.
pub struct Detail {
    /// The report, with differences.
    pub report: Report,
    /// The picture of the outcome.
    pub picture: Picture,
}

/// Something the page says.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Words<'a> {
    Title,
    Scenarios,
    Answers,
    StudentsPassed { passed: u64, students: u64 },
    MeanPercent,
    Glance,
    GlanceLegend { percent: u32 },
    Distribution,
    DistributionOf { students: u64 },
    Student,
    Total,
    PerScenario,
    PerStudent,
    GradedAnswers { graded: u64, passed: u64, full: u64 },
    Ungraded { number: u64 },
    NotHandedIn { number: u64 },
    FailedBy { failed: u64, graded: u64 },
    Outcomes,
    AnswersAlike { number: usize },
    MoreOutcomes { number: usize },
    MoreStudents { number: usize },
    KubectlSaid,
    Line { line: usize },
    PictureLeftOut,
    Difference,
    Late,
    Attempt { number: u32, of: u32 },
    Unreadable,
    Limit,
    Crashed,
    ScenarioWrong,
    Missing,
    Unmatched,
    Nobody,
    Alike,
    AlikeBy { shared: u32, percent: u32 },
    Filter,
    OnlyNotPassed,
    SortBy { column: &'a str },
}

/// What every part of the page needs.
struct Page<'a> {
    lang: Lang,
    results: &'a Results,
    index: &'a Index,
}

impl Page<'_> {
    fn words(&self, words: Words<'_>) -> String {
        words_of(self.lang, words)
    }
    fn say(&self, message: &Message<'_>) -> String {
        say(self.lang, message)
    }
}

fn words_of(lang: Lang, words: Words<'_>) -> String {
    say(lang, &Message::Html(words))
}

/// Grades an answer once more; `None` where that is not possible.
pub type Details<'a> = &'a mut dyn FnMut(&Entry) -> Option<Detail>;

/// Writes the page. `detail` is asked about the first answer with each outcome, to show its difference and picture; nothing
/// is shown where it has none.
///
/// # Errors
/// When the entries cannot be read or the page cannot be written.
pub fn write(results: &Results, detail: Details<'_>, out: &mut dyn Write) -> io::Result<()> {
    let index = Index::of(results)?;
    let page = Page { lang: results.summary.lang, results, index: &index };
    page::head(&page, out)?;
    charts::write(&page, out)?;
    matrix::write(&page, out)?;
    outcomes::write(&page, detail, out)?;
    students::write(&page, out)?;
    put(out, page::foot())
}

fn put(out: &mut dyn Write, markup: Markup) -> io::Result<()> {
    out.write_all(markup.into_string().as_bytes())
}

/// Who it is; names can be written in either direction.
fn name(student: &str) -> Markup {
    html! { bdi { (Shown(student)) } }
}

/// Calls for each student in turn, with all entries of theirs; those of nobody are left out.
fn each_student(results: &Results, mut call: impl FnMut(usize, &str, &[Entry]) -> io::Result<()>) -> io::Result<()> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut number = 0;
    for entry in results.entries()? {
        let entry = entry?;
        if let Some(first) = entries.first()
            && first.student != entry.student
        {
            call(number, &first.student, &entries)?;
            number += 1;
            entries.clear();
        }
        if !entry.student.is_empty() {
            entries.push(entry);
        }
    }
    match entries.first() {
        Some(first) => call(number, &first.student, &entries),
        None => Ok(()),
    }
}
