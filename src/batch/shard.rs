//! A part of a batch for one of several machines.
use std::fmt;
use std::str::FromStr;

use super::digest;

/// The I-th of N parts. A student's answers are all in the same part, which depends on the student's name alone: whoever
/// joins or leaves moves nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Whether a student belongs to this part.
    pub fn contains(self, student: &str) -> bool {
        let number = u64::from_le_bytes(digest::of(&[student.as_bytes()]).first_chunk().copied().unwrap_or_default());
        number % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// `I/N` with I from 1 to N. Indexed Jobs count from 0; `0/N` is therefore told apart and refused.
    fn from_str(text: &str) -> Result<Shard, String> {
        let wrong = || format!("`{text}` is not I/N with I from 1 to N, like 2/8");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (index, count): (u32, u32) = (index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
        match index.checked_sub(1) {
            Some(index) if index < count => Ok(Shard { index, count }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Shard;

    #[test]
    fn every_student_is_in_exactly_one_part() {
        let shards: Vec<Shard> = (1..=5).map(|i| format!("{i}/5").parse().unwrap()).collect();
        for student in ["", "alice", "bob", "磁碟", "carol\n"] {
            assert_eq!(shards.iter().filter(|shard| shard.contains(student)).count(), 1, "{student}");
        }
    }

    #[test]
    fn parts_are_counted_from_1() {
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
