//! What the roots reach: linkers left out what is not used, so that nearly everything must be reached.

use std::collections::{BTreeMap, BTreeSet};

use whittle_ledger::{Domain, Graph, Kind, NodeId, Owner};

use crate::fixture::{bytes, with_ledger};

/// Of the code and of the constants of each file, how many thousandths are reached at least.
///
/// What is missing was looked at: Zig's linker for macOS keeps a few functions that nothing mentions. GNU ld leaves out whole
/// objects of programs for Windows, or nothing of them, so that most of the standard library's code there is left over:
/// what is reached has the size of all that is in the programs for the other systems.
const REACHED: [(&str, u64, u64); 9] = [
    ("wasm32", 999, 999),
    ("wasm32-stripped", 999, 999),
    ("windows-x86_64", 390, 230),
    ("windows-x86_64-stripped", 440, 360),
    ("macos-aarch64", 990, 995),
    ("macos-aarch64-stripped", 990, 995),
    ("macos-x86_64", 995, 995),
    ("macos-x86_64-stripped", 990, 995),
    ("linux-aarch64", 999, 999),
];

/// By kind: bytes that are reached, and bytes that are not. Padding and structure are neither.
pub fn reached(graph: &Graph<'_, '_>) -> BTreeMap<Kind, (u64, u64)> {
    let mut sums: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
    for span in graph.ledger().spans(Domain::File) {
        if matches!(span.owner, Owner::Padding | Owner::Structure(_)) {
            continue;
        }
        let node = graph.node(span.owner);
        let is_reached = node.is_some_and(|node| graph.is_reachable(node));
        let sum = sums.entry(span.kind).or_default();
        *if is_reached { &mut sum.0 } else { &mut sum.1 } += span.len;
    }
    sums
}

#[test]
fn what_the_linker_kept_is_reached() {
    let mut poor = Vec::new();
    for (name, code, constants) in REACHED {
        with_ledger(&bytes(name), |ledger| {
            let graph = Graph::of(ledger).expect("it adds up");
            let sums = reached(&graph);
            for (kind, least) in [(Kind::Code, code), (Kind::ReadOnlyData, constants)] {
                let (is, is_not) = sums.get(&kind).copied().unwrap_or_default();
                let share = (is * 1_000).checked_div(is + is_not).unwrap_or(1_000);
                if share < least {
                    poor.push((name, kind, share));
                }
            }
        });
    }
    assert_eq!(poor, []);
}

#[test]
fn thread_local_variables_of_macos_are_reached_by_their_users() {
    for name in ["macos-aarch64", "macos-x86_64"] {
        with_ledger(&bytes(name), |ledger| {
            let graph = Graph::of(ledger).expect("it adds up");
            let mut count = 0;
            for node in graph.nodes() {
                let Some(Owner::Item(item)) = graph.owner(node) else {
                    continue;
                };
                // What a variable starts with has the variable's name and this behind it.
                if ledger.item(item).name.ends_with(b"$tlv$init") {
                    assert!(graph.is_reachable(node), "{}", ledger.item_name(item));
                    let mut holders = graph.mentioning(node);
                    assert!(holders.all(|holder| holder != NodeId::ROOT));
                    count += 1;
                }
            }
            assert!(count >= 5, "{name}: {count}");
        });
    }
}

/// A function that is called through the table alone stays as long as anything calls its type, and no longer.
#[test]
fn calls_through_a_table_reach_functions_of_their_type() {
    with_ledger(&bytes("wasm32"), |ledger| {
        let graph = Graph::of(ledger).expect("it adds up");
        let dispatches = ledger.references().dispatches();
        assert!(dispatches.len() > 3, "{}", dispatches.len());
        for node in graph.nodes() {
            let Some(dispatch) = graph.dispatch(node) else {
                continue;
            };
            assert!(dispatch.signature.starts_with('('), "{dispatch:?}");
            let callers: BTreeSet<NodeId> = graph.mentioning(node).collect();
            let called: BTreeSet<NodeId> = graph.mentioned_by(node).collect();
            let node_of = |place| ledger.owner_at(place).and_then(|owner| graph.node(owner));
            assert_eq!(
                called,
                dispatch
                    .functions
                    .iter()
                    .copied()
                    .filter_map(node_of)
                    .collect()
            );
            assert!(
                dispatch
                    .callers
                    .iter()
                    .copied()
                    .filter_map(node_of)
                    .all(|it| callers.contains(&it))
            );
        }
    });
}
