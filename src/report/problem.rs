//! A refused manifest: what is wrong, where it stands, and what was probably meant.
mod suggestion;

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet as Source};
use serde::Serialize;
use serde_json::Value;

use super::sanitise::sanitise;
use super::text::{Message, say};
use super::width::{width, wrap};
use crate::api::object::Kind;
use crate::api::schema::{self, Segment, StructType};
use crate::cluster::Cluster;
use crate::lang::Lang;
use crate::manifest::{self, Document, Location};
use crate::suggest;
use crate::timeline::kubectl::{self, Output};

/// Something that kubectl or the API server said against a manifest.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What was said, in kubectl's words.
    pub message: String,
    /// Whether it is only a warning.
    pub warning: bool,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The places in it.
    pub places: Vec<Place>,
    /// What does not fit beside the places.
    #[serde(skip)]
    remarks: Vec<String>,
    /// The text around the places.
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

/// A place in a manifest.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The field, if it is about one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub field: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong here.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub message: String,
    /// What was probably meant, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
}

/// A few lines of a manifest, made harmless, and the ranges in them that are meant.
#[derive(Clone, Debug)]
struct Excerpt {
    text: String,
    first_line: usize,
    marks: Vec<(Range<usize>, String)>,
}

/// The most places that are shown for one problem.
const MAX_PLACES: usize = 6;
/// Lines shown before a place.
const LINES_BEFORE: usize = 2;
/// The most columns of a label.
const MAX_LABEL: usize = 60;
/// The most bytes of a line that are shown.
const MAX_LINE: usize = 160;

/// All problems of a kubectl command.
pub fn of_output(output: &Output, cluster: &Cluster, lang: Lang) -> Vec<Problem> {
    output.problems.iter().map(|problem| of(problem, cluster, lang)).collect()
}

/// What is missing at the end of a file is shown at its last character.
fn within_the_text(source: &manifest::Source, location: &Location) -> Location {
    let text = source.text.trim_end();
    match text.char_indices().next_back() {
        Some((last, _)) if location.range.start >= text.len() => source.location(last..text.len()),
        _ => location.clone(),
    }
}

fn of(problem: &kubectl::Problem, cluster: &Cluster, lang: Lang) -> Problem {
    // the causes are shown at their places
    let message = match problem.message.split_once(" is invalid: ") {
        Some((object, _)) if !problem.causes.is_empty() && problem.document.is_some() => {
            &format!("{object} is invalid")
        }
        _ => problem.message.trim_end(),
    };
    let mut report = Problem {
        message: message.to_owned(),
        warning: problem.warning,
        file: None,
        places: Vec::new(),
        remarks: Vec::new(),
        excerpt: None,
    };
    let mut found: Vec<(Location, String)> = Vec::new();
    if let Some(refusal) = &problem.refusal {
        report.message = say(lang, &Message::RefusedLine(refusal));
    }
    if let Some((source, location)) = &problem.line {
        report.file = Some(source.name.clone());
        let (line, column) = (location.line, location.column);
        let (field, message, suggestions) = (String::new(), String::new(), Vec::new());
        report.places.push(Place { field, line, column, message, suggestions });
        report.excerpt = Excerpt::of(&source.text, &[(location.clone(), String::new())]);
        return report;
    }
    if let Some(error) = &problem.unreadable {
        report.file = Some(error.source.name.clone());
        if let Some(location) = &error.location {
            let (line, column) = (location.line, location.column);
            let place = Place { field: String::new(), line, column, message: String::new(), suggestions: Vec::new() };
            report.places.push(place);
            found.push((within_the_text(&error.source, location), String::new()));
            report.excerpt = Excerpt::of(&error.source.text, &found);
        }
        return report;
    }
    let Some(document) = &problem.document else { return report };
    report.file = Some(document.source().name.clone());
    let named = field_of_warning(problem, document);
    for (i, field) in problem.fields.iter().chain(&named).enumerate().take(MAX_PLACES) {
        let cause = problem.causes.get(i).map(crate::api::FieldError::body).unwrap_or_default();
        let suggestions = suggestion::suggestions(problem, document, field, i);
        let field = &written_path(document, field);
        // a suggestion is about the key when the field is unknown, otherwise about the value
        let unknown = is_unknown_field(document, field);
        let location = if unknown { document.locate_key(field) } else { document.locate(field) };
        let location = if problem.causes.get(i).is_some_and(|c| c.bad_value.is_none()) {
            document.locate_key(field)
        } else {
            location
        };
        // long labels cannot be broken; the whole text follows below
        let mut label = match (cause.is_empty(), width(field) + width(&cause) <= MAX_LABEL) {
            (true, _) => String::new(),
            (false, true) => format!("{field}: {cause}"),
            (false, false) => {
                report.remarks.push(format!("{field}: {cause}"));
                field.clone()
            }
        };
        if !suggestions.is_empty() {
            let question = say(lang, &Message::DidYouMean(&suggestions));
            label = if label.is_empty() || width(&label) > MAX_LABEL / 2 {
                question
            } else {
                format!("{label}: {question}")
            };
        }
        let (line, column) = (location.line, location.column);
        report.places.push(Place { field: field.clone(), line, column, message: cause, suggestions });
        found.push((location, label));
    }
    if found.is_empty() {
        let location = match missing_namespace(&problem.message, document) {
            true => document.locate("metadata.namespace"),
            false => document.locate_key("kind"),
        };
        let suggestions: Vec<String> = nearest_namespace(&problem.message, document, cluster).into_iter().collect();
        let label = match suggestions.as_slice() {
            [] => String::new(),
            words => say(lang, &Message::DidYouMean(words)),
        };
        let (line, column) = (location.line, location.column);
        report.places.push(Place { field: String::new(), line, column, message: String::new(), suggestions });
        found.push((location, label));
    }
    report.excerpt = Excerpt::of(&document.source().text, &found);
    report
}

