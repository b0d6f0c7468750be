//! A task as files to work on: the text as Markdown, and an answer file to begin with.
use std::fmt::Write as _;

use crate::lang::Lang;
use crate::report::sanitise::sanitise;
use crate::report::text::{Message, say};
use crate::scenario::Scenario;

/// The task as Markdown; `there` names what is in the cluster at the start.
pub fn markdown(scenario: &Scenario, there: &[String], lang: Lang) -> String {
    let mut text = format!("# {}\n\n", scenario.title.get(lang).trim());
    let facts = [
        scenario.id.clone(),
        say(lang, &Message::Level(scenario.level)),
        say(lang, &Message::Minutes(scenario.minutes)),
        say(lang, &Message::PointsWorth(scenario.points())),
    ];
    let _ = writeln!(text, "{}\n\n{}", facts.join(" · "), scenario.task.get(lang).trim());
    if !there.is_empty() {
        let _ = writeln!(text, "\n## {}\n", say(lang, &Message::ClusterAtStart));
        for name in there {
            let _ = writeln!(text, "- {}", sanitise(name));
        }
    }
    let _ = writeln!(text, "\n## {}\n", say(lang, &Message::Checks));
    for check in &scenario.checks {
        let points = say(lang, &Message::PointsWorth(check.points));
        let _ = writeln!(text, "- {} ({points})", check.title.get(lang).trim());
    }
    if !scenario.sources.is_empty() {
        let _ = writeln!(text, "\n## {}\n", say(lang, &Message::Sources));
        for source in &scenario.sources {
            let link = source.starts_with("http");
            let _ = if link { writeln!(text, "- <{source}>") } else { writeln!(text, "- {source}") };
        }
    }
    text
}

/// An answer file that says nothing yet. Editors with the YAML language server check and complete what is written into it.
pub fn empty_answer(scenario: &Scenario, lang: Lang) -> String {
    format!(
        "# yaml-language-server: $schema=kubernetes\n# {}  {}\n",
        scenario.id,
        sanitise(scenario.title.get(lang).trim())
    )
}

/// The editor settings of a practice folder.
pub const EDITORCONFIG: &str = "\
root = true

[*.{yaml,yml}]
charset = utf-8
end_of_line = lf
indent_style = space
indent_size = 2
insert_final_newline = true
trim_trailing_whitespace = true
";

/// Tells Visual Studio Code's YAML extension which files are Kubernetes manifests.
pub const VSCODE_SETTINGS: &str = r#"{
  "yaml.schemas": { "kubernetes": ["*.yaml", "*.yml"] },
  "files.eol": "\n",
  "[yaml]": { "editor.insertSpaces": true, "editor.tabSize": 2 }
}
"#;
