//! A file to its documents: `YAMLOrJSONDecoder` of k8s.io/apimachinery, as `StreamVisitor` of k8s.io/cli-runtime uses
//! it.
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::json::{self, Next};
use super::nodes::Node;
use super::{
    Document, ErrorContext, Limits, Location, Manifest, Problem, ReadError, Source, decode, floor_boundary, parser,
};

/// How far kubectl looks for the brace that makes a file JSON.
const PEEK: usize = 4096;

/// Reads the documents of `source`.
pub(super) fn read(source: Arc<Source>, limits: Limits) -> Manifest {
    let mut stream = Stream { source, limits, manifest: Manifest { documents: Vec::new(), error: None } };
    let source = Arc::clone(&stream.source);
    let text = &source.text;
    let peeked = text.get(..floor_boundary(text, PEEK)).unwrap_or_default();
    if peeked.trim_start().starts_with('{') {
        stream.json(text);
    } else {
        stream.yaml(text, 0, None);
    }
    stream.manifest
}

struct Stream {
    source: Arc<Source>,
    limits: Limits,
    manifest: Manifest,
}

impl Stream {
    /// JSON values one after another. What is not JSON may be YAML, unless two values were found before it.
    fn json(&mut self, text: &str) {
        let mut pos = 0;
        let mut count = 0;
        loop {
            let (message, at) = match json::next(text, pos, &self.limits) {
                Next::End => return,
                Next::Value(nodes, end) => {
                    if !self.document(&nodes, pos..end, true) {
                        return;
                    }
                    count += 1;
                    pos = end;
                    continue;
                }
                Next::Limit(problem) => return self.fail(problem.message, problem.at, None),
                Next::UnexpectedEnd => ("unexpected EOF".to_owned(), text.trim_end().len()),
                Next::Syntax(message, at) if count > 1 => (message, at),
                Next::Syntax(message, at) => (format!("json: offset {}: {message}", at + 1), at),
            };
            if count > 1 {
                return self.fail(message, Some(at), None);
            }
            return match consume_whitespace(text, pos) {
                Some(from) => self.yaml(text, from, Some((message, at))),
                None => self.fail(message, Some(at), None),
            };
        }
    }

    /// YAML documents between lines of dashes. An error in the first one is told as the JSON error that came before.
    fn yaml(&mut self, text: &str, from: usize, mut json_error: Option<(String, usize)>) {
        let mut pos = from;
        loop {
            let range = match next_chunk(text, &mut pos) {
                Ok(Some(range)) => range,
                Ok(None) => return,
                Err((message, at)) => {
                    let (message, at) = json_error.unwrap_or((message, at));
                    return self.fail(message, Some(at), None);
                }
            };
            let chunk = Chunk::new(text, range.clone());
            let read = parser::parse(&chunk.text, &self.limits);
            match read.and_then(|nodes| Ok((decode::decode(&nodes, &self.limits)?, nodes.is_empty()))) {
                Ok((decoded, _)) => {
                    if !self.push(decoded, range, false) {
                        return;
                    }
                }
                Err(problem) => {
                    if let Some((message, at)) = json_error {
                        return self.fail(message, Some(at), None);
                    }
                    let at = problem.at.map(|at| chunk.offset(at));
                    let context = problem.context.map(|(text, at)| (text, chunk.offset(at)));
                    let message = match problem.limit {
                        true => problem.message,
                        false => format!("error converting YAML to JSON: {}", problem.message),
                    };
                    return self.fail(message, at, context);
                }
            }
            json_error = None;
        }
    }

