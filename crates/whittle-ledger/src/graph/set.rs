//! Sets of nodes: a package, the copies of a generic function, whatever somebody might do without.

use super::nodes::NodeId;
use super::{Graph, Leaving, walk};
use crate::owner::Owner;

/// A set of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    /// In ascending order.
    members: Vec<NodeId>,
}

impl NodeSet {
    /// The nodes of the owners that are asked for; the root is never among them.
    #[must_use]
    pub fn of(graph: &Graph<'_, '_>, is_in: impl Fn(Owner) -> bool) -> Self {
        let is_in = |&node: &NodeId| graph.owner(node).is_some_and(&is_in);
        Self {
            members: graph.nodes().filter(is_in).collect(),
        }
    }

    /// The set of these nodes.
    #[must_use]
    pub fn of_nodes(mut members: Vec<NodeId>) -> Self {
        members.sort_unstable();
        members.dedup();
        Self { members }
    }

    /// The members, in ascending order.
    #[must_use]
    pub fn members(&self) -> &[NodeId] {
        &self.members
    }

    /// Whether a node is a member.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.members.binary_search(&node).is_ok()
    }
}

impl Graph<'_, '_> {
    /// What would leave the file without a set: its members, and what cannot be reached without them. For one node this
    /// is [`Graph::leaving`], which costs nothing; for more it takes a walk through the graph.
    #[must_use]
    pub fn leaving_with(&self, set: &NodeSet) -> Leaving {
        match set.members()[..] {
            [] => Leaving::default(),
            [only] => self.leaving(only),
            _ => {
                let mut masks = vec![0; self.nodes().count()];
                for member in set.members() {
                    masks[member.index()] = 1;
                }
                walk::leaving(self, &masks)[0]
            }
        }
    }

    /// The same for many sets, in the order of the sets. `sets_of` gives the numbers of the sets that an owner is in.
    pub(crate) fn leaving_with_each<I: IntoIterator<Item = usize>>(
        &self,
        count: usize,
        sets_of: impl Fn(Owner) -> I,
    ) -> Vec<Leaving> {
        let mut all = Vec::with_capacity(count);
        let mut masks = vec![0_u64; self.nodes().count()];
        for first in (0..count).step_by(walk::SETS) {
            for node in self.nodes() {
                let sets = self.owner(node).map(&sets_of).into_iter().flatten();
                masks[node.index()] = sets
                    .filter_map(|set| set.checked_sub(first).filter(|&bit| bit < walk::SETS))
                    .fold(0, |mask, bit| mask | 1 << bit);
            }
            let some = (count - first).min(walk::SETS);
            all.extend_from_slice(&walk::leaving(self, &masks)[..some]);
        }
        all
    }
}
