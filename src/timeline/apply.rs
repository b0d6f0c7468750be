//! `kubectl apply -f` (`kubectl/pkg/cmd/apply`, `cli-runtime/pkg/resource`).
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ManifestFile;
use super::command::{Command, Done, DryRun, Kubectl};
use super::flags::Spec;
use super::kubectl::{self, Error, Namespace, Output, Problem};
use super::resources::parse_selector;
pub(super) use super::visitor::{Info, read_file};
use crate::api::dynamic::{FieldValidation, Patch, stored_version};
use crate::api::label_selector::matches_requirement;
use crate::api::patch::{PatchError, create_three_way_merge_patch};
use crate::api::{Object, schema};
use crate::cluster::Cluster;

/// The annotation that keeps what was applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) const COMMAND: Command = Command {
    path: "kubectl apply",
    spec: Spec {
        switches: &[
            "all",
            "force",
            "force-conflicts",
            "openapi-patch",
            "overwrite",
            "prune",
            "record",
            "recursive/R",
            "server-side",
            "show-managed-fields",
            "wait",
        ],
        texts: &[
            "applyset",
            "cascade",
            "dry-run",
            "grace-period",
            "kustomize/k",
            "output/o",
            "selector/l",
            "subresource",
            "template",
            "timeout",
            "validate",
        ],
        lists: &["filename/f", "prune-allowlist"],
    },
    run: from_flags,
};

fn from_flags(k: &mut Kubectl<'_>) -> Done {
    let args = k.flags.args();
    let files = k.flags.list("filename");
    if !args.is_empty() {
        return Err(k.flags.usage_error(&format!("Unexpected args: [{}]", args.join(" "))));
    }
    if files.is_empty() {
        return Err(Error::Client("must specify one of -f and -k".to_owned()));
    }
    if k.flags.on("prune")? {
        return Err(Error::Client("--prune is not simulated".to_owned()));
    }
    let selector = parse_selector(k.flags.or_empty("selector"))?;
    let mut visit_errors = Vec::new();
    let mut infos = Vec::new();
    for file in k.manifests(&files)? {
        read_file(&file, k.namespace, &mut infos, &mut visit_errors, &mut k.problems);
    }
    if infos.is_empty() && visit_errors.is_empty() {
        return Err(Error::Client("no objects passed to apply".to_owned()));
    }
    if !visit_errors.is_empty() {
        k.errors.push(Error::Aggregate(visit_errors));
    }
    for info in &infos {
        let labels = info.object.pointer("/metadata/labels").and_then(Value::as_object);
        let labels = labels.map(|labels| {
            labels.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        });
        if !selector.iter().all(|requirement| matches_requirement(requirement, labels.as_ref())) {
            continue;
        }
        let namespace = if info.kind.namespaced() { info.namespace.as_str() } else { "" };
        let live =
            |k: &Kubectl<'_>| k.cluster.api().store().object(info.kind, namespace, &info.name).map(Object::to_value);
        if k.dry_run == DryRun::Client {
            let (verb, value) = match live(k) {
                Some(value) => ("configured", value),
                None => ("created", info.object.clone()),
            };
            k.print(info.kind, &info.name, verb, &value)?;
            continue;
        }
        let mut warnings = Vec::new();
        match apply_one(k.cluster, info, &mut warnings) {
            Ok(verb) => {
                let verb = if k.flags.on("server-side")? { "serverside-applied" } else { verb };
                let value = live(k).unwrap_or_default();
                k.print(info.kind, &info.name, verb, &value)?;
            }
            Err(mut error) => {
                if let Error::Status(status) = &mut error {
                    warnings.append(&mut status.warnings);
                }
                k.problems.push(problem(info, &error));
                k.errors.push(error);
            }
        }
        for warning in warnings {
            k.problems.push(Problem {
                message: warning.clone(),
                document: Some(info.document.clone()),
                warning: true,
                ..Problem::default()
            });
            k.warnings.push(warning);
        }
        k.cluster.run();
    }
    Ok(())
}

