//! The flags of a kubectl command (`cobra`, `pflag`), read by clap, with kubectl's words for what is wrong.
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use k8s_openapi::jiff::SignedDuration;

use super::kubectl::Error;
use crate::api::field::go_quote;
use crate::api::validation::duration::parse_duration;

/// The flags a command has, without those every command has. `selector/l` has the short form `-l`.
#[derive(Debug, Default)]
pub(super) struct Spec {
    /// Flags that are there or not; `=false` is allowed.
    pub(super) switches: &'static [&'static str],
    /// Flags with a value; the last one counts.
    pub(super) texts: &'static [&'static str],
    /// Flags with a value that may be repeated.
    pub(super) lists: &'static [&'static str],
}

/// Flags of all commands: which have a value. `--request-timeout` and the like change nothing here.
const GLOBAL_SWITCHES: &[&str] = &["help/h", "warnings-as-errors", "insecure-skip-tls-verify", "match-server-version"];
const GLOBAL_TEXTS: &[&str] = &[
    "namespace/n",
    "context",
    "cluster",
    "user",
    "server/s",
    "kubeconfig",
    "request-timeout",
    "cache-dir",
    "as",
    "field-manager",
];
/// Flags whose value may be left out, and what that means (`NoOptDefVal`).
const OPTIONAL_VALUES: &[(&str, &str)] =
    &[("dry-run", "unchanged"), ("validate", "strict"), ("cascade", "background"), ("v", "0")];

/// The arguments of one command, read.
#[derive(Debug)]
pub(super) struct Flags {
    matches: ArgMatches,
    /// `kubectl create job`.
    pub(super) path: String,
}

/// Whether a flag in front of the command has its value in the next word.
pub(super) fn global_takes_value(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let is = |known: &'static str| {
        let (long, short) = split(known);
        if word.starts_with("--") { name == long } else { short.is_some_and(|s| name == s.to_string()) }
    };
    !word.contains('=') && GLOBAL_TEXTS.iter().any(|known| is(known))
}

fn split(flag: &'static str) -> (&'static str, Option<char>) {
    match flag.split_once('/') {
        Some((long, short)) => (long, short.chars().next()),
        None => (flag, None),
    }
}

impl Flags {
    /// Reads the words after a command's name.
    pub(super) fn parse(path: &str, spec: &Spec, words: &[String]) -> Result<Flags, Error> {
        let mut command = Command::new("kubectl")
            .no_binary_name(true)
            .disable_help_flag(true)
            .disable_version_flag(true)
            .args_override_self(true)
            .arg(Arg::new("ARGS").num_args(0..).action(ArgAction::Append))
            .arg(Arg::new("REST").num_args(0..).last(true).allow_hyphen_values(true).action(ArgAction::Append));
        let has = |name: &str| spec.texts.iter().chain(spec.switches).chain(spec.lists).any(|f| split(f).0 == name);
        let taken =
            |short: char| spec.texts.iter().chain(spec.switches).chain(spec.lists).any(|f| split(f).1 == Some(short));
        let flag = |known: &'static str| {
            let (long, short) = split(known);
            let arg = Arg::new(long).long(long);
            match short {
                Some(short) => arg.short(short),
                None => arg,
            }
        };
        let global = |known: &'static str| {
            let (long, short) = split(known);
            let arg = Arg::new(long).long(long);
            match short.filter(|short| !taken(*short)) {
                Some(short) => arg.short(short),
                None => arg,
            }
        };
        let free = |known: &&&'static str| !has(split(known).0);
        let switch = |arg: Arg| arg.num_args(0..=1).require_equals(true).default_missing_value("true");
        for known in spec.switches {
            command = command.arg(switch(flag(known)));
        }
        for known in GLOBAL_SWITCHES.iter().filter(free) {
            command = command.arg(switch(global(known)));
        }
        let texts = spec.texts.iter().map(|known| flag(known));
        for arg in texts.chain(GLOBAL_TEXTS.iter().filter(free).map(|known| global(known))) {
            let id = arg.get_id().to_string();
            command = command.arg(match OPTIONAL_VALUES.iter().find(|(name, _)| *name == id) {
                Some((_, missing)) => arg.num_args(0..=1).require_equals(true).default_missing_value(*missing),
                None => arg.num_args(1).allow_hyphen_values(true),
            });
        }
        for known in spec.lists {
            command = command.arg(flag(known).num_args(1).allow_hyphen_values(true).action(ArgAction::Append));
        }
        match command.try_get_matches_from(words) {
            Ok(matches) => Ok(Flags { matches, path: path.to_owned() }),
            Err(error) => Err(Error::Client(format!("{}\nSee '{path} --help' for usage.", problem(&error)))),
        }
    }

    /// The arguments in front of `--`.
    pub(super) fn args(&self) -> Vec<String> {
        self.list("ARGS")
    }

    /// The arguments after `--`.
    pub(super) fn rest(&self) -> Vec<String> {
        self.list("REST")
    }

    /// The value of a flag.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.matches.try_get_one::<String>(name).ok().flatten();
        value.map(String::as_str)
    }

    /// The value of a flag, empty if it is not there.
    pub(super) fn or_empty(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// The values of a flag that may be repeated (`StringArray`).
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self.matches.try_get_many::<String>(name).ok().flatten();
        values.into_iter().flatten().cloned().collect()
    }

    /// The values of a flag that may be repeated or hold several with commas between (`StringSlice`).
    pub(super) fn slice(&self, name: &str) -> Vec<String> {
        let values = self.list(name);
        values.iter().filter(|v| !v.is_empty()).flat_map(|value| value.split(',')).map(str::to_owned).collect()
    }

    /// Whether a switch is on.
    pub(super) fn on(&self, name: &str) -> Result<bool, Error> {
        self.switch(name).map(|value| value.unwrap_or(false))
    }

    /// The value of a switch, if it was given (`strconv.ParseBool`).
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.text(name) {
            None => Ok(None),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
            Some(other) => Err(self.invalid(
                name,
                other,
                &format!("strconv.ParseBool: parsing {}: invalid syntax", go_quote(other)),
            )),
        }
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong =
            || self.invalid(name, text, &format!("strconv.ParseInt: parsing {}: invalid syntax", go_quote(text)));
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// A number of 32 bits.
    pub(super) fn number32(&self, name: &str) -> Result<Option<i32>, Error> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        let text = number.to_string();
        let wrong =
            || self.invalid(name, &text, &format!("strconv.ParseInt: parsing {}: value out of range", go_quote(&text)));
        i32::try_from(number).map(Some).map_err(|_| wrong())
    }

    /// A duration.
    pub(super) fn duration(&self, name: &str) -> Result<Option<SignedDuration>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse_duration(text).map(Some).map_err(|why| self.invalid(name, text, &why))
    }

    fn invalid(&self, name: &str, value: &str, why: &str) -> Error {
        let path = &self.path;
        Error::Client(format!(
            "invalid argument {} for \"--{name}\" flag: {why}\nSee '{path} --help' for usage.",
            go_quote(value)
        ))
    }

    /// `cmdutil.UsageErrorf`.
    pub(super) fn usage_error(&self, message: &str) -> Error {
        Error::Client(format!("{message}\nSee '{} -h' for help and examples", self.path))
    }

    /// The one name a command creates something by (`NameFromCommandArgs`).
    pub(super) fn single_name(&self) -> Result<String, Error> {
        let args = self.args();
        match args.as_slice() {
            [name] => Ok(name.clone()),
            other => Err(self.usage_error(&format!("exactly one NAME is required, got {}", other.len()))),
        }
    }

    /// Flags that must be there (`MarkFlagRequired`).
    pub(super) fn require(&self, names: &[&str]) -> Result<(), Error> {
        let missing: Vec<String> =
            names.iter().filter(|name| self.text(name).is_none()).map(|name| format!("\"{name}\"")).collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Error::Client(format!("required flag(s) {} not set", missing.join(", ")))),
        }
    }
}

