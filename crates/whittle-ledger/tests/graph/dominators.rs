//! Dominators of real programs, judged by petgraph.

use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex};
use whittle_ledger::{Graph, NodeId};

use crate::programs::{Result, own, programs};

fn assert_petgraphs(graph: &Graph<'_, '_>, name: &str) {
    let mut judge = DiGraph::<(), ()>::with_capacity(graph.nodes().count(), graph.edge_count());
    for _ in graph.nodes() {
        judge.add_node(());
    }
    let index = |node: NodeId| NodeIndex::new(node.index());
    for from in graph.nodes() {
        for to in graph.mentioned_by(from) {
            judge.add_edge(index(from), index(to), ());
        }
    }
    let judged = simple_fast(&judge, index(NodeId::ROOT));
    let mut reached = 0;
    for node in graph.nodes() {
        let expected = judged
            .immediate_dominator(index(node))
            .map(NodeIndex::index);
        let found = graph.immediate_dominator(node).map(NodeId::index);
        assert_eq!(found, expected, "{name}: {node:?}");
        reached += usize::from(found.is_some());
    }
    assert!(reached > 500, "{name}: {reached} nodes are reached");
}

#[test]
fn dominators_of_programs_are_petgraphs() -> Result {
    for program in programs() {
        program.graph(|graph| {
            assert_petgraphs(graph, program.name);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn dominators_of_this_test_are_petgraphs() -> Result {
    own()?.graph(|graph| {
        assert_petgraphs(graph, "this test");
        Ok(())
    })
}

#[test]
fn what_mentions_and_what_is_mentioned_are_the_same_edges() -> Result {
    programs()[0].graph(|graph| {
        let mut count = 0;
        for from in graph.nodes() {
            for to in graph.mentioned_by(from) {
                assert!(graph.mentioning(to).any(|node| node == from));
                assert!(graph.mention(from, to).is_some());
                count += 1;
            }
        }
        assert_eq!(count, graph.edge_count());
        Ok(())
    })
}
