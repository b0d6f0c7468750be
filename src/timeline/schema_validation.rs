//! What kubectl itself validates when it cannot leave that to the server: Lists (`kubectl/pkg/validation`, and
//! `kube-openapi/pkg/util/proto/validation` with the models of the server's OpenAPI v2 document).
use serde_json::Value;

use crate::api::schema::{self, Shape, StructType, Type};

/// `STRUCT's package, STRUCT, FIELD…`: the `required` fields of the OpenAPI models, in their order
/// (`pkg/generated/openapi/zz_generated.openapi.go`).
const REQUIRED: &str = include_str!("schema_validation/required.txt");
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// `ValidateModel`: everything in which an object differs from its model; nothing for kinds without a model.
pub(super) fn validate_resource(object: &Value, api_version: &str, kind: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if let Some(root) = schema::kind(api_version, kind) {
        visit_model(object, root, kind, &mut errors);
    } else if let Some(root) = kind.strip_suffix("List").and_then(|kind| schema::kind(api_version, kind)) {
        visit_list(object, root, kind, &mut errors);
    }
    errors
}

/// The model of a typed list, which no table holds.
fn visit_list(object: &Value, item: &'static StructType, kind: &str, errors: &mut Vec<String>) {
    let Some(fields) = object.as_object() else { return };
    let model = format!("{}List", model(item));
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let path = format!("{kind}.{key}");
        match key.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let known = ["continue", "remainingItemCount", "resourceVersion", "selfLink"];
                for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                    if !known.contains(&key.as_str()) {
                        errors.push(unknown_field(&path, key, LIST_META));
                    }
                }
            }
            "items" => match value {
                Value::Array(items) => visit_items(items, &path, errors, |value, path, errors| {
                    visit_model(value, item, path, errors);
                }),
                other => invalid_type(&path, &format!("{model}.items"), got(other), "array", errors),
            },
            _ => errors.push(unknown_field(kind, key, &model)),
        }
    }
    if fields.get("items").is_none_or(Value::is_null) {
        errors.push(missing_field(kind, "items", &model));
    }
}

/// The name of a struct's model: `io.k8s.api.core.v1.PodSpec`.
fn model(root: &StructType) -> String {
    let package = root.go_package.replace('/', ".");
    let prefix = if root.go_package == "meta/v1" { "io.k8s.apimachinery.pkg.apis" } else { "io.k8s.api" };
    format!("{prefix}.{package}.{}", root.go_name)
}

fn required(root: &StructType) -> impl Iterator<Item = &'static str> {
    let (package, name) = (root.go_package, root.go_name);
    let line = REQUIRED
        .lines()
        .find_map(|line| line.strip_prefix(package)?.strip_prefix(' ')?.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_default().split(' ').filter(|field| !field.is_empty())
}

fn visit_model(value: &Value, root: &'static StructType, path: &str, errors: &mut Vec<String>) {
    let model = model(root);
    let fields = match value {
        Value::Object(fields) => fields,
        // sic: the two are confused
        Value::Array(_) => return invalid_type(path, &model, "map", "array", errors),
        other => return invalid_type(path, &model, got(other), "map", errors),
    };
    // serde_json keeps keys sorted, which is the order kubectl goes in
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match root.field(key) {
            Some(field) => {
                visit(value, &field.ty, &format!("{path}.{key}"), &format!("{model}.{key}"), errors);
            }
            None => errors.push(unknown_field(path, key, &model)),
        }
    }
    for field in required(root) {
        if fields.get(field).is_none_or(Value::is_null) {
            errors.push(missing_field(path, field, &model));
        }
    }
}

