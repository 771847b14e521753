//! What is asked about: a name, an address or a pattern becomes a set of nodes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::axis::Axis;
use crate::crates::{CrateId, Family};
use crate::graph::{Graph, NodeId, NodeSet};
use crate::item_text::item_text;
use crate::known_symbols::is_anonymous;
use crate::owner::{ItemId, ItemKind, Owner};

/// What to look for.
#[derive(Clone, Copy)]
pub enum Query<'a> {
    /// What stands at an address of the running program, before the loader moves it.
    Address(u64),
    /// A package (`name`, `name@version`), a function, a path of which the beginning may be left out, a module, or the
    /// mangled name of a symbol. `-` and `_` are alike in names of packages.
    Name(&'a str),
    /// All functions and constants whose name matches.
    Pattern {
        /// How the user wrote it.
        text: &'a str,
        /// Whether a name matches.
        matches: &'a dyn Fn(&str) -> bool,
    },
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What sort of thing it is.
    pub kind: SubjectKind,
    /// Its name, in full.
    pub name: String,
    /// The nodes that it is made of: at least one.
    pub nodes: NodeSet,
}

/// What sort of thing was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// One function.
    Function,
    /// One constant or variable.
    Data,
    /// Something of another file.
    Import,
    /// All copies of a generic function, or several functions of one name.
    Copies,
    /// All that stands in a module.
    Module,
    /// All that a package defines.
    Package,
    /// All that matches a pattern.
    Pattern,
}

/// Why a query found nothing that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// Nothing is called so. The names that come near, the nearest first; at most [`MAX_LISTED`].
    Unknown {
        /// They.
        near: Vec<Candidate>,
    },
    /// Several things are called so, the largest first; at most [`MAX_LISTED`].
    Ambiguous {
        /// They.
        candidates: Vec<Candidate>,
        /// How many more there are.
        more: usize,
    },
    /// Nothing stands at the address, or what does is no item: headers, padding, unknown bytes.
    NothingThere {
        /// Who owns the byte, if it is in the file.
        owner: Option<Owner>,
    },
}

/// Something that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What sort of thing it is.
    pub kind: SubjectKind,
    /// The name to ask by.
    pub name: String,
    /// Its own bytes of the file.
    pub shallow: u64,
}

/// How many candidates are listed.
pub const MAX_LISTED: usize = 10;

impl Subject {
    /// Finds what a query asks about.
    ///
    /// # Errors
    /// [`NotFound`] with what comes near, or with all that it may mean.
    pub fn find(graph: &Graph<'_, '_>, query: Query<'_>) -> Result<Self, NotFound> {
        match query {
            Query::Address(address) => at_address(graph, address),
            Query::Name(name) => named(graph, name),
            Query::Pattern { text, matches } => matching(graph, text, matches),
        }
    }
}

fn at_address(graph: &Graph<'_, '_>, address: u64) -> Result<Subject, NotFound> {
    let ledger = graph.ledger();
    let place = ledger.image().place_at(address);
    let owner = place.and_then(|place| ledger.owner_at(place));
    let nodes = NodeSet::of(graph, |other| Some(other) == owner);
    match nodes.members() {
        [] => Err(NotFound::NothingThere { owner }),
        [node, ..] => Ok(Subject {
            kind: kind_of(graph, *node),
            name: name_of(graph, *node),
            nodes,
        }),
    }
}

fn matching(
    graph: &Graph<'_, '_>,
    text: &str,
    matches: &dyn Fn(&str) -> bool,
) -> Result<Subject, NotFound> {
    let ledger = graph.ledger();
    let nodes = NodeSet::of(graph, |owner| match owner {
        Owner::Item(id) if ledger.item(id).kind != ItemKind::Unit => matches(&ledger.item_name(id)),
        _ => false,
    });
    if nodes.members().is_empty() {
        return Err(NotFound::Unknown { near: Vec::new() });
    }
    Ok(Subject {
        kind: SubjectKind::Pattern,
        name: text.to_owned(),
        nodes,
    })
}

