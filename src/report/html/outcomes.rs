//! Every scenario: how its checks were answered, and each outcome with its reasons, difference and picture.
use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use super::charts::{histogram, share};
use super::index::{OutcomeGroup, anchor};
use super::matrix::level;
use super::shown::Prose;
use super::{Detail, Details, Page, Shown, Words, name, put};
use crate::batch::result::{CheckEntry, Entry, ScenarioInfo, Status};
use crate::grade::diff::{Diff, Side};
use crate::picture::svg;
use crate::report::text::Message;
use crate::report::{CheckResult, Report};

/// The most outcomes of a scenario that are shown with difference and picture.
const MAX_DETAILS: usize = 60;
/// The most bytes of pictures and differences in a page; what is beyond is told in words only.
const MAX_BYTES: usize = 12 << 20;
/// The most lines of a difference.
const MAX_LINES: usize = 120;

pub(super) fn write(page: &Page<'_>, detail_of: Details<'_>, out: &mut dyn Write) -> io::Result<()> {
    put(out, html! { h2 id="scenarios" { (page.words(Words::PerScenario)) } })?;
    let mut bytes = 0;
    for (number, info) in page.results.summary.scenarios.iter().enumerate() {
        out.write_all(b"<details class=\"scenario\" open>")?;
        put(out, scenario(page, number, info))?;
        let (groups, more) = page.index.told(number);
        for (i, group) in groups.iter().enumerate() {
            let Some(entry) = &group.entry else { continue };
            let wanted = i < MAX_DETAILS && entry.is_graded();
            let detail = if wanted && bytes < MAX_BYTES { detail_of(entry) } else { None };
            let left_out = wanted && bytes >= MAX_BYTES;
            let id = anchor(number, i);
            let markup = outcome(page, &id, info, group, entry, detail.as_ref(), left_out).into_string();
            if detail.is_some() {
                bytes += markup.len();
            }
            out.write_all(markup.as_bytes())?;
        }
        if more > 0 {
            put(out, html! { p class="note" { (page.words(Words::MoreOutcomes { number: more })) } })?;
        }
        out.write_all(b"</details>\n")?;
    }
    Ok(())
}

fn scenario(page: &Page<'_>, number: usize, info: &ScenarioInfo) -> Markup {
    let counts = page.index.distributions.get(number).copied().unwrap_or_default();
    let graded = Words::GradedAnswers { graded: info.graded, passed: info.passed, full: info.full };
    html! {
        summary id=(format!("s{}", number + 1)) {
            span class="id" { (Shown(&info.id)) } " " span class="title" { (Prose(&info.title)) }
        }
        p class="note" {
            (page.words(graded))
            @if info.missing > 0 { " · " (page.words(Words::NotHandedIn { number: info.missing })) }
            @if info.ungraded > 0 { " · " (page.words(Words::Ungraded { number: info.ungraded })) }
        }
        div class="figures" {
            (histogram(&counts, &page.words(Words::DistributionOf { students: info.graded })))
            @if !info.checks.is_empty() {
                table class="checks" {
                    @for check in &info.checks {
                        @let words = page.words(Words::FailedBy { failed: check.failed, graded: info.graded });
                        tr {
                            th scope="row" { (Prose(&check.title)) }
                            td { (share(check.failed, info.graded, &words)) }
                            td class="number" { (words) }
                        }
                    }
                }
            }
        }
        h3 { (page.words(Words::Outcomes)) }
    }
}

fn outcome(
    page: &Page<'_>,
    id: &str,
    info: &ScenarioInfo,
    group: &OutcomeGroup,
    entry: &Entry,
    detail: Option<&Detail>,
    left_out: bool,
) -> Markup {
    let more = group.count.saturating_sub(group.students.len());
    html! {
        details class="outcome" id=(id) {
            summary {
                span class=(format!("points {}", level(entry))) { (points(entry)) }
                " " span class="count" { (page.words(Words::AnswersAlike { number: group.count })) }
                " " span class="fix" { (Shown(&first_line(page, entry))) }
            }
            p class="students" {
                @for (i, (number, student)) in group.students.iter().enumerate() {
                    @if i > 0 { ", " }
                    a href=(format!("#p{}", number + 1)) { (name(student)) }
                }
                @if more > 0 { " " (page.words(Words::MoreStudents { number: more })) }
            }
            (problems(page, entry))
            @if !entry.checks.is_empty() {
                ul class="results" {
                    @for (i, check) in entry.checks.iter().enumerate() {
                        @let again = entry.checks.iter().take(i).any(|other| other.reasons == check.reasons);
                        (result(page, info, check, again, detail.map(|detail| &detail.report)))
                    }
                }
            }
            @for note in &entry.notes { p class="note" { (Shown(note)) } }
            @match detail {
                Some(detail) => {
                    div class="picture" { (PreEscaped(svg::inline(&detail.picture, &format!("{id}-")))) }
                }
                None if left_out => { p class="note" { (page.words(Words::PictureLeftOut)) } }
                None => {}
            }
        }
        "\n"
    }
}

