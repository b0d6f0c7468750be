//! What all paths have in common tells how the tree is laid out.
use std::collections::HashMap;

use super::Place;
use crate::batch::layout::{Named, Names, Submitter, Usual, is_of_platform, stem};
use crate::batch::result::Status;

/// What all paths have in common.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The folders of the first two levels: the last one seen, whether there are others, their common beginning.
    levels: [Level; 2],
    /// Whether something is in no folder.
    bare: bool,
    /// Whether the only folder holds folders or files that name a student.
    holds_students: bool,
    /// Whether there are git repositories.
    pub(super) git: bool,
}

#[derive(Debug, Default)]
struct Level {
    first: Option<String>,
    several: bool,
    common: String,
}

impl Shape {
    pub(super) fn look(&mut self, path: &str, names: &Names, place: &Place) {
        let segments: Vec<&str> = path.split('/').collect();
        for (number, level) in self.levels.iter_mut().enumerate() {
            let Some(name) = segments.get(number).filter(|_| segments.len() > number + 1) else { continue };
            match &level.first {
                None => (level.first, level.common) = (Some((*name).to_owned()), (*name).to_owned()),
                Some(first) => {
                    level.several |= first != name;
                    let same = level.common.chars().zip(name.chars()).take_while(|(a, b)| a == b);
                    level.common = same.map(|(c, _)| c).collect();
                }
            }
        }
        let is_answer = !matches!(place, Place::Nowhere { status: Status::Unmatched, .. });
        self.bare |= segments.len() == 1 && is_answer;
        if is_answer && let Some(second) = segments.get(1) {
            let reading = Usual::default_reading(second, names);
            self.holds_students |= reading.student.is_some_and(|student| segments.len() > 2 || student != stem(second))
                || segments.len() > 2 && reading.scenario == Named::None;
        }
    }

    pub(super) fn usual(self, outside: &str, submitters: HashMap<String, Submitter>) -> Usual {
        let [top, second] = self.levels;
        let flat = top.first.is_none();
        let platform = top.first.as_deref().is_some_and(is_of_platform);
        let wrapped = !self.bare && !top.several && self.holds_students && !platform;
        let (level, parent) = match wrapped {
            true => (second, top.first.unwrap_or_default()),
            false => (top, outside.to_owned()),
        };
        let assignment = ["-submissions", "_submissions"].iter().find_map(|end| parent.strip_suffix(end));
        let prefix = match (assignment, self.git) {
            (Some(name), _) if level.common.starts_with(&format!("{name}-")) => format!("{name}-"),
            (_, true) if level.several => {
                level.common.rfind('-').and_then(|at| level.common.get(..=at)).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        Usual { wrappers: usize::from(wrapped), flat, prefix, submitters }
    }
}
