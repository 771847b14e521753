//! The dominator tree, as far as it is worth reading: what keeps what, the largest first.

use std::cmp::Reverse;

use super::nodes::NodeId;
use super::{Graph, Leaving};
use crate::why::{name_of, package_of};

/// How much of the tree is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeRequest {
    /// How many steps below the root.
    pub depth: usize,
    /// With how many bytes of the file leaving something is worth a row.
    pub min_size: u64,
}

/// A row of the tree: something, or the sum of what is too small for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRow {
    /// How many steps below the root it is; the root has 0.
    pub depth: usize,
    /// What it is.
    pub what: TreeEntry,
    /// Its own bytes, and all that would leave with it.
    pub leaving: Leaving,
}

/// What a row of the tree stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeEntry {
    /// Everything that is reached.
    Root,
    /// A function, a constant, a variable.
    Node {
        /// What it is called.
        name: String,
        /// The crate whose source defines it.
        package: String,
    },
    /// So many that are too small for a row of their own.
    Small {
        /// How many.
        count: usize,
    },
}

/// The rows of the tree, each behind what it stands below. What a row would take along is its own bytes and the sum of the
/// rows one step below it, unless these are too deep to be shown.
#[must_use]
pub fn tree(graph: &Graph<'_, '_>, request: TreeRequest) -> Vec<TreeRow> {
    let children = children(graph);
    let below = |node: NodeId| {
        let first = children.partition_point(|&(above, ..)| above < node);
        let rest = &children[first..];
        &rest[..rest.partition_point(|&(above, ..)| above == node)]
    };
    let mut rows = Vec::new();
    // What is still to be written, the next on top.
    let mut waiting = vec![(0, Waiting::Node(NodeId::ROOT))];
    while let Some((depth, next)) = waiting.pop() {
        let node = match next {
            Waiting::Small { count, bytes } => {
                rows.push(TreeRow {
                    depth,
                    what: TreeEntry::Small { count },
                    leaving: Leaving {
                        shallow: bytes,
                        retained: bytes,
                    },
                });
                continue;
            }
            Waiting::Node(node) => node,
        };
        rows.push(TreeRow {
            depth,
            what: match node {
                NodeId::ROOT => TreeEntry::Root,
                _ => TreeEntry::Node {
                    name: name_of(graph, node),
                    package: package_of(graph, node),
                },
            },
            leaving: graph.leaving(node),
        });
        if depth == request.depth {
            continue;
        }
        let all = below(node);
        let large = all.partition_point(|&(_, Reverse(bytes), _)| bytes >= request.min_size);
        let (large, small) = all.split_at(large);
        let bytes: u64 = small.iter().map(|&(_, Reverse(bytes), _)| bytes).sum();
        if bytes > 0 {
            let count = small.len();
            waiting.push((depth + 1, Waiting::Small { count, bytes }));
        }
        let large = large.iter().rev();
        waiting.extend(large.map(|&(.., child)| (depth + 1, Waiting::Node(child))));
    }
    rows
}

enum Waiting {
    Node(NodeId),
    Small { count: usize, bytes: u64 },
}

/// All nodes that have bytes to lose, by what keeps them, the largest first.
fn children(graph: &Graph<'_, '_>) -> Vec<(NodeId, Reverse<u64>, NodeId)> {
    let mut children: Vec<(NodeId, Reverse<u64>, NodeId)> = graph
        .nodes()
        .filter_map(|node| {
            let above = graph.immediate_dominator(node)?;
            Some((above, Reverse(graph.leaving(node).retained), node))
        })
        .filter(|&(_, Reverse(bytes), _)| bytes > 0)
        .collect();
    children.sort_unstable();
    children
}
