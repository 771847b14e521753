//! Differences of random snapshots, and of some made to show one thing.

use proptest::prelude::*;

use super::{Build, DeltaTable, Difference, Motive, Stage, signed};
use crate::axis::Axis;
use crate::crates::Family;
use crate::snapshot::tests::{Said, said, snapshot};
use crate::snapshot::{BuildFacts, DependencyFacts, EntryKind, PackageFacts, Snapshot};

fn stages(old: &Snapshot, new: &Snapshot) -> Vec<(Option<String>, Option<String>, Stage)> {
    let difference = Difference::of(old, new).expect("it adds up");
    let pairs = difference.pairs().iter();
    pairs
        .map(|pair| {
            (
                pair.old.map(|entry| old.key(entry).name().to_owned()),
                pair.new.map(|entry| new.key(entry).name().to_owned()),
                pair.stage,
            )
        })
        .collect()
}

fn pair(old: &str, new: &str, stage: Stage) -> (Option<String>, Option<String>, Stage) {
    let side = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    (side(old), side(new), stage)
}

#[test]
fn each_stage_finds_what_it_is_for() {
    let of = |label: &str, said: Said| Said {
        defined_in: label.to_owned(),
        ..said
    };
    let bodied = |body: u64, likeness: u64, said: Said| Said {
        body: Some(body),
        likeness: Some(likeness),
        ..said
    };
    let old = snapshot(&[
        said("app::main", "", 100),
        of("dep@1.0.0", said("dep::parse", "", 200)),
        said("app::twice", "app::twice::<u8>", 50),
        bodied(7, 0, said("app::here::moved", "", 300)),
        bodied(8, 0b1111, said("app::named", "", 400)),
        said("app::last", "", 10),
        said("app::gone", "", 20),
    ]);
    let new = snapshot(&[
        said("app::main", "", 110),
        of("dep@1.0.1", said("dep::parse", "", 201)),
        said("app::twice", "app::twice::<u16>", 60),
        bodied(9, 0b1101, said("app::renamed", "", 410)),
        said("app::last", "", 10),
        bodied(7, !0, said("app::there::moved", "", 300)),
        said("app::come", "", 30),
    ]);
    assert_eq!(
        stages(&old, &new),
        [
            pair("app::main", "app::main", Stage::Exact),
            pair("app::last", "app::last", Stage::Exact),
            pair("dep::parse", "dep::parse", Stage::OtherVersion),
            pair(
                "app::twice::<u8>",
                "app::twice::<u16>",
                Stage::OtherArguments
            ),
            pair("app::here::moved", "app::there::moved", Stage::Moved),
            pair("app::named", "app::renamed", Stage::Renamed),
            pair("app::gone", "", Stage::Alone),
            pair("", "app::come", Stage::Alone),
        ]
    );
    let difference = Difference::of(&old, &new).expect("it adds up");
    let share = difference.share();
    assert_eq!(
        (share.added, share.removed, share.moved),
        (60, 50, 330 + 440)
    );
    let table = DeltaTable::of(&difference, &[Axis::Crate]);
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| (row.values[0].text(), row.file()))
        .collect();
    assert_eq!(
        rows,
        [
            ("app@0.1.0".to_owned(), 40),
            ("dep@1.0.0 → 1.0.1".to_owned(), 1)
        ]
    );
}

fn package(name: &str, version: &str, member: bool) -> PackageFacts {
    PackageFacts {
        name: name.to_owned(),
        version: version.to_owned(),
        member,
        ..PackageFacts::default()
    }
}

