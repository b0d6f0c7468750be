//! Which objects a command is about (`cli-runtime/pkg/resource`, `Builder`).
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::apply;
use super::command::Kubectl;
use super::kubectl::{self, Error};
use crate::api::label_selector::matches_requirement;
use crate::api::schema::resources::RESOURCES;
use crate::api::{Kind, Object};

/// An object that a command is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) kind: Kind,
    /// Empty for kinds without namespaces.
    pub(super) namespace: String,
    pub(super) name: String,
    /// The file it was named by.
    pub(super) source: Option<String>,
}

/// How objects are named beside the arguments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Whether a kind alone means all objects of it.
    pub(super) allow_empty_selector: bool,
    /// Whether an object is only named, not looked for.
    pub(super) without_object: bool,
}

fn client<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Client(message.into()))
}

/// The kinds of `pods,svc` or `all`.
fn kinds(argument: &str) -> Result<Vec<Kind>, Error> {
    let mut kinds = Vec::new();
    for resource in argument.split(',') {
        if resource == "all" {
            let known = RESOURCES.iter().filter(|known| known.in_all);
            for kind in known.filter_map(|known| Kind::find(&known.api_version(), known.kind)) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            continue;
        }
        let unknown = || Error::Client(format!("the server doesn't have a resource type \"{resource}\""));
        let kind = kubectl::kind_of_argument(resource).ok_or_else(unknown)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// The objects that arguments, `-f`, `-l`, `--all` and `-A` name: those that are there, and an error for each that is not.
///
/// # Errors
/// When the arguments do not name objects.
pub(super) fn find(k: &mut Kubectl<'_>, args: &[String], options: Options) -> Result<(Vec<Target>, Vec<Error>), Error> {
    let selector = k.flags.text("selector").map(str::to_owned);
    select(k, args, selector, options)
}

/// As [`find`], for commands whose `--selector` means something else.
pub(super) fn find_named(
    k: &mut Kubectl<'_>,
    args: &[String],
    options: Options,
) -> Result<(Vec<Target>, Vec<Error>), Error> {
    select(k, args, None, options)
}

fn select(
    k: &mut Kubectl<'_>,
    args: &[String],
    mut selector: Option<String>,
    options: Options,
) -> Result<(Vec<Target>, Vec<Error>), Error> {
    let files = k.flags.list("filename");
    let all = k.flags.on("all")?;
    let everywhere = k.flags.on("all-namespaces")?;
    let fields = k.flags.text("field-selector").map(str::to_owned);
    if !files.is_empty() {
        if !args.is_empty() {
            return client(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            );
        }
        return by_files(k, &files, options);
    }
    let split: Vec<String> = args
        .iter()
        .flat_map(
            |arg| if arg.contains('/') && arg.contains(',') { arg.split(',').collect() } else { vec![arg.as_str()] },
        )
        .map(str::to_owned)
        .collect();
    let combined = split.iter().filter(|arg| arg.contains('/')).count();
    if combined > 0 && combined != split.len() {
        return client(
            "there is no need to specify a resource type as a separate argument when passing arguments in \
             resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
             resource/<resource_name>'",
        );
    }
    if split.len() == 1 && combined == 0 && options.allow_empty_selector && selector.is_none() {
        selector = Some(String::new());
    }
    if all {
        selector = Some(String::new());
    }
    let mut named = Vec::new();
    if selector.is_some() || fields.is_some() {
        let message = match (combined > 0, split.len()) {
            (true, _) => "selectors and the all flag cannot be used when passing resource/name arguments",
            (false, 0) => "at least one resource must be specified to use a selector",
            (false, 1) => "",
            (false, _) => "name cannot be provided when a selector is specified",
        };
        if !message.is_empty() {
            return client(message);
        }
        let requirements = parse_selector(selector.as_deref().unwrap_or_default())?;
        let fields = parse_fields(fields.as_deref().unwrap_or_default())?;
        let namespace = k.namespace.name;
        let mut targets = Vec::new();
        for kind in kinds(split.first().map(String::as_str).unwrap_or_default())? {
            let fits = |object: &&Object| {
                let labels = object.metadata().labels.as_ref();
                (everywhere || !kind.namespaced() || object.namespace() == namespace)
                    && requirements.iter().all(|requirement| matches_requirement(requirement, labels))
                    && fields.iter().all(|(path, value, equal)| (field(object, path) == *value) == *equal)
            };
            targets.extend(k.cluster.api().store().objects_of(kind).filter(fits).map(target));
        }
        return Ok((targets, Vec::new()));
    } else if combined > 0 {
        for arg in &split {
            let (kind, name) = kubectl::parse_resource_and_name(arg)?;
            named.push((kind, name.to_owned()));
        }
    } else {
        match split.as_slice() {
            [] => {
                return client(
                    "You must provide one or more resources by argument or filename.\nExample resource specifications \
                     include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
                );
            }
            [only] => {
                kinds(only)?;
                return client("resource(s) were provided, but no name was specified");
            }
            [resource, names @ ..] => match kinds(resource)?.as_slice() {
                [kind] => named.extend(names.iter().map(|name| (*kind, name.clone()))),
                _ => return client("you must specify only one resource"),
            },
        }
    }
    if everywhere && named.iter().any(|(kind, _)| kind.namespaced()) {
        return client("a resource cannot be retrieved by name across all namespaces");
    }
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for (kind, name) in named {
        let namespace = if kind.namespaced() { k.namespace.name.to_owned() } else { String::new() };
        k.warnings.extend(kind.deprecation().map(str::to_owned));
        let found = kubectl::find(k.cluster, kind, &namespace, &name).map(|_| ());
        match found {
            Err(error) if !options.without_object => errors.push(error),
            _ => targets.push(Target { kind, namespace, name, source: None }),
        }
    }
    Ok((targets, errors))
}

fn target(object: &Object) -> Target {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    Target { kind: object.kind(), namespace, name, source: None }
}

fn by_files(k: &mut Kubectl<'_>, files: &[String], options: Options) -> Result<(Vec<Target>, Vec<Error>), Error> {
    let (infos, mut errors) = read_files(k, files)?;
    let mut targets = Vec::new();
    for info in infos {
        let namespace = if info.kind.namespaced() { info.namespace } else { String::new() };
        k.warnings.extend(info.kind.deprecation().map(str::to_owned));
        let found = kubectl::find(k.cluster, info.kind, &namespace, &info.name).map(|_| ());
        match found {
            Err(error) if !options.without_object => errors.push(error),
            _ => {
                targets.push(Target { kind: info.kind, namespace, name: info.name, source: Some(info.source) });
            }
        }
    }
    Ok((targets, errors))
}

/// The objects in the files of `-f`.
pub(super) fn read_files(k: &mut Kubectl<'_>, files: &[String]) -> Result<(Vec<apply::Info>, Vec<Error>), Error> {
    let mut infos = Vec::new();
    let mut errors = Vec::new();
    for file in k.manifests(files)? {
        apply::read_file(&file, k.namespace, &mut infos, &mut errors, &mut k.problems);
    }
    Ok((infos, errors))
}

/// The value of a field for `--field-selector`.
fn field(object: &Object, path: &str) -> String {
    let value = object.to_value();
    let found = value.pointer(&format!("/{}", path.replace('.', "/")));
    found.map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_owned)).unwrap_or_default()
}