/// A value at `path` whose type stands at `place` in the models.
fn visit(value: &Value, ty: &Type, path: &str, place: &str, errors: &mut Vec<String>) {
    let (expected, place) = match &ty.shape {
        Shape::Struct(inner) => return visit_model(value, inner.get(), path, errors),
        Shape::List(element) => match value {
            Value::Array(items) => {
                return visit_items(items, path, errors, |value, path, errors| {
                    visit(value, element, path, place, errors)
                });
            }
            other => return invalid_type(path, place, got(other), "array", errors),
        },
        Shape::Map(element) => match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = format!("{path}.{key}");
                    if value.is_null() {
                        errors.push(format!("unknown object type \"nil\" in {path}"));
                    } else {
                        visit(value, element, &path, place, errors);
                    }
                }
                return;
            }
            Value::Array(_) => return invalid_type(path, place, "map", "array", errors),
            other => return invalid_type(path, place, got(other), "map", errors),
        },
        Shape::Raw => return,
        Shape::Bool => ("boolean", place),
        Shape::Int32 | Shape::Int64 => ("integer", place),
        Shape::String | Shape::Bytes => ("string", place),
        Shape::Quantity => ("string", "io.k8s.apimachinery.pkg.api.resource.Quantity"),
        Shape::IntOrString => ("string", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
        Shape::Time => ("string", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"),
        Shape::MicroTime => ("string", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"),
    };
    let found = got(value);
    let fits = match expected {
        "boolean" => found == "boolean",
        "integer" => matches!(found, "integer" | "number"),
        _ => !matches!(found, "map" | "array"),
    };
    if !fits {
        invalid_type(path, place, found, expected, errors);
    }
}

fn visit_items(
    items: &[Value],
    path: &str,
    errors: &mut Vec<String>,
    mut visit: impl FnMut(&Value, &str, &mut Vec<String>),
) {
    for (index, value) in items.iter().enumerate() {
        let item = format!("{path}[{index}]");
        if value.is_null() {
            errors.push(format!("ValidationError({path}): unknown object type \"nil\" in {item}"));
        } else {
            visit(value, &item, errors);
        }
    }
}

/// What OpenAPI calls a value.
fn got(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "map",
    }
}

fn invalid_type(path: &str, place: &str, found: &str, expected: &str, errors: &mut Vec<String>) {
    errors.push(format!("ValidationError({path}): invalid type for {place}: got \"{found}\", expected \"{expected}\""));
}

fn unknown_field(path: &str, field: &str, model: &str) -> String {
    format!("ValidationError({path}): unknown field \"{field}\" in {model}")
}

fn missing_field(path: &str, field: &str, model: &str) -> String {
    format!("ValidationError({path}): missing required field \"{field}\" in {model}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_required_field_is_a_field() {
        for line in REQUIRED.lines() {
            let mut words = line.split(' ');
            let found = words.next().zip(words.next()).and_then(|(package, name)| schema::structure(package, name));
            for field in words {
                assert!(found.is_some_and(|root| root.field(field).is_some()), "{line}");
            }
        }
    }

    #[test]
    fn an_object_is_held_against_its_model() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": null, "b": 5}},
            "spec": {"nodename": "x", "containers": [null, {"image": 5, "ports": [{"containerPort": "80"}], "args": {}}]},
            "status": [],
        });
        let expected = [
            "unknown object type \"nil\" in Pod.metadata.labels.a",
            "ValidationError(Pod.spec.containers): unknown object type \"nil\" in Pod.spec.containers[0]",
            "ValidationError(Pod.spec.containers[1].args): invalid type for io.k8s.api.core.v1.Container.args: got \"map\", \
             expected \"array\"",
            "ValidationError(Pod.spec.containers[1].ports[0].containerPort): invalid type for \
             io.k8s.api.core.v1.ContainerPort.containerPort: got \"string\", expected \"integer\"",
            "ValidationError(Pod.spec.containers[1]): missing required field \"name\" in io.k8s.api.core.v1.Container",
            "ValidationError(Pod.spec): unknown field \"nodename\" in io.k8s.api.core.v1.PodSpec",
            "ValidationError(Pod.status): invalid type for io.k8s.api.core.v1.PodStatus: got \"map\", expected \"array\"",
        ];
        assert_eq!(validate_resource(&pod, "v1", "Pod"), expected);
    }

    #[test]
    fn a_typed_list_has_a_model_too() {
        let list = json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"name": "x"}});
        let expected = [
            "ValidationError(ConfigMapList.metadata): unknown field \"name\" in \
             io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
            "ValidationError(ConfigMapList): missing required field \"items\" in io.k8s.api.core.v1.ConfigMapList",
        ];
        assert_eq!(validate_resource(&list, "v1", "ConfigMapList"), expected);
        assert_eq!(validate_resource(&list, "example.com/v1", "FooList"), Vec::<String>::new());
    }
}
