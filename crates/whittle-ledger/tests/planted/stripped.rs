//! A stripped program, judged by what it was before: this test's own program, whose table of symbols is hidden.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_code::References;
use whittle_image::{Image, Place, SectionRole};
use whittle_ledger::{Attribution, Ledger, Owner, Source, Witnesses};

use crate::workspace::Result;

/// The same file with its static symbol table turned into plain bytes: nothing else moves.
fn without_symbols(bytes: &[u8]) -> Result<Vec<u8>> {
    let file = object::File::parse(bytes)?;
    let index = file
        .section_by_name(".symtab")
        .ok_or("it has symbols")?
        .index()
        .0;
    let mut hidden = bytes.to_vec();
    // ELF-64: `e_shoff` stands at 40, a section header has 64 bytes, its type stands at 4. 1 is PROGBITS.
    let headers = usize::try_from(u64::from_le_bytes(hidden[40..48].try_into()?))?;
    let kind = headers + index * 64 + 4;
    hidden[kind..kind + 4].copy_from_slice(&1_u32.to_le_bytes());
    Ok(hidden)
}

/// The name of a crate without its version, which the names of functions do not tell. Crates of this workspace are known
/// by their folders.
fn name(ledger: &Ledger<'_>, of: Attribution) -> String {
    let label = &ledger.crates()[of.value.index()].label;
    let name = label.split('@').next().unwrap_or_default();
    let name = match name.strip_suffix(" (source folder)") {
        Some(folder) => folder.rsplit('/').next().unwrap_or_default(),
        None => name,
    };
    name.replace('-', "_")
}

#[test]
fn what_panic_locations_tell_of_a_stripped_program_is_mostly_right() -> Result {
    let bytes = std::fs::read(std::env::current_exe()?)?;
    let hidden = without_symbols(&bytes)?;
    let (named, stripped) = (Image::parse(&bytes)?, Image::parse(&hidden)?);
    assert!(stripped.is_stripped());
    let references = [References::find(&named), References::find(&stripped)];
    let [truth, found] = [(&named, &references[0]), (&stripped, &references[1])]
        .map(|(image, references)| Ledger::build(image, &Witnesses::none(), references));
    let (truth, found) = (truth?, found?);
    // Bytes by where the answer comes from: all of them, and those that are right.
    let mut sums: BTreeMap<(&str, Source), (u64, u64)> = BTreeMap::new();
    for item in found.items() {
        let Some(place) = item.place.filter(|place| is_code(&stripped, *place)) else {
            continue;
        };
        let Some(Owner::Item(id)) = truth.owner_at(place) else {
            continue;
        };
        let is = truth.item(id);
        for (axis, said, is) in [
            ("crate", item.defined_in, is.defined_in),
            ("compiled-in", item.compiled_in, is.compiled_in),
        ] {
            if said.is_known() && is.is_known() {
                let sum = sums.entry((axis, said.source)).or_default();
                sum.0 += item.len;
                sum.1 += u64::from(name(&found, said) == name(&truth, is)) * item.len;
            }
        }
    }
    // Tests are hardly optimized: generic code of others keeps functions and locations of its own. Of a release build of
    // ripgrep 93 % and 95 % are right.
    for (key, least) in [
        (("crate", Source::PanicLocation), 0.8),
        (("compiled-in", Source::Neighbour), 0.6),
    ] {
        let (all, right) = sums.get(&key).copied().unwrap_or_default();
        assert!(all > 20_000, "{key:?}: {sums:?}");
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = right as f64 / all as f64;
        assert!(share >= least, "{key:?}: {share}, {sums:?}");
    }
    Ok(())
}

fn is_code(image: &Image<'_>, place: Place) -> bool {
    image
        .section(place.section)
        .is_some_and(|section| section.role == SectionRole::Code)
}
