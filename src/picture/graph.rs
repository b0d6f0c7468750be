//! Gathers items and links; the other files of this folder say which.
use std::collections::BTreeMap;

use super::{Item, Link, Picture, Relation, Role, State, Words, claims, clean, network, workloads};
use crate::api::Object;
use crate::api::object::{Kind, ObjectKey};
use crate::cluster::Cluster;
use crate::lang::Lang;
use crate::report::text::{Message, say};
use crate::timeline::record::is_furniture;

/// A picture that is being made.
pub(super) struct Graph<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) lang: Lang,
    items: Vec<Item>,
    links: Vec<Link>,
    troubles: Vec<String>,
    notes: Vec<String>,
    index: BTreeMap<(Role, String, String, String), usize>,
    link_index: BTreeMap<(usize, usize, Relation), usize>,
    trouble_index: BTreeMap<String, usize>,
}

/// Everything that is to be seen of a cluster.
pub(super) fn of(cluster: &Cluster, lang: Lang) -> Graph<'_> {
    let (items, links) = (Vec::new(), Vec::new());
    let (troubles, notes) = (Vec::new(), Vec::new());
    let (index, link_index, trouble_index) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut graph = Graph { cluster, lang, items, links, troubles, notes, index, link_index, trouble_index };
    workloads::add(&mut graph);
    claims::add(&mut graph);
    network::add(&mut graph);
    graph
}

