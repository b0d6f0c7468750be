//! A picture in a terminal: as an image where terminals can, else as a tree.
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Item, Link, Picture, State, Words, shorten};
use crate::report::text::{Message, say};
use crate::report::width::{width, wrap};

/// How a terminal takes images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
}

impl Protocol {
    /// What the environment says about the terminal; none where it is not known to show images, as inside tmux and screen.
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Option<Protocol> {
        let has = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        if has("TMUX") || has("STY") || term.starts_with("screen") || term.starts_with("tmux") {
            return None;
        }
        match variable("TERM_PROGRAM").unwrap_or_default().as_str() {
            "iTerm.app" | "WezTerm" | "mintty" => Some(Protocol::Iterm2),
            "ghostty" => Some(Protocol::Kitty),
            _ if has("KITTY_WINDOW_ID") || term == "xterm-kitty" || term == "xterm-ghostty" => Some(Protocol::Kitty),
            _ if has("WEZTERM_EXECUTABLE") || has("WEZTERM_PANE") => Some(Protocol::Iterm2),
            _ => None,
        }
    }

    /// The bytes that show a PNG.
    pub fn show(self, png: &[u8]) -> String {
        let data = STANDARD.encode(png);
        match self {
            Protocol::Iterm2 => {
                format!("\x1b]1337;File=inline=1;size={};preserveAspectRatio=1:{data}\x07\n", png.len())
            }
            Protocol::Kitty => {
                let mut out = String::new();
                let mut rest = data.as_str();
                let mut control = "f=100,a=T,q=2,";
                loop {
                    let (chunk, after) = rest.split_at_checked(4096).unwrap_or((rest, ""));
                    let more = u8::from(!after.is_empty());
                    // writing to a String cannot fail
                    let _ = write!(out, "\x1b_G{control}m={more};{chunk}\x1b\\");
                    control = "";
                    rest = after;
                    if rest.is_empty() {
                        break;
                    }
                }
                out.push('\n');
                out
            }
        }
    }
}

const BAD: Style = AnsiColor::Red.on_default();
const WAIT: Style = AnsiColor::Yellow.on_default();
const SOFT: Style = AnsiColor::BrightBlack.on_default();
const STRONG: Style = Style::new().bold();

/// A tree of lines of at most so many columns, with colours.
pub fn tree(picture: &Picture, columns: usize) -> String {
    let mut out = String::new();
    let mut incoming = vec![false; picture.items.len()];
    for link in &picture.links {
        if let Some(incoming) = incoming.get_mut(link.to) {
            *incoming = true;
        }
    }
    let mut tree = Tree { picture, columns, seen: vec![false; picture.items.len()], out: &mut out };
    for (index, _) in incoming.iter().enumerate().filter(|(_, incoming)| !**incoming) {
        tree.write(index, None, "", "");
    }
    // what only hangs together in a circle
    for index in 0..picture.items.len() {
        if tree.seen.get(index) == Some(&false) {
            tree.write(index, None, "", "");
        }
    }
    if !picture.troubles.is_empty() || !picture.notes.is_empty() {
        out.push('\n');
    }
    for (number, trouble) in (1..).zip(&picture.troubles) {
        let number = format!("✗{number:<3}");
        for (i, line) in wrap(trouble, columns.saturating_sub(HANGING)).iter().enumerate() {
            let lead = if i == 0 { format!("{BAD}{number}{BAD:#}") } else { "    ".to_owned() };
            let _ = writeln!(out, "{lead} {}", shorten(line, columns.saturating_sub(5)));
        }
    }
    for note in &picture.notes {
        for line in wrap(note, columns.saturating_sub(HANGING)) {
            let _ = writeln!(out, "     {}", shorten(&line, columns.saturating_sub(5)));
        }
    }
    out
}

/// What numbers before a text take, and a sign that may hang over its end.
const HANGING: usize = 7;

struct Tree<'a> {
    picture: &'a Picture,
    columns: usize,
    seen: Vec<bool>,
    out: &'a mut String,
}

