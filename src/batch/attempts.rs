//! Several attempts of one student at one scenario.
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// Which attempts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attempts {
    /// The one with most points; of equal ones the last.
    Best,
    /// The last.
    #[default]
    Last,
    /// All of them.
    All,
}

/// When something was handed in, as far as its name says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Moment {
    /// The time as it is written; empty if there is none.
    pub(super) time: String,
    /// A number behind the name: `-2`, ` (2)`, `_v2`.
    pub(super) number: u32,
}

impl Moment {
    /// What moments are ordered by: the digits of the time, then the number.
    pub(super) fn order(&self) -> String {
        let mut digits: String = self.time.chars().filter(char::is_ascii_digit).take(20).collect();
        while !digits.is_empty() && digits.len() < 20 {
            digits.push('0');
        }
        format!("{digits}/{:010}", self.number)
    }
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    let date = r"(?:19|20)\d\d(?:-[01]\d-[0-3]\d|[01]\d[0-3]\d)";
    let time = r"(?:[T_ -]{0,3}[0-2]\d[-:._h]?[0-5]\d(?:[-:._m]?[0-5]\d)?(?:\.\d+)?s?(?:Z| ?UTC)?)";
    let pattern = format!(r"(?:^|[^0-9])({date}{time}?)(?:[^0-9]|$)");
    Regex::new(&pattern).expect("our patterns are right")
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:[-_ ]+(?:v|attempt|try)?[-_ ]?|\()(\d{1,4})\)?$").expect("our patterns are right")
});

/// The time in a text, and the text without it.
pub(super) fn split_time(text: &str) -> (String, String) {
    // no regular expression without need
    if text.bytes().filter(u8::is_ascii_digit).count() < 8 {
        return (String::new(), text.to_owned());
    }
    match TIME.captures(text).and_then(|found| found.get(1)) {
        None => (String::new(), text.to_owned()),
        Some(time) => {
            let (before, after) = (text.get(..time.start()), text.get(time.end()..));
            (time.as_str().to_owned(), format!("{}{}", before.unwrap_or_default(), after.unwrap_or_default()))
        }
    }
}

/// The moment in a text, and the text without it.
pub(super) fn split(text: &str) -> (Moment, String) {
    let (time, rest) = split_time(text);
    let number = if rest.ends_with(|c: char| c.is_ascii_digit() || c == ')') { NUMBER.captures(&rest) } else { None };
    match number.as_ref().and_then(|found| Some((found.get(0)?.start(), found.get(1)?.as_str().parse().ok()?))) {
        Some((start, number)) => (Moment { time, number }, rest.get(..start).unwrap_or_default().to_owned()),
        None => (Moment { time, number: 0 }, rest),
    }
}

/// The moment a whole text stands for: a time, or a number somewhere in it.
pub(super) fn of_text(text: &str) -> Moment {
    let (time, rest) = split_time(text);
    let digits: String = rest.chars().filter(char::is_ascii_digit).take(9).collect();
    match time.is_empty() {
        true => Moment { time, number: digits.parse().unwrap_or(0) },
        false => Moment { time, number: 0 },
    }
}
