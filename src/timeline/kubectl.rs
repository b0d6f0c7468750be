//! What all kubectl commands have in common: how they name objects and how they print errors.
use std::fmt;
use std::sync::Arc;

use crate::api::schema::resources;
use crate::api::status::{Reason, Status};
use crate::api::{Kind, Object};
use crate::manifest::{Document, Location, Source};

use super::command_line::Refusal;

/// What a kubectl command printed, and the problems behind its errors.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The exit status.
    pub exit_code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// What was refused and where it stands in the manifest, for people who have to repair it.
    pub problems: Vec<Problem>,
}

/// Something that was refused.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// The message, without the file name.
    pub message: String,
    /// The manifest's document it is about, if it could be read.
    pub document: Option<Arc<Document>>,
    /// For a file that could not be read: which and where.
    pub unreadable: Option<crate::manifest::ReadError>,
    /// Field paths the refusal names.
    pub fields: Vec<String>,
    /// The field errors, if the object is invalid.
    pub causes: Vec<crate::api::FieldError>,
    /// Whether it is only a warning.
    pub warning: bool,
    /// The line of a script whose command it is about, if it is about no manifest.
    pub line: Option<(Arc<Source>, Location)>,
    /// Why the line is not played; the message is the same in English.
    pub refusal: Option<Refusal>,
}

/// The namespace a command works in.
#[derive(Clone, Copy, Debug)]
pub struct Namespace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it was given with `--namespace`, so that a manifest must not say another.
    pub enforced: bool,
}

impl<'a> From<Option<&'a str>> for Namespace<'a> {
    fn from(namespace: Option<&'a str>) -> Self {
        Namespace { name: namespace.unwrap_or("default"), enforced: namespace.is_some() }
    }
}

/// An error a kubectl command ends with.
#[derive(Clone, Debug)]
pub enum Error {
    /// From the server.
    Status(Status),
    /// From kubectl itself.
    Client(String),
    /// Several of one visit, which kubectl prints in brackets when there are others beside them.
    Aggregate(Vec<Error>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Status(status) => write!(f, "{status}"),
            Error::Client(message) => f.write_str(message),
            Error::Aggregate(errors) => {
                let mut texts = Vec::new();
                errors.iter().for_each(|error| error.collect_texts(&mut texts));
                match texts.as_slice() {
                    [one] => f.write_str(one),
                    more => write!(f, "[{}]", more.join(", ")),
                }
            }
        }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Error::Status(status)
    }
}

impl Error {
    /// Several messages of kubectl's own.
    pub fn list(messages: Vec<String>) -> Self {
        Error::Aggregate(messages.into_iter().map(Error::Client).collect())
    }

    /// Every text once, aggregates in aggregates included (`aggregate.visit`).
    fn collect_texts(&self, texts: &mut Vec<String>) {
        if let Error::Aggregate(errors) = self {
            return errors.iter().for_each(|error| error.collect_texts(texts));
        }
        let text = self.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }

    /// Puts the file and what was being done in front (`cmdutil.AddSourceToErr`).
    pub fn add_source(self, verb: &str, source: &str) -> Self {
        let wrap = |message: &dyn fmt::Display| format!("error when {verb} \"{source}\": {message}");
        match self {
            Error::Status(mut status) => {
                status.message = wrap(&status.message);
                Error::Status(status)
            }
            other => Error::Client(wrap(&other)),
        }
    }

    /// The warnings that came with a refusal.
    pub fn warnings(&self) -> &[String] {
        match self {
            Error::Status(status) => &status.warnings,
            Error::Client(_) | Error::Aggregate(_) => &[],
        }
    }

    /// `messageForError`: one of several errors.
    fn message(&self) -> String {
        match self {
            Error::Status(status) if status.reason == Reason::Unknown => {
                format!("Error from server: {}", status.message)
            }
            Error::Status(status) => format!("Error from server ({}): {}", status.reason.as_str(), status.message),
            other => other.to_string(),
        }
    }
}

/// Prints a warning unless it was printed before: kubectl says each once a command.
pub fn print_warning(stderr: &mut String, warning: &str) {
    let line = format!("Warning: {warning}\n");
    if !stderr.lines().any(|printed| printed == line.trim_end_matches('\n')) {
        stderr.push_str(&line);
    }
}

/// What kubectl prints for the errors a command ended with (`cmdutil.checkErr`); empty without errors.
pub fn print_errors(errors: &[Error]) -> String {
    let lines = |errors: &[Error]| errors.iter().map(|e| format!("{}\n", e.message())).collect();
    let one = match errors {
        [] => return String::new(),
        [one] => one,
        more => return lines(more),
    };
    // an aggregate of one is unwrapped, but only once
    let one = match one {
        Error::Aggregate(inner) => match inner.as_slice() {
            [inner] => inner,
            _ => one,
        },
        _ => one,
    };
    match one {
        Error::Aggregate(inner) => lines(inner),
        Error::Status(status) if status.reason == Reason::Invalid => invalid(status),
        Error::Client(message) if message.starts_with("error: ") => format!("{message}\n"),
        Error::Client(message) => format!("error: {message}\n"),
        Error::Status(_) => format!("{}\n", one.message()),
    }
}

