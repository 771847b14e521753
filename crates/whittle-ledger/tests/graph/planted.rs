//! Things of known size: who keeps them, and what leaves with whom.

use object::{Object as _, ObjectSymbol as _};
use whittle_code::ReferenceKind;
use whittle_ledger::{Graph, Mention, Nearest, NodeId, NodeSet, Owner};

use crate::programs::{Result, node, programs};

/// What the symbol tables of the file say of a table of so many bytes: the bytes, an entry of 24, the name and its end.
fn expected(bytes: &[u8], name: &str, size: u64) -> Result<u64> {
    let file = object::File::parse(bytes)?;
    let mut symbols = file.symbols().filter(|symbol| {
        symbol.size() == size && symbol.name().is_ok_and(|symbol| symbol.contains(name))
    });
    let symbol = symbols.next().ok_or("there is a symbol")?;
    assert!(symbols.next().is_none(), "one symbol");
    Ok(size + 24 + u64::try_from(symbol.name()?.len())? + 1)
}

/// A set of the nodes that stand for items.
fn set(graph: &Graph<'_, '_>, nodes: &[NodeId]) -> NodeSet {
    NodeSet::of(graph, |owner| {
        graph.node(owner).is_some_and(|node| nodes.contains(&node))
    })
}

#[test]
fn a_table_of_one_function_leaves_with_it() -> Result {
    let program = &programs()[0];
    let expected = expected(&program.bytes, "5TABLE", 65_536)?;
    program.graph(|graph| {
        let table = node(graph, "first::TABLE");
        let lookup = node(graph, "first::lookup");
        let chain = node(graph, "first::chain");
        assert_eq!(graph.leaving(table).retained, expected);
        assert_eq!(graph.immediate_dominator(table), Some(lookup));
        assert_eq!(graph.leaving(lookup).kept_only_by_it(), expected);
        // And further up the chain, with the function between.
        assert_eq!(graph.immediate_dominator(lookup), Some(chain));
        let of_lookup = graph.leaving(lookup);
        assert_eq!(graph.leaving(chain).kept_only_by_it(), of_lookup.retained);
        assert!(graph.dominates(chain, table) && !graph.dominates(table, chain));
        let mention = graph.mention(lookup, table);
        let is_address = matches!(
            mention,
            Some(Mention::Reference {
                kind: ReferenceKind::Address,
                ..
            })
        );
        assert!(is_address, "{mention:?}");
        Ok(())
    })
}

#[test]
fn a_function_of_two_callers_leaves_with_neither_but_with_both() -> Result {
    let program = &programs()[0];
    let table = expected(&program.bytes, "5TABLE", 4_099)?;
    program.graph(|graph| {
        let both = node(graph, "both::lookup");
        let (first, second) = (node(graph, "first::lookup"), node(graph, "second::lookup"));
        assert!(!graph.dominates(first, both) && !graph.dominates(second, both));
        assert_eq!(graph.leaving(both).kept_only_by_it(), table);
        assert_eq!(graph.leaving(second).kept_only_by_it(), 0);
        let without_one = |node| graph.leaving(node).retained;
        let without_both = graph.leaving_with(&set(graph, &[first, second]));
        assert_eq!(
            without_both.retained,
            without_one(first) + without_one(second) + graph.leaving(both).retained
        );
        assert_eq!(
            without_both.shallow,
            graph.leaving(first).shallow + graph.leaving(second).shallow
        );
        let callers: Vec<NodeId> = graph.mentioning(both).collect();
        assert!(callers.contains(&first) && callers.contains(&second) && callers.len() == 2);
        Ok(())
    })
}

#[test]
fn a_set_of_one_is_that_one() -> Result {
    programs()[0].graph(|graph| {
        for node in graph.nodes().skip(1).step_by(97) {
            let alone = graph.leaving_with(&set(graph, &[node]));
            assert_eq!(alone, graph.leaving(node));
        }
        assert_eq!(graph.leaving_with(&set(graph, &[])).retained, 0);
        // Everything is all that is no structure, padding or unknown.
        let all = graph.leaving_with(&NodeSet::of(graph, |_| true));
        let shares = graph.shares();
        assert_eq!(all.retained, shares.reachable + shares.unreachable);
        assert_eq!(all.shallow, all.retained);
        Ok(())
    })
}

#[test]
fn ways_lead_from_the_entry_to_a_method_behind_a_vtable() -> Result {
    programs()[0].graph(|graph| {
        let area = node(graph, "behind_dyn::Shape>::area");
        let way = Nearest::without(graph, |_| false).way(area);
        assert_eq!(way.first(), Some(&NodeId::ROOT));
        assert_eq!(way.last(), Some(&area));
        for step in way.windows(2) {
            assert!(graph.mention(step[0], step[1]).is_some(), "{step:?}");
        }
        // What holds a method of `dyn Trait` is the table of the type.
        let [.., table, _] = way[..] else {
            panic!("a way of several steps: {way:?}")
        };
        let Some(Owner::Item(table)) = graph.owner(table) else {
            panic!("an item before the method")
        };
        let kind = graph.ledger().item(table).kind;
        assert_eq!(kind, whittle_ledger::ItemKind::VTable);
        // Without the only function that mentions the table, no way is left.
        let main = node(graph, "planted::main");
        let without = Nearest::without(graph, |node| node == main);
        assert_eq!((without.steps(area), without.way(area)), (None, Vec::new()));
        Ok(())
    })
}
