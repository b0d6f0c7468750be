//! From the bytes of a manifest to documents, as `kubectl apply -f` reads them, each value knowing where it stands.
//!
//! kubectl reads a file as a stream of JSON values or of YAML documents; YAML goes through go-yaml v2 (YAML 1.1, with
//! its own grammar and error texts) and becomes JSON. The modules follow that way: `stream` cuts the file, `scanner`
//! and `parser` make nodes of a YAML document and `json` of a JSON value, `resolve` says what a scalar means, `decode`
//! makes the value.
//!
//! ```
//! let manifest = ckad_grade::manifest::read("web.yaml", b"kind: Pod\nspec:\n  hostNetwork: yes\n");
//! let pod = &manifest.documents[0];
//! assert_eq!(pod.value["spec"]["hostNetwork"], true);
//! assert_eq!(pod.locate("spec.hostNetwork").line, 3);
//! ```
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

mod decode;
mod go;
mod go_value;
mod json;
mod nodes;
mod parser;
mod resolve;
mod scanner;
mod stream;
#[cfg(test)]
mod tests;

pub use json::check_object as check_json_object;

/// A file that documents came from.
#[derive(Debug)]
pub struct Source {
    /// What kubectl would be given after `-f`.
    pub name: String,
    /// The text as kubectl decodes it: UTF-8, or UTF-16 behind a byte order mark, with U+FFFD for what is neither; the
    /// byte order mark is left out.
    pub text: String,
    lines: OnceLock<Vec<usize>>,
}

impl Source {
    /// A file with this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into(), lines: OnceLock::new() }
    }

    /// Line and column of a byte range of the text.
    pub fn location(&self, range: Range<usize>) -> Location {
        let lines = self.lines.get_or_init(|| {
            let breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(breaks).collect()
        });
        let start = floor_boundary(&self.text, range.start);
        let line = lines.partition_point(|&begin| begin <= start);
        let begin = line.checked_sub(1).and_then(|line| lines.get(line)).copied().unwrap_or(0);
        let column = self.text.get(begin..start).unwrap_or_default().chars().count() + 1;
        let end = floor_boundary(&self.text, range.end).max(start);
        Location { line: line.max(1), column, range: start..end }
    }
}

/// A place in a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of [`Source::text`] that are meant; may be empty.
    pub range: Range<usize>,
}

/// One document of a file: a JSON value that is not null.
#[derive(Clone, Debug)]
pub struct Document {
    /// The value as kubectl's unstructured object holds it: a whole number that fits is an `i64`, any other an `f64`.
    pub value: Value,
    inner: Arc<stream::Inner>,
    /// The way to this document through the `items` of the Lists around it.
    within: Vec<usize>,
}

impl Document {
    /// The file the document came from.
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// How many documents of the file came before this one; a List counts as one.
    pub fn index(&self) -> usize {
        self.inner.index
    }

    /// What kubectl says when it makes an object of this document, if the JSON itself prevents that: a number too large
    /// for a float. It follows `unable to decode "FILE": `.
    pub fn undecodable(&self) -> Option<&str> {
        self.inner.undecodable.as_deref()
    }

    /// Where the document stands.
    pub fn location(&self) -> Location {
        self.inner.location(self.root().value)
    }

    /// Where the value at a Kubernetes field path stands: `spec.containers[0].image`, `data[logo.png]`,
    /// `metadata.labels["a/b"]`; the nearest ancestor that exists when there is none at the path.
    pub fn locate(&self, field_path: &str) -> Location {
        let nodes = &self.inner.layout().nodes;
        self.inner.location(nodes::follow(nodes, self.root().value, field_path).value)
    }

    /// Where the key of the value at a field path stands; the value itself when it is in a list, and as
    /// [`Document::locate`] when there is none at the path.
    pub fn locate_key(&self, field_path: &str) -> Location {
        let nodes = &self.inner.layout().nodes;
        let place = nodes::follow(nodes, self.root().value, field_path);
        self.inner.location(place.key.unwrap_or(place.value))
    }

