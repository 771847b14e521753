//! A linker that leaves out what is not used has walked the same graph: what it kept must be reached.

use std::collections::BTreeMap;

use whittle_image::Place;
use whittle_ledger::{Domain, Graph, Owner};

use crate::programs::{Program, Result, own, programs};

/// By section: bytes of the file that are reached, and bytes that are not. Padding is neither.
fn reached(graph: &Graph<'_, '_>) -> BTreeMap<String, (u64, u64)> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for span in graph.ledger().spans(Domain::File) {
        if matches!(span.owner, Owner::Padding | Owner::Structure(_)) {
            continue;
        }
        let is_reached = graph
            .node(span.owner)
            .is_some_and(|node| graph.is_reachable(node));
        let sum = sums.entry(span.container.to_owned()).or_default();
        if is_reached {
            sum.0 += span.len;
        } else {
            sum.1 += span.len;
        }
    }
    sums
}

#[test]
fn what_the_linker_kept_is_reached() -> Result {
    for program in programs() {
        program.graph(|graph| {
            let sums = reached(graph);
            for (section, per_mille) in [(".text", 998), (".rodata", 995)] {
                let (reached, left) = sums[section];
                assert!(
                    reached * 1_000 >= (reached + left) * per_mille,
                    "{}: {left} bytes of {section} are not reached",
                    program.name
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn shares_add_up_to_the_file() -> Result {
    let all = programs()
        .iter()
        .map(|program| (program.name, &program.bytes, &program.map));
    let own = own()?;
    for (name, bytes, map) in all.chain([(own.name, &own.bytes, &own.map)]) {
        let program = Program {
            name,
            bytes: bytes.clone(),
            map: map.clone(),
        };
        program.graph(|graph| {
            graph.check()?;
            let shares = graph.shares();
            let sum = shares.reachable
                + shares.unreachable
                + shares.structure
                + shares.padding
                + shares.unknown;
            assert_eq!(sum, u64::try_from(bytes.len())?, "{name}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn texts_behind_a_table_of_distances_are_reached() -> Result {
    for program in programs() {
        // With the map each text has bounds of its own, without it several are one constant.
        for map in [program.map.clone(), None] {
            let program = Program {
                name: program.name,
                bytes: program.bytes.clone(),
                map,
            };
            program.graph(|graph| {
                let image = graph.ledger().image();
                let mut texts =
                    memchr::memmem::find_iter(&program.bytes, b"planted text: ").peekable();
                assert!(texts.peek().is_some());
                for at in texts {
                    let at = u64::try_from(at)?;
                    let place = image.sections.iter().find_map(|section| {
                        let range = section.file_range.clone().filter(|it| it.contains(&at))?;
                        let offset = at - range.start;
                        Some(Place {
                            section: section.index,
                            offset,
                        })
                    });
                    let owner = place.and_then(|place| graph.ledger().owner_at(place));
                    let node = owner.and_then(|owner| graph.node(owner)).ok_or("an item")?;
                    assert!(graph.is_reachable(node), "{}: {at:#x}", program.name);
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}
