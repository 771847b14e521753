//! Any bytes, as a file or as code: references lead from sections to sections, in order, however many threads look.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_image::Image;

/// What the tests of the crates use.
#[path = "../../crates/whittle-image/tests/it/elf_file.rs"]
#[expect(
    dead_code,
    reason = "made for the tests of `whittle-image`, which need more of it"
)]
mod elf_file;
#[path = "../../crates/whittle-code/tests/any_bytes/invariants.rs"]
mod invariants;
#[path = "../../crates/whittle-code/tests/any_bytes/program.rs"]
mod program;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::parse(bytes) {
        invariants::find(&image);
    } else if let Some((&kind, code)) = bytes.split_first() {
        let file = program::of_code(kind, code);
        invariants::find(&Image::parse(&file).expect("the file is sound"));
    }
});
