//! Nodes to a JSON value, as go-yaml v2 decodes into `interface{}` (`decode.go`) and sigs.k8s.io/yaml goes on to JSON.
use serde_json::{Map, Value};

use super::nodes::{Node, Shape};
use super::resolve::{self, Scalar};
use super::{Limits, Problem, go_value};

pub(super) const WANT_MAP: &str = "yaml: map merge requires map or sequence of maps as the value";

/// What a document turned into.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) value: Value,
    /// What kubectl says later, when it makes an object of this JSON, if it cannot.
    pub(super) undecodable: Option<String>,
}

/// Decodes the document whose nodes these are; no nodes are null.
pub(super) fn decode(nodes: &[Node<'_>], limits: &Limits) -> Result<Decoded, Problem> {
    if nodes.is_empty() {
        return Ok(Decoded { value: Value::Null, undecodable: None });
    }
    let mut decoder = Decoder { nodes, walk: Walk::new(nodes, limits), undecodable: None };
    match decoder.value(0) {
        Ok(value) => Ok(Decoded { value, undecodable: decoder.undecodable }),
        Err(Stop::Problem(problem)) => Err(*problem),
        Err(Stop::Odd) => go_value::decode(nodes, limits).map(|value| Decoded { value, undecodable: None }),
    }
}

/// Counts what is decoded, so that neither depth nor aliases can run away.
pub(super) struct Walk<'n, 'a> {
    nodes: &'n [Node<'a>],
    limits: &'n Limits,
    decoded: usize,
    through_aliases: usize,
    depth: usize,
    aliases: Vec<u32>,
}

impl<'n, 'a> Walk<'n, 'a> {
    pub(super) fn new(nodes: &'n [Node<'a>], limits: &'n Limits) -> Self {
        // go-yaml counts the document as a node.
        Walk { nodes, limits, decoded: 1, through_aliases: 0, depth: 0, aliases: Vec::new() }
    }

    /// The node at `place`, counted; go-yaml's own bound on aliases comes first.
    pub(super) fn visit(&mut self, place: u32) -> Result<&'n Node<'a>, Box<Problem>> {
        self.decoded += 1;
        if !self.aliases.is_empty() {
            self.through_aliases += 1;
            if self.through_aliases > 100
                && self.decoded > 1000
                && self.through_aliases as f64 / self.decoded as f64 > allowed_alias_ratio(self.decoded)
            {
                return Err(self.problem("yaml: document contains excessive aliasing", place));
            }
        }
        if self.decoded > self.limits.nodes.saturating_add(1) {
            return Err(Box::new(self.limits.too_many_nodes()));
        }
        self.node(place)
    }

    pub(super) fn node(&self, place: u32) -> Result<&'n Node<'a>, Box<Problem>> {
        self.nodes.get(place as usize).ok_or_else(|| self.problem("yaml: unknown problem parsing YAML content", place))
    }

    pub(super) fn problem(&self, message: &str, place: u32) -> Box<Problem> {
        let at = self.nodes.get(place as usize).map(|node| node.start as usize);
        Box::new(Problem::new(message.to_owned(), at))
    }

    pub(super) fn enter_alias(&mut self, place: u32) -> Result<(), Box<Problem>> {
        if self.aliases.contains(&place) {
            let name = self.node(place)?.value.clone();
            return Err(self.problem(&format!("yaml: anchor '{name}' value contains itself"), place));
        }
        self.aliases.push(place);
        Ok(())
    }

    pub(super) fn leave_alias(&mut self) {
        self.aliases.pop();
    }

    pub(super) fn enter_collection(&mut self, place: u32) -> Result<(), Box<Problem>> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            let at = self.nodes.get(place as usize).map(|node| node.start as usize);
            return Err(Box::new(self.limits.too_deep(at)));
        }
        Ok(())
    }

    pub(super) fn leave_collection(&mut self) {
        self.depth -= 1;
    }

    /// The mappings that the value of a `<<` key merges, in the order in which they are applied: the first wins.
    pub(super) fn merged(&self, place: u32) -> Result<Vec<u32>, Box<Problem>> {
        let list = match self.node(place)?.shape {
            Shape::Sequence => {
                let mut list: Vec<u32> = super::nodes::children(self.nodes, place).collect();
                list.reverse();
                list
            }
            _ => vec![place],
        };
        Ok(list)
    }

    /// Checks that one of them is a mapping.
    pub(super) fn check_merge(&self, place: u32) -> Result<(), Box<Problem>> {
        let shape = match self.node(place)?.shape {
            Shape::Alias(target) => self.node(target)?.shape,
            shape => shape,
        };
        if shape == Shape::Mapping { Ok(()) } else { Err(self.problem(WANT_MAP, place)) }
    }
}

