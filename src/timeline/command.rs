//! One kubectl command as it is typed: its name, its flags, and where its output goes.
use serde_json::Value;

use super::command_line::{CommandLine, Input, Refusal};
use super::files::Files;
use super::flags::{Flags, Spec, global_takes_value};
use super::kubectl::{self, Error, Namespace, Output, Problem};
use super::{ManifestFile, annotate, apply, autoscale, cordon, create, delete, expose, label, patch, replace, rollout};
use super::{run, scale, set, taint, wait_for};

use crate::api::Kind;
use crate::api::schema;
use crate::cluster::Cluster;
use crate::{suggest, yaml};

/// What stays from one command to the next.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The files that can be named.
    pub(super) files: Files,
    /// The namespace of the current context.
    namespace: String,
    /// The namespace every command is given, if it names none itself.
    enforced: Option<String>,
}

/// `--dry-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    No,
    Client,
    Server,
}

/// A command at work.
pub(super) struct Kubectl<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) namespace: Namespace<'a>,
    pub(super) files: &'a Files,
    pub(super) input: Option<&'a str>,
    pub(super) flags: Flags,
    pub(super) dry_run: DryRun,
    /// Standard output.
    pub(super) out: String,
    /// Warnings, without `Warning: ` in front.
    pub(super) warnings: Vec<String>,
    /// What is said on standard error without being a warning.
    pub(super) notes: Vec<String>,
    /// Errors that did not end the command at once.
    pub(super) errors: Vec<Error>,
    /// What of the problems is about manifests.
    pub(super) problems: Vec<Problem>,
}

/// Plays one command as a step of its own.
pub(super) fn run_line(
    cluster: &mut Cluster,
    line: &CommandLine,
    files: &[ManifestFile],
    namespace: Option<&str>,
) -> Output {
    let mut session = Session::new(Files::new(Vec::new(), files.to_vec()), namespace.map(str::to_owned));
    let refused = |refusal: Refusal| Output::new(String::new(), &[], &[Error::Client(refusal.to_string())]);
    session.play(cluster, line).unwrap_or_else(refused)
}

pub(super) type Done = Result<(), Error>;

/// A command: its words, its flags, and what it does.
pub(super) struct Command {
    pub(super) path: &'static str,
    pub(super) spec: Spec,
    pub(super) run: fn(&mut Kubectl<'_>) -> Done,
}

/// All commands that do something.
fn commands() -> impl Iterator<Item = &'static Command> {
    [
        &annotate::COMMAND,
        &apply::COMMAND,
        &autoscale::COMMAND,
        &cordon::CORDON,
        &cordon::UNCORDON,
        &delete::COMMAND,
        &expose::COMMAND,
        &label::COMMAND,
        &patch::COMMAND,
        &replace::COMMAND,
        &run::COMMAND,
        &scale::COMMAND,
        &taint::COMMAND,
        &wait_for::COMMAND,
    ]
    .into_iter()
    .chain(create::COMMANDS.iter().copied())
    .chain(rollout::COMMANDS.iter().copied())
    .chain(set::COMMANDS.iter().copied())
}

/// Commands that only look.
const READ_ONLY: [&str; 13] = [
    "get",
    "describe",
    "logs",
    "explain",
    "top",
    "api-resources",
    "api-versions",
    "version",
    "cluster-info",
    "auth",
    "events",
    "options",
    "help",
];
/// Commands whose effect is outside the simulation.
const NOT_SIMULATED: [&str; 12] = [
    "exec",
    "cp",
    "attach",
    "port-forward",
    "proxy",
    "debug",
    "drain",
    "kustomize",
    "certificate",
    "plugin",
    "diff",
    "alpha",
];

/// Short names of what `create` creates.
const ALIASES: [(&str, &str); 10] = [
    ("cm", "configmap"),
    ("cj", "cronjob"),
    ("deploy", "deployment"),
    ("ing", "ingress"),
    ("ns", "namespace"),
    ("pdb", "poddisruptionbudget"),
    ("pc", "priorityclass"),
    ("resourcequota", "quota"),
    ("svc", "service"),
    ("sa", "serviceaccount"),
];

impl Session {
    /// A session with these files; `namespace` is given to every command that names none.
    pub(super) fn new(files: Files, namespace: Option<String>) -> Session {
        Session { files, namespace: "default".to_owned(), enforced: namespace }
    }

