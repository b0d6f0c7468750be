//! What a task says: which names an answer cannot be expected to guess.
use crate::lang::Lang;
use crate::scenario::Scenario;

/// What the learner is told.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Title, task and the checks' titles, in every language.
    text: String,
    /// The manifests of the cluster.
    cluster: String,
}

impl Said {
    /// What a scenario says.
    pub fn by(scenario: &Scenario) -> Said {
        let mut text = String::new();
        let texts = [&scenario.title, &scenario.task].into_iter().chain(scenario.checks.iter().map(|c| &c.title));
        for part in texts.flat_map(|text| Lang::ALL.map(|lang| text.get(lang))) {
            text.push_str(part);
            text.push('\n');
        }
        let cluster = scenario.cluster.manifests.iter().map(|manifest| manifest.text.as_str()).collect();
        Said { text, cluster }
    }

    /// Whether the task has a word.
    pub(crate) fn names(&self, word: &str) -> bool {
        has_word(&self.text, word)
    }

    /// Whether the task has a word, or the cluster.
    pub fn knows(&self, word: &str) -> bool {
        self.names(word) || has_word(&self.cluster, word)
    }

    /// Whether the task or the cluster has a word or names that begin with it: `data`, `data-mysql-0`.
    pub(crate) fn knows_begin(&self, word: &str) -> bool {
        let begin = format!("{word}-");
        self.knows(word) || self.text.contains(&begin) || self.cluster.contains(&begin)
    }

    /// Whether the task has a word on a line behind another one: `container `web``.
    pub(crate) fn names_after(&self, before: &str, word: &str) -> bool {
        let behind = |line: &str| {
            let at = line.to_lowercase().find(before);
            at.and_then(|at| line.get(at..)).is_some_and(|rest| has_word(rest, word))
        };
        self.text.lines().any(behind)
    }

    /// Whether the task gives a label: `app=web`, `app: web`.
    pub(crate) fn label(&self, key: &str, value: &str) -> bool {
        has_label(&self.text, key, value)
    }

    /// Whether the cluster has a label or selects by it.
    pub(crate) fn cluster_label(&self, key: &str, value: &str) -> bool {
        has_label(&self.cluster, key, value)
    }
}

fn has_label(text: &str, key: &str, value: &str) -> bool {
    let plain: String = text.chars().filter(|c| !matches!(c, '`' | '"' | '\'')).collect();
    ["=", ": ", ":", " = ", "："].iter().any(|between| has_word(&plain, &format!("{key}{between}{value}")))
}

/// Whether a word stands in a text with nothing beside it that could belong to a name.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(word)) {
        let (start, end) = (from + at, from + at + word.len());
        let before = text.get(..start).and_then(|t| t.chars().next_back());
        let after = text.get(end..).and_then(|t| t.chars().next());
        if !before.is_some_and(part) && !after.is_some_and(part) {
            return !word.is_empty();
        }
        from = end.max(start + 1);
        while !text.is_char_boundary(from) && from < text.len() {
            from += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{has_label, has_word};

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(has_word("the pod `web`, please", "web") && has_word("叫做web的 pod", "web"));
        assert!(!has_word("web-1 and myweb", "web") && !has_word("", "web"));
        assert!(has_label("labels `app=web`", "app", "web") && has_label("label `app: web`", "app", "web"));
        assert!(!has_label("label `app=web-1`", "app", "web"));
    }
}
