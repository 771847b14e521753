//! Edges in compact arrays: the neighbours of a node stand side by side.

/// The number of a node: see [`Nodes`](super::nodes::Nodes).
pub(super) type Node = u32;

/// For each node a run of a list.
#[derive(Debug, Default)]
pub(super) struct Adjacency {
    /// Where the run of each node starts; one more at the end.
    starts: Vec<u32>,
    list: Vec<Node>,
}

/// Edges by where they come from and by where they lead.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// Where each node leads, ascending.
    pub(super) out: Adjacency,
    /// What leads to each node, ascending.
    pub(super) into: Adjacency,
    /// Why each edge is there: parallel to the list of `out`.
    reasons: Vec<u32>,
}

/// An edge that is found: where it comes from, where it leads, and a number that says why it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: Node,
    pub(super) to: Node,
    pub(super) reason: u32,
}

impl Adjacency {
    /// The neighbours of a node.
    pub(super) fn of(&self, node: Node) -> &[Node] {
        self.list.get(self.run(node)).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    fn run(&self, node: Node) -> std::ops::Range<usize> {
        let at = |index: usize| index_of(self.starts.get(index).copied().unwrap_or_default());
        at(index_of(node))..at(index_of(node) + 1)
    }
}

impl Edges {
    /// Sorts edges into runs. Of several between the same two nodes the one with the smallest reason stays; what leads
    /// from a node to itself is left out. All ends are below `nodes`.
    pub(super) fn of(nodes: usize, mut list: Vec<Edge>) -> Self {
        list.retain(|edge| edge.from != edge.to);
        let starts = starts(nodes, list.iter().map(|edge| edge.from));
        // By counting, then each short run by itself: several times as fast as sorting the whole.
        let mut runs = vec![0_u64; list.len()];
        let mut next = starts.clone();
        for edge in &list {
            let at = &mut next[index_of(edge.from)];
            runs[index_of(*at)] = u64::from(edge.to) << 32 | u64::from(edge.reason);
            *at += 1;
        }
        drop(list);
        let mut edges = Self {
            out: Adjacency {
                starts: Vec::with_capacity(nodes + 1),
                list: Vec::new(),
            },
            ..Self::default()
        };
        edges.out.starts.push(0);
        for bounds in starts.windows(2) {
            let run = &mut runs[index_of(bounds[0])..index_of(bounds[1])];
            run.sort_unstable();
            let mut before = None;
            for &packed in &*run {
                let to = u32::try_from(packed >> 32).unwrap_or_default();
                if before.replace(to) != Some(to) {
                    edges.out.list.push(to);
                    let reason = packed & u64::from(u32::MAX);
                    edges
                        .reasons
                        .push(u32::try_from(reason).unwrap_or_default());
                }
            }
            edges.out.starts.push(to_u32(edges.out.list.len()));
        }
        drop(runs);
        edges.out.list.shrink_to_fit();
        edges.reasons.shrink_to_fit();
        edges.into = reversed(nodes, &edges.out);
        edges
    }

    /// Why there is an edge between two nodes; nothing if there is none.
    pub(super) fn reason(&self, from: Node, to: Node) -> Option<u32> {
        let run = self.out.run(from);
        let at = self.out.of(from).binary_search(&to).ok()?;
        self.reasons.get(run.start + at).copied()
    }
}

/// The same edges by where they lead.
fn reversed(nodes: usize, out: &Adjacency) -> Adjacency {
    let starts = starts(nodes, out.list.iter().copied());
    let mut list = vec![0; out.list.len()];
    let mut next = starts.clone();
    for from in 0..to_u32(nodes) {
        for &to in out.of(from) {
            let at = &mut next[index_of(to)];
            list[index_of(*at)] = from;
            *at += 1;
        }
    }
    Adjacency { starts, list }
}

/// Where the run of each node starts, by how often each occurs; one more at the end.
fn starts(nodes: usize, ends: impl Iterator<Item = Node>) -> Vec<u32> {
    let mut starts = vec![0; nodes + 1];
    for end in ends {
        starts[index_of(end) + 1] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

pub(super) fn index_of(node: Node) -> usize {
    usize::try_from(node).unwrap_or(usize::MAX)
}

/// Nodes and edges are fewer than 2^32: a file that says more would have to be larger than what fits into memory.
pub(super) fn to_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: Node, to: Node, reason: u32) -> Edge {
        Edge { from, to, reason }
    }

    #[test]
    fn each_pair_stays_once_with_its_first_reason() {
        let edges = Edges::of(
            4,
            vec![
                edge(2, 1, 9),
                edge(0, 2, 5),
                edge(2, 1, 3),
                edge(1, 1, 0),
                edge(0, 1, 7),
            ],
        );
        assert_eq!(edges.out.of(0), [1, 2]);
        assert!(
            edges.out.of(1).is_empty(),
            "what leads to itself is nothing"
        );
        assert_eq!(edges.out.of(2), [1]);
        assert!(edges.out.of(3).is_empty());
        assert_eq!(edges.into.of(1), [0, 2]);
        assert!(edges.into.of(0).is_empty());
        assert_eq!(edges.reason(2, 1), Some(3));
        assert_eq!(edges.reason(1, 2), None);
        assert_eq!(edges.out.len(), 3);
    }
}
