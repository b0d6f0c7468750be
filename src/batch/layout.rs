//! Whose answer to what a file is, told by its path.
//!
//! Without a pattern the common trees are recognised: one folder per student, one per scenario, both in the file's name, and
//! what Moodle, Canvas, Gradescope and GitHub Classroom let one download.
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::attempts::{self, Moment};

/// What a file's path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// Who.
    pub(super) student: Option<String>,
    /// Another name of the same person, if the path has one.
    pub(super) alias: Option<String>,
    /// What.
    pub(super) scenario: Named,
    /// When.
    pub(super) moment: Moment,
    /// Whether the platform marked it as late.
    pub(super) late: bool,
}

/// Which scenario a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Named {
    /// None.
    #[default]
    None,
    /// One that there is.
    Known(String),
    /// One that there is not.
    Unknown(String),
}

/// The names of all scenarios, to be found in paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    full: HashMap<String, String>,
    short: HashMap<String, String>,
}

impl Names {
    /// `short` says for which scenarios the name without `scenario-` will do.
    pub(super) fn new<'a>(all: impl Iterator<Item = &'a str>, short: impl Fn(&str) -> bool) -> Names {
        let mut names = Names::default();
        for id in all {
            names.full.insert(id.to_lowercase(), id.to_owned());
            // people leave out what they find superfluous
            names.full.insert(id.to_lowercase().replacen("scenario-", "scenario", 1), id.to_owned());
            if let Some(rest) = id.strip_prefix("scenario-").filter(|_| short(id)) {
                names.short.insert(rest.to_lowercase(), id.to_owned());
            }
        }
        names
    }

    fn get(&self, name: &str) -> Option<&String> {
        let name = name.to_lowercase();
        self.full.get(&name).or_else(|| self.short.get(&name))
    }

    /// The longest name in a text, and where it stands.
    fn within(names: &HashMap<String, String>, text: &str) -> Option<(String, usize, usize)> {
        let text = plain(text);
        let edge = |at: usize| {
            let alphanumeric = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
            !(alphanumeric(at.checked_sub(1).and_then(|i| text.as_bytes().get(i)))
                && alphanumeric(text.as_bytes().get(at)))
        };
        let edges: Vec<usize> =
            (0..=text.len()).filter(|at| text.is_char_boundary(*at) && edge(*at)).take(64).collect();
        let mut best: Option<(String, usize, usize)> = None;
        for &start in &edges {
            for &end in edges.iter().rev().take_while(|end| **end > start) {
                let longer = best.as_ref().is_none_or(|(_, from, to)| end - start > to - from);
                if let Some(id) = text.get(start..end).filter(|_| longer).and_then(|word| names.get(word)) {
                    best = Some((id.clone(), start, end));
                    break;
                }
            }
        }
        best
    }
}

/// A text of the same length with what people write instead of `-`, in lower case.
fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace([' ', '_'], "-")
}

/// How paths are read.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// By what is usual.
    Usual(Usual),
    /// By a pattern.
    Pattern(Regex),
}

/// What is known about a tree whose layout nobody told.
#[derive(Clone, Debug, Default)]
pub(super) struct Usual {
    /// How many leading folders only hold the rest.
    pub(super) wrappers: usize,
    /// Whether there are no folders at all: then it may be what one student handed in.
    pub(super) flat: bool,
    /// What GitHub Classroom puts before each student's name.
    pub(super) prefix: String,
    /// Students of Gradescope's `submission_…` folders.
    pub(super) submitters: HashMap<String, Submitter>,
}

/// Who handed in a Gradescope submission.
#[derive(Clone, Debug, Default)]
pub(super) struct Submitter {
    pub(super) name: String,
    pub(super) alias: String,
    pub(super) time: String,
    pub(super) late: bool,
}

