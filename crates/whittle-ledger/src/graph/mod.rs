//! The graph: what keeps what in the file.
//!
//! Nodes are the ledger's items and the sets of items that share bytes; what describes an item is counted with it. An edge
//! leads from what mentions to what is mentioned; its [`Mention`] says how and where. The root mentions what stays in any
//! case: where the program starts, what it exports, what the linker keeps.
//!
//! *Retained* is what would leave with something: all that is reached only through it. Of one node it is the subtree of the
//! dominator tree; of a set it is what cannot be reached without the set. A linker that leaves out what is not used does
//! the same walk; it cannot know what compiler and optimizer would make of the rest, so that all these numbers are
//! forecasts: a lower bound, until somebody builds without it.
//!
//! | module | what it holds |
//! |---|---|
//! | `nodes` | which node stands for which owner |
//! | `mention` | finds the edges |
//! | `relative_tables` | … that no reference shows: tables of distances |
//! | `adjacency` | edges in compact arrays |
//! | `dominators` | what every way to a node goes through |
//! | `walk` | what is reached without some nodes, and on which way |
//! | `set` | what would leave with several nodes |
//! | `forecast` | … with each dependency, with machinery of the standard library |
//! | `tree` | the dominator tree, as far as it is worth reading |
//! | `keeping` | all that for a whole file |

mod adjacency;
mod dominators;
mod forecast;
mod keeping;
mod mention;
mod nodes;
mod relative_tables;
mod set;
mod tree;
mod walk;

use adjacency::{Edges, Node, to_u32};
use dominators::Dominators;
pub use forecast::{Forecast, Without, forecasts};
pub use keeping::{Keeping, KeepingRequest};
pub use mention::{Mention, RootKind};
pub use nodes::NodeId;
use nodes::Nodes;
pub use set::NodeSet;
pub use tree::{TreeEntry, TreeRequest, TreeRow, tree};
pub use walk::Nearest;
use whittle_code::Dispatch;

use crate::layout::Domain;
use crate::ledger::Ledger;
use crate::owner::Owner;

/// What keeps what in a file.
pub struct Graph<'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    nodes: Nodes,
    edges: Edges,
    dominators: Dominators,
    /// Bytes of the file, by node.
    shallow: Vec<u64>,
    /// Bytes of the file that leave with it, by node.
    retained: Vec<u64>,
    shares: Shares,
}

/// The bytes of a file by what keeps them. They add up to its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shares {
    /// Items that something keeps.
    pub reachable: u64,
    /// Items that nothing found keeps: left over by the linker, or mentioned in a way that is not seen.
    pub unreachable: u64,
    /// What linker and format add for the whole file.
    pub structure: u64,
    /// Bytes between things.
    pub padding: u64,
    /// Bytes of which nobody knows whose they are.
    pub unknown: u64,
}

/// What would leave the file with something. A forecast: only a build without it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leaving {
    /// Bytes of the thing itself, with what describes it.
    pub shallow: u64,
    /// All that would leave: its own bytes and those of what is kept only by it.
    pub retained: u64,
}

impl Leaving {
    /// Bytes of others that would leave, since nothing else keeps them.
    #[must_use]
    pub fn kept_only_by_it(self) -> u64 {
        self.retained.saturating_sub(self.shallow)
    }
}

/// The graph does not add up: a fault of this library, never of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is kept and what is not add up to {sum} bytes instead of {len}")]
pub struct GraphError {
    /// What nodes, structure, padding and unknown bytes add up to.
    pub sum: u64,
    /// The length of the file.
    pub len: u64,
}

impl<'ledger, 'data> Graph<'ledger, 'data> {
    /// Finds what keeps what. Time grows with the number of references, and a little faster; memory is some 30 bytes
    /// for each and 80 for each item.
    ///
    /// # Errors
    /// [`GraphError`] if the result does not add up, which would be a fault of this library: it is checked each time.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use whittle_code::References;
    /// use whittle_image::Image;
    /// use whittle_ledger::{Graph, Ledger, Owner, Witnesses};
    ///
    /// let bytes = std::fs::read(std::env::current_exe()?)?;
    /// # if bytes.starts_with(b"\x7fELF") {
    /// let image = Image::parse(&bytes)?;
    /// let references = References::find(&image);
    /// let ledger = Ledger::build(&image, &Witnesses::none(), &references)?;
    /// let graph = Graph::of(&ledger)?;
    /// let largest = graph.nodes().skip(1).max_by_key(|&node| graph.leaving(node).retained);
    /// if let Some(Owner::Item(item)) = largest.and_then(|node| graph.owner(node)) {
    ///     println!("without {} most would leave", ledger.item_name(item));
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(ledger: &'ledger Ledger<'data>) -> Result<Self, GraphError> {
        let nodes = Nodes::of_ledger(ledger);
        let mut shares = Shares::default();
        let mut shallow = vec![0_u64; nodes.count()];
        for span in ledger.spans(Domain::File) {
            match nodes.of(span.owner) {
                Some(node) => shallow[adjacency::index_of(node)] += span.len,
                None => match span.owner {
                    Owner::Padding => shares.padding += span.len,
                    Owner::Structure(_) => shares.structure += span.len,
                    _ => shares.unknown += span.len,
                },
            }
        }
        let edges = edges(ledger, nodes);
        let dominators = Dominators::of(nodes.count(), &edges.out, &edges.into);
        let retained = dominators.sums(shallow.clone());
        shares.reachable = retained.first().copied().unwrap_or_default();
        let all: u64 = shallow.iter().sum();
        shares.unreachable = all.saturating_sub(shares.reachable);
        let graph = Self {
            ledger,
            nodes,
            edges,
            dominators,
            shallow,
            retained,
            shares,
        };
        graph.check()?;
        Ok(graph)
    }