fn invalid(status: &Status) -> String {
    let head = match status.details.as_deref() {
        Some((kind, name)) if !kind.is_empty() || !name.is_empty() => format!("The {kind} \"{name}\" is invalid"),
        Some(_) => "The request is invalid".to_owned(),
        None => format!("The request is invalid: {}", status.message),
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &status.causes {
        let text = cause.to_string();
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] => format!("{head}\n"),
        [one] => format!("{head}: {one}\n"),
        more => {
            let bullets: String = more.iter().map(|c| format!("* {c}\n")).collect();
            format!("{head}: \n{bullets}")
        }
    }
}

/// `persistentvolume/pv1 created` without the verb.
pub fn object_name(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.kubectl_name())
}

/// `pod/web` as commands take it: the kind and the name (`splitResourceTypeName` of cli-runtime's builder).
pub fn parse_resource_and_name(argument: &str) -> Result<(Kind, &str), Error> {
    let client = |message: &str| Err(Error::Client(message.to_owned()));
    let kind_of = |resource: &str| {
        let unknown = || Error::Client(format!("the server doesn't have a resource type \"{resource}\""));
        kind_of_argument(resource).ok_or_else(unknown)
    };
    let Some((resource, name)) = argument.split_once('/') else {
        kind_of(argument)?;
        return client("resource(s) were provided, but no name was specified");
    };
    if name.contains('/') {
        return client("arguments in resource/name form may not have more than one slash");
    }
    if resource.is_empty() || name.is_empty() || resource.contains(',') {
        return client("arguments in resource/name form must have a single resource and name");
    }
    Ok((kind_of(resource)?, name))
}

/// The kind of a resource argument: plural, singular, short name or kind, with or without the group.
pub fn kind_of_argument(resource: &str) -> Option<Kind> {
    let found = resources::by_argument(resource)?;
    let api_version = found.api_version();
    Kind::find(&api_version, found.kind)
}

/// The object a command is about.
pub fn find<'a>(
    cluster: &'a crate::cluster::Cluster,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<&'a Object, Error> {
    let namespace = if kind.namespaced() { namespace } else { "" };
    let found = cluster.api().store().object(kind, namespace, name);
    found.ok_or_else(|| Status::not_found(kind, name).into())
}

impl Output {
    /// Adds what another command printed; the exit status is that of the last one that failed.
    pub fn absorb(&mut self, other: Output) {
        self.stdout.push_str(&other.stdout);
        self.stderr.push_str(&other.stderr);
        self.problems.extend(other.problems);
        if other.exit_code != 0 {
            self.exit_code = other.exit_code;
        }
    }

    /// The output of a command that acts on one object: what it printed, or the error it ended with.
    pub fn of(done: Result<String, Error>, warnings: &[String]) -> Self {
        match done {
            Ok(stdout) => Output::new(stdout, warnings, &[]),
            Err(error) => Output::new(String::new(), warnings, &[error]),
        }
    }

    /// The output of a command that printed this and ended with these errors. A warning is said once
    /// (`rest.WarningWriterOptions.Deduplicate`).
    pub fn new(stdout: String, warnings: &[String], errors: &[Error]) -> Self {
        let mut stderr = String::new();
        for warning in warnings.iter().chain(errors.iter().flat_map(Error::warnings)) {
            print_warning(&mut stderr, warning);
        }
        stderr.push_str(&print_errors(errors));
        let problem = |error: &Error| Problem {
            message: match error {
                Error::Status(s) => s.message.clone(),
                other => other.to_string(),
            },
            ..Problem::default()
        };
        let problems = errors.iter().map(problem).collect();
        Output { exit_code: i32::from(!errors.is_empty()), stdout, stderr, problems }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_one_resource_and_one_object() {
        let said = |argument| parse_resource_and_name(argument).err().map(|error| error.to_string());
        assert_eq!(said("pv/a"), None);
        assert_eq!(said("pv").as_deref(), Some("resource(s) were provided, but no name was specified"));
        assert_eq!(said("nope").as_deref(), Some("the server doesn't have a resource type \"nope\""));
        let slashes = "arguments in resource/name form may not have more than one slash";
        assert_eq!(said("pv/a/b").as_deref(), Some(slashes));
        let single = "arguments in resource/name form must have a single resource and name";
        for argument in ["pv/", "/a", "pv,pvc/a"] {
            assert_eq!(said(argument).as_deref(), Some(single), "{argument}");
        }
    }

    #[test]
    fn an_error_that_is_no_status_has_no_reason() {
        let error = Error::from(Status::unknown("something broke"));
        assert_eq!(print_errors(&[error]), "Error from server: something broke\n");
    }
}
