//! A picture as SVG: light and dark, with words for those who do not see it.
use std::fmt::Write as _;

use super::layout::{INDENT, LINE, Layout, MARGIN, PADDING, Placed, Point, Route, layout};
use super::{Item, Link, Picture, Role, State};
use crate::report::width::width;

/// The styles of all pictures; class names begin with `ckp`, so that they can stand in a page's own style sheet.
pub const STYLE: &str = include_str!("svg/style.css");

/// A file of its own.
pub fn document(picture: &Picture) -> String {
    let mut out = String::new();
    write_svg(&mut out, picture, "", &format!("<style>{STYLE}</style>\n"));
    out
}

/// A part of an HTML page that has [`STYLE`]; the ids begin with a prefix, which must be unique in the page.
pub fn inline(picture: &Picture, prefix: &str) -> String {
    let mut out = String::new();
    write_svg(&mut out, picture, prefix, "");
    out
}

/// A text in which nothing is markup.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn write_svg(out: &mut String, picture: &Picture, prefix: &str, style: &str) {
    let layout = layout(picture);
    let (w, h) = (layout.width, layout.height);
    let lang = picture.lang.tag();
    // writing to a String cannot fail
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ckp\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\" xml:lang=\"{lang}\" lang=\"{lang}\" aria-labelledby=\"{prefix}t {prefix}d\">\n\
         <title id=\"{prefix}t\">{}</title>\n<desc id=\"{prefix}d\">{}</desc>\n{style}\
         <rect class=\"ckp-bg\" width=\"{w}\" height=\"{h}\"/>\n\
         <text class=\"ckp-head\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        escape(&picture.title),
        escape(&picture.description()),
        MARGIN + 12.0,
        escape(&picture.title)
    );
    // what is broken lies on top
    let mut links: Vec<(&Link, &Route)> = picture.links.iter().zip(&layout.routes).collect();
    links.sort_by_key(|(link, _)| link.state);
    for (link, route) in &links {
        write_line(out, link, route);
    }
    for (item, placed) in picture.items.iter().zip(&layout.boxes) {
        write_box(out, item, placed);
    }
    for (link, route) in &links {
        write_label(out, picture, link, route);
    }
    write_legend(out, &layout);
    out.push_str("</svg>\n");
}

fn state_class(state: State) -> &'static str {
    match state {
        State::Fine => "ckp-fine",
        State::Past => "ckp-past",
        State::Waiting => "ckp-wait",
        State::Broken => "ckp-bad",
        State::Absent => "ckp-gone",
    }
}

/// The `d` of a line through points at which it is horizontal.
fn path(points: &[Point]) -> String {
    let mut d = String::new();
    for (i, point) in points.iter().enumerate() {
        let Some(previous) = i.checked_sub(1).and_then(|i| points.get(i)) else {
            let _ = write!(d, "M{} {}", point.x, point.y);
            continue;
        };
        if previous.y == point.y {
            let _ = write!(d, "H{}", point.x);
        } else {
            let middle = (previous.x + point.x) / 2.0;
            let _ = write!(d, "C{middle} {} {middle} {} {} {}", previous.y, point.y, point.x, point.y);
        }
    }
    d
}

fn write_line(out: &mut String, link: &Link, route: &Route) {
    let class = state_class(link.state);
    let _ = write!(out, "<g class=\"{class}\"><path class=\"ckp-line\" d=\"{}\"/>", path(&route.points));
    if let [.., before, end] = route.points.as_slice() {
        let back = if before.x <= end.x { -7.0 } else { 7.0 };
        let _ = write!(out, "<path class=\"ckp-tip\" d=\"M{} {}l{back} -4v8z\"/>", end.x, end.y);
    }
    out.push_str("</g>\n");
}

fn role_class(role: Role) -> &'static str {
    match role {
        Role::DnsName | Role::Service => "ckp-net",
        Role::Parent | Role::Workload => "ckp-work",
        Role::Pod => "ckp-pod",
        Role::Claim => "ckp-claim",
        Role::Config | Role::PodVolume => "ckp-conf",
        Role::Class | Role::Volume => "ckp-vol",
        Role::Node => "ckp-node",
    }
}