pub(super) fn points(entry: &Entry) -> String {
    if entry.is_graded() { format!("{}/{}", entry.points, entry.possible) } else { "!".to_owned() }
}

/// What an outcome is called: the first thing to mend, or that there is none.
pub(super) fn first_line(page: &Page<'_>, entry: &Entry) -> String {
    let fix = entry.fix.clone().unwrap_or_default();
    let status = status_words(entry.status).map(|words| page.words(words));
    match (status, fix.is_empty()) {
        (Some(status), true) => status,
        (Some(status), false) => format!("{status}: {fix}"),
        (None, true) => page.say(&Message::FullMarks { points: entry.points }),
        (None, false) => fix,
    }
}

/// What is to be said of a status that is not the usual one.
pub(super) fn status_words(status: Status) -> Option<Words<'static>> {
    match status {
        Status::Graded => None,
        Status::Unreadable => Some(Words::Unreadable),
        Status::Limit => Some(Words::Limit),
        Status::Crashed => Some(Words::Crashed),
        Status::ScenarioWrong => Some(Words::ScenarioWrong),
        Status::Missing => Some(Words::Missing),
        Status::Unmatched => Some(Words::Unmatched),
    }
}

fn problems(page: &Page<'_>, entry: &Entry) -> Markup {
    html! {
        @if !entry.problems.is_empty() {
            p class="label" { (page.words(Words::KubectlSaid)) }
            @for problem in &entry.problems {
                pre class=(if problem.warning { "said warning" } else { "said" }) {
                    (Shown(&problem.message))
                    @if let Some(line) = problem.line { "\n" (page.words(Words::Line { line })) }
                }
            }
        }
    }
}

/// `again`: the reasons are told at a check before.
fn result(page: &Page<'_>, info: &ScenarioInfo, check: &CheckEntry, again: bool, report: Option<&Report>) -> Markup {
    let known = info.checks.iter().find(|known| known.id == check.id);
    let title = known.map_or(check.id.as_str(), |known| &known.title);
    let (sign, class) = match check.result {
        CheckResult::Passed => ("✓", "passed"),
        CheckResult::Failed => ("✗", "failed"),
        CheckResult::NotSimulated => ("?", "unknown"),
    };
    let failed = check.result == CheckResult::Failed;
    let full = report.and_then(|report| report.checks.iter().find(|other| other.id == check.id));
    html! {
        li class=(class) {
            span class="sign" { (sign) } " " span class="title" { (Prose(title)) }
            " " span class="worth" { (check.points) "/" (check.possible) }
            @if let Some(message) = &check.message { p class="message" { (Shown(message)) } }
            @if again && !check.reasons.is_empty() {
                p class="label" { (page.say(&Message::AsAbove)) }
            } @else if !check.reasons.is_empty() {
                p class="label" { (page.say(&Message::Why)) }
                ul class="reasons" { @for reason in &check.reasons { li { (Shown(reason)) } } }
            }
            @if failed {
                @if let Some(advice) = known.and_then(|known| known.advice.as_deref()) {
                    p class="advice" { b { (page.say(&Message::Advice)) } " " (Prose(advice)) }
                }
                @if let Some(expression) = full.and_then(|full| full.expression.as_deref()) {
                    pre class="said" { (Shown(expression)) }
                }
                @if let Some(diff) = full.map(|full| &full.diff).filter(|diff| !diff.is_empty()) {
                    (difference(page, diff))
                }
            }
        }
    }
}

fn difference(page: &Page<'_>, diff: &Diff) -> Markup {
    let more = diff.lines.len().saturating_sub(MAX_LINES);
    html! {
        p class="label" { (page.words(Words::Difference)) " · " (page.say(&Message::ExpectedAndSimulated)) }
        pre class="diff" {
            @for line in diff.lines.iter().take(MAX_LINES) {
                @let (sign, class) = match line.side {
                    Side::Expected => ("-", "expected"),
                    Side::Actual => ("+", "actual"),
                    Side::Both => (" ", "both"),
                };
                span class=(class) {
                    (sign) " "
                    @for part in &line.parts {
                        @if part.differs { mark { (Shown(&part.text)) } } @else { (Shown(&part.text)) }
                    }
                    "\n"
                }
            }
            @if more > 0 { (page.say(&Message::MoreDifferences(more))) }
        }
    }
}
