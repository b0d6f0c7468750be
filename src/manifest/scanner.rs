//! Text to YAML tokens, as go-yaml v2 (`go.yaml.in/yaml/v2` `scannerc.go`), the parser inside kubectl, cuts them.
//!
//! kubectl prints the scanner's own words and lines, so which error comes first and where it is put must be go-yaml's.
//! Scalars that stand on one line without escapes are borrowed from the text.
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

use super::floor_boundary;

mod scalar;
mod tag;

/// A place in the text that is scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Byte offset.
    pub(super) pos: u32,
    /// Line, from 0, as YAML 1.1 counts line breaks.
    pub(super) line: u32,
    /// Column in characters, from 0.
    pub(super) column: u32,
}

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StreamStart,
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    PlainScalar,
    QuotedScalar,
}

/// A YAML token. `value` is the scalar, the anchor, the tag handle or the version; `suffix` the rest of a tag.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) start: Mark,
    pub(super) end: Mark,
    pub(super) value: Cow<'a, str>,
    pub(super) suffix: Option<Box<str>>,
}

/// Why a text is not YAML: libyaml's problem and context, from which go-yaml makes one line.
#[derive(Debug)]
pub(super) struct YamlError {
    /// Problems of the scanner are reported one line further than those of the parser.
    pub(super) scanner: bool,
    pub(super) problem: String,
    pub(super) mark: Mark,
    pub(super) context: &'static str,
    pub(super) context_mark: Mark,
}

impl YamlError {
    /// The error as go-yaml's `parser.fail` words it (without the `yaml: ` before it).
    pub(super) fn text(&self) -> String {
        let line = if self.mark.line != 0 { self.mark.line + u32::from(self.scanner) } else { self.context_mark.line };
        if line != 0 { format!("line {line}: {}", self.problem) } else { self.problem.clone() }
    }
}

/// Result of scanning.
pub(super) type Scan<T> = Result<T, Box<YamlError>>;

/// A scalar (or collection) that may turn out to be a mapping key, because a `:` may follow.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

/// go-yaml's bounds on nesting.
const MAX_DEPTH: usize = 10_000;

/// Cuts one YAML document into tokens.
pub(super) struct Scanner<'a> {
    text: &'a str,
    mark: Mark,
    flow_level: usize,
    indent: i32,
    indents: Vec<i32>,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    /// Token number → place in `simple_keys`, ordered by token number.
    simple_keys_by_token: VecDeque<(usize, usize)>,
    tokens: VecDeque<Token<'a>>,
    tokens_parsed: usize,
    token_available: bool,
    started: bool,
    /// The text was cut short before a character YAML does not allow; reading past the end meets that character.
    cut: bool,
    ran_out: Cell<bool>,
}

impl<'a> Scanner<'a> {
    /// A scanner over `text`, of which only the part that go-yaml's reader would decode before meeting a character it
    /// refuses is scanned.
    pub(super) fn new(text: &'a str) -> Self {
        let readable = readable(text);
        Scanner {
            text: text.get(..readable).unwrap_or(text),
            mark: Mark::default(),
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            simple_keys_by_token: VecDeque::new(),
            tokens: VecDeque::with_capacity(8),
            tokens_parsed: 0,
            token_available: false,
            started: false,
            cut: readable < text.len(),
            ran_out: Cell::new(false),
        }
    }

    /// Kind and place of the next token.
    pub(super) fn peek(&mut self) -> Scan<(Kind, Mark, Mark)> {
        if !self.token_available {
            self.fetch_more_tokens()?;
        }
        Ok(self.tokens.front().map_or((Kind::StreamEnd, self.mark, self.mark), |t| (t.kind, t.start, t.end)))
    }

