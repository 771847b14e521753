//! Containers: a universal file of the two programs for macOS, and archives.

use std::collections::BTreeMap;
use std::process::Command;

use object::{Object as _, ObjectSection as _};
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Graph, Ledger, Snapshot, Table, Witnesses};

use crate::archives::{self, Written};
use crate::fixture::{bytes, sum, unknown_share, with_ledger};

/// Bytes of the file and of memory by the values of some axes.
fn sums(ledger: &Ledger<'_>, axes: &[Axis]) -> BTreeMap<Vec<String>, (u64, u64)> {
    let rows = Table::of(ledger, axes).rows.into_iter();
    rows.map(|row| (row.values, (row.file, row.memory)))
        .collect()
}

/// What a file says by itself along each of some axes, under the name of the member that it is in a container.
fn alone(bytes: &[u8], name: &str, axes: &[Axis], found: &mut [BTreeMap<Vec<String>, (u64, u64)>]) {
    with_ledger(bytes, |ledger| {
        for (&axis, found) in axes.iter().zip(found) {
            let rows = sums(ledger, &[axis]).into_iter();
            found.extend(rows.map(|(values, bytes)| {
                let value = values.into_iter().next().expect("one axis");
                (vec![name.to_owned(), value], bytes)
            }));
        }
    });
}

/// Axes on which a member says the same in a container as by itself.
const AXES: [Axis; 3] = [Axis::Section, Axis::Segment, Axis::Kind];

#[test]
fn a_universal_file_is_its_slices_and_what_stands_between_them() {
    let (intel, arm) = (bytes("macos-x86_64"), bytes("macos-aarch64"));
    let slices = [("x86_64", &intel), ("arm64", &arm)];
    let whole = archives::universal(&[(0x0100_0007, &intel), (0x0100_000c, &arm)]);
    let len = |bytes: &[u8]| u64::try_from(bytes.len()).expect("a small file");
    with_ledger(&whole, |ledger| {
        for (name, slice) in slices {
            assert_eq!(sum(ledger, Axis::Member, name), len(slice), "{name}");
        }
        // Eight bytes and twenty for each slice; the rest are zeros.
        let own = len(&whole) - len(&intel) - len(&arm);
        assert_eq!(sum(ledger, Axis::Member, "(universal file)"), own);
        assert_eq!(sum(ledger, Axis::Section, "(universal header)"), 8 + 2 * 20);

        // Each slice is what the program is that it was made of.
        let mut expected = [const { BTreeMap::new() }; AXES.len()];
        for (name, slice) in slices {
            alone(slice, name, &AXES, &mut expected);
        }
        for (axis, expected) in AXES.into_iter().zip(expected) {
            let mut found = sums(ledger, &[Axis::Member, axis]);
            found.retain(|values, _| values[0] != "(universal file)");
            assert_eq!(found, expected, "{axis}");
        }
        for part in ledger.image().parts() {
            let found = ledger.references().of_part(&part.section_range());
            let alone = References::find(part.image.expect("it is read"));
            assert!(!alone.list().is_empty());
            assert!(found.list() == alone.list(), "{}", part.path);
            assert!(found.functions() == alone.functions(), "{}", part.path);
            let slots = |it: &References| -> Vec<_> {
                it.list()
                    .iter()
                    .map(|reference| it.slot(reference))
                    .collect()
            };
            assert!(slots(&found) == slots(&alone), "{}", part.path);
        }
        let share = unknown_share(ledger);
        assert!(share <= 3.0, "{share} % are unknown");
        let words = sums(ledger, &[Axis::Member, Axis::Crate]);
        for (name, _) in slices {
            let key = vec![name.to_owned(), "specimen_words".to_owned()];
            assert!(words.contains_key(&key), "{name}");
        }

        let graph = Graph::of(ledger).expect("the graph adds up");
        assert!(graph.shares().reachable > 0);
        let snapshot = Snapshot::of(ledger, "whole", None, Vec::new()).expect("it adds up");
        assert_eq!(snapshot.sums(Axis::Member)["arm64"], len(&arm));
    });
}

