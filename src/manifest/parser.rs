//! Tokens to a tree of nodes, with go-yaml v2's grammar (`parserc.go`) and its words for what does not fit.
use std::borrow::Cow;
use std::collections::HashMap;

use super::nodes::{Node, Shape};
use super::scanner::{Kind, Mark, Scan, Scanner, Token, YamlError};
use super::{Limits, Problem};

/// What the parser expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
}

/// What the parser found.
enum Event<'a> {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias {
        name: Cow<'a, str>,
        start: Mark,
        end: Mark,
    },
    Scalar {
        properties: Properties<'a>,
        implicit: bool,
        value: Cow<'a, str>,
        start: Mark,
        end: Mark,
    },
    Start {
        properties: Properties<'a>,
        mapping: bool,
        start: Mark,
        end: Mark,
    },
    /// The end of a collection; flow collections end with a bracket.
    End {
        bracket: Option<Mark>,
    },
}

/// Anchor and tag of a node.
#[derive(Default)]
struct Properties<'a> {
    anchor: Option<Cow<'a, str>>,
    tag: Option<Box<str>>,
}

/// The nodes of the first YAML document of `text` in the order in which they stand; none when there is no document.
pub(super) fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Node<'a>>, Problem> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        state: State::DocumentStart,
        states: Vec::new(),
        marks: Vec::new(),
        tag_directives: Vec::new(),
        implicit_document: true,
    };
    let mut nodes: Vec<Node<'a>> = Vec::with_capacity((text.len() / 8).clamp(4, 1024));
    let mut open: Vec<usize> = Vec::new();
    let mut anchors: HashMap<Cow<'a, str>, u32> = HashMap::new();
    parser.stream_start()?;
    loop {
        let event = parser.next()?;
        let place = nodes.len() as u32;
        if nodes.len() >= limits.nodes {
            return Err(limits.too_many_nodes());
        }
        match event {
            Event::DocumentStart => {}
            Event::DocumentEnd | Event::StreamEnd => return Ok(nodes),
            Event::Alias { name, start, end } => {
                let Some(&target) = anchors.get(&name) else {
                    let message = format!("yaml: unknown anchor '{name}' referenced");
                    return Err(Problem::new(message, Some(start.pos as usize)));
                };
                nodes.push(Node { value: name, ..Node::new(Shape::Alias(target), start.pos, end.pos, place + 1) });
            }
            Event::Scalar { properties, implicit, value, start, end } => {
                if let Some(anchor) = properties.anchor {
                    anchors.insert(anchor, place);
                }
                let node = Node::new(Shape::Scalar, start.pos, end.pos, place + 1);
                nodes.push(Node { implicit, tag: properties.tag, value, ..node });
            }
            Event::Start { properties, mapping, start, end } => {
                if let Some(anchor) = properties.anchor {
                    anchors.insert(anchor, place);
                }
                if open.len() >= limits.depth {
                    return Err(limits.too_deep(Some(start.pos as usize)));
                }
                open.push(nodes.len());
                let shape = if mapping { Shape::Mapping } else { Shape::Sequence };
                nodes.push(Node::new(shape, start.pos, end.pos, place + 1));
            }
            Event::End { bracket } => {
                // A block collection ends where the last node inside it ends; ends are carried outwards because the
                // last node may be less than the collection (a bracket) it stands in.
                let inner = bracket.map(|mark| mark.pos).or_else(|| nodes.last().map(|node| node.end)).unwrap_or(0);
                let Some(node) = open.pop().and_then(|start| nodes.get_mut(start)) else {
                    continue;
                };
                node.end = node.end.max(inner);
                node.next = place;
                let end = node.end;
                if let Some(outer) = open.last().and_then(|&outer| nodes.get_mut(outer)) {
                    outer.end = outer.end.max(end);
                }
            }
        }
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    tag_directives: Vec<(String, String)>,
    implicit_document: bool,
}

