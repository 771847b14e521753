//! Any bytes behind what COFF objects start with, the whole way.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The machine, of 64-bit processors by AMD and Arm; what big objects have before it.
const MAGIC: [&[u8]; 3] = [b"\x64\x86", b"\x64\xaa", b"\0\0\xff\xff\x02\0\x64\x86"];

fuzz_target!(|bytes: &[u8]| {
    if let Some(file) = whittle_fuzz::behind(&MAGIC, bytes) {
        whittle_fuzz::assert_adds_up(&file);
    }
});
