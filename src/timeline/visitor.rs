//! From the documents of a file to the objects kubectl asks the server for (`cli-runtime/pkg/resource`: `StreamVisitor`,
//! `mapper`, `FlattenListVisitor`, `SetNamespace`, `RequireNamespace`).
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ManifestFile;
use super::apply::metadata_mut;
use super::kubectl::{Error, Namespace, Problem};
use super::schema_validation::validate_resource;
use crate::api::dynamic::field_paths;
use crate::api::schema::resources;
use crate::api::status::{Reason, Status};
use crate::api::{Kind, decode};
use crate::manifest::{self, Document};

/// A document that kubectl understood so far: something it can ask the server for.
pub(super) struct Info {
    pub(super) document: Arc<Document>,
    pub(super) source: String,
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) object: Value,
}

/// An error and the fields it is about.
struct Refused {
    error: Box<Error>,
    fields: Vec<String>,
}

impl Refused {
    fn new(error: Error, fields: Vec<String>) -> Self {
        Refused { error: Box::new(error), fields }
    }
}

fn client(message: impl Into<String>, field: &str) -> Refused {
    Refused::new(Error::Client(message.into()), vec![field.to_owned()])
}

/// Reads a file into infos; a document that kubectl does not understand becomes an error and the others go on
/// (`StreamVisitor.Visit` with `ContinueOnError`).
pub(super) fn read_file(
    file: &ManifestFile,
    namespace: Namespace<'_>,
    infos: &mut Vec<Info>,
    errors: &mut Vec<Error>,
    problems: &mut Vec<Problem>,
) {
    let read = manifest::read(&file.name, &file.bytes);
    for document in read.documents {
        let document = Arc::new(document);
        if let Err((message, field)) = validate_schema(&document) {
            let hint = "if you choose to ignore these errors, turn validation off with --validate=false";
            let message = format!("error validating \"{}\": error validating data: {message}; {hint}", file.name);
            report(&document, client(message, field), errors, problems);
            return; // kubectl stops reading this file
        }
        let found = if is_list(&document.value) {
            flatten(&document, file, namespace, infos, errors, problems)
        } else {
            info_for_data(&document, &file.name, namespace).map(|info| infos.push(info))
        };
        if let Err(refused) = found {
            report(&document, refused, errors, problems);
        }
    }
    if let Some(error) = read.error {
        let message = format!("error parsing {}: {}", file.name, error.message);
        errors.push(Error::Client(message));
        problems.push(Problem { message: error.message.clone(), unreadable: Some(error), ..Problem::default() });
    }
}

fn report(document: &Arc<Document>, refused: Refused, errors: &mut Vec<Error>, problems: &mut Vec<Problem>) {
    let Refused { error, fields } = refused;
    let told = matches!(*error, Error::Aggregate(_)); // item by item
    if !told {
        let document = Some(document.clone());
        problems.push(Problem { message: error.to_string(), document, fields, ..Problem::default() });
    }
    errors.push(*error);
}

/// `ValidateSchema`: the message and the field it is about. The server validates what it knows; kubectl itself looks only
/// at Lists (`paramVerifyingSchema`).
fn validate_schema(document: &Document) -> Result<(), (String, &'static str)> {
    if let Some(message) = document.undecodable() {
        return Err((message.to_owned(), ""));
    }
    let value = &document.value;
    let (api_version, kind) =
        object_kind(value).map_err(|(messages, field)| (Error::list(messages).to_string(), field))?;
    let errors = if (api_version, kind) == ("v1", "List") {
        let Some(Value::Array(items)) = value.get("items") else {
            return Err(("invalid object to validate".to_owned(), "items"));
        };
        let validate = |item: &Value| match object_kind(item) {
            Ok((api_version, kind)) => validate_resource(item, api_version, kind),
            Err((messages, _)) => messages,
        };
        items.iter().flat_map(validate).collect()
    } else if kind.ends_with("List") {
        validate_resource(value, api_version, kind)
    } else {
        Vec::new()
    };
    if errors.is_empty() { Ok(()) } else { Err((Error::list(errors).to_string(), "items")) }
}

