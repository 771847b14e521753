//! Relative relocations written as bitmaps.

use rustc_hash::FxHashMap;
use whittle_image::{Image, RelocationEncoding, RelocationKind, SectionIndex};

use super::Exactness;
use crate::descriptions::read_word;
use crate::paper::{Addition, Change, Paper};

/// What writing the relative relocations as bitmaps would give back: the entries that go, less the packed table, its
/// section header and name, the entries of the dynamic section that tell of it, and the version that makes an older glibc
/// refuse the file instead of crashing it. As lld does it for `-z pack-relative-relocs`, laid out again on paper.
pub(super) fn packed_relocations(image: &Image<'_>, paper: &Paper<'_>) -> (u64, Exactness) {
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