fn write_box(out: &mut String, item: &Item, placed: &Placed) {
    let Placed { at: Point { x, y }, width: w, height: h, .. } = placed;
    let facts: String = item.facts.iter().map(|fact| format!("\n{fact}")).collect();
    let class = state_class(item.state);
    let _ = write!(
        out,
        "<g class=\"{} {class}\"><title>{}</title>",
        role_class(item.role),
        escape(&format!("{item}{facts}"))
    );
    if item.count > 1 {
        let _ = write!(
            out,
            "<rect class=\"ckp-box\" x=\"{}\" y=\"{}\" width=\"{w}\" height=\"{h}\" rx=\"5\"/>",
            x + 4.0,
            y + 4.0
        );
    }
    let _ = write!(
        out,
        "<rect class=\"ckp-box\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"5\"/>\
         <path class=\"ckp-bar\" d=\"M{} {y}h-1a4 4 0 0 0 -4 4v{}a4 4 0 0 0 4 4h1z\"/>",
        x + 5.0,
        h - 8.0
    );
    let left = x + PADDING + 4.0;
    let mut baseline = y + 8.0 + 11.0;
    let mut line = |class: &str, text: &str| {
        let _ = write!(out, "<text class=\"{class}\" x=\"{left}\" y=\"{baseline}\">{}</text>", escape(text));
        baseline += LINE;
    };
    line("ckp-kind", &placed.caption);
    line("ckp-name", &placed.name);
    for fact in &placed.facts {
        line("ckp-fact", fact);
    }
    if !item.marks.is_empty() || matches!(item.state, State::Broken | State::Absent) {
        badge(out, *x + w - 10.0, *y, &item.marks, Align::End);
    }
    out.push_str("</g>\n");
}

enum Align {
    Middle,
    End,
}

/// A cross with the numbers of troubles.
fn badge(out: &mut String, x: f64, y: f64, marks: &[usize], align: Align) {
    let numbers: Vec<String> = marks.iter().map(usize::to_string).collect();
    let text = if numbers.is_empty() { "✗".to_owned() } else { format!("✗ {}", numbers.join(" ")) };
    let w = width(&text) as f64 * 7.0 + 10.0;
    let left = match align {
        Align::Middle => x - w / 2.0,
        Align::End => x - w,
    };
    let _ = write!(
        out,
        "<rect class=\"ckp-badge\" x=\"{left}\" y=\"{}\" width=\"{w}\" height=\"18\" rx=\"9\"/>\
         <text class=\"ckp-mark\" x=\"{}\" y=\"{}\">{text}</text>",
        y - 9.0,
        left + w / 2.0,
        y + 4.0
    );
}

fn write_label(out: &mut String, picture: &Picture, link: &Link, route: &Route) {
    let Point { x, y } = route.middle;
    let class = state_class(link.state);
    let _ = write!(out, "<g class=\"{class}\"><title>{}</title>", escape(&picture.label(link)));
    match link.state {
        State::Fine | State::Past => {
            let _ =
                write!(out, "<text class=\"ckp-label\" x=\"{x}\" y=\"{}\">{}</text>", y - 4.0, escape(&route.label));
        }
        _ => badge(out, x, y, &link.marks, Align::Middle),
    }
    out.push_str("</g>\n");
}

fn write_legend(out: &mut String, layout: &Layout) {
    let Point { x, mut y } = layout.legend;
    for (number, line) in &layout.lines {
        if let Some(number) = number {
            let _ = write!(out, "<text class=\"ckp-number\" x=\"{x}\" y=\"{y}\">✗ {number}</text>");
        }
        let _ = writeln!(out, "<text class=\"ckp-words\" x=\"{}\" y=\"{y}\">{}</text>", x + INDENT, escape(line));
        y += LINE;
    }
}