/// The field a warning begins with: `spec.replicas: …`.
fn field_of_warning(problem: &kubectl::Problem, document: &Document) -> Option<String> {
    let (field, _) = problem.message.split_once(": ").filter(|_| problem.warning && problem.fields.is_empty())?;
    let known = schema::at(root(document)?, &segments(field)).is_some();
    known.then(|| field.to_owned())
}

fn root(document: &Document) -> Option<&'static StructType> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str).unwrap_or_default();
    schema::kind(text("apiVersion"), text("kind"))
}

/// The steps of a field path: `spec.containers[0].image`, `data[logo.png]`.
fn segments(path: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some((key, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            segments.push(key.parse::<usize>().map_or_else(|_| Segment::Key(key.to_owned()), Segment::Index));
            rest = after;
        } else {
            let body = rest.strip_prefix('.').unwrap_or(rest);
            let end = body.find(['.', '[']).unwrap_or(body.len());
            let (key, after) = body.split_at(end);
            if key.is_empty() {
                // two dots in a row: not a path of fields
                return segments;
            }
            segments.push(Segment::Key(key.to_owned()));
            rest = after;
        }
    }
    segments
}

/// Where a path of the API server leads in a manifest: it says `spec.resources[storage]` of a claim's request.
fn written_path(document: &Document, field: &str) -> String {
    match field.strip_prefix("spec.resources[") {
        Some(rest) if document.value.pointer("/spec/resources/requests").is_some() => {
            format!("spec.resources.requests[{rest}")
        }
        _ => field.to_owned(),
    }
}

fn is_unknown_field(document: &Document, field: &str) -> bool {
    let path = segments(field);
    root(document).is_some_and(|root| schema::at(root, &path).is_none())
}

fn missing_namespace(message: &str, document: &Document) -> bool {
    message.starts_with("namespaces \"") && document.value.pointer("/metadata/namespace").is_some()
}

/// The namespace that is nearest to one that does not exist.
fn nearest_namespace(message: &str, document: &Document, cluster: &Cluster) -> Option<String> {
    if !missing_namespace(message, document) {
        return None;
    }
    let asked = document.value.pointer("/metadata/namespace").and_then(Value::as_str)?;
    let names = cluster.api().store().objects_of(Kind::Namespace).map(|object| object.name());
    suggest::nearest(asked, names).map(str::to_owned)
}

