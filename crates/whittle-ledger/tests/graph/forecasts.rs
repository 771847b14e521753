//! Forecasts against truth: a program is built with and without each of its parts.

use tempfile::TempDir;
use whittle_ledger::{Graph, NodeSet, Owner};

use crate::programs::Result;
use crate::removals::{REMOVALS, Takes, build, write_workspace};

fn forecast(graph: &Graph<'_, '_>, takes: &Takes) -> u64 {
    let ledger = graph.ledger();
    let set = match takes {
        Takes::Crates(names) => NodeSet::of(graph, |owner| {
            let crate_ = &ledger.crates()[ledger.defined_in(owner).value.index()];
            names.contains(&crate_.label.as_str())
        }),
        Takes::Module(path) => NodeSet::of(graph, |owner| match owner {
            Owner::Item(item) => ledger.item_name(item).starts_with(path),
            _ => false,
        }),
    };
    graph.leaving_with(&set).retained
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn forecasts_are_near_what_a_build_without_it_gives() -> Result {
    let folder = TempDir::new()?;
    let root = folder.path().canonicalize()?;
    write_workspace(&root)?;
    let all: Vec<&str> = REMOVALS.iter().map(|removal| removal.feature).collect();
    let whole = build(&root, &all)?;
    let forecasts = whole.graph(|graph| {
        let forecasts = REMOVALS
            .iter()
            .map(|removal| forecast(graph, &removal.takes));
        Ok(forecasts.collect::<Vec<u64>>())
    })?;
    let mut errors = Vec::new();
    println!("without       forecast   measured   error");
    for (removal, forecast) in REMOVALS.iter().zip(forecasts) {
        let rest: Vec<&str> = all
            .iter()
            .copied()
            .filter(|it| *it != removal.feature)
            .collect();
        let without = build(&root, &rest)?;
        let measured = whole.bytes.len() - without.bytes.len();
        let measured = u64::try_from(measured)?;
        let per_mille = forecast.abs_diff(measured) * 1_000 / measured.max(1);
        println!(
            "{:<12} {forecast:>9} {measured:>10} {:>5}.{} %",
            removal.feature,
            per_mille / 10,
            per_mille % 10
        );
        // "At least", but for what another split into codegen units moves.
        assert!(forecast <= measured + measured / 100, "{}", removal.feature);
        errors.push(per_mille);
    }
    errors.sort_unstable();
    let median = errors[errors.len() / 2];
    println!("median {}.{} %", median / 10, median % 10);
    assert!(errors.len() >= 10 && median <= 50, "{errors:?} per mille");
    Ok(())
}
