//! What could stand in a field: drawn from the pool, by the field's type and by how the present value looks.
use serde_json::{Map, Value, json};

use super::{Walk, is_scalar};
use crate::api::dynamic::FieldValidation;
use crate::api::object::Kind;
use crate::api::quantity::Quantity;
use crate::api::schema::{Segment, Shape, StructType, Type};
use crate::explain::references::kind_of;
use crate::suggest::distance;

/// The most values that are tried for one scalar.
const MAX_SCALARS: usize = 48;
/// The most values that are tried for a struct that is added.
const MAX_STRUCTS: usize = 60;
/// The most labels of which two are put together.
const MAX_PAIRS: usize = 6;
/// How deep a struct that is added can be.
const MAX_DEPTH: usize = 8;

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Path,
    Number,
    Name,
    Word,
    Other,
}

fn look(text: &str) -> Look {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if text.starts_with('/') {
        Look::Path
    } else if text.parse::<f64>().is_ok() || Quantity::parse_trimmed(text).is_ok() {
        Look::Number
    } else if text.chars().all(name) {
        Look::Name
    } else if text.chars().all(|c| c.is_ascii_alphanumeric()) {
        Look::Word
    } else {
        Look::Other
    }
}

/// Whether two values are so much alike that somebody could have mixed them up.
pub(super) fn can_change_places(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => {
            look(one) == look(other) && matches!(look(one), Look::Path | Look::Number)
        }
        (Value::Number(_), Value::Number(_)) => true,
        _ => false,
    }
}