impl Excerpt {
    /// The lines from a little before the first place to the last, without anything a terminal would act on.
    fn of(text: &str, places: &[(Location, String)]) -> Option<Excerpt> {
        const MAX_LINES: usize = 40;
        let first = places.iter().map(|(location, _)| location.line).min()?.saturating_sub(LINES_BEFORE).max(1);
        let mut excerpt = Excerpt { text: String::new(), first_line: first, marks: Vec::new() };
        let last = places.iter().map(|(location, _)| location.line).max()?.min(first + MAX_LINES);
        let mut offset = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if number > last {
                break;
            }
            if number >= first {
                excerpt.push_line(line, offset, number, places);
            }
            offset += line.len();
        }
        (!excerpt.marks.is_empty()).then_some(excerpt)
    }

    /// Adds a line that begins at an offset of the whole text, and the marks that begin in it.
    fn push_line(&mut self, line: &str, offset: usize, number: usize, places: &[(Location, String)]) {
        let content = line.trim_end_matches(['\n', '\r']);
        let shown = content.get(..floor(content, MAX_LINE)).unwrap_or_default();
        // where a byte of the line is in the harmless text
        let position = |at: usize| sanitise(shown.get(..floor(shown, at)).unwrap_or_default()).len();
        let begin = self.text.len();
        for (location, label) in places.iter().filter(|(location, _)| location.line == number) {
            let start = position(location.range.start.saturating_sub(offset));
            let end = position(location.range.end.saturating_sub(offset)).max(start);
            self.marks.push((begin + start..begin + end, sanitise(label).into_owned()));
        }
        self.text.push_str(&sanitise(shown));
        self.text.push_str(if shown.len() < content.len() { "…\n" } else { "\n" });
    }
}

/// The largest character boundary that is not after an index.
fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

impl Problem {
    /// The problem with its place in the manifest underlined, with colours for a terminal.
    pub fn render(&self, columns: usize) -> String {
        let level = if self.warning { Level::WARNING } else { Level::ERROR };
        let (headline, more) = match self.message.split_once('\n') {
            Some((first, rest)) => (first, rest),
            None => (self.message.as_str(), ""),
        };
        let title = wrap(&sanitise(headline), columns.saturating_sub(9)).join("\n");
        let file = self.file.as_deref().map(sanitise).unwrap_or_default();
        let mut group = match &self.excerpt {
            None => Group::with_title(level.primary_title(title)),
            Some(excerpt) => {
                let mut source = Source::source(excerpt.text.as_str()).line_start(excerpt.first_line).path(file);
                for (i, (range, label)) in excerpt.marks.iter().enumerate() {
                    let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    let mark = kind.span(range.clone());
                    source = source.annotation(if label.is_empty() { mark } else { mark.label(label.as_str()) });
                }
                level.primary_title(title).element(source.fold(true))
            }
        };
        for remark in self.remarks.iter().map(String::as_str).chain([more]).filter(|text| !text.is_empty()) {
            let text = wrap(&sanitise(remark), columns.saturating_sub(12)).join("\n");
            group = group.element(Level::NOTE.message(text));
        }
        Renderer::styled().decor_style(DecorStyle::Unicode).term_width(columns).render(&[group])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_paths_are_cut_into_segments() {
        let key = |key: &str| Segment::Key(key.to_owned());
        assert_eq!(segments("spec.containers[0].image"), [key("spec"), key("containers"), 0.into(), key("image")]);
        assert_eq!(segments("data[logo.png]"), [key("data"), key("logo.png")]);
        assert_eq!(segments(""), []);
        assert_eq!(segments("a..b"), [key("a")]);
    }

    #[test]
    fn an_excerpt_is_harmless_and_its_marks_still_fit() {
        let text = "kind: Pod\nname: \u{1b}[31mx bad\n";
        let start = text.find("bad").unwrap_or_default();
        let location = Location { line: 2, column: 13, range: start..start + 3 };
        let excerpt = Excerpt::of(text, &[(location, "here".to_owned())]);
        let shown = excerpt
            .map(|e| (e.text.clone(), e.marks.first().and_then(|(r, _)| e.text.get(r.clone())).map(str::to_owned)));
        assert_eq!(shown, Some(("kind: Pod\nname: \\x1b[31mx bad\n".to_owned(), Some("bad".to_owned()))));
    }
}
