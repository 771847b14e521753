//! Why something is in the file: who holds it, on which ways it is reached, and what would leave with it.
//!
//! [`Subject::find`] says what is asked about, [`Why::of`] answers. Both are plain values; reports draw them.

mod subject;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::crates::CrateId;
use crate::graph::{Graph, Leaving, Mention, Nearest, NodeId, RootKind};
use crate::owner::Owner;
pub(crate) use subject::name_of;
pub use subject::{Candidate, MAX_LISTED, NotFound, Query, Subject, SubjectKind};

/// Why something is in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What sort of thing it is.
    pub kind: SubjectKind,
    /// Its name, in full.
    pub name: String,
    /// The crate whose source defines it; nothing if its parts have several.
    pub package: Option<String>,
    /// How many functions, constants and so on it is made of.
    pub items: usize,
    /// Its own bytes, and all that would leave the file without it.
    pub leaving: Leaving,
    /// Of its own bytes those that nothing found keeps.
    pub unreachable: u64,
    /// The shortest ways from a root to it, each over another of its holders, the shortest first.
    pub ways: Vec<Vec<Step>>,
    /// All that mention it and are no part of it, those that keep the most of it first.
    pub holders: Vec<Holder>,
    /// What else would leave, by the crate that defines it, the largest first. It adds up to
    /// [`Leaving::kept_only_by_it`].
    pub kept: Vec<Kept>,
    /// Its parts with which the most would leave, if it has several: their names and what would leave with each alone.
    pub parts: Vec<(String, Leaving)>,
}

/// A step on the way from a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is there.
    pub name: String,
    /// The crate whose source defines it.
    pub package: String,
    /// Its address in the running program, before the loader moves it.
    pub address: Option<u64>,
    /// Why the step before leads here.
    pub mention: Mention,
}

/// Something that mentions what is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What it is called; nothing for the root itself.
    pub name: Option<String>,
    /// The crate whose source defines it.
    pub package: String,
    /// How it mentions it: the first of several mentions.
    pub mention: Mention,
    /// Bytes of what is asked about that would leave with this holder alone.
    pub keeps_of_it: u64,
    /// What this holder has, and all that would leave with it alone.
    pub leaving: Leaving,
    /// Whether anything keeps the holder.
    pub is_reachable: bool,
}

/// What leaves besides the thing itself, of one crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The crate.
    pub package: String,
    /// How many functions, constants and so on.
    pub items: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// The largest of them.
    pub largest: String,
}

const DESCRIBES: Mention = Mention::Root(RootKind::Describes);

/// How many parts are listed.
const MAX_PARTS: usize = 5;

impl Why {
    /// Answers why something is in the file, with so many ways to it.
    #[must_use]
    pub fn of(graph: &Graph<'_, '_>, subject: &Subject, ways: usize) -> Self {
        let members = subject.nodes.members();
        let leaving = graph.leaving_with(&subject.nodes);
        let left = members.iter().filter(|&&node| !graph.is_reachable(node));
        Self {
            kind: subject.kind,
            name: subject.name.clone(),
            package: package_of_all(graph, members),
            items: members.len(),
            leaving,
            unreachable: left.map(|&node| graph.leaving(node).shallow).sum(),
            ways: find_ways(graph, subject, ways),
            holders: holders(graph, subject),
            kept: kept(graph, subject),
            parts: parts(graph, members),
        }
    }
}

/// Who mentions the subject: each holder with the first member that it mentions. Of the root's members those come first
/// that it mentions for more than an offset.
fn mentions(graph: &Graph<'_, '_>, subject: &Subject) -> BTreeMap<NodeId, NodeId> {
    let mut first: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for &member in subject.nodes.members() {
        for holder in graph.mentioning(member) {
            // Names of source files among the symbols, and units of debug info, are in the file because of the others.
            let describes = graph.mention(holder, member) == Some(DESCRIBES);
            if subject.nodes.contains(holder) || describes {
                continue;
            }
            let known = first.entry(holder).or_insert(member);
            if holder == NodeId::ROOT && graph.is_weak_root(*known) {
                *known = member;
            }
        }
    }
    first
}

fn find_ways(graph: &Graph<'_, '_>, subject: &Subject, count: usize) -> Vec<Vec<Step>> {
    let nearest = Nearest::without(graph, |node| subject.nodes.contains(node));
    let mut ends: Vec<(u32, NodeId, NodeId)> = mentions(graph, subject)
        .into_iter()
        .filter_map(|(holder, member)| {
            let is_weak = holder == NodeId::ROOT && graph.is_weak_root(member);
            let steps = if is_weak {
                u32::MAX
            } else {
                nearest.steps(holder)?
            };
            Some((steps, holder, member))
        })
        .collect();
    ends.sort_unstable();
    ends.truncate(count);
    ends.into_iter()
        .map(|(_, holder, member)| {
            let mut way = nearest.way(holder);
            way.push(member);
            way.windows(2)
                .filter_map(|two| step(graph, two[0], two[1]))
                .collect()
        })
        .collect()
}

