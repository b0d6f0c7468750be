//! The statements of the study note, `docs/statements.toml`: what scenarios can say they cover.
use serde::Deserialize;

use crate::lang::Text;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name: the chapter and a word, `107-one-to-one`.
    pub id: String,
    /// What it says.
    pub text: Text,
}

#[derive(Deserialize)]
struct File {
    statement: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    en: String,
    #[serde(rename = "zh-TW")]
    zh_tw: String,
}

/// Reads the file.
///
/// # Errors
/// When it is not such a file.
pub fn parse(text: &str) -> Result<Vec<Statement>, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    let statement = |raw: Raw| Statement { id: raw.id, text: Text { en: raw.en, zh_tw: raw.zh_tw } };
    Ok(file.statement.into_iter().map(statement).collect())
}
