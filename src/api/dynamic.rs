//! Requests with objects as JSON, as clients send them: decoding in front of [`ApiServer`]'s typed requests.
use serde_json::Value;

use super::decode::{self, DecodeError};
use super::kinds::horizontal_pod_autoscaler;
use super::object::{ApiObject, Kind, Object};
use super::patch::{PatchError, go_value, strategic_merge};
use super::schema::{self, Segment, StructType};
use super::server::{Accepted, ApiServer};
use super::status::{Reason, Status};
use super::strategy::Strategy;
use super::warnings::recorded;
use crate::for_each_kind;

/// What the server does about fields it does not know (`fieldValidation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are an error, as for `kubectl apply`.
    Strict,
    /// They are a warning, as for `kubectl patch`.
    Warn,
}

/// A change to an object.
#[derive(Clone, Debug)]
pub enum Patch {
    /// `application/strategic-merge-patch+json`.
    Strategic(Value),
    /// `application/merge-patch+json`.
    Merge(Value),
    /// `application/json-patch+json`.
    Json(Value),
}

macro_rules! dispatch {
    ($($kind:ident),* $(,)?) => {
        impl ApiServer {
            /// Creates an object from JSON.
            ///
            /// # Errors
            /// Whatever the API server would refuse, in its words.
            pub fn create_value(
                &mut self,
                kind: Kind,
                namespace: &str,
                value: &Value,
                validation: FieldValidation,
            ) -> Result<Accepted<Object>, Status> {
                match kind { $(Kind::$kind => self.create_typed::<k::$kind>(namespace, value, validation)),* }
            }

            /// Replaces an object by the one of JSON (`PUT`).
            ///
            /// # Errors
            /// Whatever the API server would refuse, in its words.
            pub fn replace_value(
                &mut self,
                kind: Kind,
                namespace: &str,
                name: &str,
                value: &Value,
                validation: FieldValidation,
            ) -> Result<Accepted<Object>, Status> {
                match kind {
                    $(Kind::$kind => self.replace_typed::<k::$kind>(namespace, name, value, validation)),*
                }
            }

            /// Changes an object.
            ///
            /// # Errors
            /// Whatever the API server would refuse, in its words.
            pub fn patch(
                &mut self,
                kind: Kind,
                namespace: &str,
                name: &str,
                patch: &Patch,
                validation: FieldValidation,
            ) -> Result<Accepted<Object>, Status> {
                match kind { $(Kind::$kind => self.patch_typed::<k::$kind>(namespace, name, patch, validation)),* }
            }
        }
    };
}
use super::object::types as k;
for_each_kind!(dispatch);

impl ApiServer {
    fn create_typed<T: Strategy>(
        &mut self,
        namespace: &str,
        value: &Value,
        validation: FieldValidation,
    ) -> Result<Accepted<Object>, Status> {
        let mut warnings = Vec::new();
        let mut object: T = decode_object(value, validation, &mut warnings)?;
        if T::ID.namespaced() && object.namespace().is_empty() {
            object.metadata_mut().namespace = Some(namespace.to_owned());
        }
        let accepted = self.create(object).map_err(|status| status.with_warnings(warnings.clone()))?;
        warnings.extend(accepted.warnings);
        let warnings = recorded(warnings);
        Ok(Accepted { object: accepted.object.into_object(), changed: true, warnings })
    }

    fn replace_typed<T: Strategy>(
        &mut self,
        namespace: &str,
        name: &str,
        value: &Value,
        validation: FieldValidation,
    ) -> Result<Accepted<Object>, Status> {
        let mut warnings = Vec::new();
        let mut object: T = decode_object(value, validation, &mut warnings)?;
        check_identity(&mut object, namespace, name)?;
        let accepted = self.update(object).map_err(|status| status.with_warnings(warnings.clone()))?;
        warnings.extend(accepted.warnings);
        let warnings = recorded(warnings);
        Ok(Accepted { object: accepted.object.into_object(), changed: accepted.changed, warnings })
    }