    /// The `items` of a List as documents of their own, with the same source; none when there is no such list. An
    /// item is left as it is written, even if it leaves out the `kind` that the List's kind would give it.
    pub fn items(&self) -> Vec<Document> {
        let items = self.value.get("items").and_then(Value::as_array);
        let documents = items.into_iter().flatten().enumerate().map(|(index, value)| {
            let within = self.within.iter().copied().chain([index]).collect();
            Document { value: value.clone(), inner: Arc::clone(&self.inner), within }
        });
        documents.collect()
    }

    fn root(&self) -> nodes::Place {
        let nodes = &self.inner.layout().nodes;
        self.within.iter().fold(nodes::Place { value: 0, key: None }, |place, index| {
            nodes::follow(nodes, place.value, &format!("items[{index}]"))
        })
    }
}

/// Why the rest of a file could not be read.
#[derive(Clone, Debug)]
pub struct ReadError {
    /// What kubectl prints behind `error parsing FILE: `. Its `line N` counts from the start of the document.
    pub message: String,
    /// Where in the file that is, if it can be said.
    pub location: Option<Location>,
    /// What was being read, and where that began; kubectl does not print it.
    pub context: Option<ErrorContext>,
    /// The file.
    pub source: Arc<Source>,
}

/// What was being read when an error was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorContext {
    /// In libyaml's words: `while scanning a quoted scalar`.
    pub text: &'static str,
    /// Where it began.
    pub location: Location,
}

/// What was read from a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The documents before the error, if there is one: kubectl applies them. Empty documents are left out.
    pub documents: Vec<Document>,
    /// Why reading ended before the end of the file.
    pub error: Option<ReadError>,
}

/// Bounds on what is read, so that no file can exhaust memory or stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: usize,
    /// Collections inside one another.
    pub depth: usize,
    /// Values of one document, with what aliases stand for.
    pub nodes: usize,
    /// Documents of a file.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 16 << 20, depth: 1000, nodes: 2_000_000, documents: 100_000 }
    }
}

impl Limits {
    fn too_many_nodes(&self) -> Problem {
        Problem::limit(format!("the document holds more than {} values", self.nodes), None)
    }

    fn too_deep(&self, at: Option<usize>) -> Problem {
        Problem::limit(format!("the document is nested more than {} levels deep", self.depth), at)
    }
}

/// Reads a manifest as `kubectl apply -f NAME` does.
pub fn read(name: &str, bytes: &[u8]) -> Manifest {
    read_with_limits(name, bytes, &Limits::default())
}

/// As [`read`], with other bounds.
pub fn read_with_limits(name: &str, bytes: &[u8], limits: &Limits) -> Manifest {
    // Places are kept in 32 bits.
    let most = limits.bytes.min(1 << 30);
    if bytes.len() > most {
        let source = Arc::new(Source::new(name, ""));
        let message = format!("the file is larger than {most} bytes");
        return Manifest {
            documents: Vec::new(),
            error: Some(ReadError { message, location: None, context: None, source }),
        };
    }
    stream::read(Arc::new(Source::new(name, text(bytes))), limits.clone())
}

/// The text of a file: `unicode.BOMOverride(unicode.UTF8.NewDecoder())` in k8s.io/cli-runtime's `FileVisitor`.
fn text(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let decoded = char::decode_utf16(pairs.iter().map(|&pair| unit(pair)));
        let mut text: String = decoded.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.extend(rest.first().map(|_| char::REPLACEMENT_CHARACTER));
        text
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8_lossy(rest).into_owned(),
    }
}

/// Why a document could not be read, with places in the text of the document.
#[derive(Debug)]
struct Problem {
    message: String,
    at: Option<usize>,
    context: Option<(&'static str, usize)>,
    /// One of our own bounds, not an error of kubectl.
    limit: bool,
}

impl Problem {
    fn new(message: String, at: Option<usize>) -> Self {
        Problem { message, at, context: None, limit: false }
    }

    fn limit(message: String, at: Option<usize>) -> Self {
        Problem { limit: true, ..Problem::new(message, at) }
    }
}

/// The last place up to `at` where a character begins, or the end.
fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
