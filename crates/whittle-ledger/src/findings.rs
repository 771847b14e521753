//! Findings: plain values that answer "why is it this big, and what could I get back?". Reports draw them.

use rustc_hash::FxHashMap;
use whittle_image::{FileKind, Format, Warnings};

use crate::axis::Axis;
use crate::certainty::Certainty;
use crate::compiler::compiler;
use crate::crates::Family;
use crate::layout::Domain;
use crate::ledger::{Ledger, Totals};
use crate::named_packages::NamedPackage;
use crate::savings::{Repeats, Saving};
use crate::table::Table;

/// What to find out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Axes of a table of the user's own; empty for none.
    pub by: Vec<Axis>,
    /// Whether the tables by kind, section, function, generic family and cause are wanted too.
    pub full: bool,
}

/// What a ledger says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// What the file says about itself.
    pub file: FileFacts,
    /// Sums of the whole, in bytes.
    pub totals: Totals,
    /// What could be got back, the largest first.
    pub savings: Vec<Saving>,
    /// What each crate brought, the largest first. The special values are among them, so that both columns add up to
    /// the file.
    pub bringers: Vec<Bringer>,
    /// The table that the request asked for.
    pub table: Option<Table>,
    /// Tables by kind, section, function, generic family and cause, when everything was asked for.
    pub full: Option<FullTables>,
    /// What could not be read as it claims to be.
    pub warnings: Warnings,
}

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The object format.
    pub format: Format,
    /// Program, library or object.
    pub kind: FileKind,
    /// The machine.
    pub architecture: String,
    /// The number that the linker gave to the build.
    pub build_id: Option<Vec<u8>>,
    /// Whether it has no symbol table for tools.
    pub stripped: bool,
    /// The rustc that compiled it, as the file says.
    pub rustc: Option<String>,
    /// The packages that the file itself names, in ascending order.
    pub packages: Vec<NamedPackage>,
}

/// What one crate brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bringer {
    /// The crate: `regex-syntax@0.8.6`, `std`, `(structure)`.
    pub label: String,
    /// What sort of crate it is.
    pub family: Family,
    /// Bytes of the file that its source defines.
    pub written: u64,
    /// Bytes of the file that were compiled in its codegen units.
    pub compiled: u64,
    /// The certainty of the greater part of `written`.
    pub certainty: Certainty,
}

/// The tables of the full report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTables {
    /// By kind.
    pub kinds: Table,
    /// By section.
    pub sections: Table,
    /// By function.
    pub functions: Table,
    /// By generic family, with copies.
    pub generics: Table,
    /// By cause.
    pub causes: Table,
    /// What stands in the file more than once.
    pub repeats: Repeats,
}

impl Findings {
    /// Finds out what is asked for.
    #[must_use]
    pub fn of(ledger: &Ledger<'_>, request: &Request) -> Self {
        let image = ledger.image();
        let (savings, repeats) = if request.full {
            let (savings, repeats) = ledger.savings_and_repeats();
            (savings, Some(repeats))
        } else {
            (ledger.savings(), None)
        };
        Self {
            file: FileFacts {
                format: image.target.format,
                kind: image.target.kind,
                architecture: image.target.architecture.clone(),
                build_id: image.facts.build_id.clone(),
                stripped: image.is_stripped(),
                rustc: compiler(image),
                packages: ledger.named_packages().to_vec(),
            },
            totals: ledger.totals(),
            savings,
            bringers: bringers(ledger),
            table: (!request.by.is_empty()).then(|| Table::of(ledger, &request.by)),
            full: repeats.map(|repeats| FullTables {
                kinds: Table::of(ledger, &[Axis::Kind]),
                sections: Table::of(ledger, &[Axis::Section]),
                functions: Table::of(ledger, &[Axis::Function]),
                generics: Table::of(ledger, &[Axis::Generic]),
                causes: Table::of(ledger, &[Axis::Cause]),
                repeats,
            }),
            warnings: image.warnings.clone(),
        }
    }
}

fn bringers(ledger: &Ledger<'_>) -> Vec<Bringer> {
    let mut sums: FxHashMap<usize, (u64, u64, [u64; 3])> = FxHashMap::default();
    for span in ledger.spans(Domain::File) {
        let written = ledger.defined_in(span.owner);
        let sum = sums.entry(written.value.index()).or_default();
        sum.0 += span.len;
        let certainty = match written.certainty.max(span.certainty) {
            Certainty::Exact => 0,
            Certainty::Inferred => 1,
            Certainty::Unknown => 2,
        };
        sum.2[certainty] += span.len;
        sums.entry(ledger.compiled_in(span.owner).value.index())
            .or_default()
            .1 += span.len;
    }
    let mut bringers: Vec<Bringer> = sums
        .into_iter()
        .map(
            |(index, (written, compiled, [exact, inferred, unknown]))| Bringer {
                label: ledger.crates()[index].label.clone(),
                family: ledger.crates()[index].family,
                written,
                compiled,
                certainty: if unknown > exact.max(inferred) {
                    Certainty::Unknown
                } else if inferred > exact {
                    Certainty::Inferred
                } else {
                    Certainty::Exact
                },
            },
        )
        .collect();
    bringers
        .sort_by(|a, b| (b.written, b.compiled, &a.label).cmp(&(a.written, a.compiled, &b.label)));
    bringers
}
