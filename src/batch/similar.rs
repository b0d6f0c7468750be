//! Answers that are alike beyond what the task forces: a hint for a person, never a verdict.
//!
//! What lines an answer has that neither the key nor many others have (comments, names nobody asked for, odd spacing of a
//! list) is its own; two answers that share several such lines have something to do with each other.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use super::digest;
use super::result::{Pair, Results};
use crate::timeline::ManifestFile;

/// The most lines of one answer that are looked at.
const MAX_TRAITS: usize = 200;
/// How many lines have to be shared; of equal files one is enough.
const MIN_SHARED: u32 = 3;
/// What share of the own lines of the one with fewer of them has to be shared.
const MIN_PERCENT: u32 = 60;
/// A line that more people have than this is nobody's own.
const MAX_OWNERS: usize = 20;
/// The most pairs that are told.
const MAX_PAIRS: usize = 1000;

/// Hashes of the lines of a text that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = u64> + '_ {
    let words = |line: &str| {
        line.replace(['"', '\'', '-', '{', '}', ','], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).filter(|line| line.len() > 3).map(|line| {
        let hash = digest::of(&[line.as_bytes()]);
        // JSON's numbers are not exact beyond this
        u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default()) >> 11
    })
}

/// Lines of an answer that the key does not have, as hashes.
pub(super) fn traits(files: &[ManifestFile], key: &HashSet<u64>) -> Vec<u64> {
    let texts = files.iter().map(|file| String::from_utf8_lossy(&file.bytes)).collect::<Vec<_>>();
    let own = texts.iter().flat_map(|text| lines(text).take(10_000)).filter(|line| !key.contains(line));
    let mut own: Vec<u64> = own.collect();
    own.sort_unstable();
    own.dedup();
    own.truncate(MAX_TRAITS);
    own
}

/// An answer as far as it matters here.
struct Answer {
    student: String,
    digest: String,
    own: Vec<u64>,
}

/// Pairs of answers that are alike, the most alike first. This is the one thing that holds all answers' lines in memory.
///
/// # Errors
/// When the results cannot be read.
pub(super) fn pairs(results: &Results) -> io::Result<Vec<Pair>> {
    let mut scenarios: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for entry in results.entries()? {
        let entry = entry?;
        if !entry.traits.is_empty() && !entry.student.is_empty() {
            let (student, digest, own) = (entry.student, entry.digest, entry.traits);
            scenarios.entry(entry.scenario).or_default().push(Answer { student, digest, own });
        }
    }
    let mut pairs: Vec<Pair> =
        scenarios.iter().flat_map(|(scenario, answers)| of_scenario(scenario, answers)).collect();
    pairs.sort_by(|a, b| {
        let order = |pair: &Pair| (std::cmp::Reverse(pair.shared), pair.scenario.clone(), pair.students.clone());
        order(a).cmp(&order(b))
    });
    pairs.truncate(MAX_PAIRS);
    Ok(pairs)
}

fn of_scenario(scenario: &str, answers: &[Answer]) -> Vec<Pair> {
    let most = (answers.len() / 5).clamp(2, MAX_OWNERS);
    let mut owners: HashMap<u64, Vec<usize>> = HashMap::new();
    for (number, answer) in answers.iter().enumerate() {
        for line in &answer.own {
            let known = owners.entry(*line).or_default();
            // one more than matters is enough to know
            if known.len() <= most {
                known.push(number);
            }
        }
    }
    let is_own = |line: &&u64| owners.get(*line).is_some_and(|known| known.len() <= most);
    let own: Vec<u32> = answers.iter().map(|answer| answer.own.iter().filter(is_own).count() as u32).collect();
    let mut shared: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for known in owners.values().filter(|known| known.len() <= most) {
        for (at, one) in known.iter().enumerate() {
            for other in known.iter().skip(at + 1) {
                *shared.entry((*one, *other)).or_default() += 1;
            }
        }
    }
    let pair = |(&(one, other), &shared): (&(usize, usize), &u32)| {
        let (a, b) = (answers.get(one)?, answers.get(other)?);
        let fewer = own.get(one).min(own.get(other)).copied()?;
        let percent = (shared * 100).checked_div(fewer)?;
        let enough = shared >= MIN_SHARED || a.digest == b.digest;
        let students = [a.student.clone(), b.student.clone()];
        (enough && percent >= MIN_PERCENT && a.student != b.student).then(|| Pair {
            scenario: scenario.to_owned(),
            students,
            shared,
            percent,
        })
    };
    shared.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(student: &str, lines: &[u64]) -> Answer {
        Answer { student: student.to_owned(), digest: student.to_owned(), own: lines.to_vec() }
    }

    #[test]
    fn peculiar_lines_in_common_are_told_and_common_ones_are_not() {
        let mut answers = vec![answer("a", &[1, 2, 3, 4, 90]), answer("b", &[1, 2, 3, 4, 91])];
        // what everybody writes
        answers.extend(["c", "d", "e", "f"].map(|student| answer(student, &[1, 50, 51, 52])));
        let found = of_scenario("s", &answers);
        let told: Vec<_> = found.iter().map(|pair| (pair.students.join("+"), pair.shared)).collect();
        assert_eq!(told, [("a+b".to_owned(), 3)]);
    }

    #[test]
    fn what_the_key_says_is_not_peculiar() {
        let key: HashSet<u64> = lines("kind: Pod\nmetadata: { name: web }\n").collect();
        let file = |text: &str| [ManifestFile { name: "a".into(), bytes: text.as_bytes().to_vec() }];
        assert!(traits(&file("kind:  \"Pod\"\nmetadata: {name: web}"), &key).is_empty());
        assert_eq!(traits(&file("kind: Pod # by alice\n"), &key).len(), 1);
    }
}
