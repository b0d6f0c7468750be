//! Output for screen readers and old terminals: words instead of signs, no lines drawn, no colours.
use std::io::{self, Write};

/// Puts words in place of signs. Lines are passed on whole.
pub struct Plain<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> Plain<W> {
    /// Writes plain text to another stream.
    pub fn new(inner: W) -> Self {
        Plain { inner, line: Vec::new() }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.inner.write_all(plain(&String::from_utf8_lossy(&line)).as_bytes())
    }
}

impl<W: Write> Write for Plain<W> {
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
        self.pass_on()?;
        self.inner.flush()
    }
}

/// A line without signs that a screen reader spells out or leaves out.
fn plain(line: &str) -> String {
    let line = anstream::adapter::strip_str(line).to_string();
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '✓' => text.push_str("passed:"),
            '✗' => text.push_str("failed:"),
            '↻' => text.push_str("again:"),
            '…' => text.push_str("..."),
            '→' => text.push_str("to"),
            '×' => text.push('x'),
            '▸' => text.push_str("at "),
            '·' | '•' => text.push('-'),
            '│' | '┃' | '╎' | '║' => text.push('|'),
            '━' | '▔' => text.push('^'),
            // what is left of boxes and trees
            '\u{2500}'..='\u{259f}' | '●' | '○' | '◌' => text.push(' '),
            c => text.push(c),
        }
    }
    // what stands in a column of its own is read right after the rest
    if line.starts_with(['✓', '✗', '↻']) {
        let cells: Vec<&str> = text.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        text = format!("{}{}", cells.join(", "), if line.ends_with('\n') { "\n" } else { "" });
    }
    let ending = if text.ends_with('\n') { "\n" } else { "" };
    format!("{}{ending}", text.trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_words() {
        assert_eq!(plain("✓ claim   5/5 points\n"), "passed: claim, 5/5 points\n");
        assert_eq!(plain("  ╭▸ a.yaml:6:35\n"), "   at  a.yaml:6:35\n");
        assert_eq!(plain("  ╰╴   ━━━ did you mean\n"), "       ^^^ did you mean\n");
        assert_eq!(plain("綁定\n"), "綁定\n");
    }

    #[test]
    fn a_sign_that_comes_in_pieces_is_still_one() {
        let mut out = Vec::new();
        let mut plain = Plain::new(&mut out);
        let bytes = "✓ ok".as_bytes();
        plain.write_all(&bytes[..1]).unwrap();
        plain.write_all(&bytes[1..]).unwrap();
        plain.flush().unwrap();
        drop(plain);
        assert_eq!(out, b"passed: ok");
    }
}
