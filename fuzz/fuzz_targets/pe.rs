//! Any bytes behind the magic number of PE, the whole way.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// What a program for DOS starts with.
const MAGIC: [&[u8]; 1] = [b"MZ"];

fuzz_target!(|bytes: &[u8]| {
    if let Some(file) = whittle_fuzz::behind(&MAGIC, bytes) {
        whittle_fuzz::assert_adds_up(&file);
    }
});
