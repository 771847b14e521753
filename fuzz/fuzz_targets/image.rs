//! Any bytes: the reader refuses them or answers, and every position in the answer lies in what it is a position of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whittle_image::{Compression, DebugFile, Image, archive_exports};

/// What the tests of the crate assert of every file, whole or damaged.
#[path = "../../crates/whittle-image/tests/it/invariants.rs"]
mod invariants;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(names) = archive_exports(bytes) {
        // Names are not made up: each is a piece of the archive.
        let within = bytes.as_ptr_range();
        for name in names {
            assert!(!name.is_empty());
            assert!(within.contains(&name.as_ptr()) && name.as_ptr_range().end <= within.end);
        }
    }
    let Ok(image) = Image::parse(bytes) else {
        return;
    };
    invariants::assert_sound(&image);
    if let Ok(debug) = DebugFile::extract(bytes, bytes) {
        // No section is kept twice; headers and gaps of at most a page are all that is added.
        let most = 2 * bytes.len() + 4096 * (image.sections.len() + 1);
        assert!(debug.bytes.len() <= most, "{} bytes", debug.bytes.len());
    }
    // Each section may expand to 64 MiB, however small the file; sections that share bytes would make a run slow.
    let packed = image
        .sections
        .iter()
        .filter(|section| section.compression != Compression::None);
    let expanded = packed.fold(0_u64, |total, section| total.saturating_add(section.size));
    if expanded <= 64 << 20 {
        invariants::assert_contents(&image);
    }
});