fn named(graph: &Graph<'_, '_>, name: &str) -> Result<Subject, NotFound> {
    let mut packages = packages(graph, |label| is_package(label, name));
    // What the standard library brings along is meant by its full name, `memchr (std)`, or where nothing else is called so.
    let is_own = |id: &CrateId| graph.ledger().crates()[id.index()].family == Family::Package;
    if packages.iter().any(is_own) {
        packages.retain(is_own);
    }
    match packages[..] {
        [] => {}
        [id] => return Ok(package(graph, id)),
        _ => return Err(ambiguous(of_packages(graph, &packages))),
    }
    if let Some(subject) = by_symbol(graph, name) {
        return Ok(subject);
    }
    let names = Names::of(graph);
    for is_wanted in [&|known: &str| known == name, &|known: &str| {
        is_end_of(known, name) as _
    }] as [&dyn Fn(&str) -> bool; 2]
    {
        let mut subjects = names.subjects(graph, is_wanted);
        match subjects.len() {
            0 => {}
            1 => return Ok(subjects.remove(0)),
            _ => {
                let candidates = subjects.iter().map(|one| one.candidate(graph)).collect();
                return Err(ambiguous(candidates));
            }
        }
    }
    Err(NotFound::Unknown {
        near: names.near(graph, name),
    })
}

/// The crates whose label is wanted, as far as they have bytes here.
fn packages(graph: &Graph<'_, '_>, is_wanted: impl Fn(&str) -> bool) -> Vec<CrateId> {
    let ledger = graph.ledger();
    let mut has_bytes = vec![false; ledger.crates().len()];
    for owner in graph.nodes().filter_map(|node| graph.owner(node)) {
        has_bytes[ledger.defined_in(owner).value.index()] = true;
    }
    CrateId::of_table(ledger.crates())
        .filter(|(id, known)| {
            known.family != Family::Special && has_bytes[id.index()] && is_wanted(&known.label)
        })
        .map(|(id, _)| id)
        .collect()
}

/// Whether a crate's label is meant by a name: `regex-syntax@0.8.6` by itself, and by `regex-syntax` and `regex_syntax`.
fn is_package(label: &str, name: &str) -> bool {
    let plain = |text: &str| text.replace('_', "-");
    let of_label = label.split(['@', ' ']).next().unwrap_or(label);
    plain(label) == plain(name) || plain(of_label) == plain(name)
}

fn package(graph: &Graph<'_, '_>, id: CrateId) -> Subject {
    let ledger = graph.ledger();
    Subject {
        kind: SubjectKind::Package,
        name: ledger.crates()[id.index()].label.clone(),
        nodes: NodeSet::of(graph, |owner| ledger.defined_in(owner).value == id),
    }
}

fn of_packages(graph: &Graph<'_, '_>, packages: &[CrateId]) -> Vec<Candidate> {
    let subjects = packages.iter().map(|&id| package(graph, id));
    subjects.map(|one| one.candidate(graph)).collect()
}

/// By the name that the file itself has: mangled.
fn by_symbol(graph: &Graph<'_, '_>, name: &str) -> Option<Subject> {
    let ledger = graph.ledger();
    let nodes = NodeSet::of(graph, |owner| match owner {
        Owner::Item(id) => {
            let item = ledger.item(id);
            let mut names = std::iter::once(&item.name).chain(&item.aliases);
            item.kind != ItemKind::Unit && names.any(|own| *own == name.as_bytes())
        }
        _ => false,
    });
    let &first = nodes.members().first()?;
    Some(Subject {
        kind: kind_of_all(graph, nodes.members()),
        name: name_of(graph, first),
        nodes,
    })
}

/// Names of all items, read once.
struct Names {
    /// By source item without generic arguments: its copies, with their full names.
    families: BTreeMap<String, Vec<(NodeId, String)>>,
    /// By module.
    modules: BTreeMap<String, Vec<NodeId>>,
}

impl Names {
    fn of(graph: &Graph<'_, '_>) -> Self {
        let ledger = graph.ledger();
        let mut names = Self {
            families: BTreeMap::new(),
            modules: BTreeMap::new(),
        };
        for node in graph.nodes() {
            let Some(Owner::Item(id)) = graph.owner(node) else {
                continue;
            };
            if !has_name(graph, id) {
                continue;
            }
            let item = ledger.item(id);
            let family = if item.kind == ItemKind::Import {
                String::from_utf8_lossy(item.name).into_owned()
            } else {
                item_text(ledger, Axis::Generic, id)
            };
            let full = (node, ledger.item_name(id));
            names.families.entry(family).or_default().push(full);
            let module = item_text(ledger, Axis::Module, id);
            names.modules.entry(module).or_default().push(node);
        }
        names
    }