fn parse_fields(text: &str) -> Result<Vec<(String, String, bool)>, Error> {
    let mut terms = Vec::new();
    for term in text.split(',').filter(|term| !term.is_empty()) {
        let parsed = match (term.split_once("!="), term.split_once("=")) {
            (Some((path, value)), _) => (path, value, false),
            (None, Some((path, value))) => (path, value.strip_prefix('=').unwrap_or(value), true),
            (None, None) => return client(format!("invalid field selector: {term}: must be in the form key=value")),
        };
        terms.push((parsed.0.to_owned(), parsed.1.to_owned(), parsed.2));
    }
    Ok(terms)
}

/// A label selector as `-l` takes it: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a` (`labels.Parse`).
///
/// # Errors
/// When it is none.
pub(super) fn parse_selector(text: &str) -> Result<Vec<LabelSelectorRequirement>, Error> {
    let mut requirements = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    let mut terms = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(text.get(start..).unwrap_or_default());
    if text.trim().is_empty() {
        return Ok(requirements);
    }
    for term in terms {
        requirements.push(parse_requirement(term.trim()).ok_or_else(|| {
            Error::Client(format!("unable to parse requirement: found '{}', expected: identifier", term.trim()))
        })?);
    }
    Ok(requirements)
}

fn parse_requirement(term: &str) -> Option<LabelSelectorRequirement> {
    let of = |key: &str, operator: &str, values: Option<Vec<String>>| {
        let known = crate::api::validation::names::is_qualified_name(key.trim()).is_empty();
        known.then(|| LabelSelectorRequirement { key: key.trim().to_owned(), operator: operator.to_owned(), values })
    };
    let one = |value: &str| Some(vec![value.trim().to_owned()]);
    if let Some((key, value)) = term.split_once("!=") {
        return of(key, "NotIn", one(value));
    }
    if let Some((key, value)) = term.split_once('=') {
        return of(key, "In", one(value.strip_prefix('=').unwrap_or(value)));
    }
    if let Some((head, list)) = term.split_once('(') {
        let values = list.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        return match operator {
            "in" => of(key, "In", Some(values)),
            "notin" => of(key, "NotIn", Some(values)),
            _ => None,
        };
    }
    match term.strip_prefix('!') {
        Some(key) => of(key, "DoesNotExist", None),
        None => of(term, "Exists", None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_in_every_form() {
        let read = |text: &str| {
            let requirements = parse_selector(text).map_err(|error| error.to_string())?;
            let show = |r: &LabelSelectorRequirement| {
                format!("{} {} {}", r.key, r.operator, r.values.clone().unwrap_or_default().join("|"))
            };
            Ok::<_, String>(requirements.iter().map(show).collect::<Vec<_>>())
        };
        assert_eq!(
            read("a=b,c!=d,e==f, g in (h, i),j notin (k),l,!m").unwrap(),
            ["a In b", "c NotIn d", "e In f", "g In h|i", "j NotIn k", "l Exists ", "m DoesNotExist "]
        );
        assert!(read("").unwrap().is_empty());
        assert!(read("a b").is_err() && read("a,,b").is_err() && read("a in b").is_err());
    }
}