/// A library file of the package that the programs of `fixtures/` have, as the compiler of this test makes it.
fn library(folder: &std::path::Path) -> Vec<u8> {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/program/words/src/lib.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let path = folder.join("libspecimen_words.rlib");
    let output = Command::new(rustc)
        .args([
            "--edition=2021",
            "--crate-type=rlib",
            "--crate-name=specimen_words",
        ])
        .args([
            "-Copt-level=2",
            "-Ccodegen-units=2",
            "-Cmetadata=words",
            "-Cextra-filename=-1234",
            "-Cembed-bitcode=no",
        ])
        .arg("-o")
        .arg(&path)
        .arg(source)
        .output()
        .expect("rustc runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read(path).expect("the library")
}

#[test]
fn a_library_file_is_its_members_and_all_of_one_crate() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(folder.path());
    let archive = object::read::archive::ArchiveFile::parse(&*library).expect("an archive");
    let mut lens: BTreeMap<String, u64> = BTreeMap::new();
    let mut sections: BTreeMap<String, u64> = BTreeMap::new();
    for member in archive.members() {
        let member = member.expect("a member");
        let name = String::from_utf8_lossy(member.name()).into_owned();
        lens.insert(name, member.size());
        let data = member.data(&*library).expect("its contents");
        for section in object::File::parse(data)
            .expect("an object file")
            .sections()
        {
            let len = section.file_range().map_or(0, |(_, len)| len);
            let name = section.name().expect("a name").to_owned();
            *sections.entry(name).or_default() += len;
        }
    }
    with_ledger(&library, |ledger| {
        let mut members: BTreeMap<String, u64> = Table::of(ledger, &[Axis::Member])
            .rows
            .into_iter()
            .map(|row| (row.values[0].clone(), row.file))
            .collect();
        assert!(members.remove("(archive)").is_some());
        assert_eq!(members, lens);
        for (name, len) in &sections {
            assert_eq!(sum(ledger, Axis::Section, name), *len, "{name}");
        }
        // What rustc knows of the crate, in a section of an object file of its own.
        assert_eq!(
            sum(ledger, Axis::Kind, "compiler metadata"),
            sections[".rmeta"]
        );
        let code: u64 = sections
            .iter()
            .filter(|(name, _)| name.starts_with(".text"))
            .map(|(_, len)| len)
            .sum();
        assert!(sum(ledger, Axis::Kind, "code") + sum(ledger, Axis::Kind, "padding") >= code);

        // All code was compiled in the one crate.
        let compiled = sums(ledger, &[Axis::Kind, Axis::CompiledIn]);
        let of_code: Vec<&str> = compiled
            .keys()
            .filter(|values| values[0] == "code")
            .map(|values| &*values[1])
            .collect();
        assert_eq!(of_code, ["specimen_words"]);
        let share = unknown_share(ledger);
        assert!(share <= 3.0, "{share} % are unknown");
        // The index names functions: its names are theirs.
        let index = sums(ledger, &[Axis::Section, Axis::Crate]);
        let key = vec!["(symbol index)".to_owned(), "specimen_words".to_owned()];
        assert!(index.contains_key(&key), "{index:?}");
    });
}

#[test]
fn containers_in_containers_add_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(folder.path());
    let import = archives::import("CreateFileW", "KERNEL32.dll");
    let archive = archives::windows(&[
        Written {
            name: "KERNEL32.dll",
            data: &import,
            symbols: &["CreateFileW"],
        },
        Written {
            name: "text",
            data: b"read me",
            symbols: &[],
        },
        Written {
            name: "nested.a",
            data: &library,
            symbols: &[],
        },
    ]);
    let universal = archives::universal(&[(0x0100_0007, &archive), (0x0100_000c, &library)]);
    let len = |bytes: &[u8]| u64::try_from(bytes.len()).expect("a small file");
    with_ledger(&universal, |ledger| {
        assert_eq!(sum(ledger, Axis::Member, "x86_64/text"), 7);
        assert_eq!(
            sum(ledger, Axis::Member, "x86_64/KERNEL32.dll"),
            len(&import)
        );
        assert_eq!(sum(ledger, Axis::Member, "x86_64/nested.a"), len(&library));
        let of = |prefix: &str| {
            let rows = Table::of(ledger, &[Axis::Member]).rows.into_iter();
            let own = rows.filter(|row| row.values[0].starts_with(prefix));
            own.map(|row| row.file).sum::<u64>()
        };
        assert_eq!(of("x86_64/"), len(&archive));
        assert_eq!(of("arm64/"), len(&library));
        // Two names with a zero behind each belong to what is imported.
        assert_eq!(sum(ledger, Axis::Function, "(import CreateFileW)"), 12 + 13);
    });
}

#[test]
fn damaged_containers_still_add_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(folder.path());
    let import = archives::import("CreateFileW", "KERNEL32.dll");
    let members = [
        Written {
            name: "KERNEL32.dll",
            data: &import,
            symbols: &["CreateFileW"],
        },
        Written {
            name: "a_name_that_fits_into_no_header",
            data: &library[..library.len() / 2],
            symbols: &[],
        },
    ];
    let gnu = archives::gnu(&members);
    let darwin = archives::darwin(&members);
    let universal = archives::universal(&[(7, &gnu), (12, &library), (18, &darwin)]);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for original in [&library, &gnu, &universal] {
        for _ in 0..60 {
            let mut damaged = original.clone();
            for _ in 0..8 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = usize::try_from(state >> 33).expect("31 bits") % damaged.len();
                damaged[at] = state.to_le_bytes()[1];
            }
            let Ok(image) = Image::parse(&damaged) else {
                continue;
            };
            let references = References::find(&image);
            let ledger =
                Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
            for axis in Axis::ALL {
                let rows = Table::of(&ledger, &[axis]).rows;
                let sum: u64 = rows.iter().map(|row| row.file).sum();
                assert_eq!(sum, image.file_len(), "{axis}");
            }
        }
    }
}
