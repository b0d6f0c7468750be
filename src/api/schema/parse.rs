//! Reads `types.txt`. It is part of the program, so what is wrong in it is a mistake of ours, found by the tests.

use std::collections::HashMap;

use super::{Field, ListType, PatchStrategy, Shape, StructRef, StructType, Table, Type};

/// What a name of a Go package stands for.
#[derive(Clone, Copy)]
enum Named {
    String,
    Other(&'static str),
    Struct(usize),
}

struct Names(HashMap<(&'static str, &'static str), Named>);

/// Parses the whole table.
pub(super) fn table(text: &'static str) -> Table {
    let mut table = Table::default();
    let names = declarations(text, &mut table);
    let mut embedded: Vec<Vec<(&'static str, usize)>> = vec![Vec::new(); table.structs.len()];

    let mut package = "";
    let mut current = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next() else { continue };
        if !line.starts_with(' ') {
            match first {
                "package" => package = words.next().unwrap_or_default(),
                "root" | "struct" => current = Some(current.map_or(0, |index| index + 1)),
                _ => {}
            }
            continue;
        }
        let Some(index) = current else { continue };
        let ty = words.next().unwrap_or_default();
        if first == "inline" {
            if let Shape::Struct(inner) = names.resolve(ty, package).shape {
                let go_name = ty.rsplit('.').next().unwrap_or(ty);
                if let Some(embedded) = embedded.get_mut(index) {
                    embedded.push((go_name, inner.0));
                }
            }
        } else if let Some(owner) = table.structs.get_mut(index) {
            owner.fields.push(field(first, names.resolve(ty, package), words));
        }
    }

    for index in 0..table.structs.len() {
        let mut promoted = Vec::new();
        promote(&table, &embedded, index, &mut Vec::new(), &mut promoted);
        if let Some(owner) = table.structs.get_mut(index) {
            owner.fields.append(&mut promoted);
        }
    }
    // Last, so that nothing is promoted twice.
    for owner in &mut table.structs {
        owner.fields.sort_by_key(|field| (field.json_name, field.embedded_in.len()));
        owner.fields.dedup_by_key(|field| field.json_name);
    }
    table
}

/// First pass: which names there are.
fn declarations(text: &'static str, table: &mut Table) -> Names {
    let mut names = HashMap::with_capacity(512);
    let (mut package, mut api_version) = ("", "");
    for line in text.lines().filter(|line| !line.starts_with([' ', '#'])) {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("package") => {
                package = words.next().unwrap_or_default();
                api_version = words.next().unwrap_or_default();
            }
            Some("strings") => names.extend(words.map(|name| ((package, name), Named::String))),
            Some("name") => {
                if let (Some(name), Some(ty)) = (words.next(), words.next()) {
                    names.insert((package, name), Named::Other(ty));
                }
            }
            Some(keyword @ ("root" | "struct")) => {
                let Some(go_name) = words.next() else {
                    continue;
                };
                let index = table.structs.len();
                if keyword == "root" {
                    table.roots.push((api_version, index));
                }
                names.insert((package, go_name), Named::Struct(index));
                let atomic = words.any(|word| word == "struct=atomic");
                table.structs.push(StructType { go_name, go_package: package, atomic, fields: Vec::new() });
            }
            _ => {}
        }
    }
    Names(names)
}

impl Names {
    fn resolve(&self, text: &'static str, package: &'static str) -> Type {
        let (pointer, text) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        Type { shape: self.shape(text, package), pointer, text, package }
    }

    fn shape(&self, text: &'static str, package: &'static str) -> Shape {
        match text {
            "bool" => return Shape::Bool,
            "int32" => return Shape::Int32,
            "int64" => return Shape::Int64,
            "string" | "types.UID" => return Shape::String,
            "[]byte" => return Shape::Bytes,
            "quantity" => return Shape::Quantity,
            "intorstring" => return Shape::IntOrString,
            "time" => return Shape::Time,
            "microtime" => return Shape::MicroTime,
            "raw" => return Shape::Raw,
            _ => {}
        }
        if let Some(element) = text.strip_prefix("[]") {
            return Shape::List(Box::new(self.resolve(element, package)));
        }
        if let Some((_key, value)) = text.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
            return Shape::Map(Box::new(self.resolve(value, package)));
        }
        let (package, name) = text.split_once('.').unwrap_or((package, text));
        match self.0.get(&(package, name)) {
            Some(Named::String) => Shape::String,
            Some(Named::Struct(index)) => Shape::Struct(StructRef(*index)),
            Some(Named::Other(ty)) => self.shape(ty, package),
            None => {
                debug_assert!(false, "types.txt: unknown type {package}.{name}");
                Shape::Raw
            }
        }
    }
}

fn field(json_name: &'static str, ty: Type, words: impl Iterator<Item = &'static str>) -> Field {
    let mut field = Field {
        json_name,
        ty,
        omit_empty: false,
        omit_zero: false,
        false_is_own: false,
        patch_strategy: PatchStrategy::default(),
        patch_merge_key: None,
        list_type: None,
        atomic: false,
        embedded_in: &[],
    };
    for word in words {
        match word.split_once('=') {
            None if word == "?" => field.omit_empty = true,
            None if word == "0" => field.omit_zero = true,
            Some(("patch", strategies)) => {
                for strategy in strategies.split(',') {
                    field.patch_strategy.merge |= strategy == "merge";
                    field.patch_strategy.retain_keys |= strategy == "retainKeys";
                }
            }
            Some(("false", "own")) => field.false_is_own = true,
            Some(("key", key)) => field.patch_merge_key = Some(key),
            Some(("list", "atomic")) => field.list_type = Some(ListType::Atomic),
            Some(("list", "set")) => field.list_type = Some(ListType::Set),
            Some(("keys", keys)) => field.list_type = Some(ListType::Map(leak(keys.split(',')))),
            Some(("map" | "struct", "atomic")) => field.atomic = true,
            // `list=map` is told by its keys; `granular` is the default.
            _ => {}
        }
    }
    field
}

/// Collects the fields of the structs embedded in `owner`, which Go promotes to it.
fn promote(
    table: &Table,
    embedded: &[Vec<(&'static str, usize)>],
    owner: usize,
    through: &mut Vec<&'static str>,
    promoted: &mut Vec<Field>,
) {
    for (go_name, inner) in embedded.get(owner).into_iter().flatten() {
        through.push(go_name);
        let embedded_in = leak(through.iter().copied());
        let own = table.structs.get(*inner).into_iter().flat_map(|inner| &inner.fields);
        promoted.extend(own.filter(|field| field.embedded_in.is_empty()).cloned().map(|mut field| {
            field.embedded_in = embedded_in;
            field
        }));
        promote(table, embedded, *inner, through, promoted);
        through.pop();
    }
}

/// The table lives as long as the program, and is made once.
fn leak(names: impl Iterator<Item = &'static str>) -> &'static [&'static str] {
    Box::leak(names.collect())
}
