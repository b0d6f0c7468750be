//! Warnings on their way to the client (`WithWarningRecorder` of `k8s.io/apiserver/pkg/endpoints/filters`).

/// Characters of all warnings together from which on each is cut.
const TRUNCATE_AT_TOTAL: usize = 4 * 1024;
/// Characters that are left of a warning that is cut.
const TRUNCATE_ITEM: usize = 256;

/// The warnings of a request as its response carries them: each text once, none with control characters, and cut when
/// they are too long together.
pub fn recorded(warnings: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for warning in warnings {
        if !warning.is_empty() && !once.contains(&warning) {
            once.push(warning);
        }
    }
    // Go's `unicode.IsControl`
    let printable = |warning: &String| !warning.chars().any(char::is_control);
    let total: usize = once.iter().filter(|w| printable(w)).map(|w| w.chars().count()).sum();
    if total <= TRUNCATE_AT_TOTAL {
        once.retain(printable);
        return once;
    }
    let mut written = 0;
    let mut cut = Vec::new();
    for warning in once {
        if written >= TRUNCATE_AT_TOTAL {
            break;
        }
        let text: String = warning.chars().take(TRUNCATE_ITEM).collect();
        if printable(&text) {
            written += text.chars().count();
            cut.push(text);
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_sent_once_and_without_control_characters() {
        let all = ["a", "b", "a", "", "x\ny"].map(str::to_owned).to_vec();
        assert_eq!(recorded(all), ["a", "b"]);
    }

    #[test]
    fn warnings_are_cut_when_they_are_too_long_together() {
        let all: Vec<String> = (0..20).map(|n| format!("{n:0300}")).collect();
        let sent = recorded(all);
        assert_eq!(sent.len(), 16);
        assert!(sent.iter().all(|w| w.len() == 256));
        assert_eq!(recorded(vec!["é".repeat(4096)])[0].chars().count(), 4096);
    }
}
