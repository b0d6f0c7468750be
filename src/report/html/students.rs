//! Every student: what came of each answer, with a link to what is told about it.
use std::io::{self, Write};

use maud::{Markup, html};

use super::index::Total;
use super::matrix::level;
use super::outcomes::{first_line, points};
use super::{Page, Shown, Words, each_student, name, put};
use crate::batch::result::Entry;

/// The most files of an answer that are named.
const MAX_FILES: usize = 4;
/// The most files that are nobody's that are named.
const MAX_NOBODY: usize = 200;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    put(out, html! { h2 id="students" { (page.words(Words::PerStudent)) } })?;
    each_student(page.results, |number, student, entries| {
        let total = page.index.total(page.results, entries);
        put(out, one(page, number, student, entries, &total))
    })?;
    alike(page, out)?;
    nobody(page, out)
}

fn one(page: &Page<'_>, number: usize, student: &str, entries: &[Entry], total: &Total) -> Markup {
    html! {
        details class="student" id=(format!("p{}", number + 1)) {
            summary {
                span class=(if total.is_pass() { "points good" } else { "points poor" }) {
                    (if total.is_pass() { "✓" } else { "✗" }) " " (total.percent()) " %"
                }
                " " span class="title" { (name(student)) }
                " " span class="worth" { (total.points) "/" (total.possible) }
            }
            table class="answers" {
                @for entry in entries {
                    tr {
                        th scope="row" { (Shown(&entry.scenario)) }
                        td { span class=(format!("points {}", level(entry))) { (points(entry)) } }
                        td { (answer(page, entry)) }
                    }
                }
            }
        }
        "\n"
    }
}

fn answer(page: &Page<'_>, entry: &Entry) -> Markup {
    let text = first_line(page, entry);
    let attempt = &entry.attempt;
    html! {
        @match page.index.anchor(entry) {
            Some(anchor) => { a href=(format!("#{anchor}")) { (Shown(&text)) } }
            None => { (Shown(&text)) }
        }
        @if !attempt.is_only() {
            " " span class="tag" {
                (page.words(Words::Attempt { number: attempt.number, of: attempt.of }))
                @if let Some(time) = &attempt.time { " · " (Shown(time)) }
            }
        }
        @if entry.late { " " span class="tag late" { (page.words(Words::Late)) } }
        @if !entry.files.is_empty() {
            div class="files" {
                @for (i, file) in entry.files.iter().take(MAX_FILES).enumerate() {
                    @if i > 0 { ", " }
                    bdi { (Shown(file)) }
                    @for problem in entry.problems.iter().filter(|problem| problem.file == Some(i)).take(1) {
                        @if let Some(line) = problem.line { ":" (line) }
                    }
                }
                @if entry.files.len() > MAX_FILES { ", …" }
            }
        }
    }
}

/// Answers that are alike beyond what the task forces.
fn alike(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let pairs = &page.results.summary.similar;
    if pairs.is_empty() {
        return Ok(());
    }
    put(out, html! { h2 { (page.words(Words::Alike)) } })?;
    out.write_all(b"<table class=\"answers\">")?;
    for pair in pairs {
        let [one, other] = &pair.students;
        let words = Words::AlikeBy { shared: pair.shared, percent: pair.percent };
        put(
            out,
            html! {
                tr {
                    th scope="row" { (Shown(&pair.scenario)) }
                    td { (name(one)) } td { (name(other)) } td { (page.words(words)) }
                }
                "\n"
            },
        )?;
    }
    out.write_all(b"</table>")
}

/// What was found that is nobody's answer.
fn nobody(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    if page.index.nobody == 0 {
        return Ok(());
    }
    let mut found = Vec::new();
    for entry in page.results.entries()? {
        let entry = entry?;
        if entry.student.is_empty() && found.len() < MAX_NOBODY {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    put(
        out,
        html! {
            h2 { (page.words(Words::Nobody)) }
            table class="answers" {
                @for entry in &found {
                    tr {
                        th scope="row" { bdi { (Shown(&entry.files.join(", "))) } }
                        td { (Shown(&first_line(page, entry))) }
                    }
                }
            }
        },
    )
}
