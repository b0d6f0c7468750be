//! The nodes of a document as they stand in the text, and the way from a field path to a node.
use std::borrow::Cow;

use super::resolve::{self, Scalar};

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar,
    /// A JSON number, `true`, `false` or `null`.
    Literal,
    Sequence,
    Mapping,
    /// An alias of an earlier node.
    Alias(u32),
}

/// A node; those inside it follow it directly, up to `next`. The children of a mapping are keys and values in turn.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) shape: Shape,
    /// An untagged plain scalar, whose type is to be guessed.
    pub(super) implicit: bool,
    /// Byte offsets in the text that was parsed.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The place behind the last node inside this one.
    pub(super) next: u32,
    pub(super) tag: Option<Box<str>>,
    pub(super) value: Cow<'a, str>,
}

impl<'a> Node<'a> {
    pub(super) fn new(shape: Shape, start: u32, end: u32, next: u32) -> Self {
        Node { shape, implicit: false, start, end, next, tag: None, value: Cow::Borrowed("") }
    }

    /// The node with its text copied.
    pub(super) fn into_owned(self) -> Node<'static> {
        Node {
            shape: self.shape,
            implicit: self.implicit,
            start: self.start,
            end: self.end,
            next: self.next,
            tag: self.tag,
            value: Cow::Owned(self.value.into_owned()),
        }
    }

    /// A `<<` key: the mapping in its value is merged.
    pub(super) fn is_merge(&self) -> bool {
        self.shape == Shape::Scalar
            && self.value == "<<"
            && (self.implicit || self.tag.as_deref() == Some("tag:yaml.org,2002:merge"))
    }

    /// The text of this node as a JSON key, if it can be one.
    pub(super) fn key(&self) -> Option<Cow<'_, str>> {
        match self.shape {
            Shape::Scalar => match resolve::scalar(self).ok()? {
                Scalar::Str(text) => Some(text),
                other => other.key().map(Cow::Owned),
            },
            _ => None,
        }
    }
}

/// Places of the children of the node at `place`.
pub(super) fn children<'n>(nodes: &'n [Node<'_>], place: u32) -> impl Iterator<Item = u32> + 'n {
    let end = nodes.get(place as usize).map_or(0, |node| node.next);
    let mut next = place + 1;
    std::iter::from_fn(move || {
        let child = next;
        next = nodes.get(child as usize).filter(|_| child < end)?.next.max(child + 1);
        Some(child)
    })
}

/// Where a value stands, and its key if it is in a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) value: u32,
    pub(super) key: Option<u32>,
}

/// Follows a Kubernetes field path (`spec.containers[0].image`, `data[logo.png]`) from the node at `root` as far as
/// it goes.
pub(super) fn follow(nodes: &[Node<'_>], root: u32, path: &str) -> Place {
    let mut place = Place { value: root, key: None };
    let mut rest = path;
    while !rest.is_empty() {
        let Some((next, left)) = step(nodes, place.value, rest) else {
            break;
        };
        place = next;
        rest = left;
    }
    place
}

/// The children of a node, through aliases.
fn target(nodes: &[Node<'_>], place: u32) -> u32 {
    match nodes.get(place as usize).map(|node| node.shape) {
        Some(Shape::Alias(target)) => target,
        _ => place,
    }
}

/// One step along a path: the child it leads to and the path that is left.
fn step<'p>(nodes: &[Node<'_>], from: u32, path: &'p str) -> Option<(Place, &'p str)> {
    let from = target(nodes, from);
    let sequence = nodes.get(from as usize)?.shape == Shape::Sequence;
    if let Some(inside) = path.strip_prefix('[') {
        // A key may itself contain brackets.
        for (end, _) in inside.match_indices(']') {
            let (Some(name), Some(left)) = (inside.get(..end), inside.get(end + 1..)) else {
                continue;
            };
            let found = if sequence {
                let index = name.parse::<usize>().ok();
                index.and_then(|index| children(nodes, from).nth(index)).map(|value| Place { value, key: None })
            } else {
                find(nodes, from, name).or_else(|| find(nodes, from, unquoted(name)?))
            };
            if let Some(place) = found {
                return Some((place, left));
            }
        }
        return None;
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    // A name that contains dots may stand in the path as it is; the shortest key that exists is taken.
    let ends = path.match_indices(['.', '[']).map(|(end, _)| end).filter(|&end| end > 0).chain([path.len()]);
    for end in ends {
        let (Some(name), Some(left)) = (path.get(..end), path.get(end..)) else {
            continue;
        };
        let found = if sequence {
            let index = name.parse::<usize>().ok();
            index.and_then(|index| children(nodes, from).nth(index)).map(|value| Place { value, key: None })
        } else {
            find(nodes, from, name)
        };
        if let Some(place) = found {
            return Some((place, left));
        }
    }
    None
}

fn unquoted(name: &str) -> Option<&str> {
    let quote = name.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    name.strip_prefix(quote)?.strip_suffix(quote)
}

/// The key and value that a mapping has under `name` in the end: the last one wins, and a merge overrides what stands
/// before it.
fn find(nodes: &[Node<'_>], mapping: u32, name: &str) -> Option<Place> {
    let mapping = target(nodes, mapping);
    if nodes.get(mapping as usize)?.shape != Shape::Mapping {
        return None;
    }
    let mut found = None;
    let mut inside = children(nodes, mapping);
    while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
        let Some(node) = nodes.get(target(nodes, key) as usize) else {
            continue;
        };
        if nodes.get(key as usize).is_some_and(Node::is_merge) {
            match nodes.get(value as usize).map(|node| node.shape) {
                Some(Shape::Sequence) => {
                    let mut first = None;
                    for merged in children(nodes, value) {
                        first = first.or_else(|| find(nodes, merged, name));
                    }
                    found = first.or(found);
                }
                _ => found = find(nodes, value, name).or(found),
            }
        } else if node.key().is_some_and(|key| key == name) {
            found = Some(Place { value, key: Some(key) });
        }
    }
    found
}
