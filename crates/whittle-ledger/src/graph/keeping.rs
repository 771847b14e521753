//! What a graph says of a whole file: plain values for reports.

use rustc_hash::FxHashMap;

use super::forecast::{Forecast, forecasts};
use super::tree::{TreeRequest, TreeRow, tree};
use super::{Graph, Shares};
use crate::kind::Kind;
use crate::layout::Domain;
use crate::witness::Packages;

/// What keeps what in a file, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The bytes of the file by what keeps them.
    pub shares: Shares,
    /// What nothing keeps, by what the bytes are, the most first. It adds up to [`Shares::unreachable`].
    pub unreachable: Vec<(Kind, u64)>,
    /// What at least would leave without each dependency, and without machinery of the standard library.
    pub forecasts: Option<Vec<Forecast>>,
    /// The dominator tree, as far as it was asked for.
    pub tree: Option<Vec<TreeRow>>,
}

/// Which parts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepingRequest {
    /// Whether forecasts are wanted.
    pub forecasts: bool,
    /// How much of the tree.
    pub tree: Option<TreeRequest>,
}

impl Keeping {
    /// Finds out what is asked for. `packages` are those of the build, if they are known.
    #[must_use]
    pub fn of(graph: &Graph<'_, '_>, packages: Option<&Packages>, request: KeepingRequest) -> Self {
        Self {
            shares: graph.shares(),
            unreachable: unreachable(graph),
            forecasts: request.forecasts.then(|| forecasts(graph, packages)),
            tree: request.tree.map(|wanted| tree(graph, wanted)),
        }
    }
}

fn unreachable(graph: &Graph<'_, '_>) -> Vec<(Kind, u64)> {
    let mut sums: FxHashMap<Kind, u64> = FxHashMap::default();
    for span in graph.ledger().spans(Domain::File) {
        let node = graph.node(span.owner);
        if node.is_some_and(|node| !graph.is_reachable(node)) {
            *sums.entry(span.kind).or_default() += span.len;
        }
    }
    let mut list: Vec<(Kind, u64)> = sums.into_iter().collect();
    list.sort_by_key(|&(kind, bytes)| (std::cmp::Reverse(bytes), kind));
    list
}
