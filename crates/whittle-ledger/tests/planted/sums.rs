//! Sums against what other readers of the file say.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _, SymbolKind};
use whittle_ledger::{Axis, Domain, Owner, SavingKind, Table};

use crate::judge::Given;
use crate::workspace::{Result, Variant, program};

const ALL: [Variant; 4] = [
    Variant::V0,
    Variant::Legacy,
    Variant::Folded,
    Variant::Merged,
];

#[test]
fn sections_have_their_own_size() -> Result {
    for variant in ALL {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for section in judge.file.sections() {
                if let Some((_, size)) = section.file_range().filter(|&(_, size)| size > 0) {
                    *expected.entry(section.name()?.to_owned()).or_default() += size;
                }
            }
            let table = Table::of(judge.ledger, &[Axis::Section]);
            let found: BTreeMap<String, u64> = table
                .rows
                .iter()
                .filter(|row| row.file > 0 && !row.values[0].starts_with('('))
                .map(|row| (row.values[0].clone(), row.file))
                .filter(|(name, _)| expected.contains_key(name))
                .collect();
            assert_eq!(found, expected, "{variant:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn memory_is_what_the_segments_say() -> Result {
    for variant in ALL {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let expected: u64 = judge.file.segments().map(|segment| segment.size()).sum();
            assert_eq!(judge.ledger.totals().memory, expected);
            let table = Table::of(judge.ledger, &[Axis::Crate]);
            let rows: u64 = table.rows.iter().map(|row| row.memory).sum();
            assert_eq!(rows, expected);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn every_axis_adds_up_to_the_file() -> Result {
    for variant in ALL {
        let program = program(variant);
        let len = u64::try_from(program.bytes.len())?;
        for given in [Given::Nothing, Given::Packages, Given::MapAndPackages] {
            program.judge(given, |judge| {
                judge.ledger.check()?;
                for axis in Axis::ALL {
                    let table = Table::of(judge.ledger, &[axis]);
                    let sum: u64 = table.rows.iter().map(|row| row.file).sum();
                    assert_eq!(sum, len, "{axis} {variant:?} {given:?}");
                    for row in table.rows {
                        assert_eq!(row.file, row.exact + row.inferred + row.unknown);
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn functions_have_the_bytes_that_their_symbols_say() -> Result {
    for variant in ALL {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let text = judge.file.section_by_name(".text").expect("code");
            let mut symbols: Vec<(u64, u64, &str)> = judge
                .file
                .symbols()
                .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
                .filter(|symbol| symbol.section_index() == Some(text.index()))
                .map(|symbol| (symbol.address(), symbol.size(), symbol.name().unwrap_or("")))
                .collect();
            symbols.sort_unstable();
            assert!(symbols.len() > 200);
            let mut expected: BTreeMap<u64, u64> = BTreeMap::new();
            for &(address, size, name) in &symbols {
                let range = judge.stored((address, size));
                for (span, _) in judge.spans(Domain::File, range) {
                    let Owner::Item(id) = span.owner else {
                        panic!("{name} is owned by {:?}", span.owner)
                    };
                    let item = judge.ledger.item(id);
                    let mut names = std::iter::once(&item.name).chain(&item.aliases);
                    assert!(names.any(|own| *own == name.as_bytes()), "{name}");
                }
                expected.insert(address, size);
            }
            // The column `code` of all functions together: what the symbols cover, and nothing twice.
            let functions = Table::of(judge.ledger, &[Axis::Section, Axis::Function]);
            let code: u64 = functions
                .rows
                .iter()
                .filter(|row| row.values[0] == ".text" && !row.values[1].starts_with('('))
                .map(|row| row.code)
                .sum();
            let covered: u64 = expected.values().sum();
            // Start-up code in assembly has no sizes.
            assert!(code >= covered && code - covered < 512, "{code} {covered}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn stripping_gives_back_what_was_promised() -> Result {
    for variant in [Variant::V0, Variant::Merged] {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let savings = judge.ledger.savings();
            let saved = |kind: &SavingKind| {
                let saving = savings.iter().find(|saving| saving.kind == *kind);
                saving.map_or(0, |saving| saving.bytes)
            };
            let (symbols, debug) = (saved(&SavingKind::Symbols), saved(&SavingKind::DebugInfo));
            let sum_of = |wanted: &dyn Fn(&str) -> bool| {
                let sections = judge.file.sections();
                let stored = sections.filter(|section| section.name().is_ok_and(wanted));
                stored.map(|section| section.size()).sum::<u64>()
            };
            // The contents, and no more than headers, names and alignment on top.
            let contents = sum_of(&|name| name == ".symtab" || name == ".strtab");
            assert!(contents <= symbols && symbols <= contents + 256);
            let contents =
                sum_of(&|name| name.starts_with(".debug_") && name != ".debug_gdb_scripts");
            assert!(
                contents <= debug && debug <= contents + 1_500,
                "{contents} {debug}"
            );
            assert_eq!(debug > 0, variant == Variant::Merged || contents > 0);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn only_programs_that_unwind_are_told_to_abort() -> Result {
    for (variant, unwinds) in [(Variant::V0, true), (Variant::Merged, false)] {
        program(variant).judge(Given::MapAndPackages, |judge| {
            let savings = judge.ledger.savings();
            let offered = savings
                .iter()
                .any(|saving| saving.kind == SavingKind::Abort);
            assert_eq!(offered, unwinds, "{variant:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_the_loader_fills_in_is_no_padding() -> Result {
    for variant in ALL {
        program(variant).judge(Given::Nothing, |judge| {
            let tables = &judge.ledger.image().relocation_tables;
            let patched: Vec<_> = tables
                .iter()
                .flat_map(|table| &table.relocations)
                .filter_map(|relocation| relocation.patched)
                .collect();
            assert!(patched.len() > 100);
            for place in patched {
                assert_ne!(
                    judge.ledger.owner_at(place),
                    Some(Owner::Padding),
                    "{place:?}"
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}