/// Applies files in order. Objects are applied although other documents have errors, as kubectl does.
pub fn run(cluster: &mut Cluster, files: &[ManifestFile], namespace: Namespace<'_>) -> Output {
    let mut output = Output::default();
    let mut visit_errors = Vec::new();
    let mut infos = Vec::new();
    for file in files {
        read_file(file, namespace, &mut infos, &mut visit_errors, &mut output.problems);
    }
    if infos.is_empty() && visit_errors.is_empty() {
        let none = [Error::Client("no objects passed to apply".to_owned())];
        let problems = std::mem::take(&mut output.problems);
        output = Output::new(String::new(), &[], &none);
        output.problems.extend(problems);
        return output;
    }
    let mut errors = match visit_errors.len() {
        0 => Vec::new(),
        _ => vec![Error::Aggregate(visit_errors)],
    };
    for info in &infos {
        let mut warnings = Vec::new();
        match apply_one(cluster, info, &mut warnings) {
            Ok(verb) => output.stdout.push_str(&format!("{} {verb}\n", kubectl::object_name(info.kind, &info.name))),
            Err(error) => {
                warnings.extend_from_slice(error.warnings());
                output.problems.push(problem(info, &error));
                errors.push(error);
            }
        }
        for warning in warnings {
            kubectl::print_warning(&mut output.stderr, &warning);
            output.problems.push(Problem {
                message: warning,
                document: Some(info.document.clone()),
                warning: true,
                ..Problem::default()
            });
        }
        cluster.run();
    }
    output.stderr.push_str(&kubectl::print_errors(&errors));
    output.exit_code = i32::from(!errors.is_empty());
    output
}

pub(super) fn problem(info: &Info, error: &Error) -> Problem {
    let (message, fields, causes) = match error {
        Error::Status(status) => (status.message.clone(), status.fields.clone(), status.causes.clone()),
        other => (other.to_string(), Vec::new(), Vec::new()),
    };
    let prefix = |verb: &str| format!("error when {verb} \"{}\": ", info.source);
    let message = match ["creating", "replacing", "deleting"]
        .iter()
        .find_map(|verb| message.split_once(&prefix(verb)))
        .or_else(|| message.rsplit_once(&prefix("patching")))
    {
        Some((_, rest)) => rest.to_owned(),
        None => message,
    };
    Problem { message, document: Some(info.document.clone()), fields, causes, ..Problem::default() }
}

pub(super) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = match object {
        Value::Object(fields) => fields.entry("metadata").or_insert(Value::Null),
        other => other,
    };
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    match metadata {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// `ApplyOptions.applyOneObject`: what was done.
fn apply_one(cluster: &mut Cluster, info: &Info, warnings: &mut Vec<String>) -> Result<&'static str, Error> {
    let generate_name = info.object.pointer("/metadata/generateName").and_then(Value::as_str).unwrap_or_default();
    if info.name.is_empty() && !generate_name.is_empty() {
        return Err(Error::Client(format!("from {generate_name}: cannot use generate name with apply")));
    }
    if let Err(message) = validate_request_path(info) {
        let verb = format!("retrieving current configuration of:\n{}\nfrom server for:", describe(info));
        return Err(Error::Client(message).add_source(&verb, &info.source));
    }
    warnings.extend(info.kind.deprecation().map(str::to_owned));
    let mut modified = info.object.clone();
    let (text, has_annotations) = last_applied_text(&modified);
    let annotations = metadata_mut(&mut modified).entry("annotations").or_insert(Value::Null);
    if !has_annotations {
        *annotations = Value::Object(Map::new());
    }
    if let Value::Object(map) = annotations {
        map.insert(LAST_APPLIED.to_owned(), Value::String(text));
    }

    let namespace = if info.kind.namespaced() { info.namespace.as_str() } else { "" };
    let live = cluster.api().store().object(info.kind, namespace, &info.name).cloned();
    match live {
        None => create(cluster, info, modified, warnings),
        Some(live) => update(cluster, info, &live, modified, warnings),
    }
}

/// The object as it is remembered in [`LAST_APPLIED`] (`util.GetModifiedConfiguration`), and whether it has annotations.
pub(super) fn last_applied_text(object: &Value) -> (String, bool) {
    let mut remembered = object.clone();
    let metadata = metadata_mut(&mut remembered);
    let has_annotations = metadata.get("annotations").is_some_and(Value::is_object);
    if has_annotations {
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED);
        }
    } else {
        metadata.insert("annotations".to_owned(), Value::Object(Map::new()));
    }
    (format!("{}\n", go_json(&remembered)), has_annotations)
}

/// JSON as Go's encoder writes it: `<`, `>` and `&` are escaped, and so are U+2028 and U+2029.
fn go_json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn create(
    cluster: &mut Cluster,
    info: &Info,
    modified: Value,
    warnings: &mut Vec<String>,
) -> Result<&'static str, Error> {
    let mut object = modified;
    prune_nulls(&mut object);
    // rest.Helper.Create clears the resource version
    metadata_mut(&mut object).remove("resourceVersion");
    let accepted = cluster
        .api_mut()
        .create_value(info.kind, &info.namespace, &object, FieldValidation::Strict)
        .map_err(|status| Error::from(status).add_source("creating", &info.source))?;
    warnings.extend(accepted.warnings);
    Ok("created")
}