/// `getObjectKind`: the apiVersion and the kind, or the messages and the first field they are about.
fn object_kind(value: &Value) -> Result<(&str, &str), (Vec<String>, &'static str)> {
    let Value::Object(fields) = value else {
        return Err((vec!["invalid object to validate".to_owned()], ""));
    };
    let api_version = match fields.get("apiVersion") {
        None | Some(Value::Null) => Err("apiVersion not set".to_owned()),
        Some(Value::String(v)) if v.matches('/').count() > 1 => Err(format!("unexpected GroupVersion string: {v}")),
        Some(Value::String(v)) => Ok(v),
        Some(_) => Err("apiVersion isn't string type".to_owned()),
    };
    let kind = match fields.get("kind") {
        None | Some(Value::Null) => Err("kind not set".to_owned()),
        Some(Value::String(kind)) => Ok(kind),
        Some(_) => Err("kind isn't string type".to_owned()),
    };
    match (api_version, kind) {
        (Ok(api_version), Ok(kind)) => Ok((api_version, kind)),
        (Err(one), Ok(_)) => Err((vec![one], "apiVersion")),
        (Ok(_), Err(one)) => Err((vec![one], "kind")),
        (Err(one), Err(two)) => Err((vec![one, two], "apiVersion")),
    }
}

/// `unstructuredJSONScheme.decode`: what has `items` is a list.
fn is_list(value: &Value) -> bool {
    value.get("items").is_some()
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a kind stands for in kubectl's eyes.
enum Mapping {
    Kind(Kind),
    /// Served, but not simulated.
    Served,
    /// The kind of a list.
    List,
    /// A kind the mapper knows of the group, asked for without a version: no path on the server leads there.
    NoVersion(Kind),
}

/// `RESTMapping` of a mapper made of discovery (`NewDiscoveryRESTMapper`), which knows each kind in lower case, too, and
/// the kind of its lists.
fn mapping(api_version: &str, kind: &str) -> Option<Mapping> {
    if let Some(group) = api_version.strip_suffix('/').or(Some(api_version).filter(|v| v.is_empty())) {
        return Kind::ALL.iter().find(|k| k.group() == group && k.name() == kind).copied().map(Mapping::NoVersion);
    }
    let api_version = api_version.strip_prefix('/').unwrap_or(api_version);
    let in_lower_case = || {
        let known = Kind::ALL.iter().find(|known| known.name().to_lowercase() == kind);
        known.and_then(|known| Kind::find(api_version, known.name()))
    };
    if let Some(kind) = Kind::find(api_version, kind).or_else(in_lower_case) {
        return Some(Mapping::Kind(kind));
    }
    if resources::is_served(api_version, kind) {
        return Some(Mapping::Served);
    }
    let of_list = kind.strip_suffix("List")?;
    let known = of_list.is_empty() && resources::is_served_version(api_version);
    (known || resources::is_served(api_version, of_list)).then_some(Mapping::List)
}

fn no_matches(api_version: &str, kind: &str) -> String {
    format!("no matches for kind \"{kind}\" in version \"{api_version}\"")
}

/// `errors.NewGenericServerResponse` of a path the server does not know.
fn nowhere(kind: Kind, source: &str) -> Refused {
    let message = format!("the server could not find the requested resource (post {})", kind.qualified_resource());
    let status = Status { reason: Reason::NotFound, ..Status::unknown(message) };
    Refused::new(Error::from(status).add_source("creating", source), vec!["apiVersion".to_owned()])
}

fn not_simulated(api_version: &str, kind: &str) -> Refused {
    let message = format!(
        "{kind} in version \"{api_version}\" is not simulated: a cluster takes such an object if it is valid, but nothing is \
         known here of what comes of it"
    );
    client(message, "kind")
}

/// `mapper.infoForData`: what the decoder of a document says before anything is asked of the server.
fn decode_document(document: &Document, source: &str) -> Result<(String, String), Refused> {
    let object = &document.value;
    let undecodable = |message: String, field: &str| client(format!("unable to decode \"{source}\": {message}"), field);
    if let Some(items) = object.get("items").filter(|items| !items.is_null()) {
        let Value::Array(items) = items else {
            let kind = decode::go_kind(items);
            let into = "Go struct field decodeList.items of type []json.RawMessage";
            return Err(undecodable(format!("json: cannot unmarshal {kind} into {into}"), "items"));
        };
        if let Some(item) = items.iter().find(|item| !item.is_object() && !item.is_null()) {
            let kind = decode::go_kind(item);
            let message = format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}");
            return Err(undecodable(message, "items"));
        }
    }
    let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    if kind.is_empty() {
        return Err(undecodable(format!("Object 'Kind' is missing in '{object}'"), "kind"));
    }
    if let Err(error) = decode::check_metadata(object) {
        let message = format!("unable to decode \"{source}\": {error}");
        return Err(Refused::new(Error::Client(message), field_paths(&error)));
    }
    Ok((api_version, kind))
}

