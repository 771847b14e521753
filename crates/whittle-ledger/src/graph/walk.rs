//! Walks: what is reached without some nodes, and on which way.

use std::collections::VecDeque;

use super::adjacency::{Node, index_of};
use super::nodes::{NodeId, Nodes};
use super::{Graph, Leaving};

/// How many sets one walk answers for: as many as a number has bits.
pub(super) const SETS: usize = 64;

/// What would leave the file without each of up to 64 sets, in one walk. `masks` by node: bit `i` says that it is in set
/// `i`.
///
/// ```text
///   reached    root 111…   a 111…   b (in set 1) 101…   c (mentioned by b alone) 101…
///   leaving    without set 1: b and c
/// ```
pub(super) fn leaving(graph: &Graph<'_, '_>, masks: &[u64]) -> [Leaving; SETS] {
    let reached = reached(graph, masks);
    let mut leaving = [Leaving::default(); SETS];
    for node in graph.nodes() {
        let shallow = graph.leaving(node).shallow;
        let mask = masks.get(node.index()).copied().unwrap_or_default();
        for_bits(mask, |set| leaving[set].shallow += shallow);
        // What nothing keeps leaves with the sets that it is in, and with no other.
        let goes = if graph.is_reachable(node) {
            !reached[node.index()]
        } else {
            mask
        };
        for_bits(goes, |set| leaving[set].retained += shallow);
    }
    leaving
}

/// By node: bit `i` says that it is reached without going through set `i`; no bit for what is not reachable at all.
///
/// Bits are only ever added, each at most once to a node, so that the time is that of 64 walks at worst; real sets share
/// nearly all of it.
fn reached(graph: &Graph<'_, '_>, masks: &[u64]) -> Vec<u64> {
    let mut reached = vec![0_u64; graph.nodes.count()];
    let mut is_waiting = vec![false; graph.nodes.count()];
    let mut waiting = VecDeque::from([Nodes::ROOT]);
    reached[index_of(Nodes::ROOT)] = u64::MAX;
    while let Some(node) = waiting.pop_front() {
        is_waiting[index_of(node)] = false;
        let bits = reached[index_of(node)];
        for &to in graph.edges.out.of(node) {
            let at = index_of(to);
            let more = bits & !masks[at] & !reached[at];
            if more != 0 {
                reached[at] |= more;
                if !is_waiting[at] {
                    is_waiting[at] = true;
                    waiting.push_back(to);
                }
            }
        }
    }
    reached
}

fn for_bits(mut bits: u64, mut each: impl FnMut(usize)) {
    while bits != 0 {
        each(bits.trailing_zeros().try_into().unwrap_or(0));
        bits &= bits - 1;
    }
}

/// The shortest ways from the root to whatever can be reached without a set of nodes.
///
/// What is in the file only because of others, or because instructions name it by an offset
/// ([`RootKind::Describes`](super::RootKind::Describes), [`RootKind::ThreadLocal`](super::RootKind::ThreadLocal)), starts a way only to what no other way leads to: that it is
/// there explains nothing.
pub struct Nearest {
    /// By node: the node before it on the way, and how many steps the way has.
    before: Vec<Option<(Node, u32)>>,
}

impl Nearest {
    /// Finds the shortest ways; of equally short ones that over the smaller numbers.
    #[must_use]
    pub fn without(graph: &Graph<'_, '_>, is_in: impl Fn(NodeId) -> bool) -> Self {
        let mut found = Self {
            before: vec![None; graph.nodes.count()],
        };
        found.before[index_of(Nodes::ROOT)] = Some((Nodes::ROOT, 0));
        let of_root = graph.edges.out.of(Nodes::ROOT).iter();
        let (weak, strong): (Vec<Node>, Vec<Node>) =
            of_root.partition(|&&to| graph.is_weak_root(NodeId(to)));
        for first in [strong, weak] {
            found.walk(graph, &first, &is_in);
        }
        found
    }

    /// Goes on from the root to these, and from there to all that was not met yet.
    fn walk(&mut self, graph: &Graph<'_, '_>, first: &[Node], is_in: &impl Fn(NodeId) -> bool) {
        let mut next = VecDeque::new();
        let mut from = (Nodes::ROOT, 0);
        let mut to = first;
        loop {
            let (node, steps) = from;
            for &to in to {
                let before = &mut self.before[index_of(to)];
                if before.is_none() && !is_in(NodeId(to)) {
                    *before = Some((node, steps + 1));
                    next.push_back((to, steps + 1));
                }
            }
            let Some(at) = next.pop_front() else { break };
            from = at;
            to = graph.edges.out.of(at.0);
        }
    }

    /// How many steps the way from the root to a node has; nothing if there is none.
    #[must_use]
    pub fn steps(&self, node: NodeId) -> Option<u32> {
        (*self.before.get(node.index())?).map(|(_, steps)| steps)
    }

    /// The way from the root to a node, both included; empty if there is none.
    #[must_use]
    pub fn way(&self, node: NodeId) -> Vec<NodeId> {
        let mut way = Vec::new();
        let mut at = node;
        while let Some(&Some((before, steps))) = self.before.get(at.index()) {
            way.push(at);
            if steps == 0 {
                break;
            }
            at = NodeId(before);
        }
        way.reverse();
        way
    }
}
