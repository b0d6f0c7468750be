//! A picture as a Mermaid flowchart, for Markdown pages.
use std::fmt::Write as _;

use super::{Item, Picture, Role, State};

/// The whole flowchart, without the Markdown fence.
pub fn document(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    // writing to a String cannot fail
    let _ = writeln!(out, "  accTitle: {}", line(&picture.title));
    for (index, item) in picture.items.iter().enumerate() {
        let (open, close) = match item.role {
            Role::Volume => ("[(", ")]"),
            Role::Node => ("[[", "]]"),
            Role::DnsName => ("([", "])"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "  n{index}{open}\"{}\"{close}{}", label(item), class(item.state));
    }
    for link in &picture.links {
        let arrow = if link.state == State::Fine { "-->" } else { "-.->" };
        let text = format!("{}{}", text(&picture.label(link)), marks(&link.marks));
        let _ = writeln!(out, "  n{} {arrow}|\"{text}\"| n{}", link.from, link.to);
    }
    for (number, trouble) in (1..).zip(&picture.troubles) {
        let _ = writeln!(out, "  t{number}[\"✗ {number} {}\"]:::trouble", text(trouble));
    }
    for (number, note) in (1..).zip(&picture.notes) {
        let _ = writeln!(out, "  m{number}[\"{}\"]:::trouble", text(note));
    }
    let broken = picture.links.iter().enumerate().filter(|(_, link)| link.state >= State::Broken);
    let broken: Vec<String> = broken.map(|(index, _)| index.to_string()).collect();
    if !broken.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#cf222e,stroke-dasharray:5 4", broken.join(","));
    }
    out.push_str("  classDef past stroke-dasharray:5 4\n");
    out.push_str("  classDef waiting stroke:#9a6700,stroke-width:2px\n");
    out.push_str("  classDef broken stroke:#cf222e,stroke-width:2px\n");
    out.push_str("  classDef absent stroke:#cf222e,stroke-dasharray:5 4\n");
    out.push_str("  classDef trouble fill:none,stroke:none,text-align:left\n");
    out
}

fn class(state: State) -> &'static str {
    match state {
        State::Fine => "",
        State::Past => ":::past",
        State::Waiting => ":::waiting",
        State::Broken => ":::broken",
        State::Absent => ":::absent",
    }
}

fn label(item: &Item) -> String {
    let mut lines = vec![text(&item.caption()), text(&item.name)];
    lines.extend(item.facts.iter().map(|fact| text(fact)));
    format!("{}{}", lines.join("<br>"), marks(&item.marks))
}

fn marks(marks: &[usize]) -> String {
    let numbers: Vec<String> = marks.iter().map(usize::to_string).collect();
    if marks.is_empty() { String::new() } else { format!("<br>✗ {}", numbers.join(" ")) }
}

/// A text inside quotes: every sign that could mean something to Mermaid, Markdown or HTML is an entity code.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' | '.' | ',' | '/' | '-' | ':' | '(' | ')' => out.push(c),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    // a text that looks like a list is made one
    out.replacen("- ", "#45; ", 1)
}

/// A text up to the end of a line, where there are no quotes and no entity codes.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_punctuation() || matches!(c, '-' | '.' | ',' | '/' | ':')).collect()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_ends_a_label_or_is_markup() {
        let clean = text("\"]; click n0 \"javascript:alert(1)\" <img src=x> `code` #quot; **bold** [x](y)");
        assert!(!clean.contains(['"', '<', '>', '`', '*', '[', ']', '\n', '&']), "{clean}");
        let codes =
            clean.split('#').skip(1).all(|code| code.split_once(';').is_some_and(|(n, _)| n.parse::<u8>().is_ok()));
        assert!(codes, "{clean}");
    }
}
