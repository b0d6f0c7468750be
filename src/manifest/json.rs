//! JSON values one after another, cut as Go's `encoding/json` Decoder cuts them, with its words for what is wrong.
use std::borrow::Cow;

use super::nodes::{Node, Shape};
use super::{Limits, Problem, go};

/// What comes next in a JSON stream.
pub(super) enum Next<'a> {
    /// Only blanks are left.
    End,
    /// A value, which ends at this byte.
    Value(Vec<Node<'a>>, usize),
    /// The text ends inside a value.
    UnexpectedEnd,
    /// `invalid character …`, at this byte.
    Syntax(String, usize),
    /// More than we read.
    Limit(Problem),
}

enum Failure {
    UnexpectedEnd,
    Syntax(String, usize),
    Limit(Problem),
}

/// The next value of `text` from byte `from` on.
pub(super) fn next<'a>(text: &'a str, from: usize, limits: &Limits) -> Next<'a> {
    let mut reader = Reader { text, pos: from, nodes: Vec::new(), open: Vec::new(), limits };
    reader.skip_space();
    if reader.pos >= text.len() {
        return Next::End;
    }
    match reader.value() {
        Ok(()) => Next::Value(reader.nodes, reader.pos),
        Err(Failure::UnexpectedEnd) => Next::UnexpectedEnd,
        Err(Failure::Syntax(message, at)) => Next::Syntax(message, at),
        Err(Failure::Limit(problem)) => Next::Limit(problem),
    }
}