    fn patch_typed<T: Strategy>(
        &mut self,
        namespace: &str,
        name: &str,
        patch: &Patch,
        validation: FieldValidation,
    ) -> Result<Accepted<Object>, Status> {
        let namespace = if T::ID.namespaced() { namespace } else { "" };
        let current = self.store().value(T::ID, namespace, name).ok_or_else(|| Status::not_found(T::ID, name))?;
        let current = Value::clone(current);
        let root = root::<T>()?;
        let mut warnings = Vec::new();
        let (patched, shown) = match patch {
            Patch::Strategic(body) => {
                require_object(body, "")?;
                (strategic_merge(current, body.clone(), root).map_err(patch_status)?, None)
            }
            Patch::Merge(body) => {
                require_object(body, "error decoding patch: ")?;
                let mut patched = current;
                json_patch::merge(&mut patched, body);
                let shown = Some(patched.to_string());
                (patched, shown)
            }
            Patch::Json(body) => {
                let operations = json_operations(body, &mut warnings)?;
                let patched = apply_json_operations(current, operations)?;
                let shown = Some(patched.to_string());
                (patched, shown)
            }
        };
        let invalid = |error: &DecodeError| {
            let shown = match (&shown, patch) {
                (Some(text), _) => text.clone(),
                (None, Patch::Strategic(body) | Patch::Merge(body) | Patch::Json(body)) => go_value(body),
            };
            let mut status = Status::invalid_patch(&shown, &error.to_string());
            status.fields = field_paths(error);
            status
        };
        let checked = match patch {
            Patch::Strategic(_) => decode::check_unstructured(&patched, root),
            Patch::Merge(_) | Patch::Json(_) => decode::check(&patched, root),
        };
        match checked {
            Err(error) if matches!(error, DecodeError::Strict(_)) && validation == FieldValidation::Warn => {
                warnings.extend(unknown_fields(&error));
            }
            checked => checked.map_err(|error| invalid(&error))?,
        }
        let mut object: T = decode::typed(decode::normalise(patched, root)).map_err(|e| invalid(&e))?;
        check_identity(&mut object, namespace, name)?;
        // nothing keeps versions here: whichever a client names is an old one
        let version = object.metadata().resource_version.as_deref().unwrap_or_default();
        if !matches!(version, "" | "0") {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Status::conflict(T::ID, name, why));
        }
        let accepted = self.update(object).map_err(|status| status.with_warnings(warnings.clone()))?;
        warnings.extend(accepted.warnings);
        let warnings = recorded(warnings);
        Ok(Accepted { object: accepted.object.into_object(), changed: accepted.changed, warnings })
    }
}

fn decode_object<T: Strategy>(
    value: &Value,
    validation: FieldValidation,
    warnings: &mut Vec<String>,
) -> Result<T, Status> {
    check_registered::<T>(value)?;
    let converted = in_stored_version::<T>(value)?;
    let value = converted.as_ref().unwrap_or(value);
    let unknown = |error: &DecodeError| decode_status(T::ID, error);
    match decode::decode(value, root::<T>()?) {
        Ok(object) => Ok(object),
        Err(error) if matches!(error, DecodeError::Strict(_)) && validation == FieldValidation::Warn => {
            warnings.extend(unknown_fields(&error));
            decode::typed(decode::normalise(value.clone(), root::<T>()?)).map_err(|e| unknown(&e))
        }
        Err(error) => Err(unknown(&error)),
    }
}

/// The kind of an object must be spelled as the server's scheme spells it (`runtime.NewNotRegisteredErrForKind`).
fn check_registered<T: Strategy>(value: &Value) -> Result<(), Status> {
    let given = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    if given.is_empty() || given == T::KIND {
        return Ok(());
    }
    let group_version = value.get("apiVersion").and_then(Value::as_str).unwrap_or(T::API_VERSION);
    let version = group_version.rsplit('/').next().unwrap_or(group_version);
    let mut status = Status::bad_request(format!(
        "{given} in version \"{version}\" cannot be handled as a {}: no kind \"{given}\" is registered for version \
         \"{group_version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
        T::KIND
    ));
    status.fields = vec!["kind".to_owned()];
    Err(status)
}