    fn document(&mut self, nodes: &[Node<'_>], range: Range<usize>, json: bool) -> bool {
        match decode::decode(nodes, &self.limits) {
            Ok(decoded) => self.push(decoded, range, json),
            Err(problem) => {
                self.fail(problem.message, problem.at, None);
                false
            }
        }
    }

    /// Keeps a document that is not null; false when there are too many.
    fn push(&mut self, decoded: decode::Decoded, range: Range<usize>, json: bool) -> bool {
        if decoded.value == Value::Null && decoded.undecodable.is_none() {
            return true;
        }
        let documents = &mut self.manifest.documents;
        if documents.len() >= self.limits.documents {
            let message = format!("the file holds more than {} documents", self.limits.documents);
            self.fail(message, Some(range.start), None);
            return false;
        }
        let inner = Arc::new(Inner {
            source: Arc::clone(&self.source),
            range,
            json,
            limits: self.limits.clone(),
            index: documents.len(),
            undecodable: decoded.undecodable,
            layout: OnceLock::new(),
        });
        documents.push(Document { value: decoded.value, inner, within: Vec::new() });
        true
    }

    fn fail(&mut self, message: String, at: Option<usize>, context: Option<(&'static str, usize)>) {
        let source = &self.source;
        self.manifest.error = Some(ReadError {
            message,
            location: at.map(|at| source.location(at..at)),
            context: context.map(|(text, at)| ErrorContext { text, location: source.location(at..at) }),
            source: Arc::clone(source),
        });
    }
}

/// Passes blanks up to the end of the line, as `YAMLOrJSONDecoder.consumeWhitespace`; none when fewer than four bytes
/// are left, or when they are no text.
fn consume_whitespace(text: &str, from: usize) -> Option<usize> {
    let mut pos = from;
    loop {
        let rest = text.get(pos..).filter(|rest| rest.len() >= 4)?;
        let first = rest.chars().next().filter(|&first| first != char::REPLACEMENT_CHARACTER)?;
        if !first.is_whitespace() {
            return Some(pos);
        }
        pos += first.len_utf8();
        if first == '\n' {
            return Some(pos);
        }
    }
}

/// The next stretch of lines up to a separator, as `YAMLReader.Read` cuts it: the separator in front of the first
/// document belongs to it, those behind a document to none.
fn next_chunk(text: &str, pos: &mut usize) -> Result<Option<Range<usize>>, (String, usize)> {
    let start = *pos;
    while let Some(rest) = text.get(*pos..).filter(|rest| !rest.is_empty()) {
        let line_start = *pos;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        *pos += length;
        if let Some(behind) = rest.get(..length).and_then(|line| line.strip_prefix("---")) {
            let behind = behind.trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                return Err((format!("invalid Yaml document separator: {behind}"), line_start));
            }
            if line_start > start {
                return Ok(Some(start..line_start));
            }
        }
    }
    Ok((*pos > start).then_some(start..*pos))
}

/// One YAML document as go-yaml gets it: with plain line feeds, the last one included, and without a byte order mark.
struct Chunk<'a> {
    text: Cow<'a, str>,
    start: usize,
    /// Where in `text` a carriage return was left out.
    removed: Vec<u32>,
}

impl<'a> Chunk<'a> {
    fn new(text: &'a str, range: Range<usize>) -> Self {
        let mut start = range.start;
        let mut chunk = text.get(range).unwrap_or_default();
        if let Some(rest) = chunk.strip_prefix('\u{FEFF}') {
            start += chunk.len() - rest.len();
            chunk = rest;
        }
        let mut removed = Vec::new();
        let mut text = Cow::Borrowed(chunk);
        if chunk.contains("\r\n") {
            let mut plain = String::with_capacity(chunk.len());
            for line in chunk.split_inclusive('\n') {
                match line.strip_suffix("\r\n") {
                    Some(line) => {
                        plain.push_str(line);
                        removed.push(plain.len() as u32);
                        plain.push('\n');
                    }
                    None => plain.push_str(line),
                }
            }
            text = Cow::Owned(plain);
        }
        if !text.ends_with('\n') {
            text.to_mut().push('\n');
        }
        Chunk { text, start, removed }
    }

    fn offset(&self, at: usize) -> usize {
        self.start + at + self.removed.partition_point(|&removed| (removed as usize) < at)
    }
}

/// What the documents of one file share, and where the values of one of them stand.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) source: Arc<Source>,
    pub(super) range: Range<usize>,
    json: bool,
    limits: Limits,
    pub(super) index: usize,
    pub(super) undecodable: Option<String>,
    /// Found by parsing once more when a place is first asked for, which most documents never are.
    layout: OnceLock<Layout>,
}

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) nodes: Vec<Node<'static>>,
    start: usize,
    removed: Vec<u32>,
}

impl Inner {
    pub(super) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| {
            let text = &self.source.text;
            if self.json {
                let nodes = match json::next(text, self.range.start, &self.limits) {
                    Next::Value(nodes, _) => nodes,
                    _ => Vec::new(),
                };
                return Layout { nodes: owned(nodes), start: 0, removed: Vec::new() };
            }
            let chunk = Chunk::new(text, self.range.clone());
            let nodes: Result<_, Problem> = parser::parse(&chunk.text, &self.limits);
            Layout { nodes: owned(nodes.unwrap_or_default()), start: chunk.start, removed: chunk.removed }
        })
    }

    /// Where the node at `place` stands in the file.
    pub(super) fn location(&self, place: u32) -> Location {
        let layout = self.layout();
        let (start, end) = layout.nodes.get(place as usize).map_or((0, 0), |node| (node.start, node.end));
        let offset = |at: u32| layout.start + at as usize + layout.removed.partition_point(|&removed| removed < at);
        let range = offset(start)..offset(end);
        // The end of a block is found behind the line breaks that follow it.
        let inside = self.source.text.get(range.clone()).unwrap_or_default();
        self.source.location(range.start..range.start + inside.trim_end().len())
    }
}

fn owned(nodes: Vec<Node<'_>>) -> Vec<Node<'static>> {
    nodes.into_iter().map(Node::into_owned).collect()
}
