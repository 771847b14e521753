//! Nodes: the root, then all items, then all sets of items that share bytes, then calls through tables of functions.

use super::adjacency::{Node, index_of, to_u32};
use crate::ledger::Ledger;
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
    dispatches: u32,
}

impl Nodes {
    pub(super) const ROOT: Node = 0;

    pub(super) fn of_ledger(ledger: &Ledger<'_>) -> Self {
        Self {
            items: to_u32(ledger.items().len()),
            shared: to_u32(ledger.shared_sets().len()),
            dispatches: to_u32(ledger.references().dispatches().len()),
        }
    }

    pub(super) fn count(self) -> usize {
        index_of(self.items) + index_of(self.shared) + index_of(self.dispatches) + 1
    }

    /// The node of calls through a table, by their number among all such.
    pub(super) fn of_dispatch(self, number: u32) -> Node {
        number + 1 + self.items + self.shared
    }

    /// The number of the calls through a table that a node stands for.
    pub(super) fn dispatch(self, node: Node) -> Option<usize> {
        let number = node.checked_sub(1 + self.items + self.shared)?;
        (number < self.dispatches).then(|| index_of(number))
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
        let nodes = Nodes {
            items: 3,
            shared: 2,
            dispatches: 1,
        };
        assert_eq!(nodes.count(), 7);
        assert_eq!(nodes.owner(Nodes::ROOT), None);
        for node in 1..6 {
            let owner = nodes.owner(node).expect("a node of an owner");
            assert_eq!(nodes.of(owner), Some(node));
        }
        assert_eq!(nodes.owner(6), None);
        assert_eq!(nodes.of_dispatch(0), 6);
        assert_eq!(nodes.dispatch(6), Some(0));
        assert_eq!(nodes.dispatch(5), None);
        assert_eq!(nodes.dispatch(7), None);
        assert_eq!(nodes.of(Owner::Padding), None);
        assert_eq!(nodes.of(Owner::Shared(SharedId(2))), None);
    }
}
