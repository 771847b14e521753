//! What could be got back, judged by the file alone: computed where the change can be made on paper, else estimated.

use std::collections::BTreeMap;

use whittle_image::{FileKind, Image, RelocationEncoding, RelocationKind, Section, SectionRole};

use crate::crates::Family;
use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::Ledger;

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
    /// Computed by making the change on paper.
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
            let without_debug = size_without(image, |section| section.role == SectionRole::Debug);
            push(
                SavingKind::DebugInfo,
                image.file_len().saturating_sub(without_debug),
                Exactness::Exact,
            );
            let without_both = size_without(image, |section| {
                section.role == SectionRole::Debug || is_symbols(section)
            });
            push(
                SavingKind::Symbols,
                without_debug.saturating_sub(without_both),
                Exactness::Exact,
            );
            push(
                SavingKind::PackedRelocations,
                packed_relocations(image),
                Exactness::Exact,
            );
            push(
                SavingKind::Abort,
                self.exception_tables_of_program(),
                Exactness::Estimated,
            );
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

fn is_symbols(section: &Section<'_>) -> bool {
    !section.access.loaded
        && matches!(
            section.role,
            SectionRole::Symbols | SectionRole::SymbolNames
        )
}

/// The size of the file without some of its sections, all of them not loaded.
///
/// Linkers and `strip` keep the order of what is not loaded and put the section headers last; names of sections that
/// are left out go as well.
fn size_without(image: &Image<'_>, leave_out: impl Fn(&Section<'_>) -> bool) -> u64 {
    let is_out = |section: &&Section<'_>| {
        section.file_range.is_some() && !section.access.loaded && leave_out(section)
    };
    let gone: Vec<_> = image.sections.iter().filter(is_out).collect();
    let Some(first) = gone
        .iter()
        .filter_map(|section| Some(section.file_range.as_ref()?.start))
        .min()
    else {
        return image.file_len();
    };
    let mut stored: Vec<&Section<'_>> = image
        .sections
        .iter()
        .filter(|section| section.file_range.is_some())
        .collect();
    stored.sort_by_key(|section| section.file_range.as_ref().map_or(0, |range| range.start));
    let word = u64::from(image.target.bits / 8);
    // Loaded contents behind what goes: a layout that is not foreseen here.
    if stored.iter().any(|section| {
        section.access.loaded
            && section
                .file_range
                .as_ref()
                .is_some_and(|range| range.start > first)
    }) {
        let sum: u64 = gone
            .iter()
            .filter_map(|section| section.file_range.as_ref())
            .map(|range| range.end - range.start)
            .sum();
        return image.file_len().saturating_sub(sum);
    }
    let names_gone: u64 = gone
        .iter()
        .map(|section| u64::try_from(section.name.len()).unwrap_or(0) + 1)
        .sum();
    let mut at = stored
        .iter()
        .filter_map(|section| section.file_range.as_ref())
        .filter(|range| range.start < first)
        .map(|range| range.end)
        .max()
        .unwrap_or(first);
    for section in stored {
        let Some(range) = section
            .file_range
            .as_ref()
            .filter(|range| range.start >= first)
        else {
            continue;
        };
        if is_out(&section) {
            continue;
        }
        let mut len = range.end - range.start;
        if section.name == ".shstrtab" {
            len = len.saturating_sub(names_gone);
        }
        at = align(at, section.align).saturating_add(len);
    }
    let headers = image
        .headers
        .iter()
        .find(|header| header.name == "section headers");
    let Some(headers) = headers.filter(|headers| headers.file_range.start >= first) else {
        return at;
    };
    let table = headers.file_range.end - headers.file_range.start;
    let entry = table / u64::try_from(image.sections.len().max(1)).unwrap_or(1);
    let gone = u64::try_from(gone.len()).unwrap_or(0);
    align(at, word).saturating_add(table - entry * gone)
}

fn align(at: u64, to: u64) -> u64 {
    at.checked_next_multiple_of(to.max(1)).unwrap_or(at)
}

/// What writing the relative relocations as bitmaps would give back: the entries that go, less the packed table, its
/// section header and name, three entries of the dynamic section, and the version that tells glibc.
fn packed_relocations(image: &Image<'_>) -> u64 {
    let word = u64::from(image.target.bits / 8);
    let mut addresses = Vec::new();
    let mut entries_gone = 0_u64;
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
                entries_gone += table.entry_size;
            }
        }
    }
    let has_packed = image
        .relocation_tables
        .iter()
        .any(|table| table.encoding == RelocationEncoding::Packed);
    let (section_header, dynamic_entry) = if word == 8 { (64, 16) } else { (40, 8) };
    let name = 10; // `.relr.dyn` and its end
    let overhead = if has_packed {
        0
    } else {
        section_header + name + 3 * dynamic_entry
    };
    entries_gone.saturating_sub(packed_len(addresses, word) + overhead)
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
