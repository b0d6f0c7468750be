//! Text of others in HTML.
use std::fmt::Write as _;

use maud::{Escaper, Render};

use crate::report::sanitise::sanitise;

/// A text that others wrote: control characters and direction overrides are made visible, and nothing is markup. It can stand
/// between tags and in quoted attributes.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, out: &mut String) {
        let text = sanitise(self.0);
        // no characters in HTML
        let text = text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        // writing to a String cannot fail; maud leaves ' as it is, which does no harm in double quotes
        let _ = Escaper::new(out).write_str(&text);
    }
}

/// A text of a scenario, in which backticks stand around what is code.
pub(super) struct Prose<'a>(pub(super) &'a str);

impl Render for Prose<'_> {
    fn render_to(&self, out: &mut String) {
        if self.0.matches('`').count() % 2 == 1 {
            return Shown(self.0).render_to(out);
        }
        for (i, part) in self.0.split('`').enumerate() {
            let (before, after) = if i % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
            out.push_str(before);
            Shown(part).render_to(out);
            out.push_str(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use maud::Render as _;

    #[test]
    fn nothing_is_markup_and_nothing_hides() {
        let text = "<script>alert(1)</script> & \"quoted\" \u{202e}txt.exe\u{1b}[2J\0";
        let shown = Shown(text).render().into_string();
        assert_eq!(
            shown,
            "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; \\u{202e}txt.exe\\x1b[2J\\x00"
        );
    }
}
