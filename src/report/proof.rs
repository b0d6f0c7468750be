//! What came of proving scenarios, for their authors.
mod en;
mod zh_tw;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::sanitise::sanitise;
use super::terminal::COLUMNS;
use super::width::{pad, width, wrap};
use crate::lang::Lang;
use crate::mutants::Change;
use crate::proof::{Counts, Finding, Proof};

/// A sentence about a proof.
pub(super) enum Words<'a> {
    /// The heads of the table: scenario, mutants, killed, equivalent, open, free, survivors.
    Heads,
    /// What was found.
    Finding(&'a Finding),
    /// A mutant that keeps full marks for a reason.
    Excused(&'a Change),
    /// What to do about it.
    Advice(&'a Finding),
    /// The last line.
    Summary { scenarios: usize, wrong: usize, warnings: usize },
    /// The row of sums.
    Total,
    /// Words behind a doubtful finding.
    Warning,
}

fn say(lang: Lang, words: &Words<'_>) -> String {
    match lang {
        Lang::En => en::say(words),
        Lang::ZhTw => zh_tw::say(words),
    }
}

/// Where a change is: `Pod web: spec.containers[0].image`.
pub(super) fn place(change: &Change) -> String {
    let Change { kind, name, path, .. } = change;
    if path.is_empty() { format!("{kind} {name}") } else { format!("{kind} {name}: {path}") }
}

/// What a change does to the value: `1Gi → 2Gi`.
pub(super) fn values(change: &Change) -> String {
    let (old, new) = (change.old.as_ref().map(text), change.new.as_ref().map(text));
    match (old, new) {
        (Some(old), Some(new)) => format!("{old} → {new}"),
        (Some(old), None) => old,
        (None, Some(new)) => new,
        (None, None) => String::new(),
    }
}

/// The `[[free]]` entry that would explain a survivor.
pub(super) fn free_entry(change: &Change) -> String {
    let path: String = change.path.split('[').enumerate().fold(String::new(), |mut out, (i, part)| {
        if i > 0 {
            let (index, rest) = part.split_once(']').unwrap_or((part, ""));
            let index = if index.parse::<usize>().is_ok() { "" } else { index };
            out.push_str(&format!("[{index}]{rest}"));
        } else {
            out.push_str(part);
        }
        out
    });
    format!("{} {path}", change.kind).trim_end().to_owned()
}

fn cut(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.replace('\n', "⏎");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The table of numbers and everything that was found.
///
/// # Errors
/// When it cannot be written.
pub fn write(proofs: &[(String, Proof)], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    const SOFT: Style = AnsiColor::BrightBlack.on_default();
    const BAD: Style = AnsiColor::Red.on_default();
    const DOUBT: Style = AnsiColor::Yellow.on_default();
    let heads: Vec<String> = say(lang, &Words::Heads).split('|').map(str::to_owned).collect();
    let (first, numbers) = heads.split_first().map_or(("", [].as_slice()), |(first, rest)| (first.as_str(), rest));
    let total = say(lang, &Words::Total);
    let wide = proofs.iter().map(|(id, _)| width(id)).chain([width(first), width(&total)]).max().unwrap_or_default();
    let head: String = numbers.iter().map(|head| format!("  {}", left(head, width(head)))).collect();
    writeln!(out, "{SOFT}{}{head}{SOFT:#}", pad(first, wide))?;
    let row = |counts: &Counts| -> String {
        let Counts { mutants, killed, equivalent, open, free, survivors } = *counts;
        let cells = [mutants, killed, equivalent, open, free, survivors];
        cells.iter().zip(numbers).map(|(n, head)| format!("  {}", left(&n.to_string(), width(head)))).collect()
    };
    let mut sum = Counts::default();
    let (mut wrong, mut warnings) = (0, 0);
    for (id, proof) in proofs {
        sum += proof.counts;
        let style = if proof.is_wrong() { BAD } else { Style::new() };
        writeln!(out, "{style}{}{style:#}{}", pad(&sanitise(id), wide), row(&proof.counts))?;
        let counted = proof.findings.iter().filter(|finding| finding.is_warning()).count();
        warnings += counted;
        wrong += proof.findings.len() - counted;
    }
    if proofs.len() > 1 {
        writeln!(out, "{SOFT}{}{}{SOFT:#}", pad(&total, wide), row(&sum))?;
    }
    for (id, proof) in proofs.iter().filter(|(_, p)| !p.findings.is_empty() || !p.excused.is_empty()) {
        writeln!(out, "\n{}", sanitise(id))?;
        let findings = grouped(&proof.findings);
        for finding in &findings {
            let style = if finding.is_warning() { DOUBT } else { BAD };
            let mark = if finding.is_warning() { say(lang, &Words::Warning) } else { String::new() };
            let text = format!("{mark}{}", say(lang, &Words::Finding(finding)));
            write_lines(out, &text, style)?;
            write_lines(out, &say(lang, &Words::Advice(finding)), SOFT)?;
        }
        for change in &proof.excused {
            write_lines(out, &say(lang, &Words::Excused(change)), Style::new())?;
        }
    }
    writeln!(out, "\n{}", say(lang, &Words::Summary { scenarios: proofs.len(), wrong, warnings }))
}

/// Survivors of one place with the same kind of change as one, with all values.
fn grouped(findings: &[Finding]) -> Vec<Finding> {
    let mut grouped: Vec<Finding> = Vec::new();
    for finding in findings {
        let Finding::Survivor(change) = finding else {
            grouped.push(finding.clone());
            continue;
        };
        let same = grouped.iter_mut().find_map(|other| match other {
            Finding::Survivor(other)
                if (&other.kind, &other.name, &other.path) == (&change.kind, &change.name, &change.path)
                    && other.new.is_some() == change.new.is_some() =>
            {
                Some(other)
            }
            _ => None,
        });
        match same {
            Some(other) => {
                let new = [&other.new, &change.new].into_iter().flatten().map(text).collect::<Vec<_>>();
                other.new = Some(Value::String(new.join(", ")));
            }
            None => grouped.push(finding.clone()),
        }
    }
    grouped
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    }
}

fn write_lines(out: &mut dyn Write, text: &str, style: Style) -> io::Result<()> {
    for line in sanitise(text).lines().flat_map(|line| wrap(line, COLUMNS - 4)) {
        writeln!(out, "  {style}{line}{style:#}")?;
    }
    Ok(())
}

fn left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The same for programs.
pub fn json(proofs: &[(String, Proof)], lang: Lang) -> Value {
    let finding = |finding: &Finding| {
        let change = match finding {
            Finding::Survivor(change)
            | Finding::SameButLoses { change, .. }
            | Finding::UnsaidButLoses { change, .. } => Some(change),
            _ => None,
        };
        let change = change.map(change_json);
        json!({ "warning": finding.is_warning(), "message": say(lang, &Words::Finding(finding)), "change": change })
    };
    let scenario = |(id, proof): &(String, Proof)| {
        let findings: Vec<Value> = proof.findings.iter().map(finding).collect();
        let open: Vec<Value> = proof.excused.iter().map(change_json).collect();
        json!({ "id": id, "mutants": proof.counts, "findings": findings, "open": open, "ok": !proof.is_wrong() })
    };
    Value::Array(proofs.iter().map(scenario).collect())
}

fn change_json(change: &Change) -> Value {
    json!({ "how": change.how, "kind": change.kind, "name": change.name, "field": change.path, "old": change.old,
            "new": change.new })
}