impl Walk<'_> {
    /// Values for a field that is not there, or for a new item of a list.
    pub(super) fn values_for(
        &mut self,
        owner: &'static StructType,
        name: &'static str,
        ty: &'static Type,
        depth: usize,
    ) -> Vec<Value> {
        match &ty.shape {
            Shape::Struct(inner) => self.structs_for(inner.get(), depth + 1),
            Shape::List(element) => {
                self.path.push(0.into());
                let items = self.values_for(owner, name, element, depth + 1);
                self.path.pop();
                items.into_iter().map(|item| Value::Array(vec![item])).collect()
            }
            Shape::Map(element) => {
                let entries = self.map_entries(owner, name, element);
                let is_text = matches!(element.shape, Shape::String);
                let together = if is_text { self.pairs_together() } else { Vec::new() };
                together
                    .into_iter()
                    .chain(entries.into_iter().map(|(key, value)| Value::from_iter([(key, value)])))
                    .collect()
            }
            _ => self.scalars(owner, name, ty, None),
        }
    }

    /// What the task says of labels: all of it, and each two that do not contradict each other.
    pub(super) fn pairs_together(&self) -> Vec<Value> {
        let spoken = &self.context.pool.spoken_pairs;
        let map = |pairs: &[&(String, String)]| {
            pairs.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect::<Value>()
        };
        let mut found = Vec::new();
        if spoken.len() > 1 {
            found.push(map(&spoken.iter().collect::<Vec<_>>()));
        }
        for (order, one) in spoken.iter().enumerate().take(MAX_PAIRS) {
            let others = spoken.iter().take(MAX_PAIRS).skip(order + 1).filter(|other| other.0 != one.0);
            found.extend(others.map(|other| map(&[one, other])));
        }
        found
    }

    /// Structs with what they need, and one or all of the fields that are spoken of.
    fn structs_for(&mut self, ty: &'static StructType, depth: usize) -> Vec<Value> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        if ty.field("key").is_some() && ty.field("values").is_some() {
            return self.requirements(ty);
        }
        if ty.go_name == "Toleration" {
            return self.context.pool.tolerations.clone();
        }
        let mut known = Vec::new();
        let mut needed = Vec::new();
        for field in ty.fields() {
            let is_known = self.context.pool.knows_field(ty, field.json_name);
            let is_needed = !field.omit_empty && !field.omit_zero && !field.ty.pointer && is_scalar(&field.ty);
            if !is_known && !is_needed || super::is_of_the_server(ty, field.json_name) {
                continue;
            }
            self.path.push(field.json_name.into());
            let values = self.values_for(ty, field.json_name, &field.ty, depth);
            self.path.pop();
            if values.is_empty() {
                continue;
            }
            let list = if is_needed { &mut needed } else { &mut known };
            list.push((field.json_name, values));
        }
        let mut structs = vec![Map::new()];
        for (name, values) in needed {
            structs = product(structs, name, &values);
        }
        let mut out: Vec<Value> = Vec::new();
        if known.is_empty() || structs.iter().any(|s| !s.is_empty()) {
            out.extend(structs.iter().cloned().map(Value::Object));
        }
        for (name, values) in &known {
            out.extend(product(structs.clone(), name, values).into_iter().map(Value::Object));
        }
        if known.len() > 1 {
            for (name, values) in &known {
                structs = product(structs, name, values);
            }
            out.extend(structs.into_iter().map(Value::Object));
        }
        if ty.fields().all(|field| field.omit_empty) {
            out.push(json!({}));
        }
        out.truncate(MAX_STRUCTS);
        out
    }

    /// What a label selector, a node selector or a topology asks: keys and values that belong together.
    fn requirements(&self, ty: &'static StructType) -> Vec<Value> {
        let pairs = self.context.pool.pairs().iter().take(MAX_STRUCTS);
        let operator = ty.field("operator").is_some();
        let mut keys: Vec<&String> = pairs.clone().map(|(key, _)| key).collect();
        keys.dedup();
        let exists = keys.into_iter().filter(|_| operator).map(|key| json!({"key": key, "operator": "Exists"}));
        let requirement = |(key, value): &(String, String)| match operator {
            true => json!({"key": key, "operator": "In", "values": [value]}),
            false => json!({"key": key, "values": [value]}),
        };
        pairs.map(requirement).chain(exists).collect()
    }

    /// Scalars for a field of a struct; those most like the present value first.
    pub(super) fn scalars(
        &mut self,
        owner: &'static StructType,
        name: &str,
        ty: &'static Type,
        current: Option<&Value>,
    ) -> Vec<Value> {
        let pool = self.context.pool;
        let mut values: Vec<Value> = Vec::new();
        match &ty.shape {
            Shape::Bool => values.extend([json!(true), json!(false)]),
            Shape::Int32 | Shape::Int64 => {
                values.extend(pool.scalars(name).iter().filter(|v| v.is_i64()).cloned());
                values.extend(self.numbers(name));
                values.extend(current.and_then(Value::as_i64).and_then(octal).map(Value::from));
                if let Some(number) = current.and_then(Value::as_i64) {
                    values.extend([number.saturating_add(1), number.saturating_sub(1)].map(Value::from));
                } else if let Some(number) = current.and_then(Value::as_str).and_then(|t| t.parse::<i64>().ok()) {
                    values.insert(0, number.into());
                }
            }
            Shape::IntOrString => {
                values.extend(pool.scalars(name).iter().cloned());
                let percentages = pool.words.iter().filter(|word| word.ends_with('%'));
                values.extend(percentages.map(|word| Value::from(word.as_str())));
                values.extend(self.numbers(name));
                match name.to_lowercase().contains("port") {
                    true => values.extend(pool.scalars("name").iter().cloned()),
                    // so many pods more or less
                    false => drop(values.splice(0..0, [1, 0, 2].map(Value::from))),
                }
            }
            Shape::Quantity => values.extend(self.quantities(name, current)),
            Shape::String => return self.texts(owner, name, ty, current),
            Shape::Bytes => values.extend(pool.scalars(name).iter().cloned()),
            _ => {}
        }
        if let (Some(Value::String(text)), Shape::Bool) = (current, &ty.shape) {
            // a quoted truth
            let truth = matches!(text.to_lowercase().as_str(), "true" | "yes" | "on");
            values.insert(0, truth.into());
        }
        tidy(values, current)
    }

    fn numbers(&self, name: &str) -> Vec<Value> {
        let words = self.context.pool.words.iter().filter_map(|word| word.parse::<i64>().ok());
        let mut numbers: Vec<Value> = words.map(Value::from).collect();
        if name.to_lowercase().contains("port") {
            for field in ["port", "targetPort", "containerPort"] {
                numbers.extend(self.context.pool.scalars(field).iter().filter(|v| v.is_i64()).cloned());
            }
        }
        numbers
    }

    fn quantities(&self, name: &str, current: Option<&Value>) -> Vec<Value> {
        let pool = self.context.pool;
        let mut values: Vec<Value> = pool.scalars(name).to_vec();
        let looks_right = |word: &&String| {
            let with_unit = word.ends_with(|c: char| c.is_ascii_alphabetic());
            Quantity::parse_trimmed(word).is_ok() && (with_unit || name == "cpu" || name == "pods")
        };
        values.extend(pool.words.iter().filter(looks_right).map(|word| Value::from(word.as_str())));
        if let Some(text) = current.and_then(Value::as_str) {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let units = ["Mi", "Gi", "M", "G", "m", "Ki"];
            values.extend(units.iter().map(|unit| Value::from(format!("{digits}{unit}"))));
            if let Ok(number) = digits.parse::<u64>() {
                let unit = text.get(digits.len()..).unwrap_or_default();
                let others = [number / 2, number.saturating_mul(2)].into_iter().filter(|n| *n > 0);
                values.extend(others.map(|n| Value::from(format!("{n}{unit}"))));
            }
        }
        values
    }

    fn texts(
        &mut self,
        owner: &'static StructType,
        name: &str,
        ty: &'static Type,
        current: Option<&Value>,
    ) -> Vec<Value> {
        let words = self.accepted_words(owner, name, ty);
        if !words.is_empty() {
            let mut values: Vec<Value> = words.iter().map(|word| Value::from(word.as_str())).collect();
            nearest_first(&mut values, current);
            return tidy(values, current);
        }
        let pool = self.context.pool;
        if name == "topologyKey" {
            return tidy(pool.scalars(name).to_vec(), current);
        }
        let mut values: Vec<Value> = Vec::new();
        let text = |text: &String| Value::from(text.as_str());
        if let Some(kind) = kind_of(owner.go_name, name) {
            values.extend(pool.names(kind).iter().map(text));
        }
        if owner.go_name == "ObjectMeta" && name == "name" {
            // what the task calls so
            let own = self.entry.value.get("kind").and_then(Value::as_str).unwrap_or_default();
            let kind = Kind::ALL.iter().find(|kind| kind.name() == own);
            let same = kind.map(|kind| pool.names(*kind)).unwrap_or_default();
            values.extend(same.iter().map(text));
            let free = |word: &&String| !same.contains(word) && look(word) == Look::Name;
            values.extend(pool.words.iter().filter(free).map(text));
            nearest_first(&mut values, current);
            return tidy(values, current);
        }
        values.extend(pool.scalars(name).iter().filter(|v| v.is_string()).cloned());
        if name.ends_with("ame") {
            // names of what is mounted, of ports, of containers stand in fields `name`
            values.extend(pool.scalars("name").iter().filter(|v| v.is_string()).cloned());
            values.extend(pool.all_names().map(text));
        }
        if name == "key" || name == "path" || name == "subPath" {
            values.extend(pool.pairs().iter().map(|(key, _)| Value::from(key.as_str())));
        }
        if name == "values" || name == "value" {
            values.extend(pool.pairs().iter().map(|(_, value)| Value::from(value.as_str())));
        }
        values.extend(pool.words.iter().map(text));
        match name {
            "storageClassName" => values.push(json!("")),
            "clusterIP" => values.push(json!("None")),
            _ => {}
        }
        values.splice(0..0, self.dns_names(current));
        if name == "schedule" {
            values.splice(0..0, self.schedules(current));
        }
        let wanted = match current.and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Some(look(text)),
            _ => expected_look(name),
        };
        values.retain(|value| {
            let text = value.as_str().unwrap_or_default();
            wanted.is_none_or(|wanted| fits(wanted, look(text))) || (name == "storageClassName" && text.is_empty())
        });
        if let Some(text) = current.and_then(Value::as_str).filter(|text| !text.is_empty()) {
            values.push(text.trim_matches('/').into());
            if name.to_lowercase().ends_with("path") {
                values.push(format!("/{}", text.trim_matches('/')).into());
            }
        }
        nearest_first(&mut values, current);
        if let Some(number) = current.filter(|v| v.is_number() || v.is_boolean()) {
            values.insert(0, Value::from(number.to_string()));
        }
        tidy(values, current)
    }

    /// Times of a CronJob: those the task names, and the present one with two fields exchanged or one left open.
    fn schedules(&self, current: Option<&Value>) -> Vec<Value> {
        let fields: Vec<&str> =
            current.and_then(Value::as_str).map(|text| text.split(' ').collect()).unwrap_or_default();
        let mut found: Vec<Vec<&str>> = Vec::new();
        for (hour, minute) in self.context.pool.words.iter().filter_map(|word| word.split_once(':')) {
            let plain = |text: &'_ str| text.parse::<u8>().is_ok_and(|number| number < 60);
            if plain(hour) && plain(minute) {
                let days = fields.get(2..).filter(|_| fields.len() == 5).unwrap_or(&["*", "*", "*"]);
                found.push([&[minute, hour], days].concat());
                found.extend(["*", "1-5", "0,6"].map(|day| vec![minute, hour, "*", "*", day]));
            }
        }
        for (index, _) in fields.iter().enumerate().filter(|_| fields.len() == 5) {
            let mut open = fields.clone();
            open.iter_mut().skip(index).take(1).for_each(|field| *field = "*");
            found.push(open);
            for other in index + 1..fields.len() {
                let mut exchanged = fields.clone();
                exchanged.swap(index, other);
                found.push(exchanged);
            }
        }
        found.into_iter().map(|fields| Value::from(fields.join(" "))).collect()
    }

    /// Names that cluster DNS could know, in place of one that looks like it.
    fn dns_names(&self, current: Option<&Value>) -> Vec<Value> {
        let known = &self.context.pool.dns_names;
        let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let looks_so = current.and_then(Value::as_str).is_some_and(|text| {
            let full = text.contains(".svc") || text.ends_with(".cluster.local");
            full || known.iter().any(|name| first(name) == first(text))
        });
        known.iter().filter(|_| looks_so).map(|name| Value::from(name.as_str())).collect()
    }

    /// The words the API server says it supports in a field, asked with a word it cannot know.
    fn accepted_words(&mut self, owner: &'static StructType, name: &str, ty: &'static Type) -> Vec<String> {
        if ty.go_type() == "string" {
            return Vec::new();
        }
        let key = (owner.go_name, name.to_owned());
        if let Some(known) = self.words.get(&key) {
            return known.clone();
        }
        // the field itself, or the first item of its list
        let mut change = super::Change { document: self.document, path: self.path.clone(), value: None };
        const NONSENSE: &str = "Nonsense";
        change.value = Some(NONSENSE.into());
        // a new item of a list stands for the whole list
        if let Some(Segment::Index(index)) = change.path.last()
            && crate::explain::answer::get(&self.entry.value, &change.path).is_none()
            && *index > 0
        {
            change.path.pop();
            change.value = Some(json!([NONSENSE]));
        }
        let mut asked = (*self.entry.value).clone();
        let words = crate::explain::answer::apply(&mut asked, &[change]).map(|()| self.refusal(asked, NONSENSE));
        let words = words.unwrap_or_default();
        self.words.insert(key, words.clone());
        words
    }

    /// The words of `Unsupported value: "Nonsense": supported values: "A", "B"`.
    fn refusal(&self, mut value: Value, nonsense: &str) -> Vec<String> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = Kind::find(text("/apiVersion"), text("/kind")) else { return Vec::new() };
        let mut api = self.context.start.api().clone();
        let namespace = if kind.namespaced() { "default" } else { "" };
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
            metadata.insert("name".to_owned(), json!("nonsense"));
        }
        let Err(status) = api.create_value(kind, namespace, &value, FieldValidation::Strict) else { return Vec::new() };
        let about =
            |cause: &&crate::api::FieldError| cause.bad_value.as_ref().and_then(Value::as_str) == Some(nonsense);
        let supported = |cause: &crate::api::FieldError| {
            let words = cause.detail.strip_prefix("supported values: ")?;
            Some(words.split(", ").map(|word| word.trim_matches('"').to_owned()).collect())
        };
        // `{"type":"Nonsense"}: must be 'A' or 'B'`
        let either = |cause: &crate::api::FieldError| {
            let printed = cause.detail.split_once(": must be '").filter(|(value, _)| value.contains(nonsense));
            let words = cause.detail.strip_prefix("must be '").filter(|_| about(&cause));
            let words = words.or(printed.map(|(_, words)| words))?;
            Some(words.trim_end_matches('\'').split("' or '").map(str::to_owned).collect())
        };
        let of_this = status.causes.iter().filter(about).find_map(supported);
        of_this.or_else(|| status.causes.iter().find_map(either)).unwrap_or_default()
    }

    /// Keys a map could have.
    pub(super) fn map_keys(&self, name: &str, element: &Type) -> Vec<String> {
        let pool = self.context.pool;
        let mut keys: Vec<String> = pool.keys(name).cloned().collect();
        if matches!(element.shape, Shape::String) {
            for (key, _) in pool.pairs() {
                super::super::pool::push(&mut keys, key.clone());
            }
            for word in pool.words.iter().filter(|word| name == "data" && word.contains('.')) {
                super::super::pool::push(&mut keys, word.clone());
            }
        }
        keys
    }

    /// Values an entry of a map could have.
    pub(super) fn map_values(
        &mut self,
        owner: &'static StructType,
        name: &str,
        key: &str,
        element: &'static Type,
        current: Option<&Value>,
    ) -> Vec<Value> {
        if !matches!(element.shape, Shape::String) {
            return self.scalars(owner, key, element, current);
        }
        let pool = self.context.pool;
        let same = pool.pairs().iter().filter(|(other, _)| other == key);
        let others = pool.pairs().iter().filter(|(other, _)| other != key);
        let mut values: Vec<Value> = same.map(|(_, value)| Value::from(value.as_str())).collect();
        match current.and_then(Value::as_str) {
            Some("true") => values.push(json!("false")),
            Some("false") => values.push(json!("true")),
            _ => {}
        }
        if let Some(other) = current.filter(|value| !value.is_string()) {
            values.push(other.to_string().into());
        }
        values.splice(0..0, self.dns_names(current));
        let mut more: Vec<Value> = others.map(|(_, value)| Value::from(value.as_str())).collect();
        more.extend(pool.words.iter().filter(|w| name == "data" || look(w) != Look::Other).map(|w| w.as_str().into()));
        nearest_first(&mut more, current);
        values.extend(more);
        tidy(values, current)
    }

    /// Entries a map could have.
    pub(super) fn map_entries(
        &mut self,
        owner: &'static StructType,
        name: &'static str,
        element: &'static Type,
    ) -> Vec<(String, Value)> {
        if matches!(element.shape, Shape::String) {
            let pool = self.context.pool;
            let mut entries: Vec<(String, Value)> =
                pool.pairs().iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
            let words = pool.words.iter().filter(|word| matches!(look(word), Look::Name | Look::Number));
            let words: Vec<&String> = words.take(MAX_SCALARS).collect();
            for key in pool.keys(name).take(6) {
                entries.extend(words.iter().map(|word| (key.clone(), Value::from(word.as_str()))));
            }
            return entries;
        }
        let mut entries = Vec::new();
        if is_scalar(element) {
            for key in self.map_keys(name, element) {
                let values = self.scalars(owner, &key, element, None);
                entries.extend(values.into_iter().map(|value| (key.clone(), value)));
            }
        }
        entries
    }

    /// A value of the wrong type made one of the right type: `x` becomes `[x]`, `[x]` becomes `x`, `1Gi` becomes `{storage: 1Gi}`.
    pub(super) fn converted(
        &mut self,
        owner: &'static StructType,
        name: &'static str,
        ty: &'static Type,
        value: &Value,
    ) -> Vec<Value> {
        match (&ty.shape, value) {
            (Shape::List(_), Value::Null) => self.values_for(owner, name, ty, 0),
            (Shape::List(_), value) => vec![Value::Array(vec![value.clone()])],
            (Shape::Struct(_) | Shape::Map(_), Value::Array(items)) => {
                let merged: Map<String, Value> =
                    items.iter().filter_map(Value::as_object).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
                vec![Value::Object(merged)]
            }
            (Shape::Map(element), value) => {
                let keys = self.map_keys(name, element);
                keys.into_iter().map(|key| Value::from_iter([(key, value.clone())])).collect()
            }
            (Shape::Struct(inner), value) => {
                let mut values: Vec<Value> = Vec::new();
                if value.is_string() || value.is_number() {
                    let fields = inner.get().fields().filter(|field| is_scalar(&field.ty));
                    values.extend(fields.map(|field| Value::from_iter([(field.json_name, value.clone())])));
                }
                values.extend(self.values_for(owner, name, ty, 0));
                values
            }
            _ => Vec::new(),
        }
    }
}

