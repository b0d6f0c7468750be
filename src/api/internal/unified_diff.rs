//! Unified diffs exactly as `github.com/pmezard/go-difflib` makes them (a port of Python's `difflib`).
//!
//! Which lines count as equal depends on the algorithm where lines repeat, so `similar` will not do here.
use std::collections::HashMap;
use std::ops::Range;

/// How many lines are shown around a change.
const CONTEXT: usize = 3;

/// The unified diff of two texts, without a header; empty if they are equal.
pub(super) fn unified_diff(old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let mut out = String::new();
    for group in grouped(&a, &b) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let before = range_text(first.a.start..last.a.end);
        let after = range_text(first.b.start..last.b.end);
        out.push_str(&format!("@@ -{before} +{after} @@\n"));
        for op in &group {
            let mut lines = |mark: char, lines: &[&str]| {
                for line in lines {
                    out.push(mark);
                    out.push_str(line);
                    out.push('\n');
                }
            };
            if op.equal {
                lines(' ', &a[op.a.clone()]);
            } else {
                lines('-', &a[op.a.clone()]);
                lines('+', &b[op.b.clone()]);
            }
        }
    }
    out
}

fn range_text(range: Range<usize>) -> String {
    match range.len() {
        1 => format!("{}", range.start + 1),
        0 => format!("{},0", range.start),
        length => format!("{},{length}", range.start + 1),
    }
}

/// Lines `a` of the old text became lines `b` of the new one.
#[derive(Clone, Debug)]
struct Op {
    equal: bool,
    a: Range<usize>,
    b: Range<usize>,
}

/// The changes with their context, grouped where contexts do not meet (`GetGroupedOpCodes`).
fn grouped(a: &[&str], b: &[&str]) -> Vec<Vec<Op>> {
    let mut ops = operations(a, b);
    if ops.is_empty() {
        return Vec::new();
    }
    if let Some(first) = ops.first_mut().filter(|op| op.equal) {
        first.a.start = first.a.start.max(first.a.end.saturating_sub(CONTEXT));
        first.b.start = first.b.start.max(first.b.end.saturating_sub(CONTEXT));
    }
    if let Some(last) = ops.last_mut().filter(|op| op.equal) {
        last.a.end = last.a.end.min(last.a.start + CONTEXT);
        last.b.end = last.b.end.min(last.b.start + CONTEXT);
    }
    let mut groups = Vec::new();
    let mut group = Vec::new();
    for mut op in ops {
        if op.equal && op.a.len() > 2 * CONTEXT {
            let (a, b) = (op.a.clone(), op.b.clone());
            let end = |r: &Range<usize>| r.start..r.end.min(r.start + CONTEXT);
            group.push(Op { equal: true, a: end(&a), b: end(&b) });
            groups.push(std::mem::take(&mut group));
            op.a.start = a.start.max(a.end.saturating_sub(CONTEXT));
            op.b.start = b.start.max(b.end.saturating_sub(CONTEXT));
        }
        group.push(op);
    }
    if !(group.is_empty() || (group.len() == 1 && group.iter().all(|op| op.equal))) {
        groups.push(group);
    }
    groups
}

/// What was kept and what was changed, in order (`GetOpCodes`).
fn operations(a: &[&str], b: &[&str]) -> Vec<Op> {
    let mut ops = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (start_a, start_b, length) in matching_blocks(a, b) {
        if i < start_a || j < start_b {
            ops.push(Op { equal: false, a: i..start_a, b: j..start_b });
        }
        if length > 0 {
            ops.push(Op { equal: true, a: start_a..start_a + length, b: start_b..start_b + length });
        }
        (i, j) = (start_a + length, start_b + length);
    }
    ops
}

/// Runs of equal lines, ended by an empty one at the end of both texts (`GetMatchingBlocks`).
fn matching_blocks(a: &[&str], b: &[&str]) -> Vec<(usize, usize, usize)> {
    let positions = positions_of(b);
    let mut blocks = Vec::new();
    let mut open = vec![(0..a.len(), 0..b.len())];
    while let Some((in_a, in_b)) = open.pop() {
        let (i, j, length) = longest_match(a, b, &positions, &in_a, &in_b);
        if length == 0 {
            continue;
        }
        blocks.push((i, j, length));
        open.push((in_a.start..i, in_b.start..j));
        open.push((i + length..in_a.end, j + length..in_b.end));
    }
    blocks.sort_unstable();
    let mut merged: Vec<(usize, usize, usize)> = Vec::new();
    for (i, j, length) in blocks {
        match merged.last_mut() {
            Some((a, b, l)) if *a + *l == i && *b + *l == j => *l += length,
            _ => merged.push((i, j, length)),
        }
    }
    merged.push((a.len(), b.len(), 0));
    merged
}

/// Where each line occurs in the new text; in long texts lines that are very frequent are left out.
fn positions_of<'a>(b: &[&'a str]) -> HashMap<&'a str, Vec<usize>> {
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
    for (j, line) in b.iter().enumerate() {
        positions.entry(line).or_default().push(j);
    }
    if b.len() >= 200 {
        let limit = b.len() / 100 + 1;
        positions.retain(|_, at| at.len() <= limit);
    }
    positions
}

fn longest_match(
    a: &[&str],
    b: &[&str],
    positions: &HashMap<&str, Vec<usize>>,
    in_a: &Range<usize>,
    in_b: &Range<usize>,
) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best) = (in_a.start, in_b.start, 0);
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for i in in_a.clone() {
        let mut next: HashMap<usize, usize> = HashMap::new();
        let at = positions.get(a[i]).map(Vec::as_slice).unwrap_or_default();
        for &j in at.iter().filter(|j| in_b.contains(j)) {
            let length = j.checked_sub(1).and_then(|p| lengths.get(&p)).copied().unwrap_or(0) + 1;
            next.insert(j, length);
            if length > best {
                (best_i, best_j, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    // frequent lines were not counted above but may extend the match
    while best_i > in_a.start && best_j > in_b.start && a[best_i - 1] == b[best_j - 1] {
        (best_i, best_j, best) = (best_i - 1, best_j - 1, best + 1);
    }
    while best_i + best < in_a.end && best_j + best < in_b.end && a[best_i + best] == b[best_j + best] {
        best += 1;
    }
    (best_i, best_j, best)
}

#[cfg(test)]
mod tests {
    use super::unified_diff;

    #[test]
    fn changes_far_apart_are_shown_apart() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni";
        let new = "A\nb\nc\nd\ne\nf\ng\nh\nI";
        assert_eq!(
            unified_diff(old, new),
            "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n@@ -6,4 +6,4 @@\n f\n g\n h\n-i\n+I\n"
        );
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(unified_diff("a\nb", "a\nb"), "");
    }
}