/// Reads a `--layout` pattern: `{student}`, `{scenario}` and `{attempt}` stand for parts of names, `*` for anything within a
/// name, `**` for any folders. Without an extension a file with one of a manifest or a folder of this name is meant.
///
/// # Errors
/// When it names no student or has an unknown part.
pub fn pattern(text: &str) -> Result<Regex, String> {
    static PART: LazyLock<Regex> = LazyLock::new(|| regex(r"\{([^}]*)\}|\*\*/?|\*"));
    let mut out = String::from("^");
    let mut end = 0;
    let mut seen = Vec::new();
    for part in PART.captures_iter(text) {
        let Some(whole) = part.get(0) else { continue };
        out.push_str(&regex::escape(text.get(end..whole.start()).unwrap_or_default()));
        end = whole.end();
        match (part.get(1).map(|name| name.as_str()), whole.as_str()) {
            (Some(name @ ("student" | "scenario" | "attempt")), _) if seen.contains(&name) => {
                out.push_str("[^/]+?");
            }
            (Some(name @ ("student" | "scenario" | "attempt")), _) => {
                seen.push(name);
                // an attempt begins with a digit, so that a name before it may hold the same separator
                let first = if name == "attempt" { r"(?:v|\()?[0-9][^/]*?" } else { "[^/]+?" };
                out.push_str(&format!("(?P<{name}>{first})"));
            }
            (Some(name), _) => return Err(format!("`{{{name}}}` is none of {{student}}, {{scenario}}, {{attempt}}")),
            (None, "*") => out.push_str("[^/]*?"),
            (None, _) => out.push_str("(?:.*/)?"),
        }
    }
    out.push_str(&regex::escape(text.get(end..).unwrap_or_default().trim_end_matches('/')));
    let extended = text.rsplit('/').next().is_some_and(|name| name.contains('.'));
    out.push_str(if extended { "$" } else { r"(?:\.(?:ya?ml|json|sh)|/.*)?$" });
    if !seen.contains(&"student") {
        return Err("the pattern has no {student}".to_owned());
    }
    Regex::new(&out).map_err(|error| error.to_string())
}

/// A pattern of ours.
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("our patterns are right")
}

static MOODLE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?s)^(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)_?(.*)$"));
static CANVAS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)^([^_]+)(_LATE|_late)?_(\d+)_(\d+)_(.+)$"));
static GRADESCOPE: LazyLock<Regex> = LazyLock::new(|| regex(r"^submission_\d+$"));
static SCENARIO: LazyLock<Regex> = LazyLock::new(|| regex(r"scenario-[0-9][0-9a-z]*(?:-[0-9a-z]+)*"));

/// Whether a name is one that a platform gives what one student handed in.
pub(super) fn is_of_platform(name: &str) -> bool {
    MOODLE.is_match(name) || CANVAS.is_match(name) || GRADESCOPE.is_match(name)
}

/// Extensions that do not belong to a name.
const EXTENSIONS: [&str; 10] =
    [".yaml", ".yml", ".json", ".sh", ".zip", ".tar.gz", ".tgz", ".tar", "-submissions", "_submissions"];

/// A name without extension and without the sign of an archive.
pub(super) fn stem(name: &str) -> &str {
    let name = name.strip_suffix('!').unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let end = EXTENSIONS.iter().find(|e| lower.ends_with(**e) && lower.len() > e.len()).map_or(0, |e| e.len());
    name.get(..name.len() - end).unwrap_or(name)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, '_' | '-' | ' ' | '.' | ','))
}

impl Layout {
    /// What a path says; `person` says who is on the roster, `outside` is the name of what all submissions are in.
    pub(super) fn read(
        &self,
        path: &str,
        names: &Names,
        person: &dyn Fn(&str) -> bool,
        outside: &str,
    ) -> Option<Reading> {
        match self {
            Layout::Usual(usual) => Some(usual.read(path, names, person, outside)),
            Layout::Pattern(pattern) => {
                let found = pattern.captures(path)?;
                let text = |name: &str| found.name(name).map(|part| part.as_str().to_owned());
                let scenario = match text("scenario") {
                    None => scenario_within(&[outside], names).map_or(Named::None, |(_, found)| found.0),
                    Some(name) => match names.get(stem(&name)).or_else(|| names.get(&plain(stem(&name)))) {
                        Some(id) => Named::Known(id.clone()),
                        None => Named::Unknown(name),
                    },
                };
                let moment = text("attempt").map(|text| attempts::of_text(&text)).unwrap_or_default();
                Some(Reading { student: text("student"), scenario, moment, ..Reading::default() })
            }
        }
    }
}

/// The last segment that names a scenario; what is said of it and what stands around the name.
fn scenario_within(texts: &[&str], names: &Names) -> Option<(usize, (Named, String))> {
    for known in [&names.full, &names.short] {
        for (number, text) in texts.iter().enumerate().rev() {
            if let Some((id, start, end)) = Names::within(known, text) {
                let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
                return Some((number, (Named::Known(id), format!("{before}\u{1}{after}"))));
            }
        }
    }
    texts.iter().enumerate().rev().find_map(|(number, text)| {
        let lower = plain(text);
        let found = SCENARIO.find(&lower)?;
        let (before, after) = (text.get(..found.start())?, text.get(found.end()..)?);
        Some((number, (Named::Unknown(found.as_str().to_owned()), format!("{before}\u{1}{after}"))))
    })
}