/// A patched object must still be the one the request is about (`EnsureObjectNamespaceMatchesRequestNamespace`,
/// `checkName`).
fn check_identity<T: Strategy>(object: &mut T, namespace: &str, name: &str) -> Result<(), Status> {
    if !T::ID.namespaced() {
        object.metadata_mut().namespace = None;
    } else if object.namespace().is_empty() {
        object.metadata_mut().namespace = Some(namespace.to_owned());
    } else if object.namespace() != namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(why));
    }
    match ApiObject::name(object) {
        "" => Err(Status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        other if other != name => Err(Status::bad_request(format!(
            "the name of the object ({other}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    }
}

/// An object of another version than the one that is stored: there is one kind of which kubectl's users know two.
pub fn stored_version(value: Value) -> Value {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    match (text("apiVersion"), text("kind")) {
        (Some(horizontal_pod_autoscaler::OLDER_VERSION), Some("HorizontalPodAutoscaler")) => {
            horizontal_pod_autoscaler::from_v1(value)
        }
        _ => value,
    }
}

/// Converts an object of another version after a check in that version's own terms.
fn in_stored_version<T: Strategy>(value: &Value) -> Result<Option<Value>, Status> {
    let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or(T::API_VERSION);
    let Some(root) = schema::kind(version, T::KIND).filter(|_| version != T::API_VERSION) else { return Ok(None) };
    decode::check(value, root).map_err(|error| {
        let mut status = Status::bad_request(error.bad_request(version, T::KIND));
        status.fields = field_paths(&error);
        status
    })?;
    Ok(Some(stored_version(value.clone())))
}

fn root<T: Strategy>() -> Result<&'static StructType, Status> {
    schema::kind(T::API_VERSION, T::KIND).ok_or_else(|| Status::internal(format!("no schema for {}", T::KIND)))
}

/// Each unknown field as a warning of its own.
fn unknown_fields(error: &DecodeError) -> Vec<String> {
    match error {
        DecodeError::Strict(fields) => fields.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// The field paths a decoding error is about, in the syntax of [`Document::locate`](crate::manifest::Document::locate).
pub fn field_paths(error: &DecodeError) -> Vec<String> {
    match error {
        DecodeError::Strict(fields) => fields.iter().map(|field| path_text(&field.path)).collect(),
        other => vec![path_text(other.path())],
    }
}

fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Key(key) if key.contains(['.', '[', ']']) => text.push_str(&format!("[{key}]")),
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => text.push_str(&format!(".{key}")),
        }
    }
    text
}

/// `Deployment in version "v1" cannot be handled as a Deployment: …`.
fn decode_status(kind: Kind, error: &DecodeError) -> Status {
    let mut status = Status::bad_request(error.bad_request(kind.api_version(), kind.name()));
    status.fields = field_paths(error);
    status
}

fn patch_status(error: PatchError) -> Status {
    match error {
        PatchError::BadRequest(message) => Status::bad_request(message),
        PatchError::Unprocessable(_) => unprocessable(),
        PatchError::Other(message) => Status::unknown(message),
    }
}

/// Status 422 (`errors.NewGenericServerResponse`), which keeps what went wrong to itself.
fn unprocessable() -> Status {
    let mut status = Status::bad_request("the server rejected our request due to an error in our request");
    status.reason = Reason::Invalid;
    status
}

/// A merge patch is read into a Go map; `prefix` is what the server puts in front of Go's error.
fn require_object(body: &Value, prefix: &str) -> Result<(), Status> {
    match body {
        Value::Object(_) => Ok(()),
        other => Err(Status::bad_request(format!(
            "{prefix}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            decode::go::kind(other)
        ))),
    }
}

/// Reads the operations of a JSON patch (`jsonPatcher.applyJSPatch`): fields they do not have are warned of.
fn json_operations(body: &Value, warnings: &mut Vec<String>) -> Result<Vec<Value>, Status> {
    let wrong = |value: &Value, place: &str| {
        let kind = decode::go::kind(value);
        Status::bad_request(format!("error decoding patch: json: cannot unmarshal {kind} into {place}"))
    };
    let operations = match body {
        Value::Null => return Ok(Vec::new()),
        Value::Array(operations) => operations,
        other => return Err(wrong(other, "Go value of type []handlers.jsonPatchOp")),
    };
    for (index, operation) in operations.iter().enumerate() {
        let Value::Object(fields) = operation else {
            return Err(wrong(operation, "Go value of type handlers.jsonPatchOp"));
        };
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("value", _) | ("op" | "path" | "from", Value::String(_) | Value::Null) => {}
                ("op" | "path" | "from", other) => {
                    return Err(wrong(other, &format!("Go struct field jsonPatchOp.{key} of type string")));
                }
                _ => warnings.push(format!("json patch unknown field \"[{index}].{key}\"")),
            }
        }
    }
    Ok(operations.clone())
}

/// Applies operations one after the other; what cannot be applied is refused without a reason. An operation without a
/// value means null.
fn apply_json_operations(mut value: Value, operations: Vec<Value>) -> Result<Value, Status> {
    for mut operation in operations {
        if let Value::Object(fields) = &mut operation {
            fields.entry("value").or_insert(Value::Null);
        }
        let operation: json_patch::PatchOperation = serde_json::from_value(operation).map_err(|_| unprocessable())?;
        json_patch::patch(&mut value, &[operation]).map_err(|_| unprocessable())?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
