//! Who is in the course: a CSV as a learning platform exports it.
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The people of a course.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// The columns' names, as in the file.
    pub columns: Vec<String>,
    /// The people in the file's order.
    pub people: Vec<Person>,
    names: HashMap<String, Option<usize>>,
    by_student: HashMap<String, usize>,
}

/// A line of the roster.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the person is called in results: unique in the roster.
    pub student: String,
    /// The cells, one for each column.
    pub cells: Vec<String>,
}

/// The most bytes of a roster.
const MAX_BYTES: u64 = 64 << 20;

/// Columns that hold a whole name, by lower-case name; the first that exists is what a person is called.
const NAMES: [&str; 7] = ["student", "full name", "fullname", "name", "display name", "roster_identifier", "學生"];
const FIRST: [&str; 4] = ["first name", "firstname", "given name", "名字"];
const LAST: [&str; 5] = ["last name", "lastname", "surname", "family name", "姓氏"];
/// Columns that identify a person.
const IDS: [&str; 21] = [
    "id",
    "username",
    "user name",
    "login",
    "sis login id",
    "sis user id",
    "github_username",
    "github",
    "identifier",
    "sid",
    "student id",
    "id number",
    "email",
    "email address",
    "user",
    "canvas id",
    "學號",
    "帳號",
    "email_address",
    "integration id",
    "github username",
];

impl Roster {
    /// Reads a roster.
    ///
    /// # Errors
    /// When it cannot be read, is no CSV, or no column says who somebody is.
    pub fn read(path: &Path) -> io::Result<Roster> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::other("too large for a roster"));
        }
        Roster::parse(&bytes)
    }

    /// Reads a roster from bytes: comma, semicolon or tab between cells, whichever the first line has most of.
    ///
    /// # Errors
    /// As [`Roster::read`].
    pub fn parse(bytes: &[u8]) -> io::Result<Roster> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let head = text.lines().next().unwrap_or_default();
        let many = |c: char| head.matches(c).count();
        let delimiter = [';', '\t'].into_iter().find(|c| many(*c) > many(',')).unwrap_or(',');
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter as u8).flexible(true).from_reader(text.as_bytes());
        let columns: Vec<String> = reader.headers().map_err(io::Error::other)?.iter().map(str::to_owned).collect();
        let lower: Vec<String> = columns.iter().map(|column| column.trim().to_lowercase()).collect();
        let position = |names: &[&str]| names.iter().find_map(|name| lower.iter().position(|column| column == name));
        let (whole, first, last) = (position(&NAMES), position(&FIRST), position(&LAST));
        let ids: Vec<usize> =
            (0..lower.len()).filter(|i| lower.get(*i).is_some_and(|c| IDS.contains(&c.as_str()))).collect();
        // a list of names without a heading we know: the first column
        let fallback = (whole.is_none() && first.is_none() && last.is_none() && ids.is_empty()).then_some(0);
        let mut roster = Roster { columns, ..Roster::default() };
        for record in reader.records() {
            let record = record.map_err(io::Error::other)?;
            let cell = |i: Option<usize>| i.and_then(|i| record.get(i)).unwrap_or_default().trim().to_owned();
            let (first, last) = (cell(first), cell(last));
            let both =
                [first.as_str(), last.as_str()].into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ");
            let mut name = cell(whole.or(fallback));
            // the line of a Canvas gradebook that says what a task is worth
            if name.to_lowercase() == "points possible" || name == "Student, Test" {
                continue;
            }
            let ids: Vec<String> = ids.iter().map(|i| cell(Some(*i))).filter(|id| !id.is_empty()).collect();
            let mut aliases = vec![name.clone(), both.clone(), format!("{last} {first}"), format!("{last}{first}")];
            if let Some((last, first)) = name.split_once(", ") {
                aliases.extend([format!("{first} {last}"), format!("{last}{first}")]);
            }
            for id in &ids {
                aliases.push(id.clone());
                aliases.extend(id.split_once('@').map(|(local, _)| local.to_owned()));
            }
            if name.is_empty() {
                name = if both.is_empty() { ids.first().cloned().unwrap_or_default() } else { both };
            }
            if name.is_empty() {
                continue;
            }
            roster.add(name, ids, &aliases, record.iter().map(str::to_owned).collect());
        }
        if roster.people.is_empty() {
            return Err(io::Error::other("nobody is on the roster"));
        }
        Ok(roster)
    }

    fn add(&mut self, name: String, ids: Vec<String>, aliases: &[String], cells: Vec<String>) {
        let number = self.people.len();
        // two people of one name are told apart by what identifies them, or by their line
        let with_id = ids.into_iter().map(|id| format!("{name} ({id})"));
        let mut names = std::iter::once(name.clone()).chain(with_id).chain([format!("{name} (line {})", number + 2)]);
        let student = names.find(|name| !self.by_student.contains_key(name)).unwrap_or(name);
        self.by_student.insert(student.clone(), number);
        for alias in aliases.iter().chain([&student]).map(|alias| normal(alias)).filter(|alias| !alias.is_empty()) {
            // what two people are called identifies neither
            let entry = self.names.entry(alias).or_insert(Some(number));
            if *entry != Some(number) {
                *entry = None;
            }
        }
        self.people.push(Person { student, cells });
    }

    /// The person a name or an id means, if it is exactly one.
    pub fn find(&self, name: &str) -> Option<&Person> {
        let number = match self.by_student.get(name) {
            Some(number) => *number,
            None => (*self.names.get(&normal(name))?)?,
        };
        self.people.get(number)
    }
}

/// A name without what platforms change about names: case, blanks and punctuation.
fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '@').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Roster;

    fn who(roster: &Roster, name: &str) -> Option<String> {
        roster.find(name).map(|person| person.student.clone())
    }

    #[test]
    fn a_canvas_gradebook_is_a_roster() {
        let csv =
            "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n\"Liddell, Alice\",51,A1,alice,S\n";
        let roster = Roster::parse(csv.as_bytes()).unwrap();
        assert_eq!(roster.people.len(), 1);
        for name in ["51", "liddellalice", "Alice Liddell", "alice", "A1"] {
            assert_eq!(who(&roster, name).as_deref(), Some("Liddell, Alice"), "{name}");
        }
    }

    #[test]
    fn a_moodle_list_of_participants_is_a_roster() {
        let csv = "\u{feff}First name;Last name;Email address\nAnna;de Vries;anna@x.org\nAnna;de Vries;av@x.org\n";
        let roster = Roster::parse(csv.as_bytes()).unwrap();
        let students: Vec<&str> = roster.people.iter().map(|person| person.student.as_str()).collect();
        assert_eq!(students, ["Anna de Vries", "Anna de Vries (av@x.org)"]);
        assert_eq!(who(&roster, "av").as_deref(), Some("Anna de Vries (av@x.org)"));
    }

    #[test]
    fn a_name_of_two_people_means_neither() {
        let roster = Roster::parse(b"name,username\nKim,kim1\nkim,kim2\n").unwrap();
        assert_eq!(who(&roster, "KIM"), None);
        assert_eq!(who(&roster, "kim2").as_deref(), Some("kim"));
    }
}
