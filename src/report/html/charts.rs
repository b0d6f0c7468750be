//! Distributions as bars.
use std::io::{self, Write};

use maud::{Markup, html};

use super::index::BUCKETS;
use super::{Page, Words, put};
use crate::grade::PASS_PERCENT;

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

/// One bar for every ten percent; the numbers are written above the bars.
pub(super) fn histogram(counts: &[u64; BUCKETS], title: &str) -> Markup {
    const WIDTH: u64 = 46;
    const HEIGHT: u64 = 110;
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let heights = counts.iter().map(|count| count * HEIGHT / most);
    let total_width = WIDTH * BUCKETS as u64 + 10;
    let described: Vec<String> =
        counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| format!("{} %: {n}", range(i))).collect();
    html! {
        svg class="chart" viewBox=(format!("0 0 {total_width} 154")) width=(total_width) height="154" role="img" {
            title { (title) }
            desc { (described.join("; ")) }
            @for (i, (count, height)) in counts.iter().zip(heights).enumerate() {
                @let x = 5 + i as u64 * WIDTH;
                @let height = if *count > 0 { height.max(2) } else { 0 };
                // the bucket in which one passes counts as passed
                @let class = if (i as u32 + 1) * 10 > PASS_PERCENT { "bar pass" } else { "bar fail" };
                rect class=(class) x=(x + 4) y=(130 - height) width=(WIDTH - 8) height=(height) rx="2" {}
                @if *count > 0 {
                    text class="value" x=(x + WIDTH / 2) y=(125 - height) { (count) }
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
