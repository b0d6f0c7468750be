//! Text to YAML tokens, as go-yaml v2 (`go.yaml.in/yaml/v2` `scannerc.go`), the parser inside kubectl, cuts them.
//!
//! kubectl prints the scanner's own words and lines, so which error comes first and where it is put must be go-yaml's.
//! Scalars that stand on one line without escapes are borrowed from the text.
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

mod characters;
mod keys;
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
    /// Where a character is that YAML does not allow; the text is cut short before it, and reading past the end meets
    /// it.
    refused: Option<u32>,
    ran_out: Cell<bool>,
}

impl<'a> Scanner<'a> {
    /// A scanner over `text`, of which only the part that go-yaml's reader would decode before meeting a character it
    /// refuses is scanned.
    pub(super) fn new(text: &'a str) -> Self {
        let (readable, refused) = characters::readable(text);
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
            refused,
            ran_out: Cell::new(false),
        }
    }

    /// Kind and place of the next token.
    #[inline]
    pub(super) fn peek(&mut self) -> Scan<(Kind, Mark, Mark)> {
        if !self.token_available {
            self.fetch_more_tokens()?;
        }
        Ok(self.tokens.front().map_or((Kind::StreamEnd, self.mark, self.mark), |t| (t.kind, t.start, t.end)))
    }

    /// Takes the token that was peeked at.
    #[inline]
    pub(super) fn take(&mut self) -> Token<'a> {
        self.token_available = false;
        self.tokens_parsed += 1;
        self.tokens.pop_front().unwrap_or_else(|| token(Kind::StreamEnd, self.mark, self.mark))
    }

    fn error<T>(&self, context: &'static str, context_mark: Mark, problem: &str) -> Scan<T> {
        self.check_reader()?;
        Err(Box::new(YamlError { scanner: true, problem: problem.to_owned(), mark: self.mark, context, context_mark }))
    }

    /// The error of go-yaml's reader, if it would have met the refused character by now. It gives no line.
    fn check_reader(&self) -> Scan<()> {
        match self.refused {
            Some(pos) if self.ran_out.get() => Err(Box::new(YamlError {
                scanner: false,
                problem: "control characters are not allowed".to_owned(),
                mark: Mark { pos, ..Mark::default() },
                context: "",
                context_mark: Mark::default(),
            })),
            _ => Ok(()),
        }
    }

    #[inline(never)]
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
            self.check_reader()?;
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
            return self.scan_directive();
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
                self.scan_tag()
            }
            b'|' | b'>' if !flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.scan_block_scalar(first == b'|')
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_flow_scalar(first)
            }
            b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' if !self.starts_plain(first) => self.error(
                "while scanning for the next token",
                self.mark,
                "found character that cannot start any token",
            ),
            _ => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_plain_scalar()
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
        self.scan_anchor(kind)
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