/// What `json.Unmarshal` of a text into a `map[string]interface{}` says is wrong.
///
/// # Errors
/// When the text is not a JSON object (or null), in Go's words.
pub fn check_object(text: &str) -> Result<(), String> {
    let (nodes, end) = match next(text, 0, &Limits::default()) {
        Next::End | Next::UnexpectedEnd => return Err("unexpected end of JSON input".to_owned()),
        Next::Syntax(message, _) => return Err(message),
        Next::Limit(_) => return Err("exceeded max depth".to_owned()),
        Next::Value(nodes, end) => (nodes, end),
    };
    let rest = text.get(end..).unwrap_or_default().trim_start_matches([' ', '\t', '\r', '\n']);
    if let Some(byte) = rest.bytes().next() {
        return Err(format!("invalid character {} after top-level value", go::quote_byte(byte)));
    }
    let kind = match nodes.first() {
        Some(node) if node.shape == Shape::Sequence => "array",
        Some(node) if node.shape == Shape::Scalar => "string",
        Some(node) if node.shape == Shape::Literal => match node.value.as_ref() {
            "null" => return Ok(()),
            "true" | "false" => "bool",
            _ => "number",
        },
        _ => return Ok(()),
    };
    Err(format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"))
}

struct Reader<'a, 'l> {
    text: &'a str,
    pos: usize,
    nodes: Vec<Node<'a>>,
    /// Places of the objects and lists that are open.
    open: Vec<usize>,
    limits: &'l Limits,
}

impl<'a> Reader<'a, '_> {
    fn byte(&self) -> Result<u8, Failure> {
        self.text.as_bytes().get(self.pos).copied().ok_or(Failure::UnexpectedEnd)
    }

    fn skip_space(&mut self) {
        while matches!(self.text.as_bytes().get(self.pos), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.pos += 1;
        }
    }

    /// The first byte behind blanks.
    fn token(&mut self) -> Result<u8, Failure> {
        self.skip_space();
        self.byte()
    }

    fn invalid<T>(&self, context: &str) -> Result<T, Failure> {
        let character = go::quote_byte(self.byte()?);
        Err(Failure::Syntax(format!("invalid character {character} {context}"), self.pos))
    }

    fn push(&mut self, shape: Shape, start: usize, value: Cow<'a, str>) -> Result<(), Failure> {
        if self.nodes.len() >= self.limits.nodes {
            return Err(Failure::Limit(self.limits.too_many_nodes()));
        }
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { value, ..Node::new(shape, start as u32, self.pos as u32, next) });
        Ok(())
    }

    /// One value with everything in it.
    fn value(&mut self) -> Result<(), Failure> {
        loop {
            let start = self.pos;
            let opened = match self.token()? {
                b'{' => Some(Shape::Mapping),
                b'[' => Some(Shape::Sequence),
                b'"' => {
                    self.string()?;
                    None
                }
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                    None
                }
                b't' => self.literal("true").map(|()| None)?,
                b'f' => self.literal("false").map(|()| None)?,
                b'n' => self.literal("null").map(|()| None)?,
                _ => return self.invalid("looking for beginning of value"),
            };
            debug_assert!(self.pos >= start, "reading goes forward");
            if let Some(shape) = opened {
                if self.open.len() >= self.limits.depth {
                    return Err(Failure::Limit(self.limits.too_deep(Some(self.pos))));
                }
                self.open.push(self.nodes.len());
                self.pos += 1;
                self.push(shape, self.pos - 1, Cow::Borrowed(""))?;
                let closing = if shape == Shape::Mapping { b'}' } else { b']' };
                if self.token()? != closing {
                    if shape == Shape::Mapping {
                        self.key()?;
                    }
                    continue;
                }
                self.pos += 1;
                self.close();
            }
            if self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Goes on to the next value of what is open; true when nothing is.
    fn after_value(&mut self) -> Result<bool, Failure> {
        loop {
            let Some(&open) = self.open.last() else {
                return Ok(true);
            };
            let object = self.nodes.get(open).is_some_and(|node| node.shape == Shape::Mapping);
            match self.token()? {
                b',' => {
                    self.pos += 1;
                    if object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                b'}' if object => {}
                b']' if !object => {}
                _ if object => return self.invalid("after object key:value pair"),
                _ => return self.invalid("after array element"),
            }
            self.pos += 1;
            self.close();
        }
    }

    fn close(&mut self) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|open| self.nodes.get_mut(open)) {
            node.next = next;
            node.end = self.pos as u32;
        }
    }

    fn key(&mut self) -> Result<(), Failure> {
        if self.token()? != b'"' {
            return self.invalid("looking for beginning of object key string");
        }
        self.string()?;
        if self.token()? != b':' {
            return self.invalid("after object key");
        }
        self.pos += 1;
        Ok(())
    }

    fn literal(&mut self, word: &'static str) -> Result<(), Failure> {
        let start = self.pos;
        for expected in word.bytes() {
            if self.byte()? != expected {
                let expected = char::from(expected);
                return self.invalid(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.pos += 1;
        }
        self.push(Shape::Literal, start, Cow::Borrowed(word))
    }

    fn digits(&mut self, context: &str) -> Result<(), Failure> {
        if !self.byte()?.is_ascii_digit() {
            return self.invalid(context);
        }
        while self.byte().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.pos += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Failure> {
        let start = self.pos;
        if self.byte()? == b'-' {
            self.pos += 1;
        }
        if self.byte()? == b'0' {
            self.pos += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.byte().is_ok_and(|byte| byte == b'.') {
            self.pos += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if self.byte().is_ok_and(|byte| matches!(byte, b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.byte()?, b'+' | b'-') {
                self.pos += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = self.text.get(start..self.pos).unwrap_or_default();
        self.push(Shape::Literal, start, Cow::Borrowed(text))
    }

    fn string(&mut self) -> Result<(), Failure> {
        let start = self.pos;
        self.pos += 1;
        let mut owned: Option<String> = None;
        let mut piece = self.pos;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => {
                    let text = self.text.get(piece..self.pos).unwrap_or_default();
                    let mut out = owned.take().unwrap_or_default();
                    out.push_str(text);
                    self.escape(&mut out)?;
                    owned = Some(out);
                    piece = self.pos;
                }
                0..0x20 => return self.invalid("in string literal"),
                _ => self.pos += 1,
            }
        }
        let last = self.text.get(piece..self.pos).unwrap_or_default();
        let value = match owned {
            Some(mut out) => {
                out.push_str(last);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(last),
        };
        self.pos += 1;
        self.push(Shape::Scalar, start, value)
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Failure> {
        self.pos += 1;
        let character = match self.byte()? {
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'\\' | b'/' | b'"') => char::from(byte),
            b'u' => {
                self.pos += 1;
                let unit = self.unit()?;
                out.push(self.scalar_value(unit)?);
                return Ok(());
            }
            _ => return self.invalid("in string escape code"),
        };
        self.pos += 1;
        out.push(character);
        Ok(())
    }

    /// A character from its first UTF-16 unit; half a pair becomes the replacement character.
    fn scalar_value(&mut self, unit: u32) -> Result<char, Failure> {
        if (0xD800..0xDC00).contains(&unit) && self.text.get(self.pos..).is_some_and(|rest| rest.starts_with("\\u")) {
            let back = self.pos;
            self.pos += 2;
            let low = self.unit()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.pos = back;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Result<u32, Failure> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.byte()?).to_digit(16) else {
                return self.invalid("in \\u hexadecimal character escape");
            };
            unit = unit << 4 | digit;
            self.pos += 1;
        }
        Ok(unit)
    }
}
