//! Dominators: what every way from the root to a node goes through.
//!
//! Lengauer and Tarjan, "A Fast Algorithm for Finding Dominators in a Flowgraph", TOPLAS 1979, the simple version with
//! path compression: O(edges × log nodes) whatever the graph. Nothing here recurs: a chain may have millions of nodes.

use super::adjacency::{Adjacency, Node, index_of, to_u32};

/// No number: not reachable, or not linked yet.
const NONE: u32 = u32::MAX;

/// The tree of immediate dominators of what is reachable from node 0.
#[derive(Debug)]
pub(super) struct Dominators {
    /// The reachable nodes in the order of a depth-first walk; the root is the first.
    order: Vec<Node>,
    /// The position of each node in that order.
    position: Vec<u32>,
    /// By position: the position of the immediate dominator, which is always smaller. That of the root is its own.
    immediate: Vec<u32>,
    /// By position: where the node stands when the tree is written out parents first, and how many follow it that it
    /// dominates, itself included.
    extent: Vec<(u32, u32)>,
}

impl Dominators {
    /// Finds them. `out` and `into` hold the same edges.
    pub(super) fn of(nodes: usize, out: &Adjacency, into: &Adjacency) -> Self {
        let (order, position, parent) = depth_first(nodes, out);
        let immediate = immediate(&order, &position, &parent, into);
        let extent = extent(&immediate);
        Self {
            order,
            position,
            immediate,
            extent,
        }
    }

    pub(super) fn is_reachable(&self, node: Node) -> bool {
        self.position(node).is_some()
    }

    /// The immediate dominator of a node; nothing for the root and for what is not reachable.
    pub(super) fn immediate(&self, node: Node) -> Option<Node> {
        let position = self.position(node).filter(|&position| position > 0)?;
        let dominator = *self.immediate.get(position)?;
        self.order.get(index_of(dominator)).copied()
    }

    /// Whether every way from the root to `node` goes through `other`. Each reachable node dominates itself.
    pub(super) fn dominates(&self, other: Node, node: Node) -> bool {
        let extent = |node| self.extent.get(self.position(node)?).copied();
        match (extent(other), extent(node)) {
            (Some((start, count)), Some((at, _))) => start <= at && at - start < count,
            _ => false,
        }
    }

    /// Adds up values over what each node dominates, itself included. `values` by node; what is not reachable keeps its
    /// own.
    pub(super) fn sums(&self, mut values: Vec<u64>) -> Vec<u64> {
        for (position, &node) in self.order.iter().enumerate().skip(1).rev() {
            let dominator = self.order[index_of(self.immediate[position])];
            let value = values[index_of(node)];
            let sum = &mut values[index_of(dominator)];
            *sum = sum.saturating_add(value);
        }
        values
    }

    fn position(&self, node: Node) -> Option<usize> {
        let position = *self.position.get(index_of(node))?;
        (position != NONE).then(|| index_of(position))
    }
}

/// Walks the graph depth first. Gives the nodes in the order in which they are met, the position of each node in it, and by
/// position that of the node it was met from.
fn depth_first(nodes: usize, out: &Adjacency) -> (Vec<Node>, Vec<u32>, Vec<u32>) {
    let mut order = Vec::new();
    let mut position = vec![NONE; nodes];
    let mut parent = Vec::new();
    if nodes == 0 {
        return (order, position, parent);
    }
    order.push(0);
    position[0] = 0;
    parent.push(0);
    // Nodes on the way, each with how many of its edges were followed.
    let mut way: Vec<(Node, usize)> = vec![(0, 0)];
    while let Some((node, followed)) = way.last_mut() {
        let Some(&next) = out.of(*node).get(*followed) else {
            way.pop();
            continue;
        };
        *followed += 1;
        let from = position[index_of(*node)];
        if position[index_of(next)] == NONE {
            position[index_of(next)] = to_u32(order.len());
            order.push(next);
            parent.push(from);
            way.push((next, 0));
        }
    }
    (order, position, parent)
}