    /// The calls through a table that a node stands for: it has no bytes and leads to all that can be meant.
    #[must_use]
    pub fn dispatch(&self, node: NodeId) -> Option<&'ledger Dispatch> {
        let number = self.nodes.dispatch(node.0)?;
        self.ledger.references().dispatches().get(number)
    }

    /// Checks the invariant: what the root keeps one by one, what nothing keeps, structure, padding and unknown bytes
    /// add up to the file.
    ///
    /// # Errors
    /// [`GraphError`] if they do not.
    pub fn check(&self) -> Result<(), GraphError> {
        let of_root = self
            .nodes()
            .filter(|&node| self.immediate_dominator(node) == Some(NodeId::ROOT));
        let kept: u64 = of_root.map(|node| self.leaving(node).retained).sum();
        let left = self.nodes().filter(|&node| !self.is_reachable(node));
        let unreachable: u64 = left.map(|node| self.leaving(node).shallow).sum();
        let shares = self.shares;
        let sum = kept + unreachable + shares.structure + shares.padding + shares.unknown;
        let len = self.ledger.image().file_len();
        if sum == len && unreachable == shares.unreachable {
            Ok(())
        } else {
            Err(GraphError { sum, len })
        }
    }

    /// The ledger whose items are the nodes.
    #[must_use]
    pub fn ledger(&self) -> &'ledger Ledger<'data> {
        self.ledger
    }

    /// All nodes, the root first.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..to_u32(self.nodes.count())).map(NodeId)
    }

    /// The node of an owner; nothing for structure, padding and unknown bytes.
    #[must_use]
    pub fn node(&self, owner: Owner) -> Option<NodeId> {
        self.nodes.of(owner).map(NodeId)
    }

    /// The owner that a node stands for; nothing for the root and for [`Self::dispatch`].
    #[must_use]
    pub fn owner(&self, node: NodeId) -> Option<Owner> {
        self.nodes.owner(node.0)
    }

    /// The bytes of the file by what keeps them.
    #[must_use]
    pub fn shares(&self) -> Shares {
        self.shares
    }

    /// What a node has, and what would leave with it. What is not reachable keeps nothing: there the two are equal.
    #[must_use]
    pub fn leaving(&self, node: NodeId) -> Leaving {
        let of = |list: &[u64]| list.get(node.index()).copied().unwrap_or_default();
        Leaving {
            shallow: of(&self.shallow),
            retained: of(&self.retained),
        }
    }

    /// Whether something keeps a node: the root, or what the root keeps.
    #[must_use]
    pub fn is_reachable(&self, node: NodeId) -> bool {
        self.dominators.is_reachable(node.0)
    }

    /// The last node that every way from the root to this one goes through; nothing for the root and for what is not
    /// reachable.
    #[must_use]
    pub fn immediate_dominator(&self, node: NodeId) -> Option<NodeId> {
        self.dominators.immediate(node.0).map(NodeId)
    }

    /// Whether every way from the root to `node` goes through `other`.
    #[must_use]
    pub fn dominates(&self, other: NodeId, node: NodeId) -> bool {
        self.dominators.dominates(other.0, node.0)
    }

    /// What a node mentions, in ascending order.
    pub fn mentioned_by(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.edges.out.of(node.0).iter().map(|&node| NodeId(node))
    }

    /// What mentions a node, in ascending order. The root is the first where it does.
    pub fn mentioning(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.edges.into.of(node.0).iter().map(|&node| NodeId(node))
    }

    /// Why there is an edge between two nodes; nothing if there is none. Of several references the first.
    #[must_use]
    pub fn mention(&self, from: NodeId, to: NodeId) -> Option<Mention> {
        let reason = self.edges.reason(from.0, to.0)?;
        Some(mention::mention(self.ledger, from.0, reason))
    }

    /// How many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.edges.out.len()
    }

    /// Whether the root mentions a node only because it describes others, or by an offset.
    pub(crate) fn is_weak_root(&self, node: NodeId) -> bool {
        matches!(
            self.mention(NodeId::ROOT, node),
            Some(Mention::Root(RootKind::Describes | RootKind::ThreadLocal))
        )
    }

    /// Adds up values over what each node keeps, itself included. `values` by [`NodeId::index`].
    pub(crate) fn sums(&self, values: Vec<u64>) -> Vec<u64> {
        self.dominators.sums(values)
    }
}

/// All edges. What is perhaps used by others is reached from the root if nothing else keeps it.
fn edges(ledger: &Ledger<'_>, nodes: Nodes) -> Edges {
    let mention::Found {
        edges: mut list,
        mut perhaps_used,
    } = mention::find(ledger, nodes);
    if perhaps_used.is_empty() {
        return Edges::of(nodes.count(), list);
    }
    perhaps_used.sort_unstable();
    perhaps_used.dedup();
    let first = Edges::of(nodes.count(), list.clone());
    let mut is_reached = vec![false; nodes.count()];
    let mut reach = |from: Node| {
        let mut waiting = vec![from];
        let is_new = !std::mem::replace(&mut is_reached[adjacency::index_of(from)], true);
        while let Some(node) = waiting.pop() {
            for &to in first.out.of(node) {
                if !std::mem::replace(&mut is_reached[adjacency::index_of(to)], true) {
                    waiting.push(to);
                }
            }
        }
        is_new
    };
    reach(Nodes::ROOT);
    for node in perhaps_used {
        if reach(node) {
            list.push(mention::exported(node));
        }
    }
    Edges::of(nodes.count(), list)
}
