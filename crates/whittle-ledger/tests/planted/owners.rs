//! Every planted byte at its owner.

use std::collections::BTreeSet;

use object::{Object as _, ObjectSection as _};
use whittle_ledger::{Axis, Certainty, Domain, Owner, Table};

use crate::judge::{Given, Judge, crates, find};
use crate::workspace::{
    ALPHA_CONSTANT, ALPHA_STATIC, C_CONSTANT, C_STATIC, ODD_STATIC, Result, TWICE_ONE, TWICE_TWO,
    Variant, program, table,
};

const RELEASES: [Variant; 2] = [Variant::V0, Variant::Legacy];

/// Looks at the ledgers of a plain release build with names of both schemes.
fn in_releases(given: Given, look: impl Fn(&Judge<'_>, Variant) -> Result) -> Result {
    for variant in RELEASES {
        program(variant).judge(given, |judge| look(judge, variant))?;
    }
    Ok(())
}

/// The planted tables that are statics: seed, length, crate.
const STATICS: [(usize, usize, &str); 4] = [
    (3, ALPHA_STATIC, "alpha@1.1.0"),
    (7, ODD_STATIC, "odd-package@0.3.0"),
    (11, TWICE_ONE, "twice@1.0.0"),
    (13, TWICE_TWO, "twice@2.0.0"),
];

#[test]
fn statics_belong_to_their_package_with_and_without_a_map() -> Result {
    for given in [Given::Packages, Given::MapAndPackages] {
        in_releases(given, |judge, variant| {
            for (seed, len, owner) in STATICS {
                let place = find(&program(variant).bytes, &table(seed, len));
                assert_eq!(
                    judge.crates_at(place),
                    crates(owner, owner),
                    "{variant:?} {given:?}"
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn constants_without_a_name_belong_to_their_users_with_and_without_a_map() -> Result {
    for given in [Given::Packages, Given::MapAndPackages] {
        in_releases(given, |judge, variant| {
            let place = find(&program(variant).bytes, &table(5, ALPHA_CONSTANT));
            let spans = judge.spans(Domain::File, place.clone());
            let [(span, _)] = spans[..] else {
                panic!("one span for one constant: {spans:?}")
            };
            let defined = judge.ledger.defined_in(span.owner);
            assert_eq!(judge.crates_at(place), crates("alpha@1.1.0", "alpha@1.1.0"));
            assert_eq!(
                defined.certainty,
                Certainty::Inferred,
                "nothing says who wrote it"
            );
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn generic_functions_are_compiled_by_the_crate_that_uses_them() -> Result {
    for given in [Given::Packages, Given::MapAndPackages] {
        in_releases(given, |judge, variant| {
            let copies: BTreeSet<_> = judge
                .symbols("alpha_generic")
                .into_iter()
                .map(|symbol| judge.crates_at(judge.stored(symbol)))
                .collect();
            let expected = [
                crates("alpha@1.1.0", "beta@1.2.0"),
                crates("alpha@1.1.0", "planted-app@0.9.0"),
            ];
            assert_eq!(copies, expected.into(), "{variant:?} {given:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn inline_functions_are_compiled_by_each_crate_that_uses_them() -> Result {
    for given in [Given::Packages, Given::MapAndPackages] {
        in_releases(given, |judge, variant| {
            let symbols = judge.symbols("alpha_inlined");
            let copies: BTreeSet<_> = symbols
                .iter()
                .map(|symbol| judge.crates_at(judge.stored(*symbol)))
                .collect();
            let expected = [
                crates("alpha@1.1.0", "beta@1.2.0"),
                crates("alpha@1.1.0", "planted-app@0.9.0"),
            ];
            assert_eq!(symbols.len(), 2);
            assert_eq!(copies, expected.into(), "{variant:?} {given:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn functions_belong_to_the_package_that_wrote_them() -> Result {
    let functions = [
        ("alpha_lookup", "alpha@1.1.0"),
        ("alpha_constant", "alpha@1.1.0"),
        ("alpha_fold", "alpha@1.1.0"),
        ("beta_fold", "beta@1.2.0"),
        ("of_beta", "beta@1.2.0"),
        ("odd_lookup", "odd-package@0.3.0"),
    ];
    for given in [Given::Packages, Given::MapAndPackages] {
        in_releases(given, |judge, variant| {
            for (function, owner) in functions {
                let place = judge.stored(judge.symbol(function));
                assert_eq!(
                    judge.crates_at(place),
                    crates(owner, owner),
                    "{function} {variant:?} {given:?}"
                );
            }
            let versions: BTreeSet<_> = judge
                .symbols("twice_lookup")
                .into_iter()
                .map(|symbol| judge.crates_at(judge.stored(symbol)))
                .collect();
            let expected = [
                crates("twice@1.0.0", "twice@1.0.0"),
                crates("twice@2.0.0", "twice@2.0.0"),
            ];
            assert_eq!(versions, expected.into(), "{variant:?} {given:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn versions_stay_apart_when_nothing_tells_their_numbers() -> Result {
    in_releases(Given::Nothing, |judge, _| {
        let versions: BTreeSet<_> = judge
            .symbols("twice_lookup")
            .into_iter()
            .map(|symbol| judge.crates_at(judge.stored(symbol)))
            .collect();
        assert_eq!(versions.len(), 2, "{versions:?}");
        let all = versions
            .iter()
            .flat_map(|(defined, compiled)| [defined, compiled]);
        for label in all {
            assert!(label.starts_with("twice ["), "{label}");
        }
        Ok(())
    })
}

#[test]
fn functions_with_plain_names_belong_to_their_crate_or_to_nobody() -> Result {
    let alpha = crates("alpha@1.1.0", "alpha@1.1.0");
    in_releases(Given::MapAndPackages, |judge, variant| {
        let place = judge.stored(judge.symbol("alpha_plain"));
        assert_eq!(judge.crates_at(place), alpha, "{variant:?}");
        Ok(())
    })?;
    // Without a map only its neighbours can tell.
    in_releases(Given::Packages, |judge, variant| {
        let found = judge.crates_at(judge.stored(judge.symbol("alpha_plain")));
        let unknown = crates("(unknown)", "(unknown)");
        assert!(found == alpha || found == unknown, "{variant:?}: {found:?}");
        Ok(())
    })
}

#[test]
fn c_code_belongs_to_the_package_that_compiled_it() -> Result {
    let native = crates("native-sys@2.5.0", "native-sys@2.5.0");
    in_releases(Given::MapAndPackages, |judge, variant| {
        let bytes = &program(variant).bytes;
        for (seed, len) in [(17, C_STATIC), (19, C_CONSTANT)] {
            assert_eq!(judge.crates_at(find(bytes, &table(seed, len))), native);
        }
        let function = judge.stored(judge.symbol("native_lookup"));
        assert_eq!(judge.crates_at(function), native);
        Ok(())
    })?;
    // Without a map nothing says whose it is; it must not be anybody else's.
    in_releases(Given::Packages, |judge, variant| {
        let bytes = &program(variant).bytes;
        let unknown = crates("(unknown)", "(unknown)");
        for (seed, len) in [(17, C_STATIC), (19, C_CONSTANT)] {
            let found = judge.crates_at(find(bytes, &table(seed, len)));
            assert!(found == unknown || found == native, "{found:?}");
        }
        Ok(())
    })
}

#[test]
fn look_up_tables_belong_to_the_crate_of_their_function() -> Result {
    in_releases(Given::MapAndPackages, |judge, variant| {
        // The numbers of `alpha_switch`, as the compiler lays them out.
        let numbers: Vec<u8> = [9001_u64, 812, 7003, 64, 5005, 46, 3007, 28, 1009, 10, 11011]
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect();
        let place = find(&program(variant).bytes, &numbers);
        assert_eq!(
            judge.crates_at(place),
            crates("alpha@1.1.0", "alpha@1.1.0"),
            "{variant:?}"
        );
        Ok(())
    })
}

#[test]
fn variables_belong_to_their_crate_on_disk_and_in_memory() -> Result {
    in_releases(Given::MapAndPackages, |judge, _| {
        let alpha = crates("alpha@1.1.0", "alpha@1.1.0");
        let variables = judge.symbol("ALPHA_VARIABLES");
        assert_eq!(variables.1, 77 * 4);
        assert_eq!(judge.crates_at(judge.stored(variables)), alpha);
        for (name, len, domain) in [
            ("ALPHA_ZEROS", 333 * 8, Domain::Memory),
            ("ALPHA_VARIABLES", 77 * 4, Domain::Memory),
            ("ALPHA_LOCAL", 1_009, Domain::ThreadLocal),
        ] {
            let (address, size) = judge.symbol(name);
            assert_eq!(size, len, "{name}");
            // Symbols of thread-local variables count from the start of the template.
            let start = match domain {
                Domain::ThreadLocal => {
                    let template = judge.file.sections().filter(|section| {
                        matches!(
                            section.kind(),
                            object::SectionKind::Tls | object::SectionKind::UninitializedTls
                        )
                    });
                    template
                        .map(|section| section.address())
                        .min()
                        .expect("a template")
                }
                _ => 0,
            };
            let range = start + address..start + address + size;
            for (span, _) in judge.spans(domain, range) {
                assert_eq!(judge.crates_of(span.owner), alpha, "{name}");
            }
        }
        Ok(())
    })
}

#[test]
fn folded_functions_are_one_item_with_all_names_and_shared_by_their_crates() -> Result {
    for given in [Given::Packages, Given::MapAndPackages] {
        program(Variant::Folded).judge(given, |judge| {
            let (alpha, beta) = (judge.symbol("alpha_fold"), judge.symbol("beta_fold"));
            assert_eq!(alpha, beta, "the linker folds them");
            let place = judge.stored(alpha);
            assert_eq!(
                judge.crates_at(place.clone()),
                crates("(shared)", "(shared)")
            );
            let Owner::Item(id) = judge.spans(Domain::File, place)[0].0.owner else {
                panic!("an item")
            };
            let item = judge.ledger.item(id);
            let names: Vec<_> = std::iter::once(&item.name)
                .chain(&item.aliases)
                .map(|name| String::from_utf8_lossy(name))
                .collect();
            for wanted in ["alpha_fold", "beta_fold"] {
                assert!(names.iter().any(|name| name.contains(wanted)), "{names:?}");
            }
            let functions = Table::of(judge.ledger, &[Axis::Function]);
            let row = functions
                .rows
                .iter()
                .find(|row| row.values[0].contains("alpha::alpha_fold"))
                .expect("a row");
            assert!(
                row.values[0].contains("beta::beta_fold"),
                "{:?}",
                row.values
            );
            assert_eq!(row.code, alpha.1);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn in_one_module_for_all_constants_belong_to_their_users() -> Result {
    program(Variant::Merged).judge(Given::MapAndPackages, |judge| {
        let bytes = &program(Variant::Merged).bytes;
        // The map says that all of it came from the program's own object; its users know better.
        let place = find(bytes, &table(5, ALPHA_CONSTANT));
        assert_eq!(judge.crates_at(place), crates("alpha@1.1.0", "alpha@1.1.0"));
        // Statics bear the name of their crate.
        for (seed, len, owner) in STATICS {
            let (defined, compiled) = judge.crates_at(find(bytes, &table(seed, len)));
            assert_eq!(defined, owner);
            assert!(compiled == owner || compiled == "(unknown)", "{compiled}");
        }
        for symbol in judge.symbols("alpha_generic") {
            let (defined, compiled) = judge.crates_at(judge.stored(symbol));
            assert_eq!(defined, "alpha@1.1.0");
            assert!(["beta@1.2.0", "planted-app@0.9.0"].contains(&compiled.as_str()));
        }
        Ok(())
    })
}

#[test]
fn debug_info_belongs_to_the_package_that_it_is_about() -> Result {
    program(Variant::Merged).judge(Given::MapAndPackages, |judge| {
        let info = judge
            .file
            .section_by_name(".debug_info")
            .expect("debug info");
        let (offset, size) = info.file_range().expect("it is stored");
        let mut packages = BTreeSet::new();
        let mut unknown = 0;
        for ((defined, _), len) in judge.crates_in(offset..offset + size) {
            if defined == "(unknown)" {
                unknown += len;
            }
            packages.insert(defined);
        }
        // The unit of the C source, and one for the program's own module.
        for expected in ["native-sys@2.5.0", "planted-app@0.9.0"] {
            assert!(packages.contains(expected), "{packages:?}");
        }
        assert_eq!(unknown, 0, "{packages:?}");
        Ok(())
    })
}