/// The immediate dominators, by position.
fn immediate(order: &[Node], position: &[u32], parent: &[u32], into: &Adjacency) -> Vec<u32> {
    let count = order.len();
    let mut forest = Forest::new(count);
    let mut dominator = vec![0_u32; count];
    // The nodes of which each is the semidominator, as linked lists: first of each, next of each.
    let mut first = vec![NONE; count];
    let mut next = vec![NONE; count];
    for at in (1..count).rev() {
        let here = to_u32(at);
        for &before in into.of(order[at]) {
            let before = position[index_of(before)];
            if before == NONE {
                continue;
            }
            let lowest = forest.lowest(before);
            let semi = forest.semi[index_of(lowest)];
            forest.semi[at] = forest.semi[at].min(semi);
        }
        let semi = index_of(forest.semi[at]);
        next[at] = first[semi];
        first[semi] = here;
        let above = parent[at];
        forest.ancestor[at] = above;
        // All whose semidominator is the parent: their ways are known now.
        let mut one = std::mem::replace(&mut first[index_of(above)], NONE);
        while one != NONE {
            let lowest = forest.lowest(one);
            let is_lower = forest.semi[index_of(lowest)] < forest.semi[index_of(one)];
            dominator[index_of(one)] = if is_lower { lowest } else { above };
            one = next[index_of(one)];
        }
    }
    for at in 1..count {
        if dominator[at] != forest.semi[at] {
            dominator[at] = dominator[index_of(dominator[at])];
        }
    }
    dominator
}

/// The part of the depth-first tree that is linked, by position.
struct Forest {
    /// What each is linked to: its parent at first, further up after compression.
    ancestor: Vec<u32>,
    /// On the way up from each, without the end: that with the lowest semidominator.
    label: Vec<u32>,
    semi: Vec<u32>,
    way: Vec<u32>,
}

impl Forest {
    fn new(count: usize) -> Self {
        let own: Vec<u32> = (0..to_u32(count)).collect();
        Self {
            ancestor: vec![NONE; count],
            label: own.clone(),
            semi: own,
            way: Vec::new(),
        }
    }

    /// Of all on the way up from a node to the end of its tree, the end left out: that with the lowest semidominator.
    fn lowest(&mut self, node: u32) -> u32 {
        if self.ancestor[index_of(node)] == NONE {
            return node;
        }
        // The way up, then down again from the top with each linked to the end.
        let mut at = node;
        while self.ancestor[index_of(self.ancestor[index_of(at)])] != NONE {
            self.way.push(at);
            at = self.ancestor[index_of(at)];
        }
        while let Some(at) = self.way.pop() {
            let at = index_of(at);
            let above = index_of(self.ancestor[at]);
            let (own, higher) = (self.label[at], self.label[above]);
            if self.semi[index_of(higher)] < self.semi[index_of(own)] {
                self.label[at] = higher;
            }
            self.ancestor[at] = self.ancestor[above];
        }
        self.label[index_of(node)]
    }
}

/// Where each stands when the tree is written out parents first, and how many each dominates.
fn extent(immediate: &[u32]) -> Vec<(u32, u32)> {
    let mut extent = vec![(0, 1); immediate.len()];
    for at in (1..immediate.len()).rev() {
        let count = extent[at].1;
        extent[index_of(immediate[at])].1 += count;
    }
    // Where the next child of each goes.
    let mut free = vec![1; immediate.len()];
    for at in 1..immediate.len() {
        let dominator = index_of(immediate[at]);
        extent[at].0 = free[dominator];
        free[dominator] += extent[at].1;
        free[at] = extent[at].0 + 1;
    }
    extent
}

#[cfg(test)]
mod tests {
    use petgraph::algo::dominators::simple_fast;
    use petgraph::graph::{DiGraph, NodeIndex};
    use proptest::prelude::*;

    use super::super::adjacency::{Edge, Edges};
    use super::*;

