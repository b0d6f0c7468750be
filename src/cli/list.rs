//! `ckad-grade list [WORD]`: the scenarios by chapter.
use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Exit, Failure, Format, Session, library, practice};
use crate::lang::Lang;
use crate::report::sanitise::sanitise;
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};
use crate::report::width::{pad, width, wrap};
use crate::scenario::{Domain, Entry, Level, LoadError, Scenario, chapter, short_id};

const SOFT: Style = AnsiColor::BrightBlack.on_default();
const STRONG: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Which scenarios.
#[derive(Args, Debug, Default)]
pub(super) struct ListArgs {
    /// Only tasks of this chapter, or with this word in their name or title, e.g. 107 or selector
    word: Option<String>,
    /// Only tasks of this chapter, e.g. 107 or services
    #[arg(long, value_name = "CHAPTER")]
    chapter: Option<String>,
    /// Only tasks of this level
    #[arg(long, value_enum)]
    level: Option<LevelArg>,
    /// Only tasks of this domain of the exam
    #[arg(long, value_enum)]
    domain: Option<DomainArg>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DomainArg {
    /// Application Design and Build
    Design,
    /// Application Deployment
    Deployment,
    /// Application Observability and Maintenance
    Observability,
    /// Application Environment, Configuration and Security
    Environment,
    /// Services and Networking
    Networking,
}

impl From<DomainArg> for Domain {
    fn from(domain: DomainArg) -> Domain {
        match domain {
            DomainArg::Design => Domain::Design,
            DomainArg::Deployment => Domain::Deployment,
            DomainArg::Observability => Domain::Observability,
            DomainArg::Environment => Domain::Environment,
            DomainArg::Networking => Domain::Networking,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    /// One object, one idea
    WarmUp,
    /// What the exam asks
    Exam,
    /// More than the exam asks
    Hard,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Level {
        match level {
            LevelArg::WarmUp => Level::WarmUp,
            LevelArg::Exam => Level::Exam,
            LevelArg::Hard => Level::Hard,
        }
    }
}

impl ListArgs {
    fn wants(&self, scenario: &Scenario) -> bool {
        let word = self.word.as_deref().is_none_or(|word| {
            let word = word.to_lowercase();
            let is_chapter = chapter::names().any(|name| name == word);
            match is_chapter {
                true => scenario.chapter == word,
                false => {
                    let has = |text: &str| text.to_lowercase().contains(&word);
                    has(&scenario.id)
                        || scenario.chapter == word
                        || Lang::ALL.iter().any(|l| has(scenario.title.get(*l)))
                }
            }
        });
        word && self.chapter.as_ref().is_none_or(|chapter| scenario.chapter == *chapter)
            && self.level.is_none_or(|level| scenario.level == level.into())
            && self.domain.is_none_or(|domain| scenario.domain() == domain.into())
    }

    fn is_empty(&self) -> bool {
        self.word.is_none() && self.chapter.is_none() && self.level.is_none() && self.domain.is_none()
    }
}

type Row = (Entry, Result<Scenario, LoadError>);

pub(super) fn run(session: &mut Session<'_>, asked: &ListArgs) -> Result<Exit, Failure> {
    let lang = session.lang;
    let (library, folder) = library::open(session)?;
    let mut overridden = 0;
    let mut rows: Vec<Row> = Vec::new();
    for entry in library.entries() {
        if let Ok(source) = entry.source() {
            overridden += usize::from(entry.differs_from_built_in(&source));
        }
        rows.push((entry.clone(), entry.load()));
    }
    if let Some(folder) = folder.filter(|_| overridden > 0) {
        session.note(&say(lang, &Message::OverriddenScenarios { folder: &folder, number: overridden }))?;
    }
    // one that cannot be read is shown whatever is asked for
    let all = rows.len();
    rows.retain(|(_, scenario)| scenario.as_ref().map_or(true, |scenario| asked.wants(scenario)));
    rows.sort_by_key(|(entry, scenario)| match scenario {
        Ok(s) => (chapter::position(&s.chapter), s.chapter.clone(), Some(s.level), entry.id.clone()),
        Err(_) => (usize::MAX, String::new(), None, entry.id.clone()),
    });
    let wrong = rows.iter().any(|(_, scenario)| scenario.is_err());
    if session.format != Format::Text {
        let list: Vec<_> = rows.iter().map(|row| data(row, lang)).collect();
        session.data(&json!(list))?;
        return Ok(Exit::Success);
    }
    if rows.is_empty() {
        return Err(Failure::usage(say(lang, &Message::NothingListed { total: all })));
    }
    write(session, &rows)?;
    let minutes = rows.iter().flat_map(|(_, scenario)| scenario).map(|scenario| u64::from(scenario.minutes)).sum();
    let total = (!asked.is_empty()).then_some(all);
    let last = say(lang, &Message::ScenarioTotals { number: rows.len(), of: total, minutes });
    writeln!(session.out, "\n{SOFT}{last}{SOFT:#}")?;
    Ok(if wrong { Exit::Usage } else { Exit::Success })
}

fn data((entry, scenario): &Row, lang: Lang) -> serde_json::Value {
    match scenario {
        Ok(s) => json!({
            "id": s.id, "chapter": s.chapter, "chapterTitle": chapter::title(&s.chapter, lang), "domain": s.domain(), "level": s.level,
            "minutes": s.minutes, "points": s.points(), "title": s.title.get(lang).trim(),
        }),
        Err(error) => json!({ "id": entry.id, "error": error.to_string() }),
    }
}

fn write(session: &mut Session<'_>, rows: &[Row]) -> Result<(), Failure> {
    let lang = session.lang;
    let wide = rows.iter().map(|(entry, _)| width(short_id(&entry.id))).max().unwrap_or_default();
    let minutes = |minutes: u32| say(lang, &Message::Minutes(minutes));
    let widest = rows.iter().flat_map(|(_, s)| s).map(|s| width(&minutes(s.minutes))).max().unwrap_or_default();
    let levels = rows.iter().flat_map(|(_, s)| s).map(|s| width(&say(lang, &Message::Level(s.level))));
    let level_width = levels.max().unwrap_or_default();
    let solved = practice::solved_by_person();
    let mut now: Option<&str> = None;
    for (entry, scenario) in rows {
        let id = pad(&sanitise(short_id(&entry.id)), wide);
        match scenario {
            Ok(scenario) => {
                if now != Some(&scenario.chapter) {
                    let gap = if now.is_some() { "\n" } else { "" };
                    now = Some(&scenario.chapter);
                    writeln!(session.out, "{gap}{}", heading(&scenario.chapter, lang))?;
                }
                let level = pad(&say(lang, &Message::Level(scenario.level)), level_width);
                let minutes = minutes(scenario.minutes);
                let minutes = format!("{}{minutes}", " ".repeat(widest.saturating_sub(width(&minutes))));
                let indent = wide + level_width + widest + 8;
                let title = wrap(&sanitise(scenario.title.get(lang).trim()), COLUMNS.saturating_sub(indent).max(20));
                let title = title.join(&format!("\n{}", " ".repeat(indent)));
                let sign = if solved.contains(&entry.id) { "✓" } else { " " };
                writeln!(session.out, "{GOOD}{sign}{GOOD:#} {id}  {SOFT}{level}  {minutes}{SOFT:#}  {title}")?;
            }
            Err(error) => {
                let lines = wrap(&sanitise(&error.to_string()), COLUMNS.saturating_sub(wide + 4).max(20));
                let text = lines.join(&format!("\n{}", " ".repeat(wide + 4)));
                writeln!(session.out, "  {id}  {BAD}{text}{BAD:#}")?;
            }
        }
    }
    Ok(())
}

/// `105  Volumes`.
fn heading(name: &str, lang: Lang) -> String {
    let plain = sanitise(name);
    match chapter::title(name, lang) {
        Some(title) => format!("{STRONG}{plain}{STRONG:#}  {title}"),
        None => format!("{STRONG}{}{STRONG:#}", sanitise(&say(lang, &Message::Chapter(name)))),
    }
}