/// Up to 400,000 nodes 99% may come from aliases, from 4,000,000 on 10%.
fn allowed_alias_ratio(decoded: usize) -> f64 {
    match decoded {
        ..=400_000 => 0.99,
        4_000_000.. => 0.10,
        _ => 0.99 - 0.89 * ((decoded - 400_000) as f64 / 3_600_000.0),
    }
}

enum Stop {
    Problem(Box<Problem>),
    /// Something that JSON cannot hold; [`go_value`] finds out what Go says to it.
    Odd,
}

impl From<Box<Problem>> for Stop {
    fn from(problem: Box<Problem>) -> Self {
        Stop::Problem(problem)
    }
}

struct Decoder<'n, 'a> {
    nodes: &'n [Node<'a>],
    walk: Walk<'n, 'a>,
    undecodable: Option<String>,
}

impl Decoder<'_, '_> {
    fn value(&mut self, place: u32) -> Result<Value, Stop> {
        let node = self.walk.visit(place)?;
        match node.shape {
            Shape::Scalar => self.scalar(place)?.into_json().ok_or(Stop::Odd),
            Shape::Literal => Ok(self.literal(&node.value)),
            Shape::Alias(target) => {
                self.walk.enter_alias(place)?;
                let value = self.value(target)?;
                self.walk.leave_alias();
                Ok(value)
            }
            Shape::Sequence => {
                self.walk.enter_collection(place)?;
                let mut list = Vec::new();
                let mut child = place + 1;
                while child < node.next {
                    list.push(self.value(child)?);
                    child = self.after(child);
                }
                self.walk.leave_collection();
                Ok(Value::Array(list))
            }
            Shape::Mapping => {
                let mut map = Map::new();
                self.mapping(place, node.next, &mut map)?;
                Ok(Value::Object(map))
            }
        }
    }

    fn after(&self, place: u32) -> u32 {
        self.nodes.get(place as usize).map_or(u32::MAX, |node| node.next)
    }

    fn scalar(&self, place: u32) -> Result<Scalar<'_>, Stop> {
        let node = self.walk.node(place)?;
        resolve::scalar(node).map_err(|message| Stop::Problem(self.walk.problem(&message, place)))
    }

    /// A JSON literal.
    fn literal(&mut self, text: &str) -> Value {
        match text {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => resolve::json_number(text).map_or_else(
                || {
                    let message = format!("json: cannot unmarshal number {text} into Go value of type float64");
                    self.undecodable.get_or_insert(message);
                    Value::Null
                },
                Value::Number,
            ),
        }
    }

    /// Sets the entries of a mapping in the order in which they stand, so that the last one wins.
    fn mapping(&mut self, place: u32, end: u32, map: &mut Map<String, Value>) -> Result<(), Stop> {
        self.walk.enter_collection(place)?;
        let mut key = place + 1;
        while key < end {
            let value = self.after(key);
            if self.walk.node(key)?.is_merge() {
                self.merge(value, map)?;
            } else {
                let name = self.key(key)?;
                let value = self.value(value)?;
                map.insert(name, value);
            }
            key = self.after(value);
        }
        self.walk.leave_collection();
        Ok(())
    }

    fn key(&mut self, place: u32) -> Result<String, Stop> {
        match self.walk.visit(place)?.shape {
            Shape::Scalar => match self.scalar(place)? {
                Scalar::Str(text) => Ok(text.into_owned()),
                other => other.key().ok_or(Stop::Odd),
            },
            Shape::Alias(target) => {
                self.walk.enter_alias(place)?;
                let key = self.key(target)?;
                self.walk.leave_alias();
                Ok(key)
            }
            _ => Err(Stop::Odd),
        }
    }

    fn merge(&mut self, place: u32, map: &mut Map<String, Value>) -> Result<(), Stop> {
        for merged in self.walk.merged(place)? {
            self.walk.check_merge(merged)?;
            let node = self.walk.visit(merged)?;
            if let Shape::Alias(target) = node.shape {
                self.walk.enter_alias(merged)?;
                let end = self.walk.visit(target)?.next;
                self.mapping(target, end, map)?;
                self.walk.leave_alias();
            } else {
                self.mapping(merged, node.next, map)?;
            }
        }
        Ok(())
    }
}
