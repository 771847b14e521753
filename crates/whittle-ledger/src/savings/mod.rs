//! What could be got back, judged by the file alone: computed where the change can be made on paper, else estimated.

pub(crate) mod body;
mod constants;
mod equivalence;
mod folding;
mod generics;
mod instances;
mod packed_relocations;
mod repeats;
mod weights;

use std::collections::BTreeMap;

use whittle_image::{FileKind, Format, Image, Section, SectionRole, Symbol};

use crate::crates::Family;
use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::Ledger;
use crate::paper::{Change, Paper};
use packed_relocations::packed_relocations;
use repeats::Groups;

pub use repeats::{Callers, EqualItems, GenericCopies, Repeats};

/// Bytes of the file that a setting or a change could give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// What gives them back.
    pub kind: SavingKind,
    /// How many bytes of the file.
    pub bytes: u64,
    /// How the number was found.
    pub exactness: Exactness,
}

/// How a number was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exactness {
    /// Computed by laying the file out again on paper: right to the byte if the same linker links the same objects
    /// again. Cargo names what it compiles by the profile, so that a change there moves a few bytes in a thousand
    /// elsewhere as well.
    Exact,
    /// Estimated; only a rebuild tells.
    Estimated,
}

/// What gives bytes back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SavingKind {
    /// Leave out the symbol table.
    Symbols,
    /// Leave out the debug info.
    DebugInfo,
    /// Write relative relocations as bitmaps.
    PackedRelocations,
    /// Abort on panic: no exception tables but the standard library's.
    Abort,
    /// Let the linker fold equal functions into one.
    FoldedFunctions,
    /// Have equal constants once: those that codegen units and crates made for themselves.
    EqualConstants,
    /// Have functions that several crates compiled with the same generic arguments once.
    RepeatedInstances,
    /// Move what does not depend on the type out of the generic functions of packages into functions without type
    /// parameters.
    InnerFunctions,
    /// Have one version of a package instead of several.
    DuplicateVersions {
        /// The package.
        package: String,
        /// Its versions in the file, in ascending order of text.
        versions: Vec<String>,
    },
}

impl SavingKind {
    /// A short name that does not change: for JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Symbols => "symbols",
            Self::DebugInfo => "debug-info",
            Self::PackedRelocations => "packed-relocations",
            Self::Abort => "abort",
            Self::FoldedFunctions => "folded-functions",
            Self::EqualConstants => "equal-constants",
            Self::RepeatedInstances => "repeated-instances",
            Self::InnerFunctions => "inner-functions",
            Self::DuplicateVersions { .. } => "duplicate-versions",
        }
    }

    /// The setting or command that does it.
    #[must_use]
    pub fn setting(&self) -> String {
        match self {
            Self::Symbols => "strip = \"symbols\"".to_owned(),
            Self::DebugInfo => "strip = \"debuginfo\"".to_owned(),
            Self::PackedRelocations => "-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned(),
            Self::Abort => "panic = \"abort\"".to_owned(),
            Self::FoldedFunctions => "-Clink-arg=-Wl,--icf=all".to_owned(),
            Self::EqualConstants | Self::RepeatedInstances => {
                "lto = \"fat\", codegen-units = 1".to_owned()
            }
            Self::InnerFunctions => {
                "fn f(path: impl AsRef<Path>) { inner(path.as_ref()) }".to_owned()
            }
            Self::DuplicateVersions { package, .. } => {
                format!("cargo tree --duplicates --invert {package}")
            }
        }
    }

    /// What it costs, in plain words.
    #[must_use]
    pub fn price(&self) -> &'static str {
        match self {
            Self::Symbols => "no names in backtraces and profiles",
            Self::DebugInfo => "no file and line in backtraces, no debugging",
            Self::PackedRelocations => "needs glibc 2.36 or musl 1.2.4 to start",
            Self::Abort => "a panic ends the process: no `catch_unwind`, no clean-up",
            Self::FoldedFunctions => {
                "functions can share an address; a backtrace may name another that is equal"
            }
            Self::EqualConstants | Self::RepeatedInstances => "longer builds",
            Self::InnerFunctions => "an edit of the source, one call more",
            Self::DuplicateVersions { .. } => "an update of what asks for the older one",
        }
    }
}