impl Usual {
    /// What a name alone says.
    pub(super) fn default_reading(name: &str, names: &Names) -> Reading {
        Usual::default().read(name, names, &|_| false, "")
    }

    fn read(&self, path: &str, names: &Names, person: &dyn Fn(&str) -> bool, outside: &str) -> Reading {
        let segments: Vec<&str> = path.split('/').skip(self.wrappers).map(stem).collect();
        let mut reading = Reading::default();
        // what of each segment is not the student's name
        let mut texts: Vec<&str> = segments.clone();
        for (number, segment) in segments.iter().enumerate() {
            let Some(text) = texts.get_mut(number) else { continue };
            if let Some(found) = MOODLE.captures(segment) {
                reading.student = found.get(1).map(|name| name.as_str().to_owned());
                *text = found.get(3).map_or("", |rest| rest.as_str());
            } else if GRADESCOPE.is_match(segment) && number + 1 < segments.len() {
                let submitter = self.submitters.get(*segment);
                reading.student = Some(submitter.map_or(*segment, |s| s.name.as_str()).to_owned());
                if let Some(submitter) = submitter {
                    reading.alias = Some(submitter.alias.clone());
                    reading.moment = attempts::of_text(&submitter.time);
                    reading.late = submitter.late;
                }
                *text = "";
            } else if let Some(found) = CANVAS.captures(segment) {
                reading.student = found.get(1).map(|name| name.as_str().to_owned());
                reading.late = found.get(2).is_some();
                reading.alias = found.get(3).map(|id| id.as_str().to_owned());
                *text = found.get(5).map_or("", |rest| rest.as_str());
            } else if number == 0 && segments.len() > 1 && !self.prefix.is_empty() {
                let Some(name) = segment.strip_prefix(&self.prefix) else { continue };
                reading.student = Some(name.to_owned());
                *text = &self.prefix;
            } else {
                continue;
            }
            break;
        }
        let student_known = reading.student.is_some();
        let found = scenario_within(&texts, names);
        let last = segments.len().saturating_sub(1);
        let mut rest: Option<(usize, String)> = None;
        if let Some((number, (scenario, around))) = found {
            reading.scenario = scenario;
            rest = Some((number, around));
        }
        // when: in the segment of the scenario, or in any other that is not the student's
        let mut left = rest.as_ref().map(|(_, around)| around.clone()).unwrap_or_default();
        if reading.moment == Moment::default() {
            (reading.moment, left) = attempts::split(&left);
        }
        if reading.moment.time.is_empty() {
            let others = texts.iter().enumerate().filter(|(n, _)| rest.as_ref().is_none_or(|(at, _)| at != n));
            let mut moments = others.map(|(_, text)| attempts::split_time(text).0);
            if let Some(time) = moments.rfind(|time| !time.is_empty()) {
                reading.moment.time = time;
            }
        }
        let left = left.replace('\u{1}', "");
        if !student_known {
            let scenario_at = rest.as_ref().map(|(number, _)| *number);
            let folders = segments.get(..scenario_at.unwrap_or(last).min(last)).unwrap_or_default();
            let without_time = |text: &str| trim(&attempts::split_time(text).1).to_owned();
            let named: Vec<String> = folders.iter().map(|f| without_time(f)).filter(|f| !f.is_empty()).collect();
            let on_roster = named.iter().find(|name| person(name)).cloned();
            let left = trim(&left).to_owned();
            let after = scenario_at.and_then(|at| segments.get(at + 1)).map(|name| without_time(name));
            let flat = (scenario_at.is_none()).then(|| segments.last().map(|name| without_time(name))).flatten();
            reading.student = on_roster
                .or_else(|| Some(left.clone()).filter(|left| person(left)))
                .or_else(|| named.into_iter().next())
                .or(Some(left).filter(|left| !left.is_empty()))
                .or(after)
                .or(flat)
                .or_else(|| self.flat.then(|| outside.to_owned()))
                .filter(|name| !name.is_empty());
        }
        if reading.scenario == Named::None
            && let Some((_, (scenario @ Named::Known(_), _))) = scenario_within(&[outside], names)
        {
            reading.scenario = scenario;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Layout, Named, Names, Reading, Usual, pattern};

    fn read_with(layout: &Layout, path: &str) -> Option<Reading> {
        let names = Names::new(["scenario-107", "scenario-107-pod", "scenario-105"].into_iter(), |_| true);
        layout.read(path, &names, &|_| false, "submissions")
    }

    fn usual(path: &str) -> (String, String, String, u32) {
        let reading = read_with(&Layout::Usual(Usual::default()), path).unwrap();
        let scenario = match reading.scenario {
            Named::Known(id) => id,
            Named::Unknown(name) => format!("?{name}"),
            Named::None => String::new(),
        };
        (reading.student.unwrap_or_default(), scenario, reading.moment.time, reading.moment.number)
    }

    fn is(path: &str, student: &str, scenario: &str, time: &str, number: u32) {
        assert_eq!(usual(path), (student.to_owned(), scenario.to_owned(), time.to_owned(), number), "{path}");
    }

    #[test]
    fn student_and_scenario_are_found_wherever_they_stand() {
        is("alice/scenario-107.yaml", "alice", "scenario-107", "", 0);
        is("alice/107-pod/claim.yaml", "alice", "scenario-107-pod", "", 0);
        is("scenario-107/alice.yml", "alice", "scenario-107", "", 0);
        is("107/alice/claim.yaml", "alice", "scenario-107", "", 0);
        is("alice_scenario-107.json", "alice", "scenario-107", "", 0);
        is("Scenario 107 - Alice B.yaml", "Alice B", "scenario-107", "", 0);
        is("alice.zip!/scenario_105.yaml", "alice", "scenario-105", "", 0);
        is("alice/scenario-999.yaml", "alice", "?scenario-999", "", 0);
        is("alice/answer.yaml", "alice", "", "", 0);
        is("alice/Scenario107.yaml", "alice", "scenario-107", "", 0);
        is("s1070/1075.yaml", "s1070", "", "", 0);
    }

    #[test]
    fn downloads_of_platforms_are_recognised() {
        is("Anna de Vries_12345_assignsubmission_file_/scenario-107.yaml", "Anna de Vries", "scenario-107", "", 0);
        is("Anna de Vries_12345_assignsubmission_file_107.yaml", "Anna de Vries", "scenario-107", "", 0);
        is("liddellalice_12345_67890_scenario-107.yaml", "liddellalice", "scenario-107", "", 0);
        is("liddellalice_LATE_107_67890_scenario-107-pod-2.yaml", "liddellalice", "scenario-107-pod", "", 2);
        let classroom = Usual { prefix: "scenario-107-".to_owned(), ..Usual::default() };
        let reading = read_with(&Layout::Usual(classroom), "scenario-107-pod/answer.yaml").unwrap();
        assert_eq!(reading.student.as_deref(), Some("pod"));
        assert_eq!(reading.scenario, Named::Known("scenario-107".to_owned()));
    }

    #[test]
    fn attempts_are_told_apart_by_time_or_number() {
        is("alice/scenario-107_2026-05-01T10-11-12.yaml", "alice", "scenario-107", "2026-05-01T10-11-12", 0);
        is("alice_scenario-107_20260501101112.yaml", "alice", "scenario-107", "20260501101112", 0);
        is("alice/2026-05-01_1011/scenario-107.yaml", "alice", "scenario-107", "2026-05-01_1011", 0);
        is("alice/scenario-107 (2).yaml", "alice", "scenario-107", "", 2);
        is("alice/scenario-107_v3.yaml", "alice", "scenario-107", "", 3);
    }

    #[test]
    fn a_pattern_says_where_the_parts_are() {
        let layout = Layout::Pattern(pattern("{scenario}/group-*/{student}_{attempt}.yaml").unwrap());
        let reading = read_with(&layout, "107/group-7/al_ice_2.yaml").unwrap();
        assert_eq!((reading.student.as_deref(), reading.moment.number), (Some("al_ice"), 2));
        assert!(read_with(&layout, "107/alice.yaml").is_none());
        let folder = Layout::Pattern(pattern("{student}_{scenario}").unwrap());
        assert_eq!(read_with(&folder, "alice_107/a.yaml").unwrap().scenario, Named::Known("scenario-107".to_owned()));
        assert!(pattern("{scenario}").is_err() && pattern("{who}").is_err());
    }
}