    /// Plays a command.
    ///
    /// # Errors
    /// When it is not one that is simulated.
    pub(super) fn play(&mut self, cluster: &mut Cluster, line: &CommandLine) -> Result<Output, Refusal> {
        let mut feeder = None;
        let input = match &line.input {
            None => None,
            Some(Input::Text(text)) => Some(text.clone()),
            Some(Input::Command(words)) => {
                if !is_client_dry_run(words) {
                    return Err(Refusal::Pipe);
                }
                let output = self.play_words(cluster, words, None)?;
                let text = output.stdout.clone();
                feeder = Some(Output { stdout: String::new(), ..output });
                Some(text)
            }
        };
        if line.redirect.is_some() && !is_client_dry_run(&line.words) {
            return Err(Refusal::Redirect);
        }
        if let Some(refusal) = line.redirect.as_ref().and_then(|redirect| self.files.refuses(&redirect.file)) {
            return Err(refusal);
        }
        let mut output = self.play_words(cluster, &line.words, input.as_deref())?;
        if let Some(redirect) = &line.redirect {
            self.files.write(&redirect.file, &std::mem::take(&mut output.stdout), redirect.append)?;
        }
        match feeder {
            Some(mut feeder) => {
                // as in a shell, the status is that of the last command
                feeder.exit_code = 0;
                feeder.absorb(output);
                Ok(feeder)
            }
            None => Ok(output),
        }
    }

    fn play_words(&mut self, cluster: &mut Cluster, words: &[String], input: Option<&str>) -> Result<Output, Refusal> {
        let words = command_first(words);
        let mut names = words.iter().map(String::as_str);
        let (first, second) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        if let Some(refusal) = self.outside(&words) {
            return Err(refusal);
        }
        match first {
            "" => return Ok(Output::default()),
            "edit" => return Err(Refusal::Interactive(first.to_owned())),
            "config" => return Ok(self.config(&words)),
            "set" if second == "last-applied" => return Err(Refusal::NotSimulated("set last-applied".to_owned())),
            name if NOT_SIMULATED.contains(&name) => return Err(Refusal::NotSimulated(name.to_owned())),
            name if READ_ONLY.contains(&name) => return Ok(Output::default()),
            _ => {}
        }
        let (command, rest) = match find_command(&words) {
            Ok(found) => found,
            Err(error) => return Ok(Output::new(String::new(), &[], &[error])),
        };
        let failed = |error: Error| Ok(Output::new(String::new(), &[], &[error]));
        let flags = match Flags::parse(command.path, &command.spec, rest) {
            Ok(flags) => flags,
            Err(error) => return failed(error),
        };
        if flags.on("help").unwrap_or(false) {
            return Ok(Output::default());
        }
        if flags.on("edit").unwrap_or(false) {
            return Err(Refusal::Interactive(format!("{first} --edit")));
        }
        if flags.text("kustomize").is_some() {
            return Err(Refusal::NotSimulated(format!("{first} -k")));
        }
        let dry_run = match dry_run(&flags) {
            Ok(dry_run) => dry_run,
            Err(error) => return failed(error),
        };
        let given = flags.text("namespace").map(str::to_owned).or_else(|| self.enforced.clone());
        let namespace = Namespace { name: given.as_deref().unwrap_or(&self.namespace), enforced: given.is_some() };
        // what the server is only asked to try happens to a copy
        let mut copy;
        let cluster = match dry_run {
            DryRun::Server => {
                copy = cluster.clone();
                &mut copy
            }
            DryRun::No | DryRun::Client => cluster,
        };
        let mut kubectl = Kubectl {
            cluster,
            namespace,
            files: &self.files,
            input,
            flags,
            dry_run,
            out: String::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            errors: Vec::new(),
            problems: Vec::new(),
        };
        if let Err(error) = (command.run)(&mut kubectl) {
            kubectl.errors.push(error);
        }
        Ok(kubectl.output())
    }

    /// The first file that is named and is not one of the answer's.
    fn outside(&self, words: &[String]) -> Option<Refusal> {
        named_files(words).into_iter().find_map(|name| self.files.refuses(&name))
    }

