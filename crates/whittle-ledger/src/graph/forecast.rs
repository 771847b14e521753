//! Forecasts: what at least would leave the file without a dependency, or without a piece of machinery.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Graph, Leaving};
use crate::cause::{Cause, Causes, crate_of_main};
use crate::crates::{CrateId, Family};
use crate::witness::Packages;

/// What at least would leave the file without something. Never a saving: nobody has built without it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Without what.
    pub without: Without,
    /// Its own bytes, and all that would leave.
    pub leaving: Leaving,
}

/// What a forecast takes away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Without {
    /// What one package defines.
    Package {
        /// The package: `regex-syntax@0.8.6`.
        package: String,
    },
    /// What one package defines, and those that only it brings along.
    Dependency {
        /// The package.
        package: String,
        /// The packages that nobody else in the build depends on, in ascending order; only those with bytes in the file.
        brings: Vec<String>,
    },
    /// The standard library's panic machinery, with the messages and locations that panics name.
    Panics,
    /// What turns addresses into names for backtraces.
    BacktraceSymbolizer,
    /// The standard library's code to turn values into text.
    Formatting,
}

/// The machinery that forecasts are made for, and the causes that are its own.
const MACHINERY: [(Without, &[Cause]); 3] = [
    (
        Without::Panics,
        &[Cause::PanicMachinery, Cause::PanicMessages],
    ),
    (Without::BacktraceSymbolizer, &[Cause::BacktraceSymbolizer]),
    (Without::Formatting, &[Cause::FormattingMachinery]),
];

/// The forecasts for each package but that of the program itself, and for machinery: packages first, the largest first.
///
/// With the packages of the build there is one for each package that brings others of its own, too.
#[must_use]
pub fn forecasts(graph: &Graph<'_, '_>, packages: Option<&Packages>) -> Vec<Forecast> {
    let ledger = graph.ledger();
    let program = crate_of_main(ledger);
    let mut sets: Vec<(Without, BTreeSet<CrateId>)> = Vec::new();
    for (id, known) in CrateId::of_table(ledger.crates()) {
        if known.family != Family::Package || program == Some(id) {
            continue;
        }
        let package = known.label.clone();
        sets.push((Without::Package { package }, BTreeSet::from([id])));
        let brings = packages
            .zip(known.package)
            .map(|(packages, index)| crates_of(graph, &packages.brought_only_by(index)));
        if let Some(mut brought) = brings.filter(|brought| brought.len() > 1) {
            brought.insert(id);
            let mut brings: Vec<String> = brought
                .iter()
                .filter(|&&other| other != id)
                .map(|other| ledger.crates()[other.index()].label.clone())
                .collect();
            brings.sort_unstable();
            let package = known.label.clone();
            sets.push((Without::Dependency { package, brings }, brought));
        }
    }
    // By crate: the sets that have it.
    let mut sets_of: Vec<Vec<usize>> = vec![Vec::new(); ledger.crates().len()];
    for (number, (_, crates)) in sets.iter().enumerate() {
        for id in crates {
            sets_of[id.index()].push(number);
        }
    }
    let of_owner = |owner| {
        let defined = ledger.defined_in(owner).value;
        sets_of[defined.index()].iter().copied()
    };
    let leaving = graph.leaving_with_each(sets.len(), of_owner);
    let mut found: Vec<Forecast> = sets
        .into_iter()
        .zip(leaving)
        .map(|((without, _), leaving)| Forecast { without, leaving })
        .collect();
    found.extend(machinery(graph));
    found.retain(|forecast| forecast.leaving.shallow > 0);
    found.sort_by(|a, b| {
        let key = |one: &Forecast| (one.without.is_machinery(), Reverse(one.leaving.retained));
        (key(a), &a.without).cmp(&(key(b), &b.without))
    });
    found
}

/// The crates of some packages that are in the file.
fn crates_of(graph: &Graph<'_, '_>, packages: &[usize]) -> BTreeSet<CrateId> {
    CrateId::of_table(graph.ledger().crates())
        .filter(|(_, known)| known.package.is_some_and(|index| packages.contains(&index)))
        .map(|(id, _)| id)
        .collect()
}

fn machinery(graph: &Graph<'_, '_>) -> impl Iterator<Item = Forecast> {
    let causes = Causes::of(graph.ledger());
    let sets_of = |owner| {
        let cause = causes.of_owner(owner);
        let is_own = move |(_, (_, own)): &(usize, (Without, &[Cause]))| own.contains(&cause);
        MACHINERY
            .into_iter()
            .enumerate()
            .filter(is_own)
            .map(|(number, _)| number)
    };
    let leaving = graph.leaving_with_each(MACHINERY.len(), sets_of);
    MACHINERY
        .into_iter()
        .zip(leaving)
        .map(|((without, _), leaving)| Forecast { without, leaving })
}

impl Without {
    /// Whether it is a piece of the standard library, and no package of the build.
    #[must_use]
    pub fn is_machinery(&self) -> bool {
        !matches!(self, Self::Package { .. } | Self::Dependency { .. })
    }

    /// A short name that does not change: for JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Package { .. } => "package",
            Self::Dependency { .. } => "dependency",
            Self::Panics => "panics",
            Self::BacktraceSymbolizer => "backtrace-symbolizer",
            Self::Formatting => "formatting",
        }
    }
}
