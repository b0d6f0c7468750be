//! Distributions as bars.
use std::io::{self, Write};

use maud::{Markup, html};

use super::index::{BUCKETS, Distribution};
use super::{Page, Words, put};

pub(super) fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let index = page.index;
    put(
        out,
        html! {
            section class="distribution" {
                h2 { (page.words(Words::Distribution)) }
                (histogram(&index.distribution, &page.words(Words::DistributionOf { students: index.students })))
            }
        },
    )
}

/// What a bucket holds.
fn range(bucket: usize) -> String {
    if bucket == 10 { "100".to_owned() } else { format!("{}–{}", bucket * 10, bucket * 10 + 9) }
}

/// One bar for every ten percent, those who failed below those who passed; the numbers are written above the bars.
pub(super) fn histogram(distribution: &Distribution, title: &str) -> Markup {
    const WIDTH: u64 = 46;
    const HEIGHT: u64 = 110;
    let counts: Vec<(u64, u64)> =
        distribution.failed.iter().copied().zip(distribution.passed.iter().copied()).collect();
    let most = counts.iter().map(|(failed, passed)| failed + passed).max().unwrap_or(0).max(1);
    let height = |count: u64| if count > 0 { (count * HEIGHT / most).max(2) } else { 0 };
    let total_width = WIDTH * BUCKETS as u64 + 10;
    let all = counts.iter().map(|(failed, passed)| failed + passed).enumerate();
    let described: Vec<String> = all.filter(|(_, n)| *n > 0).map(|(i, n)| format!("{} %: {n}", range(i))).collect();
    html! {
        svg class="chart" viewBox=(format!("0 0 {total_width} 154")) width=(total_width) height="154" role="img" {
            title { (title) }
            desc { (described.join("; ")) }
            @for (i, (failed, passed)) in counts.iter().enumerate() {
                @let x = 5 + i as u64 * WIDTH;
                @let (bad, good) = (height(*failed), height(*passed));
                @if bad > 0 { rect class="bar fail" x=(x + 4) y=(130 - bad) width=(WIDTH - 8) height=(bad) {} }
                @if good > 0 {
                    rect class="bar pass" x=(x + 4) y=(130 - bad - good) width=(WIDTH - 8) height=(good) {}
                    text class="value" x=(x + WIDTH / 2) y=(125 - bad - good) { (failed + passed) }
                } @else if bad > 0 {
                    text class="value" x=(x + WIDTH / 2) y=(125 - bad) { (failed) }
                }
                text class="axis" x=(x + WIDTH / 2) y="146" { (range(i)) }
            }
            path class="base" d=(format!("M5 130.5H{}", total_width - 5)) {}
        }
    }
}

/// A bar of which a part failed.
pub(super) fn share(failed: u64, all: u64, title: &str) -> Markup {
    const WIDTH: u64 = 200;
    let width = (failed * WIDTH).checked_div(all).unwrap_or(0);
    let width = if failed > 0 { width.max(2) } else { 0 };
    html! {
        svg class="share" viewBox="0 0 200 12" width="200" height="12" role="img" {
            title { (title) }
            rect class="bar rest" width=(WIDTH) height="12" rx="2" {}
            rect class="bar fail" width=(width) height="12" rx="2" {}
        }
    }
}
