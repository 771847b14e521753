//! Snapshots: made from files and builds, kept in files.

mod facts;
mod file;

use anyhow::Context as _;
use whittle_cargo::{Cargo, Helper, Selection};
use whittle_ledger::{Ledger, Snapshot};

pub(crate) use self::facts::Facts;
pub(crate) use self::file::{is_snapshot, parse, write};
use crate::evidence::Evidence;
use crate::inputs::project::{self, Project};
use crate::shrink::evidence::compressed;
use crate::trouble::{Outcome, Trouble};

/// A snapshot, and what is not as good as it could be about it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) snapshot: Snapshot,
    pub(crate) notes: Vec<String>,
}

/// A cargo that hears what the compiler is told.
pub(crate) fn listening() -> Outcome<Cargo> {
    let helper = Helper::current()
        .context("cannot find this program itself")
        .map_err(Trouble::plain)?;
    let mut cargo = Cargo::from_env();
    cargo.helper = Some(helper);
    Ok(cargo)
}

/// Builds what is selected, which must be one program, and takes a snapshot of it.
pub(crate) fn of_build(cargo: &Cargo, selection: &Selection) -> Outcome<Taken> {
    let project = Project::with(cargo.clone(), selection);
    let (build, notes) = project.build()?;
    let only = project::only_artifact(&build)?;
    let evidence = Evidence::of_artifact(&project, &build, only, notes)?;
    let facts = Facts::with(cargo, selection, &build, only, &evidence)?;
    of_evidence(&evidence, Some(facts))
}

/// Takes a snapshot of a file.
pub(crate) fn of_evidence(evidence: &Evidence, facts: Option<Facts>) -> Outcome<Taken> {
    let snapshot = evidence.account(|ledger, _| of_ledger(ledger, evidence, facts))?;
    Ok(Taken {
        snapshot,
        notes: evidence.notes.clone(),
    })
}

/// Rolls a ledger up.
pub(crate) fn of_ledger(
    ledger: &Ledger<'_>,
    evidence: &Evidence,
    facts: Option<Facts>,
) -> Outcome<Snapshot> {
    let name = evidence.path.file_name().unwrap_or_default();
    let (build, packages) = facts.map_or((None, Vec::new()), |facts| {
        (Some(facts.build), facts.packages)
    });
    // A failure here is a fault of this program, not the user's trouble; it is reported as such.
    let mut snapshot = Snapshot::of(ledger, &name.to_string_lossy(), build, packages)
        .unwrap_or_else(|error| panic!("{error}"));
    let size = compressed(&evidence.bytes)
        .context("cannot compress the file")
        .map_err(Trouble::plain)?;
    snapshot.file.compressed = Some(size);
    Ok(snapshot)
}
