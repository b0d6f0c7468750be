//! A shell for the tests of kubectl's commands.
use super::command::Session;
use super::command_line::parse_one;
use super::files::Files;
use crate::api::Kind;
use crate::cluster::Cluster;
use crate::environment::Environment;

/// A cluster and a session.
pub(super) struct Shell {
    cluster: Cluster,
    session: Session,
}

impl Default for Shell {
    fn default() -> Self {
        Shell { cluster: Cluster::new(Environment::default()), session: Session::new(Files::default(), None) }
    }
}

impl Shell {
    /// A shell in which a command was played.
    pub(super) fn with(line: &str) -> Shell {
        let mut shell = Shell::default();
        shell.stdout(line);
        shell
    }

    /// Standard output and standard error of a command, after which the cluster settles.
    pub(super) fn run(&mut self, line: &str) -> (String, String) {
        let parsed = parse_one(line).unwrap_or_else(|refusal| unreachable!("{line}: {refusal}"));
        let played = self.session.play(&mut self.cluster, &parsed);
        let output = played.unwrap_or_else(|refusal| unreachable!("{line}: {refusal}"));
        self.cluster.settle();
        assert_eq!(output.exit_code != 0, output.problems.iter().any(|problem| !problem.warning), "{line}: {output:?}");
        (output.stdout, output.stderr)
    }

    /// What a command that does not fail prints.
    pub(super) fn stdout(&mut self, line: &str) -> String {
        let (stdout, stderr) = self.run(line);
        assert!(!stderr.to_lowercase().contains("error"), "{line}: {stderr}");
        stdout
    }

    /// What a command that fails prints on standard error.
    pub(super) fn stderr(&mut self, line: &str) -> String {
        let (stdout, stderr) = self.run(line);
        assert!(stdout.is_empty(), "{line}: {stdout}");
        stderr
    }

    /// Writes a file.
    pub(super) fn file(&mut self, name: &str, text: &str) {
        self.session.files.write(name, text, false).unwrap_or_else(|refusal| unreachable!("{refusal}"));
    }

    /// A field of an object in the namespace `default`, empty if there is none.
    pub(super) fn value(&self, kind: &str, name: &str, pointer: &str) -> String {
        let found = Kind::ALL.iter().find(|known| known.name() == kind);
        let kind = *found.unwrap_or_else(|| unreachable!("{kind}"));
        let namespace = if kind.namespaced() { "default" } else { "" };
        let object = self.cluster.api().store().object(kind, namespace, name);
        let value = object.unwrap_or_else(|| unreachable!("no {name}")).to_value();
        match value.pointer(pointer) {
            None => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// The labels of an object.
    pub(super) fn labels(&self, kind: &str, name: &str) -> String {
        let text = self.value(kind, name, "/metadata/labels");
        text.trim_matches(['{', '}']).replace('"', "").replace(':', "=")
    }

    /// The name of the first node that takes pods.
    pub(super) fn node(&self) -> String {
        let nodes = self.cluster.api().store().objects_of(Kind::Node);
        nodes.last().map(|node| node.name().to_owned()).unwrap_or_default()
    }
}