    fn edges(nodes: usize, pairs: &[(u32, u32)]) -> Edges {
        let list = pairs.iter().map(|&(from, to)| Edge {
            from,
            to,
            reason: 0,
        });
        Edges::of(nodes, list.collect())
    }

    fn dominators(nodes: usize, pairs: &[(u32, u32)]) -> Dominators {
        let edges = edges(nodes, pairs);
        Dominators::of(nodes, &edges.out, &edges.into)
    }

    /// The judge: immediate dominators by petgraph, of all nodes.
    fn judged(nodes: usize, pairs: &[(u32, u32)]) -> Vec<Option<u32>> {
        let mut graph = DiGraph::<(), ()>::with_capacity(nodes, pairs.len());
        for _ in 0..nodes {
            graph.add_node(());
        }
        for &(from, to) in pairs {
            graph.add_edge(
                NodeIndex::new(index_of(from)),
                NodeIndex::new(index_of(to)),
                (),
            );
        }
        let found = simple_fast(&graph, NodeIndex::new(0));
        (0..nodes)
            .map(|node| {
                Some(to_u32(
                    found.immediate_dominator(NodeIndex::new(node))?.index(),
                ))
            })
            .collect()
    }

    #[test]
    fn the_example_of_the_paper() {
        // Lengauer and Tarjan, figures 1 and 4. R is the root.
        const EDGES: &str = "RA RB RC AD BA BD BE CF CG DL EH FI GI GJ HE HK IK JI KI KR LH";
        const DOMINATORS: &str = "AR BR CR DR ER FC GC HR IR JG KR LD";
        let number = |letter| match letter {
            b'R' => 0,
            letter => u32::from(letter - b'A') + 1,
        };
        let pairs = |text: &str| -> Vec<(u32, u32)> {
            let pairs = text.split(' ').map(str::as_bytes);
            pairs
                .map(|pair| (number(pair[0]), number(pair[1])))
                .collect()
        };
        let found = dominators(13, &pairs(EDGES));
        for (node, dominator) in pairs(DOMINATORS) {
            assert_eq!(found.immediate(node), Some(dominator), "node {node}");
        }
        assert_eq!(found.immediate(0), None);
        assert!(found.dominates(number(b'C'), number(b'J')));
        assert!(!found.dominates(number(b'F'), number(b'I')));
    }

    #[test]
    fn a_chain_of_a_million_nodes_is_no_trouble() {
        let nodes = 1_000_000;
        let pairs: Vec<_> = (1..to_u32(nodes)).map(|node| (node - 1, node)).collect();
        let found = dominators(nodes, &pairs);
        let sums = found.sums(vec![1; nodes]);
        assert_eq!(sums[0], 1_000_000);
        assert_eq!(sums[nodes - 1], 1);
    }

    #[test]
    fn no_nodes_have_no_dominators() {
        assert!(!dominators(0, &[]).is_reachable(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn they_are_petgraphs(
            (nodes, pairs) in (1_u32..40).prop_flat_map(|nodes| {
                let pair = (0..nodes, 0..nodes);
                (Just(nodes), prop::collection::vec(pair, 0..120))
            })
        ) {
            let nodes = index_of(nodes);
            let found = dominators(nodes, &pairs);
            let judged = judged(nodes, &pairs);
            for node in 0..to_u32(nodes) {
                prop_assert_eq!(found.immediate(node), judged[index_of(node)]);
            }
            // Sums and extents say the same as the chains of dominators.
            let sums = found.sums(vec![1; nodes]);
            for other in 0..to_u32(nodes) {
                let mut count = 0;
                for node in 0..to_u32(nodes) {
                    let mut chain = std::iter::successors(Some(node), |&node| judged[index_of(node)]);
                    let is_dominated = found.is_reachable(node) && chain.any(|one| one == other);
                    prop_assert_eq!(found.dominates(other, node), is_dominated);
                    count += u64::from(is_dominated);
                }
                let expected = if found.is_reachable(other) { count } else { 1 };
                prop_assert_eq!(sums[index_of(other)], expected);
            }
        }
    }
}