impl<'a> Graph<'a> {
    /// The objects of a kind, without what every cluster has.
    pub(super) fn objects(&self, kind: Kind) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.cluster.api().store().objects_of(kind).filter(|object| !is_furniture(object))
    }

    pub(super) fn words(&self, words: Words<'_>) -> String {
        say(self.lang, &Message::Picture(words))
    }

    /// The item of a name; it is put in if it is not there yet.
    pub(super) fn item(&mut self, role: Role, kind: &str, namespace: &str, name: &str) -> usize {
        let key = (role, kind.to_owned(), namespace.to_owned(), name.to_owned());
        let next = self.items.len();
        let index = *self.index.entry(key).or_insert(next);
        if index == next {
            self.items.push(Item {
                role,
                kind: clean(kind),
                namespace: clean(namespace),
                name: clean(name),
                facts: Vec::new(),
                state: State::Fine,
                marks: Vec::new(),
                count: 1,
            });
        }
        index
    }

    /// The item of an object.
    pub(super) fn object(&mut self, role: Role, key: &ObjectKey) -> usize {
        self.item(role, key.kind.name(), &key.namespace, &key.name)
    }

    /// The item of something that is not there.
    pub(super) fn absent(&mut self, role: Role, kind: &str, namespace: &str, name: &str) -> usize {
        let before = self.items.len();
        let index = self.item(role, kind, namespace, name);
        // what is gone and was not to be missed is missed now
        if index == before || self.state(index) == State::Past {
            self.set_state(index, State::Absent);
        }
        index
    }

    /// The item of something that is not there any more.
    pub(super) fn past(&mut self, role: Role, kind: &str, namespace: &str, name: &str) -> usize {
        let index = self.item(role, kind, namespace, name);
        self.set_state(index, State::Past);
        index
    }

    /// A link that is no more.
    pub(super) fn past_link(&mut self, from: usize, to: usize, relation: Relation) {
        self.push(from, to, relation, "", State::Past);
    }

    /// The item of an object that is in the picture already.
    pub(super) fn find(&self, role: Role, key: &ObjectKey) -> Option<usize> {
        let key = (role, key.kind.name().to_owned(), key.namespace.clone(), key.name.clone());
        self.index.get(&key).copied()
    }

    pub(super) fn fact(&mut self, item: usize, fact: &str) {
        let fact = clean(fact);
        if let Some(item) = self.items.get_mut(item).filter(|_| !fact.is_empty()) {
            item.facts.push(fact);
        }
    }

    pub(super) fn has_facts(&self, item: usize) -> bool {
        self.items.get(item).is_some_and(|item| !item.facts.is_empty())
    }

    pub(super) fn kind_and_name(&self, item: usize) -> (String, String) {
        self.items.get(item).map(|item| (item.kind.clone(), item.name.clone())).unwrap_or_default()
    }

    pub(super) fn has_links_from(&self, item: usize) -> bool {
        self.link_index.range((item, 0, Relation::FIRST)..).next().is_some_and(|((from, ..), _)| *from == item)
    }

    pub(super) fn state(&self, item: usize) -> State {
        self.items.get(item).map_or(State::Fine, |item| item.state)
    }

    pub(super) fn name(&self, item: usize) -> String {
        self.items.get(item).map(|item| item.name.clone()).unwrap_or_default()
    }

    /// Makes an item worse than it was.
    pub(super) fn set_state(&mut self, item: usize, state: State) {
        if let Some(item) = self.items.get_mut(item) {
            item.state = item.state.max(state);
        }
    }

    /// The number of a trouble; the same words have the same number.
    fn number(&mut self, trouble: &str) -> usize {
        let trouble = clean(trouble);
        if let Some(number) = self.trouble_index.get(&trouble) {
            return *number;
        }
        self.troubles.push(trouble.clone());
        self.trouble_index.insert(trouble, self.troubles.len());
        self.troubles.len()
    }

    /// Says what is wrong with an item.
    pub(super) fn mark(&mut self, item: usize, state: State, trouble: &str) {
        let number = self.number(trouble);
        self.set_state(item, state);
        if let Some(item) = self.items.get_mut(item).filter(|item| !item.marks.contains(&number)) {
            item.marks.push(number);
        }
    }

    /// A link as it should be.
    pub(super) fn link(&mut self, from: usize, to: usize, relation: Relation, detail: &str) {
        self.push(from, to, relation, detail, State::Fine);
    }

    fn push(&mut self, from: usize, to: usize, relation: Relation, detail: &str, state: State) -> Option<&mut Link> {
        let detail = clean(detail);
        let next = self.links.len();
        let position = *self.link_index.entry((from, to, relation)).or_insert(next);
        if position == next {
            self.links.push(Link { from, to, relation, detail: String::new(), state, marks: Vec::new() });
        }
        let link = self.links.get_mut(position)?;
        if !detail.is_empty() && !link.detail.split(", ").any(|known| known == detail) {
            let separator = if link.detail.is_empty() { "" } else { ", " };
            link.detail.push_str(&format!("{separator}{detail}"));
        }
        link.state = link.state.max(state);
        Some(link)
    }

    /// A link that is not there, or does not work, and why.
    pub(super) fn broken(&mut self, from: usize, to: usize, relation: Relation, state: State, why: &str) {
        let number = self.number(why);
        let link = self.push(from, to, relation, "", state);
        if let Some(link) = link.filter(|link| !link.marks.contains(&number)) {
            link.marks.push(number);
        }
    }

    /// Whether two items hang together in some way.
    pub(super) fn linked(&self, from: usize, to: usize) -> bool {
        self.link_index.range((from, to, Relation::FIRST)..).next().is_some_and(|((f, t, _), _)| (*f, *t) == (from, to))
    }

    /// Whether an item has a link to something that is not there.
    pub(super) fn misses_something(&self, item: usize) -> bool {
        let from_it = self.link_index.range((item, 0, Relation::FIRST)..(item + 1, 0, Relation::FIRST));
        from_it.into_iter().any(|((_, to, _), _)| self.state(*to) == State::Absent)
    }

    /// Something that has no place in the picture.
    pub(super) fn note(&mut self, text: &str) {
        let text = clean(text);
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub(super) fn finish(self, title: String) -> Picture {
        let Graph { lang, items, links, troubles, notes, .. } = self;
        Picture { lang, title: clean(&title), items, links, troubles, notes }
    }
}