    /// What is called so: one copy, all copies, or what is in a module and below it.
    fn subjects(&self, graph: &Graph<'_, '_>, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for (family, copies) in &self.families {
            let is_family = is_wanted(family);
            let wanted = copies
                .iter()
                .filter(|(_, full)| is_family || full.split(" = ").any(is_wanted));
            let wanted: Vec<&(NodeId, String)> = wanted.collect();
            let Some((_, full)) = wanted.first() else {
                continue;
            };
            let nodes: Vec<NodeId> = wanted.iter().map(|(node, _)| *node).collect();
            let is_one = nodes.len() == 1;
            subjects.push(Subject {
                kind: kind_of_all(graph, &nodes),
                name: if is_one { full } else { family }.clone(),
                nodes: NodeSet::of_nodes(nodes),
            });
        }
        // A function's own module is no second meaning of its name.
        if !subjects.is_empty() {
            return subjects;
        }
        for module in self.modules.keys().filter(|module| is_wanted(module)) {
            let below = format!("{module}::");
            let inside = self
                .modules
                .iter()
                .filter(|(other, _)| *other == module || other.starts_with(&below));
            subjects.push(Subject {
                kind: SubjectKind::Module,
                name: module.clone(),
                nodes: NodeSet::of_nodes(inside.flat_map(|(_, nodes)| nodes).copied().collect()),
            });
        }
        subjects
    }

