//! Students and scenarios: one row, one column each.
use std::io::{self, Write};

use maud::{Markup, html};

use super::index::Total;
use super::{Page, Shown, Words, each_student, name, put};
use crate::batch::result::{Entry, Status};
use crate::grade::PASS_PERCENT;

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let scenarios = &page.results.summary.scenarios;
    out.write_all(b"<section id=\"glance\">")?;
    put(
        out,
        html! {
            h2 { (page.words(Words::Glance)) }
            p class="note" { (page.words(Words::GlanceLegend { percent: PASS_PERCENT })) }
            form id="tools" hidden data-sort=(page.words(Words::SortBy { column: "{}" })) {
                label { (page.words(Words::Filter)) " " input id="filter" type="search" autocomplete="off"; }
                label { input id="failing" type="checkbox"; " " (page.words(Words::OnlyNotPassed)) }
                output id="shown" {}
            }
        },
    )?;
    out.write_all(b"<div class=\"scroll\" tabindex=\"0\"><table id=\"matrix\">")?;
    put(
        out,
        html! {
            thead {
                tr {
                    th scope="col" class="who" { (page.words(Words::Student)) }
                    th scope="col" class="sum" { (page.words(Words::Total)) }
                    @for (number, info) in scenarios.iter().enumerate() {
                        th scope="col" class="task" title=(Shown(&info.title)) {
                            a href=(format!("#s{}", number + 1)) { (Shown(crate::scenario::short_id(&info.id))) }
                        }
                    }
                }
            }
        },
    )?;
    out.write_all(b"<tbody>\n")?;
    each_student(page.results, |number, student, entries| {
        let total = page.index.total(page.results, entries);
        put(out, row(page, number, student, entries, &total))
    })?;
    out.write_all(b"</tbody></table></div></section>\n")
}

fn row(page: &Page<'_>, number: usize, student: &str, entries: &[Entry], total: &Total) -> Markup {
    let mut cells: Vec<Option<&Entry>> = vec![None; page.results.summary.scenarios.len()];
    for entry in entries {
        // the last attempt counts
        if let Some(cell) = page.index.scenario(&entry.scenario).and_then(|scenario| cells.get_mut(scenario)) {
            *cell = Some(entry);
        }
    }
    let verdict = if total.is_pass() { "pass" } else { "fail" };
    html! {
        tr class=(verdict) {
            th scope="row" class="who" { a href=(format!("#p{}", number + 1)) { (name(student)) } }
            td class="sum" data-value=(total.percent()) {
                span class="sign" { (if total.is_pass() { "✓" } else { "✗" }) } " " (total.percent()) " %"
            }
            @for entry in &cells {
                @match entry {
                    None => { td class="none" data-value="-1" { "–" } }
                    Some(entry) => { (cell(page, entry)) }
                }
            }
        }
        "\n"
    }
}

fn cell(page: &Page<'_>, entry: &Entry) -> Markup {
    let (class, text) = match entry.status {
        Status::Graded | Status::Unreadable => (level(entry), entry.points.to_string()),
        Status::Missing => ("none", "–".to_owned()),
        Status::Limit | Status::Crashed | Status::ScenarioWrong | Status::Unmatched => ("odd", "!".to_owned()),
    };
    let value = if entry.is_graded() { i64::from(entry.percent()) } else { -1 };
    let fix = entry.fix.as_deref().unwrap_or_default();
    let fix =
        if fix.chars().count() > 160 { &format!("{}…", fix.chars().take(160).collect::<String>()) } else { fix };
    html! {
        td class=(class) data-value=(value) title=[(!fix.is_empty()).then_some(Shown(fix))] {
            @match page.index.anchor(entry) {
                Some(anchor) => { a href=(format!("#{anchor}")) { (text) } }
                None => { (text) }
            }
        }
    }
}

/// How good an answer is, as a shade; the number beside says the same.
pub(super) fn level(entry: &Entry) -> &'static str {
    match entry.percent() {
        _ if entry.possible == 0 => "none",
        100.. => "full",
        PASS_PERCENT.. => "good",
        33.. => "half",
        1.. => "poor",
        0 => "zero",
    }
}
