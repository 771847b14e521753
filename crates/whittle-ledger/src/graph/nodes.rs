//! Nodes: the root, then all items, then all sets of items that share bytes.

use super::adjacency::{Node, index_of, to_u32};
use crate::owner::{ItemId, Owner, SharedId};

/// A node of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) Node);

impl NodeId {
    /// Where everything that runs starts; it has no bytes.
    pub const ROOT: Self = Self(0);

    /// Its position in [`Graph::nodes`](super::Graph::nodes).
    #[must_use]
    pub fn index(self) -> usize {
        index_of(self.0)
    }
}

/// Which node stands for which owner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    items: u32,
    shared: u32,
}

impl Nodes {
    pub(super) const ROOT: Node = 0;

    pub(super) fn new(items: usize, shared: usize) -> Self {
        Self {
            items: to_u32(items),
            shared: to_u32(shared),
        }
    }

    pub(super) fn count(self) -> usize {
        index_of(self.items) + index_of(self.shared) + 1
    }

    /// The node of an owner; nothing for what is no node: structure, padding, unknown bytes.
    pub(super) fn of(self, owner: Owner) -> Option<Node> {
        match owner {
            Owner::Item(id) => Some(id.0 + 1).filter(|_| id.0 < self.items),
            Owner::Shared(id) => Some(id.0 + 1 + self.items).filter(|_| id.0 < self.shared),
            Owner::Structure(_) | Owner::Padding | Owner::Unknown => None,
        }
    }

    /// The owner that a node stands for; nothing for the root.
    pub(super) fn owner(self, node: Node) -> Option<Owner> {
        let number = node.checked_sub(1)?;
        match number.checked_sub(self.items) {
            None => Some(Owner::Item(ItemId(number))),
            Some(number) => Some(Owner::Shared(SharedId(number))).filter(|_| number < self.shared),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_owners_are_one_to_one() {
        let nodes = Nodes::new(3, 2);
        assert_eq!(nodes.count(), 6);
        assert_eq!(nodes.owner(Nodes::ROOT), None);
        for node in 1..6 {
            let owner = nodes.owner(node).expect("a node of an owner");
            assert_eq!(nodes.of(owner), Some(node));
        }
        assert_eq!(nodes.owner(6), None);
        assert_eq!(nodes.of(Owner::Padding), None);
        assert_eq!(nodes.of(Owner::Shared(SharedId(2))), None);
    }
}
