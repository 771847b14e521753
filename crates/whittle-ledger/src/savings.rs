//! What could be got back, judged by the file alone: computed where the change can be made on paper, else estimated.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use whittle_image::{
    FileKind, Image, RelocationEncoding, RelocationKind, Section, SectionIndex, SectionRole, Symbol,
};

use crate::crates::Family;
use crate::descriptions::read_word;
use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::Ledger;
use crate::paper::{Addition, Change, Paper};

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
            Self::DuplicateVersions { .. } => "an update of what asks for the older one",
        }
    }
}

impl Ledger<'_> {
    /// What could be got back from the file, the largest first.
    #[must_use]
    pub fn savings(&self) -> Vec<Saving> {
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
        if image.target.kind != FileKind::Object {
            let paper = Paper::of(image);
            let without = |leave_out: fn(&Section<'_>) -> bool| {
                let change = |index| match image.section(index) {
                    Some(section) if !section.access.loaded && leave_out(section) => Change::Remove,
                    _ => Change::Keep,
                };
                paper.len_with(change, None)
            };
            let (without_debug, exactness) = without(is_debug);
            push(
                SavingKind::DebugInfo,
                image.file_len().saturating_sub(without_debug),
                exactness,
            );
            let (without_both, exactness) =
                without(|section| is_debug(section) || is_symbols(section));
            push(
                SavingKind::Symbols,
                without_debug.saturating_sub(without_both),
                exactness,
            );
            let (packed, exactness) = packed_relocations(image, &paper);
            push(SavingKind::PackedRelocations, packed, exactness);
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
        savings.sort_by(|a, b| (b.bytes, &a.kind).cmp(&(a.bytes, &b.kind)));
        savings
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

/// What writing the relative relocations as bitmaps would give back: the entries that go, less the packed table, its
/// section header and name, the entries of the dynamic section that tell of it, and the version that makes an older glibc
/// refuse the file instead of crashing it. As lld does it for `-z pack-relative-relocs`, laid out again on paper.
fn packed_relocations(image: &Image<'_>, paper: &Paper<'_>) -> (u64, Exactness) {
    let word = u64::from(image.target.bits / 8);
    let mut addresses = Vec::new();
    let mut shrunk: FxHashMap<SectionIndex, u64> = FxHashMap::default();
    for table in &image.relocation_tables {
        let is_loaded = image
            .section(table.section)
            .is_some_and(|section| section.access.loaded);
        if !is_loaded || table.encoding == RelocationEncoding::Packed {
            continue;
        }
        for relocation in table
            .relocations
            .iter()
            .filter(|relocation| relocation.kind == RelocationKind::Relative)
        {
            // Only even addresses can be packed: the lowest bit tells addresses from bitmaps.
            if let Some(address) = relocation
                .patched
                .and_then(|place| image.address_of(place))
                .filter(|at| at % 2 == 0)
            {
                addresses.push(address);
                *shrunk.entry(table.section).or_default() += table.entry_size;
            }
        }
    }
    let has_packed = image
        .relocation_tables
        .iter()
        .any(|table| table.encoding == RelocationEncoding::Packed);
    let Some(&first) = shrunk.keys().min().filter(|_| !has_packed) else {
        return (0, Exactness::Exact);
    };
    let packed = packed_len(addresses, word);
    let dynamic = word * 2;
    let is_glibc = image.facts.needed.iter().any(|name| name == "libc.so.6");
    let counts = has_relocation_count(image);
    let change = |index| {
        let Some(section) = image.section(index) else {
            return Change::Keep;
        };
        let left = shrunk
            .get(&index)
            .map(|gone| section.size.saturating_sub(*gone));
        match (left, section.name.as_ref()) {
            (Some(0), _) => Change::Remove,
            (Some(left), _) => Change::Resize(left),
            // `DT_RELR`, `DT_RELRSZ` and `DT_RELRENT` come; `DT_RELACOUNT` goes.
            (None, ".dynamic") => {
                let entries = if counts { 2 } else { 3 };
                Change::Resize(section.size + entries * dynamic)
            }
            (None, ".gnu.version_r") if is_glibc => Change::Resize(section.size + 16),
            (None, ".dynstr") if is_glibc => {
                let name = "GLIBC_ABI_DT_RELR\0".len();
                Change::Resize(section.size + u64::try_from(name).unwrap_or(0))
            }
            _ => Change::Keep,
        }
    };
    let addition = Addition {
        after: first,
        name: ".relr.dyn",
        len: packed,
        align: word,
    };
    let (len, exactness) = paper.len_with(change, Some(addition));
    (image.file_len().saturating_sub(len), exactness)
}

/// Whether the dynamic section says how many relative relocations there are (`DT_RELACOUNT`, `DT_RELCOUNT`).
fn has_relocation_count(image: &Image<'_>) -> bool {
    const COUNTS: [u64; 2] = [0x6fff_fff9, 0x6fff_fffa];
    let word = usize::from(image.target.bits / 8);
    image.section_by_name(".dynamic").is_some_and(|section| {
        section
            .stored()
            .chunks_exact(word.max(1) * 2)
            .any(|entry| COUNTS.contains(&read_word(&entry[..word], image)))
    })
}

/// The length of the packed form of relocations at these addresses: gABI draft, `SHT_RELR`. An even word is an address;
/// each odd one after it says by its bits which of the following words are relocated as well.
fn packed_len(mut addresses: Vec<u64>, word: u64) -> u64 {
    let bits = word * 8 - 1;
    addresses.sort_unstable();
    addresses.dedup();
    let mut words = 0_u64;
    let mut addresses = addresses.into_iter().peekable();
    while let Some(first) = addresses.next() {
        words += 1;
        let mut base = first.saturating_add(word);
        loop {
            let mut in_bitmap = false;
            while let Some(&next) = addresses.peek() {
                let distance = next.wrapping_sub(base);
                if next < base || distance >= bits * word || distance % word != 0 {
                    break;
                }
                in_bitmap = true;
                addresses.next();
            }
            if !in_bitmap {
                break;
            }
            words += 1;
            base = base.saturating_add(bits * word);
        }
    }
    words * word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_relocations_are_an_address_and_bitmaps() {
        assert_eq!(packed_len(vec![], 8), 0);
        assert_eq!(packed_len(vec![0x1000], 8), 8);
        // 64 words in a row: the address, and one bitmap of 63.
        assert_eq!(packed_len((0..64).map(|i| 0x1000 + i * 8).collect(), 8), 16);
        // One more needs a second bitmap.
        assert_eq!(packed_len((0..65).map(|i| 0x1000 + i * 8).collect(), 8), 24);
        // Out of reach of a bitmap.
        assert_eq!(packed_len(vec![0x1000, 0x1000 + 64 * 8], 8), 16);
        // Not on a word of the run.
        assert_eq!(packed_len(vec![0x1000, 0x1004], 8), 16);
        assert_eq!(packed_len(vec![0x1000, 0x1004], 4), 8);
    }
}