fn info_for_data(document: &Arc<Document>, source: &str, namespace: Namespace<'_>) -> Result<Info, Refused> {
    let (api_version, kind) = decode_document(document, source)?;
    let object = document.value.clone();
    match mapping(&api_version, &kind) {
        Some(Mapping::Kind(kind)) => set_namespace(document.clone(), kind, object, source, namespace),
        Some(Mapping::Served) => Err(not_simulated(&api_version, &kind)),
        Some(Mapping::NoVersion(kind)) => Err(nowhere(kind, source)),
        _ => Err(not_mapped(&api_version, &kind, source, (&text(&object, "/metadata/name"), &object))),
    }
}

fn not_mapped(api_version: &str, kind: &str, source: &str, (name, object): (&str, &Value)) -> Refused {
    let namespace =
        if name.is_empty() && is_list(object) { String::new() } else { text(object, "/metadata/namespace") };
    let message = format!(
        "resource mapping not found for name: \"{name}\" namespace: \"{namespace}\" from \"{source}\": {}\nensure CRDs are \
         installed first",
        no_matches(api_version, kind)
    );
    client(message, if Kind::ALL.iter().any(|k| k.name() == kind) { "apiVersion" } else { "kind" })
}

/// `FlattenListVisitor`: the items of a list. What is wrong with some of them does not stop the others.
fn flatten(
    document: &Arc<Document>,
    file: &ManifestFile,
    namespace: Namespace<'_>,
    infos: &mut Vec<Info>,
    errors: &mut Vec<Error>,
    problems: &mut Vec<Problem>,
) -> Result<(), Refused> {
    let (api_version, kind) = decode_document(document, &file.name)?;
    if mapping(&api_version, &kind).is_none() {
        return Err(not_mapped(&api_version, &kind, &file.name, ("", &document.value)));
    }
    let items = document.items();
    if items.iter().any(|item| item.value.get("items").is_some_and(Value::is_array)) {
        let message = "*unstructured.Unstructured is not a list: no Items field in this object";
        return Err(client(message, "items"));
    }
    let mut unknown = Vec::new();
    for item in items {
        let item = Arc::new(item);
        let object = with_inferred_kind(&item.value, &api_version, &kind);
        match kind_of_item(&object, &file.name) {
            Ok(kind) => match set_namespace(item.clone(), kind, object, &file.name, namespace) {
                Ok(info) => infos.push(info),
                Err(refused) => report(&item, refused, errors, problems),
            },
            Err(refused) => report(&item, refused, &mut unknown, problems),
        }
    }
    if unknown.is_empty() { Ok(()) } else { Err(Refused::new(Error::Aggregate(unknown), Vec::new())) }
}

/// Items of a typed list need neither kind nor apiVersion (`decodeToList`).
fn with_inferred_kind(item: &Value, api_version: &str, list_kind: &str) -> Value {
    let mut object = item.clone();
    if object.is_null() {
        object = Value::Object(Map::new());
    }
    if let Value::Object(fields) = &mut object
        && !["apiVersion", "kind"].iter().any(|f| fields.get(*f).and_then(Value::as_str).is_some_and(|v| !v.is_empty()))
    {
        let kind = list_kind.strip_suffix("List").unwrap_or(list_kind);
        fields.insert("apiVersion".to_owned(), Value::String(api_version.to_owned()));
        fields.insert("kind".to_owned(), Value::String(kind.to_owned()));
    }
    object
}

/// `mapper.infoForObject`.
fn kind_of_item(object: &Value, source: &str) -> Result<Kind, Refused> {
    let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    let untyped = |message: &str, field: &str| {
        let what = "unable to get type info from the object \"*unstructured.Unstructured\"";
        Err(client(format!("{what}: {message}"), field))
    };
    if kind.is_empty() || api_version.matches('/').count() > 1 {
        return untyped("Object 'Kind' is missing in 'object has no kind field '", "kind");
    }
    if api_version.is_empty() {
        return untyped("Object 'apiVersion' is missing in 'object has no apiVersion field'", "apiVersion");
    }
    match mapping(&api_version, &kind) {
        Some(Mapping::Kind(kind)) => Ok(kind),
        Some(Mapping::Served) => Err(not_simulated(&api_version, &kind)),
        Some(Mapping::NoVersion(kind)) => Err(nowhere(kind, source)),
        _ => Err(client(format!("unable to recognize {}", no_matches(&api_version, &kind)), "kind")),
    }
}