impl Ledger<'_> {
    /// What could be got back from the file, the largest first.
    #[must_use]
    pub fn savings(&self) -> Vec<Saving> {
        self.savings_with(&Groups::find(self))
    }

    /// The same with what inner functions would save, and the groups behind what stands in the file more than once.
    /// This takes several times as long.
    #[must_use]
    pub fn savings_and_repeats(&self) -> (Vec<Saving>, Repeats) {
        let groups = Groups::find(self);
        let (repeats, bytes) = groups.repeats(self);
        let mut savings = self.savings_with(&groups);
        if bytes > 0 {
            savings.push(Saving {
                kind: SavingKind::InnerFunctions,
                bytes,
                exactness: Exactness::Estimated,
            });
            sort(&mut savings);
        }
        (savings, repeats)
    }

    fn savings_with(&self, groups: &Groups) -> Vec<Saving> {
        let image = self.image();
        let mut savings = Vec::new();
        let mut push = |kind, bytes, exactness| {
            if bytes > 0 {
                savings.push(Saving {
                    kind,
                    bytes,
                    exactness,
                });
            }
        };
        // Of a universal file symbols and debug info can go, as from each of its programs.
        if image.target.kind == FileKind::Universal {
            for (kind, bytes, exactness) in self.left_out(groups) {
                push(kind, bytes, exactness);
            }
        }
        if image.target.kind.is_linked() {
            for (kind, bytes, exactness) in self.left_out(groups) {
                push(kind, bytes, exactness);
            }
            for (kind, equal) in [
                (SavingKind::EqualConstants, &groups.constants),
                (SavingKind::RepeatedInstances, &groups.instances),
            ] {
                push(kind, groups.beyond_one(equal), Exactness::Estimated);
            }
            if unwinds(image) {
                push(
                    SavingKind::Abort,
                    self.exception_tables_of_program(),
                    Exactness::Estimated,
                );
            }
        }
        for (kind, bytes) in self.duplicate_versions() {
            push(kind, bytes, Exactness::Estimated);
        }
        sort(&mut savings);
        savings
    }

    /// What the linker could leave out of the file, with the bytes that go.
    ///
    /// How the rest would be laid out is known for ELF alone, and so are the settings that pack relocations and fold functions.
    /// Elsewhere it is what the bytes are now.
    fn left_out(&self, groups: &Groups) -> Vec<(SavingKind, u64, Exactness)> {
        let image = self.image();
        if image.target.format != Format::Elf {
            let of_kind = |kind| {
                let spans = self.spans(Domain::File).filter(|span| span.kind == kind);
                spans.map(|span| span.len).sum()
            };
            let symbols = if image.is_stripped() {
                0
            } else {
                of_kind(Kind::SymbolNames)
            };
            let debug = of_kind(Kind::DebugInfo);
            return vec![
                (SavingKind::DebugInfo, debug, Exactness::Estimated),
                (SavingKind::Symbols, symbols, Exactness::Estimated),
            ];
        }
        let paper = Paper::of(image);
        let without = |leave_out: fn(&Section<'_>) -> bool| {
            let change = |index| match image.section(index) {
                Some(section) if !section.access.loaded && leave_out(section) => Change::Remove,
                _ => Change::Keep,
            };
            paper.len_with(change, None)
        };
        let (without_debug, debug) = without(is_debug);
        let (without_both, both) = without(|section| is_debug(section) || is_symbols(section));
        let (packed, how_packed) = packed_relocations(image, &paper);
        let (folded, how_folded) = groups.folding.bytes(image, &paper);
        let debug_bytes = image.file_len().saturating_sub(without_debug);
        let symbol_bytes = without_debug.saturating_sub(without_both);
        vec![
            (SavingKind::DebugInfo, debug_bytes, debug),
            (SavingKind::Symbols, symbol_bytes, both),
            (SavingKind::PackedRelocations, packed, how_packed),
            (SavingKind::FoldedFunctions, folded, how_folded),
        ]
    }

    /// Exception tables that are not the standard library's: that one comes compiled with them.
    fn exception_tables_of_program(&self) -> u64 {
        self.spans(Domain::File)
            .filter(|span| span.kind == Kind::ExceptionTables)
            .filter(|span| {
                let crate_ = self.compiled_in(span.owner).value;
                self.crates()[crate_.index()].family == Family::Package
            })
            .map(|span| span.len)
            .sum()
    }

    /// Packages with several versions in the file, and the bytes of all but the largest.
    fn duplicate_versions(&self) -> Vec<(SavingKind, u64)> {
        let mut bytes = vec![0_u64; self.crates().len()];
        for span in self.spans(Domain::File) {
            bytes[self.defined_in(span.owner).value.index()] += span.len;
        }
        let mut versions: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for (crate_, &bytes) in self.crates().iter().zip(&bytes) {
            if let Some((name, version)) = crate_.label.split_once('@').filter(|_| bytes > 0) {
                versions.entry(name).or_default().push((version, bytes));
            }
        }
        versions
            .into_iter()
            .filter(|(_, versions)| versions.len() > 1)
            .map(|(package, mut versions)| {
                versions.sort_unstable();
                let largest = versions.iter().map(|&(_, bytes)| bytes).max().unwrap_or(0);
                let total: u64 = versions.iter().map(|&(_, bytes)| bytes).sum();
                let kind = SavingKind::DuplicateVersions {
                    package: package.to_owned(),
                    versions: versions
                        .into_iter()
                        .map(|(version, _)| version.to_owned())
                        .collect(),
                };
                (kind, total - largest)
            })
            .collect()
    }
}

/// The largest first.
fn sort(savings: &mut [Saving]) {
    savings.sort_by(|a, b| (b.bytes, &a.kind).cmp(&(a.bytes, &b.kind)));
}

fn is_debug(section: &Section<'_>) -> bool {
    section.role == SectionRole::Debug
}

fn is_symbols(section: &Section<'_>) -> bool {
    matches!(
        section.role,
        SectionRole::Symbols | SectionRole::SymbolNames
    )
}

/// Whether a panic unwinds the stack: only then does anything call the function that starts it. A program whose C
/// runtime is linked in and that has no symbols does not say; then there is nothing to promise.
fn unwinds(image: &Image<'_>) -> bool {
    let symbols = image.symbol_tables.iter().flat_map(|table| &table.symbols);
    let starts_unwinding = |symbol: &Symbol<'_>| {
        let name = symbol.name.split(|&byte| byte == b'@').next();
        name == Some(b"_Unwind_RaiseException")
    };
    let standard_library = |name: &String| name.starts_with("libstd-");
    symbols.into_iter().any(starts_unwinding) || image.facts.needed.iter().any(standard_library)
}
