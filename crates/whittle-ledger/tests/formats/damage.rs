//! Damaged files of every format: refused, or a poorer ledger that adds up.

use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Axis, Ledger, Table, Witnesses};

use crate::fixture::bytes;

/// How many damaged copies of each file.
const COPIES: usize = 40;
const FILES: [&str; 4] = [
    "wasm32",
    "windows-x86_64-stripped",
    "macos-aarch64",
    "macos-x86_64-stripped",
];

pub fn survive(file: &[u8]) {
    let Ok(image) = Image::parse(file) else {
        return;
    };
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references).expect("it adds up");
    let table = Table::of(&ledger, &[Axis::Crate, Axis::Section]);
    let sum: u64 = table.rows.iter().map(|row| row.file).sum();
    assert_eq!(sum, image.file_len());
}

/// Numbers without a pattern, the same in every run (Knuth, "MMIX").
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    }
}

#[test]
fn files_that_are_cut_off_add_up() {
    for name in FILES {
        let whole = bytes(name);
        let mut random = numbers(1);
        for _ in 0..COPIES / 4 {
            survive(&whole[..random(whole.len())]);
        }
        for len in [1, 2, 4, 8, 60, 64, 200, 512, 1024, 4096] {
            survive(&whole[..len]);
        }
    }
}

#[test]
fn files_with_wrong_bytes_add_up() {
    for name in FILES {
        let whole = bytes(name);
        let mut random = numbers(2);
        for copy in 0..COPIES {
            let mut damaged = whole.clone();
            // Half of the copies are damaged where headers and tables are: at the front.
            let reach = if copy % 2 == 0 { 4096 } else { whole.len() };
            for _ in 0..8 {
                let at = random(reach.min(whole.len()));
                damaged[at] = [0, 0xff, 0x80, 1][random(4)];
            }
            survive(&damaged);
        }
    }
}