impl From<Box<YamlError>> for Problem {
    fn from(error: Box<YamlError>) -> Self {
        let (at, begun) = (error.mark.pos as usize, error.context_mark.pos as usize);
        let known = !error.context.is_empty() && begun != at;
        Problem {
            context: known.then_some((error.context, begun)),
            ..Problem::new(format!("yaml: {}", error.text()), Some(at))
        }
    }
}

fn wrong<T>(problem: &str, mark: Mark) -> Scan<T> {
    wrong_in("", Mark::default(), problem, mark)
}

fn wrong_in<T>(context: &'static str, context_mark: Mark, problem: &str, mark: Mark) -> Scan<T> {
    Err(Box::new(YamlError { scanner: false, problem: problem.to_owned(), mark, context, context_mark }))
}

impl<'a> Parser<'a> {
    fn stream_start(&mut self) -> Scan<()> {
        let (kind, start, _) = self.scanner.peek()?;
        if kind != Kind::StreamStart {
            return wrong("did not find expected <stream-start>", start);
        }
        self.scanner.take();
        Ok(())
    }

    fn next(&mut self) -> Scan<Event<'a>> {
        match self.state {
            State::DocumentStart => self.document_start(),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                self.scanner.peek()?;
                self.state = State::FlowSequenceEntry;
                Ok(Event::End { bracket: None })
            }
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
        }
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::DocumentEnd);
    }

    /// The token after the one that is taken now.
    fn advance(&mut self) -> Scan<(Kind, Mark, Mark)> {
        self.scanner.take();
        self.scanner.peek()
    }

    fn document_start(&mut self) -> Scan<Event<'a>> {
        let (mut kind, _, _) = self.scanner.peek()?;
        if !std::mem::take(&mut self.implicit_document) {
            while kind == Kind::DocumentEnd {
                kind = self.advance()?.0;
            }
        }
        match kind {
            Kind::StreamEnd => {
                self.scanner.take();
                Ok(Event::StreamEnd)
            }
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart => {
                self.directives()?;
                let (kind, start, _) = self.scanner.peek()?;
                if kind != Kind::DocumentStart {
                    return wrong("did not find expected <document start>", start);
                }
                self.states.push(State::DocumentEnd);
                self.state = State::DocumentContent;
                self.scanner.take();
                Ok(Event::DocumentStart)
            }
            _ => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                Ok(Event::DocumentStart)
            }
        }
    }

    fn document_content(&mut self) -> Scan<Event<'a>> {
        let (kind, start, _) = self.scanner.peek()?;
        match kind {
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd => {
                self.pop_state();
                Ok(empty_scalar(start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Scan<Event<'a>> {
        let (kind, _, _) = self.scanner.peek()?;
        if kind == Kind::DocumentEnd {
            self.scanner.take();
        }
        Ok(Event::DocumentEnd)
    }

    fn directives(&mut self) -> Scan<()> {
        let mut version = false;
        loop {
            let (kind, start, _) = self.scanner.peek()?;
            match kind {
                Kind::VersionDirective => {
                    let token = self.scanner.take();
                    if std::mem::replace(&mut version, true) {
                        return wrong("found duplicate %YAML directive", start);
                    }
                    if token.value != "1.1" {
                        return wrong("found incompatible YAML document", start);
                    }
                }
                Kind::TagDirective => {
                    let Token { value, suffix, .. } = self.scanner.take();
                    if self.tag_directives.iter().any(|(handle, _)| *handle == value) {
                        return wrong("found duplicate %TAG directive", start);
                    }
                    self.tag_directives.push((value.into_owned(), suffix.unwrap_or_default().into()));
                }
                _ => break,
            }
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tag_directives.iter().any(|(known, _)| known == handle) {
                self.tag_directives.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn tag(&self, token: Token<'a>, start: Mark) -> Scan<Option<Box<str>>> {
        let suffix = token.suffix.unwrap_or_default();
        if token.value.is_empty() {
            return Ok((!suffix.is_empty()).then_some(suffix));
        }
        match self.tag_directives.iter().find(|(handle, _)| *handle == token.value) {
            Some((_, prefix)) if !(prefix.is_empty() && suffix.is_empty()) => {
                Ok(Some(format!("{prefix}{suffix}").into_boxed_str()))
            }
            _ => wrong_in("while parsing a node", start, "found undefined tag handle", token.start),
        }
    }

    fn node(&mut self, block: bool, indentless_sequence: bool) -> Scan<Event<'a>> {
        let (mut kind, mut start, mut end) = self.scanner.peek()?;
        if kind == Kind::Alias {
            self.pop_state();
            return Ok(Event::Alias { name: self.scanner.take().value, start, end });
        }
        let node_start = start;
        let mut properties = Properties::default();
        let mut tag = None;
        let mut properties_end = start;
        while (kind == Kind::Anchor && properties.anchor.is_none()) || (kind == Kind::Tag && tag.is_none()) {
            let token = self.scanner.take();
            properties_end = token.end;
            if kind == Kind::Anchor {
                properties.anchor = Some(token.value);
            } else {
                tag = Some(token);
            }
            (kind, start, end) = self.scanner.peek()?;
        }
        if let Some(token) = tag {
            properties.tag = self.tag(token, node_start)?;
        }
        let (state, mapping) = match kind {
            Kind::BlockEntry if indentless_sequence => {
                self.state = State::IndentlessSequenceEntry;
                return Ok(Event::Start { properties, mapping: false, start, end });
            }
            Kind::PlainScalar | Kind::QuotedScalar => {
                let implicit = match &properties.tag {
                    None => kind == Kind::PlainScalar,
                    Some(tag) => &**tag == "!",
                };
                self.pop_state();
                let value = self.scanner.take().value;
                return Ok(Event::Scalar { properties, implicit, value, start, end });
            }
            Kind::FlowSequenceStart => (State::FlowSequenceFirstEntry, false),
            Kind::FlowMappingStart => (State::FlowMappingFirstKey, true),
            Kind::BlockSequenceStart if block => (State::BlockSequenceFirstEntry, false),
            Kind::BlockMappingStart if block => (State::BlockMappingFirstKey, true),
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.pop_state();
                let implicit = properties.tag.is_none();
                let value = Cow::Borrowed("");
                return Ok(Event::Scalar { properties, implicit, value, start: node_start, end: properties_end });
            }
            _ => {
                let context = if block { "while parsing a block node" } else { "while parsing a flow node" };
                return wrong_in(context, node_start, "did not find expected node content", start);
            }
        };
        self.state = state;
        Ok(Event::Start { properties, mapping, start, end })
    }

    /// Takes the token that opens a collection and remembers where it stands.
    fn open(&mut self, first: bool) -> Scan<(Kind, Mark, Mark)> {
        let (_, start, _) = self.scanner.peek()?;
        if first {
            self.marks.push(start);
            self.scanner.take();
        }
        self.scanner.peek()
    }

    fn close(&mut self, bracket: bool) -> Event<'a> {
        self.pop_state();
        self.marks.pop();
        let end = self.scanner.take().end;
        Event::End { bracket: bracket.then_some(end) }
    }

    fn expected<T>(&mut self, context: &'static str, problem: &str, mark: Mark) -> Scan<T> {
        let context_mark = self.marks.pop().unwrap_or_default();
        wrong_in(context, context_mark, problem, mark)
    }

    fn block_sequence_entry(&mut self, first: bool) -> Scan<Event<'a>> {
        let (kind, start, end) = self.open(first)?;
        match kind {
            Kind::BlockEntry => {
                let (kind, _, _) = self.advance()?;
                if matches!(kind, Kind::BlockEntry | Kind::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return Ok(empty_scalar(end));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            Kind::BlockEnd => Ok(self.close(false)),
            _ => self.expected("while parsing a block collection", "did not find expected '-' indicator", start),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Scan<Event<'a>> {
        let (kind, _, end) = self.scanner.peek()?;
        if kind != Kind::BlockEntry {
            self.pop_state();
            return Ok(Event::End { bracket: None });
        }
        let (kind, _, _) = self.advance()?;
        if matches!(kind, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd) {
            self.state = State::IndentlessSequenceEntry;
            return Ok(empty_scalar(end));
        }
        self.states.push(State::IndentlessSequenceEntry);
        self.node(true, false)
    }

    fn block_mapping_key(&mut self, first: bool) -> Scan<Event<'a>> {
        let (kind, start, end) = self.open(first)?;
        match kind {
            Kind::Key => self.block_mapping_part(State::BlockMappingValue, end),
            Kind::BlockEnd => Ok(self.close(false)),
            _ => self.expected("while parsing a block mapping", "did not find expected key", start),
        }
    }

    fn block_mapping_value(&mut self) -> Scan<Event<'a>> {
        let (kind, start, end) = self.scanner.peek()?;
        if kind == Kind::Value {
            return self.block_mapping_part(State::BlockMappingKey, end);
        }
        self.state = State::BlockMappingKey;
        Ok(empty_scalar(start))
    }

    /// The node behind a `?` or `:`, which may be missing.
    fn block_mapping_part(&mut self, then: State, end: Mark) -> Scan<Event<'a>> {
        let (kind, _, _) = self.advance()?;
        if matches!(kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
            self.state = then;
            return Ok(empty_scalar(end));
        }
        self.states.push(then);
        self.node(true, true)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Scan<Event<'a>> {
        let (mut kind, mut start, mut end) = self.open(first)?;
        if kind != Kind::FlowSequenceEnd {
            if !first {
                if kind != Kind::FlowEntry {
                    return self.expected("while parsing a flow sequence", "did not find expected ',' or ']'", start);
                }
                (kind, start, end) = self.advance()?;
            }
            if kind == Kind::Key {
                self.state = State::FlowSequenceEntryMappingKey;
                self.scanner.take();
                return Ok(Event::Start { properties: Properties::default(), mapping: true, start, end });
            }
            if kind != Kind::FlowSequenceEnd {
                self.states.push(State::FlowSequenceEntry);
                return self.node(false, false);
            }
        }
        Ok(self.close(true))
    }

    fn flow_sequence_entry_mapping_key(&mut self) -> Scan<Event<'a>> {
        let (kind, _, end) = self.scanner.peek()?;
        if !matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            self.states.push(State::FlowSequenceEntryMappingValue);
            return self.node(false, false);
        }
        self.scanner.take();
        self.state = State::FlowSequenceEntryMappingValue;
        Ok(empty_scalar(end))
    }

    fn flow_sequence_entry_mapping_value(&mut self) -> Scan<Event<'a>> {
        let (kind, start, _) = self.scanner.peek()?;
        if kind == Kind::Value {
            let (kind, _, _) = self.advance()?;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        Ok(empty_scalar(start))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Scan<Event<'a>> {
        let (mut kind, mut start, _) = self.open(first)?;
        if kind != Kind::FlowMappingEnd {
            if !first {
                if kind != Kind::FlowEntry {
                    return self.expected("while parsing a flow mapping", "did not find expected ',' or '}'", start);
                }
                kind = self.advance()?.0;
            }
            if kind == Kind::Key {
                (kind, start, _) = self.advance()?;
                if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return Ok(empty_scalar(start));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if kind != Kind::FlowMappingEnd {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        Ok(self.close(true))
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Scan<Event<'a>> {
        let (kind, mut start, _) = self.scanner.peek()?;
        if !empty && kind == Kind::Value {
            let (kind, next, _) = self.advance()?;
            start = next;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(empty_scalar(start))
    }
}

/// A node that is not there stands for null.
fn empty_scalar<'a>(mark: Mark) -> Event<'a> {
    let properties = Properties::default();
    Event::Scalar { properties, implicit: true, value: Cow::Borrowed(""), start: mark, end: mark }
}
