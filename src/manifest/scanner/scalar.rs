//! Plain, quoted and block scalars.
use std::borrow::Cow;

use super::{Kind, Mark, Scan, Scanner, Token};

/// Line breaks met inside a scalar: the first one is folded, the others stay.
#[derive(Default)]
struct Breaks {
    leading: &'static str,
    trailing: String,
}

impl Breaks {
    /// Appends what the breaks mean in a flow scalar and forgets them.
    fn fold_into(&mut self, out: &mut String) {
        if self.leading == "\n" {
            if self.trailing.is_empty() {
                out.push(' ');
            }
        } else {
            out.push_str(self.leading);
        }
        out.push_str(&self.trailing);
        self.leading = "";
        self.trailing.clear();
    }
}

impl<'a> Scanner<'a> {
    /// A scalar without quotes; it ends at `: `, ` #`, a less indented line, or in flow style at one of `,?[]{}`.
    pub(super) fn scan_plain_scalar(&mut self) -> Scan<()> {
        let start = self.mark;
        let mut end = start;
        let indent = self.indent + 1;
        let mut folded: Option<String> = None;
        let mut piece = start.pos;
        let mut breaks = Breaks::default();
        let mut leading_blanks = false;
        loop {
            if self.document_indicator() || self.at(0) == b'#' {
                break;
            }
            let from = self.mark;
            self.plain_run();
            if self.mark.pos > from.pos {
                if leading_blanks {
                    let out = folded.get_or_insert_default();
                    out.push_str(self.slice(piece, end.pos));
                    breaks.fold_into(out);
                    piece = from.pos;
                    leading_blanks = false;
                }
                end = self.mark;
            }
            if !(self.blank_at(0) || self.break_at(0)) {
                break;
            }
            loop {
                if self.blank_at(0) {
                    if leading_blanks && (self.mark.column as i32) < indent && self.at(0) == b'\t' {
                        let problem = "found a tab character that violates indentation";
                        return self.error("while scanning a plain scalar", start, problem);
                    }
                    self.skip();
                } else if self.break_at(0) {
                    if leading_blanks {
                        breaks.trailing.push_str(self.read_line());
                    } else {
                        breaks.leading = self.read_line();
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && (self.mark.column as i32) < indent {
                break;
            }
        }
        if leading_blanks {
            self.simple_key_allowed = true;
        }
        let last = self.slice(piece, end.pos);
        let value = match folded {
            Some(mut out) => {
                out.push_str(last);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(last),
        };
        self.push(Token { kind: Kind::PlainScalar, start, end, value, suffix: None });
        Ok(())
    }

    /// Passes the characters of a plain scalar up to a blank, a line break or an indicator that ends it.
    fn plain_run(&mut self) {
        let flow = self.flow_level > 0;
        loop {
            self.run(|byte| match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b':' | 0xC2 | 0xE2 => true,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => flow,
                _ => false,
            });
            match self.at(0) {
                b':' if !self.blankz_at(1) => self.skip(),
                0xC2 | 0xE2 if !self.break_at(0) => self.skip(),
                _ => return,
            }
        }
    }

    /// Passes the characters up to the first byte at which to stop.
    #[inline]
    fn run(&mut self, stop: impl Fn(u8) -> bool) {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.mark.pos as usize..).unwrap_or_default();
        let mut column = self.mark.column;
        let mut passed = 0;
        for &byte in rest {
            if stop(byte) {
                break;
            }
            column += u32::from(byte & 0xC0 != 0x80);
            passed += 1;
        }
        self.mark.pos += passed;
        self.mark.column = column;
    }

    /// A scalar in single or double quotes.
    pub(super) fn scan_flow_scalar(&mut self, quote: u8) -> Scan<()> {
        let start = self.mark;
        self.skip();
        let double = quote == b'"';
        let mut owned: Option<String> = None;
        let mut piece = self.mark.pos;
        let mut breaks = Breaks::default();
        loop {
            if self.document_indicator() {
                return self.error("while scanning a quoted scalar", start, "found unexpected document indicator");
            }
            if self.at(0) == 0 {
                return self.error("while scanning a quoted scalar", start, "found unexpected end of stream");
            }
            let mut leading_blanks = false;
            while !self.blankz_at(0) {
                let byte = self.at(0);
                if byte == quote {
                    if double || self.at(1) != b'\'' {
                        break;
                    }
                    self.skip();
                    owned.get_or_insert_default().push_str(self.slice(piece, self.mark.pos));
                    self.skip();
                    piece = self.mark.pos;
                } else if double && byte == b'\\' {
                    let out = owned.get_or_insert_default();
                    out.push_str(self.slice(piece, self.mark.pos));
                    if self.break_at(1) {
                        self.skip();
                        self.read_line();
                        leading_blanks = true;
                    } else {
                        self.scan_escape(start, out)?;
                    }
                    piece = self.mark.pos;
                    if leading_blanks {
                        break;
                    }
                } else {
                    // Whatever it is, it is part of the scalar; so is what follows it up to anything special.
                    self.skip();
                    self.run(|byte| {
                        matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\\' | 0xC2 | 0xE2) || byte == quote
                    });
                }
            }
            if self.at(0) == quote {
                break;
            }
            let blanks = self.mark.pos;
            loop {
                if self.blank_at(0) {
                    self.skip();
                } else if self.break_at(0) {
                    if leading_blanks {
                        breaks.trailing.push_str(self.read_line());
                    } else {
                        breaks.leading = self.read_line();
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if leading_blanks {
                let out = owned.get_or_insert_default();
                out.push_str(self.slice(piece, blanks));
                breaks.fold_into(out);
                piece = self.mark.pos;
            }
        }
        let last = self.slice(piece, self.mark.pos);
        let value = match owned {
            Some(mut out) => {
                out.push_str(last);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(last),
        };
        self.skip();
        self.push(Token { kind: Kind::QuotedScalar, start, end: self.mark, value, suffix: None });
        Ok(())
    }

    fn scan_escape(&mut self, start: Mark, out: &mut String) -> Scan<()> {
        let mut digits = 0;
        match self.at(1) {
            b'0' => out.push('\0'),
            b'a' => out.push('\x07'),
            b'b' => out.push('\x08'),
            b't' | b'\t' => out.push('\t'),
            b'n' => out.push('\n'),
            b'v' => out.push('\x0B'),
            b'f' => out.push('\x0C'),
            b'r' => out.push('\r'),
            b'e' => out.push('\x1B'),
            b' ' => out.push(' '),
            b'"' => out.push('"'),
            b'\'' => out.push('\''),
            b'\\' => out.push('\\'),
            b'N' => out.push('\u{85}'),
            b'_' => out.push('\u{A0}'),
            b'L' => out.push('\u{2028}'),
            b'P' => out.push('\u{2029}'),
            b'x' => digits = 2,
            b'u' => digits = 4,
            b'U' => digits = 8,
            _ => {
                return self.error("while parsing a quoted scalar", start, "found unknown escape character");
            }
        }
        self.skip();
        self.skip();
        if digits > 0 {
            let mut code = 0;
            for place in 0..digits {
                let Some(digit) = char::from(self.at(place)).to_digit(16) else {
                    // The misspelling is libyaml's.
                    let problem = "did not find expected hexdecimal number";
                    return self.error("while parsing a quoted scalar", start, problem);
                };
                code = code << 4 | digit;
            }
            let Some(character) = char::from_u32(code) else {
                let problem = "found invalid Unicode character escape code";
                return self.error("while parsing a quoted scalar", start, problem);
            };
            out.push(character);
            (0..digits).for_each(|_| self.skip());
        }
        Ok(())
    }

    /// A literal (`|`) or folded (`>`) block scalar.
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Scan<()> {
        let start = self.mark;
        self.skip();
        let (chomping, increment) = self.scan_block_header(start)?;
        while self.blank_at(0) {
            self.skip();
        }
        if self.at(0) == b'#' {
            self.rest_of_line();
        }
        if !self.breakz_at(0) {
            let problem = "did not find expected comment or line break";
            return self.error("while scanning a block scalar", start, problem);
        }
        self.read_line();

        let mut indent = if increment > 0 { self.indent.max(0) + increment } else { 0 };
        let mut out = String::new();
        let mut leading = "";
        let mut trailing = String::new();
        let mut end = self.scan_block_breaks(&mut indent, &mut trailing, start)?;
        let mut leading_blank = false;
        while self.mark.column as i32 == indent && self.at(0) != 0 {
            let trailing_blank = self.blank_at(0);
            if !literal && !leading_blank && !trailing_blank && leading == "\n" {
                if trailing.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(leading);
            }
            out.push_str(&trailing);
            trailing.clear();
            leading_blank = trailing_blank;
            out.push_str(self.rest_of_line());
            leading = self.read_line();
            end = self.scan_block_breaks(&mut indent, &mut trailing, start)?;
        }
        if chomping >= 0 {
            out.push_str(leading);
        }
        if chomping > 0 {
            out.push_str(&trailing);
        }
        self.push(Token { kind: Kind::QuotedScalar, start, end, value: Cow::Owned(out), suffix: None });
        Ok(())
    }

    /// The `+`, `-` and indentation digit behind `|` or `>`, in either order.
    fn scan_block_header(&mut self, start: Mark) -> Scan<(i32, i32)> {
        let (mut chomping, mut increment) = (0, 0);
        let mut digit_seen = false;
        for _ in 0..2 {
            match self.at(0) {
                sign @ (b'+' | b'-') if chomping == 0 => {
                    chomping = if sign == b'+' { 1 } else { -1 };
                    self.skip();
                }
                b'0' if !digit_seen => {
                    let problem = "found an indentation indicator equal to 0";
                    return self.error("while scanning a block scalar", start, problem);
                }
                digit @ b'1'..=b'9' if !digit_seen => {
                    digit_seen = true;
                    increment = i32::from(digit - b'0');
                    self.skip();
                }
                _ => break,
            }
        }
        Ok((chomping, increment))
    }

    /// Passes empty lines and the indentation, which the first line with text decides.
    fn scan_block_breaks(&mut self, indent: &mut i32, breaks: &mut String, start: Mark) -> Scan<Mark> {
        let mut end = self.mark;
        let mut deepest = 0;
        loop {
            while (*indent == 0 || (self.mark.column as i32) < *indent) && self.at(0) == b' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column as i32);
            if (*indent == 0 || (self.mark.column as i32) < *indent) && self.at(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return self.error("while scanning a block scalar", start, problem);
            }
            if !self.break_at(0) {
                break;
            }
            breaks.push_str(self.read_line());
            end = self.mark;
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(end)
    }
}