    /// Names that come near: those with the name in them, then those whose last part differs in a letter or two.
    fn near(&self, graph: &Graph<'_, '_>, name: &str) -> Vec<Candidate> {
        let wanted = name.to_lowercase();
        let last = last_part(&wanted);
        let most = (last.chars().count() / 4).max(1);
        let distance = |known: &str| {
            let known = known.to_lowercase();
            if known.contains(&wanted) {
                return Some(0);
            }
            let distance = distance(last_part(&known), last, most)?;
            Some(distance + 1)
        };
        let of_packages = packages(graph, |label| {
            distance(label.split(['@', ' ']).next().unwrap_or(label)).is_some()
        });
        let mut found: Vec<(usize, Candidate)> = of_packages
            .into_iter()
            .map(|id| package(graph, id).candidate(graph))
            .filter_map(|one| {
                let label = one.name.split(['@', ' ']).next().unwrap_or_default();
                Some((distance(label)?, one))
            })
            .collect();
        for (family, copies) in &self.families {
            let Some(distance) = distance(family) else {
                continue;
            };
            let nodes: Vec<NodeId> = copies.iter().map(|&(node, _)| node).collect();
            let subject = Subject {
                kind: kind_of_all(graph, &nodes),
                name: family.clone(),
                nodes: NodeSet::of_nodes(nodes),
            };
            found.push((distance, subject.candidate(graph)));
        }
        // What is called so in short comes first, then the largest.
        found.sort_by(|(a, one), (b, other)| {
            let key = |distance: &usize, it: &Candidate| {
                let is_package = it.kind == SubjectKind::Package;
                (*distance, Reverse(is_package), Reverse(it.shallow))
            };
            (key(a, one), &one.name).cmp(&(key(b, other), &other.name))
        });
        found.truncate(MAX_LISTED);
        found.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

impl Subject {
    /// The subject as one of several that may be meant.
    fn candidate(&self, graph: &Graph<'_, '_>) -> Candidate {
        let nodes = self.nodes.members().iter();
        Candidate {
            kind: self.kind,
            name: self.name.clone(),
            shallow: nodes.map(|&node| graph.leaving(node).shallow).sum(),
        }
    }
}

fn ambiguous(mut candidates: Vec<Candidate>) -> NotFound {
    candidates.sort_by(|a, b| (b.shallow, &a.name).cmp(&(a.shallow, &b.name)));
    let more = candidates.len().saturating_sub(MAX_LISTED);
    candidates.truncate(MAX_LISTED);
    NotFound::Ambiguous { candidates, more }
}

/// Whether a path ends in another: `rg::flags::parse` in `flags::parse` and in `parse`, not in `arse`.
fn is_end_of(path: &str, end: &str) -> bool {
    let before = path.strip_suffix(end);
    before.is_some_and(|before| before.ends_with("::"))
}

/// What stands behind the last `::`.
fn last_part(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// How many letters have to be put in, left out or changed, if not more than `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    /// Longer names are no typing errors.
    const LONGEST: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most || a.len().max(b.len()) > LONGEST {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().filter(|&distance| distance <= most)
}

/// Whether an item is something that people ask about by name.
fn has_name(graph: &Graph<'_, '_>, id: ItemId) -> bool {
    let item = graph.ledger().item(id);
    item.kind != ItemKind::Unit && !is_anonymous(item.name)
}

/// What sort of thing several of one name are: of an import each symbol table may have its own entry.
fn kind_of_all(graph: &Graph<'_, '_>, nodes: &[NodeId]) -> SubjectKind {
    let mut kinds = nodes.iter().map(|&node| kind_of(graph, node));
    let first = kinds.next().unwrap_or(SubjectKind::Copies);
    let is_import = first == SubjectKind::Import && kinds.all(|kind| kind == first);
    if nodes.len() < 2 || is_import {
        first
    } else {
        SubjectKind::Copies
    }
}

fn kind_of(graph: &Graph<'_, '_>, node: NodeId) -> SubjectKind {
    match graph.owner(node) {
        Some(Owner::Item(id)) => match graph.ledger().item(id).kind {
            ItemKind::Function => SubjectKind::Function,
            ItemKind::Import => SubjectKind::Import,
            _ => SubjectKind::Data,
        },
        _ => SubjectKind::Data,
    }
}

/// What to call a node.
pub(crate) fn name_of(graph: &Graph<'_, '_>, node: NodeId) -> String {
    let ledger = graph.ledger();
    match graph.owner(node) {
        Some(Owner::Item(id)) => ledger.item_name(id),
        Some(Owner::Shared(id)) => {
            let items = ledger.shared(id).iter().filter_map(|owner| match owner {
                Owner::Item(id) => Some(ledger.item_name(*id)),
                _ => None,
            });
            let names: Vec<String> = items.take(2).collect();
            match (&names[..], ledger.shared(id).len()) {
                ([], _) => "(what the linker merged)".to_owned(),
                ([first, ..], count) => format!("(shared by {first} and {} more)", count - 1),
            }
        }
        _ => match graph.dispatch(node) {
            Some(dispatch) => format!("(calls through a table, {})", dispatch.signature),
            None => "(start)".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_meant_by_name_and_version_in_either_spelling() {
        assert!(is_package("regex-syntax@0.8.6", "regex-syntax"));
        assert!(is_package("regex-syntax@0.8.6", "regex_syntax"));
        assert!(is_package("regex-syntax@0.8.6", "regex_syntax@0.8.6"));
        assert!(!is_package("regex-syntax@0.8.6", "regex-syntax@0.8"));
        assert!(!is_package("regex-syntax@0.8.6", "regex"));
        assert!(is_package("hashbrown (std)", "hashbrown"));
        assert!(is_package("core", "core"));
    }

    #[test]
    fn the_beginning_of_a_path_may_be_left_out() {
        assert!(is_end_of("rg::flags::parse", "parse"));
        assert!(is_end_of("rg::flags::parse", "flags::parse"));
        assert!(!is_end_of("rg::flags::parse", "arse"));
        assert!(!is_end_of("parse", "parse"), "that is the whole path");
    }

    #[test]
    fn typing_errors_are_a_letter_or_two() {
        assert_eq!(distance("parse", "prase", 2), Some(2));
        assert_eq!(distance("parse", "parse", 0), Some(0));
        assert_eq!(distance("parse", "pars", 1), Some(1));
        assert_eq!(distance("parse", "print", 2), None);
        assert_eq!(distance("", "", 1), Some(0));
        assert_eq!(distance(&"a".repeat(100), &"a".repeat(100), 1), None);
    }
}
