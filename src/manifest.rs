//! From the bytes of a manifest to documents, as kubectl reads them. (Stand-in until the reader of branch `manifest` lands.)
#![allow(missing_docs)]
use std::sync::Arc;
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub name: String,
    pub text: String,
}
#[derive(Clone, Debug, Default)]
pub struct Location {
    pub line: usize,
    pub column: usize,
    pub range: std::ops::Range<usize>,
}
#[derive(Clone, Debug)]
pub struct Document {
    pub value: serde_json::Value,
    source: Arc<Source>,
}
impl Document {
    pub fn source(&self) -> &Source {
        &self.source
    }
    pub fn locate(&self, _field_path: &str) -> Location {
        Location::default()
    }
    pub fn locate_key(&self, _field_path: &str) -> Location {
        Location::default()
    }
    pub fn location(&self) -> Location {
        Location::default()
    }
    pub fn items(&self) -> Vec<Document> {
        let items = self.value.get("items").and_then(|i| i.as_array()).cloned().unwrap_or_default();
        items.into_iter().map(|value| Document { value, source: self.source.clone() }).collect()
    }
}
#[derive(Clone, Debug)]
pub struct ReadError {
    pub message: String,
    pub location: Option<Location>,
    pub source: Arc<Source>,
}
pub struct Manifest {
    pub documents: Vec<Document>,
    pub error: Option<ReadError>,
}
pub fn read(name: &str, bytes: &[u8]) -> Manifest {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let source = Arc::new(Source { name: name.to_owned(), text: text.clone() });
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        match <serde_json::Value as serde::Deserialize>::deserialize(document) {
            Ok(serde_json::Value::Null) => {}
            Ok(value) => documents.push(Document { value, source: source.clone() }),
            Err(e) => {
                let error = ReadError { message: e.to_string(), location: None, source };
                return Manifest { documents, error: Some(error) };
            }
        }
    }
    Manifest { documents, error: None }
}
