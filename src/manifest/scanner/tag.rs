//! Directives, tags, anchors and aliases.
use std::borrow::Cow;

use super::{Kind, Mark, Scan, Scanner, Token};

impl<'a> Scanner<'a> {
    /// `%YAML 1.1` or `%TAG ! prefix`.
    pub(super) fn scan_directive(&mut self) -> Scan<()> {
        let start = self.mark;
        self.skip();
        let name = self.alpha_run();
        if name.is_empty() {
            return self.error("while scanning a directive", start, "could not find expected directive name");
        }
        if !self.blankz_at(0) {
            return self.error("while scanning a directive", start, "found unexpected non-alphabetical character");
        }
        let token = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number(start)?;
                if self.at(0) != b'.' {
                    let problem = "did not find expected digit or '.' character";
                    return self.error("while scanning a %YAML directive", start, problem);
                }
                self.skip();
                let minor = self.scan_version_number(start)?;
                let value = Cow::Owned(format!("{major}.{minor}"));
                Token { kind: Kind::VersionDirective, start, end: self.mark, value, suffix: None }
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_tag_handle(true, start)?;
                if !self.blank_at(0) {
                    let problem = "did not find expected whitespace";
                    return self.error("while scanning a %TAG directive", start, problem);
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri(true, "", start)?;
                if !self.blankz_at(0) {
                    let problem = "did not find expected whitespace or line break";
                    return self.error("while scanning a %TAG directive", start, problem);
                }
                Token {
                    kind: Kind::TagDirective,
                    start,
                    end: self.mark,
                    value: Cow::Borrowed(handle),
                    suffix: Some(prefix.into()),
                }
            }
            _ => {
                return self.error("while scanning a directive", start, "found unknown directive name");
            }
        };
        self.skip_blanks();
        if self.at(0) == b'#' {
            self.rest_of_line();
        }
        if !self.breakz_at(0) {
            let problem = "did not find expected comment or line break";
            return self.error("while scanning a directive", start, problem);
        }
        self.read_line();
        self.push(token);
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while self.blank_at(0) {
            self.skip();
        }
    }

    fn alpha_run(&mut self) -> &'a str {
        let from = self.mark.pos;
        while self.alpha_at(0) {
            self.skip();
        }
        self.slice(from, self.mark.pos)
    }

    fn scan_version_number(&mut self, start: Mark) -> Scan<u8> {
        let mut value = 0;
        let mut length = 0;
        while self.at(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                let problem = "found extremely long version number";
                return self.error("while scanning a %YAML directive", start, problem);
            }
            value = value * 10 + (self.at(0) - b'0');
            self.skip();
        }
        if length == 0 {
            let problem = "did not find expected version number";
            return self.error("while scanning a %YAML directive", start, problem);
        }
        Ok(value)
    }

    /// `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self, kind: Kind) -> Scan<()> {
        let start = self.mark;
        self.skip();
        let name = self.alpha_run();
        let end = self.mark;
        let ended = self.blankz_at(0) || matches!(self.at(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ended {
            let context = if kind == Kind::Anchor { "while scanning an anchor" } else { "while scanning an alias" };
            return self.error(context, start, "did not find expected alphabetic or numeric character");
        }
        self.push(Token { kind, start, end, value: Cow::Borrowed(name), suffix: None });
        Ok(())
    }

    /// `!<uri>`, `!suffix`, `!!suffix`, `!handle!suffix` or `!`.
    pub(super) fn scan_tag(&mut self) -> Scan<()> {
        let start = self.mark;
        let (handle, suffix);
        if self.at(1) == b'<' {
            self.skip();
            self.skip();
            handle = "";
            suffix = self.scan_tag_uri(false, "", start)?;
            if self.at(0) != b'>' {
                return self.error("while scanning a tag", start, "did not find the expected '>'");
            }
            self.skip();
        } else {
            let head = self.scan_tag_handle(false, start)?;
            if head.len() > 1 && head.ends_with('!') {
                handle = head;
                suffix = self.scan_tag_uri(false, "", start)?;
            } else {
                let rest = self.scan_tag_uri(false, head, start)?;
                (handle, suffix) = if rest.is_empty() { ("", "!".to_owned()) } else { ("!", rest) };
            }
        }
        if !self.blankz_at(0) {
            let problem = "did not find expected whitespace or line break";
            return self.error("while scanning a tag", start, problem);
        }
        self.push(Token {
            kind: Kind::Tag,
            start,
            end: self.mark,
            value: Cow::Borrowed(handle),
            suffix: Some(suffix.into()),
        });
        Ok(())
    }

    fn tag_error<T>(&self, directive: bool, start: Mark, problem: &str) -> Scan<T> {
        let context = if directive { "while parsing a %TAG directive" } else { "while parsing a tag" };
        self.error(context, start, problem)
    }

    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Scan<&'a str> {
        if self.at(0) != b'!' {
            return self.tag_error(directive, start, "did not find expected '!'");
        }
        let from = self.mark.pos;
        self.skip();
        self.alpha_run();
        if self.at(0) == b'!' {
            self.skip();
        } else if directive && self.mark.pos - from != 1 {
            return self.tag_error(directive, start, "did not find expected '!'");
        }
        Ok(self.slice(from, self.mark.pos))
    }

    fn scan_tag_uri(&mut self, directive: bool, head: &str, start: Mark) -> Scan<String> {
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        let mut found = !head.is_empty();
        loop {
            match self.at(0) {
                b'%' => self.scan_uri_escape(directive, start, &mut uri)?,
                b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'.' | b'!' | b'~' | b'*'
                | b'\'' | b'(' | b')' | b'[' | b']' => {
                    uri.push(self.at(0));
                    self.skip();
                }
                byte if self.alpha_at(0) => {
                    uri.push(byte);
                    self.skip();
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return self.tag_error(directive, start, "did not find expected tag URI");
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// One character written as `%E2%82%AC`.
    fn scan_uri_escape(&mut self, directive: bool, start: Mark, uri: &mut Vec<u8>) -> Scan<()> {
        let mut left = None;
        while left != Some(0) {
            let digits = [1, 2].map(|place| char::from(self.at(place)).to_digit(16));
            let (b'%', [Some(high), Some(low)]) = (self.at(0), digits) else {
                return self.tag_error(directive, start, "did not find URI escaped octet");
            };
            let octet = (high << 4 | low) as u8;
            left = match left {
                None => match octet {
                    0x00..=0x7F => Some(0),
                    0xC0..=0xDF => Some(1),
                    0xE0..=0xEF => Some(2),
                    0xF0..=0xF7 => Some(3),
                    _ => {
                        return self.tag_error(directive, start, "found an incorrect leading UTF-8 octet");
                    }
                },
                Some(more) if octet & 0xC0 == 0x80 => Some(more - 1),
                Some(_) => {
                    return self.tag_error(directive, start, "found an incorrect trailing UTF-8 octet");
                }
            };
            uri.push(octet);
            (0..3).for_each(|_| self.skip());
        }
        Ok(())
    }
}
