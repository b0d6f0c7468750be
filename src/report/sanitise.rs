//! Nothing an answer says can do anything to a terminal.
use std::borrow::Cow;

/// Whether a character could move the cursor, start an escape sequence, change the direction of the text or hide.
pub fn is_dangerous(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// A text in which everything that is not to be printed as it is stands as an escape: `\x1b`, `\u{202e}`. Line breaks stay;
/// tabs become blanks.
///
/// ```
/// use ckad_grade::report::sanitise::sanitise;
/// assert_eq!(sanitise("pv\u{1b}[2J\u{202e}"), "pv\\x1b[2J\\u{202e}");
/// assert_eq!(sanitise("磁碟"), "磁碟");
/// ```
pub fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c == '\t' || is_dangerous(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if !is_dangerous(c) => out.push(c),
            c if (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    #[test]
    fn no_control_character_survives() {
        let all: String = (0..0x11_0000).filter_map(char::from_u32).filter(|c| c.is_control()).collect();
        let clean = sanitise(&all);
        assert!(clean.chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn directions_cannot_be_overridden() {
        for c in ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200f}', '\u{61c}'] {
            assert!(sanitise(&c.to_string()).is_ascii());
        }
    }
}