fn dependency(package: usize, features: &[&str]) -> DependencyFacts {
    DependencyFacts {
        package,
        features: features.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn packages_features_and_settings_are_told_apart() {
    let mut old = snapshot(&[said("app::main", "", 100)]);
    let mut new = old.clone();
    let facts = |level: &str| BuildFacts {
        rustc: "1.95.0".to_owned(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        settings: [("opt-level", level), ("strip", "none")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..BuildFacts::default()
    };
    old.build = Some(facts("3"));
    new.build = Some(facts("s"));
    old.packages = vec![
        package("app", "0.1.0", true),
        package("log", "0.4.1", false),
    ];
    old.packages[0].dependencies = vec![dependency(1, &[])];
    new.packages = vec![
        package("app", "0.1.0", true),
        package("log", "0.4.2", false),
        package("mid", "1.0.0", false),
        package("leaf", "2.0.0", false),
    ];
    new.packages[0].dependencies = vec![dependency(1, &[]), dependency(2, &["default"])];
    new.packages[2].dependencies = vec![dependency(3, &[]), dependency(1, &["std"])];
    new.packages[1].features = vec!["std".to_owned()];
    let difference = Difference::of(&old, &new).expect("it adds up");
    let build: &Build = difference.build();
    assert_eq!(build.bumps.len(), 1);
    assert_eq!(
        (&*build.bumps[0].old, &*build.bumps[0].new),
        ("0.4.1", "0.4.2")
    );
    let new: Vec<_> = build
        .new
        .iter()
        .map(|it| (&*it.label, it.path.join(" ")))
        .collect();
    assert_eq!(
        new,
        [
            ("leaf@2.0.0", "app@0.1.0 mid@1.0.0 leaf@2.0.0".to_owned()),
            ("mid@1.0.0", "app@0.1.0 mid@1.0.0".to_owned()),
        ]
    );
    assert_eq!(build.features.len(), 1);
    assert_eq!(build.features[0].by, ["mid"]);
    assert!(build.features[0].on);
    let changed: Vec<_> = build.settings.iter().map(|it| &*it.name).collect();
    assert_eq!(changed, ["opt-level"]);
    assert!(build.toolchain.is_none() && build.mismatches.is_empty() && build.gone.is_empty());
}

#[test]
fn files_without_a_common_package_are_of_two_programs() {
    let of = |label: &str, family: Family| {
        snapshot(&[Said {
            defined_in: label.to_owned(),
            family,
            ..said("main", "", 10)
        }])
    };
    let is_other = |old: &Snapshot, new: &Snapshot| {
        let difference = Difference::of(old, new).expect("it adds up");
        !difference.build().mismatches.is_empty()
    };
    let one = of("my-app@0.1.0", Family::Package);
    assert!(is_other(&one, &of("app@0.1.0", Family::Package)));
    assert!(!is_other(&one, &of("my_app", Family::Package)));
    // A file without names says nothing.
    assert!(!is_other(&one, &of("std", Family::Standard)));
}

#[test]
fn a_new_copy_of_a_generic_is_told_from_own_code() {
    let mut old = snapshot(&[said("app::twice", "app::twice::<u8>", 50)]);
    let mut new = snapshot(&[
        said("app::twice", "app::twice::<u8>", 50),
        said("app::twice", "app::twice::<u16>", 70),
        said("app::other", "", 10),
    ]);
    for side in [&mut old, &mut new] {
        side.packages = vec![package("app", "0.1.0", true)];
    }
    let difference = Difference::of(&old, &new).expect("it adds up");
    let blames: Vec<_> = difference
        .blames()
        .into_iter()
        .map(|it| (it.motive, it.bytes))
        .collect();
    assert_eq!(
        blames,
        [(Motive::Copies, 100), (Motive::Own("app".to_owned()), 40)]
    );
}

#[test]
fn another_compiler_is_told_by_its_release_or_its_commit() {
    let compiled = |rustc: &str, commit: Option<&str>, bytes: u64| {
        let mut side = snapshot(&[said("app::main", "", bytes)]);
        side.packages = vec![package("app", "0.1.0", true)];
        side.build = Some(BuildFacts {
            rustc: rustc.to_owned(),
            commit_hash: commit.map(str::to_owned),
            settings: [("opt-level".to_owned(), "3".to_owned())].into(),
            ..BuildFacts::default()
        });
        side
    };
    let compare = |old: &Snapshot, new: &Snapshot| {
        let difference = Difference::of(old, new).expect("it adds up");
        let blames: Vec<_> = difference
            .blames()
            .iter()
            .map(|it| (it.motive.clone(), it.bytes))
            .collect();
        (difference.build().toolchain.clone(), blames)
    };
    let told = |old: &str, new: &str| Some((old.to_owned(), new.to_owned()));
    let stable = compiled("1.95.0", Some("59807616e1fa2540"), 100);
    let nightly = compiled("1.97.0-nightly", Some("0123456789abcdef"), 170);
    let next = compiled("1.97.0-nightly", Some("fedcba9876543210"), 150);
    let distribution = compiled("1.95.0", None, 100);
    assert_eq!(
        compare(&stable, &nightly),
        (
            told("1.95.0", "1.97.0-nightly"),
            vec![(Motive::Toolchain, 70)]
        )
    );
    // Two nightly builds of one release are two compilers.
    assert_eq!(
        compare(&nightly, &next),
        (
            told("1.97.0-nightly (012345678)", "1.97.0-nightly (fedcba987)"),
            vec![(Motive::Toolchain, -20)]
        )
    );
    // What one side does not know is no change.
    assert_eq!(compare(&stable, &distribution), (None, Vec::new()));
    // Of mere files it is known by their notes, which hold the start of the commit.
    let noted = |rustc: &str| {
        let mut side = snapshot(&[said("app::main", "", 100)]);
        side.file.rustc = Some(rustc.to_owned());
        side
    };
    let stable_file = noted("1.95.0 (59807616e 2026-04-14)");
    assert_eq!(compare(&stable_file, &stable), (None, Vec::new()));
    assert_eq!(
        compare(
            &stable_file,
            &noted("1.95.0 (4d91de4e4 2026-04-14) (built from a source tarball)")
        )
        .0,
        told("1.95.0 (59807616e)", "1.95.0 (4d91de4e4)")
    );
    assert_eq!(
        compare(&stable_file, &nightly),
        (
            told("1.95.0", "1.97.0-nightly"),
            vec![(Motive::Toolchain, 70)]
        )
    );
}

/// Few names, so that random snapshots have much in common.
fn any_said() -> impl Strategy<Value = Said> {
    let kinds = prop_oneof![
        4 => Just(EntryKind::Function),
        1 => Just(EntryKind::Constant),
        1 => Just(EntryKind::Padding),
        1 => Just(EntryKind::Unknown),
    ];
    let crates = prop_oneof![
        Just(("app@0.1.0", Family::Package)),
        Just(("dep@1.0.0", Family::Package)),
        Just(("dep@1.0.1", Family::Package)),
        Just(("core", Family::Standard)),
        Just(("(unknown)", Family::Special)),
    ];
    let parts = prop::collection::vec(
        (
            prop_oneof![Just("code"), Just("symbol names"), Just("read-only data")],
            0_u64..500,
        ),
        1..3,
    );
    let number = || prop::option::of(0_u64..6);
    (kinds, 0_u32..6, 0_u32..3, crates, number(), number(), parts).prop_map(
        |(kind, path, arguments, (defined_in, family), body, likeness, parts)| Said {
            path: format!("a::f{path}"),
            arguments: if arguments == 0 {
                String::new()
            } else {
                format!("a::f{path}::<{arguments}>")
            },
            kind,
            defined_in: defined_in.to_owned(),
            family,
            body,
            likeness,
            parts,
        },
    )
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    prop::collection::vec(any_said(), 0..40).prop_map(|list| snapshot(&list))
}

/// The axes one by one, and two together.
fn tables() -> Vec<Vec<Axis>> {
    let mut all: Vec<Vec<Axis>> = Axis::ALL.iter().map(|axis| vec![*axis]).collect();
    all.push(vec![Axis::Kind, Axis::Crate]);
    all.push(Vec::new());
    all
}

proptest! {
    #[test]
    fn rows_and_motives_add_up(old in any_snapshot(), new in any_snapshot()) {
        let difference = Difference::of(&old, &new).expect("it adds up");
        let delta = signed(new.file.size) - signed(old.file.size);
        for axes in tables() {
            let table = DeltaTable::of(&difference, &axes);
            prop_assert_eq!(table.rows.iter().map(super::Delta::file).sum::<i64>(), delta);
        }
        prop_assert_eq!(difference.blames().iter().map(|it| it.bytes).sum::<i64>(), delta);
    }

    #[test]
    fn swapping_the_sides_negates_every_row(old in any_snapshot(), new in any_snapshot()) {
        let there = Difference::of(&old, &new).expect("it adds up");
        let back = Difference::of(&new, &old).expect("it adds up");
        for axes in tables() {
            let mut rows: Vec<_> = DeltaTable::of(&there, &axes).rows.into_iter().map(|row| {
                let values: Vec<_> = row.values.iter().map(|it| (it.new.clone(), it.old.clone())).collect();
                (values, -row.file(), -row.memory, -row.code, row.removed, row.added)
            }).collect();
            let mut other: Vec<_> = DeltaTable::of(&back, &axes).rows.into_iter().map(|row| {
                let values: Vec<_> = row.values.iter().map(|it| (it.old.clone(), it.new.clone())).collect();
                (values, row.file(), row.memory, row.code, row.added, row.removed)
            }).collect();
            rows.sort();
            other.sort();
            prop_assert_eq!(rows, other);
        }
    }

    #[test]
    fn nothing_differs_from_itself(one in any_snapshot()) {
        let difference = Difference::of(&one, &one).expect("it adds up");
        prop_assert!(difference.is_empty());
        for axes in tables() {
            prop_assert!(DeltaTable::of(&difference, &axes).rows.is_empty());
        }
        prop_assert!(difference.blames().is_empty());
        let again = Snapshot::read(&one.write()).expect("it is one");
        prop_assert_eq!(&again, &one);
    }
}