impl Tree<'_> {
    /// An item and below it what it leads to; each item is told once.
    fn write(&mut self, index: usize, by: Option<&Link>, first: &str, further: &str) {
        let Some(item) = self.picture.items.get(index) else { return };
        let again = std::mem::replace(self.seen.get_mut(index).unwrap_or(&mut true), true);
        let children: Vec<&Link> = self.picture.links.iter().filter(|link| link.from == index).collect();
        let see = again && !children.is_empty();
        self.line(item, by, first, again, see);
        if again {
            return;
        }
        let last = children.len().saturating_sub(1);
        for (i, link) in children.into_iter().enumerate() {
            let (branch, below) = if i == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.write(link.to, Some(link), &format!("{further}{branch}"), &format!("{further}{below}"));
        }
    }

    fn line(&mut self, item: &Item, by: Option<&Link>, branch: &str, again: bool, see: bool) {
        let style = match item.state {
            State::Fine => Style::new(),
            State::Past => SOFT,
            State::Waiting => WAIT,
            State::Broken | State::Absent => BAD,
        };
        let mut lead = branch.to_owned();
        let mut lead_width = width(branch);
        if let Some(link) = by {
            let marks = marks(&link.marks);
            let sign = match link.state {
                State::Fine | State::Past => String::new(),
                State::Waiting => format!("…{marks} "),
                State::Broken | State::Absent => format!("✗{marks} "),
            };
            let label = shorten(&self.picture.label(link), 24);
            lead_width += width(&label) + width(&sign) + 3;
            let color = match link.state {
                State::Fine | State::Past => SOFT,
                State::Waiting => WAIT,
                State::Broken | State::Absent => BAD,
            };
            lead = format!("{SOFT}{branch}{SOFT:#}{color}{sign}{label}{color:#} {SOFT}→{SOFT:#} ");
        }
        let room = self.columns.saturating_sub(lead_width);
        let said_by_link = by.is_some_and(|link| link.marks == item.marks);
        let mark = match item.marks.as_slice() {
            [] => String::new(),
            _ if said_by_link => String::new(),
            item_marks => format!(" ✗{}", marks(item_marks)),
        };
        let caption = shorten(&item.caption(), room.max(12) / 2);
        let name = shorten(&item.name, room.saturating_sub(width(&caption) + width(&mark) + 1).max(8));
        let _ = write!(
            self.out,
            "{lead}{SOFT}{caption}{SOFT:#} {style}{STRONG}{name}{STRONG:#}{style:#}{BAD}{mark}{BAD:#}"
        );
        let used = lead_width + width(&caption) + 1 + width(&name) + width(&mark);
        let facts = match (item.state, again) {
            (State::Absent | State::Past, _) if item.facts.is_empty() => {
                vec![say(self.picture.lang, &Message::Picture(Words::Missing))]
            }
            (_, true) if see => vec![say(self.picture.lang, &Message::Picture(Words::See))],
            (_, true) => Vec::new(),
            _ => item.facts.clone(),
        };
        let room = self.columns.saturating_sub(used + 2);
        if !facts.is_empty() && room >= 8 {
            let _ = write!(self.out, "  {SOFT}{}{SOFT:#}", shorten(&facts.join(", "), room));
        }
        self.out.push('\n');
    }
}

fn marks(marks: &[usize]) -> String {
    marks.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_sent_only_to_terminals_that_show_them() {
        let of = |variables: &[(&str, &str)]| {
            Protocol::of(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("TERM", "xterm-256color")]), None);
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")]), Some(Protocol::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm2));
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app"), ("TMUX", "/tmp/tmux")]), None);
    }

    #[test]
    fn a_long_image_is_sent_in_chunks() {
        let shown = Protocol::Kitty.show(&vec![7; 10_000]);
        let chunks: Vec<&str> = shown.split("\x1b\\").collect();
        assert_eq!(chunks.len(), 5);
        assert!(chunks[0].starts_with("\x1b_Gf=100,a=T,q=2,m=1;") && chunks[3].starts_with("\x1b_Gm=0;"));
        assert!(chunks.iter().all(|chunk| chunk.len() < 4096 + 40));
    }
}
