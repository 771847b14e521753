//! The programs, unpacked, and what holds for each of them whatever the format.

use std::io::Read as _;
use std::path::Path;

use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Findings, Ledger, Request, Table, Witnesses};

/// The bytes of a program of `fixtures/`.
pub fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let packed = std::fs::read(folder.join(format!("{name}.gz"))).expect("a fixture");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&*packed)
        .read_to_end(&mut bytes)
        .expect("a whole fixture");
    bytes
}

/// Accounts for every byte and hands the ledger on. Every axis adds up to the length of the file.
pub fn with_ledger(bytes: &[u8], check: impl FnOnce(&Ledger<'_>)) {
    let image = Image::parse(bytes).expect("it is read");
    assert_eq!(image.warnings.list(), [], "a sound file");
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
    for axis in Axis::ALL {
        let table = Table::of(&ledger, &[axis]);
        let sum: u64 = table.rows.iter().map(|row| row.file).sum();
        assert_eq!(sum, image.file_len(), "{axis}");
    }
    let findings = Findings::of(
        &ledger,
        &Request {
            by: Vec::new(),
            full: true,
        },
    );
    assert_eq!(findings.totals.file, image.file_len());
    check(&ledger);
}

/// Bytes of the file whose value on an axis is `name`.
pub fn sum(ledger: &Ledger<'_>, axis: Axis, name: &str) -> u64 {
    let table = Table::of(ledger, &[axis]);
    let rows = table.rows.iter().filter(|row| row.values[0] == name);
    rows.map(|row| row.file).sum()
}

/// What part of the file nobody is known to have written, in per cent.
pub fn unknown_share(ledger: &Ledger<'_>) -> f64 {
    let totals = ledger.totals();
    #[expect(clippy::cast_precision_loss, reason = "a share of a small file")]
    let share = totals.unknown as f64 / totals.file as f64 * 100.0;
    share
}

/// The table of 256 bytes that one package of the program has exactly once: it is found whole, and is that package's.
pub fn assert_planted_table(ledger: &Ledger<'_>, crate_name: &str) {
    let table: Vec<u8> = (0..=255_u8)
        .map(|byte| match byte {
            b'a'..=b'z' => 0x11,
            b'A'..=b'Z' => 0x22,
            b'0'..=b'9' => 0x33,
            _ => 0x44,
        })
        .collect();
    let image = ledger.image();
    let places: Vec<_> = image
        .sections
        .iter()
        .flat_map(|section| {
            let found = memchr::memmem::find_iter(section.stored(), &table);
            found.map(|at| whittle_image::Place {
                section: section.index,
                offset: u64::try_from(at).expect("a small file"),
            })
        })
        .collect();
    let [place] = places[..] else {
        panic!("the table stands at {places:?}");
    };
    let owner = ledger.owner_at(place).expect("it is in a section");
    let label = &ledger.crates()[ledger.defined_in(owner).value.index()].label;
    assert_eq!(label, crate_name, "{owner:?}");
    let end = whittle_image::Place {
        offset: place.offset + 255,
        ..place
    };
    assert_eq!(ledger.owner_at(end), Some(owner), "all of it has one owner");
}
