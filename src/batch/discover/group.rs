//! Records of files put together to what is graded as one.
use std::io;

use super::{Group, Matched, Try};

/// Records put together to groups.
pub(super) struct Groups<I> {
    pub(super) records: I,
    pub(super) next: Option<Matched>,
}

impl<I: Iterator<Item = io::Result<(String, String)>>> Groups<I> {
    fn record(&mut self) -> io::Result<Option<Matched>> {
        match self.next.take() {
            Some(record) => Ok(Some(record)),
            None => match self.records.next() {
                None => Ok(None),
                Some(record) => serde_json::from_str(&record?.1).map(Some).map_err(io::Error::other),
            },
        }
    }

    fn group(&mut self) -> io::Result<Option<Group>> {
        let Some(first) = self.record()? else { return Ok(None) };
        let (student, scenario, known) = (first.student.clone(), first.scenario.clone(), first.known);
        let mut group = Group { student, scenario, known, attempts: Vec::new(), trouble: first.trouble.clone() };
        let single = first.trouble.is_some();
        group.add(first);
        while !single && let Some(record) = self.record()? {
            if record.student == group.student && record.scenario == group.scenario && record.trouble.is_none() {
                group.add(record);
            } else {
                self.next = Some(record);
                break;
            }
        }
        Ok(Some(group))
    }
}

impl Group {
    fn add(&mut self, record: Matched) {
        let Some(file) = record.file else { return };
        match self.attempts.last_mut() {
            Some(last) if last.moment == record.moment => {
                last.late |= record.late;
                last.files.push(file);
            }
            _ => self.attempts.push(Try { moment: record.moment, late: record.late, files: vec![file] }),
        }
    }
}

impl<I: Iterator<Item = io::Result<(String, String)>>> Iterator for Groups<I> {
    type Item = io::Result<Group>;
    fn next(&mut self) -> Option<Self::Item> {
        self.group().transpose()
    }
}