/// `SetNamespace`, `RequireNamespace`.
fn set_namespace(
    document: Arc<Document>,
    kind: Kind,
    mut object: Value,
    source: &str,
    namespace: Namespace<'_>,
) -> Result<Info, Refused> {
    let (name, mut own) = (text(&object, "/metadata/name"), text(&object, "/metadata/namespace"));
    if let Some(Value::String(api_version)) = object.get_mut("apiVersion")
        && api_version.starts_with('/')
    {
        api_version.remove(0);
    }
    if kind.namespaced() {
        if own.is_empty() {
            own = namespace.name.to_owned();
            metadata_mut(&mut object).insert("namespace".to_owned(), Value::String(own.clone()));
        } else if namespace.enforced && namespace.name != own {
            let required = namespace.name;
            let message = format!(
                "the namespace from the provided object \"{own}\" does not match the namespace \"{required}\". You must \
                 pass '--namespace={own}' to perform this operation."
            );
            return Err(client(message, "metadata.namespace"));
        }
    }
    Ok(Info { document, source: source.to_owned(), kind, namespace: own, name, object })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::timeline::testing::Shell;

    /// What kubectl says to a manifest.
    fn apply(manifest: &str) -> String {
        let mut shell = Shell::default();
        shell.file("f.yaml", manifest);
        let (stdout, stderr) = shell.run("apply -f f.yaml");
        stdout + &stderr
    }

    #[test]
    fn a_kind_in_lower_case_is_found_by_kubectl_and_refused_by_the_server() {
        let expected = "Error from server (BadRequest): error when creating \"f.yaml\": deployment in version \"v1\" cannot be \
                        handled as a Deployment: no kind \"deployment\" is registered for version \"apps/v1\" in scheme \
                        \"pkg/api/legacyscheme/scheme.go:30\"\n";
        assert_eq!(apply("{apiVersion: apps/v1, kind: deployment, metadata: {name: x}}"), expected);
        let plural = apply("{apiVersion: apps/v1, kind: deployments, metadata: {name: x}}");
        assert!(plural.contains("no matches for kind \"deployments\" in version \"apps/v1\""), "{plural}");
    }

    #[test]
    fn an_empty_version_leads_nowhere() {
        let expected = "Error from server (NotFound): error when creating \"f.yaml\": the server could not find the requested \
                        resource (post pods)\n";
        assert_eq!(apply("{apiVersion: \"\", kind: Pod, metadata: {name: x}}"), expected);
    }

    #[test]
    fn kubectl_itself_validates_the_items_of_a_list() {
        let list =
            "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: x}, dat: {}}]}";
        let expected = "error: error validating \"f.yaml\": error validating data: ValidationError(Secret): unknown field \
                        \"dat\" in io.k8s.api.core.v1.Secret; if you choose to ignore these errors, turn validation off \
                        with --validate=false\n";
        assert_eq!(apply(list), expected);
        let expected = "error: error validating \"f.yaml\": error validating data: invalid object to validate; if you choose \
                        to ignore these errors, turn validation off with --validate=false\n";
        assert_eq!(apply("{apiVersion: v1, kind: List, items: }"), expected);
    }

    #[test]
    fn an_unknown_item_does_not_stop_the_others() {
        let list = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Foo, metadata: {name: x}}, \
                    {apiVersion: v1, kind: ConfigMap, metadata: {name: z}}]}";
        let expected = "configmap/z created\nunable to recognize no matches for kind \"Foo\" in version \"v1\"\n";
        assert_eq!(apply(list), expected);
    }

    #[test]
    fn items_of_a_typed_list_get_its_kind() {
        let list = "{apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: x}}]}";
        assert_eq!(apply(list), "configmap/x created\n");
        let nested = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}";
        let expected = "error: *unstructured.Unstructured is not a list: no Items field in this object\n";
        assert_eq!(apply(nested), expected);
    }
}
