//! What is wrong with a scenario file, and where.
use std::fmt;
use std::ops::Range;

use crate::suggest;

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as the reader knows it.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte offset.
    pub fn at(file: &str, source: &str, offset: usize) -> Place {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Place { file: file.to_owned(), line: before.matches('\n').count() + 1, column }
    }

    /// The place so many lines further down, at the beginning of the line.
    pub fn lines_below(&self, lines: usize) -> Place {
        if lines == 0 {
            return self.clone();
        }
        Place { file: self.file.clone(), line: self.line + lines, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// The bytes of the file that are meant.
    pub span: Range<usize>,
}

impl LoadError {
    pub(super) fn new(file: &str, source: &str, span: Range<usize>, message: impl Into<String>) -> LoadError {
        let place = Place::at(file, source, span.start);
        LoadError { place, message: message.into(), suggestion: None, span }
    }

    pub(super) fn suggesting(mut self, suggestion: Option<&str>) -> LoadError {
        self.suggestion = suggestion.map(str::to_owned);
        self
    }

    /// An error of the TOML reader. For an unknown key or word its message lists the known ones, of which the nearest is
    /// suggested.
    pub(super) fn from_toml(file: &str, source: &str, error: &toml::de::Error) -> LoadError {
        let span = error.span().unwrap_or(0..0);
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let suggestion = match (message.starts_with("unknown "), quoted.next()) {
            (true, Some(word)) => suggest::nearest(word, quoted),
            _ => None,
        };
        LoadError::new(file, source, span, message).suggesting(suggestion)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.suggestion {
            Some(word) => write!(f, " (did you mean `{word}`?)"),
            None => Ok(()),
        }
    }
}
impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_count_from_one_and_in_characters() {
        let source = "a\nçx = 1\n";
        assert_eq!(Place::at("f", source, 0), Place { file: "f".into(), line: 1, column: 1 });
        assert_eq!(Place::at("f", source, 4), Place { file: "f".into(), line: 2, column: 2 });
    }
}
