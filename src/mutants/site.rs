//! Places in a key: every value with its path and its type in the API.
use serde_json::Value;

use crate::api::schema::{self, Field, Segment, Shape, StructType, Type};

/// A value of a key.
pub(crate) struct Site<'a> {
    /// Which document.
    pub(crate) document: usize,
    /// Where in it.
    pub(crate) path: Vec<Segment>,
    /// What is there.
    pub(crate) value: &'a Value,
    /// What the API says about the value.
    pub(crate) ty: Option<&'static Type>,
    /// The field it is the value of; none for items and entries of maps.
    pub(crate) field: Option<&'static Field>,
    /// The list field it is an item of.
    pub(crate) list: Option<&'static Field>,
    /// Whether it is an entry of a map.
    pub(crate) in_map: bool,
}

/// What is done to a site.
pub(crate) enum Edit {
    /// Another value.
    Set(Value),
    /// Nothing is there.
    Remove,
    /// The value is under another key.
    Key(String),
}

impl Site<'_> {
    /// The last key of the path.
    pub(crate) fn key(&self) -> Option<&str> {
        match self.path.last() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The keys of the path without the places in lists.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for segment in &self.path {
            if let Segment::Key(key) = segment {
                keys.push(key.as_str());
            }
        }
        keys
    }

    /// Whether the keys of the path end like this.
    pub(crate) fn ends(&self, keys: &[&str]) -> bool {
        self.keys().ends_with(keys)
    }

    /// Whether it is inside an object's labels or annotations, and under which name.
    pub(crate) fn label(&self) -> Option<&str> {
        let keys = self.keys();
        let at = keys.len().checked_sub(2)?;
        let within = matches!(keys.get(at).copied(), Some("labels" | "annotations"));
        (within && self.in_map).then(|| self.key()).flatten()
    }
}

/// All values of documents except `apiVersion`, `kind` and `status`, outer ones first.
pub(crate) fn all(documents: &[Value]) -> Vec<Site<'_>> {
    let mut sites = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        let root = schema::kind(text("apiVersion"), text("kind"));
        let Value::Object(fields) = document else { continue };
        for (key, value) in fields {
            if !matches!(key.as_str(), "apiVersion" | "kind" | "status") {
                let field = root.and_then(|root| root.field(key));
                let path = vec![Segment::Key(key.clone())];
                let ty = field.map(|f| &f.ty);
                visit(Site { document: number, path, value, ty, field, list: None, in_map: false }, &mut sites);
            }
        }
    }
    sites
}

fn visit<'a>(site: Site<'a>, sites: &mut Vec<Site<'a>>) {
    let (value, path, document) = (site.value, site.path.clone(), site.document);
    let (shape, own_field) = (site.ty.map(|ty| &ty.shape), site.field);
    sites.push(site);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let mut path = path.clone();
                path.push(Segment::Key(key.clone()));
                let inner: Option<&'static StructType> = match shape {
                    Some(Shape::Struct(inner)) => Some(inner.get()),
                    _ => None,
                };
                let field = inner.and_then(|inner| inner.field(key));
                let ty = match shape {
                    Some(Shape::Map(element)) => Some(&**element),
                    _ => field.map(|field| &field.ty),
                };
                let in_map = matches!(shape, Some(Shape::Map(_)));
                visit(Site { document, path, value, ty, field, list: None, in_map }, sites);
            }
        }
        Value::Array(items) => {
            let element = match shape {
                Some(Shape::List(element)) => Some(&**element),
                _ => None,
            };
            for (index, value) in items.iter().enumerate() {
                let mut path = path.clone();
                path.push(Segment::Index(index));
                visit(Site { document, path, value, ty: element, field: None, list: own_field, in_map: false }, sites);
            }
        }
        _ => {}
    }
}

/// The value at a path.
pub(crate) fn at<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(*index),
    })
}

/// Whether a value says nothing that another one does not.
pub(crate) fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| is_within(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_within(part, whole))
        }
        (part, whole) => part == whole,
    }
}