    /// Takes the token that was peeked at.
    pub(super) fn take(&mut self) -> Token<'a> {
        self.token_available = false;
        self.tokens_parsed += 1;
        self.tokens.pop_front().unwrap_or_else(|| token(Kind::StreamEnd, self.mark, self.mark))
    }

    // --- characters ---

    #[inline]
    fn at(&self, offset: usize) -> u8 {
        match self.text.as_bytes().get(self.mark.pos as usize + offset) {
            Some(&byte) => byte,
            None => {
                self.ran_out.set(true);
                0
            }
        }
    }

    #[inline]
    fn blank_at(&self, offset: usize) -> bool {
        matches!(self.at(offset), b' ' | b'\t')
    }

    #[inline]
    fn break_at(&self, offset: usize) -> bool {
        match self.at(offset) {
            b'\r' | b'\n' => true,
            0xC2 => self.at(offset + 1) == 0x85,
            0xE2 => self.at(offset + 1) == 0x80 && matches!(self.at(offset + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    #[inline]
    fn breakz_at(&self, offset: usize) -> bool {
        self.at(offset) == 0 || self.break_at(offset)
    }

    #[inline]
    fn blankz_at(&self, offset: usize) -> bool {
        self.blank_at(offset) || self.breakz_at(offset)
    }

    #[inline]
    fn alpha_at(&self, offset: usize) -> bool {
        matches!(self.at(offset), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    #[inline]
    fn skip(&mut self) {
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
    fn read_line(&mut self) -> &'static str {
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
    fn slice(&self, from: u32, to: u32) -> &'a str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// Passes everything up to the end of the line.
    fn rest_of_line(&mut self) -> &'a str {
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

    fn document_indicator(&self) -> bool {
        self.mark.column == 0
            && matches!((self.at(0), self.at(1), self.at(2)), (b'-', b'-', b'-') | (b'.', b'.', b'.'))
            && self.blankz_at(3)
    }

    fn error<T>(&self, context: &'static str, context_mark: Mark, problem: &str) -> Scan<T> {
        Err(if self.cut && self.ran_out.get() {
            self.reader_error()
        } else {
            Box::new(YamlError { scanner: true, problem: problem.to_owned(), mark: self.mark, context, context_mark })
        })
    }

    /// go-yaml's reader gives no line.
    fn reader_error(&self) -> Box<YamlError> {
        Box::new(YamlError {
            scanner: false,
            problem: "control characters are not allowed".to_owned(),
            mark: Mark::default(),
            context: "",
            context_mark: Mark::default(),
        })
    }

    // --- tokens ---

    fn fetch_more_tokens(&mut self) -> Scan<()> {
        loop {
            if !self.tokens.is_empty() {
                while self.simple_keys_by_token.front().is_some_and(|&(number, _)| number < self.tokens_parsed) {
                    self.simple_keys_by_token.pop_front();
                }
                match self.simple_keys_by_token.front() {
                    Some(&(number, place)) if number == self.tokens_parsed => {
                        if !self.simple_key_is_valid(place)? {
                            break;
                        }
                    }
                    _ => break,
                }
            }
            self.fetch_next_token()?;
            if self.cut && self.ran_out.get() {
                return Err(self.reader_error());
            }
        }
        self.token_available = true;
        Ok(())
    }

    fn fetch_next_token(&mut self) -> Scan<()> {
        if !self.started {
            self.started = true;
            self.push(token(Kind::StreamStart, self.mark, self.mark));
            return Ok(());
        }
        self.scan_to_next_token();
        self.unroll_indent(self.mark.column as i32);
        let first = self.at(0);
        if first == 0 {
            return self.fetch_stream_end();
        }
        if self.mark.column == 0 && first == b'%' {
            self.unroll_indent(-1);
            self.remove_simple_key()?;
            self.simple_key_allowed = false;
            let token = self.scan_directive()?;
            self.push(token);
            return Ok(());
        }
        if self.document_indicator() {
            self.unroll_indent(-1);
            self.remove_simple_key()?;
            self.simple_key_allowed = false;
            let start = self.mark;
            (0..3).for_each(|_| self.skip());
            let kind = if first == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
            self.push(token(kind, start, self.mark));
            return Ok(());
        }
        let flow = self.flow_level > 0;
        match first {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.push_indicator(Kind::FlowEntry);
                Ok(())
            }
            b'-' if self.blankz_at(1) => self.fetch_block_entry(),
            b'?' if flow || self.blankz_at(1) => self.fetch_key(),
            b':' if flow || self.blankz_at(1) => self.fetch_value(),
            b'*' => self.fetch_named(Kind::Alias),
            b'&' => self.fetch_named(Kind::Anchor),
            b'!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_tag()?;
                self.push(token);
                Ok(())
            }
            b'|' | b'>' if !flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let token = self.scan_block_scalar(first == b'|')?;
                self.push(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_flow_scalar(first)?;
                self.push(token);
                Ok(())
            }
            b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' if !self.starts_plain(first) => self.error(
                "while scanning for the next token",
                self.mark,
                "found character that cannot start any token",
            ),
            _ => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let token = self.scan_plain_scalar()?;
                self.push(token);
                Ok(())
            }
        }
    }

    fn starts_plain(&self, first: u8) -> bool {
        matches!(first, b'?' | b':') && self.flow_level == 0 && !self.blankz_at(1)
    }

    fn push(&mut self, token: Token<'a>) {
        self.tokens.push_back(token);
    }

    fn push_indicator(&mut self, kind: Kind) {
        let start = self.mark;
        self.skip();
        self.push(token(kind, start, self.mark));
    }

    /// Inserts a token before the one with this number, or at the end when that one is gone.
    fn insert(&mut self, number: usize, token: Token<'a>) {
        match number.checked_sub(self.tokens_parsed) {
            Some(place) if place <= self.tokens.len() => self.tokens.insert(place, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn next_token_number(&self) -> usize {
        self.tokens_parsed + self.tokens.len()
    }

    /// A simple key ends on its line and within 1024 characters.
    fn simple_key_is_valid(&mut self, place: usize) -> Scan<bool> {
        let Some(&key) = self.simple_keys.get(place) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.column + 1024 < self.mark.column {
            if key.required {
                return self.error("while scanning a simple key", key.mark, "could not find expected ':'");
            }
            if let Some(key) = self.simple_keys.get_mut(place) {
                key.possible = false;
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Scan<()> {
        if self.simple_key_allowed {
            let required = self.flow_level == 0 && self.indent == self.mark.column as i32;
            let token_number = self.next_token_number();
            self.remove_simple_key()?;
            let place = self.simple_keys.len().saturating_sub(1);
            if let Some(key) = self.simple_keys.last_mut() {
                *key = SimpleKey { possible: true, required, token_number, mark: self.mark };
            }
            self.forget_simple_key(token_number);
            self.simple_keys_by_token.push_back((token_number, place));
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Scan<()> {
        let Some(key) = self.simple_keys.last().copied() else {
            return Ok(());
        };
        if key.possible {
            if key.required {
                return self.error("while scanning a simple key", key.mark, "could not find expected ':'");
            }
            if let Some(key) = self.simple_keys.last_mut() {
                key.possible = false;
            }
            self.forget_simple_key(key.token_number);
        }
        Ok(())
    }

    fn forget_simple_key(&mut self, token_number: usize) {
        if let Ok(place) = self.simple_keys_by_token.binary_search_by_key(&token_number, |&(number, _)| number) {
            self.simple_keys_by_token.remove(place);
        }
    }

    fn roll_indent(&mut self, column: u32, number: Option<usize>, kind: Kind, mark: Mark) -> Scan<()> {
        let column = column as i32;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            let mark = self.simple_keys.last().map_or(self.mark, |key| key.mark);
            return self.error("while increasing indent level", mark, "exceeded max depth of 10000");
        }
        let token = token(kind, mark, mark);
        match number {
            Some(number) => self.insert(number, token),
            None => self.push(token),
        }
        Ok(())
    }

    fn unroll_indent(&mut self, column: i32) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(token(Kind::BlockEnd, self.mark, self.mark));
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(token(Kind::StreamEnd, self.mark, self.mark));
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Scan<()> {
        self.save_simple_key()?;
        let token_number = self.next_token_number();
        self.simple_keys.push(SimpleKey { token_number, mark: self.mark, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.error("while increasing flow level", self.mark, "exceeded max depth of 10000");
        }
        self.simple_key_allowed = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Scan<()> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            // go-yaml forgets the key by the number that the level was opened with; for an empty collection that is
            // the collection itself, which therefore cannot be a key.
            if let Some(key) = self.simple_keys.pop() {
                self.forget_simple_key(key.token_number);
            }
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("", self.mark, "block sequence entries are not allowed in this context");
            }
            self.roll_indent(self.mark.column, None, Kind::BlockSequenceStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("", self.mark, "mapping keys are not allowed in this context");
            }
            self.roll_indent(self.mark.column, None, Kind::BlockMappingStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(Kind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let place = self.simple_keys.len().saturating_sub(1);
        if self.simple_key_is_valid(place)? {
            let key = self.simple_keys.get(place).copied().unwrap_or_default();
            self.insert(key.token_number, token(Kind::Key, key.mark, key.mark));
            self.roll_indent(key.mark.column, Some(key.token_number), Kind::BlockMappingStart, key.mark)?;
            if let Some(key) = self.simple_keys.get_mut(place) {
                key.possible = false;
            }
            self.forget_simple_key(key.token_number);
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self.error("", self.mark, "mapping values are not allowed in this context");
                }
                self.roll_indent(self.mark.column, None, Kind::BlockMappingStart, self.mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(Kind::Value);
        Ok(())
    }

    fn fetch_named(&mut self, kind: Kind) -> Scan<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_anchor(kind)?;
        self.push(token);
        Ok(())
    }

    /// Passes blanks, comments and line breaks. Tabs count as blanks only where no key can begin.
    fn scan_to_next_token(&mut self) {
        loop {
            if self.mark.column == 0 && (self.at(0), self.at(1), self.at(2)) == (0xEF, 0xBB, 0xBF) {
                self.skip();
            }
            loop {
                match self.at(0) {
                    b' ' => {}
                    b'\t' if self.flow_level > 0 || !self.simple_key_allowed => {}
                    _ => break,
                }
                self.mark.pos += 1;
                self.mark.column += 1;
            }
            if self.at(0) == b'#' {
                self.rest_of_line();
            }
            if !self.break_at(0) {
                break;
            }
            self.read_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }
}

fn token<'a>(kind: Kind, start: Mark, end: Mark) -> Token<'a> {
    Token { kind, start, end, value: Cow::Borrowed(""), suffix: None }
}

/// How much of the text go-yaml's reader decodes before it meets a character that YAML does not allow (`readerc.go`).
/// The reader works in pieces of 512 bytes, so nothing of the piece with that character is seen.
fn readable(text: &str) -> usize {
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
        return text.len();
    };
    let mut piece = 0;
    loop {
        let end = floor_boundary(text, piece + 512);
        if refused < end || end <= piece {
            return piece;
        }
        piece = end;
    }
}