/// What pflag says to a wrong flag.
fn problem(error: &clap::Error) -> String {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => match flag.strip_prefix("--") {
            Some(_) => format!("unknown flag: {flag}"),
            None => {
                let short = flag.trim_start_matches('-').chars().next().unwrap_or('-');
                format!("unknown shorthand flag: '{short}' in {flag}")
            }
        },
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!("flag needs an argument: {flag}")
        }
        _ => format!("bad flag syntax: {flag}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        switches: &["all", "overwrite"],
        texts: &["selector/l", "replicas", "dry-run"],
        lists: &["filename/f", "env/e"],
    };

    fn parse(line: &str) -> Result<Flags, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Flags::parse("kubectl x", &SPEC, &words).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_stand_anywhere_and_in_every_form() {
        let flags = parse("a -lapp=web b --replicas -1 --all -n x -f=1 -f 2 --dry-run -- c -d").unwrap();
        assert_eq!(flags.args(), ["a", "b"]);
        assert_eq!(flags.rest(), ["c", "-d"]);
        assert_eq!(flags.text("selector"), Some("app=web"));
        assert_eq!(flags.number("replicas").unwrap(), Some(-1));
        assert!(flags.on("all").unwrap() && !flags.on("overwrite").unwrap());
        assert_eq!(flags.list("filename"), ["1", "2"]);
        assert_eq!(flags.text("dry-run"), Some("unchanged"));
        let flags = parse("--all=false --replicas=1 --replicas=2 --dry-run=client").unwrap();
        assert_eq!((flags.switch("all").unwrap(), flags.text("replicas")), (Some(false), Some("2")));
        assert_eq!(flags.text("dry-run"), Some("client"));
    }

    #[test]
    fn wrong_flags_are_refused_in_kubectls_words() {
        let see = "\nSee 'kubectl x --help' for usage.";
        let said = |line: &str| parse(line).unwrap_err();
        assert_eq!(said("--nope"), format!("unknown flag: --nope{see}"));
        assert_eq!(said("--nope=1"), format!("unknown flag: --nope{see}"));
        assert_eq!(said("-x"), format!("unknown shorthand flag: 'x' in -x{see}"));
        assert_eq!(said("--replicas"), format!("flag needs an argument: --replicas{see}"));
        let number = parse("--replicas=x").unwrap().number("replicas").unwrap_err().to_string();
        let why = "strconv.ParseInt: parsing \"x\": invalid syntax";
        assert_eq!(number, format!("invalid argument \"x\" for \"--replicas\" flag: {why}{see}"));
    }
}
