//! English.
use super::BatchMessage;

pub(super) fn say(message: &BatchMessage<'_>) -> String {
    match *message {
        BatchMessage::CannotRead { error } => format!("cannot be read: {error}"),
        BatchMessage::TooDeep { depth } => format!("deeper than {depth} levels; not looked into"),
        BatchMessage::SymbolicLink => "a link; links are not followed".into(),
        BatchMessage::NotAFile => "not a regular file".into(),
        BatchMessage::NotAManifest => "neither a manifest (.yaml, .yml, .json) nor commands (.sh)".into(),
        BatchMessage::TooLarge { bytes } => format!("larger than {} MiB", bytes >> 20),
        BatchMessage::TooMuch { bytes } => format!("the archives hold more than {} GiB; not unpacked", bytes >> 30),
        BatchMessage::DamagedArchive { error } => format!("the archive cannot be read to its end: {error}"),
        BatchMessage::LeadsOut => "its path leads out of the archive".into(),
        BatchMessage::NotAskedFor { scenario } => format!("an answer to {scenario}, which is not asked for"),
        BatchMessage::NoSuchScenario { scenario } => format!("there is no scenario `{scenario}`"),
        BatchMessage::NoScenario => {
            "nothing in its path says which scenario it answers (--only SCENARIO if all answer one)".into()
        }
        BatchMessage::NotOfLayout => "does not match the layout".into(),
        BatchMessage::NoStudent => "nothing in its path says whose it is".into(),
        BatchMessage::NothingHandedIn => "nothing handed in".into(),
        BatchMessage::Crashed { message } => format!("the grader crashed; please report this: {message}"),
        BatchMessage::DidNotSettle => "the cluster did not come to rest within the limit of work".into(),
        BatchMessage::ScenarioWrong { error } => format!("the scenario itself is wrong: {error}"),
        BatchMessage::NotOnRoster => "not on the roster".into(),
        BatchMessage::FileLost { file, error } => format!("cannot read {file}: {error}"),
        BatchMessage::MoreLeftOut(number) => format!("and {number} more"),

        BatchMessage::Students(1) => "1 student".into(),
        BatchMessage::Students(number) => format!("{number} students"),
        BatchMessage::Answers(1) => "1 answer".into(),
        BatchMessage::Answers(number) => format!("{number} answers"),
        BatchMessage::Student => "student".into(),
        BatchMessage::Total => "total".into(),
        BatchMessage::FullMarks => "full marks".into(),
        BatchMessage::PassedShare => "passed".into(),
        BatchMessage::Average => "average".into(),
        BatchMessage::Missing => "missing".into(),
        BatchMessage::FailedBy { failed, graded } => format!("{failed} of {graded}"),
        BatchMessage::Unmatched(1) => "1 file is nobody's answer:".into(),
        BatchMessage::Unmatched(number) => format!("{number} files are nobody's answer:"),
        BatchMessage::Crashes(number) => format!("{number} without a grade because the grader crashed:"),
        BatchMessage::Limits(number) => format!("{number} beyond a limit:"),
        BatchMessage::WrongScenarios(number) => format!("{number} without a grade because the scenario is wrong:"),
        BatchMessage::NoRosterForGradebook => {
            "without --roster the gradebook has no column by which the platform knows its students".into()
        }
        BatchMessage::LayoutWrong { error } => format!("--layout: {error}"),
        BatchMessage::NoSuchOutput { file } => {
            format!(
                "{file}: .csv, .html, .json, .jsonl and .xml say what to write; for anything else: --report FORMAT=FILE"
            )
        }
        BatchMessage::Rate { rate, left } => format!("{rate}/s, {left} left"),
        BatchMessage::Unreadables(1) => "1 answer is not readable as YAML or JSON:".into(),
        BatchMessage::Unreadables(number) => format!("{number} answers are not readable as YAML or JSON:"),
        BatchMessage::AndMore(number) => format!("and {number} more"),
        BatchMessage::SimilarHeading => "alike beyond what the task forces (look yourself before you judge):".into(),
        BatchMessage::SimilarPair { shared, percent } => format!("{shared} peculiar lines in common, {percent} %"),
        BatchMessage::WroteReport { file } => format!("wrote {file}"),
        BatchMessage::Grading => "grading".into(),
        BatchMessage::NothingFound { folder } => format!("no file in {folder} could be an answer"),
        BatchMessage::Resumed { number } => format!("{number} grades taken over from the journal"),
    }
}