    /// `kubectl config`: the namespace of the current context is all that matters.
    fn config(&mut self, words: &[String]) -> Output {
        if words.get(1).map(String::as_str) != Some("set-context") {
            return Output::default();
        }
        const SPEC: Spec = Spec { switches: &["current"], texts: &["auth-info", "tls-server-name"], lists: &[] };
        match Flags::parse("kubectl config set-context", &SPEC, words.get(2..).unwrap_or_default()) {
            Ok(flags) => {
                if let Some(namespace) = flags.text("namespace") {
                    self.namespace = if namespace.is_empty() { "default".to_owned() } else { namespace.to_owned() };
                }
                Output { stdout: "Context \"kubernetes-admin@kubernetes\" modified.\n".to_owned(), ..Output::default() }
            }
            Err(error) => Output::new(String::new(), &[], &[error]),
        }
    }
}

/// The files that a command's words name with flags: `-` is standard input.
pub(super) fn named_files(words: &[String]) -> Vec<String> {
    const FLAGS: [&str; 7] =
        ["--filename", "--from-file", "--from-env-file", "--cert", "--key", "--patch-file", "--kustomize"];
    let mut names = Vec::new();
    let mut words = words.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let value = if FLAGS.contains(&flag) || word == "-f" {
            value.or_else(|| words.next().cloned())
        } else if !word.starts_with("--") && word.starts_with("-f") {
            word.strip_prefix("-f").map(|rest| rest.trim_start_matches('=').to_owned())
        } else {
            None
        };
        let Some(value) = value else { continue };
        // `--from-file=key=path`
        let value = match value.rsplit_once('=') {
            Some((_, path)) if flag == "--from-file" => path.to_owned(),
            _ => value,
        };
        let each: Vec<&str> =
            if word.starts_with("-f") || flag == "--filename" { value.split(',').collect() } else { vec![&value] };
        names.extend(each.into_iter().filter(|name| *name != "-" && !name.is_empty()).map(str::to_owned));
    }
    names
}

fn is_client_dry_run(words: &[String]) -> bool {
    let words = || words.iter().take_while(|word| *word != "--");
    let yaml = |word: &str| matches!(word, "yaml" | "json");
    let output =
        words().zip(words().skip(1)).any(|(flag, value)| matches!(flag.as_str(), "-o" | "--output") && yaml(value))
            || words().any(|word| {
                let value = word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o"));
                value.is_some_and(|value| yaml(value.trim_start_matches('=')))
            });
    output && words().any(|word| matches!(word.as_str(), "--dry-run=client" | "--dry-run" | "--dry-run=true"))
}

/// The words with the flags in front of the command behind its name.
fn command_first(words: &[String]) -> Vec<String> {
    let mut global = Vec::new();
    let mut words = words.iter();
    let mut rest = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            rest.push(word.clone());
            break;
        }
        global.push(word.clone());
        if global_takes_value(word) {
            global.extend(words.next().cloned());
        }
    }
    let group = rest.first().is_some_and(|first| matches!(first.as_str(), "create" | "set" | "rollout" | "config"));
    let mut tail: Vec<String> = words.cloned().collect();
    if group {
        // the names of the group's command stand first too
        let service =
            |tail: &[String]| tail.first().is_some_and(|w| matches!(w.as_str(), "service" | "svc" | "secret"));
        let names = match tail.first() {
            Some(word) if word.starts_with('-') => 0,
            Some(_) if service(&tail) => 2,
            Some(_) => 1,
            None => 0,
        };
        rest.extend(tail.drain(..names.min(tail.len())));
    }
    rest.extend(global);
    rest.extend(tail);
    rest
}

