//! Any bytes behind the magic number of each format, the whole way: whatever they say, every byte has one owner and all
//! axes add up. The first byte picks the format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Ledger, Table, Witnesses};

/// What the readers assert of every file, whole or damaged.
#[path = "../../crates/whittle-image/tests/it/invariants.rs"]
mod invariants;

/// WebAssembly modules and components, Mach-O of both widths, PE.
const MAGIC: [&[u8]; 5] = [
    b"\0asm\x01\0\0\0",
    b"\0asm\x0d\0\x01\0",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"MZ",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, rest)) = bytes.split_first() else {
        return;
    };
    let magic = MAGIC[usize::from(pick) % MAGIC.len()];
    let file = [magic, rest].concat();
    let Ok(image) = Image::parse(&file) else {
        return;
    };
    invariants::assert_sound(&image);
    let references = References::find(&image);
    let ledger =
        Ledger::build(&image, &Witnesses::none(), &references).expect("the ledger adds up");
    for axis in Axis::ALL {
        let table = Table::of(&ledger, &[axis]);
        let sum: u64 = table.rows.iter().map(|row| row.file).sum();
        assert_eq!(sum, image.file_len(), "{axis}");
    }
});
