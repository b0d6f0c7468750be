//! An outcome as a picture: the objects that matter, how they hang together, and which link is broken and why.
//!
//! [`Picture`] is a graph in words of one language; each format draws it in a file of its own.
mod claims;
pub mod dot;
mod elide;
mod expected;
mod graph;
pub mod layout;
pub mod mermaid;
mod network;
pub mod png;
pub mod svg;
pub mod terminal;
mod volumes;
mod workloads;

use std::fmt;

use crate::cluster::Cluster;
use crate::grade::Grade;
use crate::lang::Lang;
use crate::report::text::{Message, say};
use crate::scenario::Scenario;

/// A picture of a cluster: a graph, its objects in an order that does not depend on anything but the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Picture {
    /// The language of all words.
    pub lang: Lang,
    /// What it shows.
    pub title: String,
    /// The objects.
    pub items: Vec<Item>,
    /// How they hang together.
    pub links: Vec<Link>,
    /// What is wrong: items and links refer to these by their number, from 1.
    pub troubles: Vec<String>,
    /// What is to be said besides: troubles that have no place in the picture.
    pub notes: Vec<String>,
}

/// One object, or several that were put together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Where it stands in the order of things.
    pub role: Role,
    /// Its kind, as Kubernetes calls it.
    pub kind: String,
    /// Its namespace, if it has one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is to be known about it, one line each.
    pub facts: Vec<String>,
    /// How it is.
    pub state: State,
    /// The numbers of its troubles.
    pub marks: Vec<usize>,
    /// How many objects it stands for.
    pub count: usize,
}

/// Where an object stands in the order of things, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Role {
    DnsName,
    Service,
    /// Makes objects that make pods: a Deployment, a CronJob.
    Parent,
    /// Makes pods.
    Workload,
    Pod,
    Claim,
    /// A ConfigMap or Secret.
    Config,
    /// A volume that is written in the pod itself.
    PodVolume,
    Class,
    Volume,
    Node,
}

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As one would wish, as far as the picture knows.
    Fine,
    /// Not there any more, and nothing is wrong with that.
    Past,
    /// Waits for something that may well come.
    Waiting,
    /// Not as one would wish.
    Broken,
    /// Not there.
    Absent,
}

/// How two objects hang together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The index of the one item.
    pub from: usize,
    /// The index of the other.
    pub to: usize,
    /// How.
    pub relation: Relation,
    /// More about it, such as the path of a mount.
    pub detail: String,
    /// How it is; never `Absent`.
    pub state: State,
    /// The numbers of its troubles.
    pub marks: Vec<usize>,
}

/// A kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Relation {
    Resolves,
    Selects,
    Governs,
    Owns,
    Mounts,
    Reads,
    Asks,
    Bound,
    WasBound,
    Provisions,
    RunsOn,
    OnlyFrom,
}

impl Relation {
    /// The one that is ordered before all others.
    const FIRST: Relation = Relation::Resolves;
}

/// What a picture says of a trouble that has no words elsewhere.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Words<'a> {
    Relation(Relation),
    TitleOfOutcome,
    TitleOfGrade { scenario: &'a str, points: u32, possible: u32 },
    Objects { items: usize, troubles: usize },
    Nothing { kind: &'a str },
    DoesNotExist { kind: &'a str, name: &'a str },
    HasNoKey { kind: &'a str, name: &'a str, key: &'a str },
    NotMounted { volume: &'a str },
    SelectsNothing { selector: &'a str },
    NotReady { pod: &'a str },
    WantedPods { missing: i64 },
    NoSuchService { service: &'a str },
    More { number: usize },
    Others { kind: &'a str, number: usize },
    Missing,
    See,
}

impl Picture {
    /// The outcome of a simulation.
    pub fn of_cluster(cluster: &Cluster, lang: Lang) -> Picture {
        let title = say(lang, &Message::Picture(Words::TitleOfOutcome));
        elide::elide(graph::of(cluster, lang).finish(title))
    }

    /// The outcome of an answer, with what the scenario's checks found wrong.
    pub fn of_grade(scenario: &Scenario, grade: &Grade, lang: Lang) -> Picture {
        let (points, possible) = (grade.points(), grade.possible());
        let words = Words::TitleOfGrade { scenario: &scenario.id, points, possible };
        let mut graph = graph::of(&grade.cluster, lang);
        expected::mark(&mut graph, scenario, grade);
        elide::elide(graph.finish(say(lang, &Message::Picture(words))))
    }

    /// What someone who does not see the picture is told.
    pub fn description(&self) -> String {
        let words = Words::Objects { items: self.items.iter().map(|i| i.count).sum(), troubles: self.troubles.len() };
        let mut text = say(self.lang, &Message::Picture(words));
        for trouble in self.troubles.iter().chain(&self.notes) {
            text.push('\n');
            text.push_str(trouble);
        }
        text
    }

    /// The word for a relation, with what else is known about it.
    pub fn label(&self, link: &Link) -> String {
        let word = say(self.lang, &Message::Picture(Words::Relation(link.relation)));
        if link.detail.is_empty() { word } else { format!("{word} {}", link.detail) }
    }
}

impl Item {
    /// The first line: the kind, and the namespace unless it is the default one.
    pub fn caption(&self) -> String {
        match self.namespace.as_str() {
            "" | "default" => self.kind.clone(),
            namespace => format!("{} · {namespace}", self.kind),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// A text that is cut in the middle when it has more than so many columns: the ends of names tell most.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    use crate::report::width::{char_width, width};
    if width(text) <= columns || columns < 3 {
        return text.to_owned();
    }
    let (left, right) = (columns.div_ceil(2), columns / 2 - 1);
    let take = |characters: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let fits = |c: &char| {
            used += char_width(*c);
            used <= room
        };
        characters.take_while(fits).collect::<String>()
    };
    let tail: String = take(&mut text.chars().rev(), right).chars().rev().collect();
    // `columns` counts the ellipsis, too
    format!("{}…{tail}", take(&mut text.chars(), left.saturating_sub(usize::from(columns % 2 == 1))))
}

/// A text of one line without anything that could do harm on a terminal or in a document.
pub(crate) fn clean(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // not allowed in XML
    crate::report::sanitise::sanitise(&line).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::width::width;

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shorten("data-web-0", 10), "data-web-0");
        let short = shorten("data-of-the-database-0", 12);
        assert!(short.starts_with("data-") && short.ends_with("se-0") && short.contains('…'), "{short}");
        for columns in 3..30 {
            assert!(width(&shorten("一個很長的名稱還有 latin letters", columns)) <= columns, "{columns}");
            assert!(width(&shorten("abcdefghijklmnopqrstuvwxyz0123456789", columns)) <= columns, "{columns}");
        }
    }
}