/// The command words name, and the words after its name.
fn find_command(words: &[String]) -> Result<(&'static Command, &[String]), Error> {
    let mut path = "kubectl".to_owned();
    let mut found: Option<(&'static Command, usize)> = None;
    for (i, word) in words.iter().enumerate().take(3) {
        let word = match path.as_str() {
            "kubectl create" => ALIASES.iter().find(|(short, _)| short == word).map_or(word.as_str(), |(_, long)| long),
            _ => word,
        };
        path = format!("{path} {word}");
        if let Some(command) = commands().find(|command| command.path == path) {
            found = Some((command, i + 1));
        }
    }
    let first = words.first().map(String::as_str).unwrap_or_default();
    match found {
        Some((command, count)) => {
            let rest = words.get(count..).unwrap_or_default();
            Ok((command, rest))
        }
        None if commands().any(|command| command.path.split(' ').nth(1) == Some(first)) => {
            let shown = words.iter().skip(1).take_while(|w| !w.starts_with('-')).cloned().collect::<Vec<_>>();
            let message =
                format!("Unexpected args: [{}]\nSee 'kubectl {first} -h' for help and examples", shown.join(" "));
            Err(Error::Client(message))
        }
        None => {
            let names = commands().filter_map(|command| command.path.split(' ').nth(1)).chain(READ_ONLY);
            let hint = match suggest::nearest(first, names) {
                Some(near) => format!("\n\nDid you mean this?\n\t{near}"),
                None => String::new(),
            };
            Err(Error::Client(format!("unknown command \"{first}\" for \"kubectl\"{hint}")))
        }
    }
}

/// `GetDryRunStrategy`.
fn dry_run(flags: &Flags) -> Result<DryRun, Error> {
    match flags.text("dry-run") {
        None | Some("none" | "false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(DryRun::No),
        Some("client" | "unchanged" | "true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(DryRun::Client),
        Some("server") => Ok(DryRun::Server),
        Some(other) => {
            Err(Error::Client(format!("Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\".")))
        }
    }
}

impl Kubectl<'_> {
    /// The manifests of `-f`.
    pub(super) fn manifests(&self, names: &[String]) -> Result<Vec<ManifestFile>, Error> {
        let recursive = self.flags.on("recursive")?;
        let mut files = Vec::new();
        for name in names.iter().flat_map(|name| name.split(',')) {
            match (name, self.input) {
                ("-", input) => {
                    let bytes = input.unwrap_or_default().as_bytes().to_vec();
                    files.push(ManifestFile { name: "STDIN".to_owned(), bytes });
                }
                (name, _) => files.extend(self.files.manifests(name, recursive)?),
            }
        }
        Ok(files)
    }

    /// Prints what was done to an object, as `-o` asks.
    pub(super) fn print(&mut self, kind: Kind, name: &str, operation: &str, object: &Value) -> Done {
        match self.flags.or_empty("output") {
            "" => {
                let suffix = match self.dry_run {
                    DryRun::No => "",
                    DryRun::Client => " (dry run)",
                    DryRun::Server => " (server dry run)",
                };
                let space = if operation.is_empty() { "" } else { " " };
                self.out.push_str(&format!("{}{space}{operation}{suffix}\n", kubectl::object_name(kind, name)));
            }
            "name" => self.out.push_str(&format!("{}\n", kubectl::object_name(kind, name))),
            "yaml" => {
                if !self.out.is_empty() {
                    self.out.push_str("---\n");
                }
                self.out.push_str(&yaml::to_string(object));
            }
            "json" => self.out.push_str(&go_indented(object)),
            other if other.contains("jsonpath") || other.contains("template") || other.contains("columns") => {}
            other => {
                let formats = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,\
                               templatefile,yaml";
                return Err(Error::Client(format!(
                    "unable to match a printer suitable for the output format \"{other}\", allowed formats are: {formats}"
                )));
            }
        }
        Ok(())
    }

    fn output(self) -> Output {
        let mut output = Output::new(self.out, &self.warnings, &self.errors);
        let notes: String = self.notes.iter().map(|note| format!("{note}\n")).collect();
        output.stderr.insert_str(0, &notes);
        if !self.problems.is_empty() {
            // those about manifests say where
            let known: Vec<&str> = self.problems.iter().map(|problem| problem.message.as_str()).collect();
            output.problems.retain(|problem| !known.iter().any(|known| problem.message.contains(known)));
            output.problems.splice(0..0, self.problems);
        }
        output
    }
}

/// JSON as kubectl prints it: four blanks a level.
fn go_indented(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if serde::Serialize::serialize(value, &mut serializer).is_err() {
        return String::new();
    }
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An object as Go writes its type: with the empty values of fields that are always written.
pub(super) fn as_go_writes(kind: Kind, value: &Value) -> Value {
    match schema::kind(kind.api_version(), kind.name()) {
        Some(root) => crate::api::decode::normalise(value.clone(), root),
        None => value.clone(),
    }
}
