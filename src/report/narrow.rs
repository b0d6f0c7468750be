//! Output for terminals that are narrower than what is printed: lines are broken at blanks instead of anywhere.
use std::io::{self, Write};

use super::width::char_width;

/// Breaks lines that are too long. Lines are passed on whole.
pub struct Narrow<W: Write> {
    inner: W,
    columns: usize,
    line: Vec<u8>,
}

impl<W: Write> Narrow<W> {
    /// Writes lines of at most so many columns to another stream.
    pub fn new(inner: W, columns: usize) -> Self {
        Narrow { inner, columns, line: Vec::new() }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        let ending = if line.ends_with('\n') { "\n" } else { "" };
        write!(self.inner, "{}{ending}", fit(line.trim_end_matches('\n'), self.columns).join("\n"))
    }
}

impl<W: Write> Write for Narrow<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.pass_on()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.pass_on()?;
        }
        self.inner.flush()
    }
}

/// A character and its columns; those of an escape sequence have none.
fn measured(line: &str) -> Vec<(char, usize)> {
    let mut escape = false;
    let measure = |c: char| {
        if c == '\u{1b}' {
            escape = true;
        }
        let columns = if escape { 0 } else { char_width(c) };
        escape &= !c.is_ascii_alphabetic();
        (c, columns)
    };
    line.chars().map(measure).collect()
}

fn columns_of(line: &[(char, usize)]) -> usize {
    line.iter().map(|(_, columns)| columns).sum()
}

/// A line, with or without colours, as lines of at most so many columns. Gaps between columns of a table become smaller
/// first; what is broken goes on under the beginning of the text.
///
/// ```
/// use ckad_grade::report::narrow::fit;
/// assert_eq!(fit("✗ a claim          0/5", 16), ["✗ a claim    0/5"]);
/// assert_eq!(fit("  · not bound: no volume", 14), ["  · not bound:", "    no volume"]);
/// ```
pub fn fit(line: &str, columns: usize) -> Vec<String> {
    let mut rest = measured(line);
    let is_blank = |place: &&(char, usize)| place.0 == ' ';
    while columns_of(&rest) > columns {
        let Some(end) = gap(&rest) else { break };
        rest.remove(end);
    }
    let blanks = rest.iter().take_while(is_blank).count();
    let text: String = rest.iter().filter(|(_, columns)| *columns > 0).map(|(c, _)| *c).collect();
    let marker = text.trim_start().chars().nth(1) == Some(' ');
    let indent = (blanks + if marker { 2 } else { 0 }).min(columns / 2);
    if columns_of(&rest) > columns {
        rest.drain(..blanks.saturating_sub(indent));
    }
    let mut lines = Vec::new();
    while columns_of(&rest) > columns {
        let mut seen = 0;
        let fitting = rest.iter().take_while(|(_, wide)| {
            seen += wide;
            seen <= columns
        });
        let fitting = fitting.count();
        // behind a blank, between wide characters, or anywhere if there is neither
        let can_break = |at: &usize| {
            let wide = |at: usize| rest.get(at).is_some_and(|(_, columns)| *columns == 2);
            let after_blank = at.checked_sub(1).and_then(|before| rest.get(before)).is_some_and(|(c, _)| *c == ' ');
            after_blank || wide(*at) && wide(at - 1)
        };
        let end_of_blank = rest.get(fitting).is_some_and(|(c, _)| *c == ' ');
        let at = if end_of_blank { Some(fitting) } else { (indent + 1..=fitting).rev().find(can_break) };
        let at = at.unwrap_or(fitting).max(1);
        let tail = rest.split_off(at.min(rest.len()));
        lines.push(rest.iter().map(|(c, _)| c).collect::<String>().trim_end().to_owned());
        let tail = tail.into_iter().skip_while(|(c, _)| *c == ' ');
        rest = std::iter::repeat_n((' ', 1), indent).chain(tail).collect();
        if columns <= indent + 1 {
            break;
        }
    }
    lines.push(rest.iter().map(|(c, _)| c).collect());
    lines
}

/// The last blank of the longest run of more than three within a line.
fn gap(line: &[(char, usize)]) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    let mut run = 0;
    let mut begun = false;
    for (at, (c, columns)) in line.iter().enumerate() {
        match c {
            ' ' => run += 1,
            // colours between blanks do not end a gap, and what stands before the first word is no gap
            _ if *columns == 0 => {}
            _ => {
                if begun && run > 3 && best.is_none_or(|(_, longest)| run > longest) {
                    best = line
                        .get(..at)
                        .and_then(|before| before.iter().rposition(|(c, _)| *c == ' '))
                        .map(|at| (at, run));
                }
                run = 0;
                begun = true;
            }
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::width::width;

    #[test]
    fn colours_have_no_width_and_are_kept() {
        let line = "\u{1b}[32m✓\u{1b}[0m one two three";
        assert_eq!(fit(line, 20), [line]);
        assert_eq!(fit(line, 9), ["\u{1b}[32m✓\u{1b}[0m one two", "  three"]);
    }

    #[test]
    fn no_line_is_wider_than_asked_for_whatever_is_in_it() {
        let lines = [
            "磁碟磁碟磁碟磁碟磁碟",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "          x y z",
            "",
            "  a  b     c      d e f g h i j",
            "。",
        ];
        for columns in 6..30 {
            for line in lines {
                let fitted = fit(line, columns);
                assert!(fitted.iter().all(|line| width(line) <= columns), "{columns} {line:?} {fitted:?}");
                let of = |text: &str| text.replace(' ', "");
                assert_eq!(of(&fitted.concat()), of(line), "{columns}");
            }
        }
    }

    #[test]
    fn what_comes_in_pieces_is_one_line() {
        let mut out = Vec::new();
        let mut narrow = Narrow::new(&mut out, 5);
        narrow.write_all(b"one t").unwrap();
        narrow.write_all(b"wo\nx").unwrap();
        narrow.flush().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "one\ntwo\nx");
    }
}
