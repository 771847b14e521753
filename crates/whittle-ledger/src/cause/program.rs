//! Which crates are the user's own: the members of the workspace, else the crate of `main`.

use rustc_hash::FxHashSet;
use whittle_names::Name;

use crate::certainty::Certainty;
use crate::crates::{Crate, CrateId, Family};
use crate::ledger::Ledger;
use crate::witness::Packages;

/// The user's own crates.
#[derive(Debug)]
pub(crate) struct Program {
    own: FxHashSet<CrateId>,
    /// Exact if the build said which packages are the user's own.
    pub(crate) certainty: Certainty,
}

impl Program {
    /// Finds the user's own crates. Without the packages of the build, and where none of them is marked, only the crate
    /// that has `main` can be told from others; a library without symbols of its own then has none.
    pub(crate) fn find(ledger: &Ledger<'_>) -> Self {
        let of_members = ledger.workspace_crates();
        if of_members.is_empty() {
            Self {
                own: crate_of_main(ledger).into_iter().collect(),
                certainty: Certainty::Inferred,
            }
        } else {
            Self {
                own: of_members.iter().copied().collect(),
                certainty: Certainty::Exact,
            }
        }
    }

    pub(crate) fn owns(&self, id: CrateId) -> bool {
        self.own.contains(&id)
    }
}

/// The crates of the packages that belong to the user's workspace, in ascending order.
pub(crate) fn of_workspace(crates: &[Crate], packages: Option<&Packages>) -> Vec<CrateId> {
    let list = packages.map_or(&[][..], |packages| &packages.list);
    let is_member = |known: &Crate| {
        known
            .package
            .and_then(|index| list.get(index))
            .is_some_and(|package| package.workspace_member)
    };
    CrateId::of_table(crates)
        .filter(|(_, known)| is_member(known))
        .map(|(id, _)| id)
        .collect()
}

/// The crate that was compiled to a program: rustc compiles its C `main` and its copy of `std::rt::lang_start` there, and
/// it has a function `main` at its root.
pub(crate) fn crate_of_main(ledger: &Ledger<'_>) -> Option<CrateId> {
    let is_package = |id: &CrateId| {
        ledger
            .crates()
            .get(id.index())
            .is_some_and(|known| known.family == Family::Package)
    };
    let mut by_entry = None;
    let mut by_runtime = None;
    let mut by_path = Vec::new();
    for item in ledger.items() {
        let compiled = item.compiled_in.value;
        if item.name == b"main" {
            by_entry = by_entry.or(Some(compiled).filter(is_package));
        } else if memchr::memmem::find(item.name, b"2rt10lang_start").is_some() {
            by_runtime = by_runtime.or(Some(compiled).filter(is_package));
        } else if is_main(item.name) {
            by_path.extend(Some(item.defined_in.value).filter(is_package));
        }
    }
    by_path.dedup();
    let by_path = match by_path[..] {
        [only] => Some(only),
        _ => None,
    };
    by_entry.or(by_runtime).or(by_path)
}

/// Whether a symbol is `CRATE::main`.
fn is_main(symbol: &[u8]) -> bool {
    // Looked at first, since most names are not.
    if memchr::memmem::find(symbol, b"4main").is_none() {
        return false;
    }
    let name = std::str::from_utf8(symbol).ok().and_then(Name::parse);
    name.is_some_and(|name| {
        let text = name.family().to_string();
        matches!(text.split_once("::"), Some((_, "main")))
    })
}
