//! A picture in Graphviz' DOT language.
use std::fmt::Write as _;

use super::{Picture, Role, State};

/// The whole graph, for `dot -Tsvg`.
pub fn document(picture: &Picture) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = writeln!(out, "digraph {{\n  rankdir=LR;\n  label={};\n  labelloc=t;", quote(&title(picture)));
    out.push_str(
        "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f8fa\", fontname=\"sans-serif\", fontsize=11];\n",
    );
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (index, item) in picture.items.iter().enumerate() {
        let mut lines = vec![item.caption(), item.name.clone()];
        lines.extend(item.facts.iter().cloned());
        lines.extend(marks(&item.marks));
        let style = match item.state {
            State::Fine => "",
            State::Past => ", style=\"rounded,dashed\"",
            State::Waiting => ", color=\"#9a6700\"",
            State::Broken => ", color=\"#cf222e\", penwidth=2",
            State::Absent => ", color=\"#cf222e\", style=\"rounded,dashed\"",
        };
        let _ = writeln!(out, "  n{index} [label={}{}{style}];", quote(&lines.join("\n")), shape(item.role));
    }
    for link in &picture.links {
        let mut lines = vec![picture.label(link)];
        lines.extend(marks(&link.marks));
        let style = match link.state {
            State::Fine => "",
            State::Past => ", style=dashed",
            State::Waiting => ", style=dotted, color=\"#9a6700\", fontcolor=\"#9a6700\"",
            State::Broken | State::Absent => ", style=dashed, color=\"#cf222e\", fontcolor=\"#cf222e\"",
        };
        let _ = writeln!(out, "  n{} -> n{} [label={}{style}];", link.from, link.to, quote(&lines.join("\n")));
    }
    out.push_str("}\n");
    out
}

/// The title and, because a graph has no place for a legend, what is wrong.
fn title(picture: &Picture) -> String {
    let mut lines = vec![picture.title.clone()];
    lines.extend((1..).zip(&picture.troubles).map(|(number, trouble)| format!("✗ {number}  {trouble}")));
    lines.extend(picture.notes.iter().cloned());
    lines.join("\n")
}

fn marks(marks: &[usize]) -> Option<String> {
    let numbers: Vec<String> = marks.iter().map(usize::to_string).collect();
    (!marks.is_empty()).then(|| format!("✗ {}", numbers.join(" ")))
}

fn shape(role: Role) -> &'static str {
    match role {
        Role::Volume => ", shape=cylinder",
        Role::Node => ", shape=box3d",
        Role::DnsName => ", shape=plain",
        _ => "",
    }
}

/// A quoted string. In labels a backslash begins an escape and `&` an entity, so both are written as themselves.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn nothing_ends_a_string_or_begins_an_escape() {
        assert_eq!(quote(r#"a"];b->c[label=""#), r#""a\"];b->c[label=\"""#);
        assert_eq!(quote("\\N\n&lt;"), "\"\\\\N\\n&amp;lt;\"");
    }
}
