//! A batch as JSON Lines: one [`Entry`](crate::batch::result::Entry) a line. `batch merge` reads this format.
use std::io::{self, Write};

use crate::batch::result::Results;

/// Writes all entries.
///
/// # Errors
/// When the results cannot be read or `out` not be written.
pub fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    for entry in results.entries()? {
        serde_json::to_writer(&mut *out, &entry?).map_err(io::Error::other)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
