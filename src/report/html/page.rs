//! The frame of the page: its head, what it begins and ends with.
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{Page, Words, put};
use crate::picture::svg;

/// The page's own style sheet; the pictures' follows.
const STYLE: &str = include_str!("style.css");
/// Sorting and filtering; the page can be read without.
const SCRIPT: &str = include_str!("script.js");

/// What the browser may load and run: nothing but this style sheet and this script, told by their digests.
fn policy(style: &str, script: &str) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'",
        digest(style),
        digest(script)
    )
}

pub(super) fn head(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = page.words(Words::Title);
    let summary = &page.results.summary;
    let index = page.index;
    let mean = index.percents.checked_div(index.students).unwrap_or(0);
    let tiles = [
        (summary.scenarios.len().to_string(), page.words(Words::Scenarios)),
        (summary.entries.to_string(), page.words(Words::Answers)),
        (format!("{mean} %"), page.words(Words::MeanPercent)),
    ];
    let styles = format!("{STYLE}{}", svg::STYLE);
    let start = html! {
        (DOCTYPE)
        html lang=(page.lang.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&styles, SCRIPT));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(styles)) }
            }
        }
    };
    // the tags that stay open are closed by the foot
    let start = start.into_string().replace("</html>", "<body><main id=\"top\">\n");
    out.write_all(start.as_bytes())?;
    put(
        out,
        html! {
            header {
                h1 { (title) }
                p class="verdict" {
                    (page.words(Words::StudentsPassed { passed: index.passed, students: index.students }))
                }
                dl class="tiles" {
                    @for (value, label) in &tiles {
                        div { dd { (value) } dt { (label) } }
                    }
                }
                nav {
                    a href="#glance" { (page.words(Words::Glance)) }
                    a href="#scenarios" { (page.words(Words::PerScenario)) }
                    a href="#students" { (page.words(Words::PerStudent)) }
                }
            }
        },
    )
}

pub(super) fn foot() -> Markup {
    let end = html! {
        footer { "ckad-grade " (env!("CARGO_PKG_VERSION")) }
    };
    PreEscaped(format!("{}</main>\n<script>{SCRIPT}</script>\n</body></html>\n", end.into_string()))
}
