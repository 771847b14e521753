//! Constants without a symbol, each at its owner and with its users.

use std::collections::BTreeSet;

use whittle_ledger::{Domain, ItemKind, Owner};

use crate::judge::{Given, Judge, crates, find, find_all};
use crate::workspace::{
    ALPHA, ALPHA_CONSTANT, GENERIC_CONSTANT, LONG_STRING, Result, SHARED_NUMBER, SHORT_STRING,
    Variant, program, table,
};

const ALL: [Variant; 4] = [
    Variant::V0,
    Variant::Legacy,
    Variant::Folded,
    Variant::Merged,
];

/// The names of the users of the item that a byte of the file belongs to, and its kind.
fn users_at(judge: &Judge<'_>, at: u64) -> (ItemKind, Vec<String>) {
    let spans = judge.spans(Domain::File, at..at + 1);
    let Owner::Item(id) = spans[0].0.owner else {
        panic!("an item: {spans:?}")
    };
    let names = judge.ledger.users(id).iter().map(|&user| {
        let name = judge.ledger.item(user).name;
        rustc_demangle::demangle(std::str::from_utf8(name).expect("a name")).to_string()
    });
    (judge.ledger.item(id).kind, names.collect())
}

fn is_of(names: &[String], functions: &[&str]) -> bool {
    names.len() == functions.len()
        && functions
            .iter()
            .all(|function| names.iter().any(|name| name.contains(function)))
}

#[test]
fn a_private_constant_has_one_user() -> Result {
    for variant in ALL {
        let program = program(variant);
        for given in [Given::Packages, Given::MapAndPackages] {
            program.judge(given, |judge| {
                let place = find(&program.bytes, &table(5, ALPHA_CONSTANT));
                let (kind, users) = users_at(judge, place.start);
                assert_eq!(kind, ItemKind::Constant);
                assert!(
                    is_of(&users, &["alpha_constant"]),
                    "{variant:?} {given:?} {users:?}"
                );
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn a_table_in_a_generic_function_is_compiled_with_each_copy_of_it() -> Result {
    for variant in [Variant::V0, Variant::Legacy] {
        let program = program(variant);
        for given in [Given::Packages, Given::MapAndPackages] {
            program.judge(given, |judge| {
                let places = find_all(&program.bytes, &table(29, GENERIC_CONSTANT));
                let found: BTreeSet<_> = places
                    .into_iter()
                    .map(|place| judge.crates_at(place))
                    .collect();
                let expected = [
                    crates("alpha@1.1.0", "beta@1.2.0"),
                    crates("alpha@1.1.0", "planted-app@0.9.0"),
                ];
                assert_eq!(found, expected.into(), "{variant:?} {given:?}");
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn a_number_that_the_linker_merged_is_shared_by_its_users() -> Result {
    for variant in [Variant::V0, Variant::Legacy, Variant::Folded] {
        let program = program(variant);
        for given in [Given::Packages, Given::MapAndPackages] {
            program.judge(given, |judge| {
                let place = find(&program.bytes, &SHARED_NUMBER.to_le_bytes());
                let (_, users) = users_at(judge, place.start);
                assert!(
                    is_of(&users, &["alpha_scaled", "beta_scaled"]),
                    "{variant:?} {given:?} {users:?}"
                );
                assert_eq!(judge.crates_at(place), crates("(shared)", "(shared)"));
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[test]
fn a_string_that_another_ends_in_has_the_users_of_both() -> Result {
    for variant in [Variant::V0, Variant::Legacy, Variant::Folded] {
        let program = program(variant);
        program.judge(Given::MapAndPackages, |judge| {
            let place = find(&program.bytes, LONG_STRING.as_bytes());
            let tail = find(&program.bytes, SHORT_STRING.as_bytes());
            assert_eq!(tail.end, place.end, "the linker merged them");
            let (kind, users) = users_at(judge, place.start);
            assert_eq!(kind, ItemKind::Text);
            assert!(is_of(&users, &["alpha_string"]), "{variant:?} {users:?}");
            let (_, users) = users_at(judge, tail.start);
            assert!(
                is_of(&users, &["alpha_string", "beta_string"]),
                "{variant:?} {users:?}"
            );
            assert_eq!(
                judge.crates_at(place.start..tail.start),
                crates("alpha@1.1.0", "alpha@1.1.0")
            );
            assert_eq!(judge.crates_at(tail), crates("(shared)", "(shared)"));
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn library_files_tell_the_crates_of_constants_in_one_module_for_all() -> Result {
    let program = program(Variant::Merged);
    program.judge(Given::MapAndPackages, |judge| {
        let (mut right, mut all) = (0, 0);
        for (seed, len, owner) in [
            (5, ALPHA_CONSTANT, "alpha@1.1.0"),
            (29, GENERIC_CONSTANT, "alpha@1.1.0"),
        ] {
            for place in find_all(&program.bytes, &table(seed, len)) {
                for ((defined, _), bytes) in judge.crates_in(place) {
                    all += bytes;
                    right += if defined == owner { bytes } else { 0 };
                }
            }
        }
        assert_eq!(right, all);
        // The generic function's copies have a constant each, which stay with who compiled them.
        let compiled: BTreeSet<String> = find_all(&program.bytes, &table(29, GENERIC_CONSTANT))
            .into_iter()
            .flat_map(|place| judge.crates_in(place).into_keys())
            .map(|(_, compiled)| compiled)
            .collect();
        for compiled in &compiled {
            assert!(
                ["beta@1.2.0", "planted-app@0.9.0"].contains(&compiled.as_str()),
                "{compiled}"
            );
        }
        Ok(())
    })
}

#[test]
fn a_panic_location_says_where_the_panic_is_written() -> Result {
    let expected = ALPHA
        .lines()
        .zip(1..)
        .find(|(text, _)| text.contains("panic!("))
        .map(|(text, line)| (line, text.find("panic!(").unwrap_or_default() + 1));
    for variant in ALL {
        program(variant).judge(Given::Packages, |judge| {
            let image = judge.ledger.image();
            let mut found = Vec::new();
            for item in judge.ledger.items() {
                let Some(place) = item.place.filter(|_| item.kind == ItemKind::Location) else {
                    continue;
                };
                let location = judge.ledger.panic_location(place).expect("it is one");
                let path = location.path(image).expect("a path");
                assert!(path.contains(".rs"), "{path}");
                assert_eq!(item.len, 24, "pointer, length, line, column");
                if path == "alpha/src/lib.rs" {
                    let column = usize::try_from(location.column).expect("a column");
                    found.push((location.line, column));
                    assert_eq!(judge.label(item.defined_in), "alpha@1.1.0");
                }
            }
            assert_eq!(found, Vec::from_iter(expected), "{variant:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn the_message_of_a_panic_is_a_text_of_its_function() -> Result {
    program(Variant::V0).judge(Given::Packages, |judge| {
        let place = find(
            &program(Variant::V0).bytes,
            b"planted: more than anybody types: ",
        );
        let (kind, users) = users_at(judge, place.start);
        assert_eq!(kind, ItemKind::Text);
        assert!(is_of(&users, &["alpha_panics"]), "{users:?}");
        assert_eq!(judge.crates_at(place), crates("alpha@1.1.0", "alpha@1.1.0"));
        Ok(())
    })
}
