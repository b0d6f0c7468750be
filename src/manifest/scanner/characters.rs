//! The characters under the scanner, and which of them are seen.
use super::Scanner;
use crate::manifest::floor_boundary;

impl<'a> Scanner<'a> {
    #[inline]
    pub(super) fn at(&self, offset: usize) -> u8 {
        match self.text.as_bytes().get(self.mark.pos as usize + offset) {
            Some(&byte) => byte,
            None => {
                self.ran_out.set(true);
                0
            }
        }
    }

    #[inline]
    pub(super) fn blank_at(&self, offset: usize) -> bool {
        matches!(self.at(offset), b' ' | b'\t')
    }

    #[inline]
    pub(super) fn break_at(&self, offset: usize) -> bool {
        match self.at(offset) {
            b'\r' | b'\n' => true,
            0xC2 => self.at(offset + 1) == 0x85,
            0xE2 => self.at(offset + 1) == 0x80 && matches!(self.at(offset + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    #[inline]
    pub(super) fn breakz_at(&self, offset: usize) -> bool {
        self.at(offset) == 0 || self.break_at(offset)
    }

    #[inline]
    pub(super) fn blankz_at(&self, offset: usize) -> bool {
        self.blank_at(offset) || self.breakz_at(offset)
    }

    #[inline]
    pub(super) fn alpha_at(&self, offset: usize) -> bool {
        matches!(self.at(offset), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    #[inline]
    pub(super) fn skip(&mut self) {
        let width = match self.at(0) {
            0xF0.. => 4,
            0xE0.. => 3,
            0xC0.. => 2,
            _ => 1,
        };
        self.mark.pos = (self.mark.pos + width).min(self.text.len() as u32);
        self.mark.column += 1;
    }

    /// Passes a line break and says how it reads in a scalar.
    pub(super) fn read_line(&mut self) -> &'static str {
        let (width, text) = match self.at(0) {
            b'\r' if self.at(1) == b'\n' => (2, "\n"),
            b'\r' | b'\n' => (1, "\n"),
            0xC2 if self.at(1) == 0x85 => (2, "\n"),
            0xE2 if self.break_at(0) => (3, if self.at(2) == 0xA8 { "\u{2028}" } else { "\u{2029}" }),
            _ => return "",
        };
        self.mark.pos += width;
        self.mark.line += 1;
        self.mark.column = 0;
        text
    }

    /// The text between two byte offsets.
    pub(super) fn slice(&self, from: u32, to: u32) -> &'a str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Passes everything up to the end of the line.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let from = self.mark.pos;
        let bytes = self.text.as_bytes();
        let mut pos = from as usize;
        let mut column = self.mark.column;
        loop {
            match bytes.get(pos) {
                Some(b'\n' | b'\r') => break,
                Some(0xC2 | 0xE2) => {
                    self.mark.pos = pos as u32;
                    if self.break_at(0) {
                        break;
                    }
                    column += 1;
                }
                Some(byte) => column += u32::from(byte & 0xC0 != 0x80),
                None => {
                    self.ran_out.set(true);
                    break;
                }
            }
            pos += 1;
        }
        self.mark.pos = pos as u32;
        self.mark.column = column;
        self.slice(from, self.mark.pos)
    }

    pub(super) fn document_indicator(&self) -> bool {
        self.mark.column == 0
            && matches!((self.at(0), self.at(1), self.at(2)), (b'-', b'-', b'-') | (b'.', b'.', b'.'))
            && self.blankz_at(3)
    }
}

/// How much of the text go-yaml's reader decodes before it meets a character that YAML does not allow (`readerc.go`).
/// The reader works in pieces of 512 bytes, so nothing of the piece with that character is seen. Also says where that
/// character is.
pub(super) fn readable(text: &str) -> (usize, Option<u32>) {
    let bytes = text.as_bytes();
    let refused = bytes.iter().enumerate().position(|(at, &byte)| match byte {
        b'\t' | b'\n' | b'\r' => false,
        0x20..=0x7E => false,
        0xC2 => bytes.get(at + 1).is_some_and(|&next| next < 0xA0 && next != 0x85),
        0xEF => bytes.get(at + 1) == Some(&0xBF) && bytes.get(at + 2).is_some_and(|&last| last >= 0xBE),
        0x80.. => false,
        _ => true,
    });
    let Some(refused) = refused else {
        return (text.len(), None);
    };
    let mut piece = 0;
    loop {
        let end = floor_boundary(text, piece + 512);
        if refused < end || end <= piece {
            return (piece, Some(refused as u32));
        }
        piece = end;
    }
}
