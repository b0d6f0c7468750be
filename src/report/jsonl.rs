//! A batch as JSON Lines: one [`Entry`](crate::batch::result::Entry) a line. `batch merge` reads this format.
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::sanitise::is_dangerous;
use crate::batch::result::Results;

/// Writes all entries.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    for entry in results.entries()? {
        value(&entry?, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes a value on one line, in which everything that could do something to a terminal stands as an escape.
pub(super) fn value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless)).map_err(io::Error::other)
}

struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_dangerous(*c)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}