fn step(graph: &Graph<'_, '_>, from: NodeId, to: NodeId) -> Option<Step> {
    let ledger = graph.ledger();
    let place = match graph.owner(to) {
        Some(Owner::Item(id)) => ledger.item(id).place,
        _ => None,
    };
    Some(Step {
        name: name_of(graph, to),
        package: package_of(graph, to),
        address: place.and_then(|place| ledger.image().address_of(place)),
        mention: graph.mention(from, to)?,
    })
}

fn holders(graph: &Graph<'_, '_>, subject: &Subject) -> Vec<Holder> {
    // What each node keeps of the subject: the sum over its part of the dominator tree.
    let mut of_it = vec![0; graph.nodes().count()];
    for &member in subject.nodes.members() {
        of_it[member.index()] = graph.leaving(member).shallow;
    }
    let of_it = graph.sums(of_it);
    let mut holders: Vec<Holder> = mentions(graph, subject)
        .into_iter()
        .filter_map(|(holder, member)| {
            let is_root = holder == NodeId::ROOT;
            Some(Holder {
                name: (!is_root).then(|| name_of(graph, holder)),
                package: package_of(graph, holder),
                mention: graph.mention(holder, member)?,
                keeps_of_it: if is_root { 0 } else { of_it[holder.index()] },
                leaving: if is_root {
                    Leaving::default()
                } else {
                    graph.leaving(holder)
                },
                is_reachable: graph.is_reachable(holder),
            })
        })
        .collect();
    holders.sort_by(|a, b| {
        let key = |one: &Holder| Reverse((one.keeps_of_it, one.leaving.retained));
        (key(a), &a.name).cmp(&(key(b), &b.name))
    });
    holders
}

/// What leaves besides the subject's own parts, by crate.
fn kept(graph: &Graph<'_, '_>, subject: &Subject) -> Vec<Kept> {
    let mut by_package: BTreeMap<String, (usize, u64, (u64, NodeId))> = BTreeMap::new();
    let stays = Nearest::without(graph, |node| subject.nodes.contains(node));
    for node in graph.nodes() {
        let leaves = graph.is_reachable(node)
            && stays.steps(node).is_none()
            && !subject.nodes.contains(node);
        let bytes = graph.leaving(node).shallow;
        if !leaves || bytes == 0 {
            continue;
        }
        let sum = by_package
            .entry(package_of(graph, node))
            .or_insert((0, 0, (0, node)));
        sum.0 += 1;
        sum.1 += bytes;
        if bytes > sum.2.0 {
            sum.2 = (bytes, node);
        }
    }
    let mut kept: Vec<Kept> = by_package
        .into_iter()
        .map(|(package, (items, bytes, (_, largest)))| Kept {
            package,
            items,
            bytes,
            largest: name_of(graph, largest),
        })
        .collect();
    kept.sort_by(|a, b| (b.bytes, &a.package).cmp(&(a.bytes, &b.package)));
    kept
}

fn parts(graph: &Graph<'_, '_>, members: &[NodeId]) -> Vec<(String, Leaving)> {
    if members.len() < 2 {
        return Vec::new();
    }
    let mut largest: Vec<(Reverse<u64>, NodeId)> = members
        .iter()
        .map(|&node| (Reverse(graph.leaving(node).retained), node))
        .collect();
    largest.sort_unstable();
    largest.truncate(MAX_PARTS);
    let parts = largest.into_iter();
    parts
        .map(|(_, node)| (name_of(graph, node), graph.leaving(node)))
        .collect()
}

/// The crate of all of them, if it is one.
fn package_of_all(graph: &Graph<'_, '_>, nodes: &[NodeId]) -> Option<String> {
    let ledger = graph.ledger();
    let crate_of = |&node: &NodeId| {
        graph
            .owner(node)
            .map(|owner| ledger.defined_in(owner).value)
    };
    let mut crates = nodes.iter().map(crate_of);
    let first = crates.next()??;
    let is_one = crates.all(|other| other == Some(first));
    is_one.then(|| ledger.crates()[first.index()].label.clone())
}

/// The label of the crate whose source defines a node; empty for the root.
pub(crate) fn package_of(graph: &Graph<'_, '_>, node: NodeId) -> String {
    let ledger = graph.ledger();
    let id = match graph.owner(node) {
        Some(owner) => ledger.defined_in(owner).value,
        None if graph.dispatch(node).is_some() => CrateId::STRUCTURE,
        None => return String::new(),
    };
    ledger.crates()[id.index()].label.clone()
}