/// Changes a document; `None` if there is nothing at the path.
pub(crate) fn apply(document: &mut Value, path: &[Segment], edit: &Edit) -> Option<()> {
    let (last, parents) = path.split_last()?;
    let mut place = document;
    for segment in parents {
        place = match segment {
            Segment::Key(key) => place.get_mut(key)?,
            Segment::Index(index) => place.get_mut(*index)?,
        };
    }
    match (place, last, edit) {
        (Value::Object(map), Segment::Key(key), Edit::Set(value)) => drop(map.insert(key.clone(), value.clone())),
        (Value::Object(map), Segment::Key(key), Edit::Remove) => drop(map.remove(key)?),
        (Value::Object(map), Segment::Key(key), Edit::Key(new)) => {
            let value = map.remove(key)?;
            map.insert(new.clone(), value);
        }
        (Value::Array(items), Segment::Index(index), Edit::Set(value)) => *items.get_mut(*index)? = value.clone(),
        (Value::Array(items), Segment::Index(index), Edit::Remove) if *index < items.len() => {
            items.remove(*index);
        }
        _ => return None,
    }
    Some(())
}

/// A path as people write it: `spec.containers[0].image`, `data[index.html]`.
pub(crate) fn shown(path: &[Segment]) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => out.push_str(&format!("[{index}]")),
            Segment::Key(key) if key.contains(['.', '/']) => out.push_str(&format!("[{key}]")),
            Segment::Key(key) if out.is_empty() => out.push_str(key),
            Segment::Key(key) => out.push_str(&format!(".{key}")),
        }
    }
    out
}

/// Whether the `field` of a `[[free]]` entry means a place: `spec.hostPath.type`, `Pod spec.volumes[].name`, `Pod/web spec`, or
/// a whole kind: `ConfigMap`. It means everything inside, too; `[]`, `[*]` and `[web]` mean any item of a list.
pub fn free_matches(free: &str, kind: &str, name: &str, path: &str) -> bool {
    let free = free.trim();
    let starts_with_kind = free.starts_with(|c: char| c.is_ascii_uppercase());
    let (of, field) = match free.split_once(char::is_whitespace) {
        Some((of, field)) => (Some(of), field.trim()),
        None if starts_with_kind => (Some(free), ""),
        None => (None, free),
    };
    let this_kind = of.is_none_or(|of| match of.split_once('/') {
        Some((of_kind, of_name)) => of_kind == kind && of_name == name,
        None => of == kind,
    });
    if !this_kind {
        return false;
    }
    let (asked, found) = (tokens(field), tokens(path));
    asked.len() <= found.len() && asked.iter().zip(&found).all(|(asked, found)| token_matches(asked, found))
}

fn token_matches(asked: &str, found: &str) -> bool {
    match (asked.strip_prefix('['), found.strip_prefix('[')) {
        (Some(inner), Some(index)) => {
            let index = index.trim_end_matches(']');
            let inner = inner.trim_end_matches(']');
            let numbers = |text: &str| text.parse::<usize>().is_ok();
            // an item of a list by whatever name, or the entry of a map of this name
            inner == index || (numbers(index) && !numbers(inner))
        }
        (None, Some(index)) => index.trim_end_matches(']') == asked,
        (Some(inner), None) => inner.trim_end_matches(']') == found || matches!(inner, "]" | "*]"),
        (None, None) => asked == found,
    }
}

/// `spec`, `containers`, `[0]`, `image`.
fn tokens(path: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = if rest.starts_with('[') {
            rest.find(']').map_or(rest.len(), |at| at + 1)
        } else {
            rest.find(['.', '[']).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(end);
        if !token.is_empty() {
            tokens.push(token);
        }
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::free_matches;

    #[test]
    fn a_free_field_means_itself_and_what_is_inside() {
        let pod = |free: &str, path: &str| free_matches(free, "Pod", "web", path);
        assert!(pod("spec.volumes[].hostPath.type", "spec.volumes[0].hostPath.type"));
        assert!(pod("Pod spec.volumes[*].hostPath", "spec.volumes[0].hostPath.type"));
        assert!(pod("Pod/web spec.volumes[data].hostPath", "spec.volumes[0].hostPath.type"));
        assert!(pod("Pod metadata.labels.app", "metadata.labels.app"));
        assert!(pod("metadata.labels[a.b/c]", "metadata.labels[a.b/c]"));
        assert!(pod("Pod", "spec.nodeName"));
        assert!(!pod("Pod spec.volumes[].hostPath.type", "spec.volumes[0].hostPath"));
        assert!(!pod("Pod spec.volumes[1].name", "spec.volumes[0].name"));
        assert!(!pod("Service spec", "spec") && !pod("Pod/db spec", "spec"));
    }
}