/// How a text in a field looks when there is none to compare with.
fn expected_look(name: &str) -> Option<Look> {
    match name {
        "mountPath" => Some(Look::Path),
        "name" | "namespace" | "storageClassName" | "claimName" | "volumeName" | "secretName" | "serviceName"
        | "subdomain" | "hostname" | "key" => Some(Look::Name),
        _ => None,
    }
}

fn fits(wanted: Look, found: Look) -> bool {
    match wanted {
        // an image has a tag or not, a name can be a word
        Look::Other | Look::Name => matches!(found, Look::Other | Look::Name | Look::Number),
        Look::Word => matches!(found, Look::Word | Look::Name),
        other => other == found,
    }
}

/// A number that was meant as octal: 440 for 0440.
fn octal(number: i64) -> Option<i64> {
    (number > 7).then(|| i64::from_str_radix(&number.to_string(), 8).ok()).flatten()
}

fn nearest_first(values: &mut [Value], current: Option<&Value>) {
    let Some(text) = current.and_then(Value::as_str).filter(|text| text.len() <= 100) else { return };
    values.sort_by_cached_key(|value| {
        let other = value.as_str().unwrap_or_default();
        let near = if other.len() > 100 { usize::MAX } else { distance(text, other) };
        // only a slip of the pen counts; otherwise the order of the pool is better
        if near <= 2 { near } else { 3 }
    });
}

/// Each value once, without the present one, and not too many.
fn tidy(values: Vec<Value>, current: Option<&Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for value in values {
        if Some(&value) != current && !out.contains(&value) && out.len() < MAX_SCALARS {
            out.push(value);
        }
    }
    out
}

fn product(structs: Vec<Map<String, Value>>, name: &str, values: &[Value]) -> Vec<Map<String, Value>> {
    let mut out = Vec::new();
    for value in values {
        for fields in &structs {
            if out.len() >= MAX_STRUCTS {
                return out;
            }
            let mut fields = fields.clone();
            fields.insert(name.to_owned(), value.clone());
            out.push(fields);
        }
    }
    out
}
