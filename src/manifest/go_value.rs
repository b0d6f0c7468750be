//! The slow way from nodes to JSON, over values with Go's types: for documents with something in them that JSON cannot
//! hold, whose errors show those values as Go prints them.
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::decode::Walk;
use super::go;
use super::nodes::{Node, Shape};
use super::resolve::{self, Scalar};
use super::{Limits, Problem};

/// A value as go-yaml decodes it into `interface{}`.
enum GoValue {
    Scalar(Scalar<'static>),
    List(Vec<GoValue>),
    /// `map[interface{}]interface{}`.
    Map(Entries),
}

/// Keys and values by the text of the key.
type Entries = BTreeMap<String, (Scalar<'static>, GoValue)>;

/// As [`super::decode::decode`].
pub(super) fn decode(nodes: &[Node<'_>], limits: &Limits) -> Result<Value, Problem> {
    let mut walk = Walk::new(nodes, limits);
    let value = read(&mut walk, 0).map_err(|problem| *problem)?;
    let json = value.into_json().map_err(|message| Problem::new(message, None))?;
    Ok(json)
}

fn read(walk: &mut Walk<'_, '_>, place: u32) -> Result<GoValue, Box<Problem>> {
    let node = walk.visit(place)?;
    match node.shape {
        Shape::Scalar | Shape::Literal => read_scalar(walk, place).map(GoValue::Scalar),
        Shape::Alias(target) => {
            walk.enter_alias(place)?;
            let value = read(walk, target)?;
            walk.leave_alias();
            Ok(value)
        }
        Shape::Sequence => {
            walk.enter_collection(place)?;
            let mut list = Vec::new();
            let mut child = place + 1;
            while child < node.next {
                list.push(read(walk, child)?);
                child = walk.node(child)?.next;
            }
            walk.leave_collection();
            Ok(GoValue::List(list))
        }
        Shape::Mapping => {
            let mut map = Entries::new();
            read_mapping(walk, place, &mut map)?;
            Ok(GoValue::Map(map))
        }
    }
}

fn read_scalar(walk: &Walk<'_, '_>, place: u32) -> Result<Scalar<'static>, Box<Problem>> {
    resolve::scalar(walk.node(place)?).map(owned).map_err(|message| walk.problem(&message, place))
}

fn read_mapping(walk: &mut Walk<'_, '_>, place: u32, map: &mut Entries) -> Result<(), Box<Problem>> {
    walk.enter_collection(place)?;
    let end = walk.node(place)?.next;
    let mut key = place + 1;
    while key < end {
        let key_node = walk.node(key)?;
        let value = key_node.next;
        if key_node.is_merge() {
            read_merge(walk, value, map)?;
        } else {
            let (text, name) = read_key(walk, key)?;
            let content = read(walk, value)?;
            map.insert(text, (name, content));
        }
        key = walk.node(value)?.next;
    }
    walk.leave_collection();
    Ok(())
}

fn read_merge(walk: &mut Walk<'_, '_>, place: u32, map: &mut Entries) -> Result<(), Box<Problem>> {
    for merged in walk.merged(place)? {
        walk.check_merge(merged)?;
        if let Shape::Alias(target) = walk.visit(merged)?.shape {
            walk.enter_alias(merged)?;
            walk.visit(target)?;
            read_mapping(walk, target, map)?;
            walk.leave_alias();
        } else {
            read_mapping(walk, merged, map)?;
        }
    }
    Ok(())
}

fn read_key(walk: &mut Walk<'_, '_>, place: u32) -> Result<(String, Scalar<'static>), Box<Problem>> {
    match read(walk, place)? {
        GoValue::Scalar(name) => {
            // No key has a NUL in front, unless it is one that JSON cannot hold.
            let text = name.key().unwrap_or_else(|| format!("\0{name:?}"));
            Ok((text, name))
        }
        other => {
            let message = format!("yaml: invalid map key: {}", other.go_syntax());
            Err(walk.problem(&message, place))
        }
    }
}

fn owned(scalar: Scalar<'_>) -> Scalar<'static> {
    match scalar {
        Scalar::Null => Scalar::Null,
        Scalar::Bool(value) => Scalar::Bool(value),
        Scalar::Int(value) => Scalar::Int(value),
        Scalar::Uint(value) => Scalar::Uint(value),
        Scalar::Float(value) => Scalar::Float(value),
        Scalar::Str(text) => Scalar::Str(text.into_owned().into()),
    }
}

impl GoValue {
    /// The JSON of this value. Keys are checked everywhere before any value is.
    fn into_json(self) -> Result<Value, String> {
        self.check_keys()?;
        self.convert()
    }

    /// `convertToJSONableObject` of sigs.k8s.io/yaml. (Loops, not iterators, keep the stack small.)
    fn check_keys(&self) -> Result<(), String> {
        match self {
            GoValue::Scalar(_) => {}
            GoValue::List(list) => {
                for item in list {
                    item.check_keys()?;
                }
            }
            GoValue::Map(map) => {
                for (key, value) in map.values() {
                    if key.key().is_none() {
                        return Err(unsupported_key(key, value));
                    }
                    value.check_keys()?;
                }
            }
        }
        Ok(())
    }

    fn convert(self) -> Result<Value, String> {
        match self {
            GoValue::Scalar(Scalar::Float(value)) => Scalar::Float(value)
                .into_json()
                .ok_or_else(|| format!("json: unsupported value: {}", go::float_text(value))),
            GoValue::Scalar(scalar) => Ok(scalar.into_json().unwrap_or_default()),
            GoValue::List(list) => {
                let mut array = Vec::with_capacity(list.len());
                for item in list {
                    array.push(item.convert()?);
                }
                Ok(Value::Array(array))
            }
            GoValue::Map(map) => {
                let mut object = Map::new();
                for (key, (_, value)) in map {
                    object.insert(key, value.convert()?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// What `%#v` prints.
    fn go_syntax(&self) -> String {
        let mut out = String::new();
        match self {
            GoValue::Scalar(Scalar::Null) => out.push_str("<nil>"),
            _ => self.write(&mut out),
        }
        out
    }

    /// As [`GoValue::go_syntax`] inside a collection, where nil has a type.
    fn write(&self, out: &mut String) {
        match self {
            GoValue::Scalar(scalar) => out.push_str(&scalar_syntax(scalar)),
            GoValue::List(list) => {
                out.push_str("[]interface {}{");
                for (index, item) in list.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    item.write(out);
                }
                out.push('}');
            }
            GoValue::Map(map) => {
                out.push_str("map[interface {}]interface {}{");
                let mut entries: Vec<_> = map.values().collect();
                entries.sort_by(|(one, _), (other, _)| order(one, other));
                for (index, (key, value)) in entries.into_iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    out.push_str(&scalar_syntax(key));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn unsupported_key(key: &Scalar<'_>, value: &GoValue) -> String {
    let (kind, key) = match key {
        Scalar::Uint(number) => ("uint64", format!("{number:#x}")),
        _ => ("%!s(<nil>)", "<nil>".to_owned()),
    };
    let value = value.go_syntax();
    format!("unsupported map key of type: {kind}, key: {key}, value: {value}")
}

fn scalar_syntax(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Null => "interface {}(nil)".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => format!("{value:#x}"),
        Scalar::Float(value) => go::float_text(*value),
        Scalar::Str(text) => go::quote(text),
    }
}

/// The order in which Go prints keys of one type; that of different types is not defined.
fn order(one: &Scalar<'_>, other: &Scalar<'_>) -> std::cmp::Ordering {
    fn kind(scalar: &Scalar<'_>) -> u8 {
        match scalar {
            Scalar::Null => 0,
            Scalar::Bool(_) => 1,
            Scalar::Int(_) => 2,
            Scalar::Uint(_) => 3,
            Scalar::Float(_) => 4,
            Scalar::Str(_) => 5,
        }
    }
    match (one, other) {
        (Scalar::Bool(one), Scalar::Bool(other)) => one.cmp(other),
        (Scalar::Int(one), Scalar::Int(other)) => one.cmp(other),
        (Scalar::Uint(one), Scalar::Uint(other)) => one.cmp(other),
        (Scalar::Float(one), Scalar::Float(other)) => one.total_cmp(other),
        (Scalar::Str(one), Scalar::Str(other)) => one.cmp(other),
        _ => kind(one).cmp(&kind(other)),
    }
}