/// Null values vanish from maps before a create, also inside lists, but null items of lists stay
/// (`pruneNullsFromMap`).
pub(super) fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}

/// An object of the store as JSON.
fn current(cluster: &Cluster, live: &Object) -> Arc<Value> {
    let known = cluster.api().store().value(live.kind(), live.namespace(), live.name());
    known.cloned().unwrap_or_else(|| Arc::new(live.to_value()))
}

fn update(
    cluster: &mut Cluster,
    info: &Info,
    live: &Object,
    modified: Value,
    warnings: &mut Vec<String>,
) -> Result<&'static str, Error> {
    let current = current(cluster, live);
    let original = live.metadata().annotations.as_ref().and_then(|a| a.get(LAST_APPLIED));
    if original.is_none() {
        warnings.push(format!(
            "resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply \
             should only be used on resources created declaratively by either kubectl create --save-config or kubectl \
             apply. The missing annotation will be patched automatically.",
            info.kind.plural(),
            info.name
        ));
    }
    let original: Value =
        original.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| Map::new().into());
    let (original, modified) = (stored_version(original), stored_version(modified));
    let same_kind = modified.get("kind").is_none_or(|kind| kind == info.kind.name());
    let root = schema::kind(info.kind.api_version(), info.kind.name());
    let patch = root
        .ok_or_else(|| PatchError::Other(format!("no schema for {}", info.kind.name())))
        .and_then(|root| create_three_way_merge_patch(&original, &modified, &current, root))
        .and_then(|patch| {
            let changed = || PatchError::Other("At least one of apiVersion, kind and name was changed".to_owned());
            if same_kind { Ok(patch) } else { Err(changed()) }
        })
        .map_err(|error| {
            Error::Client(format!(
                "creating patch with:\noriginal:\n{}\nmodified:\n{}\ncurrent:\n{}\nfor: {error}",
                go_json(&original),
                go_json(&modified),
                go_json(&current)
            ))
        })?;
    let unchanged = patch.as_object().is_some_and(Map::is_empty);
    let mut deleting = live.metadata().deletion_timestamp.is_some();
    if !unchanged {
        let body = Patch::Strategic(patch.clone());
        let accepted = cluster
            .api_mut()
            .patch(info.kind, &info.namespace, &info.name, &body, FieldValidation::Strict)
            .map_err(|status| {
                let verb = format!("applying patch:\n{}\nto:\n{}\nfor:", go_json(&patch), describe(info));
                Error::from(status).add_source("patching", &info.source).add_source(&verb, &info.source)
            })?;
        warnings.extend(accepted.warnings);
        deleting = accepted.object.metadata().deletion_timestamp.is_some();
    }
    if deleting {
        warnings.push(format!("Detected changes to resource {} which is currently being deleted.", info.name));
    }
    Ok(if unchanged { "unchanged" } else { "configured" })
}

/// What a name or namespace must not be in a request's path (`rest.Request.Name`, `path.IsValidPathSegmentName`).
fn validate_request_path(info: &Info) -> Result<(), String> {
    if info.name.is_empty() {
        return Err("resource name may not be empty".to_owned());
    }
    if info.kind.namespaced()
        && let Some(problems) = invalid_path_segment(&info.namespace)
    {
        return Err(format!("invalid namespace {}: [{problems}]", crate::api::field::go_quote(&info.namespace)));
    }
    match invalid_path_segment(&info.name) {
        Some(problems) => {
            Err(format!("invalid resource name {}: [{problems}]", crate::api::field::go_quote(&info.name)))
        }
        None => Ok(()),
    }
}

fn invalid_path_segment(name: &str) -> Option<String> {
    if name == "." || name == ".." {
        return Some(format!("may not be '{name}'"));
    }
    let illegal: Vec<_> =
        ["/", "%"].into_iter().filter(|c| name.contains(c)).map(|c| format!("may not contain '{c}'")).collect();
    (!illegal.is_empty()).then(|| illegal.join(" "))
}

/// `resource.Info.String`; the kind is as the manifest spells it.
fn describe(info: &Info) -> String {
    let given = info.object.get("kind").and_then(Value::as_str);
    let (group, version, kind) = (info.kind.group(), info.kind.version(), given.unwrap_or(info.kind.name()));
    format!(
        "Resource: \"{group}/{version}, Resource={}\", GroupVersionKind: \"{group}/{version}, Kind={kind}\"\nName: {}, Namespace: {}",
        info.kind.plural(),
        crate::api::field::go_quote(&info.name),
        crate::api::field::go_quote(if info.kind.namespaced() { &info.namespace } else { "" }),
    )
}
