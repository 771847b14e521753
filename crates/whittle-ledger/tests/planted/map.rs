//! The linker's map, read anew here, as the judge of ledgers that do not see it.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_ledger::Domain;

use crate::judge::{Given, Judge};
use crate::workspace::{Result, Variant, program};

/// Which crate each byte of `.text` came from, by the name in the path of its object: `CRATE.HASH-cgu.N`.
fn crates_in_map(
    map: &str,
    text: &object::Section<'_, '_>,
) -> Result<BTreeMap<u64, (u64, String)>> {
    let mut found = BTreeMap::new();
    let lines: Vec<&str> = map.lines().collect();
    let is_lld = lines.first().is_some_and(|line| line.contains("VMA"));
    for (number, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (address, size, object) = if is_lld {
            // `VMA LMA size align     object:(.text.name)`
            let [address, _, size, _, object, ..] = words[..] else {
                continue;
            };
            if !line.contains(":(.text") {
                continue;
            }
            let number = |word| u64::from_str_radix(word, 16);
            let (Ok(address), Ok(size)) = (number(address), number(size)) else {
                continue;
            };
            (address, size, object)
        } else {
            // GNU ld: ` .text.name` and, on the same line or the next, `0xADDRESS 0xSIZE object`.
            if !line.starts_with(" .text") {
                continue;
            }
            let next: Vec<&str> = lines
                .get(number + 1)
                .map(|line| line.split_ascii_whitespace().collect())
                .unwrap_or_default();
            let words = if words.len() > 1 {
                &words[1..]
            } else {
                &next[..]
            };
            let [address, size, object, ..] = words[..] else {
                continue;
            };
            let number = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16);
            (number(address)?, number(size)?, object)
        };
        let is_inside = (text.address()..text.address() + text.size()).contains(&address);
        let unit = object.split_once("-cgu.").map(|(before, _)| before);
        let name = unit.and_then(|unit| unit.rsplit(['.', '(', '/']).nth(1));
        if let Some(name) = name.filter(|_| is_inside && size > 0) {
            found.insert(address, (size, name.to_owned()));
        }
    }
    assert!(found.len() > 100, "the map was understood");
    Ok(found)
}

/// The name of the crate behind a label: `odd-package@0.3.0` is built as `other_name`.
fn crate_name(label: &str) -> String {
    let name = label.split(['@', ' ']).next().unwrap_or(label);
    match name {
        "odd-package" => "other_name".to_owned(),
        name => name.replace('-', "_"),
    }
}

/// Bytes of `.text` at the crate that the map says, and all that the map says anything about.
fn agreement(judge: &Judge<'_>, map: &[u8]) -> Result<(u64, u64)> {
    let text = judge.file.section_by_name(".text").expect("code");
    let truth = crates_in_map(std::str::from_utf8(map)?, &text)?;
    let (offset, _) = text.file_range().expect("code is stored");
    let (mut right, mut all) = (0, 0);
    for span in judge.ledger.spans(Domain::File) {
        let Some(start) = span.start.checked_sub(offset) else {
            continue;
        };
        let range = text.address() + start..text.address() + start + span.len;
        let found = crate_name(&judge.crates_of(span.owner).1);
        // From the last part of an object that starts before the span.
        let before = truth.range(..=range.start).next_back().into_iter();
        let inside = truth.range(range.start + 1..range.end);
        for (&address, (size, expected)) in before.chain(inside) {
            let bytes = (address + size)
                .min(range.end)
                .saturating_sub(address.max(range.start));
            all += bytes;
            right += if *expected == found { bytes } else { 0 };
        }
    }
    Ok((right, all))
}

#[test]
fn names_alone_agree_with_the_hidden_map() -> Result {
    for (variant, least) in [
        (Variant::V0, 0.995),
        (Variant::Folded, 0.98),
        (Variant::Legacy, 0.97),
    ] {
        let program = program(variant);
        let (right, all) =
            program.judge(Given::Packages, |judge| agreement(judge, &program.map))?;
        assert!(all > 50_000);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = right as f64 / all as f64;
        assert!(share >= least, "{variant:?}: {right} of {all}");
    }
    Ok(())
}

#[test]
fn the_map_is_followed_to_the_byte_where_it_is_given() -> Result {
    for variant in [Variant::V0, Variant::Legacy] {
        let program = program(variant);
        let (right, all) = program.judge(Given::MapAndPackages, |judge| {
            agreement(judge, &program.map)
        })?;
        assert_eq!(right, all, "{variant:?}");
    }
    Ok(())
}
