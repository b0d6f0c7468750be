//! `ckad-grade schema`: JSON Schema of scenario files.
use super::{Exit, Failure, Format, Session};
use crate::scenario::schema;

pub(super) fn run(session: &mut Session<'_>) -> Result<Exit, Failure> {
    match session.format {
        Format::Yaml => session.data(&schema::json_schema())?,
        Format::Text | Format::Json => session.out.write_all(schema::text().as_bytes())?,
    }
    Ok(Exit::Success)
}
